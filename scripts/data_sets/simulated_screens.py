#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the simulated screens of our tables.

    simulated_screens.py population build/release/popflow screen.h5ad
    simulated_screens.py combinations build/release/popflow screen.h5ad --vectors v.csv
    simulated_screens.py methods build/release/popflow screen.h5ad

  population    docs/results.md, "A simulated screen"
  combinations  docs/results.md, "Combinations outside the training set". --vectors also writes the treatment vectors: a column
                for each drug, with a one where the treatment has that drug
  methods       docs/tables.md, the simulated screen

Options after `--` go to `popflow simulate screen` and override the settings of the tables.
"""
import argparse
import csv

from common import complete_file, run, simulate, split_arguments

SETTINGS = {
    "population": "--cells 1000:2000 --dose-levels 1 --seed 1",
    "combinations": "--patients 8 --cultures PDO,PDOF --replicates 1 --cells 500:1500 --seed 5",
    "methods": "--patients 6 --replicates 2 --cells 1000:1500 --dose-levels 1 --seed 1",
}
DRUGS = "OSFLVC"
TREATMENTS = ("O", "S", "VS", "L", "V", "F", "C", "SF", "CS", "CF", "CSF")


def write_vectors(output):
    """Writes the treatment vectors. The letters of a treatment are its drugs."""
    with complete_file(output) as path, path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["treatment", *DRUGS])
        writer.writerows([treatment, *(int(drug in treatment) for drug in DRUGS)] for treatment in TREATMENTS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("screen", choices=SETTINGS)
    parser.add_argument("popflow", help="the program")
    parser.add_argument("output", help="AnnData file to write")
    parser.add_argument("--vectors", metavar="F.csv", help="also write the treatment vectors")
    words, extra = split_arguments()
    options = parser.parse_args(words)
    simulate(options.popflow, "screen", options.output, SETTINGS[options.screen].split(), extra)
    if options.vectors:
        write_vectors(options.vectors)


if __name__ == "__main__":
    run(main)
