"""PyTorch heads through export_torch.py and `sluice predict`, against what PyTorch computes.

PyTorch's own outputs are taken in float64 (the same float32 weights and features, widened), and the
exported ones may differ from them by 1e-6 of the largest, or of 1 where all are smaller.
"""

import json
import pathlib
import struct
import sys
import unittest
import unittest.mock

import h5py
import numpy
import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from exported_models import DIM, ExportCase, softmax
from scripts import pool_file, run_here

import export_torch

OUT = "model.h5"


def mlp(activation, *widths):
    """Linear layers of these widths with an activation between them."""
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


class TorchCase(ExportCase):
    def setUp(self):
        super().setUp()
        torch.manual_seed(5)
        self.inputs = torch.from_numpy(self.features)

    def own_outputs(self, head, inputs=None):
        """What PyTorch computes, in float64 and eval(); the head stays as it was."""
        inputs = self.inputs if inputs is None else inputs
        with torch.no_grad():
            outputs = head.double().eval()(inputs.double()).numpy()
        head.float()
        return outputs

    def lived(self, head):
        """The head after a few forward passes in train(), so that its running statistics and batch
        norm weights are not those it was born with."""
        for module in head.modules():
            if isinstance(module, nn.BatchNorm1d) and module.affine:
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias)
        head.train()
        for _ in range(5):
            head(self.inputs)
        return head


class Modules(TorchCase):
    def test_logits_of_every_kind_of_layer(self):
        norm = nn.BatchNorm1d
        heads = [
            nn.Linear(DIM, 3),
            nn.Sequential(nn.Linear(DIM, 3, bias=False)),
            mlp(nn.ReLU, DIM, 32, 16, 3), mlp(nn.SiLU, DIM, 32, 3), mlp(nn.Tanh, DIM, 16, 16, 3),
            mlp(nn.Sigmoid, DIM, 16, 16, 3),
            nn.Sequential(nn.Linear(DIM, 2), nn.Linear(2, 3)),
            nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(DIM, 9), nn.ReLU()),
                          nn.Dropout(0.5), nn.Identity(), nn.Linear(9, 3)),
            nn.Sequential(norm(DIM), nn.Linear(DIM, 7), norm(7), nn.ReLU(), nn.Linear(7, 3)),
            nn.Sequential(nn.Linear(DIM, 7), nn.Tanh(), norm(7), nn.Linear(7, 3)),
            nn.Sequential(nn.Linear(DIM, 7), nn.SiLU(), nn.Linear(7, 3), norm(3)),
            nn.Sequential(nn.Linear(DIM, 6), nn.ReLU(), norm(6), nn.Tanh(), norm(6, affine=False),
                          nn.Linear(6, 3)),
            nn.Sequential(nn.Linear(DIM, 3), nn.Tanh())]
        self.assertEqual(export_torch.write_model([self.lived(head) for head in heads], OUT), [])
        for head, logits in zip(heads, self.member_outputs().swapaxes(0, 1), strict=True):
            with self.subTest(head=head):
                self.assert_near(logits, self.own_outputs(head))

    def test_a_head_that_begins_with_a_batch_norm(self):
        # With these factors all above 0 they become the model's normalisation.
        norm = nn.BatchNorm1d(DIM)
        head = nn.Sequential(norm, nn.Linear(DIM, 3))
        self.lived(head)
        norm.weight.data.abs_()
        export_torch.write_model(head, OUT)
        with h5py.File(OUT) as file:
            self.assertIn("input/mean", file)
        self.assert_near(self.member_outputs()[:, 0], self.own_outputs(head))

    def test_an_end_that_gives_probabilities_is_left_out(self):
        for end, own in ((nn.Softmax(dim=1), lambda p: p), (nn.LogSoftmax(dim=-1), numpy.exp)):
            head = nn.Sequential(nn.Linear(DIM, 6), nn.ReLU(), nn.Linear(6, 4), end)
            notes = export_torch.write_model(head, OUT)
            self.assertIn("at the end is left out", " ".join(notes))
            self.assert_near(softmax(self.member_outputs()[:, 0]), own(self.own_outputs(head)))

    def test_one_output_becomes_two_logits(self):
        head = mlp(nn.ReLU, DIM, 6, 1)
        for exported in (head, nn.Sequential(head, nn.Sigmoid())):
            notes = export_torch.write_model(exported, OUT)
            self.assertIn("-f/2 and +f/2", " ".join(notes))
            logits = self.member_outputs()[:, 0]
            self.assert_near(logits[:, 1:] - logits[:, :1], self.own_outputs(head))
            chance = self.own_outputs(nn.Sequential(head, nn.Sigmoid()))
            self.assert_near(softmax(logits), numpy.hstack([1 - chance, chance]))

    def test_a_committee_with_normalised_features_and_a_temperature(self):
        heads = [mlp(nn.SiLU, DIM, 12, 4) for _ in range(3)] + [nn.Linear(DIM, 4)]
        mean, scale = self.features.mean(axis=0), self.features.std(axis=0)
        export_torch.write_model(heads, OUT, input=(mean, scale), temperature=2.5)
        inputs = torch.from_numpy((self.rows - mean.astype("f8")) / scale.astype("f8"))
        wanted = [self.own_outputs(head, inputs) / 2.5 for head in heads]
        self.assert_near(self.member_outputs(), numpy.stack(wanted, axis=1))

    def test_both_normalisations_of_a_head_that_begins_with_one(self):
        head = self.lived(nn.Sequential(nn.BatchNorm1d(DIM), nn.Linear(DIM, 3)))
        mean, scale = self.features.mean(axis=0), self.features.std(axis=0)
        export_torch.write_model(head, OUT, input=(mean, scale))
        inputs = torch.from_numpy((self.rows - mean.astype("f8")) / scale.astype("f8"))
        self.assert_near(self.member_outputs()[:, 0], self.own_outputs(head, inputs))

    def test_predictions_and_variances(self):
        heads = [mlp(nn.Tanh, DIM, 10, 4) for _ in range(2)]
        mean, scale = numpy.array([3.0, -20.0]), numpy.array([0.5, 7.0])
        export_torch.write_model(heads, OUT, task="regression", target=(mean, scale),
                                 predicts_variance=True)
        said = self.predict()
        own = numpy.stack([self.own_outputs(head) for head in heads], axis=1)
        self.assert_near(said["predictions"], own[..., :2] * scale + mean)
        self.assert_near(said["variances"], numpy.exp(own[..., 2:]) * scale ** 2)
        export_torch.write_model(heads[0], OUT, task="regression")
        self.assert_near(self.member_outputs()[:, 0], self.own_outputs(heads[0]))

    def test_what_cannot_be_exported_is_refused_by_name(self):
        broken = nn.Linear(DIM, 3)
        broken.weight.data[1, 2] = float("nan")

        class Mine(nn.Linear):
            """May do anything."""

        linear = nn.Linear(DIM, 3)
        cases = [
            ("LayerNorm", [nn.Sequential(nn.LayerNorm(DIM), linear)], {}),
            ("member 1", [linear, nn.Sequential(linear, nn.GELU(), nn.Linear(3, 3))], {}),
            ("GELU", [nn.Sequential(linear, nn.GELU(), nn.Linear(3, 3))], {}),
            ("Mine", [nn.Sequential(linear, Mine(3, 3))], {}),
            ("no Linear layer", [nn.ReLU()], {}),
            ("Softmax", [nn.Sequential(linear, nn.Softmax(dim=1))], {"task": "regression"}),
            ("dim=1 (0)", [nn.Sequential(linear, nn.Softmax(dim=0))], {}),
            ("Sigmoid", [nn.Sequential(linear, nn.Sigmoid())], {}),
            ("running statistics", [nn.Sequential(
                linear, nn.BatchNorm1d(3, track_running_stats=False))], {}),
            ("weight[1, 2]: must be finite (nan)", [broken], {}),
            ("reads 5 values", [nn.Sequential(linear, nn.Linear(5, 2))], {}),
            ("reads 8 values, but gets 7", [nn.Linear(7, 3), linear], {}),
            ("gives 4 outputs, not 3", [linear, nn.Linear(DIM, 4)], {}),
            ("no task", [linear], {"task": "guess"}),
            ("temperature", [linear], {"temperature": 0.0}),
            ("input mean", [linear], {"input": ([0.0], [1.0])}),
            ("input scale[3]", [linear], {"input": ([0.0] * DIM, [1.0] * 3 + [0.0] * 5)}),
            ("logarithms", [linear], {"task": "regression", "predicts_variance": True}),
            ("no units to drop", [linear], {"dropout": (4, 0.5, 0)}),
            ("constants behind", [mlp(nn.Sigmoid, DIM, 4, 2)], {"dropout": (4, 0.5, 0)}),
            ("no heads", [], {}),
        ]
        for part, modules, options in cases:
            with self.subTest(part=part), self.assertRaises(pool_file.Failure) as raised:
                export_torch.write_model(modules, OUT, **options)
            self.assertIn(part, str(raised.exception))
            self.assertEqual(list(self.folder.glob("*model*")), [])


class Checkpoints(TorchCase):
    def export(self, *arguments):
        finished = run_here("export_torch.py", [*arguments, "--out", OUT])
        self.assertEqual(finished.returncode, 0, finished.stderr)
        return finished.stdout

    def test_state_dicts_are_members(self):
        heads = [mlp(nn.SiLU, DIM, 12, 6, 3) for _ in range(3)]
        torch.save(heads[0].state_dict(), "a.pt")
        torch.save({"epoch": 7, "state_dict": heads[1].state_dict()}, "b.pth")
        torch.save(heads[2].half().state_dict(), "c.pt")
        stdout = self.export("a.pt", "b.pth", "c.pt", "--activation", "silu")
        self.assertIn("model.h5: classification, 3 member(s), 8 features, 3 classes", stdout)
        with h5py.File(OUT) as file:
            self.assertEqual(json.loads(file["provenance"].asstr()[0])["sources"],
                             ["a.pt", "b.pth", "c.pt"])
        self.assert_near(self.member_outputs(),
                         numpy.stack([self.own_outputs(head) for head in heads], axis=1))

    def test_safetensors_need_no_torch(self):
        head = mlp(nn.ReLU, DIM, 6, 6, 6, 6, 6, 3)
        header, data = {"__metadata__": {"format": "pt"}}, b""
        for name, tensor in sorted(head.state_dict().items()):  # as that library writes them
            stored = tensor.numpy().astype("<f4").tobytes()
            header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                            "data_offsets": [len(data), len(data) + len(stored)]}
            data += stored
        text = json.dumps(header).encode()
        pathlib.Path("h.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
        with unittest.mock.patch.dict(sys.modules, {"torch": None}):
            self.export("h.safetensors")
        self.assert_near(self.member_outputs()[:, 0], self.own_outputs(head))
        pathlib.Path("torn.safetensors").write_bytes(struct.pack("<Q", len(text)) + text[:-9])
        self.refused("export_torch.py", 65, "cannot be read as safetensors", "torn.safetensors",
                     "--out", OUT)

    def test_dropout_masks_are_members(self):
        head = mlp(nn.ReLU, DIM, 6, 2)
        torch.save(head.state_dict(), "h.pt")
        numpy.save("mean.npy", self.features.mean(axis=0))
        numpy.save("scale.npy", self.features.std(axis=0))
        stdout = self.export("h.pt", "--masks", 20, "--dropout-rate", 0.25, "--seed", 9,
                             "--input-mean", "mean.npy", "--input-scale", "scale.npy")
        self.assertIn("20 member(s)", stdout)
        logits = self.member_outputs()
        inputs = torch.from_numpy((self.rows - numpy.load("mean.npy").astype("f8"))
                                  / numpy.load("scale.npy").astype("f8"))
        hidden = self.own_outputs(head[:2], inputs)
        weight, bias = (t.detach().double().numpy() for t in (head[2].weight, head[2].bias))
        # Each member keeps some units, 4/3 as large, and has lost the others.
        kept = numpy.zeros((20, 6))
        for member in range(20):
            parts, *_ = numpy.linalg.lstsq(hidden, logits[:, member] - bias, rcond=None)
            factors = (parts / weight.T).mean(axis=1)
            kept[member] = factors > 0.5
            self.assert_near(logits[:, member],
                             (hidden * kept[member] / 0.75) @ weight.T + bias)
        self.assertTrue(0.6 < kept.mean() < 0.9, kept.mean())
        self.assertGreater(len(set(map(tuple, kept))), 5)

    def test_wrong_files_and_options_are_refused(self):
        head = nn.Sequential(nn.Linear(DIM, 4), nn.ReLU(), nn.Linear(4, 3))
        torch.save(head, "whole.pt")
        torch.save(head.state_dict(), "head.pt")
        torch.save({"lr": 3}, "other.pt")
        torch.save([1, 2], "list.pt")
        torch.save(nn.Sequential(nn.Linear(DIM, 4), nn.BatchNorm1d(4)).state_dict(), "norm.pt")
        torch.save({"0.weight": torch.full((3, DIM), float("inf"))}, "inf.pt")
        pathlib.Path("text.pt").write_text("no checkpoint")
        pathlib.Path("text.npy").write_text("no array")
        numpy.save("short.npy", numpy.ones(3))
        out = ("--out", OUT)
        for code, part, *arguments in [
                (65, "whole.pt: holds Python objects beside tensors", "whole.pt", *out),
                (65, "text.pt: cannot be read as a checkpoint", "text.pt", *out),
                (65, "other.pt: lr is no tensor (int)", "other.pt", *out),
                (65, "list.pt: holds no state_dict (list)", "list.pt", *out),
                (65, "norm.pt: 1.weight [4] does not belong to a Linear", "norm.pt", *out),
                (65, "must be finite (inf)", "inf.pt", *out),
                (66, "missing.pt: no such file", "missing.pt", *out),
                (66, "no.npy: no such file", "head.pt", *out, "--input-mean", "no.npy",
                 "--input-scale", "short.npy"),
                (65, "text.npy: cannot be read", "head.pt", *out, "--input-mean", "text.npy",
                 "--input-scale", "short.npy"),
                (65, "give one number for each of 8", "head.pt", *out, "--input-mean", "short.npy",
                 "--input-scale", "short.npy"),
                (64, "give both or neither", "head.pt", *out, "--input-mean", "short.npy"),
                (64, "only with --masks", "head.pt", *out, "--seed", "3"),
                (64, "rate 1.0", "head.pt", *out, "--masks", "3", "--dropout-rate", "1"),
                (64, "gelu", "head.pt", *out, "--activation", "gelu"),
                (64, "--out", "head.pt"),
                (73, "exists already", "head.pt", "--out", "norm.pt"),
                (73, "no such directory", "head.pt", "--out", "no/model.h5")]:
            with self.subTest(part=part):
                self.refused("export_torch.py", code, part, *arguments)
        with unittest.mock.patch.dict(sys.modules, {"torch": None}):
            self.refused("export_torch.py", 69, "apt-get install python3-torch", "head.pt", *out)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
