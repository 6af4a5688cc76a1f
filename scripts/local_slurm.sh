#!/usr/bin/env bash
# Usage: scripts/local_slurm.sh start|stop|status [--nodes N] [--cores C] [--gpus G] [--port P]
#        scripts/local_slurm.sh kill-node|start-node NODE [--port P]
#        scripts/local_slurm.sh kill-controller|start-controller [--port P]
#
# A real Slurm of several nodes on this machine, up in seconds, to try the jobs of jobs/ without a
# cluster: its own daemons, key, ports and folder (/tmp/sluice-slurm-PORT), so that a Slurm of the
# system is never touched, and nothing left running after stop. Needs root, and the packages of
# `scripts/install_dependencies.sh slurm`.
#
#   scripts/local_slurm.sh start --nodes 4
#   source /tmp/sluice-slurm-17000/environment      # in the shell that calls sbatch and squeue
#   sbatch jobs/select.sbatch ...
#   scripts/local_slurm.sh stop
#
# Partitions: `main`, and `spare`, whose jobs are requeued when one in main needs their cores.
#
#   --nodes N   nodes n1 ... nN (default 2)
#   --cores C   cores that each node claims to have, whatever the machine has (default 2)
#   --gpus G    GPUs that each node claims to have: jobs may ask for them, none is there (default 0)
#   --port P    the controller's port; nodes take P+1 ... P+N (default 17000)
#   kill-node   a node dies: its daemon and all its jobs get SIGKILL; start-node brings it back
#   kill-controller, start-controller   the same for the controller, whose state is kept
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

nodes=2
cores=2
gpus=0
port=17000
action=
node=

whole_number() { # whole_number OPTION TEXT LOW HIGH
    [[ $2 =~ ^[0-9]{1,5}$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] ||
        fail 64 "local_slurm.sh: $1: not a whole number from $3 to $4 ($2)"
    say "$2"
}

while [ $# -gt 0 ]; do
    case $1 in
        start | stop | status | kill-controller | start-controller) action=$1 ;;
        kill-node | start-node)
            action=$1
            node=${2:-}
            [[ $node =~ ^n[0-9]+$ ]] || fail 64 "local_slurm.sh: $1: needs a node, as in n1"
            shift
            ;;
        --nodes | --cores | --gpus | --port)
            [ $# -ge 2 ] || fail 64 "local_slurm.sh: $1: needs a number"
            case $1 in
                --nodes) nodes=$(whole_number "$1" "$2" 1 64) ;;
                --cores) cores=$(whole_number "$1" "$2" 1 256) ;;
                --gpus) gpus=$(whole_number "$1" "$2" 0 16) ;;
                --port) port=$(whole_number "$1" "$2" 1024 65000) ;;
            esac
            shift
            ;;
        --help | -h) print_help "$0"; exit 0 ;;
        *) fail 64 "local_slurm.sh: $1: unknown action or option; see --help" ;;
    esac
    shift
done
[ -n "$action" ] || fail 64 "local_slurm.sh: no action given; see --help"

folder=/tmp/sluice-slurm-$port
export SLURM_CONF=$folder/slurm.conf

is_up() { [ -e "$folder/slurm.conf" ]; }

# A zombie counts as dead: where process 1 is no real init, orphans may stay zombies for a while.
is_alive() { # is_alive PROCESS
    local state
    state=$(sed 's/.*) //' "/proc/${1:-none}/stat" 2>/dev/null) || return 1
    [[ -n $state && $state != [ZX]* ]]
}

end_process() { # end_process PROCESS: politely, then not
    is_alive "$1" || return 0
    kill -TERM "$1" 2>/dev/null || true
    for _ in $(seq 60); do
        is_alive "$1" || return 0
        sleep 0.05
    done
    kill -KILL "$1" 2>/dev/null || true
}

read_process() { cat "$folder/run/$1.pid" 2>/dev/null || true; }

# Each node has a host name of its own (a UTS namespace): Open MPI names its shared memory by it.
# Whatever runs on the node is in the namespace too, and found by it.
make_host() { # make_host NAME
    : >"$folder/run/host-$1"
    unshare --uts="$folder/run/host-$1" hostname "$1" || fail 77 "local_slurm.sh: no UTS namespace; run it as root"
}

on_host() { # on_host NAME COMMAND...
    nsenter --uts="$folder/run/host-$1" "${@:2}"
}

host_processes() { # host_processes NAME
    local id link
    mountpoint -q "$folder/run/host-$1" || return 0
    id="uts:[$(stat -Lc %i "$folder/run/host-$1")]"
    for link in /proc/[0-9]*/ns/uts; do
        if [ "$(readlink "$link" 2>/dev/null)" = "$id" ]; then
            link=${link#/proc/}
            say "${link%%/*}"
        fi
    done
}

# All at once, as when the power fails: a daemon must not report that a job of its own was killed.
# Twice, as a process may be starting another.
kill_host() { # kill_host NAME
    local process signal
    for signal in STOP STOP KILL KILL; do
        for process in $(host_processes "$1"); do
            kill -"$signal" "$process" 2>/dev/null || true
        done
    done
}

start_node() { # start_node NAME
    mkdir -p "$folder/spool/$1" "$folder/tmp/$1"
    chmod 1777 "$folder/tmp/$1"
    on_host "$1" slurmd -N "$1" </dev/null >>"$folder/log/start-$1.log" 2>&1 ||
        fail 69 "local_slurm.sh: $1: slurmd did not start; see $folder/log"
}

start_controller() {
    on_host controller slurmctld </dev/null >>"$folder/log/start-controller.log" 2>&1 ||
        fail 69 "local_slurm.sh: the controller did not start; see $folder/log"
}

# Intervals are short on purpose: a dead node is seen in 10 to 25 s, a requeued job may start after
# 6 s. TmpFS of its own for each node: Slurm's PMIx makes a folder there that nodes cannot share.
# No cgroups, no accounting.
write_configuration() {
    local number generic=
    if [ "$gpus" -gt 0 ]; then
        say "GresTypes=gpu"
        generic=" Gres=gpu:$gpus"
        for number in $(seq 0 $((gpus - 1))); do ln -s /dev/null "$folder/gpu$number"; done
        say "Name=gpu File=$folder/gpu[0-$((gpus - 1))]" >"$folder/gres.conf"
    fi
    cat <<CONFIGURATION
ClusterName=sluice$port
SlurmctldHost=controller(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$folder/run/munge.socket,cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
TmpFS=$folder/tmp/%n
SlurmctldPidFile=$folder/run/controller.pid
SlurmdPidFile=$folder/run/%n.pid
SlurmctldLogFile=$folder/log/controller.log
SlurmdLogFile=$folder/log/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/log/jobs.txt
SwitchType=switch/none
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
PriorityType=priority/basic
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
SlurmdTimeout=6
SlurmctldTimeout=6
MessageTimeout=5
KillWait=3
MinJobAge=600
CompleteWait=0
OverTimeLimit=0
MailProg=/bin/true
CONFIGURATION
    for number in $(seq "$nodes"); do
        say "NodeName=n$number NodeHostname=n$number NodeAddr=127.0.0.1 Port=$((port + number)) CPUs=$cores" \
            "Sockets=1 CoresPerSocket=$cores ThreadsPerCore=1 RealMemory=4000 State=UNKNOWN$generic"
    done
    say "PartitionName=main Nodes=n[1-$nodes] Default=YES MaxTime=INFINITE DefaultTime=10 State=UP PriorityTier=10"
    say "PartitionName=spare Nodes=n[1-$nodes] MaxTime=INFINITE DefaultTime=10 State=UP PriorityTier=1"
}

# What a shell needs to talk to this Slurm, and Open MPI on nodes that are one machine.
write_environment() {
    cat <<ENVIRONMENT
export SLURM_CONF=$folder/slurm.conf
export PATH=\$PATH:/usr/sbin:/sbin
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo
ENVIRONMENT
}

start_munge() {
    mkdir -p "$folder/munge"
    chmod 700 "$folder/munge"
    head -c 128 /dev/urandom >"$folder/munge/key"
    chmod 600 "$folder/munge/key"
    munged --key-file="$folder/munge/key" --seed-file="$folder/munge/seed" \
        --socket="$folder/run/munge.socket" --pid-file="$folder/run/munge.pid" \
        --log-file="$folder/log/munge.log" || fail 69 "local_slurm.sh: munged did not start; see $folder/log"
}

require_programs() {
    local program missing=()
    for program in slurmctld slurmd sbatch munged nsenter unshare mountpoint; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    [ ${#missing[@]} -eq 0 ] ||
        fail 69 "local_slurm.sh: missing: ${missing[*]}; run scripts/install_dependencies.sh slurm"
    [ "$(id -u)" -eq 0 ] || fail 77 "local_slurm.sh: needs root, for nodes with host names of their own"
}

start_all() {
    local number
    require_programs
    ! is_up || fail 73 "local_slurm.sh: $folder: is in use; stop it first, or take another --port"
    [ ! -e "$folder" ] || [ -O "$folder" ] || fail 77 "local_slurm.sh: $folder: belongs to somebody else"
    rm -rf "$folder"
    mkdir -m 755 "$folder"
    mkdir "$folder"/{state,log,run,spool,tmp}
    write_environment >"$folder/environment"
    write_configuration >"$folder/slurm.conf"
    start_munge
    make_host controller
    start_controller
    for number in $(seq "$nodes"); do
        make_host "n$number"
        start_node "n$number"
    done
    for _ in $(seq 150); do
        if [ "$(sinfo -h -N -p main -t idle -o %N 2>/dev/null | wc -l)" -eq "$nodes" ]; then
            say "Slurm is up: $nodes nodes of $cores cores; in your shell: source $folder/environment"
            return
        fi
        sleep 0.1
    done
    fail 69 "local_slurm.sh: not all nodes came up; see $folder/log"
}

stop_all() {
    local host
    if [ ! -e "$folder" ]; then
        say "nothing runs at port $port"
        return
    fi
    end_process "$(read_process controller)"
    for host in "$folder"/run/host-*; do
        [ -e "$host" ] || continue
        kill_host "${host##*/host-}"
        umount "$host" 2>/dev/null || true
    done
    end_process "$(read_process munge)"
    rm -rf "$folder"
    say "Slurm is stopped"
}

require_up() { is_up || fail 66 "local_slurm.sh: no Slurm at port $port; start it first"; }

case $action in
    start) start_all ;;
    stop) stop_all ;;
    status) require_up; sinfo && squeue ;;
    kill-node) require_up; kill_host "$node" ;;
    start-node) require_up; start_node "$node" ;;
    kill-controller) require_up; kill_host controller ;;
    start-controller) require_up; start_controller ;;
esac
