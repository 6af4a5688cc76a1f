#!/usr/bin/env python3
"""Tables of scripts/scaling.sh and jobs/scaling.sbatch from the JSON reports of selections.

  scaling.py table FOLDER [--cores N]   RANKS.json, RANKS.TURN.json and half.TURN.json
  scaling.py latency FOLDER             latency.MILLISECONDS.SHORTLIST.PICKS.TURN.json

A rank's processor time is that outside collectives: inside, a rank that waits burns it, too. No
speed-up is claimed where ranks shared cores. Exit code 65 if two reports chose different batches.
"""

import argparse
import json
import math
import pathlib
import statistics
import sys

LATENCY_S = 2e-6     # a hop between nodes
BYTES_PER_S = 12e9   # of a node's link
MODEL_RANKS = 1000
TOLERANCE = 0.15     # what one rank must foretell of two
LEAST_SHARE = 0.5    # of one rank's time that the pool must take: starting up alone foretells nothing


class Run:
    """What is told of one number of ranks: counts of one run, times the median over its runs."""

    def __init__(self, paths):
        reports = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        self.batches = {report["batch"] for report in reports}
        self.selected = {path.with_suffix(".csv").read_bytes() for path in paths
                         if path.with_suffix(".csv").exists()}
        provenance = [report["provenance"] for report in reports]
        self.ranks = provenance[0]["ranks"]
        self.rounds = provenance[0]["rounds"]
        use = provenance[0]["use"]
        self.collectives = max(rank["collectives"] for rank in use)
        self.sent = max(rank["bytes_sent"] for rank in use)
        self.received = max(rank["bytes_received"] for rank in use)
        self.memory = max(rank["peak_memory_bytes"] for rank in use)
        self.cpu = statistics.median(busiest(each["use"]) for each in provenance)
        self.seconds = statistics.median(each["seconds"] for each in provenance)
        self.fastest = min(each["seconds"] for each in provenance)

    def exchange_seconds(self, ranks):
        """The model's: each collective takes a tree of hops, each received byte its time."""
        hops = math.ceil(math.log2(max(ranks, 1)))
        return self.collectives * hops * LATENCY_S + self.received / BYTES_PER_S


def busiest(use):
    return max(rank["cpu_seconds"] - rank["collective_cpu_seconds"] for rank in use)


def read_runs(folder):
    groups = {}
    for path in sorted(folder.glob("*.json")):
        groups.setdefault(path.name.split(".")[0], []).append(path)
    half = groups.pop("half", None)
    groups.pop("latency", None)
    runs = sorted((Run(paths) for paths in groups.values()), key=lambda run: run.ranks)
    return runs, Run(half) if half else None


def table(runs, cores):
    lines = [f"{'ranks':>5} {'rounds':>7} {'collectives':>12} {'MiB sent':>9} {'MiB received':>13} "
             f"{'peak MiB':>9} {'CPU s, busiest':>15} {'seconds':>8}"]
    for run in runs:
        seconds = f"{run.seconds:8.2f}" if run.ranks <= cores else "       -"
        lines.append(f"{run.ranks:5} {run.rounds:7} {run.collectives:12} {run.sent / 2**20:9.2f} "
                     f"{run.received / 2**20:13.2f} {run.memory / 2**20:9.1f} {run.cpu:15.3f} {seconds}")
    return lines


def foretold(one, half):
    """(what every rank does, what ranks share) in CPU seconds, from a pool and half of it."""
    shared = 2 * (one.cpu - half.cpu)
    return one.cpu - shared, shared


def model(runs, half):
    one = next((run for run in runs if run.ranks == 1), None)
    two = next((run for run in runs if run.ranks == 2), None)
    if not (one and two and half):
        return ["no model: it needs runs of 1 and 2 ranks and of half the pool"]
    fixed, shared = foretold(one, half)
    error = half.cpu / two.cpu - 1
    share = shared / one.cpu
    lines = [f"calibration: 1 rank on half the pool takes {half.cpu:.3f} s of a processor, each of 2 ranks "
             f"{two.cpu:.3f} s: {error:+.0%}; the pool is {share:.0%} of 1 rank's time"]
    if share < LEAST_SHARE:
        return lines + [f"no model is shown: below {LEAST_SHARE:.0%} it would hold for nothing; take more rows"]
    if abs(error) > TOLERANCE:
        return lines + [f"no model is shown: what 1 rank foretells of 2 must hold within {TOLERANCE:.0%}"]
    lines += ["model (not measured): each rank's own CPU time + shared CPU time / ranks + collectives x "
              "log2(ranks) x latency + bytes received / bandwidth",
              f"constants: {fixed:.3f} s own, {shared:.3f} s shared; latency {LATENCY_S * 1e6:.0f} us a hop, "
              f"bandwidth {BYTES_PER_S / 1e9:.0f} GB/s",
              f"{'ranks':>5} {'model s':>9} {'of it CPU s':>12} {'measured':>9} {'exchange s':>11}"]
    last = runs[-1]
    for run, ranks in [(run, run.ranks) for run in runs] + [(last, MODEL_RANKS)]:
        exchange = run.exchange_seconds(ranks)
        cpu = fixed + shared / ranks
        measured = f"{run.cpu:9.3f}" if ranks == run.ranks else f"{'-':>9}"
        lines.append(f"{ranks:5} {cpu + exchange:9.3f} {cpu:12.3f} {measured} {exchange:11.6f}")
    lines.append(f"{MODEL_RANKS} ranks: with the collectives and bytes of {last.ranks} ranks")
    return lines


def read_latency(folder):
    """{(shortlist, picks): {delay in ms: Run}}"""
    groups = {}
    for path in folder.glob("latency.*.json"):
        delay, shortlist, picks = (int(word) for word in path.name.split(".")[1:4])
        groups.setdefault((shortlist, picks), {}).setdefault(delay, []).append(path)
    return {task: {delay: Run(paths) for delay, paths in sorted(runs.items())} for task, runs in sorted(groups.items())}


def latency(folder):
    # The fastest of several runs: other work on the machine only ever adds.
    lines = [f"{'shortlist':>9} {'picks':>6} {'rounds':>7} {'collectives':>12} {'ms one way':>11} {'seconds':>8} "
             f"{'added a ms':>11} {'a collective':>13}"]
    tasks = read_latency(folder)
    for (shortlist, picks), runs in tasks.items():
        for delay, run in runs.items():
            added = (run.fastest - runs[0].fastest) / delay * 1000 if delay else 0.0
            told = f"{added:11.1f} {added / run.collectives:13.2f}" if delay else f"{'-':>11} {'-':>13}"
            lines.append(f"{shortlist:9} {picks:6} {run.rounds:7} {run.collectives:12} {delay:11} {run.fastest:8.3f} "
                         f"{told}")
    lines.append("added a ms: milliseconds for each millisecond of latency; a collective: of them, for each collective")
    return lines, {task: set().union(*(run.selected for run in runs.values())) for task, runs in tasks.items()}


def refusal(answers):
    """Exit code: each task must have one answer."""
    if all(len(answer) <= 1 for answer in answers):
        return 0
    print("the batch is not the same every time", file=sys.stderr)
    return 65


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["table", "latency"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--cores", type=int, default=10**9, help="ranks beyond them shared cores")
    options = parser.parse_args()
    if options.what == "latency":
        lines, selected = latency(options.folder)
        print("\n".join(lines))
        return refusal(selected.values())
    runs, half = read_runs(options.folder)
    if not runs:
        print(f"{options.folder}: no reports", file=sys.stderr)
        return 66
    print("\n".join(table(runs, options.cores) + model(runs, half)))
    return refusal([set().union(*(run.selected for run in runs)), set().union(*(run.batches for run in runs))])


if __name__ == "__main__":
    sys.exit(main())
