#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Starts and stops a Slurm cluster of one node on this machine, for tests. It has its own munge, controller and node daemon,
# uses loopback addresses only, and works without systemd, cgroups and accounting. All its files are in one folder.
# Usage: cluster.sh up FOLDER | down FOLDER      (as root, needs slurmctld, slurmd and munged)
#   up prints the line `export SLURM_CONF=...`, which a user of the cluster must evaluate.
set -euo pipefail
action=$1
base=$2
node=$(hostname -s)
export SLURM_CONF=$base/slurm.conf

write_configuration() {
    local port=$((20000 + RANDOM % 10000 * 2))
    mkdir -p "$base"/{munge,state,spool,log,run,tmp}
    chmod 755 "$base" "$base/munge" "$base/run"
    chmod 1777 "$base/tmp"
    (umask 077 && head -c 128 /dev/urandom >"$base/munge/key")
    chown -R munge:munge "$base/munge"
    cat >"$SLURM_CONF" <<CONF
ClusterName=popflow
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$base/munge/socket,cred_expire=5
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$base/state
SlurmdSpoolDir=$base/spool
TmpFS=$base/tmp
SlurmctldPidFile=$base/run/slurmctld.pid
SlurmdPidFile=$base/run/slurmd.pid
SlurmctldLogFile=$base/log/slurmctld.log
SlurmdLogFile=$base/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
JobRequeue=1
KillWait=15
MinJobAge=14400
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0
NodeName=$node NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=4 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

# wait_until SECONDS COMMAND...: repeats a command until it succeeds. Fails after SECONDS.
wait_until() {
    local i
    for ((i = 0; i < $1 * 10; i++)); do
        if "${@:2}" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    return 1
}
node_is_idle() { [ "$(sinfo -h -t idle -o %D)" = 1 ]; }

up() {
    write_configuration
    getent hosts "$node" >/dev/null || {
        echo "the host name $node has no address" >&2
        return 1
    }
    setpriv --reuid=munge --regid=munge --clear-groups munged --key-file="$base/munge/key" \
        --socket="$base/munge/socket" --pid-file="$base/munge/pid" --log-file="$base/munge/log" \
        --seed-file="$base/munge/seed" --num-threads=1
    slurmctld -f "$SLURM_CONF"
    wait_until 10 scontrol ping
    slurmd -f "$SLURM_CONF" -N "$node"
    wait_until 30 node_is_idle || {
        tail -n 5 "$base"/log/*.log >&2
        return 1
    }
    echo "export SLURM_CONF=$SLURM_CONF"
}

# stop PID_FILE: ends the daemon of a pid file. Does nothing if the process is no longer a daemon of the cluster.
stop() {
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 0
    case $(cat "/proc/$pid/comm" 2>/dev/null) in munged | slurmctld | slurmd) ;; *) return 0 ;; esac
    kill "$pid" || return 0
    wait_until 10 not_running "$pid" || kill -KILL "$pid"
}
not_running() { ! kill -0 "$1"; }

down() {
    local jobs
    jobs=$(squeue -h -o %A 2>/dev/null | sort -u) || jobs=
    # shellcheck disable=SC2086
    [ -z "$jobs" ] || { scancel $jobs && sleep 2 && scancel --full --signal=KILL $jobs; } 2>/dev/null || :
    stop "$base/run/slurmd.pid"
    stop "$base/run/slurmctld.pid"
    stop "$base/munge/pid"
}

"$action"
