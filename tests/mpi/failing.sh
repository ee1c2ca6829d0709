#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A failure on any rank ends the launch with an exit code other than 0 and names the rank. A rank that leaves a test early does
# not leave the others waiting.  Usage: failing.sh FAILING MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"
failing=$1
cd "$scratch"

# launch RANKS FILTER: runs the tests that match the filter. Sets `code`, and keeps the output in `out`.
launch() {
    code=0
    "$mpiexec" --oversubscribe --bind-to none -n "$1" "$failing" --gtest_filter="$2" "${@:3}" >out 2>&1 || code=$?
}
# fails TEXT...: fails unless the last launch failed and printed the texts.
fails() {
    [ "$code" != 0 ] || fail "exit code 0: $(cat out)"
    local text
    for text; do grep -qF -- "$text" out || fail "did not print '$text': $(cat out)"; done
}

launch 3 'Passes.*'
[ "$code" = 0 ] || fail "exit code $code: $(cat out)"
[ "$(grep -c '^\[  PASSED  \] 1 test' out)" = 1 ] || fail "not one rank printed the summary: $(cat out)"
launch 3 'Passes.*' --gtest_shuffle --gtest_repeat=3
[ "$code" = 0 ] || fail "exit code $code: $(cat out)"

for ranks in 1 3; do
    launch $ranks 'Passes.*:Fails.*'
    fails "[rank $((ranks - 1))] " "Failure in Fails.OnTheLastRank" "element 2: found 7, expected 12" '[  PASSED  ] 1 test' \
        '[  FAILED  ] Fails.OnTheLastRank'
done
fails 'failed on rank 2'

launch 3 'Throws.*'
fails '[rank 2] Failure in Throws.OnTheLastRankWhileTheOthersWait' 'no value' '[rank 2] aborts'
launch 3 'Asserts.OnTheLastRank*'
fails '[rank 2] ' 'Failure in Asserts.OnTheLastRankWhileTheOthersWait' '[rank 2] aborts'

# The ranks do not wait for each other. Later tests are not run.
launch 3 'Asserts.OnAllRanks:Passes.*' --gtest_repeat=2
fails '[rank 0] ' '[rank 1] ' '[rank 2] ' 'The remaining tests are not run'
! grep -q aborts out || fail "a rank waited: $(cat out)"
echo "failures name their rank, and no rank waits for one that has left a test"
