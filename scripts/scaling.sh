#!/usr/bin/env bash
# Usage: scripts/scaling.sh [--rows N] [--ranks P] [--batch B] [--latency]
#
# How one selection scales, measured on one node without pretending: for 1, 2, 4, ... P ranks the
# rounds, collectives, bytes and memory of a rank, which more ranks than cores cannot falsify, and
# the processor time of the busiest rank outside collectives. Seconds only where each rank has a
# core. Beside it a model (processor time as measured + latency + bytes over bandwidth), with its
# constants, and what it says of 1,000 ranks; shown only if what is measured on 1 rank predicts 2
# ranks within 15 %. The batch must be the same every time.
#
#   --rows N     rows of the made pool (default 200000)
#   --ranks P    most ranks (default 64)
#   --batch B    rows chosen (default 200)
#   --latency    also two ranks in network namespaces with 0, 1 and 4 ms of latency between them:
#                the time grows with the rounds, not with the rows chosen; needs root
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rows=200000
ranks=64
batch=200
latency=no
while [ $# -gt 0 ]; do
    case $1 in
        --rows | --ranks | --batch)
            [ $# -ge 2 ] && [[ $2 =~ ^[1-9][0-9]{0,9}$ ]] ||
                fail 64 "scaling.sh: $1: needs a whole number from 1 on"
            case $1 in --rows) rows=$2 ;; --ranks) ranks=$2 ;; --batch) batch=$2 ;; esac
            shift
            ;;
        --latency) latency=yes ;;
        --help | -h) print_help "$0"; exit 0 ;;
        *) fail 64 "scaling.sh: $1: unknown option; see --help" ;;
    esac
    shift
done

sluice=${SLUICE_BINARY:-$sluice_root/build/release/sluice}
[ -x "$sluice" ] || fail 66 "scaling.sh: $sluice: is not built; run scripts/quickstart.sh or cmake"
prepare_mpi "$((ranks > 2 ? ranks : 2))"
python=$(find_python json) || fail 69 "scaling.sh: Python 3 is missing"
work=$(mktemp -d "${TMPDIR:-/tmp}/sluice-scaling-XXXXXX")
trap 'rm -rf "$work"' EXIT

shortlist=$((rows / 10))
dim=32
"$sluice" pool make clusters --rows "$rows" --dim "$dim" --classes 10 --members 4 --out "$work/pool.h5" >/dev/null
"$sluice" pool make clusters --rows "$((rows / 2))" --dim "$dim" --classes 10 --members 4 \
    --out "$work/half.h5" >/dev/null

select_words() { # select_words POOL SHORTLIST NAME PICKS
    printf '%s\n' "$sluice" select --pool "$work/$1" --batch "$4" --shortlist "$2" \
        --score entropy --diversify k_center --device cpu --threads 1 \
        --selected "$work/$3.csv" --json "$work/$3.json"
}

measure() { # measure RANKS POOL SHORTLIST NAME
    local words
    mapfile -t words < <(select_words "$2" "$3" "$4" "$batch")
    mpirun -n "$1" --bind-to none "${words[@]}" >/dev/null ||
        fail 70 "scaling.sh: a selection on $1 rank(s) failed"
}

# What is compared in time is measured in turns, five times.
for turn in 1 2 3 4 5; do
    measure 1 pool.h5 "$shortlist" "1.$turn"
    measure 1 half.h5 "$((shortlist / 2))" "half.$turn"
    [ "$ranks" -lt 2 ] || measure 2 pool.h5 "$shortlist" "2.$turn"
done
for ((count = 4; count <= ranks; count *= 2)); do
    measure "$count" pool.h5 "$shortlist" "$count.1"
done
say "pool of $rows rows x $dim, best $shortlist by entropy, then k_center: $batch rows"
"$python" "$sluice_root/scripts/scaling.py" table "$work" --cores "$(num_cores)"

[ "$latency" = yes ] || exit 0

# --- latency: two "nodes" a and b, each a network namespace, on a bridge ---------------------------
[ "$(id -u)" -eq 0 ] || fail 77 "scaling.sh: --latency: needs root, for network namespaces"
command -v ip >/dev/null && command -v tc >/dev/null ||
    fail 69 "scaling.sh: --latency: ip and tc are missing; run scripts/install_dependencies.sh slurm"
name=sls$$
remove_network() {
    local node
    for node in a b; do ip netns del "$name-$node" 2>/dev/null || true; done
    ip link del "$name" 2>/dev/null || true
    rm -rf "$work"
}
trap remove_network EXIT
network=10.249.$((RANDOM % 200))
ip link add "$name" type bridge && ip addr add "$network.254/24" dev "$name" && ip link set "$name" up ||
    fail 77 "scaling.sh: --latency: network namespaces are not permitted here"
for number in 1 2; do
    node=$([ "$number" = 1 ] && echo a || echo b)
    ip netns add "$name-$node"
    ip link add "$name$node" type veth peer name eth0 netns "$name-$node"
    ip link set "$name$node" master "$name" up
    ip -n "$name-$node" link set lo up
    ip -n "$name-$node" addr add "$network.$number/24" dev eth0
    ip -n "$name-$node" link set eth0 up
done

# mpirun starts its daemons by this in place of ssh.
cat >"$work/agent" <<AGENT
#!/bin/bash
node=\$([ "\$1" = $network.1 ] && echo a || echo b)
shift
exec nsenter --net=/run/netns/$name-\$node unshare --uts bash -c "hostname node-\$node; \$*"
AGENT
chmod +x "$work/agent"

for delay in 0 1 4; do
    for node in a b; do
        if [ "$delay" = 0 ]; then
            ip netns exec "$name-$node" tc qdisc del dev eth0 root 2>/dev/null || true
        else
            ip netns exec "$name-$node" tc qdisc replace dev eth0 root netem delay "${delay}ms" 2>/dev/null ||
                { say "latency: skipped, this kernel has no netem"; exit 0; }
        fi
    done
    for picks in $((batch / 4)) "$batch"; do
        mapfile -t words < <(select_words pool.h5 "$shortlist" "latency.$delay.$picks" "$picks")
        mpirun -n 2 --host "$network.1,$network.2" --bind-to none --mca plm_rsh_agent "$work/agent" \
            --mca pml ob1 --mca btl self,tcp --mca btl_tcp_if_include "$network.0/24" \
            --mca oob_tcp_if_include "$network.0/24" "${words[@]}" >/dev/null ||
            fail 70 "scaling.sh: a selection over namespaces failed"
    done
done
"$python" "$sluice_root/scripts/scaling.py" latency "$work"
