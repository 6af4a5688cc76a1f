#!/usr/bin/env bash
# Usage: scripts/quickstart.sh [--no-install] [--rows N]
#
# From a fresh checkout to a finished campaign: installs what is missing (says so first), builds
# build/release/sluice, makes a pool of a million geometries of two water molecules, and runs
# jobs/examples/water-dimer/campaign.ini on 2 ranks: a committee of nets asks xtb, a quantum
# chemistry code, for the energies worth knowing, beside a campaign that asks for random ones; and
# writes a report of it, one page for any browser. Takes a few minutes on 2 cores. Run it again after
# any interruption: it goes on where it stopped.
#
#   --rows N       geometries in the pool (default 1000000)
#   --no-install   install nothing; stop with exit code 69 and the list if something is missing
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

install_flags=()
rows=1000000
while [ $# -gt 0 ]; do
    case $1 in
        --no-install) install_flags=(--no-install) ;;
        --rows)
            [ $# -ge 2 ] || fail 64 "quickstart.sh: --rows: needs a number"
            rows=$2
            shift
            ;;
        --help | -h) print_help "$0"; exit 0 ;;
        *) fail 64 "quickstart.sh: $1: unknown option; see --help" ;;
    esac
    shift
done

cd "$sluice_root"
sluice=build/release/sluice
example=jobs/examples/water-dimer
work=build/quickstart

say "== 1. dependencies"
scripts/install_dependencies.sh "${install_flags[@]}" build oracles

say "== 2. build: $sluice (a few minutes the first time)"
configure_and_build release sluice

prepare_mpi 2
mkdir -p "$work"
pool=$work/pool.h5
say "== 3. example pool: $pool, $rows geometries"
[ -f "$pool" ] || mpirun -n 2 "$sluice" pool make water-dimer --rows "$rows" --out "$pool"

say "== 4. the campaign on 2 ranks"
cp "$example"/{campaign.ini,oracle.ini,geometry.xyz} "$work"
campaign=(mpirun -n 2 "$sluice" run --campaign "$work/campaign.ini")
say "   ${campaign[*]}"
"${campaign[@]}"

say "== 5. the report of the campaign: $sluice_root/$work/report.html"
mpirun -n 2 "$sluice" report --campaign "$work" --json "$work/report.json"

cat <<NEXT

What to try next:
  # look at the page (open it in any browser; it needs no network); --campaign works while one runs
  xdg-open $work/report.html
  # every option, with unit and default
  $sluice help run
  # the next batch by hand, from the model that the campaign has trained
  mpirun -n 2 $sluice select --pool $pool --model $work/models/0006.h5 --labels $work/labels \\
      --queue $work/my-queue --score committee_std --batch 50
  # the tests
  scripts/test.sh --quick
NEXT
if [ "$(id -u)" -eq 0 ]; then
    say "As root, Open MPI needs: export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
fi
