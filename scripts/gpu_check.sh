#!/usr/bin/env bash
# Usage: scripts/gpu_check.sh [--bundle DIR] [--no-install] [--rows N]
#
# On a machine with an NVIDIA GPU: builds build/gpu with CUDA, runs the tests that compare bits of
# the GPU with those of the CPU, then selects the same batches on both, from stored committees and
# from features with a trained model, and compares every byte. Prints the seconds of each. Exit code
# 69 without a compiler for CUDA or a device, 65 if anything differs.
#
#   --bundle DIR   build nothing, take what `scripts/bundle.sh --gpu-check` has made elsewhere; Python
#                  with h5py and NumPy is all that is needed then
#   --rows N       rows of the pool that batches are selected from (default 1000000)
#   --no-install   install nothing; stop with exit code 69 and the list if something is missing
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# What compares bits; bundle.sh --gpu-check reads this line.
tests=(backend_test committee_network_test committee_scorer_test score_rows_test nearest_center_test)
install_flags=()
bundle=
rows=1000000
while [ $# -gt 0 ]; do
    case $1 in
        --no-install) install_flags=(--no-install) ;;
        --rows | --bundle)
            [ $# -ge 2 ] || fail 64 "gpu_check.sh: $1: needs a value"
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        --help | -h) print_help "$0"; exit 0 ;;
        *) fail 64 "gpu_check.sh: $1: unknown option; see --help" ;;
    esac
    shift
done

cd "$sluice_root"
nvidia-smi -L >/dev/null 2>&1 || fail 69 "no NVIDIA GPU was found (nvidia-smi -L); run this where there is one"
if [ -n "$bundle" ]; then
    programs=$bundle
    [ -x "$programs/sluice" ] || fail 66 "$bundle: no bundle; make it with scripts/bundle.sh --gpu-check"
else
    programs=build/gpu
    scripts/install_dependencies.sh "${install_flags[@]}" build
    (cmake --preset release -B build/gpu -DSLUICE_CUDA=ON && cmake --build build/gpu) ||
        fail 69 "build/gpu: cannot be built with CUDA; see above"
fi
sluice=$programs/sluice
work=build/gpu_check
rm -rf "$work"
mkdir -p "$work"

say "== bits of the GPU against those of the CPU"
for test in "${tests[@]}"; do
    say "$test"
    "$programs/$test" --gtest_brief=1 || fail 65 "$programs/$test: the GPU and the CPU differ; see above"
done

say "== the same batches"
"$sluice" pool make clusters --rows "$rows" --dim 256 --classes 10 --members 5 --out "$work/pool.h5"
"$sluice" select --pool "$work/pool.h5" --queue "$work/start" --score random --diversify none --batch 500 \
    --selected "$work/start.csv" >/dev/null
"$(find_python h5py numpy)" - "$work" <<'PYTHON'
import csv, sys
import h5py, numpy
folder = sys.argv[1]
with open(f"{folder}/start.csv", encoding="utf-8") as file:
    rows = sorted(int(line["row"]) for line in csv.DictReader(file))
with h5py.File(f"{folder}/pool.h5") as pool, h5py.File(f"{folder}/labels.h5", "w") as labels:
    labels["row"] = numpy.array(rows, dtype="<i8")
    labels["y"] = pool["probabilities"][rows].argmax(axis=1).astype("<i4")
PYTHON
"$sluice" train --pool "$work/pool.h5" --labels "$work/labels.h5" --hidden 128,128 --out "$work/model.h5"

select_on() { # select_on DEVICE NAME OPTION...
    local device=$1 name=$2 started
    shift 2
    started=$(date +%s%N)
    "$sluice" select --pool "$work/pool.h5" --shortlist 20000 --batch 500 --device "$device" \
        --selected "$work/$name.$device.csv" "$@" >/dev/null
    say "$name on the $device: $((($(date +%s%N) - started) / 1000000)) ms"
}
compare() { # compare NAME OPTION...
    select_on cpu "$@"
    select_on gpu "$@"
    cmp "$work/$1.cpu.csv" "$work/$1.gpu.csv" || fail 65 "$work: batch $1 differs between CPU and GPU"
}
compare bald --score bald
compare entropy --score entropy
compare model_bald --model "$work/model.h5" --score bald
compare model_boundary --model "$work/model.h5" --score boundary
say "every batch is the same on the CPU and on the GPU"
