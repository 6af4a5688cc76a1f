"""What the tests of `sluice run` share: a small campaign, the command, and what of its files must be the same."""

import os
import pathlib
import subprocess

import h5py
import numpy as np

from fault_injection import Failure, expect

BINARY = os.environ["SLUICE_BINARY"]
BUILD = pathlib.Path(BINARY).parent
TIMEOUT_S = 120
# Measured or named anew in every run, in the campaign's files (see src/campaign/arm.hpp).
MEASURED_COLUMNS = {"cost", "files", "repeats", "agreement"}

ORACLE = f"""[oracle]
name = line
version = 1
command = {BUILD}/line_oracle {{words}}
mode = jsonl
time_limit = 20
label_is_class = {{is_class}}
"""

# Each section's lines, by section; tests change some.
SECTIONS = {
    "campaign": {"seed": "3", "rounds": "3"},
    "pool": {"file": "pool.h5"},
    "start": {"strategy": "k_center"},
    "model": {"head": "squares", "hidden": "8", "members": "3", "epochs": "15"},
    "select": {"batch": "6", "ticket-items": "3", "score": "committee_std"},
    "label": {"oracle": "oracle.ini"},
    "test": {"rows": "20"},
    "stop": {"set": "50"},
}


def make_pool(path, rows=200, dim=3, cost=None):
    """A curve in space that the line oracle's y = row / 2 runs along."""
    t = np.arange(rows) / rows
    features = np.stack([np.cos(3 * k * t) + k * t for k in range(dim)], 1).astype("f4")
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "sluice-pool"
        file.attrs["format_version"] = 1
        file["features"] = features
        file["inputs"] = features.astype("f8")
        if cost is not None:
            file["cost"] = cost


def campaign_text(changes=None):
    """campaign.ini; `changes` as {"section.key": value}, None takes a key out."""
    sections = {name: dict(keys) for name, keys in SECTIONS.items()}
    for name, value in (changes or {}).items():
        section, key = name.split(".")
        sections[section].pop(key, None)
        if value is not None:
            sections[section][key] = value
    return "".join(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
                   for name, keys in sections.items())


class Campaign:
    """A campaign in a directory of its own."""

    def __init__(self, directory, changes=None, oracle_words="", **pool):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.file = self.directory / "campaign.ini"
        make_pool(self.directory / "pool.h5", **pool)
        (self.directory / "oracle.ini").write_text(ORACLE.format(
            words=oracle_words, is_class="yes" if len(oracle_words.split()) > 2 else "no"))
        self.write(changes)

    def write(self, changes=None):
        self.file.write_text(campaign_text(changes))

    def words(self, *more):
        return [BINARY, "run", "--campaign", str(self.file), "--threads", "1", *map(str, more)]

    def environment(self, fault=None):
        environment = dict(os.environ, TMPDIR=str(self.directory.parent))
        if fault is not None:
            environment["SLUICE_FAULT"] = fault
        return environment

    def run(self, *more, ranks=0, fault=None, prefix=()):
        words = [*prefix, *self.words(*more)]
        if ranks:
            words = ["mpirun", "-n", str(ranks), "--bind-to", "none", *words]
        try:
            return subprocess.run(words, capture_output=True, text=True, check=False,
                                  timeout=TIMEOUT_S, env=self.environment(fault))
        except subprocess.TimeoutExpired as late:
            raise Failure(f"still running after {TIMEOUT_S} s: {words}: {late.stderr}") from late

    def succeed(self, context, **how):
        result = self.run(**how)
        expect(result.returncode == 0, f"{context}: failed: {result}")
        return result

    def state(self):
        """Every file's content that must not depend on how the campaign ran, by relative path."""
        found = {}
        for path in sorted(self.directory.rglob("*")):
            name = path.relative_to(self.directory).as_posix()
            if path.is_dir() or is_measured(name):
                continue
            is_generation = path.parent.name == "labels"
            found[name] = generation(path) if is_generation else path.read_bytes()
        return found


def is_measured(name):
    parts = name.split("/")
    return parts[-1] in ("timings.json", "train.log", "provenance.json") or \
        ("queue" in parts and parts[parts.index("queue") + 1] in ("settled", "order"))


def generation(path):
    """A label file without what was measured."""
    with h5py.File(path, "r") as file:
        return [(name, file[name][()].tolist()) for name in sorted(file)
                if name not in MEASURED_COLUMNS]


def check_same(state, reference, context):
    names = sorted(set(state) ^ set(reference))
    expect(not names, f"{context}: only one of the two has {names[:5]}")
    changed = sorted(name for name in state if state[name] != reference[name])
    expect(not changed, f"{context}: {changed[:5]} differ")
