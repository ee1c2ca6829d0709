# SPDX-License-Identifier: MIT
"""Runs popflow's benchmark programs for the comparisons. Import it before NumPy, PyTorch and JAX."""
import contextlib
import json
import os
import subprocess
import sys
import time

# Read before an OpenMP library binds this thread to one core, because a child process would inherit that.
CORES = os.sched_getaffinity(0)
THREADS = int(os.environ.get("OMP_NUM_THREADS", len(CORES)))


@contextlib.contextmanager
def all_cores():
    """Lets processes that start within the block use all cores that this process had at its start.

    A preexec_fn would need fork(), which is unsafe in a process with the threads of JAX or PyTorch.
    """
    bound = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, bound)


def run(command, **settings):
    """subprocess.run() with check=True, on all cores."""
    with all_cores():
        return subprocess.run(command, check=True, text=True, **settings)


# Runs a command without its output. Prints its CPU seconds and peak KiB. The peak of a process counts the memory of the one
# that started it, so that a program with NumPy must not start the command itself.
MEASURING = """
import os, sys
silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
job = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
_, status, usage = os.wait4(job, 0)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measured_run(command):
    """Runs a command without its output. Returns elapsed seconds, CPU seconds of all its processes, and the peak MiB of one."""
    start = time.monotonic()
    as_root = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    done = subprocess.run([sys.executable, "-S", "-c", MEASURING, *map(str, command)], env=as_root, capture_output=True, text=True)
    elapsed = time.monotonic() - start
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed: {done.stderr}")
    cpu, peak = map(float, done.stdout.split())
    return elapsed, cpu, peak / 1024


def run_on_all_cores(command):
    """Returns the standard output of the command."""
    return run(command, stdout=subprocess.PIPE).stdout


def step_bench_rows(program, pattern, repetitions=1):
    """Returns the rows of step_bench, one per repetition of each benchmark whose name matches the pattern."""
    out = run_on_all_cores([program, f"--benchmark_filter={pattern}", f"--benchmark_repetitions={repetitions}",
                            "--benchmark_display_aggregates_only=false", "--benchmark_format=json"])
    return [row for row in json.loads(out)["benchmarks"] if row["run_type"] == "iteration"]


def run_step_bench(program, pattern, repetitions=1):
    """Returns {(case, precision): [elapsed ms, CPU ms]}, medians over the repetitions.

    Benchmarks are named `step/case/precision/...` or `case/precision/...`.
    """
    times = {}
    for row in step_bench_rows(program, pattern, repetitions):
        parts = row["name"].split("/")
        group = 1 if parts[0] == "step" else 0
        times.setdefault((parts[group], parts[group + 1]), []).append((row["real_time"], row["cpu_time"]))
    return {key: [sorted(v)[len(v) // 2] for v in zip(*rows)] for key, rows in times.items()}
