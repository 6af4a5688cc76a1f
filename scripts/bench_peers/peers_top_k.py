#!/usr/bin/env python3
"""T1: the best 10,000 of 20 million random scores with torch.topk and NumPy."""

import argparse

import measure
import numpy as np
import torch


def np_argpartition(scores, k):
    kept = np.argpartition(scores, len(scores) - k)[-k:]
    return kept[np.argsort(-scores[kept], kind="stable")]


def np_partition_threshold(scores, k):
    """Partitions bare values, which is faster than partitioning indices; then one pass."""
    threshold = np.partition(scores, len(scores) - k)[-k]
    kept = np.flatnonzero(scores >= threshold)
    return kept[np.argsort(-scores[kept], kind="stable")][:k]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--kept", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(measure.THREADS)
    k = options.kept
    scores = np.random.default_rng(7).random(options.rows, dtype=np.float32)
    tensor = torch.from_numpy(scores)
    if not np.array_equal(np.sort(scores[np_argpartition(scores, k)]),
                          np.sort(torch.topk(tensor, k).values.numpy())):
        measure.fail("NumPy and PyTorch keep different scores")

    what = f"top {k} of {options.rows} scores"
    name, seconds = measure.best_of(
        {form.__name__: lambda form=form: form(scores, k)
         for form in (np_argpartition, np_partition_threshold)}, options.repeats)
    measure.report("T1", "numpy", seconds, f"{what}, {name}")
    seconds = measure.interleaved_medians({"topk": lambda: torch.topk(tensor, k)}, options.repeats)
    measure.report("T1", "torch", seconds["topk"], f"{what}, torch.topk")


if __name__ == "__main__":
    main()
