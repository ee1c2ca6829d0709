#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Times the path of a new user, from the clone to the table, on a Debian 12 without any packages (a chroot by debootstrap).
# Fails if the total takes more than 600 s or the run more than 180 s. Writes one log per step.
# Usage: fresh_machine.sh FOLDER    (as root, with debootstrap and a network; 2 GB; replaces an earlier root in FOLDER)
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mkdir -p "${1:?usage: fresh_machine.sh FOLDER}" && cd "$1" && pwd)
root=$folder/root
unmount() {
    for part in sys tmp dev proc; do
        if mountpoint -q "$root/$part"; then umount -R -l "$root/$part"; fi
    done
}
trap unmount EXIT
unmount
rm -rf "$root"
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" >"$folder/debootstrap.log"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /sys "$root/sys"
cd "$folder"
begin=$SECONDS
step() { # NAME COMMAND...
    local name=$1 from=$SECONDS
    shift
    "$@" >"$name.log" 2>&1 || {
        tail -n 20 "$name.log" >&2
        exit 1
    }
    took=$((SECONDS - from))
    printf '%-10s %4d s\n' "$name" $took
}
inside() { chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -c "cd /root/popflow && $*"; }
step clone git clone --no-local "$project" "$root/root/popflow"
step install inside scripts/install_dependencies.sh
step build inside cmake --workflow --preset release
step run inside scripts/quickstart.sh
run=$took all=$((SECONDS - begin))
printf '%-10s %4d s\n' all $all
tail -n 6 run.log
[ $run -le 180 ] && [ $all -le 600 ] || {
    echo "fresh_machine.sh: found $all s in total and $run s for the run, allowed 600 and 180" >&2
    exit 1
}
