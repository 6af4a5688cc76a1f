#!/usr/bin/env python3
"""Makes data sets for retrospective studies (sluice simulate) from those that scikit-learn brings.

Writes a pool of features and, apart from it, the labels that the study hides. No download.

Data sets
  digits      1,797 images of handwritten digits, 8 x 8 pixels
  digits10    the same, every row copied ten times; `groups` says which rows are copies
  digits3v9   threes (class 0) and nines (class 1) only, in their first two principal components
  wine        178 wines of three growers, 13 measurements
  cancer      569 tumours, benign or not, 30 measurements

Example: make_study_data.py digits10 --out digits10.h5 --labels digits10.hidden.h5
"""

import argparse
import pathlib

import pool_file
from pool_file import EXIT_USAGE

NUM_COPIES = 10


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


MAKERS = {maker.__name__: maker for maker in (digits, digits10, digits3v9, wine, cancer)}


def write_pool(file, features, groups) -> None:
    """Fills the pool file."""
    pool_file.mark_as_pool(file, "make_study_data.py")
    file["features"] = features.astype("<f4")
    if groups is not None:
        file["groups"] = groups.astype("<u8")


def write_labels(file, classes) -> None:
    """Fills the file of hidden labels."""
    file.attrs["format"] = "sluice-labels"
    file.attrs["format_version"] = 1
    file.create_dataset("row", data=range(len(classes)), dtype="<i8")
    file.create_dataset("y", data=classes, dtype="<i4")


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
    features, classes, groups = MAKERS[options.data](numpy, datasets)
    with pool_file.new_file(options.labels) as file:
        write_labels(file, classes)
    with pool_file.new_file(options.out) as file:
        write_pool(file, features, groups)
    print(f"{options.out}: {len(classes):,} rows of {features.shape[1]} features, "
          f"{classes.max() + 1} classes")


if __name__ == "__main__":
    pool_file.run_main(main)
