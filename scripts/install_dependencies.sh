#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the dependencies of popflow from the packages of Debian 12 or a recent Ubuntu.
# Usage: install_dependencies.sh [--tests] [--slurm]
#   --tests   adds the packages that only the tests need, and environments of Python in build/venv and build/snakemake
#   --slurm   adds Slurm, for the tests of the job files and of the workflow. With --tests also the Slurm plugin of Snakemake
set -euo pipefail
optional=()
makes_venv=no
workflow_packages=("snakemake>=9,<10")
packages=(g++ make cmake ninja-build git libopenmpi-dev openmpi-bin libhdf5-dev libboost-program-options-dev libdnnl-dev
    libeigen3-dev nlohmann-json3-dev libxxhash-dev libfmt-dev libfreetype-dev zlib1g-dev libpng-dev
    libjpeg-dev fonts-liberation librsvg2-dev pkg-config)
for option; do
    case $option in
        --tests) packages+=(libgtest-dev libbenchmark-dev cppcheck hdf5-tools python3-numpy python3-pandas python3-scipy python3-sklearn
            python3-h5py python3-anndata python3-mpi4py python3-pot python3-pil python3-torch python3-dev python3-venv python3-pytest
            python3-matplotlib python3-tqdm chromium dataset-fashion-mnist)
            makes_venv=yes
            optional+=(clang-format-14) ;;  # the format test is skipped without it
        --slurm)
            packages+=(slurm-wlm munge)
            workflow_packages+=("snakemake-executor-plugin-slurm>=2,<3") ;;
        *)
            echo "install_dependencies.sh: unknown option '$option', allowed --tests, --slurm" >&2
            exit 2
            ;;
    esac
done
# is_installed PACKAGE
is_installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }
missing=()
for package in "${packages[@]}"; do is_installed "$package" || missing+=("$package"); done
missing_optional=()
for package in "${optional[@]}"; do is_installed "$package" || missing_optional+=("$package"); done
# make_venv FOLDER OPTION PACKAGE...: makes an environment of Python in build/FOLDER and installs packages of which Debian 12 has none.
# Tests that need a package that cannot be installed are skipped.
make_venv() {
    local venv package name
    venv=$(dirname "$0")/../build/$1
    # shellcheck disable=SC2086
    [ -x "$venv/bin/pip" ] || /usr/bin/python3 -m venv $2 "$venv" || return 0
    for package in "${@:3}"; do
        name=${package%%[=><]*}
        [ ! -d "$(echo "$venv"/lib/python3*/site-packages/"${name//-/_}")" ] || continue
        "$venv/bin/pip" install -q --disable-pip-version-check "$package" ||
            echo "note: $package is not available, so tests that need it are skipped" >&2
    done
}
# make_venvs: build/venv sees the packages of the system. Snakemake has its own environment: its Slurm plugin needs a newer NumPy than
# the SciPy of Debian 12 can load.
make_venvs() {
    make_venv venv --system-site-packages nanobind==3.1.0
    make_venv snakemake "" "${workflow_packages[@]}"
}
if [ $((${#missing[@]} + ${#missing_optional[@]})) = 0 ]; then
    [ $makes_venv = no ] || make_venvs
    exit 0
fi
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
install() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; }
"${as_root[@]}" apt-get update -q
[ ${#missing[@]} = 0 ] || install "${missing[@]}"
for package in "${missing_optional[@]}"; do install "$package" || echo "note: $package is not available" >&2; done
[ $makes_venv = no ] || make_venvs
