#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --cache FOLDER keeps the cells in a file instead of memory. Checks that
#   - the checkpoint has the same bytes,
#   - the memory of a rank does not grow with its cells,
#   - nothing is left in the folder,
#   - a disk that is too small is reported in one line.
# Usage: cache.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"

small_screen "$scratch/s.h5ad"
mkdir "$scratch/cells"
for shape in 1x1 3x1; do
    ranks "${shape%x*}" "${shape#*x}" train --data "$scratch/s.h5ad" --output "$scratch/memory$shape" --steps 40 $small_model \
        --cache memory 2>/dev/null
    ranks "${shape%x*}" "${shape#*x}" train --data "$scratch/s.h5ad" --output "$scratch/file$shape" --steps 40 $small_model \
        --cache "$scratch/cells" 2>"$scratch/err"
    cmp "$scratch/memory$shape/checkpoint.h5" "$scratch/file$shape/checkpoint.h5" || fail "$shape: the checkpoint differs"
done
grep -q "^note: rank 0 stores its cells in a file in $scratch/cells" "$scratch/err" || fail "no note: $(cat "$scratch/err")"
[ -z "$(ls "$scratch/cells")" ] || fail "a file of cells was left in the folder"

# Largest memory of a rank that has read some 400,000 cells x 43 markers, as a dry run reports it.
"$popflow" simulate screen --output "$scratch/l.h5ad" --patients 2 --cultures PDO,F --replicates 2 --dose-levels 1 \
    --cells 12000:12100 --seed 3 >/dev/null 2>&1
# peak CACHE: prints the largest memory in MiB.
peak() {
    OMP_NUM_THREADS=1 "$popflow" train --dry-run --data "$scratch/l.h5ad" --output none ${small_model/patient:21/patient:5} --cache "$1" |
        sed -n 's/^memory *\([0-9]*\) MiB.*/\1/p'
}
in_memory=$(peak memory)
in_file=$(peak "$scratch/cells")
echo "memory of the rank: $in_memory MiB with the cells in memory, $in_file MiB with the cells in a file"
[ $((in_file + 30)) -lt "$in_memory" ] || fail "cells in a file take $in_file MiB, in memory $in_memory MiB"

expect_exit 2 "$popflow" train --data "$scratch/s.h5ad" --output "$scratch/no" $small_model --cache "$scratch/nowhere"
grep -q "^popflow: cache: found '$scratch/nowhere', which is no folder. Give auto, memory or an existing folder" "$scratch/err" || fail "$(cat "$scratch/err")"
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    expect_exit 1 unshare -m sh -c 'mount -t tmpfs -o size=1m none "$0" && exec "$@"' "$scratch/cells" \
        "$popflow" train --data "$scratch/s.h5ad" --output "$scratch/no" $small_model --cache "$scratch/cells"
    grep -q "^popflow: $scratch/cells: cannot allocate .* MB for cells: No space left" "$scratch/err" || fail "$(cat "$scratch/err")"
fi
