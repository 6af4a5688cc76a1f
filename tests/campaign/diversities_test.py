"""Every diversity through the whole program: one answer over ranks and threads, published picks.

The names come from `sluice check`, so that no rule is left out.
"""

import os
import re
import subprocess
import tempfile
import unittest

import h5py
import numpy as np
from sklearn.datasets import load_digits

from one_answer_test import BINARY, run_select, softmax, write_pool


def rows_of(csv):
    return [int(line.split(",")[1]) for line in csv.decode().splitlines()[1:]]


def write_labels(path, rows):
    with h5py.File(path, "w") as file:
        file["row"] = np.array(rows, dtype=np.int64)
        file["y"] = np.zeros(len(rows), dtype=np.int32)


def diversities(pool):
    result = subprocess.run([BINARY, "check", pool], capture_output=True, text=True, check=True)
    table = result.stdout.split("diversities (--diversify):\n")[1].split("\nfindings")[0]
    return re.findall(r"^  (\w+)", table, re.MULTILINE)


class EveryDiversity(unittest.TestCase):
    """A pool with ties and copies, some rows labeled."""

    def test_one_answer(self):
        rng = np.random.default_rng(3)
        rows = 400
        features = rng.normal(size=(rows, 6)).astype(np.float32)
        features[200:240] = features[0:40]
        committee = softmax(2 * rng.normal(size=(rows, 3, 4))).astype(np.float32)
        committee[200:240] = committee[0:40]
        with tempfile.TemporaryDirectory() as folder:
            pool, labels = os.path.join(folder, "pool.h5"), os.path.join(folder, "labels.h5")
            write_pool(pool, {"features": features, "committee": committee})
            write_labels(labels, [3, 17, 90, 201])
            names = diversities(pool)
            self.assertGreater(len(names), 14)
            for name in names:
                options = ("--score", "entropy", "--diversify", name, "--batch", "8",
                           "--shortlist", "90", "--seed", "4", "--labels", labels,
                           *(("--radius", "2") if name == "prob_cover" else ()))
                answers = {run_select([pool], ranks, (*options, "--threads", threads))
                           for ranks, threads in ((1, "2"), (3, "1"))}
                with self.subTest(diversity=name):
                    self.assertEqual(len(answers), 1)
                    chosen = rows_of(answers.pop())
                    self.assertEqual(len(set(chosen)), 8)
                    self.assertFalse(set(chosen) & {3, 17, 90, 201})

    def test_a_number_that_a_rule_does_not_take_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            pool = os.path.join(folder, "pool.h5")
            data = np.random.default_rng(1).normal(size=(30, 3)).astype(np.float32)
            write_pool(pool, {"features": data})
            plain = ("--score", "random", "--batch", "3")
            self.assertIn("--sigma: --diversify lcmd does not use it", run_select(
                [pool], 1, (*plain, "--diversify", "lcmd", "--sigma", "1"), expect=64))
            self.assertIn("probabilities", run_select(
                [pool], 1, (*plain, "--diversify", "badge"), expect=65))


class Digits(unittest.TestCase):
    """Picks that bmdal_reg makes of scikit-learn's digits: train = rows 0 to 9, pool = the rest.

    \\source Holzmueller et al. 2023, A Framework and Benchmark for Deep Batch Active Learning for
    Regression, JMLR 24(164): MaxDist-TP, and MaxDet-P with sigma = 1, linear kernel.
    """

    max_dist = [1267, 1562, 1409, 208, 1561, 1094, 1023, 1617, 590, 1278, 1732, 1457, 798, 975, 51,
                1675, 972, 623, 1262, 1153]
    max_det = [1737, 1210, 978, 756, 1562, 822, 1286, 1265, 1495, 1084, 1103, 67, 988, 1409, 1575,
               1187, 383, 1528, 1132, 1331]

    def picks(self, features, labeled, extra):
        with tempfile.TemporaryDirectory() as folder:
            pool, labels = os.path.join(folder, "pool.h5"), os.path.join(folder, "labels.h5")
            write_pool(pool, {"features": features.astype(np.float32)})
            options = ("--score", "random", "--batch", "20", "--shortlist", "1797", *extra)
            if labeled:
                write_labels(labels, labeled)
                options += ("--labels", labels)
            csv = run_select([pool], 2, options)
        values = [float(line.split(",")[4]) for line in csv.decode().splitlines()[1:]]
        return rows_of(csv), values

    def test_max_dist(self):
        rows, values = self.picks(load_digits().data, list(range(10)), ("--diversify", "k_center"))
        self.assertEqual([row - 10 for row in rows], self.max_dist)
        self.assertEqual(round(values[0] ** 2), 2720)

    def test_max_det(self):
        rows, values = self.picks(load_digits().data[10:], [],
                                  ("--diversify", "maxdet", "--sigma", "1"))
        self.assertEqual(rows, self.max_det)
        self.assertAlmostEqual(2 * np.log(values).sum(), 144.0920731, places=4)


class FacilityLocation(unittest.TestCase):
    """Rankings that apricot publishes of scikit-learn's digits, each row's similarity to another
    being the square of their cosine or correlation. That square is the cosine of the rows' products
    of features two by two, which is what `--metric cosine` sees here. (Its third ranking, by the
    largest less the squared distance, is no kernel that sluice has.)

    \\source Schreiber et al. 2020, apricot, JMLR 21(161): tests/test_functions/
    test_facility_location.py, digits_cosine_* and digits_corr_*.
    """

    cosine = [424, 615, 1545, 1385, 1482, 112, 1539, 1075, 331, 493, 885, 345, 1282, 823, 1432,
              1051, 537, 1788, 1549, 1622, 834, 1634, 1718, 1474, 1185, 655, 1292, 396, 1711, 1676,
              2, 183, 1536, 983, 438, 1276, 305, 1353, 620, 384, 1026, 162, 1012, 798, 213, 227,
              1291, 533, 1655, 1485, 410, 1206, 157, 1387, 556, 29, 1588, 1320, 1295, 164, 514, 938,
              948, 517, 579, 1325, 1682, 1222, 82, 959, 943, 520, 762, 1066, 898, 1227, 1568, 1086,
              881, 1678, 1470, 1364, 732, 937, 1168, 347, 241, 573, 1156, 1570, 908, 1584, 126,
              1639, 815, 411, 151, 846, 696, 233]
    cosine_gains = [1126.631, 76.1809, 43.868, 35.4606, 33.088, 32.6405, 27.5345, 23.2181, 20.0442,
                    15.384, 10.8113, 9.5884, 8.3655, 7.7554, 7.6675, 7.3457, 5.2902, 5.0039, 4.6488,
                    4.2388, 4.2165, 4.1855, 3.7814, 3.4738, 3.1826, 3.1456, 3.1258, 3.0707, 2.9035,
                    2.8744, 2.788, 2.4376, 2.3306, 1.9438, 1.8711, 1.8376, 1.7047, 1.6453, 1.5747,
                    1.5644, 1.5371, 1.4879, 1.4603, 1.4256, 1.4233, 1.4098, 1.3889, 1.3861, 1.3012,
                    1.2986, 1.278, 1.2779, 1.2775, 1.2059, 1.1914, 1.1437, 1.1221, 1.1031, 1.0829,
                    1.0708, 1.0427, 1.0116, 1.0099, 0.9978, 0.9943, 0.98, 0.9717, 0.945, 0.927,
                    0.9064, 0.8899, 0.8746, 0.8651, 0.8649, 0.859, 0.8526, 0.84, 0.8284, 0.8269,
                    0.8067, 0.8066, 0.7645, 0.7517, 0.7409, 0.7396, 0.7383, 0.7237, 0.7209, 0.7043,
                    0.7021, 0.6945, 0.6806, 0.6585, 0.6539, 0.6198, 0.6161, 0.6078, 0.5963, 0.5945,
                    0.5899]
    correlation = [424, 1647, 396, 339, 1030, 331, 983, 1075, 1482, 1539, 1282, 493, 885, 823, 1051,
                   236, 537, 1161, 345, 1788, 1432, 1634, 1718, 1676, 146, 1286, 655, 1292, 556,
                   533, 1545, 520, 1711, 1428, 620, 1276, 305, 438, 1026, 183, 2, 384, 1012, 798,
                   213, 1291, 162, 1206, 227, 1655, 233, 1508, 410, 1295, 1312, 1350, 514, 938, 579,
                   1066, 82, 164, 948, 1588, 1294, 1682, 943, 517, 959, 1429, 762, 898, 1556, 881,
                   1470, 1549, 1325, 1568, 937, 347, 1364, 126, 732, 1168, 241, 573, 731, 815, 864,
                   1639, 1570, 411, 1086, 696, 870, 1156, 353, 160, 1381, 326]
    correlation_gains = [736.794, 114.2782, 65.4154, 61.3037, 54.5428, 38.7506, 34.097, 32.6649,
                         30.2813, 27.8395, 24.1843, 17.568, 16.6615, 15.2973, 13.2629, 9.7685,
                         9.5183, 7.9484, 7.8094, 7.0224, 6.623, 6.061, 6.0469, 5.323, 5.167, 5.0563,
                         4.8848, 4.7694, 4.4766, 4.4577, 4.3198, 3.9347, 3.5501, 3.3284, 3.0123,
                         2.9994, 2.9739, 2.8233, 2.7572, 2.558, 2.5281, 2.4412, 2.4328, 2.3452,
                         2.2498, 2.2457, 2.2127, 2.1542, 2.1416, 2.0876, 2.0715, 2.0482, 2.0053,
                         1.9996, 1.9912, 1.973, 1.8029, 1.7865, 1.7284, 1.7255, 1.7201, 1.7169,
                         1.6614, 1.6445, 1.6147, 1.5874, 1.5827, 1.5822, 1.5784, 1.5164, 1.4876,
                         1.4319, 1.4288, 1.3736, 1.3485, 1.3039, 1.2872, 1.2771, 1.2587, 1.2391,
                         1.2279, 1.2006, 1.1654, 1.1491, 1.1445, 1.137, 1.1122, 1.0785, 1.0771,
                         1.0402, 1.0321, 1.0192, 1.0158, 0.9734, 0.9627, 0.9612, 0.9401, 0.9291,
                         0.912, 0.8924]

    def squares(self, features):
        """[N, D (D + 1) / 2] whose inner products are the squares of the features'."""
        rows, columns = np.triu_indices(features.shape[1])
        twice = np.where(rows == columns, 1.0, np.sqrt(2.0))
        unit = features / np.linalg.norm(features, axis=1, keepdims=True)
        return unit[:, rows] * unit[:, columns] * twice

    def check(self, features, ranking, gains):
        with tempfile.TemporaryDirectory() as folder:
            pool = os.path.join(folder, "pool.h5")
            write_pool(pool, {"features": self.squares(features).astype(np.float32)})
            csv = run_select([pool], 2, (
                "--score", "random", "--batch", str(len(ranking)), "--shortlist", "1797",
                "--diversify", "facility_location", "--metric", "cosine", "--strength", "0"))
        values = [float(line.split(",")[4]) for line in csv.decode().splitlines()[1:]]
        np.testing.assert_allclose(values, gains, rtol=5e-5, atol=5e-4)
        self.assertEqual(rows_of(csv), ranking)

    def test_cosine(self):
        self.check(load_digits().data, self.cosine, self.cosine_gains)

    def test_correlation(self):
        data = load_digits().data
        self.check(data - data.mean(axis=1, keepdims=True), self.correlation,
                   self.correlation_gains)


if __name__ == "__main__":
    unittest.main()
