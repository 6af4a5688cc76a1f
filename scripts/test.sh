#!/usr/bin/env bash
# Usage: scripts/test.sh [--quick] [--no-install] [--werror]
#
# Installs what is missing, builds and runs the tests. The last line is `N passed, N failed`; the
# exit code is not 0 if anything failed.
#
# Without --quick: the whole suite on the release build, the unit tests again under
# AddressSanitizer and UndefinedBehaviorSanitizer, and the format check.
#
#   --quick        only the unit tests of the release build
#   --no-install   install nothing; stop with exit code 69 and the list if something is missing
#   --werror       warnings are errors (preset ci instead of release)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

install_flags=()
quick=no
preset=release
for argument in "$@"; do
    case $argument in
        --quick) quick=yes ;;
        --no-install) install_flags=(--no-install) ;;
        --werror) preset=ci ;;
        --help | -h) print_help "$0"; exit 0 ;;
        *) fail 64 "test.sh: $argument: unknown option; see --help" ;;
    esac
done

passed=0
failed=0
count() { # count WHAT PASSED FAILED
    say "-- $1: $2 passed, $3 failed"
    passed=$((passed + $2))
    failed=$((failed + $3))
}

# A step that either holds or not (a build, the format check).
run_step() { # run_step WHAT COMMAND...
    local what=$1
    shift
    say "== $what"
    if "$@"; then count "$what" 1 0; else count "$what" 0 1; fi
}

# Two tests a core: ranks that start and leases that end keep a test waiting for half of its time.
run_ctest() { # run_ctest PRESET CTEST_OPTION...
    local build_preset=$1 log summary failures total status=0
    shift
    log=$sluice_root/build/$build_preset/ctest.log
    mkdir -p "$(dirname "$log")"
    say "== tests of build/$build_preset"
    (cd "$sluice_root" && ctest --preset "$build_preset" --no-tests=error -j "$((2 * $(num_cores)))" "$@") </dev/null |
        tee "$log" || status=$?
    summary=$(grep -E 'tests passed, [0-9]+ tests? failed out of [0-9]+' "$log" || true)
    failures=$(sed -E 's/.* ([0-9]+) tests? failed out of .*/\1/' <<<"${summary:-1 1 tests failed out of 1}")
    total=$(sed -E 's/.* out of ([0-9]+).*/\1/' <<<"${summary:-out of 1 out of 1}")
    [ "$status" -eq 0 ] || [ "$failures" -gt 0 ] || failures=1
    count "tests of build/$build_preset" $((total - failures)) "$failures"
}

build_and_test() { # build_and_test PRESET CTEST_OPTION...
    local build_preset=$1 failed_before=$failed
    shift
    run_step "build of build/$build_preset" configure_and_build "$build_preset"
    [ "$failed" -gt "$failed_before" ] || run_ctest "$build_preset" "$@"
}

say "== dependencies"
"$sluice_root/scripts/install_dependencies.sh" "${install_flags[@]}" build example oracles test
# Without Slurm its test is skipped and says so.
if [ "$quick" = no ] && [ ${#install_flags[@]} -eq 0 ]; then
    "$sluice_root/scripts/install_dependencies.sh" slurm || say "no Slurm here: its test will be skipped"
fi
if [ "$quick" = yes ]; then
    build_and_test "$preset" -L unit
else
    run_step "format check" "$sluice_root/scripts/format.sh"
    build_and_test "$preset"
    build_and_test debug -L unit
fi
say "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
