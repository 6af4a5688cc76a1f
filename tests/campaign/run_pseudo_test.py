#!/usr/bin/env python3
"""Campaigns that train on what the model of the round before is sure of: which rows these are, recomputed in float64
from what `sluice predict` says; that they are kept apart from labels; one result for any number of ranks and however
often a run is killed."""

import csv
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from campaigns import BINARY, Campaign, check_same, make_pool
from fault_injection import inject, memory_directory, strace_works

ROWS, CLASSES = 240, 3
DELTA, DECAY = 0.7, 0.1
RULES = {"campaign.rounds": "3", "start.batch": "12", "select.batch": "6", "select.score": "entropy",
         "select.diversify": "none", "model.head": "softmax", "model.epochs": "60", "model.learning-rate": "0.02",
         "label.classes": str(CLASSES)}

# What it was given, and a model all the same.
TRAINER = '''
import shutil, subprocess, sys
labels, model, kept, program = sys.argv[1:5]
shutil.copy(labels, kept)
subprocess.run([program, "train", "--labels", labels, "--out", model, "--members", "2", "--hidden", "8",
                "--epochs", "20"], check=True)
'''


def clouds(path):
    """Rows of class row % 3 around three points, some of them near another's."""
    random = np.random.default_rng(4)
    angle = 2 * np.pi * (np.arange(ROWS) % CLASSES) / CLASSES
    centers = np.stack([np.cos(angle), np.sin(angle), np.zeros(ROWS)], 1)
    make_pool(path, rows=ROWS)
    with h5py.File(path, "r+") as file:
        file["features"][:] = centers + 0.45 * random.normal(size=centers.shape)


class PseudoTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-run-", dir=memory_directory())
        self.addCleanup(self.folder.cleanup)

    def campaign(self, name="c", pseudo="", changes=None):
        campaign = Campaign(pathlib.Path(self.folder.name) / name, {**RULES, **(changes or {})}, "0 0 3", rows=ROWS)
        clouds(campaign.directory / "pool.h5")
        campaign.file.write_text(campaign.file.read_text() + (f"[pseudo]\n{pseudo}" if pseudo else ""))
        return campaign

    @staticmethod
    def usual(more=""):
        return f"delta = {DELTA}\ndecay = {DECAY}\n{more}"

    @staticmethod
    def pseudo(campaign, number, arm="."):
        with h5py.File(campaign.directory / arm / f"pseudo/{number:04}.h5") as file:
            return {name: file[name][()] for name in file}

    @staticmethod
    def rows(campaign, name):
        with open(campaign.directory / name, encoding="utf-8") as file:
            return [int(line["row"]) for line in csv.DictReader(file)]

    def entropies(self, campaign, model):
        """Of the members' mean, and its classes, of every row."""
        out = campaign.directory.parent / "said.h5"
        out.unlink(missing_ok=True)
        subprocess.run([BINARY, "predict", "--model", campaign.directory / model, "--pool",
                        campaign.directory / "pool.h5", "--out", out], check=True, capture_output=True)
        with h5py.File(out) as file:
            logits = file["committee"][:].astype(float)
        p = np.exp(logits - logits.max(2, keepdims=True))
        mean = (p / p.sum(2, keepdims=True)).mean(1)
        return -(mean * np.log(mean)).sum(1), mean.argmax(1)


class WhichRows(PseudoTest):
    def check_round(self, campaign, number, most, arm="."):
        owner = "." if number == 2 else arm
        entropies, classes = self.entropies(campaign, f"{owner}/models/{number - 1:04}.h5")
        labeled = set(self.rows(campaign, "rounds/0001/selected.csv"))
        for before in range(2, number + 1):
            labeled |= set(self.rows(campaign, f"{arm}/rounds/{before:04}/selected.csv"))
        taken = labeled | set(self.rows(campaign, "test/labels.csv"))
        delta = DELTA - number * DECAY
        free = [row for row in np.argsort(entropies, kind="stable") if row not in taken]
        wanted = sorted(row for row in free[:most or len(labeled)] if entropies[row] < delta)
        found = self.pseudo(campaign, number, arm)
        self.assertEqual(found["row"].tolist(), wanted)
        self.assertEqual(found["y"].tolist(), classes[wanted].tolist())
        np.testing.assert_allclose(found["entropy"], entropies[wanted], atol=2e-6)
        self.assertEqual(set(found["source"]), {b"pseudo"})
        self.assertEqual(set(found["round"]), {number})
        return wanted

    def test_the_surest_below_a_bound_that_falls(self):
        campaign = self.campaign(pseudo=self.usual())
        result = campaign.succeed("run")
        self.assertFalse((campaign.directory / "pseudo/0001.h5").exists())
        kept = [self.check_round(campaign, number, 0, arm) for number in (2, 3) for arm in (".", "random")]
        self.assertEqual([len(kept[0]), len(kept[1])], [18, 18])  # as many as labels
        record = json.loads((campaign.directory / "rounds/0003/metrics.json").read_text())
        self.assertEqual((record["pseudo_labels"], record["labels"], record["cost"]), (len(kept[2]), 24, 24))
        self.assertIn(f"{len(kept[2])} pseudo-labels, entropy below 0.4", result.stdout)
        for name in ("labels", "random/labels"):
            for path in (campaign.directory / name).glob("labels.g*.h5"):
                with h5py.File(path) as file:
                    self.assertNotIn(b"pseudo", file["source"][:].tolist())

    def test_rows_stay_candidates_and_a_label_wins(self):
        campaign = self.campaign(pseudo=f"delta = 9\nmost = {ROWS}\n", changes={"campaign.random-arm": "no"})
        campaign.succeed("run")
        first, second = (self.pseudo(campaign, number)["row"].tolist() for number in (2, 3))
        asked = self.rows(campaign, "rounds/0003/selected.csv")
        self.assertTrue(set(asked) <= set(first))  # all that was free
        self.assertFalse(set(asked) & set(second))
        self.assertEqual(len(second), ROWS - 20 - 24)

    def test_at_most_so_many(self):
        campaign = self.campaign(pseudo=self.usual("most = 5\n"), changes={"campaign.random-arm": "no"})
        campaign.succeed("run")
        self.assertEqual(len(self.check_round(campaign, 2, 5)), 5)

    def test_no_bound_changes_nothing(self):
        without = self.campaign("without")
        without.succeed("without")
        for name, rules in (("zero", "delta = 0\n"), ("gone", "delta = 1\ndecay = 0.5\n")):
            campaign = self.campaign(name, rules)
            campaign.succeed(name)
            self.assertFalse((campaign.directory / "pseudo").exists())
            ours, theirs = campaign.state(), without.state()
            changed = {key for key in ours if ours[key] != theirs[key]}
            self.assertTrue(all(key.endswith(("campaign.ini", "plan.json")) for key in changed), changed)

    def test_they_are_trained_on_with_their_weight(self):
        states = []
        for weight in ("1", "0.25"):
            campaign = self.campaign(f"w{weight}", self.usual(f"weight = {weight}\n"))
            campaign.run("--rounds", "2")
            states.append(campaign.state())
        self.assertEqual(states[0]["pseudo/0002.h5"], states[1]["pseudo/0002.h5"])
        self.assertTrue(states[0]["models/0002.h5"] != states[1]["models/0002.h5"])

    def test_a_trainer_is_told_which_they_are(self):
        trainer = pathlib.Path(self.folder.name) / "train.py"
        trainer.write_text(TRAINER, encoding="utf-8")
        kept = pathlib.Path(self.folder.name) / "kept.h5"
        campaign = self.campaign(pseudo=self.usual("weight = 0.5\n"), changes={
            "campaign.random-arm": "no", "campaign.rounds": "2",
            "model.train-command": f"{sys.executable} {trainer} {{labels}} {{model}} {kept} {BINARY}"})
        campaign.succeed("run")
        pseudo = self.pseudo(campaign, 2)["row"].tolist()
        self.assertTrue(pseudo)
        with h5py.File(kept) as file:
            marked = file["pseudo"][:] == 1
            self.assertEqual(file["row"][:][marked].tolist(), pseudo)
            self.assertEqual(set(file["weight"][:][marked]), {0.5})
            self.assertEqual(set(file["weight"][:][~marked]), {1.0})
            self.assertEqual(len(file["row"]), 18 + len(pseudo))


class OneAnswer(PseudoTest):
    def test_any_number_of_ranks(self):
        alone = self.campaign("alone", self.usual())
        alone.succeed("alone")
        self.assertIn("random/pseudo/0003.h5", alone.state())
        for ranks in (1, 2, 3):
            campaign = self.campaign(f"ranks{ranks}", self.usual())
            campaign.succeed(f"{ranks} ranks", ranks=ranks)
            check_same(campaign.state(), alone.state(), f"{ranks} ranks")

    @unittest.skipUnless(strace_works(), "no strace here")
    def test_killed_where_they_are_published(self):
        reference = self.campaign("reference", self.usual())
        log = pathlib.Path(self.folder.name) / "trace"
        words = ["strace", "-qq", "-o", str(log), "-e", "trace=rename,mkdir"]
        self.assertEqual(reference.run(prefix=words).returncode, 0)
        counts, points = {}, []
        for call in re.findall(r"\w+\(.*", log.read_text()):
            name = call.split("(")[0]
            counts[name] = counts.get(name, 0) + 1
            if "/pseudo" in call:
                points.append((name, counts[name]))
        self.assertGreater(len(points), 5)
        for name, number in points[1::3]:
            campaign = self.campaign(f"{name}{number}", self.usual())
            result = campaign.run(prefix=["strace", "-qq", *inject(name, number, "signal=KILL")])
            self.assertIn(result.returncode, (-9, 137), result)
            campaign.succeed(f"killed at {name} {number}")
            check_same(campaign.state(), reference.state(), f"killed at {name} {number}")


class Wrong(PseudoTest):
    def test_numbers_have_none(self):
        for changes, code, part in (({"model.head": "squares", "label.classes": None}, 78, "is for classes"),
                                    ({"model.head": "hinge"}, 78, "which the head hinge does not give")):
            campaign = self.campaign(f"c{part[:4]}", self.usual(), changes)
            result = campaign.run()
            self.assertEqual(result.returncode, code, result)
            self.assertIn(part, result.stderr)
        auto = self.campaign("auto", self.usual(), {"model.head": "auto", "label.classes": None})
        oracle = auto.directory / "oracle.ini"
        oracle.write_text(oracle.read_text().replace("label_is_class = yes", "label_is_class = no"))
        result = auto.run()
        self.assertEqual(result.returncode, 78, result)
        self.assertIn("[pseudo] delta: is for classes, but the labels are numbers", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
