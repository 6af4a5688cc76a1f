#!/usr/bin/env python3
"""Campaigns whose trainer writes what it says of every row of the pool: `sluice run` with {predictions}, and
`sluice select --predictions-file`. What is chosen and measured is recomputed here in float64; trainers that go wrong
leave the campaign as it was; a run that is killed anywhere ends as one that was not."""

import csv
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from campaigns import BINARY, Campaign, check_same
from fault_injection import inject, memory_directory, strace_works

# Ridge regression on bootstrap samples, or the distance to class means; `how` is what goes wrong.
TRAINER = '''
import sys, time
import h5py, numpy as np
labels, pool, out, seed, how = sys.argv[1:6]
random = np.random.default_rng(int(seed))
with h5py.File(labels) as file:
    x, y = file["features"][:].astype(float), file["y"][:]
with h5py.File(pool) as file:
    features = file["features"][:].astype(float)
rows, said = len(features), {}
if how == "exit": sys.exit("out of luck")
if how == "hang": time.sleep(100)
if how == "slow": time.sleep(0.5)
if how == "nothing": sys.exit()
if how == "text":
    open(out, "w").write("no predictions"); sys.exit()
if y.ndim == 2:
    one = np.ones((len(x), 1))
    members = []
    for m in range(3):
        s = random.integers(len(x), size=len(x))
        a = np.hstack([x, one])[s]
        w = np.linalg.solve(a.T @ a + 1e-3 * np.eye(a.shape[1]), a.T @ y[s, 0])
        members.append(features @ w[:-1] + w[-1])
    said["predictions"] = np.stack(members, 1).astype("f4")
else:
    classes = int(y.max()) + 1
    means = np.stack([x[y == c].mean(0) if (y == c).any() else x.mean(0) + 9 for c in range(classes)])
    d = ((features[:, None] - means) ** 2).sum(2)
    p = np.exp(-d); p /= p.sum(1, keepdims=True)
    said["probabilities"] = p.astype("f4")
if how == "rows": said = {name: v[:-1] for name, v in said.items()}
if how == "nan": said["predictions"][17, 1] = np.nan
if how == "sum": said["probabilities"][17, 1] += 0.5
if how == "classes": said["probabilities"] = np.full((rows, 2), 0.5, "f4")
if how == "task": said = {"probabilities": np.full((rows, 2), 0.5, "f4")}
if how == "targets": said["predictions"] = np.zeros((rows, 3, 2), "f4")
if how == "empty": said = {"nonsense": np.zeros(rows)}
with h5py.File(out, "w") as file:
    for name, values in said.items():
        file[name] = values
'''

NUMBERS = {"select.diversify": "none", "campaign.rounds": "2"}
CLASSES = {**NUMBERS, "model.head": "softmax", "select.score": "entropy", "label.classes": "3",
           "select.batch": "12"}


class PredictionsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-run-", dir=memory_directory())
        self.addCleanup(self.folder.cleanup)
        self.trainer = pathlib.Path(self.folder.name) / "train.py"
        self.trainer.write_text(TRAINER, encoding="utf-8")

    def command(self, how="well"):
        return {"model.train-command": f"{sys.executable} {self.trainer} {{labels}} {{pool}} "
                                       f"{{predictions}} {{seed}} {how}"}

    def campaign(self, name="c", changes=None, how="well", oracle_words="", **pool):
        return Campaign(pathlib.Path(self.folder.name) / name,
                        {**NUMBERS, **self.command(how), **(changes or {})}, oracle_words, **pool)

    def fails(self, campaign, code, part):
        result = campaign.run()
        self.assertEqual(result.returncode, code, result)
        lines = [line for line in result.stderr.splitlines() if line.startswith("sluice: error: ")]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertIn(part, lines[0])

    @staticmethod
    def said(campaign, number, name, arm="."):
        with h5py.File(campaign.directory / arm / f"models/{number:04}.predictions.h5") as file:
            return file[name][:].astype(float)

    @staticmethod
    def table(campaign, name):
        with open(campaign.directory / name, encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def rows(self, campaign, name):
        return [int(line["row"]) for line in self.table(campaign, name)]

    @staticmethod
    def record(campaign, number):
        return json.loads((campaign.directory / f"rounds/{number:04}/metrics.json").read_text())


class OneAnswer(PredictionsTest):
    def test_any_number_of_ranks(self):
        alone = self.campaign("alone")
        alone.succeed("alone")
        self.assertIn("models/0002.predictions.h5", alone.state())
        self.assertIn("random/models/0002.predictions.h5", alone.state())
        for ranks in (1, 2, 3):
            campaign = self.campaign(f"ranks{ranks}")
            result = campaign.succeed(f"{ranks} ranks", ranks=ranks)
            self.assertIn("models/0002.predictions.h5", result.stdout)
            check_same(campaign.state(), alone.state(), f"{ranks} ranks")


class WhatIsChosenAndMeasured(PredictionsTest):
    def test_by_numbers(self):
        campaign = self.campaign(changes={"campaign.rounds": "3"})
        campaign.succeed("run")
        test = self.rows(campaign, "test/labels.csv")
        taken = set(test) | set(self.rows(campaign, "rounds/0001/selected.csv"))
        stop = h5py.File(campaign.directory / "rounds/0001/stop_set.h5")["row"][:]
        for number in (2, 3):
            chosen = self.table(campaign, f"rounds/{number:04}/selected.csv")
            scores = self.said(campaign, number - 1, "predictions").std(1)
            rows = [int(line["row"]) for line in chosen]
            np.testing.assert_allclose([float(line["score"]) for line in chosen], scores[rows], rtol=1e-4)
            left = [row for row in range(200) if row not in taken and row not in rows]
            self.assertGreaterEqual(scores[rows].min() * (1 + 1e-5), scores[left].max())
            taken |= set(rows)
            said = self.said(campaign, number, "predictions")
            errors = said.mean(1)[test] - np.array(test) / 2
            record = self.record(campaign, number)
            np.testing.assert_allclose(record["metrics"]["rmse"], np.sqrt((errors**2).mean()), rtol=1e-4)
            self.assertNotIn("validation_loss", record["metrics"])
            np.testing.assert_allclose(record["stop_set"]["uncertainty"], said.std(1)[stop].mean(), rtol=1e-4)
            before = self.said(campaign, number - 1, "predictions").mean(1)[stop]
            change = np.sqrt(((said.mean(1)[stop] - before)**2).sum() / ((before - before.mean())**2).sum())
            np.testing.assert_allclose(record["stop_set"]["change"], change, rtol=1e-3)

    def test_reports_read_them_as_well(self):
        for name, changes, words in (("numbers", {}, ""), ("classes", CLASSES, "0 0 3")):
            campaign = self.campaign(name, changes, oracle_words=words)
            campaign.succeed("run")
            numbers = campaign.directory / "report.json"
            result = subprocess.run([BINARY, "report", "--campaign", campaign.file, "--json", numbers],
                                    capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual(result.returncode, 0, result.stderr)
            report = json.loads(numbers.read_text())
            self.assertEqual(report["missing"], [], name)
            self.assertEqual(report["test"]["rows"], 20, name)

    def test_by_classes(self):
        campaign = self.campaign(changes=CLASSES, oracle_words="0 0 3")
        campaign.succeed("run")
        test = self.rows(campaign, "test/labels.csv")
        said = self.said(campaign, 2, "probabilities")
        record = self.record(campaign, 2)
        right = said.argmax(1)[test] == np.array(test) % 3
        self.assertAlmostEqual(record["metrics"]["accuracy"], right.mean(), 6)
        losses = -np.log(said[test, np.array(test) % 3])
        self.assertAlmostEqual(record["metrics"]["log_loss"], losses.mean(), 4)
        stop = h5py.File(campaign.directory / "rounds/0001/stop_set.h5")["row"][:]
        entropy = -(said * np.log(said)).sum(1) / np.log(3)
        self.assertAlmostEqual(record["stop_set"]["uncertainty"], entropy[stop].mean(), 4)
        one, other = (self.said(campaign, n, "probabilities").argmax(1)[stop] for n in (1, 2))
        by_chance = sum((one == c).mean() * (other == c).mean() for c in range(3))
        self.assertAlmostEqual(record["stop_set"]["kappa"],
                               ((one == other).mean() - by_chance) / (1 - by_chance), 6)


class Wrong(PredictionsTest):
    """Clear errors, nothing left behind; after the cause is gone the campaign ends as if it had never been there."""

    @staticmethod
    def but_its_file(campaign):
        return {name: content for name, content in campaign.state().items() if name != "campaign.ini"}

    def mended(self, campaign, changes, reference):
        campaign.write({**NUMBERS, **self.command(), **changes})
        campaign.succeed("mended")
        check_same(campaign.state(), reference.state(), "mended")

    def test_trainers_of_numbers(self):
        alone = {"campaign.random-arm": "no"}
        reference = self.campaign("reference", alone)
        reference.succeed("reference")
        campaign = self.campaign(changes=alone, how="exit")
        self.fails(campaign, 65, "ended with exit code 1 (out of luck)")
        before = self.but_its_file(campaign)
        for how, part in (("nothing", "{predictions}: the training command ended without making it"),
                          ("text", "{predictions}: "),
                          ("empty", "{predictions}: holds no dataset that a pool has"),
                          ("rows", "{predictions}: has 199 rows, the pool has 200"),
                          ("nan", "{predictions}: /predictions[17]: value 1 is not finite (nan); let the"),
                          ("task", "/probabilities: is for classification, but the labels are for regression"),
                          ("targets", "/predictions: tells of 2 targets, but the labels have 1"),
                          ("hang", "took longer than --train-limit (1 s)")):
            campaign.write({**NUMBERS, **self.command(how), **alone, "model.train-limit": "1"})
            self.fails(campaign, 65, part)
            check_same(self.but_its_file(campaign), before, how)
        self.mended(campaign, alone, reference)

    def test_trainers_of_classes(self):
        changes = {**CLASSES, "campaign.random-arm": "no"}
        reference = self.campaign("reference", changes, oracle_words="0 0 3")
        reference.succeed("reference")
        campaign = self.campaign(changes=changes, how="sum", oracle_words="0 0 3")
        self.fails(campaign, 65, "/probabilities[17]: the probabilities do not sum to 1 (1.5)")
        campaign.write({**changes, **self.command("classes")})
        self.fails(campaign, 65, "/probabilities: tells of 2 classes, but the labels have 3")
        self.mended(campaign, changes, reference)

    def test_rows_without_a_prediction_may_be_skipped(self):
        changes = {"campaign.random-arm": "no", "pool.bad-rows": "skip", "stop.set": "0"}
        campaign = self.campaign(changes={**changes, "test.rows": None}, how="nan")
        campaign.succeed("NaN in a row that is passed over")
        self.assertNotIn(17, self.rows(campaign, "rounds/0002/selected.csv"))
        tested = self.campaign("tested", {**changes, "test.rows": "190"}, how="nan")
        self.fails(tested, 65, "/predictions[17]: holds values that mean nothing, but the row is one that")

    def test_files_that_are_damaged_later(self):
        campaign = self.campaign(changes={"campaign.random-arm": "no"})
        campaign.run("--rounds", "1")
        path = campaign.directory / "models/0001.predictions.h5"
        whole = path.read_bytes()
        path.write_bytes(b"nonsense")
        self.fails(campaign, 65, "models/0001.predictions.h5")
        path.unlink()
        self.fails(campaign, 66, "models/0001.h5")
        path.write_bytes(whole)
        campaign.succeed("restored")

    def test_commands_that_cannot_be(self):
        for command, more, part in (
                ("train.py {labels}", {}, "says neither {model} nor {predictions}"),
                ("train.py {model} {predictions}", {}, "goes by one of the two"),
                ("train.py {predictions}", {"stop.plateau": "validation_loss"}, "validation_loss is not known")):
            campaign = self.campaign(f"c{len(part)}", {"model.train-command": command, **more})
            self.fails(campaign, 78, part)


class Killed(PredictionsTest):
    def test_in_phases_and_while_the_trainer_runs(self):
        reference = self.campaign("reference")
        reference.succeed("reference")
        campaign = self.campaign(how="slow")
        for phase, ranks in (("train 1", 0), ("evaluate 1", 2), ("close 1", 0), ("select 2", 0), ("train 2", 3)):
            result = campaign.run(fault=f"{phase}:0:kill", ranks=ranks)
            self.assertNotEqual(result.returncode, 0, phase)
        for pause in (0.3, 0.6):
            with subprocess.Popen(campaign.words(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env=campaign.environment()) as process:
                time.sleep(pause)
                process.send_signal(signal.SIGKILL)
        campaign.write({**NUMBERS, **self.command()})
        campaign.succeed("run to its end")
        check_same(campaign.state(), reference.state(), "killed")

    @unittest.skipUnless(strace_works(), "no strace here")
    def test_at_each_call_that_publishes_a_model(self):
        changes = {"campaign.random-arm": "no"}
        reference = self.campaign("reference", changes)
        log = pathlib.Path(self.folder.name) / "trace"
        words = ["strace", "-qq", "-o", str(log), "-e", "trace=rename,unlink"]
        self.assertEqual(reference.run(prefix=words).returncode, 0)
        counts, points = {}, []
        for call in re.findall(r"(\w+\(.*)", log.read_text()):
            name = call.split("(")[0]
            counts[name] = counts.get(name, 0) + 1
            if "/models/" in call:
                points.append((name, counts[name]))
        self.assertIn("rename", [name for name, _ in points])
        for name, number in points[:2]:
            campaign = self.campaign(f"{name}{number}", changes)
            result = campaign.run(prefix=["strace", "-qq", *inject(name, number, "signal=KILL")])
            self.assertIn(result.returncode, (-9, 137), result)
            campaign.succeed(f"killed at {name} {number}")
            check_same(campaign.state(), reference.state(), f"killed at {name} {number}")
            shutil.rmtree(campaign.directory)


class Select(PredictionsTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(1)
        probabilities = random.dirichlet(np.ones(4), 300).astype("f4")
        features = random.normal(size=(300, 3)).astype("f4")
        self.write("whole.h5", features=features, probabilities=probabilities)
        self.write("bare.h5", features=features)
        self.write("said.h5", probabilities=probabilities)
        self.write("other.h5", probabilities=probabilities[::-1])
        self.write("short.h5", probabilities=probabilities[:-1])

    def write(self, name, **datasets):
        with h5py.File(pathlib.Path(self.folder.name) / name, "w") as file:
            for key, values in datasets.items():
                file[key] = values

    def select(self, *words, ranks=0):
        command = [BINARY, "select", "--batch", "9", "--selected", "out.csv", "--json", "out.json", *words]
        if ranks:
            command = ["mpirun", "-n", str(ranks), "--bind-to", "none", *command]
        return subprocess.run(command, cwd=self.folder.name, capture_output=True, text=True, check=False, timeout=60)

    def chosen(self, *words, **how):
        result = self.select(*words, **how)
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads((pathlib.Path(self.folder.name) / "out.json").read_text())
        return report["batch"], (pathlib.Path(self.folder.name) / "out.csv").read_text()

    def test_reads_the_file_in_place_of_the_pool(self):
        whole_id, whole = self.chosen("--pool", "whole.h5")
        said_id, said = self.chosen("--pool", "bare.h5", "--predictions-file", "said.h5")
        self.assertEqual(said, whole)
        other_id, other = self.chosen("--pool", "whole.h5", "--predictions-file", "other.h5")
        self.assertNotEqual(other, whole)
        self.assertEqual(len({whole_id, said_id, other_id}), 3)
        self.assertEqual(self.chosen("--pool", "whole.h5", "--predictions-file", "other.h5", ranks=3),
                         (other_id, other))

    def test_refuses_what_does_not_fit(self):
        for code, part, words in ((65, "short.h5: has 299 rows, the pool has 300", ["short.h5"]),
                                  (65, "bare.h5: has none of the datasets", ["bare.h5"]),
                                  (66, "gone.h5", ["gone.h5"]),
                                  (64, "give one of the two", ["said.h5", "--model", "m.h5"])):
            result = self.select("--pool", "whole.h5", "--predictions-file", *words)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertIn(part, result.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
