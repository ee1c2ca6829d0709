#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Snakemake workflow: a dry run, and two methods with the folds of a leave-one-out, a fixed split and one report.
# Usage: workflow.sh POPFLOW MPIEXEC SNAKEMAKE
. "$(dirname "$0")/../support/scratch.sh"
snakemake=$3
workflow=$(cd "$(dirname "$0")/../../workflow" && pwd)
cd "$scratch"
export HOME=$scratch XDG_CACHE_HOME=$scratch/cache OMP_NUM_THREADS=1

snake() { "$snakemake" --snakefile "$workflow/Snakefile" --cores 2 "$@"; }
# refused WORDS: fails unless Snakemake refuses screen.yaml with WORDS.
refused() {
    if snake --configfile screen.yaml --dry-run >out 2>&1; then fail "$1: not refused"; fi
    grep -qF -- "$1" out || fail "'$1' is not in the output: $(cat out)"
}

"$popflow" simulate screen --output s.h5ad --patients 3 --cultures PDO --treatments O,S --replicates 2 --cells 60:120 --seed 3 \
    >/dev/null 2>&1
cat >screen.yaml <<END
popflow: $popflow
data: s.h5ad
output: all results
options: {split: "each:patient", min-cells: 50, max-cells: 40, sample-pairs: 3, metrics: [energy, w2]}
methods:
  moment-map: {method: moment-map}
  shift: {method: mean-shift, split: replica}
END

snake --configfile screen.yaml --dry-run >plan 2>&1 || fail "dry run: $(cat plan)"
for job in "fold +3" "results +2" "report +1"; do grep -qE "^$job" plan || fail "$job: $(cat plan)"; done
[ ! -e "all results/report.html" ] || fail "the dry run made a report"

snake --configfile screen.yaml >run 2>&1 || fail "run: $(cat run "all results"/logs/*)"
grep -q "moment-map" "all results/report.html" || fail "the report has no moment map"
# The results are those of the program.
"$popflow" run --data s.h5ad --split each:patient --min-cells 50 --max-cells 40 --sample-pairs 3 --metrics energy,w2 --method moment-map \
    --seed 1 --output by_hand >/dev/null 2>&1
"$popflow" report by_hand/results.h5 --format csv --output by_hand.csv
"$popflow" report "all results/moment-map/seed_1/results.h5" --format csv --output workflow.csv
cmp <(sed 's/by_hand//' by_hand.csv) <(sed 's/all results.moment-map.seed_1//' workflow.csv) ||
    fail "other scores: $(cat by_hand.csv workflow.csv)"
# Nothing is left to do, and a lost result is made again from the folds.
snake --configfile screen.yaml >again 2>&1
grep -q "Nothing to be done" again || fail "work was left: $(cat again)"
rm "all results/moment-map/seed_1/results.h5" "all results/report.html"
snake --configfile screen.yaml >again 2>&1 || fail "again: $(cat again)"
[ -s "all results/report.html" ] || fail "no report"
if grep -q "^rule fold" again; then fail "a finished fold ran again: $(cat again)"; fi

sed 's/^methods/mehtods/' -i screen.yaml
refused "has no \`methods\`"
sed 's/^mehtods/methods/; s/^output/outptu/' -i screen.yaml
refused "unknown key \`outptu\`"
sed 's/^outptu/output/; s/min-cells/min-cels/' -i screen.yaml
refused "min-cels"
