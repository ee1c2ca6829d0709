#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --start-map, --shrinkage and --guard: an untrained model predicts its start, the predicted cells follow the formula, on any ranks.
# Usage: start_map.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
needs_python "anndata, h5py"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch"
"$python" "$here/check_moment_map.py" make s.h5ad
data="--data s.h5ad --min-cells 20 --transform none --pair-by patient,plate"
fold="$data --split patient:P7"
small="--hidden 16 --layers 2 --icnn-hidden 8 --knn 5 --embedding 4 --cells 32"
scored="--max-cells 100000 --metrics w2,energy,r2_means"

# With a learning rate of 0 each method predicts what the map predicts.
for start in mean-shift-mfm mean-shift-icnn moment-map-fm moment-map-cgfm moment-map-icnn; do
    expect_exit 0 "$popflow" run $fold $small $scored --method ${start##*-} --start-map ${start%-*} --rate 0 --steps 2 --output $start
done
"$python" "$here/check_start_map.py" is_baseline mean_shift mean-shift-*/results.h5 || fail "not every method starts at the mean shift"
"$python" "$here/check_start_map.py" is_baseline moment_map moment-map-*/results.h5 || fail "not every method starts at the moment map"

# Cells of trained models: start, model, and both with a shrinkage and a guard.
trained="$fold $small --method mfm --steps 30 --coupling ot"
predicted="$scored --space normalised"
expect_exit 0 "$popflow" run $trained $predicted --start-map moment-map --output full --predictions full.h5ad
expect_exit 0 "$popflow" run $trained $predicted --start-map moment-map --shrinkage 0 --output zero --predictions zero.h5ad
expect_exit 0 "$popflow" run $trained $predicted --start-map moment-map --shrinkage 0.25 --guard 0.1:1.5 --output part --predictions part.h5ad
"$python" "$here/check_start_map.py" is_baseline moment_map zero/results.h5 || fail "--shrinkage 0 does not predict the moment map"
"$python" "$here/check_start_map.py" blend zero.h5ad full.h5ad part.h5ad 0.25 0.1 1.5 || fail "the cells do not follow the formula"
expect_exit 0 "$popflow" run $trained $predicted --output alone --predictions alone.h5ad
expect_exit 0 "$popflow" run $trained $predicted --shrink-to moment-map --shrinkage 0.25 --guard 0.1:1.5 --output shrunk --predictions shrunk.h5ad
"$python" "$here/check_start_map.py" blend zero.h5ad alone.h5ad shrunk.h5ad 0.25 0.1 1.5 || fail "--shrink-to: the cells do not follow the formula"
h5diff alone/checkpoint.h5 shrunk/checkpoint.h5 /average || fail "--shrink-to changed the training"
"$python" "$here/check_start_map.py" distance s.h5ad part/results.h5 part.h5ad P7 || fail "the distance differs from NumPy's"
if h5diff -q full/checkpoint.h5 mean-shift-mfm/checkpoint.h5 /average; then fail "the start did not change the training"; fi
h5diff full/checkpoint.h5 part/checkpoint.h5 /average || fail "--shrinkage changed the training"
for n in 2 3; do
    expect_exit 0 ranks $n 1 run $trained $predicted --start-map moment-map --shrinkage 0.25 --guard 0.1:1.5 --output r$n --predictions r$n.h5ad
    cmp part/weights.h5 r$n/weights.h5 || fail "other weights on $n ranks"
    h5diff part.h5ad r$n.h5ad /X || fail "other cells on $n ranks"
done

# weights.h5 alone predicts the same cells, and a path from the control cells to them.
mkdir weights
cp part/weights.h5 part/config.cfg weights
expect_exit 0 "$popflow" predict --run weights $data --output p.h5ad --space normalised --times 0,0.5,1
"$python" "$here/check_start_map.py" path s.h5ad weights/weights.h5 part.h5ad p.h5ad || fail "the predicted cells or their path differ"
expect_exit 0 "$popflow" predict --run shrunk $data --output p.h5ad --space normalised --times 0,0.5,1
"$python" "$here/check_start_map.py" path s.h5ad shrunk/weights.h5 shrunk.h5ad p.h5ad || fail "--shrink-to: the predicted cells or their path differ"

# A population that is far from all others is named.
"$python" "$here/check_start_map.py" far s.h5ad far.h5ad P7
expect_exit 0 "$popflow" run ${fold/s.h5ad/far.h5ad} $small $scored --method fm --steps 2 --output far
grep -q "note: 2 control populations are far from the training populations.*P7" "$scratch/err" || fail "no note: $(cat "$scratch/err")"
expect_exit 0 "$popflow" predict --run far ${data/s.h5ad/far.h5ad} --output far_p.h5ad
grep -q "far from the training populations.*P7" "$scratch/err" || fail "no note of predict: $(cat "$scratch/err")"

# A stop and a resume give the same weights. Another start is refused.
expect_exit 75 "$popflow" train $trained --start-map moment-map --output stopped --stop-after 11
expect_exit 2 "$popflow" train $trained --start-map mean-shift --output stopped --resume
grep -q "start-map: found 'mean-shift', was 'moment-map'" "$scratch/err" || fail "the resume with another start: $(cat "$scratch/err")"
expect_exit 0 "$popflow" train $trained --start-map moment-map --output stopped --resume
h5diff full/weights.h5 stopped/weights.h5 /average || fail "the resume changed the weights"

refused() {  # refused MESSAGE OPTIONS...
    local message=$1
    shift
    expect_exit 2 "$popflow" train $fold --output other "$@"
    [ "$(wc -l <"$scratch/err")" = 1 ] || fail "expected one line: $(cat "$scratch/err")"
    grep -q -- "$message" "$scratch/err" || fail "expected '$message': $(cat "$scratch/err")"
}
refused "start-map: needs --base source" --method fm --base gaussian --start-map moment-map
refused "guard: needs --base source" --method fm --base gaussian --guard 1
refused "start-map: needs --icnn-start identity" --method icnn --icnn-start uniform --start-map mean-shift
refused "start-map: found 'mean-shift', but method moment-map takes only none" --method moment-map --start-map mean-shift
refused "start-map: found 'linear'. Give one of none, mean-shift, moment-map" --method fm --start-map linear
refused "shrinkage: found '2'" --method fm --shrinkage 2
refused "guard: found '1:x'\|guard: found 'x'" --method fm --guard 1:x
