"""What the peer programs share: threads, timing and the output lines.

Each line of output is one figure: ID, side, median seconds, what was run, separated by tabs; the
same as the C++ benchmark programs print.
"""

import os
import statistics
import sys
import time

THREADS = len(os.sched_getaffinity(0))
# Read by OpenBLAS, MKL and OpenMP when they are loaded, so before NumPy and PyTorch are imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, str(THREADS))


def seconds_of(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved_medians(sides, repeats):
    """Median seconds of each of {name: work}: all in turn, `repeats` times, after one warm-up."""
    for work in sides.values():
        work()
    seconds = {name: [] for name in sides}
    for _ in range(repeats):
        for name, work in sides.items():
            seconds[name].append(seconds_of(work))
    return {name: statistics.median(values) for name, values in seconds.items()}


def best_of(forms, repeats):
    """(name, median seconds) of the fastest of several ways to write the same thing."""
    medians = interleaved_medians(forms, repeats)
    name = min(medians, key=medians.get)
    return name, medians[name]


def report(identifier, side, seconds, what):
    print(f"{identifier}\t{side}\t{seconds:.6f}\t{what}", flush=True)


def fail(message):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")
