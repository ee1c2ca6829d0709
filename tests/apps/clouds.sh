#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Wasserstein flow matching on clouds of cells: generation, the sampler against NumPy, the coupling of whole families against SciPy,
# flows from controls, known pairs, and completion. Same bits on any ranks and after a stop.
# Usage: clouds.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "anndata, scipy, h5py"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"
network="--attention-width 16 --attention-blocks 2 --attention-heads 2"
small="--populations-per-slot 3 --cells 32 $network --seed 3 --log-seconds 60"

# Generation. The rings differ in size, and have two treatments.
"$popflow" simulate shapes rings --output rings.h5ad --populations 30 --test-populations 10 --cells 20:60 --seed 1 >out 2>err
"$python" -c "
import anndata, numpy
data = anndata.read_h5ad('rings.h5ad')
number = data.obs['population'].astype('category').cat.codes.to_numpy()
data.obs['treatment'] = numpy.where(number % 2 == 0, 'even', 'odd')
data.write_h5ad('rings.h5ad')"
read="--data rings.h5ad --population population --split column:split --min-cells 10 --transform none"
train="train --method wfm $read $small --steps 60 --attention-frequencies 3 --inner-noise 0.1 --batch-pairs 4"
expect_exit 0 "$popflow" $train --output one
grep -q "rings.h5ad: 30 training populations, 2 markers, 2 treatments; wfm" err || fail "$(cat err)"
ranks 3 1 $train --output three 2>err || fail "$(cat err)"
ranks 2 2 $train --output two 2>err || fail "$(cat err)"
expect_exit 75 "$popflow" $train --output stopped --stop-after 23
expect_exit 0 "$popflow" $train --output stopped --resume
for run in three two stopped; do cmp one/weights.h5 $run/weights.h5 || fail "other weights: $run"; done
expect_exit 0 "$popflow" $train --output planned --dry-run=plan
grep -q "^steps  *60 steps of 4 slots x 3 populations x 32 cells$" out || fail "$(cat out)"

predict="predict --run one --number 5 --cells 40 --times 0,0.5 --guidance 1.2 --eval-seed 4"
expect_exit 0 "$popflow" $predict --output generated.h5ad
grep -q "generated.h5ad: 1200 cells of 10 populations, generated for even, odd (raw values)" out || fail "$(cat out)"
ranks 3 1 $predict --output generated3.h5ad >out 2>err || fail "$(cat err)"
cmp generated.h5ad generated3.h5ad || fail "other populations on three ranks"
for method in euler midpoint; do
    expect_exit 0 "$popflow" predict --run one --number 2 --cells 40 --flow-steps 3 --flow-method $method --guidance 1.2 --times 0 \
        --output $method.h5ad
done
expect_exit 0 "$popflow" evaluate --run one --output one/results.h5 --distance chamfer,energy
cp out scores
ranks 3 1 evaluate --run one --output three.h5 --distance chamfer,energy >out 2>err || fail "$(cat err)"
cmp out scores || fail "other scores on three ranks: $(diff out scores)"
expect_exit 0 "$popflow" evaluate --run one --output own.h5 --distance chamfer,energy --set-cells own
cp out scores
ranks 3 1 evaluate --run one --output own3.h5 --distance chamfer,energy --set-cells own >out 2>err || fail "$(cat err)"
cmp out scores || fail "other scores on three ranks: $(diff out scores)"
expect_exit 0 "$popflow" report one --output page.html
grep -q "Held-out and generated populations" page.html || fail "no figure"

# Completion of 15 cells.
complete="--method wfm $read $small --steps 40 --source subset:15"
expect_exit 0 "$popflow" run $complete --output completion --distance energy
grep -q "Mean distance to the own prediction" out && grep -q "^  given " out || fail "$(cat out)"
expect_exit 0 "$popflow" predict --run completion --data rings.h5ad --min-cells 15 --cells 70 --output complete.h5ad
grep -q "complete.h5ad: 2800 cells of 40 populations, completed for even, odd" out || fail "$(cat out)"
ranks 3 1 predict --run completion --data rings.h5ad --min-cells 15 --cells 70 --output complete3.h5ad >out 2>err || fail "$(cat err)"
cmp complete.h5ad complete3.h5ad || fail "other completions on three ranks"
expect_exit 0 "$popflow" predict --run completion --data rings.h5ad --min-cells 15 --cells 30 --number 2 --treatment odd --times 0 \
    --output twice.h5ad

# Hidden pairs: the coupling of all populations, a flow from controls, and known pairs.
expect_exit 0 "$popflow" simulate shapes unpaired --output hidden.h5ad --populations 20 --test-populations 6 --markers 4 --cells 100:150 --seed 1
hidden="--data hidden.h5ad --split column:split --min-cells 10 --transform none --method wfm --source control --steps 40 $small"
expect_exit 0 "$popflow" train $hidden --population population --outer-cells 0 --output controls
ranks 3 1 train $hidden --population population --outer-cells 0 --output controls3 2>err || fail "$(cat err)"
cmp controls/weights.h5 controls3/weights.h5 || fail "other weights from controls"
cmp controls/coupling.csv controls3/coupling.csv || fail "another coupling"
expect_exit 0 "$popflow" evaluate --run controls --data hidden.h5ad --pair-by true_pair --output controls.h5 --metrics energy,w2
grep -q "^  WFM " out || fail "$(cat out)"
# A flow that starts at the mean shift predicts it before its first step.
expect_exit 0 "$popflow" train ${hidden/--steps 40/--steps 1} --population population --start-map mean-shift --rate 0 --output shifted
expect_exit 0 "$popflow" evaluate --run shifted --data hidden.h5ad --pair-by true_pair --output shifted.h5 --metrics energy,w2
expect_exit 0 "$popflow" run $hidden --pairing known --pair-by true_pair --output known --metrics energy,w2 --start-map mean-shift
expect_exit 0 "$popflow" predict --run known --data hidden.h5ad --pair-by true_pair --output moved.h5ad
expect_exit 0 "$python" "$here/check_clouds.py"

refused "pairing: known needs --source control" $train --pairing known --output none
refused "outer: all needs --source control" $train --outer all --output none
refused "outer: must be none with --source subset" train $complete --outer batch --output none
refused "source: found 'subset' without a number of cells" $train --source subset --output none
refused "source: found 'noise:5'. Only subset takes a number" $train --source noise:5 --output none
refused "source: subset:N needs --method wfm" train --method bwfm $read --source subset:9 --output none
refused "attention-width: found 16, which is no multiple of --attention-heads 3" $train --attention-heads 3 --output none
refused "start-map: found 'mean-shift', but method wfm takes only" $train --start-map mean-shift --output none
refused "start-map: moment-map needs pairs" train $hidden --population population --start-map moment-map --output none
refused "augment: found 'rotate', which changes both populations of a pair" $train --augment rotate --output none
refused "coupling: rows and rows-ot couple the rows of a pair" $train --coupling rows --output none
refused "cloud-scale: needs --source noise or subset:N" train $hidden --population population --cloud-scale 0.1 --output none
refused "cloud-mirror: found 3, but there are 2 markers" $train --cloud-mirror 3 --output none
refused "data: is an option of predictions from controls" predict --run one --data rings.h5ad --output none.h5ad
"$popflow" simulate shapes rings --output few.h5ad --populations 2 --test-populations 2 --cells 8:9 --seed 1 >out 2>err
refused "cells, but --source subset:9 needs more" train --method wfm --data few.h5ad --population population --split column:split \
    --min-cells 5 --transform none $small --steps 2 --source subset:9 --output none
refused "data: missing. Give --data C.h5ad" predict --run completion --output none.h5ad
refused "but the run completes 15. Leave smaller populations out with --min-cells" predict --run completion --data few.h5ad \
    --min-cells 5 --output none.h5ad
refused "found 2 conditions, but a population is completed under one" predict --run completion --data rings.h5ad --min-cells 15 \
    --treatment even,odd --output none.h5ad
echo "clouds: sampler, coupling and completions agree"
