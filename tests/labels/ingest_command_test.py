#!/usr/bin/env python3
"""`sluice ingest` as a command: its exit codes, its report, and that a second run changes nothing."""

import hashlib
import json
import os
import pathlib
import sys
import tempfile
import unittest

import h5py

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from labeling import publish, sluice

BATCH = "00112233445566aa"


def line_of(item, **more):
    """A result line of an item of the driver's batch, whose rows are 0, 10, 20, ..."""
    return {"item": item, "row": 10 * item, "id": f"item-{10 * item}", "status": "ok", **more}


def files_below(directory):
    return {path: path.read_bytes() for path in pathlib.Path(directory).rglob("*") if path.is_file()}


class IngestCommand(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="sluice-ingest-")
        self.addCleanup(place.cleanup)
        self.directory = pathlib.Path(place.name)
        self.queue = self.directory / "queue"
        self.labels = self.directory / "labels"
        publish(self.queue, BATCH)

    def hand_in(self, ticket, lines, holder=1):
        """A sealed result file, as the queue's layout describes it."""
        body = "".join(json.dumps(line) + "\n" for line in lines)
        counts = {}
        for line in lines:
            counts[line["status"]] = counts.get(line["status"], 0) + 1
        seal = {"lines": len(lines), "sha256": hashlib.sha256(body.encode()).hexdigest(),
                "counts": dict(sorted(counts.items())), "wall_seconds": 0.0}
        name = f"{BATCH}-{ticket:06}.a1.node-7-{holder:020x}.p1.jsonl"
        text = body + json.dumps({"seal": seal}, separators=(",", ":")) + "\n"
        (self.queue / "results" / name).write_text(text)
        return self.queue / "results" / name

    def ingest(self, *more):
        return sluice("ingest", "--queue", self.queue, "--labels", self.labels, *more)

    def expect_code(self, code, text, *more):
        result = self.ingest(*more)
        self.assertEqual(result.returncode, code, result)
        errors = [line for line in result.stderr.splitlines() if line.startswith("sluice: error: ")]
        self.assertEqual(len(errors), 1, result)
        self.assertIn(text, errors[0])
        return result

    def test_labels_are_taken_once_and_reported(self):
        self.hand_in(1, [line_of(0, y=[1.5]), line_of(1, status="nonconverged", reason="SCF")])
        result = self.ingest("--json", self.directory / "report.json")
        self.assertEqual(result.returncode, 0, result)
        self.assertEqual(result.stdout, f"ingested 1 label into {self.labels}/labels.g0001.h5 "
                                        "(1 without a label: 1 nonconverged)\n")
        report = json.loads((self.directory / "report.json").read_text())
        self.assertEqual((report["labels"], report["failures"]), (1, {"nonconverged": 1}))
        with h5py.File(self.labels / "labels.g0001.h5") as file:
            self.assertEqual(file["row"][:].tolist(), [0])
            self.assertEqual(file["y"][:].tolist(), [[1.5]])
            self.assertEqual(file["source"].asstr()[:].tolist(), ["oracle"])
        before = files_below(self.directory)
        again = self.ingest()
        self.assertEqual((again.returncode, again.stderr), (0, ""), again)
        self.assertIn("nothing to ingest", again.stdout)
        self.assertEqual(files_below(self.directory), before)

    def test_conflicts_end_with_65_after_all_is_done(self):
        self.hand_in(1, [line_of(0, y=[1.5])], 1)
        self.hand_in(1, [line_of(0, y=[2.5])], 2)
        self.hand_in(2, [line_of(2, y=[3.5])])
        result = self.expect_code(65, "conflicts.g0001.jsonl: lists 1 label")
        self.assertIn("ingested 2 labels", result.stdout)
        self.assertEqual(os.listdir(self.queue / "results"), [])
        self.assertEqual(self.ingest().returncode, 0)

    def test_a_tolerance_makes_them_repeats(self):
        self.hand_in(1, [line_of(0, y=[1.5])], 1)
        self.hand_in(1, [line_of(0, y=[1.5000001])], 2)
        result = self.ingest("--tolerance", "1e-6")
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("(1 repeat)", result.stdout)

    def test_rejected_lines_end_with_65(self):
        self.hand_in(1, [line_of(0, y=[4], is_class=True), line_of(1, y=[2], is_class=True)])
        result = self.expect_code(65, "quarantine: 1 line was rejected", "--classes", "4")
        self.assertIn("ingested 1 label", result.stdout)
        rejected = list((self.queue / "quarantine").glob("*.rejected.jsonl"))
        self.assertIn("class 4 is out of range", rejected[0].read_text())
        self.assertEqual(self.ingest("--classes", "4").returncode, 0)

    def test_a_damaged_file_ends_with_75_and_stays(self):
        damaged = self.hand_in(1, [line_of(0, y=[1.5])])
        damaged.write_bytes(damaged.read_bytes()[:-20])
        self.hand_in(2, [line_of(2, y=[3.5])])
        result = self.expect_code(75, damaged.name)
        self.assertIn("1 damaged file left in place", result.stdout)
        self.assertEqual(os.listdir(self.queue / "results"), [damaged.name])

    def test_a_link_among_the_results_ends_with_77_and_is_not_followed(self):
        file = self.hand_in(1, [line_of(0, y=[1.5])])
        file.rename(self.directory / "elsewhere")
        file.symlink_to(self.directory / "elsewhere")
        result = self.expect_code(77, file.name)
        self.assertIn("no new labels (1 forbidden file left in place)", result.stdout)
        self.assertTrue(file.is_symlink())

    def test_what_is_no_queue_ends_with_66_and_creates_nothing(self):
        self.queue = self.directory / "nothing"
        self.expect_code(66, "no queue")
        self.assertFalse(self.queue.exists() or self.labels.exists())

    def test_a_directory_open_to_everybody_ends_with_77(self):
        self.labels.mkdir()
        self.labels.chmod(0o777)
        self.expect_code(77, "chmod o-w")

    def test_options_are_checked(self):
        for words in (["--tolerance", "-1"], ["--classes", "0"], ["--classes", "many"]):
            result = self.ingest(*words)
            self.assertEqual(result.returncode, 64, result)
            self.assertFalse(self.labels.exists())


if __name__ == "__main__":
    unittest.main()
