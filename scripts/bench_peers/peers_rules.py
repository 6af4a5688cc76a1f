#!/usr/bin/env python3
"""K2 to K6: the peers of kmeanspp, maxdet, facility_location, kmeans and badge, on the points that
sluice_bench_rules dumped.

Where every pick costs a peer the same, it runs a prefix of the picks and its seconds are scaled to
all of them, set-up taken out by a run of one pick.
"""

import argparse

import measure
import numpy as np

# bmdal_reg is older than NumPy 2.
np.Inf = np.inf


class Points:
    def __init__(self, options):
        self.x = np.fromfile(f"{options.data}.f32", dtype=np.float32).reshape(-1, options.dim)
        self.name, self.picks, self.repeats = options.name, options.picks, options.repeats
        self.classes, self.data = options.classes, options.data

    def report(self, side, seconds, what):
        measure.report(self.name, side, seconds, what)

    def report_prefix(self, side, run, prefix, what):
        """run(number of picks), of which a prefix is measured."""
        run(1)
        seconds = measure.interleaved_medians(
            {"one": lambda: run(1), "all": lambda: run(prefix)}, self.repeats)
        per_pick = max(seconds["all"] - seconds["one"], 1e-9) / (prefix - 1)
        self.report(side, seconds["one"] + per_pick * (self.picks - 1),
                    f"{prefix} of {self.picks} picks measured, {what}")


def sklearn_kmeanspp(points):
    from sklearn.cluster import kmeans_plusplus
    points.report_prefix("sklearn", lambda count: kmeans_plusplus(
        points.x, count, n_local_trials=1, random_state=0), 20, "kmeans_plusplus, 1 trial")


def bmdal(points, method, **settings):
    """run(number of picks)."""
    import torch
    from bmdal_reg.bmdal import selection
    from bmdal_reg.bmdal.feature_data import TensorFeatureData
    from bmdal_reg.bmdal.feature_maps import IdentityFeatureMap
    from bmdal_reg.bmdal.features import Features
    torch.set_num_threads(measure.THREADS)
    torch.set_grad_enabled(False)

    def features(rows):
        return Features(IdentityFeatureMap(n_features=rows.shape[1]),
                        TensorFeatureData(torch.from_numpy(rows)))

    def run(count):
        chosen = getattr(selection, method)(
            pool_features=features(points.x), train_features=features(points.x[:1]),
            sel_with_train=False, **settings)
        chosen.select(count)

    return run


def bmdal_kmeanspp(points):
    points.report_prefix("bmdal_reg", bmdal(points, "KmeansppSelectionMethod"), 20,
                         "KmeansppSelectionMethod")


def bmdal_maxdet(points):
    run = bmdal(points, "MaxDetSelectionMethod", noise_sigma=0.02)
    # Its later picks cost more than the first ones, so none is left out.
    seconds = measure.interleaved_medians({"all": lambda: run(points.picks)}, 1)
    points.report("bmdal_reg", seconds["all"],
                  f"all {points.picks} picks measured, MaxDetSelectionMethod, float32")


def torch_maxdet(points):
    """One matrix-vector product a pick, as our own loop."""
    import torch
    torch.set_num_threads(measure.THREADS)
    torch.set_grad_enabled(False)
    x = torch.from_numpy(points.x)

    def run(count):
        matrix = torch.eye(x.shape[1])
        variance = (x * x).sum(1)
        for _ in range(count):
            row = x[int(variance.argmax())]
            direction = matrix @ row
            scale = 0.02 ** 2 + row @ direction
            matrix -= torch.outer(direction, direction) / scale
            variance -= (x @ direction) ** 2 / scale

    points.report_prefix("torch", run, 40, "one matrix-vector product a pick, float32")


def similarities(points, length=10.0):
    from sklearn.metrics.pairwise import rbf_kernel
    return rbf_kernel(points.x, gamma=0.5 / length ** 2)


def covered(similar, picks):
    return float(similar[:, picks].max(axis=1).astype(np.float64).sum())


def check_picks(points, similar, picks, side):
    """Our picks must cover as much, but for ties that float32 and float64 break differently."""
    ours = np.loadtxt(f"{points.data}.picks", dtype=np.int64)
    own, other = covered(similar, ours), covered(similar, picks)
    if own < other * (1 - 1e-4):
        measure.fail(f"{side}: covers {other}, our picks {own}")
    return f"covers {other:.2f}, our picks {own:.2f}"


def apricot(points):
    from apricot import FacilityLocationSelection
    small = similarities(points)[:64, :64].astype(np.float64)
    FacilityLocationSelection(4, metric="precomputed", optimizer="lazy").fit(small)  # compiles

    def run():
        similar = similarities(points)
        chosen = FacilityLocationSelection(points.picks, metric="precomputed", optimizer="lazy")
        return similar, chosen.fit(similar).ranking

    seconds = measure.interleaved_medians({"apricot": run}, points.repeats)["apricot"]
    points.report("apricot", seconds, "similarities and lazy greedy, " +
                  check_picks(points, *run(), "apricot"))


def submodlib(points):
    from submodlib import FacilityLocationFunction

    def run():
        similar = similarities(points)
        function = FacilityLocationFunction(n=len(similar), mode="dense", sijs=similar,
                                            separate_rep=False)
        chosen = function.maximize(budget=points.picks, optimizer="LazyGreedy",
                                   show_progress=False)
        return similar, [pick for pick, _ in chosen]

    seconds = measure.seconds_of(run)
    points.report("submodlib", seconds, "similarities and LazyGreedy, once")


def per_iteration(points, run, few, many):
    seconds = measure.interleaved_medians(
        {"few": lambda: run(few), "many": lambda: run(many)}, points.repeats)
    return max(seconds["many"] - seconds["few"], 1e-9) / (many - few)


def faiss_kmeans(points):
    import faiss
    faiss.omp_set_num_threads(measure.THREADS)
    start = np.ascontiguousarray(points.x[:points.picks])

    def run(iterations):
        kmeans = faiss.Kmeans(points.x.shape[1], points.picks, niter=iterations, seed=1,
                              max_points_per_centroid=len(points.x))
        kmeans.train(points.x, init_centroids=start)

    points.report("faiss", per_iteration(points, run, 1, 4), "an iteration, of 3 more")


def sklearn_kmeans(points):
    from sklearn.cluster import KMeans
    start = points.x[:points.picks]

    def run(iterations):
        KMeans(points.picks, init=start, n_init=1, max_iter=iterations, tol=0.0,
               algorithm="lloyd").fit(points.x)

    points.report("sklearn", per_iteration(points, run, 1, 3), "an iteration, of 2 more")


def sgemm(points):
    centres = np.ascontiguousarray(points.x[:points.picks].T)
    block = 8192
    out = np.empty((block, points.picks), dtype=np.float32)

    def run():
        for first in range(0, len(points.x) - block + 1, block):
            np.dot(points.x[first:first + block], centres, out=out)

    run()
    seconds = measure.interleaved_medians({"sgemm": run}, points.repeats)["sgemm"]
    rows = len(points.x) // block * block
    points.report("sgemm", seconds * len(points.x) / rows, "NumPy, the products of an iteration")


def materialised_badge(points):
    """Gradients of C x D floats and k-means++ on them; a fifth of the rows, scaled."""
    says = np.fromfile(f"{points.data}.says", dtype=np.float32).reshape(-1, points.classes)
    part = 5
    x, says = points.x[::part], says[::part]
    generator = np.random.default_rng(1)

    def run(count):
        errors = says.copy()
        errors[np.arange(len(says)), says.argmax(1)] -= 1
        gradients = (errors[:, :, None] * x[:, None, :]).reshape(len(x), -1)
        norms = np.einsum("nd,nd->n", gradients, gradients)
        pick = int(norms.argmax())
        nearest = np.full(len(x), np.inf, dtype=np.float32)
        for _ in range(count):
            distances = norms + norms[pick] - 2 * (gradients @ gradients[pick])
            np.minimum(nearest, np.maximum(distances, 0), out=nearest)
            chances = nearest.astype(np.float64)
            pick = int(generator.choice(len(x), p=chances / chances.sum()))

    run(1)
    seconds = measure.interleaved_medians({"one": lambda: run(1), "all": lambda: run(21)}, 1)
    per_pick = max(seconds["all"] - seconds["one"], 1e-9) / 20
    points.report("materialised", part * (seconds["one"] + per_pick * (points.picks - 1)),
                  f"NumPy, 21 of {points.picks} picks of every {part}th row measured")
    measure.report(points.name + ".memory", "materialised",
                   len(points.x) * points.classes * points.x.shape[1] * 4 / 2 ** 20,
                   "N C D float32")


SIDES = {"sklearn_kmeanspp": sklearn_kmeanspp, "bmdal_kmeanspp": bmdal_kmeanspp,
         "bmdal_maxdet": bmdal_maxdet, "torch_maxdet": torch_maxdet, "apricot": apricot,
         "submodlib": submodlib, "faiss": faiss_kmeans, "sklearn_kmeans": sklearn_kmeans,
         "sgemm": sgemm, "materialised": materialised_badge}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="path of the dumped points without its .f32")
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--picks", type=int, required=True)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--name", required=True, help="id to print")
    parser.add_argument("--sides", nargs="+", choices=list(SIDES), required=True)
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    points = Points(options)
    for side in options.sides:
        SIDES[side](points)


if __name__ == "__main__":
    main()
