#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Times a new user's path, from the clone to the table, on a Debian 12 with nothing installed: a chroot of debootstrap.
# Usage, as root, with debootstrap and a network: fresh_machine.sh FOLDER    (2 GB; an earlier root there is made anew)
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
git clone -q "$project" "$root/root/popflow"
cd "$folder"
begin=$SECONDS
step() { # NAME COMMAND...
    local name=$1 from=$SECONDS
    shift
    chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -c "cd /root/popflow && $*" >"$name.log" 2>&1 || {
        tail -n 20 "$name.log" >&2
        exit 1
    }
    printf '%-10s %4d s\n' "$name" $((SECONDS - from))
}
step install scripts/install_dependencies.sh
step build cmake --workflow --preset release
step run scripts/quickstart.sh
printf '%-10s %4d s\n' all $((SECONDS - begin))
tail -n 6 run.log
