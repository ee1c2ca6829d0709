#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# scripts/sweep.sh runs each configuration with each seed, continues after a failed run, skips complete runs, stops on a
# signal and resumes later. Usage: sweep.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"
sweep=$(cd "$(dirname "$0")/../.." && pwd)/scripts/sweep.sh
export POPFLOW=$popflow
cd "$scratch"
small_screen s.h5ad
mkdir -p "a table"
for option in $small_model; do
    case $option in
        --*) printf '%s = ' "${option#--}" ;;
        *) echo "$option" ;;
    esac
done >base.cfg
printf 'include = ../base.cfg\nsteps = 3\nmax-cells = 50\n' >"a table/mfm.cfg"
printf 'include = mfm.cfg\nmethod = fm\nsplit = patient:nosuch\n' >"a table/bad.cfg"

expect_exit 1 "$sweep" --seeds 1,2 --output swept "a table/bad.cfg" "a table/mfm.cfg" -- --data s.h5ad --log-every 2
for seed in 1 2; do
    [ -s "swept/a table/mfm/seed$seed/results.h5" ] || fail "no results of seed $seed: $(cat err)"
done
grep -q "patient \`nosuch\`" err || fail "the message of the failed run is missing: $(cat err)"
grep -q "2 of 4 runs are complete" out || fail "$(cat out)"

# Invalid arguments are refused before any run starts.
expect_exit 2 "$sweep" --seeds 1,x "a table/mfm.cfg"
expect_exit 2 "$sweep" nowhere.cfg
expect_exit 2 "$sweep" --knn 3 "a table/mfm.cfg"
expect_exit 2 "$sweep"

# A sweep that was stopped by a signal resumes with the same command and skips complete runs.
run=("$sweep" --seeds 1,2 --output swept "a table/mfm.cfg" "a table/long.cfg" -- --data s.h5ad --log-every 2)
printf 'include = mfm.cfg\nsteps = 2000000\n' >"a table/long.cfg"
"${run[@]}" >out 2>err &
job=$!
for _ in $(seq 200); do
    [ -e "swept/a table/long/seed1/config.cfg" ] && break
    sleep 0.1
done
sleep 1
kill -TERM "$job"
code=0
wait "$job" || code=$?
[ "$code" = 75 ] || fail "a stopped sweep has exit code $code, expected 75: $(cat err)"
[ -s "swept/a table/long/seed1/checkpoint.h5" ] || fail "the run was not given time to save: $(cat err)"
[ ! -e "swept/a table/long/seed2" ] || fail "the sweep started another run after the signal"
rm -r "swept/a table/long"
printf 'include = mfm.cfg\nsteps = 4\n' >"a table/long.cfg"
expect_exit 0 "${run[@]}"
[ "$(grep -c ", complete: " out)" = 2 ] || fail "complete runs were run again: $(cat out)"
[ "$(find swept -name results.h5 | wc -l)" = 4 ] || fail "$(find swept)"
echo "sweeps run, stop and resume"
