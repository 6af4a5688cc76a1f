"""A folder with labels of digits, and `sluice train` run on them."""

import os
import pathlib
import sys
import tempfile
import unittest

import h5py
import numpy as np
from sklearn.datasets import load_digits

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
import program  # noqa: E402

DIGITS = load_digits()


def write(path, **datasets):
    """An HDF5 file of these datasets, in place of one that was there."""
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name] = values


def layers_of(path, member=0):
    """[(weight, bias, activation)] of a net in a model file."""
    with h5py.File(path) as file:
        layers = file[f"members/{member:04}/layers"].values()
        return [(layer["weight"][:].astype(float), layer["bias"][:].astype(float),
                 layer["weight"].attrs["activation"].decode()) for layer in layers]


def words_of(options):
    """{"hidden": "8"} as ["--hidden", "8"]."""
    return [word for name, value in options.items() for word in ("--" + name, str(value))]


class TrainTest(unittest.TestCase):
    """Each test has a folder of its own."""

    QUICK = {"hidden": "12", "epochs": "3", "members": "2", "batch-rows": "32"}

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        """A path in the test's folder."""
        return os.path.join(self.folder, name)

    def content(self, name):
        """All bytes of a file in the test's folder."""
        return pathlib.Path(self.path(name)).read_bytes()

    def digits(self, count=80):
        """Writes a pool of digits, and labels of some of its rows in no order; options for both."""
        write(self.path("pool.h5"), features=DIGITS.data.astype("f4"))
        rows = np.random.default_rng(5).permutation(len(DIGITS.data))[:count]
        write(self.path("labels.h5"), row=rows, y=DIGITS.target[rows].astype("i4"))
        return ["--labels", self.path("labels.h5"), "--pool", self.path("pool.h5")]

    def train(self, words, out="model.h5", options=(), **more):
        """Trains with quick options, `options` in place of them; must succeed."""
        chosen = {**self.QUICK, **dict(options)}
        result = program.run(["train", *words, "--out", self.path(out), *words_of(chosen)], **more)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def refuse(self, code, part, words, **more):
        """Must end with `code` and one line that contains `part`."""
        result = program.run(["train", *words], **more)
        self.assertEqual(result.returncode, code, result.stderr)
        lines = program.error_lines(result)
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertIn(part, lines[0])
        self.assertEqual(result.stdout, "")
