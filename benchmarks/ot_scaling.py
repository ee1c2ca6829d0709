#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the cost of exact W1 and W2 against the number of cells, for popflow and POT, and fits exponents.

    ot_scaling.py BUILD/benchmarks/time_metrics [--largest 20000] [--largest-peer 5000] [--plot docs/images/ot_scaling.svg]

Run it in the environment of make_environment.sh. Cells are normal with 2, 10 and 43 markers, n = m. Times are CPU seconds of
all threads from cells to value. The exponent is the slope of a line through the logarithms. The last column is the peak
memory of popflow's program at the largest n. Without a sensible product of NumPy (peer_speed.py) POT's rows are left out and
the exit status is 1.
"""
import argparse
import sys
import time

from compare_pot import normal_cells, numpy_check, time_ours, versions  # isort: skip (before NumPy binds a thread)
from peer_speed import blas_kernels, cpu_name

import numpy as np
import ot

SIZES = (500, 1000, 2000, 3500, 5000, 10000, 20000)
MARKERS = (2, 10, 43)
COLOURS = {2: "#c44e52", 10: "#dd8452", 43: "#4c72b0"}


def time_pot(x, y):
    """Returns W2 and CPU seconds."""
    start = time.process_time()
    value = ot.emd2([], [], ot.dist(x.astype(float), y.astype(float)), numItermax=10**9)
    return value**0.5, time.process_time() - start


def exponent(times):
    """Returns the slope of log(time) over log(n)."""
    n, t = np.log(np.array(list(times.items()))).T
    return np.polyfit(n, t, 1)[0]


def plot(curves, path):
    width, height, left, top, right, bottom = 640, 420, 70, 20, 150, 50
    points = [(n, t) for times in curves.values() for n, t in times.items()]
    low, high = np.log10(min(points)[0]), np.log10(max(points)[0])
    bottom_power, top_power = np.floor(np.log10(min(t for _, t in points))), np.ceil(np.log10(max(t for _, t in points)))
    at_x = lambda n: left + (np.log10(n) - low) / (high - low) * (width - left - right)
    at_y = lambda t: height - bottom - (np.log10(t) - bottom_power) / (top_power - bottom_power) * (height - top - bottom)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for n in SIZES:
        if n <= max(points)[0]:
            out.append(f'<line x1="{at_x(n):.1f}" x2="{at_x(n):.1f}" y1="{top}" y2="{height - bottom}" stroke="#eee"/>'
                       f'<text x="{at_x(n):.1f}" y="{height - bottom + 18}" text-anchor="middle">{n}</text>')
    for power in range(int(bottom_power), int(top_power) + 1):
        y = at_y(10.0**power)
        out.append(f'<line x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#eee"/>'
                   f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    ends = []
    for (program, markers, metric), times in curves.items():
        dash = ' stroke-dasharray="5 4"' if program == "POT" else ""
        line = " ".join(f"{at_x(n):.1f},{at_y(t):.1f}" for n, t in times.items())
        out.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[markers]}" stroke-width="2"{dash}/>')
        last = max(times)
        ends.append([at_x(last) + 6, at_y(times[last]), f"{program}, {markers} markers"])
    for side in (True, False):  # moves labels on the same side apart
        labels = sorted((e for e in ends if (e[0] > width - right) == side), key=lambda e: e[1])
        for one, other in zip(labels, labels[1:]):
            other[1] = max(other[1], one[1] + 14)
        out += [f'<text x="{x:.1f}" y="{y + 4:.1f}">{text}</text>' for x, y, text in labels]
    out.append(f'<text x="{(left + width - right) / 2}" y="{height - 10}" text-anchor="middle">cells on each side</text>'
               f'<text x="16" y="{(top + height - bottom) / 2}" text-anchor="middle" '
               f'transform="rotate(-90 16 {(top + height - bottom) / 2})">CPU seconds of an exact W2</text></svg>')
    with open(path, "w") as file:
        file.write("\n".join(out) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--largest", type=int, default=20000)
    parser.add_argument("--largest-peer", type=int, default=5000)
    parser.add_argument("--plot")
    options = parser.parse_args()
    check = numpy_check(options.program)
    print(f"# {cpu_name()}. {versions(ot, np)}: {blas_kernels()}.")
    with_pot = check.allows("NumPy", "fp64")
    curves, memory = {}, {}
    for markers in MARKERS:
        for n in SIZES:
            if n > options.largest:
                continue
            x, y = (a.astype(np.float32) for a in normal_cells(n, n, markers))
            result = time_ours(options.program, x, y, "w1", "w2")
            for metric in ("w1", "w2"):
                curves.setdefault(("popflow", markers, metric), {})[n] = result[metric][2]
            memory[markers] = result["peak_mib"][0]
            line = f"# {markers} markers, n = {n}: W1 {result['w1'][2]:.3f} s, W2 {result['w2'][2]:.3f} s, {memory[markers]:.0f} MiB"
            if with_pot and n <= options.largest_peer:
                value, seconds = time_pot(x, y)
                curves.setdefault(("POT", markers, "w2"), {})[n] = seconds
                line += f"; POT W2 {seconds:.2f} s, difference {abs(value - result['w2'][0]) / value:.0e}"
            print(line, flush=True)
    print("\n| program | markers | metric | " + " | ".join(map(str, SIZES)) + " | exponent | MiB |")
    print("|---|---|---|" + "---|" * (len(SIZES) + 2))
    for (program, markers, metric), times in curves.items():
        cells = [f"{times[n]:.3f}" if n in times else "" for n in SIZES]
        peak = f"{memory[markers]:.0f}" if program == "popflow" else ""
        slope = f"{exponent(times):.2f}" if len(times) > 1 else ""
        print(f"| {program} | {markers} | {metric} | " + " | ".join(cells) + f" | {slope} | {peak} |")
    print(f"\n{check.report()}")
    if options.plot:
        plot({key: times for key, times in curves.items() if key[2] == "w2"}, options.plot)
    return check.exit_status()


if __name__ == "__main__":
    sys.exit(main())
