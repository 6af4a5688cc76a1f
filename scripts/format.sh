#!/usr/bin/env bash
# Usage: scripts/format.sh [--fix]
#
# Checks that every C++ and CUDA file is as clang-format 14 (.clang-format) would write it.
#
#   --fix   rewrite the files that are not
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mode=(--dry-run --Werror)
case ${1:-} in
    '') ;;
    --fix) mode=(-i) ;;
    --help | -h) print_help "$0"; exit 0 ;;
    *) fail 64 "format.sh: $1: unknown option; see --help" ;;
esac
# Versions of clang-format disagree with each other, so it is exactly this one.
command -v clang-format-14 >/dev/null ||
    fail 69 "clang-format-14 is missing; run scripts/install_dependencies.sh test"
cd "$sluice_root"
find src kernels tests -name '*.[ch]pp' -print0 -o -name '*.cu' -print0 -o -name '*.cuh' -print0 |
    xargs -0 -r clang-format-14 "${mode[@]}"
