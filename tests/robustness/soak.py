#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains, kills, resumes and evaluates over and over under a memory limit: the same bits each time, and no growth.

Usage: soak.py POPFLOW MPIEXEC MINUTES [MEBIBYTES [SEED]]    (MEBIBYTES: 600, of data of a rank; needs h5py and anndata)

Each round a training on 1 to 3 ranks is killed (SIGKILL of one rank, of mpirun, or of all) or stopped (SIGUSR1) at a
random moment until it comes through; its checkpoint has the bytes of a training that was never disturbed. Then its
evaluation, killed and resumed alike, gives the same tables. Last, a training of a tenth of the time: the most that its ranks
hold in the last quarter is what they hold in the second. The largest memory of the rounds of the second half is that of
the first.
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
dice = random.Random(int(sys.argv[5]) if len(sys.argv) > 5 else 1)
model = """--min-cells 50 --split patient:21 --hidden 64 --layers 3 --embedding 16 --encoder-hidden 16 --knn 5
    --time-frequencies 8 --space-frequencies 8 --cells 150 --batch-pairs 4 --checkpoint-every 20""".split()
environment = dict(os.environ, OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive", OMPI_MCA_mpi_yield_when_idle="1",
                   PMIX_MCA_gds="hash",  # or an mpirun whose rank is killed while it starts may wait for ever
                   OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def start(ranks, *words):
    limits = lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit << 20, limit << 20))
    return subprocess.Popen([mpiexec, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), popflow, *words],
                            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=limits)


def ranks_of(job):
    """The processes of popflow below an mpirun, without those that try files for them."""
    pids = subprocess.run(["pgrep", "-P", str(job.pid), "-x", "popflow"], capture_output=True, text=True).stdout
    return [int(pid) for pid in pids.split()]


def running(job):
    return os.waitid(os.P_PID, job.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def finish(job):
    """Exit code and the largest memory of a process of a job, in MiB."""
    said = job.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(job.pid, 0)
    job.returncode = os.waitstatus_to_exitcode(status)
    return job.returncode, usage.ru_maxrss / 1024, said


def holds_stop(pid):
    """Whether a process keeps SIGUSR1 until it asks; before its main() begins the signal ends it."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True  # it has ended
    return int(re.search(r"SigBlk:\s*(\w+)", status).group(1), 16) >> (signal.SIGUSR1 - 1) & 1 == 1


def hit(job, pids, ranks):
    kind = dice.choice(["rank", "mpirun", "all", "stop"])
    if kind == "stop" and (len(pids) < ranks or not all(holds_stop(pid) for pid in pids)):
        kind = "stop at start"
    victims = {"rank": [dice.choice(pids)], "mpirun": [job.pid], "all": [job.pid, *pids], "stop": [job.pid],
               "stop at start": [job.pid]}[kind]
    for pid in victims:
        try:
            os.kill(pid, signal.SIGUSR1 if kind.startswith("stop") else signal.SIGKILL)
        except ProcessLookupError:
            pass
    return kind


def come_through(words, longest):
    """Runs with --resume, hit at random moments up to twice, until it is done. The hits, and the largest memory."""
    hits, peak = [], 0.0
    while True:
        ranks = dice.randint(1, 3)
        job = start(ranks, *words, "--resume")
        pids = []
        if len(hits) < 2:
            time.sleep(dice.uniform(0.1, 1) * longest)
            pids = ranks_of(job)
            if running(job) and pids:
                hits.append(hit(job, pids, ranks))
        code, memory, said = finish(job)
        peak = max(peak, memory)
        if code == 0:
            return hits, peak
        killed = (75, -signal.SIGKILL, 137)
        if code not in (killed if hits[-1:] != ["stop at start"] else (*killed, 138)) or not pids:
            sys.exit(f"FAILED: exit code {code} after {hits}: {said[-2000:]}")
        looks = 0  # a minute of them, in which this process was not stopped itself
        while any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids):  # of an mpirun that was killed
            looks += 1
            if looks > 1200:
                sys.exit("FAILED: ranks outlive their mpirun")
            time.sleep(0.05)


def tables(path):
    with h5py.File(path) as file:
        return read_elem(file["pairs"]).drop(columns=["rank", "seconds"]), read_elem(file["summary"])


def long_training(folder, seconds):
    """Memory of the ranks over a training: the largest in the second and the last quarter of the time, in MiB. (That of a
    checkpoint being written comes and goes.)"""
    job = start(2, "train", "--data", "s.h5ad", *model, "--steps", "100000000", "--output", str(folder))
    samples, end = [], time.monotonic() + seconds
    while time.monotonic() < end and running(job):
        time.sleep(min(1, seconds / 40))
        pages = [int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in ranks_of(job)]
        samples.append(sum(pages) * resource.getpagesize() / 2**20)
    os.kill(job.pid, signal.SIGUSR1)
    code, _, said = finish(job)
    if code != 75:
        sys.exit(f"FAILED: the long training ended with {code}: {said[-2000:]}")
    n = len(samples) // 4
    return max(samples[n:2 * n]), max(samples[-n:])


scratch = pathlib.Path(tempfile.mkdtemp())
os.chdir(scratch)
try:
    subprocess.run([popflow, "simulate", "screen", "--output", "s.h5ad", "--patients", "4", "--cultures", "PDO,PDOF",
                    "--treatments", "O,S,F", "--replicates", "2", "--cells", "60:200", "--seed", "3"],
                   check=True, capture_output=True, env=environment)
    train = ["train", "--data", "s.h5ad", *model, "--steps", "400", "--output"]
    begun = time.monotonic()
    code, memory, said = finish(start(2, *train, "whole"))
    longest = time.monotonic() - begun
    if code != 0:
        sys.exit(f"FAILED: {said}")
    code, _, said = finish(start(2, "evaluate", "--run", "whole", "--output", "whole.h5"))
    if code != 0:
        sys.exit(f"FAILED: {said}")
    expected, whole = tables("whole.h5"), (scratch / "whole/checkpoint.h5").read_bytes()
    peaks, hits, rounds, end = [], [], 0, time.monotonic() + 0.9 * 60 * minutes
    while time.monotonic() < end:
        run, result = scratch / "run", scratch / "r.h5"
        struck, peak = come_through([*train, str(run)], longest)
        if (run / "checkpoint.h5").read_bytes() != whole:
            sys.exit(f"FAILED: round {rounds}: another checkpoint after {struck}")
        more, memory = come_through(["evaluate", "--run", str(run), "--output", str(result)], longest / 2)
        for a, b in zip(tables(result), expected):
            pd.testing.assert_frame_equal(a, b, check_exact=True)
        left = [path.name for path in scratch.rglob("*") if path.suffix in (".tmp", ".partial") or path.name == "lock"]
        if left:
            sys.exit(f"FAILED: round {rounds}: left behind: {left}")
        peaks.append(max(peak, memory))
        hits += struck + more
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
        sys.exit("FAILED: the long training grows")
    # Of rounds like these the largest is drawn anew in each half; few rounds say nothing.
    if rounds >= 10 and max(peaks[half:]) > 1.1 * max(peaks[:half]) + 10:
        sys.exit("FAILED: the rounds grow")
finally:
    os.chdir("/")
    shutil.rmtree(scratch)
