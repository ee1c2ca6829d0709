# SPDX-License-Identifier: MIT
"""Draws mapped.svg: the images of the report of the tutorial's section on images, with generated landscapes.

Trains the run if the folder does not have it yet, half a minute on two cores.

Usage: draw_images.py POPFLOW FOLDER PICTURE.svg     (FOLDER: for the landscapes and the run)
"""
import pathlib
import shutil
import subprocess
import sys

popflow, folder, picture = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve()
folder.mkdir(parents=True, exist_ok=True)


def run(*words):
    subprocess.run([popflow, *map(str, words)], check=True, cwd=folder)


if not (folder / "landscapes.h5ad").exists():
    run("simulate", "images", "--output", "landscapes", "--size", 48)
    run("import", "--sheet", "landscapes/sheet.csv", "--output", "landscapes.h5ad")
run("train", "--method", "meta-icnn", "--data", "landscapes.h5ad", "--population", "image", "--transform", "none", "--split",
    "column:split", "--steps", 400, "--output", "any", "--resume")
(folder / "problems.csv").write_text("problem,source,target\nto_forest,sunset_4,forest_4\nto_autumn,sea_5,autumn_5\n")
run("predict", "--run", "any", "--data", "landscapes.h5ad", "--problems", "problems.csv", "--output", "mapped.h5ad")
run("report", "mapped.h5ad", "--output", "mapped.html", "--figures", "figures")
shutil.copyfile(folder / "figures" / "meta-icnn-images.svg", picture)
