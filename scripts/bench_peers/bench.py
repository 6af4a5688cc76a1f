#!/usr/bin/env python3
"""Runs our benchmark programs and the peers in turn and prints the table; see scripts/bench.sh."""

import argparse
import dataclasses
import os
import pathlib
import platform
import shutil
import subprocess
import sys

import end_to_end
import goals
import measure
from figures import Figures

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/bench"
PEERS = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Program:
    """A program to run once a round; its id prefixes say what --only asks of it."""
    prefixes: tuple
    command: list
    is_peer: bool = False
    only_alone: bool = False  # with peers, one of them runs it, turn by turn
    rounds: int = 3  # with the repeats inside each program at least 5 of each side


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
                          "--repeats", "2", "--sides", *sides), is_peer=True))
    return programs


def rule_programs(quick):
    """Our rules, then their peers on the points that ours have dumped."""
    folder = BUILD / "k_center"
    small = ["--quick"] if quick else []

    def own(identifier):
        return Program((identifier, f"D2.{identifier}"), ours(
            "rules", *small, "--only", identifier, "--dump", str(folder)), rounds=2)

    def others(identifier, data, picks, *sides):
        return Program((identifier,), peer(
            "peers_rules", str(folder / data), "--name", data, "--picks", str(picks), "--sides",
            *sides), is_peer=True, rounds=2)

    thousand, half = (100, 50) if quick else (1000, 500)
    return [
        own("K2"), others("K2", "K2.gaussian", thousand, "sklearn_kmeanspp", "bmdal_kmeanspp"),
        own("K3"), others("K3", "K3.gaussian", thousand, "bmdal_maxdet", "torch_maxdet"),
        own("K4"), others("K4", "K4", half, "apricot", "submodlib"),
        own("K5"), *(others("K5", f"K5.{kind}", thousand, "sgemm", "faiss", "sklearn_kmeans")
                     for kind in ("gaussian", "clusters")),
        own("K6"), others("K6", "K6", half, "materialised")]


def programs(quick):
    small = ["--quick"] if quick else []
    score_rows = "40000" if quick else "400000"
    top_rows = "2000000" if quick else "20000000"
    network_rows = "4096" if quick else "65536"
    return [
        Program(("R",), ours("reader", str(BUILD), "0.1" if quick else "3.8"), rounds=1),
        Program(("S1", "S2"), ours("scores", score_rows)),
        Program(("S1", "S2"), peer("peers_scores", "--rows", score_rows, "--repeats", "3",
                                   "--compile"), is_peer=True),
        Program(("F1",), ours("network", network_rows, "15", str(measure.THREADS)),
                only_alone=True),
        Program(("F1",), peer("peers_network", *ours("network"), "--rows", network_rows,
                              "--compile"), is_peer=True, rounds=1),
        Program(("T1", "T2"), ours("top_k", *small)),
        Program(("T1",), peer("peers_top_k", "--rows", top_rows, "--repeats", "3"), is_peer=True),
        Program(("K1", "D2"), ours("k_center", *small, "--dump", str(BUILD / "k_center"))),
        *k_center_peers(quick),
        *rule_programs(quick),
        Program(("F2",), ours("training", *small)),
        Program(("F2",), peer("peers_training", "--repeats", "3"), is_peer=True),
        Program(("Q",), ours("queue", str(BUILD), *small), rounds=1),
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
              and not (program.is_peer and options.no_peers)
              and not (program.only_alone and not options.no_peers)]
    if not chosen:
        return
    for round_number in range(1 if options.quick else max(program.rounds for program in chosen)):
        for program in chosen:
            if round_number >= program.rounds:
                continue
            name = pathlib.Path(program.command[2 if program.is_peer else 0]).name
            print(f"round {round_number + 1}: {name}", file=sys.stderr)
            run_program(program, figures, failures)


def machine_lines():
    lines = [f"machine: {cpu_name()}, {len(os.sched_getaffinity(0))} cores, "
             f"{platform.system()} {platform.release()}"]
    versions = [f"Python {platform.python_version()}"]
    for module, name in (("numpy", "NumPy"), ("torch", "PyTorch"), ("sklearn", "scikit-learn"),
                         ("skactiveml", "scikit-activeml"), ("h5py", "h5py"),
                         ("faiss", "faiss"), ("apricot", "apricot")):
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
    """A value with its unit; seconds for a GB are printed as the rate they stand for."""
    return f"{1 / value:.4g} GB/s" if unit == "GB/s" else f"{value:.4g} {unit}"


def short_note(note, limit=48):
    """The leading clauses of a note that fit the column."""
    while len(note) > limit and ", " in note:
        note = note.rpartition(", ")[0]
    return note[:limit]


def table_line(goal, figures):
    """One printed line, or None if neither side was run."""
    own, other = figures.median(goal.id, goal.side), figures.median(goal.id, goal.peer)
    if own is None and other is None:
        return None
    note = short_note(figures.notes.get((goal.id, goal.side), ""))
    if own is None or other is None:
        return (goal.id, note, "-", goal.peer, "-", goal.text(), "not run")
    ratio = other / own
    return (goal.id, note, figure(own, goal.unit), f"{goal.peer} {figure(other, goal.unit)}",
            f"{ratio:.3g}", goal.text(), goal.verdict(ratio))


def note_lines(figures):
    """How each figure came about."""
    shown = dict.fromkeys((goal.id, side) for goal in goals.all_goals()
                          for side in (goal.side, goal.peer))
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
    lines += ["", "how the figures were taken:", *note_lines(figures)]
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
