"""The lines of the benchmark table: what is compared with what, and the ratio to reach."""

import dataclasses

K1_KINDS = ["gaussian", "clusters", "subspace", "sphere", "manifold"]


@dataclasses.dataclass
class Goal:
    """ratio = the peer's figure / our figure, to be at least `ratio` (0 = only shown) and, where
    ours should agree with the other rather than beat it, at most `most`."""
    id: str
    peer: str
    ratio: float
    side: str = "ours"
    unit: str = "s"
    most: float = float("inf")

    def verdict(self, ratio):
        if not self.ratio:
            return ""
        if ratio > self.most:
            return f"off by {100 * (ratio / self.most - 1):.0f} %"
        return "ok" if ratio >= self.ratio else f"short by {100 * (1 - ratio / self.ratio):.0f} %"

    def text(self):
        if not self.ratio:
            return "(shown)"
        if self.most < float("inf"):
            return f"{self.ratio:.3g} to {self.most:.3g}"
        return f">= {self.ratio:.3g}{'x' if self.ratio >= 1.5 else ''}"


def reader_goals():
    goals = [Goal(f"R1.{layout}", "pread", ratio, unit="GB/s") for layout, ratio in
             (("contiguous", 0.95), ("4 MiB chunks", 0.95), ("1 MiB chunks", 0.90))]
    goals += [Goal(f"R2.{layout}, cold", "pread", 0.95, unit="GB/s") for layout in
              ("contiguous", "4 MiB chunks", "1 MiB chunks")]
    return [*goals, Goal("R3.float16", "pread", 0.5, unit="GB/s"),
            Goal("R3.float16 to float32", "H5Dread", 50, unit="GB/s"),
            Goal("R4.shuffle+deflate, 2 threads", "H5Dread", 1.7, unit="GB/s"),
            Goal("R5", "allowed", 1)]


def score_goals():
    goals = []
    for score in ("bald", "entropy", "margin"):
        goals += [Goal(f"S1.{score}", "read", 0.85), Goal(f"S1.{score}", "numpy", 20),
                  Goal(f"S1.{score}", "torch", 20), Goal(f"S1.{score}", "torch_compile", 0)]
    for score in ("bald", "entropy", "margin"):
        goals += [Goal(f"S2.{score}", "read", 0.6), Goal(f"S2.{score}", "numpy", 20),
                  Goal(f"S2.{score}", "torch", 20), Goal(f"S2.{score}", "torch_compile", 0)]
    return goals


def network_goals():
    goals = []
    for score in ("bald", "entropy"):
        goals += [Goal(f"F1.{score}", "sgemm", 0.7), Goal(f"F1.{score}", "torch_plain", 3),
                  Goal(f"F1.{score}", "torch", 3),
                  Goal(f"F1.{score}", "torch_compile", 0)]
    return goals


def top_k_goals():
    return [Goal("T1", "read", 0.6), Goal("T1", "torch", 30), Goal("T1", "nth_element", 40),
            Goal("T1", "numpy", 0), Goal("T2", "score_alone", 1 / 1.05)]


def k_center_goals():
    goals = []
    for kind in K1_KINDS:
        goals += [Goal(f"K1.{kind}", "fused_loop", 8), Goal(f"K1.{kind}", "numpy", 12)]
    goals += [Goal(f"K1.{K1_KINDS[0]}", "torch", 0), Goal(f"K1.{K1_KINDS[0]}", "torch_difference", 100),
              Goal(f"K1.{K1_KINDS[0]}", "sklearn", 50), Goal(f"K1.{K1_KINDS[0]}", "scikit_activeml", 50)]
    return goals


def rule_goals():
    """K2 to K6: kmeanspp, maxdet, facility_location, kmeans and badge."""
    goals = [Goal(f"K2.{kind}", "fused_loop", 0) for kind in K1_KINDS]
    goals += [Goal("K2.gaussian", "sklearn", 50), Goal("K2.gaussian", "bmdal_reg", 50)]
    goals += [Goal(f"K3.{kind}", "fused_loop", 6) for kind in K1_KINDS]
    goals += [Goal("K3.gaussian", "bmdal_reg", 25), Goal("K3.gaussian", "torch", 0),
              Goal("K4", "apricot", 8), Goal("K4", "submodlib", 0)]
    for kind in ("gaussian", "clusters"):
        goals += [Goal(f"K5.{kind}", "sgemm", 0.75), Goal(f"K5.{kind}", "faiss", 1.7),
                  Goal(f"K5.{kind}", "sklearn", 0)]
    goals += [Goal("K6", "materialised", 30), Goal("K6.memory", "materialised", 50, unit="MiB")]
    rounds = [f"K{number}.{kind}" for number in (2, 3) for kind in K1_KINDS] + ["K6"]
    return goals + [Goal(f"D2.{identifier}", "one_a_pick", 0, unit="rounds")
                    for identifier in rounds]


def training_goals():
    return [Goal("F2", "torch", 1.5)]


def queue_goals():
    """Q1 and Q2 are microseconds for an item or line; 'allowed' is what the goal comes to."""
    return [Goal("Q1", "allowed", 1, unit="us"), Goal("Q1", "one_file_per_item", 0, unit="us"),
            Goal("Q2", "allowed", 1, unit="us"),
            Goal("Q3", "peak_quarter", 1 / 1.25, unit="MiB")]


def all_goals():
    return [*reader_goals(), *score_goals(), *network_goals(), *training_goals(), *top_k_goals(),
            *k_center_goals(), *rule_goals(), *queue_goals(),
            *(Goal(f"D2.{kind}", "picks_per_round", 1, unit="rounds") for kind in K1_KINDS),
            Goal("E1", "torch", 20), Goal("E1", "numpy", 10),
            Goal("E2.4GiB", "predicted", 1 / 1.1, unit="MiB", most=1.1),
            Goal("E2.8GiB", "predicted", 1 / 1.1, unit="MiB", most=1.1),
            Goal("E2.8GiB", "peak_4GiB", 1 / 1.05, unit="MiB", most=1.05)]
