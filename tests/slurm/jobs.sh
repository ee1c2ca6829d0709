#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The files of slurm/ under a real Slurm of one node: a sweep from a folder of its own in which what is complete is left
# alone; a training that is asked to stop, is requeued, runs out of time or is cancelled, each time to the same bits; an
# evaluation that is asked to stop and scores the rest alone; jobs that wait for each other. Skipped without Slurm or
# without root.   Usage: jobs.sh POPFLOW MPIEXEC
# Environment: POPFLOW_PATIENCE, by which it waits longer for everything (a build with sanitizers; default 1).
here=$(cd "$(dirname "$0")" && pwd)
home=$(cd "$here/../.." && pwd)
for needed in slurmctld slurmd munged sbatch setpriv; do
    command -v "$needed" >/dev/null || {
        echo "skipped: no $needed (Debian: slurm-wlm and munge)"
        exit 77
    }
done
[ "$(id -u)" = 0 ] || {
    echo "skipped: starting the daemons of Slurm needs root"
    exit 77
}
. "$here/../support/scratch.sh"
chmod 755 "$scratch"
cluster() { "$here/cluster.sh" "$1" "$scratch/cluster"; }
letting_go=
trap 'kill $letting_go 2>/dev/null || :; cluster down; rm -rf "$scratch"' EXIT
cluster up >"$scratch/variables" || {
    echo "skipped: Slurm does not start here"
    exit 77
}
. "$scratch/variables"
export POPFLOW=$popflow POPFLOW_RANKS=2 POPFLOW_THREADS=1 POPFLOW_MEMORY=500M POPFLOW_TIME=10 POPFLOW_RESTARTS=50
export OMPI_MCA_rmaps_base_oversubscribe=1

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

# job_id: of what submit.sh printed.
job_id() { sed -n 's/^Submitted batch job \([0-9]*\).*/\1/p' "$scratch/out" | head -n "${1:-1}" | tail -n 1; }
# until_true SECONDS WHAT COMMAND...: waits until a command succeeds.
until_true() {
    local i
    for ((i = 0; i < 10 * $1 * ${POPFLOW_PATIENCE:-1}; i++)); do
        ! "${@:3}" || return 0
        sleep 0.1
    done
    squeue >&2
    fail "$2 does not come: $(tail -n 20 slurm-logs/*)"
}
field() { scontrol show job "$1" | sed -n "s/.*\b$2=\([^ ]*\).*/\1/p" | head -n 1; }
is() { [ "$(field "$1" "$2")" = "$3" ]; }
requeued() { [ "$(field "$1" Restarts)" -gt 0 ]; }
none_left() { [ "$(squeue -h -o %A | grep -cvx "${endless:-none}")" = 0 ]; }
wait_for_jobs() { until_true 120 "the end of the jobs" none_left; }
said() { grep -qs -- "$2" slurm-logs/*-"$1".log; }
steps_of() { h5dump -a /step "$1" 2>/dev/null | sed -n 's/ *(0): //p'; }
# trains JOB START: that start of a job has made a step.
trains() { sed -n "/, start $2,/,\$p" slurm-logs/*-"$1".log 2>/dev/null | grep -q "^train [0-9]*/"; }
completed() { is "$1" JobState COMPLETED || fail "$(scontrol show job "$1") $(cat slurm-logs/*"$1"*)"; }

# A training without an end in two minutes, of which Slurm signals the last one. It goes beside the others, held until
# then, however far these have come: its steps are to be made again. Where they take long it comes behind them, to take
# no time from them.
endless_options="--config ../table/a.cfg --steps 100000000 --schedule constant --hidden 256 --layers 3 --cells 150
    --checkpoint-every 100000000"
endless=
start_endless() {
    POPFLOW_RANKS=1 POPFLOW_TIME=2 POPFLOW_SBATCH=--signal=B:USR1@60 \
        expect_exit 0 "$home/slurm/submit.sh" train $endless_options --output endless
    endless=$(job_id)
    until_true 60 "the training without an end" trains "$endless" 1
    local held
    held=$(pgrep -f -- "^$popflow train .*--output endless$") || fail "no process of it: $(cat slurm-logs/*)"
    # shellcheck disable=SC2086
    kill -STOP $held
    # shellcheck disable=SC2086
    for ((i = 0; i < 2000; i++)); do
        ! said "$endless" "asked to stop" || break
        sleep 0.1
    done && kill -CONT $held &
    letting_go=$!
}
[ "${POPFLOW_PATIENCE:-1}" -gt 1 ] || start_endless

# A sweep of two configurations and two seeds, of which one run is there already.
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
# The local sweep shares the list and finds nothing to do.
expect_exit 0 "$home/scripts/sweep.sh" --seeds 1,2 --output swept ../table/*.cfg -- --log-every 5
[ "$(grep -c ", complete: " "$scratch/out")" = 4 ] || fail "sweep.sh: $(cat "$scratch/out")"

# A chain: train, evaluate, report, each of which waits for the one before it, also while that is requeued.
long="--config ../table/a.cfg --steps 3000 --hidden 256 --layers 3 --cells 150 --checkpoint-every 100000"
scored="--parts train,test --max-cells 150 --tolerance 1e-8 --metrics w1,w2,mmd,r2,energy,r2_means,w1_markers"
expect_exit 0 "$home/slurm/submit.sh" chain $long --output long -- $scored
train=$(job_id 1) evaluate=$(job_id 2) report=$(job_id 3)

# Asked to stop in the middle: exit code 75, back into the queue.
until_true 60 "the training" trains "$train" 1
[ ! -e long/checkpoint.h5 ] || fail "the run was over before it was asked to stop"
scancel --signal=USR1 --batch "$train"
until_true 60 "the requeue" is "$train" Restarts 1
said "$train" "exit code 75" || fail "no exit code 75: $(cat slurm-logs/*"$train"*)"
first=$(steps_of long/checkpoint.h5)
[ "$first" -gt 0 ] || fail "no checkpoint of the stopped run"

# Requeued from outside, as by preemption: Slurm ends the ranks, which have the time to save their state.
until_true 60 "the second start" trains "$train" 2
sleep 1
scontrol requeue "$train"
until_true 60 "the third start" said "$train" ", start 3,"
second=$(steps_of long/checkpoint.h5)
[ "$second" -gt "$first" ] || fail "requeued, it lost what came after step $first: $(cat slurm-logs/*"$train"*)"
is "$evaluate" JobState PENDING || fail "the evaluation did not wait: $(scontrol show job "$evaluate")"

# The evaluation is asked to stop when some pairs are scored, and scores the rest.
scores() { [ "$(cat long/results.h5.partial/* 2>/dev/null | wc -c)" -gt 10000 ]; }
until_true 120 "the evaluation" scores
scancel --signal=USR1 --batch "$evaluate"
until_true 60 "the requeue of the evaluation" is "$evaluate" Restarts 1
[ ! -e long/results.h5 ] || fail "the evaluation was over before it was asked to stop"
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

# A chain whose training fails is no chain.
expect_exit 0 "$home/slurm/submit.sh" chain --config ../table/a.cfg --knn many --output nothing
wait_for_jobs
is "$(job_id 1)" ExitCode 2:0 || fail "$(scontrol show job "$(job_id 1)")"
for n in 2 3; do
    is "$(job_id $n)" JobState CANCELLED || fail "not cancelled: $(scontrol show job "$(job_id $n)")"
done
expect_exit 2 "$home/slurm/submit.sh" chain --config ../table/a.cfg

# The time of the training without an end runs out: it goes on by itself. Cancelled, it saves its state and stays away.
[ -n "$endless" ] || start_endless
until_true 150 "the signal ahead of the limit" said "$endless" "asked to stop"
until_true 60 "the requeue at the limit" requeued "$endless"
said "$endless" "exit code 75" || fail "not stopped ahead of the limit: $(cat slurm-logs/*"$endless"*)"
first=$(steps_of endless/checkpoint.h5)
# Not within a requeue, where Slurm does not hear of it: the last start has made a step and has time left. Asked for one
# after the other, the number of starts may be of before a requeue and the time of after it.
fresh() {
    local job
    job=$(scontrol show job "$endless")
    [[ $job = *JobState=RUNNING* && $job = *RunTime=00:00:[0-2]* && $job =~ Restarts=([0-9]+) ]] &&
        trains "$endless" $((BASH_REMATCH[1] + 1))
}
until_true 180 "the start after it" fresh
scancel "$endless"
until_true 60 "the end" is "$endless" JobState CANCELLED
endless=
wait_for_jobs
last=$(steps_of endless/checkpoint.h5)
[ "$last" -gt "$first" ] || fail "cancelled, it lost what came after step $first: $(cat slurm-logs/*)"
expect_exit 75 ranks 1 1 train $endless_options --output reference --stop-after "$last"
cmp endless/checkpoint.h5 reference/checkpoint.h5 || fail "the run whose time ran out differs"

# Submitted by sbatch alone, with a path relative to another folder; wrong input fails and is not requeued.
unset POPFLOW_HOME
cd "$home"
expect_exit 0 sbatch --ntasks=1 --mem=500M --output="$scratch/evaluate.log" slurm/evaluate.sbatch \
    --run "$scratch/elsewhere/long" --output "$scratch/long.h5"
expect_exit 0 sbatch --ntasks=1 --mem=500M --output="$scratch/wrong.log" slurm/run.sbatch --knn many
wrong=$(job_id)
wait_for_jobs
[ -s "$scratch/long.h5" ] || fail "no results: $(cat "$scratch/evaluate.log")"
is "$wrong" ExitCode 2:0 || fail "wrong input: $(scontrol show job "$wrong")"
grep -q "knn: found 'many'" "$scratch/wrong.log" || fail "$(cat "$scratch/wrong.log")"
echo "jobs run, stop and go on under Slurm"
