#!/usr/bin/env bash
# Usage: scripts/lint.sh [FILE...]
#
# Runs clang-tidy 14 (.clang-tidy) over the C++ files of src and kernels, or over those named, with
# the compile commands of build/lint. CUDA files are left out: clang 14 cannot read CUDA 13.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1:-} in
    --help | -h) print_help "$0"; exit 0 ;;
    -*) fail 64 "lint.sh: $1: unknown option; see --help" ;;
esac
command -v clang-tidy-14 >/dev/null ||
    fail 69 "clang-tidy-14 is missing; run scripts/install_dependencies.sh lint"
cd "$sluice_root"
cmake -S . -B build/lint -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
    -DSLUICE_CUDA=OFF -DSLUICE_TESTS=OFF >/dev/null
list_files() { find src kernels -name '*.cpp' -print0; }
[ $# -eq 0 ] || list_files() { printf '%s\0' "$@"; }
list_files "$@" |
    xargs -0 -r -n 1 -P "$(num_cores)" clang-tidy-14 -p build/lint --quiet --warnings-as-errors='*'
