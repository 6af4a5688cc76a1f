#!/usr/bin/env python3
"""Sizes and habits of the house: file caps, no leftovers, every test registered with CTest."""

import re
import unittest

import repository

MAX_LINES = 400
MAX_COLUMNS = 100
WRITTEN_BY_HAND = repository.CODE_SUFFIXES | {".py", ".sh", ".cmake"}
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
ROOT_ENTRIES = {"src", "kernels", "jobs", "scripts", "tests", "CMakeLists.txt", "README.md",
                "LICENSE", "CMakePresets.json"}


def is_written_by_hand(path):
    return path.suffix in WRITTEN_BY_HAND or path.name == "CMakeLists.txt"


def oversized(path, text):
    """What is too long in a file, as one line each."""
    lines = text.splitlines()
    found = []
    if len(lines) > MAX_LINES:
        found.append(f"{path}: {len(lines)} lines (cap {MAX_LINES}); split it")
    if path.suffix in repository.CODE_SUFFIXES:
        found += [f"{path}:{number}: {len(line)} columns (cap {MAX_COLUMNS})"
                  for number, line in enumerate(lines, 1) if len(line) > MAX_COLUMNS]
    return found


def unregistered(tests, cmake_texts):
    """Test files that no CMakeLists.txt of their folder or above names."""
    found = []
    for test in tests:
        folders = [str(parent) for parent in test.parents]
        if not any(re.search(rf"(^|[\s/(]){re.escape(test.name)}\b", cmake_texts.get(folder, ""))
                   for folder in folders):
            found.append(f"{test}: not in a CMakeLists.txt, so it never runs")
    return found


class Caps(unittest.TestCase):
    def setUp(self):
        self.paths = [path for path in repository.files() if is_written_by_hand(path)]
        self.assertGreater(len(self.paths), 20)

    def test_files_stay_short(self):
        found = [line for path in self.paths for line in oversized(path, repository.read(path))]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_no_leftovers(self):
        found = [f"{path}: {match.group()}" for path in self.paths if path.name != "caps_test.py"
                 for match in LEFTOVERS.finditer(repository.read(path))]
        self.assertEqual(found, [])

    def test_headers_have_guards(self):
        headers = [path for path in self.paths if path.suffix in (".hpp", ".cuh")]
        self.assertEqual([str(path) for path in headers
                          if "#pragma once" not in repository.read(path)], [])

    def test_root_stays_fixed(self):
        entries = {path.parts[0] for path in repository.files()}
        self.assertEqual({name for name in entries if not name.startswith(".")} - ROOT_ENTRIES, set())

    def test_every_test_is_registered(self):
        tests = [path for path in self.paths
                 if path.parts[0] == "tests" and path.stem.endswith("_test")]
        cmake = {str(path.parent): repository.read(path) for path in self.paths
                 if path.name == "CMakeLists.txt"}
        self.assertGreater(len(tests), 2)
        self.assertEqual(unregistered(tests, cmake), [])


class PlantedViolations(unittest.TestCase):
    """The checks must be able to fail."""

    def test_long_file_and_long_line(self):
        path = repository.pathlib.PurePosixPath("src/core/x.cpp")
        self.assertEqual(len(oversized(path, "\n" * (MAX_LINES + 1))), 1)
        self.assertEqual(len(oversized(path, "x" * (MAX_COLUMNS + 1))), 1)
        self.assertEqual(oversized(path, "\n" * MAX_LINES), [])

    def test_forgotten_test(self):
        path = repository.pathlib.PurePosixPath("tests/core/x_test.cpp")
        self.assertEqual(len(unregistered([path], {"tests/core": "sluice_add_test(xx_test.cpp)"})), 1)
        self.assertEqual(unregistered([path], {"tests/core": "SOURCES x_test.cpp)"}), [])

    def test_leftover(self):
        self.assertTrue(LEFTOVERS.search("// FIXME later"))


if __name__ == "__main__":
    unittest.main()
