#!/usr/bin/env python3
"""E1: what a careful user's script does in place of `sluice select`: read the committee from HDF5
in blocks, BALD, the best K rows, their features, greedy k-center, a CSV of the batch."""

import argparse
import csv

import measure
import greedy_forms
import h5py
import numpy as np
import score_forms
import torch

BLOCK_ROWS = 8192


def committee_scores(dataset, backend):
    """BALD of every row, block by block, so that a block is still in the cache when scored."""
    scores = np.empty(len(dataset), dtype=np.float32)
    block = np.empty((BLOCK_ROWS, *dataset.shape[1:]), dtype=np.float32)
    for row in range(0, len(dataset), BLOCK_ROWS):
        count = min(BLOCK_ROWS, len(dataset) - row)
        dataset.read_direct(block, np.s_[row:row + count], np.s_[:count])
        if backend == "torch":
            values = score_forms.torch_bald(torch.from_numpy(block[:count])).numpy()
        else:
            values = score_forms.np_bald(block[:count])
        scores[row:row + count] = values
    return scores


def best_rows(scores, k, backend):
    k = min(k, len(scores))
    if backend == "torch":
        return np.sort(torch.topk(torch.from_numpy(scores), k, sorted=False).indices.numpy())
    return np.sort(np.argpartition(scores, len(scores) - k)[-k:])


def gather(dataset, rows):
    """Features of ascending rows: whole blocks and a mask, far faster than h5py's point lists."""
    features = np.empty((len(rows), dataset.shape[1]), dtype=np.float32)
    block = np.empty((BLOCK_ROWS, dataset.shape[1]), dtype=np.float32)
    for row in range(0, len(dataset), BLOCK_ROWS):
        begin, end = np.searchsorted(rows, (row, row + BLOCK_ROWS))
        if begin < end:
            count = min(BLOCK_ROWS, len(dataset) - row)
            dataset.read_direct(block, np.s_[row:row + count], np.s_[:count])
            features[begin:end] = block[rows[begin:end] - row]
    return features


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool")
    parser.add_argument("--backend", choices=["numpy", "torch"], required=True)
    parser.add_argument("--shortlist", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--selected", required=True)
    options = parser.parse_args()
    torch.set_num_threads(measure.THREADS)
    torch.set_grad_enabled(False)

    with h5py.File(options.pool) as file:
        scores = committee_scores(file["committee"], options.backend)
        rows = best_rows(scores, options.shortlist, options.backend)
        features = gather(file["features"], rows)
    first = int(scores[rows].argmax())
    greedy = greedy_forms.torch_mv if options.backend == "torch" else greedy_forms.numpy_gemv
    picks = [first, *greedy(features, first, options.batch - 1)]
    with open(options.selected, "w", newline="", encoding="utf-8") as output:
        writer = csv.writer(output)
        writer.writerow(["rank", "row", "score"])
        writer.writerows([rank, rows[pick], scores[rows[pick]]] for rank, pick in enumerate(picks))


if __name__ == "__main__":
    main()
