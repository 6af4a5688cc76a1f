#!/usr/bin/env python3
"""A PyTorch ensemble asks for labels through sluice, round by round, beside one that asks by chance.

What any code that has its own models does: train on the labels so far, write what every member says
of every sample into a pool, let `sluice select` choose, label what it chose, and again. Here the
samples are scikit-learn's 1,797 digits and the labels are looked up; put people or a code there.

    jobs/examples/torch-ensemble/loop.py --sluice build/release/sluice --work /tmp/loop

Needs PyTorch, scikit-learn, h5py and NumPy. PyTorch trains on one thread, seeded.
"""

import argparse
import pathlib
import subprocess
import sys

import numpy
import torch
from sklearn.datasets import load_digits
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scripts"))
import pool_file
import sluice_io

TEST_ROWS = 500       # the last ones; never asked for
ROWS_AT_ONCE = 512    # how many rows the members are asked about at once


def parse_options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sluice", default="sluice", help="the program (default: from PATH)")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="a new directory for all files")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def train(features, classes, options):
    """An ensemble: nets that differ by their first weights and the order of their samples."""
    heads = []
    for member in range(options.members):
        torch.manual_seed(1000 * options.seed + member)
        head = nn.Sequential(nn.Linear(features.shape[1], 64), nn.ReLU(), nn.Linear(64, 10))
        steps = torch.optim.Adam(head.parameters(), lr=5e-3)
        rows, wanted = torch.as_tensor(features), torch.as_tensor(classes, dtype=torch.long)
        for _ in range(options.epochs):
            for part in torch.randperm(len(rows)).split(16):
                steps.zero_grad()
                nn.functional.cross_entropy(head(rows[part]), wanted[part]).backward()
                steps.step()
        heads.append(head.eval())
    return heads


def logits_of(heads, features):
    """[N,M,C]"""
    with torch.no_grad():
        return torch.stack([head(torch.as_tensor(features)) for head in heads], dim=1).numpy()


def mean_probabilities(logits):
    """[N,C] of the ensemble as one."""
    return torch.softmax(torch.as_tensor(logits), dim=2).mean(dim=1).numpy()


def write_round(path, features, heads):
    """The pool of a round, never whole in memory: features, what each member says (for scores such
    as bald) and what they say together (for margin)."""
    with sluice_io.PoolWriter(path, kinds={"committee": "logit"}) as pool:
        for first in range(0, len(features), ROWS_AT_ONCE):
            block = features[first:first + ROWS_AT_ONCE]
            logits = logits_of(heads, block)
            pool.append(features=block, committee=logits, probabilities=mean_probabilities(logits))


class Arm:
    """One way of asking, with files of its own."""

    def __init__(self, name, strategy, options, data):
        self.name, self.strategy, self.options = name, strategy, options
        self.features, self.classes = data
        self.at = options.work / name
        (self.at / "labels").mkdir(parents=True)

    def label(self, number, rows):
        """Stands for people or a code; one more file of labels."""
        sluice_io.write_labels(self.at / f"labels/labels.g{number:04}.h5", rows, self.classes[rows],
                               self.features[rows])

    def select(self, number, pool):
        """One batch by `sluice select`. Rows keep their meaning though the pool says new things."""
        held = self.options.work / "held_out.h5"
        words = [self.options.sluice, "select", "--pool", pool, "--queue", self.at / "queue", "--labels",
                 self.at / "labels", "--held-out", held, "--batch", self.options.batch, "--seed",
                 self.options.seed, "--round", number, "--new-pool", *self.strategy]
        subprocess.run([*map(str, words)], check=True, stdout=subprocess.DEVNULL)
        newest = sluice_io.batches(self.at / "queue")[-1]
        return sluice_io.read_batch(self.at / "queue/batches" / newest).rows

    def round(self, number):
        """Trains on the labels so far; the accuracy on the test rows; then asks for more."""
        labels = sluice_io.read_labels(self.at / "labels")
        heads = train(labels.features, labels.y, self.options)
        said = logits_of(heads, self.features[-TEST_ROWS:])
        accuracy = (mean_probabilities(said).argmax(axis=1) == self.classes[-TEST_ROWS:]).mean()
        pool = self.at / f"pool.r{number:04}.h5"
        write_round(pool, self.features, heads)
        self.label(number + 1, self.select(number, pool))
        pool.unlink()
        return len(labels.rows), accuracy


def main() -> None:
    """Both arms, side by side."""
    options = parse_options()
    torch.set_num_threads(1)
    digits = load_digits()
    order = numpy.random.default_rng(options.seed).permutation(len(digits.target))
    data = (digits.data[order] / 16).astype("f4"), digits.target[order].astype("i4")
    options.work.mkdir(parents=True)
    rows = numpy.arange(len(order))
    sluice_io.write_labels(options.work / "held_out.h5", rows[-TEST_ROWS:], data[1][-TEST_ROWS:])
    arms = [Arm("two_stage", ["--score", "margin", "--diversify", "k_center"], options, data),
            Arm("random", ["--score", "random", "--diversify", "none"], options, data)]
    for arm in arms:
        arm.label(1, rows[:options.batch])
    for number in range(1, options.rounds + 1):
        for arm in arms:
            labels, accuracy = arm.round(number)
            print(f"round {number}  {arm.name:<10}{labels:>5} labels  accuracy {accuracy:.3f}", flush=True)


if __name__ == "__main__":
    pool_file.run_main(main)
