#!/usr/bin/env bash
# Usage: scripts/gpu_check.sh [--bundle DIR] [--build DIR] [--device NAME] [--rows N] [--only NAME]
#                             [--seed S] [--quick] [--dry-run] [--no-bench] [--out FILE] [--work DIR]
#                             [--no-install]
#
# On a machine with an NVIDIA GPU: builds build/gpu with CUDA, runs the tests that compare bits of
# the GPU with those of the CPU (under compute-sanitizer too, where it is installed), selects batches
# with every score and every diversity on both and compares every byte, then prints the table of
# speeds against what the device can do at best, and against PyTorch and CuPy where they are
# installed, all of which take turns. All of it goes to the file of --out too, with device, clocks,
# build and commit.
# Exit code 69 without a compiler for CUDA or a device, 65 if anything differs.
#
#   --bundle DIR   build nothing, take what `scripts/bundle.sh --gpu-check` has made elsewhere; Python
#                  with h5py and NumPy is all that is needed then
#   --build DIR    build nothing, take the programs of this build
#   --device NAME  what the CPU is compared with: gpu (default), or cpu, which needs no GPU and shows
#                  that the check itself works: speeds are rehearsed at small sizes, without a figure
#   --rows N       rows of the pools that batches are selected from (default 20000)
#   --only NAME    only this score or diversity; repeatable
#   --seed S       of the random pools (default: the clock; a report names its seed)
#   --quick        one case of each score and diversity, and the speeds of small sizes
#   --dry-run      print what would be run, and stop
#   --no-bench     no table of speeds
#   --out FILE     the report (default tests/benchmarks/gpu/COMMIT.txt; build/gpu_check/report.txt with
#                  --quick, --only or --device cpu)
#   --work DIR     where pools, logs and the like go (default build/gpu_check)
#   --no-install   install nothing; stop with exit code 69 and the list if something is missing
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# What compares bits, and what measures; bundle.sh --gpu-check reads these lines.
tests=(backend_test cuda_twin_test)
bench=sluice_bench_gpu
install_flags=()
check_flags=()
table_flags=()
bundle=
build=
device=gpu
out=
is_whole=yes
dry_run=no
work=build/gpu_check
with_bench=yes
while [ $# -gt 0 ]; do
    case $1 in
        --no-install) install_flags=(--no-install) ;;
        --no-bench) with_bench=no ;;
        --dry-run) dry_run=yes ;;
        --quick)
            check_flags+=(--quick)
            table_flags+=(--quick)
            is_whole=no
            ;;
        --bundle | --build | --device | --out | --work)
            [ $# -ge 2 ] || fail 64 "gpu_check.sh: $1: needs a value"
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        --rows | --seed | --only)
            [ $# -ge 2 ] || fail 64 "gpu_check.sh: $1: needs a value"
            [ "$1" != --only ] || is_whole=no
            check_flags+=("$1" "$2")
            shift
            ;;
        --help | -h) print_help "$0"; exit 0 ;;
        *) fail 64 "gpu_check.sh: $1: unknown option; see --help" ;;
    esac
    shift
done
case $device in
    gpu) ;;
    cpu) is_whole=no ;;
    *) fail 64 "gpu_check.sh: --device $device: is neither gpu nor cpu" ;;
esac

cd "$sluice_root"
has_gpu() { nvidia-smi -L >/dev/null 2>&1; }
[ "$device" = cpu ] || [ "$dry_run" = yes ] || has_gpu ||
    fail 69 "no NVIDIA GPU was found (nvidia-smi -L); run this where there is one"
python=$(find_python h5py numpy) || fail 69 "no Python with h5py and NumPy was found; set SLUICE_PYTHON"

# Where the programs are: build/gpu is made for the purpose.
programs=${bundle:-${build:-build/gpu}}
if [ -n "$bundle$build" ]; then
    [ -x "$programs/sluice" ] ||
        fail 66 "$programs: holds no sluice; make it with scripts/bundle.sh --gpu-check, or build it"
elif [ "$dry_run" = no ]; then
    scripts/install_dependencies.sh "${install_flags[@]}" build
    (cmake --preset release -B build/gpu -DSLUICE_CUDA=ON && cmake --build build/gpu) ||
        fail 69 "build/gpu: cannot be built with CUDA; see above"
fi

commit_of_build() { # the first digits of it, from the version
    local version
    version=$("$programs/sluice" --version 2>/dev/null | sed -n '1s/.*+//p')
    say "${version:-unknown}"
}
clocks() {
    nvidia-smi --query-gpu=clocks.sm,clocks.mem,temperature.gpu,power.draw --format=csv,noheader
}

sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null || true)
compare=("$python" -B scripts/gpu_checks/check.py --programs "$programs" --work "$work/pools"
    --device "$device" "${check_flags[@]}")
table=("$python" -B scripts/gpu_checks/table.py --bench "$programs/$bench" --device "$device"
    "${table_flags[@]}")
if [ -z "$out" ]; then
    out=$work/report.txt
    [ "$is_whole" = no ] || out=tests/benchmarks/gpu/$(commit_of_build).txt
fi

describe() { # what the report is about
    say "gpu_check  $(date -u +%Y-%m-%dT%H:%M:%SZ), the CPU against the $device"
    say "commit     $(git rev-parse HEAD 2>/dev/null || say "not a checkout; see build")$(
        [ -z "$(git status --porcelain --untracked-files=no 2>/dev/null)" ] || say ', with changes')"
    "$programs/sluice" --version | sed 's/^/build      /'
    if has_gpu; then
        nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem \
            --format=csv,noheader | sed 's/^/device     /'
    else
        say "device     none: nothing of this was run on a GPU"
    fi
}

run_test() { # run_test TEST: its comparisons with the GPU, which may not be skipped on one
    local log=$work/$1.log
    "$programs/$1" --gtest_filter='*Cuda*:*Twin*' >"$log" 2>&1 ||
        { cat "$log"; fail 65 "$programs/$1: the GPU and the CPU differ; see above"; }
    say "$1: $(grep -c '^\[       OK' "$log" || true) passed, $(grep -c '^\[  SKIPPED \].* ms)' "$log" || true) skipped"
    if [ "$device" = gpu ] && grep -q 'no CUDA device' "$log"; then
        fail 69 "$programs/$1: found no CUDA device; is the driver as new as this build's CUDA?"
    fi
}

run_sanitizer() { # run_sanitizer TEST
    local tool
    for tool in memcheck racecheck synccheck; do
        "$sanitizer" --tool "$tool" --target-processes all --error-exitcode 99 "$programs/$1" \
            --gtest_filter='*Cuda*' >"$work/$1.$tool.log" 2>&1 ||
            { tail -n 40 "$work/$1.$tool.log"; fail 65 "$1: compute-sanitizer --tool $tool found errors; see above"; }
        say "$1: $tool found nothing"
    done
}

run_all() {
    describe
    printf "\n== bits of the GPU against those of the CPU\n"
    for test in "${tests[@]}"; do run_test "$test"; done
    if [ "$device" = cpu ]; then
        say "compute-sanitizer: not run, there is nothing on a GPU to watch"
    elif [ -z "$sanitizer" ]; then
        say "compute-sanitizer: not installed here, not run"
    else
        for test in "${tests[@]}"; do run_sanitizer "$test"; done
    fi
    printf "\n== the same batches\n"
    "${compare[@]}" || fail 65 "$work/pools: batches differ between CPU and GPU; see above"
    [ "$with_bench" = yes ] || return 0
    printf "\n== speeds\n"
    if [ "$device" = cpu ] && [ ! -x "$programs/$bench" ]; then
        say "$programs/$bench: not in this build, nothing was rehearsed (no CUDA)"
        return
    fi
    for library in torch cupy; do
        ! peers_python=$(find_python "$library") || table+=("--$library" "$peers_python")
    done
    "${table[@]}"
    [ "$device" = cpu ] || clocks | sed 's/^/clocks     after the last turn: /'
}

if [ "$dry_run" = yes ]; then
    for test in "${tests[@]}"; do say "$programs/$test"; done
    say "${sanitizer:-compute-sanitizer (not installed here)}"
    printf '%s ' "${compare[@]}"
    say ""
    [ ! -x "$programs/sluice" ] || "${compare[@]}" --list
    printf '%s ' "${table[@]}"
    printf "\nreport: %s\n" "$out"
    exit 0
fi
rm -rf "$work/pools"
mkdir -p "$work/pools" "$(dirname "$out")"
# A new report replaces the last one only when everything has passed.
run_all 2>&1 | tee "$work/report.new" || fail "${PIPESTATUS[0]}" "$work/report.new: the check failed; see above"
mv "$work/report.new" "$out"
say "report     $out"
