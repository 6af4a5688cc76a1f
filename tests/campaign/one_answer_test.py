"""One answer: the same selected.csv bytes whatever the ranks, threads, blocks, layouts and files.

Runs the real `sluice select` under mpirun on the same rows stored in many ways, and compares the
bytes of selected.csv with those of one rank, one thread, one contiguous file. A plain NumPy
two-stage selection in float64 says that the common answer is also the right one.
"""

import os
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

BINARY = os.environ["SLUICE_BINARY"]
RANKS = (1, 2, 3, 4, 7, 8)


def softmax(values):
    shifted = np.exp(values - values.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def write_pool(path, datasets, chunk_rows=None, filters=False):
    """Writes arrays as a sluice pool; `chunk_rows` None means contiguous."""
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "sluice-pool"
        file.attrs["format_version"] = 1
        for name, values in datasets.items():
            options = {}
            if chunk_rows is not None and len(values) > 0:
                options["chunks"] = (min(chunk_rows, len(values)),) + values.shape[1:]
                if filters:
                    options.update(compression="gzip", shuffle=True, fletcher32=True)
            stored = file.create_dataset(name, data=values, **options)
            if name in ("probabilities", "committee"):
                stored.attrs["kind"] = "probability"


def run_select(pools, ranks=1, extra=(), expect=0):
    """selected.csv bytes of one selection into a fresh queue."""
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "selected.csv")
        command = ["mpirun", "-n", str(ranks), "--bind-to", "none", BINARY, "select", "--pool",
                   *pools, "--queue", os.path.join(folder, "queue"), "--selected", target, *extra]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if result.returncode != expect:
            raise AssertionError(f"{command}\nexit {result.returncode}\n{result.stderr}")
        if expect != 0:
            return result.stderr
        with open(target, "rb") as file:
            return file.read()


class OneAnswer(unittest.TestCase):
    """A pool of 1,201 rows with ties and duplicates in every layout."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        rng = np.random.default_rng(5)
        rows, dim, members, classes = 1201, 9, 3, 4
        features = rng.normal(size=(rows, dim)).astype(np.float32)
        features[600:650] = features[0:50]
        committee = softmax(rng.normal(size=(rows, members, classes))).astype(np.float32)
        committee[700:760] = committee[100:160]
        cls.data = {"features": features, "committee": committee,
                    "probabilities": softmax(rng.normal(size=(rows, classes))).astype(np.float32),
                    "cost": rng.uniform(1, 5, size=rows),
                    "columns/loss": rng.uniform(0, 5, size=rows)}
        cls.options = cls.options_with({})
        cls.plain = cls.path("plain.h5")
        write_pool(cls.plain, cls.data)
        cls.reference = run_select([cls.plain], 1, cls.options + ("--threads", "1"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @staticmethod
    def options_with(changes):
        options = {"--score": "bald", "--diversify": "k_center", "--batch": "60",
                   "--shortlist": "400", "--seed": "11", **changes}
        return tuple(word for option in options.items() for word in option)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    def same(self, pools, ranks=1, extra=()):
        self.assertEqual(run_select(pools, ranks, self.options + tuple(extra)), self.reference)

    def test_ranks_and_threads(self):
        for ranks in RANKS:
            for threads in ("1", "2"):
                with self.subTest(ranks=ranks, threads=threads):
                    self.same([self.plain], ranks, ("--threads", threads))

    def test_block_sizes(self):
        for rows in ("1", "7", "64", "5000"):
            with self.subTest(block_rows=rows):
                self.same([self.plain], 2, ("--block-rows", rows))

    def test_chunk_layouts(self):
        for chunk_rows, filters in ((1, False), (100, False), (4096, False), (128, True)):
            with self.subTest(chunk_rows=chunk_rows, filters=filters):
                pool = self.path(f"chunks{chunk_rows}{filters}.h5")
                write_pool(pool, self.data, chunk_rows, filters)
                for ranks in (1, 3):
                    self.same([pool], ranks)

    def test_five_files(self):
        borders = [0, 1, 300, 301, 900, 1201]
        pools = []
        for part, (begin, end) in enumerate(zip(borders, borders[1:])):
            pools.append(self.path(f"part{part}.h5"))
            write_pool(pools[-1], {k: v[begin:end] for k, v in self.data.items()},
                       None if part % 2 else 50)
        for ranks in (1, 4, 7):
            with self.subTest(ranks=ranks):
                self.same(pools, ranks)

    def test_instruction_sets(self):
        for name in ("baseline", "avx2", "avx512"):
            with self.subTest(instruction_set=name):
                os.environ["SLUICE_ISA"] = name
                try:
                    self.same([self.plain], 2)
                finally:
                    del os.environ["SLUICE_ISA"]

    def test_cosine_and_none_over_ranks(self):
        for changes in ({"--metric": "cosine"}, {"--diversify": "none", "--shortlist": "60"},
                        {"--score": "random"}, {"--score": "margin"},
                        {"--score": "entropy", "--input": "committee"},
                        {"--score": "0.5*margin*column:loss^0.5 + egl/cost"},
                        {"--score": "bald*information_density^0", "expect": 64},
                        {"--score": "entropy", "--randomize": "power:2"},
                        {"--score": "margin", "--randomize": "softrank"}):
            if changes.pop("expect", 0):
                self.assertIn("a strength of 0", run_select(
                    [self.plain], 2, self.options_with(changes), expect=64))
                continue
            options = self.options_with(changes)
            answers = {run_select([self.plain], ranks, options) for ranks in (1, 2, 3, 7)}
            with self.subTest(changes=changes):
                self.assertEqual(len(answers), 1)

    def test_the_answer_is_right(self):
        """Against float64 NumPy: BALD shortlist, then farthest-first from its best row."""
        p = self.data["committee"].astype(np.float64)
        mean = p.mean(axis=1)
        entropy = lambda q: -(q * np.log(np.where(q > 0, q, 1))).sum(axis=-1)
        bald = entropy(mean) - entropy(p).mean(axis=1)
        lines = self.reference.decode().splitlines()
        self.assertEqual(lines[0],
                         "rank,row,id,score,distance,reason,nearest,nearest_distance")
        chosen = [int(line.split(",")[1]) for line in lines[1:]]
        scores = [float(line.split(",")[3]) for line in lines[1:]]
        distances = [float(line.split(",")[4]) for line in lines[1:]]
        np.testing.assert_allclose(scores, bald[chosen], rtol=1e-5, atol=1e-7)
        cut = np.sort(bald)[-400]
        self.assertTrue((bald[chosen] >= cut - 1e-6).all())
        shortlist = np.flatnonzero(bald >= cut - 1e-9)
        x = self.data["features"].astype(np.float64)
        self.assertEqual(chosen[0], shortlist[np.argmax(bald[shortlist])])
        nearest = np.full(len(x), np.inf)
        for previous, row, distance in zip(chosen, chosen[1:], distances[1:]):
            nearest = np.minimum(nearest, ((x - x[previous]) ** 2).sum(axis=1))
            farthest = nearest[shortlist].max()
            np.testing.assert_allclose(distance, np.sqrt(farthest), rtol=1e-5)
            np.testing.assert_allclose(nearest[row], farthest, rtol=1e-5)


class Extremes(unittest.TestCase):
    """Shapes at the edge: each must give one answer on 1, 3 and 8 ranks."""

    def answers(self, data, options, ranks=(1, 3, 8)):
        with tempfile.TemporaryDirectory() as folder:
            pool = os.path.join(folder, "pool.h5")
            write_pool(pool, data)
            answers = [run_select([pool], count, options) for count in ranks]
        self.assertEqual(len(set(answers)), 1)
        lines = answers[0].decode().splitlines()[1:]
        return [int(line.split(",")[1]) for line in lines], lines

    @staticmethod
    def data(rows, dim, classes, seed=1):
        rng = np.random.default_rng(seed)
        return {"features": rng.normal(size=(rows, dim)).astype(np.float32),
                "probabilities": softmax(rng.normal(size=(rows, classes))).astype(np.float32)}

    def test_more_ranks_than_rows(self):
        rows, _ = self.answers(self.data(5, 3, 3), ("--batch", "2"))
        self.assertEqual(len(set(rows)), 2)

    def test_all_scores_equal_take_the_lowest_rows(self):
        data = self.data(50, 3, 4)
        data["probabilities"][:] = 0.25
        rows, _ = self.answers(data, ("--batch", "6", "--diversify", "none"))
        self.assertEqual(rows, [0, 1, 2, 3, 4, 5])

    def test_all_features_duplicate(self):
        data = self.data(40, 4, 3)
        data["features"][:] = 1.5
        rows, lines = self.answers(data, ("--batch", "7", "--shortlist", "40"))
        best = rows[0]
        self.assertEqual(rows[1:], [r for r in range(40) if r != best][:6])
        self.assertTrue(all(float(line.split(",")[4]) == 0.0 for line in lines[1:]))

    def test_shortlist_beyond_the_pool(self):
        rows, _ = self.answers(self.data(30, 3, 3), ("--batch", "30", "--shortlist", "1000"))
        self.assertEqual(sorted(rows), list(range(30)))

    def test_batch_beyond_the_candidates(self):
        rows, _ = self.answers(self.data(12, 3, 3), ("--batch", "500"))
        self.assertEqual(sorted(rows), list(range(12)))

    def test_dimensions_and_classes(self):
        for rows, dim, classes in ((200, 1, 2), (60, 2048, 3), (40, 2, 1000)):
            with self.subTest(dim=dim, classes=classes):
                chosen, _ = self.answers(self.data(rows, dim, classes),
                                         ("--batch", "15", "--score", "entropy"))
                self.assertEqual(len(set(chosen)), 15)

    def test_one_member_is_refused_for_bald(self):
        data = self.data(10, 2, 3)
        data["committee"] = data["probabilities"][:, None, :]
        with tempfile.TemporaryDirectory() as folder:
            pool = os.path.join(folder, "pool.h5")
            write_pool(pool, data)
            message = run_select([pool], 1, ("--batch", "2", "--score", "bald"), expect=64)
        self.assertIn("needs at least 2", message)

    def test_labeled_and_issued_rows_are_never_chosen(self):
        with tempfile.TemporaryDirectory() as folder:
            pool, labels = os.path.join(folder, "pool.h5"), os.path.join(folder, "labels.h5")
            write_pool(pool, self.data(80, 3, 3))
            with h5py.File(labels, "w") as file:
                file["row"] = np.array([3, 5, 7, 9], dtype=np.int64)
                file["y"] = np.array([0, 1, -1, 2], dtype=np.int32)
            seen = set()
            for round_number in ("1", "2", "3", "4"):
                command = ["mpirun", "-n", "3", "--bind-to", "none", BINARY, "select", "--pool",
                           pool, "--labels", labels, "--queue", os.path.join(folder, "queue"),
                           "--batch", "25", "--round", round_number, "--selected",
                           os.path.join(folder, "selected.csv")]
                subprocess.run(command, check=True, capture_output=True, timeout=120)
                with open(os.path.join(folder, "selected.csv"), encoding="utf-8") as file:
                    rows = [int(line.split(",")[1]) for line in file.read().splitlines()[1:]]
                self.assertFalse(seen & set(rows))
                seen |= set(rows)
            self.assertEqual(seen, set(range(80)) - {3, 5, 9})  # row 7 has no label yet


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
