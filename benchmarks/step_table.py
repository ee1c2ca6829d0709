#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints tables of the results of step_bench: peak of the CPU, products, training steps and their parts, input.

    step_bench --benchmark_format=json --benchmark_display_aggregates_only=false > step.json; step_table.py step.json

All figures are medians of the repetitions. Speeds are per CPU-second of all threads. Shares are relative to `peak` of the same
precision on one thread. The products of a step are the sum of products that were measured separately.
"""
import json
import statistics
import sys

CELLS, INPUTS, HIDDEN, MARKERS, LAYERS = 1024, 427, 512, 43, 7


def read(path):
    """Returns {name without settings: {threads: row}}, with medians in ms and GFLOP/s or cells/s of elapsed time."""
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


def cpu_speed(row):
    """Returns GFLOP per CPU-second."""
    return row["GFLOP/s"] * row["real_time"] / row["cpu_time"]


def product_ms(table, precision):
    """Returns the CPU time of all matrix products in a step of the velocity network, from separate measurements."""
    def ms(kind, shape):
        return table[f"{kind}/{shape}/{precision}"][1]["cpu_time"]

    first, middle, last = f"{INPUTS}x{HIDDEN}", f"{HIDDEN}x{HIDDEN}", f"{HIDDEN}x{MARKERS}"
    # Forward pass, gradients of the weights, and gradients of the inputs of all layers but the first.
    return (ms("layer", first) + (LAYERS - 1) * ms("layer", middle) + ms("layer", last)
            + ms("gradient", first) + (LAYERS - 1) * ms("gradient", middle) + ms("gradient", last)
            + (LAYERS - 1) * ms("layer", middle) + ms("layer", last))


def main():
    table = read(sys.argv[1])
    max_threads = max(threads for rows in table.values() for threads in rows)
    precisions = [p for p in ("fp32", "bf16") if f"step/flow/{p}" in table]
    peak = {p: cpu_speed(table[f"peak/{p}"][1]) for p in precisions if f"peak/{p}" in table}

    print("| peak of the CPU | " + " | ".join(f"{p} GFLOP/s" for p in precisions) + " |\n|---|" + "---|" * len(precisions))
    for threads in sorted(table["peak/fp32"]):
        speeds = [f"{table[f'peak/{p}'][threads]['GFLOP/s']:.0f}" if p in peak else "" for p in precisions]
        print(f"| {threads} thread{'s' if threads > 1 else ''} | " + " | ".join(speeds) + " |")

    def speeds(name):
        cells = []
        for p in precisions:
            speed = cpu_speed(table[f"{name}/{p}"][1])
            cells += [f"{speed:.0f}", f"{speed / peak[p]:.0%}" if p in peak else ""]
        return " | ".join(cells)

    print("\n| product of 1024 cells, one thread | " + " | ".join(f"{p} GFLOP/s | of the peak" for p in precisions) + " |")
    print("|---|" + "---|---|" * len(precisions))
    for name in table:
        if name.startswith(("layer/", "gradient/")) and name.endswith("/fp32"):
            kind, shape, _ = name.split("/")
            print(f"| {kind} {shape.replace('x', ' x ')} | {speeds(f'{kind}/{shape}')} |")
    for name, what in (("step/flow", "flow step, total"), ("step/joint_k100", "joint step, k = 100, total"),
                       ("predict_5000x100", "prediction, total")):
        print(f"| {what} | {speeds(name)} |")

    print(f"\n| step, precision | 1 thread, ms | {max_threads} threads, ms | speed-up | CPU on 1, ms | CPU on {max_threads}, ms |")
    print("|---|---|---|---|---|---|")
    for name, rows in table.items():
        if name.startswith(("step/", "predict")):
            one, all_ = rows[1], rows[max_threads]
            title = name.removeprefix("step/").replace("/", ", ")
            print(f"| {title} | {one['real_time']:.1f} | {all_['real_time']:.1f} | "
                  f"{one['real_time'] / all_['real_time']:.2f} | {one['cpu_time']:.1f} | {all_['cpu_time']:.1f} |")

    print("\n| CPU time of the joint step, k = 100, one thread | " + " | ".join(f"{p}, ms" for p in precisions) + " |")
    print("|---|" + "---|" * len(precisions))
    whole = {p: table[f"step/joint_k100/{p}"][1]["cpu_time"] for p in precisions}
    products = {p: product_ms(table, p) for p in precisions}
    encoder, search = (table[f"{part}/k100"][1]["cpu_time"] for part in ("encoder", "neighbours"))
    lines = {"products of the velocity network": products, "neighbours": dict.fromkeys(precisions, search),
             "the rest of the encoder": dict.fromkeys(precisions, encoder - search),
             "random draws, features, passes over activations, sum, clipping, Adam": {
                 p: whole[p] - products[p] - encoder for p in precisions},
             "total": whole}
    for what, ms in lines.items():
        print(f"| {what} | " + " | ".join(f"{ms[p]:.1f} ({ms[p] / whole[p]:.0%})" for p in precisions) + " |")

    print(f"\n| encoder and input | 1 thread, ms | {max_threads} threads, ms | million cells per second |\n|---|---|---|---|")
    for name, rows in table.items():
        if name.startswith(("encoder/", "neighbours/", "input/")):
            speed = f"{rows[max_threads]['cells/s'] * 1e-6:.2g}" if "cells/s" in rows[max_threads] else ""
            title = name.replace("/", ", ")
            print(f"| {title} | {rows[1]['real_time']:.2f} | {rows[max_threads]['real_time']:.2f} | {speed} |")


if __name__ == "__main__":
    main()
