#!/usr/bin/env python3
"""Lennard-Jones energies of argon clusters from LAMMPS, for many items in one process.

Reads a line of JSON an item on stdin, as sluice's jsonl mode writes them, and answers each with a
line on stdout as soon as LAMMPS has its energy. LAMMPS leaves out atoms outside the box and gives
overlapping ones an energy, both without an error: such items are answered `invalid`.
"""

import collections
import json
import math
import os
import subprocess
import sys

# Argon: A. Rahman, "Correlations in the Motion of Atoms in Liquid Argon", Physical Review 1964.
WELL_DEPTH = 0.0103408  # eV, 120 K
DIAMETER = 3.4  # angstrom
NEAREST = 0.75 * DIAMETER  # closer pairs are beyond the model
HALF_BOX = 5.65  # angstrom
CUTOFF = 50.0  # angstrom: no pair is beyond
NUM_ATOMS = 7
NAMES = [axis + str(atom) for atom in range(1, NUM_ATOMS + 1) for axis in "xyz"]

STOP_WORKER = 30
DECK = "clusters.in"


class Stopped(Exception):
    """LAMMPS ended before it had answered all items."""

    def __init__(self, answered, reason):
        super().__init__(reason)
        self.answered = answered


def answer(item, status, **details):
    print(json.dumps({"item": item, "status": status, "converged": status == "ok", **details}),
          flush=True)


def read_items(lines):
    """{item: [x1, y1, z1, ...]}; items without usable coordinates are answered at once."""
    items = {}
    for line in lines:
        given = json.loads(line)
        inputs = given["inputs"]
        try:
            coordinates = [float(inputs[name]) for name in NAMES]
        except (KeyError, TypeError):
            answer(given["item"], "invalid", reason="coordinates are missing")
            continue
        if all(map(math.isfinite, coordinates)):
            items[given["item"]] = coordinates
        else:
            answer(given["item"], "invalid", reason="a coordinate is not finite")
    return items


def nearest_pair(coordinates):
    atoms = [coordinates[at:at + 3] for at in range(0, len(coordinates), 3)]
    return min(math.dist(left, right) for i, left in enumerate(atoms) for right in atoms[:i])


def commands(item, coordinates):
    """LAMMPS commands that print BEGIN and LABEL lines of one item."""
    box = f"{-HALF_BOX} {HALF_BOX}"
    atoms = [" ".join(map(repr, coordinates[at:at + 3])) for at in range(0, len(coordinates), 3)]
    return [f'print "BEGIN {item}"', "clear", "units metal", "atom_style atomic",
            "boundary f f f", f"region box block {box} {box} {box}", "create_box 1 box",
            "mass 1 39.948", *(f"create_atoms 1 single {atom}" for atom in atoms),
            f"pair_style lj/cut {CUTOFF}", f"pair_coeff 1 1 {WELL_DEPTH} {DIAMETER}",
            "run 0 post no", f'print "LABEL {item} $(count(all)) $(pe:%.15g)"']


def clean_environment():
    """Without what an MPI launcher or a scheduler left there: LAMMPS would join their job."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment.update(OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1",
                       OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_ess_singleton_isolated="1",
                       OMPI_MCA_orte_create_session_dirs="0", OMPI_MCA_pml="ob1",
                       OMPI_MCA_btl="self")
    return environment


def start_lammps(items):
    with open(DECK, "w", encoding="ascii") as deck:
        for item, coordinates in items.items():
            deck.write("\n".join(commands(item, coordinates)) + "\n")
    # stdbuf: every line at once, so that no answer is lost if LAMMPS crashes later.
    words = ["stdbuf", "-oL", "lmp", "-in", DECK, "-log", "none"]
    return subprocess.Popen(words, env=clean_environment(), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace")


def judge(item, count, energy, coordinates):
    nearest = nearest_pair(coordinates)
    if count != NUM_ATOMS:
        answer(item, "invalid", reason="atoms lost outside the box", atoms=count)
    elif not math.isfinite(energy):
        answer(item, "invalid", reason="energy is not finite", nearest=nearest)
    elif nearest < NEAREST:
        answer(item, "invalid", reason="atoms overlap", nearest=nearest)
    else:
        answer(item, "ok", y=energy, units="eV", nearest=nearest)


def run_lammps(items):
    """Answers the items in order; raises Stopped if LAMMPS ends early."""
    tail = collections.deque(maxlen=30)
    begun = False
    error = None
    answered = 0
    with start_lammps(items) as process:
        for line in process.stdout:
            words = line.split()
            tail.append(line)
            if words[:1] == ["BEGIN"]:
                begun = True
            elif words[:1] == ["LABEL"] and len(words) == 4:
                item = int(words[1])
                judge(item, int(words[2]), float(words[3]), items[item])
                answered += 1
            elif line.startswith("ERROR"):
                error = "LAMMPS stops with an ERROR"
    if answered == len(items):
        return
    sys.stderr.write("".join(tail))
    if not begun:
        sys.stderr.write(f"LAMMPS (lmp) does not start (exit code {process.returncode})\n")
        sys.exit(STOP_WORKER)
    raise Stopped(answered, error or f"LAMMPS died (exit code {process.returncode})")


def main():
    items = read_items(sys.stdin)
    while items:
        try:
            run_lammps(items)
            return
        except Stopped as stopped:
            left = list(items.items())[stopped.answered:]
            answer(left[0][0], "oracle_error", reason=str(stopped))
            items = dict(left[1:])


if __name__ == "__main__":
    main()
