"""Queues, oracles and workers for the tests of `sluice label`."""

import collections
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy as np

BINARY = os.environ["SLUICE_BINARY"]
SOURCE = os.environ["SLUICE_SOURCE"]
FAULT_FOLDER = os.path.join(SOURCE, "jobs", "examples", "fault")
sys.path.insert(0, FAULT_FOLDER)
from fault_oracle import FAULTS  # noqa: E402,F401  (found only now; for the tests)

ENVIRONMENT = dict(
    os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
    ASAN_OPTIONS="detect_leaks=0")
# Answers in a millisecond: the label is the input a.
COPY_ORACLE = """[oracle]
name = copy
command = cp answer.json result.json
{oracle}
[template answer.json]
source = answer.template
{more}
"""


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


class Workplace:
    """A queue with one batch of all rows of a made pool, and workers on it."""

    def __init__(self, folder, columns, ticket_items=1, ids=None, tag=None):
        self.folder = str(folder)
        self.queue = os.path.join(self.folder, "queue")
        self.scratch = os.path.join(self.folder, "scratch")
        os.makedirs(self.scratch)
        self.columns = columns
        self.num_items = len(next(iter(columns.values())))
        pool = self.make_pool(ids)
        subprocess.run(
            [BINARY, "select", "--pool", pool, "--queue", self.queue, "--batch",
             str(self.num_items), "--score", "random", "--diversify", "none", "--ticket-items",
             str(ticket_items), *(["--tag", tag] if tag else [])],
            check=True, capture_output=True, env=ENVIRONMENT, timeout=60)

    def make_pool(self, ids):
        pool = os.path.join(self.folder, "pool.h5")
        with h5py.File(pool, "w") as file:
            file["features"] = np.arange(2 * self.num_items, dtype=np.float32).reshape(-1, 2)
            values = np.array(list(self.columns.values()), dtype=np.float64).T
            inputs = file.create_dataset("inputs", data=values)
            inputs.attrs["names"] = np.array(list(self.columns), dtype=h5py.string_dtype())
            if ids is not None:
                file.create_dataset("ids", data=ids, dtype=h5py.string_dtype())
        return pool

    def copy_oracle(self, oracle="", more="", answer='{"y": {{a}}, "converged": true}'):
        write(os.path.join(self.folder, "answer.template"), answer)
        return write(os.path.join(self.folder, "copy.ini"),
                     COPY_ORACLE.format(oracle=oracle, more=more))

    def fault_oracle(self, name="oracle.ini", oracle="", more=""):
        """The fault oracle with more lines in [oracle] and more sections."""
        shutil.copy(os.path.join(FAULT_FOLDER, "fault_oracle.py"), self.folder)
        with open(os.path.join(FAULT_FOLDER, name), encoding="utf-8") as file:
            text = file.read()
        text = text.replace("[file ", f"{oracle}\n[file ", 1)
        return write(os.path.join(self.folder, name), f"{text}\n{more}\n")

    def command(self, oracle, *options):
        return [BINARY, "label", "--queue", self.queue, "--oracle", oracle, "--scratch",
                self.scratch, *map(str, options)]

    def start(self, oracle, *options, **environment):
        return subprocess.Popen(
            self.command(oracle, *options), env=dict(ENVIRONMENT, **environment), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def label(self, oracle, *options, **environment):
        process = self.start(oracle, *options, **environment)
        stdout, stderr = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def names(self, folder):
        return sorted(os.listdir(os.path.join(self.queue, folder)))

    def results(self):
        """All result lines, seals left out."""
        lines = []
        for name in self.names("results"):
            with open(os.path.join(self.queue, "results", name), encoding="utf-8") as file:
                lines += [json.loads(line) for line in file]
        return [line for line in lines if "seal" not in line]

    def final_items(self):
        """item -> how many final results it has."""
        return collections.Counter(
            line["item"] for line in self.results() if line["status"] != "refused")

    def all_once(self):
        return self.final_items() == dict.fromkeys(range(self.num_items), 1)

    def scratch_files(self):
        return sorted(os.path.relpath(os.path.join(folder, name), self.scratch)
                      for folder, folders, files in os.walk(self.scratch)
                      for name in folders + files)


def finish(process, number=signal.SIGTERM):
    """Ends a worker by a signal; its exit code, stdout and stderr."""
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    return process.returncode, stdout, stderr


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def place(self, columns, **options):
        return Workplace(self.folder, columns, **options)

    def numbered(self, count, **options):
        return self.place({"a": range(count)}, **options)

    def assert_error(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stderr)
        errors = [line for line in result.stderr.splitlines() if line.startswith("sluice: error: ")]
        self.assertEqual(len(errors), 1, result.stderr)
        for word in words:
            self.assertIn(word, errors[0])

    def assert_nothing_leased(self, place):
        self.assertEqual(place.names("leased"), [])
