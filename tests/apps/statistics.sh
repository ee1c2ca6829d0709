#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Intervals, tests against the baselines, marks, tables by any column, the matched noise floor, and result files of earlier versions.
# Usage: statistics.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
needs_python "anndata, h5py, pandas, scipy"
cd "$scratch"

# says WORDS...: fails unless the standard output of the last command contains each of WORDS.
says() {
    local word
    for word; do
        grep -qF -- "$word" out || fail "'$word' is not in: $(cat out)"
    done
}
# says_not WORDS...: fails if the standard output of the last command contains one of WORDS.
says_not() {
    local word
    for word; do
        if grep -qF -- "$word" out; then fail "'$word' is in: $(cat out)"; fi
    done
}

"$popflow" simulate screen --output s.h5ad --patients 10 --cultures PDO,PDOF --treatments O,S,F --replicates 1 \
    --cells 60:120 --seed 4 >/dev/null 2>&1
patients=$("$python" -c "
import anndata
print(','.join(sorted(anndata.read_h5ad('s.h5ad', backed='r').obs['patient'].unique().astype(str))[:7]))")
model="--min-cells 50 --hidden 32 --layers 2 --embedding 8 --encoder-hidden 16 --time-frequencies 8 --space-frequencies 8
    --batch-pairs 2 --knn 3 --cells 50 --steps 20 --parts test"
# shellcheck disable=SC2086
expect_exit 0 "$popflow" run --data s.h5ad --split "patient:$patients" $model --output run
cp out run.txt
says "7 patients" "95 %: bootstrap interval of the mean. Each of 10000 resamples draws patients with all their pairs" \
    "corr. of corr." "R2 of means" "change corr." "top recall" "identity has none, because it predicts no change" \
    "noise_floor_matched has no scores on " "evaluate --max-cells "
says_not "  r2 "

# The numbers are those of an independent computation, and the words follow from them.
expect_exit 0 "$popflow" report run/results.h5
cp out report.txt
expect_exit 0 "$popflow" report run/results.h5 --format csv
cp out report.csv
expect_exit 0 "$python" "$here/check_statistics.py" run/results.h5 report.txt report.csv
expect_exit 0 "$popflow" evaluate --run run --output one.h5
cp out one.txt
cmp report.txt one.txt || fail "evaluate and report differ: $(diff report.txt one.txt)"

# Statistics do not depend on ranks and threads.
expect_exit 0 ranks 3 1 evaluate --run run --output three.h5
cmp out one.txt || fail "three ranks print other statistics: $(diff out one.txt)"

# Few cells leave enough for two samples, and the row is in the tables.
expect_exit 0 "$popflow" evaluate --run run --output few.h5 --max-cells 25
grep -q "^  noise_floor_matched  *[0-9]" out || fail "no row noise_floor_matched: $(cat out)"
says_not "noise_floor_matched has no scores"
expect_exit 0 "$python" "$here/read_results.py" few.h5 run --cells 25

# A model that is better on every pair, and one that is worse. The tables by treatment follow from the pairs.
for change in 0.9 1.2; do
    "$python" "$here/check_statistics.py" run/results.h5 --scale $change scaled.h5
    expect_exit 0 "$popflow" report scaled.h5 --by treatment
    grep -q "^test, treatment O (14 pairs, 7 patients)" out || fail "no table of the treatment O: $(cat out)"
    says_not "culture PDO"
    if [ $change = 0.9 ]; then
        says "MFM k=3 beats mean_shift in 42 of 42 pairs (p = 0.016)" "[test, W2]" "MFM k=3 beats mean_shift in W1, MMD, corr. of corr., energy"
        grep -q "^  MFM k=3  *\*[0-9.]*  *\*" out || fail "the best model is not marked: $(cat out)"
    else
        says "MFM k=3 loses to mean_shift in 42 of 42 pairs (p = 0.016)"
        if grep -q "^  MFM k=3  *\*" out; then fail "the worse model is marked: $(cat out)"; fi
        grep -q "^  mean_shift  *\*" out || fail "the best baseline is not marked: $(cat out)"
    fi
done
for by in patient culture concentration pair; do
    expect_exit 0 "$popflow" report run/results.h5 --by $by --format markdown
    says "test, $by " "mean over cultures"
done
expect_exit 0 "$popflow" report run/results.h5 --by treatment --format csv
cp out by.csv
expect_exit 0 "$python" "$here/check_statistics.py" run/results.h5 report.txt by.csv --by treatment
expect_exit 0 "$popflow" report run/results.h5 --by treatment --output by.html
grep -q "<details open><summary>Tables by treatment, and the mean over pairs</summary>" by.html || fail "no tables by treatment in HTML"
expect_exit 2 "$popflow" report run/results.h5 --by treatmnt
grep -q "by: found 'treatmnt' (did you mean 'treatment'?), which is no column of the pairs of run/results.h5" err || fail "$(cat err)"

# A role has the name of its obs column.
"$python" -c "
import anndata
a = anndata.read_h5ad('s.h5ad')
a.obs = a.obs.rename(columns={'patient': 'donor'})
a.write_h5ad('donors.h5ad')"
# shellcheck disable=SC2086
expect_exit 0 "$popflow" run --data donors.h5ad --column patient=donor --split "patient:$patients" $model --output donors
says "7 donors" "10000 resamples draws donors"
for by in donor patient; do
    expect_exit 0 "$popflow" report donors/results.h5 --by $by
    grep -q "^test, donor [0-9]* (6 pairs, 1 donor)" out || fail "--by $by: $(cat out)"
done

# One held-out patient allows no interval, no test and no mark.
# shellcheck disable=SC2086
expect_exit 0 "$popflow" run --data s.h5ad --split "patient:${patients%%,*}" $model --output single
says "1 patient)" "no interval where all pairs are of one patient: it needs several" "(no test with one patient)"
if grep -q "^  95 % \|\*[0-9]\|(p = " out; then fail "statistics of one patient: $(cat out)"; fi

# A result file of an earlier version has neither the new metrics nor the new predictor.
"$python" "$here/check_statistics.py" run/results.h5 --old old.h5
for format in text markdown latex csv html; do
    expect_exit 0 "$popflow" report old.h5 --format $format
    says_not noise_floor_matched "change corr." "top recall"
done
expect_exit 0 "$popflow" report old.h5
says "corr. of corr." "MFM k=3 " "  95 % " "42 pairs, 7 patients"
expect_exit 0 "$popflow" report old.h5 --by treatment
says "test, treatment S"
echo "tables have statistics over held-out units"
