# SPDX-License-Identifier: MIT
"""Memory of repeated predictions, and predictions from several threads."""
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

import popflow

CASE = Path(__file__).parent / "predictions.py"
# Number of predictions. scripts/nightly.sh makes 1,000, which takes 200 CPU seconds.
PREDICTIONS = os.environ.get("POPFLOW_PREDICTIONS", "300")
# One prediction of predictions.py maps 282 cells of 43 markers, 48 kB. A leak of one such matrix in each of the last 200 predictions
# would be 9.6 MB, and 43 MB in the last 900. The bound leaves room for the arenas of malloc, which grow while threads come and go.
MAX_GROWTH_MB = 6


def test_predictions_do_not_leak(screen, screen_file, tmp_path):
    model = popflow.train(screen, method="mean-shift", output=tmp_path / "run")
    done = subprocess.run([sys.executable, CASE, model.run, screen_file, "100", PREDICTIONS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    early, late = map(float, done.stdout.split())
    assert late - early < MAX_GROWTH_MB, f"{early} MB after 100 predictions, {late} MB after {PREDICTIONS}"


def test_threads_get_the_bits_of_one_thread(model, adata):
    controls = adata[adata.obs["treatment"] == "DMSO"].copy()
    parts = [controls[controls.obs["patient"] == patient].copy() for patient in controls.obs["patient"].unique()]
    expected = [model.predict(part, treatment="S", min_cells=50).X for part in parts]
    found = [[] for _ in parts]
    errors = []

    def predict(k):
        try:
            for _ in range(3):
                found[k].append(model.predict(parts[k], treatment="S", min_cells=50).X)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=predict, args=(k,)) for k in range(len(parts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for own, right in zip(found, expected):
        assert len(own) == 3 and all((x == right).all() for x in own)


def test_solvers_in_two_threads_get_the_bits_of_one_thread():
    draws = np.random.default_rng(0)
    x, y = draws.normal(size=(2, 400, 5)).astype(np.float32)
    problems = [(x, y), (y, x)]
    expected = [popflow.ot.exact(*problem).value for problem in problems]
    found = [None, None]

    def solve(k):
        found[k] = popflow.ot.exact(*problems[k]).value

    threads = [threading.Thread(target=solve, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected
