#!/usr/bin/env bash
# Usage: scripts/scaling.sh [--rows N] [--ranks P] [--batch B] [--latency|--only-latency]
#
# How one selection scales, measured on one node without pretending: for 1, 2, 4, ... P ranks the
# rounds, collectives, bytes and memory of a rank, which more ranks than cores cannot falsify, and
# the processor time of the busiest rank outside collectives. Seconds only where each rank has a
# core. Beside it a model (processor time as measured + latency + bytes over bandwidth), with its
# constants, and what it says of 1,000 ranks; shown only if what is measured on 1 rank predicts 2
# ranks within 15 % and the pool takes most of the time. The batch must be the same every time.
#
#   --rows N     rows of the made pool (default 2000000)
#   --ranks P    most ranks (default 64)
#   --batch B    rows chosen (default 200)
#   --latency    also two ranks in network namespaces with 0, 1 and 4 ms of latency between them:
#                the time grows with the rounds, not with the rows chosen; needs root
#   --only-latency    nothing but that
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$sluice_root/scripts/delayed_link.sh"

rows=2000000
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
        --only-latency) latency=only ;;
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

make_pool() { # make_pool ROWS NAME
    "$sluice" pool make clusters --rows "$1" --dim "$dim" --classes 10 --members 4 --out "$work/$2" >/dev/null
}
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

measure_all() {
    local turn count
    make_pool "$rows" pool.h5
    make_pool "$((rows / 2))" half.h5
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
}

# A quarter of the picks, all, and all from a shortlist ten times as long, which takes more rounds;
# from few rows, as what is measured is no work.
measure_latency() {
    local delay turn words task few=$((rows < 20000 ? rows : 20000))
    [ "$(id -u)" -eq 0 ] || skip_link "it needs root, for network namespaces"
    command -v ip >/dev/null && command -v tc >/dev/null ||
        skip_link "ip and tc are missing; run scripts/install_dependencies.sh slurm"
    trap 'remove_link; rm -rf "$work"' EXIT
    make_link "$work/agent"
    make_pool "$few" few.h5
    for turn in 1 2; do
        for delay in 0 1 4; do
            set_delay "$delay"
            for task in "$((few / 10)).$((batch / 4))" "$((few / 10)).$batch" "$few.$batch"; do
                mapfile -t words < <(select_words few.h5 "${task%.*}" \
                    "latency.$delay.$task.$turn" "${task#*.}")
                run_on_nodes "$work/agent" "${words[@]}" >/dev/null ||
                    fail 70 "scaling.sh: a selection over namespaces failed"
            done
        done
    done
    say "two ranks, a network namespace each, latency by $link_kind; $few rows x $dim"
    "$python" "$sluice_root/scripts/scaling.py" latency "$work"
}

[ "$latency" = only ] || measure_all
[ "$latency" = no ] || measure_latency
