#!/usr/bin/env python3
"""`sluice pool make` of kinds with inputs: the points are SciPy's Sobol', the columns are named, and
what help says holds."""

import os
import subprocess
import tempfile
import unittest
import warnings

import h5py
import numpy
from scipy.stats import qmc

BINARY = os.environ["SLUICE_BINARY"]
ROWS = 1024


def run(*words):
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)


def plain_points(dims):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return qmc.Sobol(dims, scramble=False).random(ROWS)


def without_shift(shares):
    """Digital shifts are undone by row 0, whose own plain point is 0."""
    digits = numpy.floor(shares * ROWS).astype(int)
    return (digits ^ digits[0]) / ROWS


class MadeInputs(unittest.TestCase):
    def make(self, kind, *words):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "pool.h5")
        made = run("pool", "make", kind, "--rows", ROWS, "--out", path, "--seed", 9, *words)
        self.assertEqual(made.returncode, 0, made.stderr)
        file = h5py.File(path)
        self.addCleanup(file.close)
        return file

    def test_dimers_lie_on_sobol_points(self):
        parameters = self.make("water-dimer")["inputs"][:, :4]
        shares = (parameters - [1.5, -180, -180, -180]) / [4.5, 360, 360, 360]
        numpy.testing.assert_array_equal(without_shift(shares), plain_points(4))

    def test_amplifiers_lie_on_sobol_points(self):
        shares = (self.make("amplifier")["features"][:].astype("f8") + 1) / 2
        numpy.testing.assert_array_equal(without_shift(shares), plain_points(5))

    def test_clusters_lie_on_sobol_points(self):
        points = plain_points(22)
        inputs = self.make("lj-cluster")["inputs"][:].reshape(ROWS, 7, 3)
        # Atoms 6 and 7 lie on the axis whatever the scale, so their x and y are what they moved.
        moved = inputs[:, 5:, :2].reshape(ROWS, 4) / 1.4 + 0.5
        numpy.testing.assert_array_equal(without_shift(moved), points[:, [16, 17, 19, 20]])

    def columns(self, kind):
        attributes = self.make(kind)["inputs"].attrs
        return [[text.decode() for text in attributes[key]] for key in ("names", "units")]

    def test_columns_have_names_and_units(self):
        names, units = self.columns("water-dimer")
        self.assertEqual(names[:6], ["R", "a", "b", "t", "O1_x", "O1_y"])
        self.assertEqual((names[-1], units[-1], units[1]), ("H4_z", "angstrom", "degree"))
        self.assertEqual(self.columns("amplifier"),
                         [["w", "l", "rd", "vgg", "cl"], ["m", "m", "ohm", "V", "F"]])
        names, units = self.columns("lj-cluster")
        self.assertEqual(names[:4], ["x1", "y1", "z1", "x2"])
        self.assertEqual(set(units), {"angstrom"})

    def test_pools_are_in_order_and_can_be_selected_from_at_once(self):
        for kind in ("water-dimer", "lj-cluster", "amplifier"):
            path = self.make(kind).filename
            checked = run("check", path)
            self.assertEqual(checked.returncode, 0, checked.stderr)
            chosen = run("select", "--pool", path, "--queue", path + ".queue", "--batch", 8,
                         "--score", "random")
            self.assertEqual(chosen.returncode, 0, chosen.stderr)

    def test_another_width_is_refused_in_one_line(self):
        refused = run("pool", "make", "water-dimer", "--rows", 5, "--dim", 8, "--out", "never.h5")
        self.assertEqual(refused.returncode, 64)
        self.assertEqual(len(refused.stderr.splitlines()), 1, refused.stderr)
        self.assertIn("9 features", refused.stderr)
        self.make("water-dimer", "--dim", 9)


if __name__ == "__main__":
    unittest.main()
