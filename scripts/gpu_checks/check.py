"""The comparing half of scripts/gpu_check.sh: makes pools and models, and selects the same on both devices."""

import argparse
import pathlib
import sys
import time

import cases
import pools
import selecting

HEADS = {"classes": ("softmax", "classes"), "squares": ("squares", "values"), "gaussian": ("gaussian", "values")}


def train_models(sluice, folder, quick):
    """A small committee of each kind, trained on the CPU."""
    for name, (head, labels) in HEADS.items():
        words = ["train", "--pool", folder / "plain.h5", "--labels", folder / f"{labels}.h5", "--head", head,
                 "--hidden", "16,8", "--members", 3, "--epochs", 3 if quick else 30,
                 "--out", folder / f"{name}.model.h5"]
        if head == "softmax":
            words += ["--loss-folds", 2]  # for the score learning_loss
        finished = sluice.run(words)
        if finished.returncode != 0:
            sys.exit(f"gpu_check: {name}: {finished.stderr.strip()}")


def wanted(names, options):
    return [name for name in names if not options.only or name in options.only]


def check_scores(comparison, names, options):
    """Each score with everything it can be computed from, and then with awkward pools."""
    runs = cases.all_runs(options.quick)
    for name in names:
        answered = 0
        for pool, words in cases.score_sources(comparison.folder):
            case = cases.score_case(comparison.folder, name, pool, words, runs)
            if options.quick and answered:
                break
            if comparison.compare(case):
                answered += 1
                for awkward in cases.awkward_cases(case)[:1 if options.quick else None]:
                    comparison.compare(awkward)
        report_subject(comparison, f"score {name}")


def check_diversities(comparison, names, options):
    """Each diversity with what it works with first, and then with awkward pools and other distances."""
    runs = cases.all_runs(options.quick)
    for name in names:
        found = [cases.diversity_case(name, pool, words, runs)
                 for pool, words in cases.diversity_sources(comparison.folder)]
        first = comparison.first_answered(found)
        if first is not None and not options.quick:
            for case in cases.awkward_cases(found[first]) + cases.more_cases(found[first]):
                comparison.compare(case)
        report_subject(comparison, f"diversity {name}")


def report_subject(comparison, subject):
    count = comparison.runs_of.get(subject, 0)
    if count == 0 and not any(line.startswith(subject + ":") for line in comparison.differences):
        comparison.differences.append(f"{subject}: was never selected with")
    print(f"{subject:<40} {count:>4} batches the same", flush=True)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of sluice")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for pools and models")
    parser.add_argument("--device", choices=["gpu", "cpu"], default="gpu", help="what the CPU is compared with")
    parser.add_argument("--rows", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="of the scores and diversities")
    parser.add_argument("--quick", action="store_true", help="one case of each")
    parser.add_argument("--list", action="store_true", help="print the scores and diversities, and stop")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse(arguments)
    sluice = selecting.Sluice(options.programs)
    help_text = sluice.run(["help", "select"]).stdout
    scores = wanted(cases.listed(help_text, "--score"), options)
    diversities = wanted(cases.listed(help_text, "--diversify"), options)
    if options.list:
        print("\n".join([f"score {name}" for name in scores] + [f"diversity {name}" for name in diversities]))
        return 0
    print(f"pools of {options.rows} random rows, seed {options.seed}", flush=True)
    pools.make(options.work, options.rows, options.seed)
    train_models(sluice, options.work, options.quick)
    comparison = selecting.Comparison(sluice, options.work, options.device)
    check_scores(comparison, scores, options)
    check_diversities(comparison, diversities, options)
    for difference in comparison.differences:
        print(f"DIFFERENT  {difference}")
    print(f"{comparison.num_equal} batches of {len(scores)} scores and {len(diversities)} diversities are the same "
          f"on the {options.device} and on the CPU, {comparison.num_refused} questions refused by both, "
          f"{len(comparison.differences)} different")
    return 65 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())
