"""The speeds of scripts/gpu_check.sh: runs the bench program and the peers, and prints the G table.

A figure is only ever printed that was measured in this call; what could not be is named with the reason.
"""

import argparse
import pathlib
import subprocess
import sys

import goals

FOLDER = pathlib.Path(__file__).parent


def figures_of(output):
    """{id: {side: (seconds, what)}} of lines as `id TAB side TAB seconds TAB what`."""
    figures = {}
    for line in output.splitlines():
        words = line.split("\t")
        if len(words) == 4:
            figures.setdefault(words[0], {})[words[1]] = (float(words[2]), words[3])
    return figures


def run(command):
    """(figures, what went wrong or "") of a program that prints such lines."""
    try:
        finished = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError as error:
        return {}, str(error)
    said = finished.stderr.strip().splitlines()
    return figures_of(finished.stdout), "" if finished.returncode == 0 else (said or ["failed"])[-1]


def merged(*many):
    whole = {}
    for figures in many:
        for identifier, sides in figures.items():
            whole.setdefault(identifier, {}).update(sides)
    return whole


def milliseconds(seconds):
    return f"{1e3 * seconds:.3f} ms"


def verdict(value, least):
    return f"{value:.2f} (goal {least:g}{', not reached' if value < least else ''})"


def lines_of(identifier, sides):
    """The table's lines for one id: ours, its share of the floor, and each peer."""
    ours, what = sides["ours"]
    goal = goals.goal_of(identifier)
    lines = [f"{identifier:<18} {milliseconds(ours):>14}  {what}"]
    if goal is None:
        return lines
    if "floor" in sides:
        floor, how = sides["floor"]
        lines.append(f"{'':<18} {milliseconds(floor):>14}  floor: {how}; floor / ours "
                     f"{verdict(floor / ours, goal.share_of_floor)}")
    for peer, least in goal.peers:
        if peer in sides:
            seconds, how = sides[peer]
            lines.append(f"{'':<18} {milliseconds(seconds):>14}  {peer}: {how}; {verdict(seconds / ours, least)} x")
        else:
            lines.append(f"{'':<18} {'not measured':>14}  {peer}")
    for side in sorted(set(sides) - {"ours", "floor"} - {peer for peer, _ in goal.peers}):
        seconds, how = sides[side]
        lines.append(f"{'':<18} {milliseconds(seconds):>14}  {side}: {how}; {seconds / ours:.2f} x")
    return lines


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--python", default=sys.executable, help="one with PyTorch, if there is one")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    quick = ["--quick"] if options.quick else []
    ours, trouble = run([options.bench, *quick])
    peers, peer_trouble = run([options.python, "-B", str(FOLDER / "peers.py"), *quick])
    figures = merged(ours, peers)
    for identifier in sorted(figures):
        if "ours" in figures[identifier]:
            print("\n".join(lines_of(identifier, figures[identifier])))
    for identifier, reason in goals.NOT_BUILT.items():
        print(f"{identifier:<18} {'not measured':>14}  {reason}")
    for name, reason in (("sluice_bench_gpu", trouble), ("peers", peer_trouble)):
        if reason:
            print(f"{name}: {reason}")
    if options.quick:
        print("small sizes: this shows that everything works; these are not the real figures")
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
