#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Training pairs and data files at evaluation:
#   - A model identifies its training pairs by name, independent of the options with which the data are opened.
#   - A training pair is never scored as held out.
#   - All pairs of a new data file can be scored.
#   - Ranks that read different data files are an error.
# Usage: trained_pairs.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "h5py, anndata"
cd "$scratch"
small_screen s.h5ad
expect_exit 0 "$popflow" train --data s.h5ad $small_model --method cgfm --hidden 16 --layers 2 --steps 20 --min-cells 90 --output run
evaluate="evaluate --run run --parts train --max-cells 40 --metrics w2"
for cells in 60 90 120; do
    expect_exit 0 "$popflow" $evaluate --min-cells $cells --output $cells.h5
done
"$python" - <<'PY' || fail "the model does not identify its training pairs"
import h5py, numpy as np

def training_pairs(name):
    """Index of each pair that has a one-hot context, by name, and the names of all scored pairs."""
    with h5py.File(name) as file:
        h = file["embeddings/values"][:]
        names = [n.decode() for n in file["embeddings/pair"][:]]
    own = {n: int(np.argmax(row)) for n, row in zip(names, h) if row.max() == 1}
    assert all(np.isclose(row.sum(), 1) for row in h)
    return own, set(names)

own, names = training_pairs("90.h5")
assert set(own) == names and sorted(own.values()) == list(range(len(own))), own
more, all_names = training_pairs("60.h5")
assert all_names != names and len(more) > 5 and all(own[n] == k for n, k in more.items()), (more, own)
fewer, some_names = training_pairs("120.h5")
assert some_names != names and fewer == {n: own[n] for n in some_names if n in own}, (fewer, own)
print(f"{len(own)} training pairs: {len(more)} identified among {len(all_names)}, {len(fewer)} among {len(some_names)}")
PY
expect_exit 2 "$popflow" evaluate --run run --split patient:5 --output bad.h5
grep -q "would be held out, but the run was trained on it" err || fail "$(cat err)"

# All pairs of a file with other patients.
"$popflow" simulate screen --output new.h5ad --patients 2 --cultures PDO --treatments O,S,F --replicates 1 --cells 60:120 --seed 9 >/dev/null 2>&1
expect_exit 0 "$popflow" evaluate --run run --data new.h5ad --split all --min-cells 30 --max-cells 40 --output new.h5
grep -q "^test, mean over pairs (6 pairs" out || fail "$(cat out)"

# Another file with the same labels, in which each cell is multiplied by two.
"$python" - <<'PY'
import anndata
data = anndata.read_h5ad("s.h5ad")
data.X = data.X * 2
data.write_h5ad("double.h5ad")
PY
mkdir one two
cp s.h5ad one/d.h5ad
cp double.h5ad two/d.h5ad
code=0
here() { echo "OMP_NUM_THREADS=1 exec '$popflow' ${evaluate/--run run/} --data d.h5ad --output $scratch/mixed.h5 --run $scratch/run"; }
"$mpiexec" --oversubscribe --bind-to none -n 1 bash -c "cd one; $(here)" : -n 1 bash -c "cd two; $(here)" >out 2>err || code=$?
[ "$code" = 1 ] || fail "exit code $code: $(cat err)"
grep -q "the ranks do not have the same data file d.h5ad" err || fail "$(cat err)"
[ ! -e mixed.h5 ] || fail "scores were written from two different files"

# A file with other cells has other scores and another fingerprint, so a stopped evaluation does not resume on it.
expect_exit 0 "$popflow" $evaluate --data double.h5ad --output double.h5
cmp -s 90.h5 double.h5 && fail "other cells have the same scores"
a=$("$popflow" inspect s.h5ad --json --min-cells 90 | grep -o '"fingerprint": *"[0-9a-f]*"')
b=$("$popflow" inspect double.h5ad --json --min-cells 90 | grep -o '"fingerprint": *"[0-9a-f]*"')
[ -n "$a" ] && [ "$a" != "$b" ] || fail "other cells have the same fingerprint: $a $b"
# Pairs that were held out are no training pairs.
expect_exit 2 "$popflow" $evaluate --data s.h5ad --split none --output none.h5
grep -q "split: none makes all pairs training pairs, but the run was not trained on" err || fail "$(cat err)"
echo "training pairs are identified, and other data files are detected"
