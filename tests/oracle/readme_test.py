#!/usr/bin/env python3
"""The oracle of README's "Your own code" does what README says."""

import os
import pathlib
import re
import sys
import tempfile
import unittest

import h5py
import numpy as np

ROOT = pathlib.Path(os.environ["SLUICE_SOURCE"])
sys.path.insert(0, str(ROOT / "tests/support"))
from labeling import label_words, sluice, succeed

# What the user already has: it converges for small distances only.
MYCODE = """#!/bin/sh
[ "$1" = --distance ] || exit 2
case $2 in 9*) echo NOT CONVERGED ;; esac
echo "FINAL ENERGY   0.0"
echo "FINAL ENERGY   -$2"
"""
DISTANCES = [1.25, 2.5, 9.0]


def readme_oracle():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [block] = re.findall(r"`my-code.ini`:\n\n```\n(.*?)```", text, re.DOTALL)
    return block


class Readme(unittest.TestCase):
    def test_your_own_code(self):
        oracle = readme_oracle()
        self.assertEqual(len(oracle.splitlines()), 10)
        with tempfile.TemporaryDirectory() as name:
            place = pathlib.Path(name)
            (place / "mycode").write_text(MYCODE)
            (place / "mycode").chmod(0o755)
            (place / "my-code.ini").write_text(oracle)
            with h5py.File(place / "pool.h5", "w") as pool:
                pool["features"] = np.arange(6.0, dtype="f4").reshape(3, 2)
                pool["inputs"] = np.array(DISTANCES).reshape(3, 1)
                pool["inputs"].attrs["names"] = ["distance"]
            environment = {"PATH": f"{place}:{os.environ['PATH']}"}
            succeed(sluice("select", "--pool", place / "pool.h5", "--queue", place / "queue",
                           "--batch", 3, "--score", "random", "--diversify", "none"), "select")
            succeed(sluice(*label_words(place / "queue", place / "my-code.ini"),
                           environment=environment), "label")
            succeed(sluice("ingest", "--queue", place / "queue", "--labels", place / "labels"),
                    "ingest")
            with h5py.File(place / "labels/labels.g0001.h5") as labels:
                found = dict(zip(labels["row"][:], labels["y"][:, 0]))
            self.assertEqual(found, {0: -1.25, 1: -2.5})
            status = succeed(sluice("queue", "status", "--queue", place / "queue"), "status")
            self.assertRegex(status.stdout, r"rejected +1 +1 nonconverged: SCF")


if __name__ == "__main__":
    unittest.main()
