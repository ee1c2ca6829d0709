#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the benchmarks one after the other and writes tables (.md) and JSON to a folder. Takes about an hour on two cores that
# run nothing else. Fails if a benchmark fails or if a ratio against a peer was refused (see peer_speed.py).
# Usage: run_all.sh BUILD OUTPUT_FOLDER [NAME...]
#   NAME: machine step ot compare_torch compare_set compare_anndata compare_pot compare_pot_1 compare_ott all_pairs
#   many_problems whole_pair ot_scaling ranks cost_model. Default: all of them. compare_pot_1 is compare_pot on one thread.
# Environment:
#   POPFLOW_PEERS    virtual environment with the peers, made by make_environment.sh if it is missing or out of date.
#                    Default: build/peers in the project
#   POPFLOW_DIGITS   file of digits for many_problems (scripts/data_sets/digits.py). Without it, many_problems is left out
#   OMP_NUM_THREADS  number of threads, default: all cores
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:?usage: run_all.sh BUILD OUTPUT_FOLDER [NAME...]}" && pwd)
output=$(mkdir -p "${2:?usage: run_all.sh BUILD OUTPUT_FOLDER [NAME...]}" && cd "$2" && pwd)
shift 2
peers=${POPFLOW_PEERS:-$here/../build/peers}
bench=$build/benchmarks
cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
# A spinning thread takes the time of the thread that it waits for. Unbound threads may share a core while another is idle.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$cores}
export OMP_WAIT_POLICY=passive OMP_PROC_BIND=true OMP_PLACES=cores
export OPENBLAS_NUM_THREADS=$OMP_NUM_THREADS
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
"$here/make_environment.sh" "$peers"
python=$peers/bin/python
wanted=" $* "
failed=0
run() { # NAME FILE COMMAND...
    local name=$1 file=$output/$2
    shift 2
    [[ $wanted = "  " || $wanted = *" $name "* ]] || return 0
    echo "run_all: $name"
    "$@" >"$file" 2>"$output/$name.log" || {
        echo "run_all: $name failed, see $output/$name.log and $file" >&2
        failed=1
    }
}
run machine machine.txt "$build/popflow" doctor --output "$output"
run step step.json "$bench/step_bench" --benchmark_format=json --benchmark_display_aggregates_only=false
run step step.md "$python" "$here/step_table.py" "$output/step.json"
run ot ot.json "$bench/ot_bench" --benchmark_format=json
run compare_torch compare_torch.md "$python" "$here/compare_torch.py" "$bench/step_bench" \
    --rounds 5 --threads "$OMP_NUM_THREADS"
run compare_set compare_set.md "$python" "$here/compare_set.py" "$bench/step_bench" --threads "$OMP_NUM_THREADS"
run compare_anndata compare_anndata.md "$python" "$here/compare_anndata.py" "$bench/step_bench" --threads "$OMP_NUM_THREADS"
run compare_pot compare_pot.md "$python" "$here/compare_pot.py" "$bench/time_metrics"
run compare_pot_1 compare_pot_1.md env OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$python" "$here/compare_pot.py" \
    "$bench/time_metrics" --cases egf 2500x2311 4000x4000 letters --no-scipy
run compare_ott compare_ott.md "$python" "$here/compare_ott.py" "$bench/time_metrics"
run all_pairs all_pairs.md "$python" "$here/all_pairs.py" "$build/popflow"
[ -z "${POPFLOW_DIGITS:-}" ] ||
    run many_problems many_problems.md "$python" "$here/many_problems.py" "$build/popflow" "$POPFLOW_DIGITS"
run whole_pair whole_pair.md "$python" "$here/whole_pair.py" "$bench/time_metrics" "$bench/step_bench"
run ot_scaling ot_scaling.md "$python" "$here/ot_scaling.py" "$bench/time_metrics" --plot "$output/ot_scaling.svg"
run ranks ranks.md "$python" "$here/ranks.py" "$build/popflow" --json "$output/ranks.json"
run cost_model cost_model.md "$python" "$here/cost_model.py" "$build/popflow" "$bench/exchange_bench"
exit $failed
