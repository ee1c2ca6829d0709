#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the evaluation of one whole pair with the peers: prediction of 5000 cells with 43 markers, W1, W2, MMD and r2.

    whole_pair.py BUILD/benchmarks/time_metrics BUILD/benchmarks/step_bench [--rounds 3] [--cells 5000]

Run it in the environment of make_environment.sh. Prediction is 100 velocities of all cells by the organoid network in fp32,
by step_bench and by PyTorch (eager and compiled, the faster one counts). The scores are those of time_metrics and of POT,
scikit-learn and pandas. popflow and the peers run in turn. The table has medians of elapsed time and, in brackets, of CPU
time. peer_speed.py refuses ratios if plain products of PyTorch or NumPy are slow. OMP_NUM_THREADS sets the number of threads.
"""
import argparse
import statistics
import sys
import time

from programs import THREADS, run_step_bench  # isort: skip (before NumPy and PyTorch)
from compare_pot import normal_cells, numpy_check, time_ours, time_theirs, versions
from peer_speed import blas_kernels, cpu_name, torch_kernels, torch_product

import numpy as np
import ot
import pandas as pd
import sklearn
import torch

from torch_network import MARKERS, Decoder, make_prediction

SCORES = ("w1_and_w2", "mmd", "r2")


def timed(work):
    """Returns elapsed and CPU seconds."""
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - cpu


def total(times):
    return [sum(column) for column in zip(*times)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("time_metrics")
    parser.add_argument("step_bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", type=int, default=5000)
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    check = numpy_check(options.time_metrics)
    check.measure("PyTorch", "fp32", torch_product(torch.float32))
    x, y = (a.astype(np.float32) for a in normal_cells(options.cells, options.cells, MARKERS))
    decoders = {"eager": Decoder(), "compiled": torch.compile(Decoder(), dynamic=False)}
    for decoder in decoders.values():
        make_prediction(decoder, "fp32", 1)()  # compiles
    predictions = {mode: make_prediction(decoder, "fp32", 100) for mode, decoder in decoders.items()}

    rounds = {"popflow": [], "peer": []}
    for _ in range(options.rounds):
        ((elapsed, cpu),) = run_step_bench(options.step_bench, f"^predict.*/fp32/threads:{THREADS}/").values()
        ours = time_ours(options.time_metrics, x, y, *SCORES)
        rounds["popflow"].append({"predict": (elapsed / 1e3, cpu / 1e3), **{k: ours[k][1:] for k in SCORES}})
        theirs = time_theirs(x, y, scipy=False)
        rounds["peer"].append({**{mode: timed(work) for mode, work in predictions.items()}, **{k: theirs[k][1:] for k in SCORES}})
    median = {who: {part: [statistics.median(run[part][k] for run in runs) for k in (0, 1)] for part in runs[0]}
              for who, runs in rounds.items()}
    eager, compiled = (median["peer"].pop(mode) for mode in ("eager", "compiled"))
    median["peer"]["predict"] = [min(column) for column in zip(eager, compiled)]
    for parts in median.values():
        parts["all scores"] = total(parts[k] for k in SCORES)
        parts["whole pair"] = total((parts["predict"], parts["all scores"]))

    print(f"{cpu_name()}. {versions(torch, ot, np, sklearn, pd)}: {torch_kernels()}; {blas_kernels()}. Seconds, in brackets CPU "
          f"seconds of all threads, medians of {options.rounds} rounds on {THREADS} threads. PyTorch's prediction: eager "
          f"{eager[0]:.3f} ({eager[1]:.3f}), compiled {compiled[0]:.3f} ({compiled[1]:.3f}).\n")
    print("| part | popflow | peer | ratio (CPU) |\n|---|---|---|---|")
    peers = {"predict": [("PyTorch", "fp32")], "whole pair": [("PyTorch", "fp32"), ("NumPy", "fp64")]}
    for part, ours in median["popflow"].items():
        theirs = median["peer"][part]
        ratio = min((check.ratio(*peer, theirs, ours, digits=1) for peer in peers.get(part, [("NumPy", "fp64")])),
                    key=lambda text: text != "-")  # `-` if one of the peers is refused
        print(f"| {part} | {ours[0]:.3f} ({ours[1]:.3f}) | {theirs[0]:.3f} ({theirs[1]:.3f}) | {ratio} |")
    print(f"\n{check.report()}")
    return check.exit_status()


if __name__ == "__main__":
    sys.exit(main())
