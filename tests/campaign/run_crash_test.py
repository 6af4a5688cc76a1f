#!/usr/bin/env python3
"""`sluice run` interrupted, and run again until its end: the final files are those of a run that was never
interrupted (see campaigns.py for what of them is compared).

  phases  killed, or told to stop by SIGTERM, on entering every phase of every round, one after the other in one
          campaign; on several ranks too;
  calls   SIGKILL at each file system call that publishes, in a campaign of its own each: every 10th such call,
          `--every 1` for all of them;
  moments SIGKILL, SIGTERM and SIGUSR1 at random moments, with oracles that take their time.
Exit code 77: no strace here, so only phases and moments were tested.
"""

import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from campaigns import Campaign, check_same
from fault_injection import (SKIPPED, Failure, expect, inject, memory_directory, run_all,
                             strace_works)

STRACE = ["strace", "-qq"]  # the main thread does all that publishes
PUBLISHING = ["rename", "link", "mkdir", "unlink"]
STEPS = ("plan", "select", "label", "ingest", "train", "evaluate", "close")
PHASES = ["open campaign", "draw test rows"] + [f"{step} {number}" for number in (1, 2, 3)
                                                for step in STEPS]
SLOW = "0.02"  # seconds an item


def wait_for(condition, process):
    end = time.monotonic() + 60
    while not condition():
        expect(process.poll() is None and time.monotonic() < end, "it ended before it was stopped")
        time.sleep(0.005)


def stop_in(campaign, phase):
    """SIGTERM on entering a phase."""
    with subprocess.Popen(campaign.words(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env=campaign.environment(f"{phase}:0:hang")) as process:
        state = pathlib.Path(f"/proc/{process.pid}/syscall")
        # 34 is pause(2) on x86-64, where the fault waits for a signal.
        wait_for(lambda: state.read_text().startswith("34 "), process)
        process.send_signal(signal.SIGTERM)
        errors = process.stderr.read()
        process.wait(60)
        expect(process.returncode == 75, f"{phase}: exit code {process.returncode}: {errors}")


class Tester:
    def __init__(self, directory, every):
        self.directory = pathlib.Path(directory)
        self.every = every
        self.reference = self.undisturbed("whole", "")
        self.slow_reference = self.undisturbed("slow", SLOW)

    def undisturbed(self, name, oracle_words):
        campaign = Campaign(self.directory / name, oracle_words=oracle_words)
        campaign.succeed("undisturbed")
        return campaign.state()

    def check(self, campaign, context, reference=None):
        campaign.succeed(context)
        check_same(campaign.state(), reference or self.reference, context)
        shutil.rmtree(campaign.directory)

    def killed_in_every_phase(self):
        campaign = Campaign(self.directory / "phases-kill")
        for phase in PHASES:
            result = campaign.run(fault=f"{phase}:0:kill")
            expect(result.returncode == -9, f"{phase}: was not killed: {result}")
        self.check(campaign, "killed in every phase")

    def stopped_in_every_phase(self):
        campaign = Campaign(self.directory / "phases-stop")
        for phase in PHASES:
            stop_in(campaign, phase)
        self.check(campaign, "stopped in every phase")

    def killed_on_ranks(self):
        campaign = Campaign(self.directory / "ranks")
        for ranks, fault in ((3, "label 1:1:kill"), (2, "train 1:1:kill"), (3, "select 2:2:throw"),
                             (2, "evaluate 2:0:kill"), (3, "ingest 3:0:kill"), (2, "train 3:1:exit")):
            result = campaign.run(ranks=ranks, fault=fault)
            expect(result.returncode != 0, f"{fault}: went on: {result}")
        campaign.succeed("ranks", ranks=3)
        self.check(campaign, "killed on ranks")

    def points(self):
        campaign = Campaign(self.directory / "traced")
        log = self.directory / "trace"
        result = campaign.run(prefix=[*STRACE, "-o", str(log), "-e", "trace=" + ",".join(PUBLISHING)])
        expect(result.returncode == 0, f"traced: {result}")
        counts, points = {}, []
        for line in log.read_text().splitlines():
            match = re.match(r"(\w+)\((.*)", line)
            if match is None:
                continue
            call = match[1]
            counts[call] = counts.get(call, 0) + 1
            # Scratch directories of the oracle lie beside the campaign.
            if str(campaign.directory) in match[2]:
                points.append((call, counts[call]))
        expect(len(points) > 100, f"only {len(points)} calls were seen")
        shutil.rmtree(campaign.directory)
        return points[::self.every]

    def kill_at(self, call, number):
        context = f"kill at {call} {number}"
        campaign = Campaign(self.directory / f"kill-{call}-{number}")
        result = campaign.run(prefix=[*STRACE, *inject(call, number, "signal=KILL")])
        expect(result.returncode in (-9, 137), f"{context}: was not killed: {result}")
        self.check(campaign, context)

    def random_moments(self, seed):
        chance = random.Random(seed)
        campaign = Campaign(self.directory / f"random-{seed}", oracle_words=SLOW)
        context = f"random moments {seed}"
        for turn in range(12):
            how = chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1])
            pause = chance.uniform(0.05, 0.6)
            with subprocess.Popen(campaign.words(), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True,
                                  env=campaign.environment()) as process:
                time.sleep(pause)
                process.send_signal(how)
                errors = process.stderr.read()
                process.wait(60)
                codes = (-9, 0) if how == signal.SIGKILL else (75, 0, -how)
                expect(process.returncode in codes,
                       f"{context}: turn {turn}: exit code {process.returncode}: {errors}")
        self.check(campaign, context, self.slow_reference)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=10, help="take one call in so many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seeds", type=int, default=2, help="campaigns with random moments")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-run-", dir=memory_directory()) as directory:
        tester = Tester(directory, options.every)
        jobs = [(tester.killed_in_every_phase,), (tester.stopped_in_every_phase,), (tester.killed_on_ranks,)]
        jobs += [(tester.random_moments, seed) for seed in range(options.seeds)]
        can_trace = strace_works()
        points = tester.points() if can_trace else []
        jobs += [(tester.kill_at, *point) for point in points]
        failures = run_all(jobs, options.jobs)
    print(f"{2 * len(PHASES)} phases, {len(points)} calls, {12 * options.seeds} moments, "
          f"{len(failures)} failures")
    for failure in failures:
        print(f"FAILED: {failure}")
    if failures:
        return 1
    return 0 if can_trace else SKIPPED


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
