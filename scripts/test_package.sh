#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes the Debian package of a build, unpacks it into a scratch root and runs the program from there.
# Usage: test_package.sh BUILD     (for example scripts/test_package.sh build/release)
set -euo pipefail
build=$(cd "${1:?usage: scripts/test_package.sh BUILD}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$build" && cpack -G DEB -B "$work" >"$work/cpack.log" 2>&1) || { cat "$work/cpack.log"; exit 1; }
package=$(echo "$work"/popflow_*.deb)
depends=$(dpkg-deb -f "$package" Depends)
echo "depends: $depends"
for library in libc6 libhdf5 libdnnl libboost-program-options libfreetype libfmt libjpeg libpng; do
  case $depends in *$library*) ;; *) echo "the package does not depend on $library"; exit 1 ;; esac
done
root=$work/root
dpkg -x "$package" "$root"
share=$root/usr/share/popflow
for file in "$root/usr/share/doc/popflow/copyright" "$root/usr/share/doc/popflow/options.md" \
            "$share/python/popflow/torch.py" "$share/slurm/train.sbatch" "$share/configs/common/letters.cfg"; do
  [ -f "$file" ] || { echo "not in the package: $file"; exit 1; }
done
popflow=$root/usr/bin/popflow
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} OMP_WAIT_POLICY=passive
"$popflow" --version
cd "$work"
"$popflow" simulate letters --output letters.h5ad --letters A,B --test-letters C --rotations 1 --size 40
# Trains with a configuration of the package that includes another one.
"$popflow" train --config "$share/configs/letters_fast/fm.cfg" --data letters.h5ad --output run --steps 2 \
  --min-cells 50 --cells 10 --batch-pairs 2 --hidden 16
[ -f run/checkpoint.h5 ] && [ -f run/weights.h5 ] || { echo "the training wrote no checkpoint or no weights"; exit 1; }
echo "package ok: $(basename "$package")"
