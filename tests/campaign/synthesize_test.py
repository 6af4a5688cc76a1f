"""`sluice synthesize`: maxima that are known, SciPy's maxima, one answer, and refusals.

Scores are recomputed in float64 from the model's weights; SciPy climbs the same surface from the
same number of starts.
"""

import json
import os
import pathlib
import sys
import unittest

import h5py
import numpy
import scipy.optimize

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / folder) for folder in ("support", "cli")]
from program import error_lines, files_below, run
from synthesis import HIGH, LOW, SynthesizeCase, deviation, net, ranges_text, rows_of

import model_file
from layer_chain import Layer

class Maxima(SynthesizeCase):
    def test_a_known_maximum_in_one_input(self):
        stdout = self.synthesize(model="wave", json="report.json")
        features, inputs, ids, score, start_score, start = self.read()
        # x = 0, and the face at 2, where |cos| rises again.
        self.assertEqual(len(features), 2)
        best = score.argmax()
        self.assertLess(abs(features[best, 0]), 2e-3)
        self.assertTrue(abs(score[best] - 1) <= 2e-6, score)
        self.assertEqual(features[1 - best, 0], 2.0)
        self.assertTrue((inputs == features).all() and (score >= start_score).all())
        self.assertEqual(list(ids), [f"synthetic-s0-r1-{number:06}" for number in start])
        report = json.loads(pathlib.Path("report.json").read_text(encoding="utf-8"))
        self.assertEqual((report["ends"], report["distinct"], report["capped"]), (200, 2, 0))
        self.assertTrue(report["start_score"]["median"] < report["end_score"]["median"])
        self.assertGreater(report["on_faces"], 20)
        self.assertIn("new.h5: 2 distinct ends", stdout)

    def test_as_high_as_scipy_climbs(self):
        random = numpy.random.default_rng(1)
        found = [scipy.optimize.minimize(
            lambda x: -deviation(self.nets, x[None])[0], LOW + (HIGH - LOW) * random.random(3),
            bounds=list(zip(LOW, HIGH)), method="L-BFGS-B") for _ in range(60)]
        highest = max(-result.fun for result in found)
        self.synthesize(apart="0")
        features, inputs, _, score, start_score, _ = self.read()
        exact = deviation(self.nets, features.astype("f8"))
        self.assertTrue((abs(score - exact) <= 1e-5 * highest).all())
        self.assertTrue(score.max() >= highest * (1 - 1e-4), (score.max(), highest))
        self.assertTrue((inputs >= LOW).all() and (inputs <= HIGH).all())
        self.assertTrue((score >= start_score).all())
        # Nearly all ends are maxima of the box: SciPy, started there, gains next to nothing.
        gained = [-scipy.optimize.minimize(
            lambda x: -deviation(self.nets, x[None])[0], end, bounds=list(zip(LOW, HIGH)),
            method="L-BFGS-B").fun - value for end, value in zip(features[:40].astype("f8"), exact)]
        self.assertTrue(numpy.mean(numpy.array(gained) <= 0.01 * highest) >= 0.9, gained)

    def test_every_score_that_reads_a_model_can_be_climbed(self):
        helped = run(["help", "synthesize"]).stdout
        for score in ("entropy", "margin", "bald", "vote_entropy", "ratio"):
            self.assertIn(score, helped)
            self.synthesize(model="classes", score=score, out=f"{score}.h5", starts=50)
            _, _, _, ends, starts, _ = self.read(f"{score}.h5")
            self.assertTrue((ends >= starts).all())
            self.assertGreater(ends.mean(), starts.mean() - 1e-9)

    def test_sums_of_products_of_scores_can_be_climbed(self):
        self.synthesize(model="classes", score="entropy*bald + 0.5*margin^2", starts=50)
        _, _, _, score, starts, _ = self.read()
        self.assertTrue((score >= starts).all())
        with h5py.File("features.h5", "w") as file, h5py.File("new.h5") as new:
            file["features"] = new["features"][:]
        parts = {}
        for name in ("entropy", "bald", "margin"):
            picked = run(["select", "--pool", "features.h5", "--model", "classes.h5", "--score",
                          name, "--diversify", "none", "--batch", len(score), "--selected", "s.csv"])
            self.assertEqual(picked.returncode, 0, picked.stderr)
            by_row = {int(row["row"]): float(row["score"]) for row in rows_of("s.csv")}
            parts[name] = numpy.array([by_row[row] for row in range(len(score))])
        wanted = parts["entropy"] * parts["bald"] + 0.5 * parts["margin"] ** 2
        numpy.testing.assert_allclose(score, wanted, rtol=1e-6)

    def test_scaled_inputs_of_a_pool_that_declares_them(self):
        made = run(["pool", "make", "amplifier", "--rows", "300", "--out", "pool.h5"])
        self.assertEqual(made.returncode, 0, made.stderr)
        random = numpy.random.default_rng(8)
        model_file.write_model("five.h5", model_file.Model(
            "regression", [net(random, (5, 8, 1)) for _ in range(3)], 1))
        self.synthesize(model="five", ranges="pool.h5")
        features, inputs, *_ = self.read()
        low = numpy.array([2e-6, 0.5e-6, 1e3, 0.69, 0.2e-12])
        high = numpy.array([50e-6, 5e-6, 30e3, 1.1, 10e-12])
        self.assertTrue((abs(features) <= 1).all())
        self.assertTrue((inputs >= low).all() and (inputs <= high).all())
        share = (features.astype("f8") + 1) / 2
        wanted = low * (high / low) ** share
        wanted[:, 3] = (low + (high - low) * share)[:, 3]
        numpy.testing.assert_allclose(inputs, wanted, rtol=1e-13)
        with h5py.File("new.h5") as file, h5py.File("pool.h5") as pool:
            for name in ("names", "units", "ranges"):
                self.assertEqual(list(file["inputs"].attrs[name]), list(pool["inputs"].attrs[name]))


class OneAnswer(SynthesizeCase):
    def test_the_same_bytes_from_any_job(self):
        self.synthesize("--threads", "1")
        wanted = pathlib.Path("new.h5").read_bytes()
        jobs = [(ranks, {}) for ranks in (1, 2, 3, 7)]
        jobs += [(0, {"SLUICE_ISA": level}) for level in ("baseline", "avx2")]
        for ranks, environment in jobs:
            os.unlink("new.h5")
            self.synthesize("--threads", "2", ranks=ranks, environment=environment)
            self.assertEqual(pathlib.Path("new.h5").read_bytes(), wanted)

    def test_batches_do_not_depend_on_ranks(self):
        random = numpy.random.default_rng(4)
        with h5py.File("pool.h5", "w") as file:
            file["features"] = LOW + (HIGH - LOW) * random.random((4000, 3)).astype("f4")
        for snap in ([], ["--snap-to", "pool.h5"]):
            answers = set()
            for ranks in (0, 2, 3):
                self.synthesize("--batch", "5", "--apart", "0.0001", "--selected", "selected.csv",
                                "--queue", f"queue{len(snap)}{ranks}", *snap, ranks=ranks)
                queue = files_below(f"queue{len(snap)}{ranks}")
                answers.add((pathlib.Path("selected.csv").read_bytes(),
                             *sorted(name for name in queue if "batches" in name)))
            self.assertEqual(len(answers), 1)

    def test_other_seeds_and_rounds_start_elsewhere(self):
        starts = []
        for number, options in enumerate(({}, {"round": "2"}, {"seed": "1"})):
            self.synthesize(out=f"{number}.h5", apart="0", **options)
            starts.append(self.read(f"{number}.h5")[4].tolist())
        self.assertTrue(starts[0] != starts[1] != starts[2] != starts[0])


class Refusals(SynthesizeCase):
    def refused(self, code, part, words, **more):
        finished = run(words, **more)
        self.assertEqual(finished.returncode, code, finished.stderr)
        self.assertEqual(len(error_lines(finished)), 1, finished.stderr)
        self.assertIn(part, finished.stderr)
        self.assertFalse(os.path.exists("new.h5"))

    def test_bad_input(self):
        with h5py.File("bare.h5", "w") as file:
            file["features"] = numpy.zeros((4, 3), "f4")
            file["inputs"] = numpy.zeros((4, 2))
            file["inputs"].attrs["names"] = ["width", "length"]
        with h5py.File("named.h5", "w") as file:
            file["features"] = numpy.zeros((4, 3), "f4")
            file["inputs"] = numpy.zeros((4, 3))
            file["ids"] = numpy.arange(4)
        with h5py.File("partly.h5", "w") as file:
            file["inputs"] = numpy.zeros((4, 2))
            file["inputs"].attrs["names"] = ["width", "length"]
            file["inputs"].attrs["ranges"] = ["0,1", ""]
        texts = {"two": ranges_text([(0, 1), (0, 1)]), "turned": ranges_text([(0, 1), (2, 1), (0, 1)]),
                 "nan": ranges_text([(0, 1), (0, 1), ("nan", 1)]), "far": ranges_text([(1e17, 1e18)]),
                 "empty": ""}
        for name, text in texts.items():
            pathlib.Path(f"{name}.csv").write_text(text, encoding="utf-8")
        overflow = [[Layer(numpy.full((1, 1), 1e38), numpy.full(1, 3e38), "identity")]] * 2
        model_file.write_model("overflow.h5", model_file.Model("regression", overflow, 1))
        for code, part, options in (
                (65, "two.csv: declares 2 input(s), but nets.h5 reads 3 feature(s)",
                 {"ranges": "two.csv"}),
                (65, "bare.h5: /inputs: no declared ranges of width, length; give --ranges a CSV",
                 {"ranges": "bare.h5"}),
                (65, "partly.h5: /inputs@ranges: input 'length': no declared range",
                 {"ranges": "partly.h5"}),
                (65, "turned.csv: input 'x1': low 2 is not below high 1", {"ranges": "turned.csv"}),
                (65, "nan.csv: input 'x2': nan is no bound", {"ranges": "nan.csv"}),
                (65, "empty.csv: declares no input", {"ranges": "empty.csv"}),
                (66, "missing.csv", {"ranges": "missing.csv"}),
                (66, "missing.h5", {"model": "missing"}),
                (64, "--score: 'random' reads no model", {"score": "random"}),
                (64, "--score entropy: cannot be computed", {"score": "entropy"}),
                (64, "--score: 'column:x' is read of a pool's rows", {"score": "column:x"}),
                (64, "--score: 'knn_density' is prepared", {"score": "knn_density*committee_std"}),
                (65, "overflow.h5: says nothing finite at any of 200 starts",
                 {"model": "overflow", "ranges": "far.csv"}),
                (64, "--batch B: missing", {"queue": "queue"}),
                (64, "--queue DIR: missing", {"batch": "3"}),
                (64, "--snap-to: nowhere to put the batch", {"snap_to": "bare.h5"}),
                (64, "--labels: only rows of a pool", {"labels": "x", "batch": "3", "queue": "q"}),
                (65, "bare.h5: /inputs[0]: holds 2 float64 a row, but what is synthesized has 3",
                 {"append_to": "bare.h5"}),
                (65, "named.h5: /ids[0]: what is synthesized has no ids",
                 {"append_to": "named.h5"}),
                (64, "--append-to: the ends cannot be rows and give way", {
                    "append_to": "bare.h5", "snap_to": "bare.h5", "batch": "3", "queue": "q"}),
                (64, "--apart: not a share", {"apart": "2"}),
                (64, "--memory: 2,000,000 starts", {"starts": "2e6", "memory": "0.1"}),
                (64, "--starts", {"starts": "0"}),
                (73, "no/new.h5", {"out": "no/new.h5"})):
            with self.subTest(part=part):
                self.refused(code, part, self.words(**options))
        self.refused(65, "bare.h5: /inputs: no declared", self.words(ranges="bare.h5"), ranks=2)
        self.refused(64, "--ranges FILE: missing", ["synthesize", "--model", "nets.h5", "--score",
                                                    "committee_std", "--out", "new.h5"])

    def test_a_file_of_something_else_is_never_replaced(self):
        pathlib.Path("mine.h5").write_text("mine", encoding="utf-8")
        self.refused(73, "mine.h5: exists already and holds something else",
                     self.words(out="mine.h5"))
        self.assertEqual(pathlib.Path("mine.h5").read_text(encoding="utf-8"), "mine")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
