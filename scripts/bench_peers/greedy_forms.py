"""Greedy k-center as users of NumPy, PyTorch, scikit-learn and scikit-activeml write it.

Each takes float32 points [rows, dim], the first centre and the number of picks (the first centre
not counted) and returns the picks in order.
"""

import numpy as np
import torch


def numpy_gemv(points, first, num_picks):
    """|x-c|^2 = |x|^2 - 2 x.c + |c|^2 with norms computed once: one BLAS gemv a pick."""
    norms = np.einsum("nd,nd->n", points, points)
    nearest = np.full(len(points), np.inf, dtype=np.float32)
    distances = np.empty_like(nearest)
    picks, centre = [], first
    for _ in range(num_picks):
        np.dot(points, points[centre], out=distances)
        distances *= -2
        distances += norms
        distances += norms[centre]
        np.minimum(nearest, distances, out=nearest)
        nearest[centre] = -1
        centre = int(nearest.argmax())
        picks.append(centre)
    return picks


def torch_mv(points, first, num_picks):
    tensor = torch.from_numpy(points)
    norms = (tensor * tensor).sum(1)
    nearest = torch.full_like(norms, torch.inf)
    picks, centre = [], first
    for _ in range(num_picks):
        distances = torch.addmv(norms, tensor, tensor[centre], alpha=-2).add_(norms[centre])
        torch.minimum(nearest, distances, out=nearest)
        nearest[centre] = -1
        centre = int(nearest.argmax())
        picks.append(centre)
    return picks


def torch_difference(points, first, num_picks):
    """The common way, (x - c)^2 summed: makes an array of the size of the points a pick."""
    tensor = torch.from_numpy(points)
    nearest = torch.full((len(points),), torch.inf)
    picks, centre = [], first
    for _ in range(num_picks):
        torch.minimum(nearest, ((tensor - tensor[centre]) ** 2).sum(1), out=nearest)
        nearest[centre] = -1
        centre = int(nearest.argmax())
        picks.append(centre)
    return picks


def sklearn_argmin_min(points, first, num_picks):
    from sklearn.metrics import pairwise_distances_argmin_min
    nearest = np.full(len(points), np.inf)
    picks, centre = [], first
    for _ in range(num_picks):
        _, distances = pairwise_distances_argmin_min(points, points[centre:centre + 1])
        np.minimum(nearest, distances, out=nearest)
        nearest[centre] = -1
        centre = int(nearest.argmax())
        picks.append(centre)
    return picks


def scikit_activeml(points, first, num_picks):
    from skactiveml.pool import k_greedy_center
    labels = np.full(len(points), np.nan)
    labels[first] = 0
    picks, _ = k_greedy_center(points, labels, batch_size=num_picks, random_state=0)
    return [int(pick) for pick in picks]


# Side -> (form, picks measured): the slow ones run a prefix, their seconds are scaled to all picks.
FORMS = {"numpy": (numpy_gemv, 100), "torch": (torch_mv, 100),
         "torch_difference": (torch_difference, 20), "sklearn": (sklearn_argmin_min, 20),
         "scikit_activeml": (scikit_activeml, 20)}
