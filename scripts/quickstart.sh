#!/usr/bin/env bash
# Usage: scripts/quickstart.sh [--no-install]
#
# From a fresh checkout to a selected batch: installs what is missing (says so first), builds
# build/release/sluice, makes a pool of scikit-learn's 1,797 handwritten digits and selects the 20
# most worth labeling on 2 ranks. Running it again changes nothing and shows the same batch.
#
#   --no-install   install nothing; stop with exit code 69 and the list if something is missing
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

install_flags=()
for argument in "$@"; do
    case $argument in
        --no-install) install_flags=(--no-install) ;;
        --help | -h) print_help "$0"; exit 0 ;;
        *) fail 64 "quickstart.sh: $argument: unknown option; see --help" ;;
    esac
done

cd "$sluice_root"
sluice=build/release/sluice
work=build/quickstart

say "== 1. dependencies"
scripts/install_dependencies.sh "${install_flags[@]}" build example

say "== 2. build: $sluice (a few minutes the first time)"
configure_and_build release sluice

say "== 3. example pool: $work/digits.h5, and 100 of its rows labeled: $work/labels.h5"
mkdir -p "$work"
python=$(find_python h5py numpy sklearn) ||
    fail 69 "no Python with h5py, numpy and sklearn; set SLUICE_PYTHON to one that has them"
if [ ! -f "$work/digits.h5" ] || [ ! -f "$work/labels.h5" ]; then
    rm -f "$work/digits.h5" "$work/labels.h5"
    "$python" -B scripts/make_digits_pool.py --out "$work/digits.h5" --labels "$work/labels.h5"
fi

say "== 4. the main job on 2 ranks"
prepare_mpi 2
select_command=(mpirun -n 2 "$sluice" select --pool "$work/digits.h5" --labels "$work/labels.h5"
    --queue "$work/queue" --score bald --diversify k_center --shortlist 200 --batch 20
    --selected "$work/selected.csv")
say "   ${select_command[*]}"
"${select_command[@]}"

say "== 5. the selected rows, most wanted first ($work/selected.csv)"
column -s, -t "$work/selected.csv" 2>/dev/null || cat "$work/selected.csv"
cat <<NEXT

The batch is in $work/queue. What to try next:
  # every option, with unit and default; what the example pool allows
  $sluice help select
  $sluice check $work/digits.h5
  # a pool of a million rows
  mpirun -n 2 $sluice pool make clusters --rows 1000000 --dim 256 --out $work/clusters.h5
  mpirun -n 2 $sluice select --pool $work/clusters.h5 --queue $work/clusters.queue \\
      --score entropy --diversify k_center --shortlist 100000 --batch 500
  # the tests
  scripts/test.sh --quick
NEXT
if [ "$(id -u)" -eq 0 ]; then
    say "As root, Open MPI needs: export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
fi
