"""The scripts that make pools out of arrays, CSV files and scikit-learn's digits."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from scripts import SCRIPTS, run_here


class ScriptCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        self.random = numpy.random.default_rng(1)

    def run_script(self, name, *arguments):
        return run_here(name, arguments)

    def convert(self, *arguments):
        return self.run_script("npy_to_pool.py", *arguments, "--out", "pool.h5")

    def converted(self, *arguments):
        finished = self.convert(*arguments)
        self.assertEqual(finished.returncode, 0, finished.stderr)
        file = h5py.File(self.folder / "pool.h5", "r")
        self.addCleanup(file.close)
        return file

    def refused(self, code, part, *arguments):
        finished = self.convert(*arguments)
        self.assertEqual(finished.returncode, code, finished.stderr)
        self.assertEqual(len(finished.stderr.splitlines()), 1, finished.stderr)
        self.assertTrue(finished.stderr.startswith("sluice: error: "), finished.stderr)
        self.assertIn(part, finished.stderr)
        left = [path.name for path in self.folder.iterdir() if "pool.h5" in path.name]
        self.assertEqual(left, [])

    def save(self, name, array):
        numpy.save(self.folder / name, array)
        return array

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")


class NpyToPool(ScriptCase):
    def test_arrays_become_datasets(self):
        features = self.save("f.npy", self.random.normal(size=(50, 4)).astype("f4"))
        shares = self.save("p.npy", self.random.dirichlet(numpy.ones(3), 50))
        committee = self.save("c.npy", self.random.dirichlet(numpy.ones(3), (50, 2)))
        predictions = self.save("y.npy", self.random.normal(size=(50, 2)).astype("f2"))
        ids = self.save("i.npy", numpy.arange(50)[::-1])
        price = self.save("price.npy", self.random.normal(size=50))
        file = self.converted("--features", "f.npy", "--probabilities", "p.npy", "--committee",
                              "c.npy", "--predictions", "y.npy", "--ids", "i.npy", "--column",
                              "price=price.npy")
        for name, wanted in {"features": features, "probabilities": shares, "committee": committee,
                             "predictions": predictions, "ids": ids,
                             "columns/price": price}.items():
            numpy.testing.assert_array_equal(file[name][:], wanted, name)
            self.assertIsNone(file[name].chunks)
        self.assertEqual([file[name].dtype for name in ("features", "probabilities", "predictions",
                                                        "ids")], ["<f4", "<f8", "<f2", "<u8"])
        self.assertEqual((file.attrs["format"], file.attrs["format_version"]), ("sluice-pool", 1))
        self.assertEqual(file["probabilities"].attrs["kind"], "probability")
        self.assertEqual(list(self.folder.glob(".*")), [])

    def test_options_change_type_chunks_and_kind(self):
        logits = self.save("p.npy", self.random.normal(size=(50, 3)))
        file = self.converted("--probabilities", "p.npy", "--logits", "--dtype", "f16",
                              "--chunk-rows", "8")
        numpy.testing.assert_array_equal(file["probabilities"][:], logits.astype("f2"))
        self.assertEqual(file["probabilities"].chunks, (8, 3))
        self.assertEqual(file["probabilities"].attrs["kind"], "logit")

    def test_members_may_come_first(self):
        committee = self.save("c.npy", self.random.random((2, 50, 3)).astype("f4"))
        file = self.converted("--committee", "c.npy", "--members-first")
        numpy.testing.assert_array_equal(file["committee"][:], committee.transpose(1, 0, 2))

    def test_other_layouts_and_types_are_converted(self):
        features = self.save("f.npy", numpy.asfortranarray(
            self.random.normal(size=(40, 3)).astype(">f4")))
        inputs = self.save("x.npy", numpy.arange(80).reshape(40, 2))
        file = self.converted("--features", "f.npy", "--inputs", "x.npy")
        numpy.testing.assert_array_equal(file["features"][:], features)
        numpy.testing.assert_array_equal(file["inputs"][:], inputs)
        self.assertEqual((file["features"].dtype, file["inputs"].dtype), ("<f4", "<f4"))

    def test_large_arrays_are_converted_in_blocks(self):
        features = self.save("f.npy", self.random.random((70000, 64)).astype("f4"))  # 17 MiB
        file = self.converted("--features", "f.npy")
        numpy.testing.assert_array_equal(file["features"][:], features)

    def test_npz_arrays_are_named_by_key(self):
        arrays = {"x": self.random.random((5, 2)), "p": numpy.full((5, 2), 0.5)}
        numpy.savez(self.folder / "all.npz", **arrays)
        file = self.converted("--features", "all.npz:x", "--probabilities", "all.npz:p")
        numpy.testing.assert_array_equal(file["features"][:], arrays["x"])
        numpy.testing.assert_array_equal(file["probabilities"][:], arrays["p"])

    def test_csv_columns_are_named(self):
        self.write("t.csv", "\ufeffname,x1,x2,x3,number\n"
                            "\"a, b\",1,2.5,-3e4,9007199254740993\n\nß,4,5,6,2\n")
        file = self.converted("--features", "t.csv:x1..x3", "--inputs", "t.csv:x2", "--ids",
                              "t.csv:name", "--column", "n=t.csv:number")
        numpy.testing.assert_array_equal(file["features"][:], [[1, 2.5, -3e4], [4, 5, 6]])
        self.assertEqual(file["inputs"].shape, (2, 1))
        self.assertEqual(list(file["inputs"].attrs["names"]), ["x2"])
        self.assertEqual(list(file["ids"].asstr()[:]), ["a, b", "ß"])
        self.assertEqual(file["columns/n"].shape, (2,))

    def test_csv_ids_keep_all_digits(self):
        self.write("t.csv", "id,x\n9007199254740993,1\n2,2\n")
        file = self.converted("--ids", "t.csv:id", "--features", "t.csv:x")
        self.assertEqual(list(file["ids"][:]), [9007199254740993, 2])

    def test_text_ids_of_arrays(self):
        self.save("i.npy", numpy.array(["a", "größer", "日本"]))
        file = self.converted("--ids", "i.npy")
        self.assertEqual(list(file["ids"].asstr()[:]), ["a", "größer", "日本"])

    def test_no_rows_are_legal(self):
        self.save("f.npy", numpy.zeros((0, 4), "f4"))
        self.assertEqual(self.converted("--features", "f.npy", "--chunk-rows", 5)["features"].shape,
                         (0, 4))

    def test_bad_input_is_refused_in_one_line(self):
        self.save("f.npy", numpy.zeros((5, 2)))
        self.save("short.npy", numpy.zeros((4, 2)))
        self.save("flat.npy", numpy.zeros(5))
        self.save("text.npy", numpy.array([["a", "b"]] * 5))
        self.save("negative.npy", numpy.array([1, -2]))
        self.save("huge.npy", numpy.array([1, 1 << 63], "u8"))
        self.save("wide.npy", numpy.array([[1.0], [1e5]]))
        self.save("objects.npy", numpy.array([[{}]], dtype=object))
        self.write("torn.npy", "not an array")
        self.write("f.txt", "")
        self.write("empty.csv", "")
        self.write("ragged.csv", "a,b\n1,2\n3\n")
        self.write("words.csv", "a\nx\n")
        numpy.savez(self.folder / "two.npz", x=numpy.zeros((2, 2)), y=numpy.zeros((2, 2)))
        cases = [
            (64, "nothing to convert"),
            (64, "--no-such-option", "--no-such-option"),
            (64, "'f8'", "--features", "f.npy", "--dtype", "f8"),
            (64, "-1", "--features", "f.npy", "--chunk-rows", "-1"),
            (64, "NAME=SOURCE", "--column", "f.npy"),
            (64, "unknown kind of file '.txt'", "--features", "f.txt"),
            (66, "missing.npy: no such file", "--features", "missing.npy"),
            (65, "torn.npy: cannot be read", "--features", "torn.npy"),
            (65, "objects.npy: cannot be read", "--features", "objects.npy"),
            (65, "flat.npy: features must be [N,D], the array is [5]", "--features", "flat.npy"),
            (65, "has 4 rows, features has 5", "--features", "f.npy", "--inputs", "short.npy"),
            (65, "must be numbers", "--features", "text.npy"),
            (65, "not a usable id (-2)", "--ids", "negative.npy"),
            (65, "not a usable id (9223372036854775808)", "--ids", "huge.npy"),
            (65, "features[1]: too large for float16 (100000.0)", "--features", "wide.npy",
             "--dtype", "f16"),
            (65, "name one of them, as in two.npz:x", "--features", "two.npz"),
            (65, "empty file", "--features", "empty.csv"),
            (65, "line 3 has 1 cells", "--features", "ragged.csv"),
            (65, "no column 'c'", "--features", "ragged.csv:c"),
            (65, "must be numbers", "--features", "words.csv"),
        ]
        for code, part, *arguments in cases:
            with self.subTest(part=part):
                self.refused(code, part, *arguments)

    def test_an_existing_file_is_never_replaced(self):
        self.save("f.npy", numpy.zeros((5, 2)))
        self.write("pool.h5", "mine")
        finished = self.convert("--features", "f.npy")
        self.assertEqual(finished.returncode, 73)
        self.assertIn("exists already", finished.stderr)
        self.assertEqual((self.folder / "pool.h5").read_text(encoding="utf-8"), "mine")

    def test_a_missing_directory_is_named(self):
        self.save("f.npy", numpy.zeros((5, 2)))
        finished = self.run_script("npy_to_pool.py", "--features", "f.npy", "--out", "no/pool.h5")
        self.assertEqual(finished.returncode, 73)
        self.assertIn("no/pool.h5: no such directory", finished.stderr)

    def test_help_needs_no_library_and_names_every_option(self):
        command = [sys.executable, "-B", "-S", SCRIPTS / "npy_to_pool.py", "--help"]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(finished.returncode, 0, finished.stderr)
        for option in ("--features", "--ids", "--column", "--members-first", "--chunk-rows"):
            self.assertIn(option, finished.stdout)

    def test_a_missing_library_is_named(self):
        self.save("f.npy", numpy.zeros((5, 2)))
        with unittest.mock.patch.dict(sys.modules, {"h5py": None}):
            self.refused(69, "apt-get install python3-h5py", "--features", "f.npy")


class MakeDigitsPool(ScriptCase):
    @classmethod
    def setUpClass(cls):
        try:
            import sklearn.datasets as datasets
        except ImportError as error:
            raise unittest.SkipTest(f"scikit-learn is missing: {error}") from error
        cls.images, cls.truth = datasets.load_digits(return_X_y=True)

    def make(self, name, *arguments):
        finished = self.run_script("make_digits_pool.py", "--out", f"{name}.h5", "--labels",
                                   f"{name}_labels.h5", *arguments)
        self.assertEqual(finished.returncode, 0, finished.stderr)
        return ((self.folder / f"{name}.h5").read_bytes(),
                (self.folder / f"{name}_labels.h5").read_bytes())

    def test_pool_and_labels_hold_what_they_promise(self):
        self.make("d")
        with h5py.File(self.folder / "d.h5") as pool:
            numpy.testing.assert_array_equal(pool["features"][:], self.images)
            self.assertEqual(pool["features"].dtype, "<f4")
            numpy.testing.assert_array_equal(pool["ids"][:], numpy.arange(1797))
            committee = pool["committee"][:].astype("f8")
            mean = pool["probabilities"][:].astype("f8")
        with h5py.File(self.folder / "d_labels.h5") as labels:
            rows, classes = labels["row"][:], labels["y"][:]
            self.assertEqual((labels["row"].dtype, labels["y"].dtype), ("<i8", "<i4"))
        self.assertEqual((committee.shape, mean.shape), ((1797, 8, 10), (1797, 10)))
        self.assertLess(abs(committee.sum(axis=2) - 1).max(), 1e-6)
        numpy.testing.assert_allclose(committee.mean(axis=1), mean, atol=1e-6)
        self.assertEqual(len(set(rows)), 100)
        self.assertEqual(set(classes), set(range(10)))
        numpy.testing.assert_array_equal(classes, self.truth[rows])
        # Trained on 100 rows: better than chance by far, not perfect, and not of one mind.
        unseen = numpy.setdiff1d(numpy.arange(1797), rows)
        right = (mean.argmax(axis=1) == self.truth)[unseen].mean()
        self.assertTrue(0.8 < right < 0.97, right)
        votes = committee.argmax(axis=2)
        self.assertGreater((votes != votes[:, :1]).any(axis=1).mean(), 0.05)

    def test_the_same_options_make_the_same_files(self):
        self.assertEqual(self.make("a", "--members", 2), self.make("b", "--members", 2))
        self.assertNotEqual(self.make("c", "--members", 2, "--seed", 1)[1], self.make("e")[1])

    def test_bad_options_are_refused(self):
        for option, value in (("--labeled", 9), ("--members", 0), ("--seed", -1)):
            finished = self.run_script("make_digits_pool.py", "--out", "x.h5", option, value)
            self.assertEqual(finished.returncode, 64)
            self.assertIn(option, finished.stderr)
            self.assertEqual(len(finished.stderr.splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
