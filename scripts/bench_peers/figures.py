"""The figures that programs print, by id and side.

Most programs print seconds, as in measure.report. sluice_bench_scores and sluice_bench_reader print
rates in sentences; those are taken apart here.
"""

import collections
import math
import re
import statistics

SCORE_LINE = re.compile(
    r"S1 (\w+) (\w+) \[([\d,]+)\]: read ([\d.]+) GB/s, score ([\d.]+) GB/s, ratio .*")
# What of sluice_bench_scores goes into the table; the peers run the same shapes.
SCORED = {("bald", "committee_probabilities"): "S1.bald",
          ("entropy", "committee_probabilities"): "S1.entropy",
          ("margin", "probabilities"): "S1.margin",
          ("bald", "committee_logits"): "S2.bald",
          ("entropy", "committee_logits"): "S2.entropy",
          ("margin", "logits"): "S2.margin"}
READER_LINE = re.compile(r"(R\d .+): (\w+) ([\d.]+) GB/s, reader ([\d.]+) GB/s, ratio .*")
CHUNK_TABLE_LINE = re.compile(r"R5 open and chunk table: 1000000 chunks, ([\d.]+) s")


class Figures:
    """Values by (id, side), one for each run of a program; the last note of each."""

    def __init__(self):
        self.values = collections.defaultdict(list)
        self.notes = {}

    def add(self, identifier, side, value, note):
        self.values[identifier, side].append(value)
        self.notes[identifier, side] = note

    def median(self, identifier, side):
        values = self.values.get((identifier, side))
        return statistics.median(values) if values else None

    def add_lines(self, text):
        for line in text.splitlines():
            fields = line.split("\t")
            if len(fields) == 4:
                self.add(fields[0], fields[1], float(fields[2]), fields[3])
            elif found := SCORE_LINE.fullmatch(line):
                self._add_score_line(*found.groups())
            elif found := READER_LINE.fullmatch(line):
                self._add_reader_line(*found.groups())
            elif found := CHUNK_TABLE_LINE.fullmatch(line):
                self.add("R5", "ours", float(found[1]), "open, chunk table of 1,000,000")
                self.add("R5", "allowed", 5.0, "5 s")

    def _add_score_line(self, score, source, shape, read_rate, score_rate):
        identifier = SCORED.get((score, source))
        if identifier is None:
            return
        gigabytes = math.prod(map(int, shape.split(","))) * 4 / 1e9
        self.add(identifier, "ours", gigabytes / float(score_rate), f"{score} of {source} [{shape}]")
        self.add(identifier, "read", gigabytes / float(read_rate), f"plain sum, {read_rate} GB/s")

    def _add_reader_line(self, name, peer, peer_rate, our_rate):
        """Rates go in as seconds for a GB, so that all ratios are formed alike."""
        identifier = name.replace(" ", ".", 1)
        self.add(identifier, "ours", 1 / float(our_rate), name[3:])
        self.add(identifier, peer, 1 / float(peer_rate), f"{peer_rate} GB/s")
