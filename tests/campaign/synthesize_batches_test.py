"""Batches of `sluice synthesize`: of the ends, behind a pool, snapped to its rows; killed and rerun."""

import os
import pathlib
import sys
import unittest

import h5py
import numpy

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / folder) for folder in ("support", "cli")]
from program import error_lines, files_below, run
from synthesis import HIGH, LOW, SynthesizeCase, deviation, rows_of

class Batches(SynthesizeCase):
    def test_a_batch_of_the_ends_is_what_select_takes_from_the_file(self):
        options = ["--batch", "6", "--apart", "0.0001"]
        stdout = self.synthesize(*options, "--queue", "queue", "--selected", "one.csv")
        self.assertIn("published in queue/batches/", stdout)
        picked = run(["select", "--pool", "new.h5", "--model", "nets.h5", "--score",
                      "committee_std", "--batch", "6", "--selected", "two.csv"])
        self.assertEqual(picked.returncode, 0, picked.stderr)
        self.assertEqual(rows_of("one.csv"), rows_of("two.csv"))
        features, inputs, ids, score, *_ = self.read()
        for row in rows_of("one.csv"):
            at = int(row["row"])
            self.assertEqual((row["id"], float(row["score"])),
                             (ids[at], float(str(score[at]))))
        before = files_below("queue")
        again = self.synthesize(*options, "--queue", "queue")
        self.assertIn("is already published in", again)
        self.assertEqual(files_below("queue"), before)
        items = next(pathlib.Path("queue/batches").glob("*/items.h5"))
        with h5py.File(items) as file:
            self.assertEqual(file["inputs"].shape, (6, 3))
            self.assertEqual([name.decode() for name in file["inputs"].attrs["names"]],
                             ["x0", "x1", "x2"])

    def snapped(self, features, queries, taken):
        """Greedy in the order of proposals, in float64."""
        rows = []
        for query in queries:
            far = numpy.linalg.norm(features - query, axis=1)
            far[list(taken | set(rows))] = numpy.inf
            rows.append(int(far.argmin()))
        return rows

    def test_ends_snap_to_the_nearest_rows_that_are_free(self):
        random = numpy.random.default_rng(4)
        features = (LOW + (HIGH - LOW) * random.random((3000, 3))).astype("f4")
        with h5py.File("pool.h5", "w") as file:
            file["features"] = features
        options = ["--batch", "40", "--apart", "0.0001", "--shortlist", "60"]
        self.synthesize(*options, "--selected", "ends.csv")
        proposals = self.read()[0][[int(row["row"]) for row in rows_of("ends.csv")]].astype("f8")
        labeled = self.snapped(features, proposals[:3], set())
        with h5py.File("labels.h5", "w") as file:
            file["row"] = sorted(labeled)
        taken = set(labeled)
        for ranks in (0, 3):
            self.synthesize(*options, "--selected", "rows.csv", "--snap-to", "pool.h5", "--labels",
                            "labels.h5", "--queue", "queue", ranks=ranks)
            rows = rows_of("rows.csv")
            wanted = self.snapped(features, proposals, taken)
            self.assertEqual([int(row["row"]) for row in rows], wanted)
            exact = deviation(self.nets, features[wanted].astype("f8"))
            numpy.testing.assert_allclose([float(row["score"]) for row in rows], exact, rtol=1e-4)
            far = numpy.linalg.norm(features[wanted] - proposals, axis=1)
            numpy.testing.assert_allclose([float(row["distance"]) for row in rows], far, rtol=1e-5)
        # Another round goes by the rows issued before.
        os.unlink("new.h5")
        self.synthesize(*options, "--selected", "more.csv", "--snap-to", "pool.h5", "--labels",
                        "labels.h5", "--queue", "queue", "--round", "2")
        more = {int(row["row"]) for row in rows_of("more.csv")}
        self.assertFalse(more & (taken | set(wanted)))
        status = run(["queue", "fsck", "--queue", "queue"])
        self.assertEqual(status.returncode, 0, status.stderr)

    def test_without_ranges_the_box_is_that_of_the_pool_to_snap_to(self):
        random = numpy.random.default_rng(6)
        features = (LOW + (HIGH - LOW) * (0.2 + 0.6 * random.random((700, 3)))).astype("f4")
        features[:, 1] = 0.25  # never varies
        with h5py.File("pool.h5", "w") as file:
            file["features"] = features
        words = self.words()
        at = words.index("--ranges")
        del words[at:at + 2]
        words += ["--snap-to", "pool.h5", "--batch", "5", "--selected", "rows.csv"]
        answers = set()
        for ranks, threads in ((0, 1), (2, 3), (7, 1)):
            done = run([*words, "--threads", str(threads)], ranks)
            self.assertEqual(done.returncode, 0, done.stderr)
            answers.add((pathlib.Path("new.h5").read_bytes(),
                         pathlib.Path("rows.csv").read_bytes()))
        self.assertEqual(len(answers), 1)
        with h5py.File("new.h5") as file:
            ranges = [[float(bound) for bound in text.decode().split(",")]
                      for text in file["inputs"].attrs["ranges"]]
        low, high = features.min(axis=0), features.max(axis=0)
        high[1] = numpy.nextafter(high[1], numpy.float32(1))
        self.assertEqual(ranges, numpy.stack([low, high], axis=1).astype("f8").tolist())
        ends = self.read()[0]
        self.assertTrue((ends >= low).all() and (ends <= high).all())
        features[[300, 600], 2] = numpy.nan, numpy.inf
        with h5py.File("pool.h5", "w") as file:
            file["features"] = features
        os.unlink("new.h5")
        bad = run(words, 3)
        self.assertEqual((bad.returncode, len(error_lines(bad))), (65, 1), bad.stderr)
        self.assertIn("pool.h5: /features[300]: feature 2 is nan", bad.stderr)
        done = run([*words, "--bad-rows", "skip"], 3)
        self.assertEqual(done.returncode, 0, done.stderr)

    def write_pool(self, rows):
        random = numpy.random.default_rng(4)
        inputs = (LOW + (HIGH - LOW) * random.random((rows, 3))).astype("f4")
        with h5py.File("pool.h5", "w") as file:
            file["features"] = inputs
            file["inputs"] = inputs.astype("f8")

    def test_ends_behind_a_pool_go_on_with_its_queue(self):
        self.write_pool(900)
        common = ["--batch", "5", "--queue", "queue"]
        first = run(["select", "--pool", "pool.h5", "--score", "random", *common])
        self.assertEqual(first.returncode, 0, first.stderr)
        issued, pools = set(), ["pool.h5"]
        for number in (1, 2):
            rows = set()
            for ranks in (0, 2):  # the second time it is there
                stdout = self.synthesize(
                    *common, "--append-to", *pools, "--round", str(number), "--selected",
                    "selected.csv", "--apart", "0.0001", out=f"new{number}.h5", ranks=ranks)
                rows.add(tuple(int(row["row"]) for row in rows_of("selected.csv")))
            self.assertIn("is already published", stdout)
            self.assertEqual(len(rows), 1)
            before = 0
            for path in pools:
                with h5py.File(path) as file:
                    before += len(file["features"])
            with h5py.File(f"new{number}.h5") as file:
                features, score = file["features"][:], file["synthesis/score"][:]
            chosen = numpy.array(rows.pop())
            self.assertTrue((chosen >= before).all() and (chosen < before + len(features)).all())
            for row in rows_of("selected.csv"):
                self.assertEqual(float(row["score"]), float(str(score[int(row["row"]) - before])))
            pools.append(f"new{number}.h5")
        fsck = run(["queue", "fsck", "--queue", "queue"])
        self.assertEqual(fsck.returncode, 0, fsck.stderr)
        more = run(["select", "--pool", *pools, "--model", "nets.h5", "--score", "committee_std",
                    *common, "--round", "3"])
        self.assertEqual(more.returncode, 0, more.stderr)
        refused = run([*self.words(), *common, "--append-to", "new1.h5"])
        self.assertEqual((refused.returncode, len(error_lines(refused))), (65, 1), refused.stderr)
        self.assertIn("the pool is not the one this queue's batches came from", refused.stderr)

    def test_a_pool_with_fewer_rows_than_proposals_gives_them_all(self):
        with h5py.File("pool.h5", "w") as file:
            file["features"] = numpy.array([LOW, (LOW + HIGH) / 2, HIGH], "f4")
        self.synthesize("--batch", "9", "--apart", "0.0001", "--selected", "rows.csv", "--snap-to",
                        "pool.h5", ranks=2)
        self.assertEqual(sorted(int(row["row"]) for row in rows_of("rows.csv")), [0, 1, 2])

    def test_killed_anywhere_and_run_again(self):
        words = ["--batch", "4", "--apart", "0.0001", "--queue", "queue"]
        self.synthesize("--batch", "4", "--apart", "0.0001", "--queue", "whole", out="whole.h5")
        for phase in ("read ranges", "climb", "write", "plan", "publish"):
            killed = run([*self.words(), *words], environment={"SLUICE_FAULT": f"{phase}:0:kill"})
            self.assertNotEqual(killed.returncode, 0, phase)
            self.assertFalse([name for name in os.listdir() if name.endswith(".tmp")])
        self.synthesize(*words)
        self.assertEqual(pathlib.Path("new.h5").read_bytes(),
                         pathlib.Path("whole.h5").read_bytes())
        for name in os.listdir("whole/batches"):
            self.assertEqual(pathlib.Path(f"queue/batches/{name}/selected.csv").read_bytes(),
                             pathlib.Path(f"whole/batches/{name}/selected.csv").read_bytes())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
