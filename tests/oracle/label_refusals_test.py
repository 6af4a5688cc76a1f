#!/usr/bin/env python3
"""What `sluice label` refuses to start with, and what hostile names and oracles cannot do to it."""

import os
import sys
import unittest

import workplace
from workplace import Case


class Refusals(Case):
    def test_a_missing_program_is_told_before_any_claim(self):
        place = self.numbered(2)
        oracle = place.copy_oracle().replace("copy.ini", "missing.ini")
        workplace.write(oracle, "[oracle]\nname = x\ncommand = no-such-oracle\n")
        self.assert_error(place.label(oracle), 69, "no-such-oracle")
        self.assertEqual([name[-2:] for name in place.names("pending")], ["a1", "a1"])

    def test_no_queue(self):
        place = self.numbered(1)
        place.queue = os.path.join(self.folder, "absent")
        self.assert_error(place.label(place.copy_oracle()), 66, place.queue)
        self.assertFalse(os.path.exists(place.queue))

    def test_a_tagged_batch_is_only_for_workers_with_its_tag(self):
        place = self.numbered(2, tag="gpu")
        for oracle, count in (("", 0), ("tags = cpu licensed", 0), ("tags = licensed gpu", 2)):
            result = place.label(place.copy_oracle(oracle), "--until-empty")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(f"labeled {count} items", result.stdout)
        self.assertTrue(place.all_once())

    def test_an_unknown_placeholder_is_told_before_any_item_runs(self):
        place = self.numbered(2)
        oracle = place.copy_oracle(answer='{"y": {{aa}}}')
        self.assert_error(place.label(oracle), 78, "aa", "'a'")
        self.assertEqual([name[-2:] for name in place.names("pending")], ["a1", "a1"])
        self.assertEqual(place.scratch_files(), [])

    def test_options(self):
        place = self.numbered(1)
        oracle = place.copy_oracle()
        self.assert_error(place.label(oracle, "--workers", 0), 64, "workers")
        without = place.command(oracle)
        result = workplace.subprocess.run(without[:2] + without[4:], capture_output=True, text=True,
                                         check=False)
        self.assert_error(result, 64, "--queue")

    def test_scratch_where_everybody_may_rename(self):
        place = self.numbered(1)
        os.chmod(place.scratch, 0o777)
        self.assert_error(place.label(place.copy_oracle()), 77, place.scratch, "chmod +t")
        self.assertEqual(place.names("leased"), [])

    def test_known_item(self):
        place = self.numbered(1)
        test = "[label y]\n[test]\na = 2.5\nexpect y = {}\n"
        good = place.label(place.copy_oracle(more=test.format(2.5)), "--test")
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertIn("label y: 2.5", good.stdout)
        self.assert_error(place.label(place.copy_oracle(more=test.format(3)), "--test"), 65,
                          "expect y = 3", "2.5")
        self.assert_error(place.label(place.copy_oracle(), "--test"), 78, "[test]")
        failing = place.label(place.fault_oracle(), "--test", FAULT="exit")
        self.assert_error(failing, 65, "exit code 7")
        self.assertIn("the matrix is singular", failing.stdout)
        self.assertEqual(place.results(), [])
        self.assertEqual(place.scratch_files(), [])


class Hostile(Case):
    IDS = ["../../x", "/etc/passwd", "-rf", ".", "a b;touch pwned", "$(touch pwned)", "`id`",
           "x" * 5000, "new\nline", "\u00e4"]

    def test_ids_never_become_paths_or_words_of_a_shell(self):
        place = self.place({"a": range(len(self.IDS))}, ids=self.IDS)
        oracle = place.copy_oracle(answer='{"y": {{a}}, "converged": true, "who": "{{row}}"}')
        before = sorted(os.listdir(self.folder))
        result = place.label(oracle, "--until-empty", "--workers", 2)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(place.all_once())
        self.assertEqual({line["row"]: line["id"] for line in place.results()},
                         dict(enumerate(self.IDS)))
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assertEqual(place.scratch_files(), [])

    def test_cleaning_up_follows_no_links_and_opens_closed_folders(self):
        place = self.numbered(2)
        outside = os.path.join(self.folder, "outside")
        os.mkdir(outside)
        workplace.write(os.path.join(outside, "treasure"), "kept")
        script = (f"ln -s {outside} link\nln -s {outside}/treasure stdout\nmkdir -p closed/inner\n"
                  "touch closed/inner/file\nchmod 0 closed\nexit 3\n")
        workplace.write(os.path.join(self.folder, "script"), script)
        oracle = workplace.write(
            os.path.join(self.folder, "links.ini"),
            "[oracle]\nname = links\ncommand = sh script\n[file script]\nsource = script\n")
        result = place.label(oracle, "--until-empty", "--keep-failed", 1)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len([f for f in place.scratch_files() if f.count(os.sep) == 1]), 1)
        self.assertEqual(os.listdir(outside), ["treasure"])
        with open(os.path.join(outside, "treasure"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "kept")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
