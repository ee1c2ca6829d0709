# SPDX-License-Identifier: MIT
"""Scores of a set of generated populations against a set of real ones."""
from popflow import _core
from popflow._scores import cells, check_finite

__all__ = ["scores"]


def scores(generated, real, training=None, distances=("w1", "w2", "chamfer", "energy", "bures"), permutations=10000, seed=1, paired=False):
    """Compares two sets of populations by nearest neighbours, as `popflow metrics --population`.

    Args:
        generated, real: lists of at least two populations, arrays [cells, d].
        training: populations that the generator has seen. None: no columns `memorised` and `training_ratio`.
        distances: distances between populations, see popflow.ot.all_pairs().
        permutations: number of permutations for the p-value. 0: no p-value.
        seed: seed of the permutations.
        paired: whether generated population k predicts real population k, for sets of the same size. Adds the mean of their distances, `paired`.

    Returns:
        DataFrame with a row for each distance: `nna` (share of populations whose nearest other one is of the same set, 0.5 is
        best), `nna_real`, `nna_generated`, `nnd` (0 is best), `p_value`, `matching` (mean distance of a real population to
        the nearest generated one), `coverage`, and `distances_computed`.

    Raises:
        ValueError: for fewer than two populations of a set, a population without cells, other numbers of markers, values that
            are not finite, or sets of different sizes that are paired.
    """
    import pandas

    distances = [distances] if isinstance(distances, str) else list(distances)
    if not distances:
        raise ValueError("distances: is empty. Give one or more distances")
    for name, number in (("permutations", permutations), ("seed", seed)):
        if number < 0:
            raise ValueError(f"{name}: found {number}. Give 0 or more")
    if paired and len(generated) != len(real):
        raise ValueError(f"paired: found {len(generated)} generated and {len(real)} real populations. Give as many of both")

    sets = {"generated": generated, "real": real, "training": [] if training is None else training}
    arrays = {name: [cells(f"{name}[{k}]", x) for k, x in enumerate(populations)] for name, populations in sets.items()}
    for name, populations in arrays.items():
        for k, x in enumerate(populations):
            expected = arrays["generated"][0].shape[1] if arrays["generated"] else x.shape[1]
            if x.shape[1] != expected:
                raise ValueError(f"{name}[{k}]: found {x.shape[1]} markers, where generated[0] has {expected}. Give the same markers")
            if len(x) == 0:
                raise ValueError(f"{name}[{k}]: found no cells. Leave it out")
            check_finite(f"{name}[{k}]", x)
    rows = _core.compare_sets(*arrays.values(), distances, permutations, seed, paired)
    return pandas.DataFrame(rows).set_index("distance")
