#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares training steps and prediction with PyTorch, eager and compiled, and prints tables.

    compare_torch.py BUILD/benchmarks/step_bench [--rounds 3] [--threads 2] [--cases CASE...]

Run it in the environment of make_environment.sh. torch.compile needs g++.

Cases:
  flow              training step with a given embedding
  joint_k0, _k10, _k100
                    training step that also builds the graph of k neighbours of 1024 cells and trains the encoder
  predict_5000x100  100 velocities of 5000 cells (PyTorch evaluates ten and the time is multiplied)

popflow's step also draws its cells, sums gradients exactly and averages the weights. PyTorch's is the forward pass, the
backward pass and a fused torch.optim.Adam. bf16 is torch.autocast, and is compared only on CPUs with instructions for it.

popflow and PyTorch run in turn on the same cores. Times are medians over the rounds, each round the mean of 5 steps, as
elapsed time and, in brackets, CPU time of all threads. Compilation happens in the warm-up and does not count. The faster of
eager and compiled counts for the ratio. peer_speed.py refuses ratios if PyTorch's plain products are slow.
"""
import argparse
import os
import sys
import time

from torch_rounds import compare_rounds

STEPS = 5  # steps per round, the same number as in step_bench
CELLS = 1024
KNN = {"flow": None, "joint_k0": 0, "joint_k10": 10, "joint_k100": 100}
PREDICTION = "predict_5000x100"

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("step_bench")
options.add_argument("--rounds", type=int, default=3)
options.add_argument("--threads", type=int, default=2)
options.add_argument("--cases", nargs="+", choices=[*KNN, PREDICTION], default=[*KNN, PREDICTION])
options.add_argument("--no-compile", action="store_true", help="skip torch.compile")
arguments = options.parse_args()
# A spinning thread takes the time of the thread that it waits for, and counts as CPU time. Unbound threads may share a core
# while another core is idle.
os.environ.update(OMP_NUM_THREADS=str(arguments.threads), OMP_WAIT_POLICY="passive", OMP_PROC_BIND="true", OMP_PLACES="cores")

import torch  # noqa: E402: after the settings for its threads

from torch_network import CELL_TYPES, MARKERS, Decoder, Encoder, make_prediction, random_condition  # noqa: E402

torch.set_num_threads(arguments.threads)
torch.manual_seed(0)


def make_step(knn, precision, compiled):
    """Returns a function that does one training step of its own network."""
    decoder = Decoder()
    encoder = None if knn is None else Encoder(knn)
    embedding, treatment = random_condition()
    x0, x1 = torch.randn(CELLS, MARKERS), torch.randn(CELLS, MARKERS)
    cell_type = torch.eye(CELL_TYPES)[torch.zeros(CELLS, dtype=torch.long)]
    parameters = [*decoder.parameters(), *(encoder.parameters() if encoder else [])]
    adam = torch.optim.Adam(parameters, 1e-4, fused=True)

    def loss():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            h = encoder(x0, cell_type) if encoder else embedding
            t = torch.rand(CELLS)
            v = decoder(h, t, (1 - t[:, None]) * x0 + t[:, None] * x1, treatment)
        return ((v.float() - (x1 - x0)) ** 2).sum(1).mean()

    evaluate = torch.compile(loss, dynamic=False) if compiled else loss

    def step():
        adam.zero_grad()
        evaluate().backward()
        adam.step()

    return step


def make_work(case, precision, compiled):
    """Returns the function to time, how often a round calls it, and the factor from one call to the case."""
    if case != PREDICTION:
        return make_step(KNN[case], precision, compiled), STEPS, 1
    decoder = Decoder()
    return make_prediction(torch.compile(decoder, dynamic=False) if compiled else decoder, precision, 10), 1, 10


def timed(work, calls, factor):
    """Returns elapsed and CPU milliseconds of the case."""
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        work()
    scale = 1e3 * factor / calls
    return scale * (time.perf_counter() - start), scale * (time.process_time() - cpu)


def warm_up(work):
    for _ in range(3):
        work()


def main():
    names = "|".join(case if case == PREDICTION else f"step/{case}" for case in arguments.cases)
    return compare_rounds(arguments, make_work, warm_up, timed, names)


if __name__ == "__main__":
    sys.exit(main())
