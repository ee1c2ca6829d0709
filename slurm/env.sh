# SPDX-License-Identifier: MIT
# Settings of the site: the one file to edit. A variable that the environment has already wins.
# Sourced by slurm/submit.sh, which makes sbatch options of it, and in the job.
# Threads are bound to cores (OMP_PROC_BIND, OMP_PLACES) where a rank has its host for itself, or POPFLOW_BIND says so.
: "${POPFLOW_PARTITION:=}"        # empty: the cluster's default
: "${POPFLOW_ACCOUNT:=}"
: "${POPFLOW_MODULES:=}"          # such as "gcc/12 openmpi/4.1 hdf5/1.12"
: "${POPFLOW_RANKS:=1}"           # MPI ranks of a job; as many as --batch-pairs at most have work
: "${POPFLOW_THREADS:=8}"         # threads and cores of a rank
: "${POPFLOW_MEMORY:=2G}"         # of a core
: "${POPFLOW_TIME:=24:00:00}"     # a run that takes longer saves its state and requeues itself
: "${POPFLOW_AT_ONCE:=}"          # most jobs of a sweep that run together; empty: as many as fit
: "${POPFLOW_RESTARTS:=50}"       # most times that a job requeues itself
: "${POPFLOW_LOGS:=slurm-logs}"   # folder of the jobs' output
: "${POPFLOW_SBATCH:=}"           # more options of sbatch, such as "--qos=long --constraint=amx"
: "${POPFLOW_LAUNCHER:=mpirun}"   # or "srun --mpi=pmix", whatever starts MPI programs here
: "${POPFLOW:=}"                  # the program; empty: build/release/popflow of this folder
: "${POPFLOW_BIND:=}"             # yes: each rank has cores of its own, as by srun with task/affinity; or no
