#!/usr/bin/env python3
"""Hostile ids, templates and spools: nothing outside the queue and the scratch directory is written, no
process is started but the oracle, and what is wrong is told in one line."""

import json
import os
import pathlib
import re
import sys
import tempfile
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from fault_injection import memory_directory, strace_works
from labeling import Audit, label_words, publish, sluice, succeed, write_oracle

IDS = ["../../escaped", "/tmp/escaped", "-rf", "--", ".", "..", "; touch escaped", "$(touch escaped)",
       "`touch escaped`", "a'b\"c", "two words", "x" * 5000, "{{row}}", "%n%s", "a|b&c>escaped"]
ECHO_ORACLE = """[oracle]
name = echo
version = 1
command = /bin/echo y= {{row}} {{id}}
[template deck.in]
source = deck.in
[label y]
file = stdout
pattern = ^y= (\\S+)
"""
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT")


def make_pool(path):
    with h5py.File(path, "w") as file:
        file["features"] = np.arange(2.0 * len(IDS), dtype="f4").reshape(-1, 2)
        file["ids"] = np.array([word.encode() for word in IDS])


def unescaped(text):
    """A string as strace prints it with -xx: \\x61 for every byte."""
    return bytes.fromhex(text.replace("\\x", "")).decode("utf-8", "surrogateescape")


def traced_steps(log):
    """(call, [strings], whole line) of each traced call that did not fail."""
    for line in log.read_text().splitlines():
        match = re.match(r"(?:\d+ +)?(\w+)\((.*)", line)
        if match and not re.search(r"= -1 E", line) and "resumed" not in line:
            strings = [unescaped(text) for text in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', line)]
            yield match[1], strings, line


class Hostile(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="sluice-hostile-", dir=memory_directory())
        self.addCleanup(place.cleanup)
        self.directory = pathlib.Path(place.name)
        self.queue = self.directory / "queue"
        self.labels = self.directory / "labels"
        self.scratch = self.directory / "scratch"
        self.scratch.mkdir()

    @unittest.skipUnless(strace_works(), "strace is missing or may not trace processes here")
    def test_54_56_ids_never_become_a_path_or_a_command(self):
        make_pool(self.directory / "pool.h5")
        (self.directory / "deck.in").write_text("id = {{id}}\nrow = {{row}}\n")
        oracle = write_oracle(self.directory, ECHO_ORACLE)
        succeed(sluice("select", "--pool", self.directory / "pool.h5", "--queue", self.queue,
                       "--batch", len(IDS), "--score", "random", "--diversify", "none",
                       "--ticket-items", 4), "select")
        log = self.directory / "trace"
        result = sluice(*label_words(self.queue, oracle, "--scratch", self.scratch),
                        prefix=["strace", "-f", "-qq", "-xx", "-s", "65536", "-o", str(log), "-e",
                                "trace=execve,openat,mkdir,mkdirat,rename,renameat,renameat2,link,"
                                "linkat,symlink,symlinkat,unlink,unlinkat,rmdir"])
        succeed(result, "label")
        self.check_trace(log)
        succeed(sluice("ingest", "--queue", self.queue, "--labels", self.labels), "ingest")
        audit = Audit(self.queue, self.labels, "hostile ids").check_whole()
        self.assertEqual(audit.labels, {key: [float(row)] for key, row in audit.items.items()
                                        if not IDS[row].startswith("-")})
        for key, row in audit.items.items():
            statuses = [result["status"] for result in audit.results[key]]
            self.assertEqual(statuses, ["invalid" if IDS[row].startswith("-") else "ok"], IDS[row])
        found = [path.name for path in self.directory.rglob("*escaped*")]
        self.assertEqual(found, [])
        self.assertFalse(os.path.exists("/tmp/escaped"))

    def check_trace(self, log):
        started = []
        for call, strings, line in traced_steps(log):
            if call == "execve":
                started.append(strings[1:5])
            elif call != "openat" or WRITES.search(line):
                for path in strings:
                    inside = path.startswith((str(self.queue) + "/", str(self.scratch)))
                    relative = call == "unlinkat" and "/" not in path  # remove_all below scratch
                    self.assertTrue(inside or relative or path == "/dev/null", line[:300])
        words = [start for start in started if start and start[0] != "label"]
        echoes = [start for start in started if start[:2] == ["/bin/echo", "y="]]
        passed = {word for word in IDS if not word.startswith("-")}
        self.assertEqual(len(echoes), len(passed), words[:3])
        self.assertEqual(len(started), len(passed) + 1, "other processes were started")
        self.assertEqual({start[3] for start in echoes}, passed)

    def plant(self):
        """A published queue with what somebody else might have put into it."""
        publish(self.queue)
        outside = self.directory / "outside"
        outside.write_text("precious\n")
        tokens = sorted(os.listdir(self.queue / "pending"))
        os.unlink(self.queue / "pending" / tokens[0])
        os.symlink(outside, self.queue / "pending" / tokens[0])
        batch = tokens[0].split("-")[0]
        name = f"{batch}-000002.a1.evil-1-{'0' * 20}.p1.jsonl"
        os.symlink(outside, self.queue / "results" / name)
        os.mkfifo(self.queue / "leased" / f"{batch}-000009.a1.evil-1-{'0' * 20}.l1")
        (self.queue / "pending" / "notes.txt").write_text("what is this?\n")
        return outside

    def test_57_links_pipes_and_unknown_files_are_not_followed(self):
        outside = self.plant()
        oracle = write_oracle(self.directory)
        result = sluice(*label_words(self.queue, oracle), timeout=30)
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("link", result.stderr)
        result = sluice("ingest", "--queue", self.queue, "--labels", self.labels, timeout=30)
        self.assertIn(result.returncode, (0, 75, 77), result)
        succeed(sluice("queue", "status", "--queue", self.queue, timeout=30), "status")
        result = sluice("queue", "fsck", "--queue", self.queue, timeout=30)
        self.assertEqual(result.returncode, 77, result)
        for name in ("results", "pending", "leased", "notes.txt"):
            self.assertIn(name, result.stdout + result.stderr)
        self.assertEqual(outside.read_text(), "precious\n")
        self.assertEqual(os.stat(outside).st_nlink, 1)

    @unittest.skipUnless(os.geteuid() == 0, "giving files away needs root")
    def test_57_tokens_of_somebody_else_are_left_alone(self):
        publish(self.queue)
        token = sorted(os.listdir(self.queue / "pending"))[0]
        os.chown(self.queue / "pending" / token, 65534, 65534)
        result = sluice(*label_words(self.queue, write_oracle(self.directory)))
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("65534", result.stderr)
        self.assertEqual(os.listdir(self.queue / "pending"), [token])

    def commands(self):
        oracle = write_oracle(self.directory)
        return {"label": label_words(self.queue, oracle),
                "ingest": ["ingest", "--queue", self.queue, "--labels", self.labels],
                "status": ["queue", "status", "--queue", self.queue],
                "fsck": ["queue", "fsck", "--queue", self.queue],
                "reap": ["queue", "reap", "--queue", self.queue],
                "export": ["queue", "export", "--queue", self.queue, "--to", "jsonl", "--out",
                           self.directory / "tasks.jsonl"]}

    def expect_each(self, code, text, skip=()):
        for name, words in self.commands().items():
            if name in skip:
                continue
            with self.subTest(name):
                result = sluice(*words)
                self.assertEqual(result.returncode, code, result)
                lines = result.stderr.splitlines()
                self.assertEqual(len(lines), 1, lines)
                self.assertIn(text, lines[0])

    def test_58_a_world_writable_queue_is_refused(self):
        publish(self.queue)
        os.chmod(self.queue, 0o777)
        self.expect_each(77, "chmod o-w")
        os.chmod(self.queue, 0o755)
        os.chmod(self.queue / "results", 0o777)
        self.expect_each(77, "chmod o-w")

    @unittest.skipUnless(os.geteuid() == 0, "giving files away needs root")
    def test_58_a_foreign_queue_is_refused(self):
        publish(self.queue)
        os.chown(self.queue, 65534, 65534)
        self.expect_each(77, "65534")

    def test_59_another_format_version_is_refused(self):
        publish(self.queue)
        (self.queue / "queue.json").write_text(json.dumps({"format": "sluice-queue",
                                                           "format_version": 99}))
        self.expect_each(65, "99")

    def test_a_queue_that_is_not_there_is_not_made(self):
        self.expect_each(66, "no queue")
        self.assertFalse(self.queue.exists())

    def test_a_worker_needs_no_more_than_its_queue_and_scratch(self):
        publish(self.queue)
        oracle = write_oracle(self.directory)
        home = self.directory / "home"
        home.mkdir()
        result = sluice(*label_words(self.queue, oracle, "--scratch", self.scratch),
                        environment={"HOME": str(home), "TMPDIR": "/nonexistent"})
        succeed(result, "label")
        self.assertEqual(os.listdir(home), [])
        self.assertEqual(os.listdir(self.scratch), [], "the scratch directory is left clean")


if __name__ == "__main__":
    unittest.main()
