#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Counts in layers, raw and obsm, size factors, the notes on them, and the comparison of predictions. Values are compared
# with NumPy formulas.
# Usage: counts.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
needs_python "anndata, h5py, scipy"
cd "$scratch"
check() {
    "$python" "$here/check_counts.py" "$@" || fail "check_counts.py $*"
}
# says WORDS...: fails unless each of WORDS is in what the last command printed.
says() {
    local word
    for word; do
        grep -qF -- "$word" out err || fail "'$word' is not in: $(cat out err)"
    done
}
check make .
model="--method mean-shift --min-cells 20 --pair-by patient --split patient:P3"

# The same numbers from each place and encoding give the same cells.
expect_exit 0 "$popflow" train $model --data full.h5ad --transform none --output x
expect_exit 0 "$popflow" predict --run x --data full.h5ad --space transformed --output x.h5ad
n=0
for from in "full.h5ad --layer counts" "full.h5ad --layer counts_csc" "full.h5ad --layer counts_dense" "full.h5ad --use-raw" \
    "no_x.h5ad --layer counts" "null_x.h5ad --layer counts" "full.h5ad --obsm counts" "counts.h5ad"; do
    n=$((n + 1))
    expect_exit 0 "$popflow" train $model --data $from --transform log1p --size-factor total --output run$n
    ! grep -q "^note:.*depth" err || fail "$from: $(cat err)"
    expect_exit 0 "$popflow" predict --run run$n --data ${from%% *} --space transformed --output run$n.h5ad
    check same x.h5ad run$n.h5ad full.h5ad "$from"
done
grep -qx "layer = counts" run1/config.cfg || fail "the layer is not stored"
grep -qx "size-factor = total" run1/config.cfg || fail "the size factor is not stored"
grep -qx "use-raw = true" run4/config.cfg || fail "use-raw is not stored"
! grep -Eq "^(layer|obsm|use-raw|size-factor) =" x/config.cfg || fail "unused options are stored"

# The median of the training cells. It is stored, the same on any number of ranks, and used by predict.
median="$model --data full.h5ad --layer counts --transform log1p --size-factor median --output"
expect_exit 0 "$popflow" train $median median
check median full.h5ad median/config.cfg
expect_exit 0 ranks 3 1 train $median ranks
cmp median/checkpoint.h5 ranks/checkpoint.h5 || fail "the checkpoint of three ranks differs"
expect_exit 0 "$popflow" train $median median --resume
expect_exit 0 "$popflow" predict --run median --data full.h5ad --output median.h5ad
check raw_median median.h5ad full.h5ad median/config.cfg
expect_exit 0 "$popflow" evaluate --run median --data full.h5ad --size-factor median --metrics w2,mmd_scaled --output e.h5
expect_exit 2 "$popflow" evaluate --run median --data full.h5ad --size-factor total --output e2.h5
says "size-factor: found total, but the run was trained with median:"
expect_exit 2 "$popflow" train $model --data full.h5ad --layer counts_csc --transform log1p --size-factor median --output median --resume
says "layer: found 'counts_csc', was 'counts'"
expect_exit 2 "$popflow" evaluate --run x --data full.h5ad --size-factor total --output e2.h5
says "size-factor: found total, but the run was trained with none. Omit --size-factor"
# A run that read a layer predicts from a file with the same numbers in X.
expect_exit 0 "$popflow" predict --run run1 --data counts.h5ad --layer '' --space transformed --output back.h5ad
check same x.h5ad back.h5ad full.h5ad "--layer ''"

# Messages.
expect_exit 2 "$popflow" inspect full.h5ad --layer countz
says "layers/countz: is missing (did you mean 'counts'?)" "--layer NAME (counts, counts_csc, counts_dense)" "--obsm KEY (X_pca, counts, table)" "--use-raw"
expect_exit 2 "$popflow" inspect no_x.h5ad
says "X: is missing" "--layer NAME (counts)"
expect_exit 2 "$popflow" inspect null_x.h5ad
says "X: is empty" "--layer NAME (counts)"
expect_exit 2 "$popflow" inspect full.h5ad --layer counts --use-raw
says "layer: found --layer and --use-raw. Give only one of layer, obsm, use-raw"
expect_exit 2 "$popflow" inspect m.h5mu
says "MuData file (.h5mu) with the modalities prot, rna" "mudata.read_h5mu('m.h5mu').mod['prot']"
expect_exit 2 "$popflow" inspect l.loom
says "loom file" "scanpy.read_loom('l.loom')"
expect_exit 2 "$popflow" inspect ten3.h5
says "10x Genomics file (Cell Ranger 3 or later)" "scanpy.read_10x_h5('ten3.h5')"
expect_exit 2 "$popflow" metrics ten2.h5 ten2.h5
says "Cell Ranger 2, with the genomes hg19, mm10" "genome='hg19'"
mkdir store.zarr
echo '{}' >store.zarr/.zattrs
expect_exit 2 "$popflow" inspect store.zarr
says "is a Zarr store" "anndata.read_zarr('store.zarr').write_h5ad('store.h5ad')"
expect_exit 2 "$popflow" train $model --data full.h5ad --obsm X_pca --transform none --size-factor total --output refused
says "obsm/X_pca: row " "found a negative value"

# Markers of obsm.
expect_exit 0 "$popflow" inspect full.h5ad --obsm X_pca --transform none --min-cells 20 --pair-by patient
says "X_pca_1, X_pca_2, X_pca_3" "dense float32 of obsm/X_pca"
expect_exit 0 "$popflow" inspect full.h5ad --obsm table --transform none --min-cells 20 --pair-by patient
says "CD3, CD8"
expect_exit 0 "$popflow" train $model --data full.h5ad --obsm X_pca --transform none --output pca
expect_exit 0 "$popflow" predict --run pca --data full.h5ad --output pca.h5ad
check obsm pca.h5ad

# Notes: counts with other options, a difference in depth, a second logarithm. None for suitable options.
expect_exit 0 "$popflow" inspect full.h5ad --layer counts --min-cells 20 --pair-by patient
says "note: layers/counts holds whole numbers" "note: control and treated cells differ in depth, most in P2 / S" "--size-factor total"
expect_exit 0 "$popflow" inspect full.h5ad --layer counts --transform log1p --size-factor total --min-cells 20 --pair-by patient
! grep -q "note:" out || fail "$(cat out)"
expect_exit 0 "$popflow" inspect full.h5ad --min-cells 20 --pair-by patient --transform log1p
says 'note: uns["log1p"] says that X is log-transformed already'
expect_exit 0 "$popflow" inspect full.h5ad --min-cells 20 --pair-by patient --transform none --json
"$python" -c "import json; d = json.load(open('out')); assert d['notes'] == [] and d['matrix'] == 'X', d"
for n in 1 2; do
    expect_exit 0 ranks $n 1 train $model --data counts.h5ad --output notes$n
    says "note: X holds whole numbers" "note: control and treated cells differ in depth, most in P2 / S"
    [ "$(grep -c "^note:" err)" = 2 ] || fail "$n ranks: $(cat err)"
    grep "^note:" err >notes$n.txt
done
cmp notes1.txt notes2.txt || fail "the notes of two ranks differ"
# evaluate and predict print the notes on the data that a training prints. predict has no pairs to compare in depth.
for n in 1 2; do
    expect_exit 0 ranks $n 1 evaluate --run notes1 --data counts.h5ad --metrics w2 --output notes.h5
    grep "^note:" err | cmp - notes1.txt || fail "evaluate on $n ranks: $(cat err)"
done
expect_exit 0 "$popflow" predict --run notes1 --data counts.h5ad --output notes.h5ad
says "note: X holds whole numbers"
! grep -q "differ in depth" err || fail "$(cat err)"

# metrics takes the transform and the size factor from a prediction.
"$popflow" metrics median.h5ad full.h5ad --metrics w2,mmd_scaled >found.txt 2>note.txt || fail "$(cat note.txt)"
grep -q "note: median.h5ad is a prediction of popflow in raw space. .*--transform log1p --size-factor median:.* --layer counts" note.txt ||
    fail "$(cat note.txt)"
expect_exit 0 "$popflow" predict --run median --data full.h5ad --space transformed --output trans.h5ad
"$popflow" metrics trans.h5ad full.h5ad --metrics w2,mmd_scaled >expected.txt 2>note.txt || fail "$(cat note.txt)"
check scores found.txt expected.txt trans.h5ad full.h5ad median/config.cfg
expect_exit 0 "$popflow" predict --run median --data full.h5ad --space normalised --output norm.h5ad
expect_exit 2 "$popflow" metrics norm.h5ad full.h5ad
says "norm.h5ad: X: holds normalised values"
expect_exit 2 "$popflow" metrics x.h5ad median.h5ad
says "transforms none and log1p"
expect_exit 0 "$popflow" metrics x.h5ad median.h5ad --transform none --metrics w1_markers

# metrics of files with other markers.
expect_exit 2 "$popflow" metrics counts.h5ad some.h5ad
says "some.h5ad: var: has no marker g0" "Compare the 60 that both have with --markers g60"
expect_exit 0 "$popflow" metrics some.h5ad counts.h5ad --metrics w1_markers
says "note: 60 markers of counts.h5ad left out: some.h5ad does not have them"
echo "counts: all checks passed"
