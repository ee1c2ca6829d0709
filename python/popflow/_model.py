# SPDX-License-Identifier: MIT
"""Training and use of models."""
from __future__ import annotations

import contextlib
import csv
import os
import tempfile
from typing import TYPE_CHECKING, Callable, Sequence

from popflow import _core, _mpi, _program
from popflow._results import read_results
from popflow._screen import MATRIX_OPTIONS, DataFile, Screen

if TYPE_CHECKING:
    from anndata import AnnData
    from mpi4py.MPI import Intracomm
    from pandas import DataFrame


class Model:
    """A trained model in a run folder.

    Attributes:
        run: path of the run folder.
        screen: screen that it was trained on by train(), else None.
        stopped: whether the training was stopped before its last step. train(..., resume=True) continues it.
        method: name of the method, such as "mfm".
        markers: names of the d markers, in the order of the columns of predictions.
        cell_types: labels of the cell types of the training.
        treatments: dict of the training concentrations by treatment.
        steps: number of training steps of the weights.
        config: options of the training as text, by name.
    """

    def __init__(self, run, screen=None, folder=None, stopped=False):
        self.run, self.screen, self.stopped = os.fspath(run), screen, stopped
        self._folder = folder
        if not os.path.isdir(self.run):
            raise FileNotFoundError(f"{self.run}: no such run folder")
        with _program.files():
            about = _core.describe_run(self.run)
        self.method, self.markers, self.cell_types = about["method"], about["markers"], about["cell_types"]
        self.treatments, self.steps, self.config = about["treatments"], about["steps"], about["config"]
        self._generates = about["generates"]

    def __repr__(self):
        return f"Model({self.run!r}, method={self.method!r}, steps={self.steps})"

    def _data(self, data, options):
        """Returns a file with some data, and the options that read it in addition to those of the training."""
        if isinstance(data, Screen):
            return data._file, data.options
        chosen = {name: self.config.get(_program.option_name(name)) for name in MATRIX_OPTIONS}
        return DataFile(data, {**chosen, **options}), {}

    def predict(self, data: AnnData | str | os.PathLike | None = None, treatment: str | Sequence[str] | None = None,
                concentration: float | Sequence[float] | None = None, callback: Callable[[dict], object] | None = None,
                progress: bool | None = None, **options) -> AnnData:
        """Predicts the treated cells of control populations, as `popflow predict`.

        Args:
            data: AnnData or path of an .h5ad file with the controls, in the units of the training data. With a treatment, it
                needs no column of treatments, and all its cells are controls. None for a run that generates populations
                (`source="noise"`): then give `number` and `cells`.
            treatment: a treatment of the training, or a list of them. None: all of them.
            concentration: number, or list of numbers, for a training with doses="all".
            callback, progress: as for train().
            options: options of the prediction, such as `space`, `clip`, `times`, `eval_seed`, `max_cells`. See
                popflow.options("predict").

        Returns:
            AnnData [predicted cells, d] in memory. obs has the labels of the control cell, `predicted_treatment`,
            `predicted_from` (name of the control cell) and `predicted_population`. X has raw values.

        Raises:
            ValueError, OSError: for other markers, an unknown treatment, or too few cells.
            RuntimeError: if a prediction failed.
        """
        import anndata

        _program.refuse_options(options, run="The run is that of the model",
                                output="predict() returns an AnnData. Write it with write_h5ad()")
        treatments = [treatment] if isinstance(treatment, str) else treatment
        given = {"run": self.run, "treatment": treatments, "concentration": concentration}
        if data is not None:
            file, data_options = self._data(data, options)
            given.update({k: v for k, v in data_options.items() if _program.section(k) == "data"}, data=file.path)
        given.update(options)
        with tempfile.TemporaryDirectory(prefix="popflow-") as folder:
            output = os.path.join(folder, "predicted.h5ad")
            _program.run_verb("predict", {**given, "output": output}, callback, progress)
            with _program.files():
                return anndata.read_h5ad(output)

    def evaluate(self, screen: Screen | AnnData | str | os.PathLike | None = None, output: str | os.PathLike | None = None,
                 callback: Callable[[dict], object] | None = None, progress: bool | None = None, comm: Intracomm | None = None,
                 **options) -> dict[str, DataFrame]:
        """Scores the model and the baselines on held-out pairs, as `popflow evaluate`.

        Args:
            screen: Screen, AnnData or path. None: the screen of the training.
            output: path of the result file. None: a temporary file.
            callback, progress, comm: as for train(). With `comm`, all ranks return the tables.
            options: options of the evaluation, such as `parts`, `metrics`, `max_cells`, `split`. See
                popflow.options("evaluate").

        Returns:
            Dict of DataFrames, see read_results().

        Raises:
            ValueError, OSError, RuntimeError: as the program.
            KeyboardInterrupt: on Ctrl-C. With `output` and resume=True the next call continues.
        """
        ranks = _mpi.Ranks(comm)
        with ranks.together():
            _program.refuse_options(options, run="The run is that of the model", data="Give the data as `screen`")
            screen = self.screen if screen is None else screen
            if screen is None:
                raise ValueError("screen: missing. Give the screen to score the model on")
            file, data_options = self._data(screen, options)
            ranks.check_file(file)
        with contextlib.ExitStack() as folders:
            path = output
            if output is None:
                new_folder = tempfile.TemporaryDirectory
                path = ranks.from_root(lambda: os.path.join(folders.enter_context(new_folder(prefix="popflow-")), "results.h5"))
            given = {"run": self.run, **data_options, **options, "data": file.path, "output": os.fspath(path)}
            _, stopped = _program.run_verb("evaluate", given, callback, progress, ranks)
            if stopped:
                raise RuntimeError("evaluate was stopped by its callback. With output and resume=True the next call continues")
            return ranks.from_root(lambda: _program.with_files(read_results, path))

    def embed(self, data: Screen | AnnData | str | os.PathLike, controls: str = "labelled", **options) -> DataFrame:
        """Embeds the control populations of some data.

        Args:
            data: Screen, AnnData or path of an .h5ad file.
            controls: "labelled" for the cells whose treatment is a control, or "all" if all cells are controls and there is no
                column of treatments.
            options: options of the data, and `max_cells` and `eval_seed` of the draw of the embedded cells.

        Returns:
            DataFrame with a row for each population: `population patient culture treatment concentration replicate plate
            n_cells`, and the embedding in the columns h0, h1, ... It has no such column for a method without an embedding.

        Raises:
            ValueError, OSError: for other markers, or too few cells.
        """
        import pandas

        _program.refuse_options(options, run="The run is that of the model")
        if controls not in ("labelled", "all"):
            raise ValueError(f"controls: found {controls!r}. Give labelled or all")
        file, data_options = self._data(data, options)
        data_options = {k: v for k, v in data_options.items() if _program.section(k) == "data"}
        given = {"run": self.run, **data_options, **options, "data": file.path}
        with _program.named_errors(), _program.files():
            found = _core.embed(_program.arguments(given), controls == "all")
        labels = pandas.DataFrame(found["labels"])
        return pandas.concat([labels, pandas.DataFrame(found["values"]).add_prefix("h")], axis=1)

    def save(self, folder: str | os.PathLike) -> None:
        """Copies the run folder. Use it to keep a model that was trained without `output`."""
        import shutil

        shutil.copytree(self.run, folder)


def load(run: str | os.PathLike) -> Model:
    """Loads the model of a run folder of `popflow train`, `popflow run` or train().

    Raises:
        ValueError, OSError: if it is no run folder, or a file of it is damaged.
    """
    return Model(run)


def train(screen: Screen | AnnData | str | os.PathLike, *, method: str | None = None, output: str | os.PathLike | None = None,
          callback: Callable[[dict], object] | None = None, progress: bool | None = None, comm: Intracomm | None = None,
          **options) -> Model:
    """Trains a model, as `popflow train`: the same options, defaults and bits.

    Args:
        screen: Screen, AnnData or path of an .h5ad file.
        method: "mfm", "fm", "cgfm", "icnn", "mean-shift", "moment-map", "bwfm", "wfm", "auto", ... None: that of the program.
        output: run folder to write. None: a temporary folder that is removed with the model, see Model.save().
        callback: function that is called after each step with a dict of `what` ("train"), `done`, `total`, `note`, `loss` and
            `energy` (of the last validation, or None). If it returns True, the training stops after the next step and
            stores a checkpoint.
        progress: whether to show a bar by tqdm. None: if tqdm is installed, and standard error is a terminal or a notebook.
        comm: communicator of mpi4py, such as MPI.COMM_WORLD, whose ranks train one model. All of them call train() with the
            same arguments: paths of files that all can read, and `output`. Rank 0 calls `callback`. None: this process
            alone, without MPI.
        options: options of the program with underscores, such as `steps`, `hidden`, `batch_pairs`, `split`, `seed`,
            `resume`. See popflow.options().

    Returns:
        Model. For a leave-one-out (`split="each:patient"`, which needs `output`) a dict of the trained models by the value
        that was left out. With `dry_run` the text of the plan.

    Raises:
        ValueError, OSError: for options or data that are wrong, with the line that the program prints.
        RuntimeError: if the training fails, for example if it diverges.
        KeyboardInterrupt: on Ctrl-C. A checkpoint is stored, and with `output` and resume=True the next call continues.
        TypeError: if `comm` is no communicator of mpi4py.

    With `comm`, an error on one rank is an exception on all. If the other ranks do not end their work within 10 seconds after
    it, they may wait for this rank. It then prints the error and ends all ranks by MPI_Abort, as the program does.

    The notes of the program go to the logger `popflow`.
    """
    ranks = _mpi.Ranks(comm)
    folder = None
    with ranks.together():
        _program.refuse_options(options, data="Give the data as `screen`")
        matrix = {key: options[key] for key in MATRIX_OPTIONS if key in options}
        if not isinstance(screen, Screen):
            screen = Screen(screen, **matrix)
        elif screen._file.is_temporary and any(screen.options.get(key) != value for key, value in matrix.items()):
            raise ValueError(f"{next(iter(matrix))}: the Screen of an AnnData has one matrix. Give this option to popflow.Screen()")
        ranks.check_file(screen._file)
        if output is None:
            if comm is not None:
                raise ValueError("output: missing. With comm, give a run folder that all ranks can read")
            folder = _program.TemporaryFolder()
            output = os.path.join(folder.name, "run")
    given = {**screen.options, **options, "method": method, "data": screen.path, "output": os.fspath(output)}
    text, stopped = _program.run_verb("train", given, callback, progress, ranks)
    with ranks.together():
        if options.get("dry_run") not in (None, False, "none"):
            return text
        if os.path.exists(os.path.join(output, "folds.csv")):
            return _folds(output, screen, folder)
        if stopped and not any(name.startswith("checkpoint") for name in os.listdir(output)):
            raise RuntimeError(
                "the training was stopped before its first checkpoint. With output and resume=True the next call continues")
        return Model(output, screen=screen, folder=folder, stopped=stopped)


def _folds(output, screen, folder):
    """Returns the trained models of a leave-one-out by the value that was left out."""
    with open(os.path.join(output, "folds.csv"), newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] in ("trained", "scored")]
    return {row["value"]: Model(os.path.join(output, row["folder"]), screen=screen, folder=folder) for row in rows}
