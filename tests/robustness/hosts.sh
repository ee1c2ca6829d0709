#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Four ranks on two hosts give the bits of four ranks on one. The hosts are network namespaces joined by a veth pair,
# each with its own name, /tmp and /dev/shm; the ranks talk TCP. Needs root; else it is left out.
# Usage: hosts.sh POPFLOW MPIEXEC FAILING_DISK
export TMPDIR=/var/tmp # shared by the hosts
. "$(dirname "$0")/../support/scratch.sh"
unset TMPDIR
left_out() {
    echo "left out: $*"
    exit 77
}
[ "$(id -u)" = 0 ] || left_out "not root"
command -v ip >/dev/null && unshare --net --uts --mount true 2>/dev/null || left_out "no network namespaces"
holders=()
trap 'kill -KILL "${holders[@]}" 2>/dev/null; rm -rf "$scratch"' EXIT
for h in 1 2; do
    unshare --net --uts --mount --propagation private sh -c "hostname host$h && mount -t tmpfs -o mode=1777 none /tmp &&
        mount -t tmpfs -o mode=1777 none /dev/shm && ip link set lo up && touch $scratch/ready$h && exec sleep 600" \
        </dev/null >/dev/null 2>&1 &
    holders+=($!)
done
for h in 1 2; do
    for ((i = 0; i < 200; i++)); do
        [ ! -e "$scratch/ready$h" ] || break
        sleep 0.05
    done
    [ -e "$scratch/ready$h" ] || left_out "no namespaces to mount in"
done
on() { nsenter -t "${holders[$1 - 1]}" -n -u -m -- "${@:2}"; }
on 1 ip link add veth0 type veth peer name veth0 netns "${holders[1]}" || left_out "no veth pair"
for h in 1 2; do
    on $h ip addr add "10.78.0.$h/24" dev veth0
    on $h ip link set veth0 up
done
cat >"$scratch/agent" <<AGENT
#!/bin/sh
while case \$1 in -*) true ;; *) false ;; esac do shift; done
shift
exec nsenter -t ${holders[1]} -n -u -m -- sh -c "cd /; \$*"
AGENT
chmod +x "$scratch/agent"

# Wherever the build is, also below /tmp, both hosts see this copy and this folder.
cp "$popflow" "$scratch/popflow"
popflow=$scratch/popflow
cd "$scratch"
small_screen "$scratch/s.h5ad"
train="train --data $scratch/s.h5ad $small_model --steps 30 --checkpoint-every 10"
ranks 4 1 $train --output "$scratch/one" 2>/dev/null
two() {
    on 1 env OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive OMPI_MCA_mpi_yield_when_idle=1 "$mpiexec" --bind-to none \
        --mca btl tcp,self --mca plm_rsh_agent "$scratch/agent" --host 10.78.0.1:2,10.78.0.2:2 "$@"
}
[ "$(two hostname | sort | uniq -c | tr -s ' \n' ' ')" = " 2 host1 2 host2 " ] || fail "not two ranks on each host"
expect_exit 0 two -x OMP_NUM_THREADS "$popflow" $train --output "$scratch/two"
cmp "$scratch/one/checkpoint.h5" "$scratch/two/checkpoint.h5" || fail "two hosts give other bits than one"
echo "4 ranks on two hosts: the bits of one host"
