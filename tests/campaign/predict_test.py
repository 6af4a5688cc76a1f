"""`sluice predict`: the numbers, the same bytes from any job, and select from them as with --model.

Numbers are compared with NumPy's in float64, to 1e-5 of the largest.
"""

import os
import pathlib
import shutil
import sys
import tempfile
import unittest

import h5py
import numpy

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / folder) for folder in ("support", "cli")]
from program import error_lines, run
from scripts import SCRIPTS  # puts them on the path of modules

import model_file
from layer_chain import FUNCTIONS, Layer

ROWS, DIM = 1203, 7


def random_members(random, activations, widths, members):
    """Nets [members] of layers with these activations and widths."""
    return [[Layer(random.normal(size=(outputs, inputs)) / numpy.sqrt(inputs),
                   random.normal(size=outputs), activation)
             for activation, inputs, outputs in zip(activations, widths, widths[1:])]
            for _ in range(members)]


def said(model, features):
    """What a model's members say [N,M,...] in float64, before temperature or target."""
    values = features.astype("f8")
    if model.input:
        values = (values - model.input.mean) / model.input.scale
    members = []
    for layers in model.members:
        x = values
        for layer in layers:
            x = FUNCTIONS[layer.activation](x @ layer.weight.T + layer.bias)
        members.append(x)
    return numpy.stack(members, axis=1)


def write_features(path, features, **layout):
    with h5py.File(path, "w") as file:
        file.create_dataset("features", data=features, **layout)


class PredictCase(unittest.TestCase):
    """A pool and models of each kind; every test has a folder of its own in which it stands."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.shared = pathlib.Path(folder.name)
        random = numpy.random.default_rng(11)
        cls.features = random.normal(2, 3, size=(ROWS, DIM)).astype("f4")
        write_features(cls.shared / "pool.h5", cls.features)
        Model, normal = model_file.Model, model_file.Normalization
        scaled = normal(numpy.full(DIM, 2.0), numpy.full(DIM, 3.0))
        cls.models = {
            "committee": Model("classification", random_members(
                random, ("silu", "identity"), (DIM, 16, 5), 4), 5, scaled, temperature=1.5),
            "one": Model("classification", random_members(
                random, ("tanh", "identity"), (DIM, 8, 3), 1), 3),
            "numbers": Model("regression", random_members(
                random, ("relu", "identity"), (DIM, 12, 2), 3), 2, scaled,
                normal(numpy.array([5.0, -1.0]), numpy.array([2.0, 0.1])),
                target_names=["energy", "gap"], target_units=["Eh", "eV"]),
            "gaussian": Model("regression", random_members(
                random, ("cosine", "identity"), (DIM, 9, 4), 3), 2, scaled,
                normal(numpy.array([5.0, -1.0]), numpy.array([2.0, 0.1])),
                predicts_variance=True)}
        for name, model in cls.models.items():
            model_file.write_model(cls.shared / f"{name}.h5", model)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def predict(self, model, *options, pool=None, ranks=0, **more):
        """One run, the result in out.h5."""
        pools = [self.shared / "pool.h5"] if pool is None else pool
        return run(["predict", "--pool", *pools, "--model", self.shared / f"{model}.h5",
                    "--out", "out.h5", *options], ranks, **more)

    def bytes_of(self, *arguments, **more):
        finished = self.predict(*arguments, **more)
        self.assertEqual(finished.returncode, 0, finished.stderr)
        data = pathlib.Path("out.h5").read_bytes()
        os.unlink("out.h5")
        self.assertEqual(os.listdir(), [])
        return data


class Numbers(PredictCase):
    def written(self, model):
        finished = self.predict(model)
        self.assertEqual(finished.returncode, 0, finished.stderr)
        with h5py.File("out.h5") as file:
            found = {name: dataset[:] for name, dataset in file.items()}
            self.assertEqual(len(file.attrs["model"]), 64)
            self.assertEqual(file.attrs["format"], b"sluice-pool")
            kinds = {name: dict(dataset.attrs) for name, dataset in file.items()}
        self.assertTrue(all(values.dtype == "<f4" for values in found.values()))
        checked = run(["check", "out.h5"])
        self.assertEqual(checked.returncode, 0, checked.stderr)
        return finished.stdout, found, kinds

    def assert_near(self, found, wanted):
        self.assertEqual(found.shape, wanted.shape)
        worst, largest = numpy.abs(found - wanted).max(), numpy.abs(wanted).max()
        self.assertTrue(worst <= 1e-5 * largest, (worst, largest))

    def test_classifiers_say_logits(self):
        stdout, found, kinds = self.written("committee")
        self.assertIn("out.h5: 1,203 rows, committee [4,5] of logits (model ", stdout)
        self.assertEqual((list(found), kinds["committee"]["kind"]), (["committee"], b"logit"))
        self.assert_near(found["committee"], said(self.models["committee"], self.features) / 1.5)
        os.unlink("out.h5")
        stdout, found, kinds = self.written("one")
        self.assertIn("probabilities [3] of logits", stdout)
        self.assertEqual((list(found), kinds["probabilities"]["kind"]),
                         (["probabilities"], b"logit"))
        self.assert_near(found["probabilities"], said(self.models["one"], self.features)[:, 0])

    def test_regressions_say_predictions_and_variances(self):
        stdout, found, kinds = self.written("numbers")
        self.assertIn("predictions [3,2] (model ", stdout)
        self.assertEqual([list(kinds["predictions"][name]) for name in ("names", "units")],
                         [[b"energy", b"gap"], [b"Eh", b"eV"]])
        mean, scale = self.models["numbers"].target
        own = said(self.models["numbers"], self.features)
        self.assert_near(found["predictions"], own * scale + mean)
        os.unlink("out.h5")
        stdout, found, _ = self.written("gaussian")
        self.assertIn("predictions [3,2], variances [3,2] (model ", stdout)
        own = said(self.models["gaussian"], self.features)
        self.assert_near(found["predictions"], own[..., :2] * scale + mean)
        self.assert_near(found["variances"], numpy.exp(own[..., 2:]) * scale ** 2)


class OneAnswer(PredictCase):
    def test_the_same_bytes_from_any_job(self):
        write_features(self.shared / "first.h5", self.features[:700], chunks=(50, DIM))
        write_features(self.shared / "second.h5", self.features[700:], chunks=(64, DIM),
                       compression="gzip", shuffle=True)
        parts = [self.shared / "first.h5", self.shared / "second.h5"]
        wanted = self.bytes_of("committee", "--threads", "1")
        for ranks in (1, 2, 3):
            self.assertEqual(self.bytes_of("committee", ranks=ranks), wanted)
        for options in (("--threads", "3", "--block-rows", "7"), ("--block-rows", "1"),
                        ("--memory", "0.0001")):
            self.assertEqual(self.bytes_of("committee", *options), wanted)
        environment = {"SLUICE_ISA": "baseline"}
        self.assertEqual(self.bytes_of("committee", environment=environment), wanted)
        wanted = self.bytes_of("gaussian", "--threads", "1")
        self.assertEqual(self.bytes_of("gaussian", pool=parts, ranks=3), wanted)

    def test_no_rows_and_fewer_rows_than_ranks(self):
        for rows in (0, 2):
            path = self.shared / f"rows{rows}.h5"
            write_features(path, self.features[:rows])
            one = self.bytes_of("committee", pool=[path])
            self.assertEqual(self.bytes_of("committee", pool=[path], ranks=3), one)

    def select(self, pool, *options):
        finished = run(["select", "--pool", pool, "--batch", "40", "--seed", "3", "--selected",
                        "selected.csv", *options])
        self.assertEqual(finished.returncode, 0, finished.stderr)
        return pathlib.Path("selected.csv").read_text(encoding="utf-8")

    def test_select_from_the_predictions_is_select_with_the_model(self):
        for model, scores in (("committee", ("bald", "margin", "vote_entropy")),
                              ("one", ("boundary",)), ("numbers", ("committee_std",)),
                              ("gaussian", ("committee_std",))):
            self.assertEqual(self.predict(model).returncode, 0)
            shutil.copy(self.shared / "pool.h5", "both.h5")
            with h5py.File("both.h5", "a") as both, h5py.File("out.h5") as out:
                for name in out:
                    out.copy(name, both)
            for score in scores:
                with self.subTest(model=model, score=score):
                    stored = self.select("both.h5", "--score", score)
                    self.assertEqual(len(stored.splitlines()), 41)
                    self.assertEqual(self.select(self.shared / "pool.h5", "--score", score,
                                                 "--model", self.shared / f"{model}.h5"), stored)
            os.unlink("out.h5")


    def test_scores_that_stored_numbers_do_not_allow(self):
        with h5py.File("shares.h5", "w") as file:
            file["features"] = self.features
            file["probabilities"] = numpy.full((ROWS, 4), 0.25, "f4")
        common = ["select", "--batch", "9", "--selected", "selected.csv", "--pool"]
        for score, code, part in (
                ("boundary", 65, "holds probabilities, but score 'boundary' reads logits"),
                ("total_std", 64, "score 'total_std' reads what only a model says; give --model")):
            finished = run([*common, "shares.h5", "--score", score])
            self.assertEqual((finished.returncode, len(error_lines(finished))), (code, 1))
            self.assertIn(part, finished.stderr)
        self.select(self.shared / "pool.h5", "--score", "total_std", "--model",
                    self.shared / "gaussian.h5")


class Refusals(PredictCase):
    def refused(self, code, part, finished, left=()):
        self.assertEqual(finished.returncode, code, finished.stderr)
        self.assertEqual(len(error_lines(finished)), 1, finished.stderr)
        self.assertIn(part, finished.stderr)
        self.assertEqual(sorted(os.listdir()), sorted(left))

    def test_bad_input(self):
        write_features(self.shared / "narrow.h5", self.features[:, :5])
        with h5py.File(self.shared / "bare.h5", "w") as file:
            file["probabilities"] = numpy.full((9, 3), 1 / 3, "f4")
        (self.shared / "text.h5").write_text("no HDF5 file")
        whole = (self.shared / "one.h5").read_bytes()
        (self.shared / "torn.h5").write_bytes(whole[:len(whole) // 2])
        os.mkdir("folder")
        folder = ["folder"]
        for code, part, model, options, pool in [
                (65, "the model reads 7 features, but", "one", (), "narrow.h5"),
                (65, "/features: no such dataset", "one", (), "bare.h5"),
                (65, "is no model of sluice (", "pool", (), "pool.h5"),
                (65, "text.h5", "text", (), "pool.h5"),
                (65, "torn.h5", "torn", (), "pool.h5"),
                (66, "missing.h5", "missing", (), "pool.h5"),
                (66, "missing.h5", "one", (), "missing.h5"),
                (73, "folder: exists already", "one", ("--out", "folder"), "pool.h5"),
                (73, "there is no directory no", "one", ("--out", "no/out.h5"), "pool.h5"),
                (64, "--memory: predicting needs", "one", ("--memory", "0.00001", "--block-rows",
                                                           "1000"), "pool.h5"),
                (64, "--memory", "one", ("--memory", "-1"), "pool.h5"),
                (64, "--modle", "one", ("--modle", "x"), "pool.h5")]:
            with self.subTest(part=part, pool=pool):
                out = ("--out", "out.h5") if "--out" not in options else ()
                self.refused(code, part, run(["predict", "--pool", self.shared / pool, "--model",
                                              self.shared / f"{model}.h5", *out, *options]), folder)
        self.refused(64, "--out", run(["predict", "--pool", self.shared / "pool.h5", "--model",
                                       self.shared / "one.h5"]), folder)

    def test_an_existing_file_is_never_replaced(self):
        pathlib.Path("out.h5").write_text("mine", encoding="utf-8")
        self.refused(73, "out.h5: exists already", self.predict("one", ranks=2), ["out.h5"])
        self.assertEqual(pathlib.Path("out.h5").read_text(encoding="utf-8"), "mine")

    def test_rows_without_numbers(self):
        features = self.features.copy()
        features[1000, 2] = numpy.nan
        features[801, 4] = numpy.inf
        path = self.shared / "holes.h5"
        write_features(path, features)
        for ranks in (0, 3):
            self.refused(65, "holes.h5: /features[801]: ", self.predict(
                "committee", pool=[path], ranks=ranks))
        finished = self.predict("committee", "--bad-rows", "skip", pool=[path], ranks=2)
        self.assertEqual(finished.returncode, 0, finished.stderr)
        self.assertIn("1,203 rows, 2 of them NaN, committee", finished.stdout)
        with h5py.File("out.h5") as file:
            bad = numpy.isnan(file["committee"][:]).all(axis=(1, 2))
            self.assertEqual(list(numpy.flatnonzero(bad)), [801, 1000])

    def test_a_rank_that_dies_leaves_no_file_under_the_name(self):
        for fault in ("predict:1:kill", "publish:0:throw"):
            finished = self.predict("one", ranks=2, environment={"SLUICE_FAULT": fault})
            self.assertNotEqual(finished.returncode, 0)
            self.assertEqual([name for name in os.listdir() if not name.startswith(".")], [])
        self.assertEqual(self.predict("one").returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
