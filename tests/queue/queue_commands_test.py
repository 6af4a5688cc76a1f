"""The commands on a queue as users run them: status, fsck, reap, export, import."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "cli"))
from program import BINARY, ENVIRONMENT, error_lines, foreign_lines, run

STATES = ["queued", "leased", "ok", "nonconverged", "invalid", "timeout", "oracle_error",
          "cancelled", "lost", "ingested", "rejected", "missing"]


class QueueCommands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = pathlib.Path(tempfile.mkdtemp(prefix="sluice-commands-"))
        cls.made = cls.scratch / "made"
        pool = cls.scratch / "pool.h5"
        for words in (["pool", "make", "blobs", "--rows", 200, "--out", pool],
                      ["select", "--pool", pool, "--queue", cls.made, "--batch", 12,
                       "--ticket-items", 4]):
            result = run(words)
            assert result.returncode == 0, result

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch)

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(dir=self.scratch))
        self.queue = self.place / "queue"
        shutil.copytree(self.made, self.queue)

    def command(self, *words, code=0):
        result = run(["queue", *words, "--queue", self.queue])
        self.assertEqual(result.returncode, code, result)
        self.assertEqual(foreign_lines(result), [])
        self.assertEqual(len(error_lines(result)), 0 if code == 0 else 1, result.stderr)
        return result

    def report(self, *words, code=0):
        path = self.place / "report.json"
        self.command(*words, "--json", path, code=code)
        return json.loads(path.read_text())

    def names(self, folder):
        return sorted(os.listdir(self.queue / folder))

    def export(self, *words):
        path = self.place / "tasks"
        self.command("export", "--out", path, *words)
        return path.read_text()

    def test_status_counts_every_item(self):
        status = self.report("status")
        self.assertEqual(list(status["counts"]), STATES)
        self.assertEqual(status["counts"]["queued"], 12)
        self.assertEqual(sum(status["counts"].values()), status["items"])
        text = self.command("status").stdout
        self.assertTrue(text.startswith(f"queue {self.queue}: 1 batch, 12 items\n"), text)
        self.assertIn("  queued                12\n", text)

    def test_status_works_where_nothing_may_be_written(self):
        self.export("--to", "jsonl", "--items", 4)
        for folder in self.queue.iterdir():
            if folder.is_dir():
                folder.chmod(0o555)
        before = {folder: self.names(folder) for folder in ("tmp", "leased", "pending")}
        self.assertEqual(self.report("status")["leases"], 1)
        for folder in self.queue.iterdir():
            if folder.is_dir():
                folder.chmod(0o755)
        self.assertEqual(before, {folder: self.names(folder) for folder in before})

    def test_status_watches_until_a_signal(self):
        process = subprocess.Popen(
            [BINARY, "queue", "status", "--queue", str(self.queue), "--watch", "1"],
            env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1.7)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 75, errors)
        self.assertEqual(output.count("1 batch, 12 items"), 2)

    def test_status_stops_watching_when_nothing_is_open(self):
        for name in self.names("pending"):
            (self.queue / "pending" / name).rename(self.queue / "quarantine" / name)
        self.assertEqual(self.command("status", "--watch", 60).stdout.count("lost"), 2)

    def test_fsck_says_clean_or_what_is_wrong(self):
        self.assertTrue(self.command("fsck").stdout.endswith("\nclean\n"))
        token = self.names("pending")[0]
        (self.queue / "pending" / token).unlink()
        report = self.report("fsck")
        self.assertEqual(len(report["repairs"]), 1)
        self.assertEqual(self.names("pending")[0], token)
        ticket = next((self.queue / "batches").glob("*/tickets/000001.jsonl"))
        ticket.write_bytes(ticket.read_bytes().replace(b"row", b"roe"))
        result = self.command("fsck", code=65)
        self.assertTrue(result.stdout.endswith("\n1 problem\n"))
        self.assertIn("000001.jsonl: does not match its manifest", error_lines(result)[0])
        self.assertFalse(self.report("fsck", code=65)["clean"])

    def test_fsck_distrusts_links(self):
        (self.queue / "results" / "x").symlink_to("/etc/passwd")
        self.command("fsck", code=77)
        (self.queue / "results" / "x").unlink()
        (self.queue / "pending").chmod(0o777)
        self.assertIn("chmod o-w", self.command("fsck", code=77).stderr)

    def test_a_directory_that_is_no_queue_is_a_missing_input(self):
        for words in (["status"], ["fsck"], ["reap"],
                      ["export", "--to", "csv", "--out", self.place / "out"],
                      ["import", "/dev/null", "--from", "csv"]):
            for directory in (self.place / "nowhere", self.place):
                result = run(["queue", *words, "--queue", directory])
                self.assertEqual(result.returncode, 66, result)
                self.assertIn("queue.json: missing", error_lines(result)[0])
        self.assertFalse((self.place / "nowhere").exists())

    def test_another_format_version_is_refused(self):
        (self.queue / "queue.json").write_text('{"format": "sluice-queue", "format_version": 2}\n')
        for words in ("status", "fsck", "reap"):
            self.assertIn("format_version 2", self.command(words, code=65).stderr)

    def test_reap_leaves_what_it_would_have_to_watch(self):
        self.assertIn("0 leases: ", self.command("reap").stdout)
        self.export("--to", "csv")
        text = self.command("reap").stdout
        self.assertIn("3 leases: 0 taken back", text)
        for name in self.names("leased"):
            old = time.time() - 15 * 86400
            os.utime(self.queue / "leased" / name, (old, old))
        self.assertIn("3 overdue but left", self.command("reap", "--no-wait").stdout)

    def test_reap_watches_until_it_is_stopped_or_due(self):
        self.export("--to", "csv")
        for name in self.names("leased"):
            short = self.queue / "leased" / (name.rsplit(".l", 1)[0] + ".l2")
            (self.queue / "leased" / name).rename(short)
            os.utime(short, (time.time() - 60,) * 2)
        process = subprocess.Popen([BINARY, "queue", "reap", "--queue", str(self.queue)],
                                   env=ENVIRONMENT, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 75, errors)
        self.assertIn("watching 3 leases for 2 s; --no-wait leaves them", errors)
        self.assertEqual(len(self.names("leased")), 3)
        result = self.command("reap")
        self.assertIn("3 taken back", result.stdout)
        self.assertTrue(all(name.endswith(".a2") for name in self.names("pending")))

    def test_people_label_a_batch(self):
        tasks = json.loads(self.export("--to", "labelstudio", "--person", "anna", "--items", 8))
        self.assertEqual(len(tasks), 8)
        for index, task in enumerate(tasks):
            task["annotations"] = [{"result": [{"type": "choices", "from_name": "c",
                                                "value": {"choices": [["cat", "dog"][index % 2]]}}],
                                    "was_cancelled": False, "completed_by": 1, "lead_time": 2.0}]
        answers = self.place / "answers.json"
        answers.write_text(json.dumps(tasks[::-1]))
        words = ["import", answers, "--from", "labelstudio", "--class-names", "cat,dog"]
        report = self.report(*words)
        self.assertEqual((report["labels"], report["tickets_finished"]), (8, 2))
        self.assertEqual(self.report(*words)["repeats"], 8)
        status = self.report("status")
        self.assertEqual((status["counts"]["ok"], status["counts"]["queued"]), (8, 4))
        self.assertEqual(status["oracle_seconds"], 16.0)
        self.assertTrue(self.command("fsck").stdout.endswith("\nclean\n"))

    def test_unknown_answers_are_rejected_and_the_others_taken(self):
        lines = [json.loads(line) for line in self.export("--to", "jsonl").splitlines()]
        for number, line in enumerate(lines):
            line["y"] = number
        lines[3]["sluice_id"] = "../../etc/passwd:0"
        answers = self.place / "answers.jsonl"
        answers.write_text("".join(json.dumps(line) + "\n" for line in lines))
        result = self.command("import", answers, "--from", "jsonl", code=65)
        self.assertIn("answers.jsonl:4: sluice_id", error_lines(result)[0])
        self.assertEqual(self.report("status")["counts"]["ok"], 11)

    def test_wrong_words_are_usage_errors(self):
        for words, part in ((["status", "--watch", 0], "--watch"),
                            (["export", "--to", "xml", "--out", "x"], "unknown name (xml)"),
                            (["export", "--to", "csv", "--out", "x", "--person", "a b"], "lease"),
                            (["export", "--to", "csv", "--out", "x", "--items", -1], "--items"),
                            (["import", "x", "--from", "csv", "--class-names", "a,,b"], "empty"),
                            (["import", "--from", "csv"], "FILE")):
            self.assertIn(part, self.command(*words, code=64).stderr)

    def test_help_lists_the_formats(self):
        for name in ("status", "fsck", "reap", "export", "import"):
            result = run(["help", "queue", name])
            self.assertEqual(result.returncode, 0)
            self.assertIn(f"usage: sluice queue {name} ", result.stdout)
            self.assertIn("--config", result.stdout)
            self.assertEqual("labelstudio" in result.stdout, name in ("export", "import"))


if __name__ == "__main__":
    unittest.main()
