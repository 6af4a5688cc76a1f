"""The same work as sluice_bench_gpu does, in PyTorch or CuPy; see serving.py for how it is asked.

Values are random, the second-level cache is overwritten before each measurement, and seconds are the device's own.
With --device cpu (PyTorch alone) it is a rehearsal.
"""

import argparse
import sys
import time

import serving

SCORE_SHAPES = [(20_000_000, 5, 10), (2_000_000, 8, 100), (200_000, 8, 1000)]
COUNTED = 20  # picks of a greedy that are run; each costs the same


class Sizes:
    def __init__(self, shrink):
        self.shrink = shrink

    def __call__(self, size):
        return max(size // self.shrink, 32)


def picks_text(picks, counted):
    return f"{counted} picks run, scaled to {picks}; rows on the device already"


def kind_text(kind):
    return str(kind).rsplit(".", maxsplit=1)[-1]


class Torch:
    def __init__(self, sizes, device):
        import torch
        self.torch, self.sizes, self.device = torch, sizes, device
        if device == "cuda" and not torch.cuda.is_available():
            sys.exit("PyTorch finds no GPU, so nothing was measured against it")
        self.flush = torch.empty(sizes(1 << 26), device=device)
        named = torch.cuda.get_device_name() if device == "cuda" else "the CPU"
        print(f"PyTorch {torch.__version__} on {named}", file=sys.stderr)

    def seconds_of(self, work):
        self.flush.fill_(1)
        if self.device == "cpu":
            begin = time.perf_counter()
            work()
            return time.perf_counter() - begin
        before, after = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        before.record()
        work()
        after.record()
        self.torch.cuda.synchronize()
        return before.elapsed_time(after) / 1e3

    def random(self, *shape, **how):
        return self.torch.rand(*shape, device=self.device, **how)

    def score(self, name):
        torch = self.torch

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

        return {"bald": bald, "entropy": entropy, "margin": margin}[name]

    def scores(self, name, half, rows, members, classes):
        rows = self.sizes(rows)
        # (PyTorch's CPU has no softmax of 16-bit numbers.)
        kind = self.torch.float16 if half and self.device == "cuda" else self.torch.float32
        logits = (6 * self.random(rows, members, classes) - 3).to(kind)
        # Eager PyTorch writes what is of the size of the pool several times over: in blocks that fit.
        parts = logits.split(max(1, (1 << 28) // (members * classes)))
        eager = self.score(name)
        what = f"[{rows},{members},{classes}] {kind_text(kind)} logits"
        sides = [("torch_eager", lambda: [eager(part) for part in parts], what, 1)]
        if hasattr(self.torch, "compile"):
            compiled = self.torch.compile(eager)
            sides.append(("torch_compile", lambda: [compiled(part) for part in parts], what, 1))
        return sides

    def head(self, classes):
        torch = self.torch
        x = self.random(self.sizes(1 << 18), 512)
        head = torch.nn.Linear(512, classes, device=self.device)

        def work():
            with torch.no_grad():
                p = torch.softmax(head(x), -1)
                return -torch.special.xlogy(p, p).sum(-1)
        return [("torch_eager", work, f"fp32, tf32 {torch.backends.cuda.matmul.allow_tf32}", 1)]

    def top_k(self):
        scores = self.random(self.sizes(256_000_000))
        wanted = min(100_000, len(scores) // 4)
        return [("torch_topk", lambda: self.torch.topk(scores, wanted, sorted=False),
                 f"{wanted} of {len(scores)} random fp32", 1)]

    def greedy(self, rows, dim, picks):
        """(x, an empty list of distances, a first pick, picks that are run, the factor to all of them)"""
        rows = self.sizes(rows)
        picks = min(picks, rows // 4)
        counted = min(COUNTED, picks)
        return self.random(rows, dim), counted, picks / counted, picks_text(picks, counted)

    def nearest_loop(self, x, counted, lower, choose):
        torch = self.torch

        def work():
            nearest = torch.full((len(x),), float("inf"), device=self.device)
            pick = torch.zeros((), dtype=torch.long, device=self.device)
            for _ in range(counted):
                nearest = torch.minimum(nearest, lower(pick))
                pick = choose(nearest)
        return work

    def by_products(self, x):
        norms = (x * x).sum(1)
        return lambda pick: (norms + norms[pick] - 2 * (x @ x[pick])).clamp(min=0)

    def k_center(self):
        x, counted, factor, what = self.greedy(1_000_000, 512, 1000)
        by_differences = lambda pick: ((x - x[pick]) ** 2).sum(1)
        return [("torch_mv", self.nearest_loop(x, counted, self.by_products(x), self.torch.argmax), what, factor),
                ("torch_difference", self.nearest_loop(x, counted, by_differences, self.torch.argmax), what, factor)]

    def kmeanspp(self):
        x, counted, factor, what = self.greedy(1_000_000, 512, 1000)
        draw = lambda nearest: self.torch.multinomial(nearest, 1)[0]
        return [("torch_loop", self.nearest_loop(x, counted, self.by_products(x), draw), what, factor)]

    def maxdet(self):
        torch = self.torch
        x, counted, factor, what = self.greedy(200_000, 256, 1000)
        squares = (x * x).sum(1)

        def work():
            covariance = torch.eye(x.shape[1], device=self.device)
            variance = squares.clone()
            for _ in range(counted):
                pick = variance.argmax()
                direction = covariance @ x[pick]
                total = 1e-6 + x[pick] @ direction
                covariance -= torch.outer(direction, direction) / total
                variance -= (x @ direction) ** 2 / total
        return [("torch_loop", work, what + ", fp32", factor)]

    def k_means(self):
        torch = self.torch
        kind = torch.float16 if self.device == "cuda" else torch.float32  # the CPU multiplies no 16-bit numbers
        rows, count = self.sizes(8_000_000), self.sizes(1024)
        x, centroids = self.random(rows, 128).to(kind), self.random(count, 128).to(kind)
        parts = x.split(1 << 18)
        nearest = torch.empty(rows, dtype=torch.long, device=self.device)
        products = torch.empty(len(parts[0]), count, dtype=kind, device=self.device)

        def multiply():
            for part in parts:
                torch.mm(part, centroids.T, out=products[:len(part)])

        def assign():
            norms = (centroids.float() ** 2).sum(1).to(kind)
            for part, numbers in zip(parts, nearest.split(1 << 18)):
                torch.argmin(norms - 2 * (part @ centroids.T), 1, out=numbers)

        def iterate():
            assign()
            sums = torch.zeros(count, 128, device=self.device)
            for part, numbers in zip(parts, nearest.split(1 << 18)):
                sums.index_add_(0, numbers, part.float())
            return sums / torch.bincount(nearest, minlength=count).clamp(min=1)[:, None]
        what = f"N={rows} D=128 K={count}, {kind_text(kind)}"
        return [("floor", multiply, f"the products alone, {what}, as torch.mm makes them", 1),
                ("torch_assignment", assign, what + ", chunked products and argmin", 1),
                ("torch_iteration", iterate, what + ", the same and new centroids by scatter", 1)]

    def cases(self):
        scores = {f"{form}.{name}.{shape[2]}":
                  (lambda name=name, half=form == "G1.half", shape=shape: self.scores(name, half, *shape))
                  for form in ("G1", "G1.half") for shape in SCORE_SHAPES for name in ("bald", "entropy", "margin")}
        heads = {f"G2.{classes}": (lambda classes=classes: self.head(classes)) for classes in (10, 100, 1000)}
        return {**scores, **heads, "G3": self.top_k, "G5": self.k_center, "G6.kmeanspp": self.kmeanspp,
                "G6.maxdet": self.maxdet, "G7": self.k_means}


class CuPy:
    def __init__(self, sizes, device):
        import cupy
        if device == "cpu":
            sys.exit("CuPy has no CPU to rehearse on")
        if cupy.cuda.runtime.getDeviceCount() == 0:
            sys.exit("CuPy finds no GPU, so nothing was measured against it")
        self.cupy, self.sizes = cupy, sizes
        self.flush = cupy.empty(sizes(1 << 26), dtype=cupy.float32)
        print(f"CuPy {cupy.__version__}", file=sys.stderr)

    def seconds_of(self, work):
        self.flush.fill(1)
        before, after = self.cupy.cuda.Event(), self.cupy.cuda.Event()
        before.record()
        work()
        after.record()
        after.synchronize()
        return self.cupy.cuda.get_elapsed_time(before, after) / 1e3

    def random(self, *shape):
        return self.cupy.random.random(shape, dtype=self.cupy.float32)

    def entropy(self, rows, members, classes):
        cupy = self.cupy
        rows = self.sizes(rows)
        logits = 6 * self.random(rows, members, classes) - 3
        step = max(1, (1 << 28) // (members * classes))

        def work():
            for begin in range(0, rows, step):
                part = logits[begin:begin + step]
                power = cupy.exp(part - part.max(-1, keepdims=True))
                mean = (power / power.sum(-1, keepdims=True)).mean(1)
                -(mean * cupy.log(cupy.maximum(mean, 1e-38))).sum(-1)
        return [("cupy", work, f"[{rows},{members},{classes}] fp32 logits", 1)]

    def top_k(self):
        scores = self.random(self.sizes(256_000_000))
        wanted = min(100_000, len(scores) // 4)
        return [("cupy_argpartition", lambda: self.cupy.argpartition(-scores, wanted)[:wanted],
                 f"{wanted} of {len(scores)} random fp32", 1)]

    def k_center(self):
        cupy = self.cupy
        rows = self.sizes(1_000_000)
        picks = min(1000, rows // 4)
        counted = min(COUNTED, picks)
        x = self.random(rows, 512)
        distance = cupy.ReductionKernel("T x, T y", "T z", "(x - y) * (x - y)", "a + b", "z = a", "0", "squared_distance")

        def work():
            nearest, pick = cupy.full(rows, cupy.inf, dtype=cupy.float32), 0
            for _ in range(counted):
                nearest = cupy.minimum(nearest, distance(x, x[pick], axis=1))
                pick = nearest.argmax()
        return [("cupy_kernel", work, picks_text(picks, counted), picks / counted)]

    def cases(self):
        scores = {f"G1.entropy.{shape[2]}": (lambda shape=shape: self.entropy(*shape)) for shape in SCORE_SHAPES}
        return {**scores, "G3": self.top_k, "G5": self.k_center}


LIBRARIES = {"torch": Torch, "cupy": CuPy}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", choices=LIBRARIES, required=True)
    parser.add_argument("--shrink", type=int, default=1)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    options = parser.parse_args()
    try:
        library = LIBRARIES[options.library](Sizes(options.shrink), options.device)
    except ImportError as error:
        sys.exit(f"not installed here, so nothing was measured against it ({error})")
    serving.serve(library.cases(), library.seconds_of)
    return 0


if __name__ == "__main__":
    sys.exit(main())
