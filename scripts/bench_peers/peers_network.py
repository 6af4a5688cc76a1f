#!/usr/bin/env python3
"""F1: features to scores through a committee of multilayer perceptrons [256 -> 128 -> 128 -> 10],
ReLU, 5 members: ours, PyTorch doing the same, and the machine's SGEMM at as many operations, all
taking turns.

PyTorch is given every form of network_forms.py, blocks of several sizes, and its own threads or a
block a thread; first turns of each pick the fastest. SGEMM is the better of NumPy's (OpenBLAS) and
PyTorch's (MKL) on square matrices.
"""

import argparse
import dataclasses
import os
import pathlib
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


def fastest_form(forms, score, x, setting):
    """(description, work) of the fastest way, by the best of three turns of each on some rows."""
    some = x[:TUNING_ROWS]
    best = None
    for form in forms.all():
        for size in BLOCK_SIZES:
            for way in (network_forms.with_own_threads, network_forms.block_a_thread):
                seconds = min(measure.seconds_of(lambda: way(form, score, some, size, setting))
                              for _ in range(3))
                if best is None or seconds < best[0]:
                    best = (seconds, form, size, way)
    _, form, size, way = best
    return (f"{form.__name__}, {way.__name__}, blocks of {size}",
            lambda: way(form, score, x, size, setting))


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
    form, work = fastest_form(network_forms.Forms(members), network_forms.SCORES[name], x, setting)
    check_scores(ours, name, work(), folder / "scores")
    sides = {"torch": work, **gemm_sides(setting)}
    if options.compile:
        compiled = network_forms.compiled(network_forms.Forms(members).member_loop,
                                          network_forms.SCORES[name])

        def by_compiled():
            torch.set_num_threads(setting.threads)
            with torch.inference_mode():
                return compiled(x)
        sides["torch_compile"] = by_compiled
    seconds = turns(sides, lambda: ours.seconds(name), options.repeats)
    report(name, seconds, form, len(features))


def turns(sides, our_turn, repeats):
    """Median seconds of each side and of ours: all in turn, `repeats` times, after one warm-up."""
    taken = {"ours": [], **{side: [] for side in sides}}
    for work in sides.values():
        work()
    for _ in range(repeats):
        taken["ours"].append(our_turn())
        for side, work in sides.items():
            taken[side].append(measure.seconds_of(work))
    return {side: float(np.median(values)) for side, values in taken.items()}


def report(name, seconds, form, rows):
    flops = FLOPS_OF_ROW * rows

    def rate(side, operations=flops):
        return f"{operations / seconds[side] / 1e9:.0f} GFLOP/s"
    shape = f"{name} of features [{rows},{WIDTHS[0]}]"
    measure.report(f"F1.{name}", "ours", seconds["ours"], f"{shape}, {rate('ours')}")
    measure.report(f"F1.{name}", "torch", seconds["torch"], f"{form}, {rate('torch')}")
    if "torch_compile" in seconds:
        measure.report(f"F1.{name}", "torch_compile", seconds["torch_compile"],
                       f"member_loop, {rate('torch_compile')}")
    gemm_flops = 2 * GEMM_SIZE ** 3
    library = min(("NumPy", "PyTorch"), key=lambda side: seconds[side])
    both = ", ".join(f"{side} {rate(side, gemm_flops)}" for side in ("NumPy", "PyTorch"))
    measure.report(f"F1.{name}", "sgemm", seconds[library] * flops / gemm_flops,
                   f"as many operations, {both}")


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
