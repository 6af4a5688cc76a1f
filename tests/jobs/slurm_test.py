#!/usr/bin/env python3
"""The jobs of jobs/ on a real Slurm of four nodes on this machine: a selection over nodes, campaigns as chains of
jobs, and everything that a cluster does to them. A disturbed campaign ends in the same state as one that no
scheduler ever saw. Exit code 77: no Slurm can be started here (the reason is printed)."""

import argparse
import pathlib
import re
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from fault_injection import SKIPPED, Failure
from slurm import Cluster, why_not
from slurm_disturbances import Disturbances
from slurm_steps import Steps


class Tester(Steps, Disturbances):
    pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="regular expression of the cases to run")
    options = parser.parse_args()
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED
    names = [name for name in CASES if re.search(options.only, name)]
    left, failure = run_cases(names)
    if failure is None:
        return 0
    # On a busy machine daemons that were killed may not come back in time: that is Slurm's.
    print(f"failed: {failure}\nonce more, on a new cluster: {' '.join(left)}", flush=True)
    left, failure = run_cases(sorted({"undisturbed_chain", *left}, key=CASES.index))
    if failure is None:
        return 0
    print(f"failed again: {failure}")
    return 1


def run_cases(names):
    """Runs the cases on a cluster of their own: those left and the failure, if one fails."""
    folder = tempfile.mkdtemp(prefix="sluice-slurm-test-")
    left = list(names)
    try:
        with Cluster(nodes=4, cores=4, gpus=2) as cluster:
            tester = Tester(folder, cluster)
            begun = False
            for name in names:
                started = time.monotonic()
                if not begun and name not in UNSAFE:  # what takes a minute runs beside the others
                    begun = True
                    for slow in sorted(SLOW.intersection(names)):
                        getattr(tester, f"begin_{slow}")()
                getattr(tester, name)()
                left.remove(name)
                print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    except Failure as failure:
        return left, failure
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return left, None


CASES = ["selection_over_nodes", "training", "scaling", "gpus", "undisturbed_chain", "lost_nodes", "requeued",
         "cancelled", "lost_controller", "lost_number", "preempted", "with_xtb", "out_of_time", "time_limit"]

UNSAFE = CASES[:CASES.index("lost_nodes") + 1]  # until then nodes die that others may be on
SLOW = {"out_of_time", "time_limit"}

if __name__ == "__main__":
    sys.exit(main())
