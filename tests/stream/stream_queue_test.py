#!/usr/bin/env python3
"""`sluice stream --queue`: every item that is asked for becomes a ticket, once, whatever is killed when; an oracle
labels what came; a sample of the skipped items is fair."""

import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from fault_injection import inject, memory_directory, strace_works
from labeling import LINE_ORACLE

BINARY = os.environ["SLUICE_BINARY"]
ITEMS, CLASSES, DIM = 400, 3, 4


class StreamQueueTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-stream-", dir=memory_directory())
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        random = np.random.default_rng(8)
        self.p = random.dirichlet(np.ones(CLASSES), ITEMS).astype("f4").astype(float)
        self.x = random.normal(size=(ITEMS, DIM))

    def pool(self, rows=ITEMS):
        temporary = self.root / "new.h5"
        with h5py.File(temporary, "w") as file:
            file["probabilities"] = self.p[:rows].astype("f4")
            file["features"] = self.x[:rows].astype("f4")
            file["inputs"] = self.x[:rows]
            file["inputs"].attrs["names"] = [f"x{k}" for k in range(DIM)]
        temporary.replace(self.root / "pool.h5")

    def lines(self, rows=range(ITEMS)):
        return "".join(json.dumps({"id": f"item {row}", "probabilities": self.p[row].tolist(),
                                   "features": self.x[row].tolist(), "inputs": self.x[row, :2].tolist()}) + "\n"
                       for row in rows)

    def run_stream(self, *words, text=None, code=0, prefix=()):
        result = subprocess.run([*prefix, BINARY, "stream", *map(str, words)], input=text, capture_output=True,
                                text=True, check=False, cwd=self.root, timeout=60)
        if code is not None:
            self.assertEqual(result.returncode, code, result.stderr)
        return result

    def sluice(self, *words):
        result = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, check=False,
                                cwd=self.root, timeout=60)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result

    def asked(self, *words, **how):
        return [line["item"] for line in map(json.loads, self.run_stream(*words, **how).stdout.splitlines())
                if line["ask"]]

    def batches(self, queue="queue"):
        """[(rows, features)] in the order of their publication."""
        found = []
        for entry in sorted((self.root / queue / "order").iterdir()):
            batch = self.root / queue / "batches" / json.loads(entry.read_text())["batch"]
            with h5py.File(batch / "items.h5") as file:
                found.append((file["row"][:].tolist(), file["features"][:]))
        return found

    def rows(self, queue="queue"):
        return [row for rows, _ in self.batches(queue) for row in rows]

    QUEUE = ("--queue", "queue", "--state", "state.h5", "--batch", "7")

    def test_what_is_asked_for_is_labeled(self):
        self.pool(150)
        asked = self.asked("--pool", "pool.h5", *self.QUEUE, "--ticket-items", "2")
        self.assertEqual(self.rows(), asked)
        self.assertEqual([len(rows) for rows, _ in self.batches()], [7] * (len(asked) // 7) + [len(asked) % 7])
        self.pool()
        asked += self.asked("--pool", "pool.h5", *self.QUEUE)
        self.assertEqual(self.rows(), asked)
        np.testing.assert_array_equal(np.concatenate([features for _, features in self.batches()]),
                                      self.x[asked].astype("f4"))
        (self.root / "oracle.ini").write_text(LINE_ORACLE)
        self.sluice("label", "--queue", "queue", "--oracle", "oracle.ini", "--until-empty")
        self.sluice("ingest", "--queue", "queue", "--labels", "labels")
        labels = {}
        for path in (self.root / "labels").glob("labels.g*.h5"):
            with h5py.File(path) as file:
                labels.update(zip(file["row"][:].tolist(), file["y"][:].ravel().tolist()))
        self.assertEqual(labels, {row: row / 2 for row in asked})
        self.assertIn(f"{len(asked)}", self.sluice("queue", "status", "--queue", "queue").stdout)

    def test_lines_bring_inputs_and_features(self):
        asked = self.asked(*self.QUEUE, text=self.lines(range(100)))
        asked += self.asked(*self.QUEUE, text=self.lines(range(100, ITEMS)))
        self.assertEqual(self.rows(), asked)
        tickets = [json.loads(line) for path in (self.root / "queue/batches").glob("*/tickets/*")
                   for line in path.read_text().splitlines() if "row" in line]
        self.assertEqual({line["row"] for line in tickets}, set(asked))
        for line in tickets:
            self.assertEqual(line["id"], f"item {line['row']}")
            self.assertEqual(line["inputs"], self.x[line["row"], :2].tolist())
        self.sluice("queue", "fsck", "--queue", "queue")

    def test_killed_anywhere_each_item_is_asked_for_once(self):
        if not strace_works():
            self.skipTest("no strace here")
        self.pool(120)
        words = ["--pool", "pool.h5", *self.QUEUE, "--save-every", "50"]
        asked = self.asked("--pool", "pool.h5")
        kills = 0
        for call in ("rename", "link"):
            for number in range(1, 200, 7 if call == "rename" else 1):
                self.run_stream_in(f"{call}{number}")
                self.pool(120)
                result = self.run_stream(*words, code=None,
                                         prefix=["strace", "-f", "-qq", *inject(call, number, "signal=KILL")])
                if result.returncode == 0:
                    break
                kills += 1
                self.run_stream(*words)
                self.assertEqual(self.rows(), asked, (call, number))
                self.sluice("queue", "fsck", "--queue", "queue")
        self.assertGreater(kills, 4)

    def run_stream_in(self, name):
        """A directory of its own from here on."""
        folder = tempfile.TemporaryDirectory(prefix=name, dir=memory_directory())
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def test_killed_at_the_end_with_more_items_to_come(self):
        if not strace_works():
            self.skipTest("no strace here")
        whole = None
        for number in range(2, 40, 6):
            self.run_stream_in(f"end{number}")
            self.pool()
            whole = whole or self.asked("--pool", "pool.h5")
            words = ["--pool", "pool.h5", *self.QUEUE[:4], "--batch", "1000"]
            self.pool(90)
            self.run_stream(*words, code=None, prefix=["strace", "-f", "-qq", *inject("rename", number, "signal=KILL")])
            self.pool()
            self.run_stream(*words)
            self.assertEqual(sorted(self.rows()), whole, number)
            self.sluice("queue", "fsck", "--queue", "queue")

    def test_rows_of_other_batches_are_not_issued_again(self):
        self.pool()
        self.sluice("select", "--pool", "pool.h5", "--queue", "queue", "--batch", "60", "--score", "least_confidence",
                    "--diversify", "none")
        before = self.rows()
        asked = self.asked("--pool", "pool.h5", *self.QUEUE)
        self.assertTrue(set(before) & set(asked))
        self.assertEqual(self.rows(), before + [row for row in asked if row not in before])

    def test_a_sample_of_the_skipped_items(self):
        self.pool()
        counts = collections.Counter()
        for seed in range(60):
            self.run_stream("--pool", "pool.h5", "--seed", seed, "--skipped", "skipped.jsonl", "--skipped-items", "30")
            lines = [json.loads(line) for line in (self.root / "skipped.jsonl").read_text().splitlines()]
            self.assertEqual(len({line["item"] for line in lines}), 30)
            counts.update(line["item"] for line in lines)
        skipped = sorted(set(range(ITEMS)) - set(self.asked("--pool", "pool.h5")))
        self.assertTrue(set(counts) <= set(skipped))
        expected = 60 * 30 / len(skipped)
        for part in np.array_split(skipped, 4):  # early and late items alike
            self.assertLess(abs(np.mean([counts[row] for row in part]) - expected), 0.2 * expected)
        words = ("--skipped", "parts.jsonl", "--skipped-items", "30", "--state", "s.h5", "--seed", "59")
        self.pool(170)
        self.run_stream("--pool", "pool.h5", *words)
        self.pool()
        self.run_stream("--pool", "pool.h5", *words)
        self.assertEqual((self.root / "parts.jsonl").read_text(), (self.root / "skipped.jsonl").read_text())

    def test_what_cannot_be(self):
        result = self.run_stream("--queue", "queue", text="", code=64)
        self.assertIn("--queue: needs --state", result.stderr)
        result = self.run_stream(*self.QUEUE, "--tag", "a b", text="", code=64)
        self.assertIn("cannot be a tag", result.stderr)
        text = self.lines(range(5)) + json.dumps({"probabilities": [0.34, 0.33, 0.33], "features": [1.0]}) + "\n"
        result = self.run_stream("--budget", "1", *self.QUEUE, text=text, code=65)
        self.assertIn("item 5: has 1 features where items before have 4", result.stderr)
        self.assertFalse((self.root / "queue" / "order").exists() and self.rows())


if __name__ == "__main__":
    unittest.main()
