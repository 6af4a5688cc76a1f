#!/usr/bin/env python3
"""Whether what the project claims of its studies holds in their results.

Reads DIR/STUDY/summary.json as `scripts/studies.sh` leaves them, prints one line for each claim and
leaves with 1 if one does not hold. Of studies of several data sets it also prints, without a claim,
how each pair of strategies compares (curves.csv), losers included.

Example: check_studies.py build/studies digits svm
"""

import argparse
import csv
import json
import math
import pathlib
import statistics
import sys

from scipy import stats

# Pairs that are reported without a claim. Of the regression the order of a benchmark, the first with
# less error than the second (Holzmueller et al., JMLR 24(164), 2023, table 5).
PAIRS = {
    "regression": ("rmse", (("lcmd", "k_center"), ("bait", "k_center"), ("lcmd", "random"),
                            ("bait", "random"), ("k_center", "random"), ("random", "max_diag"))),
    "batches": ("accuracy", tuple((name, other) for other in ("random", "margin") for name in
                                  ("uherding", "badge", "gist", "lcmd_gradients"))),
}


def sets_of(directory: pathlib.Path, study: str) -> dict:
    """What the first measure of each of a study's data sets says of each strategy."""
    report = json.loads((directory / study / "summary.json").read_text(encoding="utf-8"))
    return {data["name"]: {entry["strategy"]: entry for entry in data["measures"][0]["strategies"]}
            for data in report["data"]}


def means_of_runs(path: pathlib.Path, measure: str) -> dict:
    """{(data, strategy): {seed: mean over the rounds after the first}}, of an rmse's logarithm."""
    values: dict = {}
    with open(path, newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if int(line["round"]) == 0:
                continue
            value = float(line[measure])
            seeds = values.setdefault((line["data"], line["strategy"]), {})
            seeds.setdefault(line["seed"], []).append(
                math.log(value) if measure == "rmse" else value)
    return {key: {seed: statistics.fmean(seed_values) for seed, seed_values in seeds.items()}
            for key, seeds in values.items()}


def paired(means: dict, data: str, first: str, second: str) -> str:
    """How the first strategy's mean differs from the second's, paired by seed."""
    pairs = [means[data, first][seed] - means[data, second][seed] for seed in means[data, first]]
    mean, deviation = statistics.fmean(pairs), statistics.stdev(pairs)
    t = mean / (deviation / math.sqrt(len(pairs))) if deviation > 0 else 0.0
    return f"{mean:+.4f} (t {t:+.1f}, less in {sum(pair < 0 for pair in pairs)} of {len(pairs)})"


def print_pairs(directory: pathlib.Path, study: str) -> None:
    """Pairs of strategies, set by set: what came out, whatever it is."""
    measure, pairs = PAIRS[study]
    means = means_of_runs(directory / study / "curves.csv", measure)
    names = list(dict.fromkeys(strategy for _, strategy in means))
    what = "log rmse" if measure == "rmse" else measure
    for data in dict.fromkeys(data for data, _ in means):
        of_set = {name: statistics.fmean(means[data, name].values()) for name in names}
        ranking = sorted(names, key=of_set.get, reverse=measure != "rmse")
        print(f"{'reported':<14} {study}: {data}: mean {what}: " +
              ", ".join(f"{name} {of_set[name]:.4f}" for name in ranking))
        for first, second in pairs:
            if first in names and second in names:
                print(f"{'reported':<14} {study}: {data}: {first} less {second}: "
                      f"{paired(means, data, first, second)}")


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


def sets_where(sets: dict, name: str, verdict: str, least: int):
    """Whether a strategy differs from random in this way on at least so many data sets, and on none
    in the other way."""
    seen = [data for data, strategies in sets.items() if differs(strategies, name, verdict)]
    return len(seen) >= least, "on " + (", ".join(seen) or "none") + f" of {len(sets)}"


def is_less(first: dict, second: dict) -> bool:
    """Whether the first's mean over the seeds is below the second's, by a paired test at 5 %."""
    ours, theirs = list(first.values()), list(second.values())
    return statistics.fmean(ours) < statistics.fmean(theirs) and \
        stats.ttest_rel(ours, theirs).pvalue < 0.05


def in_order(sets: dict, means: dict):
    """Data sets on which LCMD and BAIT have less error than k-center, and that less than random:
    each pair by a paired test at 5 %. Then those of them on which what a committee disagrees on
    most has more than random, the whole order of the benchmark."""
    seen = [data for data, strategies in sets.items()
            if all(is_less(means[data, arm], means[data, "k_center"]) for arm in ("lcmd", "bait"))
            and strategies["k_center"]["against_random"]["verdict"] == "better"]
    whole = [data for data in seen
             if sets[data]["max_diag"]["against_random"]["verdict"] == "worse"]
    return len(seen) >= min(3, len(sets)), f"on {', '.join(seen) or 'none'} of {len(sets)}; and " \
        f"those rows worse than random, on {', '.join(whole) or 'none'}"


def claims_of(directory: pathlib.Path, study: str, sets: dict):
    """Claims of a study: sentence, whether it holds, the numbers."""
    strategies = next(iter(sets.values()))
    if study == "digits":
        yield ("the two-stage default beats random",
               differs(strategies, "two_stage", "better"), compared(strategies, "two_stage"))
    if study == "batches":
        yield ("facility location weighted by the margin (UHerding) beats random",
               differs(strategies, "uherding", "better"), compared(strategies, "uherding"))
    if study == "regression":
        yield ("batches spread over the nets' gradients (LCMD) beat random",
               *sets_where(sets, "lcmd", "better", len(sets) / 2))
        yield ("the rows that a committee disagrees on most do not",
               *sets_where(sets, "max_diag", "worse", 1))
        yield ("LCMD and BAIT, k-center, random: in this order on three sets",
               *in_order(sets, means_of_runs(directory / study / "curves.csv", "rmse")))
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
        sets = sets_of(options.directory, study)
        for sentence, holds, numbers in claims_of(options.directory, study, sets):
            print(f"{'holds' if holds else 'DOES NOT HOLD':<14} {study}: {sentence}: {numbers}")
            failed += not holds
        if study in PAIRS:
            print_pairs(options.directory, study)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
