# SPDX-License-Identifier: MIT
"""Training, prediction and evaluation in this process against the program."""
import ctypes
import logging
import os
import signal
import subprocess
import sys

import h5py
import numpy as np
import pandas
import pytest
from conftest import READING, TRAINING

import popflow
from popflow import _program

FEW_MARKERS = ["RFP", "GFP", "pS6", "pRB"]


def run_program(program, *arguments):
    subprocess.run([program, *arguments], check=True, capture_output=True)


def weights(run):
    with h5py.File(os.path.join(run, "weights.h5")) as file:
        return {name: dataset[()].tobytes() for name, dataset in file["average"].items()}


@pytest.mark.parametrize("method", ["mfm", "icnn", "moment-map", "bwfm"])
def test_training_has_the_bits_of_the_program(method, program, screen, screen_file, tmp_path):
    options = {**TRAINING, "knn": None, "hidden": None, "layers": None, "batch_pairs": 2, "steps": 4}
    if method == "bwfm":
        options["markers"] = FEW_MARKERS  # its covariances take most of the time
    ours = popflow.train(screen, method=method, output=tmp_path / "ours", **options)
    run_program(program, "train", f"--method={method}", f"--data={screen_file}", f"--output={tmp_path}/theirs",
                *_program.arguments({**READING, **options}))
    assert weights(ours.run) == weights(tmp_path / "theirs")
    assert ours.method == method
    config = (tmp_path / "ours" / "config.cfg").read_text().splitlines()
    other = (tmp_path / "theirs" / "config.cfg").read_text().splitlines()
    assert [line for line in config if not line.startswith("output")] == [line for line in other if not line.startswith("output")]


def test_training_does_not_initialise_mpi(model):
    flag = ctypes.c_int(-1)
    with open("/proc/self/maps") as maps:
        libraries = {line.split()[-1] for line in maps if "/libmpi.so" in line or "/libmpi.so" in os.path.realpath(line.split()[-1])}
    ctypes.CDLL(libraries.pop()).MPI_Initialized(ctypes.byref(flag))
    assert flag.value == 0


def test_predictions_have_the_bits_of_the_program(program, model, adata, screen_file, tmp_path):
    anndata = pytest.importorskip("anndata")
    run_program(program, "predict", "--run", model.run, "--data", screen_file, "--treatment", "S", "--output", f"{tmp_path}/p.h5ad")
    theirs = anndata.read_h5ad(tmp_path / "p.h5ad")
    for data in (screen_file, adata):
        ours = model.predict(data, treatment="S", min_cells=50)
        assert (ours.X == theirs.X).all()
        assert list(ours.obs["predicted_from"]) == list(theirs.obs["predicted_from"])
    assert list(ours.var_names) == model.markers


def test_predicts_controls_without_a_column_of_treatments(model, adata):
    controls = adata[adata.obs["treatment"] == "DMSO"].copy()
    expected = model.predict(controls, treatment="O", min_cells=50)
    del controls.obs["treatment"]
    found = model.predict(controls, treatment="O", min_cells=50)
    assert found.shape == expected.shape


def test_layers_and_raw_are_read_from_memory(screen_file, adata, model, tmp_path):
    other = adata.copy()
    other.layers["values"] = other.X.copy()
    other.X = np.zeros(other.shape, np.float32)
    layered = popflow.train(popflow.Screen(other, layer="values", **READING), method="mean-shift")
    plain = popflow.train(popflow.Screen(adata, **READING), method="mean-shift")
    assert weights(layered.run) == weights(plain.run)
    assert (layered.predict(other, treatment="S").X == plain.predict(adata, treatment="S").X).all()
    with pytest.raises(ValueError, match="layer: found 'counts'. Give one of values"):
        popflow.Screen(other, layer="counts")


def test_evaluation_equals_that_of_the_program(program, model, tables, screen_file, tmp_path):
    run_program(program, "evaluate", "--run", model.run, "--data", screen_file, "--sample-pairs", "2", "--sample-cells", "40",
                "--output", f"{tmp_path}/results.h5")
    theirs = popflow.read_results(tmp_path / "results.h5")
    assert set(theirs) == set(tables) >= {"pairs", "summary", "training", "embeddings", "cells"}
    for name in ("pairs", "summary", "embeddings", "cells"):
        left, right = tables[name].drop(columns=["seconds", "rank"], errors="ignore"), theirs[name].drop(columns=["seconds", "rank"], errors="ignore")
        pandas.testing.assert_frame_equal(left, right)
    assert isinstance(tables["pairs"]["predictor"].dtype, pandas.CategoricalDtype)
    assert tables["pairs"].attrs["method"] == "mfm"


def test_results_are_those_that_anndata_reads(model, tmp_path):
    try:
        from anndata.experimental import read_elem
    except ImportError:
        from anndata.io import read_elem
    model.evaluate(output=tmp_path / "r.h5", sample_pairs=0)
    tables = popflow.read_results(tmp_path / "r.h5")
    with h5py.File(tmp_path / "r.h5") as file:
        for name in ("pairs", "summary", "training"):
            expected = read_elem(file[name])
            pandas.testing.assert_frame_equal(tables[name], expected, check_names=False, check_index_type=False)


def test_embeddings_are_those_of_the_evaluation(model, screen, tables):
    found = model.embed(screen)
    columns = [c for c in found if c.startswith("h") and c[1:].isdigit()]
    assert len(columns) > 0
    scored = tables["embeddings"]
    for row in scored[columns].to_numpy():
        assert (found[columns].to_numpy() == row).all(1).any()


def test_callback_reports_and_stops(screen, tmp_path):
    reports = []

    def callback(report):
        reports.append(report)
        return report["done"] == 5

    options = {**TRAINING, "steps": 12}
    part = popflow.train(screen, output=tmp_path / "run", callback=callback, **options)
    assert part.stopped and part.steps == 6
    assert [r["done"] for r in reports] == [1, 2, 3, 4, 5]  # the step after the request is not reported
    assert {r["what"] for r in reports} == {"train"} and reports[0]["total"] == 12 and reports[0]["loss"] > 0
    rest = popflow.train(screen, output=tmp_path / "run", resume=True, **options)
    assert rest.steps == 12 and not rest.stopped
    assert weights(rest.run) == weights(popflow.train(screen, output=tmp_path / "whole", **options).run)


def test_exceptions_of_a_callback_end_the_training(screen, tmp_path):
    def callback(report):
        raise ZeroDivisionError("in the callback")

    with pytest.raises(ZeroDivisionError, match="in the callback"):
        popflow.train(screen, output=tmp_path / "run", callback=callback, **TRAINING)


def test_ctrl_c_stores_a_checkpoint(screen, tmp_path):
    def callback(report):
        if report["done"] == 3:
            os.kill(os.getpid(), signal.SIGINT)

    options = {**TRAINING, "steps": 100000}
    with pytest.raises(KeyboardInterrupt):
        popflow.train(screen, output=tmp_path / "run", callback=callback, **options)
    assert 3 <= popflow.load(tmp_path / "run").steps < 100000


@pytest.mark.parametrize("options, line", [
    (dict(hiden=3), "hiden"),
    (dict(hidden="many"), "hidden: "),
    (dict(method="mfn"), "method: "),
    (dict(resume="yes"), "resume: found 'yes'. Give True or False"),
    (dict(split="patient:none"), "split"),
])
def test_invalid_options_are_value_errors(screen, options, line):
    with pytest.raises(ValueError, match=line):
        popflow.train(screen, **{**TRAINING, **options})


def test_errors_have_the_line_of_the_program(program, screen_file, tmp_path):
    done = subprocess.run([program, "train", "--data", screen_file, "--output", f"{tmp_path}/a", "--min-cells", "99999"],
                          capture_output=True, text=True)
    with pytest.raises(ValueError) as caught:
        popflow.train(popflow.Screen(screen_file, min_cells=99999), output=tmp_path / "b")
    assert done.returncode == 2 and done.stderr == f"popflow: {caught.value}\n"


def test_missing_files_are_file_not_found_errors(tmp_path, model):
    with pytest.raises(FileNotFoundError, match="nowhere.h5ad"):
        popflow.Screen(tmp_path / "nowhere.h5ad")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        popflow.load(tmp_path / "nowhere")
    with pytest.raises(ValueError):
        popflow.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="results.h5"):
        popflow.read_results(tmp_path)


def test_models_without_output_live_as_long_as_their_object(screen, tmp_path):
    model = popflow.train(screen, method="mean-shift")
    model.save(tmp_path / "kept")
    run = model.run
    del model
    assert not os.path.exists(run)
    assert popflow.load(tmp_path / "kept").method == "mean-shift"


def test_notes_are_logged(screen, caplog):
    with caplog.at_level(logging.INFO, logger="popflow"):
        popflow.train(screen, method="fm", **{**TRAINING, "batch_pairs": 500, "knn": None, "steps": 2})
    assert any(r.levelname == "WARNING" and "--batch-pairs 500" in r.getMessage() for r in caplog.records)


def test_generated_populations(screen_file):
    screen = popflow.Screen(screen_file, markers=FEW_MARKERS, **READING)
    model = popflow.train(screen, method="bwfm", steps=2, batch_pairs=2, source="noise")
    generated = model.predict(treatment="S", number=3, cells=20, eval_seed=1)
    assert generated.shape == (60, 4) and model.markers == FEW_MARKERS


def test_summary_and_options(screen):
    about = screen.summary()
    assert about["experiments_kept"] == 6 and len(about["markers"]) == 43
    populations = screen.populations
    assert populations["cells"].sum() == about["cells"] and populations["control"].sum() == 6
    with pytest.raises(ValueError, match="section: found 'simulate', allowed data, "):
        popflow.options("simulate")
    table = popflow.options("train")
    assert "steps" in table.index and table.loc["steps", "default"]


def test_option_values_are_those_of_a_command_line():
    assert _program.arguments(dict(batch_pairs=2, rate=0.5, x=None, steps=1e3)) == ["--batch-pairs=2", "--rate=0.5", "--steps=1000"]
    assert _program.arguments(dict(rate=np.float64(0.5), steps=np.int64(3))) == ["--rate=0.5", "--steps=3"]
    assert _program.arguments(dict(times=np.array([0.0, 0.25]), markers=["a", "b"])) == ["--times=0,0.25", "--markers=a,b"]
    assert _program.arguments(dict(resume=True)) == ["--resume"]
    assert _program.arguments(dict(resume=False)) == []
    assert _program.arguments(dict(control=["DMSO", "H2O, sterile"])) == ['--control=DMSO,"H2O, sterile"']
    assert _program.arguments(dict(column={"treatment": "drug", "plate": None})) == ["--column=treatment=drug,plate="]
    assert _program.arguments(dict(exclude=["a=1", "b=2,c=3"])) == ["--exclude=a=1", "--exclude=b=2,c=3"]


def test_import_loads_nothing_else():
    code = ("import sys, popflow; print([m for m in ('numpy', 'scipy', 'pandas', 'torch', 'popflow._core') if m in sys.modules]);"
            "popflow.ot; print('popflow._core' in sys.modules, 'torch' in sys.modules, 'pandas' in sys.modules); print(popflow.__version__)")
    lines = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.splitlines()
    assert lines[0] == "[]" and lines[1] == "True False False"
    assert lines[2].startswith("0.")


def test_leave_one_out_gives_a_model_for_each_value(screen_file, tmp_path):
    screen = popflow.Screen(screen_file, min_cells=50, split="each:patient")
    models = popflow.train(screen, method="mean-shift", output=tmp_path / "folds")
    assert len(models) == 3 and all(isinstance(m, popflow.Model) for m in models.values())


def test_dry_run_gives_the_plan(screen):
    plan = popflow.train(screen, method="mfm", dry_run="plan", **TRAINING)
    assert plan.startswith("data ") and "6 pairs" in plan


def test_backed_data_are_refused(screen_file):
    anndata = pytest.importorskip("anndata")
    backed = anndata.read_h5ad(screen_file, backed="r")
    with pytest.raises(ValueError, match="backed by"):
        popflow.Screen(backed)
    backed.file.close()


def test_a_callback_may_use_the_library(screen, model):
    found = []

    def callback(report):
        found.append(popflow.load(model.run).method)
        found.append(popflow.train(screen, method="mean-shift").method)

    popflow.train(screen, callback=callback, **{**TRAINING, "steps": 1})
    assert found == ["mfm", "mean-shift"]


def test_options_of_a_screen_are_those_of_data_and_split(screen_file):
    with pytest.raises(ValueError, match="hidden: is no option of the data or the split"):
        popflow.Screen(screen_file, hidden=3)
    with pytest.raises(ValueError, match="min_cels: unknown option"):
        popflow.Screen(screen_file, min_cels=3)


def test_a_bar_shows_the_progress(screen, capsys):
    pytest.importorskip("tqdm")
    popflow.train(screen, progress=True, **TRAINING)
    assert "train: 100%" in capsys.readouterr().err
    popflow.train(screen, progress=False, **TRAINING)
    assert "100%" not in capsys.readouterr().err
