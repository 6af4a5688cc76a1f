"""What is selected on both devices. Scores and diversities are those that `sluice help select` lists."""

import re
from dataclasses import dataclass, field

# Pools that hold the same as the first, with something awkward about each.
AWKWARD = {"plain": ["ties", "bad", "one"], "logits": ["half", "tied_logits", "bad_logits", "one_logits"]}
WIDE = ["wide40", "wide1500"]
INPUTS = ["probabilities", "committee", "predictions"]
MODELS = ["classes", "squares", "gaussian"]
BLOCKS = [37, 1024]
# What a diversity cannot do without.
NEEDED = {"prob_cover": ["--radius", "0.9"]}


@dataclass(frozen=True)
class Run:
    """How a case is computed: never part of what must come out."""
    ranks: int = 1
    block_rows: int = 0

    def text(self):
        return f"{self.ranks} rank(s)" + (f", blocks of {self.block_rows} rows" if self.block_rows else "")


@dataclass
class Case:
    """One selection: a pool's name and the options that follow it."""
    subject: str  # what it is a case of, as "score bald"
    pool: str
    words: list
    runs: list = field(default_factory=lambda: [Run()])

    def text(self):
        return f"{self.subject}: {self.pool}.h5 {' '.join(map(str, self.words))}"


def listed(help_text, option):
    """The names that `sluice help select` lists for `option`."""
    section = help_text.split(f"\n{option} NAME:\n", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^  (\S+)", section, re.MULTILINE)


def all_runs(quick):
    """The ranks and blocks that each case is tried with."""
    if quick:
        return [Run(1, BLOCKS[0])]
    return [Run(1), *(Run(ranks, rows) for ranks in (1, 2) for rows in BLOCKS)]


def score_sources(folder):
    """(pool, options) that a score might be computed from."""
    stored = [(pool, ["--input", name]) for pool in AWKWARD for name in INPUTS]
    return stored + [("plain", ["--model", folder / f"{model}.model.h5"]) for model in MODELS]


def score_case(folder, name, pool, words, runs):
    words = ["--score", name, "--diversify", "none", "--labels", folder / "classes.h5", *words]
    return Case(f"score {name}", pool, words, runs)


def diversity_sources(folder):
    """(pool, options) that a diversity might work with, the likeliest first."""
    labels = ["--labels", folder / "classes.h5"]
    return [("plain", ["--score", "entropy", "--model", folder / "classes.model.h5", *labels]),
            ("plain", ["--score", "bald", "--input", "committee", *labels]),
            ("plain", ["--score", "committee_std", "--input", "predictions", *labels])]


def diversity_case(name, pool, words, runs):
    return Case(f"diversity {name}", pool, ["--diversify", name, *NEEDED.get(name, []), *words], runs)


def without_labels(words):
    return [word for i, word in enumerate(words) if "--labels" not in (word, words[i - 1] if i else "")]


def awkward_cases(case):
    """The same question of pools that hold wrong values, ties, 16-bit numbers, one row or many classes."""
    pools = AWKWARD[case.pool] + (WIDE if case.pool == "logits" and "--model" not in case.words else [])
    return [Case(case.subject, pool, [*without_labels(case.words), "--bad-rows", "skip"], case.runs)
            for pool in pools]


def more_cases(case):
    """The same question with other ways to tell rows apart."""
    if not case.subject.startswith("diversity"):
        return []
    forms = [["--metric", "cosine"], ["--diversify-on", "covariance"], ["--diversify-on", "gradients"]]
    return [Case(case.subject, case.pool, [*case.words, *form], case.runs) for form in forms]
