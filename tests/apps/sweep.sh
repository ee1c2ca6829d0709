#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# scripts/sweep.sh runs every configuration with every seed, goes on after a failed run, skips what is complete, stops
# on a signal and goes on later.   Usage: sweep.sh POPFLOW MPIEXEC
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
printf 'include = mfm.cfg\nmethod = fm\nsplit = patient:nobody\n' >"a table/bad.cfg"

expect_exit 1 "$sweep" --seeds 1,2 --output swept "a table/bad.cfg" "a table/mfm.cfg" -- --data s.h5ad --log-every 2
for seed in 1 2; do
    [ -s "swept/a table/mfm/seed$seed/results.h5" ] || fail "no results of seed $seed: $(cat err)"
done
grep -q "patient \`nobody\`" err || fail "the reason is not told: $(cat err)"
grep -q "2 of 4 runs are complete" out || fail "$(cat out)"

# Input that is wrong before anything runs.
expect_exit 2 "$sweep" --seeds 1,x "a table/mfm.cfg"
expect_exit 2 "$sweep" nowhere.cfg
expect_exit 2 "$sweep" --knn 3 "a table/mfm.cfg"
expect_exit 2 "$sweep"

# Stopped in the middle; the same command goes on and skips what is complete.
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
[ "$code" = 75 ] || fail "exit code $code of a stopped sweep, expected 75: $(cat err)"
[ -s "swept/a table/long/seed1/checkpoint.h5" ] || fail "the run was not given time to save: $(cat err)"
[ ! -e "swept/a table/long/seed2" ] || fail "the sweep went on after the signal"
rm -r "swept/a table/long"
printf 'include = mfm.cfg\nsteps = 4\n' >"a table/long.cfg"
expect_exit 0 "${run[@]}"
[ "$(grep -c ", complete: " out)" = 2 ] || fail "complete runs were run again: $(cat out)"
[ "$(find swept -name results.h5 | wc -l)" = 4 ] || fail "$(find swept)"
echo "sweeps run, stop and go on"
