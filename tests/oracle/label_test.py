#!/usr/bin/env python3
"""`sluice label` on real queues: every way an oracle fails, and every way a worker ends."""

import json
import os
import signal
import stat
import sys
import time
import unittest

import workplace
from workplace import FAULTS, Case, finish, wait_until


def fault_numbers(*names):
    return [FAULTS.index(name) for name in names]


class Faults(Case):
    EXPECTED = {
        "ok": ("ok", None, 1), "crash": ("oracle_error", "SIGSEGV", 2),
        "exit": ("oracle_error", "exit code 7", 2), "hang": ("timeout", "longer than 3 s", 1),
        "garbage": ("oracle_error", "result.json", 2), "nan": ("invalid", "not finite", 1),
        "wrong": ("invalid", "above max", 1),
        "unconverged": ("nonconverged", "no self-consistency after 50 iterations", 1),
        "slow": ("ok", None, 1), "huge_log": ("oracle_error", "of output", 2),
        "partial": ("oracle_error", "SIGSEGV", 2), "silent": ("oracle_error", "no result.json", 2),
        "deaf": ("timeout", "longer than 3 s", 1), "flaky": ("ok", None, 2),
        "refuse": ("refused", "exit code 20", 1)}

    def test_each_ends_in_its_own_status_and_reason(self):
        names = list(self.EXPECTED)
        place = self.place({"fault": fault_numbers(*names), "a": range(len(names)),
                            "seconds": [0.1] * len(names)}, ticket_items=4)
        oracle = place.fault_oracle()
        log = os.path.join(self.folder, "log")
        report = os.path.join(self.folder, "report.json")
        result = place.label(oracle, "--workers", 4, "--max-items", len(names), "--keep-failed", 2,
                             "--json", report, FAULT_LOG=log, SLURM_JOB_ID="77")
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = place.results()
        self.assertEqual(len(lines), len(names))
        for line in lines:
            self.check_line(line, names[line["row"]])
        self.check_tries(log, lines)
        self.check_report(result.stdout, report)
        self.check_evidence(place, lines)
        self.refuse_to_the_end(place, oracle)

    def check_line(self, line, name):
        status, reason, tries = self.EXPECTED[name]
        with self.subTest(fault=name):
            self.assertEqual(line["status"], status)
            self.assertIn(reason or "", line.get("reason", ""))
            self.assertEqual(line.get("tries", 1), tries)
            self.assertEqual(line.get("y"), [line["row"]] if status == "ok" else None)
            self.assertEqual(line["job_id"], "77")
            self.assertRegex(line["label_key"], "^[0-9a-f]{16}$")
            self.assertRegex(line["worker"], r"-\d+-[0-9a-f]{20}$")

    def check_tries(self, log, lines):
        with open(log, encoding="ascii") as file:
            runs = [int(number) for number in file]
        for line in lines:
            self.assertEqual(runs.count(line["item"]), line.get("tries", 1), line)

    def check_report(self, stdout, path):
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual(report["counts"], {"ok": 3, "oracle_error": 6, "timeout": 2, "invalid": 2,
                                            "nonconverged": 1, "refused": 1})
        self.assertRegex(stdout, r"^labeled 15 items \(2? ?.*3 ok.*\) in [\d.]+ s, 3 tickets; 1 left")

    def check_evidence(self, place, lines):
        """Directories of the last two failures stay, with what the oracle said; no others."""
        kept = [folder for folder in place.scratch_files() if folder.count(os.sep) == 1]
        self.assertEqual(len(kept), 2)
        artifacts = {line["artifacts"].split(":", 1)[1] for line in lines if "artifacts" in line}
        for folder in kept:
            path = os.path.join(place.scratch, folder)
            self.assertIn(path, artifacts)
            self.assertTrue({"input.json", "stderr", "stdout"} <= set(os.listdir(path)))
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o700)

    def refuse_to_the_end(self, place, oracle):
        for _ in range(2):
            self.assertEqual(place.label(oracle, "--max-items", 1).returncode, 0)
        result = place.label(oracle, "--until-empty")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("labeled 0 items", result.stdout)
        self.assertEqual(place.names("pending") + place.names("leased"), [])
        self.assertEqual(len(place.results()), len(self.EXPECTED) + 2)

    def test_retries_are_by_reason(self):
        place = self.place({"fault": fault_numbers("exit", "unconverged"), "a": [0, 1]})
        oracle = place.fault_oracle(more="[retry]\noracle_error = 0\nnonconverged = 2")
        self.assertEqual(place.label(oracle, "--until-empty").returncode, 0)
        tries = {line["status"]: line.get("tries", 1) for line in place.results()}
        self.assertEqual(tries, {"oracle_error": 1, "nonconverged": 3})


class Lines(Case):
    def run_faults(self, *names):
        place = self.place({"fault": fault_numbers(*names), "a": range(len(names))},
                           ticket_items=len(names))
        log = os.path.join(self.folder, "log")
        result = place.label(place.fault_oracle("fault_jsonl.ini"), "--until-empty", FAULT_LOG=log)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(place.all_once())
        by_name = {names[line["row"]]: line for line in place.results()}
        return by_name, place.results()

    def test_one_process_labels_a_whole_ticket(self):
        place = self.numbered(60, ticket_items=20)
        result = place.label(place.fault_oracle("fault_jsonl.ini"), "--until-empty",
                             "--workers", 2)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(place.all_once())
        self.assertTrue(all(line["y"] == [line["row"]] for line in place.results()))
        self.assertEqual(len(place.names("results")), 3)
        self.assertEqual(place.scratch_files(), [])

    def test_a_process_that_dies_in_the_middle_fails_one_item(self):
        lines, everything = self.run_faults("ok", "partial", "slow", "nan", "flaky")
        self.assertEqual({name: line["status"] for name, line in lines.items()},
                         {"ok": "ok", "partial": "oracle_error", "slow": "ok", "nan": "invalid",
                          "flaky": "ok"})
        self.assertEqual(lines["partial"]["tries"], 2)
        self.assertIn("SIGSEGV", lines["partial"]["reason"])
        self.assertEqual(len(everything), 5)

    def test_one_that_hangs_fails_the_item_it_hangs_on(self):
        lines, _ = self.run_faults("hang", "ok", "unconverged", "silent")
        self.assertEqual({name: line["status"] for name, line in lines.items()},
                         {"hang": "timeout", "ok": "ok", "unconverged": "nonconverged",
                          "silent": "oracle_error"})

    def test_max_items_cuts_a_ticket(self):
        place = self.numbered(10, ticket_items=10)
        oracle = place.fault_oracle("fault_jsonl.ini")
        self.assertEqual(place.label(oracle, "--max-items", 4).returncode, 0)
        self.assertEqual(len(place.results()), 4)
        self.assertEqual(place.label(oracle, "--until-empty").returncode, 0)
        self.assertTrue(place.all_once())


class Workers(Case):
    def test_several_label_each_item_once(self):
        place = self.numbered(150, ticket_items=5)
        oracle = place.copy_oracle()
        workers = [place.start(oracle, "--until-empty", "--workers", 2) for _ in range(3)]
        for worker in workers:
            _, stderr = worker.communicate(timeout=60)
            self.assertEqual(worker.returncode, 0, stderr)
        self.assertTrue(place.all_once())
        self.assertTrue(all(line["y"] == [line["row"]] for line in place.results()))
        self.assertEqual(place.names("pending") + place.names("leased"), [])
        self.assertEqual(place.scratch_files(), [])

    def test_one_that_is_killed_is_replaced_at_once(self):
        place = self.place({"a": range(4), "seconds": [30] * 4, "fault": [8] * 4}, ticket_items=2)
        victim = place.start(place.fault_oracle(oracle="breaker = 0"), "--workers", 2)
        self.assertTrue(wait_until(lambda: place.names("leased")))
        victim.kill()
        victim.communicate()
        place.scratch = os.path.join(self.folder, "other")
        os.mkdir(place.scratch)
        result = place.label(place.copy_oracle(), "--until-empty")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(place.all_once())

    def test_one_that_sleeps_beyond_its_lease_hands_in_late(self):
        place = self.place({"a": [1, 2], "seconds": [0.5, 0.5], "fault": [8, 8]}, ticket_items=2)
        oracle = place.fault_oracle()
        sleeper = place.start(oracle, "--lease", 1)
        self.assertTrue(wait_until(lambda: place.names("leased")))
        sleeper.send_signal(signal.SIGSTOP)
        other = place.start(oracle, "--lease", 1)
        self.assertTrue(wait_until(lambda: len(place.results()) == 2))
        sleeper.send_signal(signal.SIGCONT)
        self.assertTrue(wait_until(lambda: place.names("leased") == [] and
                                   place.names("pending") == []))
        time.sleep(0.7)  # the sleeper's heartbeat
        code, _, stderr = finish(sleeper)
        self.assertEqual(code, 75)
        self.assertIn("this lease was silent", stderr)
        self.assertEqual(finish(other)[0], 75)
        final = place.final_items()
        self.assertEqual(sorted(final), [0, 1])
        self.assertTrue(all(line["y"] == [line["row"] + 1] for line in place.results()))

    def test_waits_for_new_batches_until_stopped(self):
        place = self.numbered(3)
        worker = place.start(place.copy_oracle())
        self.assertTrue(wait_until(place.all_once))
        self.assertTrue(wait_until(lambda: place.names("leased") == []))
        self.assertIsNone(worker.poll())
        self.assertEqual(finish(worker)[0], 75)


class Endings(Case):
    def slow_place(self, count, seconds, **options):
        place = self.place({"a": range(count), "seconds": [seconds] * count,
                            "fault": fault_numbers("slow") * count}, **options)
        return place, place.fault_oracle(oracle="", more="[retry]\ntimeout = 0")

    def test_a_signal_lets_running_items_finish_and_a_second_run_does_the_rest(self):
        place, oracle = self.slow_place(6, 0.3, ticket_items=6)
        for number in (signal.SIGTERM, signal.SIGUSR1):
            log = os.path.join(self.folder, "log")
            if os.path.exists(log):
                os.remove(log)
            worker = place.start(oracle, "--workers", 2, FAULT_LOG=log)
            self.assertTrue(wait_until(lambda: os.path.exists(log)))
            code, _, stderr = finish(worker, number)
            self.assertEqual(code, 75, stderr)
            self.assertRegex(stderr, r"stopped by a signal; [1-9]\d* items handed in, 1 tickets "
                                     r"given back; run the same command again")
            self.assert_nothing_leased(place)
            self.assertEqual(place.scratch_files(), [])
        self.assertIn(".a1.r2", place.names("pending")[0])
        place.columns["seconds"] = [0] * 6
        self.assertEqual(place.label(oracle, "--until-empty", "--workers", 2).returncode, 0)
        self.assertTrue(place.all_once())

    def test_what_does_not_finish_within_the_grace_is_given_back(self):
        place = self.place({"a": [1], "fault": fault_numbers("slow"), "seconds": [60]})
        oracle = place.fault_oracle().replace("oracle.ini", "patient.ini")
        with open(place.fault_oracle(), encoding="utf-8") as file:
            workplace.write(oracle, file.read().replace("time_limit = 3", "time_limit = 90"))
        log = os.path.join(self.folder, "log")
        worker = place.start(oracle, "--grace", 0.2, FAULT_LOG=log)
        self.assertTrue(wait_until(lambda: os.path.exists(log)))
        started = time.monotonic()
        code, _, stderr = finish(worker)
        self.assertEqual(code, 75, stderr)
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual((place.results(), len(place.names("pending"))), ([], 1))

    def test_walltime(self):
        place, oracle = self.slow_place(12, 0.4)
        started = time.monotonic()
        result = place.label(oracle, "--until-empty", "--walltime", 3.5 / 60, "--grace", 1)
        self.assertLess(time.monotonic() - started, 3.5)
        self.assert_error(result, 75, "too little walltime", "run the same command again")
        self.assertGreater(len(place.results()), 0)
        self.assertLess(len(place.results()), 12)
        self.assert_nothing_leased(place)
        early = place.label(oracle, "--until-empty", "--grace", 5,
                            SLURM_JOB_END_TIME=str(int(time.time()) + 4))
        self.assert_error(early, 75, "0 items handed in")
        rest = place.label(place.copy_oracle(), "--until-empty", "--walltime", 10,
                           SLURM_JOB_END_TIME="1")
        self.assertEqual(rest.returncode, 0, rest.stderr)
        self.assertTrue(place.all_once())

    def test_failures_that_are_all_alike_open_the_breaker_and_nothing_is_reported(self):
        place = self.numbered(30, ticket_items=3)
        broken = place.copy_oracle("breaker = 4", answer="no JSON")
        report_path = os.path.join(place.folder, "report.json")
        result = place.label(broken, "--until-empty", "--workers", 3, "--json", report_path)
        self.assert_error(result, 69, broken, "items in a row failed alike (oracle_error: ",
                          "--test", "0 items handed in")
        with open(report_path, encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual(report["items"], 0)
        self.assertIn("failed alike", report["ended_early"])
        self.assertEqual(place.results(), [])
        self.assertEqual(len(place.names("pending")), 10)
        self.assert_nothing_leased(place)
        self.assertEqual(place.label(place.copy_oracle(), "--until-empty").returncode, 0)
        self.assertTrue(place.all_once())

    def test_a_streak_too_short_for_the_breaker_is_reported(self):
        place = self.numbered(8, ticket_items=2)
        result = place.label(place.copy_oracle("breaker = 9", answer="no JSON"), "--until-empty")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(place.all_once())
        self.assertIn("labeled 8 items (8 oracle_error)", result.stdout)

    def test_an_oracle_may_stop_its_worker(self):
        place = self.place({"a": [1, 2], "fault": fault_numbers("stop", "stop")}, ticket_items=2)
        result = place.label(place.fault_oracle(), "--until-empty")
        self.assert_error(result, 69, "exit code 30", "the disk of this node is broken")
        self.assertEqual((place.results(), len(place.names("pending"))), ([], 1))

    def test_max_items(self):
        place = self.numbered(10, ticket_items=4)
        oracle = place.copy_oracle()
        result = place.label(oracle, "--max-items", 5, "--workers", 3)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("labeled 5 items (5 ok)", result.stdout)
        self.assertEqual(len(place.results()), 5)
        self.assertEqual(place.label(oracle, "--until-empty").returncode, 0)
        self.assertTrue(place.all_once())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
