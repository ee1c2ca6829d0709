# SPDX-License-Identifier: MIT
"""Plots of the results of a small run."""
import numpy as np
import pytest

import popflow

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    matplotlib.pyplot.close("all")


def test_scores_have_a_row_for_each_predictor(tables):
    ax = popflow.pl.scores(tables, "w1")
    names = {t.get_text() for t in ax.get_yticklabels()}
    assert {"model", "mean shift"} <= names
    model = tables["pairs"]["predictor"] == "model"
    means = [line.get_xdata()[0] for line in ax.get_lines() if line.get_marker() == "o"]
    assert np.isclose(means, tables["pairs"].loc[model, "w1"].mean()).any()


def test_pairs_have_a_point_for_each_pair(tables):
    ax = popflow.pl.pairs(tables, "w2")
    points = sum(len(line.get_xdata()) for line in ax.get_lines() if line.get_marker() == "o")
    assert points == (tables["pairs"]["predictor"] == "model").sum()


def test_densities_and_components_show_the_states(tables):
    markers = [c for c in tables["cells"].columns if c not in ("pair", "state", "time", "cell")]
    axes = popflow.pl.densities(tables, markers=markers[:3])
    assert [ax.get_title() for ax in axes] == markers[:3]
    assert [line.get_label() for line in axes[0].get_lines()] == ["control", "treated", "predicted"]
    ax = popflow.pl.components(tables)
    assert [line.get_label() for line in ax.get_lines()] == ["control", "treated", "predicted"]
    assert "of the variance" in ax.get_xlabel()


def test_heat_maps_of_scores_and_of_a_matrix(tables):
    ax = popflow.pl.heat_map(tables, "w2", rows="culture", columns="treatment")
    assert ax.get_ylabel() == "culture"
    popflow.pl.heat_map(tables, "w2", rows="culture", columns="treatment", baseline="mean_shift")
    matrix = popflow.ot.all_pairs([np.random.default_rng(k).normal(size=(9, 2)) for k in range(4)])
    assert popflow.pl.heat_map(matrix).get_images()[0].get_array().shape == (4, 4)


@pytest.mark.parametrize("call, line", [
    (lambda t: popflow.pl.scores(t, "w9"), "metric: found 'w9'"),
    (lambda t: popflow.pl.pairs(t, baseline="none"), "predictor: found 'none'"),
    (lambda t: popflow.pl.densities(t, pair="none"), "pair: found 'none'"),
    (lambda t: popflow.pl.densities(t, markers=["none"]), "markers: found none"),
])
def test_unknown_names_are_value_errors(tables, call, line):
    with pytest.raises(ValueError, match=line):
        call(tables)
