# SPDX-License-Identifier: MIT
"""Ranks of a communicator of mpi4py. The package neither imports mpi4py nor initialises MPI."""
from __future__ import annotations

import contextlib
from itertools import zip_longest


class Ranks:
    """The ranks of a communicator, or this process alone.

    Args:
        comm: intracommunicator of mpi4py. None: this process alone, for which no function calls MPI.

    Raises:
        TypeError: if `comm` is no communicator of mpi4py.
        ValueError: if `comm` is a null communicator or an intercommunicator.
    """

    def __init__(self, comm):
        self.comm = comm
        if comm is None:
            return
        if not (hasattr(comm, "py2f") and hasattr(comm, "allgather")):
            raise TypeError(f"comm: found {type(comm).__name__}. Give a communicator of mpi4py, such as MPI.COMM_WORLD")
        if not comm:
            raise ValueError("comm: found MPI.COMM_NULL. Call popflow on the ranks of a communicator only")
        if comm.is_inter:
            raise ValueError("comm: found an intercommunicator. Give an intracommunicator, such as MPI.COMM_WORLD")

    @property
    def handle(self):
        """Fortran handle of the communicator, None for this process alone."""
        return None if self.comm is None else self.comm.py2f()

    @property
    def is_root(self):
        return self.comm is None or self.comm.rank == 0

    @contextlib.contextmanager
    def together(self):
        """Raises on all ranks if the block raises on one of them. Collective.

        A rank whose block raised raises this exception, and other ranks raise RuntimeError with its text, or
        KeyboardInterrupt. The block must not raise on one rank alone before a collective call of it.
        """
        error = None
        try:
            yield
        except BaseException as caught:
            error = caught
        failures = []
        if self.comm is not None:
            found = None if error is None else (isinstance(error, KeyboardInterrupt), f"{type(error).__name__}: {error}")
            failures = [(rank, *other) for rank, other in enumerate(self.comm.allgather(found)) if other is not None]
        if error is not None:
            raise error
        for rank, is_interrupt, text in failures:
            if is_interrupt:
                raise KeyboardInterrupt
            raise RuntimeError(f"rank {rank}: {text}")

    def from_root(self, function):
        """Calls a function on rank 0 and returns its result on all ranks. Collective."""
        result = None
        with self.together():
            if self.is_root:
                result = function()
        return result if self.comm is None else self.comm.bcast(result, root=0)

    def check_same(self, args):
        """Raises ValueError on all ranks if they have different arguments. Collective."""
        if self.comm is None:
            return
        everywhere = self.comm.allgather(args)
        for rank, other in enumerate(everywhere):
            if other != everywhere[0]:
                pairs = zip_longest(other, everywhere[0], fillvalue="nothing")
                found, expected = next(pair for pair in pairs if pair[0] != pair[1])
                raise ValueError(f"rank {rank}: found {found}, where rank 0 has {expected}. Give all ranks the same arguments")

    def check_file(self, file):
        """Checks that all ranks can read a DataFile. Raises ValueError for an AnnData, which was written to a temporary file."""
        if self.comm is not None and file.is_temporary:
            raise ValueError("data: found an AnnData. With comm, give the path of a file that all ranks can read")
