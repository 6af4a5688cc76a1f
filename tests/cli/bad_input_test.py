"""Bad input through the real program: one line on stderr, the exit code, nothing left behind.

The numbers are rows of the catalogue of bad input.
"""

import fcntl
import os
import re
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np

import bad_pools as bad
from bad_pools import ROWS, cell, pool_with, raw_file, replaced, shares, string_ids, values
from program import ERROR, error_lines, files_below, foreign_lines, run

CHECK = "check"
SELECT = "select"
BOTH = (CHECK, SELECT)


def missing(directory):
    return [os.path.join(directory, "none.h5")]


def no_columns(file):
    file.create_dataset("features", (ROWS, 0), "f4")


def endless(file):
    file.create_dataset("features", (2**62, 64), "f4", chunks=(16, 64), maxshape=(None, 64))


def other_length(directory):
    return bad.write_pool(directory, features=values((ROWS - 1, 3)))


# (name, how to make the pool, commands, more options, exit code, pattern of the error line)
CASES = [
    ("01 missing", missing, BOTH, [], 66, r"none\.h5: .*; "),
    ("02 directory", lambda directory: [directory], BOTH, [], 66, r"director"),
    ("02 pipe", bad.named_pipe, BOTH, [], 66, r"regular file"),
    ("02 device", lambda _: ["/dev/null"], BOTH, [], 66, r"/dev/null: .*regular file"),
    ("03 empty", raw_file(b""), BOTH, [], 65, r"empty"),
    ("04 text", raw_file(b"id,x\n1,2\n" * 99), BOTH, [], 65, r"HDF5 signature"),
    ("04 image", raw_file(b"\x89PNG\r\n\x1a\n" * 99), BOTH, [], 65, r"HDF5 signature"),
    ("05 truncated", bad.truncated, BOTH, [], 65, r"truncated"),
    ("06 still open", bad.still_open, BOTH, [], 65, r"writ"),
    ("10 dataset", pool_with(), BOTH, ["--features", "/none"], 65, r"/none: no such dataset; .*/features"),
    ("10 role", pool_with(features=None), (SELECT,), [], 65, r"features"),
    ("10 score", pool_with(), (SELECT,), ["--score", "bald"], 65, r"committee"),
    ("11 group", replaced("features", bad.group), BOTH, [], 65, r"group"),
    ("11 type", replaced("features", bad.named_type), BOTH, [], 65, r"type"),
    ("12 null", replaced("features", bad.null_space), BOTH, [], 65, r"null|no values|empty"),
    ("12 scalar", pool_with(features=np.float32(1)), BOTH, [], 65, r"shape"),
    ("12 one axis", pool_with(features=values(ROWS)), BOTH, [], 65, r"shape"),
    ("12 four axes", pool_with(features=values((ROWS, 2, 2, 2))), BOTH, [], 65, r"shape"),
    ("14 no columns", replaced("features", no_columns), BOTH, [], 65, r"0"),
    ("14 one class", pool_with(probabilities=np.ones((ROWS, 1), "f4")), BOTH, [], 65, r"class"),
    ("15 endless", replaced("features", endless), BOTH, [], 65, r"features"),
    ("17 text", replaced("features", bad.names), BOTH, [], 65, r"float"),
    ("17 compound", replaced("features", bad.compound), BOTH, [], 65, r"float"),
    ("17 enum", replaced("features", bad.enumeration), BOTH, [], 65, r"float"),
    ("17 bool", pool_with(features=np.ones((ROWS, 3), bool)), BOTH, [], 65, r"float"),
    ("18 beyond float32", pool_with(features=np.full((ROWS, 3), 1e300)), BOTH, [], 65,
     r"features\[0\].*1e\+?300"),
    ("19 negative id", pool_with(ids=np.arange(ROWS) - 1), (CHECK,), [], 65, r"ids.*-1"),
    ("19 large id", pool_with(ids=np.arange(ROWS, dtype="u8") + np.uint64(2**63)), (CHECK,), [], 65,
     r"ids.*9223372036854775808"),
    ("20 classes", bad.two_files(probabilities=shares((ROWS, 5))), BOTH, [], 65, r"4.*5|5.*4"),
    ("21 one member", pool_with(committee=shares((ROWS, 1, 4))), (SELECT,), ["--score", "bald"],
     64, r"bald.*2"),
    ("22 chunk", replaced("features", bad.unallocated_chunk), BOTH, [], 65, r"1 .*10|10.*1 "),
    ("22 all", replaced("features", bad.never_written), BOTH, [], 65, r"features"),
    ("23 checksum", bad.damaged_chunk, BOTH, [], 65, r"features.*1[0-4]"),
    ("23 deflate", bad.damaged_deflate, BOTH, [], 65, r"features.*[5-9]"),
    ("24 filter", replaced("features", lambda file: file.create_dataset(
        "features", data=values((ROWS, 3)), chunks=(5, 3), compression="lzf")), BOTH, [], 65,
     r"lzf|32000"),
    ("25 storage", bad.external_storage, BOTH, [], 65, r"another file.*secret\.bin"),
    ("25 link", bad.external_link, BOTH, [], 65, r"another file.*other\.h5"),
    ("25 virtual", bad.virtual_dataset, BOTH, [], 65, r"another file.*other\.h5"),
    ("26 dangling", bad.soft_link("/nothing"), BOTH, [], 65, r"link|nothing"),
    ("26 loop", bad.soft_link("/features"), BOTH, [], 65, r"link"),
    ("29 in a unit", pool_with(lambda file: file.create_dataset("inputs", data=np.zeros((ROWS, 2)))
                               .attrs.create("names", ["a\n\x1b[31m"] * 2)), (SELECT,), [], 65,
     r"inputs@names.*\\x0A.*\\x1B"),
    ("29 in a path", pool_with(), BOTH, ["--features", "/a\n\x1b[31m"], 65, r"\\x0A.*\\x1B"),
    ("29 escape codes", string_ids(["a\n\x1b[31m"] * 2 + list(map(str, range(ROWS - 2)))), (CHECK,),
     [], 65, r"\\x0a\\x1b\[31m"),
    ("30 nan feature", cell("features", (7, 1), np.nan), BOTH, [], 65, r"features\[7\].*nan.*skip"),
    ("30 inf feature", cell("features", (8, 1), np.inf), BOTH, [], 65, r"features\[8\].*inf"),
    ("30 nan class", cell("probabilities", (9, 1), np.nan), BOTH, [], 65,
     r"probabilities\[9\].*nan"),
    ("30 nan member", cell("committee", (9, 2, 1), np.nan), (CHECK,), [], 65,
     r"committee\[9\].*nan"),
    ("30 nan member", cell("committee", (9, 2, 1), np.nan), (SELECT,), ["--score", "bald"], 65,
     r"committee\[9\].*nan"),
    ("31 negative", cell("probabilities", (5, 2), -0.25), BOTH, [], 65,
     r"probabilities\[5\].*2.*-0\.25"),
    ("32 sum", cell("probabilities", (6, 0), 3.0), BOTH, [], 65, r"probabilities\[6\].* sum "),
    ("33 zeros", cell("probabilities", (4, slice(None)), 0.0), BOTH, [], 65,
     r"probabilities\[4\].*(zero|sum to 0 )"),
    ("36 huge", cell("features", (3, 0), 1e30), BOTH, [], 65, r"features\[3\].*scal"),
    ("37 ids", pool_with(ids=np.array([3, *range(1, ROWS)], "u8")), (CHECK,), [], 65,
     r"ids\[(0|3)\].*(0|3)"),
    ("37 names", string_ids(["x", "y", "x", *map(str, range(ROWS - 3))]), (CHECK,), [], 65,
     r"ids.*x.*"),
    ("38 lengths", other_length, BOTH, [], 65, r"19.*20|20.*19"),
]

# Unusual input that is in order, with a pattern of what stdout or stderr says about it.
LEGAL = [
    ("13 no rows", pool_with(features=values((0, 3)), probabilities=shares((0, 4))), BOTH, [], r""),
    ("18 float16", pool_with(features=values((ROWS, 3)).astype("f2")), BOTH, [], r""),
    ("18 big-endian", pool_with(features=values((ROWS, 3)).astype(">f4")), BOTH, [], r""),
    ("18 float64", pool_with(features=values((ROWS, 3)).astype("f8")), BOTH, [], r""),
    ("27 large chunk", replaced("features", lambda file: file.create_dataset(
        "features", data=np.zeros((ROWS, 3), "f4"), chunks=(5 << 20, 3), maxshape=(None, 3),
        compression="gzip", compression_opts=1)), BOTH, [], r""),
    ("28 attributes", pool_with(lambda file: [file.attrs.create(f"a{i}", "x" * 60) for i in
                                              range(500)]), BOTH, [], r""),
    ("30 skipped", cell("probabilities", (9, 1), np.nan), (SELECT,), ["--bad-rows", "skip"],
     r"1 bad row|1 skipped"),
    ("34 zeros and denormals", cell("features", (slice(None), 0), [-0.0, 1e-40] * (ROWS // 2)),
     BOTH, [], r""),
    ("35 equal rows", pool_with(features=np.ones((ROWS, 3), "f4")), BOTH, [], r""),
    ("40 larger than the pool", pool_with(), (SELECT,), ["--batch", "1000"], r"20"),
]

EXAMPLE = {CHECK: [], SELECT: ["--queue", "queue", "--selected", "selected.csv"]}


def command_line(command, paths, options):
    line = [command, "--pool", *paths, *EXAMPLE[command], *options]
    if command == SELECT and "--batch" not in options:
        line += ["--batch", "3"]
    return line


def problems_of(name, command, make, options, judge):
    """What is wrong with how `command` takes the pool; empty when all is well."""
    with tempfile.TemporaryDirectory(prefix="sluice-bad-") as directory:
        os.mkdir(os.path.join(directory, "in"))
        paths = make(os.path.join(directory, "in"))
        result = run(command_line(command, paths, options), cwd=directory)
        outputs = sorted(path for path in files_below(directory) if not path.startswith("in/"))
        return [f"{name}: sluice {command}: {problem}\n    {result.stderr.strip()}"
                for problem in judge(result, outputs)]


def judge_error(code, pattern):
    def judge(result, outputs):
        lines = error_lines(result)
        if result.returncode != code:
            yield f"exit code {result.returncode}, not {code}"
        if len(lines) != 1:
            yield f"{len(lines)} error lines, not one"
        if foreign_lines(result):
            yield f"lines that are not sluice's: {foreign_lines(result)}"
        if lines and not re.search(pattern, lines[0][len(ERROR):], re.IGNORECASE):
            yield f"the error does not match {pattern!r}"
        if lines and ";" not in lines[0]:
            yield "the error does not say what to do"
        if any(ord(character) < 32 for line in lines for character in line):
            yield "control characters are printed raw"
        results = [path for path in outputs if not is_bookkeeping(path)]
        if results:
            yield f"left behind: {results}"
    return judge


def is_bookkeeping(path):
    """What an empty queue directory holds."""
    return os.path.dirname(path) == "queue"


def judge_done(pattern):
    def judge(result, outputs):
        if result.returncode != 0:
            yield f"exit code {result.returncode}, not 0"
        if error_lines(result):
            yield "an error line"
        if not re.search(pattern, result.stdout + result.stderr):
            yield f"the output does not match {pattern!r}"
        if "select" in result.args and "selected.csv" not in outputs:
            yield "no selected.csv"
    return judge


def judge_survived(result, _):
    if result.returncode not in (0, 65):
        yield f"exit code {result.returncode}"
    if len(error_lines(result)) != (1 if result.returncode else 0):
        yield "not one error line"


class BadInput(unittest.TestCase):
    def check_all(self, jobs):
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda job: problems_of(*job), jobs))
        problems = [problem for one in found for problem in one]
        self.assertFalse(problems, "\n" + "\n".join(problems))

    def test_errors(self):
        self.check_all([(name, command, make, options, judge_error(code, pattern))
                        for name, make, commands, options, code, pattern in CASES
                        for command in commands])

    def test_legal(self):
        self.check_all([(name, command, make, options, judge_done(pattern))
                        for name, make, commands, options, pattern in LEGAL
                        for command in commands])

    def test_09_damaged_files_never_crash(self):
        self.check_all([(f"09 seed {seed}", CHECK, bad.mutated(seed), [], judge_survived)
                        for seed in range(30)])

    def test_07_locked(self):
        with tempfile.TemporaryDirectory() as directory:
            [path] = bad.write_pool(directory)
            with open(path, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                result = run([CHECK, path])
        self.assertEqual(result.returncode, 75, result.stderr)
        self.assertRegex(result.stderr, "lock|writ")

    def test_16_a_row_larger_than_the_memory(self):
        wide = pool_with(features=np.zeros((2, 3), "f4"), probabilities=shares((2, 1 << 18)))
        long = pool_with(features=np.zeros((2, 1 << 20), "f4"), probabilities=shares((2, 4)))
        options = ["--memory", "0.001"]
        self.check_all([
            ("16 wide", SELECT, wide, options, judge_error(65, r"probabilities\[0\].*--memory")),
            ("16 plan", SELECT, long, options, judge_error(64, r"^--memory"))])

    def test_39_a_changed_pool_needs_consent(self):
        with tempfile.TemporaryDirectory() as directory:
            [path] = bad.write_pool(directory)
            line = [SELECT, "--pool", path, "--queue", "queue", "--batch", "3"]
            self.assertEqual(run(line, cwd=directory).returncode, 0)
            before = files_below(directory + "/queue")
            bad.write_pool(directory, features=values((ROWS, 3), 9))
            result = run(line, cwd=directory)
            self.assertEqual(result.returncode, 65, result.stderr)
            self.assertRegex(error_lines(result)[0], "--new-pool")
            self.assertEqual(files_below(directory + "/queue"), before)
            self.assertEqual(run([*line, "--new-pool"], cwd=directory).returncode, 0)

    def test_41_more_ranks_than_rows(self):
        with tempfile.TemporaryDirectory() as directory:
            [path] = bad.write_pool(directory, features=values((2, 3)), probabilities=shares((2, 4)))
            for ranks in (0, 4):
                result = run([SELECT, "--pool", path, "--selected", f"{ranks}.csv", "--batch", "2"],
                             ranks=ranks, cwd=directory)
                self.assertEqual(result.returncode, 0, result.stderr)
            found = files_below(directory)
            self.assertEqual(found["0.csv"], found["4.csv"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
