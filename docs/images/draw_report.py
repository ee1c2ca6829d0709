# SPDX-License-Identifier: MIT
"""Draws report.png: the top of the report of two seeds of configs/egf_sample.cfg, in headless Chromium.

Trains the two runs if the folder does not have them yet, a few minutes on two cores. Run from the folder of the project.

Usage: draw_report.py POPFLOW RUNS PICTURE.png     (RUNS: folder for the runs and the page)
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests" / "support"))
import browser  # noqa: E402

WIDTH, HEIGHT = 1280, 2500


def main():
    popflow, runs, picture = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    for seed in ("1", "2"):
        run = runs / f"seed{seed}"
        if not (run / "results.h5").exists():
            subprocess.run([popflow, "run", "--config", "configs/egf_sample.cfg", "--seed", seed, "--output", run, "--resume"],
                           check=True)
    page = runs / "report.html"
    subprocess.run([popflow, "report", runs, "--output", page], check=True)
    with browser.Browser() as chromium:
        chromium.show(page, WIDTH)
        chromium.screenshot(picture, height=HEIGHT)


main()
