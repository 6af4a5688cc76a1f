#!/usr/bin/env python3
"""`sluice run`: one result for any number of ranks; labels from outside; stop rules and their replay; what may
change in a campaign file; what goes wrong, with the campaign's state intact."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from campaigns import BINARY, BUILD, Campaign, check_same
from fault_injection import memory_directory

BLOBS = {"model.head": "softmax", "select.score": "entropy", "label.classes": "3"}


def error_of(result):
    lines = [line for line in result.stderr.splitlines() if line.startswith("sluice: error: ")]
    return lines[0] if len(lines) == 1 else f"not one line: {result.stderr!r}"


def sluice(*words):
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, check=False,
                          timeout=60)


class RunTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-run-", dir=memory_directory())
        self.addCleanup(self.folder.cleanup)

    def campaign(self, name="c", changes=None, oracle_words="", **pool):
        return Campaign(pathlib.Path(self.folder.name) / name, changes, oracle_words, **pool)

    def fails(self, campaign, code, part, **how):
        result = campaign.run(**how)
        self.assertEqual(result.returncode, code, result)
        self.assertIn(part, error_of(result))
        return result

    def record(self, campaign, round_number, arm="."):
        return json.loads((campaign.directory / arm / f"rounds/{round_number:04}/metrics.json").read_text())


class OneAnswer(RunTest):
    def test_any_number_of_ranks(self):
        alone = self.campaign("alone")
        alone.succeed("alone")
        reference = alone.state()
        for ranks in (1, 2, 3, 5):
            campaign = self.campaign(f"ranks{ranks}")
            campaign.succeed(f"{ranks} ranks", ranks=ranks)
            check_same(campaign.state(), reference, f"{ranks} ranks")

    def test_a_finished_campaign_stays_as_it_is(self):
        campaign = self.campaign()
        first = campaign.succeed("first")
        reference = campaign.state()
        again = campaign.succeed("again")
        self.assertEqual(again.stdout, first.stdout)
        check_same(campaign.state(), reference, "again")

    def test_more_rounds_continue(self):
        whole = self.campaign("whole")
        whole.succeed("whole")
        parts = self.campaign("parts")
        result = parts.run("--rounds", "2")
        self.assertIn("stopped after round 2: rounds: 2 of 2", result.stdout)
        parts.succeed("third round")
        check_same(parts.state(), whole.state(), "2 rounds, then 1")

    def test_arms_share_the_start_and_the_test_rows(self):
        campaign = self.campaign()
        campaign.succeed("run")
        self.assertFalse((campaign.directory / "random/rounds/0001").exists())
        curve = (campaign.directory / "curve.csv").read_text().splitlines()
        self.assertEqual([line.split(",")[:4] for line in curve[1:3]],
                         [["1", "active", "6", "6"], ["1", "random", "6", "6"]])
        self.assertEqual(curve[1].split(",")[2:], curve[2].split(",")[2:])
        rows = [self.rows(campaign, f"{arm}rounds/000{number}/selected.csv")
                for arm in ("", "random/") for number in (2, 3)]
        rows.append(self.rows(campaign, "rounds/0001/selected.csv"))
        test = self.rows(campaign, "test/labels.csv")
        for batch in rows:
            self.assertEqual(len(set(batch)), 6)
            self.assertFalse(set(batch) & set(test))
        self.assertEqual(len(set(rows[0] + rows[1] + rows[4])), 18)
        self.assertEqual(len(set(rows[2] + rows[3] + rows[4])), 18)
        self.assertNotEqual(rows[0], rows[2])

    @staticmethod
    def rows(campaign, name):
        lines = (campaign.directory / name).read_text().splitlines()
        return [int(line.split(",")[1]) for line in lines[1:]]

    def test_schedule_and_classes(self):
        campaign = self.campaign(changes={**BLOBS, "select.schedule": "2:random/none, 3-:margin/none",
                                          "model.epochs": "60"}, oracle_words="0 0 3")
        campaign.succeed("run")
        plans = [json.loads((campaign.directory / f"rounds/000{n}/plan.json").read_text())
                 for n in (1, 2, 3)]
        self.assertEqual([(plan["score"], plan["diversify"], plan["model_round"]) for plan in plans],
                         [("random", "k_center", -1), ("random", "none", -1), ("margin", "none", 2)])
        record = self.record(campaign, 3)
        self.assertEqual(set(record["metrics"]) - {"validation_loss"},
                         {"accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece"})
        self.assertLessEqual(record["stop_set"]["kappa"], 1.0)

    def test_distances_of_gradients_in_rounds_with_a_model(self):
        changes = {"select.diversify": "lcmd", "select.diversify-on": "gradients",
                   "select.sketch-dim": "8"}
        one, three = self.campaign("one", changes), self.campaign("three", changes)
        one.succeed("one")
        three.succeed("three", ranks=3)
        check_same(three.state(), one.state(), "3 ranks")
        manifests = [json.loads(path.read_text()) for path in one.directory.rglob("manifest.json")]
        seen = {told["round"]: told.get("diversify_on") for told in manifests if told["diversify"] == "lcmd"}
        self.assertEqual(seen, {2: "gradients", 3: "gradients"})

    def test_cost_budgets_are_never_exceeded(self):
        cost = 1.0 + np.arange(200) % 7
        campaign = self.campaign(changes={"select.batch-cost": "15", "stop.cost": "37"}, cost=cost)
        result = campaign.succeed("run")
        self.assertIn("stopped after round", result.stdout)
        spent = 0.0
        for number in (1, 2, 3):
            rows = self.rows(campaign, f"rounds/000{number}/selected.csv")
            self.assertLessEqual(cost[rows].sum(), 15)
            spent += cost[rows].sum()
            self.assertEqual(self.record(campaign, number)["cost"], spent)
        self.assertLessEqual(spent, 37)

    def test_a_budget_that_pays_for_no_more(self):
        cheap = self.campaign("units", {"stop.cost": "10.5", "campaign.rounds": "9"})
        for how in ("", "again"):
            self.assertIn("stopped after round 2: cost: what is left of 10.5 does not pay",
                          cheap.succeed("units" + how).stdout)
        self.assertEqual(self.record(cheap, 2)["labels"], 10)
        dear = self.campaign("dear", {"stop.cost": "13", "campaign.rounds": "9"}, cost=np.full(200, 2.0))
        self.assertIn("stopped after round 1: cost: what is left of 13 does not pay",
                      dear.succeed("dear").stdout)
        self.assertEqual(self.record(dear, 1)["cost"], 12)

    def test_label_budget_cuts_the_last_batch(self):
        campaign = self.campaign(changes={"stop.labels": "15", "campaign.rounds": "9"})
        result = campaign.succeed("run")
        self.assertIn("stopped after round 3: labels: 15 of 15", result.stdout)
        self.assertEqual(self.record(campaign, 3)["labels"], 15)

    def test_pool_exhausted(self):
        campaign = self.campaign(changes={"campaign.rounds": "9", "select.batch": "12"}, rows=50)
        result = campaign.succeed("run")
        self.assertIn("stopped after round 3: pool: 0 rows left to ask for", result.stdout)
        self.assertEqual(self.record(campaign, 3)["labels"], 30)


class Outside(RunTest):
    def label(self, campaign):
        for queue in ("test/queue", "queue", "random/queue"):
            if (campaign.directory / queue).exists():
                result = sluice("label", "--queue", campaign.directory / queue, "--oracle",
                                campaign.directory / "oracle.ini", "--until-empty")
                self.assertEqual(result.returncode, 0, result)

    def test_waits_for_labels_and_goes_on(self):
        inside = self.campaign("inside")
        inside.succeed("inside")
        campaign = self.campaign("outside", {"label.where": "outside", "label.oracle": None})
        self.fails(campaign, 75, "round 1 waits for labels: 20 items in ")
        timings = json.loads((campaign.directory / "rounds/0001/timings.json").read_text())
        self.assertGreater(timings["seconds"]["label"], 0.0)
        self.fails(campaign, 75, "6 items in ")
        self.label(campaign)
        self.fails(campaign, 75, "round 2 waits for labels: 6 items in ")
        self.label(campaign)
        self.fails(campaign, 75, "round 3 waits for labels")
        self.label(campaign)
        campaign.succeed("the end")
        ours, theirs = campaign.state(), inside.state()
        for name in theirs:
            if name.endswith((".h5", "labels.csv", "selected.csv", "metrics.json")) or name == "curve.csv":
                self.assertEqual(ours[name], theirs[name], name)

    def test_some_labels_are_not_enough(self):
        campaign = self.campaign(changes={"label.where": "outside", "test.rows": None})
        self.fails(campaign, 75, "6 items")
        self.assertEqual(sluice("label", "--queue", campaign.directory / "queue", "--oracle",
                                campaign.directory / "oracle.ini", "--max-items", "2").returncode, 0)
        self.fails(campaign, 75, "4 items")
        campaign.write({"test.rows": None, "campaign.rounds": "1"})  # inside goes on from there
        self.assertIn("nothing is claimed against", campaign.succeed("inside").stdout)


class StopRules(RunTest):
    def test_replay_of_stored_rounds_stops_at_the_same_one(self):
        rules = {"campaign.rounds": "6", "stop.plateau": "rmse", "stop.plateau-window": "2",
                 "stop.plateau-epsilon": "0.2", "stop.change": "0.01"}
        campaign = self.campaign("whole", {"campaign.rounds": "6"})
        campaign.succeed("six rounds")
        stopped = self.campaign("stopped", rules)
        last = stopped.succeed("by the rule").stdout.split("stopped after ")[1].split("\n")[0]
        self.assertRegex(last, "^round [3-5]: plateau")
        campaign.write(rules)  # all six rounds are stored
        for how in ({}, {"ranks": 2}):
            result = campaign.succeed("replay", **how)
            self.assertEqual(result.stdout.split("stopped after ")[1].split("\n")[0], last)
        dry = campaign.run("--dry-run")
        self.assertIn("stopped after " + last, dry.stdout)
        self.assertRegex(dry.stdout, r"holds +plateau: rmse")

    def test_dry_run_writes_nothing(self):
        campaign = self.campaign()
        before = campaign.state()
        result = campaign.run("--dry-run")
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("round 1   not begun; next: plan and select", result.stdout)
        self.assertIn("[start]\nstrategy = k_center", result.stdout)
        check_same(campaign.state(), before, "after a dry run")
        campaign.run("--rounds", "1")
        before = campaign.state()
        self.assertIn("round 2   not begun", campaign.run("--dry-run", ranks=2).stdout)
        check_same(campaign.state(), before, "after another")


class Changes(RunTest):
    def test_what_alters_a_finished_round_is_refused(self):
        campaign = self.campaign()
        campaign.run("--rounds", "1")
        before = campaign.state()
        for changes, part in (({"campaign.seed": "4"}, "campaign.seed is '4', but was '3' when round 1"),
                              ({"model.members": "4"}, "model.members is '4', but was '3'"),
                              ({"start.batch": "7"}, "start.batch is '7', but was '6'"),
                              ({"start.strategy": "random"}, "select.diversify is 'none', but was 'k_center'"),
                              ({"test.rows": "10"}, "test.rows is '10', but was '20'")):
            campaign.write(changes)
            self.fails(campaign, 78, part)
        campaign.write()
        check_same(campaign.state(), before, "after refusals")

    def test_another_oracle_or_pool_is_refused(self):
        campaign = self.campaign()
        campaign.run("--rounds", "1")
        oracle = campaign.directory / "oracle.ini"
        text = oracle.read_text()
        oracle.write_text(text.replace("version = 1", "version = 2"))
        self.fails(campaign, 78, "oracle.ini: says something else")
        oracle.write_text(text)
        with h5py.File(campaign.directory / "pool.h5", "r+") as file:
            file["features"][0] = 1.5
        self.fails(campaign, 78, "pool.file (what it holds)")

    def test_what_comes_later_may_change(self):
        campaign = self.campaign()
        campaign.run("--rounds", "1")
        campaign.write({"select.score": "random", "select.diversify": "none", "label.workers": "2",
                        "stop.labels": "100", "campaign.rounds": "2"})
        campaign.succeed("changed")
        self.assertEqual(json.loads((campaign.directory / "rounds/0002/plan.json").read_text())["score"],
                         "random")


class Wrong(RunTest):
    """Clear errors; after the cause is gone the campaign ends as if it had never been there."""

    def mended(self, campaign, reference, context):
        campaign.succeed(context)
        check_same(campaign.state(), reference.state(), context)

    def test_labels_of_an_unknown_class(self):
        campaign = self.campaign(changes={**BLOBS, "label.classes": "2", "select.batch": "12"},
                                 oracle_words="0 0 3")
        result = campaign.succeed("run")
        self.assertIn("results were rejected", result.stderr)
        self.assertIn("without a label", result.stdout)
        self.assertRegex((campaign.directory / "rounds/0001/labels.csv").read_text(), r",invalid,\d+,\n")

    def test_one_class_only(self):
        campaign = self.campaign(changes=BLOBS, oracle_words="0 0 1")
        result = self.fails(campaign, 65, "[start] rounds = 2")
        before = campaign.state()
        self.assertEqual(campaign.run().returncode, 65)
        check_same(campaign.state(), before, "run again")
        self.assertIn("class", error_of(result))

    def test_fewer_labels_than_members(self):
        changes = {"model.members": "8", "model.resample": "k_fold"}
        campaign = self.campaign(changes=changes)
        self.fails(campaign, 65, "[start] rounds = 2")
        campaign.write({**changes, "start.rounds": "2"})
        self.fails(campaign, 65, "12 of 16")
        campaign.write({**changes, "start.rounds": "3"})
        result = campaign.succeed("other start batches")
        self.assertIn("stopped after round 3", result.stdout)
        self.assertEqual(self.record(campaign, 1)["metrics"], {})
        self.assertEqual(self.record(campaign, 2)["metrics"], {})
        self.assertIn("rmse", self.record(campaign, 3)["metrics"])

    def given(self, campaign, y, dtype="f8"):
        path = campaign.directory / "given.h5"
        with h5py.File(path, "w") as file:
            file["row"] = np.arange(len(y), dtype="i8")
            file["y"] = np.array(y, dtype=dtype)
        return path

    def test_labels_that_are_there_already(self):
        campaign = self.campaign(changes={"start.labels": "given.h5", "campaign.rounds": "2"})
        self.given(campaign, np.arange(10)[:, None] * 0.5)
        campaign.succeed("run")
        self.assertEqual([self.record(campaign, n)["labels"] for n in (0, 1, 2)], [10, 16, 22])
        self.assertEqual(self.record(campaign, 2, "random")["labels"], 22)
        self.assertTrue((campaign.directory / "models/0000.h5").exists())

    def test_targets_that_are_no_numbers(self):
        campaign = self.campaign(changes={"start.labels": "given.h5"})
        self.given(campaign, [[1.0], [np.inf], [2.0], [3.0], [4.0]])
        self.fails(campaign, 65, "given.h5: /y[1]")

    def test_test_rows_among_the_labels_to_train_on(self):
        campaign = self.campaign(changes={"start.labels": "given.h5", "test.rows": None,
                                          "test.labels": "given.h5"})
        self.given(campaign, np.arange(10)[:, None] * 0.5)
        self.fails(campaign, 65, "row 0 is among the labels to train on too (10 such rows)")

    def test_an_oracle_that_fails_and_is_mended(self):
        reference = self.campaign("reference")
        reference.succeed("reference")
        campaign = self.campaign()
        oracle = campaign.directory / "oracle.ini"
        text = oracle.read_text()
        for program in ("/no/such/oracle", "false"):
            oracle.write_text(text.replace(f"{BUILD}/line_oracle", program) + "breaker = 3\n")
            result = campaign.run()
            self.assertEqual(result.returncode, 69, result)
        oracle.write_text(text)
        self.mended(campaign, reference, "mended")

    def test_a_trainer_of_ones_own(self):
        good = {"model.train-command": f"{BINARY} train --labels {{labels}} --out {{model}} --members 3 "
                                       "--hidden 8 --epochs 15 --seed {seed} --round {round}"}
        reference = self.campaign("reference", good)
        reference.succeed("reference")
        self.assertIn("rmse", self.record(reference, 3)["metrics"])
        campaign = self.campaign()
        for changes, part in (
                ({"model.train-command": "/bin/false {model}"}, "ended with exit code 1"),
                ({"model.train-command": "sh -c 'sleep 60' {model}", "model.train-limit": "1"},
                 "took longer"),
                ({"model.train-command": "cp /bin/sh {model}"}, "{model}: "),
                ({"model.train-command": "true {model}"}, "ended without making it"),
                ({"model.train-command": "no-such-trainer {model}"}, "no-such-trainer")):
            campaign.write(changes)
            self.fails(campaign, 69 if "no-such" in part else 65, part)
            self.assertFalse((campaign.directory / "models/0001.h5").exists())
            self.assertTrue((campaign.directory / "rounds/0001/labels.csv").exists())
        campaign.write(good)
        campaign.succeed("mended")
        # (Models of sluice train name the labels file, which lies elsewhere each time.)
        for name in ("rounds/0003/metrics.json", "rounds/0003/versions.json", "curve.csv"):
            self.assertEqual(campaign.state()[name], reference.state()[name], name)

    def test_a_model_that_does_not_fit_the_pool(self):
        other = self.campaign("other", dim=4)
        other.run("--rounds", "1")
        model = other.directory / "models/0001.h5"
        campaign = self.campaign(changes={"model.train-command": f"cp {model} {{model}}"})
        self.fails(campaign, 65, "{model}: dim of the model that the training command made is 4")
        shutil.copy(model, campaign.directory / "models/0001.h5")  # behind sluice's back
        self.fails(campaign, 65, "models/0001.h5: was made for 4 features, but rows have 3")
        (campaign.directory / "models/0001.h5").write_bytes(b"nonsense")
        self.fails(campaign, 65, "models/0001.h5")

    def test_bad_campaign_files(self):
        campaign = self.campaign()
        text = campaign.file.read_text()
        for old, new, code, part in (
                ("[select]", "[selct]", 78, "[selct]: unknown section; did you mean 'select'?"),
                ("batch = 6", "batsh = 6", 78, "batsh: unknown key of [select]; did you mean 'batch'?"),
                ("batch = 6", "batch = 6.5", 78, "not a whole number"),
                ("committee_std", "comittee_std", 78, "committee_std"),
                ("head = squares", "head = square", 78, "did you mean 'squares'?"),
                ("file = pool.h5", "file = pol.h5", 66, "pol.h5"),
                ("set = 50", "kappa = 0.9", 78, "compares classes"),
                ("set = 50", "target = rmze 1", 78, "unknown metric (rmze)"),
                ("rows = 20", "rows = 0\n[stop]\nplateau = rmse", 78, "there is no test set"),
                ("oracle = oracle.ini", "where = inside", 78, "name the oracle's INI file")):
            campaign.file.write_text(text.replace(old, new))
            result = self.fails(campaign, code, part)
            if code == 78:
                self.assertIn("campaign.ini:", error_of(result))
        self.assertFalse((campaign.directory / "queue").exists())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
