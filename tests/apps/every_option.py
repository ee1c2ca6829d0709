# SPDX-License-Identifier: MIT
"""Gives every option that the help of a verb lists to that verb on a command line.

Uses values that differ from the default where possible. Checks that the stored configuration has the given values.

Usage: every_option.py POPFLOW     (works in the current folder)
"""
import pathlib
import re
import subprocess
import sys

import h5py

popflow = sys.argv[1]
FONT = next(pathlib.Path("/usr/share/fonts").rglob("LiberationSans-Regular.ttf"))
GENERAL = {"config": "extra.cfg", "log-seconds": "0"}
DATA = {
    "data": "s.h5ad", "column": "plate=plate", "control": "DMSO,AH", "pair-by": "patient,culture,replicate", "min-cells": "50",
    "vehicles": "pool", "doses": "all", "layer": "counts", "size-factor": "total:500", "transform": "log1p", "markers": None, "exclude-markers": None, "exclude": "patient=nosuch"}
SPLIT = {"split": "patient:21", "split-seed": "3"}
MODEL = {
    "recipe": "paper", "method": "mfm", "treatment-vectors": "vectors.csv", "condition": "treatment", "base": "source", "knn": "3", "hidden": "16", "layers": "2",
    "embedding": "8", "embedding-norm": "2", "modulation": "film", "encoder-hidden": "8", "encoder-layers": "2",
    "encoder-activation": "none", "time-frequencies": "4", "time-highest": "5", "time-max-period": "100",
    "space-frequencies": "4", "space-scale": "0.2", "encoder-frequencies": "2", "encoder-scale": "0.3", "icnn-hidden": "8",
    "icnn-layers": "2", "icnn-start": "uniform", "moment-kernel": "linear", "dual-hidden": "8", "dual-layers": "2", "dual-form": "smooth",
    "dual-inputs": "source", "dual-base": "zeros", "map-inputs": "histogram", "map-bins": "3", "map-units": "9", "map-cycle": "2", "map-encoder-hidden": "8", "map-encoder-layers": "2",
    "map-embedding": "5", "map-hidden": "12", "map-layers": "2"}
TRAIN = {
    "steps": "6", "batch-pairs": "2", "cells": "40", "seed": "3", "updates": "joint", "loss": "reduced",
    "icnn-inner-steps": "2", "dual-objective": "regression", "problems-per-slot": "3", "demand-points": "9", "map-problems": "labels", "maps-per-slot": "2", "map-pool": "50", "coupling": "ot",
    "coupling-scope": "condition", "augment": "mix", "augment-until": "0.5", "start-map": "mean-shift", "shrink-to": "moment-map", "shrinkage": "0.5", "guard": "1:2", "normalise": "yes", "latent": "pca:4", "rate": "0.002",
    "schedule": "constant", "warmup-steps": "1", "clip-norm": "5", "ema-decay": "0.9", "beta1": "0.8", "beta2": "0.99",
    "epsilon": "0.00001", "validation": "1", "keep": "last", "patience": "9", "precision": "fp32", "cache": ".", "checkpoint-every": "2", "checkpoint-minutes": "5", "keep-checkpoints": "3",
    "on-nan": "skip", "log-every": "2", "stop-after": "4", "resume": "", "dry-run": ""}
TRANSPORT = {"max-cells": "60", "eval-draw": "first", "eval-seed": "2", "tolerance": "0.001", "ode-solver": "dopri5", "space": "normalised"}
EVALUATE = {
    "parts": "train,test", "train-eval-pairs": "2", "metrics": "w1,w2", "sample-pairs": "2", "sample-cells": "10",
    "sample": "PDO", "sinkhorn-epsilon": "0.1", "sinkhorn-rho": "2", "predictions": None}
HISTOGRAMS = {"rows": "split=train", "position": "position"}
PROBLEMS = {**HISTOGRAMS, "target-data": "demand.h5ad", "mass": "equal", "cost": "sphere", "ot-epsilon": "mean:0.1"}
EXCLUSIVE = {"obsm": None, "use-raw": None}  # cannot be combined with layer
FOLD = {"split": "each:patient", "fold": "#2"}  # --fold needs such a split
ENTROPIC = {"coupling": "entropic:0.5", "coupling-rho": "2"}  # cannot be combined with coupling-scope
FIXED = {"encoder": "kernel-pca:2"}  # cannot be combined with the options of the learned encoder, and with augment
LEARNED = ("recipe", "knn", "embedding", "embedding-norm", "encoder-hidden", "encoder-layers", "encoder-activation",
           "encoder-frequencies", "encoder-scale", "updates", "augment")
POPULATIONS = {"population": "patient,replicate", "label": "treatment"}  # need a method without pairs
GENERATED = {"base-spread": "1.5", "gaussian-hidden": "8", "gaussian-layers": "3", "outer": "none", "populations-per-slot": "3",
             "drop-label": "0.2"}
PAIRED = {"source": "control", "pairing": "known"}
CLOUDS = {"attention-width": "8", "attention-blocks": "1", "attention-heads": "2", "attention-condition": "modulation", "attention-frequencies": "3",
          "attention-scale": "0.2", "attention-cells": "30", "outer-distance": "energy", "outer-cells": "20", "inner-noise": "0.1"}
SHAPES = {"cloud-scale": "0.1", "cloud-mirror": "2"}  # need noise or subsets
GUIDED = {"guidance": "1.5", "flow-steps": "4", "flow-method": "midpoint"}
TUNED = {"fine-tune": "2,3", "fine-tune-from": "gaussian,identity"}  # need a run of meta-icnn
MAPS = {**TUNED, "problems": "random:2"}
SETS = {"distance": "bures,energy", "permutations": "50", "max-populations": "9", "set-cells": "own"}
NOT_STORED = {"cache", "config", "output", "log-seconds", "stop-after", "resume", "dry-run", "predictions", "run", "fold", "label"}


def run_popflow(*words, code=0):
    """Runs popflow, ends the test unless it exits with `code`, and returns its standard output."""
    found = subprocess.run([popflow, *words], capture_output=True, text=True)
    if found.returncode != code:
        sys.exit(f"exit code {found.returncode}, expected {code}: {' '.join(words)}\n{found.stderr}{found.stdout}")
    return found.stdout


def listed_options(*verb):
    """Returns the names of the options in the help of a verb."""
    return set(re.findall(r"^  --([a-z0-9-]+)", run_popflow(*verb, "--help"), re.MULTILINE))


def check_listed(verb, values):
    """Checks that the help of a verb lists exactly the options of `values`, and counts them."""
    found = listed_options(*verb)
    assert found == set(values), f"{verb}: {sorted(found ^ set(values))}"
    global count
    count += len(found)


def arguments(values, *without):
    """Returns the command line words of options, except those in `without`."""
    words = []
    for name, value in values.items():
        if name not in without:
            words += ["--" + name] + ([value] if value else [])
    return words


def check_stored(text, values):
    """Checks that a configuration file has the values."""
    lines = text.splitlines()
    for name, value in values.items():
        if name not in NOT_STORED:
            line = f"{name} = {value}"
            assert any(line.replace(" ", "") == other.replace(" ", "") for other in lines), f"no '{line}' in the configuration"


def main():
    pathlib.Path("extra.cfg").write_text("# nothing\n")
    pathlib.Path("vectors.csv").write_text("treatment,a,b\nO,1,0\nS,0,1\nH2O,0,0\n")
    screen = {
        "config": "extra.cfg", "output": "s.h5ad", "seed": "5", "patients": "3", "cultures": "PDO,PDOF", "treatments": "O,S",
        "replicates": "2", "dose-levels": "2", "cyclin-b1": "yes", "cells": "60:90", "failed-wells": "0.01", "response": "correlation", "pairs": "20"}
    check_listed(("simulate", "screen"), screen)
    run_popflow("simulate", "screen", *arguments(screen))
    with h5py.File("s.h5ad", "r+") as file:
        file.copy("X", file.require_group("layers"), "counts")
    letters = {
        "config": "extra.cfg", "output": "l.h5ad", "seed": "2", "letters": "A,B", "test-letters": "C", "rotations": "1",
        "noise": "0.3", "jitter": "0.1", "font": str(FONT), "size": "16"}
    check_listed(("simulate", "letters"), letters)
    run_popflow("simulate", "letters", *arguments(letters))
    images = {"config": "extra.cfg", "output": "landscapes", "seed": "2", "scenes": "1", "test-scenes": "1", "size": "12"}
    check_listed(("simulate", "images"), images)
    run_popflow("simulate", "images", *arguments(images))
    shapes = {
        "config": "extra.cfg", "output": "shapes.h5ad", "seed": "2", "populations": "3", "test-populations": "2", "treatments": "2",
        "cells": "5:9", "law-seed": "7", "markers": "4", "states": "3", "separation": "6", "dirichlet-sum": "4", "shift": "1", "selection": "0.5"}
    check_listed(("simulate", "shapes"), shapes)
    run_popflow("simulate", "shapes", "unpaired", *arguments(shapes))
    with h5py.File("shapes.h5ad") as file:
        stored = file["uns/simulation"]
        scalars = {"separation": 6, "dirichlet_sum": 4, "shift_length": 1, "max_selection": 0.5, "seed": 2, "law_seed": 7, "min_cells": 5, "max_cells": 9}
        assert {name: stored[name][()] for name in scalars} == scalars
        assert stored["state_shift"].shape == (2, 3, 4) and len(stored["parameters/_index"]) == 15
    supply = {
        "config": "extra.cfg", "output": "supply.h5ad", "target-output": "demand.h5ad", "seed": "2", "instances": "9",
        "supply": "5", "demand": "20", "density": "synthetic", "validation-fraction": "0.2", "test-fraction": "0.3"}
    check_listed(("simulate", "supply-demand"), supply)
    run_popflow("simulate", "supply-demand", *arguments(supply))
    markers = re.search(r'"markers":\s*\[(.*?)\]', run_popflow("inspect", "s.h5ad", "--min-cells", "50", "--json"), re.DOTALL)[1]
    names = [name.strip().strip('"') for name in markers.split(",")][:6]
    DATA.update({"markers": ",".join(names), "exclude-markers": names[-1]})

    inspect = {"config": "extra.cfg", "json": "", "treatment-vectors": "vectors.csv", **DATA, **SPLIT}
    check_listed(("inspect",), {**inspect, **EXCLUSIVE, **HISTOGRAMS, **POPULATIONS})
    assert '"split"' in run_popflow("inspect", *arguments(inspect))
    assert "Labels" in run_popflow("inspect", "s.h5ad", "--min-cells", "50", *arguments(POPULATIONS))
    assert "over 5 atoms" in run_popflow("inspect", "supply.h5ad", *arguments(HISTOGRAMS))

    train = {**GENERAL, "output": "t", **DATA, **SPLIT, **MODEL, **TRAIN}
    check_listed(("train",), {**train, **EXCLUSIVE, **PROBLEMS, **ENTROPIC, **FIXED, **FOLD, **POPULATIONS, **GENERATED, **CLOUDS, **SHAPES, **PAIRED})
    assert "parameters" in run_popflow("train", *arguments(train))
    run_popflow("train", *arguments(train, "dry-run", "resume"), code=75)
    run_popflow("train", *arguments(train, "dry-run", "stop-after"))
    check_stored(pathlib.Path("t/config.cfg").read_text(), train)
    entropic = {**train, "output": "te", **ENTROPIC}
    run_popflow("train", *arguments(entropic, "dry-run", "resume", "stop-after", "coupling-scope"))
    check_stored(pathlib.Path("te/config.cfg").read_text(), ENTROPIC)
    fixed = {**train, "output": "tx", **FIXED}
    run_popflow("train", *arguments(fixed, "dry-run", "resume", "stop-after", *LEARNED))
    check_stored(pathlib.Path("tx/config.cfg").read_text(), FIXED)
    fold = {**train, "output": "tf", **FOLD}
    run_popflow("train", *arguments(fold, "dry-run", "resume", "stop-after"))
    check_stored(pathlib.Path("tf/config.cfg").read_text(), fold)
    problems = {"method": "meta-ot", "data": "supply.h5ad", "output": "m", "steps": "3", "batch-pairs": "2", **PROBLEMS,
                **{name: value for name, value in {**MODEL, **TRAIN}.items() if name.startswith("dual-")}}
    run_popflow("train", *arguments(problems))
    check_stored(pathlib.Path("m/config.cfg").read_text(), {k: v for k, v in problems.items() if k != "batch-pairs"})

    generated = {"method": "bwfm", "data": "s.h5ad", "min-cells": "50", "split": "patient:21", "steps": "3", "batch-pairs": "2", **GENERATED}
    run_popflow("train", *arguments({**generated, "output": "g", **POPULATIONS}))
    check_stored(pathlib.Path("g/config.cfg").read_text(), {**generated, **POPULATIONS})
    run_popflow("train", *arguments({**generated, "output": "gp", **PAIRED}))
    check_stored(pathlib.Path("gp/config.cfg").read_text(), {**generated, **PAIRED})
    clouds = {**{name: generated[name] for name in generated if not name.startswith("gaussian-")}, "method": "wfm", "cells": "20",
              "outer": "all", "source": "control", **CLOUDS}
    run_popflow("train", *arguments({**clouds, "output": "gw"}))
    check_stored(pathlib.Path("gw/config.cfg").read_text(), clouds)
    subset = {**clouds, "outer": "none", "source": "subset:10", **SHAPES}
    run_popflow("train", *arguments({**subset, "output": "gs"}))
    check_stored(pathlib.Path("gs/config.cfg").read_text(), subset)

    run = {**GENERAL, "output": "r", **DATA, **SPLIT, **MODEL, **TRAIN, **TRANSPORT, **EVALUATE, "predictions": "rp.h5ad"}
    check_listed(("run",), {**run, **EXCLUSIVE, **PROBLEMS, **ENTROPIC, **FIXED, **FOLD, **POPULATIONS, **GENERATED, **CLOUDS, **SHAPES, **PAIRED, **GUIDED, **SETS, **MAPS})
    assert "parameters" in run_popflow("run", *arguments(run))
    run_popflow("run", *arguments(run, "dry-run", "resume"), code=75)
    run_popflow("run", *arguments(run, "dry-run", "stop-after"))
    check_stored(pathlib.Path("r/config.cfg").read_text(), run)

    evaluate = {**GENERAL, "output": "e.h5", "run": "t", "resume": "", "dry-run": "", **DATA, **SPLIT, **TRANSPORT, **EVALUATE,
                "predictions": "ep.h5ad"}
    check_listed(("evaluate",), {**evaluate, **EXCLUSIVE, **POPULATIONS, **GUIDED, **SETS, **MAPS})
    assert "scores " in run_popflow("evaluate", *arguments(evaluate))
    run_popflow("evaluate", *arguments(evaluate, "resume", "dry-run"))
    run_popflow("evaluate", *arguments(evaluate, "dry-run"))
    predict = {
        **GENERAL, "output": "p.h5ad", "run": "t", **DATA, **TRANSPORT, "treatment": "O", "concentration": None,
        "times": "0,0.5", "clip": "", "from-controls": "all"}
    doses = re.findall(r"^  O +(\S+)", run_popflow("inspect", "s.h5ad", "--min-cells", "50", "--doses", "all"), re.MULTILINE)
    predict["concentration"] = doses[0]
    number = {"number": "2", "cells": "7"}
    check_listed(("predict",), {**predict, **EXCLUSIVE, **POPULATIONS, **GUIDED, **MAPS, **number, "set-cells": "own"})
    assert "28 cells of 4 populations" in run_popflow(
        "predict", "--run", "g", "--output", "g.h5ad", "--treatment", "O,S", *arguments({**GUIDED, **number}))
    assert "1-NNA" in run_popflow("evaluate", "--run", "g", "--output", "g.h5", *arguments({**GUIDED, **SETS}))
    assert "p.h5ad: " in run_popflow("predict", *arguments(predict))
    maps = {"method": "meta-icnn", "data": "s.h5ad", "min-cells": "50", "split": "patient:21", "steps": "3", "batch-pairs": "2", "cells": "20", "latent": "pca:4",
            **{name: value for name, value in {**MODEL, **TRAIN}.items() if name.startswith("map")}}
    run_popflow("train", *arguments({**maps, "output": "gm"}))
    check_stored(pathlib.Path("gm/config.cfg").read_text(), maps)
    assert "gaussian_start + 3 steps" in run_popflow("evaluate", "--run", "gm", "--output", "gm.h5", *arguments(MAPS))
    assert "of 2 problems" in run_popflow("predict", "--run", "gm", "--data", "s.h5ad", "--output", "gm.h5ad", *arguments(MAPS))

    solver = {
        **GENERAL, "solver": "exact,sinkhorn,newton", "acceleration": "none,overrelax", "start": "zeros,gaussian",
        "ot-tolerance": "0.01,0.001", "ot-epsilon": "0.5", "max-iterations": "50", "fallback": "no", "convergence": "yes",
        "potentials": "yes", "plans": "yes", "eval-seed": "3", "resume": "", "dry-run": ""}
    histograms = {**solver, **PROBLEMS, "data": "supply.h5ad", "output": "o.h5", "problems": "random:4", "exclude": "split=test"}
    populations = {
        **solver, "data": "s.h5ad", "output": "c.h5", "population": "patient,treatment", "prototypes": "6", "problems": "all",
        "min-cells": "50", "max-cells": "20", "eval-draw": "first", "layer": "counts", "size-factor": "total:500",
        "transform": "log1p", "markers": ",".join(names), "exclude-markers": names[0], "output-matrix": "om.h5ad"}
    check_listed(("ot",), {**histograms, **populations, **EXCLUSIVE})
    for ot in (histograms, populations):
        assert "problems " in run_popflow("ot", *arguments(ot, "resume"))
        run_popflow("ot", *arguments(ot, "resume", "dry-run"))
        run_popflow("ot", *arguments({**ot, "output": "new_" + ot["output"]}, "dry-run"))

    metrics = {
        "config": "extra.cfg", "layer": "counts", "size-factor": "total:500", "transform": "log1p", "markers": ",".join(names),
        "exclude-markers": names[0],
        "metrics": "w1,r2,sinkhorn", "max-cells": "30", "seed": "4", "sinkhorn-epsilon": "0.5", "sinkhorn-rho": "3",
        "json": ""}
    sets = {
        **{name: metrics[name] for name in metrics if not name.startswith("sinkhorn")}, "metrics": "nna,memorised",
        "population": "patient,treatment", "distance": "energy,bures", "training-data": "s.h5ad", "permutations": "100",
        "exclude": "treatment=O", "min-cells": "5"}
    check_listed(("metrics",), {**metrics, **sets, **EXCLUSIVE})
    assert '"w1"' in run_popflow("metrics", "s.h5ad", "s.h5ad", *arguments(metrics))
    assert '"memorised"' in run_popflow("metrics", "s.h5ad", "s.h5ad", *arguments(sets))
    images = {"data": "landscapes.h5ad", "max-cells": "100"}  # need a prediction of images
    report = {**GENERAL, "output": "r.html", "format": "csv", "published": "organoid_patient", "watch": "t", "by": "treatment",
              "figures": "pictures", "figure-format": "svg", "dry-run": ""}
    check_listed(("report",), {**report, **images})
    assert "report of 1 result file" in run_popflow("report", "e.h5", *arguments(report, "watch"))
    run_popflow("report", "e.h5", *arguments(report, "watch", "dry-run"))
    assert any(path.suffix == ".svg" for path in pathlib.Path("pictures").iterdir())
    assert pathlib.Path("r.html").read_text().startswith("split,data,predictor")
    assert "6/6" in run_popflow("report", *arguments(report))
    check_listed(("doctor",), {"output": "."})
    run_popflow("doctor", "--output", ".")

    pathlib.Path("cells.csv").write_text("a,b,who,Time\n1,2,x,0\n3,4,y,1\n")
    pathlib.Path("sheet.csv").write_text("path,patient\ncells.csv,P1\n")
    table = {
        "config": "extra.cfg", "output": "i.h5ad", "cells": "cells.csv", "obs": "who", "markers": "b,a,Time",
        "exclude-markers": "Time", "decimal": "auto"}
    fcs = {"sheet": "sheet.csv", "file-column": "path", "marker-names": "channel", "data-set": "1", "compensate": "no"}
    pictures = {"images": "landscapes", "pixels": "50", "max-side": "10", "seed": "3"}
    check_listed(("import",), {**table, **fcs, **pictures})
    assert "2 cells, 2 markers" in run_popflow("import", *arguments(table))
    assert "columns path, patient, who" in run_popflow("import", *arguments({**table, **fcs}, "cells"))
    assert "800 cells, 3 markers, 16 files" in run_popflow("import", *arguments({**pictures, "output": "p.h5ad"}))
    run_popflow("import", "--images", "landscapes", "--output", "p.h5ad")
    with h5py.File("p.h5ad", "r+") as file:
        file.copy("X", file.require_group("layers"), "copy")
    export = {"config": "extra.cfg", "data": "p.h5ad", "images": "exported", "layer": "copy", "population": "image",
              "bits": "16"}
    check_listed(("export",), export)
    assert "16 images" in run_popflow("export", *arguments(export))
    run_popflow("import", "--sheet", "landscapes/sheet.csv", "--output", "landscapes.h5ad")
    run_popflow("train", "--data", "landscapes.h5ad", "--column", "treatment=palette,patient=scene", "--control", "forest", "--pair-by",
                "scene", "--transform", "none", "--split", "column:split", "--min-cells", "50", "--method", "mean-shift", "--output", "colours")
    run_popflow("predict", "--run", "colours", "--data", "landscapes.h5ad", "--treatment", "snow", "--output", "recoloured.h5ad")
    assert "source energy" in run_popflow("report", "recoloured.h5ad", *arguments(images))
    print(f"{count} options of {len(re.findall(r'^  [a-z]+ ', run_popflow('--help'), re.MULTILINE))} verbs were given")


count = 0
main()
