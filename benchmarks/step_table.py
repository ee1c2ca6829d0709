#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tables of what step_bench measured: the limit, products and their share of it, steps and their parts, input.

    step_bench --benchmark_format=json --benchmark_display_aggregates_only=false > step.json; step_table.py step.json

Medians of the repetitions. Speed is by the CPU time of all threads, and its share is of `peak` of the same precision on
one thread. Of a step, its products are those measured alone, added up.
"""
import json
import statistics
import sys

CELLS, INPUTS, HIDDEN, MARKERS, LAYERS = 1024, 427, 512, 43, 7


def read(path):
    """{name without its settings: {threads: row}}, rows of medians in ms, and GFLOP/s or cells/s by the clock."""
    with open(path) as file:
        rows = json.load(file)["benchmarks"]
    found = {}
    for row in sorted(rows, key=lambda r: r["family_index"]):
        if row["run_type"] == "iteration":
            name, _, settings = row["name"].partition("/threads:")
            found.setdefault((name, int(settings.split("/")[0])), []).append(row)
    table = {}
    for (name, threads), runs in found.items():
        keys = [k for k in ("real_time", "cpu_time", "GFLOP/s", "cells/s") if k in runs[0]]
        table.setdefault(name, {})[threads] = {k: statistics.median(run[k] for run in runs) for k in keys}
    return table


def by_cpu(row):
    """GFLOP a CPU-second."""
    return row["GFLOP/s"] * row["real_time"] / row["cpu_time"]


def product_ms(table, precision):
    """CPU time of all matrix products of the velocity network's step, from those measured alone."""
    def ms(kind, shape):
        return table[f"{kind}/{shape}/{precision}"][1]["cpu_time"]

    first, middle, last = f"{INPUTS}x{HIDDEN}", f"{HIDDEN}x{HIDDEN}", f"{HIDDEN}x{MARKERS}"
    # forward; gradients of weights; gradients of inputs, which have the shape of the layer but for the first
    return (ms("layer", first) + (LAYERS - 1) * ms("layer", middle) + ms("layer", last)
            + ms("gradient", first) + (LAYERS - 1) * ms("gradient", middle) + ms("gradient", last)
            + (LAYERS - 1) * ms("layer", middle) + ms("layer", last))


def main():
    table = read(sys.argv[1])
    most = max(threads for rows in table.values() for threads in rows)
    both = [p for p in ("fp32", "bf16") if f"step/flow/{p}" in table]
    peak = {p: by_cpu(table[f"peak/{p}"][1]) for p in both if f"peak/{p}" in table}

    print("| limit of the registers | " + " | ".join(f"{p} GFLOP/s" for p in both) + " |\n|---|" + "---|" * len(both))
    for threads in sorted(table["peak/fp32"]):
        speeds = [f"{table[f'peak/{p}'][threads]['GFLOP/s']:.0f}" if p in peak else "" for p in both]
        print(f"| {threads} thread{'s' if threads > 1 else ''} | " + " | ".join(speeds) + " |")

    def speeds(name):
        cells = []
        for p in both:
            speed = by_cpu(table[f"{name}/{p}"][1])
            cells += [f"{speed:.0f}", f"{speed / peak[p]:.0%}" if p in peak else ""]
        return " | ".join(cells)

    print("\n| product of 1024 cells, one thread | " + " | ".join(f"{p} GFLOP/s | of the limit" for p in both) + " |")
    print("|---|" + "---|---|" * len(both))
    for name in table:
        if name.startswith(("layer/", "gradient/")) and name.endswith("/fp32"):
            kind, shape, _ = name.split("/")
            print(f"| {kind} {shape.replace('x', ' x ')} | {speeds(f'{kind}/{shape}')} |")
    for name, what in (("step/flow", "flow step, all of it"), ("step/joint_k100", "joint step, k = 100, all of it"),
                       ("predict_5000x100", "prediction, all of it")):
        print(f"| {what} | {speeds(name)} |")

    print(f"\n| step, precision | 1 thread, ms | {most} threads, ms | speed-up | CPU on 1, ms | CPU on {most}, ms |")
    print("|---|---|---|---|---|---|")
    for name, rows in table.items():
        if name.startswith(("step/", "predict")):
            one, all_ = rows[1], rows[most]
            title = name.removeprefix("step/").replace("/", ", ")
            print(f"| {title} | {one['real_time']:.1f} | {all_['real_time']:.1f} | "
                  f"{one['real_time'] / all_['real_time']:.2f} | {one['cpu_time']:.1f} | {all_['cpu_time']:.1f} |")

    print("\n| CPU time of the joint step, k = 100, one thread | " + " | ".join(f"{p}, ms" for p in both) + " |")
    print("|---|" + "---|" * len(both))
    whole = {p: table[f"step/joint_k100/{p}"][1]["cpu_time"] for p in both}
    products = {p: product_ms(table, p) for p in both}
    encoder, search = (table[f"{part}/k100"][1]["cpu_time"] for part in ("encoder", "neighbours"))
    lines = {"products of the velocity network": products, "neighbours": dict.fromkeys(both, search),
             "the rest of the encoder": dict.fromkeys(both, encoder - search),
             "draws, features, passes over activations, sum, clipping, Adam": {
                 p: whole[p] - products[p] - encoder for p in both},
             "all": whole}
    for what, ms in lines.items():
        print(f"| {what} | " + " | ".join(f"{ms[p]:.1f} ({ms[p] / whole[p]:.0%})" for p in both) + " |")

    print(f"\n| encoder and input | 1 thread, ms | {most} threads, ms | million cells a second |\n|---|---|---|---|")
    for name, rows in table.items():
        if name.startswith(("encoder/", "neighbours/", "input/")):
            speed = f"{rows[most]['cells/s'] * 1e-6:.2g}" if "cells/s" in rows[most] else ""
            title = name.replace("/", ", ")
            print(f"| {title} | {rows[1]['real_time']:.2f} | {rows[most]['real_time']:.2f} | {speed} |")


if __name__ == "__main__":
    main()
