#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `train --method meta-icnn` learns maps between any two populations. A fresh model has the values of the Gaussian map, which are
# compared with closed forms, and a trained one is better. Weights, scores and mapped cells are the same on 1 to 4 ranks, and
# after a kill and a resume. Usage: maps.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
check=$(cd "$(dirname "$0")" && pwd)/check_maps.py
needs_python "anndata, h5py, scipy"
cd "$scratch"

"$python" "$check" write .
network="--map-units 24 --map-encoder-hidden 16 --map-encoder-layers 2 --map-embedding 8 --map-hidden 32 --map-layers 2"
read="--data bent.h5ad --population image --split column:part --transform none --min-cells 20"
train="train --method meta-icnn $read $network --cells 60 --maps-per-slot 3 --steps 100 --log-seconds 60"

# Weights.
ranks 1 2 $train --output one 2>err || fail "$(cat err)"
grep -q "bent.h5ad: 30 training populations, 2 markers, 1 treatment; meta-icnn" err || fail "$(cat err)"
for shape in 2x1 3x1 4x1; do
    ranks "${shape%x*}" "${shape#*x}" $train --output on$shape 2>err || fail "$(cat err)"
    cmp one/checkpoint.h5 on$shape/checkpoint.h5 || fail "the weights differ on $shape"
done
ranks 1 1 $train --output parts --stop-after 30 2>err || [ $? = 75 ] || fail "$(cat err)"
ranks 2 1 $train --output parts --resume 2>err || fail "$(cat err)"
cmp one/checkpoint.h5 parts/checkpoint.h5 || fail "the weights differ after a resume"
ranks 1 1 $train --output fresh --steps 1 --rate 1e-9 2>err || fail "$(cat err)"
ranks 1 2 $train --output long --steps 3000 --rate 5e-3 2>err || fail "$(cat err)"

# Scores: closed forms for Gaussian populations, and a gain of the trained model on populations that it has not seen.
tune="--fine-tune 5,20 --fine-tune-from predicted,gaussian,identity"
expect_exit 0 "$popflow" evaluate --run fresh --output fresh.h5 --problems random:6 --max-cells all
"$python" "$check" fresh fresh.h5 bent.h5ad
expect_exit 0 "$popflow" evaluate --run long --output long.h5 --max-cells 80
"$python" "$check" gain long.h5
ranks 1 2 evaluate --run one --output one.h5 $tune --max-cells 80 >one.txt 2>err || fail "$(cat err)"
ranks 3 1 evaluate --run one --output three.h5 $tune --max-cells 80 >three.txt 2>err || fail "$(cat err)"
for column in problem predictor steps n m value exact normalised gap certified energy w2 message; do
    h5diff one.h5 three.h5 /problems/$column || fail "the scores differ in $column on 3 ranks"
done
"$python" "$check" trained one.h5
(exec "$mpiexec" --oversubscribe -n 1 "$popflow" evaluate --run one --output killed.h5 $tune --max-cells 80) >/dev/null 2>&1 &
job=$!
for ((i = 0; i < 2000; i++)); do
    [ -z "$(find killed.h5.partial -size +0 -name '*.*' 2>/dev/null)" ] || break
    [ ! -e killed.h5 ] || break
    sleep 0.01
done
kill -KILL "$job" 2>/dev/null || :
wait "$job" 2>/dev/null || :
ranks 2 1 evaluate --run one --output killed.h5 $tune --max-cells 80 --resume >killed.txt 2>err || fail "$(cat err)"
for column in problem predictor steps value normalised gap energy w2; do
    h5diff one.h5 killed.h5 /problems/$column || fail "the scores differ in $column after a kill"
done
expect_exit 0 "$popflow" report one.h5
grep -q "^  model + 20 steps" out && grep -q "^  identity " out || fail "$(cat out)"
expect_exit 0 "$popflow" report one.h5 --output one.html
grep -q "model + 20 steps" one.html || fail "the page has no table"

# Mapped cells.
printf 'problem,source,target\nup,g0,g1\ndown,g1,b2\n' >problems.csv
predict="predict --run one --data bent.h5ad --problems problems.csv --fine-tune 10"
ranks 1 1 $predict --output p1.h5ad >out 2>err || fail "$(cat err)"
grep -q "p1.h5ad: 160 cells of 2 problems" out || fail "$(cat out)"
ranks 2 2 $predict --output p2.h5ad >out 2>err || fail "$(cat err)"
h5diff p1.h5ad p2.h5ad /X || fail "the mapped cells differ on 2 ranks"
"$python" "$check" mapped p1.h5ad bent.h5ad
# A population that maps to itself has one side only.
printf 'problem,source,target\nself,g0,g0\n' >self.csv
expect_exit 0 "$popflow" predict --run fresh --data bent.h5ad --problems self.csv --output self.h5ad
"$python" "$check" unmoved self.h5ad bent.h5ad

# Histograms as the input of the encoder: the same weights on several ranks and after a resume, and another map.
histogram="$train --map-inputs histogram --map-bins 6"
ranks 1 2 $histogram --output histogram 2>err || fail "$(cat err)"
ranks 3 1 $histogram --output histogram3 2>err || fail "$(cat err)"
cmp histogram/checkpoint.h5 histogram3/checkpoint.h5 || fail "the weights of histograms differ on 3 ranks"
ranks 2 1 $histogram --output stopped --stop-after 30 2>err || [ $? = 75 ] || fail "$(cat err)"
ranks 1 1 $histogram --output stopped --resume 2>err || fail "$(cat err)"
cmp histogram/checkpoint.h5 stopped/checkpoint.h5 || fail "the weights of histograms differ after a resume"
predict="predict --run histogram --data bent.h5ad --problems problems.csv --fine-tune 10"
ranks 1 1 $predict --output h1.h5ad >out 2>err || fail "$(cat err)"
ranks 2 1 $predict --output h2.h5ad >out 2>err || fail "$(cat err)"
h5diff h1.h5ad h2.h5ad /X || fail "the cells mapped with histograms differ on 2 ranks"
! h5diff -q h1.h5ad p1.h5ad /X || fail "histograms and cells give the same map"
"$python" "$check" mapped h1.h5ad bent.h5ad
ranks 1 2 $histogram --output histogram_long --steps 3000 --rate 5e-3 2>err || fail "$(cat err)"
expect_exit 0 "$popflow" evaluate --run histogram_long --output histogram_long.h5 --max-cells 80
"$python" "$check" gain histogram_long.h5
refused "map-inputs: found histogram with --map-bins 300, but there are 2 markers" $train --output none --map-inputs histogram --map-bins 300
refused "map-inputs: found 'means'" $train --output none --map-inputs means

# Populations with treatments, and the refusals.
"$popflow" simulate screen --output s.h5ad --patients 3 --cultures PDO --treatments O,S --replicates 2 --cells 60:100 --seed 3 \
    >/dev/null 2>&1
screen="train --method meta-icnn --data s.h5ad --min-cells 50 $network --cells 40 --steps 3"
for pairs in labels within; do expect_exit 0 "$popflow" $screen --map-problems $pairs --output s_$pairs; done
refused "obs: has no transport problem in the training part: no two populations have the same values of --pair-by" \
    $train --output none --map-problems labels
refused "predictions: needs a run that predicts treated cells" evaluate --run one --output none.h5 --predictions p.h5ad
refused "treatment: does not apply to a run of meta-icnn" predict --run one --data bent.h5ad --output none.h5ad --treatment O
refused "none.csv: row 1, column target: 'g99' is no name of a row" predict --run one --data bent.h5ad --output none.h5ad --problems none.csv
refused "fine-tune-from: found 'zeros'" predict --run one --data bent.h5ad --output none.h5ad --fine-tune-from zeros
echo "maps between populations"
