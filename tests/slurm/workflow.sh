#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs workflow/ with its Slurm profile under a real Slurm cluster of one node, once with two ranks a job and once with one. Folds,
# trainings and reports are jobs of Slurm, and have the scores of the program.
# Skipped without Slurm, without root, or without the Slurm plugin of Snakemake. Usage: workflow.sh POPFLOW MPIEXEC SNAKEMAKE
here=$(cd "$(dirname "$0")" && pwd)
home=$(cd "$here/../.." && pwd)
snakemake=$3
"$(dirname "$snakemake")/python3" -c "import snakemake_executor_plugin_slurm" 2>/dev/null || {
    echo "skipped: $snakemake has no snakemake-executor-plugin-slurm"
    exit 77
}
. "$here/start_cluster.sh"
export HOME=$scratch XDG_CACHE_HOME=$scratch/cache OMP_NUM_THREADS=1
cd "$scratch"
# The plugin removes SLURM_CONF from the environment of a job. Clusters have the file in a default place, and this one has not.
mkdir bin
printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$SLURM_CONF" "$(command -v srun)" >bin/srun
chmod +x bin/srun
export PATH=$scratch/bin:$PATH

"$popflow" simulate screen --output s.h5ad --patients 3 --cultures PDO --treatments O,S --replicates 2 --cells 60:120 --seed 3 \
    >/dev/null 2>&1
cat >screen.yaml <<END
popflow: $popflow
launcher: mpirun -n 2
ranks: 2
memory_mb: 400
minutes: 10
data: s.h5ad
options: {min-cells: 50, max-cells: 40, sample-pairs: 3, metrics: [energy, w2]}
methods:
  shift: {method: mean-shift, split: "each:patient"}
  mfm: {method: mfm, split: "patient:21", steps: 3, hidden: 16, layers: 1, knn: 3, cells: 50, batch-pairs: 2}
END
# The cluster has no accounting, so squeue tells the state of the jobs. It has four cores, for two jobs of two ranks at a time.
# submit CONFIGURATION: runs the workflow under Slurm.
submit() {
    "$snakemake" --snakefile "$home/workflow/Snakefile" --configfile "$1" --profile "$home/workflow/profiles/slurm" \
        --slurm-status-command squeue --slurm-init-seconds-before-status-checks 1 --latency-wait 10 --retries 0 >run 2>&1 ||
        fail "run: $(cat run results/logs/* .snakemake/slurm_logs/*/*/*)"
}
submit screen.yaml
[ -s results/report.html ] || fail "no report: $(cat run)"
squeue --states=all --noheader --format="%C %T" >jobs
[ "$(find results/folds -type f | wc -l)" = 3 ] || fail "not 3 folds: $(cat run)"
[ "$(grep -c "^2 COMPLETED" jobs)" = 5 ] || fail "not 5 complete jobs of two ranks: $(cat jobs run)"
[ "$(grep -c COMPLETED jobs)" = 6 ] || fail "not 6 complete jobs: $(cat jobs run)"
grep -q "2 ranks" results/logs/mfm_seed_1.log || fail "no two ranks: $(cat results/logs/mfm_seed_1.log)"

# Jobs of one rank need no launcher.
sed 's/^launcher.*//; s/^ranks.*/ranks: 1/; s/^data/output: alone\ndata/; /^  shift/d' screen.yaml >alone.yaml
submit alone.yaml
[ -s alone/report.html ] || fail "no report: $(cat run)"
h5diff results/mfm/seed_1/results.h5 alone/mfm/seed_1/results.h5 /pairs/w2 || fail "one rank has another w2"

# The scores are those of one process.
"$popflow" run --data s.h5ad --method mfm --split patient:21 --min-cells 50 --max-cells 40 --sample-pairs 3 --metrics energy,w2 --steps 3 \
    --hidden 16 --layers 1 --knn 3 --cells 50 --batch-pairs 2 --seed 1 --output by_hand >/dev/null 2>&1
for column in pair predictor w2 energy; do
    h5diff results/mfm/seed_1/results.h5 by_hand/results.h5 "/pairs/$column" || fail "Slurm has another $column"
done
