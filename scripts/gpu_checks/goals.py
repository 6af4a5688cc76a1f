"""The G table's lines: what is measured, against what, and the share of it that is the goal."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    identifier: str  # of the lines that the bench programs print; G1 stands for G1.bald.10 and so on
    text: str
    share_of_floor: float = 0.0  # floor seconds over ours, at least; 0: no such goal
    peers: tuple = ()  # (side, how many times its seconds), at least


GOALS = [
    Goal("G1", "scores of logits, fp32", 0.85, (("torch_eager", 4.0), ("torch_compile", 1.2))),
    Goal("G2", "features to scores, one linear layer", 0.8, (("torch_eager", 2.0),)),
    Goal("G5", "k-center in rounds", 10.0, (("torch_mv", 12.0), ("torch_difference", 40.0))),
    Goal("G8", "scores of what streams from host memory", 0.92),
]

NOT_BUILT = {
    "G1 16-bit": "pools of 16-bit numbers are widened on the host; there are no 16-bit kernels",
    "G3": "there is no selection of the best K on the device: all scores go back, 4 bytes a row",
    "G4": "as G3",
    "G6": "kmeanspp and maxdet run on the CPU",
    "G7": "not benchmarked",
}


def goal_of(identifier):
    return next((goal for goal in GOALS if identifier.split(".")[0] == goal.identifier), None)
