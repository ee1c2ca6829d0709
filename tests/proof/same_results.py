#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that the program gives the same results as an earlier commit.

    same_results.py NEW_POPFLOW [--old OLD_POPFLOW] [--commit 17c5ef2] [--mpiexec mpiexec] [--only NAME...] [--keep FOLDER]

Without --old, checks out the commit into a temporary worktree and builds its program (release preset, several minutes).

Runs both programs on the same simulated data: every method, both bases, and every option of `popflow train` at a value that
is not its default at least once. Each case trains, evaluates and writes predicted cells, on 1 rank and on 3 ranks. The runs of
one case are killed after their first checkpoint and resumed, and compared with one that was not. Compares each tensor of the checkpoint, each score, embedding and predicted
cell byte by byte. Every key of the old configuration must have the same value in the new one.

Ends with `N passed, N failed`, and exits with 1 if a case failed or an option is in no case.
Needs h5py and NumPy (Debian: python3-h5py).
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
# Attributes that describe the run itself: time, place and program.
IGNORED_ATTRIBUTES = {"checksum", "commit", "compiler", "version", "ranks", "threads", "popflow_checkpoint", "popflow_weights",
                      "popflow_results", "config", "tables"}
IGNORED_COLUMNS = re.compile(r"(^|/)(seconds|rank)(/|$)|^/uns/popflow/(commit|version|config)$")

SCREEN = ["--data", "s.h5ad", "--min-cells", "50", "--split", "patient:21"]
SMALL = ["--hidden", "48", "--layers", "3", "--embedding", "16", "--encoder-hidden", "16", "--time-frequencies", "8",
         "--space-frequencies", "8", "--cells", "150", "--batch-pairs", "4", "--steps", "24", "--checkpoint-every", "10",
         "--precision", "fp32", "--coupling", "random", "--knn", "100"]
ICNN = ["--icnn-hidden", "48", "--icnn-layers", "3", "--cells", "64", "--batch-pairs", "2", "--steps", "24", "--precision", "fp32"]
LETTERS = ["--data", "l.h5ad", "--min-cells", "1", "--transform", "none", "--normalise", "no", "--split", "letters"]
EVALUATION = ["--max-cells", "60"]


def last_values(options):
    """Returns the options of a case without those that a later one replaces: the program refuses an option given twice."""
    pairs = list(zip(options[::2], options[1::2]))
    later = [{name for name, _ in pairs[i + 1 :]} - {"--exclude"} for i in range(len(pairs))]
    return [text for pair, names in zip(pairs, later) if pair[0] not in names for text in pair]


def letters(*options):
    return [*LETTERS, *SMALL, "--knn", "3", "--cells", "30", *options]


# name -> options of `popflow run`. Later options replace earlier ones.
CASES = {
    "fm": [*SCREEN, *SMALL, "--method", "fm"],
    "fm_gaussian": [*SCREEN, *SMALL, "--method", "fm", "--base", "gaussian"],
    "cgfm": [*SCREEN, *SMALL, "--method", "cgfm", "--coupling", "ot"],
    "cgfm_gaussian": [*SCREEN, *SMALL, "--method", "cgfm", "--base", "gaussian", "--parts", "train,test"],
    "mfm_k0": [*SCREEN, *SMALL, "--knn", "0"],
    "mfm_k50": [*SCREEN, *SMALL, "--knn", "50", "--cache", "."],
    "mfm_gaussian": [*SCREEN, *SMALL, "--knn", "5", "--base", "gaussian", "--coupling", "ot", "--coupling-scope", "condition"],
    "icnn": [*SCREEN, *ICNN, "--method", "icnn", "--condition", "none"],
    "icnn_condition": [*SCREEN, *ICNN, "--method", "icnn", "--condition", "treatment", "--icnn-start", "uniform",
                       "--icnn-inner-steps", "3"],
    "paper": [*SCREEN, "--recipe", "paper", *SMALL, "--knn", "4", "--updates", "alternate"],
    "paper_fm": [*SCREEN, "--recipe", "paper", *SMALL, "--method", "fm", "--eval-draw", "first"],
    "coupling_condition": [*SCREEN, *SMALL, "--knn", "3", "--coupling", "ot", "--coupling-scope", "condition"],
    "film": [*SCREEN, *SMALL, "--knn", "3", "--modulation", "film", "--encoder-frequencies", "4", "--encoder-scale", "0.4",
             "--encoder-layers", "3", "--encoder-activation", "none", "--embedding-norm", "2"],
    "features": [*SCREEN, *SMALL, "--knn", "3", "--time-highest", "6", "--time-max-period", "100", "--space-scale", "0.2",
                 "--tolerance", "0.01", "--space", "normalised"],
    "optimiser": [*SCREEN, *SMALL, "--knn", "3", "--rate", "0.002", "--schedule", "constant", "--warmup-steps", "3",
                  "--clip-norm", "0.5", "--ema-decay", "0.9", "--beta1", "0.8", "--beta2", "0.99", "--epsilon", "0.0001",
                  "--loss", "reduced", "--log-every", "5", "--seed", "7", "--on-nan", "skip", "--checkpoint-minutes", "5",
                  "--keep-checkpoints", "3", "--log-seconds", "1"],
    "vectors": [*SCREEN, *SMALL, "--knn", "3", "--treatment-vectors", "vectors.csv", "--split", "treatment:S"],
    "doses": [*SCREEN, *SMALL, "--knn", "3", "--doses", "all", "--pair-by", "patient,culture,replicate", "--control", "H2O,DMSO"],
    "data": [*SCREEN, *SMALL, "--knn", "3", "--transform", "log1p", "--exclude-markers", "MARKER0", "--exclude", "patient=23",
             "--column", "cell_type=plate", "--split", "replica", "--split-seed", "1"],
    "markers": [*SCREEN, *SMALL, "--knn", "3", "--markers", "MARKERS", "--normalise", "no", "--transform", "arcsinh:2"],
    "scores": [*SCREEN, *SMALL, "--knn", "3", "--parts", "train,test", "--train-eval-pairs", "3", "--eval-seed", "3",
               "--metrics", "w1,w2,mmd,r2,energy,r2_means,w1_markers,sinkhorn", "--sinkhorn-epsilon", "0.2", "--sinkhorn-rho", "2",
               "--sample-pairs", "2", "--sample-cells", "12", "--space", "arcsinh"],
    "letters_rows": letters("--coupling", "rows", "--augment", "rotate,reflect,mix,stretch,splice", "--augment-until", "0.7"),
    "letters_rows_ot": letters("--method", "cgfm", "--coupling", "rows-ot"),
    "letters_augment": letters("--method", "fm", "--coupling", "ot", "--augment", "mix"),
    "bf16": [*SCREEN, *SMALL, "--knn", "3", "--precision", "bf16"],
    "resumed": [*SCREEN, *SMALL, "--knn", "3", "--steps", "400", "--checkpoint-every", "5", "--log-every", "1"],
}
# The solver of the earlier program, which is no longer the default.
SOLVER = ["--ode-solver", "dopri5"]
# Options without a value of their own to compare: they say where, how long, or which run.
UNCOMPARED = {"config", "output", "data", "stop-after", "resume", "dry-run", "vehicles"}


class Programs:
    """The two programs and how to start them in a folder."""

    def __init__(self, old, new, mpiexec):
        self.path = {"old": str(Path(old).resolve()), "new": str(Path(new).resolve())}
        self.mpiexec = mpiexec

    def command(self, which, ranks):
        return [self.path[which]] if ranks == 1 else [self.mpiexec, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), self.path[which]]

    def start(self, which, ranks, arguments, folder, **options):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "OMPI_ALLOW_RUN_AS_ROOT": "1",
                       "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1", "PMIX_MCA_gds": "hash",
                       "OMPI_MCA_btl_vader_single_copy_mechanism": "none", "OMPI_MCA_pml": "ob1"}
        return subprocess.Popen([*self.command(which, ranks), *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, **options)

    def run(self, which, ranks, arguments, folder, codes=(0,)):
        process = self.start(which, ranks, arguments, folder)
        output = process.communicate()[0]
        if process.returncode not in codes:
            raise RuntimeError(f"{which} on {ranks} ranks: exit code {process.returncode}\n{' '.join(arguments)}\n{output}")
        return output


def build_old(commit, folder):
    """Builds the program of a commit and returns its path."""
    tree = folder / "tree"
    subprocess.run(["git", "-C", ROOT, "worktree", "add", "--detach", "--force", tree, commit], check=True, capture_output=True)
    try:
        subprocess.run(["cmake", "--preset", "release"], cwd=tree, check=True, capture_output=True)
        subprocess.run(["cmake", "--build", "--preset", "release"], cwd=tree, check=True, stdout=subprocess.DEVNULL)
        shutil.copy(tree / "build/release/popflow", folder / "popflow")
    finally:
        subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", tree], check=True)
    return folder / "popflow"


# States of sampled cells, metrics and predictors that later versions added to the results.
ADDED_STATE = "mean_shift"
ADDED_METRICS = ("mmd_scaled", "change_correlation", "recall_top")
ADDED_COLUMNS = (*ADDED_METRICS, "training_distance")
ADDED_PREDICTORS = ("noise_floor_matched", "moment_map")


def sampled_states(file):
    """Returns the state of each sampled cell of a result file, None for another file."""
    if "cells/obs/state" not in file:
        return None
    state = file["cells/obs/state"]
    return np.array([x.decode() if isinstance(x, bytes) else x for x in state["categories"][()]])[state["codes"][()]]


def decoded(column):
    """Returns the values of a column of text, which is categorical or not."""
    if isinstance(column, h5py.Group):
        return decoded(column["categories"])[column["codes"][()]]
    return np.array([x.decode() if isinstance(x, bytes) else str(x) for x in column[()]], dtype=object)


def kept_rows(file):
    """Returns {table: which of its rows have no added predictor} of a result file, empty for another file."""
    tables = [name for name in ("pairs", "summary") if f"{name}/predictor" in file]
    return {name: ~np.isin(decoded(file[f"{name}/predictor"]), ADDED_PREDICTORS) for name in tables}


def contents(path):
    """Returns {name: bytes or list of strings} of every dataset and attribute of an HDF5 file, without what was added."""
    found = {}
    states = None
    kept = {}

    def add(name, value):
        array = np.asarray(value)
        if array.dtype.kind in "OS":
            found[name] = [x.decode() if isinstance(x, bytes) else str(x) for x in array.reshape(-1)]
        else:
            found[name] = (array.dtype.str, array.shape, array.tobytes())

    def visit(name, item):
        name = "/" + name
        for key, value in item.attrs.items():
            if key not in IGNORED_ATTRIBUTES and not IGNORED_COLUMNS.search(name):
                add(f"{name}@{key}", value)
        table, _, column = name[1:].partition("/")
        if table in kept and column and "/" not in column and not IGNORED_COLUMNS.search(name):
            if column != "_index":  # row names are numbers
                add(name, (decoded(item) if isinstance(item, h5py.Group) or item.dtype.kind in "OS" else item[()])[kept[table]])
            return
        if table in kept and "/" in column:  # codes and categories of a column that was decoded
            return
        if not isinstance(item, h5py.Dataset) or IGNORED_COLUMNS.search(name):
            return
        if states is None or not name.startswith("/cells/"):
            add(name, item[()])
        elif name == "/cells/obs/state/codes":
            add("/cells/obs/state", states[states != ADDED_STATE].astype(object))
        elif name not in ("/cells/obs/state/categories", "/cells/obs/_index"):
            add(name, item[()][states != ADDED_STATE] if item.shape[:1] == states.shape else item[()])

    with h5py.File(path, "r") as file:
        states = sampled_states(file)
        kept = kept_rows(file)
        visit("", file)
        file.visititems(visit)
    return found


# Attributes of the group `model` that have the same name in both formats of a checkpoint. The others are settings.
SIZES = ("method", "markers", "cell_types", "conditions", "training_pairs")


def in_format_2(found):
    """Returns the contents of a checkpoint or weights file with the names that format 2 uses.

    Leaves out the settings that format 1 stores for a method that does not have them, and what is computed from the layout.
    """
    if not any(name in found for name in ("/frequencies", "/icnn@layers")):
        return found
    icnn = "/icnn@layers" in found
    renamed = {}
    for name, value in found.items():
        parent, _, attribute = name.rpartition("@")
        if attribute in ("popflow_checkpoint", "popflow_weights", "checksum") or name == "/icnn@conditions":
            continue
        if name == "/frequencies":
            name = "/model/constants/frequencies"
        elif parent == "/icnn":
            name = "/model/settings@icnn-" + attribute.replace("_", "-")
        elif parent == "/model" and attribute not in SIZES:
            if icnn:
                continue
            name = "/model/settings@" + attribute.replace("_", "-")
        renamed[name] = value
    return renamed


def configuration(path):
    lines = [line.partition("=") for line in path.read_text().splitlines() if "=" in line]
    return {key.strip(): value.strip() for key, _, value in lines}


# Settings that recipe paper once set for every method. Now it sets them only for the method that uses them.
METHOD_OF = {"encoder-activation": "mfm", "icnn-start": "icnn"}


def differences(old, new, folder):
    """Compares the files of two run folders; every difference is a line."""
    problems = []
    count = 0
    config_before, config_after = (configuration(folder / run / "config.cfg") for run in (old, new))
    known = config_before["metrics"].split(", ")
    config_after["metrics"] = ", ".join(m for m in config_after["metrics"].split(", ") if m in known or m not in ADDED_METRICS)
    unused = {option for option, method in METHOD_OF.items() if config_after["method"] != method}
    for name in ("checkpoint.h5", "weights.h5", "training.h5", "results.h5", "predicted.h5ad"):
        before, after = contents(folder / old / name), contents(folder / new / name)
        if name in ("checkpoint.h5", "weights.h5"):
            before, after = in_format_2(before), in_format_2(after)
            for option in unused:
                before.pop("/model/settings@" + option, None)
        for key in before:
            if key.endswith("@column-order") and key in after:
                after[key] = [column for column in after[key] if column in before[key] or column not in ADDED_COLUMNS]
        count += len(before)
        missing = sorted(set(before) - set(after))
        changed = sorted(k for k in set(before) & set(after) if before[k] != after[k])
        problems += [f"{new}/{name}: lacks {k}" for k in missing] + [f"{new}/{name}: {k} differs" for k in changed]
    ignored = {"output", "predictions", "cache"} | unused
    problems += [f"{new}/config.cfg: {k} = {config_after.get(k)}, was {v}"
                 for k, v in config_before.items() if k not in ignored and config_after.get(k) != v]
    return problems, count


def killed_and_resumed(programs, which, ranks, arguments, folder, output):
    """Kills the training after its first checkpoint and resumes it."""
    process = programs.start(which, ranks, arguments, folder, start_new_session=True)
    while not (folder / output / "checkpoint.h5").exists() and process.poll() is None:
        time.sleep(0.01)
    was_running = process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    if not was_running:
        raise RuntimeError(f"{which} on {ranks} ranks ended before it was killed")
    programs.run(which, ranks, [*arguments, "--resume"], folder)


def run_case(programs, name, folder):
    """Runs one case with both programs on 1 and 3 ranks. Returns (problems, number of compared values)."""
    runs = [("old", 1), ("new", 1), ("old", 3), ("new", 3)]
    for which, ranks in runs:
        output = f"{name}_{which}{ranks}"
        case = [*SOLVER, *CASES[name]] if which == "new" else CASES[name]
        arguments = ["run", *last_values(case), *EVALUATION, "--output", output, "--predictions", f"{output}.h5ad"]
        if name == "resumed" and (which, ranks) != runs[0]:
            killed_and_resumed(programs, which, ranks, arguments, folder, output)
        else:
            programs.run(which, ranks, arguments, folder)
        shutil.move(folder / f"{output}.h5ad", folder / output / "predicted.h5ad")
    problems, count = [], 0
    for which, ranks in runs[1:]:
        found, compared = differences(f"{name}_old1", f"{name}_{which}{ranks}", folder)
        problems += found
        count += compared
    return problems, count


def make_data(programs, folder):
    """Simulates the data with the old program and checks that the new one writes the same bytes."""
    screen = ["simulate", "screen", "--patients", "4", "--cultures", "PDO,PDOF", "--treatments", "O,S,F", "--replicates", "2",
              "--cells", "60:200", "--seed", "3", "--output"]
    alphabet = ["simulate", "letters", "--letters", "I,L,T,V", "--test-letters", "X,Y", "--rotations", "3", "--size", "20",
                "--seed", "3", "--output"]
    problems = []
    for arguments, file in ((screen, "s.h5ad"), (alphabet, "l.h5ad")):
        programs.run("old", 1, [*arguments, file], folder)
        programs.run("new", 3, [*arguments, "new.h5ad"], folder)
        before, after = contents(folder / file), contents(folder / "new.h5ad")
        problems += [f"{file}: {k} differs" for k in before if before[k] != after.get(k)]
    with h5py.File(folder / "s.h5ad") as file:
        markers = [m.decode() for m in file["var/_index"][:]]
    (folder / "vectors.csv").write_text("treatment,a,b\nO,1,0\nS,0,1\nF,1,1\nH2O,0,0\nDMSO,0,0\nAH,0,0\n")
    for options in CASES.values():
        options[:] = [o.replace("MARKER0", markers[0]).replace("MARKERS", ",".join(markers[2:9])) for o in options]
    return problems


def uncovered(programs, folder):
    """Returns the options of `train` that no case sets."""
    text = programs.run("old", 1, ["train", "--help"], folder)
    options = set(re.findall(r"^  --([a-z0-9-]+)", text, re.MULTILINE)) - UNCOMPARED
    used = {o[2:] for options_of_case in CASES.values() for o in options_of_case if o.startswith("--")}
    return sorted(options - used)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("new")
    parser.add_argument("--old")
    parser.add_argument("--commit", default="17c5ef2")
    parser.add_argument("--mpiexec", default="mpiexec")
    parser.add_argument("--only", nargs="+", choices=sorted(CASES), default=list(CASES))
    parser.add_argument("--keep", help="folder for the runs, kept; default: a temporary folder")
    options = parser.parse_args()
    folder = Path(options.keep or tempfile.mkdtemp(prefix="popflow-proof-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    failed = passed = 0
    try:
        old = options.old or build_old(options.commit, folder)
        programs = Programs(old, options.new, options.mpiexec)
        missing = uncovered(programs, folder)
        if missing:
            print(f"options in no case: {', '.join(missing)}")
            failed += 1
        for problem in make_data(programs, folder):
            print(problem)
            failed += 1
        bf16 = re.search(r"avx512_bf16|amx_bf16", Path("/proc/cpuinfo").read_text())
        names = [n for n in options.only if n != "bf16" or bf16]
        if "bf16" in options.only and not bf16:
            print("bf16: skipped, the CPU has no bf16 products")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = {name: pool.submit(run_case, programs, name, folder) for name in names}
            for name, result in results.items():
                try:
                    problems, count = result.result()
                except (RuntimeError, OSError, KeyError) as error:
                    problems, count = [str(error)], 0
                print(f"{name}: " + (f"{count} values equal" if not problems else "\n  ".join(["differs", *problems[:20]])), flush=True)
                failed += bool(problems)
                passed += not problems
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
