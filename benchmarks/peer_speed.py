# SPDX-License-Identifier: MIT
"""Checks that a peer multiplies matrices at a sensible speed, and refuses ratios if it does not.

A BLAS that does not recognise the CPU may fall back to kernels for much older ones, and its threads may share one core. A
ratio against such a peer says nothing. So each comparison measures a plain product of the peer and the CPU's peak (`peak` of
step_bench: multiply-adds in registers) on the same number of threads. The share of the peak is taken twice: by elapsed time,
which shows threads without a core, and by CPU time, which shows slow kernels even on a busy machine. If either is below a
third, the table has `-` instead of the ratio, a line says why, and the script exits with status 1.

    check = PeerCheck(step_bench, threads=2)
    check.measure("NumPy", "fp64", numpy_product("float64"))
    print(check.ratio("NumPy", "fp64", theirs, ours))
    print(check.report())
    sys.exit(check.exit_status())

Import it before NumPy, PyTorch and JAX, which the functions below import when they are called.
"""
import re
import time
from pathlib import Path

from programs import step_bench_rows

SHAPES = ((4096, 512, 512), (2048, 2048, 2048))  # rows, inner size and columns: product of a training step, large product
MIN_SHARE = 1 / 3
ROUNDS = 3  # peak and products are measured in turn, and the best of the rounds counts
MIN_SECONDS = 0.1  # time that each round spends on a product


def measured_peaks(step_bench, threads):
    """Returns {precision: (GFLOP/s, GFLOP per CPU-second)} of the CPU on this number of threads."""
    rows = step_bench_rows(step_bench, f"^peak/.*/threads:{threads}/")
    return {row["name"].split("/")[1]: (row["GFLOP/s"], row["GFLOP/s"] * row["real_time"] / row["cpu_time"]) for row in rows}


def product_speed(product, shape):
    """Returns the best GFLOP/s and the best GFLOP per CPU-second of calls of product()."""
    rows, inner, columns = shape
    gflop = 2e-9 * rows * inner * columns
    spent, best = 0, (0, 0)
    while spent < MIN_SECONDS:
        start, start_cpu = time.perf_counter(), time.process_time()
        product()
        elapsed, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        spent += elapsed
        best = best_of(best, (gflop / max(elapsed, 1e-9), gflop / max(cpu, 1e-9)))
    return best


def best_of(one, other):
    return tuple(map(max, one, other))


class PeerCheck:
    """Measured products of the peers, and what follows for the ratios.

    @param peaks  function without arguments that returns the same as measured_peaks(), which is the default
    """

    def __init__(self, step_bench, threads, peaks=None):
        self.threads = threads
        self._measure_peaks = peaks or (lambda: measured_peaks(step_bench, threads))
        self.peaks = {}  # precision -> (GFLOP/s, GFLOP per CPU-second)
        self.products = {}  # (peer, precision) -> the same for each of SHAPES
        self.refused = set()  # (peer, precision) for which a ratio was asked and refused

    def measure(self, peer, precision, make_product):
        """Measures the peak and the products. make_product(shape) returns a function that multiplies once."""
        products = [make_product(shape) for shape in SHAPES]
        for product in products:
            product()  # warm-up
        speeds = [(0, 0)] * len(SHAPES)
        for _ in range(ROUNDS):
            for name, peak in self._measure_peaks().items():
                self.peaks[name] = best_of(peak, self.peaks.get(name, (0, 0)))
            speeds = [best_of(best, product_speed(p, s)) for best, p, s in zip(speeds, products, SHAPES)]
        self.products[peer, precision] = speeds

    def shares(self, peer, precision):
        """Returns the shares of the peak that the fastest product reaches, by elapsed and by CPU time. None if not measured."""
        peak, speeds = self.peaks.get(precision), self.products.get((peer, precision))
        return tuple(max(s) / p for s, p in zip(zip(*speeds), peak)) if peak and speeds else None

    def allows(self, peer, precision):
        """Returns whether a ratio may be printed. Remembers a refusal for report() and exit_status()."""
        shares = self.shares(peer, precision)
        if shares and min(shares) >= MIN_SHARE:
            return True
        self.refused.add((peer, precision))
        return False

    def ratio(self, peer, precision, theirs, ours, digits=2):
        """Returns `elapsed (CPU)` of theirs / ours, both (elapsed, CPU) times, or `-` if it is refused or one is missing."""
        if not theirs or not ours or not self.allows(peer, precision):
            return "-"
        return f"{theirs[0] / ours[0]:.{digits}f} ({theirs[1] / ours[1]:.{digits}f})"

    def report(self):
        """Returns a table of the products next to the peak, and one line for each refusal."""
        sizes = " | ".join("{} x {} x {}".format(*shape) for shape in SHAPES)
        lines = [f"| product on {self.threads} threads, GFLOP/s | {sizes} | peak of the CPU | share of the peak | by CPU time |",
                 "|---|---|---|---|---|---|"]
        for (peer, precision), speeds in self.products.items():
            peak, shares = self.peaks.get(precision), self.shares(peer, precision) or ("-", "-")
            cells = [f"{s:.1f}" for s, _ in speeds] + [f"{peak[0]:.1f}" if peak else "-"]
            cells += [s if s == "-" else f"{s:.0%}" for s in shares]
            lines.append(f"| {peer}, {precision} | {' | '.join(cells)} |")
        return "\n".join(lines + self._refusals())

    def _refusals(self):
        lines = []
        for peer, precision in sorted(self.refused):
            peak, speeds, shares = self.peaks.get(precision), self.products.get((peer, precision)), self.shares(peer, precision)
            if not speeds:
                why = "no product was measured"
            elif not peak:
                why = f"the product makes {max(speeds)[0]:.1f} GFLOP/s, but step_bench has no peak for this CPU"
            else:
                why = (f"the product makes {max(speeds)[0]:.1f} GFLOP/s of {peak[0]:.1f}, {shares[0]:.0%} of the peak and "
                       f"{shares[1]:.0%} by CPU time, and less than a third is refused. Check the kernels above, the number of "
                       "threads and OPENBLAS_CORETYPE")
            lines.append(f"\nNo ratio against {peer} in {precision}: {why}.")
        return lines

    def exit_status(self):
        return 1 if self.refused else 0


def numpy_product(dtype):
    """Returns make_product() for numpy.matmul."""
    import numpy as np

    def make(shape):
        rows, inner, columns = shape
        a, b = np.full((rows, inner), 0.5, dtype), np.full((inner, columns), 0.5, dtype)
        return lambda: a @ b

    return make


def torch_product(dtype):
    """Returns make_product() for torch.nn.functional.linear, which the layers of a network call."""
    import torch

    def make(shape):
        rows, inner, columns = shape
        a, w = torch.full((rows, inner), 0.5, dtype=dtype), torch.full((columns, inner), 0.5, dtype=dtype)

        def product():
            with torch.no_grad():
                torch.nn.functional.linear(a, w)

        return product

    return make


def jax_product(dtype):
    """Returns make_product() for a compiled jax.numpy.matmul."""
    import jax
    import jax.numpy as jnp

    multiply = jax.jit(jnp.matmul)

    def make(shape):
        rows, inner, columns = shape
        a, b = jnp.full((rows, inner), 0.5, dtype), jnp.full((inner, columns), 0.5, dtype)
        return lambda: multiply(a, b).block_until_ready()

    return make


def blas_kernels():
    """Returns library, version and kernels of each BLAS that is loaded, as one line. Needs threadpoolctl."""
    from threadpoolctl import threadpool_info

    found = [f"{Path(library['filepath']).name.split('-')[0]} {library['version']} (kernels {library.get('architecture', '?')}, "
             f"{library['num_threads']} threads)" for library in threadpool_info() if library["user_api"] == "blas"]
    return ", ".join(found) or "no BLAS that threadpoolctl knows"


def torch_kernels():
    """Returns PyTorch's BLAS and oneDNN, which are linked statically, so that threadpoolctl does not see them."""
    import torch

    found = re.findall(r"oneAPI Math Kernel Library Version (\S+)|MKL-DNN v(\S+)|BLAS_INFO=(\w+)", torch.__config__.show())
    mkl, dnn, blas = ("".join(column) for column in zip(*found))
    return (f"BLAS {blas}{f' {mkl}' if mkl else ''}, oneDNN {dnn}, kernels {torch.backends.cpu.get_cpu_capability()}, "
            f"{torch.get_num_threads()} threads")


def cpu_name():
    """Returns the model name in /proc/cpuinfo and its instruction sets that matter here."""
    text = Path("/proc/cpuinfo").read_text()
    name = re.search(r"model name\s*: (.*)", text)
    family = re.search(r"cpu family\s*: (\d+)\nmodel\s*: (\d+)", text)
    sets = [s for s in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if re.search(rf"\b{s}\b", text)]
    return (f"{name.group(1) if name else 'unknown CPU'}"
            f"{' (family {}, model {})'.format(*family.groups()) if family else ''}, {' '.join(sets) or 'no AVX2'}")
