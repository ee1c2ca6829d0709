#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The completions complete, and the manual page is one that troff takes without a warning. Usage: shell.sh PROJECT
set -euo pipefail
project=$1
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
. "$project/completions/popflow.bash"
# completed WORD...: what Tab offers behind the last word.
completed() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _popflow
    echo "${COMPREPLY[*]}"
}
expect() { # ANSWER WORD...
    local answer=$1
    shift
    [ "$(completed "$@")" = "$answer" ] || fail "'$*' is completed to '$(completed "$@")', expected '$answer'"
}
expect "evaluate" popflow ev
expect "--knn" popflow train --kn
expect "fm cgfm mfm icnn" popflow train --method ""
expect "mfm" popflow train --data s.h5ad --method m
expect "letters screen" popflow simulate ""
expect "" popflow train --data s # files
expect "" popflow train --steps ""
expect "--config --control --concentration" popflow predict --con
[[ " $(completed popflow report --) " == *" --published "* ]] || fail "report has no --published"

if command -v zsh >/dev/null; then
    zsh -n "$project/completions/_popflow" || fail "zsh does not read _popflow"
fi
if command -v groff >/dev/null; then
    said=$(groff -man -ww -Tutf8 "$project/docs/popflow.1" 2>&1 >/dev/null)
    [ -z "$said" ] || fail "groff: $said"
fi
echo "shells complete"
