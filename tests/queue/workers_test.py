#!/usr/bin/env python3
"""Several workers on one queue: each item labeled once, whoever is stopped, late, or has a wrong clock."""

import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from fault_injection import memory_directory
from labeling import (BINARY, LINE_ORACLE, Audit, finish, label_words, publish, sluice, start,
                      succeed, write_oracle)

LEASE_S = 1
LONGER_LEASE_S = 3  # of workers that must keep it, however busy the machine is
NUM_ZOMBIES = 100


def wait_for(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.005)


class QueueCase(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="sluice-workers-", dir=memory_directory())
        self.addCleanup(place.cleanup)
        self.directory = pathlib.Path(place.name)

    def scene(self, name, items):
        directory = self.directory / name
        directory.mkdir()
        publish(directory / "queue", items=items)
        return directory / "queue", directory / "labels", write_oracle(directory)


class ManyWorkers(QueueCase):
    def test_eight_workers_label_2000_items_once_each(self):
        queue, labels, oracle = self.scene("eight", 2000)
        workers = [start(*label_words(queue, oracle)) for _ in range(8)]
        for worker in workers:
            _, errors = worker.communicate(timeout=300)
            self.assertEqual(worker.returncode, 0, errors)
        files = os.listdir(queue / "results")
        self.assertEqual(len(files), 1000, "each of the 1,000 tickets is handed in once")
        self.assertGreater(len({name.split(".")[2] for name in files}), 8, "nonces")
        self.assertGreater(len({name.split(".")[2].split("-")[-2] for name in files}), 4,
                           "the work was shared")
        finish(queue, labels, oracle, "eight workers")
        audit = Audit(queue, labels, "eight workers").check_labeled()
        self.assertEqual(len(audit.labels), 2000)
        self.assertTrue(all(len(lines) == 1 for lines in audit.results.values()))


def children_of(process):
    """Numbers of the processes that one has started, as text; empty if none runs."""
    return pathlib.Path(f"/proc/{process}/task/{process}/children").read_text()


def zombie_run(scene, answer, seconds):
    """A worker is stopped while its oracle takes `seconds` an item, until others have done its
    ticket, then goes on; returns ingest's result."""
    queue, labels, oracle = scene
    slow = oracle.with_name("slow.ini")
    slow.write_text(LINE_ORACLE.replace("line_oracle", f"line_oracle {seconds} {answer}"))
    worker = start(*label_words(queue, slow, "--lease", LEASE_S))
    wait_for(lambda: os.listdir(queue / "leased"), "a lease")
    wait_for(lambda: children_of(worker.pid), "an oracle")
    os.kill(worker.pid, signal.SIGSTOP)
    time.sleep(LEASE_S + 0.5)
    succeed(sluice("queue", "reap", "--queue", queue), "reap")
    succeed(sluice(*label_words(queue, oracle)), "the second worker")
    os.kill(worker.pid, signal.SIGCONT)
    worker.communicate(timeout=60)
    return sluice("ingest", "--queue", queue, "--labels", labels)


class Scratch(QueueCase):
    def test_the_scratch_directory_of_a_killed_worker_is_removed_by_the_next(self):
        queue, labels, oracle = self.scene("scratch", 4)
        place = self.directory / "place"
        place.mkdir()
        slow = oracle.with_name("slow.ini")
        slow.write_text(LINE_ORACLE.replace("line_oracle", "line_oracle 30"))
        worker = start(*label_words(queue, slow, "--scratch", place))
        wait_for(lambda: list(place.glob("*/*")), "a scratch directory")
        worker.kill()
        worker.communicate()
        self.assertEqual(len(os.listdir(place)), 1)
        succeed(sluice(*label_words(queue, oracle, "--scratch", place)), "the next worker")
        self.assertEqual(os.listdir(place), [])
        finish(queue, labels, oracle, "scratch")
        Audit(queue, labels, "scratch").check_labeled()


    def test_what_the_oracle_of_a_killed_worker_left_running_is_ended_by_the_next(self):
        queue, labels, oracle = self.scene("orphan", 4)
        place = self.directory / "orphan-place"
        place.mkdir()
        forking = oracle.with_name("forking.ini")
        forking.write_text("""[oracle]
name = forking
version = 1
command = sh -c "sleep 300 & echo $! > child; wait"
[label y]
file = stdout
pattern = (.*)
""")
        worker = start(*label_words(queue, forking, "--scratch", place))
        wait_for(lambda: any(path.read_text().endswith("\n") for path in place.glob("*/*/child")),
                 "a process of the oracle")
        orphan = next(place.glob("*/*/child")).read_text().strip()
        worker.kill()
        worker.communicate()
        command = pathlib.Path("/proc", orphan, "cmdline")
        self.assertIn(b"sleep", command.read_bytes())
        succeed(sluice(*label_words(queue, oracle, "--scratch", place)), "the next worker")
        wait_for(lambda: not command.exists() or not command.read_bytes(), "its end")
        self.assertEqual(os.listdir(place), [])


class Zombies(QueueCase):
    def run_zombies(self, number, answer, seconds=0.3):
        """Runs `number` of them side by side (they mostly wait); results with their audits."""
        scenes = [self.scene(f"zombie-{answer}-{k}", 2) for k in range(number)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            results = list(pool.map(lambda scene: zombie_run(scene, answer, seconds), scenes))
        # Of two labels that come to the same ingest the one of the earlier attempt counts.
        audits = [Audit(queue, labels, f"zombie {k}").check_labeled(lambda row: [row * 0.5 + answer])
                  for k, (queue, labels, _) in enumerate(scenes)]
        return results, audits, scenes

    def test_a_worker_stopped_beyond_its_lease_changes_nothing(self):
        results, audits, _ = self.run_zombies(NUM_ZOMBIES, 0)
        self.assertEqual([result.returncode for result in results], [0] * NUM_ZOMBIES)
        self.assertEqual([len(audit.labels) for audit in audits], [2] * NUM_ZOMBIES)
        twice = [audit for audit in audits
                 if all(len(lines) == 2 for lines in audit.results.values())]
        self.assertGreater(len(twice), NUM_ZOMBIES // 2, "the late labels were handed in")

    def test_unequal_labels_end_as_a_conflict(self):
        # All must be stopped in time, however busy the machine is.
        results, _, scenes = self.run_zombies(8, 1, 1.0)
        for result, (_, labels, _) in zip(results, scenes):
            self.assertEqual(result.returncode, 65, result)
            self.assertIn("conflicts", result.stderr)
            listed = [line for path in labels.glob("conflicts*.jsonl")
                      for line in path.read_text().splitlines()]
            self.assertEqual(len(listed), 2, listed)


@unittest.skipUnless(shutil.which("faketime"), "faketime is missing")
class Clocks(QueueCase):
    def test_a_wrong_clock_steals_nothing(self):
        queue, labels, oracle = self.scene("clocks", 2)
        slow = oracle.with_name("slow.ini")
        slow.write_text(LINE_ORACLE.replace("line_oracle", "line_oracle 4"))
        worker = start(*label_words(queue, slow, "--lease", LONGER_LEASE_S))
        wait_for(lambda: os.listdir(queue / "leased"), "a lease")
        lease = os.listdir(queue / "leased")
        reapers = [subprocess.Popen(["faketime", "-f", shift, BINARY, "queue", "reap", "--queue",
                                     str(queue)], stdout=subprocess.PIPE, text=True)
                   for shift in ("+1d", "-1d", "+0 x2")]
        for day in (-86400, 86400, -86400, 86400):  # what a jump of the server's clock looks like
            moment = time.time() + day
            os.utime(queue / "leased" / lease[0], (moment, moment))
            time.sleep(0.3)
        for reaper in reapers:
            output, _ = reaper.communicate(timeout=60)
            self.assertEqual(reaper.returncode, 0, output)
        self.assertEqual(os.listdir(queue / "leased"), lease, "a living worker was robbed")
        _, errors = worker.communicate(timeout=60)
        self.assertEqual(worker.returncode, 0, errors)
        finish(queue, labels, oracle, "clocks")
        Audit(queue, labels, "clocks").check_labeled()

    def test_a_worker_with_a_wrong_clock_keeps_its_lease(self):
        queue, labels, oracle = self.scene("own-clock", 2)
        slow = oracle.with_name("slow.ini")
        slow.write_text(LINE_ORACLE.replace("line_oracle", "line_oracle 3"))
        worker = subprocess.Popen(["faketime", "-f", "-1d", BINARY,
                                   *map(str, label_words(queue, slow, "--lease", LONGER_LEASE_S))],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: os.listdir(queue / "leased"), "a lease")
        time.sleep(LONGER_LEASE_S + 0.5)
        succeed(sluice("queue", "reap", "--queue", queue), "reap")
        _, errors = worker.communicate(timeout=60)
        self.assertEqual(worker.returncode, 0, errors)
        finish(queue, labels, oracle, "own clock")
        audit = Audit(queue, labels, "own clock").check_labeled()
        self.assertTrue(all(len(lines) == 1 for lines in audit.results.values()))


if __name__ == "__main__":
    unittest.main()
