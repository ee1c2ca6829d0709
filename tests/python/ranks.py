# SPDX-License-Identifier: MIT
"""Cases of test_mpi.py, which runs this file on several ranks: ranks.py CASE FOLDER. Each rank writes what it found to FOLDER/RANK.

The folder of this test has screen.h5ad and other.h5ad.
"""
import os
import signal
import sys

import popflow

case, folder = sys.argv[1:]
assert "mpi4py" not in sys.modules, "popflow imports mpi4py"
from mpi4py import MPI  # noqa: E402

comm = MPI.COMM_WORLD
last = comm.size - 1
TRAINING = dict(method="mfm", hidden=32, layers=2, knn=5, cells=50, batch_pairs=2, steps=20, seed=3, comm=comm)


def report(text):
    with open(os.path.join(folder, str(comm.rank)), "w", encoding="utf-8") as file:
        file.write(text)


def screen():
    return popflow.Screen(os.path.join(folder, "screen.h5ad"), min_cells=50, split="patient:21")


def train(data=None, **options):
    return popflow.train(data or screen(), output=os.path.join(folder, "run"), **{**TRAINING, **options})


def train_and_evaluate():
    model = train()
    tables = model.evaluate(sample_pairs=0, comm=comm)
    tables["pairs"].drop(columns=["seconds", "rank"], errors="ignore").to_csv(os.path.join(folder, f"pairs{comm.rank}.csv"))
    model.evaluate(sample_pairs=0, output=os.path.join(folder, "results.h5"), comm=comm)
    report(f"{model.steps} {model.stopped} {os.path.exists(os.path.join(folder, 'results.h5'))}")


def dry_run():
    report(train(dry_run="plan"))


def part_of_the_ranks():
    """The first rank trains alone, the others train together."""
    own = comm.Split(0 if comm.rank == 0 else 1)
    popflow.train(screen(), output=os.path.join(folder, f"run{min(comm.rank, 1)}"), **{**TRAINING, "comm": own})


def without_output():
    popflow.train(screen(), **TRAINING)


def anndata_in_memory():
    import anndata

    train(anndata.read_h5ad(os.path.join(folder, "screen.h5ad")))


def invalid_option():
    train(hidden="many")


def missing_file_on_one_rank():
    train(os.path.join(folder, "screen.h5ad" if comm.rank < last else "nowhere.h5ad"), min_cells=50, split="patient:21")


def other_options():
    train(hidden=32 if comm.rank < last else 16)


def callback_raises():
    def callback(_):
        raise ZeroDivisionError("in the callback")

    train(callback=callback)


def callback_stops():
    model = train(callback=lambda values: values["done"] == 5)
    report(f"stopped {model.stopped} {model.steps}")


def interrupt_on_one_rank():
    def callback(values):
        if values["done"] == 3:
            os.kill(os.getpid(), signal.SIGINT)

    train(callback=callback, steps=100000)


def not_a_communicator():
    train(comm=3)


def null_communicator():
    train(comm=MPI.COMM_NULL)


def other_files():
    """The last rank reads another file of the same name. Only rank 0 notices, while the others wait for it."""
    own = os.path.join(folder, f"own{min(last, comm.rank)}")
    os.makedirs(own, exist_ok=True)
    source = "screen.h5ad" if comm.rank < last else "other.h5ad"
    os.symlink(os.path.join(folder, source), os.path.join(own, "screen.h5ad"))
    os.chdir(own)
    train(popflow.Screen("screen.h5ad", min_cells=50, split="patient:21"))


try:
    globals()[case]()
except (Exception, KeyboardInterrupt) as error:
    report(f"{type(error).__name__}: {error}")
