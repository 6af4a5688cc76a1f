"""Tries exported heads on some rows: do their layers compute what scikit-learn's estimators do?

Used by export_sklearn.py; not a program. Needs NumPy.
"""

import warnings
from typing import NamedTuple, Optional

import numpy

from layer_chain import LayerChain

PROBES = 16
TOLERANCE = 1e-6


class Head(NamedTuple):
    """One member: its layers, the classes of its outputs (None for a regression), and whether
    those are logits of the estimator's probabilities (else decision values)."""
    chain: LayerChain
    classes: Optional[list] = None
    is_logits: bool = False


def is_softmax(estimator) -> bool:
    """Whether the probabilities of a classifier are the softmax of its decision values."""
    rows = probe_rows(estimator.n_features_in_) / (1 + numpy.abs(estimator.coef_).max())
    return is_near(softmax(quietly(estimator.decision_function, rows)),
                   quietly(estimator.predict_proba, rows))


def check_head(head: Head, estimator) -> None:
    """Refuses a head whose layers do not compute what the estimator does."""
    chain = head.chain
    rows = probe_rows(chain.dim)
    if chain.input is not None:
        rows = (rows - chain.input.shift) / chain.input.factor
    outputs = chain.evaluate(rows)
    if head.classes is None:
        wanted = quietly(estimator.predict, rows).reshape(outputs.shape)
    elif head.is_logits:
        outputs, wanted = softmax(outputs), quietly(estimator.predict_proba, rows)
    else:
        wanted = quietly(estimator.decision_function, rows)
        outputs = outputs if wanted.ndim == 2 else outputs[:, 1] - outputs[:, 0]
    if not is_near(outputs, wanted):
        chain.refuse(f"the layers made of {type(estimator).__name__} do not give what it predicts; "
                     "this version of scikit-learn computes it in a way that is not known here")


def probe_rows(dim: int) -> numpy.ndarray:
    """Some rows [PROBES, dim] to try a head on."""
    return numpy.random.default_rng(0).normal(size=(PROBES, dim))


def is_near(some, others) -> bool:
    """Whether two arrays are the same but for rounding."""
    return bool((numpy.abs(some - others) <= TOLERANCE * max(1, numpy.abs(others).max())).all())


def softmax(logits) -> numpy.ndarray:
    """Over the last axis."""
    powers = numpy.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def quietly(function, rows) -> numpy.ndarray:
    """Calls an estimator without its warnings, as about names of columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return numpy.asarray(function(rows))
