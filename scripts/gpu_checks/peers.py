"""The same work as sluice_bench_gpu does, in PyTorch on the GPU: prints id, side, seconds and what, tab-separated.

Values are random, the second-level cache is overwritten before each measurement, and seconds are the device's own.
"""

import argparse
import statistics
import sys

REPEATS = 9
SCORE_SHAPES = [(20_000_000, 5, 10), (2_000_000, 8, 100), (200_000, 8, 1000)]


def report(identifier, side, seconds, what):
    print(f"{identifier}\t{side}\t{seconds:.9f}\t{what}", flush=True)


def device_seconds(torch, work, repeats=REPEATS):
    flush = torch.empty(1 << 26, device="cuda")
    seconds = []
    for repeat in range(-2, repeats):
        flush.fill_(repeat)
        before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        before.record()
        work()
        after.record()
        torch.cuda.synchronize()
        if repeat >= 0:
            seconds.append(before.elapsed_time(after) / 1e3)
    return statistics.median(seconds)


def score_functions(torch):
    def bald(logits):
        logs = torch.log_softmax(logits, -1)
        mean = logs.exp().mean(1)
        return (logs.exp() * logs).sum(-1).mean(1) - torch.special.xlogy(mean, mean).sum(-1)

    def entropy(logits):
        mean = torch.softmax(logits, -1).mean(1)
        return -torch.special.xlogy(mean, mean).sum(-1)

    def margin(logits):
        best = torch.softmax(logits, -1).mean(1).topk(2).values
        return 1 - (best[:, 0] - best[:, 1])

    return {"bald": bald, "entropy": entropy, "margin": margin}


def measure_scores(torch, shrink):
    for rows, members, classes in SCORE_SHAPES:
        rows //= shrink
        logits = 6 * torch.rand(rows, members, classes, device="cuda") - 3
        # Eager PyTorch writes what is of the size of the pool several times over: in blocks that fit.
        parts = logits.split(max(1, (1 << 28) // (members * classes)))
        for name, function in score_functions(torch).items():
            what = f"[{rows},{members},{classes}] fp32 logits"
            identifier = f"G1.{name}.{classes}"
            report(identifier, "torch_eager", device_seconds(torch, lambda: [function(part) for part in parts]), what)
            compiled = torch.compile(function)
            report(identifier, "torch_compile", device_seconds(torch, lambda: [compiled(part) for part in parts]), what)
        del logits, parts


def measure_head(torch, shrink):
    for classes in (10, 100, 1000):
        x = torch.rand((1 << 18) // shrink, 512, device="cuda")
        head = torch.nn.Linear(512, classes, device="cuda")

        def work():
            with torch.no_grad():
                p = torch.softmax(head(x), -1)
                return -torch.special.xlogy(p, p).sum(-1)
        report(f"G2.{classes}", "torch_eager", device_seconds(torch, work), f"fp32, tf32 {torch.backends.cuda.matmul.allow_tf32}")


def measure_k_center(torch, shrink):
    rows, picks = 1_000_000 // shrink, 50 if shrink > 1 else 1000
    x = torch.rand(rows, 512, device="cuda")
    norms = (x * x).sum(1)
    counted = 20

    def by_products():
        nearest = torch.full((rows,), float("inf"), device="cuda")
        pick = torch.zeros((), dtype=torch.long, device="cuda")
        for _ in range(counted):
            nearest = torch.minimum(nearest, norms + norms[pick] - 2 * (x @ x[pick]))
            pick = nearest.argmax()

    def by_differences():
        nearest = torch.full((rows,), float("inf"), device="cuda")
        pick = torch.zeros((), dtype=torch.long, device="cuda")
        for _ in range(counted):
            nearest = torch.minimum(nearest, ((x - x[pick]) ** 2).sum(1))
            pick = nearest.argmax()

    for side, work in (("torch_mv", by_products), ("torch_difference", by_differences)):
        seconds = device_seconds(torch, work, 3) * picks / counted
        report("G5", side, seconds, f"{counted} picks measured, scaled to {picks}; rows on the device already")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    shrink = 100 if parser.parse_args().quick else 1
    try:
        import torch
    except ImportError as error:
        sys.exit(f"PyTorch is not installed here, so nothing was measured against it ({error})")
    if not torch.cuda.is_available():
        sys.exit("PyTorch finds no GPU, so nothing was measured against it")
    print(f"PyTorch {torch.__version__} on {torch.cuda.get_device_name()}", file=sys.stderr)
    measure_scores(torch, shrink)
    measure_head(torch, shrink)
    measure_k_center(torch, shrink)
    return 0


if __name__ == "__main__":
    sys.exit(main())
