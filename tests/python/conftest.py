# SPDX-License-Identifier: MIT
"""Fixtures of the tests of the Python package. PYTHONPATH has the package, POPFLOW is the program."""
import os

import pytest

import popflow

# A screen and a model that train in a second.
SCREEN = dict(patients=3, cultures="PDO", treatments="O,S", replicates=1, cells="80:120", seed=1)
READING = dict(min_cells=50, split="patient:21")
TRAINING = dict(hidden=32, layers=2, knn=5, cells=50, batch_pairs=2, steps=20, seed=3)


@pytest.fixture(scope="session")
def screen_file(tmp_path_factory):
    return popflow.simulate("screen", output=str(tmp_path_factory.mktemp("data") / "screen.h5ad"), **SCREEN)


@pytest.fixture(scope="session")
def screen(screen_file):
    return popflow.Screen(screen_file, **READING)


@pytest.fixture(scope="session")
def model(screen, tmp_path_factory):
    return popflow.train(screen, method="mfm", output=tmp_path_factory.mktemp("runs") / "mfm", **TRAINING)


@pytest.fixture(scope="session")
def tables(model):
    return model.evaluate(sample_pairs=2, sample_cells=40)


@pytest.fixture(scope="session")
def adata(screen_file):
    anndata = pytest.importorskip("anndata")
    return anndata.read_h5ad(screen_file)


@pytest.fixture(scope="session")
def program():
    path = os.environ.get("POPFLOW")
    if not path:
        pytest.skip("POPFLOW does not name the program")
    return path
