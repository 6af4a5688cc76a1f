"""What the tests of `sluice report` share: two small campaigns, of numbers and of classes, and their reports."""

import json
import pathlib
import shutil
import subprocess
import sys

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from campaigns import BINARY, Campaign

# y = row / 2, so rows from 181 on have no label.
BOUND = "\n[label energy]\nunit = Eh\nmax = 90\n"
NUMBERS = {"select.batch": "12", "start.batch": "20", "test.rows": "40", "model.epochs": "40"}
CLASSES = {"model.head": "softmax", "select.score": "entropy", "label.classes": "3",
           "select.diversify": "none", "select.batch": "12", "start.batch": "30",
           "test.rows": "60", "model.epochs": "30"}


def make_numbers(directory, changes=None):
    """A campaign of numbers, some of whose items fail; not run yet."""
    campaign = Campaign(directory, {**NUMBERS, **(changes or {})})
    with open(campaign.directory / "oracle.ini", "a", encoding="utf-8") as file:
        file.write(BOUND)
    return campaign


def make_classes(directory):
    """A campaign of three classes whose rows come in groups; not run yet."""
    campaign = Campaign(directory, CLASSES, oracle_words="0 0 3")
    with h5py.File(campaign.directory / "pool.h5", "r+") as file:
        file["groups"] = np.arange(len(file["features"]), dtype="u8") ** 2 // 3000
    return campaign


def report(campaign, *more, ranks=0):
    """The finished process, the page and the JSON's numbers."""
    directory = getattr(campaign, "directory", campaign)
    page, numbers = directory.parent / "page.html", directory.parent / "page.json"
    for path in (page, numbers):
        path.unlink(missing_ok=True)
    words = [BINARY, "report", "--campaign", directory, "--out", page, "--json", numbers, *more]
    if ranks:
        words = ["mpirun", "-n", ranks, "--bind-to", "none", *words]
    result = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, timeout=60)
    if result.returncode != 0:
        return result, None, None
    return result, page.read_text(encoding="utf-8"), json.loads(numbers.read_text(encoding="utf-8"))


def copy_of(campaign, directory):
    """A campaign's files elsewhere."""
    shutil.copytree(campaign.directory, directory)
    return directory
