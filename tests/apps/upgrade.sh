#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Verbs, options, values, columns and attributes of 0.1.0 still exist, and what docs/upgrading.md says of other names is true.
# Usage: upgrade.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
check=$(cd "$(dirname "$0")" && pwd)/check_upgrade.py
project=$(cd "$(dirname "$0")/../.." && pwd)
needs_python "anndata, h5py"
cd "$scratch"

"$popflow" help --markdown >options.md
"$python" "$check" options "$project/tests/golden/options_0.1.0.tsv" options.md
code=0
"$popflow" train --hiden 3 >/dev/null 2>err || code=$?
[ $code = 2 ] && [ "$(wc -l <err)" = 1 ] && grep -q "did you mean .hidden" err || fail "exit code $code: $(cat err)"

"$popflow" simulate screen --output screen.h5ad --patients 3 --cultures PDO --treatments O,S --replicates 1 --cells 80:120 --seed 1 \
    >/dev/null 2>&1
"$popflow" run --data screen.h5ad --min-cells 50 --split patient:21 --hidden 32 --layers 2 --knn 5 --cells 50 --batch-pairs 2 \
    --steps 4 --sample-pairs 2 --output run --predictions predicted.h5ad >/dev/null 2>err || fail "$(cat err)"
"$python" "$check" results run predicted.h5ad
"$popflow" train --data screen.h5ad --min-cells 50 --split patient:21 --method icnn --steps 1 --output icnn >/dev/null 2>err || fail "$(cat err)"
"$python" "$check" icnn icnn
"$popflow" train --data screen.h5ad --output dry --min-cells 50 --dry-run=options >/dev/null 2>err || fail "$(cat err)"
code=0
"$popflow" train --data screen.h5ad --output dry --steps 1 --steps 2 2>err || code=$?
[ $code = 2 ] || fail "--steps was accepted twice"
if "$python" -c "import torch" 2>/dev/null; then
    PYTHONPATH=$project/python "$python" -c "import popflow_torch, popflow.torch; assert popflow_torch.Run is popflow.torch.Run" 2>err ||
        fail "$(cat err)"
    [ "$(cat err)" = "note: popflow_torch is now popflow.torch, import that instead" ] || fail "$(cat err)"
fi
