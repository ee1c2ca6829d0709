# SPDX-License-Identifier: MIT
"""Communicators of mpi4py against the program on the same ranks. MPIEXEC is the launcher."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
from conftest import READING, SCREEN, TRAINING

import popflow
from popflow import _program

pytest.importorskip("mpi4py", reason="mpi4py is missing")
LAUNCHER = os.environ.get("MPIEXEC") or shutil.which("mpiexec")
pytestmark = pytest.mark.skipif(not LAUNCHER, reason="mpiexec is missing")
CASES = Path(__file__).parent / "ranks.py"


def launch(ranks, *command):
    """Runs a command on some ranks."""
    return subprocess.run([LAUNCHER, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), *map(str, command)], capture_output=True,
                          text=True, check=False)


@pytest.fixture
def folder(screen_file, tmp_path):
    os.symlink(screen_file, tmp_path / "screen.h5ad")
    return tmp_path


def found(case, folder, ranks=2):
    """Runs a case of ranks.py and returns what each rank reports."""
    done = launch(ranks, sys.executable, CASES, case, folder)
    assert done.returncode == 0, done.stderr
    return [(folder / str(rank)).read_text() if (folder / str(rank)).exists() else None for rank in range(ranks)]


def tensors_of(run):
    with h5py.File(Path(run) / "weights.h5") as file:
        return {name: dataset[()].tobytes() for name, dataset in file["average"].items()}


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_training_and_scores_have_the_bits_of_the_program(ranks, program, folder, model):
    assert found("train_and_evaluate", folder, ranks) == ["20 False True"] * ranks
    done = launch(ranks, program, "train", "--method=mfm", f"--data={folder}/screen.h5ad", f"--output={folder}/theirs",
                  *_program.arguments({**READING, **TRAINING}))
    assert done.returncode == 0, done.stderr
    tensors = [tensors_of(run) for run in (folder / "run", folder / "theirs", model.run)]
    assert tensors[0] == tensors[1] == tensors[2]
    done = launch(ranks, program, "evaluate", f"--run={folder}/theirs", f"--data={folder}/screen.h5ad", "--sample-pairs=0",
                  f"--output={folder}/theirs.h5")
    assert done.returncode == 0, done.stderr
    theirs = popflow.read_results(folder / "theirs.h5")["pairs"].drop(columns=["seconds", "rank"], errors="ignore")
    theirs.to_csv(folder / "theirs.csv")
    for rank in range(ranks):
        assert (folder / f"pairs{rank}.csv").read_text() == (folder / "theirs.csv").read_text()


def test_parts_of_the_ranks_train_models_of_their_own(folder, model):
    assert found("part_of_the_ranks", folder, 3) == [None] * 3
    assert tensors_of(folder / "run0") == tensors_of(folder / "run1") == tensors_of(model.run)


def test_a_dry_run_has_its_plan_on_all_ranks(folder):
    first, second = found("dry_run", folder)
    assert "2 ranks" in first and first == second


@pytest.mark.parametrize("case, first, second", [
    ("without_output", "ValueError: output: missing. With comm, give a run folder", None),
    ("anndata_in_memory", "ValueError: data: found an AnnData. With comm, give the path", None),
    ("invalid_option", "ValueError: hidden: ", None),
    ("missing_file_on_one_rank", None, "FileNotFoundError: "),
    ("other_options", "ValueError: rank 1: found --hidden=16, where rank 0 has --hidden=32", None),
    ("callback_raises", "ZeroDivisionError: in the callback", "RuntimeError: rank 0: ZeroDivisionError: in the callback"),
    ("callback_stops", "stopped True 6", None),
    ("interrupt_on_one_rank", "KeyboardInterrupt", None),
    ("not_a_communicator", "TypeError: comm: found int. Give a communicator of mpi4py", None),
    ("null_communicator", "ValueError: comm: found MPI.COMM_NULL", None),
])
def test_an_error_of_one_rank_ends_the_call_on_all(case, first, second, folder):
    """`second` is None where both ranks report the same."""
    reports = found(case, folder)
    if case == "missing_file_on_one_rank":
        assert reports[0].startswith("RuntimeError: rank 1: FileNotFoundError: ") and reports[1].startswith(second)
        return
    assert reports[0].startswith(first) and reports[1].startswith(second or first)


def test_a_rank_that_fails_alone_ends_the_others_that_wait_for_it(folder):
    other = popflow.simulate("screen", output=str(folder / "other.h5ad"), **{**SCREEN, "seed": 2})
    assert os.path.exists(other)
    done = launch(2, sys.executable, CASES, "other_files", folder)
    assert done.returncode != 0
    assert "popflow: rank 0: the ranks do not have the same data file screen.h5ad" in done.stderr


def test_the_example_of_the_documentation_runs(folder):
    page = Path(__file__).resolve().parents[2] / "docs" / "python.md"
    (block,) = re.findall(r"^```py\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    block = block.replace('method="mfm",', 'method="mean-shift",')
    (folder / "train.py").write_text(f"import os\nos.chdir({str(folder)!r})\n{block}")
    done = launch(2, sys.executable, "-m", "mpi4py", folder / "train.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("mean_shift") > 0 and (folder / "run" / "weights.h5").exists()
