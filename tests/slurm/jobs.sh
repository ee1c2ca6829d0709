#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the files of slurm/ under a real Slurm cluster of one node:
#   - a sweep that is submitted from another folder and skips complete runs
#   - a training that is stopped, requeued, out of time or cancelled, each time with the same bits
#   - an evaluation that is stopped, and then scores only the remaining pairs
#   - a leave-one-out as an array of folds
#   - jobs that depend on each other
# Skipped without Slurm or without root. Usage: jobs.sh POPFLOW MPIEXEC
# Environment: POPFLOW_TIMEOUT_SCALE, factor of all timeouts (default 1, larger for a build with sanitizers).
here=$(cd "$(dirname "$0")" && pwd)
home=$(cd "$here/../.." && pwd)
continuer=
stop_helpers() { kill $continuer 2>/dev/null || :; }
. "$here/start_cluster.sh"
export POPFLOW=$popflow POPFLOW_RANKS=2 POPFLOW_THREADS=1 POPFLOW_MEMORY=500M POPFLOW_TIME=10 POPFLOW_RESTARTS=50

small_screen "$scratch/s.h5ad"
mkdir "$scratch/table" "$scratch/elsewhere"
cat >"$scratch/table/a.cfg" <<CONFIG
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
steps = 20
CONFIG
printf 'include = a.cfg\nmethod = fm\n' >"$scratch/table/b.cfg"
cd "$scratch/elsewhere"

# job_id [N]: prints the N-th job number that submit.sh printed (default 1).
job_id() { sed -n 's/^Submitted batch job \([0-9]*\).*/\1/p' "$scratch/out" | head -n "${1:-1}" | tail -n 1; }
# wait_until SECONDS EVENT COMMAND...: repeats a command until it succeeds. Fails after SECONDS times the scale.
wait_until() {
    local i
    for ((i = 0; i < 10 * $1 * ${POPFLOW_TIMEOUT_SCALE:-1}; i++)); do
        ! "${@:3}" || return 0
        sleep 0.1
    done
    squeue >&2
    fail "timeout waiting for $2: $(tail -n 20 slurm-logs/*)"
}
# field JOB NAME: prints a field of the job record.
field() { scontrol show job "$1" | sed -n "s/.*\b$2=\([^ ]*\).*/\1/p" | head -n 1; }
# is JOB NAME VALUE: whether a field of the job record has this value.
is() { [ "$(field "$1" "$2")" = "$3" ]; }
requeued() { [ "$(field "$1" Restarts)" -gt 0 ]; }
# no_jobs_left: whether no job is queued, apart from the endless training.
no_jobs_left() { [ "$(squeue -h -o %A | grep -cvx "${endless:-none}")" = 0 ]; }
wait_for_jobs() { wait_until 120 "the end of the jobs" no_jobs_left; }
# log_has JOB TEXT: whether the log of a job contains the text.
log_has() { grep -qs -- "$2" slurm-logs/*-"$1".log; }
# steps_of CHECKPOINT: prints the number of steps.
steps_of() { h5dump -a /step "$1" 2>/dev/null | sed -n 's/ *(0): //p'; }
# trains JOB START: whether this start of a job has made a step.
trains() { sed -n "/, start $2,/,\$p" slurm-logs/*-"$1".log 2>/dev/null | grep -q "^train [0-9]*/"; }
# completed JOB: fails unless the job is complete.
completed() { is "$1" JobState COMPLETED || fail "$(scontrol show job "$1") $(cat slurm-logs/*"$1"*)"; }

# start_endless: starts a training that never ends, with a time limit of two minutes, of which Slurm signals the last one.
# It runs at the same time as the other jobs. It is suspended until the signal, because its steps are repeated below for
# comparison. With scaled timeouts it starts after the other jobs, so that it takes no time from them.
endless_options="--config ../table/a.cfg --steps 100000000 --schedule constant --hidden 256 --layers 3 --cells 150
    --checkpoint-every 100000000"
endless=
start_endless() {
    POPFLOW_RANKS=1 POPFLOW_TIME=2 POPFLOW_SBATCH=--signal=B:USR1@60 \
        expect_exit 0 "$home/slurm/submit.sh" train $endless_options --output endless
    endless=$(job_id)
    wait_until 60 "the endless training" trains "$endless" 1
    local suspended
    suspended=$(pgrep -f -- "^$popflow train .*--output endless$") || fail "no endless training: $(cat slurm-logs/*)"
    # shellcheck disable=SC2086
    kill -STOP $suspended
    # shellcheck disable=SC2086
    for ((i = 0; i < 2000; i++)); do
        ! log_has "$endless" "asked to stop" || break
        sleep 0.1
    done && kill -CONT $suspended &
    continuer=$!
}
[ "${POPFLOW_TIMEOUT_SCALE:-1}" -gt 1 ] || start_endless

# A sweep of two configurations and two seeds. One run is already complete.
OMP_NUM_THREADS=1 expect_exit 0 "$popflow" run --config ../table/b.cfg --seed 1 --output swept/table/b/seed1
touch -d 2020-01-01 swept/table/b/seed1/results.h5
expect_exit 0 "$home/slurm/submit.sh" sweep --seeds 1,2 --output swept ../table/*.cfg -- --log-every 5
sweep=$(job_id)
wait_for_jobs
for run in a/seed1 a/seed2 b/seed2; do
    [ -s "swept/table/$run/results.h5" ] || fail "no results of $run: $(cat slurm-logs/*)"
done
[ "$(stat -c %y swept/table/b/seed1/results.h5 | cut -c1-4)" = 2020 ] || fail "a complete run was run again"
[ "$(find slurm-logs -name "popflow-sweep-${sweep}_*.log" | wc -l)" = 3 ] || fail "not 3 tasks: $(ls slurm-logs)"
log=$(cat "slurm-logs/popflow-sweep-${sweep}_0.log")
for word in "2 ranks x 1 threads" "popflow 0" "seed 1" "test, mean over cultures" "exit code 0"; do
    grep -qF -- "$word" <<<"$log" || fail "'$word' is not in the log: $log"
done
expect_exit 0 "$home/slurm/submit.sh" sweep --seeds 1,2 --output swept ../table/*.cfg -- --log-every 5
grep -q "all 4 runs are complete" "$scratch/out" || fail "a complete sweep was submitted: $(cat "$scratch/out")"
# scripts/sweep.sh uses the same list of runs and finds all of them complete.
expect_exit 0 "$home/scripts/sweep.sh" --seeds 1,2 --output swept ../table/*.cfg -- --log-every 5
[ "$(grep -c ", complete: " "$scratch/out")" = 4 ] || fail "sweep.sh: $(cat "$scratch/out")"

# A leave-one-out: an array of four folds, and a job that joins them. The folds are those of one process.
each="--config ../table/a.cfg --split each:patient"
expect_exit 0 "$home/slurm/submit.sh" folds $each --output each
folds=$(job_id 1) joined=$(job_id 2)
wait_for_jobs
completed "$joined"
[ "$(find slurm-logs -name "popflow-folds-${folds}_*.log" | wc -l)" = 4 ] || fail "not 4 tasks: $(ls slurm-logs)"
log_has "$joined" "The results of all folds are in each/results.h5" || fail "no joined results: $(cat slurm-logs/*-"$joined".log)"
[ "$(grep -c ",scored,$" each/folds.csv)" = 4 ] || fail "$(cat each/folds.csv)"
OMP_NUM_THREADS=1 expect_exit 0 "$popflow" run $each --output each_here
h5diff each/results.h5 each_here/results.h5 /pairs/w2 || fail "the array has other scores"
h5diff each/results.h5 each_here/results.h5 /pairs/fold || fail "the array has other folds"

# A chain of train, evaluate and report. Each job waits for the one before it, also while that is requeued.
long="--config ../table/a.cfg --steps 3000 --hidden 256 --layers 3 --cells 150 --checkpoint-every 100000"
scored="--parts train,test --max-cells 150 --tolerance 1e-8 --metrics w1,w2,mmd,r2,energy,r2_means,w1_markers"
expect_exit 0 "$home/slurm/submit.sh" chain $long --output long -- $scored
train=$(job_id 1) evaluate=$(job_id 2) report=$(job_id 3)

# USR1 during the training: exit code 75, and the job is requeued.
wait_until 60 "the training" trains "$train" 1
[ ! -e long/checkpoint.h5 ] || fail "the training ended before it was asked to stop"
scancel --signal=USR1 --batch "$train"
wait_until 60 "the requeue" is "$train" Restarts 1
log_has "$train" "exit code 75" || fail "no exit code 75: $(cat slurm-logs/*"$train"*)"
first=$(steps_of long/checkpoint.h5)
[ "$first" -gt 0 ] || fail "no checkpoint of the stopped run"

# A requeue by Slurm, as in a preemption: Slurm ends the ranks, which have time to save their state.
wait_until 60 "the second start" trains "$train" 2
sleep 1
scontrol requeue "$train"
wait_until 60 "the third start" log_has "$train" ", start 3,"
second=$(steps_of long/checkpoint.h5)
[ "$second" -gt "$first" ] || fail "the requeued training lost the steps after $first: $(cat slurm-logs/*"$train"*)"
is "$evaluate" JobState PENDING || fail "the evaluation did not wait: $(scontrol show job "$evaluate")"

# The evaluation is asked to stop after some pairs. It is requeued and scores the remaining ones.
has_scored_pairs() { [ "$(cat long/results.h5.partial/* 2>/dev/null | wc -c)" -gt 10000 ]; }
wait_until 120 "the evaluation" has_scored_pairs
scancel --signal=USR1 --batch "$evaluate"
wait_until 60 "the requeue of the evaluation" is "$evaluate" Restarts 1
[ ! -e long/results.h5 ] || fail "the evaluation ended before it was asked to stop"
scored_before=$(sed -n 's/.*stopped on request after \([0-9]*\) of .*/\1/p' slurm-logs/*-"$evaluate".log)
[ "$scored_before" -gt 0 ] || fail "no pair was scored before the stop: $(cat slurm-logs/*-"$evaluate".log)"
wait_for_jobs
for job in "$train" "$evaluate" "$report"; do completed "$job"; done
grep -q "<html" long/report.html || fail "no report: $(cat slurm-logs/*-"$report".log)"
ranks 1 2 train $long --output whole 2>/dev/null
cmp long/checkpoint.h5 whole/checkpoint.h5 || fail "the requeued run differs"
expect_exit 0 ranks 1 2 evaluate --run whole --output whole/results.h5 $scored
for column in pair predictor w1 w2 mmd r2 energy status; do
    h5diff long/results.h5 whole/results.h5 "/pairs/$column" || fail "the requeued evaluation differs in $column"
done
h5diff long/results.h5 whole/results.h5 /summary || fail "the requeued evaluation differs in its summary"

# If the training of a chain fails, the other jobs are cancelled. The check before the submission would refuse this one.
POPFLOW_CHECK=no expect_exit 0 "$home/slurm/submit.sh" chain --config ../table/a.cfg --knn many --output nothing
wait_for_jobs
is "$(job_id 1)" ExitCode 2:0 || fail "$(scontrol show job "$(job_id 1)")"
for n in 2 3; do
    is "$(job_id $n)" JobState CANCELLED || fail "not cancelled: $(scontrol show job "$(job_id $n)")"
done
expect_exit 2 "$home/slurm/submit.sh" chain --config ../table/a.cfg

# At its time limit the endless training requeues itself. After scancel it saves its state and is not requeued.
[ -n "$endless" ] || start_endless
wait_until 150 "the signal ahead of the limit" log_has "$endless" "asked to stop"
wait_until 60 "the requeue at the limit" requeued "$endless"
log_has "$endless" "exit code 75" || fail "not stopped ahead of the limit: $(cat slurm-logs/*"$endless"*)"
first=$(steps_of endless/checkpoint.h5)
# is_freshly_started: whether the last start has made a step and has time left. Slurm ignores scancel during a requeue.
# Takes all fields from one job record: separate queries may return values from before and after a requeue.
is_freshly_started() {
    local job
    job=$(scontrol show job "$endless")
    [[ $job = *JobState=RUNNING* && $job = *RunTime=00:00:[0-2]* && $job =~ Restarts=([0-9]+) ]] &&
        trains "$endless" $((BASH_REMATCH[1] + 1))
}
wait_until 180 "the start after the requeue" is_freshly_started
scancel "$endless"
wait_until 60 "the end" is "$endless" JobState CANCELLED
endless=
wait_for_jobs
last=$(steps_of endless/checkpoint.h5)
[ "$last" -gt "$first" ] || fail "the cancelled training lost the steps after $first: $(cat slurm-logs/*)"
expect_exit 75 ranks 1 1 train $endless_options --output reference --stop-after "$last"
cmp endless/checkpoint.h5 reference/checkpoint.h5 || fail "the checkpoint of the endless training differs"

# Jobs that are submitted with sbatch directly, from another folder. Invalid input fails and is not requeued.
unset POPFLOW_HOME
cd "$home"
expect_exit 0 sbatch --ntasks=1 --mem=500M --output="$scratch/evaluate.log" slurm/evaluate.sbatch \
    --run "$scratch/elsewhere/long" --output "$scratch/long.h5"
expect_exit 0 sbatch --ntasks=1 --mem=500M --output="$scratch/wrong.log" slurm/run.sbatch --knn many
wrong=$(job_id)
wait_for_jobs
[ -s "$scratch/long.h5" ] || fail "no results: $(cat "$scratch/evaluate.log")"
is "$wrong" ExitCode 2:0 || fail "exit code of invalid input: $(scontrol show job "$wrong")"
grep -q "knn: found 'many'" "$scratch/wrong.log" || fail "$(cat "$scratch/wrong.log")"
echo "jobs run, stop and resume under Slurm"
