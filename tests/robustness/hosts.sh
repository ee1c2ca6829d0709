#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Four ranks on two hosts give the bits of four ranks on one host. The hosts are network namespaces that a veth pair connects,
# each with its own name, /tmp and /dev/shm. The ranks communicate by TCP. Skipped without root.
# Usage: hosts.sh POPFLOW MPIEXEC FAILING_DISK
export TMPDIR=/var/tmp # shared by the hosts
. "$(dirname "$0")/../support/scratch.sh"
unset TMPDIR
# skip REASON...: ends the test as skipped.
skip() {
    echo "skipped: $*"
    exit 77
}
[ "$(id -u)" = 0 ] || skip "not root"
command -v ip >/dev/null && unshare --net --uts --mount true 2>/dev/null || skip "no network namespaces"
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
    [ -e "$scratch/ready$h" ] || skip "cannot mount in a namespace"
done
# on HOST COMMAND...: runs a command on host 1 or 2.
on() { nsenter -t "${holders[$1 - 1]}" -n -u -m -- "${@:2}"; }
on 1 ip link add veth0 type veth peer name veth0 netns "${holders[1]}" || skip "no veth pair"
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

# Both hosts see this copy of the program and this folder, even if the build is below /tmp.
cp "$popflow" "$scratch/popflow"
popflow=$scratch/popflow
cd "$scratch"
small_screen "$scratch/s.h5ad"
train="train --data $scratch/s.h5ad $small_model --steps 30 --checkpoint-every 10"
ranks 4 1 $train --output "$scratch/one" 2>/dev/null
# on_two_hosts [OPTION...] COMMAND...: runs a command on four ranks, two on each host.
on_two_hosts() {
    on 1 env OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive OMPI_MCA_mpi_yield_when_idle=1 "$mpiexec" --bind-to none \
        --mca btl tcp,self --mca plm_rsh_agent "$scratch/agent" --host 10.78.0.1:2,10.78.0.2:2 "$@"
}
[ "$(on_two_hosts hostname | sort | uniq -c | tr -s ' \n' ' ')" = " 2 host1 2 host2 " ] || fail "not two ranks on each host"
expect_exit 0 on_two_hosts -x OMP_NUM_THREADS "$popflow" $train --output "$scratch/two"
cmp "$scratch/one/checkpoint.h5" "$scratch/two/checkpoint.h5" || fail "the checkpoint of two hosts differs from that of one"
echo "4 ranks on two hosts give the bits of one host"
