#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `train --method meta-ot` learns potentials that shorten Sinkhorn's iteration on histograms that it has not seen. The weights
# are the same on 1 to 3 ranks and after a stop and a resume. Verbs that the method cannot serve refuse its run.
# Usage: meta_ot.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
check=$(cd "$(dirname "$0")" && pwd)/check_meta_ot.py
needs_python "anndata, h5py"
cd "$scratch"

"$python" "$check" write .
train="train --method meta-ot --data blobs.h5ad --split column:part --ot-epsilon 0.02 --dual-hidden 64 --steps 300 --log-seconds 60"

ranks 1 2 $train --output one 2>err || fail "$(cat err)"
grep -q "blobs.h5ad: 160 histograms to train on, 144 x 144 atoms, epsilon 0.02; meta-ot" err || fail "$(cat err)"
ranks 3 1 $train --output three 2>err || fail "$(cat err)"
cmp one/checkpoint.h5 three/checkpoint.h5 || fail "the weights differ on 3 ranks"
ranks 1 1 $train --output parts --stop-after 120 2>err || [ $? = 75 ] || fail "$(cat err)"
ranks 2 1 $train --output parts --resume 2>err || fail "$(cat err)"
cmp one/checkpoint.h5 parts/checkpoint.h5 || fail "the weights differ after a resume"
expect_exit 2 "$popflow" $train --output parts --resume --ot-epsilon 0.03
grep -q "ot-epsilon: found '0.03', was '0.02'" err || fail "$(cat err)"

# Starts on histograms that were held out.
ot="ot --data blobs.h5ad --rows part=test --problems random:60 --ot-epsilon 0.02 --ot-tolerance 1e-2,1e-4"
ranks 2 1 $ot --start zeros,gaussian,one --acceleration none,anderson --output starts.h5 --convergence yes >out 2>err ||
    fail "$(cat err)"
ranks 1 1 $ot --start zeros,gaussian,one --acceleration none,anderson --output starts_1.h5 --convergence yes >/dev/null 2>err ||
    fail "$(cat err)"
h5diff starts.h5 starts_1.h5 /problems/iterations || fail "the iterations differ on 2 ranks"
"$python" "$check" starts starts.h5

# Histograms of other kinds than in training: images of clothes, and random pixels.
for kind in clothes sparse; do
    expect_exit 0 "$popflow" ot --data $kind.h5ad --problems random:100 --ot-epsilon 0.02 --ot-tolerance 1e-2,1e-4 --start zeros,one \
        --acceleration none,anderson --convergence yes --output $kind.h5
    "$python" "$check" unseen $kind.h5
done

# Each loss, form and base trains, also the published settings. A file of targets and a cost on the sphere work too.
for settings in "--dual-objective regression" "--dual-form atoms --dual-base zeros" "--dual-form smooth --dual-inputs source" \
    "--recipe paper --batch-pairs 2 --problems-per-slot 4 --dual-hidden 32"; do
    expect_exit 0 "$popflow" $train --output short $settings --steps 5
    expect_exit 0 "$popflow" ot --data blobs.h5ad --rows part=test --problems random:3 --start short --output short.h5 \
        --ot-epsilon 0.02
    rm -r short
done
"$popflow" train --method meta-ot --data supply.h5ad --target-data demand.h5ad --cost sphere --ot-epsilon 0.05 --steps 5 \
    --demand-points 10 --output sphere 2>err || fail "$(cat err)"
"$popflow" ot --data supply.h5ad --target-data demand.h5ad --cost sphere --ot-epsilon 0.05 --start sphere --output sphere.h5 \
    >out 2>err || fail "$(cat err)"
"$popflow" train --method meta-ot --data blobs.h5ad --output none --ot-epsilon mean:0.05 --dry-run >out 2>err || fail "$(cat err)"
grep -q "steps *4000, each with 4 slots of 16 problems" out && grep -q "^time" out || fail "$(cat out)"
[ ! -e none ] || fail "--dry-run wrote a run"

# refused TEXT ARGUMENT...: fails unless popflow ends with code 2 and one line that contains the text.
refused() {
    local text=$1
    shift
    expect_exit 2 "$popflow" "$@"
    [ "$(grep -c "^popflow: " err)" = 1 ] && grep -qF -- "$text" err || fail "expected '$text': $(cat err)"
}
refused "start: the run 'one' was trained on other atoms" ot --data supply.h5ad --start one --output none.h5
refused "'meta-ot' is a method that does not predict treated cells" evaluate --run one --data blobs.h5ad --output none.h5
refused "'meta-ot' is a method that does not predict treated cells" predict --run one --data blobs.h5ad --output none.h5ad
refused "method: meta-ot predicts no cells that could be scored" run --method meta-ot --data blobs.h5ad --output none
refused "cost: needs a method for transport problems" train --data blobs.h5ad --output none --cost sphere
refused "split: 'replica' is a split of pairs of populations" $train --output none --split replica
refused "batch-pairs: is 400, but there are only 160 histograms" $train --output none --batch-pairs 400
refused "obs/part: has no row with 'z'. Change --split" train --method meta-ot --data blobs.h5ad --output none --split part:z
refused "obs: no row is left. Change --rows, --exclude or --split" train --method meta-ot --data blobs.h5ad --output none \
    --split part:train,test
refused "varm: has no positions of the atoms, which --method meta-ot needs" train --method meta-ot --data bare.h5ad --output none
# --rows and --split both apply: only rows of the training part that match.
"$popflow" train --method meta-ot --data blobs.h5ad --output none --rows part=train --rows part=test --split column:part \
    --dry-run=plan >out 2>err || fail "$(cat err)"
grep -q "160 histograms to train on" out || fail "$(cat out)"
