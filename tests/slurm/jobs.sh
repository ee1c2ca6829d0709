#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The files of slurm/ under a real Slurm of one node: a sweep from a folder of its own, a job that is asked to stop and
# requeues itself to the same bits, one whose time runs out, what is complete is left alone. Skipped without Slurm or
# without root.   Usage: jobs.sh POPFLOW MPIEXEC
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
trap 'cluster down; rm -rf "$scratch"' EXIT
cluster up >"$scratch/variables" || {
    echo "skipped: Slurm does not start here"
    exit 77
}
. "$scratch/variables"
export POPFLOW=$popflow POPFLOW_RANKS=2 POPFLOW_THREADS=1 POPFLOW_MEMORY=500M POPFLOW_TIME=10 POPFLOW_RESTARTS=5
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
job_id() { sed -n 's/^Submitted batch job //p' "$scratch/out"; }
wait_for_jobs() {
    local i
    for ((i = 0; i < 1200; i++)); do
        [ -n "$(squeue -h)" ] || return 0
        sleep 0.1
    done
    squeue >&2
    fail "jobs do not end: $(tail -n 20 slurm-logs/*)"
}
field() { scontrol show job "$1" | sed -n "s/.*\b$2=\([^ ]*\).*/\1/p" | head -n 1; }

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

# Asked to stop in the middle: exit code 75, back into the queue, and the bytes of a run that was never stopped.
long="--config ../table/a.cfg --steps 30000 --hidden 128 --checkpoint-every 100000 --log-every 1000"
expect_exit 0 "$home/slurm/submit.sh" train $long --output long
job=$(job_id)
for ((i = 0; i < 1200; i++)); do
    grep -qs "^train 1/" "slurm-logs/popflow-train-$job.log" && break
    sleep 0.1
done
[ ! -e long/checkpoint.h5 ] || fail "the run was over before it was asked to stop"
scancel --signal=USR1 --batch "$job"
for ((i = 0; i < 600; i++)); do
    [ "$(field "$job" Restarts)" = 1 ] && break
    sleep 0.1
done
[ "$(field "$job" Restarts)" = 1 ] || fail "not requeued: $(scontrol show job "$job") $(cat slurm-logs/*"$job"*)"
[ -s long/checkpoint.h5 ] || fail "no checkpoint of the stopped run"
wait_for_jobs
[ "$(field "$job" JobState)" = COMPLETED ] || fail "$(scontrol show job "$job") $(cat slurm-logs/*"$job"*)"
grep -q "exit code 75" "slurm-logs/popflow-train-$job.log" || fail "no exit code 75: $(cat slurm-logs/*"$job"*)"
ranks 1 2 train $long --output whole 2>/dev/null
cmp long/checkpoint.h5 whole/checkpoint.h5 || fail "the requeued run differs"

# Submitted by sbatch alone, with a path relative to another folder; wrong input fails and is not requeued.
unset POPFLOW_HOME
cd "$home"
expect_exit 0 sbatch --ntasks=1 --mem=500M --output="$scratch/evaluate.log" slurm/evaluate.sbatch \
    --run "$scratch/elsewhere/long" --output "$scratch/long.h5"
expect_exit 0 sbatch --ntasks=1 --mem=500M --output="$scratch/wrong.log" slurm/run.sbatch --knn many
wrong=$(job_id)
wait_for_jobs
[ -s "$scratch/long.h5" ] || fail "no results: $(cat "$scratch/evaluate.log")"
[ "$(field "$wrong" ExitCode)" = 2:0 ] || fail "wrong input: $(scontrol show job "$wrong")"
grep -q "knn: found 'many'" "$scratch/wrong.log" || fail "$(cat "$scratch/wrong.log")"
echo "jobs run, stop and go on under Slurm"
