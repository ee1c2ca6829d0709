#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Leave one out, --split each:COLUMN: the folds are those of separate runs, on any number of ranks and processes, and after a
# stop. Their results are joined and reported. Folds that cannot be trained are skipped.
# Usage: each.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
needs_python "anndata, h5py, pandas"
cd "$scratch"

# says FILE WORDS...: fails unless the file contains each of WORDS.
says() {
    local word
    for word in "${@:2}"; do
        grep -qF -- "$word" "$1" || fail "'$word' is not in $1: $(cat "$1")"
    done
}
# refused WORDS ARGUMENT...: fails unless popflow exits with 2 and one line that contains WORDS.
refused() {
    expect_exit 2 "$popflow" "${@:2}"
    says err "$1"
    [ "$(grep -c "^popflow: " err)" = 1 ] || fail "not one line: $(cat err)"
}
check() { "$python" "$here/check_each.py" "$@" || fail "check_each.py $*"; }
# bytes_of RUN...: prints the checksums of the files of runs that a finished fold does not change.
bytes_of() { (for run; do sha256sum "$run"/{config.cfg,checkpoint.h5,weights.h5,training.h5,results.h5,log.txt}; done); }

"$popflow" simulate screen --output s.h5ad --patients 4 --cultures PDO --treatments O,S --replicates 2 --cells 60:120 --seed 3 \
    >/dev/null 2>&1
training="--data s.h5ad --min-cells 50 --hidden 32 --layers 2 --embedding 8 --encoder-hidden 16 --knn 5 --time-frequencies 8
    --space-frequencies 8 --cells 50 --batch-pairs 4 --steps 12 --precision fp32 --log-every 4"
model="$training --max-cells 40 --sample-pairs 3"
each="$model --split each:patient"
patients=$("$python" -c "
import anndata
print(*sorted(anndata.read_h5ad('s.h5ad', backed='r').obs['patient'].unique(), key=int))")
read -r -a patients <<<"$patients"
[ ${#patients[@]} = 4 ] || fail "not four patients: ${patients[*]}"
first=${patients[0]} second=${patients[1]} third=${patients[2]} last=${patients[3]}

# The dry run lists the folds and estimates the time of all of them.
for mode in --dry-run --dry-run=plan; do
    expect_exit 0 ranks 2 1 run $each --output all $mode
    says out "folds       4 folds, one for each patient" "fold 1      patient $first: " "to run      1,2,3,4" \
        "plan of     fold 1 of 4, patient $first"
    [ ! -e all ] || fail "the dry run made a folder"
done
! grep -q "^all folds" out || fail "a plan has a time: $(cat out)"
expect_exit 0 "$popflow" run $each --output all --dry-run
grep -qE "^all folds +[0-9].* for 4 folds that are left, without the evaluation$" out || fail "no time of all folds: $(cat out)"
expect_exit 0 "$popflow" run $each --output all --dry-run=options

# Each fold is the run of its split.
expect_exit 0 "$popflow" run $each --output all
cp out all.txt
says err "fold 1 of 4, patient $first: all/$first" "fold 4 of 4, patient $last: all/$last"
says out "all: each:patient" "The results of all folds are in all/results.h5. For a page with figures: popflow report all"
for patient in "${patients[@]}"; do
    expect_exit 0 "$popflow" run $model --split "patient:$patient" --output "single/$patient"
    for file in config.cfg checkpoint.h5 weights.h5; do
        cmp "single/$patient/$file" "all/$patient/$file" || fail "$file of the fold $patient is not that of a separate run"
    done
done
check joined all/results.h5 "${patients[@]/#/single/}"
[ "$(cat all/folds.csv)" = "fold,value,folder,status,note
1,$first,$first,scored,
2,$second,$second,scored,
3,$third,$third,scored,
4,$last,$last,scored," ] || fail "$(cat all/folds.csv)"
says all/config.cfg "split = each:patient"

# Two ranks, and an array of four processes. The last one to end joins the results.
expect_exit 0 ranks 2 1 run $each --output two
check same all/results.h5 two/results.h5
jobs=()
for fold in 1 "$second" 3 "$last"; do
    OMP_NUM_THREADS=1 "$popflow" run $each --output array --fold "$fold" >"array-$fold.txt" 2>"array-$fold.err" &
    jobs+=($!)
done
for job in "${jobs[@]}"; do wait "$job" || fail "a process of the array: $(cat array-*.err)"; done
check same all/results.h5 array/results.h5
[ "$(cat array-*.txt | grep -c "The results of all folds are in array/results.h5")" -ge 1 ] || fail "no process joined: $(cat array-*.txt)"
for patient in "${patients[@]}"; do
    cmp "all/$patient/checkpoint.h5" "array/$patient/checkpoint.h5" || fail "the array has another checkpoint of $patient"
done

# One fold, then a stop in the second one, then the rest. Finished folds stay as they are.
expect_exit 0 "$popflow" run $each --output parts --fold 1
says out "parts: 1 of 4 folds scored. The last one to end joins the results"
before=$(bytes_of "parts/$first")
refused "contains a leave-one-out. Add --resume" run $each --output parts
expect_exit 75 "$popflow" run $each --output parts --resume --stop-after 4
says parts/folds.csv "1,$first,$first,scored," "2,$second,$second,started," "3,$third,$third,open,"
says err "fold 1 of 4, patient $first: parts/$first is finished"
[ ! -e parts/results.h5 ] || fail "results of a part of the folds"
refused "the leave-one-out 'parts' has no results.h5 yet (1 of 4 folds scored: parts/$first, " report parts
expect_exit 0 "$popflow" run $each --output parts --resume --dry-run=plan
says out "fold 1      patient $first: " "finished, in parts/$first" "to run      2,3,4" "plan of     fold 2 of 4"
refused "rate: found '0.5', was '0.001'" run $each --output parts --resume --rate 0.5
refused "rate: found '0.5', was '0.001'" run $each --output parts --resume --rate 0.5 --dry-run=plan
expect_exit 0 ranks 2 1 run $each --output parts --resume
[ "$(bytes_of "parts/$first")" = "$before" ] || fail "a finished fold changed"
check same all/results.h5 parts/results.h5

# All folds are finished: the results are only joined again. Another metric scores the folds again, without a training.
before=$(bytes_of "${patients[@]/#/parts/}")
rm parts/results.h5
expect_exit 0 "$popflow" run $each --output parts --resume
[ "$(bytes_of "${patients[@]/#/parts/}")" = "$before" ] || fail "a finished fold changed"
check same all/results.h5 parts/results.h5
expect_exit 0 "$popflow" run $each --output parts --resume --max-cells 30
for patient in "${patients[@]}"; do
    cmp "all/$patient/weights.h5" "parts/$patient/weights.h5" || fail "the fold $patient was trained again"
done
"$python" -c "
import h5py
for run in ('parts', 'parts/$last'):
    assert 'max-cells = 30\n' in h5py.File(run + '/results.h5').attrs['config'], run" || fail "the old results are still there"

# train, then run: only the scores are missing.
expect_exit 0 "$popflow" train $training --split each:patient --output trained
says out "trained: 4 of 4 folds trained. popflow run with the same options and --resume scores them"
says trained/folds.csv "4,$last,$last,trained,"
expect_exit 0 "$popflow" train $training --split each:patient --output trained --resume
[ "$(grep -c "is finished$" err)" = 4 ] || fail "$(cat err)"
expect_exit 0 "$popflow" run $each --output trained --resume
check same all/results.h5 trained/results.h5

# Reports.
expect_exit 0 "$popflow" report all
grep -v "^all: each" all.txt | tail -n +1 | grep -qF "$(sed -n 1p out)" || fail "the report is not the printed table"
says out "(15 pairs, 4 patients)" "Each of 10000 resamples draws patients with all their pairs"
expect_exit 0 "$popflow" report all --output all.csv
check report all/results.h5 all.csv
expect_exit 0 "$popflow" report all --by patient
for patient in "${patients[@]}"; do says out "test, patient $patient ("; done
expect_exit 0 "$popflow" report all --by fold
says out "test, fold $last ("
expect_exit 0 "$popflow" report all --output all.html
says all.html "<h2>Split each:patient" ", fold $first" "W2 above the noise floor, patient by treatment"
# Two leave-ones-out in one table. A folder of runs counts each of them once.
expect_exit 0 "$popflow" run $each --method mean-shift --output shift
expect_exit 0 "$popflow" report all shift
says out "MFM k=5" "MEAN-SHIFT"
mkdir both && mv shift array both
expect_exit 0 "$popflow" report both
says err "both: 2 result files"

# Commands on the folder of all folds name the folds. A fold is an ordinary run.
refused "found 'all', which is a leave-one-out and has a model for each fold. Give the folder of one of them (4 of 4 folds scored: all/$first" \
    predict --run all --data s.h5ad --treatment S --output p.h5ad
refused "which is a leave-one-out" evaluate --run all --output e.h5
refused "which is a leave-one-out" report --watch all
refused "output: found 'all/folds.csv', which belongs to the run" report all --output all/folds.csv --format csv
refused "contains the folds of a leave-one-out" run $model --split "patient:$first" --output all
refused "contains a run of one split" run $each --output "single/$first"
expect_exit 0 "$popflow" evaluate --run "all/$second" --output e.h5
expect_exit 0 "$popflow" predict --run "all/$second" --data s.h5ad --treatment S --output p.h5ad

# Messages. Nothing is written.
refused "obs/nowhere: is missing" run $model --split each:nowhere --output none
refused "without a column. Give each:COLUMN" run $model --split each: --output none
refused "split each:culture: found one culture only, \`PDO\`" run $model --split each:culture --output none
refused "of whose 2 folds none can be trained. treatment O: split: found treatment:O, which needs --treatment-vectors" \
    run $model --split each:treatment --output none
refused "found '7', which is no value of patient and no number from 1 to 4. Give one of $first, " run $each --output none --fold 7
refused "found '1', but the split is patient:$first" run $model --split "patient:$first" --output none --fold 1
refused "stands for one split for each value" evaluate --run "all/$first" --split each:patient --output e2.h5
refused "parts: found no test" run $each --output none --parts train
refused "popflow evaluate --run none/FOLDER --predictions" run $each --output none --predictions p.h5ad
refused "each fold needs pairs for --sample, and patient:$second has none" run $each --output none --sample "$first /"
refused "trains on transport problems" train --data s.h5ad --split each:patient --method meta-ot --output none
[ ! -e none ] || fail "a refused run made a folder"

# Values that are no names of folders, one of them a fold that cannot be trained: only that patient got the treatment Z. An
# odd column name. Vectors allow each:treatment.
"$python" - "${patients[@]}" <<'PYTHON'
import sys
import anndata
data = anndata.read_h5ad("s.h5ad")
names = dict(zip(sys.argv[1:], ["a/b", "a b", "x, y", ".hidden"]))
obs = data.obs.astype(str)
obs["patient"] = obs["patient"].map(names)
obs["my:donor"] = obs["patient"]
obs["mixed"] = ["ab"[i % 2] for i in range(len(obs))]
obs.loc[(obs["patient"] == "x, y") & ~obs["treatment"].isin(["DMSO", "AH", "H2O"]), "treatment"] = "Z"
data.obs = obs.astype("category")
data.write_h5ad("odd.h5ad")
PYTHON
odd="${model/s.h5ad/odd.h5ad}"
refused "has several values of mixed: a, b. Add mixed to --pair-by" run $odd --split each:mixed --output none
expect_exit 0 "$popflow" inspect odd.h5ad --min-cells 50 --split each:patient
says out "split each:patient: 3 folds: " "the fold x, y cannot be trained: " "no training pair has treatment Z"
expect_exit 0 "$popflow" run $odd --split each:patient --output odd
says err "patient x, y is skipped: split: found patient:\"x, y\", which needs --treatment-vectors: no training pair has treatment Z"
says out "(11 pairs, 3 patients)" "fold x, y was skipped: "
grep -qE '^4,"x, y",x__y-[0-9a-f]{8},skipped,"split: found' odd/folds.csv || fail "$(cat odd/folds.csv)"
[ "$(find odd -mindepth 1 -maxdepth 1 -type d | wc -l)" = 3 ] || fail "not three folders: $(ls odd)"
folder=$(sed -n 's/^[0-9]*,a\/b,\([^,]*\),.*/\1/p' odd/folds.csv)
expect_exit 0 "$popflow" run $odd --split "patient:a/b" --output odd_single
cmp "odd/$folder/weights.h5" odd_single/weights.h5 || fail "the fold a/b is not the run of its split"
cmp "odd/$folder/config.cfg" odd_single/config.cfg || fail "the fold a/b has another configuration"
expect_exit 0 "$popflow" report odd
says out "fold x, y was skipped: "
refused "but patient x, y cannot be trained" run $odd --split each:patient --output odd --fold "x, y" --resume
expect_exit 0 "$popflow" run $odd --split each:patient --output odd --resume --dry-run=plan
says out "folds       4 folds, one for each patient, 1 skipped" "patient x, y: skipped: " "to run      none"
expect_exit 0 "$popflow" run $odd --split 'each:"my:donor"' --output donor
check same donor/results.h5 donor/results.h5
says donor/folds.csv "a/b,$folder,scored"
says "donor/$folder/config.cfg" 'split = """my:donor"":a/b"'
expect_exit 0 "$popflow" report donor
says out "(11 pairs, 3 my:donors)"
printf 'treatment,a,b\nO,1,0\nS,0,1\nDMSO,0,0\nAH,0,0\nH2O,0,0\n' >vectors.csv
expect_exit 0 "$popflow" run $model --split each:treatment --treatment-vectors vectors.csv --output drugs
says out "(15 pairs, 2 treatments)"
expect_exit 0 "$popflow" run $model --split each:treatment --treatment-vectors vectors.csv --output drugs --resume
[ "$(grep -c "is finished$" err)" = 2 ] || fail "a finished fold with vectors ran again: $(cat err)"
printf 'treatment,a,b\nO,1,0\nS,0,2\nDMSO,0,0\nAH,0,0\nH2O,0,0\n' >vectors.csv
refused "the vectors are not those that this run was trained on" run $model --split each:treatment --treatment-vectors vectors.csv \
    --output drugs --resume
echo "a leave-one-out is its folds, joined"
