#!/usr/bin/env python3
"""`sluice report` of campaigns that are half-written, damaged or running: a page that says what is missing,
and not a byte of the campaign changed."""

import csv
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import report_extra
import report_fixture
from campaigns import check_same
from fault_injection import memory_directory
from report_fixture import BINARY, make_numbers, report

ROUND_FILES = ("plan.json", "batch.json", "selected.csv", "labels.csv", "metrics.json", "timings.json",
               "versions.json")


def files_of(directory):
    return {path.relative_to(directory): path.read_bytes() for path in sorted(directory.rglob("*"))
            if path.is_file()}


class DamageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="sluice-report-", dir=memory_directory())
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.campaign = make_numbers(cls.folder / "whole")
        cls.campaign.succeed("run")

    def setUp(self):
        self.at = self.folder / "c"
        shutil.rmtree(self.at, ignore_errors=True)
        report_fixture.copy_of(self.campaign, self.at)

    def told(self, *parts, directory=None):
        """The report is made, names each part as missing, and leaves the campaign as it is."""
        directory = directory or self.at
        before = files_of(directory)
        result, page, data = report(directory)
        self.assertEqual(result.returncode, 0, result)
        self.assertEqual(files_of(directory), before)
        missing = [f"{gap['part']}: {gap['reason']}" for gap in data["missing"]]
        for part in parts:
            self.assertTrue(any(part in line for line in missing), f"{part} not in {missing}")
            self.assertIn("What is missing on this page", page)
            self.assertIn("missing   ", result.stdout)
        return data, page

    def test_no_campaign(self):
        empty = self.folder / "empty"
        empty.mkdir(exist_ok=True)
        for directory in (empty, self.folder / "nowhere"):
            result = report(directory)[0]
            self.assertEqual(result.returncode, 66, result)
            self.assertIn("is no campaign", result.stderr)

    def test_not_begun(self):
        directory = make_numbers(self.folder / "fresh").directory
        data, page = self.told("no round has begun", directory=directory)
        self.assertIn("This campaign has not begun", page)
        self.assertEqual(data["pool"]["rows"], 200)

    def test_waits_for_labels(self):
        campaign = make_numbers(self.folder / "outside", {"label.where": "outside", "label.oracle": None})
        self.assertEqual(campaign.run().returncode, 75)
        data, page = self.told(directory=campaign.directory)
        self.assertIn("Round 1 is under way", page)
        self.assertEqual([row["status"] for row in data["batch"]["rows"]], [""] * 20)
        self.assertEqual(data["queues"][0]["states"], {"queued": 20})

    def test_looking_leaves_no_trace(self):
        """Not even a moment's file: `tmp/` of a queue with a lease is not written to."""
        campaign = make_numbers(self.folder / "leased", {"label.where": "outside", "label.oracle": None})
        self.assertEqual(campaign.run().returncode, 75)
        words = [BINARY, "queue", "export", "--queue", campaign.directory / "queue", "--to", "csv", "--out",
                 self.folder / "leased.csv", "--items", "3"]
        self.assertEqual(subprocess.run(words, capture_output=True, check=False, timeout=60).returncode, 0)

        def times():
            return {path: path.stat().st_mtime_ns for path in campaign.directory.rglob("*")}
        before = times()
        data, _ = self.told(directory=campaign.directory)
        subprocess.run([BINARY, "status", "--campaign", campaign.directory], check=True, capture_output=True,
                       timeout=60)
        self.assertEqual(times(), before)
        states = data["queues"][0]["states"]
        self.assertEqual((sorted(states), sum(states.values())), (["leased", "queued"], 20))
        (manifest,) = (campaign.directory / "queue/batches").glob("*/manifest.json")
        waits = data["queues"][0]["waits"]
        self.assertEqual((waits["done"], waits["open"]), (0, 20))
        self.assertAlmostEqual(waits["oldest_issue"], manifest.stat().st_mtime_ns * 1e-9, delta=1e-5)
        self.assertEqual(waits["oldest_issue_utc"], report_extra.utc(waits["oldest_issue"]))

    def test_a_model_of_all_data_that_is_none(self):
        (self.at / "full-data.h5").write_bytes(b"no HDF5")
        data, _ = self.told("model of all data")
        self.assertIsNone(data["quality"]["full_data"])

    def test_reasons_of_the_selection_are_shown(self):
        path = self.at / "rounds/0003/selected.csv"
        with open(path, newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        with open(path, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, lineterminator="\n", fieldnames=[*(name for name in lines[0] if name != "reason"), "reason"])
            table.writeheader()
            table.writerows({**line, "reason": f"far, and unsure {i}"} for i, line in enumerate(lines))
        for i, row in enumerate(self.told()[0]["batch"]["rows"]):
            self.assertTrue(row["reason"].startswith(f"far, and unsure {i}; committee_std"), row)

    def test_every_round_file_damaged_or_gone(self):
        for name in ROUND_FILES:
            path = self.at / "rounds/0003" / name
            whole = path.read_bytes()
            for damage in (whole[:len(whole) // 2].rsplit(b"\n", 1)[0][:-1], b""):
                path.write_bytes(damage)
                self.told(*(() if damage and name.endswith(".csv") and damage.startswith(b"rank") else [name]))
            path.unlink()
            optional = name in ("timings.json", "versions.json")
            self.told(*(() if optional else [name]))
            path.write_bytes(whole)
        self.assertEqual(self.told()[0]["missing"], [])

    def test_rounds_without_the_rest(self):
        for name in ("queue", "labels", "models", "random", "test"):
            shutil.rmtree(self.at / name)
        data, _ = self.told()
        self.assertEqual(len(data["arms"]), 1)
        self.assertEqual(data["queues"], [])

    def test_models_damaged(self):
        for path in (self.at / "models").iterdir():
            path.write_bytes(path.read_bytes()[:500])
        data, _ = self.told("models/0002.h5", "models/0003.h5", "model on the test rows")
        self.assertEqual(data["pool"]["scores"], None)
        self.assertEqual(data["pool"]["map"]["features"], 3)
        self.assertEqual(len(data["quality"]["curves"][0]["points"]), 3)
        self.assertEqual(data["quality"]["verdict"], "not comparable")

    def test_pool_damaged_or_gone(self):
        path = self.at / "pool.h5"
        path.write_bytes(path.read_bytes()[:700])
        data, _ = self.told("pool.h5")
        self.assertEqual(len(data["batch"]["rows"]), 12)
        path.unlink()
        self.told("pool.h5")

    def test_campaign_file_wrong_or_gone(self):
        path = self.at / "campaign.ini"
        path.write_text("[campaign]\nsead = 1\n", encoding="utf-8")
        data, page = self.told("unknown key")
        self.assertIn("bring rmse to", page)
        self.assertEqual(data["pool"]["rows"], 0)
        path.unlink()
        self.told("campaign.ini: is not there")

    def test_queue_and_labels_damaged(self):
        for path in (self.at / "queue/settled").iterdir():
            path.write_bytes(path.read_bytes()[:-20])
        next((self.at / "queue/batches").glob("*/manifest.json")).write_text("{", encoding="utf-8")
        for path in (self.at / "test/labels").glob("*.h5"):
            path.write_bytes(b"no HDF5")
        data, _ = self.told("test rows", "queue active")
        self.assertEqual(data["oracle"]["results"], 0)
        self.assertGreater(data["oracle"]["files_left_out"], 0)

    def test_a_running_campaign_is_not_disturbed(self):
        running = make_numbers(self.folder / "running")
        process = subprocess.Popen(running.words(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   text=True, env=running.environment())
        reports = 0
        while process.poll() is None:
            result = report(running.directory)[0]
            self.assertEqual(result.returncode, 0, result)
            reports += 1
            time.sleep(0.02)
        self.assertEqual(process.returncode, 0, process.stderr.read())
        process.stderr.close()
        self.assertGreater(reports, 2)
        check_same(running.state(), self.campaign.state(), "looked at while it ran")

    def test_by_its_file_and_into_its_directory(self):
        result = subprocess.run([BINARY, "report", "--campaign", self.at / "campaign.ini"], capture_output=True,
                                text=True, check=False, timeout=60)
        self.assertEqual(result.returncode, 0, result)
        self.assertIn(f"report    {self.at}/report.html", result.stdout)
        self.assertTrue((self.at / "report.html").read_text(encoding="utf-8").endswith("</html>\n"))

    def test_nowhere_to_write(self):
        result = subprocess.run([BINARY, "report", "--campaign", self.at, "--out", self.at / "no/page.html"],
                                capture_output=True, text=True, check=False, timeout=60)
        self.assertIn(result.returncode, (66, 73))
        self.assertIn("page.html", result.stderr)


if __name__ == "__main__":
    unittest.main()
