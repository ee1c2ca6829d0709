# SPDX-License-Identifier: MIT
# Sourced by slurm/submit.sh and slurm/job.sh after slurm/env.sh. Loads the modules of the site and sets `program`.
if [ -n "$POPFLOW_MODULES" ]; then
    # shellcheck disable=SC2086
    module load $POPFLOW_MODULES || exit 1
fi
program=${POPFLOW:-$home/build/release/popflow}
# In an installation these scripts are in share/popflow/slurm and the program is in bin.
if [ ! -x "$program" ] && [ -z "${POPFLOW:-}" ] && [ -x "$home/../../bin/popflow" ]; then
    program=$home/../../bin/popflow
fi
