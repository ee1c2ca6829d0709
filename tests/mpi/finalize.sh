#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A crash inside MPI_Finalize after all ranks have completed their work keeps the exit code of the work. Every other crash
# and every other exit code stays as it is.  Usage: finalize.sh FINALIZE MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"
finalize=$1
segv=11
abrt=6
note="crashed in MPI_Finalize"
# Exit code of a process that a signal ended. AddressSanitizer replaces it by 1.
min_crash_code=128
! grep -q __asan_init "$finalize" || min_crash_code=1

# exits CODE NOTES RANKS ARGUMENT...: the launch ends with that exit code and prints the note that number of times. NOTES 1+
# stands for at least once: mpirun kills the other ranks as soon as one exits with a code other than 0.
# CODE crash stands for any code of a process that a signal ended, CODE failure for any code but 0.
exits() {
    local want=$1 notes=$2 n=$3 got=0
    shift 3
    if [ "$n" = 1 ]; then "$finalize" "$@" >out 2>err || got=$?; else
        "$mpiexec" --oversubscribe --bind-to none -n "$n" "$finalize" "$@" >out 2>err || got=$?
    fi
    if [ "$want" = failure ]; then [ "$got" != 0 ] || fail "$n ranks, $*: exit code 0: $(cat err)"
    elif [ "$want" = crash ]; then [ "$got" -ge $min_crash_code ] || fail "$n ranks, $*: exit code $got, expected that of a crash: $(cat err)"
    else [ "$got" = "$want" ] || fail "$n ranks, $*: exit code $got, expected $want: $(cat err)"; fi
    local printed
    printed=$(grep -c "$note" err) || :
    if [ "$notes" = 1+ ]; then [ "$printed" -ge 1 ] || fail "$n ranks, $*: the note was not printed: $(cat err)"
    else [ "$printed" = "$notes" ] || fail "$n ranks, $*: the note was printed $printed times: $(cat err)"; fi
}
cd "$scratch"

exits 0 0 3 none $segv 0 0
exits 75 0 3 none $segv 0 75
exits 1 0 3 none $segv 0 1
# The work is complete: its code stays.
exits 0 1 3 inside $segv 1 0
exits 0 1 3 inside $abrt 0 0
exits 0 3 3 inside $segv -1 0
exits 0 1 3 thread $segv 2 0
exits 75 1+ 3 inside $segv -1 75
exits 0 1 1 inside $segv 0 0
exits 75 1 1 thread $abrt 0 75
# The work failed on some rank: nothing is hidden.
exits crash 0 1 inside $segv 0 1
exits crash 0 1 inside $abrt 0 2
# mpirun reports the code of the first rank that failed.
exits failure 0 3 inside $segv 0 1
exits failure 0 3 inside $segv 0 0 1
# A crash of the work itself.
exits crash 0 1 before $segv 0 0
exits crash 0 3 before $segv 1 0
exits crash 0 3 before $abrt 0 0
echo "a crash inside MPI_Finalize keeps the exit code of completed work, every other failure its own"
