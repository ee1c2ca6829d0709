#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --encoder: the contexts are those of NumPy and scikit-learn, far populations have a bounded one, and a run folder alone predicts.
# Usage: encoder.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "anndata, h5py, sklearn"
here=$(cd "$(dirname "$0")" && pwd)
check="$here/check_encoder.py"
cd "$scratch"
"$python" "$check" make s.h5ad
data="--data s.h5ad --min-cells 20 --transform none --pair-by patient,plate"
fold="$data --split patient:P7"
small="--method mfm --hidden 16 --layers 2 --cells 32 --steps 30 --batch-pairs 4"
scored="--max-cells 100000 --metrics w2,energy"

for encoder in moments kernel-pca:3 kernel-pca:8; do
    run=${encoder/:/-}
    expect_exit 0 "$popflow" run $fold $small $scored --encoder $encoder --output $run --coupling ot
    grep -qx "encoder = $encoder" $run/config.cfg || fail "config.cfg does not have $encoder: $(grep encoder $run/config.cfg)"
    # weights.h5 alone predicts with the same contexts, also for a population that was not trained on.
    mkdir $run-alone
    cp $run/weights.h5 $run/config.cfg $run-alone
    expect_exit 0 "$popflow" predict --run $run-alone $data --max-cells 100000 --output $run.h5ad
    "$python" "$check" contexts s.h5ad $encoder $run $run.h5ad || fail "$encoder: the contexts differ"
done
expect_exit 0 "$popflow" run $fold $small $scored --encoder kernel-pca --output default --coupling ot
cmp default/weights.h5 kernel-pca-8/weights.h5 || fail "kernel-pca is not kernel-pca:8"
expect_exit 0 "$popflow" report moments/results.h5 kernel-pca-3/results.h5
for label in "MFM moments" "MFM kernel-pca:3"; do grep -q "$label" "$scratch/out" || fail "no row $label: $(cat "$scratch/out")"; done

# Far from all training populations the context of kernel-pca is constant.
"$python" "$check" far s.h5ad far.h5ad
expect_exit 0 "$popflow" predict --run kernel-pca-3 ${data/s.h5ad/far.h5ad} --output far_p.h5ad
"$python" "$check" bounded kernel-pca-3 far_p.h5ad || fail "the context of a far population is not bounded"

# The learned encoder is the default, and its configuration and bits do not depend on the option.
expect_exit 0 "$popflow" train $fold $small --knn 5 --output without
expect_exit 0 "$popflow" train $fold $small --knn 5 --encoder learned --output with
cmp without/checkpoint.h5 with/checkpoint.h5 || fail "--encoder learned changed the checkpoint"
if grep -q "^encoder =" with/config.cfg; then fail "config.cfg has the default encoder"; fi

# A stop and a resume give the same bytes, and another encoder is refused. The stored configuration trains again.
for encoder in moments kernel-pca:3; do
    run=${encoder/:/-}
    expect_exit 75 "$popflow" train $fold $small --coupling ot --encoder $encoder --output stopped --stop-after 11
    expect_exit 2 "$popflow" train $fold $small --coupling ot --encoder kernel-pca:2 --output stopped --resume
    grep -q "encoder: found 'kernel-pca:2', was '$encoder'" "$scratch/err" || fail "resume: $(cat "$scratch/err")"
    expect_exit 0 "$popflow" train $fold $small --coupling ot --encoder $encoder --output stopped --resume
    h5diff $run/weights.h5 stopped/weights.h5 || fail "$encoder: the resume changed the weights"
    expect_exit 0 ranks 3 2 train $fold $small --coupling ot --encoder $encoder --output ranks
    h5diff $run/weights.h5 ranks/weights.h5 || fail "$encoder: other weights on 3 ranks"
    expect_exit 0 "$popflow" train --config $run/config.cfg --output again
    cmp $run/weights.h5 again/weights.h5 || fail "$encoder: config.cfg trains other weights"
    expect_exit 0 "$popflow" train --config $run/config.cfg --cache . --output cached
    cmp $run/weights.h5 cached/weights.h5 || fail "$encoder: other weights with the cells in a file"
    rm -r stopped again cached ranks
done

# Other options of the training.
printf 'treatment,a,b\nA,1,0.5\nB,-1,0.25\nC,2,3\n' >vectors.csv
expect_exit 0 "$popflow" run $fold $small $scored --encoder moments --modulation film --treatment-vectors vectors.csv --validation 2 \
    --patience 9 --start-map moment-map --shrink-to mean-shift --shrinkage 0.5 --guard 1:2 --base source --output options
[ "$(wc -l <options/validation.csv)" -gt 1 ] || fail "no validation"
expect_exit 0 "$popflow" run $data $small $scored --encoder kernel-pca:2 --split each:patient --steps 3 --output each
[ -s each/results.h5 ] || fail "no results of all folds"
expect_exit 0 "$popflow" run $fold $small $scored --encoder kernel-pca --base gaussian --output noise

# Training populations that are equal reduce the number of components.
"$python" "$check" twice s.h5ad twice.h5ad
expect_exit 0 "$popflow" train ${fold/s.h5ad/twice.h5ad} $small --encoder kernel-pca:3 --output twice
grep -q "note: --encoder kernel-pca:3: the 4 training control populations have 1 component" "$scratch/err" ||
    fail "no note on the components: $(cat "$scratch/err")"
expect_exit 0 "$popflow" train ${fold/s.h5ad/twice.h5ad} $small --encoder kernel-pca:9 --output plan --dry-run plan

refused() {  # refused MESSAGE OPTIONS...
    local message=$1
    shift
    expect_exit 2 "$popflow" train $fold --output other "$@"
    [ "$(wc -l <"$scratch/err")" = 1 ] || fail "expected one line: $(cat "$scratch/err")"
    grep -q -- "$message" "$scratch/err" || fail "expected '$message': $(cat "$scratch/err")"
}
refused "knn: found '3', which has no effect with --encoder moments. Omit --knn" --encoder moments --knn 3
refused "embedding: found '4', which has no effect with --encoder kernel-pca. Omit --embedding" --encoder kernel-pca --embedding 4
refused "updates: found 'alternate', which has no effect with --encoder moments" --encoder moments --updates alternate
refused "encoder: found 'moments', but method fm takes only learned. Omit --encoder" --method fm --encoder moments
refused "encoder: found 'moments', but method icnn takes only learned. Omit --encoder" --method icnn --encoder moments
refused "encoder: found 'moments', which --method auto does not try" --method auto --encoder moments
refused "augment: found 'mix', which changes the control populations, but --encoder moments" --encoder moments --augment mix
refused "encoder: found 'moment' (did you mean 'moments'?)" --encoder moment
refused "encoder: found 'moments:2', but moments takes no number" --encoder moments:2
refused "encoder: found '0'. Give a whole number from 1" --encoder kernel-pca:0
"$python" "$check" single s.h5ad single.h5ad
for encoder in moments kernel-pca; do
    refused "encoder: found '$encoder', which needs two training control populations that differ, but there is 1" \
        --data single.h5ad --encoder $encoder
done

# A damaged group is refused in one line.
damaged() {  # damaged KIND MESSAGE
    rm -rf broken
    cp -r moments broken
    "$python" "$check" damage broken "$1"
    expect_exit 2 "$popflow" predict --run broken $data --output p.h5ad
    [ "$(wc -l <"$scratch/err")" = 1 ] || fail "expected one line: $(cat "$scratch/err")"
    grep -q "checkpoint.h5.*$2" "$scratch/err" || fail "expected '$2': $(cat "$scratch/err")"
}
damaged group "model/encoder: is missing, but the settings choose --encoder moments. The file is damaged"
damaged version "model/encoder: found version 2, but this popflow reads version 1"
damaged name "encoder: found 'nosuch'. Give one of learned, moments, kernel-pca"
damaged missing "encoder.centre: expected a matrix"
damaged shape "encoder.scale: expected \[1, 10\], got \[1, 9\]"
damaged nan "model/encoder/offset: has a value that is not finite"
echo "the contexts are those of NumPy and scikit-learn"
