#!/usr/bin/env python3
"""Runs our benchmark programs and the peers in turn and prints the table; see scripts/bench.sh."""

import argparse
import collections
import dataclasses
import math
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys

import end_to_end
import goals

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/bench"
PEERS = pathlib.Path(__file__).resolve().parent

SCORE_LINE = re.compile(
    r"S1 (\w+) (\w+) \[([\d,]+)\]: read ([\d.]+) GB/s, score ([\d.]+) GB/s, ratio .*")
# What of sluice_bench_scores goes into the table; the peers run the same shapes.
SCORED = {("bald", "committee_probabilities"): "S1.bald",
          ("entropy", "committee_probabilities"): "S1.entropy",
          ("margin", "probabilities"): "S1.margin",
          ("bald", "committee_logits"): "S2.bald",
          ("entropy", "committee_logits"): "S2.entropy",
          ("margin", "logits"): "S2.margin"}


class Figures:
    """Seconds by (id, side), one value for each run of a program; the last note of each."""

    def __init__(self):
        self.seconds = collections.defaultdict(list)
        self.notes = {}

    def add_lines(self, text):
        for line in text.splitlines():
            fields = line.split("\t")
            if len(fields) == 4:
                self.add(fields[0], fields[1], float(fields[2]), fields[3])
            elif found := SCORE_LINE.fullmatch(line):
                self.add_score_line(found)

    def add_score_line(self, found):
        """A line of sluice_bench_scores, which gives rates."""
        score, source, shape, read_rate, score_rate = found.groups()
        if (score, source) not in SCORED:
            return
        identifier = SCORED[score, source]
        gigabytes = math.prod(map(int, shape.split(","))) * 4 / 1e9
        self.add(identifier, "ours", gigabytes / float(score_rate), f"{score} of {source} [{shape}]")
        self.add(identifier, "read", gigabytes / float(read_rate), f"plain sum, {read_rate} GB/s")

    def add(self, identifier, side, seconds, note):
        self.seconds[identifier, side].append(seconds)
        self.notes[identifier, side] = note

    def median(self, identifier, side):
        values = self.seconds.get((identifier, side))
        return statistics.median(values) if values else None


@dataclasses.dataclass
class Program:
    """A program to run once a round; its id prefixes say what --only asks of it."""
    prefixes: tuple
    command: list
    is_peer: bool = False


def ours(name, *arguments):
    return [str(BUILD / f"sluice_bench_{name}"), *arguments]


def peer(name, *arguments):
    return [sys.executable, "-B", str(PEERS / f"{name}.py"), *arguments]


def k_center_peers(quick):
    """The peers' runs on each kind of points; the slow peers only on the first kind."""
    programs = []
    for number, kind in enumerate(goals.K1_KINDS):
        data = BUILD / "k_center" / kind
        sides = ["numpy"] if number else ["numpy", "torch", "torch_difference", "sklearn",
                                          "scikit_activeml"]
        programs.append(Program(
            ("K1",), peer("peers_k_center", f"{data}.f32", "--picks", f"{data}.picks", "--dim",
                          "256", "--batch", "100" if quick else "1000", "--name", f"K1.{kind}",
                          "--repeats", "1", "--sides", *sides), is_peer=True))
    return programs


def programs(quick):
    small = ["--quick"] if quick else []
    score_rows = "40000" if quick else "400000"
    top_rows = "2000000" if quick else "20000000"
    return [
        Program(("R",), ours("reader", *small)),
        Program(("S1", "S2"), ours("scores", score_rows)),
        Program(("S1", "S2"), peer("peers_scores", "--rows", score_rows, "--repeats", "3",
                                   "--compile"), is_peer=True),
        Program(("T1", "T2"), ours("top_k", *small)),
        Program(("T1",), peer("peers_top_k", "--rows", top_rows, "--repeats", "3"), is_peer=True),
        Program(("K1", "D2"), ours("k_center", *small, "--dump", str(BUILD / "k_center"))),
        *k_center_peers(quick),
    ]


def wants(only, prefixes):
    return not only or any(prefix.startswith(name) or name.startswith(prefix)
                           for name in only for prefix in prefixes)


def run_program(program, figures, failures):
    if not pathlib.Path(program.command[0]).exists():
        failures.append(f"{program.command[0]}: not built")
        return
    finished = subprocess.run(program.command, capture_output=True, text=True, check=False)
    figures.add_lines(finished.stdout)
    if finished.returncode != 0:
        last = (finished.stderr.strip().splitlines() or ["no message"])[-1]
        failures.append(f"{' '.join(program.command)}: exit code {finished.returncode}: {last}")


def run_rounds(options, figures, failures):
    chosen = [program for program in programs(options.quick)
              if wants(options.only, program.prefixes)
              and not (program.is_peer and options.no_peers)]
    for round_number in range(1 if options.quick else options.rounds):
        for program in chosen:
            name = pathlib.Path(program.command[2 if program.is_peer else 0]).name
            print(f"round {round_number + 1}: {name}", file=sys.stderr)
            run_program(program, figures, failures)


def machine_lines():
    lines = [f"machine: {cpu_name()}, {len(os.sched_getaffinity(0))} cores, "
             f"{platform.system()} {platform.release()}"]
    versions = [f"Python {platform.python_version()}"]
    for module, name in (("numpy", "NumPy"), ("torch", "PyTorch"), ("sklearn", "scikit-learn"),
                         ("skactiveml", "scikit-activeml"), ("h5py", "h5py")):
        try:
            versions.append(f"{name} {__import__(module).__version__}")
        except ImportError:
            continue
    return [*lines, "peers: " + ", ".join(versions)]


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def figure(value, unit):
    return f"{value:.4g} {unit}"


def table_line(goal, figures):
    """One printed line, or None if neither side was run."""
    own, other = figures.median(goal.id, goal.side), figures.median(goal.id, goal.peer)
    if own is None and other is None:
        return None
    note = figures.notes.get((goal.id, goal.side), goal.id)
    if own is None or other is None:
        return (goal.id, note, "-", goal.peer, "-", goal.text(), "not run")
    ratio = other / own
    verdict = "ok" if ratio >= goal.ratio else f"short by {100 * (1 - ratio / goal.ratio):.0f} %"
    return (goal.id, note, figure(own, goal.unit), f"{goal.peer} {figure(other, goal.unit)}",
            f"{ratio:.3g}", goal.text(), verdict if goal.ratio else "")


def note_lines(figures):
    """How each figure that ours are compared with came about."""
    shown = [(goal.id, goal.peer) for goal in goals.all_goals()]
    return [f"{identifier} {side}: {figures.notes[identifier, side]}"
            for identifier, side in shown if (identifier, side) in figures.notes]


def print_table(options, figures, failures):
    rows = [("id", "workload", "ours", "compared with", "ratio", "goal", "")]
    rows += filter(None, (table_line(goal, figures) for goal in goals.all_goals()))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = machine_lines()
    if options.quick:
        lines.append("--quick: small sizes, NOT the real figures")
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
              for row in rows]
    lines += ["", "how the compared figures were taken:", *note_lines(figures)]
    lines += [f"failed: {failure}" for failure in dict.fromkeys(failures)]
    text = "\n".join(lines)
    print(text)
    (BUILD / "results.txt").write_text(text + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--big", action="store_true")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    (BUILD / "k_center").mkdir(parents=True, exist_ok=True)

    figures, failures = Figures(), []
    run_rounds(options, figures, failures)
    if wants(options.only, ("E1",)):
        end_to_end.run_file_to_queue(options, BUILD, figures, failures)
    if wants(options.only, ("E2",)):
        end_to_end.run_memory(options, BUILD, figures, failures)
    shutil.rmtree(BUILD / "k_center", ignore_errors=True)
    print_table(options, figures, failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
