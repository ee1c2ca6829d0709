#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# With --treatment-vectors a model predicts a combination that it was not trained on better than the mean shift. The
# checkpoint contains the vectors, is the same on two ranks, and a resume refuses other vectors.
# Usage: unseen_treatment.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"
cd "$scratch"
"$popflow" simulate screen --output screen.h5ad --patients 4 --cultures PDO,PDOF --treatments S,C,F,CS,SF,CF --replicates 1 \
    --failed-wells 0 --cells 200:400 --seed 5 >/dev/null 2>&1
printf 'treatment,C,F,S\nC,1,0,0\nF,0,1,0\nS,0,0,1\nSF,0,1,1\nCF,1,1,0\nCS,1,0,1\n' >vectors.csv
options="--data screen.h5ad --min-cells 50 --split treatment:CS --hidden 64 --layers 3 --embedding 16 --encoder-hidden 16
    --knn 5 --time-frequencies 8 --space-frequencies 8 --cells 100 --rate 0.003"
expect_exit 0 "$popflow" run $options --treatment-vectors vectors.csv --steps 400 --metrics w2 --output run
# w2_of PREDICTOR: prints W2 in the mean over the pairs of the held-out combination.
w2_of() { awk -v who="$1" '/mean over pairs/ { on = 1 } on && $0 ~ who { gsub(/\*/, ""); print $NF; exit }' out; }
model=$(w2_of MFM) shift=$(w2_of mean_shift) identity=$(w2_of identity)
awk "BEGIN { exit !($model < $shift && $shift < $identity) }" || fail "$(cat out)"

# predict needs only the vectors in the checkpoint.
mv vectors.csv elsewhere.csv
expect_exit 0 "$popflow" predict --run run --data screen.h5ad --treatment CS,C+S --output cells.h5ad
grep -q "predicted for CS, C+S" out err || fail "$(cat out err)"
expect_exit 2 "$popflow" predict --run run --data screen.h5ad --treatment V --output none.h5ad
grep -q "no vector for 'V'. Give combinations A+B or one of C, F, S, SF, CF, CS" err || fail "$(cat err)"

few="--steps 10 --log-every 5"
for n in 1 2; do
    expect_exit 0 ranks $n 1 train $options $few --treatment-vectors elsewhere.csv --output ranks$n
done
cmp ranks1/checkpoint.h5 ranks2/checkpoint.h5 || fail "the checkpoint of two ranks differs"
sed 's/CS,1,0,1/CS,1,0,2/' elsewhere.csv >other.csv
expect_exit 2 "$popflow" train $options $few --treatment-vectors other.csv --output ranks1 --resume
grep -q "treatment-vectors: the vectors are not those that this run was trained on" err || fail "$(cat err)"
expect_exit 0 "$popflow" train $options $few --treatment-vectors elsewhere.csv --output ranks1 --resume
echo "combinations that were not trained on are predicted"
