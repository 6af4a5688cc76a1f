"""`sluice train --train-command`: a trainer of the user's own is run in a clean environment, what it
leaves is checked, and what was there before stays until that is right."""

import json
import os
import pathlib
import sys
import time
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from training import DIGITS, TrainTest, program, write  # noqa: E402

TRAINER = '''
import os, sys, time
import h5py, numpy as np
labels, model, how = sys.argv[1:4]
print("training on", labels)
left = [name for name in os.environ if name.startswith(("OMPI_", "PMIX_", "PMI_", "SLURM_"))]
assert not left, left
with h5py.File(labels) as file:
    x, y = file["features"][:], file["y"][:]
    assert len(file["row"]) == len(file["id"]) == len(file["round"]) == len(x)
if how == "exit": sys.exit("out of luck")
if how == "hang": time.sleep(100)
if how == "nothing": sys.exit()
if how == "text":
    open(model, "w").write("no model"); sys.exit()
classes = int(y.max()) + (2 if how == "classes" else 1)
dim = x.shape[1] + (how == "dim")
weight = np.zeros((classes, dim))  # nearest mean
for c in range(y.max() + 1):
    weight[c, :x.shape[1]] = x[y == c].mean(axis=0)
bias = -0.5 * (weight ** 2).sum(axis=1)
if how == "nan": weight[1, 2] = np.nan
with h5py.File(model, "w") as file:
    file.attrs.update({"format": "sluice-model", "format_version": 1, "task": "classification",
                       "dim": dim, "outputs": classes, "networks": 1})
    layer = file.create_group("members/0000/layers/00")
    layer["weight"] = weight
    layer["bias"] = bias
    layer["weight"].attrs["activation"] = "identity"
'''

PREDICTOR = '''
import sys
import h5py, numpy as np
labels, pool, out, rows = sys.argv[1:5]
with h5py.File(pool) as file:
    count = len(file["features"]) if rows == "all" else int(rows)
with h5py.File(out, "w") as file:
    file["probabilities"] = np.full((count, 10), 0.1, "f4")
'''


class ExternalTest(TrainTest):
    def setUp(self):
        super().setUp()
        self.labels = self.digits(60)
        pathlib.Path(self.path("train.py")).write_text(TRAINER, encoding="utf-8")
        pathlib.Path(self.path("predict.py")).write_text(PREDICTOR, encoding="utf-8")

    def words(self, how, *more):
        """The options that run train.py."""
        return [*self.labels, "--out", self.path("model.h5"), "--train-command",
                f"{sys.executable} {self.path('train.py')} {{labels}} {{model}} {how}", *more]


class Models(ExternalTest):
    def test_become_the_model_once_they_are_right(self):
        for ranks in (0, 2):
            result = program.run(["train", *self.words("well"), "--json", self.path("r.json")],
                                 ranks=ranks)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("trained on 60 labels by", result.stdout)
            self.assertIn("classification, 1 member of 64 features", result.stdout)
            report = json.loads(self.content("r.json"))
            self.assertEqual((report["dim"], report["outputs"]), (64, 10))
            self.assertIn("training on", self.content("model.h5.log").decode())
        with h5py.File(self.path("model.h5")) as file:
            weight = file["members/0000/layers/00/weight"][:]
            bias = file["members/0000/layers/00/bias"][:]
        said = (DIGITS.data @ weight.T + bias).argmax(axis=1)
        self.assertGreater((said == DIGITS.target).mean(), 0.7)

    def test_that_are_wrong_leave_the_old_one_untouched(self):
        pathlib.Path(self.path("model.h5")).write_bytes(b"the old model")
        for how, part in [
                ("exit", "ended with exit code 1 (out of luck); see " + self.path("model.h5.log")),
                ("nothing", "{model}: the training command ended without making it"),
                ("text", "{model}: cannot be opened as HDF5"),
                ("dim", "{model}: dim of the model that the training command made is 65, that of "
                        "the labels 64"),
                ("nan", "{model}: members/0000/layers/00/weight[66]: is not finite (nan)")]:
            self.refuse(65, part, self.words(how))
            self.assertEqual(self.content("model.h5"), b"the old model")
        self.refuse(65, "outputs of the model that the training command made is 11, that of the "
                        "labels 10", self.words("classes", "--classes", "10"))
        self.assertEqual(self.content("model.h5"), b"the old model")

    def test_that_take_too_long_are_ended_as_a_group(self):
        begin = time.monotonic()
        self.refuse(65, "took longer than --train-limit (1 s) and was ended",
                    self.words("hang", "--train-limit", "1"), ranks=2)
        self.assertLess(time.monotonic() - begin, 20)
        self.assertFalse(os.path.exists(self.path("model.h5")))

    def test_no_shell_reads_the_command(self):
        words = self.words("well;touch shell", "--round", "3")
        words[words.index("--train-command") + 1] = (
            f"{sys.executable} -c 'import sys; print(sys.argv[1:])' {{labels}} {{model}} "
            f"; touch {self.path('shell')} $HOME seed={{seed}}/{{round}} \"two words\"")
        self.refuse(65, "ended without making it", words)
        printed = self.content("model.h5.log").decode()
        self.assertIn("';', 'touch', '" + self.path("shell") + "', '$HOME', 'seed=0/3', "
                      "'two words'", printed)
        self.assertFalse(os.path.exists(self.path("shell")))

    def test_commands_that_cannot_be(self):
        def command(text):
            return [*self.labels, "--out", self.path("model.h5"), "--train-command", text]
        self.refuse(69, "no such program", command("nosuchprogram {model}"))
        self.refuse(64, "does not say {model}", command("python3 train.py {labels}"))
        self.refuse(64, "unknown placeholder ({modle})", command("python3 {model} {modle}"))
        self.refuse(64, "says {predictions}; give --predictions",
                    command("python3 {model} {predictions}"))
        self.refuse(64, "quote", command("python3 'train.py {model}"))
        self.refuse(64, "--curve: a training command keeps its own",
                    [*command("python3 {model}"), "--curve", self.path("c.csv")])


class Predictions(ExternalTest):
    def words(self, how, *more):
        return [*self.labels, "--predictions", self.path("said.h5"), "--train-command",
                f"{sys.executable} {self.path('predict.py')} {{labels}} {{pool}} {{predictions}} "
                f"{how}", *more]

    def test_of_every_row_are_kept(self):
        result = program.run(["train", *self.words("all")], ranks=2)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("said.h5: probabilities of 1,797 rows", result.stdout)
        with h5py.File(self.path("said.h5")) as file:
            self.assertEqual(file["probabilities"].shape, (1797, 10))
        selected = program.run(["select", "--pool", self.path("said.h5"), "--score", "entropy",
                                "--diversify", "none", "--batch", "5", "--dry-run"])
        self.assertEqual(selected.returncode, 0, selected.stderr)

    def test_of_too_few_rows_leave_the_old_ones_untouched(self):
        pathlib.Path(self.path("said.h5")).write_bytes(b"old")
        self.refuse(65, "has 1796 rows, the pool has 1797", self.words("1796"))
        self.assertEqual(self.content("said.h5"), b"old")

    def test_need_a_pool(self):
        self.refuse(64, "--predictions FILE: needs --pool",
                    ["--labels", self.path("labels.h5"), "--predictions", self.path("said.h5"),
                     "--train-command", "python3 {predictions}"])


class LabelsOfTheTrainer(ExternalTest):
    def test_hold_ids_inputs_and_numbers_as_they_were(self):
        y = np.array([[1.0 / 3.0], [np.nan], [2.0 / 3.0]])
        write(self.path("labels.h5"), row=[5, 2, 1], y=y, round=[1, 1, 2],
              features=np.eye(3, dtype="f4"), inputs=np.eye(3) / 7)
        with h5py.File(self.path("labels.h5"), "a") as file:
            file["id"] = [b"five", b"two", b"one"]
            file["inputs"].attrs["names"] = ["a", "b", "c"]
        result = program.run(
            ["train", "--labels", self.path("labels.h5"), "--out", self.path("m.h5"),
             "--train-command",
             f"{sys.executable} -c \"import shutil, sys; shutil.copy(sys.argv[1], "
             f"'{self.path('seen.h5')}')\" {{labels}} {{model}}"])
        self.assertEqual(result.returncode, 65)
        with h5py.File(self.path("seen.h5")) as file:
            self.assertEqual(file["row"][:].tolist(), [1, 5])
            self.assertEqual(file["id"].asstr()[:].tolist(), ["one", "five"])
            self.assertEqual(file["round"][:].tolist(), [2, 1])
            self.assertEqual(file["y"][:].tolist(), [[2.0 / 3.0], [1.0 / 3.0]])
            self.assertEqual(file["inputs"][:].tolist(), (np.eye(3) / 7)[[2, 0]].tolist())
            self.assertEqual(list(file["inputs"].attrs["names"]), [b"a", b"b", b"c"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
