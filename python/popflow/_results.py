# SPDX-License-Identifier: MIT
"""Reader of the result files of popflow."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame


def _strings(dataset):
    return dataset.asstr()[()]


def _column(item):
    """Returns a column of a data frame in AnnData's encoding."""
    import h5py
    import numpy as np
    import pandas

    if isinstance(item, h5py.Group):
        kind = item.attrs.get("encoding-type")
        if kind == "categorical":
            categories = item["categories"]
            is_text = h5py.check_string_dtype(categories.dtype) is not None
            return pandas.Categorical.from_codes(item["codes"][()], _strings(categories) if is_text else categories[()],
                                                 ordered=bool(item.attrs.get("ordered", False)))
        values, mask = item["values"][()], item["mask"][()].astype(bool)
        if kind == "nullable-boolean":
            return pandas.arrays.BooleanArray(values.astype(bool), mask)
        return pandas.arrays.IntegerArray(values, mask)
    if h5py.check_string_dtype(item.dtype) is not None:
        return _strings(item)
    values = item[()]
    return values.astype(bool) if h5py.check_enum_dtype(item.dtype) == {"FALSE": 0, "TRUE": 1} else np.asarray(values)


def _frame(group):
    """Returns a data frame in AnnData's encoding."""
    import pandas

    order = [str(name) for name in group.attrs["column-order"]]
    index = group.attrs["_index"]
    frame = pandas.DataFrame({name: _column(group[name]) for name in order}, index=_column(group[index]))
    frame.index.name = None if index in ("_index", "index") else index
    return frame


def _embedding_frame(labels, values):
    import pandas

    return pandas.concat([labels.reset_index(drop=True), pandas.DataFrame(values).add_prefix("h")], axis=1)


def read_results(path: str | os.PathLike) -> dict[str, DataFrame]:
    """Reads the tables of a result file of `popflow evaluate`, `run` or `ot`, or of a training.h5.

    Args:
        path: the file, or a run folder with a results.h5.

    Returns:
        Dict of DataFrames by the names of docs/files.md, such as `pairs`, `summary` and `training`. Categorical columns stay
        categorical. `embeddings` and `training_embeddings` have a row for each population, with the columns h0, h1, ... of
        the embedding. `cells` has the cells in the columns of the markers, after those of obs. The attributes of the file,
        such as `seed` and `config`, are in `DataFrame.attrs` of each table.

    Raises:
        OSError: if there is no such file, or it is no HDF5 file.
        ValueError: if it has no table of popflow, or is an AnnData file.
    """
    import h5py
    import pandas

    if os.path.isdir(path):
        path = os.path.join(path, "results.h5")
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path}: no such file. Give a result file or a run folder with a results.h5")
    tables = {}
    with h5py.File(path, "r") as file:
        if file.attrs.get("encoding-type") == "anndata":
            raise ValueError(f"{path}: is an AnnData file. Read it with anndata.read_h5ad(), or give a result file of popflow")
        for name, group in file.items():
            if not isinstance(group, h5py.Group):
                continue
            kind = group.attrs.get("encoding-type")
            if kind == "dataframe":
                tables[name] = _frame(group)
            elif kind == "anndata":
                obs, markers = _frame(group["obs"]), list(_frame(group["var"]).index)
                cells = pandas.DataFrame(group["X"][()], columns=markers, index=obs.index)
                tables[name] = pandas.concat([obs, cells], axis=1)
            elif name == "embeddings" and "values" in group:
                tables[name] = _embedding_frame(pandas.DataFrame({"pair": _column(group["pair"])}), group["values"][()])
            elif name == "training_embeddings" and "values" in group:
                tables[name] = _embedding_frame(_frame(group["populations"]), group["values"][()])
        if not tables:
            raise ValueError(f"{path}: has no table. Give a result file of popflow")
        attributes = {key: value for key, value in file.attrs.items() if not hasattr(value, "shape") or value.ndim == 0}
    for table in tables.values():
        table.attrs.update(attributes)
    return tables
