# SPDX-License-Identifier: MIT
"""Our benchmark programs as the comparisons run them. To be imported before NumPy and PyTorch."""
import ctypes
import json
import os
import subprocess

# Before an OpenMP library binds this thread to one of them, which a child would inherit.
CORES = os.sched_getaffinity(0)


# The peers' OpenBLAS is to take the kernels of this CPU, whatever a shell or a container asks it for.
for setting in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(setting, None)


def blas_kernels():
    """The CPU that OpenBLAS has kernels of, once NumPy or PyTorch has loaded it; None if it is another library."""
    with open("/proc/self/maps") as file:
        loaded = [line.split()[-1] for line in file if "libopenblas" in line]
    if not loaded:
        return None
    name = ctypes.CDLL(loaded[0]).openblas_get_corename
    name.restype = ctypes.c_char_p
    return name().decode()


def run(command, **settings):
    """subprocess.run of a program that must end well and may use the cores that this one began with."""
    return subprocess.run(command, check=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, CORES), **settings)


def run_on_all_cores(command):
    """The output of such a program."""
    return run(command, stdout=subprocess.PIPE).stdout


def run_step_bench(program, pattern, repetitions=1):
    """{(case, precision): [clock ms, CPU ms]} of step_bench's `group/case/precision/...` whose names match."""
    out = run_on_all_cores([program, f"--benchmark_filter={pattern}", f"--benchmark_repetitions={repetitions}",
                            "--benchmark_display_aggregates_only=false", "--benchmark_format=json"])
    times = {}
    for row in json.loads(out)["benchmarks"]:
        if row["run_type"] == "iteration":
            parts = row["name"].split("/")
            group = 1 if parts[0] == "step" else 0
            times.setdefault((parts[group], parts[group + 1]), []).append((row["real_time"], row["cpu_time"]))
    return {key: [sorted(v)[len(v) // 2] for v in zip(*rows)] for key, rows in times.items()}
