#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# slurm/submit.sh with a stub in place of sbatch: what it submits, what it refuses before sbatch, --dry-run and --help.
# Usage: submit.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"
home=$(cd "$(dirname "$0")/../.." && pwd)
submit=$home/slurm/submit.sh
cd "$scratch"
mkdir bin table
# The stub writes one line with its arguments for each job, and prints what sbatch prints.
cat >bin/sbatch <<'STUB'
#!/usr/bin/env bash
echo "$*" >>"$STUB_LOG"
number=$((100 + $(wc -l <"$STUB_LOG")))
case " $* " in *" --parsable "*) echo "$number" ;; *) echo "Submitted batch job $number" ;; esac
STUB
chmod +x bin/sbatch
export PATH=$scratch/bin:$PATH STUB_LOG=$scratch/submitted POPFLOW=$popflow POPFLOW_RANKS=2 POPFLOW_THREADS=3 POPFLOW_TIME=7
: >submitted
small_screen s.h5ad
cat >table/a.cfg <<CONFIG
data = $scratch/s.h5ad
min-cells = 50
split = patient:21
hidden = 16
layers = 1
embedding = 4
encoder-hidden = 8
knn = 3
time-frequencies = 4
space-frequencies = 4
cells = 50
batch-pairs = 2
max-cells = 50
steps = 3
CONFIG
printf 'include = a.cfg\nmethod = fm\n' >table/b.cfg

printf 'treatment,a\nO,1\n' >vectors.csv

# submitted N WORDS...: fails unless the stub was called for N jobs, and the last one has each of WORDS. Forgets the jobs.
submitted() {
    local n=$1 word
    [ "$(wc -l <submitted)" = "$n" ] || fail "expected $n jobs: $(cat submitted) $(cat err)"
    for word in "${@:2}"; do
        tail -n 1 submitted | grep -qF -- "$word" || fail "'$word' is not in: $(tail -n 1 submitted)"
    done
    : >submitted
}
# refused WORDS -- ARGUMENT...: fails unless submit.sh exits with 2, prints WORDS and submits nothing.
refused() {
    expect_exit 2 "$submit" "${@:3}"
    grep -qF -- "$1" err || fail "'$1' is not in: $(cat err)"
    submitted 0
}

expect_exit 0 "$submit" run --config table/a.cfg --output runs/a
submitted 1 --ntasks=2 --cpus-per-task=3 --time=7 "slurm/run.sbatch --config table/a.cfg --output runs/a"
[ ! -e runs ] || fail "the check made a run folder"
expect_exit 0 "$submit" train --config table/a.cfg --output runs/a --steps 9
submitted 1 "slurm/train.sbatch --config table/a.cfg --output runs/a --steps 9"

# Refuses before sbatch everything that the job would refuse: options, files, values that do not fit the data, and output folders.
refused "unknown option" -- run --config table/a.cfg --output runs/a --spilt replica
refused "did you mean 'split'" -- run --config table/a.cfg --output runs/a --spilt replica
refused "submit.sh: not submitted: popflow refuses these options or files" -- train --config table/a.cfg --output runs/a --rate x
refused "No such file" -- run --config table/a.cfg --output runs/a --data nowhere.h5ad
refused "cannot read 'nowhere.cfg'" -- run --config nowhere.cfg --output runs/a
refused "patient \`77\`" -- run --config table/a.cfg --output runs/a --split patient:77
refused "no row for treatment" -- run --config table/a.cfg --output runs/a --treatment-vectors vectors.csv
refused "output" -- run --config table/a.cfg --output table/a.cfg
refused "output" -- run --config table/a.cfg
refused "run: " -- evaluate --run nowhere --output e.h5
refused "unknown option" -- chain --config table/a.cfg --output runs/a -- --max-cell 3
refused "found 'many'" -- chain --config table/a.cfg --output runs/a --knn many
refused "chain needs --output RUN" -- chain --config table/a.cfg
refused "no result file" -- report table
refused "found 'x'" -- sweep --output runs table/a.cfg table/b.cfg -- --rate x
refused "cannot read the configuration" -- sweep --output runs nowhere.cfg
refused "unknown verb 'rnu'. Give run, train" -- rnu
refused "no verb given" --

# An existing run is checked against the options with which it would be resumed.
expect_exit 0 "$popflow" run --config table/a.cfg --output done
refused "rate" -- run --config table/a.cfg --output done --rate 0.5
expect_exit 0 "$submit" run --config table/a.cfg --output done
submitted 1 "--output done"
expect_exit 0 "$submit" evaluate --run done --output done/more.h5 --parts train,test
submitted 1 "slurm/evaluate.sbatch --run done --output done/more.h5 --parts train,test"
[ ! -e done/more.h5 ] || fail "the check wrote the results"
refused "parts" -- evaluate --run done --output done/more.h5 --parts validation
expect_exit 0 "$submit" report done --output page.html
submitted 1 --ntasks=1 "slurm/report.sbatch done --output page.html"
[ ! -e page.html ] || fail "the check wrote the report"

# Three jobs that wait for each other, and an array of the incomplete runs.
expect_exit 0 "$submit" chain --config table/a.cfg --output runs/c -- --max-cells 40
[ "$(grep -c "^Submitted batch job 10[123] " out)" = 3 ] || fail "not three jobs: $(cat out)"
sed -n 2p submitted | grep -q -- "--dependency=afterok:101 .*evaluate.sbatch --run runs/c --output runs/c/results.h5 --max-cells 40" ||
    fail "the evaluation does not wait: $(cat submitted)"
submitted 3 --dependency=afterok:102 "report.sbatch runs/c --output runs/c/report.html"
expect_exit 0 "$popflow" run --config table/b.cfg --seed 1 --output swept/table/b/seed1
expect_exit 0 "$submit" sweep --seeds 1,2 --output swept table/a.cfg table/b.cfg -- --log-every 5
submitted 1 --array=0,2,3 "slurm/sweep.sbatch --seeds 1,2 --output swept table/a.cfg table/b.cfg -- --log-every 5"

# A leave-one-out: an array with a task for each fold that is left, and a job that joins. By default the folds are numbers, also
# if a patient has the name of a number.
each="--config table/a.cfg --split each:patient"
expect_exit 0 "$submit" folds $each --output runs/each
sed -n 1p submitted | grep -q -- "--array=1,2,3,4 --output=slurm-logs/%x-%A_%a.log .*slurm/folds.sbatch $each --output runs/each$" ||
    fail "no array of four folds: $(cat submitted)"
submitted 2 --ntasks=1 --dependency=afterok:101 "slurm/run.sbatch $each --output runs/each"
for k in 1 3; do expect_exit 0 "$popflow" run $each --output each --fold "#$k"; done
POPFLOW_AT_ONCE=2 expect_exit 0 "$submit" folds $each --output each
sed -n 1p submitted | grep -q -- "--array=2,4%2 " || fail "not the folds that are left: $(cat submitted)"
submitted 2 "slurm/run.sbatch"
expect_exit 0 "$popflow" run $each --output each --resume
expect_exit 0 "$submit" folds $each --output each
submitted 1 --ntasks=1 "slurm/run.sbatch $each --output each"
expect_exit 0 "$submit" folds $each --output runs/each --dry-run
submitted 0
says_folds=$(grep -c " sbatch --ntasks=" out)
[ "$says_folds" = 2 ] && grep -q "^to run  *1,2,3,4$" out || fail "no plan of the folds: $(cat out)"
refused "folds needs --split each:COLUMN" -- folds --config table/a.cfg --output runs/each
refused "obs/nowhere" -- folds --config table/a.cfg --split each:nowhere --output runs/each

# --dry-run prints the plan and the commands and submits nothing, wherever it is.
for where in first last; do
    words=(chain --config table/a.cfg --output runs/d)
    [ $where = first ] && words=(--dry-run "${words[@]}") || words+=(--dry-run)
    expect_exit 0 "$submit" "${words[@]}"
    submitted 0
    grep -qE "^test +[0-9]+ pairs of 21$" out || fail "no plan: $(cat out)"
    [ "$(grep -c " sbatch --ntasks=" out)" = 3 ] || fail "not three commands: $(cat out)"
    grep -q -- "--dependency=afterok:NUMBER_OF_TRAIN" out || fail "no dependency: $(cat out)"
done
[ ! -e slurm-logs/x ] && [ ! -e runs ] || fail "a dry run wrote files"
expect_exit 0 "$submit" run --config table/a.cfg --output "runs/with space" --dry-run
command=$(grep " sbatch --ntasks=" out)
(eval "$command") >/dev/null || fail "the printed command does not run: $command"
submitted 1 "--output runs/with space"
refused "unknown option" -- run --config table/a.cfg --output runs/a --spilt replica --dry-run
expect_exit 0 "$submit" run --help
submitted 0
grep -q "^Usage: submit.sh" out || fail "no usage: $(cat out)"

# The check can be switched off. Without sbatch the message says where to run the script.
POPFLOW_CHECK=no expect_exit 0 "$submit" run --config table/a.cfg --output runs/a --spilt replica
submitted 1 "--spilt replica"
POPFLOW=/nowhere expect_exit 2 "$submit" run --config table/a.cfg --output runs/a
grep -q "no program '/nowhere'.*POPFLOW_CHECK=no" err || fail "$(cat err)"
rm bin/sbatch
if ! command -v sbatch >/dev/null; then
    expect_exit 1 "$submit" run --config table/a.cfg --output runs/a
    grep -q "no sbatch here" err || fail "$(cat err)"
fi

# The sweep on this machine has the same two options.
expect_exit 0 "$home/scripts/sweep.sh" --dry-run --seeds 1,2 --output swept table/a.cfg table/b.cfg
[ "$(grep -c "^sweep: run [1-4] of 4, " out)" = 4 ] && grep -q "complete: .*b/seed1" out || fail "$(cat out)"
[ ! -e swept/table/a ] || fail "the dry run of a sweep made a run folder"
expect_exit 2 "$home/scripts/sweep.sh" --dry-run --output swept table/a.cfg -- --rate x
expect_exit 0 "$home/scripts/sweep.sh" --help
grep -q "^Usage: sweep.sh" out || fail "no usage: $(cat out)"
echo "submit.sh checks its jobs before it submits them"
