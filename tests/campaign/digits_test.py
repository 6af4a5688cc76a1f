"""The published farthest-first sequence on scikit-learn's digits, through the whole command.

Rows 0 to 9 are labeled, the other 1,787 are candidates; k-center with labeled rows as centres
(MaxDist in TP mode) picks the sequence below, as pool positions after the labeled ten. All
distances are integers, so the sequence is exact in any arithmetic.
Source: bmdal_reg's MaxDist selection, confirmed by an independent float64 implementation.
"""

import math
import os
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np
from sklearn.datasets import load_digits

BINARY = os.environ["SLUICE_BINARY"]
POSITIONS = [1267, 1562, 1409, 208, 1561, 1094, 1023, 1617, 590, 1278,
             1732, 1457, 798, 975, 51, 1675, 972, 623, 1262, 1153]
SQUARED_RADII = [2720, 2570, 2464, 2239, 2232, 2207, 2166, 2127, 2063, 2020,
                 1987, 1958, 1867, 1864, 1842, 1807, 1789, 1786, 1770, 1745]
NEXT_SQUARED_RADIUS = 1697
FIRST_CANDIDATE = 10


class Digits(unittest.TestCase):
    def test_published_sequence_on_every_number_of_ranks(self):
        with tempfile.TemporaryDirectory() as folder:
            pool, labels = os.path.join(folder, "digits.h5"), os.path.join(folder, "labels.h5")
            with h5py.File(pool, "w") as file:
                file["features"] = load_digits().data.astype(np.float32)
            with h5py.File(labels, "w") as file:
                file["row"] = np.arange(FIRST_CANDIDATE, dtype=np.int64)
            for ranks in (1, 2, 3, 7):
                with self.subTest(ranks=ranks):
                    self.check(folder, pool, labels, ranks)

    def check(self, folder, pool, labels, ranks):
        queue = os.path.join(folder, f"queue{ranks}")
        output = subprocess.run(
            ["mpirun", "-n", str(ranks), "--bind-to", "none", BINARY, "select", "--pool", pool,
             "--labels", labels, "--queue", queue, "--score", "random", "--diversify", "k_center",
             "--shortlist", "1787", "--batch", "20"],
            check=True, capture_output=True, text=True, timeout=60).stdout
        (batch,) = os.listdir(os.path.join(queue, "batches"))
        with open(os.path.join(queue, "batches", batch, "selected.csv"), encoding="utf-8") as file:
            lines = [line.split(",") for line in file.read().splitlines()[1:]]
        self.assertEqual([int(line[1]) - FIRST_CANDIDATE for line in lines], POSITIONS)
        radii = [np.float32(math.sqrt(value)) for value in SQUARED_RADII]
        self.assertEqual([np.float32(line[4]) for line in lines], radii)
        self.assertIn(f"covering radius {math.sqrt(NEXT_SQUARED_RADIUS):.6g}", output)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
