"""Models with known scores, ranges, and `sluice synthesize` run on them."""

import csv
import os
import pathlib
import sys
import tempfile
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from program import run
from scripts import SCRIPTS  # puts them on the path of modules

import model_file
from layer_chain import FUNCTIONS, Layer

LOW, HIGH = numpy.array([-2.0, 0.0, 10.0]), numpy.array([2.0, 1.0, 40.0])


def net(random, widths, activation="tanh"):
    return [Layer(random.normal(size=(outputs, inputs)) / numpy.sqrt(inputs),
                  random.normal(size=outputs), name)
            for inputs, outputs, name in zip(widths, widths[1:],
                                             [activation] * (len(widths) - 2) + ["identity"])]


def wave():
    """Members +cos x and -cos x: their deviation is |cos x|, 1 at x = 0 and at multiples of pi."""
    return model_file.Model("regression", [
        [Layer(numpy.ones((1, 1)), numpy.zeros(1), "cosine"),
         Layer(numpy.full((1, 1), sign), numpy.zeros(1), "identity")] for sign in (1.0, -1.0)], 1)


def deviation(model, x):
    """committee_std [N] of features [N,D] in float64."""
    said = []
    for layers in model.members:
        values = (x - model.input.mean) / model.input.scale if model.input else x
        for layer in layers:
            values = FUNCTIONS[layer.activation](values @ layer.weight.T + layer.bias)
        said.append(values)
    return numpy.std(numpy.stack(said, axis=1), axis=1).max(axis=1)


def ranges_text(bounds):
    return "name,low,high,unit\n" + "".join(
        f"x{i},{low},{high},m\n" for i, (low, high) in enumerate(bounds))


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


class SynthesizeCase(unittest.TestCase):
    """Each test stands in a folder of its own with models and ranges."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        random = numpy.random.default_rng(3)
        scaled = model_file.Normalization((LOW + HIGH) / 2, (HIGH - LOW) / 2)
        self.nets = model_file.Model("regression", [net(random, (3, 12, 1)) for _ in range(4)], 1,
                                     scaled)
        model_file.write_model("wave.h5", wave())
        model_file.write_model("nets.h5", self.nets)
        model_file.write_model("classes.h5", model_file.Model(
            "classification", [net(random, (3, 9, 4), "relu") for _ in range(3)], 4, scaled))
        pathlib.Path("wave.csv").write_text(ranges_text([(-1, 2)]), encoding="utf-8")
        pathlib.Path("nets.csv").write_text(ranges_text(zip(LOW, HIGH)), encoding="utf-8")

    def words(self, model="nets", score="committee_std", starts=200, **options):
        words = {"model": f"{model}.h5", "score": score, "starts": starts, "out": "new.h5",
                 "ranges": "wave.csv" if model == "wave" else "nets.csv", **options}
        return ["synthesize", *(word for name, value in words.items()
                                for word in (f"--{name.replace('_', '-')}", value))]

    def synthesize(self, *more, ranks=0, environment=None, **options):
        finished = run([*self.words(**options), *more], ranks, environment=environment or {})
        self.assertEqual(finished.returncode, 0, finished.stderr)
        return finished.stdout

    def read(self, path="new.h5"):
        with h5py.File(path) as file:
            return (file["features"][:], file["inputs"][:], file["ids"].asstr()[:],
                    file["columns/score"][:], file["columns/start_score"][:],
                    file["columns/start"][:])
