# SPDX-License-Identifier: MIT
"""Data of a screen."""
import json
import os

from popflow import _program


MATRIX_OPTIONS = ("layer", "obsm", "use_raw")  # choose the matrix of an AnnData


def is_anndata(data):
    return hasattr(data, "obs_names") and hasattr(data, "var_names") and hasattr(data, "layers")


def _writable_column(column):
    """Returns a column that every version of anndata writes: numbers and text stay as they are, other values become text.

    Text is what the library compares labels as. Missing values stay missing.
    """
    import numpy as np
    import pandas
    from pandas.api.types import infer_dtype

    values = column.cat.categories if isinstance(column.dtype, pandas.CategoricalDtype) else column
    if isinstance(values.dtype, np.dtype):
        if values.dtype.kind in "biuf" or values.dtype == object and infer_dtype(values, skipna=True) == "string":
            return column
    elif values is column and pandas.api.types.is_float_dtype(column.dtype):
        return column.to_numpy(np.float64, na_value=np.nan)
    return pandas.Categorical([None if is_missing else str(value) for value, is_missing in zip(column, column.isna())])


def _writable_frame(name, frame):
    """Returns obs or var with columns that every version of anndata writes.

    Raises:
        ValueError: if two columns have the same name.
    """
    import pandas

    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(f"{name}: found column {twice[0]!r} twice. Make the names of the columns unique")
    writable = pandas.DataFrame({str(key): _writable_column(frame[key]) for key in frame.columns}, index=frame.index)
    writable.index = frame.index.astype(str)
    return writable


def _writable_matrix(name, x):
    """Returns a matrix of numbers that anndata writes, without a copy unless it is sparse in another format than CSR and CSC.

    Raises:
        ValueError: if the values are no numbers.
    """
    kind = getattr(x, "dtype", None)
    if kind is not None and kind.kind not in "biuf":
        raise ValueError(f"{name}: found values of type {kind}. Give numbers, for example by adata.X = adata.X.astype('float32')")
    return x.tocsr() if getattr(x, "format", "csr") not in ("csr", "csc") else x


def _member(name, members, key):
    """Returns a layer or a matrix of obsm."""
    if key not in members:
        found = ", ".join(map(str, members.keys()))
        raise ValueError(f"{name}: found {key!r}. " + (f"Give one of {found}" if found else f"The AnnData has none. Leave {name} out"))
    return _writable_matrix(f"{name} {key!r}", members[key])


def _matrix_part(adata, options):
    """Returns an AnnData with obs, var and the one matrix that the options choose, without a copy of its numbers."""
    import anndata

    obs = _writable_frame("obs", adata.obs)
    part = anndata.AnnData(obs=obs, var=_writable_frame("var", adata.var))
    if options.get("layer"):
        part.layers[options["layer"]] = _member("layer", adata.layers, options["layer"])
    elif options.get("obsm"):
        part.obsm[options["obsm"]] = _member("obsm", adata.obsm, options["obsm"])
    elif options.get("use_raw"):
        if adata.raw is None:
            raise ValueError("use_raw: the data have no raw values. Leave use_raw out")
        part.raw = anndata.AnnData(X=_writable_matrix("raw", adata.raw.X), obs=obs, var=_writable_frame("raw.var", adata.raw.var))
    elif adata.X is None:
        found = [f"layer={key!r}" for key in adata.layers] + [f"obsm={key!r}" for key in adata.obsm]
        raise ValueError("X: is missing. " + (f"Give {' or '.join(found)}" if found else "The AnnData has no layers or obsm either"))
    else:
        part.X = _writable_matrix("X", adata.X)
    if "log1p" in adata.uns:
        part.uns["log1p"] = {}  # says that the values are log-transformed
    return part


class DataFile:
    """Path of data for the library, which reads files only.

    An AnnData in memory is written to a temporary file: obs, var and the matrix that `options` choose. The file is removed
    with this object. Messages name it `AnnData`.

    Raises:
        TypeError: if the data are neither an AnnData nor a path.
        ValueError: if the AnnData is backed, or cannot be written.
        FileNotFoundError: if there is no such file.
    """

    def __init__(self, data, options):
        self._folder = None
        if not is_anndata(data):
            if not isinstance(data, (str, bytes, os.PathLike)):
                raise TypeError(f"data: found {type(data).__name__}. Give an AnnData, or the path of an .h5ad file")
            self.path = os.fsdecode(data)
            if not os.path.exists(self.path):
                raise FileNotFoundError(f"{self.path}: no such file")
            return
        if data.isbacked:
            raise ValueError(f"data: found an AnnData that is backed by {data.filename}. Give this path, or data.to_memory()")
        part = _matrix_part(data, options)
        self._folder = _program.TemporaryFolder()
        self.path = self._folder.path_of("data.h5ad", "AnnData")
        with _program.files():
            try:
                part.write_h5ad(self.path)
            except OSError:
                raise
            except Exception as error:
                raise ValueError(f"data: anndata cannot write the AnnData: {' '.join(str(error).split())}") from error

    @property
    def is_temporary(self):
        """Whether the file is on the disk of this process only."""
        return self._folder is not None


class Screen:
    """A single-cell drug screen: control and treated populations, and their pairs.

    Args:
        data: path of an .h5ad file, or an AnnData. Rows are cells, columns are markers, and obs has the treatment of each
            cell. An AnnData is written to a temporary file once, since the library reads files. It has to fit on the disk of
            TMPDIR.
        options: options of the data and the split, such as `control`, `column={"treatment": "drug"}`, `transform`,
            `min_cells`, `pair_by`, `split`. See popflow.options("data").

    Raises:
        ValueError, OSError: if the file cannot be read, or has no pair of a control and a treated population.
    """

    def __init__(self, data, **options):
        for key in options:
            section = _program.section(key)
            if section is None:
                raise ValueError(f"{key}: unknown option. See popflow.options('data') and popflow.options('split')")
            if section not in ("data", "split"):
                raise ValueError(f"{key}: is no option of the data or the split. Give it to popflow.train()")
        self._file = DataFile(data, options)
        self.options = options
        self._about = None

    @property
    def path(self):
        """Path of the data file."""
        return self._file.path

    def summary(self):
        """Returns the populations, pairs and dropped rows of the screen, as `popflow inspect --json`."""
        if self._about is None:
            text, _ = _program.run_verb("inspect", ["--json", *_program.arguments({"data": self.path, **self.options})])
            self._about = json.loads(text)
        return self._about

    @property
    def populations(self):
        """DataFrame with a row for each kept population: its labels, `control`, and the number of `cells`."""
        import pandas

        return pandas.DataFrame(self.summary()["populations"])

    def __repr__(self):
        return f"Screen({self.path!r})"
