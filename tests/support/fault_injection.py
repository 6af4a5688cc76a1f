"""Kills and failing file system calls for the tests: strace injects them into one chosen call."""

import concurrent.futures
import os
import re
import subprocess

CALLS = ["openat", "write", "pwrite64", "fsync", "close", "rename", "renameat", "renameat2", "link",
         "linkat", "mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "utimensat"]
# errno -> exit codes that are right for it, and the text that must be in the message
ERRORS = {"ENOSPC": ({74}, "No space left on device"), "EDQUOT": ({74}, "Disk quota exceeded"),
          "EIO": ({74}, "Input/output error"), "EACCES": ({77}, "Permission denied"),
          "EROFS": ({73}, "Read-only file system")}
OUTPUTS = ("1,", "2,", "1<", "2<")
SKIPPED = 77  # exit code of a test that could check nothing here


class Failure(Exception):
    """A broken promise, with how to see it again."""


def expect(condition, message):
    if not condition:
        raise Failure(message)


def strace(options):
    """The words in front of a command that trace its main thread and all others."""
    return ["strace", "-f", "-qq", *options]


def inject(call, number, fault):
    """The words that make the n-th such call of a thread fail (`error=EIO`) or kill (`signal=KILL`)."""
    return ["-o", "/dev/null", "-e", f"trace={call}", "-e",
            f"inject={call}:{fault}:when={number}"]


def mounted(options):
    return subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0


def strace_works():
    try:
        return subprocess.run(strace([*inject("write", 9999, "error=EIO"), "true"]),
                              capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def traced_calls(log, marker):
    """(call, n) for each traced file system call of the thread that first names `marker`, from
    there on, and those of them that do not name it (descriptors do with strace -y). What goes to
    stdout and stderr is no file."""
    counts, points, elsewhere, publisher = {}, [], set(), None
    for line in log.splitlines():
        match = re.match(r"(?:(\d+) +)?(\w+)\((.*)", line)
        if match is None:
            continue
        thread, call, arguments = match.groups()
        counts[thread, call] = counts.get((thread, call), 0) + 1
        if publisher is None and marker in arguments:
            publisher = (thread,)
        if publisher == (thread,) and not (call == "write" and arguments[:2] in OUTPUTS):
            points.append((call, counts[thread, call]))
            if marker not in arguments:
                elsewhere.add(points[-1])
    return points, elsewhere


def run_all(jobs, num_workers):
    """Runs (function, arguments...) jobs side by side; the Failures they raised."""
    failures = []
    with concurrent.futures.ThreadPoolExecutor(num_workers or os.cpu_count()) as pool:
        for future in [pool.submit(*job) for job in jobs]:
            try:
                future.result()
            except Failure as failure:
                failures.append(failure)
    return failures


def memory_directory():
    """A place in memory, which keeps what a killed process wrote just as a disk does; or None."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
