# SPDX-License-Identifier: MIT
"""Plots of results, with matplotlib.

The functions take the dict of Model.evaluate() or read_results(). They return the axes that they draw on and do not call
`show()`. `ax` draws into axes of the caller.
"""
import re

import numpy as np

__all__ = ["scores", "pairs", "densities", "components", "heat_map"]

# Colours of Okabe and Ito, which people with any colour vision can tell apart.
_COLOURS = {
    "control": "#999999",
    "treated": "#0072B2",
    "predicted": "#D55E00",
    "mean_shift": "#009E73",
    "real": "#0072B2",
    "model": "#D55E00",
}
_LABELS = {"mean_shift": "mean shift", "moment_map": "moment map", "noise_floor": "noise floor"}


def _pyplot():
    try:
        import matplotlib.pyplot as pyplot
    except ImportError as error:
        raise ImportError("popflow.pl needs matplotlib: pip install matplotlib") from error
    return pyplot


def _axes(ax, width, height):
    return _pyplot().subplots(figsize=(width, height), layout="constrained")[1] if ax is None else ax


def _label(name):
    return _LABELS.get(name, str(name).replace("_", " "))


def _table(tables, name):
    """Returns a table of the results, or `tables` itself if it is a DataFrame."""
    if not isinstance(tables, dict):
        if not hasattr(tables, "columns"):
            raise TypeError(f"tables: found {type(tables).__name__}. Give the dict of Model.evaluate() or popflow.read_results()")
        return tables
    if name not in tables:
        raise ValueError(f"results: have no table {name!r}. Found {', '.join(tables)}")
    return tables[name]


def _scored(tables, metric, part):
    """Returns the rows of the table of pairs with a score, of one part if there is a column of parts."""
    table = _table(tables, "pairs")
    if metric not in table:
        raise ValueError(f"metric: found {metric!r}, which the results do not have. Score it with metrics={metric!r}")
    if part is not None and "part" in table:
        table = table[table["part"] == part]
        if table.empty:
            raise ValueError(f"part: found {part!r}, of which the results have no pair")
    return table[np.isfinite(table[metric].to_numpy(dtype=float))]


def scores(tables, metric="w2", part=None, ax=None):
    """Draws the score of each predictor: a point for each pair, and the mean with its standard error.

    Pairs of one patient are not independent, so the standard error is too small. `popflow report` resamples patients.

    Args:
        tables: results, or their table `pairs`.
        metric: column of the table.
        part: "test", "train" or "validation". None: all pairs.

    Returns:
        The axes.
    """
    table = _scored(tables, metric, part)
    means = table.groupby("predictor", observed=True)[metric].mean().sort_values(ascending=False)
    ax = _axes(ax, 6, 0.9 + 0.36 * len(means))
    random = np.random.default_rng(0)
    for row, name in enumerate(means.index):
        values = table.loc[table["predictor"] == name, metric].to_numpy(dtype=float)
        colour = _COLOURS["model"] if name == "model" else "#555555"
        ax.plot(values, row + random.uniform(-0.18, 0.18, len(values)), ".", color=colour, alpha=0.4, markersize=8, markeredgewidth=0)
        error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0
        ax.errorbar(values.mean(), row, xerr=error, fmt="o", color=colour, markersize=6, capsize=3)
    ax.set_yticks(range(len(means)), [_label(name) for name in means.index])
    ax.set_xlabel(metric)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    return ax


def pairs(tables, metric="w2", predictor="model", baseline="mean_shift", part=None, ax=None):
    """Draws the score of a predictor against that of a baseline, a point for each pair, coloured by treatment.

    Points below the diagonal are pairs on which the predictor is better, for a metric of which lower values are better.

    Args:
        tables, metric, part: as for scores().
        predictor, baseline: rows of the column `predictor`.

    Returns:
        The axes.
    """
    table = _scored(tables, metric, part)
    table = table.assign(predictor=table["predictor"].astype(str), pair=table["pair"].astype(str), treatment=table["treatment"].astype(str))
    for name in (predictor, baseline):
        if not (table["predictor"] == name).any():
            raise ValueError(f"predictor: found {name!r}. Give one of {', '.join(sorted(set(table['predictor'])))}")
    wide = table.pivot_table(index=["treatment", "pair"], columns="predictor", values=metric, observed=True)[[predictor, baseline]].dropna()
    ax = _axes(ax, 5.6, 4.4)
    treatments = wide.index.get_level_values("treatment")
    colours = _pyplot().get_cmap("tab10" if treatments.nunique() <= 10 else "tab20")
    for k, name in enumerate(sorted(set(treatments))):
        own = wide[treatments == name]
        ax.plot(own[baseline], own[predictor], "o", color=colours(k % colours.N), markersize=5, alpha=0.8, label=name, markeredgewidth=0)
    low, high = wide.to_numpy().min(), wide.to_numpy().max()
    margin = 0.05 * (high - low) if high > low else max(abs(high), 1) * 0.05
    limits = (low - margin, high + margin)
    ax.plot(limits, limits, color="#888888", linewidth=0.8, zorder=0)
    ax.set_xlim(limits)
    ax.set_ylim(limits)
    ax.set_box_aspect(1)
    ax.set_xlabel(f"{metric} of {_label(baseline)}")
    ax.set_ylabel(f"{metric} of {_label(predictor)}")
    if treatments.nunique() <= 20:
        ax.legend(title="treatment", frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _cells(tables, pair):
    """Returns the sampled cells of a pair, and the names of the markers."""
    table = _table(tables, "cells")
    if table.empty:
        raise ValueError("results: have no sample of cells. Evaluate with sample_pairs above 0")
    markers = [c for c in table.columns if c not in ("pair", "state", "time", "cell", "label", "set", "population")]
    names = list(dict.fromkeys(table["pair"].astype(str)))
    pair = names[0] if pair is None else pair
    if pair not in names:
        raise ValueError(f"pair: found {pair!r}. Give one of {', '.join(names)}")
    return table[table["pair"].astype(str) == pair], markers, pair


def _states(cells):
    return [s for s in ("control", "treated", "predicted") if (cells["state"].astype(str) == s).any()]


def densities(tables, pair=None, markers=None, max_markers=12):
    """Draws the density of each marker in the control, treated and predicted cells of a pair.

    Args:
        tables: results, whose table `cells` has samples of some pairs.
        pair: name of a sampled pair. None: the first one.
        markers: markers to draw. None: those whose means differ most between control and treated cells.
        max_markers: maximum number of markers that are chosen.

    Returns:
        Array of axes, one for each marker. The x axis has transformed values.
    """
    from scipy.stats import gaussian_kde

    cells, known, pair = _cells(tables, pair)
    state = cells["state"].astype(str)
    if markers is None:
        spread = cells[known].std().replace(0, np.nan)
        change = (cells.loc[state == "treated", known].mean() - cells.loc[state == "control", known].mean()).abs() / spread
        markers = list(change.fillna(0).sort_values(ascending=False).index[:max_markers])
    unknown = [m for m in markers if m not in known]
    if unknown:
        raise ValueError(f"markers: found {', '.join(unknown)}, which the results do not have")
    columns = min(4, len(markers))
    rows = -(-len(markers) // columns)
    figure, grid = _pyplot().subplots(rows, columns, figsize=(2.6 * columns, 1.9 * rows + 0.6), squeeze=False, layout="constrained")
    for ax, marker in zip(grid.flat, markers):
        values = cells[marker].to_numpy(dtype=float)
        at = np.linspace(values.min(), values.max(), 200)
        for name in _states(cells):
            own = values[state == name]
            if len(own) < 3 or own.std() == 0:
                continue
            density = gaussian_kde(own)(at)
            ax.plot(at, density, color=_COLOURS[name], linewidth=1.4, label=name)
            ax.fill_between(at, density, color=_COLOURS[name], alpha=0.12, linewidth=0)
        ax.set_title(marker, fontsize=9)
        ax.set_yticks([])
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right", "left"]].set_visible(False)
    for ax in grid.flat[len(markers):]:
        ax.set_visible(False)
    handles, labels = grid.flat[0].get_legend_handles_labels()
    # Leaves a strip below the axes for the legend.
    strip = 0.3 / figure.get_figheight()
    figure.get_layout_engine().set(rect=(0, strip, 1, 1 - strip))
    figure.legend(handles, labels, loc="lower center", ncols=3, frameon=False)
    figure.suptitle(pair, fontsize=10)
    return grid.ravel()[: len(markers)]


def components(tables, pair=None, ax=None):
    """Draws the control, treated and predicted cells of a pair in the first two principal components of all three.

    Args:
        tables, pair: as for densities(). With two markers, the axes are the markers.

    Returns:
        The axes.
    """
    cells, markers, pair = _cells(tables, pair)
    cells = cells[cells["state"].astype(str).isin(_states(cells))]
    values = cells[markers].to_numpy(dtype=float)
    names = markers
    if len(markers) != 2:
        centred = values - values.mean(0)
        _, size, directions = np.linalg.svd(centred, full_matrices=False)
        # The sign of a component is arbitrary. The largest loading is positive.
        largest = np.abs(directions).argmax(1)
        directions = directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
        share = size**2 / max((size**2).sum(), 1e-300)
        values = centred @ directions[:2].T
        if values.shape[1] == 1:
            values = np.column_stack([values, np.zeros(len(values))])
            share = np.append(share, 0)
        names = [f"component {k + 1} ({share[k]:.0%} of the variance)" for k in range(2)]
    ax = _axes(ax, 5.4, 4.4)
    state = cells["state"].astype(str).to_numpy()
    for name in _states(cells):
        own = values[state == name]
        ax.plot(own[:, 0], own[:, 1], ".", color=_COLOURS[name], markersize=4, alpha=0.5, label=name, markeredgewidth=0)
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    ax.set_title(pair, fontsize=10)
    ax.legend(frameon=False, markerscale=2.5, loc="center left", bbox_to_anchor=(1, 0.5))
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def heat_map(tables, metric="w2", rows="patient", columns="treatment", predictor="model", baseline=None, part=None, ax=None):
    """Draws the mean score of a predictor by two labels of the pairs, or a matrix such as that of popflow.ot.all_pairs().

    Args:
        tables: results, their table `pairs`, or a matrix (an array, or a DataFrame whose index has no pairs).
        metric, part: as for scores().
        rows, columns: columns of the table.
        predictor: row of the column `predictor`.
        baseline: if it is given, draws the score of the baseline minus that of the predictor.

    Returns:
        The axes.
    """
    import pandas

    is_matrix = not isinstance(tables, dict) and not (isinstance(tables, pandas.DataFrame) and "predictor" in tables)
    if is_matrix:
        wide = pandas.DataFrame(tables)
        title, signed = "", False
    else:
        table = _scored(tables, metric, part)
        for name in (rows, columns):
            if name not in table:
                raise ValueError(f"rows, columns: found {name!r}. Give columns of the table pairs")
        wide = _mean_scores(table, metric, rows, columns, predictor)
        title, signed = f"{metric} of {_label(predictor)}", baseline is not None
        if signed:
            wide = _mean_scores(table, metric, rows, columns, baseline) - wide
            title = f"{metric}: {_label(baseline)} minus {_label(predictor)}"
    ax = _axes(ax, 2.2 + 0.45 * wide.shape[1], 1.4 + 0.32 * wide.shape[0])
    values = wide.to_numpy(dtype=float)
    limit = np.nanmax(np.abs(values)) if np.isfinite(values).any() else 1
    colours = _pyplot().get_cmap("RdBu" if signed else "viridis").with_extremes(bad="#eeeeee")
    image = ax.imshow(np.ma.masked_invalid(values), cmap=colours, aspect="auto", vmin=-limit if signed else None, vmax=limit if signed else None)
    ax.set_xticks(range(wide.shape[1]), [str(c) for c in wide.columns], rotation=90 if max(map(len, map(str, wide.columns))) > 3 else 0)
    ax.set_yticks(range(wide.shape[0]), [str(r) for r in wide.index])
    if not is_matrix:
        ax.set_xlabel(columns)
        ax.set_ylabel(rows)
    ax.figure.colorbar(image, ax=ax, label=title)
    return ax


def _natural_key(label):
    """Orders the numbers in labels by value: 5 before 11."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", label)]


def _mean_scores(table, metric, rows, columns, predictor):
    own = table[table["predictor"].astype(str) == predictor]
    if own.empty:
        raise ValueError(f"predictor: found {predictor!r}. Give one of {', '.join(sorted(set(table['predictor'].astype(str))))}")
    own = own.assign(**{rows: own[rows].astype(str), columns: own[columns].astype(str)})
    wide = own.pivot_table(index=rows, columns=columns, values=metric)
    return wide.loc[sorted(wide.index, key=_natural_key), sorted(wide.columns, key=_natural_key)]
