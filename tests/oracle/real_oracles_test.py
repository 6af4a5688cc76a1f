#!/usr/bin/env python3
"""The oracles of jobs/examples with the real codes: labels equal those of independent references, and
nothing that a code gets wrong in silence becomes a label."""

import collections
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy as np

from workplace import BINARY, ENVIRONMENT, SOURCE, Workplace, write

EXAMPLES = os.path.join(SOURCE, "jobs", "examples")
NUM_ITEMS = 500
# The published recipe: GFN2-xTB on two rigid molecules placed by R, a, b, t.
RECIPE = r"""
awk -v R=$1 -v a=$2 -v b=$3 -v t=$4 'BEGIN{p=atan2(0,-1)/180;r=.9572;h=52.26*p;a*=p;b*=p;t*=p
 print 6"\nx"; print "O 0 0 0"
 printf "H %.8f 0 %.8f\nH %.8f 0 %.8f\n", r*sin(a),r*cos(a), r*sin(a+2*h),r*cos(a+2*h)
 printf "O 0 0 %.8f\n",R; for(s=-1;s<=1;s+=2){x=s*r*sin(h);z=r*cos(h);y=z*sin(b);z=z*cos(b)
 printf "H %.8f %.8f %.8f\n", x*cos(t)-y*sin(t), x*sin(t)+y*cos(t), R+z}}' > g.xyz
OMP_NUM_THREADS=1 xtb g.xyz --gfn 2 --sp --norestart >o 2>e
grep -q '^normal termination' e && awk '/TOTAL ENERGY/{print $4}' o
"""
PUBLISHED = {2.6: "-10.14600", 2.9: "-10.14845", 3.2: "-10.14718", 5.0: "-10.14238"}  # a 0 b 50 t 90


def oracle(kind):
    return os.path.join(EXAMPLES, kind, "oracle.ini")


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=ENVIRONMENT,
                          stdin=subprocess.DEVNULL, timeout=100)
    if done.returncode != 0:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Place(unittest.TestCase):
    """A folder of its own for each test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-oracles-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def label_rows(self, kind, rows):
        """Result lines, by row, of rows that are dicts of inputs."""
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        place = Workplace(self.folder, columns, ticket_items=len(rows))
        labeled = place.label(oracle(kind), "--until-empty", "--workers", 2)
        self.assertEqual(labeled.returncode, 0, labeled.stderr)
        self.assertTrue(place.all_once())
        return [line for _, line in sorted((line["row"], line) for line in place.results())]

    def expect_verdicts(self, lines, verdicts):
        self.assertEqual([(line["status"], line.get("reason", "")) for line in lines], verdicts)
        for line in lines:
            self.assertEqual("y" in line, line["status"] == "ok", line)


class WholeCampaigns(Place):
    """Each oracle on 500 items of its pool with two workers, to labels in a file."""

    def labels_of(self, kind):
        """inputs [rows], {row: y}, result lines."""
        pool, queue, labels = (str(self.folder / name) for name in ("pool.h5", "queue", "labels"))
        run(BINARY, "pool", "make", kind, "--rows", "20000", "--out", pool)
        run(BINARY, "select", "--pool", pool, "--queue", queue, "--batch", str(NUM_ITEMS),
            "--score", "random", "--diversify", "none")
        run(BINARY, "label", "--queue", queue, "--oracle", oracle(kind), "--workers", "2",
            "--until-empty", "--scratch", self.folder)
        lines = [json.loads(line) for path in pathlib.Path(queue, "results").iterdir()
                 for line in path.read_text().splitlines()]
        lines = [line for line in lines if "seal" not in line]
        self.assertEqual(sorted(line["item"] for line in lines), list(range(NUM_ITEMS)))
        run(BINARY, "ingest", "--queue", queue, "--labels", labels)
        with h5py.File(os.path.join(labels, "labels.g0001.h5")) as file:
            found = dict(zip(file["row"][:].tolist(), file["y"][:].tolist()))
        ok = {line["row"]: line["y"] for line in lines if line["status"] == "ok"}
        self.assertEqual(found, ok)
        with h5py.File(pool) as file:
            inputs = file["inputs"][:]
        self.assertTrue(0.9 * NUM_ITEMS < len(found) < NUM_ITEMS, len(found))
        return inputs, found, lines

    def reasons(self, lines):
        return collections.Counter((line["status"], line["reason"]) for line in lines
                                   if line["status"] != "ok")

    def test_water_dimers(self):
        inputs, labels, lines = self.labels_of("water-dimer")
        self.assertLessEqual(set(self.reasons(lines)),
                             {("nonconverged", "SCF not converged"),
                              ("invalid", "energy is above max -9.6")})
        for row in sorted(labels)[:8]:
            expected = recipe_energy(self.folder, *inputs[row, :4])
            self.assertAlmostEqual(labels[row][0], expected, delta=1e-6)

    def test_clusters(self):
        inputs, labels, lines = self.labels_of("lj-cluster")
        for line in lines:
            atoms = inputs[line["row"]].reshape(7, 3)
            distances = pair_distances(atoms)
            if abs(atoms).max() > 5.65:
                expected = ("invalid", "atoms lost outside the box")
            elif distances.min() < 0.75 * 3.4:
                expected = ("invalid", "atoms overlap")
            else:
                expected = ("ok", "")
                self.assertAlmostEqual(line["y"][0], lennard_jones(distances), delta=1e-9)
            self.assertEqual((line["status"], line.get("reason", "")), expected)

    def test_amplifiers(self):
        inputs, labels, lines = self.labels_of("amplifier")
        self.assertEqual(set(self.reasons(lines)), {("invalid", "no bandwidth")})
        for row, (_, _, power) in labels.items():
            self.assertAlmostEqual(power, transistor_power(*inputs[row, :4]), delta=1e-4 * power + 1e-10)
        for row in sorted(labels)[:5]:
            for found, expected in zip(labels[row], direct_ngspice(self.folder, inputs[row])):
                self.assertAlmostEqual(found, expected, delta=1e-6 * abs(expected))

    def test_known_items(self):
        for kind in ("water-dimer", "lj-cluster", "amplifier"):
            run(BINARY, "label", "--oracle", oracle(kind), "--test")


# --- xtb -----------------------------------------------------------------------------------------


def recipe_energy(folder, *parameters):
    done = subprocess.run(["bash", "-c", RECIPE, "recipe", *(repr(float(p)) for p in parameters)],
                          cwd=folder, capture_output=True, text=True, check=True)
    return float(done.stdout)


def dimer(distance, a=0.0, b=50.0, t=90.0):
    """Inputs of the pool by the recipe's formulas."""
    bond, half = 0.9572, math.radians(52.26)
    a, b, t = map(math.radians, (a, b, t))
    atoms = {"O1": (0, 0, 0), "H1": (bond * math.sin(a), 0, bond * math.cos(a)),
             "H2": (bond * math.sin(a + 2 * half), 0, bond * math.cos(a + 2 * half)),
             "O2": (0, 0, distance)}
    for name, sign in (("H3", -1), ("H4", 1)):
        x, y = sign * bond * math.sin(half), bond * math.cos(half) * math.sin(b)
        atoms[name] = (x * math.cos(t) - y * math.sin(t), x * math.sin(t) + y * math.cos(t),
                       distance + bond * math.cos(half) * math.cos(b))
    return {f"{name}_{axis}": value for name, atom in atoms.items()
            for axis, value in zip("xyz", atom)}


class WaterDimer(Place):
    def test_published_energies(self):
        lines = self.label_rows("water-dimer", [dimer(distance) for distance in PUBLISHED])
        for line, (distance, published) in zip(lines, PUBLISHED.items()):
            self.assertEqual((line["status"], line["units"]), ("ok", ["Eh"]))
            self.assertEqual(f"{line['y'][0]:.5f}", published)
            expected = recipe_energy(self.folder, distance, 0, 50, 90)
            self.assertAlmostEqual(line["y"][0], expected, delta=1e-6)

    def test_what_xtb_gets_wrong_is_no_label(self):
        together = dict(dimer(2.9), O2_z=0.0)
        tight = dimer(1.3342799226, -97.3421887, -116.2039469, 30.4059135)
        lines = self.label_rows(
            "water-dimer", [dimer(2.9), dimer(0.01), tight, together, dimer(6.0)])
        self.expect_verdicts(lines, [
            ("ok", ""), ("invalid", "energy is above max -9.6"), ("nonconverged", "SCF not converged"),
            ("invalid", "atoms at one place"), ("ok", "")])
        # xtb itself is content with the second.
        self.assertEqual([line["exit_code"] for line in lines], [0, 0, 1, 1, 0])


# --- LAMMPS --------------------------------------------------------------------------------------


def pair_distances(atoms):
    first, second = np.triu_indices(len(atoms), 1)
    return np.linalg.norm(atoms[first] - atoms[second], axis=1)


def lennard_jones(distances):
    sixth = (3.4 / distances) ** 6
    return float(np.sum(4 * 0.0103408 * (sixth**2 - sixth)))


def cluster(**moved):
    """The bipyramid at its best, with some coordinates replaced."""
    radius, height = 0.95620631 * 3.4, 0.57387017 * 3.4
    atoms = [(radius * math.cos(0.4 * math.pi * k), radius * math.sin(0.4 * math.pi * k), 0.0)
             for k in range(5)] + [(0.0, 0.0, height), (0.0, 0.0, -height)]
    inputs = {f"{axis}{k}": value for k, atom in enumerate(atoms, 1)
              for axis, value in zip("xyz", atom)}
    return {**inputs, **moved}


def item_lines(rows):
    return "".join(json.dumps({"item": item, "row": item, "id": str(item), "inputs": inputs}) + "\n"
                   for item, inputs in enumerate(rows))


class LjCluster(Place):
    def ask(self, rows, prefix=(), path=None):
        """The script alone: exit code, its answers, its log."""
        environment = dict(ENVIRONMENT, PATH=f"{path}:{ENVIRONMENT['PATH']}" if path else
                           ENVIRONMENT["PATH"])
        done = subprocess.run(
            [*prefix, sys.executable, os.path.join(EXAMPLES, "lj-cluster", "lj_cluster.py")],
            input=item_lines(rows), cwd=self.folder, env=environment, capture_output=True, text=True,
            check=False, timeout=60)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def play_lammps(self, script):
        """A folder with an lmp that is this shell script."""
        path = write(self.folder / "lmp", f"#!/bin/bash\n{script}\n")
        os.chmod(path, 0o755)
        return self.folder

    def test_what_lammps_gets_wrong_is_no_label(self):
        outside = cluster(z7=-9.0)
        inside = cluster(x7=cluster()["x1"], y7=0.0, z7=0.0)
        lines = self.label_rows("lj-cluster", [cluster(), outside, inside, cluster(z7=-0.3),
                                               cluster(x1=1e308), cluster(z7=-2.5)])
        self.expect_verdicts(lines, [
            ("ok", ""), ("invalid", "atoms lost outside the box"),
            ("invalid", "energy is not finite"), ("invalid", "atoms overlap"),
            ("invalid", "atoms lost outside the box"), ("ok", "")])
        self.assertEqual({line["exit_code"] for line in lines}, {0})
        self.assertAlmostEqual(lines[0]["y"][0], -16.505384 * 0.0103408, delta=1e-8)

    def test_a_crash_costs_one_item(self):
        crash = self.play_lammps('grep -c BEGIN clusters.in >> starts\n'
                                 'first=$(grep -m1 -o "BEGIN [0-9]*" clusters.in)\n'
                                 'echo $first; [ "$first" = "BEGIN 0" ] || exec /usr/bin/lmp "$@"\n'
                                 'echo LABEL 0 7 -0.1; echo BEGIN 1; kill -SEGV $$')
        code, answers, _ = self.ask([cluster()] * 4, path=crash)
        self.assertEqual((code, [answer["status"] for answer in answers]),
                         (0, ["ok", "oracle_error", "ok", "ok"]))
        self.assertIn("died", answers[1]["reason"])
        self.assertEqual((self.folder / "starts").read_text(), "4\n2\n")

    def test_an_error_is_its_own_reason(self):
        stops = self.play_lammps('echo BEGIN 0; echo "ERROR: Lost atoms (src/thermo.cpp:438)"; exit 1')
        code, answers, log = self.ask([cluster()], path=stops)
        self.assertEqual(code, 0)
        self.assertEqual([(answer["status"], answer["reason"]) for answer in answers],
                         [("oracle_error", "LAMMPS stops with an ERROR")])
        self.assertIn("Lost atoms", log)

    def test_a_real_error_is_caught(self):
        """LAMMPS itself, given a deck that it cannot run."""
        broken = self.play_lammps('sed -i "s/^pair_coeff.*/pair_coeff 1 1 oops/" clusters.in\n'
                                  'exec /usr/bin/lmp "$@"')
        _, answers, log = self.ask([cluster()], path=broken)
        self.assertEqual(answers[0]["reason"], "LAMMPS stops with an ERROR")
        self.assertIn("ERROR", log)

    def test_lammps_that_does_not_start_stops_the_worker(self):
        code, answers, log = self.ask([cluster()] * 3, path=self.play_lammps("exit 127"))
        self.assertEqual((code, answers), (30, []))
        self.assertIn("does not start", log)

    def test_runs_below_an_mpi_launcher(self):
        code, answers, _ = self.ask([cluster()], prefix=["mpirun", "-n", "1"])
        self.assertEqual((code, answers[0]["status"]), (0, "ok"))

    def test_missing_coordinates_are_no_label(self):
        partial = cluster()
        del partial["z3"]
        _, answers, _ = self.ask([partial, cluster(), cluster(x1=None), cluster(x1=math.inf)])
        self.assertEqual({answer["item"]: answer["status"] for answer in answers},
                         {0: "invalid", 1: "ok", 2: "invalid", 3: "invalid"})


# --- ngspice -------------------------------------------------------------------------------------


def transistor_power(width, length, load, gate):
    """Power of a level-1 transistor with its load: the current by bisection of the drain's voltage."""
    over = gate - 0.7
    if over <= 0:
        return 0.0

    def current(drain):
        factor = 110e-6 * width / length * (1 + 0.04 * drain)
        return factor * (over**2 / 2 if drain >= over else (over - drain / 2) * drain)

    low, high = 0.0, 3.3
    for _ in range(200):
        middle = (low + high) / 2
        if (3.3 - middle) / load > current(middle):
            low = middle
        else:
            high = middle
    return 3.3 * current(low)


def direct_ngspice(folder, inputs):
    """gain, f3db, power: the deck filled in by hand."""
    text = pathlib.Path(EXAMPLES, "amplifier", "amplifier.cir").read_text().replace("{{row}}", "0")
    for name, value in zip(("w", "l", "rd", "vgg", "cl"), inputs):
        text = text.replace("{{%s}}" % name, repr(float(value)))
    deck = write(folder / "direct.cir", text)
    values = {}
    for line in run("ngspice", "-b", deck).splitlines():
        words = line.split()
        if len(words) >= 3 and words[0] in ("gain", "f3db", "power") and words[1] == "=":
            values[words[0]] = float(words[2])
    return values["gain"], values["f3db"], values["power"]


class Amplifier(Place):
    def test_what_ngspice_gets_wrong_is_no_label(self):
        good = {"w": 10e-6, "l": 1e-6, "rd": 10e3, "vgg": 0.9, "cl": 1e-12}
        lines = self.label_rows("amplifier", [
            good, {**good, "vgg": 0.5}, {**good, "w": 0.0, "l": 0.0},
            {**good, "rd": 0.0}, {**good, "vgg": 1.5}])
        self.expect_verdicts(lines, [
            ("ok", ""), ("invalid", "no bandwidth"),
            ("nonconverged", "no operating point"), ("invalid", "no bandwidth"), ("ok", "")])
        self.assertEqual({line["exit_code"] for line in lines}, {0})  # ngspice is always content
        self.assertEqual(lines[0]["units"], ["dB", "Hz", "W"])
        # The pole of the load: 10 kohm beside the transistor's 1.1 Mohm, and a picofarad.
        self.assertAlmostEqual(lines[0]["y"][1], 1.6e7, delta=2e5)
        self.assertAlmostEqual(lines[0]["y"][2], 8.14663e-5, delta=1e-9)
        self.assertLess(lines[-1]["y"][0], 0.0)  # a triode amplifies nothing but has a bandwidth


if __name__ == "__main__":
    unittest.main()
