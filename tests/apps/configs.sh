#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A dry run of each configuration of configs/ succeeds, on small data of its kind and with small networks.
# Usage: configs.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"
configs=$(cd "$(dirname "$0")/../../configs" && pwd)
cd "$scratch"
"$popflow" simulate screen --output screen.h5ad --patients 3 --replicates 4 --cells 60:90 --cyclin-b1 yes --seed 3 >/dev/null 2>&1
"$popflow" simulate letters --output letters.h5ad --rotations 3 --size 20 --seed 3 >/dev/null 2>&1
"$popflow" simulate shapes rings --output shapes.h5ad --populations 6 --test-populations 3 --cells 60 >/dev/null 2>&1
small="--min-cells 50 --hidden 8 --layers 2 --cells 20 --embedding 4 --encoder-hidden 4 --icnn-hidden 48 --icnn-inner-steps 2 --precision fp32"

# dry_run CONFIG DATA OPTION...: plans the training of a configuration. Creates the file `failed` if that fails.
dry_run() {
    OMP_NUM_THREADS=1 "$popflow" run --config "$configs/$1" --data "$2" "${@:3}" $small --output planned --dry-run \
        >"$1.out" 2>&1 || {
        echo "FAILED: $1: $(tail -n 2 "$1.out")"
        touch failed
    }
}
mkdir -p letters letters_fast letters_ablation organoid_patient organoid_replica screen
for config in "$configs"/{letters,letters_fast,letters_ablation}/*.cfg; do dry_run "${config#"$configs/"}" letters.h5ad --knn 3; done
for config in "$configs"/{organoid_patient,organoid_replica}/*.cfg; do dry_run "${config#"$configs/"}" screen.h5ad --knn 3; done
for config in "$configs"/screen/*.cfg; do dry_run "${config#"$configs/"}" screen.h5ad --split patient:21 --knn 3; done
for config in organoid simulated_screen; do dry_run $config.cfg screen.h5ad --knn 3; done
dry_run shapes.cfg shapes.h5ad
dry_run clouds.cfg shapes.h5ad --split column:split
[ ! -e failed ] || fail "a dry run failed"
[ ! -e planned ] || fail "a dry run wrote a run folder"
echo "configurations: $(find . -name '*.out' | wc -l)"
