# SPDX-License-Identifier: MIT
# Starts a Slurm cluster of one node in $scratch. Sourced by the tests of this folder, which have the arguments POPFLOW MPIEXEC.
# The test is skipped without Slurm or without root. `stop_helpers`, if defined, is called when the test ends.
for needed in slurmctld slurmd munged sbatch srun setpriv h5diff; do
    command -v "$needed" >/dev/null || {
        echo "skipped: no $needed (Debian: slurm-wlm, munge and hdf5-tools)"
        exit 77
    }
done
[ "$(id -u)" = 0 ] || {
    echo "skipped: starting the daemons of Slurm needs root"
    exit 77
}
. "$here/../support/scratch.sh"
chmod 755 "$scratch"
cluster() { "$here/cluster.sh" "$1" "$scratch/cluster"; }
declare -F stop_helpers >/dev/null || stop_helpers() { :; }
trap 'stop_helpers; cluster down; rm -rf "$scratch"' EXIT
cluster up >"$scratch/variables" || {
    echo "skipped: Slurm does not start here"
    exit 77
}
. "$scratch/variables"
export OMPI_MCA_rmaps_base_oversubscribe=1
