"""`sluice simulate` as a whole: the same files on any number of ranks, numbers that SciPy agrees
with, a random arm that nobody asked for, oracles with noise, refusals and costs, refused input."""

import csv
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

import h5py
import numpy as np
from scipy import stats

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
import program

QUICK = {"--hidden": "none", "--members": "1", "--epochs": "30", "--learning-rate": "0.05",
         "--held-out": "0", "--patience": "0", "--seeds": "5", "--start": "10", "--batch": "5",
         "--rounds": "4", "--out": "out"}
VERDICTS = {"better", "worse", "no difference seen"}


def quickly(*more):
    """A command line of a small and quick study, with `more` options in place of its own."""
    usual = [word for option in QUICK.items() if option[0] not in more for word in option]
    return ["simulate", *usual, *more]


def clouds(rows=240, classes=3, seed=1):
    """Features and classes of clouds that touch."""
    random = np.random.default_rng(seed)
    y = random.integers(0, classes, rows)
    centres = np.array([[np.cos(2.1 * c), np.sin(2.1 * c)] for c in range(classes)])
    return (centres[y] + random.normal(scale=0.6, size=(rows, 2))).astype("f4"), y.astype("i4")


class Simulate(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        features, y = clouds()
        self.write("pool.h5", features=features, cost=np.linspace(1.0, 3.0, len(y)))
        self.write("labels.h5", row=np.arange(len(y)), y=y)

    def write(self, name, **datasets):
        with h5py.File(self.root / name, "w") as file:
            for dataset, values in datasets.items():
                file[dataset] = values

    def simulate(self, *more, ranks=0, data="made=pool.h5:labels.h5"):
        return program.run(quickly("--data", data, *more), ranks=ranks, cwd=self.root)

    def succeed(self, *more, **options):
        result = self.simulate(*more, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def table(self, name):
        with open(self.root / "out" / name, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def refuse(self, code, part, *more, **options):
        result = self.simulate(*more, **options)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(len(program.error_lines(result)), 1, result.stderr)
        self.assertIn(part, program.error_lines(result)[0])

    def test_items_and_conditions(self):
        features, y = clouds()
        self.write("pool.h5", features=features, cost=np.linspace(1.0, 3.0, len(y)), groups=np.arange(len(y)) // 5,
                   **{"columns/good": (np.arange(len(y)) % 4 > 0).astype("f4")})
        arms = ["--strategy", "items=margin/k_center/4/groups=mean", "--strategy", "chance=random/none/1/groups=max",
                "--strategy", "cheap=margin/none/1/where=cost < 2, column:good == 1", "--strategy",
                "learning_loss/k_center/4", "--costs"]
        for ranks in (0, 2, 3):
            self.succeed(*arms, "--batch", "7", ranks=ranks)
            files = program.files_below(self.root / "out")
            expected = files if ranks == 0 else expected
            self.assertEqual(files, expected, ranks)
        curves = self.table("curves.csv")
        for name in ("items", "chance"):  # one item of 5 rows fits into 7
            labels = [int(line["labels"]) for line in curves if (line["strategy"], line["seed"]) == (name, "0")]
            self.assertEqual(labels, [10, 15, 20, 25, 30])
        cheap = [line for line in curves if line["strategy"] == "cheap"]
        for before, after in zip(cheap, cheap[1:]):
            if after["round"] != "0":
                self.assertEqual(int(after["labels"]) - int(before["labels"]), 7)
                self.assertLess(float(after["cost"]) - float(before["cost"]), 7 * 2.0)
        self.refuse(64, "groups= and per_cost", "--strategy", "a=margin/none/1/groups=max/per_cost")
        self.refuse(64, "unknown rule", "--strategy", "a=margin/none/1/groups=most")
        self.refuse(64, "--where", "--strategy", "a=margin/none/1/where=cost")
        self.refuse(65, "absent", "--strategy", "a=margin/none/1/where=column:absent > 1")
        self.write("pool.h5", features=features)
        self.refuse(65, "groups", "--strategy", "a=margin/none/1/groups=max")

    def test_the_same_files_on_any_number_of_ranks(self):
        arms = ["--strategy", "two_stage=margin/k_center/4", "--strategy", "entropy",
                "--strategy", "on_gradients=random/lcmd/all/on=gradients/sketch=8",
                "--all-labels", "--refuse", "0.2", "--noise", "0.1"]
        expected = None
        for ranks in (0, 1, 2, 3, 7):
            stdout = self.succeed(*arms, ranks=ranks)
            found = program.files_below(self.root / "out"), stdout
            expected = expected or found
            self.assertEqual(found, expected, f"{ranks} ranks")
        self.assertEqual(set(expected[0]), {
            "curves.csv", "summary.csv", "summary.json", "made.accuracy.svg",
            "made.balanced_accuracy.svg", "made.log_loss.svg"})

    def test_scipy_finds_the_same_numbers_in_the_curves(self):
        self.succeed("--strategy", "two_stage=margin/k_center/4", "--strategy", "entropy")
        curves = self.table("curves.csv")
        areas, curve = {}, {}
        for arm in ("random", "two_stage", "entropy"):
            points = np.array([[float(line["labels"]), float(line["accuracy"])] for line in curves
                               if line["strategy"] == arm]).reshape(5, 5, 2)
            areas[arm] = np.array([np.trapz(run[:, 1], run[:, 0]) for run in points]) / 20.0
            curve[arm] = points.mean(axis=0)
        target = curve["random"][-1, 1]
        lines = {line["strategy"]: line for line in self.table("summary.csv")
                 if line["measure"] == "accuracy"}
        for arm, line in lines.items():
            number = {key: float(value) for key, value in line.items()
                      if key not in ("data", "measure", "strategy", "verdict") and value}
            self.assertAlmostEqual(number["area"], areas[arm].mean(), 12)
            half = stats.t.ppf(0.975, 4) * areas[arm].std(ddof=1) / np.sqrt(5)
            self.assertAlmostEqual(number["area_half_width"], half, 12)
            reached = [labels for labels, value in curve[arm] if value >= target - 1e-12]
            self.assertEqual(number.get("labels_to_target"), reached[0] if reached else None)
            if arm == "random":
                self.assertNotIn("p", number)
                continue
            test = stats.ttest_rel(areas[arm], areas["random"])
            self.assertAlmostEqual(number["p"], test.pvalue, 12)
            self.assertGreaterEqual(number["p_holm"], number["p"])
            low, high = test.confidence_interval()
            self.assertAlmostEqual(number["difference_low"], low, 12)
            self.assertAlmostEqual(number["difference_high"], high, 12)
            self.assertIn(line["verdict"], VERDICTS)
            self.assertEqual(line["verdict"] == "no difference seen", number["p_holm"] >= 0.05)

    def test_the_random_arm_is_always_there_with_the_same_seeds(self):
        self.succeed("--strategy", "margin", "--seed", "7")
        starts = {}
        for line in self.table("curves.csv"):
            if line["round"] == "0":
                starts.setdefault(line["strategy"], []).append((line["seed"], line["accuracy"]))
        self.assertEqual(set(starts), {"random", "margin"})
        self.assertEqual(starts["random"], starts["margin"])
        self.assertEqual([seed for seed, _ in starts["random"]], ["7", "8", "9", "10", "11"])
        self.refuse(64, "arm 'random' of its own", "--strategy", "random=margin")

    def test_several_data_sets_and_numbers(self):
        features, _ = clouds()
        self.write("wave.h5", features=features, row=np.arange(240),
                   y=np.sin(features[:, :1]).astype("f8"))
        self.write("wide.h5", features=features, row=np.arange(240), y=features[:, 1:] * 2.0)
        stdout = self.succeed("--data", "wide=wide.h5", "--head", "squares", "--hidden", "8",
                              "--members", "3", data="wave=wave.h5", ranks=2)
        self.assertIn("wave: 240 labeled rows of 2 features, 1 number;", stdout)
        self.assertIn("mean rmse", stdout)
        self.assertEqual({line["data"] for line in self.table("curves.csv")}, {"wave", "wide"})
        report = json.loads((self.root / "out/summary.json").read_text(encoding="utf-8"))
        self.assertEqual([data["task"] for data in report["data"]], ["regression"] * 2)
        self.assertEqual([measure["better"] for measure in report["data"][0]["measures"]],
                         ["lower"] * 3)

    def test_oracles_that_refuse_and_cost(self):
        stdout = self.succeed("--refuse", "0.3", "--costs", "--strategy", "cheap=margin/none/1/per_cost")
        last = [line for line in self.table("curves.csv") if line["round"] == "4"]
        self.assertEqual({line["labels"] for line in last}, {"30"})
        self.assertTrue(all(int(line["asked"]) > 30 for line in last))
        self.assertTrue(all(30.0 < float(line["cost"]) < 90.0 for line in last))
        self.assertIn("cost to it:", stdout)
        spent = {arm: sum(float(line["cost"]) for line in last if line["strategy"] == arm)
                 for arm in ("random", "cheap")}
        self.assertLess(spent["cheap"], spent["random"])
        self.assertTrue((self.root / "out/made.accuracy.cost.svg").exists())

    def test_pseudo_labels_are_told_with_how_many_are_wrong(self):
        arms = ["--strategy", "plain=entropy", "--strategy", "ceal=entropy/none/1/pseudo",
                "--pseudo-delta", "0.5", "--pseudo-decay", "0.1", "--pseudo-most", "12"]
        expected = None
        for ranks in (0, 2, 3):
            stdout = self.succeed(*arms, ranks=ranks)
            found = program.files_below(self.root / "out"), stdout
            expected = expected or found
            self.assertEqual(found, expected, f"{ranks} ranks")
        total = {}
        for line in self.table("curves.csv"):
            pseudo, wrong = int(line["pseudo"]), int(line["pseudo_wrong"])
            self.assertTrue(0 <= wrong <= pseudo <= 12, line)
            if line["round"] == "0" or line["strategy"] != "ceal":
                self.assertEqual(pseudo, 0, line)
            count = total.setdefault(line["strategy"], [0, 0])
            count[0] += pseudo
            count[1] += wrong
        self.assertGreater(total["ceal"][0], 50)
        self.assertRegex(stdout, rf"pseudo-labels of ceal: {total['ceal'][0]} in \d+ trainings, "
                                 f"{100 * total['ceal'][1] / total['ceal'][0]:.2f} % of them wrong")
        report = json.loads((self.root / "out/summary.json").read_text())
        self.assertEqual(report["data"][0]["pseudo"], [{"strategy": "ceal", "labels": total["ceal"][0],
                                                        "wrong": total["ceal"][1]}])
        self.refuse(64, "no arm has the word pseudo", "--pseudo-delta", "0.5")
        self.refuse(64, "--pseudo-delta: missing", "--strategy", "a=entropy/none/1/pseudo")
        self.refuse(64, "which only --head softmax gives", *arms, "--head", "hinge")

    def test_plots_are_svg_with_every_arm(self):
        self.succeed("--strategy", "margin")
        tree = xml.etree.ElementTree.parse(self.root / "out/made.accuracy.svg")
        texts = {element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")}
        self.assertTrue({"made", "labels", "accuracy", "margin", "random"} <= texts, texts)

    def test_what_cannot_be_is_refused(self):
        self.refuse(64, "did you mean margin", "--strategy", "margni/k_center")
        self.refuse(64, "[NAME=]SCORE", "--strategy", "margin/k_center/10/distinct/more")
        self.refuse(64, "below 0", "--strategy", "boundary/none/1/per_cost")
        self.refuse(64, "two arms are called a", "--strategy", "a=margin", "--strategy", "a=entropy")
        self.refuse(64, "choose features, covariance, gradients or all_gradients", "--strategy",
                    "random/lcmd/all/on=grads")
        self.refuse(64, "a sketch of 1.5", "--strategy", "random/lcmd/all/on=gradients/sketch=1.5")
        self.refuse(64, "features are not sketched", "--strategy", "random/lcmd/all/sketch=4")
        self.refuse(64, "has one member", "--strategy", "random/lcmd/all/on=covariance")
        self.refuse(64, "is no shorter", "--strategy", "random/lcmd/all/on=gradients/sketch=9")
        self.refuse(64, "shortlist of 0.5", "--strategy", "margin/k_center/0.5")
        self.refuse(64, "measure", "--measure", "rmse")
        self.refuse(64, "not below 1", "--noise", "1.5")
        self.refuse(64, "240 labeled rows cannot be cut", "--start", "200")
        self.refuse(64, "--memory: made needs", "--memory", "1e-9")
        self.write("both.h5", row=np.arange(240), features=clouds()[0], y=clouds()[1])
        self.refuse(64, "--memory: made needs", "--memory", "1e-9", data="made=both.h5")
        self.refuse(66, "none.h5", data="made=pool.h5:none.h5")
        self.refuse(64, "NAME=[POOL:]LABELS", data="pool.h5")
        self.refuse(64, "committee", "--strategy", "committee_std")
        self.write("bad.h5", features=clouds()[0], cost=np.zeros(240))
        self.refuse(65, "bad.h5: /cost[0]: a label cannot cost 0", "--costs",
                    data="made=bad.h5:labels.h5")
        self.write("one.h5", row=np.arange(240), y=np.zeros(240, "i4"))
        self.refuse(65, "one class", data="made=pool.h5:one.h5")
        self.refuse(64, "choose softmax or hinge", "--head", "squares")

    def test_a_signal_ends_it_with_nothing_written(self):
        words = [program.BINARY,
                 *quickly("--data", "made=pool.h5:labels.h5", "--seeds", "100000")]
        with subprocess.Popen(words, cwd=self.root, env=program.ENVIRONMENT, text=True,
                              stderr=subprocess.PIPE) as process:
            time.sleep(1.0)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 75, errors)
        self.assertIn("nothing was written", errors)
        self.assertEqual(os.listdir(self.root / "out"), [])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
