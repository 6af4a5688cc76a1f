"""Diversities on the committee's covariance and on last-layer gradients, through the whole program.

What `sluice select` picks is compared with farthest-first in float64 NumPy on vectors made here
from the model file and the pool; every answer must be the same for any ranks, threads and blocks.
"""

import os
import pathlib
import sys
import tempfile
import unittest

import h5py
import numpy as np
from sklearn.datasets import load_diabetes, load_digits

from diversities_test import write_labels
from one_answer_test import run_select, softmax, write_pool

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import program  # noqa: E402
from training import layers_of  # noqa: E402

LABELED = list(range(0, 120, 2))
WAYS = ((1, "1", ()), (2, "2", ()), (3, "1", ("--block-rows", "17")), (7, "1", ()))
TWO_WAYS = (WAYS[0], WAYS[2])


def table(csv):
    """Rows and values of a selected.csv."""
    lines = [line.split(",") for line in csv.decode().splitlines()[1:]]
    return [int(line[1]) for line in lines], np.array([float(line[4]) for line in lines])


def farthest_first(vectors, labeled, count):
    """Rows and distances of an exact traversal, ties to the lower row."""
    nearest = ((vectors[:, None] - vectors[labeled][None])**2).sum(axis=2).min(axis=1)
    rows, distances = [], []
    for _ in range(count):
        rows.append(int(nearest.argmax()))
        distances.append(np.sqrt(nearest.max()))
        nearest = np.minimum(nearest, ((vectors - vectors[rows[-1]])**2).sum(axis=1))
    return rows, np.array(distances)


def forward(path, features):
    """What the last layers read [rows, M, H], and what they say [rows, M, outputs]."""
    with h5py.File(path) as file:
        members = len(file["members"])
        x = features.astype(float)
        if "input/mean" in file:
            x = (x - file["input/mean"][:]) / file["input/scale"][:]
    hidden, said = [], []
    for member in range(members):
        h = x
        layers = layers_of(path, member)
        for weight, bias, _ in layers[:-1]:
            h = np.tanh(h @ weight.T + bias)
        hidden.append(h)
        said.append(h @ layers[-1][0].T + layers[-1][1])
    return np.stack(hidden, axis=1), np.stack(said, axis=1)


class DiversifyOn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.features = load_digits().data[:600].astype("f4")
        rng = np.random.default_rng(8)
        cls.committee = softmax(2 * rng.normal(size=(600, 4, 3))).astype("f4")
        cls.pool, cls.labels = cls.path("pool.h5"), cls.path("labels.h5")
        write_pool(cls.pool, {"features": cls.features})
        with h5py.File(cls.labels, "w") as file:
            file["row"] = np.array(LABELED)
            file["y"] = load_digits().target[LABELED].astype("i4")
        cls.model = cls.train(cls.pool, cls.labels, "model.h5", "--members", "3")

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def train(cls, pool, labels, name, *extra):
        done = program.run(["train", "--pool", pool, "--labels", labels, "--out", cls.path(name),
                            "--hidden", "9", "--activation", "tanh", "--epochs", "40", *extra])
        assert done.returncode == 0, done.stderr
        return cls.path(name)

    def select(self, pool, extra, ways=WAYS, expect=0):
        options = ("--score", "random", "--batch", "25", "--shortlist", "600", *extra)
        answers = {run_select([pool], ranks, (*options, "--threads", threads, *more), expect)
                   for ranks, threads, more in ways}
        self.assertEqual(len(answers), 1)
        return answers.pop()

    def compare(self, csv, vectors, count=25):
        rows, distances = table(csv)
        expected, radii = farthest_first(vectors, LABELED, count)
        np.testing.assert_allclose(distances, radii, rtol=2e-4)
        self.assertEqual(rows, expected)

    def gradients(self):
        hidden, said = forward(self.model, self.features)
        with h5py.File(self.model) as file:
            said = softmax(said / file.attrs.get("temperature", 1.0))
        errors = said - (said == said.max(axis=2, keepdims=True))
        hidden = np.concatenate([hidden, np.ones_like(hidden[:, :, :1])], axis=2)
        outer = hidden[:, :, :, None] * errors[:, :, None, :]
        return outer.reshape(len(outer), -1) / np.sqrt(hidden.shape[1])

    def test_gradients(self):
        csv = self.select(self.pool, ("--model", self.model, "--labels", self.labels,
                                      "--diversify", "k_center", "--diversify-on", "gradients"))
        self.compare(csv, self.gradients())

    def test_a_sketch_stays_close(self):
        options = ("--model", self.model, "--labels", self.labels, "--diversify", "k_center",
                   "--diversify-on", "gradients", "--sketch-dim", "128")
        rows, _ = table(self.select(self.pool, options, TWO_WAYS))
        self.assertEqual(len(set(rows)), 25)
        vectors = self.gradients()
        nearest = ((vectors[:, None] - vectors[LABELED + rows][None])**2).sum(axis=2).min(axis=1)
        _, radii = farthest_first(vectors, LABELED, 26)
        self.assertLess(np.sqrt(nearest.max()), 1.3 * radii[-1])

    def test_covariance_of_a_model(self):
        said = forward(self.model, self.features)[1]
        with h5py.File(self.model) as file:
            said = softmax(said / file.attrs.get("temperature", 1.0))
        deviations = (said - said.mean(axis=1, keepdims=True)) / np.sqrt(said.shape[1])
        csv = self.select(self.pool, ("--model", self.model, "--labels", self.labels,
                                      "--diversify", "k_center", "--diversify-on", "covariance"),
                          TWO_WAYS)
        self.compare(csv, deviations.reshape(len(said), -1))

    def test_covariance_of_a_pool_without_features(self):
        pool, labels = self.path("said.h5"), self.path("rows.h5")
        write_pool(pool, {"committee": self.committee})
        write_labels(labels, LABELED)
        deviations = (self.committee - self.committee.mean(axis=1, keepdims=True)) / 2
        csv = self.select(pool, ("--labels", labels, "--diversify", "k_center",
                                 "--diversify-on", "covariance"))
        self.compare(csv, deviations.reshape(600, -1).astype(float))

    def test_regression(self):
        pool, labels = self.path("diabetes.h5"), self.path("targets.h5")
        features, targets = load_diabetes(return_X_y=True)
        write_pool(pool, {"features": features.astype("f4")})
        with h5py.File(labels, "w") as file:
            file["row"] = np.array(LABELED)
            file["y"] = targets[LABELED][:, None]
        model = self.train(pool, labels, "numbers.h5", "--members", "4")
        hidden, _ = forward(model, features.astype("f4"))
        vectors = np.concatenate([hidden, np.ones_like(hidden[:, :, :1])], axis=2) / 2
        csv = self.select(pool, ("--model", model, "--labels", labels, "--diversify", "k_center",
                                 "--diversify-on", "gradients"), TWO_WAYS)
        self.compare(csv, vectors.reshape(len(vectors), -1))

    def test_rules_that_look_at_features(self):
        rules = ("kmeanspp", "maxdet", "lcmd", "facility_location", "kmeans")
        for rule in rules:
            with self.subTest(rule=rule):
                csv = self.select(self.pool, ("--model", self.model, "--labels", self.labels,
                                              "--diversify", rule, "--diversify-on", "gradients",
                                              "--sketch-dim", "24"), TWO_WAYS)
                rows, _ = table(csv)
                self.assertEqual(len(set(rows)), 25)
                self.assertFalse(set(rows) & set(LABELED))

    def test_refusals(self):
        one = WAYS[:1]
        on = ("--diversify", "lcmd", "--diversify-on")
        single = self.train(self.pool, self.labels, "single.h5", "--members", "1")
        for code, what, words in (
                (64, "give --model FILE", (*on, "gradients")),
                (65, "neither committee", (*on, "covariance")),
                (64, "has one member", ("--model", single, *on, "covariance")),
                (64, "is no shorter", ("--model", self.model, *on, "gradients", "--sketch-dim",
                                       "300")),
                (64, "features are not sketched", ("--sketch-dim", "4")),
                (64, "badge has its own way",
                 ("--model", self.model, "--diversify", "badge", "--diversify-on", "gradients")),
                (64, "looks at no distances",
                 ("--model", self.model, "--diversify", "none", "--diversify-on", "gradients"))):
            with self.subTest(what=what):
                message = self.select(self.pool, words, one, code)
                self.assertIn(what, message)
                self.assertEqual(message.count(program.ERROR), 1, message)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
