"""`sluice train`: one model for any number of ranks and any instruction set, as good as
scikit-learn's linear models, and clear words about labels that cannot be trained on."""

import csv
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

import h5py
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from training import DIGITS, TrainTest, layers_of, program, words_of, write  # noqa: E402


class OneModel(TrainTest):
    def test_same_bytes_for_any_number_of_ranks(self):
        labels = self.digits(150)
        for ranks in (1, 2, 3, 5):
            self.train(labels, f"model{ranks}.h5", {"members": 4, "held-out": 0.2}, ranks=ranks)
        for ranks in (2, 3, 5):
            self.assertEqual(self.content(f"model{ranks}.h5"), self.content("model1.h5"), ranks)

    def test_same_bytes_for_every_instruction_set(self):
        labels = self.digits()
        for name, options in {
                "silu": {"held-out": 0.3},
                "dropout": {"activation": "tanh", "dropout": 0.2, "masks": 3},
                "kernel": {"head": "hinge", "random-features": 40, "hidden": "none"}}.items():
            for level in ("baseline", "avx2", "avx512"):
                self.train(labels, f"{name}-{level}.h5", options,
                           environment={"SLUICE_ISA": level})
                self.assertEqual(self.content(f"{name}-{level}.h5"),
                                 self.content(f"{name}-baseline.h5"), (name, level))

    def test_the_order_and_the_files_of_labels_do_not_matter(self):
        labels = self.digits()
        self.train([*labels, "--json", self.path("whole.json")])
        with h5py.File(self.path("labels.h5")) as file:
            rows, y = file["row"][:], file["y"][:]
        os.mkdir(self.path("generations"))
        parts = {"labels.g0001.h5": slice(40, None), "labels.g0002.h5": slice(None, 40)}
        for name, part in parts.items():
            write(os.path.join(self.path("generations"), name), row=rows[part], y=y[part],
                  features=DIGITS.data[rows[part]])
        # A row that was labeled before keeps its first label; -1 is none.
        write(os.path.join(self.path("generations"), "labels.g0003.h5"), row=[rows[0], 1796],
              y=np.array([(y[0] + 1) % 10, -1], "i4"), features=DIGITS.data[[rows[0], 1796]])
        self.train(["--labels", self.path("generations"), "--json", self.path("parts.json")])
        hashes = [json.loads(self.content(name))["model_hash"]
                  for name in ("whole.json", "parts.json")]
        self.assertEqual(hashes[0], hashes[1])


class RepeatedLabels(TrainTest):
    def warning(self, ranks, *labels):
        words = [word for name in labels for word in ("--labels", self.path(name))]
        result = self.train([*words, "--pool", self.path("pool.h5")], ranks=ranks)
        return [line for line in result.stderr.splitlines() if "warning" in line]

    def test_a_second_label_of_a_row_is_told_of(self):
        self.digits()
        with h5py.File(self.path("labels.h5")) as file:
            rows, y = file["row"][:], file["y"][:]
        write(self.path("more.h5"), row=rows[[4, 9, 2]], y=np.array([y[4], (y[9] + 1) % 10, y[2]]))
        for ranks in (1, 2):
            self.assertEqual(self.warning(ranks, "labels.h5"), [])
            said = self.warning(ranks, "labels.h5", "more.h5")
            self.assertEqual(len(said), 1)
            self.assertIn(f"1 label (first row {rows[9]} in {self.path('more.h5')}) that says something "
                          f"else and 2 labels (first row {rows[4]} in", said[0])
        both = self.content("model.h5")
        self.assertEqual(self.warning(1, "labels.h5", "labels.h5")[0].count("80 labels"), 1)
        self.train(["--labels", self.path("labels.h5"), "--pool", self.path("pool.h5")], "one.h5")
        # The first label counts, whatever else is there: only the model's own words differ.
        with h5py.File(self.path("one.h5")) as one:
            self.assertEqual(one["members/0001/layers/00/weight"][:].tobytes() in both, True)


class Report(TrainTest):
    def test_says_what_was_trained(self):
        result = self.train([*self.digits(200), "--json", self.path("report.json"), "--curve",
                             self.path("curve.csv")],
                            options={"epochs": 40, "held-out": 0.2, "learning-rate": 0.01})
        self.assertIn("trained 2 nets on 200 labels: softmax, 10 classes, 64 features",
                      result.stdout)
        self.assertRegex(result.stdout, r"held out     40 labels: accuracy \d+\.\d%, loss")
        self.assertRegex(result.stdout, r"calibration  temperature \S+, error \S+ before")
        report = json.loads(self.content("report.json"))
        self.assertEqual((report["labels"], report["held_out"]), (200, 40))
        self.assertGreater(report["accuracy"], 0.8)
        self.assertEqual(report["provenance"]["head"], "softmax")
        with open(self.path("curve.csv"), encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        for member, net in enumerate(report["nets"]):
            own = [line for line in lines if line["member"] == str(member)]
            self.assertEqual(len(own), net["epochs"])
            losses = [float(line["validation_loss"]) for line in own]
            self.assertEqual([line["kept"] for line in own].index("1"), int(np.argmin(losses)))

    def test_numbers_are_told_in_their_units(self):
        x = np.random.default_rng(1).random((120, 3)).astype("f4")
        write(self.path("labels.h5"), row=range(120), features=x, y=x @ [[1.0], [2.0], [3.0]])
        with h5py.File(self.path("labels.h5"), "a") as file:
            file["y"].attrs["names"] = ["energy"]
            file["y"].attrs["units"] = ["Eh"]
        result = self.train(["--labels", self.path("labels.h5")], options={"held-out": 0.2})
        self.assertIn("squares, 1 target, 3 features", result.stdout)
        self.assertRegex(result.stdout, r"24 labels: root mean square error \S+ of energy Eh")
        with h5py.File(self.path("model.h5")) as file:
            self.assertEqual(file["target/names"][0], b"energy")

    def test_help_lists_heads_and_activations(self):
        text = program.run(["help", "train"]).stdout
        for word in ("softmax", "hinge", "squares", "gaussian", "silu", "k_fold", "--train-command"):
            self.assertIn(word, text)


class AgainstScikitLearn(TrainTest):
    DECAY = 0.01

    def linear(self, x, y, head):
        """Weights and biases on standardised features of the head alone."""
        write(self.path("labels.h5"), row=range(len(x)), features=x.astype("f4"), y=y.astype("i4"))
        self.train(["--labels", self.path("labels.h5")],
                   options={"head": head, "hidden": "none", "members": 1, "held-out": 0,
                            "epochs": 3000, "batch-rows": 500, "learning-rate": 0.01,
                            "weight-decay": self.DECAY})
        return layers_of(self.path("model.h5"))[0]

    def test_softmax_is_logistic_regression(self):
        x, y = load_iris(return_X_y=True)
        weight, bias, _ = self.linear(x, y, "softmax")
        scaled = StandardScaler().fit_transform(x)
        peer = LogisticRegression(C=1 / (len(x) * self.DECAY), tol=1e-8, max_iter=5000)
        wanted = peer.fit(scaled, y).predict_proba(scaled)
        powers = np.exp(scaled @ weight.T + bias)
        difference = np.abs(powers / powers.sum(axis=1, keepdims=True) - wanted).max()
        self.assertLess(difference, 0.01)

    def test_hinge_is_a_linear_support_vector_machine(self):
        x, y = load_iris(return_X_y=True)
        for classes, first in ((3, 0), (2, 1)):  # all, and the two that overlap
            chosen = y >= first
            truth = y[chosen] - first
            weight, bias, _ = self.linear(x[chosen], truth, "hinge")
            own = StandardScaler().fit_transform(x[chosen])
            # An intercept that is hardly penalised, as ours is not.
            peer = LinearSVC(C=1 / (len(own) * self.DECAY), intercept_scaling=100, tol=1e-8,
                             dual=False, max_iter=100_000)
            wanted = peer.fit(own, truth).decision_function(own)
            decisions = own @ weight.T + bias
            if classes == 2:
                decisions = decisions[:, 1] - decisions[:, 0]
            self.assertLess(np.abs(decisions - wanted).max(), 0.03, classes)


class Stopped(TrainTest):
    def test_leaves_with_75_and_nothing_written(self):
        labels = self.digits(1500)
        for ranks in (0, 2):
            command = [program.BINARY, "train", *labels, "--out", self.path("model.h5"), *words_of(
                {"epochs": 100_000, "patience": 0, "hidden": "64,64"})]
            if ranks:
                command = ["mpirun", "-n", str(ranks), "--bind-to", "none", *command]
            process = subprocess.Popen(command, env=program.ENVIRONMENT, stderr=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
            time.sleep(1.0)
            process.send_signal(signal.SIGTERM if not ranks else signal.SIGUSR1)
            _, errors = process.communicate(timeout=30)
            self.assertEqual(process.returncode, 75, errors)
            self.assertIn("stopped by a signal while training", errors)
            self.assertEqual(sorted(os.listdir(self.folder)), ["labels.h5", "pool.h5"])


class BadLabels(TrainTest):
    def labels(self, **datasets):
        """A labels file, 12 rows of 2 features unless told otherwise."""
        count = len(datasets.get("row", range(12)))
        given = {"row": np.arange(count), "features": np.eye(count, 2, dtype="f4"),
                 "y": np.arange(count, dtype="i4") % 2, **datasets}
        write(self.path("labels.h5"), **{name: v for name, v in given.items() if v is not None})
        return ["--labels", self.path("labels.h5"), "--out", self.path("model.h5"), "--members",
                "2", "--epochs", "2"]

    def test_are_told_with_file_dataset_and_value(self):
        y = np.arange(12, dtype="i4") % 2
        wrong_class = np.where(np.arange(12) == 7, 5, y).astype("i4")
        numbers = y[:, None].astype("f8") * [1.0, 2.0]
        half_missing = numbers.copy()
        half_missing[4, 1] = np.nan
        holes = np.eye(12, 2, dtype="f4")
        holes[3, 1] = np.inf
        for part, datasets in [
                ("one class (1)", {"y": np.ones(12, "i4")}),
                ("has no labels (0)", {"y": -np.ones(12, "i4")}),
                ("class -3 is not from 0", {"y": y - 3}),
                ("labels.h5: /features[3]: feature 1 is inf", {"features": holes}),
                ("labels.h5: /y[4]: target 1 is nan", {"y": half_missing}),
                ("fewer labels than the members need (1 of 2)", {"row": [4], "y": [0.5]}),
                ("/row[2]: is negative (-1)", {"row": np.array([5, 6, -1, 7])}),
                ("has no dataset features; give the pool", {"features": None}),
                ("2 integers a label", {"y": np.zeros((12, 2), "i4")}),
                ("is text; store classes as integers", {"y": np.array([b"cat"] * 12)})]:
            self.refuse(65, part, self.labels(**datasets))
        self.refuse(65, "/y[7]: class 5 is not from 0 to 1; give --classes",
                    [*self.labels(y=wrong_class), "--classes", "2"])

    def test_pool_and_labels_must_belong_together(self):
        self.digits(20)
        words = self.labels(row=np.array([3, 9999]), features=None)
        self.refuse(65, "row 9999 is not in the pool, which has 1797 rows",
                    [*words, "--pool", self.path("pool.h5")])

    def test_paths_and_options(self):
        words = self.labels()
        self.refuse(66, "nothere", ["--labels", self.path("nothere"), "--out", self.path("m.h5")])
        os.mkdir(self.path("empty"))
        self.refuse(66, "holds no labels.g*.h5",
                    ["--labels", self.path("empty"), "--out", self.path("m.h5")])
        self.refuse(73, "m.h5: cannot create",
                    ["--labels", self.path("labels.h5"), "--out", self.path("no/m.h5")])
        self.refuse(64, "--out: missing", words[:2])
        for code, part, more in [
                (64, "--head squares: is for regression", ["--head", "squares"]),
                (64, "--hidden: not units of layers (8,x)", ["--hidden", "8,x"]),
                (64, "--dropout: not from 0 to below 1 (1.5)", ["--dropout", "1.5"]),
                (64, "did you mean softmax", ["--head", "sofmax"]),
                (64, "did you mean --members", ["--member", "4"]),
                (64, "--train-limit: is for --train-command only", ["--train-limit", "4"])]:
            self.refuse(code, part, [*words[:4], *more])
        self.assertFalse(os.path.exists(self.path("model.h5")))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
