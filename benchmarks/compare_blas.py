#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares popflow's matrix products in fp32 with a serial BLAS on one thread, and prints a table of GFLOP/s by CPU time.

    compare_blas.py BUILD/benchmarks/step_bench LIBRARY.so... [--rounds 5]

A LIBRARY has cblas_sgemm, for example libblis.so.4 of Debian's libblis4-serial, libopenblas.so.0 of libopenblas0-serial, or the
libscipy_openblas64_ of a NumPy wheel (folder numpy.libs). The products are those of a training step with 1,024 cells: blocks of 128
rows through a layer, and blocks of 128 rows of the gradient of its weight. The library gets one call per block. popflow packs the
weight once, the library in each call. Needs Python with NumPy.
"""
import argparse
import ctypes
import os
import statistics
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from programs import run_step_bench  # isort: skip (before NumPy binds threads)
from peer_speed import cpu_name, measured_peaks

import numpy as np  # noqa: E402

CELLS = 1024
BLOCK = 128
SHAPES = ((427, 512), (512, 512), (512, 43))  # inputs and outputs of a layer
SGEMM = {"cblas_sgemm": ctypes.c_int, "scipy_cblas_sgemm": ctypes.c_int, "scipy_cblas_sgemm64_": ctypes.c_int64}
ROW_MAJOR, PLAIN, TRANSPOSED = 101, 111, 112  # constants of cblas.h


def sgemm_of(path):
    """Returns a function that computes C = op(A) B + beta C for matrices with contiguous rows."""
    library = ctypes.CDLL(path)
    name = next((name for name in SGEMM if hasattr(library, name)), None)
    if name is None:
        raise SystemExit(f"{path}: found none of {', '.join(SGEMM)}")
    function = getattr(library, name)
    function.restype = None
    integer, real, pointer = SGEMM[name], ctypes.c_float, ctypes.c_void_p
    function.argtypes = [integer] * 6 + [real, pointer, integer, pointer, integer, real, pointer, integer]

    def sgemm(transpose_a, transpose_b, m, n, k, a, b, beta, c):
        function(ROW_MAJOR, TRANSPOSED if transpose_a else PLAIN, TRANSPOSED if transpose_b else PLAIN, m, n, k, 1.0,
                 a.ctypes.data, a.strides[0] // 4, b.ctypes.data, b.strides[0] // 4, beta, c.ctypes.data, c.strides[0] // 4)

    return sgemm


def random(rows, columns, seed):
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


def products(sgemm, inputs, outputs):
    """Returns {case: function that computes the product once}. Compares each product with NumPy's first."""
    x, dz, weight = random(CELLS, inputs, 1), random(CELLS, outputs, 2), random(outputs, inputs, 3)
    y, dw = np.zeros((CELLS, outputs), np.float32), np.zeros((outputs, inputs), np.float32)

    def layer():
        for i in range(0, CELLS, BLOCK):
            sgemm(False, True, BLOCK, outputs, inputs, x[i:i + BLOCK], weight, 0.0, y[i:i + BLOCK])

    def gradient():
        for i in range(0, outputs, BLOCK):
            count = min(BLOCK, outputs - i)
            sgemm(True, False, count, inputs, CELLS, dz[:, i:i + count], x, 1.0, dw[i:i + count])

    layer()
    gradient()
    np.testing.assert_allclose(y, x @ weight.T, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(dw, dz.T @ x, rtol=1e-3, atol=1e-3)
    return {f"layer/{inputs}x{outputs}": layer, f"gradient/{inputs}x{outputs}": gradient}


def gflop_of(case):
    inputs, outputs = map(int, case.split("/")[1].split("x"))
    return 2e-9 * CELLS * inputs * outputs


def gflops(product, case):
    """Returns GFLOP/s of at least a fifth of a CPU second."""
    start, count = time.process_time(), 0
    while time.process_time() - start < 0.2:
        product()
        count += 1
    return gflop_of(case) * count / (time.process_time() - start)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("step_bench")
parser.add_argument("libraries", nargs="+", metavar="LIBRARY.so")
parser.add_argument("--rounds", type=int, default=5)
options = parser.parse_args()
peers = {}
for library in options.libraries:
    peers[Path(library).name] = {case: product for shape in SHAPES for case, product in products(sgemm_of(library), *shape).items()}
cases = list(next(iter(peers.values())))
speeds = {(name, case): [] for name in ("popflow", *peers) for case in cases}
for _ in range(options.rounds):
    for case_and_shape, (_, cpu_ms) in run_step_bench(options.step_bench, "^(layer|gradient)/.*/fp32/").items():
        case = "/".join(case_and_shape)
        speeds["popflow", case].append(1e3 * gflop_of(case) / cpu_ms)
    for name, functions in peers.items():
        for case in cases:
            speeds[name, case].append(gflops(functions[case], case))
peak = measured_peaks(options.step_bench, 1)
print(f"{cpu_name()}, one thread, GFLOP/s by CPU time, medians of {options.rounds} rounds. Peak of the core: {peak['fp32'][1]:.1f}\n")
print("| product, inputs x outputs | popflow | " + " | ".join(peers) + " | popflow / better library |\n|" + "---|" * (len(peers) + 3))
for case in cases:
    ours, *theirs = (statistics.median(speeds[name, case]) for name in ("popflow", *peers))
    print(f"| {case} | {ours:.1f} | " + " | ".join(f"{speed:.1f}" for speed in theirs) + f" | {ours / max(theirs):.2f} |")
