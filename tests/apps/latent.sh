#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --latent pca:N trains in the principal components that scikit-learn finds in the training cells. Predictions are mapped back
# to the markers, and each score is computed in its space. Usage: latent.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "anndata, h5py, ot, sklearn"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"
check() {
    "$python" "$here/check_latent.py" "$@" || fail "check_latent.py $*"
}
# one_line TEXT: the last command wrote one line to standard error, which contains TEXT.
one_line() {
    [ "$(grep -vc "^note: " "$scratch/err")" = 1 ] || fail "expected one line: $(cat "$scratch/err")"
    grep -qF -- "$1" "$scratch/err" || fail "no '$1' in: $(cat "$scratch/err")"
}

check make s.h5ad 30
data="--data s.h5ad --min-cells 20 --transform log1p --split patient:P5"
small="--steps 30 --cells 32 --batch-pairs 4 --hidden 16 --layers 2 --seed 3"
score="--max-cells 100000 --space normalised"
expect_exit 0 "$popflow" run --method fm $small $data --latent pca:5 --output fm --predictions fm.h5ad $score
grep -q "latent space: 5 principal components of 30 markers, with .* % of the variance" "$scratch/err" ||
    fail "no line on the components: $(cat "$scratch/err")"
grep -q "compare the coordinates of 5 principal components" "$scratch/out" || fail "the table names no space: $(cat "$scratch/out")"
for method in moment-map identity mean-shift; do
    expect_exit 0 "$popflow" run --method $method $data --latent pca:5 --output $method --predictions $method.h5ad $score
done
expect_exit 0 "$popflow" run --method identity $data --output markers $score
check components s.h5ad fm
check cells s.h5ad fm.h5ad moment-map.h5ad identity.h5ad mean-shift.h5ad
check scores s.h5ad fm fm.h5ad markers
check scores s.h5ad moment-map moment-map.h5ad markers

# The methods that need more of the space: an encoder with neighbours, a potential, a start, a guard and a validation.
expect_exit 0 "$popflow" run --method mfm $small --embedding 4 --knn 3 --start-map moment-map --guard 1.5 --validation 1 $data \
    --latent pca:4 --output mfm
expect_exit 0 "$popflow" run --method icnn --steps 6 --icnn-hidden 8 $data --latent pca:4 --output icnn
expect_exit 0 "$popflow" report mfm/results.h5 fm/results.h5 --output report.html --format html
grep -q "principal components" report.html || fail "the report does not name the space"

# The same bits on any number of ranks and threads, after a resume, and with the cells in a file.
for shape in "1 2" "3 1" "4 1"; do
    expect_exit 0 ranks $shape train --method fm $small $data --latent pca:5 --output other
    cmp fm/checkpoint.h5 other/checkpoint.h5 || fail "the checkpoint on $shape ranks and threads differs"
    rm -r other
done
expect_exit 0 "$popflow" train --method fm $small $data --latent pca:5 --output other --cache .
cmp fm/checkpoint.h5 other/checkpoint.h5 || fail "the checkpoint with the cells in a file differs"
rm -r other
expect_exit 75 ranks 2 1 train --method fm $small $data --latent pca:5 --output other --stop-after 11
expect_exit 2 "$popflow" train --method fm $small $data --latent pca:4 --output other --resume
one_line "latent: found 'pca:4', was 'pca:5'"
expect_exit 2 "$popflow" train --method fm $small $data --output other --resume
one_line "latent"
expect_exit 0 ranks 3 1 train --method fm $small $data --latent pca:5 --output other --resume
cmp fm/checkpoint.h5 other/checkpoint.h5 || fail "the checkpoint after a resume differs"

# The run folder alone predicts another file, here with the markers in another order and without treated cells.
check controls s.h5ad c.h5ad
mkdir weights
cp other/weights.h5 other/config.cfg weights
expect_exit 0 "$popflow" predict --run fm --data c.h5ad --output one.h5ad --treatment A --space normalised --times 0.5
expect_exit 0 ranks 3 1 predict --run weights --data c.h5ad --output three.h5ad --treatment A --space normalised --times 0.5
for member in /X /obsm/X_latent /varm/latent_components /layers/t=0.5; do
    h5diff one.h5ad three.h5ad $member || fail "weights.h5 on 3 ranks predicts another $member"
done
check same fm.h5ad one.h5ad
expect_exit 0 "$popflow" predict --run fm --data c.h5ad --output raw.h5ad --treatment A --space raw
check raw one.h5ad raw.h5ad

# Mapped-back cells have no scores of the spread against measured cells.
expect_exit 0 "$popflow" metrics raw.h5ad s.h5ad
grep -q "^note: without w1, w2, mmd" "$scratch/err" || fail "no note on the metrics: $(cat "$scratch/err")"
grep -q energy "$scratch/out" || fail "no energy: $(cat "$scratch/out")"
if grep -q "w2" "$scratch/out"; then fail "metrics compared mapped-back cells by W2: $(cat "$scratch/out")"; fi
expect_exit 2 "$popflow" metrics raw.h5ad s.h5ad --metrics energy,w2
one_line "metrics: found w2 for raw.h5ad"
expect_exit 0 "$popflow" metrics raw.h5ad raw.h5ad --metrics w2

# The same bits of an evaluation on several ranks.
expect_exit 0 ranks 3 1 evaluate --run fm --output three.h5 $score
check same_scores fm/results.h5 three.h5

# With more than 1000 markers an iteration finds the components.
check make wide.h5ad 1100
expect_exit 0 "$popflow" train --method moment-map --data wide.h5ad --min-cells 20 --transform log1p --split patient:P5 \
    --latent pca:12 --output wide
expect_exit 0 ranks 3 1 train --method moment-map --data wide.h5ad --min-cells 20 --transform log1p --split patient:P5 \
    --latent pca:12 --output wide3
cmp wide/checkpoint.h5 wide3/checkpoint.h5 || fail "the iteration has other bits on 3 ranks"
check components wide.h5ad wide

# A dry run names the space. A folder of folds, and the choice of a method, work in it.
expect_exit 0 "$popflow" train --method fm $small $data --latent pca:5 --output plan --dry-run plan
grep -q "^latent  *5 principal components" "$scratch/out" || fail "the plan does not name the space: $(cat "$scratch/out")"
expect_exit 0 "$popflow" train --method fm $small $data --latent pca:5 --output plan --dry-run
grep -q "^latent .* % of the variance" "$scratch/out" || fail "the dry run does not name the variance: $(cat "$scratch/out")"
expect_exit 0 "$popflow" run --method moment-map ${data/patient:P5/each:patient} --latent pca:3 --output each
h5dump -a /latent_components each/results.h5 | grep -q "(0): 3" || fail "the joined results do not name the space"
grep -q "mean_shift in .*W1" "$scratch/out" || fail "no test against mean_shift: $(cat "$scratch/out")"
if grep -q "mean_shift in .*energy" "$scratch/out"; then fail "a test compares cells without noise by their energy"; fi
expect_exit 0 "$popflow" run --method auto $small $data --latent pca:3 --output auto
h5dump -a /latent/scale auto/checkpoint.h5 >/dev/null || fail "--method auto trained without components"

# A latent space of transport problems is none.
expect_exit 0 "$popflow" simulate supply-demand --output supply.h5ad --target-output demand.h5ad --instances 6 --supply 5 \
    --demand 20 --density synthetic
expect_exit 2 "$popflow" train --method meta-ot --data supply.h5ad --target-data demand.h5ad --latent pca:2 --output bad
one_line "latent: found pca:2, but meta-ot trains on transport problems"

# Options and files that cannot work are refused in one line.
for bad in pca:0 pca:x pca pca: umap:5 -1; do
    expect_exit 2 "$popflow" train --method fm $data --latent $bad --output bad
    one_line "latent: "
done
expect_exit 2 "$popflow" train --method fm $data --latent pca:31 --output bad
one_line "latent: found pca:31, but there are 30 markers and"
check constant s.h5ad constant.h5ad
expect_exit 2 "$popflow" train --method fm ${data/s.h5ad/constant.h5ad} --latent pca:30 --output bad
one_line "latent: found pca:30, but the training cells vary in 28 directions only. Give at most pca:28"
expect_exit 0 "$popflow" train --method identity ${data/s.h5ad/constant.h5ad} --latent pca:28 --output constant
for damage in shape version kind value; do
    rm -rf damaged
    cp -r fm damaged
    rm damaged/weights.h5
    check damage damaged/checkpoint.h5 $damage
    expect_exit 2 "$popflow" predict --run damaged --data c.h5ad --output bad.h5ad --treatment A
    one_line "damaged/checkpoint.h5"
done
echo "the latent space is that of scikit-learn, and every score has its space"
