#!/usr/bin/env python3
"""Whether what the project claims of its studies holds in their results.

Reads DIR/STUDY/summary.json as `scripts/studies.sh` leaves them, prints one line for each claim and
leaves with 1 if one does not hold.

Example: check_studies.py build/studies digits svm
"""

import argparse
import json
import pathlib
import sys


def strategies_of(directory: pathlib.Path, study: str) -> dict:
    """What the first measure of a study's first data set says of each strategy."""
    report = json.loads((directory / study / "summary.json").read_text(encoding="utf-8"))
    measure = report["data"][0]["measures"][0]
    return {entry["strategy"]: entry for entry in measure["strategies"]}


def compared(strategies: dict, name: str) -> str:
    """How a strategy did against the random arm."""
    test = strategies[name]["against_random"]
    return f"area {test['difference']:+.4f} ({test['low']:+.4f} to {test['high']:+.4f}), " \
           f"p {test['p']:.2g}"


def differs(strategies: dict, name: str, verdict: str) -> bool:
    """Whether the paired test says `verdict`, at p < 0.01."""
    test = strategies[name]["against_random"]
    return test["verdict"] == verdict and test["p_holm"] < 0.01


def labels_against_random(strategies: dict, name: str, share: float):
    """Whether a strategy needs at most `share` of the random arm's labels for the same."""
    chance = strategies["random"]["labels_to_target"]
    ours = strategies[name]["labels_to_target"]
    holds = ours is not None and (chance is None or ours <= share * chance)
    return holds, f"{ours or 'never':g} labels, random {chance or 'never':g}"


def claims_of(study: str, strategies: dict):
    """Claims of a study: sentence, whether it holds, the numbers."""
    if study == "digits":
        yield ("the two-stage default beats random",
               differs(strategies, "two_stage", "better"), compared(strategies, "two_stage"))
    if study == "copies":
        yield ("with ten copies of each row, margin alone is worse than random",
               differs(strategies, "margin", "worse"), compared(strategies, "margin"))
        for name in ("two_stage", "two_stage_distinct"):
            yield (f"with ten copies of each row, {name} beats random",
                   differs(strategies, name, "better"), compared(strategies, name))
    if study == "lazy":
        yield ("with noisy and lazy answers, two-stage still beats random",
               differs(strategies, "two_stage", "better"), compared(strategies, "two_stage"))
    if study == "svm":
        yield ("the active SVM comes close to all labels with 3/4 of random's",
               *labels_against_random(strategies, "active_svm", 0.75))
        yield ("and has the higher area", differs(strategies, "active_svm", "better"),
               compared(strategies, "active_svm"))
    if study == "water-dimer":
        yield ("committee_std and k-center reach random's last error with half of its labels",
               *labels_against_random(strategies, "committee_std_k_center", 0.5))


def main() -> None:
    """Checks the studies that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path, metavar="DIR")
    parser.add_argument("studies", nargs="+", metavar="STUDY")
    options = parser.parse_args()
    failed = 0
    for study in options.studies:
        for sentence, holds, numbers in claims_of(study, strategies_of(options.directory, study)):
            print(f"{'holds' if holds else 'DOES NOT HOLD':<14} {study}: {sentence}: {numbers}")
            failed += not holds
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
