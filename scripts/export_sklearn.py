#!/usr/bin/env python3
"""Turns scikit-learn estimators into a sluice model (model.h5).

FILE was written by joblib.dump or pickle.dump and holds a fitted estimator, or a list of them;
several estimators are the members of a committee. LOADING SUCH A FILE RUNS THE CODE IN IT: give
only files of your own.

Heads of linear layers can be exported: LogisticRegression, LinearSVC, SGDClassifier,
RidgeClassifier and their like, LinearRegression, Ridge, Lasso and theirs, MLPClassifier,
MLPRegressor; also behind scalers, PCA or RBFSampler in a Pipeline, and as the members of Voting and
Bagging committees.
From Python: import export_sklearn; export_sklearn.write_model([estimator, ...], "model.h5")

Example: export_sklearn.py bagging.joblib --out model.h5
"""

import argparse
import pathlib
import warnings

import pool_file
from pool_file import EXIT_BAD_DATA, EXIT_NO_INPUT, EXIT_USAGE, Failure


def read_estimators(path: pathlib.Path, notes: list):
    """What a file of joblib or pickle holds."""
    joblib = pool_file.need_module("joblib", "python3-joblib")
    pool_file.need_module("sklearn", "python3-sklearn")
    if not path.is_file():
        raise Failure(EXIT_NO_INPUT, f"{path}: no such file; check the path")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loaded = joblib.load(path)
    except Exception as error:  # whatever a file that is no pickle provokes
        raise Failure(EXIT_BAD_DATA, f"{path}: cannot be loaded ({type(error).__name__}: {error}); "
                                     "is it whole, and written by joblib.dump?") from error
    notes += [f"{path}: {' '.join(str(warning.message).split())}" for warning in caught]
    return loaded


def place_classes(heads: list, notes: list) -> list:
    """Gives all members the same classes in the same order: output i is class number i."""
    from sklearn_heads import UNSEEN_LOGIT
    try:
        classes = sorted({label for head in heads for label in head.classes})
    except TypeError as error:
        raise Failure(EXIT_BAD_DATA, f"the members' classes cannot be put in order ({error}); "
                                     "train all members on the same labels") from error
    for head in heads:
        if head.classes != classes:
            places = [classes.index(label) for label in head.classes]
            head.chain.place_outputs(places, len(classes), UNSEEN_LOGIT)
            notes.append(f"{head.chain.name}: has never seen {len(classes) - len(places)} of the "
                         f"{len(classes)} classes; their probability is 0")
    if classes != list(range(len(classes))):
        shown = [f"{number} = {label!r}" for number, label in enumerate(classes)]
        notes.append("classes have new numbers: " + ", ".join(shown[:20])
                     + (", ..." if len(shown) > 20 else ""))
    return classes


def write_heads(named: list, out, notes: list, *, decision_values=False, temperature=1.0,
                sources=()):
    """Writes the committee of (name, estimator) and returns it; adds to `notes`."""
    from model_file import model_of_chains, write_model as write_file
    from sklearn_heads import Walk
    walk = Walk(decision_values)
    heads = [head for name, estimator in named for head in walk.heads(estimator, name)]
    notes += walk.notes
    tasks = {"regression" if head.classes is None else "classification" for head in heads}
    if len(tasks) != 1:
        raise Failure(EXIT_BAD_DATA, "a committee needs members that all classify, or all predict "
                                     f"numbers ({', '.join(sorted(tasks)) or 'no members'})")
    (task,) = tasks
    provenance = {"made_by": "export_sklearn.py", "sources": list(sources)}
    if task == "classification":
        provenance["classes"] = place_classes(heads, notes)
    provenance["notes"] = notes
    model = model_of_chains([head.chain for head in heads], task, temperature=temperature,
                            provenance=provenance)
    write_file(out, model)
    return model


def write_model(estimators, out, **options) -> list:
    """Writes a fitted estimator, or a list of them as a committee. Options: `temperature`,
    `decision_values` (also where the probabilities are no softmax of them). Returns what was done,
    as lines for people. Raises pool_file.Failure."""
    notes = []
    write_heads([("estimator", estimators)], out, notes, **options)
    return notes


class Parser(argparse.ArgumentParser):
    """argparse with sluice's exit code and one-line errors."""

    def error(self, message: str):
        pool_file.leave(EXIT_USAGE, f"export_sklearn.py: {message}; see --help")


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                    allow_abbrev=False)
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE",
                        help="an estimator or a list of them; loading it runs the code in it")
    parser.add_argument("--out", required=True, type=pathlib.Path, metavar="FILE",
                        help="the model to write; must not exist")
    parser.add_argument("--decision-values", action="store_true",
                        help="export decision values also where the estimator's probabilities are "
                             "no softmax of them (one class against the rest)")
    parser.add_argument("--temperature", type=float, default=1.0, metavar="T",
                        help="logits are divided by it (default 1)")
    return parser.parse_args()


def main() -> None:
    """Exports as the command line says."""
    options = parse_options()
    for name in ("numpy", "h5py"):
        pool_file.need_module(name, f"python3-{name}")
    from model_file import summary
    notes = []
    named = [(str(path), read_estimators(path, notes)) for path in options.files]
    model = write_heads(named, options.out, notes, decision_values=options.decision_values,
                        temperature=options.temperature,
                        sources=[path.name for path in options.files])
    print("\n".join([*notes, f"{options.out}: {summary(model)}"]))


if __name__ == "__main__":
    pool_file.run_main(main)
