#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Wasserstein flow matching on Gaussians: training without controls or pairs, generation, scores of generated sets, and the
# coupling of whole families. Same bits on any ranks and after a stop.
# Usage: generated.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "anndata, scipy, h5py"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"

# Families of three laws in one file: their names are the labels.
for family in spiral rings; do
    "$popflow" simulate shapes $family --output $family.h5ad --populations 40 --test-populations 12 --cells 60 --seed 1 >out 2>err
done
"$python" -c "
import anndata
parts = [anndata.read_h5ad(name) for name in ('spiral.h5ad', 'rings.h5ad')]
both = anndata.concat(parts, merge='same', index_unique='-')
both.obs['group'] = both.obs['treatment'].astype(str)
del both.obs['treatment']
both.write_h5ad('both.h5ad')
for label in ('spiral', 'rings'):
    both[(both.obs['split'] == 'test') & (both.obs['group'] == label)].copy().write_h5ad(label + '.test.h5ad')"
read="--data both.h5ad --population population --label group --split column:split --min-cells 10 --transform none"
train="train --method bwfm $read --steps 300 --populations-per-slot 24 --batch-pairs 4 --gaussian-hidden 32 --gaussian-layers 2
    --seed 3 --log-seconds 60"
expect_exit 0 "$popflow" $train --output one
grep -q "both.h5ad: 80 training populations, 2 markers, 2 treatments; bwfm" err || fail "$(cat err)"
ranks 3 1 $train --output three 2>err || fail "$(cat err)"
ranks 2 2 $train --output two 2>err || fail "$(cat err)"
expect_exit 75 "$popflow" $train --output stopped --stop-after 130
expect_exit 0 "$popflow" $train --output stopped --resume
for run in three two stopped; do cmp one/weights.h5 $run/weights.h5 || fail "other weights: $run"; done

# Generated populations have the moments that the file states, and do not depend on the ranks.
predict="predict --run one --number 12 --cells 60 --times 0,0.5 --guidance 1.2 --eval-seed 4"
expect_exit 0 "$popflow" $predict --output generated.h5ad
grep -q "generated.h5ad: 4320 cells of 24 populations, generated for rings, spiral (raw values)" out || fail "$(cat out)"
ranks 3 1 $predict --output generated3.h5ad >out 2>err || fail "$(cat err)"
cmp generated.h5ad generated3.h5ad || fail "other populations on three ranks"
expect_exit 0 "$popflow" predict --run one --number 12 --cells 60 --eval-seed 0 --treatment rings --output rings_only.h5ad
expect_exit 0 "$popflow" predict --run one --number 12 --cells 60 --eval-seed 0 --output all.h5ad
expect_exit 0 "$popflow" predict --run one --number 3 --cells 60 --flow-steps 7 --times 0 --output euler.h5ad

# A generated population has as many cells as a training population of its treatment.
"$popflow" simulate shapes mixtures --output sized.h5ad --populations 20 --test-populations 4 --cells 50:200 --treatments 2 --seed 1 2>/dev/null >/dev/null
expect_exit 0 "$popflow" train --method bwfm --data sized.h5ad --population population --split column:split --min-cells 10 --transform none --steps 4 \
    --gaussian-hidden 8 --output sized
# Options of the evaluation in the configuration of a training hold for a later evaluation.
printf 'distance = bures\npermutations = 7\nmax-populations = 3\n' >scores.cfg
expect_exit 0 "$popflow" train --config scores.cfg --method bwfm --data sized.h5ad --population population --split column:split --min-cells 10 \
    --transform none --steps 1 --gaussian-hidden 8 --output scored
expect_exit 0 "$popflow" evaluate --run scored --output scored.h5
h5dump -d /sets/distance/categories scored.h5 >out2
grep -q "\"bures\"" out2 && ! grep -q energy out2 || fail "other distances: $(cat out2)"
grep -q "1-NNA in percent, all (3 held-out" out || fail "$(cat out)"

expect_exit 0 "$popflow" predict --run sized --number 6 --set-cells own --times 0.5 --output own.h5ad
ranks 3 1 predict --run sized --number 6 --set-cells own --times 0.5 --output own3.h5ad >out 2>err || fail "$(cat err)"
cmp own.h5ad own3.h5ad || fail "other populations on three ranks"
expect_exit 0 "$python" "$here/check_generated.py" sizes
expect_exit 2 "$popflow" predict --run sized --set-cells own --cells 30 --output none.h5ad
grep -q "cells: cannot be combined with --set-cells own" err || fail "$(cat err)"

# The scores of evaluate are those of metrics on the same populations.
expect_exit 0 "$popflow" evaluate --run one --output one/results.h5 --distance bures,energy --max-populations 100
cp out scores
grep -q "1-NNA in percent, all (24 held-out, 24 generated and 80 training populations of 60 cells)" out || fail "$(cat out)"
grep -q "floor" out || fail "$(cat out)"
ranks 3 1 evaluate --run one --output three.h5 --distance bures,energy --max-populations 100 >out 2>err || fail "$(cat err)"
cmp out scores || fail "other scores on three ranks: $(diff out scores)"
for label in spiral rings; do
    expect_exit 0 "$popflow" predict --run one --number 12 --cells 60 --treatment $label --output $label.gen.h5ad
    expect_exit 0 "$popflow" metrics $label.gen.h5ad $label.test.h5ad --population population --distance bures,energy \
        --min-cells 10 --transform none --json
    cp out $label.json
done
expect_exit 0 "$python" "$here/check_generated.py" generated

# Other data need no training populations.
expect_exit 0 "$popflow" evaluate --run one --data spiral.test.h5ad --split all --output other.h5 --distance bures
grep -q "^  model " out && ! grep -q "^  resample " out || fail "$(cat out)"

expect_exit 0 "$popflow" report one --output page.html
grep -q "Held-out and generated populations" page.html || fail "no figure"
expect_exit 0 "$popflow" report one/results.h5 --format csv
grep -q ",bwfm,all,model,bures,nna," out || fail "$(head -3 out)"
expect_exit 0 "$popflow" report one --figures figures --output page.md
[ -s figures/bwfm-flow-spiral.svg ] || fail "$(ls figures)"
expect_exit 0 "$popflow" $train --output planned --dry-run=plan
grep -q "^train  *80 populations$" out && grep -q "^test  *24 populations$" out || fail "$(cat out)"
grep -q "^steps  *300 steps of 4 slots x 24 populations$" out || fail "$(cat out)"

# Hidden pairs: the coupling of all populations, a flow from controls, and known pairs.
expect_exit 0 "$popflow" simulate shapes unpaired --output hidden.h5ad --populations 30 --test-populations 10 --markers 4 --cells 200:300 --seed 1
hidden="--data hidden.h5ad --split column:split --min-cells 10 --transform none --method bwfm --source control --steps 200
    --gaussian-hidden 32 --gaussian-layers 2 --populations-per-slot 16 --seed 1 --log-seconds 60"
expect_exit 0 "$popflow" train $hidden --population population --output controls
ranks 3 1 train $hidden --population population --output controls3 2>err || fail "$(cat err)"
cmp controls/weights.h5 controls3/weights.h5 || fail "other weights from controls"
cmp controls/coupling.csv controls3/coupling.csv || fail "another coupling"
expect_exit 0 "$popflow" evaluate --run controls --data hidden.h5ad --pair-by true_pair --output controls.h5 --metrics energy,w2
expect_exit 0 "$popflow" run $hidden --pairing known --pair-by true_pair --output known --metrics energy,w2
expect_exit 0 "$popflow" predict --run controls --data hidden.h5ad --pair-by true_pair --output moved.h5ad
expect_exit 0 "$python" "$here/check_generated.py" controls
# Each control population is moved on its own, also without columns of pairs. `run` finds before the training that it could not score.
expect_exit 0 "$popflow" predict --run controls --data hidden.h5ad --output alone.h5ad
grep -q "of 40 control populations, predicted for" out || fail "$(cat out)"
expect_exit 0 "$popflow" predict --run controls --data hidden.h5ad --pair-by population --output pairs.h5ad
h5diff alone.h5ad pairs.h5ad /X || fail "other predictions without --pair-by"
refused "pair-by: popflow run trains without pairs and then scores the pairs" run $hidden --population population --output unscored
[ ! -e unscored ] || fail "a refused run has made a folder"

refused "pairing: known needs --source control" $train --pairing known --output none
refused "outer: all needs --source control" $train --outer all --output none
refused "validation: found 2, but method bwfm does not train on pairs of populations" $train --validation 2 --output none
refused "obs: found 104 populations, of which the largest has 60 cells, fewer than --min-cells 1000" train --method bwfm \
    --data both.h5ad --population population --transform none --split none --output none
refused "trains without pairs, which have no folds" $train --split each:population --output none
refused "population: needs a method without pairs, such as --method bwfm, wfm or meta-icnn. The method is mfm" train --method mfm $read --output none
refused "base: found 'gaussian', but method bwfm takes only" $train --base gaussian --output none
refused "source: found 'control', but method mfm takes only noise" train --method mfm --data hidden.h5ad --source control --output none
refused "data: is an option of predictions from controls" predict --run one --data both.h5ad --output none.h5ad
refused "number: is an option of generated populations" predict --run known --data hidden.h5ad --number 3 --output none.h5ad
refused "predictions: needs a run that predicts treated cells" evaluate --run one --output none.h5 --predictions none.h5ad
refused "has no control in the training part" train $hidden --control nosuch --population population --output none
refused "by: found 'culture', but the report is of scores of generated populations" report one --by culture
refused "Report them separately" report one known
refused "distance: is an option of generated populations" evaluate --run known --data hidden.h5ad --distance w1 --output none.h5
refused "parts: found 2 parts, but generated populations are compared with one" evaluate --run one --parts train,test --output none.h5
refused "treatment: the run was not trained on 'square'" predict --run one --treatment square --output none.h5ad
echo "generated: populations, scores and couplings agree"
