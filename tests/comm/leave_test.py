#!/usr/bin/env python3
"""A rank that leaves by exit(), by a signal or by abort ends the whole job within 10 seconds.

    leave_test.py MPIEXEC DRIVER
"""
import subprocess
import sys
import time

LIMIT_S = 10


def run(mpiexec, driver, how, rank, num_ranks):
    start = time.monotonic()
    result = subprocess.run([mpiexec, "-n", str(num_ranks), "--bind-to", "none", driver, how,
                             str(rank)], capture_output=True, text=True, check=False,
                            timeout=6 * LIMIT_S)
    return result, time.monotonic() - start


def main():
    mpiexec, driver = sys.argv[1:]
    # how, rank, number of ranks -> exit code and a line that must stand on stderr
    cases = [("return", 0, 3, 0, ""),
             ("exit", 1, 3, 70, "sluice: error: rank 1: the process called exit() in phase "
                                "'score'; the job ends"),
             ("exit", 0, 1, 70, "sluice: error: the process called exit() in phase 'score'"),
             ("kill", 2, 3, 137, ""),
             ("abort", 1, 2, 65, "")]
    failures = 0
    for how, rank, num_ranks, code, line in cases:
        result, seconds = run(mpiexec, driver, how, rank, num_ranks)
        good = result.returncode == code and line in result.stderr and seconds < LIMIT_S
        failures += not good
        print(f"{'ok' if good else 'FAILED'}: {how} by rank {rank} of {num_ranks}: code "
              f"{result.returncode} after {seconds:.1f} s")
        if not good:
            print(result.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
