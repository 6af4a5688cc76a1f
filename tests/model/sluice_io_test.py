"""scripts/sluice_io.py, there and back: pools in chunks, batches, labels, predictions and models, against what sluice
itself writes and computes; and the examples that take a PyTorch ensemble through it."""

import csv
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from fault_injection import memory_directory
from scripts import pool_file

import model_file
import sluice_io

BINARY = os.environ["SLUICE_BINARY"]
EXAMPLES = pathlib.Path(os.environ["SLUICE_SOURCE"]) / "jobs/examples/torch-ensemble"
ROWS = 500


class IoCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=memory_directory())
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        random = numpy.random.default_rng(7)
        self.features = random.normal(size=(ROWS, 5)).astype("f4")
        self.logits = random.normal(size=(ROWS, 3, 4)).astype("f4")
        self.classes = (self.features[:, 0] > 0).astype("i4") + 2 * (self.features[:, 1] > 0)
        self.targets = numpy.stack([self.features.sum(axis=1), self.features[:, 0] * 100 + 7], axis=1)

    def sluice(self, *words, code=0):
        result = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(result.returncode, code, result)
        return result

    def refused(self, code, part, call, *arguments, **named):
        before = sorted(pathlib.Path().rglob("*"))
        with self.assertRaises(pool_file.Failure) as raised:
            call(*arguments, **named)
        self.assertEqual(raised.exception.code, code)
        self.assertRegex(str(raised.exception), part)
        self.assertEqual(sorted(pathlib.Path().rglob("*")), before)

    def near(self, found, wanted, tolerance=2e-6):
        self.assertEqual(found.shape, wanted.shape)
        limit = tolerance * max(1.0, numpy.abs(wanted).max())
        self.assertLessEqual(numpy.abs(found - wanted).max(), limit)


class Pools(IoCase):
    def test_block_by_block(self):
        ids = numpy.array([f"sample-{i:03}-é" for i in range(ROWS)])
        with sluice_io.PoolWriter("pool.h5", kinds={"committee": "logit"}, names=["a", "b"], units=["m", "s"]) as pool:
            for first in range(0, ROWS, 77):
                part = slice(first, first + 77)
                pool.append({"price": numpy.arange(ROWS)[part]}, features=self.features[part].astype("f2"),
                            committee=self.logits[part], inputs=self.features[part, :2].astype("f8"),
                            ids=ids[part], groups=numpy.arange(ROWS, dtype="u8")[part] // 9,
                            cost=numpy.ones(ROWS)[part])
                self.assertFalse(os.path.exists("pool.h5"))
        with h5py.File("pool.h5") as file:
            self.assertEqual((file.attrs["format"], file.attrs["format_version"]), ("sluice-pool", 1))
            numpy.testing.assert_array_equal(file["features"][:], self.features.astype("f2"))
            numpy.testing.assert_array_equal(file["committee"][:], self.logits)
            self.assertEqual(sluice_io.texts_of(file["ids"][:]), ids.tolist())
            numpy.testing.assert_array_equal(file["columns/price"][:], numpy.arange(ROWS))
            self.assertEqual(sluice_io.texts_of(file["inputs"].attrs["units"]), ["m", "s"])
        self.assertIn("bald", self.sluice("check", "pool.h5").stdout)

    def test_whole_arrays_are_cut_into_blocks(self):
        arrays = {"features": self.features, "ids": numpy.arange(ROWS)}
        self.assertEqual(sluice_io.write_pool("one.h5", **arrays), ROWS)
        sluice_io.write_pool("many.h5", rows_at_once=13, columns={"x": self.features[:, 0]}, **arrays)
        with h5py.File("one.h5") as one, h5py.File("many.h5") as many:
            for name in arrays:
                numpy.testing.assert_array_equal(one[name][:], many[name][:])

    def test_refusals(self):
        self.refused(65, "different length", sluice_io.write_pool, "p.h5", features=self.features,
                     committee=self.logits[:9], rows_at_once=20)
        self.refused(64, "a pool has no 'feature'", sluice_io.write_pool, "p.h5", feature=self.features)
        self.refused(65, "dimensions", sluice_io.write_pool, "p.h5", features=self.logits)
        wide = self.features.astype("f8")
        wide[400, 2] = 1e300
        self.refused(65, r"features\[400\]: too large", sluice_io.write_pool, "p.h5", features=wide, rows_at_once=64)
        self.refused(64, "kind of 'committee'", sluice_io.write_pool, "p.h5", kinds={"committee": "logit"},
                     features=self.features)
        sluice_io.write_pool("p.h5", features=self.features)
        self.refused(73, "exists already", sluice_io.write_pool, "p.h5", features=self.features)

        def another_array():
            with sluice_io.PoolWriter("q.h5") as pool:
                pool.append(features=self.features)
                pool.append(features=self.features, ids=numpy.arange(ROWS))
        self.refused(64, "append the same", another_array)

        def broken_off():
            with sluice_io.PoolWriter("q.h5") as pool:
                pool.append(features=self.features)
                raise pool_file.Failure(1, "the ensemble broke")
        self.refused(1, "broke", broken_off)
        self.refused(65, "no rows", lambda: sluice_io.PoolWriter("q.h5").__enter__().__exit__(None, None, None))


class Batches(IoCase):
    def test_read_as_published(self):
        sluice_io.write_pool("pool.h5", kinds={"committee": "logit"}, names=["u", "v"], features=self.features,
                             committee=self.logits, inputs=self.features[:, :2])
        select = ("select", "--pool", "pool.h5", "--queue", "queue", "--score", "bald", "--batch", 12)
        self.sluice(*select)
        self.sluice(*select, "--round", 2, "--diversify", "none")
        issued = sluice_io.batches("queue")
        self.assertEqual(len(issued), 2)
        for number, name in enumerate(issued):
            batch = sluice_io.read_batch(f"queue/batches/{name}")
            with open(f"queue/batches/{name}/selected.csv", encoding="utf-8") as file:
                lines = list(csv.DictReader(file))
            self.assertEqual(batch.rows.tolist(), [int(line["row"]) for line in lines])
            self.assertEqual(batch.ids, [line["id"] for line in lines])
            self.assertEqual(batch.score.tolist(), [numpy.float32(line["score"]) for line in lines])
            self.assertEqual(numpy.isnan(batch.distance).all(), number == 1)
            numpy.testing.assert_array_equal(batch.features, self.features[batch.rows])
            numpy.testing.assert_array_equal(batch.inputs, self.features[batch.rows, :2].astype("f8"))
            self.assertEqual((batch.id, batch.names), (name, ["u", "v"]))
        self.refused(66, "no published batch", sluice_io.read_batch, "queue/batches/0")


class Labels(IoCase):
    def test_there_and_back(self):
        rows = numpy.array([9, 3, 400, 7])
        sluice_io.write_labels("labels.h5", rows, numpy.array([1, -1, 0, 2]), self.features[rows])
        labels = sluice_io.read_labels("labels.h5")
        self.assertEqual((labels.rows.tolist(), labels.y.tolist()), ([7, 9, 400], [2, 1, 0]))
        numpy.testing.assert_array_equal(labels.features, self.features[[7, 9, 400]])
        sluice_io.write_labels("targets.h5", rows, numpy.array([0.5, numpy.nan, 2, 3]))
        targets = sluice_io.read_labels("targets.h5")
        self.assertEqual((targets.rows.tolist(), targets.y.tolist()), ([7, 9, 400], [[3], [0.5], [2]]))
        self.assertIsNone(targets.features)

    def test_the_first_label_of_a_row_counts(self):
        os.mkdir("labels")
        sluice_io.write_labels("labels/labels.g0001.h5", [5, 6], numpy.array([1, 2]))
        sluice_io.write_labels("labels/labels.g0002.h5", [7, 5], numpy.array([0, 0]))
        labels = sluice_io.read_labels("labels")
        self.assertEqual((labels.rows.tolist(), labels.y.tolist()), ([5, 6, 7], [1, 2, 0]))

    def test_select_spares_them(self):
        sluice_io.write_pool("pool.h5", features=self.features)
        sluice_io.write_labels("labels.h5", numpy.arange(490), self.classes[:490])
        self.sluice("select", "--pool", "pool.h5", "--queue", "queue", "--labels", "labels.h5", "--score", "random",
                    "--batch", 10)
        batch = sluice_io.read_batch(f"queue/batches/{sluice_io.batches('queue')[0]}")
        self.assertEqual(sorted(batch.rows), list(range(490, 500)))

    def test_refusals(self):
        self.refused(65, "twice", sluice_io.write_labels, "l.h5", [1, 1], numpy.array([0, 1]))
        self.refused(65, "whole numbers", sluice_io.write_labels, "l.h5", [1.5], numpy.array([0]))
        self.refused(66, "no such file", sluice_io.read_labels, "l.h5")
        pathlib.Path("text.h5").write_text("text", encoding="utf-8")
        self.refused(65, "is it HDF5", sluice_io.read_labels, "text.h5")


class Models(IoCase):
    """What `sluice train` leaves, in NumPy and PyTorch, against `sluice predict`."""

    def trained(self, y, *options):
        sluice_io.write_pool("pool.h5", features=self.features)
        sluice_io.write_labels("labels.h5", numpy.arange(ROWS), y, self.features)
        self.sluice("train", "--labels", "labels.h5", "--out", "model.h5", "--members", 3, "--epochs", 8, *options)
        return sluice_io.read_model("model.h5")

    def predicted(self, name, model="model.h5"):
        pathlib.Path("said.h5").unlink(missing_ok=True)
        self.sluice("predict", "--pool", "pool.h5", "--model", model, "--out", "said.h5", "--device", "cpu")
        with h5py.File("said.h5") as file:
            return file[name][:]

    def test_classes(self):
        model = self.trained(self.classes, "--hidden", "16,8")
        said = self.predicted("committee")
        self.near(sluice_io.outputs(model, self.features), said, 1e-5)
        self.near(self.torch(model), said, 1e-5)

    def test_targets(self):
        model = self.trained(self.targets, "--hidden", "16")
        said = self.predicted("predictions")
        self.near(sluice_io.outputs(model, self.features), said, 1e-5)
        self.near(self.torch(model), said, 1e-5)

    def test_random_fourier_features(self):
        model = self.trained(self.classes, "--random-features", "32", "--hidden", "none")
        self.near(self.torch(model), self.predicted("committee"), 1e-4)

    def test_variances(self):
        model = self.trained(self.targets, "--hidden", "16", "--head", "gaussian")
        predictions = self.predicted("predictions")
        found = sluice_io.outputs(model, self.features)
        self.near(found[..., :2], predictions, 1e-5)
        with h5py.File("said.h5") as file:
            self.near(found[..., 2:], file["variances"][:], 1e-5)
        self.refused(69, "variances", sluice_io.torch_heads, model)

    def test_written_back_it_says_the_same(self):
        model = self.trained(self.targets, "--hidden", "16")
        model_file.write_model(pathlib.Path("again.h5"), model)
        numpy.testing.assert_array_equal(self.predicted("predictions", "again.h5"), self.predicted("predictions"))

    def test_dropout_masks_are_left_to_sluice(self):
        model = self.trained(self.classes, "--hidden", "16", "--masks", "4")
        self.refused(69, "dropout", sluice_io.outputs, model, self.features)

    def torch(self, model):
        import torch
        with torch.no_grad():
            heads = [head(torch.as_tensor(self.features)) for head in sluice_io.torch_heads(model)]
        return torch.stack(heads, dim=1).numpy()


class Examples(IoCase):
    def example(self, *words):
        result = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, check=False,
                                timeout=100)
        self.assertEqual(result.returncode, 0, result)
        return result.stdout

    def test_an_ensemble_asks_and_learns(self):
        out = self.example(EXAMPLES / "loop.py", "--sluice", BINARY, "--work", "loop", "--rounds", 2, "--batch", 40,
                           "--members", 2, "--epochs", 30)
        rounds = re.findall(r"round (\d)  (\w+) +(\d+) labels  accuracy ([\d.]+)", out)
        self.assertEqual([(n, arm, labels) for n, arm, labels, _ in rounds],
                         [(str(n), arm, str(40 * n)) for n in (1, 2) for arm in ("two_stage", "random")])
        self.assertEqual(rounds[0][3], rounds[1][3])  # the same start
        self.assertGreater(float(rounds[2][3]), float(rounds[0][3]))
        asked = sluice_io.read_labels("loop/two_stage/labels").rows
        self.assertEqual(len(asked), 120)
        self.assertLess(asked.max(), 1797 - 500)

    def test_an_ensemble_becomes_the_committee(self):
        sluice_io.write_pool("pool.h5", features=self.features)
        for name, y in (("classes", self.classes), ("targets", self.targets)):
            sluice_io.write_labels(f"{name}.h5", numpy.arange(200), y[:200], self.features[:200])
            self.sluice("train", "--labels", f"{name}.h5", "--out", f"{name}_model.h5", "--train-command",
                        f"{sys.executable} {EXAMPLES}/train.py {{labels}} {{model}} {{seed}}")
            model = sluice_io.read_model(f"{name}_model.h5")
            said = sluice_io.outputs(model, self.features[200:]).mean(axis=1)
            if name == "classes":
                self.assertGreater((said.argmax(axis=1) == self.classes[200:]).mean(), 0.85)
            else:
                error = (said - self.targets[200:]).std(axis=0) / self.targets.std(axis=0)
                self.assertLess(error.max(), 0.3)
            score = "entropy" if name == "classes" else "committee_std"
            self.sluice("select", "--pool", "pool.h5", "--queue", f"{name}_queue", "--model", f"{name}_model.h5",
                        "--labels", f"{name}.h5", "--score", score, "--batch", 10)
            self.assertEqual(len(sluice_io.batches(f"{name}_queue")), 1)

    def test_predictions_by_a_trainer_without_a_model(self):
        sluice_io.write_pool("pool.h5", features=self.features)
        sluice_io.write_labels("labels.h5", numpy.arange(50), self.classes[:50], self.features[:50])
        pathlib.Path("say.py").write_text(
            f"import sys; sys.path.insert(0, {str(pathlib.Path(sluice_io.__file__).parent)!r})\n"
            "import h5py, numpy, sluice_io\n"
            "labels, pool, out = sys.argv[1:4]\n"
            "features = h5py.File(pool)['features']\n"
            "means = numpy.stack([sluice_io.read_labels(labels).features * k for k in (1, 2)]).mean(axis=1)\n"
            "said = -((features[:][:, None, :] - means) ** 2)[:, :, :4]\n"
            "sluice_io.write_pool(out, kinds={'committee': 'logit'}, committee=said)\n", encoding="utf-8")
        self.sluice("train", "--labels", "labels.h5", "--pool", "pool.h5", "--predictions", "said.h5", "--train-command",
                    f"{sys.executable} say.py {{labels}} {{pool}} {{predictions}}")
        self.assertIn("bald", self.sluice("check", "said.h5").stdout)
        self.sluice("select", "--pool", "said.h5", "--queue", "queue", "--score", "bald", "--diversify", "none",
                    "--batch", 5)


if __name__ == "__main__":
    unittest.main()
