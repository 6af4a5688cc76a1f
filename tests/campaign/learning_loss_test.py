"""`sluice train --loss-folds` and the score learning_loss: the head ranks rows by the loss of their labels, one
model file and one batch for any number of ranks, and what is missing is named."""

import csv
import pathlib
import subprocess
import sys
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from training import TrainTest, program, write  # noqa: E402

ROWS, LABELS = 900, 500


def ranks_of(values):
    return np.argsort(np.argsort(values))


def silu(x):
    return x / (1 + np.exp(-x))


def head_outputs(path, features):
    """[rows, nets] of the loss head in a model file, in float64."""
    with h5py.File(path) as file:
        head = file["loss_head"]
        x = (features - head["input/mean"][:].astype(float)) / head["input/scale"][:].astype(float)
        said = []
        for member in head["members"].values():
            values = x
            for layer in member["layers"].values():
                values = values @ layer["weight"][:].astype(float).T + layer["bias"][:]
                if layer["weight"].attrs["activation"] == b"silu":
                    values = silu(values)
            said.append(values[:, 0])
        return np.stack(said, 1) * head["target/scale"][:].astype(float) + head["target/mean"][:].astype(float)


class LearningLoss(TrainTest):
    """Targets whose noise grows with the first feature."""

    QUICK = {"hidden": "16", "epochs": "60", "members": "2", "learning-rate": "0.01"}

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(7)
        self.features = random.uniform(-1, 1, (ROWS, 3)).astype("f4")
        self.noise = 0.02 + 0.6 * (1 + self.features[:, 0])
        self.y = self.features[:, 1] + self.noise * random.normal(size=ROWS)
        self.write_pool()
        write(self.path("labels.h5"), row=np.arange(LABELS), y=self.y[:LABELS].astype("f4"))
        self.words = ["--labels", self.path("labels.h5"), "--pool", self.path("pool.h5")]

    def write_pool(self, **more):
        with h5py.File(self.path("pool.h5"), "w") as file:
            file.attrs["format"] = "sluice-pool"
            file.attrs["format_version"] = 1
            file["features"] = self.features
            file["columns/length"] = 1 + np.arange(ROWS, dtype="f4") % 5
            for name, values in more.items():
                file[name] = values

    def select(self, *words, ranks=1, expect=0, batch=40):
        result = program.run(["select", "--pool", self.path("pool.h5"), "--selected", self.path("s.csv"), "--batch",
                              str(batch), "--diversify", "none", *words], ranks=ranks)
        self.assertEqual(result.returncode, expect, result.stderr)
        if expect:
            lines = program.error_lines(result)
            self.assertEqual(len(lines), 1, result.stderr)
            return lines[0]
        with open(self.path("s.csv"), encoding="utf-8", newline="") as file:
            return [(int(line["row"]), float(line["score"])) for line in csv.DictReader(file)]

    def test_ranks_rows_by_the_noise_of_their_labels(self):
        result = self.train(self.words, options={"loss-folds": 5})
        self.assertIn("loss head    2 nets on the losses of 5 folds", result.stdout)
        scored = self.select("--model", self.path("model.h5"), "--score", "learning_loss", batch=ROWS)
        rows, scores = np.array([row for row, _ in scored]), np.array([score for _, score in scored])
        expected = np.exp(head_outputs(self.path("model.h5"), self.features.astype(float)).mean(1))
        np.testing.assert_allclose(scores, expected[rows], rtol=2e-5)
        new = rows >= LABELS
        self.assertGreater(np.corrcoef(ranks_of(scores[new]), ranks_of(self.noise[rows[new]]))[0, 1], 0.8)
        # The squares that came, which are one draw each.
        loss = (self.y - self.features[:, 1])**2
        self.assertGreater(np.corrcoef(ranks_of(scores[new]), ranks_of(loss[rows[new]]))[0, 1], 0.35)

    def test_one_model_and_one_batch(self):
        for ranks in (1, 2, 3):
            self.train(self.words, f"model{ranks}.h5", {"loss-folds": 3, "epochs": 8}, ranks=ranks)
            self.assertEqual(self.content(f"model{ranks}.h5"), self.content("model1.h5"), ranks)
        score = "learning_loss*column:length^-1"
        batches = [self.select("--model", self.path("model1.h5"), "--score", score, ranks=ranks)
                   for ranks in (1, 2, 3)]
        self.assertEqual(batches[0], batches[1])
        self.assertEqual(batches[0], batches[2])
        losses = np.exp(head_outputs(self.path("model1.h5"), self.features.astype(float)).mean(1))
        order = np.argsort(-losses / (1 + np.arange(ROWS) % 5))
        self.assertEqual([row for row, _ in batches[0][:10]], order[:10].tolist())

    def test_the_committee_is_what_it_was(self):
        self.train(self.words, "with.h5", {"loss-folds": 3, "epochs": 8})
        self.train(self.words, "without.h5", {"epochs": 8})
        with h5py.File(self.path("with.h5")) as one, h5py.File(self.path("without.h5")) as other:
            for name in ("input/mean", "members/0001/layers/00/weight"):
                np.testing.assert_array_equal(one[name][:], other[name][:])

    def test_a_committee_of_folds_is_trained_once(self):
        folds = {"resample": "k_fold", "members": 4, "epochs": 8, "loss-folds": 4}
        self.train(self.words, options=folds)
        self.assertEqual(len(self.select("--model", self.path("model.h5"), "--score", "learning_loss")), 40)

    def test_classes(self):
        for head in ("softmax", "hinge"):
            with self.subTest(head=head):
                random = np.random.default_rng(3)
                chance = np.clip(0.5 * (1 + self.features[:, 0]) / 2, 0.01, 0.5)  # of a wrong class
                y = ((self.features[:, 1] > 0) ^ (random.random(ROWS) < chance)).astype("i4")
                write(self.path("labels.h5"), row=np.arange(LABELS), y=y[:LABELS])
                self.train(self.words, options={"loss-folds": 5, "head": head, "epochs": 40})
                scored = self.select("--model", self.path("model.h5"), "--score", "learning_loss", batch=ROWS)
                rows = np.array([row for row, _ in scored])
                scores = np.array([score for _, score in scored])
                self.assertGreater(np.corrcoef(ranks_of(scores), ranks_of(chance[rows]))[0, 1], 0.5)

    def test_what_is_missing_is_named(self):
        self.train(self.words, options={"epochs": 2})
        self.assertIn("--score learning_loss: reads a model", self.select("--score", "learning_loss", expect=64))
        self.assertIn("model.h5: has no loss head", self.select(
            "--model", self.path("model.h5"), "--score", "emcm*learning_loss", expect=64))
        self.refuse(65, "fewer labels than --loss-folds needs (500 of 800)", [*self.words, "--out", self.path("m.h5"), "--loss-folds",
                                                            "400"])
        self.refuse(64, "--loss-folds", [*self.words, "--out", self.path("m.h5"), "--loss-folds", "1"])
        self.train(self.words, options={"epochs": 2, "loss-folds": 2})
        with h5py.File(self.path("model.h5"), "r+") as file:
            del file["loss_head/members/0001/layers/01/bias"]
        self.assertIn("loss_head/members/0001/layers/01/bias", self.select(
            "--model", self.path("model.h5"), "--score", "learning_loss", expect=65))


if __name__ == "__main__":
    unittest.main()
