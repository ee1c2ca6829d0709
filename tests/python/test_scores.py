# SPDX-License-Identifier: MIT
"""Scores of populations and of sets of populations."""
import numpy as np
import pytest

import popflow


def cloud(n, seed, shift=0.0):
    return (np.random.default_rng(seed).normal(size=(n, 3)) + shift).astype(np.float32)


def test_metrics_are_those_of_transport():
    a, b = cloud(40, 0), cloud(50, 1, 1)
    found = popflow.metrics(a, b)
    assert found["w2"] == pytest.approx(np.sqrt(popflow.ot.exact(a, b).value), rel=1e-6)
    assert found["w1"] == pytest.approx(popflow.ot.exact(a, b, cost="euclidean").value, rel=1e-6)
    assert "change_correlation" not in found
    assert list(popflow.metrics(a, b, names=["r2", "w1"])) == ["r2", "w1"]
    with_control = popflow.metrics(a, b, control=cloud(30, 2, -1))
    assert -1 <= with_control["change_correlation"] <= 1


@pytest.mark.parametrize("arguments, line", [
    (dict(names=["w3"]), "'w3' is no metric"),
    (dict(names=["change_correlation"]), "control: found no cells"),
    (dict(b=np.zeros((4, 2), np.float32)), "^b: found 2 markers, where a has 3"),
    (dict(b=np.full((4, 3), np.nan, np.float32)), "^b: row 0, column 0: found nan"),
])
def test_invalid_input_is_a_value_error(arguments, line):
    with pytest.raises(ValueError, match=line):
        popflow.metrics(**{"a": cloud(10, 0), "b": cloud(10, 1), **arguments})


def test_sets_of_the_same_law_cannot_be_told_apart():
    generator = np.random.default_rng(0)
    clouds = [cloud(30, k, generator.normal()) for k in range(36)]
    same = popflow.sets.scores(clouds[:18], clouds[18:], distances=["w2", "energy"], permutations=200)
    assert list(same.index) == ["w2", "energy"]
    assert 0.2 < same.loc["w2", "nna"] < 0.8
    far = popflow.sets.scores([c + 100 for c in clouds[:18]], clouds[18:], distances=["w2"], permutations=200)
    assert far.loc["w2", "nna"] == 1 and far.loc["w2", "p_value"] < 0.05
    copies = popflow.sets.scores(clouds[:18], clouds[18:], training=clouds[:18], distances=["w2"], permutations=0)
    assert copies.loc["w2", "memorised"] == 1 and copies.loc["w2", "training_ratio"] == 0
    paired = popflow.sets.scores(clouds[:18], [c + 1 for c in clouds[:18]], distances=["w2"], permutations=0, paired=True)
    assert paired.loc["w2", "paired"] == pytest.approx(np.sqrt(3), rel=1e-5)
    with pytest.raises(ValueError, match="distances: found 'w9'"):
        popflow.sets.scores(clouds[:2], clouds[2:4], distances=["w9"])
