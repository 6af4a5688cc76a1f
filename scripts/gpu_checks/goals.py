"""The G table's lines: what is measured, against what, and the share of it that is the goal."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    identifier: str  # of the lines that the bench programs print; G1 stands for G1.bald.10 and so on
    text: str
    share_of_floor: float = 0.0  # floor seconds over ours, at least; 0: no such goal
    peers: tuple = ()  # (side, how many times its seconds), at least; 0: no such goal


GOALS = [
    Goal("G1.half", "scores of logits, fp16", 0.75, (("torch_eager", 4.0), ("torch_compile", 1.2))),
    Goal("G1", "scores of logits, fp32", 0.85, (("torch_eager", 4.0), ("torch_compile", 1.2))),
    Goal("G2", "features to scores, one linear layer", 0.8, (("torch_eager", 2.0),)),
    Goal("G3.sorted", "the best 100,000 of ascending scores", 0.2),
    Goal("G3.all-equal", "the best 100,000 of equal scores", 0.2),
    Goal("G3.few-values", "the best 100,000 of scores of few values", 0.2),
    Goal("G3", "the best 100,000 scores", 0.6, (("torch_topk", 3.0), ("cupy_argpartition", 0.0))),
    Goal("G4", "scores of which the best leave the device, against the scores alone", 0.95),
    Goal("G5", "k-center in rounds", 10.0, (("torch_mv", 12.0), ("torch_difference", 40.0), ("cupy_kernel", 0.0))),
    Goal("G6.kmeanspp", "k-means++ in rounds", 0.0, (("torch_loop", 20.0),)),
    Goal("G6.maxdet", "log-det in rounds", 0.0, (("torch_loop", 5.0),)),
    Goal("G7", "assignment of k-means", 0.5, (("torch_assignment", 0.0), ("torch_iteration", 0.0))),
    Goal("G8", "scores of what streams from host memory", 0.92),
]

def goal_of(identifier):
    return next((goal for goal in GOALS if f"{identifier}.".startswith(f"{goal.identifier}.")), None)
