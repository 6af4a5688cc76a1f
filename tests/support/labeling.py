"""What the tests of the labeling side share: queues to label, the commands, and an auditor that reads the
files of a queue on its own and proves that nothing is lost, doubled or half-made."""

import collections
import hashlib
import json
import os
import pathlib
import re
import subprocess

import h5py

from fault_injection import Failure, expect

BINARY = os.environ["SLUICE_BINARY"]
BUILD = pathlib.Path(BINARY).parent
TIMEOUT_S = 120
FINAL = {"ok", "nonconverged", "invalid", "timeout", "oracle_error"}
MAX_REFUSALS = 3

TICKET = r"(?P<batch>[0-9A-Za-z_-]+)-(?P<ticket>\d{6,})\.a(?P<attempt>\d+)(\.r(?P<releases>\d+))?"
HOLDER = r"\.(?P<name>[0-9A-Za-z-]+)-(?P<process>\d+)-(?P<nonce>[0-9a-f]{20})"
PENDING_NAME = re.compile(TICKET)
LEASED_NAME = re.compile(TICKET + HOLDER + r"\.l(?P<lease>\d+)")
RESULT_NAME = re.compile(TICKET + HOLDER + r"\.(?P<part>[0-9A-Za-z]+)\.jsonl")

# One line a ticket: y = row / 2, by a program that does nothing else.
LINE_ORACLE = f"""[oracle]
name = line
version = 1
command = {BUILD}/line_oracle
mode = jsonl
time_limit = 10
"""


def expected_y(row):
    """What the line oracle says about a row."""
    return [row * 0.5]


def sluice(*arguments, prefix=(), environment=None, timeout=TIMEOUT_S):
    """Runs a command of sluice to its end."""
    words = [*prefix, BINARY, *map(str, arguments)]
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=timeout,
                              env=dict(os.environ, **(environment or {})))
    except subprocess.TimeoutExpired as late:
        raise Failure(f"still running after {timeout} s: {words}: {late.stderr}") from late


def start(*arguments, environment=None):
    """Starts a command of sluice in a session of its own."""
    return subprocess.Popen([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True, env=dict(os.environ, **(environment or {})))


def succeed(result, context):
    expect(result.returncode == 0, f"{context}: failed: {result}")
    return result


def publish(queue, batch="00112233445566aa", items=6):
    """A batch without a pool: rows 0, 10, 20, ... that are free, two a ticket."""
    result = subprocess.run([BUILD / "publish_driver", str(queue), batch, str(items)],
                            capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    return succeed(result, "publish_driver")


def write_oracle(directory, text=LINE_ORACLE):
    path = pathlib.Path(directory) / "oracle.ini"
    path.write_text(text)
    return path


def label_words(queue, oracle, *more):
    return ["label", "--queue", queue, "--oracle", oracle, "--until-empty", *more]


class Audit:
    """The state of a queue and its labels, read file by file."""

    def __init__(self, queue, labels, context):
        self.queue, self.context = pathlib.Path(queue), context
        self.items = {}  # (batch, item) -> row
        self.tickets = collections.defaultdict(list)  # (batch, ticket) -> items
        self.read_batches()
        self.tokens = collections.defaultdict(list)
        for folder, pattern in (("pending", PENDING_NAME), ("leased", LEASED_NAME),
                                ("quarantine", PENDING_NAME)):
            self.read_tokens(folder, pattern)
        self.results = collections.defaultdict(list)  # (batch, item) -> lines
        for folder in ("results", "settled"):
            for name in self.names(folder):
                self.read_results(folder, name)
        self.labels = {}  # (batch, item) -> y
        self.num_generations = 0
        if labels is not None and pathlib.Path(labels).exists():
            self.read_labels(pathlib.Path(labels))

    def names(self, folder):
        return sorted(os.listdir(self.queue / folder)) if (self.queue / folder).exists() else []

    def read_batches(self):
        for name in self.names("batches"):
            manifest = self.queue / "batches" / name / "manifest.json"
            if not manifest.exists():
                continue
            facts = json.loads(manifest.read_text())
            for number in range(1, facts["tickets"] + 1):
                text = (manifest.parent / "tickets" / f"{number:06}.jsonl").read_text()
                for line in text.splitlines():
                    item = json.loads(line)
                    self.items[name, item["item"]] = item["row"]
                    self.tickets[name, number].append(item["item"])

    def read_tokens(self, folder, pattern):
        for name in self.names(folder):
            if name.endswith(".jsonl"):
                continue  # rejected lines in quarantine
            match = pattern.fullmatch(name)
            expect(match is not None, f"{self.context}: {folder}/{name}: no token's name")
            self.tokens[match["batch"], int(match["ticket"])].append(f"{folder}/{name}")

    def read_results(self, folder, name):
        match = RESULT_NAME.fullmatch(name)
        expect(match is not None, f"{self.context}: {folder}/{name}: no result file's name")
        content = (self.queue / folder / name).read_bytes()
        lines = content.splitlines(keepends=True)
        expect(lines and lines[-1].endswith(b"\n"), f"{self.context}: {folder}/{name}: half a file")
        seal = json.loads(lines[-1])["seal"]
        body = b"".join(lines[:-1])
        expect(seal["lines"] == len(lines) - 1 and
               seal["sha256"] == hashlib.sha256(body).hexdigest(),
               f"{self.context}: {folder}/{name}: broken seal")
        for line in lines[:-1]:
            result = json.loads(line)
            self.results[match["batch"], result["item"]].append(result)

    def read_labels(self, labels):
        for path in sorted(labels.glob("labels.g*.h5")):
            self.num_generations += 1
            with h5py.File(path, "r") as file:
                for batch, item, row, y in zip(file["batch"].asstr()[:], file["item"][:],
                                               file["row"][:], file["y"][:]):
                    key = (batch, int(item))
                    expect(key not in self.labels, f"{self.context}: {key} is counted twice")
                    expect(self.items.get(key) == row, f"{self.context}: {key}: row {row}")
                    self.labels[key] = [float(value) for value in y.reshape(-1)]

    def is_finished(self, key):
        statuses = [result["status"] for result in self.results[key]]
        return any(status in FINAL for status in statuses) or \
            statuses.count("refused") >= MAX_REFUSALS

    def check_whole(self):
        """At any instant: one token a ticket at most, and none only if all its items are finished; nothing
        counted twice (read_labels); no half files (read_results)."""
        for ticket, items in self.tickets.items():
            tokens = self.tokens[ticket]
            expect(len(tokens) <= 1, f"{self.context}: {ticket} has tokens {tokens}")
            lost = [item for item in items if not self.is_finished((ticket[0], item))]
            expect(tokens or not lost, f"{self.context}: {ticket}: items {lost} are lost")
        for ticket in self.tokens:
            known = ticket in self.tickets or not (
                self.queue / "batches" / ticket[0] / "manifest.json").exists()
            expect(known, f"{self.context}: {ticket}: token without a ticket")
        for key in self.labels:
            expect(self.results[key], f"{self.context}: {key}: a label without a result")
        return self

    def check_labeled(self, expected=expected_y):
        """At the end: every issued item has its label, once, and nothing is left over."""
        self.check_whole()
        missing = sorted(set(self.items) - set(self.labels))
        expect(not missing, f"{self.context}: not labeled: {missing[:5]} of {len(missing)}")
        for key, y in self.labels.items():
            expect(y == expected(self.items[key]), f"{self.context}: {key}: y = {y}")
        left = [token for tokens in self.tokens.values() for token in tokens]
        expect(not left, f"{self.context}: tokens left: {left}")
        expect(not self.names("results"), f"{self.context}: results left: {self.names('results')}")
        expect(not self.names("tmp"), f"{self.context}: left in tmp: {self.names('tmp')}")
        return self


def run_plainly(words):
    return sluice(*words)


def finish(queue, labels, oracle, context, run=run_plainly):
    """The plain commands that end any interrupted work; fsck must find the queue whole."""
    succeed(run(label_words(queue, oracle)), f"{context}: label")
    succeed(run(["ingest", "--queue", queue, "--labels", labels]), f"{context}: ingest")
    result = succeed(run(["queue", "fsck", "--queue", queue]), f"{context}: fsck")
    expect("clean" in result.stdout, f"{context}: fsck says {result.stdout!r}")
