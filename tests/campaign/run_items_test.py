#!/usr/bin/env python3
"""`sluice run` on what `sluice select` offers beside scores: rows that are instances of items, asked about together;
conditions; numbers of diversity rules. One result for any number of ranks and after a kill."""

import csv
import json
import pathlib
import sys
import tempfile
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from campaigns import Campaign, check_same
from fault_injection import memory_directory

SIZES = 1 + np.arange(60) * 7 % 5  # of items, side by side
ITEMS = {"select.groups": "max", "select.batch": "3", "test.rows": "5"}


def error_of(result):
    lines = [line for line in result.stderr.splitlines() if line.startswith("sluice: error: ")]
    return lines[0] if len(lines) == 1 else f"not one line: {result.stderr!r}"


class RunItemsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-items-", dir=memory_directory())
        self.addCleanup(self.folder.cleanup)
        self.item_of = np.repeat(np.arange(60), SIZES)

    def campaign(self, name, changes):
        campaign = Campaign(pathlib.Path(self.folder.name) / name, changes, rows=len(self.item_of),
                            cost=1.0 + np.arange(len(self.item_of)) % 3)
        with h5py.File(campaign.directory / "pool.h5", "r+") as file:
            file["groups"] = (100 - self.item_of).astype("i8")
            file["columns/brightness"] = (np.arange(len(self.item_of)) % 10 / 10).astype("f4")
        return campaign

    @staticmethod
    def batch(campaign, place):
        with open(campaign.directory / place / "selected.csv", encoding="utf-8") as file:
            return [int(record["row"]) for record in csv.DictReader(file)]

    def items_in(self, rows):
        """Items in the order in which they were chosen; all rows of each, side by side."""
        items = list(dict.fromkeys(int(self.item_of[row]) for row in rows))
        whole = [int(row) for item in items for row in np.flatnonzero(self.item_of == item)]
        self.assertEqual(rows, whole)
        return items

    def test_items_are_asked_about_and_labeled_whole(self):
        reference = self.campaign("reference", ITEMS)
        told = reference.succeed("reference").stdout
        test = self.items_in(self.batch(reference, "test/queue/batches/" + next(
            (reference.directory / "test/queue/batches").iterdir()).name))
        self.assertEqual(len(test), 5)
        for arm in ("", "random/"):
            seen, labels = list(test), 0
            for number in (1, 2, 3):
                place = ("" if number == 1 else arm) + f"rounds/000{number}"
                rows = self.batch(reference, place)
                items = self.items_in(rows)
                self.assertEqual(len(items), 3)
                seen += items
                labels += len(rows)
                record = json.loads((reference.directory / place / "metrics.json").read_text())
                self.assertEqual(record["labels"], labels)
                self.assertEqual(record["candidates_left"], 60 - len(seen))
                with open(reference.directory / place / "labels.csv", encoding="utf-8") as file:
                    answers = {int(line["row"]): float(line["y"]) for line in csv.DictReader(file)}
                self.assertEqual(answers, {row: row / 2 for row in rows})
            self.assertEqual(len(set(seen)), len(seen))
        self.assertIn(" rows of 3 items by committee_std, then k_center", told)
        for ranks in (2, 3):
            campaign = self.campaign(f"ranks{ranks}", ITEMS)
            campaign.succeed(f"{ranks} ranks", ranks=ranks)
            check_same(campaign.state(), reference.state(), f"{ranks} ranks")
        campaign = self.campaign("killed", ITEMS)
        for fault, ranks in (("select 1:0:kill", 1), ("label 1:0:kill", 0), ("select 2:1:kill", 2),
                             ("ingest 2:0:kill", 0), ("select 3:0:kill", 0)):
            result = campaign.run(fault=fault, ranks=ranks)
            self.assertNotEqual(result.returncode, 0, fault)
        campaign.succeed("after kills", ranks=3)
        check_same(campaign.state(), reference.state(), "killed and run again")

    def test_budgets_of_labels_hold_whole_items(self):
        campaign = self.campaign("labels", {**ITEMS, "select.batch": "4", "select.batch-instances": "9",
                                            "select.diversify": "none", "campaign.rounds": "9",
                                            "stop.labels": "30"})
        told = campaign.succeed("labels").stdout
        last = json.loads((campaign.directory / "curve.csv").read_text().splitlines()[-1].split(",")[2])
        self.assertLessEqual(last, 30)
        self.assertGreater(last, 30 - SIZES.max())
        for place in sorted((campaign.directory / "rounds").iterdir()):
            if (place / "selected.csv").exists():
                rows = self.batch(campaign, place)
                self.items_in(rows)
                self.assertLessEqual(len(rows), 9)
        self.assertTrue("does not pay for another item" in told or "labels: 30 of 30" in told, told)

    def test_conditions_hold_for_all_that_is_asked(self):
        changes = {"select.where": "column:brightness >= 0.25, cost < 3", "select.groups": None}
        campaign = self.campaign("where", changes)
        campaign.succeed("where", ranks=2)
        rows = self.batch(campaign, "test/queue/batches/" + next(
            (campaign.directory / "test/queue/batches").iterdir()).name)
        for place in ("rounds/0001", "rounds/0002", "rounds/0003", "random/rounds/0002"):
            rows += self.batch(campaign, place)
        self.assertEqual(len(set(rows)), len(rows))
        for row in rows:
            self.assertTrue(row % 10 >= 3 and row % 3 < 2, row)

    def test_numbers_of_rules_alter_the_rounds_that_go_by_them(self):
        changes = {"select.diversify": "usdm", "select.schedule": "3:committee_std/none",
                   "select.batch": "4", "test.rows": None, "stop.set": None}
        batches = {}
        for strength in (None, "0", "1000"):
            campaign = self.campaign(f"strength{strength}", {**changes, "select.strength": strength})
            campaign.succeed(f"strength {strength}")
            plans = [json.loads((campaign.directory / f"rounds/000{n}/plan.json").read_text())["science"]
                     for n in (1, 2, 3)]
            self.assertEqual([plan.get("select.strength") for plan in plans], [None, strength, None])
            batches[strength] = self.batch(campaign, "rounds/0002")
        self.assertNotEqual(batches["0"], batches["1000"])
        campaign.write({**changes, "select.strength": "999"})
        result = campaign.run()
        self.assertEqual(result.returncode, 78)
        self.assertIn("select.strength is '999', but was '1000' when round 2 began", error_of(result))

    def test_a_loss_head_of_each_round_is_asked(self):
        changes = {"model.loss-folds": "2", "select.score": "learning_loss", "campaign.rounds": "2"}
        reference = self.campaign("losses", changes)
        reference.succeed("losses")
        with h5py.File(reference.directory / "models/0001.h5") as model:
            self.assertEqual(len(model["loss_head/members"]), 3)
        campaign = self.campaign("losses2", changes)
        self.assertNotEqual(campaign.run(fault="train 2:1:kill", ranks=2).returncode, 0)
        campaign.succeed("losses on 3 ranks", ranks=3)
        check_same(campaign.state(), reference.state(), "losses")

    def test_what_cannot_be(self):
        for changes, part in (
                ({"select.groups": "most"}, "groups: --groups: unknown rule"),
                ({"select.groups": "max", "select.per-cost": "yes"}, "cannot be used with per-cost"),
                ({"select.groups": "max", "select.distinct": "yes"}, "cannot be used with distinct"),
                ({"select.batch-instances": "5"}, "give groups = RULE too"),
                ({"select.where": "brightness > 1"}, "where: "),
                ({"select.where": "column:x > 1, column:x < 1"}, "where: "),
                ({"select.diversify": "lcmd", "select.strength": "1"}, "lcmd does not use it"),
                ({"select.diversify": "usdm", "select.strength": "-1"}, "strength: "),
                ({"select.diversify": "gist", "select.radius": "0"}, "radius: ")):
            campaign = self.campaign(f"bad{len(list(pathlib.Path(self.folder.name).iterdir()))}", changes)
            result = campaign.run()
            self.assertEqual(result.returncode, 78, (changes, result.stderr))
            self.assertIn("campaign.ini:", error_of(result))
            self.assertIn(part, error_of(result))
        campaign = self.campaign("absent", {"select.where": "column:absent > 1"})
        result = campaign.run(ranks=2)
        self.assertEqual(result.returncode, 65)
        self.assertIn("absent", error_of(result))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
