#!/usr/bin/env python3
"""F2: an epoch of training a committee of 5 nets 256-128-128-10 on 5,000 labels by PyTorch, the same
nets, batches and Adam as ours.

It is given every sensible form: all members at once as batched products, and one after another or
side by side in Python threads; Adam fused and over lists of tensors. The fastest counts.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor

import measure
import torch
from torch import nn

MEMBERS, LABELS, DIM, HIDDEN, CLASSES, BATCH = 5, 5000, 256, 128, 10, 64
ADAM = {"fused": {"fused": True}, "foreach": {"foreach": True}}


def made_labels():
    truth = torch.arange(LABELS) % CLASSES
    features = torch.rand(LABELS, DIM, generator=torch.Generator().manual_seed(7)) * 2 - 1
    features[torch.arange(LABELS), truth] += 2
    return features, truth


class Batched:
    """All members at once: weights [members, inputs, outputs], a batch of its own for each."""

    def __init__(self, features, truth, adam):
        self.features, self.truth = features, truth
        self.weights, self.biases = [], []
        for inputs, outputs in ((DIM, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, CLASSES)):
            bound = (6 / inputs) ** 0.5
            self.weights.append(nn.Parameter(torch.rand(MEMBERS, inputs, outputs) * 2 * bound - bound))
            self.biases.append(nn.Parameter(torch.zeros(MEMBERS, 1, outputs)))
        self.adam = torch.optim.Adam(self.weights + self.biases, **adam)

    def step(self, rows):
        values = self.features[rows]
        for bias, weight in zip(self.biases[:-1], self.weights[:-1]):
            values = nn.functional.silu(torch.baddbmm(bias, values, weight))
        logits = torch.baddbmm(self.biases[-1], values, self.weights[-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), self.truth[rows].flatten(),
                                           reduction="sum") / rows.shape[1]
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.adam.step()
        return loss.detach()

    def epoch(self):
        torch.set_num_threads(measure.THREADS)
        order = torch.stack([torch.randperm(LABELS) for _ in range(MEMBERS)])
        losses = [self.step(order[:, first:first + BATCH]) for first in range(0, LABELS, BATCH)]
        return float(sum(losses)) / MEMBERS / len(losses)


class Single:
    """One member as a module."""

    def __init__(self, features, truth, adam):
        self.features, self.truth = features, truth
        self.net = nn.Sequential(nn.Linear(DIM, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN),
                                 nn.SiLU(), nn.Linear(HIDDEN, CLASSES))
        self.adam = torch.optim.Adam(self.net.parameters(), **adam)

    def epoch(self):
        order, losses = torch.randperm(LABELS), []
        for first in range(0, LABELS, BATCH):
            rows = order[first:first + BATCH]
            loss = nn.functional.cross_entropy(self.net(self.features[rows]), self.truth[rows])
            self.adam.zero_grad(set_to_none=True)
            loss.backward()
            self.adam.step()
            losses.append(loss.detach())
        return float(sum(losses)) / len(losses)


def one_after_another(nets):
    torch.set_num_threads(measure.THREADS)
    return sum(net.epoch() for net in nets) / len(nets)


def side_by_side(nets, pool):
    torch.set_num_threads(1)
    return sum(pool.map(lambda net: net.epoch(), nets)) / len(nets)


def make_sides(features, truth, pool):
    """{form: one epoch, which returns the mean loss}."""
    sides = {}
    for name, adam in ADAM.items():
        batched = Batched(features, truth, adam)
        nets = [Single(features, truth, adam) for _ in range(MEMBERS)]
        others = [Single(features, truth, adam) for _ in range(MEMBERS)]
        sides[f"batched products, {name} Adam"] = batched.epoch
        sides[f"one after another, {name} Adam"] = lambda nets=nets: one_after_another(nets)
        sides[f"Python threads, {name} Adam"] = lambda nets=others: side_by_side(nets, pool)
    return sides


def check_learning(sides):
    """Every form must learn: after some epochs the loss is small."""
    for name, epoch in sides.items():
        if not [epoch() for _ in range(4)][-1] < 0.5:
            measure.fail(f"{name}: does not learn")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.manual_seed(0)
    with ThreadPoolExecutor(measure.THREADS) as pool:
        sides = make_sides(*made_labels(), pool)
        check_learning(sides)
        form, seconds = measure.best_of(sides, options.repeats)
    measure.report("F2", "torch", seconds,
                   f"epoch of {MEMBERS} nets, {LABELS} labels, batches of {BATCH}, {form}")


if __name__ == "__main__":
    main()
