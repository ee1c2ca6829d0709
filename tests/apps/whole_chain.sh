#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Calls all verbs one after the other, as a user does, and checks the written files with Python.
# Usage: whole_chain.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
needs_python "anndata, h5py, ot, sklearn"
cd "$scratch"

# says WORDS...: fails unless the standard output of the last command contains each of WORDS.
says() {
    local word
    for word; do
        grep -qF -- "$word" "$scratch/out" || fail "'$word' is not in: $(cat "$scratch/out")"
    done
}

# Help and version.
expect_exit 0 "$popflow" --version
says "popflow "
expect_exit 0 "$popflow" --help
for verb in run train evaluate predict report inspect metrics simulate; do
    says "  $verb "
    "$popflow" "$verb" --help >help.txt 2>&1 || fail "$verb --help: exit code $?"
    "$popflow" help "$verb" | cmp help.txt || fail "help $verb differs from $verb --help"
    "$popflow" "$verb" -h | cmp help.txt || fail "$verb -h differs from $verb --help"
    grep -q "^usage: popflow $verb" help.txt || fail "$verb --help has no usage"
    grep -q "^[A-Z][A-Za-z ]*:$" help.txt || fail "$verb --help has no headings"
    [ "$(wc -L <help.txt)" -le 110 ] || fail "$verb --help has long lines: $(awk 'length > 110' help.txt)"
    [ "$(grep -c "^  --" help.txt)" -ge 4 ] || fail "$verb --help lists few options"
done
expect_exit 2 "$popflow"

# A screen.
expect_exit 0 "$popflow" simulate screen --output screen.h5ad --patients 3 --cultures PDO,PDOF --treatments O,S \
    --replicates 1 --dose-levels 2 --cells 60:90 --seed 5
says screen.h5ad "43 markers"
expect_exit 0 "$popflow" inspect --data screen.h5ad --min-cells 50 --split patient:21
says Markers Experiments Pairs "43" "PDOF"
expect_exit 0 "$popflow" inspect screen.h5ad --min-cells 50 --exclude "patient=nosuch"
says "note: --exclude patient=nosuch matches no row"
expect_exit 0 "$popflow" inspect --data screen.h5ad --min-cells 50 --split patient:21 --json
"$python" -c "import json; assert json.load(open('out'))" || fail "inspect --json is not JSON"

# Two seeds of one configuration.
cat >tiny.cfg <<CONFIG
# A model that trains in a second.
data = screen.h5ad
split = patient:21
min-cells = 50
hidden = 32
layers = 2
embedding = 8
encoder-hidden = 16
knn = 5
time-frequencies = 8
space-frequencies = 8
cells = 50
batch-pairs = 4
steps = 20
log-every = 5
max-cells = 80
parts = train,test,train
CONFIG
for seed in 1 2; do
    expect_exit 0 "$popflow" run --config tiny.cfg --seed $seed --output "run$seed"
    says "test, mean over cultures" "culture PDOF" "MFM k=5" noise_floor "*: best value of its column" \
        "The results are in run$seed/results.h5"
    expect_exit 0 "$python" "$here/read_results.py" "run$seed/results.h5" "run$seed"
done
grep -qx "seed = 2" run2/config.cfg || fail "config.cfg does not have the seed"
expect_exit 0 "$popflow" evaluate --run run1 --output again.h5
# For tables of different lengths h5diff only prints "not comparable" and exits with 0, so its output is checked.
[ -z "$(h5diff again.h5 run1/results.h5 /pairs/w1)" ] || fail "evaluate and run differ"

expect_exit 0 "$popflow" evaluate --run run1 --output some.h5 --sample pdof
"$python" -c "
import h5py
from anndata.experimental import read_elem
with h5py.File('some.h5') as f:
    names = set(read_elem(f['cells']).obs['pair'])
assert names and all('PDOF' in name for name in names), names" || fail "--sample chose other pairs"
expect_exit 2 "$popflow" evaluate --run run1 --output refused.h5 --sample nosuch
grep -q "sample: found 'nosuch', which is in the name of none of the [0-9]* scored pairs. Give a part of a name such as " err || fail "$(cat err)"

# The tables of several runs.
for seed in 1 2; do
    expect_exit 0 "$popflow" run --config tiny.cfg --seed $seed --method fm --base gaussian --output "fm$seed"
done
expect_exit 0 "$popflow" run --config tiny.cfg --seed 1 --steps 10 --output short
files="run1/results.h5 run2/results.h5 again.h5 short/results.h5 fm1/results.h5 fm2/results.h5"
expect_exit 0 "$popflow" report $files --published organoid_patient
says "2 seeds" "FM w/ N" "MFM k=5 (steps=20)" "MFM k=5 (steps=10)" "±" "W1" "test, mean over cultures" \
    "7.114 ± 0.100" "published: Atanackovic et al., arXiv 2408.14608 (organoid_patient)" \
    "MFM k=5 (steps=20), seed 1: again.h5 repeats the run of run1/results.h5" "fewer seeds: MFM k=5 (steps=10) 1"
expect_exit 0 "$popflow" report $files --published organoid_patient --output table.csv
[ "$(cat out)" = "table.csv: csv of 6 result files" ] || fail "report printed: $(cat out)"
expect_exit 0 "$python" "$here/check_report.py" table.csv $files

# A folder stands for all runs in it and below it. Figures of their own.
mkdir -p sw/runs/fm other/below
for seed in 1 2; do cp -r fm$seed sw/runs/fm/seed$seed; done
cp again.h5 sw/runs/scores.h5
mkdir sw/runs/started && cp run1/config.cfg run1/checkpoint.h5 sw/runs/started
expect_exit 0 "$popflow" report sw/runs --output sw.csv
grep -qx "sw/runs: 3 result files" err || fail "no line with the number of files: $(cat err)"
grep -qx "left out 1 run without results.h5: sw/runs/started" err || fail "no note of the run without results: $(cat err)"
[ "$(cat out)" = "sw.csv: csv of 3 result files" ] || fail "report printed: $(cat out)"
expect_exit 0 "$popflow" report sw/runs/fm/seed1/results.h5 sw/runs/fm/seed2/results.h5 sw/runs/scores.h5 --output listed.csv
cmp sw.csv listed.csv || fail "a folder and its files give different reports"
expect_exit 2 "$popflow" report other
grep -q "no result file in the folder 'other' or in the folders below it" err || fail "$(cat err)"
expect_exit 0 "$popflow" report sw/runs --figures figures
says "MFM k=5 is better than mean_shift in " "(no test with one patient) [test, W2]"
grep -q "^figures: [0-9]* figures (\*.svg)$" err || fail "$(cat err)"
for format in pdf png; do
    code=0
    "$popflow" report sw/runs/fm --figures pictures --figure-format $format >out 2>err || code=$?
    if [ $code = 2 ] && grep -q "librsvg" err; then continue; fi
    [ $code = 0 ] || fail "--figure-format $format: $(cat err)"
    "$python" - $format <<PYTHON || fail "the $format files are no pictures"
import pathlib, sys
files = list(pathlib.Path("pictures").glob("*." + sys.argv[1]))
start = {"pdf": b"%PDF-", "png": b"\x89PNG"}[sys.argv[1]]
assert files and all(f.read_bytes().startswith(start) and f.stat().st_size > 2000 for f in files), files
PYTHON
done
expect_exit 0 "$popflow" report $files --output table.md
grep -q "^| test | W1 | W2 | MMD e-3 | corr. of corr. | energy | R2 of means | change corr. | top recall |" table.md || fail "no table of the test part: $(cat table.md)"
grep -qE "^\| FM w/ N \| [0-9.]+ ± [0-9.]+ \|" table.md || fail "no row of the model: $(cat table.md)"
expect_exit 0 "$popflow" report $files --format latex
says "\\begin{tabular}{lrrrrrrrr}" "mean\_shift" "corr.\\ of correlations"
! grep -q 'r^2' out || fail "LaTeX calls the correlation of correlations r^2"
expect_exit 0 "$python" "$here/check_page.py" "$popflow" run1/results.h5 run2/results.h5 fm1/results.h5
says "the page is valid"

# Optimal transport maps, and the published training recipe.
expect_exit 0 "$popflow" run --config tiny.cfg --method icnn --steps 22 --output icnn
grep -qx "rate = 0.0001" icnn/config.cfg || fail "config.cfg does not have the rate of icnn"
says ICNN noise_floor
expect_exit 0 "$popflow" run --config tiny.cfg --method icnn --condition treatment --steps 22 --output picnn
expect_exit 0 "$popflow" run --config tiny.cfg --recipe paper --steps 22 --output paper
for line in "recipe = paper" "updates = alternate" "loss = reduced" "encoder-activation = none" "eval-draw = first" \
    "batch-pairs = 4" "schedule = constant" "ema-decay = 0" "warmup-steps = 0"; do
    grep -qx "$line" paper/config.cfg || fail "no '$line' in config.cfg"
done
for seed in 1 2; do  # without the noise floor and its intervals, which are drawn in any case
    "$popflow" evaluate --run paper --output e.h5 --max-cells 40 --eval-seed $seed 2>/dev/null | sed '/noise_floor/,+1d' >first$seed
    "$popflow" evaluate --run paper --output e.h5 --max-cells 40 --eval-seed $seed --eval-draw random 2>/dev/null |
        sed '/noise_floor/,+1d' >random$seed
done
cmp -s first1 first2 || fail "--eval-draw first depends on the seed"
cmp -s random1 random2 && fail "--eval-draw random does not depend on the seed"
expect_exit 0 "$popflow" report icnn/results.h5 picnn/results.h5 paper/results.h5 run1/results.h5
says "ICNN + treatment" "MFM k=5 (paper)" "MFM k=5"
expect_exit 2 "$popflow" run --config tiny.cfg --method icnn --base gaussian --output refused
grep -q "^popflow: base: found 'gaussian', but method icnn takes only source. Omit --base" err || fail "unexpected message: $(cat err)"

# A pair that cannot be scored: the model was not trained on its treatment.
"$python" "$here/make_inputs.py" "$scratch"
expect_exit 0 "$popflow" run --config tiny.cfg --data held_out.h5ad --split column:part --min-cells 10 --cells 16 \
    --knn 3 --steps 3 --parts test --output held_out
says "6 scores failed"
expect_exit 0 "$python" "$here/read_results.py" held_out/results.h5 held_out --unseen V

# A metric that is not computed by default has a column if it is requested.
expect_exit 0 "$popflow" evaluate --run held_out --parts test --metrics w2,sinkhorn --sinkhorn-rho 2 --output sinkhorn.h5
grep -q "W2 *Sinkhorn" out || fail "$(cat out)"
expect_exit 0 "$popflow" evaluate --run held_out --parts test --metrics w1_markers --output markers.h5
grep -q "W1 of markers" out || fail "$(cat out)"
"$python" - <<PYTHON || fail "evaluate --metrics sinkhorn"
import h5py, numpy as np
with h5py.File("sinkhorn.h5") as file:
    status = file["pairs/status"]
    ok = np.array([c == b"ok" for c in status["categories"][:]])[status["codes"][:]]
    ok &= file["pairs/n_predicted"][:] > 0  # too few cells for the matched noise floor
    assert ok.any() and (file["pairs/sinkhorn"][:][ok] > 0).all()
    assert "sinkhorn" in file["summary"]
PYTHON

# The metrics of two files. Those of changes need a third file.
"$python" -c "import anndata; anndata.read_h5ad('good.h5ad')[::3].copy().write_h5ad('controls.h5ad')"
expect_exit 2 "$popflow" metrics good.h5ad held_out.h5ad --metrics w1,recall_top
grep -q "metrics: found 'recall_top', which compares changes from the control cells. Give their file as the third one" err ||
    fail "metrics without the control: $(cat err)"
expect_exit 0 "$popflow" metrics good.h5ad held_out.h5ad
if grep -q "change_correlation\|recall_top" out; then fail "metrics without the control prints $(cat out)"; fi
all="--metrics w1,w2,mmd,r2,energy,r2_means,w1_markers,sinkhorn,mmd_scaled,change_correlation,recall_top --sinkhorn-epsilon 0.1 --sinkhorn-rho 0"
"$popflow" metrics good.h5ad held_out.h5ad controls.h5ad $all >values.txt || fail "metrics: exit code $?"
"$python" "$here/check_metrics.py" good.h5ad held_out.h5ad controls.h5ad <values.txt
"$popflow" metrics good.h5ad held_out.h5ad controls.h5ad $all --json >values.json || fail "metrics --json: exit code $?"
"$python" - <<PYTHON || fail "metrics --json differs from the text output"
import json
lines = dict(line.split() for line in open("values.txt"))
assert json.load(open("values.json")) == {name: float(value) for name, value in lines.items()}
PYTHON
"$popflow" metrics good.h5ad held_out.h5ad --metrics w1 --max-cells 10 --seed 3 >drawn.txt || fail "metrics --max-cells"
"$popflow" metrics good.h5ad held_out.h5ad --metrics w1 --max-cells 10 --seed 3 | cmp drawn.txt || fail "the same seed gives another draw"
"$popflow" metrics good.h5ad held_out.h5ad --metrics w1 --max-cells 10 --seed 4 | cmp -s drawn.txt && fail "another seed gives the same draw"
"$popflow" metrics good.h5ad held_out.h5ad controls.h5ad $all --max-cells all | cmp values.txt || fail "--max-cells all does not use all cells"
echo "all verbs run"
