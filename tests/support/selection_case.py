"""A pool of 300 rows and `sluice select` on it, for tests of what a selection chooses."""

import csv
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

BINARY = os.environ["SLUICE_BINARY"]
ROWS, BATCH = 300, 12
WEATHER = np.array(["sunny", "cloudy", "rain, snow"])


def embeddings(kind, **strategy):
    return {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": kind, **strategy}}


def metadata(key, **strategy):
    return {"input": {"type": "METADATA", "key": key}, "strategy": strategy}


MARGIN = {"input": {"type": "SCORES", "task": "t", "score": "uncertainty_margin"},
          "strategy": {"type": "WEIGHTS"}}


class SelectionCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        random = np.random.default_rng(31)
        self.features = random.normal(size=(ROWS, 4)).astype(np.float32)
        self.probabilities = random.dirichlet(np.ones(4), ROWS).astype(np.float32)
        self.weather = WEATHER[random.choice(3, ROWS, p=[0.6, 0.37, 0.03])]
        self.sharpness = random.random(ROWS)
        top = np.sort(self.probabilities.astype(np.float64), axis=1)
        self.margin = 1 - (top[:, -1] - top[:, -2])
        with h5py.File(self.at("pool.h5"), "w") as file:
            file.attrs["format"] = "sluice-pool"
            file.attrs["format_version"] = 1
            file["features"] = self.features
            file["probabilities"] = self.probabilities
            file["probabilities"].attrs["names"] = ["car", "bus", "bike", "tram"]
            file["groups"] = np.arange(ROWS, dtype=np.uint64) // 60
            file["columns/sharpness"] = self.sharpness
            file["columns/bad"] = self.sharpness - 0.5
            for name, values in (("ids", [f"img-{row}" for row in range(ROWS)]),
                                 ("columns/weather", self.weather)):
                file.create_dataset(name, data=np.array(values, dtype=object),
                                    dtype=h5py.string_dtype())

    def at(self, name):
        return str(self.folder / name)

    def write(self, name, text):
        (self.folder / name).write_text(text if isinstance(text, str) else json.dumps(text),
                                        encoding="utf-8")
        return self.at(name)

    def run_select(self, *options, ranks=1, expect=0):
        launch = [] if ranks == 1 else ["mpirun", "-n", str(ranks), "--bind-to", "none",
                                        "--oversubscribe"]
        result = subprocess.run(
            [*launch, BINARY, "select", "--pool", self.at("pool.h5"), *options],
            capture_output=True, text=True, timeout=120)
        self.assertEqual(result.returncode, expect, result.stderr)
        return result.stdout if expect == 0 else next(
            line for line in result.stderr.splitlines() if "error:" in line)

    def select(self, *options, ranks=(1, 3)):
        """The batch, which is the same for any number of ranks and block size."""
        answers = set()
        for count, blocks in zip(ranks, ("auto", "7")):
            self.run_select("--selected", self.at("s.csv"), "--block-rows", blocks, *options,
                            ranks=count)
            answers.add((self.folder / "s.csv").read_text(encoding="utf-8"))
        self.assertEqual(len(answers), 1)
        return list(csv.DictReader(answers.pop().splitlines()))

    def best(self, rows, count):
        return sorted(rows, key=lambda row: (-self.margin[row], row))[:count]

    @staticmethod
    def rows_of(batch):
        return [int(record["row"]) for record in batch]
