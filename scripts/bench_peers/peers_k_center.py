#!/usr/bin/env python3
"""K1: greedy k-center on the points that sluice_bench_k_center dumped, by the peers.

Every pick costs a peer the same, so each runs a prefix of the picks and its seconds are scaled to
all of them. With --picks, the peers' picks are held against ours: they may part only where two rows
are equally far up to float32 rounding.
"""

import argparse
import time

import greedy_forms
import measure
import numpy as np
import torch


def exact_nearest(points, centres):
    """float64 squared distance of every row to the nearest of the centres."""
    nearest = np.full(len(points), np.inf)
    for centre in centres:
        for rows in range(0, len(points), 8192):
            difference = points[rows:rows + 8192].astype(np.float64) - points[centre]
            np.minimum(nearest[rows:rows + 8192], (difference ** 2).sum(1),
                       out=nearest[rows:rows + 8192])
    return nearest


def first_difference(points, first, ours, theirs):
    """None if the picks are the same or part at a float tie; else a description."""
    for number, (own, other) in enumerate(zip(ours, theirs)):
        if own != other:
            nearest = exact_nearest(points, [first, *ours[:number]])
            gap = abs(nearest[own] - nearest[other]) / nearest[own]
            return None if gap < 1e-5 else f"pick {number}: {own} and {other}, relative gap {gap:.1e}"
    return None


def seconds_per_pick(form, points, first, num_picks):
    """The cost of one pick, set-up (norms, conversions) taken out by a run of one pick."""
    start = time.perf_counter()
    form(points, first, 1)
    middle = time.perf_counter()
    picks = form(points, first, num_picks)
    end = time.perf_counter()
    set_up = middle - start
    return picks, max(end - middle - set_up, 1e-9) / (num_picks - 1), set_up


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("points", help="float32 [rows, dim], row-major, no header")
    parser.add_argument("--dim", type=int, required=True)
    parser.add_argument("--first", type=int, default=0, help="row of the first centre")
    parser.add_argument("--batch", type=int, default=1000, help="picks to scale to")
    parser.add_argument("--picks", help="text file of our picks, one row a line, first centre left out")
    parser.add_argument("--name", default="K1", help="id to print")
    parser.add_argument("--sides", nargs="+", default=list(greedy_forms.FORMS))
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(measure.THREADS)
    torch.set_grad_enabled(False)

    points = np.fromfile(options.points, dtype=np.float32).reshape(-1, options.dim)
    ours = np.loadtxt(options.picks, dtype=np.int64, ndmin=1).tolist() if options.picks else []
    for side in options.sides:
        form, prefix = greedy_forms.FORMS[side]
        prefix = min(prefix, options.batch)
        totals = []
        for _ in range(options.repeats):
            picks, per_pick, set_up = seconds_per_pick(form, points, options.first, prefix)
            totals.append(set_up + per_pick * (options.batch - 1))
        difference = first_difference(points, options.first, ours, picks)
        if difference:
            measure.fail(f"{side}: not our picks: {difference}")
        same = "same picks" if ours else "picks not compared"
        measure.report(options.name, side, float(np.median(totals)),
                       f"{prefix} of {options.batch} picks measured, {same}")


if __name__ == "__main__":
    main()
