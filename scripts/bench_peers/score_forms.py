"""BALD and entropy of a committee's block [rows, M, C] and the margin of a single model's
[rows, C], as NumPy and PyTorch users write them: the plain form, and faster ones where there are."""

import numpy as np
import torch


def np_log_softmax(logits):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def np_entropy_of(p):
    return -np.einsum("nc,nc->n", p, np.log(p))


def np_bald(p):
    members = p.shape[1]
    return np_entropy_of(p.mean(axis=1)) + np.einsum("nmc,nmc->n", p, np.log(p)) / members


def np_bald_plain(p):
    mean = p.mean(axis=1)
    return -(mean * np.log(mean)).sum(-1) + (p * np.log(p)).sum(-1).mean(-1)


def np_entropy(p):
    return np_entropy_of(p.mean(axis=1))


def np_margin(p):
    top = np.partition(p, -2, axis=-1)
    return top[:, -2] - top[:, -1]


def np_margin_by_max(p):
    rest = p.copy()
    first = p.argmax(axis=1)[:, None]
    highest = np.take_along_axis(p, first, 1)
    np.put_along_axis(rest, first, -1.0, 1)
    return rest.max(axis=1) - highest[:, 0]


def torch_entropy_of(p):
    return -(p * p.log()).sum(-1)


def torch_bald(p):
    return torch_entropy_of(p.mean(1)) - torch_entropy_of(p).mean(-1)


def torch_bald_special(p):
    return torch.special.entr(p.mean(1)).sum(-1) - torch.special.entr(p).sum((-2, -1)) / p.shape[1]


def torch_entropy(p):
    return torch_entropy_of(p.mean(1))


def torch_entropy_special(p):
    return torch.special.entr(p.mean(1)).sum(-1)


def torch_margin(p):
    top = p.topk(2, dim=-1).values
    return top[:, 1] - top[:, 0]


def torch_margin_by_max(p):
    highest, first = p.max(1, keepdim=True)
    return p.scatter(1, first, -1.0).amax(1) - highest[:, 0]


def np_softmax(logits):
    return np.exp(np_log_softmax(logits))


def torch_softmax(logits):
    return torch.softmax(logits, -1)


NUMPY_FORMS = {"bald": [np_bald, np_bald_plain], "entropy": [np_entropy],
               "margin": [np_margin, np_margin_by_max]}
TORCH_FORMS = {"bald": [torch_bald, torch_bald_special],
               "entropy": [torch_entropy, torch_entropy_special],
               "margin": [torch_margin, torch_margin_by_max]}
