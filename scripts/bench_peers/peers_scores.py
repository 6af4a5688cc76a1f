#!/usr/bin/env python3
"""S1 and S2: NumPy and PyTorch scoring probabilities or logits: BALD and entropy of a committee
[rows, 5, 32], and the margin of the same bytes as single rows [5 x rows, 32].

Each is given every sensible form: several formulations, whole arrays and blocks that stay in the
cache, NumPy's blocks on all cores; the fastest counts. torch.compile is shown beside them.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor

import measure
import numpy as np
import score_forms
import torch

MEMBERS, CLASSES = 5, 32
BLOCK_ROWS = 2048


def blocks(num_rows):
    return [slice(row, row + BLOCK_ROWS) for row in range(0, num_rows, BLOCK_ROWS)]


def numpy_sides(score, prepare, data, pool):
    """Ways to run NumPy: at once; in blocks on all cores (NumPy lets go of the interpreter)."""
    sides = {}
    for form in score_forms.NUMPY_FORMS[score]:
        sides[f"{form.__name__}, whole"] = lambda form=form: form(prepare(data))
        sides[f"{form.__name__}, blocks"] = lambda form=form: list(
            pool.map(lambda rows: form(prepare(data[rows])), blocks(len(data))))
    return sides


def torch_sides(score, prepare, data):
    sides = {}
    for form in score_forms.TORCH_FORMS[score]:
        sides[f"{form.__name__}, whole"] = lambda form=form: form(prepare(data))
        sides[f"{form.__name__}, blocks"] = lambda form=form: [
            form(prepare(data[rows])) for rows in blocks(len(data))]
    return sides


def compiled_sides(score, prepare, data):
    form = score_forms.TORCH_FORMS[score][0]
    compiled = torch.compile(lambda block: form(prepare(block)), dynamic=False)
    return {"torch.compile, whole": lambda: compiled(data)}


def check_forms(sides, what):
    """All forms must compute the same thing."""
    def joined(value):
        parts = value if isinstance(value, list) else [value]
        return np.concatenate([np.asarray(part) for part in parts])
    results = [joined(work()) for work in sides.values()]
    for result in results[1:]:
        if not np.allclose(result, results[0], atol=2e-5):
            measure.fail(f"{what}: the peers' forms disagree")


def run_workload(identifier, committee, prepare_numpy, prepare_torch, options):
    for score in options.scores:
        data = committee.reshape(-1, CLASSES) if score == "margin" else committee
        tensor = torch.from_numpy(data)
        what = f"{score} {list(data.shape)}"
        with ThreadPoolExecutor(measure.THREADS) as pool:
            groups = {"numpy": numpy_sides(score, prepare_numpy, data, pool),
                      "torch": torch_sides(score, prepare_torch, tensor)}
            if options.compile:
                groups["torch_compile"] = compiled_sides(score, prepare_torch, tensor)
            check_forms({name: work for sides in groups.values() for name, work in sides.items()},
                        what)
            for side, forms in groups.items():
                form, seconds = measure.best_of(forms, options.repeats)
                measure.report(f"{identifier}.{score}", side, seconds, f"{what}, {form}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--scores", nargs="+", default=["bald", "entropy", "margin"])
    parser.add_argument("--compile", action="store_true", help="torch.compile too")
    options = parser.parse_args()
    torch.set_num_threads(measure.THREADS)
    torch.set_grad_enabled(False)

    generator = np.random.default_rng(7)
    logits = generator.standard_normal((options.rows, MEMBERS, CLASSES), dtype=np.float32) * 2
    probabilities = score_forms.np_softmax(logits)
    run_workload("S1", probabilities, lambda p: p, lambda p: p, options)
    run_workload("S2", logits, score_forms.np_softmax, score_forms.torch_softmax, options)


if __name__ == "__main__":
    main()
