"""A committee's forward pass and scores as PyTorch users write them, in every sensible form: a loop
over the members or batched products, the first layers side by side or not."""

import torch
from torch.nn.functional import linear


class Forms:
    """Ways to compute logits [rows, M, C] from features; `members` holds each one's layers as
    (weight [out, in], bias)."""

    def __init__(self, members):
        self.layers = [[(torch.from_numpy(w), torch.from_numpy(b)) for w, b in member]
                       for member in members]
        self.first_weight = torch.cat([member[0][0] for member in self.layers])
        self.first_bias = torch.cat([member[0][1] for member in self.layers])
        self.stacked = [(torch.stack([weight.t().contiguous() for weight, _ in level]),
                         torch.stack([bias for _, bias in level]).unsqueeze(1))
                        for level in zip(*self.layers)]

    def all(self):
        return [self.member_loop, self.first_together, self.batched, self.first_then_batched]

    @staticmethod
    def _through(x, layers):
        for layer in layers[:-1]:
            x = linear(x, *layer).relu_()
        return linear(x, *layers[-1])

    def member_loop(self, x):
        return torch.stack([self._through(x, member) for member in self.layers], 1)

    def first_together(self, x):
        hidden = linear(x, self.first_weight, self.first_bias).relu_().chunk(len(self.layers), 1)
        return torch.stack([self._through(part, member[1:])
                            for part, member in zip(hidden, self.layers)], 1)

    def _batched(self, hidden, levels):
        for weight, bias in levels[:-1]:
            hidden = torch.baddbmm(bias, hidden, weight).relu_()
        weight, bias = levels[-1]
        return torch.baddbmm(bias, hidden, weight).transpose(0, 1)

    def batched(self, x):
        return self._batched(x.expand(len(self.layers), *x.shape), self.stacked)

    def first_then_batched(self, x):
        hidden = linear(x, self.first_weight, self.first_bias).relu_()
        hidden = hidden.view(len(x), len(self.layers), -1).transpose(0, 1)
        return self._batched(hidden, self.stacked[1:])


def bald(logits):
    log_p = torch.log_softmax(logits, -1)
    p = log_p.exp()
    return torch.special.entr(p.mean(1)).sum(-1) + (p * log_p).sum((-2, -1)) / logits.shape[1]


def entropy(logits):
    return torch.special.entr(torch.softmax(logits, -1).mean(1)).sum(-1)


SCORES = {"bald": bald, "entropy": entropy}


def block_scores(form, score, x, first, size):
    with torch.inference_mode():
        return score(form(x[first:first + size]))


def with_own_threads(form, score, x, size, setting):
    """One block after the other, each on all of PyTorch's threads."""
    torch.set_num_threads(setting.threads)
    return torch.cat([block_scores(form, score, x, first, size)
                      for first in range(0, len(x), size)])


def block_a_thread(form, score, x, size, setting):
    """Blocks on as many threads, each of them computing alone."""
    torch.set_num_threads(1)
    return torch.cat(list(setting.pool.map(lambda first: block_scores(form, score, x, first, size),
                                           range(0, len(x), size))))


def compiled(form, score):
    """Form and score in one, as the arguments of the two functions above."""
    return torch.compile(lambda block: score(form(block)), dynamic=False), lambda scores: scores
