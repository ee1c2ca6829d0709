# SPDX-License-Identifier: MIT
"""Draws egf_sample.h5ad from the full EGF time course (see README.md). Usage: make_egf_sample.py FULL.h5ad [OUTPUT]

Takes CELLS cells of every well, drawn without replacement with a seed of its own, sorts them by population and rounds
the ion counts to 10 bits of mantissa (a relative error of at most 1/2048), which is what makes the file small.
Needs h5py, pandas and anndata 0.8; equal input gives equal output.
"""

import pathlib
import sys

import anndata
import h5py
import numpy as np
from anndata.experimental import write_elem

SEED = 20170123
CELLS = 1000
MANTISSA_BITS = 10
COLUMNS = [
    "patient", "culture", "treatment", "concentration", "time_min", "replicate", "plate", "cell_type", "well",
    "population",
]  # fmt: skip
ORDER = ["patient", "plate", "time_min", "population"]


def rounded(x):
    """x to the nearest float with MANTISSA_BITS stored bits of mantissa; 0 stays 0."""
    drop = 23 - MANTISSA_BITS
    bits = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32)
    return (((bits + (1 << (drop - 1))) >> drop) << drop).astype(np.uint32).view(np.float32)


def draw(obs):
    """Rows of the sample: CELLS of every population, populations in ORDER, cells in the order of the file."""
    position = np.arange(len(obs))
    rows = []
    for number, (_, group) in enumerate(obs.assign(position=position).groupby(ORDER, observed=True, sort=True)):
        stream = np.random.default_rng([SEED, number])
        rows.append(np.sort(stream.choice(group["position"].to_numpy(), CELLS, replace=False)))
    return np.concatenate(rows)


def write_obs(group, obs, how):
    """As write_elem(), but with row names of fixed length: those compress, strings of variable length do not."""
    group.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
    group.attrs["column-order"] = np.array(list(obs.columns), dtype=h5py.string_dtype())
    names = np.asarray(obs.index, dtype="S")
    utf8 = h5py.string_dtype("utf-8", names.dtype.itemsize)
    index = group.create_dataset("_index", data=names.astype(utf8), dtype=utf8, **how)
    index.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
    for name in obs.columns:
        column = obs[name]
        write_elem(group, name, column.array if column.dtype == "category" else column.to_numpy(), dataset_kwargs=how)


def main():
    full = anndata.read_h5ad(sys.argv[1])
    output = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).parent / "egf_sample.h5ad")
    rows = draw(full.obs)
    obs = full.obs.iloc[rows][COLUMNS].copy()
    for name in obs.columns:
        if obs[name].dtype == "category":
            obs[name] = obs[name].cat.remove_unused_categories()
    small = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
    with h5py.File(output, "w") as file:
        file.attrs["encoding-type"] = "anndata"
        file.attrs["encoding-version"] = "0.1.0"
        x = np.vstack([rounded(full.X[rows[k : k + CELLS]]) for k in range(0, len(rows), CELLS)])
        write_elem(file, "X", x, dataset_kwargs={**small, "chunks": (4 * CELLS, x.shape[1])})
        write_obs(file.create_group("obs"), obs, small)
        write_elem(file, "var", full.var)
        uns = dict(full.uns)
        uns["sample"] = (
            f"{CELLS} cells of each well drawn with seed {SEED}; ion counts rounded to {MANTISSA_BITS} bits of mantissa"
        )
        write_elem(file, "uns", uns)
    print(f"{len(rows)} cells of {len(rows) // CELLS} wells, {output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
