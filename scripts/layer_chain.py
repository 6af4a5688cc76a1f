"""A head as the layers that sluice computes: what the exporters of models build it from.

Not a program. Needs NumPy. All folding is done in float64.
"""

from typing import NamedTuple, Optional

import numpy

from pool_file import EXIT_BAD_DATA, Failure

# What sluice computes of each sum, in float64.
FUNCTIONS = {
    "identity": lambda x: x,
    "relu": lambda x: numpy.maximum(x, 0),
    "silu": lambda x: x * (1 + numpy.tanh(x / 2)) / 2,
    "tanh": numpy.tanh,
    "cosine": numpy.cos,
}
ACTIVATIONS = tuple(FUNCTIONS)


class Layer(NamedTuple):
    """activation(weight [out,in] @ x + bias [out])."""
    weight: numpy.ndarray
    bias: numpy.ndarray
    activation: str = "identity"


class Affine(NamedTuple):
    """factor * x + shift, for each unit alone."""
    factor: numpy.ndarray
    shift: numpy.ndarray

    def then(self, other: "Affine") -> "Affine":
        """This one first, then `other`."""
        return Affine(other.factor * self.factor, other.factor * self.shift + other.shift)


class LayerChain:
    """Layers put one after the other. What acts on units alone (scalers, batch norms, factors)
    is folded into the layers beside it; before the first layer it stays apart as `input`."""

    def __init__(self, width: int, name: str):
        self.dim = width    # D, what the chain reads
        self.width = width  # units that its end has now
        self.name = name    # of the head, for messages
        self.layers: list[Layer] = []
        self.input: Optional[Affine] = None
        self.has_folded_shifts = False  # a unit's constant went into the bias that reads it
        self._pending: Optional[Affine] = None  # after the last layer's activation

    def refuse(self, what: str):
        """Raises the error of this head."""
        raise Failure(EXIT_BAD_DATA, f"{self.name}: {what}")

    def affine(self, weight, bias=None) -> None:
        """Appends weight [out,in] @ x + bias [out]."""
        weight = numpy.asarray(weight, dtype="f8")
        bias = numpy.zeros(len(weight)) if bias is None else numpy.asarray(bias, dtype="f8")
        if weight.ndim != 2 or bias.shape != weight.shape[:1]:
            self.refuse(f"layer {len(self.layers)} has a weight of shape {list(weight.shape)} and "
                        f"a bias of shape {list(bias.shape)}; they must be [out,in] and [out]")
        if weight.shape[1] != self.width:
            self.refuse(f"layer {len(self.layers)} reads {weight.shape[1]} values, but there are "
                        f"{self.width} before it; are the layers in their order?")
        for what, values in (("weight", weight), ("bias", bias)):
            self._require_finite(values, f"layer {len(self.layers)}: {what}")
        if not self.layers:
            self.input = self._pending
        elif self._pending is not None:
            self.has_folded_shifts |= bool(self._pending.shift.any())
            bias = bias + weight @ self._pending.shift
            weight = weight * self._pending.factor
        self._pending = None
        self.layers.append(Layer(weight, bias))
        self.width = len(weight)

    def scale(self, factor, shift) -> None:
        """Appends factor * x + shift, where both are numbers or [width]."""
        step = Affine(numpy.full(self.width, factor, "f8") if numpy.ndim(factor) == 0 else factor,
                      numpy.full(self.width, shift, "f8") if numpy.ndim(shift) == 0 else shift)
        if self._pending is not None:
            self._pending = self._pending.then(step)
        elif self.layers and self.layers[-1].activation == "identity":
            weight, bias, _ = self.layers[-1]
            self.layers[-1] = Layer(weight * step.factor[:, None],
                                    bias * step.factor + step.shift)
        else:
            self._pending = step

    def activate(self, activation: str) -> None:
        """Appends an activation: one that sluice has, or sigmoid(x) = tanh(x / 2) / 2 + 1 / 2."""
        if activation == "identity":
            return
        self._end_in_layer()
        if activation == "sigmoid":
            self.scale(0.5, 0.0)
            self.activate("tanh")
            self.scale(0.5, 0.5)
        else:
            self.layers[-1] = self.layers[-1]._replace(activation=activation)

    def finish(self) -> list[Layer]:
        """The layers, ending in plain sums."""
        if not self.layers:
            self.refuse("has no layer with weights; export a head with at least one")
        if self._pending is not None or self.layers[-1].activation != "identity":
            self._end_in_layer()
        return self.layers

    def evaluate(self, rows) -> numpy.ndarray:
        """What the finished chain makes of rows [N,D], in float64."""
        if self.input is not None:
            rows = rows * self.input.factor + self.input.shift
        for layer in self.layers:
            rows = FUNCTIONS[layer.activation](rows @ layer.weight.T + layer.bias)
        return rows

    def fold_input(self) -> None:
        """Takes what `input` does into the first layer."""
        if self.input is None:
            return
        weight, bias, activation = self.layers[0]
        self.layers[0] = Layer(weight * self.input.factor, bias + weight @ self.input.shift,
                               activation)
        self.input = None

    def read_columns(self, columns, dim: int) -> None:
        """Makes the finished chain read `columns` of rows of `dim` features."""
        self.fold_input()
        weight = numpy.zeros((len(self.layers[0].weight), dim))
        # A column may have been drawn more than once.
        numpy.add.at(weight, (slice(None), numpy.asarray(columns)), self.layers[0].weight)
        self.layers[0] = self.layers[0]._replace(weight=weight)
        self.dim = dim

    def place_outputs(self, places, num_outputs: int, missing: float) -> None:
        """Makes output i the output places[i] of `num_outputs`; the others are `missing`."""
        weight, bias, _ = self.layers[-1]
        placed = Layer(numpy.zeros((num_outputs, weight.shape[1])),
                       numpy.full(num_outputs, float(missing)))
        placed.weight[places] = weight
        placed.bias[places] = bias
        self.layers[-1] = placed
        self.width = num_outputs

    def split_binary(self, factor: float = 0.5) -> None:
        """Makes the one output f the logits -factor f and +factor f; with 1/2 their softmax is
        sigmoid(f)."""
        weight, bias, _ = self.layers[-1]
        self.layers[-1] = Layer(numpy.vstack([-factor * weight, factor * weight]),
                                numpy.hstack([-factor * bias, factor * bias]))
        self.width = 2

    def _require_finite(self, values, what: str) -> None:
        bad = numpy.argwhere(~numpy.isfinite(values)).tolist()
        if bad:
            self.refuse(f"{what}{bad[0]}: must be finite ({values[tuple(bad[0])]}); train the head "
                        "again, or export another one")

    def _end_in_layer(self) -> None:
        """Sees to it that the last layer is a plain sum with nothing behind it."""
        is_plain = self.layers and self.layers[-1].activation == "identity"
        if self._pending is not None or not is_plain:
            self.affine(numpy.eye(self.width))


def common_input(chains: list) -> Optional[tuple]:
    """Mean and scale [D] that all chains begin with, (x - mean) / scale; None if they differ, and
    then their first layers have taken it in."""
    first = chains[0].input
    same = first is not None and (first.factor > 0).all() and all(
        chain.input is not None and numpy.array_equal(chain.input.factor, first.factor)
        and numpy.array_equal(chain.input.shift, first.shift) for chain in chains)
    if same:
        return -first.shift / first.factor, 1 / first.factor
    for chain in chains:
        chain.fold_input()
    return None
