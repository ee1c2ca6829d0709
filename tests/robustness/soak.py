#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains, kills, resumes and evaluates repeatedly under a memory limit. Checks for equal bits and for growing memory.

Usage: soak.py POPFLOW MPIEXEC MINUTES [MEBIBYTES [SEED]]    (MEBIBYTES: limit on the data of a rank, default 600)
Needs h5py and anndata.

Each round trains on 1 to 3 ranks. The training is killed (SIGKILL of one rank, of mpirun, or of all) or stopped (SIGUSR1) at
random moments and resumed until it completes. Its checkpoint must have the bytes of an undisturbed training. An evaluation
that is killed and resumed in the same way must give the same tables.

The last tenth of the time is one long training. The largest memory of its ranks in the last quarter must not exceed that in
the second quarter. The largest memory of the second half of the rounds must not exceed that of the first half.
"""
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import pandas as pd
from anndata.experimental import read_elem

popflow, mpiexec, minutes = sys.argv[1], sys.argv[2], float(sys.argv[3])
limit = int(sys.argv[4]) if len(sys.argv) > 4 else 600
generator = random.Random(int(sys.argv[5]) if len(sys.argv) > 5 else 1)
model = """--min-cells 50 --split patient:21 --hidden 64 --layers 3 --embedding 16 --encoder-hidden 16 --knn 5
    --time-frequencies 8 --space-frequencies 8 --cells 150 --batch-pairs 4 --checkpoint-every 20""".split()
environment = dict(os.environ, OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive", OMPI_MCA_mpi_yield_when_idle="1",
                   PMIX_MCA_gds="hash",  # otherwise mpirun may hang if a rank is killed while it starts (slurm/job.sh)
                   OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def start(ranks, *words):
    """Starts popflow under mpirun with the memory limit. Returns the process of mpirun."""
    limits = lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit << 20, limit << 20))
    return subprocess.Popen([mpiexec, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), popflow, *words],
                            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=limits)


def ranks_of(job):
    """Returns the process ids of the ranks of an mpirun, without the file guards of the ranks."""
    pids = subprocess.run(["pgrep", "-P", str(job.pid), "-x", "popflow"], capture_output=True, text=True).stdout
    return [int(pid) for pid in pids.split()]


def is_running(job):
    """Whether a process runs. Does not reap it."""
    return os.waitid(os.P_PID, job.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def finish(job):
    """Waits for a job. Returns its exit code, the largest memory of one of its processes in MiB, and its standard error."""
    output = job.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(job.pid, 0)
    job.returncode = os.waitstatus_to_exitcode(status)
    return job.returncode, usage.ru_maxrss / 1024, output


def blocks_stop_signal(pid):
    """Whether a process blocks SIGUSR1. Before main() has blocked it, the signal kills the process."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True  # the process has ended
    return int(re.search(r"SigBlk:\s*(\w+)", status).group(1), 16) >> (signal.SIGUSR1 - 1) & 1 == 1


def hit(job, pids, ranks):
    """Kills or stops a job in a random way, whose name it returns."""
    kind = generator.choice(["rank", "mpirun", "all", "stop"])
    if kind == "stop" and (len(pids) < ranks or not all(blocks_stop_signal(pid) for pid in pids)):
        kind = "stop at start"
    victims = {"rank": [generator.choice(pids)], "mpirun": [job.pid], "all": [job.pid, *pids], "stop": [job.pid],
               "stop at start": [job.pid]}[kind]
    for pid in victims:
        try:
            os.kill(pid, signal.SIGUSR1 if kind.startswith("stop") else signal.SIGKILL)
        except ProcessLookupError:
            pass
    return kind


def run_until_complete(words, longest):
    """Runs popflow with --resume until it completes. Hits it up to twice, each time within `longest` seconds.

    Returns the kinds of hits and the largest memory in MiB.
    """
    hits, peak = [], 0.0
    while True:
        ranks = generator.randint(1, 3)
        job = start(ranks, *words, "--resume")
        pids = []
        if len(hits) < 2:
            time.sleep(generator.uniform(0.1, 1) * longest)
            pids = ranks_of(job)
            if is_running(job) and pids:
                hits.append(hit(job, pids, ranks))
        code, memory, output = finish(job)
        peak = max(peak, memory)
        if code == 0:
            return hits, peak
        killed = (75, -signal.SIGKILL, 137)
        if code not in (killed if hits[-1:] != ["stop at start"] else (*killed, 138)) or not pids:
            sys.exit(f"FAILED: exit code {code} after {hits}: {output[-2000:]}")
        polls = 0  # counted instead of the time, in case this process itself is suspended
        while any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids):  # the ranks of a killed mpirun
            polls += 1
            if polls > 1200:
                sys.exit("FAILED: ranks still run a minute after their mpirun was killed")
            time.sleep(0.05)


def tables(path):
    """Returns the tables pairs and summary of a result file, without columns that may differ between runs."""
    with h5py.File(path) as file:
        return read_elem(file["pairs"]).drop(columns=["rank", "seconds"]), read_elem(file["summary"])


def long_training(folder, seconds):
    """Runs a training on two ranks. Returns the largest memory of the ranks in the second and in the last quarter, in MiB.

    Uses the largest memory, because it varies while a checkpoint is written.
    """
    job = start(2, "train", "--data", "s.h5ad", *model, "--steps", "100000000", "--output", str(folder))
    samples, end = [], time.monotonic() + seconds
    while time.monotonic() < end and is_running(job):
        time.sleep(min(1, seconds / 40))
        pages = [int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in ranks_of(job)]
        samples.append(sum(pages) * resource.getpagesize() / 2**20)
    os.kill(job.pid, signal.SIGUSR1)
    code, _, output = finish(job)
    if code != 75:
        sys.exit(f"FAILED: exit code {code} of the long training, expected 75: {output[-2000:]}")
    n = len(samples) // 4
    return max(samples[n:2 * n]), max(samples[-n:])


scratch = pathlib.Path(tempfile.mkdtemp())
os.chdir(scratch)
try:
    subprocess.run([popflow, "simulate", "screen", "--output", "s.h5ad", "--patients", "4", "--cultures", "PDO,PDOF",
                    "--treatments", "O,S,F", "--replicates", "2", "--cells", "60:200", "--seed", "3"],
                   check=True, capture_output=True, env=environment)
    train = ["train", "--data", "s.h5ad", *model, "--steps", "400", "--output"]
    started = time.monotonic()
    code, memory, output = finish(start(2, *train, "whole"))
    longest = time.monotonic() - started
    if code != 0:
        sys.exit(f"FAILED: {output}")
    code, _, output = finish(start(2, "evaluate", "--run", "whole", "--output", "whole.h5"))
    if code != 0:
        sys.exit(f"FAILED: {output}")
    expected, whole = tables("whole.h5"), (scratch / "whole/checkpoint.h5").read_bytes()
    peaks, hits, rounds, end = [], [], 0, time.monotonic() + 0.9 * 60 * minutes
    while time.monotonic() < end:
        run, result = scratch / "run", scratch / "r.h5"
        training_hits, peak = run_until_complete([*train, str(run)], longest)
        if (run / "checkpoint.h5").read_bytes() != whole:
            sys.exit(f"FAILED: round {rounds}: the checkpoint differs after {training_hits}")
        evaluation_hits, memory = run_until_complete(["evaluate", "--run", str(run), "--output", str(result)], longest / 2)
        for a, b in zip(tables(result), expected):
            pd.testing.assert_frame_equal(a, b, check_exact=True)
        left = [path.name for path in scratch.rglob("*") if path.suffix in (".tmp", ".partial") or path.name == "lock"]
        if left:
            sys.exit(f"FAILED: round {rounds}: leftover files: {left}")
        peaks.append(max(peak, memory))
        hits += training_hits + evaluation_hits
        rounds += 1
        shutil.rmtree(run)
        result.unlink()
    early, late = long_training(scratch / "long", 6 * minutes)
    counts = ", ".join(f"{kind} {hits.count(kind)}" for kind in ("rank", "mpirun", "all", "stop", "stop at start"))
    half = max(1, len(peaks) // 2)
    print(f"soak: {minutes:g} minutes, {rounds} rounds, {len(hits)} hits ({counts}): the same bits each time")
    print(f"peak memory of a rank: {max(peaks[:half]):.0f} MiB in the first half of the rounds, "
          f"{max(peaks[half:] or peaks):.0f} MiB in the second; a long training: {early:.1f} MiB early, {late:.1f} MiB late")
    if late > 1.02 * early + 1:
        sys.exit("FAILED: the memory of the long training grows")
    # The two maxima vary randomly, hence the tolerance. Fewer than 10 rounds are not enough for a comparison.
    if rounds >= 10 and max(peaks[half:]) > 1.1 * max(peaks[:half]) + 10:
        sys.exit("FAILED: the memory of the rounds grows")
finally:
    os.chdir("/")
    shutil.rmtree(scratch)
