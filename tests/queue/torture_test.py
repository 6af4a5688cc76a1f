#!/usr/bin/env python3
"""Random kills: select, label, ingest, reap and fsck run side by side, several at once, and are killed with SIGKILL at
random moments; in the end every issued item has its label, once. Without an argument 1,000 kills; prints the
seed, which repeats the schedule (though not the races)."""

import argparse
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from fault_injection import Failure, expect, memory_directory
from labeling import Audit, finish, label_words, sluice, start, succeed, write_oracle

ROUNDS = 40
BATCH = 12
LEASE_S = 5


class Torture:
    def __init__(self, directory, kills, seed):
        self.directory = pathlib.Path(directory)
        self.queue, self.labels = self.directory / "queue", self.directory / "labels"
        self.pool = self.directory / "pool.h5"
        self.oracle = write_oracle(self.directory)
        self.environment = {"TMPDIR": str(self.directory)}
        self.left, self.lock = kills, threading.Lock()
        self.random = random.Random(seed)
        self.done = {}  # kind -> [killed, ended by itself]
        self.failures = []
        succeed(sluice("pool", "make", "blobs", "--rows", 2000, "--dim", 4, "--out", self.pool),
                "pool make")
        # The queue is there before anybody labels: label and ingest do not make one.
        succeed(sluice(*self.select_words(1)), "first select")

    def select_words(self, number):
        return ["select", "--pool", self.pool, "--queue", self.queue, "--batch", BATCH,
                "--ticket-items", 3, "--threads", 1, "--round", number]

    def words(self, kind):
        number = self.random.randint(1, ROUNDS)
        return {"select": self.select_words(number),
                "label": label_words(self.queue, self.oracle, "--lease", LEASE_S),
                "ingest": ["ingest", "--queue", self.queue, "--labels", self.labels],
                "reap": ["queue", "reap", "--queue", self.queue, "--no-wait"],
                "fsck": ["queue", "fsck", "--queue", self.queue]}[kind]

    def take(self):
        """What to run next and when to kill it; nothing when enough were killed."""
        with self.lock:
            if self.left <= 0 or self.failures:
                return None
            kind = self.random.choice(["select"] * 3 + ["label"] * 4 + ["ingest"] * 3 +
                                      ["reap", "fsck"])
            longest = 0.25 if kind == "select" else 0.06  # about what it takes when left alone
            return kind, self.words(kind), self.random.uniform(0.0, longest)

    def run_many(self):
        while (job := self.take()) is not None:
            try:
                self.run_one(*job)
            except Failure as failure:
                self.failures.append(failure)

    def run_one(self, kind, words, moment):
        process = start(*words, environment=self.environment)
        try:
            process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        output, errors = process.communicate(timeout=60)
        killed = process.returncode == -signal.SIGKILL
        with self.lock:
            self.left -= killed
            self.done.setdefault(kind, [0, 0])[0 if killed else 1] += 1
        # 75: another select or ingest came first, or nothing is there yet.
        allowed = {0, -signal.SIGKILL, 75}
        expect(process.returncode in allowed, f"{kind}: exit code {process.returncode}: {errors}")

    def run(self, num_at_once):
        threads = [threading.Thread(target=self.run_many) for _ in range(num_at_once)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(1.0)
            # Files move while it looks, so a full audit comes at the end; what it reads must be whole.
        for failure in self.failures:
            raise failure
        Audit(self.queue, self.labels, "when all are dead").check_whole()
        self.finish()

    def free_quarantined(self):
        """Brings back tickets whose workers were killed five times, as README says."""
        tokens = sorted((self.queue / "quarantine").glob("*.a5*"))
        for token in tokens:
            token.rename(self.queue / "pending" / token.name.replace(".a5", ".a1"))
        return len(tokens)

    def finish(self):
        for number in range(1, ROUNDS + 1):
            succeed(sluice(*self.select_words(number)), f"select {number}")
        # What the killed workers held is taken back at once, also where another process has the number
        # of theirs by now. For some it may be the fifth time.
        succeed(sluice("queue", "reap", "--queue", self.queue), "reap")
        freed = self.free_quarantined()
        finish(self.queue, self.labels, self.oracle, "after the kills")
        audit = Audit(self.queue, self.labels, "after the kills").check_labeled()
        expect(len(audit.items) == ROUNDS * BATCH, f"{len(audit.items)} items were issued")
        rows = list(audit.items.values())
        expect(len(set(rows)) == len(rows), "a row was issued twice")
        again = succeed(sluice("ingest", "--queue", self.queue, "--labels", self.labels), "again")
        expect(Audit(self.queue, self.labels, "again").num_generations == audit.num_generations,
               f"a second ingest made a generation: {again.stdout}")
        print(f"{sum(kinds[0] for kinds in self.done.values())} kills "
              f"({', '.join(f'{kind} {n[0]}, ended {n[1]}' for kind, n in sorted(self.done.items()))}); "
              f"{freed} tickets out of quarantine; {len(audit.labels)} items labeled once in {audit.num_generations} generations")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="sluice-torture-", dir=memory_directory()) as directory:
        try:
            Torture(directory, options.kills, seed).run(options.at_once)
        except Failure as failure:
            print(f"FAILED: {failure}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
