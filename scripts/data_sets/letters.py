#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the synthetic letters of our tables.

    letters.py build/release/popflow letters.h5ad
    letters.py build/release/popflow clean.h5ad --clean

--clean leaves out the noise of the target points. benchmarks/letters_floor.py reads that file. Options after `--` go to
`popflow simulate letters` and override the settings of the tables.
"""
import argparse

from common import run, simulate, split_arguments


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("popflow", help="the program")
    parser.add_argument("output", help="AnnData file to write")
    parser.add_argument("--clean", action="store_true", help="no noise of the target points")
    words, extra = split_arguments()
    options = parser.parse_args(words)
    clean = ["--jitter", "0"] if options.clean else []
    simulate(options.popflow, "letters", options.output, [*clean, "--seed", "1"], extra)


if __name__ == "__main__":
    run(main)
