#!/usr/bin/env python3
"""Makes data sets for retrospective studies (sluice simulate): some that scikit-learn brings, and
numbers from formulas.

Writes a pool of features and, apart from it, the labels that the study hides. No download.

Data sets
  digits      1,797 images of handwritten digits, 8 x 8 pixels
  digits10    the same, every row copied ten times; `groups` says which rows are copies
  digits3v9   threes (class 0) and nines (class 1) only, in their first two principal components
  wine        178 wines of three growers, 13 measurements
  cancer      569 tumours, benign or not, 30 measurements
  diabetes    442 patients, 10 measurements; the target is how the disease went on
  friedman1, friedman2, friedman3
              10,000 rows of Friedman's functions of 10, 4 and 4 inputs, without noise
  borehole    10,000 rows of the flow of water through a borehole, 8 inputs
  circuit, piston, wing
              10,000 rows of the voltage of a push-pull circuit, the cycle time of a piston and the
              weight of a wing: 6, 7 and 10 inputs
  robot       10,000 places of a robot's hand, four joints in a plane; its distance from the origin
  pendulum    10,000 states of a double pendulum along 50 swings; the target is the upper arm's
              angular acceleration

Example: make_study_data.py digits10 --out digits10.h5 --labels digits10.hidden.h5
"""

import argparse
import pathlib

import pool_file
from pool_file import EXIT_USAGE

NUM_COPIES = 10
NUM_MADE = 10000
NUM_SWINGS = 50


def principal_components(numpy, features, count: int):
    """Coordinates along the directions of largest variance, each with the sign that makes its
    largest weight positive."""
    centred = features - features.mean(axis=0)
    directions = numpy.linalg.svd(centred, full_matrices=False)[2][:count]
    largest = numpy.abs(directions).argmax(axis=1)
    directions *= numpy.sign(directions[numpy.arange(count), largest])[:, None]
    return centred @ directions.T


def digits(numpy, datasets):
    """Features, classes and no groups."""
    features, classes = datasets.load_digits(return_X_y=True)
    return features, classes, None


def digits10(numpy, datasets):
    """Every image ten times, copies far apart."""
    features, classes, _ = digits(numpy, datasets)
    groups = numpy.tile(numpy.arange(len(classes)), NUM_COPIES)
    return features[groups], classes[groups], groups


def digits3v9(numpy, datasets):
    """Two classes in a plane."""
    features, classes, _ = digits(numpy, datasets)
    chosen = (classes == 3) | (classes == 9)
    return principal_components(numpy, features[chosen], 2), (classes[chosen] == 9) * 1, None


def wine(numpy, datasets):
    """Wine, as it comes."""
    return (*datasets.load_wine(return_X_y=True), None)


def cancer(numpy, datasets):
    """Breast cancer, as it comes."""
    return (*datasets.load_breast_cancer(return_X_y=True), None)


def diabetes(numpy, datasets):
    """Diabetes, as it comes."""
    return (*datasets.load_diabetes(return_X_y=True), None)


def friedman1(numpy, datasets):
    """10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5, five more inputs without effect."""
    return (*datasets.make_friedman1(NUM_MADE, n_features=10, random_state=1), None)


def friedman2(numpy, datasets):
    """The impedance of an alternating current circuit."""
    return (*datasets.make_friedman2(NUM_MADE, random_state=1), None)


def friedman3(numpy, datasets):
    """Its phase angle."""
    return (*datasets.make_friedman3(NUM_MADE, random_state=1), None)


def borehole(numpy, datasets):
    r"""Water through a borehole, with the usual distributions of its inputs.

    \source Morris, Mitchell and Ylvisaker, Technometrics 35 (1993), section 4.
    """
    random = numpy.random.default_rng(1)
    low = [63070.0, 990.0, 63.1, 700.0, 1120.0, 9855.0]
    high = [115600.0, 1110.0, 116.0, 820.0, 1680.0, 12045.0]
    radius = random.normal(0.10, 0.0161812, NUM_MADE).clip(0.05, 0.15)
    influence = numpy.exp(random.normal(7.71, 1.0056, NUM_MADE)).clip(100.0, 50000.0)
    rest = random.uniform(low, high, size=(NUM_MADE, 6))
    upper, upper_head, lower, lower_head, length, conductivity = rest.T
    log = numpy.log(influence / radius)
    flow = 2 * numpy.pi * upper * (upper_head - lower_head) / (
        log * (1 + 2 * length * upper / (log * radius**2 * conductivity) + upper / lower))
    return numpy.column_stack([radius, numpy.log(influence), rest]), flow, None


def uniform_inputs(numpy, ranges):
    """A column for each range."""
    low, high = numpy.array(ranges).T
    return numpy.random.default_rng(1).uniform(low, high, size=(NUM_MADE, len(ranges)))


def circuit(numpy, datasets):
    r"""The mid-point voltage of an output transformerless push-pull circuit.

    \source Ben-Ari and Steinberg, Quality Engineering 19 (2007), the OTL circuit.
    """
    inputs = uniform_inputs(numpy, [(50.0, 150.0), (25.0, 70.0), (0.5, 3.0), (1.2, 2.5),
                                    (0.25, 1.2), (50.0, 300.0)])
    base1, base2, feedback, collector1, collector2, gain = inputs.T
    amplified = gain * (collector2 + 9)
    voltage = ((12 * base2 / (base1 + base2) + 0.74) * amplified + 11.35 * feedback +
               0.74 * feedback * amplified / collector1) / (amplified + feedback)
    return inputs, voltage, None


def piston(numpy, datasets):
    r"""Seconds that a piston takes for a cycle.

    \source Kenett and Zacks, Modern Industrial Statistics (1998); ranges as in Ben-Ari and
            Steinberg, Quality Engineering 19 (2007).
    """
    inputs = uniform_inputs(numpy, [(30.0, 60.0), (0.005, 0.02), (0.002, 0.01), (1000.0, 5000.0),
                                    (90000.0, 110000.0), (290.0, 296.0), (340.0, 360.0)])
    weight, surface, volume, spring, pressure, ambient, filling = inputs.T
    gas = pressure * volume * ambient / filling
    force = pressure * surface + 19.62 * weight - spring * volume / surface
    now = surface / (2 * spring) * (numpy.sqrt(force**2 + 4 * spring * gas) - force)
    return inputs, 2 * numpy.pi * numpy.sqrt(weight / (spring + surface**2 * gas / now**2)), None


def wing(numpy, datasets):
    r"""Pounds that the wing of a light aircraft weighs.

    \source Forrester, Sobester and Keane, Engineering Design via Surrogate Modelling (2008),
            section 1.4.
    """
    inputs = uniform_inputs(numpy, [(150.0, 200.0), (220.0, 300.0), (6.0, 10.0), (-10.0, 10.0),
                                    (16.0, 45.0), (0.5, 1.0), (0.08, 0.18), (2.5, 6.0),
                                    (1700.0, 2500.0), (0.025, 0.08)])
    area, fuel, aspect, sweep, dynamic, taper, thickness, load, gross, paint = inputs.T
    cosine = numpy.cos(numpy.radians(sweep))
    weight = 0.036 * area**0.758 * fuel**0.0035 * (aspect / cosine**2)**0.6 * dynamic**0.006
    weight *= taper**0.04 * (100 * thickness / cosine)**-0.3 * (load * gross)**0.49
    return inputs, weight + area * paint, None


def robot(numpy, datasets):
    r"""Sines and cosines of four angles and the lengths of the arms between them.

    \source An and Owen, "Quasi-regression", J. Complexity 17 (2001), section 6.
    """
    random = numpy.random.default_rng(1)
    angles = random.uniform(-1.5, 1.5, size=(NUM_MADE, 4))
    lengths = random.uniform(0.0, 1.0, size=(NUM_MADE, 4))
    headings = angles.cumsum(axis=1)
    distance = numpy.hypot((lengths * numpy.cos(headings)).sum(axis=1),
                           (lengths * numpy.sin(headings)).sum(axis=1))
    return numpy.column_stack([numpy.sin(angles), numpy.cos(angles), lengths]), distance, None


def pendulum_rates(numpy, state):
    """How angles and angular velocities [n, 4] of double pendulums (arms and masses 1) change."""
    upper, lower, upper_rate, lower_rate = state.T
    between = upper - lower
    share = 3 - numpy.cos(2 * between)
    gravity = 9.81
    upper_change = (-3 * gravity * numpy.sin(upper) - gravity * numpy.sin(upper - 2 * lower) -
                    2 * numpy.sin(between) *
                    (lower_rate**2 + upper_rate**2 * numpy.cos(between))) / share
    lower_change = 2 * numpy.sin(between) * (
        2 * upper_rate**2 + 2 * gravity * numpy.cos(upper) +
        lower_rate**2 * numpy.cos(between)) / share
    return numpy.column_stack([upper_rate, lower_rate, upper_change, lower_change])


def pendulum(numpy, datasets):
    """States a tenth of a second apart, by Runge and Kutta's rule in steps of 5 ms."""
    state = numpy.random.default_rng(1).uniform(-1.5, 1.5, size=(NUM_SWINGS, 4))
    states, step = [], 0.005
    for count in range(NUM_MADE // NUM_SWINGS * 20):
        if count % 20 == 0:
            states.append(state)
        first = pendulum_rates(numpy, state)
        second = pendulum_rates(numpy, state + step / 2 * first)
        third = pendulum_rates(numpy, state + step / 2 * second)
        fourth = pendulum_rates(numpy, state + step * third)
        state = state + step / 6 * (first + 2 * second + 2 * third + fourth)
    states = numpy.concatenate(states)
    angles = states[:, :2]
    features = numpy.column_stack([numpy.sin(angles), numpy.cos(angles), states[:, 2:]])
    return features, pendulum_rates(numpy, states)[:, 2], None


MAKERS = {maker.__name__: maker for maker in (
    digits, digits10, digits3v9, wine, cancer, diabetes, friedman1, friedman2, friedman3, borehole,
    circuit, piston, wing, robot, pendulum)}


def write_pool(file, features, groups) -> None:
    """Fills the pool file."""
    pool_file.mark_as_pool(file, "make_study_data.py")
    file["features"] = features.astype("<f4")
    if groups is not None:
        file["groups"] = groups.astype("<u8")


def write_labels(file, labels) -> None:
    """Fills the file of hidden labels: classes, or numbers."""
    file.attrs["format"] = "sluice-labels"
    file.attrs["format_version"] = 1
    file.create_dataset("row", data=range(len(labels)), dtype="<i8")
    if labels.dtype.kind == "f":
        file.create_dataset("y", data=labels[:, None], dtype="<f8")
    else:
        file.create_dataset("y", data=labels, dtype="<i4")


class Parser(argparse.ArgumentParser):
    """argparse with sluice's exit code and one-line errors."""

    def error(self, message: str):
        pool_file.leave(EXIT_USAGE, f"make_study_data.py: {message}; see --help")


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                    allow_abbrev=False)
    parser.add_argument("data", choices=MAKERS, metavar="DATA", help="one of the data sets")
    parser.add_argument("--out", required=True, type=pathlib.Path, metavar="FILE",
                        help="the pool to write; must not exist")
    parser.add_argument("--labels", required=True, type=pathlib.Path, metavar="FILE",
                        help="where the labels go; must not exist")
    return parser.parse_args()


def main() -> None:
    """Makes the files that the command line asks for."""
    options = parse_options()
    numpy = pool_file.need_module("numpy", "python3-numpy")
    datasets = pool_file.need_module("sklearn.datasets", "python3-sklearn")
    features, labels, groups = MAKERS[options.data](numpy, datasets)
    with pool_file.new_file(options.labels) as file:
        write_labels(file, labels)
    with pool_file.new_file(options.out) as file:
        write_pool(file, features, groups)
    what = "numbers" if labels.dtype.kind == "f" else f"{labels.max() + 1} classes"
    print(f"{options.out}: {len(labels):,} rows of {features.shape[1]} features, {what}")


if __name__ == "__main__":
    pool_file.run_main(main)
