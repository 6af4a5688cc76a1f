#!/usr/bin/env python3
"""Kills and starves a command that publishes a batch, at every file system call it makes.

    crash_test.py --first "publish_driver {queue} a1" --second "publish_driver {queue} b2"

Both commands publish one batch into the queue directory that replaces {queue}; {scratch} is a
directory that --prepare may put files in. For each call of the
first one (counted with strace on a run that succeeds, from the first that names the queue):
  kill    the process gets SIGKILL at the call; the queue must be whole then, and running the command
          again must give exactly the batch of a run without a kill; so must the second command in
          between, with other rows;
  error   the call fails with ENOSPC, EDQUOT, EIO, EACCES or EROFS; the command must end with the
          right code and one line that names path and reason, even where the batch needs no more of
          that call (clearing up, closing what was read), and again converge;
  query   the same where a call that only asks or reads fails with EIO or EACCES, also one about what
          --prepare has made.
And a full and a read-only file system, and directories without permission, where this user can make
them. Exit code 77: nothing could be tested here (no strace).
"""
import argparse
import csv
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from fault_injection import (CALLS, ERRORS, QUERIES, SKIPPED, Failure, check_error_line, expect,
                             inject, injected_call, memory_directory, mounted, query_faults,
                             run_all, strace, strace_works, that_may_fail, traced_calls,
                             traced_queries)

TIMEOUT_S = 60


class Command:
    """A command line in which {queue} stands for the queue directory."""

    def __init__(self, text):
        self.words = shlex.split(text)

    def settle(self, scratch):
        """Puts the scratch directory in place of {scratch}."""
        self.words = [word.replace("{scratch}", scratch) for word in self.words]

    def __call__(self, queue, prefix=()):
        words = [word.replace("{queue}", str(queue)) for word in self.words]
        return subprocess.run([*prefix, *words], capture_output=True, text=True, check=False,
                              timeout=TIMEOUT_S)


def succeed(command, queue, context):
    result = command(queue)
    expect(result.returncode == 0, f"{context}: a plain run failed: {result}")


def order_of(queue):
    """Batch ids in the order of issue."""
    entries = sorted((queue / "order").glob("[0-9]*")) if (queue / "order").exists() else []
    return [json.loads(entry.read_text())["batch"] for entry in entries]


def rows_of(queue, batch):
    with open(queue / "batches" / batch / "selected.csv", newline="") as file:
        return [int(record["row"]) for record in csv.DictReader(file)]


def content_of(queue, batch):
    """What must be the same in every run of a batch: all its files but the provenance."""
    directory = queue / "batches" / batch
    return {str(path.relative_to(directory)): path.read_bytes()
            for path in sorted(directory.rglob("*"))
            if path.is_file() and path.name != "provenance.json"}


def check_published(queue, batch, context):
    """A batch with a manifest has everything that the manifest says, and its tokens."""
    directory = queue / "batches" / batch
    manifest = json.loads((directory / "manifest.json").read_text())
    for name, facts in manifest["files"].items():
        content = (directory / name).read_bytes()
        expect(len(content) == facts["bytes"] and
               hashlib.sha256(content).hexdigest() == facts["sha256"],
               f"{context}: {name} does not match the manifest")
    tokens = {f"{batch}-{number:06}.a1" for number in range(1, manifest["tickets"] + 1)}
    found = {path.name for path in (queue / "pending").iterdir() if path.name.startswith(batch)}
    expect(tokens == found, f"{context}: tokens {sorted(found)} instead of {sorted(tokens)}")


def check_whole(queue, context):
    """After a kill: under final names there is nothing half-made."""
    if not (queue / "batches").exists():
        return
    issued = order_of(queue)
    for directory in (queue / "batches").iterdir():
        expect(directory.name in issued, f"{context}: {directory.name} has no order entry")
        if (directory / "manifest.json").exists():
            check_published(queue, directory.name, context)


def check_settled(queue, num_batches, context):
    """After plain runs: exactly these batches, complete, disjoint, and nothing else."""
    issued = order_of(queue)
    expect(len(issued) == num_batches, f"{context}: issued {issued}")
    expect(sorted(issued) == sorted(os.listdir(queue / "batches")), f"{context}: other batches")
    for batch in issued:
        check_published(queue, batch, context)
        left = [name for name in os.listdir(queue / "batches" / batch)
                if name in ("tokens", "manifest.staged")]
        expect(not left, f"{context}: {left} left in the batch")
    rows = [row for batch in issued for row in rows_of(queue, batch)]
    expect(len(rows) == len(set(rows)), f"{context}: rows issued twice: {rows}")
    expect(not os.listdir(queue / "tmp"), f"{context}: {os.listdir(queue / 'tmp')} left in tmp")


class Tester:
    def __init__(self, first, second, scratch):
        self.first = first
        self.second = second
        self.scratch = pathlib.Path(scratch)
        reference = self.scratch / "reference"
        succeed(first, reference, "reference")
        check_settled(reference, 1, "reference")
        self.batch = order_of(reference)[0]
        self.reference = content_of(reference, self.batch)
        self.elsewhere = {}

    def points(self):
        """(call, n) for each file system call from the first that names the queue."""
        log = self.scratch / "trace"
        result = self.first(self.scratch / "traced", strace(["-y", "-o", str(log), "-e",
                                                             "trace=" + ",".join(CALLS + QUERIES)]))
        expect(result.returncode == 0, f"traced run failed: {result}")
        points, self.elsewhere = traced_calls(log.read_text(), str(self.scratch / "traced"))
        expect(len(points) > 20, f"only {len(points)} calls were seen")
        return points, traced_queries(log.read_text(), str(self.scratch))

    def converge(self, queue, context):
        """The command run plainly gives the batch of an undisturbed run."""
        succeed(self.first, queue, context)
        check_settled(queue, 1, context)
        expect(order_of(queue) == [self.batch], f"{context}: another batch")
        expect(content_of(queue, self.batch) == self.reference, f"{context}: other bytes")
        shutil.rmtree(queue)

    def converge_after_another(self, queue, context):
        """With the second command in between there are two batches without a common row."""
        issued_before = order_of(queue)
        succeed(self.second, queue, context)
        succeed(self.first, queue, context)
        check_settled(queue, 2, context)
        expect(order_of(queue)[:len(issued_before)] == issued_before,
               f"{context}: an issued batch lost its place")
        shutil.rmtree(queue)

    def kill_at(self, call, number):
        context = f"kill at {call} {number}"
        queue = self.scratch / f"kill-{call}-{number}"
        result = self.first(queue, strace(inject(call, number, "signal=KILL")))
        expect(result.returncode in (-9, 137), f"{context}: was not killed: {result}")
        check_whole(queue, context)
        copy = queue.with_name(queue.name + "-copy")
        if queue.exists():
            shutil.copytree(queue, copy, symlinks=True)
        self.converge(queue, context)
        self.converge_after_another(copy, context + ", the second command in between")

    def fail_at(self, call, number, error):
        context = f"{error} at {call} {number}"
        queue = self.scratch / f"error-{call}-{number}-{error}"
        log = self.scratch / f"error-{call}-{number}-{error}.log"
        # The main thread only: it is the one that publishes, and others count calls of their own.
        result = self.first(queue, ["strace", "-qq", *inject(call, number, f"error={error}", log)])
        check_whole(queue, context)
        failed = injected_call(log, error)
        if failed is not None:
            place = "" if (call, number) in self.elsewhere else str(self.scratch)
            check_error_line(result, error, place, f"{context}: {failed}")
        self.converge(queue, context)

    def full_disk(self):
        """A tmpfs of every size from nothing to enough."""
        mount = self.scratch / "small"
        mount.mkdir()
        if not mounted(["-t", "tmpfs", "-o", "size=4k", "tmpfs", str(mount)]):
            return "mounting a small tmpfs needs root"
        try:
            refused = 0
            for pages in range(1, 30):
                expect(mounted(["-o", f"remount,size={4 * pages}k", str(mount)]), "remount")
                queue = mount / "queue"
                result = self.first(queue)
                if result.returncode == 0:
                    break
                refused += 1
                check_error_line(result, "ENOSPC", str(self.scratch), f"tmpfs of {pages} pages")
                check_whole(queue, f"tmpfs of {pages} pages")
            expect(refused > 0, "the smallest tmpfs was large enough")
            check_settled(queue, 1, "after a full disk")
            expect(content_of(queue, self.batch) == self.reference, "full disk: other bytes")
            expect(mounted(["-o", "remount,ro", str(mount)]), "remount read-only")
            check_error_line(self.second(queue), "EROFS", str(self.scratch), "read-only file system")
            expect(self.first(queue).returncode == 0, "read-only: what is there must be found")
        finally:
            subprocess.run(["umount", str(mount)], check=True)
        return None

    def no_permission(self):
        """Directories of another mode, as a user who is not root."""
        if os.geteuid() == 0 and shutil.which("setpriv") is None:
            return "dropping root needs setpriv"
        drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        prefix = drop if os.geteuid() == 0 else []
        place = self.scratch / "place"
        place.mkdir()
        os.chmod(self.scratch, 0o755)
        if prefix:
            os.chown(place, 65534, 65534)
        queue = place / "queue"
        if self.first(queue, prefix).returncode != 0:
            return "the command cannot be run by another user"
        before = content_of(queue, self.batch)
        for closed in ("tmp", "order"):
            os.chmod(queue / closed, 0o555)
            result = self.second(queue, prefix)
            check_error_line(result, "EACCES", str(self.scratch), f"{closed}/ without write permission")
            expect(content_of(queue, self.batch) == before, "the published batch has changed")
            os.chmod(queue / closed, 0o755)
        os.chmod(place, 0o555)
        result = self.first(place / "new", prefix)
        check_error_line(result, "EACCES", str(place), "parent without write permission")
        os.chmod(place, 0o755)
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", required=True, type=Command, help="publishes one batch")
    parser.add_argument("--second", required=True, type=Command, help="publishes another one")
    parser.add_argument("--prepare", type=Command, help="run once before all, without a queue")
    parser.add_argument("--errors", choices=["none", "rotate", "all"], default="all",
                        help="inject at each call no errno, one in turn, or every one")
    parser.add_argument("--error-every", type=int, default=1,
                        help="of the calls that fail, each one of so many")
    parser.add_argument("--queries", choices=["none", "rotate", "all"], default="none",
                        help="the same for calls that only ask and read, the pool's file too")
    parser.add_argument("--query-every", type=int, default=1, help="of these, each one of so many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if not strace_works():
        print("SKIPPED: strace is missing or may not trace processes here")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="sluice-crash-", dir=memory_directory()) as scratch:
        for command in filter(None, (options.prepare, options.first, options.second)):
            command.settle(scratch)
        if options.prepare is not None:
            succeed(options.prepare, "", "preparing")
        tester = Tester(options.first, options.second, scratch)
        points, queries = tester.points()
        jobs = [(tester.kill_at, call, number) for call, number in points]
        names = list(ERRORS)
        may_fail = that_may_fail(points, tester.elsewhere)[::options.error_every]
        for index, (call, number) in enumerate(may_fail):
            chosen = {"none": [], "rotate": [names[index % len(names)]],
                      "all": names}[options.errors]
            jobs += [(tester.fail_at, call, number, name) for name in chosen]
        jobs += [(tester.fail_at, *fault)
                 for fault in query_faults(queries, options.queries, options.query_every)]
        failures = run_all(jobs, options.jobs)
        for check in (tester.full_disk, tester.no_permission):
            failures += run_check(check)
    print(f"{len(points)} calls, {len(queries)} queries, {len(jobs)} crashes and errors, {len(failures)} failures")
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


def run_check(check):
    try:
        reason = check()
    except Failure as failure:
        return [failure]
    if reason is not None:
        print(f"SKIPPED: {check.__name__}: {reason}")
    return []


if __name__ == "__main__":
    sys.exit(main())
