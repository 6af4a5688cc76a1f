"""E1 and E2: whole commands on a made pool, by wall time and peak memory."""

import os
import re
import shutil
import subprocess
import sys
import time

GIB = 1 << 30


def run_child(command):
    """(wall seconds, peak bytes of the largest process below it, exit code, error text)."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True) as child:
        message = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - start, usage.ru_maxrss * 1024, child.returncode, message


def checked_run(command, failures):
    """(wall seconds, peak bytes), or None after noting the failure."""
    seconds, peak, code, message = run_child(command)
    if code == 0:
        return seconds, peak
    last = (message.strip().splitlines() or ["no message"])[-1]
    failures.append(f"{' '.join(map(str, command))}: exit code {code}: {last}")
    return None


def make_pool(build, path, rows, failures):
    if path.exists():
        return True
    made = checked_run(["mpirun", "-n", "2", build / "sluice", "pool", "make", "blobs", "--rows",
                        str(rows), "--dim", "256", "--members", "5", "--classes", "20",
                        "--out", path], failures)
    return made is not None


def select_command(build, pool, shortlist, batch):
    queue = build / "bench.queue"
    shutil.rmtree(queue, ignore_errors=True)
    return ["mpirun", "-n", "2", build / "sluice", "select", "--pool", pool, "--queue", queue,
            "--score", "bald", "--diversify", "k_center", "--shortlist", str(shortlist),
            "--batch", str(batch), "--selected", build / "bench.csv"]


def run_file_to_queue(options, build, figures, failures):
    """Whole processes in turn: start, read, compute, write."""
    rows, shortlist, batch = (50_000, 5_000, 100) if options.quick else (1_000_000, 100_000, 1000)
    pool = build / f"pool_{rows}.h5"
    if not make_pool(build, pool, rows, failures):
        return
    what = f"[{rows},256] + [{rows},5,20], top {shortlist}, {batch} k-center, 2 ranks"
    script = os.path.join(os.path.dirname(__file__), "peers_file_to_queue.py")
    for _ in range(2 if options.quick else 5):
        sides = {"ours": select_command(build, pool, shortlist, batch)}
        for backend in () if options.no_peers else ("torch", "numpy"):
            sides[backend] = [sys.executable, "-B", script, pool, "--backend", backend,
                              "--shortlist", str(shortlist), "--batch", str(batch),
                              "--selected", build / f"{backend}.csv"]
        for side, command in sides.items():
            print(f"E1: {side}", file=sys.stderr)
            measured = checked_run(command, failures)
            if measured is None:
                return
            figures.add("E1", side, measured[0], what)


def predicted_bytes(command, failures):
    """What --dry-run says a rank will need at its peak."""
    finished = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=False)
    found = re.search(r"^memory +([\d.]+) ([KMG]iB) per rank at the peak", finished.stdout,
                      re.MULTILINE)
    if not found:
        failures.append(f"--dry-run: no memory per rank in its output: {finished.stdout[:200]!r}")
        return None
    return float(found[1]) * {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": GIB}[found[2]]


def run_memory(options, build, figures, failures):
    """Peak memory of a rank must be what --dry-run says, and the same for a pool twice as large."""
    if not options.big and not options.quick and "E2" not in options.only:
        return
    row_bytes = (256 + 5 * 20 + 20) * 4  # features, committee, probabilities
    for name, size in (("E2.4GiB", 4 * GIB), ("E2.8GiB", 8 * GIB)):
        rows = (size // row_bytes) // (64 if options.quick else 1)
        pool = build / f"pool_{rows}.h5"
        if not make_pool(build, pool, rows, failures):
            return
        command = select_command(build, pool, 20_000, 500)
        predicted = predicted_bytes(command, failures)
        measured = checked_run(command, failures)
        pool.unlink()
        if predicted is None or measured is None:
            return
        what = f"{rows} rows, top 20000, 500 k-center, 2 ranks"
        figures.add(name, "ours", measured[1] / (1 << 20), what)
        figures.add(name, "predicted", predicted / (1 << 20), what)
        figures.add("E2.8GiB", "peak_4GiB", figures.median("E2.4GiB", "ours"), what)
