#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Simulates, trains on and scores a few synthetic letters. Usage: letters.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
configs=$(cd "$(dirname "$0")/../../configs" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
needs_python "anndata, h5py"
cd "$scratch"

expect_exit 0 "$popflow" simulate letters --output letters.h5ad --letters I,L,T,V --rotations 3 --size 24 --seed 2
grep -q "4 letters to train on, 2 to test, 18 pairs, Liberation Sans" out || fail "simulate letters printed $(cat out)"
options="--data letters.h5ad --min-cells 1"
expect_exit 0 "$popflow" inspect $options --pair-by patient,replicate --transform none --split letters --json
"$python" -c "import json; assert json.load(open('out'))" || fail "inspect --json is not JSON"

# The published configurations with smaller networks and samples.
small="$options --hidden 32 --layers 2 --cells 30 --batch-pairs 4 --steps 20 --log-every 1 --time-frequencies 8
    --space-frequencies 8"
for method in fm cgfm mfm; do
    [ $method = mfm ] && row=mfm_k0 || row=$method
    expect_exit 0 "$popflow" run --config "$configs/letters/$row.cfg" $small --train-eval-pairs 4 --output $method
done
expect_exit 0 "$popflow" run --config "$configs/letters/mfm_k0.cfg" $small --train-eval-pairs 4 --knn 5 --coupling rows \
    --augment rotate,reflect,mix,stretch,splice --output symmetric
expect_exit 0 "$popflow" evaluate --run symmetric --output all.h5 --parts train --train-eval-pairs 0
for coupling in rows random; do
    expect_exit 0 "$popflow" train --config "$configs/letters/fm.cfg" $small --coupling $coupling --loss full --output $coupling
done
expect_exit 0 "$python" "$here/read_letters_results.py" .
echo "letters are simulated, learned and scored"
