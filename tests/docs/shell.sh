#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks the shell completions, and that groff formats the manual page without a warning. Usage: shell.sh PROJECT
set -euo pipefail
project=$1
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
. "$project/completions/popflow.bash"
# completed WORD...: prints the completions that Tab offers after the last word.
completed() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _popflow
    echo "${COMPREPLY[*]}"
}
# expect COMPLETIONS WORD...: fails unless the words have these completions.
expect() {
    local expected=$1
    shift
    [ "$(completed "$@")" = "$expected" ] || fail "'$*' is completed to '$(completed "$@")', expected '$expected'"
}
expect "evaluate" popflow ev
expect "--knn" popflow train --kn
expect "fm cgfm icnn mfm identity mean-shift moment-map meta-ot bwfm wfm meta-icnn auto" popflow train --method ""
expect "mfm mean-shift moment-map meta-ot meta-icnn" popflow train --data s.h5ad --method m
expect "images letters screen shapes supply-demand" popflow simulate ""
expect "" popflow train --data s # the shell itself completes files
expect "" popflow train --steps ""
expect "--config --control --concentration" popflow predict --con
[[ " $(completed popflow report --) " == *" --published "* ]] || fail "report has no --published"

if command -v zsh >/dev/null; then
    zsh -n "$project/completions/_popflow" || fail "zsh cannot parse _popflow"
fi
if command -v groff >/dev/null; then
    warnings=$(groff -man -ww -Tutf8 "$project/docs/popflow.1" 2>&1 >/dev/null)
    [ -z "$warnings" ] || fail "groff: $warnings"
fi
echo "completions and manual page are valid"
