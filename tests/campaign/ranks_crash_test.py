#!/usr/bin/env python3
"""`select` on two ranks, SIGKILL for the publishing one at each file system call that publishes.

Each kill must end the job within 10 s with a non-zero exit code and leave the queue whole; the same
command, undisturbed, must then give the batch of a run that was never killed. A call is chosen by
its number, counted with strace on a run that succeeds; a job in which that call does not come must
have published. Takes every 8th call; `--every 1` takes all. Exit code 77: no strace here.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "queue")]
from crash_test import check_settled, check_whole, content_of, order_of
from fault_injection import (CALLS, SKIPPED, expect, inject, memory_directory, run_all, strace,
                             strace_works, traced_calls)

BINARY = os.environ["SLUICE_BINARY"]
LIMIT_SECONDS = 10.0


class Tester:
    def __init__(self, scratch):
        self.scratch = pathlib.Path(scratch)
        self.killed = []  # the jobs in which the call came
        self.pool = str(self.scratch / "pool.h5")
        subprocess.run([BINARY, "pool", "make", "blobs", "--rows", "300", "--dim", "4", "--out",
                        self.pool], check=True, capture_output=True)
        reference = self.scratch / "reference"
        self.succeed(reference, "reference")
        self.batch = order_of(reference)[0]
        self.reference = content_of(reference, self.batch)

    def select(self, queue, prefix=()):
        """The job on two ranks, `prefix` in front of the first one's command."""
        command = [BINARY, "select", "--pool", self.pool, "--queue", str(queue), "--threads", "1",
                   "--batch", "6", "--ticket-items", "2"]
        return subprocess.run(["mpirun", "--bind-to", "none", "-n", "1", *prefix, *command, ":",
                               "-n", "1", *command],
                              capture_output=True, text=True, check=False, timeout=60)

    def succeed(self, queue, context):
        result = self.select(queue)
        expect(result.returncode == 0, f"{context}: a plain run failed: {result}")
        check_settled(queue, 1, context)

    def points(self):
        log = self.scratch / "trace"
        queue = self.scratch / "traced"
        result = self.select(queue, strace(["-o", str(log), "-e", "trace=" + ",".join(CALLS)]))
        expect(result.returncode == 0, f"traced run failed: {result}")
        points, _ = traced_calls(log.read_text(), str(queue))
        expect(len(points) > 20, f"only {len(points)} calls were seen")
        return points

    def kill_at(self, call, number):
        context = f"kill at {call} {number}"
        queue = self.scratch / f"kill-{call}-{number}"
        started = time.monotonic()
        result = self.select(queue, strace(inject(call, number, "signal=KILL")))
        seconds = time.monotonic() - started
        check_whole(queue, context)
        if result.returncode == 0:
            check_settled(queue, 1, context)
        expect(seconds < LIMIT_SECONDS, f"{context}: took {seconds:.1f} s")
        self.succeed(queue, context)
        expect(order_of(queue) == [self.batch], f"{context}: another batch")
        expect(content_of(queue, self.batch) == self.reference, f"{context}: other bytes")
        shutil.rmtree(queue)
        if result.returncode != 0:
            self.killed.append(context)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=8, help="take one call in so many")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if not strace_works():
        print("SKIPPED: strace is missing or may not trace processes here")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="sluice-ranks-", dir=memory_directory()) as scratch:
        tester = Tester(scratch)
        points = tester.points()[::options.every]
        failures = run_all([(tester.kill_at, *point) for point in points], options.jobs)
        if len(tester.killed) < len(points) * 0.9:
            failures.append(f"only {len(tester.killed)} of {len(points)} jobs were killed")
    print(f"{len(points)} calls, {len(tester.killed)} kills, {len(failures)} failures")
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
