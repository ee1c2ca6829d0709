# SPDX-License-Identifier: MIT
"""Data of a screen."""
import json
import os
import tempfile

from popflow import _program


def is_anndata(data):
    return hasattr(data, "obs_names") and hasattr(data, "var_names")


def _matrix_part(adata, options):
    """Returns an AnnData with obs, var and the one matrix that the options choose, without a copy of its arrays."""
    import anndata

    part = anndata.AnnData(obs=adata.obs, var=adata.var)
    for name, members in (("layer", adata.layers), ("obsm", adata.obsm)):
        key = options.get(name)
        if not key:
            continue
        if key not in members:
            raise ValueError(f"{name}: found {key!r}. Give one of {', '.join(map(str, members.keys())) or 'none, the data have none'}")
        (part.layers if name == "layer" else part.obsm)[key] = members[key]
        return part
    if options.get("use_raw"):
        if adata.raw is None:
            raise ValueError("use_raw: the data have no raw values. Leave use_raw out")
        part.raw = anndata.AnnData(X=adata.raw.X, obs=adata.obs, var=adata.raw.var)
        return part
    return anndata.AnnData(X=adata.X, obs=adata.obs, var=adata.var)


class DataFile:
    """Path of data for the library, which reads files only.

    An AnnData in memory is written to a temporary file: obs, var and the matrix that `options` choose. The file is removed
    with this object.
    """

    def __init__(self, data, options):
        self._folder = None
        if not is_anndata(data):
            self.path = os.fspath(data)
            if not os.path.exists(self.path):
                raise FileNotFoundError(f"{self.path}: no such file")
            return
        if data.isbacked:
            raise ValueError(f"data: found an AnnData that is backed by {data.filename}. Give this path, or data.to_memory()")
        part = _matrix_part(data, options)
        self._folder = tempfile.TemporaryDirectory(prefix="popflow-")
        self.path = os.path.join(self._folder.name, "data.h5ad")
        with _program.files():
            part.write_h5ad(self.path)

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
