# SPDX-License-Identifier: MIT
# Site settings. This is the only file to edit. A variable that is already set in the environment takes precedence.
# Sourced by slurm/submit.sh, which turns the settings into sbatch options, and by the job itself.
# Threads are bound to cores (OMP_PROC_BIND, OMP_PLACES) if each rank has a host to itself, or if POPFLOW_BIND is yes.
: "${POPFLOW_PARTITION:=}"        # empty: the cluster's default
: "${POPFLOW_ACCOUNT:=}"          # empty: the user's default
: "${POPFLOW_MODULES:=}"          # modules to load, for example "gcc/12 openmpi/4.1 hdf5/1.12"
: "${POPFLOW_RANKS:=1}"           # MPI ranks of a job. Ranks beyond --batch-pairs have no work
: "${POPFLOW_THREADS:=8}"         # threads and cores of a rank
: "${POPFLOW_MEMORY:=2G}"         # memory for each core
: "${POPFLOW_TIME:=24:00:00}"     # a run that takes longer saves its state and requeues itself
: "${POPFLOW_AT_ONCE:=}"          # maximum number of jobs of a sweep that run at a time. Empty: no limit
: "${POPFLOW_RESTARTS:=50}"       # maximum number of times that a job requeues itself
: "${POPFLOW_LOGS:=slurm-logs}"   # folder for the output of the jobs
: "${POPFLOW_SBATCH:=}"           # further sbatch options, for example "--qos=long --constraint=amx"
: "${POPFLOW_LAUNCHER:=mpirun}"   # command that starts MPI programs, for example "srun --mpi=pmix"
: "${POPFLOW:=}"                  # program. Empty: build/release/popflow of this folder
: "${POPFLOW_BIND:=}"             # yes: each rank has its own cores, as with srun and task/affinity. no: never bind
: "${POPFLOW_CHECK:=yes}"         # no: submit without the check of the plan, if popflow does not run on the login node
