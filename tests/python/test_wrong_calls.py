# SPDX-License-Identifier: MIT
"""Wrong calls with data in memory: each is one line that names the field and says what to do. And data of unusual types, which work."""
import gc
import os

import numpy as np
import pandas
import pytest
import scipy.sparse
from conftest import READING

import popflow
from popflow import _program

anndata = pytest.importorskip("anndata")


def changed(adata, change):
    other = adata.copy()
    change(other)
    return other


def values(adata, x):
    adata.X = x


def train(data, **options):
    return popflow.train(popflow.Screen(data, **{**READING, **options}), method="mean-shift", progress=False)


def repeated(adata):
    adata.obs = pandas.concat([adata.obs, adata.obs[["plate"]]], axis=1)


@pytest.mark.parametrize("change, options, line", [
    (lambda a: None, dict(column={"treatment": "drug"}), r"^AnnData: obs/drug: is missing, found cell_type, .* Name the column"),
    (lambda a: None, dict(split="patient:99"), "^AnnData: split patient:99: found no pairs .* Give some of 11, 21, 5$"),
    (lambda a: None, dict(control="vehicle"), "^AnnData: obs/treatment: found no control among DMSO, H2O, O, S"),
    (lambda a: None, dict(layer="counts"), "^layer: found 'counts'. The AnnData has none. Leave layer out$"),
    (lambda a: None, dict(obsm="X_pca"), "^obsm: found 'X_pca'. The AnnData has none. Leave obsm out$"),
    (lambda a: values(a, a.X.astype(np.complex64)), {}, "^X: found values of type complex64. Give numbers"),
    (lambda a: values(a, np.where(np.arange(a.n_vars) == 3, np.nan, a.X)), {}, "^AnnData: X: row 0, marker Vimentin: found NaN"),
    (lambda a: setattr(a, "var_names", [a.var_names[1], *a.var_names[1:]]), {}, "^AnnData: var: found marker `RFP` twice"),
    (repeated, {}, "^obs: found column 'plate' twice. Make the names of the columns unique$"),
    (lambda a: a.obs.__setitem__("_index", "a"), {}, "^data: anndata cannot write the AnnData: .*_index"),
])
@pytest.mark.filterwarnings("ignore:.*names are not unique")
def test_wrong_data_are_one_line(adata, change, options, line):
    with pytest.raises(ValueError, match=line) as caught:
        train(changed(adata, change), **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [np.zeros((3, 2)), pandas.DataFrame({"a": [1.0]}), None])
def test_other_types_than_anndata_are_a_type_error(data):
    with pytest.raises(TypeError, match=f"^data: found {type(data).__name__}. Give an AnnData, or the path of an .h5ad file$"):
        popflow.Screen(data)


def test_missing_values_of_x_name_the_layers(adata):
    with pytest.raises(ValueError, match="^X: is missing. Give layer='a'$"):
        popflow.Screen(anndata.AnnData(obs=adata.obs, var=adata.var, layers={"a": adata.X}))


def test_backed_data_are_refused(screen_file):
    backed = anndata.read_h5ad(screen_file, backed="r")
    try:
        with pytest.raises(ValueError, match=r"^data: found an AnnData that is backed by .* Give this path, or data.to_memory\(\)$"):
            popflow.Screen(backed)
    finally:
        backed.file.close()


def set_column(name, make):
    return lambda a: a.obs.__setitem__(name, make(a))


def patient(a):
    return a.obs["patient"].astype(str)


@pytest.mark.parametrize("change", [
    lambda a: values(a, scipy.sparse.csr_matrix(np.asarray(a.X, np.float64))),
    lambda a: values(a, scipy.sparse.csc_matrix(np.asarray(a.X, np.float64))),
    lambda a: values(a, np.asarray(a.X, np.float64)),
    lambda a: setattr(a, "obs_names", ["cell"] * a.n_obs),
    lambda a: setattr(a.obs, "index", pandas.RangeIndex(a.n_obs)),
    set_column("patient", lambda a: [21 if p == "21" else p for p in patient(a)]),
    set_column("patient", lambda a: pandas.array(patient(a).astype(int), dtype="Int64")),
    set_column("patient", lambda a: pandas.array(patient(a), dtype="string")),
    set_column("patient", lambda a: pandas.Categorical(patient(a).astype(int))),
    set_column("concentration", lambda a: pandas.array(a.obs["concentration"].astype(float), dtype="Float64")),
    set_column("date", lambda a: pandas.Timestamp("2020-01-01")),
    set_column("bin", lambda a: pandas.cut(range(a.n_obs), 3)),
    set_column("flag", lambda a: pandas.array([None] + [True] * (a.n_obs - 1), dtype="boolean")),
    set_column("empty", lambda a: [None] * a.n_obs),
    lambda a: a.var.__setitem__("date", pandas.Timestamp("2020-01-01")),
])
@pytest.mark.filterwarnings("ignore:.*names are not unique")
def test_types_of_columns_and_values_do_not_change_the_screen(adata, change):
    expected = popflow.Screen(adata, **READING).populations
    found = popflow.Screen(changed(adata, change), **READING).populations
    pandas.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("make", [pandas.Categorical, lambda labels: pandas.Series(labels).where(lambda s: s.notna())])
def test_cells_without_a_label_are_left_out_with_a_note(adata, make, caplog):
    labels = adata.obs["treatment"].astype(object)
    labels.iloc[:5] = None
    train(changed(adata, set_column("treatment", lambda a: make(labels))))
    assert "5 rows left out: no value of treatment" in caplog.text


def test_views_and_other_orders_of_markers_predict_the_same(adata, model):
    controls = adata[adata.obs["treatment"] == "DMSO"]
    expected = model.predict(controls.copy(), treatment="S", min_cells=50)
    assert (model.predict(controls, treatment="S", min_cells=50).X == expected.X).all()
    assert (model.predict(controls[:, ::-1], treatment="S", min_cells=50).X == expected.X).all()


@pytest.mark.parametrize("treatments", [["O", "S"], np.array(["O", "S"]), pandas.Series(["O", "S"]), pandas.Index(["O", "S"])])
def test_treatments_are_lists_arrays_or_columns(adata, model, treatments):
    found = model.predict(adata, treatment=treatments, min_cells=50)
    assert set(found.obs["predicted_treatment"]) == {"O", "S"}


def test_wrong_predictions_are_one_line(adata, model):
    with pytest.raises(ValueError, match="^treatment: the run was not trained on 'XX'. Give one of O, S$"):
        model.predict(adata, treatment="XX", min_cells=50)
    with pytest.raises(ValueError, match="^AnnData: var: the markers are not those that the run was trained on: `CK18` is missing"):
        model.predict(adata[:, :5], treatment="S", min_cells=50)


def test_metrics_check_the_markers_of_two_anndata(adata):
    with pytest.raises(ValueError, match=r"^b: the markers are in another order than those of a. Give b\[:, a.var_names\]$"):
        popflow.metrics(adata, adata[:, ::-1])
    with pytest.raises(ValueError, match="^b: found 5 markers, where a has 43. Give the same markers$"):
        popflow.metrics(adata, adata[:, :5])
    assert popflow.metrics(adata, adata, "w2") == {"w2": 0}


def test_transport_takes_anndata_and_sparse_points(adata):
    few = adata[:20].copy()
    plan = popflow.ot.exact(few, scipy.sparse.csr_matrix(few.X))
    assert plan.value == 0
    assert popflow.ot.all_pairs([few, adata[20:50].copy()]).shape == (2, 2)
    with pytest.raises(ValueError, match="^y: row 1, column 0: found inf, but values must be finite$"):
        popflow.ot.exact(np.zeros((2, 1)), np.array([[0], [np.inf]]))
    with pytest.raises(ValueError, match="^x: found values of type object. Give an array of numbers"):
        popflow.ot.exact(np.array([["a"]], object), np.zeros((1, 1)))


def test_wrong_files_and_results_are_one_line(screen_file, model):
    with pytest.raises(ValueError, match=r"screen.h5ad: is an AnnData file. Read it with anndata.read_h5ad\(\)"):
        popflow.read_results(screen_file)
    with pytest.raises(TypeError, match="^tables: found Model. Give the dict of Model.evaluate"):
        popflow.pl.scores(model)
    with pytest.raises(ValueError, match=r"^real\[0\]: found 4 markers, where generated\[0\] has 3. Give the same markers$"):
        popflow.sets.scores([np.zeros((5, 3))] * 2, [np.zeros((5, 4))] * 2)


@pytest.mark.parametrize("call, line", [
    (lambda m, data: m.predict(data, run="other"), "^run: cannot be given here. The run is that of the model$"),
    (lambda m, data: m.predict(data, output="p.h5ad"), r"^output: cannot be given here. .* Write it with write_h5ad\(\)$"),
    (lambda m, data: m.evaluate(data, run="other"), "^run: cannot be given here"),
    (lambda m, data: m.evaluate(data, data="other.h5ad"), "^data: cannot be given here. Give the data as `screen`$"),
    (lambda m, data: m.embed(data, run="other"), "^run: cannot be given here"),
    (lambda m, data: popflow.train(data, data="other.h5ad"), "^data: cannot be given here"),
])
def test_options_that_a_function_sets_are_refused(model, screen_file, call, line):
    with pytest.raises(ValueError, match=line):
        call(model, screen_file)


def test_train_takes_the_matrix_of_an_anndata(adata, tmp_path):
    other = adata.copy()
    other.layers["twice"] = 2 * other.X
    other.write_h5ad(tmp_path / "twice.h5ad")
    options = dict(**READING, layer="twice", method="mean-shift", progress=False)
    trained = [popflow.train(data, **options) for data in (other, tmp_path / "twice.h5ad")]
    plain = popflow.train(other, **READING, method="mean-shift", progress=False)
    treatment = sorted(plain.treatments)[0]
    a, b, c = (m.predict(tmp_path / "twice.h5ad", treatment, layer="twice").X for m in (*trained, plain))
    assert (a == b).all() and not (a == c).all()
    with pytest.raises(ValueError, match="^layer: the Screen of an AnnData has one matrix. Give this option to popflow.Screen"):
        popflow.train(popflow.Screen(other, **READING), layer="twice", method="mean-shift", progress=False)
    # An empty value undoes the layer of the training.
    assert trained[0].predict(tmp_path / "twice.h5ad", treatment, layer="").n_obs == len(a)


def test_logged_data_in_memory_have_the_note_of_a_file(adata, tmp_path):
    logged = adata.copy()
    logged.X = np.log1p(np.abs(logged.X))
    logged.uns["log1p"] = {}
    logged.write_h5ad(tmp_path / "logged.h5ad")
    notes = [popflow.Screen(data, **{**READING, "transform": "log1p"}).summary()["notes"] for data in (logged, tmp_path / "logged.h5ad")]
    assert notes[0] == notes[1] and any("log-transformed already" in note for note in notes[0])


@pytest.mark.parametrize("arguments, options, line", [
    (([np.ones((5, 2)), np.zeros((0, 2))], [np.ones((5, 2))] * 2), {}, r"^generated\[1\]: found no cells. Leave it out$"),
    (([np.ones((5, 2))] * 2, [np.ones((5, 2)), np.full((3, 2), np.nan)]), {}, r"^real\[1\]: row 0, column 0: found nan"),
    (([np.ones((5, 2))] * 3, [np.ones((5, 2))] * 2), {"paired": True}, "^paired: found 3 generated and 2 real populations"),
    (([np.ones((5, 2))] * 2, [np.ones((5, 2))] * 2), {"distances": []}, "^distances: is empty"),
    (([np.ones((5, 2))] * 2, [np.ones((5, 2))] * 2), {"permutations": -1}, "^permutations: found -1. Give 0 or more$"),
])
def test_wrong_sets_are_one_line(arguments, options, line):
    with pytest.raises(ValueError, match=line):
        popflow.sets.scores(*arguments, **options)


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_the_temporary_file_goes_with_the_screen(adata):
    screen = popflow.Screen(adata)
    path = screen.path
    assert os.path.exists(path) and _program._names[path] == "AnnData"
    del screen
    gc.collect()
    assert not os.path.exists(os.path.dirname(path)) and path not in _program._names
