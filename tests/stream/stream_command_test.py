#!/usr/bin/env python3
"""`sluice stream`: decisions against NumPy in float64; lines and growing pools decide alike; a run that is ended or
killed goes on with the same decisions; what cannot be is refused."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from fault_injection import inject, strace_works

BINARY = os.environ["SLUICE_BINARY"]
ITEMS, CLASSES, DIM = 3000, 3, 4


def variable(certainties, budget, window=100, step=0.01, threshold=1.0):
    """Zliobaite et al. 2014, Var-Uncertainty, with the total kept within the budget."""
    asks, spending = [], 0.0
    for seen, certainty in enumerate(certainties):
        ask = False
        if spending / window < budget and sum(asks) < budget * (seen + 1):
            ask = bool(certainty < threshold)
            threshold *= 1 - step if ask else 1 + step
        spending = spending * ((window - 1) / window) + ask
        asks.append(ask)
    return asks


def gains(directions, asks, ridge=0.01):
    """Saran et al. 2023: x' S^-1 x over its mean so far, given what was asked for."""
    found, total, squares = [], np.eye(directions.shape[1]) * ridge, np.zeros((directions.shape[1],) * 2)
    for seen, (x, ask) in enumerate(zip(directions, asks)):
        squares += np.outer(x, x)
        inverse = np.linalg.inv(total)
        found.append(x @ inverse @ x * (seen + 1) / np.trace(inverse @ squares))
        if ask:
            total = total + np.outer(x, x)
    return np.array(found)


class StreamTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        random = np.random.default_rng(8)
        self.p = random.dirichlet(np.ones(CLASSES), ITEMS).astype("f4").astype(float)
        self.x = random.normal(size=(ITEMS, DIM)).astype("f4").astype(float)

    def lines(self, rows=range(ITEMS), **columns):
        columns = columns or {"probabilities": self.p, "features": self.x}
        return "".join(json.dumps({"id": row, **{name: values[row].tolist() for name, values in columns.items()}})
                       + "\n" for row in rows)

    def pool(self, rows=ITEMS):
        temporary = self.root / "new.h5"
        with h5py.File(temporary, "w") as file:
            file["probabilities"] = self.p[:rows].astype("f4")
            file["features"] = self.x[:rows].astype("f4")
        temporary.replace(self.root / "pool.h5")

    def run_stream(self, *words, text=None, code=0):
        result = subprocess.run([BINARY, "stream", *map(str, words)], input=text, capture_output=True, text=True,
                                check=False, cwd=self.root, timeout=60)
        self.assertEqual(result.returncode, code, result.stderr)
        return result

    def decisions(self, *words, **how):
        return [json.loads(line) for line in self.run_stream(*words, **how).stdout.splitlines()]


class Decisions(StreamTest):
    def test_a_variable_threshold(self):
        decided = self.decisions("--budget", "0.2", text=self.lines())
        self.assertEqual([line["ask"] for line in decided], variable(self.p.max(1), 0.2))
        self.assertEqual([line["id"] for line in decided], [str(row) for row in range(ITEMS)])
        self.assertEqual([line["item"] for line in decided], list(range(ITEMS)))
        np.testing.assert_allclose([line["certainty"] for line in decided], self.p.max(1), rtol=1e-12)

    def test_committees_and_predictions(self):
        members = np.stack([self.p, self.p[::-1]], 1)
        decided = self.decisions("--budget", "0.3", text=self.lines(committee=members))
        self.assertEqual([line["ask"] for line in decided], variable(members.mean(1).max(1), 0.3))
        said = self.x[:, :3]
        decided = self.decisions("--budget", "0.3", text=self.lines(predictions=said))
        self.assertEqual([line["ask"] for line in decided], variable(1 / said.std(1), 0.3))

    def test_volume(self):
        for embedding, directions in (
                ("features", self.x),
                ("gradient", ((self.p - np.eye(CLASSES)[self.p.argmax(1)])[:, :, None] * self.x[:, None]).reshape(
                    ITEMS, -1))):
            decided = self.decisions("--policy", "vessal", "--budget", "0.1", "--embedding", embedding,
                                     text=self.lines())
            asks = [line["ask"] for line in decided]
            left = 0.1 * np.arange(ITEMS) - np.concatenate([[0], np.cumsum(asks)[:-1]])
            rate = np.clip(0.1 + left / 100, 0, 1)
            np.testing.assert_allclose([line["bound"] for line in decided],
                                       np.minimum(1, rate * gains(directions, asks)), rtol=1e-6)
            self.assertLess(abs(np.mean(asks) - 0.1), 0.01)

    def test_a_budget_is_kept_in_the_long_run(self):
        for policy in ("variable", "variable_random", "volume"):
            asks = [line["ask"] for line in self.decisions("--policy", policy, "--budget", "0.05", "--seed", "3",
                                                           text=self.lines() * 4)]
            self.assertLess(abs(np.mean(asks) - 0.05), 0.001, policy)


class GrowingPools(StreamTest):
    def test_decide_as_lines_do(self):
        for words in (["--policy", "variable_random"], ["--policy", "volume"]):
            self.pool()
            rows = self.decisions("--pool", "pool.h5", *words)
            lines = self.decisions(*words, text=self.lines())
            self.assertEqual([line["ask"] for line in rows], [line["ask"] for line in lines])

    def test_rows_that_come_while_it_runs(self):
        self.pool(500)
        whole = None
        with subprocess.Popen([BINARY, "stream", "--pool", "pool.h5", "--poll", "0.1", "--idle", "2", "--state",
                               "state.h5"], cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            for rows in (500, 1200, ITEMS):
                time.sleep(0.4)
                (self.root / "pool.h5").write_bytes(b"half a file")  # a writer at work
                time.sleep(0.3)
                self.pool(rows)
            whole = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, whole)
        asks = [json.loads(line)["ask"] for line in whole[0].splitlines()]
        self.assertEqual(asks, variable(self.p.astype("f4").max(1).astype(float), 0.1))

    def test_a_pool_that_stays_broken_or_has_shrunk(self):
        (self.root / "pool.h5").write_bytes(b"half a file")
        result = self.run_stream("--pool", "pool.h5", "--poll", "0.1", "--idle", "0.5", code=65)
        self.assertIn("pool.h5", result.stderr)
        self.pool(200)
        self.run_stream("--pool", "pool.h5", "--state", "s.h5")
        self.pool(100)
        result = self.run_stream("--pool", "pool.h5", "--state", "s.h5", code=65)
        self.assertIn("has 100 rows, fewer than the 200 that are decided", result.stderr)


class Interrupted(StreamTest):
    def test_parts_decide_as_the_whole(self):
        for policy in ("threshold", "variable", "variable_random", "volume"):
            words = ["--policy", policy, "--threshold", "0.8", "--state", f"{policy}.h5"]
            whole = self.run_stream(*words[:-2], text=self.lines()).stdout
            parts = "".join(self.run_stream(*words, text=self.lines(rows)).stdout
                            for rows in (range(700), range(700, 701), range(701, ITEMS)))
            self.assertEqual(parts, whole, policy)
            again = self.run_stream(*words, "--lines", "from_start", text=self.lines())
            self.assertEqual(again.stdout, "", policy)

    @unittest.skipUnless(strace_works(), "no strace here")
    def test_killed_where_the_state_is_published(self):
        self.pool()
        words = ["--pool", "pool.h5", "--policy", "volume", "--seed", "2"]
        whole = self.run_stream(*words).stdout.splitlines()
        decided = {}
        for number in (1, 2, 30):
            command = ["strace", "-qq", *inject("rename", number, "signal=KILL"), BINARY, "stream", *words,
                       "--state", "state.h5", "--save-every", "50"]
            result = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False, timeout=60)
            self.assertIn(result.returncode, (-9, 137), result.stderr)
            self.keep(result.stdout, decided)
        self.assertLess(len(decided), ITEMS)
        self.keep(self.run_stream(*words, "--state", "state.h5").stdout, decided)
        self.assertEqual([decided[item] for item in range(ITEMS)], whole)

    def test_killed_at_any_moment(self):
        self.pool()
        words = ["--pool", "pool.h5", "--policy", "volume", "--seed", "2"]
        whole = self.run_stream(*words).stdout.splitlines()
        decided = {}
        for turn in range(6):
            out = self.root / f"out{turn}"
            with open(out, "w", encoding="utf-8") as file, subprocess.Popen(
                    [BINARY, "stream", *words, "--state", "state.h5", "--save-every", "50"], cwd=self.root,
                    stdout=file, stderr=subprocess.DEVNULL) as process:
                time.sleep(0.03 + 0.02 * turn)
                process.send_signal(signal.SIGKILL)
            self.keep(out.read_text(encoding="utf-8"), decided)
        self.keep(self.run_stream(*words, "--state", "state.h5").stdout, decided)
        self.assertEqual([decided[item] for item in range(ITEMS)], whole)

    def keep(self, text, decided):
        for line in text.splitlines(keepends=True):
            if not line.endswith("\n"):
                continue  # it was killed there
            item = json.loads(line)["item"]
            self.assertEqual(decided.setdefault(item, line.rstrip("\n")), line.rstrip("\n"))

    def test_a_bad_line_leaves_those_before_decided(self):
        words = ["--state", "state.h5"]
        text = self.lines(range(10)) + '{"id": 10, "probabilities": [0.5, 0.6]}\n'
        result = self.run_stream(*words, text=text, code=65)
        self.assertIn('stdin:11: "probabilities": are no probabilities (their sum is 1.1', result.stderr)
        self.assertEqual(len(result.stdout.splitlines()), 10)
        rest = self.run_stream(*words, "--lines", "from_start", text=self.lines())
        self.assertEqual(result.stdout + rest.stdout, self.run_stream(text=self.lines()).stdout)


class Refused(StreamTest):
    def test_what_cannot_be(self):
        for code, part, words, text in (
                (64, "did you mean variable", ["--policy", "varable"], ""),
                (64, "--budget: above 1", ["--budget", "1.5"], ""),
                (64, "--idle: is for --pool", ["--idle", "3"], ""),
                (66, "gone.h5", ["--pool", "gone.h5"], ""),
                (65, "stdin:1: is no JSON object", [], "[1, 2]\n"),
                (65, "stdin:1: is no JSON object", [], "{\"id\": \n"),
                (65, "has none of probabilities, committee and predictions", [], '{"id": 1}\n'),
                (65, "holds what is no finite number (\"x\")", [], '{"probabilities": ["x"]}\n'),
                (65, "members of different lengths", [], '{"committee": [[0.5, 0.5], [1]]}\n'),
                (65, "has no features, which volume sampling needs", ["--policy", "volume"],
                 '{"probabilities": [0.5, 0.5]}\n')):
            result = self.run_stream(*words, text=text, code=code)
            self.assertIn(part, result.stderr)
            self.assertEqual(result.stdout, "")
        self.run_stream("--state", "s.h5", text=self.lines(range(3)))
        result = self.run_stream("--state", "s.h5", "--budget", "0.2", text=self.lines(range(3)), code=78)
        self.assertIn("made with other options", result.stderr)


if __name__ == "__main__":
    unittest.main()
