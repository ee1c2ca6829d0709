#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs every benchmark in turn and writes tables (.md) and JSON to a folder. Takes about an hour on two cores, which
# nobody else should use meanwhile; names of benchmarks behind the folder run these alone.
# Usage: run_all.sh BUILD OUTPUT_FOLDER [NAME...]
#   NAME: machine step ot compare_torch compare_anndata compare_pot whole_pair ot_scaling ranks cost_model
# Environment: PYTHON (default /usr/bin/python3, Debian's, which has the peers), OMP_NUM_THREADS (default: all cores).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:?usage: run_all.sh BUILD OUTPUT_FOLDER [NAME...]}" && pwd)
output=$(mkdir -p "${2:?usage: run_all.sh BUILD OUTPUT_FOLDER [NAME...]}" && cd "$2" && pwd)
shift 2
python=${PYTHON:-/usr/bin/python3}
bench=$build/benchmarks
cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
# A thread that spins takes the time of the one it waits for; one that is not bound may share a core while others idle.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$cores}
export OMP_WAIT_POLICY=passive OMP_PROC_BIND=true OMP_PLACES=cores
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE # kernels of this CPU
export OPENBLAS_NUM_THREADS=$OMP_NUM_THREADS
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
wanted=" $* "
failed=0
run() { # NAME FILE COMMAND...
    local name=$1 file=$output/$2
    shift 2
    [[ $wanted = "  " || $wanted = *" $name "* ]] || return 0
    echo "run_all: $name"
    "$@" >"$file" 2>"$output/$name.log" || {
        echo "run_all: $name failed, see $output/$name.log" >&2
        failed=1
    }
}
run machine machine.txt "$build/popflow" doctor --output "$output"
run step step.json "$bench/step_bench" --benchmark_format=json --benchmark_display_aggregates_only=false
run step step.md "$python" "$here/step_table.py" "$output/step.json"
run ot ot.json "$bench/ot_bench" --benchmark_format=json
run compare_torch compare_torch.md "$python" "$here/compare_torch.py" "$bench/step_bench" \
    --rounds 5 --threads "$OMP_NUM_THREADS"
run compare_anndata compare_anndata.md "$python" "$here/compare_anndata.py" "$bench/step_bench" --threads "$OMP_NUM_THREADS"
run compare_pot compare_pot.md "$python" "$here/compare_pot.py" "$bench/time_metrics"
run whole_pair whole_pair.md "$python" "$here/whole_pair.py" "$bench/time_metrics" "$bench/step_bench"
run ot_scaling ot_scaling.md "$python" "$here/ot_scaling.py" "$bench/time_metrics" --plot "$output/ot_scaling.svg"
run ranks ranks.md "$python" "$here/ranks.py" "$build/popflow" --json "$output/ranks.json"
run cost_model cost_model.md "$python" "$here/cost_model.py" "$build/popflow" "$bench/exchange_bench"
exit $failed
