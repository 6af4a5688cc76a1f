#!/usr/bin/env bash
# Usage: scripts/bench.sh [--quick] [--only ID] [--big] [--no-peers] [--no-install]
#
# Builds the benchmark programs and prints the benchmark table: our figure, the peer's figure,
# their ratio and the goal. Both sides of a ratio run in turn, in one run; the figures are medians.
# The table also goes to build/bench/results.txt. Peers (NumPy, PyTorch, scikit-learn,
# scikit-activeml, h5py, faiss-cpu, apricot-select, submodlib-py, bmdal_reg) are installed once into
# build/bench-venv: about 7 GB, three minutes.
#
#   --quick        small sizes: shows that everything works; these are not the real figures
#   --only ID      only the lines whose id starts with ID (R, S1, F, T, K1 to K6, D2, Q, E1,
#                  E2); repeatable
#   --big          E2 with pools of 4 and 8 GiB (needs 12 GiB of disk under build)
#   --no-peers     only our programs and their floors
#   --no-install   install nothing; stop with exit code 69 and the list if something is missing
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

install_flags=()
driver_flags=()
peers=yes
while [ $# -gt 0 ]; do
    case $1 in
        --no-install) install_flags=(--no-install) ;;
        --no-peers) peers=no ;;
        --quick | --big) driver_flags+=("$1") ;;
        --only)
            [ $# -ge 2 ] || fail 64 "bench.sh: --only: needs an id, as in --only K1"
            driver_flags+=("$1" "$2")
            shift
            ;;
        --help | -h) print_help "$0"; exit 0 ;;
        *) fail 64 "bench.sh: $1: unknown option; see --help" ;;
    esac
    shift
done

cd "$sluice_root"
venv=build/bench-venv
requirements=(numpy torch scikit-learn scikit-activeml h5py faiss-cpu apricot-select submodlib-py)
# Asks for much that its selection methods never import.
lone_requirements=(bmdal_reg dill)

install_peers() {
    local wanted="${requirements[*]} ${lone_requirements[*]}"
    [ "$(cat "$venv/complete" 2>/dev/null)" != "$wanted" ] || return 0
    [ ${#install_flags[@]} -eq 0 ] ||
        fail 69 "the peers are missing; run scripts/bench.sh once without --no-install, or with --no-peers"
    say "the peers will be installed now into $venv: $wanted (about 7 GB)"
    "$(find_python venv)" -m venv "$venv"
    "$venv/bin/pip" install --quiet --no-cache-dir "${requirements[@]}"
    "$venv/bin/pip" install --quiet --no-cache-dir --no-deps "${lone_requirements[@]}"
    echo "$wanted" > "$venv/complete"
}

scripts/install_dependencies.sh "${install_flags[@]}" build bench
if [ "$peers" = yes ]; then
    install_peers
    python=$venv/bin/python
else
    python=$(find_python json) || fail 69 "no Python 3 found; set SLUICE_PYTHON"
    driver_flags+=(--no-peers)
fi
configure_and_build bench
prepare_mpi 2
exec "$python" -B scripts/bench_peers/bench.py "${driver_flags[@]}"
