"""The speeds of scripts/gpu_check.sh: asks the bench program and its peers in turns, and prints the G table.

A figure is only ever printed that was measured in this call; what could not be is named with the reason.
"""

import argparse
import pathlib
import statistics
import sys

import goals
import serving

FOLDER = pathlib.Path(__file__).parent
PEERS = ("torch", "cupy")
TURNS = {"full": 7, "quick": 5, "rehearsal": 2}  # after one that is not counted
SHRINK = {"full": 1, "quick": 100, "rehearsal": 20000}


class Figures:
    """Of one id: seconds of each turn, and why there are none, by side."""

    def __init__(self):
        self.seconds = {}
        self.what = {}
        self.missing = {}

    def take(self, lines, counts):
        for line in lines:
            _, side, seconds, what = line.split("\t")
            if seconds == "-":
                self.missing[side] = what
                self.seconds.pop(side, None)
            elif counts:
                self.seconds.setdefault(side, []).append(float(seconds))
                self.what[side] = what

    def median(self, side):
        return statistics.median(self.seconds[side])


def measure(identifier, programs, turns):
    """The figures of one id from all programs that know it, which take turns."""
    figures = Figures()
    taking = []
    sides = {program: program.name for program in programs[1:]} | {programs[0]: "ours"}
    for program in programs:
        lines, trouble = program.ask(f"open {identifier}")
        if trouble:
            figures.missing[sides[program]] = trouble
        elif lines is not None:
            taking.append(program)
    for turn in range(-1, turns):
        for program in list(taking):
            lines, trouble = program.ask("turn")
            if trouble:
                figures.missing[sides[program]] = trouble
                taking.remove(program)
            figures.take(lines, turn >= 0)
    for program in taking:
        program.ask("close")
    return figures


def milliseconds(seconds):
    return f"{1e3 * seconds:.3f} ms"


def verdict(value, least):
    return f"{value:.2f}" + (f" (goal {least:g}{', not reached' if value < least else ''})" if least else "")


def lines_of(identifier, figures):
    """The table's lines for one id: ours, its share of the floor, and each peer."""
    goal = goals.goal_of(identifier) or goals.Goal(identifier, "")
    lines = []
    ours = figures.median("ours") if "ours" in figures.seconds else None

    def add(side, text):
        seconds = milliseconds(figures.median(side)) if side in figures.seconds else "not measured"
        lines.append(f"{identifier if not lines else '':<18} {seconds:>14}  {text}")

    def against(side, least):
        return f"; {verdict(figures.median(side) / ours, least)} x" if ours else ""

    if ours:
        add("ours", f"{figures.what['ours']}; median of {len(figures.seconds['ours'])} turns")
    else:
        add("ours", f"ours: {figures.missing.get('ours', 'the bench program knows no such line')}")
    if "floor" in figures.seconds:
        how = f"; floor / ours {verdict(figures.median('floor') / ours, goal.share_of_floor)}" if ours else ""
        add("floor", f"floor: {figures.what['floor']}{how}")
    peers = dict(goal.peers)
    for side in sorted(set(figures.seconds) - {"ours", "floor"}):
        add(side, f"{side}: {figures.what[side]}{against(side, peers.get(side, 0.0))}")
    for side in sorted((set(peers) | set(figures.missing)) - set(figures.seconds) - {"ours"}):
        add(side, side + (f": {figures.missing[side]}" if side in figures.missing else ""))
    return lines


def rehearsed(identifier, figures):
    """That it works, without a figure."""
    sides = ", ".join(sorted(figures.seconds)) or "nothing"
    lines = [f"{identifier:<18} {'rehearsed':>14}  {sides}"]
    return lines + [f"{'':<18} {'':>14}  {side}: {why}" for side, why in sorted(figures.missing.items())]


def ids_of(programs):
    """Of all programs, each once; and the first program's trouble."""
    found = {}
    trouble = ""
    for program in programs:
        lines, why = program.ask("ids")
        trouble = trouble or (why if program is programs[0] else "")
        found.update(dict.fromkeys(lines or []))
    return sorted(found), trouble


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", required=True)
    for library in PEERS:
        parser.add_argument(f"--{library}", metavar="PYTHON", help=f"one that has {library}")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--device", choices=["gpu", "cpu"], default="gpu")
    return parser.parse_args(arguments)


def start(options, scale):
    shared = ["--shrink", SHRINK[scale]]
    if options.device == "cpu":
        shared += ["--device", "cpu"]
    programs = [serving.Program("sluice_bench_gpu", [options.bench, *shared])]
    for library in PEERS:
        python = getattr(options, library)
        if python:
            programs.append(serving.Program(library, [python, "-B", FOLDER / "peers.py", "--library", library, *shared]))
    return programs


def main(arguments=None):
    options = parse(arguments)
    scale = "rehearsal" if options.device == "cpu" else "quick" if options.quick else "full"
    programs = start(options, scale)
    identifiers, trouble = ids_of(programs)
    failed = bool(trouble)
    for identifier in identifiers:
        figures = measure(identifier, programs, TURNS[scale])
        failed = failed or "ours" in figures.missing
        lines = rehearsed if scale == "rehearsal" else lines_of
        print("\n".join(lines(identifier, figures)), flush=True)
    known = {goals.goal_of(identifier) for identifier in identifiers}
    for goal in goals.GOALS:
        if goal not in known:
            print(f"{goal.identifier:<18} {'not measured':>14}  no program knows this line")
    for library in PEERS:
        if not getattr(options, library):
            print(f"{library}: not installed here, nothing was measured against it")
    for program in programs:
        if program.trouble:
            print(f"{program.name}: {program.trouble}")
        program.end()
    if scale == "rehearsal":
        print("a rehearsal on the CPU with small sizes: no figures")
    elif scale == "quick":
        print("small sizes: this shows that everything works; these are not the real figures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
