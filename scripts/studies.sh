#!/usr/bin/env bash
# Usage: scripts/studies.sh [--small] [--only NAME] [--ranks N] [--out DIR] [--no-install]
#
# Makes the data of the studies in jobs/studies, runs `sluice simulate` on each, and checks what the
# project claims of them: curves and tables on stdout, files and plots in DIR/NAME. Exit code 1 if a
# claim does not hold. The water dimers are labeled by xtb through select, label and ingest.
#
#   --small        few seeds and rows: shows in a minute that everything works
#   --only NAME    only this study (digits, batches, copies, lazy, svm,
#                  regression, water-dimer, survey); repeatable
#   --ranks N      MPI ranks; default: the machine's cores
#   --out DIR      default build/studies; data that is there is used again
#   --no-install   install nothing; stop with exit code 69 and the list if something is missing
#
# With SLUICE=PROGRAM in the environment that program is used and nothing is built or installed.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

all_studies=(digits batches copies lazy svm regression water-dimer survey)
studies=()
small=no
ranks=$(num_cores)
out=build/studies
install_flags=()
value_of() { # value_of OPTION [VALUE]
    [ $# -ge 2 ] || fail 64 "studies.sh: $1: needs a value; see --help"
    say "$2"
}
while [ $# -gt 0 ]; do
    case $1 in
        --small) small=yes ;;
        --only) studies+=("$(value_of "$@")") && shift ;;
        --ranks) ranks=$(value_of "$@") && shift ;;
        --out) out=$(value_of "$@") && shift ;;
        --no-install) install_flags=(--no-install) ;;
        --help | -h) print_help "$0"; exit 0 ;;
        *) fail 64 "studies.sh: $1: unknown option; see --help" ;;
    esac
    shift
done
[ ${#studies[@]} -gt 0 ] || studies=("${all_studies[@]}")
for study in "${studies[@]}"; do
    [ -f "$sluice_root/jobs/studies/$study.ini" ] ||
        fail 64 "studies.sh: --only $study: no such study; one of ${all_studies[*]}"
done

cd "$sluice_root"
sluice=${SLUICE:-$sluice_root/build/release/sluice}
if [ -z "${SLUICE:-}" ]; then
    scripts/install_dependencies.sh "${install_flags[@]}" build example oracles
    configure_and_build release sluice
fi
python=$(find_python h5py numpy sklearn) ||
    fail 69 "no Python with h5py, numpy and sklearn; set SLUICE_PYTHON to one that has them"
mkdir -p "$out/data"
out=$(cd "$out" && pwd)
data=$out/data
prepare_mpi "$ranks"

make_data() { # make_data NAME: one of scikit-learn's
    [ -f "$data/$1.h5" ] || {
        rm -f "$data/$1.labels.h5"
        "$python" -B scripts/make_study_data.py "$1" --out "$data/$1.h5" --labels "$data/$1.labels.h5"
    }
}

# Geometries by the thousand, each labeled by xtb: through the queue, as in earnest.
label_dimers() { # label_dimers ROWS
    local place=$data/dimer$1
    [ ! -f "$place/labels/labels.g0001.h5" ] || return 0
    rm -rf "$place"
    mkdir -p "$place"
    "$sluice" pool make water-dimer --rows "$1" --seed 1 --out "$place/pool.h5"
    "$sluice" select --pool "$place/pool.h5" --queue "$place/queue" --batch "$1" --score random \
        --diversify none >/dev/null
    "$sluice" label --queue "$place/queue" --oracle jobs/examples/water-dimer/oracle.ini \
        --workers "$(num_cores)" --until-empty
    "$sluice" ingest --queue "$place/queue" --labels "$place/labels"
}

simulate() { # simulate STUDY OPTION...
    local study=$1
    shift
    say "== $study"
    mpirun -n "$ranks" --bind-to none "$sluice" simulate --config "jobs/studies/$study.ini" \
        --out "$out/$study" "$@"
}

few() { # few OPTION...: these options, in small only
    [ "$small" = no ] || printf '%s\n' "$@"
}

run_study() { # run_study STUDY
    local options=() name rows=3000
    # Friedman's functions, the physical functions of six inputs and more that emulators are tried
    # on, one simulation and one table.
    local sets=(friedman1 friedman2 friedman3 borehole circuit piston robot wing pendulum diabetes)
    case $1 in
        digits) make_data digits; readarray -t options < <(few --seeds 10 --rounds 8) ;;
        batches)
            make_data digits
            readarray -t options < <(few --seeds 8 --rounds 6 \
                --strategy uherding=margin/facility_location/all --strategy badge=random/badge/all \
                --strategy margin)
            ;;
        regression)
            [ "$small" = no ] || sets=(pendulum)
            readarray -t options < <(few --seeds 8 --rounds 3 \
                --strategy lcmd=random/lcmd/all/on=all_gradients/sketch=256 \
                --strategy bait=random/bait_forward/all/on=all_gradients/sketch=256 \
                --strategy k_center=random/k_center/all/on=all_gradients/sketch=256 \
                --strategy max_diag=committee_std)
            ;;
        lazy) make_data digits; readarray -t options < <(few --seeds 6 --rounds 6) ;;
        copies) make_data digits10; readarray -t options < <(few --seeds 10 --rounds 8) ;;
        svm) make_data digits3v9; readarray -t options < <(few --seeds 24 --rounds 60) ;;
        survey) readarray -t options < <(few --seeds 4 --rounds 4) ;;
        water-dimer)
            [ "$small" = no ] || rows=350
            label_dimers "$rows"
            readarray -t options < <(few --seeds 4 --rounds 7 \
                --strategy committee_std_k_center=committee_std/k_center/10)
            ;;
    esac
    case $1 in
        digits | batches | lazy) options+=(--data "$1=$data/digits.h5:$data/digits.labels.h5") ;;
        copies) options+=(--data "$1=$data/digits10.h5:$data/digits10.labels.h5") ;;
        svm) options+=(--data "$1=$data/digits3v9.h5:$data/digits3v9.labels.h5") ;;
        water-dimer) options+=(--data "$1=$data/dimer$rows/labels") ;;
        regression | survey)
            [ "$1" = regression ] || sets=(digits digits10 digits3v9 wine cancer)
            for name in "${sets[@]}"; do
                make_data "$name"
                options+=(--data "$name=$data/$name.h5:$data/$name.labels.h5")
            done
            ;;
    esac
    simulate "$1" "${options[@]}"
}

for study in "${studies[@]}"; do
    run_study "$study"
done
say "== claims"
"$python" -B scripts/check_studies.py "$out" "${studies[@]}"
