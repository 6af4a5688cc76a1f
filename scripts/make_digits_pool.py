#!/usr/bin/env python3
"""Makes the `digits` pool: scikit-learn's 1,797 images of handwritten digits, 8 x 8 pixels.

The pool holds the images as features [1797,64] (pixels 0 to 16), the class probabilities
[1797,M,10] of a committee, their mean [1797,10], and ids. The committee is a bootstrap of logistic
regressions really trained on a few labeled rows, which go to a file of their own with --labels
(row [L], y [L]). The same options make the same files.

Example: make_digits_pool.py --out digits.h5 --labels labels.h5
"""

import argparse
import pathlib

import pool_file
from pool_file import EXIT_USAGE

NUM_CLASSES = 10
PIXEL_MAX = 16.0


def choose_labeled(numpy, truth, count: int, seed: int):
    """Rows that are labeled from the start: one of each class, the rest at random; ascending."""
    order = numpy.random.default_rng(seed).permutation(len(truth))
    firsts = [next(row for row in order if truth[row] == label) for label in range(NUM_CLASSES)]
    others = [row for row in order if row not in firsts]
    return numpy.sort(numpy.array(firsts + others[:count - NUM_CLASSES], dtype="<i8"))


def train_committee(numpy, features, truth, labeled, members: int, seed: int):
    """Probabilities [N,members,10] of logistic regressions, each on its own bootstrap sample."""
    linear_model = pool_file.need_module("sklearn.linear_model", "python3-sklearn")
    scaled = features / PIXEL_MAX
    probabilities = numpy.zeros((len(features), members, NUM_CLASSES))
    for member in range(members):
        random = numpy.random.default_rng([seed, member])
        sample = labeled[random.integers(0, len(labeled), len(labeled))]
        model = linear_model.LogisticRegression(C=10.0, max_iter=1000)
        model.fit(scaled[sample], truth[sample])
        # A class the sample has missed keeps probability 0.
        probabilities[:, member, model.classes_] = model.predict_proba(scaled)
    return probabilities


def write_pool(file, features, probabilities) -> None:
    """Fills the pool file."""
    pool_file.mark_as_pool(file, "make_digits_pool.py")
    file["features"] = features.astype("<f4")
    file["probabilities"] = probabilities.mean(axis=1).astype("<f4")
    file["committee"] = probabilities.astype("<f4")
    for name in ("probabilities", "committee"):
        file[name].attrs["kind"] = "probability"
    file.create_dataset("ids", data=range(len(features)), dtype="<u8")


def write_labels(file, truth, labeled) -> None:
    """Fills the labels file."""
    file.attrs["format"] = "sluice-labels"
    file.attrs["format_version"] = 1
    file.create_dataset("row", data=labeled, dtype="<i8")
    file.create_dataset("y", data=truth[labeled], dtype="<i4")


class Parser(argparse.ArgumentParser):
    """argparse with sluice's exit code and one-line errors."""

    def error(self, message: str):
        pool_file.leave(EXIT_USAGE, f"make_digits_pool.py: {message}; see --help")


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                    allow_abbrev=False)
    parser.add_argument("--out", required=True, type=pathlib.Path, metavar="FILE",
                        help="the pool to write; must not exist")
    parser.add_argument("--labels", type=pathlib.Path, metavar="FILE",
                        help="where the labeled rows and their classes go; must not exist")
    parser.add_argument("--labeled", type=int, default=100, metavar="L",
                        help="number of labeled rows (default 100, at least 10)")
    parser.add_argument("--members", type=int, default=8, metavar="M",
                        help="committee members (default 8)")
    parser.add_argument("--seed", type=int, default=0, metavar="S",
                        help="of the choice of rows and of the bootstrap (default 0)")
    options = parser.parse_args()
    if not NUM_CLASSES <= options.labeled <= 1797:
        parser.error(f"argument --labeled: give 10 to 1797 ({options.labeled})")
    if not 1 <= options.members <= 1000:
        parser.error(f"argument --members: give 1 to 1000 ({options.members})")
    if options.seed < 0:
        parser.error(f"argument --seed: must not be negative ({options.seed})")
    return options


def main() -> None:
    """Makes the files that the command line asks for."""
    options = parse_options()
    numpy = pool_file.need_module("numpy", "python3-numpy")
    datasets = pool_file.need_module("sklearn.datasets", "python3-sklearn")
    features, truth = datasets.load_digits(return_X_y=True)
    labeled = choose_labeled(numpy, truth, options.labeled, options.seed)
    probabilities = train_committee(numpy, features, truth, labeled, options.members, options.seed)
    if options.labels is not None:
        with pool_file.new_file(options.labels) as file:
            write_labels(file, truth, labeled)
    with pool_file.new_file(options.out) as file:
        write_pool(file, features, probabilities)
    accuracy = float((probabilities.mean(axis=1).argmax(axis=1) == truth).mean())
    print(f"{options.out}: {len(truth):,} rows, committee of {options.members} trained on "
          f"{len(labeled)} rows, right for {accuracy:.1%} of all")


if __name__ == "__main__":
    pool_file.run_main(main)
