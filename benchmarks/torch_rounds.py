# SPDX-License-Identifier: MIT
"""Rounds of popflow's step_bench and of PyTorch in turn, for compare_torch.py and compare_set.py."""
import re
import statistics
from pathlib import Path

from programs import run_step_bench  # isort: skip (before PyTorch)
from peer_speed import PeerCheck, cpu_name, torch_kernels, torch_product


def compare_rounds(arguments, make_work, warm_up, timed, pattern):
    """Prints a table of the medians of some rounds, and returns an exit status.

    arguments: cases, rounds, threads, step_bench and no_compile of the command line.
    make_work(case, precision, compiled): makes the arguments of timed(), whose first one is a function that does one step.
    timed(*work): returns elapsed and CPU milliseconds of a step.
    pattern: regular expression of the cases of step_bench.
    """
    import torch

    has_bf16 = re.search(r"avx512_bf16|amx_bf16", Path("/proc/cpuinfo").read_text())
    precisions = ("fp32", "bf16") if has_bf16 else ("fp32",)
    modes = ("eager",) if arguments.no_compile else ("eager", "compiled")
    check = PeerCheck(arguments.step_bench, arguments.threads)
    for precision in precisions:
        check.measure("PyTorch", precision, torch_product(torch.bfloat16 if precision == "bf16" else torch.float32))

    works = {(case, precision, mode): make_work(case, precision, mode == "compiled")
             for case in arguments.cases for precision in precisions for mode in modes}
    for work in works.values():
        warm_up(work[0])
    rounds = {}  # (case, precision, who) -> [(elapsed ms, CPU ms)]
    for _ in range(arguments.rounds):
        for key, work in works.items():
            rounds.setdefault(key, []).append(timed(*work))
        rows = run_step_bench(arguments.step_bench, f"^({pattern})/.*/threads:{arguments.threads}/")
        for (case, precision), row in rows.items():
            rounds.setdefault((case, precision, "popflow"), []).append(row)
    median = {key: [statistics.median(v) for v in zip(*values)] for key, values in rounds.items()}

    print(f"{cpu_name()}. torch {torch.__version__}: {torch_kernels()}. Elapsed ms, in brackets CPU ms of all threads, medians "
          f"of {arguments.rounds} rounds on {arguments.threads} threads.\n")
    print("| case | precision | popflow | PyTorch eager | PyTorch compiled | ratio to the faster one (CPU) |")
    print("|---|---|---|---|---|---|")
    for case in arguments.cases:
        for precision in precisions:
            times = [median.get((case, precision, who)) for who in ("popflow", "eager", "compiled")]
            theirs = [min(column) for column in zip(*(t for t in times[1:] if t))]
            texts = [f"{t[0]:.1f} ({t[1]:.1f})" if t else "-" for t in times]
            print("|", " | ".join([case, precision, *texts, check.ratio("PyTorch", precision, theirs, times[0])]), "|")
    print(f"\n{check.report()}")
    return check.exit_status()
