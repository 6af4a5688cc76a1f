"""`sluice nearest` against brute force in NumPy's float64, and the same bytes from any job.

Integer features make distances exact, with many ties: rows and distances must be equal. On others,
distances must agree to 1e-6 of themselves, and the rows' float64 distances with them.
"""

import csv
import json
import os
import pathlib
import sys
import tempfile
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "cli"))
from program import error_lines, run

ROWS, DIM, QUERIES = 1511, 19, 23


def write(path, layout=None, **datasets):
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file.create_dataset(name, data=values, **(layout or {}))


def grid(random, rows):
    """Small integers: distances are exact and full of ties; a fifth are copies."""
    values = random.integers(0, 3, size=(rows, DIM)).astype("f4")
    values[rows - rows // 5:] = values[:rows // 5]
    return values


def distances(queries, pool, metric):
    """[Q,N] in float64."""
    queries, pool = queries.astype("f8"), pool.astype("f8")
    if metric == "cosine":
        queries /= numpy.linalg.norm(queries, axis=1, keepdims=True)
        pool = pool / numpy.linalg.norm(pool, axis=1, keepdims=True)
        return 1 - queries @ pool.T
    return numpy.sqrt(((queries[:, None] - pool[None]) ** 2).sum(axis=2))


def brute_force(queries, pool, count, excluded=(), metric="euclidean"):
    """[(query, rank, row, distance)], ties to the lower row."""
    result = []
    for query, row in enumerate(distances(queries, pool, metric)):
        order = [i for i in numpy.lexsort((numpy.arange(len(pool)), row)) if i not in excluded]
        result += [(query, rank + 1, i, row[i]) for rank, i in enumerate(order[:count])]
    return result


class NearestCase(unittest.TestCase):
    """A folder with pools of both kinds of features, in which every test stands."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        random = numpy.random.default_rng(7)
        self.grid, self.grid_queries = grid(random, ROWS), grid(random, QUERIES)
        self.normal = random.normal(size=(ROWS, DIM)).astype("f4")
        self.normal_queries = random.normal(size=(QUERIES, DIM)).astype("f4")
        names = [f"r,{i}".encode() for i in range(ROWS)]
        write("grid.h5", features=self.grid, ids=names)
        write("grid_queries.h5", features=self.grid_queries)
        write("normal.h5", features=self.normal)
        write("normal_queries.h5", vectors=self.normal_queries)

    def found(self, *words, ranks=0, **more):
        finished = run(["nearest", *words], ranks, **more)
        self.assertEqual(finished.returncode, 0, finished.stderr)
        return finished.stdout

    def rows_of(self, text):
        return [(int(line["query"]), int(line["rank"]), int(line["row"]), float(line["distance"]))
                for line in csv.DictReader(text.splitlines())]


class AgainstBruteForce(NearestCase):
    def test_ties_and_copies_exactly(self):
        for count in (1, 3, 40, ROWS, ROWS + 5):
            found = self.rows_of(self.found("--pool", "grid.h5", "--to", "grid_queries.h5",
                                            "--neighbors", count))
            wanted = brute_force(self.grid_queries, self.grid, count)
            self.assertEqual([line[:3] for line in found], [line[:3] for line in wanted])
            self.assertEqual([line[3] for line in found],
                             [float(str(numpy.float32(line[3]))) for line in wanted])

    def test_other_numbers_by_both_metrics(self):
        for metric in ("euclidean", "cosine"):
            found = self.rows_of(self.found(
                "--pool", "normal.h5", "--to", "normal_queries.h5", "--to-features", "/vectors",
                "--k", "17", "--metric", metric))
            wanted = brute_force(self.normal_queries, self.normal, 17, metric=metric)
            exact = distances(self.normal_queries, self.normal, metric)
            self.assertEqual(len(found), len(wanted))
            for mine, other in zip(found, wanted):
                self.assertEqual(mine[:2], other[:2])
                self.assertTrue(abs(mine[3] - other[3]) <= 1e-6 * other[3], (mine, other))
                own = exact[mine[0], mine[2]]
                self.assertTrue(abs(own - other[3]) <= 1e-6 * other[3], (mine, other))

    def test_rows_of_the_pool_are_not_their_own_neighbors(self):
        chosen = [5, 1300, 5, 0, ROWS - 1]
        found = self.rows_of(self.found("--pool", "grid.h5", "--to-rows", *chosen, "--k", "4"))
        at = 0
        for query in chosen:
            wanted = brute_force(self.grid[[query]], self.grid, 4, {query})
            for _, rank, row, _ in wanted:
                self.assertEqual(found[at][:3], (query, rank, row))
                at += 1
        self.assertEqual(at, len(found))

    def test_labeled_and_issued_rows_are_never_found(self):
        labeled = [line[2] for line in brute_force(self.grid_queries, self.grid, 2)]
        write("labels.h5", row=sorted(set(labeled)))
        picked = run(["select", "--pool", "grid.h5", "--queue", "queue", "--batch", "300",
                      "--score", "random", "--selected", "selected.csv"])
        self.assertEqual(picked.returncode, 0, picked.stderr)
        with open("selected.csv", encoding="utf-8") as file:
            issued = {int(line["row"]) for line in csv.DictReader(file)}
        found = self.rows_of(self.found("--pool", "grid.h5", "--to", "grid_queries.h5", "--k", "6",
                                        "--labels", "labels.h5", "--queue", "queue", ranks=2))
        wanted = brute_force(self.grid_queries, self.grid, 6, issued | set(labeled))
        self.assertEqual([line[:3] for line in found], [line[:3] for line in wanted])


class OneAnswer(NearestCase):
    def test_the_same_bytes_from_any_job(self):
        write("chunked.h5", {"chunks": True, "compression": "gzip"}, features=self.grid)
        write("first.h5", features=self.normal[:400])
        write("second.h5", {"chunks": (30, DIM)}, features=self.normal[400:])
        to_grid = ["--to", "grid_queries.h5", "--k", "9"]
        to_normal = ["--to", "normal_queries.h5", "--to-features", "/vectors", "--k", "9",
                     "--metric", "cosine"]
        wanted = self.found("--pool", "normal.h5", *to_normal, "--threads", "1")
        self.assertEqual(len(wanted.splitlines()), 9 * QUERIES + 1)
        for ranks in (1, 2, 3, 7):
            self.assertEqual(self.found("--pool", "normal.h5", *to_normal, ranks=ranks), wanted)
        for options in (("--threads", "3", "--block-rows", "7"), ("--block-rows", "1")):
            self.assertEqual(self.found("--pool", "first.h5", "second.h5", *to_normal, *options,
                                        ranks=2), wanted)
        for level in ("baseline", "avx2"):
            self.assertEqual(self.found("--pool", "normal.h5", *to_normal,
                                        environment={"SLUICE_ISA": level}), wanted)
        self.found("--pool", "grid.h5", *to_grid, "--json", "one.json", "--out", "one.csv")
        for ranks in (2, 7):
            stdout = self.found("--pool", "grid.h5", *to_grid, "--json", "other.json", "--out",
                                "other.csv", "--threads", "2", "--block-rows", "10", ranks=ranks)
            self.assertIn("other.csv: the 9 nearest of 1,511 rows to each of 23 queries", stdout)
            for kind in ("csv", "json"):
                self.assertEqual(pathlib.Path(f"one.{kind}").read_bytes(),
                                 pathlib.Path(f"other.{kind}").read_bytes())
        plain = self.rows_of(self.found("--pool", "chunked.h5", *to_grid, ranks=3))
        self.assertEqual(self.rows_of(pathlib.Path("one.csv").read_text(encoding="utf-8")), plain)
        report = json.loads(pathlib.Path("one.json").read_text(encoding="utf-8"))
        self.assertEqual([(line["query"], line["rank"], line["row"]) for line in report["found"]],
                         [line[:3] for line in plain])
        self.assertEqual(report["found"][0]["id"], f"r,{plain[0][2]}")


class Refusals(NearestCase):
    def refused(self, code, part, *words, **more):
        finished = run(["nearest", *words], **more)
        self.assertEqual(finished.returncode, code, finished.stderr)
        self.assertEqual(len(error_lines(finished)), 1, finished.stderr)
        self.assertIn(part, finished.stderr)
        self.assertEqual(finished.stdout, "")

    def test_bad_input(self):
        broken = self.normal.copy()
        broken[700, 3] = numpy.nan
        broken[900] = 0
        write("broken.h5", features=broken)
        write("narrow.h5", features=self.normal[:, :5])
        to = ["--to", "grid_queries.h5"]
        for code, part, *words in (
                (64, "give the queries either as --to FILE or as --to-rows", "--pool", "grid.h5"),
                (64, "either as --to FILE", "--pool", "grid.h5", *to, "--to-rows", "1"),
                (64, "--to-rows: no row (-1)", "--pool", "grid.h5", "--to-rows=-1"),
                (65, "row 1511 is beyond the pool's last (1510)", "--pool", "grid.h5", "--to-rows",
                 "1511"),
                (65, "narrow.h5: /features[0]: 5 features, but grid.h5", "--pool", "grid.h5", "--to",
                 "narrow.h5"),
                (65, "broken.h5: /features[700]: feature 3 is nan", "--pool", "broken.h5", *to),
                (65, "/features[700]: ", "--pool", "grid.h5", "--to", "broken.h5"),
                (66, "missing.h5", "--pool", "missing.h5", *to),
                (64, "--memory: 23 queries", "--pool", "grid.h5", *to, "--memory", "1e-5"),
                (73, "no/out.csv", "--pool", "grid.h5", *to, "--out", "no/out.csv")):
            with self.subTest(part=part):
                self.refused(code, part, *words)
        self.refused(65, "such rows)", "--pool", "broken.h5", *to, "--metric", "cosine", ranks=3)
        skipped = self.found("--pool", "broken.h5", *to, "--bad-rows", "skip", "--k", "2000",
                             "--metric", "cosine", "--out", "out.csv", ranks=3)
        self.assertIn("1,509 rows to each of 23 queries (2 bad rows skipped)", skipped)
        rows = {line[2] for line in self.rows_of(pathlib.Path("out.csv").read_text("utf-8"))}
        self.assertEqual(rows, set(range(ROWS)) - {700, 900})


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
