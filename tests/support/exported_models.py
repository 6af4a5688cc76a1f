"""A pool, and what `sluice predict` says of it with models that the export scripts wrote."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import h5py
import numpy

import scripts

BINARY = os.environ["SLUICE_BINARY"]
ROWS, DIM = 96, 8
TOLERANCE = 1e-6


def softmax(logits):
    powers = numpy.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


class ExportCase(unittest.TestCase):
    """Tests in a folder of their own with pool.h5, whose features [ROWS,DIM] are not normalised."""

    @classmethod
    def setUpClass(cls):
        random = numpy.random.default_rng(3)
        center, spread = random.normal(size=DIM), random.uniform(0.3, 3, size=DIM)
        cls.features = (center + spread * random.normal(size=(ROWS, DIM))).astype("f4")
        cls.rows = cls.features.astype("f8")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        with h5py.File("pool.h5", "w") as file:
            file["features"] = self.features

    def predict(self, model="model.h5"):
        """Every dataset that `sluice predict` writes, in float64, and the model is gone."""
        out = pathlib.Path("predictions.h5")
        finished = subprocess.run([BINARY, "predict", "--pool", "pool.h5", "--model", str(model),
                                   "--out", str(out), "--device", "cpu"],
                                  capture_output=True, text=True, timeout=60)
        self.assertEqual(finished.returncode, 0, finished.stderr)
        with h5py.File(out) as file:
            said = {name: dataset[:].astype("f8") for name, dataset in file.items()}
            self.assertTrue(all(file[name].attrs["kind"] == b"logit" for name in said
                                if name in ("probabilities", "committee")))
        out.unlink()
        pathlib.Path(model).unlink()
        return said

    def member_outputs(self):
        """Logits or predictions [N,M,...] of model.h5."""
        said = self.predict()
        (name,) = said
        return said[name][:, None] if name == "probabilities" else said[name]

    def assert_near(self, found, wanted):
        """At most 1e-6 of the largest wanted value, or of 1, apart, everywhere."""
        wanted = numpy.asarray(wanted, "f8")
        self.assertEqual(found.shape, wanted.shape)
        limit = TOLERANCE * max(1.0, numpy.abs(wanted).max())
        worst = numpy.abs(found - wanted).max()
        self.assertTrue(worst <= limit, f"{worst} is more than {limit}")

    def refused(self, script, code, part, *arguments):
        """The script leaves with `code` and one line, and writes nothing."""
        before = sorted(self.folder.iterdir())
        finished = scripts.run_here(script, arguments)
        self.assertEqual(finished.returncode, code, finished.stderr)
        self.assertEqual(len(finished.stderr.splitlines()), 1, finished.stderr)
        self.assertTrue(finished.stderr.startswith("sluice: error: "), finished.stderr)
        self.assertIn(part, finished.stderr)
        self.assertEqual(sorted(self.folder.iterdir()), before)
