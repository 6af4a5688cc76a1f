#!/usr/bin/env python3
"""F1: features to scores through a committee of multilayer perceptrons [256 -> 128 -> 128 -> 10],
ReLU, 5 members: ours, PyTorch doing the same, and the machine's SGEMM at as many operations, all
taking turns.

PyTorch is timed as its users write it (a loop over the members, the whole table at once), and at
its best: every form of network_forms.py, blocks of several sizes, and its own threads or a
block a thread; first turns of each pick the fastest. SGEMM is the better of NumPy's (OpenBLAS) and
PyTorch's (MKL) on square matrices.
"""

import argparse
import dataclasses
import os
import pathlib
import statistics
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import measure

# OpenBLAS takes its AVX2 kernels on AMD's processors with AVX-512, at half the rate.
CPU = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
if "AuthenticAMD" in CPU and "avx512f" in CPU:
    os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")

import network_forms
import numpy as np
import torch

WIDTHS = [256, 128, 128, 10]
MEMBERS = 5
FLOPS_OF_ROW = 2 * MEMBERS * sum(a * b for a, b in zip(WIDTHS, WIDTHS[1:]))
GEMM_SIZE = 2048
BLOCK_SIZES = (256, 1024, 4096)
TUNING_ROWS = 8192


@dataclasses.dataclass
class Setting:
    threads: int
    pool: ThreadPoolExecutor


class Ours:
    """Our program, a turn at a time."""

    def __init__(self, program, rows, data):
        self.process = subprocess.Popen([program, str(rows), "0", str(measure.THREADS), data],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self, line):
        print(line, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            measure.fail(f"our program ended early, exit code {self.process.wait()}")
        return float(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def make_data(rows):
    """Features, and the members' layers: weights [out, in] and biases."""
    generator = np.random.default_rng(7)
    features = generator.standard_normal((rows, WIDTHS[0]), dtype=np.float32)
    members = [[(generator.standard_normal((b, a), dtype=np.float32) * np.float32(1.4 / a ** 0.5),
                 generator.standard_normal(b, dtype=np.float32) * np.float32(0.1))
                for a, b in zip(WIDTHS, WIDTHS[1:])] for _ in range(MEMBERS)]
    return features, members


def write_data(path, features, members):
    with open(path, "wb") as file:
        features.tofile(file)
        for member in members:
            for weight, bias in member:
                weight.tofile(file)
                bias.tofile(file)


@dataclasses.dataclass
class Way:
    """A form of the committee, the rows of a block and how blocks are shared out."""
    form: object
    size: int
    share_out: object

    def scores(self, score, x, setting):
        return self.share_out(self.form, score, x, self.size, setting)

    def name(self):
        return f"{self.form.__name__}, {self.share_out.__name__}, blocks of {self.size}"


def fastest_ways(forms, score, x, setting):
    """One with PyTorch's own threads and one with a block a thread, whose speed on a busy machine
    differs; each by the best of three turns on some rows."""
    some = x[:TUNING_ROWS]

    def seconds(way):
        return min(measure.seconds_of(lambda: way.scores(score, some, setting)) for _ in range(3))
    return [min((Way(form, size, share_out) for form in forms.all() for size in BLOCK_SIZES),
                key=seconds)
            for share_out in (network_forms.with_own_threads, network_forms.block_a_thread)]


def gemm_sides(setting):
    """{library: work}: products of square matrices."""
    a, b = np.random.default_rng(1).standard_normal((2, GEMM_SIZE, GEMM_SIZE), dtype=np.float32)
    tensors = torch.from_numpy(a), torch.from_numpy(b)

    def by_torch():
        torch.set_num_threads(setting.threads)
        return torch.mm(*tensors)
    return {"NumPy": lambda: a @ b, "PyTorch": by_torch}


def check_scores(ours, score, expected, path):
    ours.seconds(f"{score} {path}")
    difference = np.abs(np.fromfile(path, dtype=np.float32) - expected.numpy()).max()
    if not difference <= 1e-4:
        measure.fail(f"{score}: ours and PyTorch's differ by {difference}")


def run_score(name, ours, data, setting, options):
    features, members, folder = data
    x = torch.from_numpy(features)
    score = network_forms.SCORES[name]
    ways = fastest_ways(network_forms.Forms(members), score, x, setting)
    check_scores(ours, name, ways[0].scores(score, x, setting), folder / "scores")
    loop = Way(network_forms.Forms(members).member_loop, len(x), network_forms.with_own_threads)
    sides = {("torch_plain", loop.name()): lambda: loop.scores(score, x, setting)}
    for way in ways:
        sides["torch", way.name()] = lambda way=way: way.scores(score, x, setting)
        if options.compile:
            compiled = network_forms.compiled(way.form, score)
            sides["torch_compile", way.name()] = lambda way=way, compiled=compiled: (
                way.share_out(*compiled, x, way.size, setting))
    for library, work in gemm_sides(setting).items():
        sides["sgemm", library] = work
    sides["ours", ""] = lambda: ours.seconds(name)
    report(name, turns(sides, options.repeats), len(features))


def turns(sides, repeats):
    """Median seconds of each side, all in turn, after one warm-up; our own program measures itself,
    and so do all that return a number."""
    def seconds_of(work):
        own = []
        taken = measure.seconds_of(lambda: own.append(work()))
        return own[0] if isinstance(own[0], float) else taken
    for work in sides.values():
        work()
    rounds = [{side: seconds_of(work) for side, work in sides.items()} for _ in range(repeats)]
    return {side: statistics.median(taken[side] for taken in rounds) for side in sides}


def report(name, seconds, rows):
    """Of the ways of one side the fastest counts."""
    flops = FLOPS_OF_ROW * rows
    gemm_flops = 2 * GEMM_SIZE ** 3
    for side in ("ours", "torch_plain", "torch", "torch_compile", "sgemm"):
        ways = {way: taken for (kind, way), taken in seconds.items() if kind == side}
        if not ways:
            continue
        operations = gemm_flops if side == "sgemm" else flops
        rates = [f"{way} {operations / taken / 1e9:.0f} GFLOP/s".strip()
                 for way, taken in sorted(ways.items(), key=lambda item: item[1])]
        what = f"{name} of features [{rows},{WIDTHS[0]}], " if side == "ours" else ""
        measure.report(f"F1.{name}", side, min(ways.values()) * flops / operations,
                       what + "; ".join(rates))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="sluice_bench_network")
    parser.add_argument("--rows", type=int, default=65_536)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--compile", action="store_true", help="torch.compile too")
    options = parser.parse_args()
    features, members = make_data(options.rows)
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(measure.THREADS) as pool:
        folder = pathlib.Path(name)
        write_data(folder / "data", features, members)
        ours = Ours(options.program, options.rows, folder / "data")
        for score in network_forms.SCORES:
            run_score(score, ours, (features, members, folder), Setting(measure.THREADS, pool),
                      options)
        ours.close()


if __name__ == "__main__":
    main()
