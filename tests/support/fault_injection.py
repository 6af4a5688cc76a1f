"""Kills and failing file system calls for the tests: strace injects them into one chosen call."""

import concurrent.futures
import os
import re
import subprocess

CALLS = ["openat", "write", "pwrite64", "fsync", "close", "rename", "renameat", "renameat2", "link",
         "linkat", "mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "utimensat"]
# Calls that only ask: a process killed there has done what one killed at the call before has.
QUERIES = ["read", "pread64", "getdents64", "fstat", "stat", "lstat", "newfstatat", "statx",
           "access", "faccessat", "faccessat2", "readlink", "readlinkat"]
# errno -> exit codes that are right for it, and the text that must be in the message
ERRORS = {"ENOSPC": ({74}, "No space left on device"), "EDQUOT": ({74}, "Disk quota exceeded"),
          "EIO": ({74}, "Input/output error"), "EACCES": ({77}, "Permission denied"),
          "EROFS": ({73}, "Read-only file system")}
# What may fail although nothing is wrong: (call, errors, reason).
NO_FAILURE = [
    (r'openat\(.*"/proc/', {"EACCES"},
     "a machine may hide what it is: leases then end by silence, memory is planned for without it"),
    (r'openat\(.*"(items|labels\.g\d{4})\.h5", O_RDWR\)', set(ERRORS),
     "the HDF5 library looks for a file of the name of one it makes in memory; there is none"),
    (r'access\(.*, R_OK\)', {"EACCES"},
     "a directory for scratch may be used by who may not list it: then nothing is cleared up there"),
    (r'(openat\(.*"/etc/localtime"|close\(.*<.*/zoneinfo/)', set(ERRORS),
     "the C library wants to know the time zone, though it is asked for UTC"),
]
# Pipes to oracles, and Open MPI's own. strace leaves open what close(2) closes even where it fails,
# and whoever is at the other end would wait for ever.
NO_FILE = re.compile(r"\d+<(pipe|anon_inode):")
# What the C library does to load a library that may well be missing (CUDA's driver).
LOADER = re.compile(r'["<][^">]*(\.so(\.\d+)*|/ld\.so\.cache)[">]')
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


def inject(call, number, fault, log="/dev/null"):
    """The words that make the n-th such call of a thread fail (`error=EIO`) or kill (`signal=KILL`)."""
    return ["-y", "-o", str(log), "-e", f"trace={call}", "-e",
            f"inject={call}:{fault}:when={number}"]


def injected_call(log, error):
    """The call that was made to fail, as strace has it in its log; None if it did not come, or if
    it is one of those that may fail (NO_FAILURE)."""
    for line in log.read_text().splitlines():
        if "(INJECTED)" in line:
            harmless = any(re.search(call, line) and error in errors for call, errors, _ in NO_FAILURE)
            return None if harmless else line
    return None


def check_error_line(result, error, place, context):
    """One line says what has failed where, and nothing but sluice speaks."""
    codes, text = ERRORS[error]
    lines = [line for line in result.stderr.splitlines() if line.startswith("sluice: error: ")]
    expect(len(lines) == 1, f"{context}: not one line: {result}")
    expect(all(line.startswith("sluice: ") for line in result.stderr.splitlines()),
           f"{context}: other lines: {result.stderr!r}")
    expect(result.returncode in codes, f"{context}: exit code {result.returncode}: {lines[0]}")
    expect(place in lines[0] and text in lines[0],
           f"{context}: path or reason is missing: {lines[0]}")


def mounted(options):
    return subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0


def strace_works():
    try:
        return subprocess.run(strace([*inject("write", 9999, "error=EIO"), "true"]),
                              capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def calls_of_publisher(log, marker):
    """(call, n, arguments) for each traced call of the thread that first names `marker`, from
    there on."""
    counts, publisher = {}, None
    for line in log.splitlines():
        match = re.match(r"(?:(\d+) +)?(\w+)\((.*)", line)
        if match is None:
            continue
        thread, call, arguments = match.groups()
        counts[thread, call] = counts.get((thread, call), 0) + 1
        if publisher is None and marker in arguments:
            publisher = (thread,)
        if publisher == (thread,):
            yield call, counts[thread, call], arguments


def traced_calls(log, marker):
    """(call, n) for each traced call of CALLS of the thread that first names `marker`, from there
    on, and the arguments of those of them that do not name it (descriptors do with strace -y).
    What goes to stdout and stderr is no file, and the loader of libraries is left alone."""
    points, elsewhere = [], {}
    for call, number, arguments in calls_of_publisher(log, marker):
        if call == "write" and arguments[:2] in OUTPUTS or LOADER.search(arguments):
            continue
        if call in CALLS:
            points.append((call, number))
            if marker not in arguments:
                elsewhere[points[-1]] = arguments
    return points, elsewhere


def traced_queries(log, marker):
    """(call, n, errors that can occur there) for each traced call of QUERIES that names `marker`."""
    return [(call, number, errors_of_query(call, arguments))
            for call, number, arguments in calls_of_publisher(log, marker)
            if call in QUERIES and marker in arguments]


def errors_of_query(call, arguments):
    """Permission is asked for where there is a path, not where there is a descriptor."""
    by_descriptor = (call in ("read", "pread64", "getdents64", "fstat") or
                     "AT_EMPTY_PATH" in arguments)
    return ["EIO"] if by_descriptor else ["EIO", "EACCES"]


def query_faults(queries, which, every):
    """(call, n, error) for each `every`-th of the queries: one error in turn, or all; or none."""
    if which == "none":
        return []
    return [(call, number, error)
            for index, (call, number, errors) in enumerate(queries[::every])
            for error in (errors if which == "all" else [errors[index % len(errors)]])]


def that_may_fail(points, elsewhere):
    """Those of the calls of `traced_calls` that are about files."""
    return [point for point in points if not NO_FILE.match(elsewhere.get(point, ""))]


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
