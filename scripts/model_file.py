"""Writes model.h5, the file of a committee (README, "Models"), as sluice reads it.

Shared by the scripts that export models; not a program. Needs h5py and NumPy.
"""

import json
import pathlib
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

import numpy

import pool_file
from layer_chain import ACTIVATIONS, Layer, common_input
from pool_file import EXIT_BAD_DATA, EXIT_USAGE, Failure

TASKS = ("classification", "regression")
# What sluice reads at most.
MAX_MASKS = 1 << 16
MAX_LAYERS = 64
SMALLEST_SCALE = numpy.finfo("f4").tiny


class Normalization(NamedTuple):
    """(x - mean) / scale, each [D] or [T]."""
    mean: numpy.ndarray
    scale: numpy.ndarray


class Dropout(NamedTuple):
    """Each net stands for `masks` members, which lack a share `rate` of its hidden units."""
    masks: int
    rate: float
    seed: int = 0


@dataclass
class Model:
    """A committee: what a model file holds."""
    task: str
    members: list                  # [M] lists of Layer; the last one gives the outputs
    outputs: int                   # C classes, or T components, without variances
    input: Optional[Normalization] = None
    target: Optional[Normalization] = None   # regression only
    target_names: list = field(default_factory=list)
    target_units: list = field(default_factory=list)
    temperature: float = 1.0                 # classification only: logits are divided by it
    predicts_variance: bool = False          # outputs are T predictions, T logarithms of variances
    dropout: Optional[Dropout] = None
    provenance: dict = field(default_factory=dict)

    @property
    def dim(self) -> int:
        """D, the features of a row."""
        return self.members[0][0].weight.shape[1]


def require(condition: bool, message: str, code: int = EXIT_BAD_DATA) -> None:
    """Raises Failure unless `condition` holds."""
    if not condition:
        raise Failure(code, message)


def stored(values, what: str, least: float = -numpy.inf) -> numpy.ndarray:
    """As float32; refuses what is not finite then, or below `least`."""
    wide = numpy.asarray(values, dtype="f8")
    with numpy.errstate(over="ignore"):
        narrow = wide.astype("<f4")
    bad = ~(numpy.isfinite(narrow) & (narrow >= least))
    if bad.any():
        place = tuple(int(axis[0]) for axis in numpy.nonzero(bad))
        wanted = "finite in float32" + (" and above 0" if least > 0 else "")
        raise Failure(EXIT_BAD_DATA, f"{what}{list(place)}: must be {wanted} ({wide[place]}); "
                                     "train the head again, or export another one")
    return narrow


def check_member(layers: list, dim: int, width: int, where: str) -> None:
    """Refuses layers that do not fit each other."""
    require(len(layers) <= MAX_LAYERS,
            f"{where}: {len(layers)} layers; sluice reads up to {MAX_LAYERS}")
    for number, layer in enumerate(layers):
        require(layer.activation in ACTIVATIONS,
                f"{where}: layer {number}: no activation '{layer.activation}'; "
                f"sluice has {', '.join(ACTIVATIONS)}")
        require(layer.weight.shape[1] == dim,
                f"{where}: layer {number} reads {layer.weight.shape[1]} values, but gets {dim}; "
                "all members must read the same features")
        dim = layer.weight.shape[0]
    require(dim == width, f"{where}: gives {dim} outputs, not {width}; all members need the same")


def check_normalization(normalization: Optional[Normalization], width: int, what: str) -> None:
    """Refuses means and scales of another width."""
    for name, values in normalization._asdict().items() if normalization else ():
        shape = numpy.shape(values)
        require(shape == (width,),
                f"{what} {name}: has shape {list(shape)}; give one number for each of {width}")


def check_model(model: Model) -> None:
    """Refuses what cannot be a committee."""
    require(model.task in TASKS, f"task: no task '{model.task}'; give {' or '.join(TASKS)}",
            EXIT_USAGE)
    regression = model.task == "regression"
    require(regression or model.outputs >= 2,
            f"classification needs 2 classes or more ({model.outputs} outputs); is it a "
            "regression?")
    require(regression or not (model.predicts_variance or model.target),
            "only a regression has variances or a normalised target", EXIT_USAGE)
    require(SMALLEST_SCALE <= model.temperature <= 1 / SMALLEST_SCALE,
            f"temperature: must be positive and finite ({model.temperature})", EXIT_USAGE)
    require(not regression or model.temperature == 1,
            "temperature: only classes have one; leave it out", EXIT_USAGE)
    if model.dropout:
        require(0 <= model.dropout.rate < 1, f"dropout: rate {model.dropout.rate} is not in [0, 1)",
                EXIT_USAGE)
        require(1 <= model.dropout.masks <= MAX_MASKS,
                f"dropout: {model.dropout.masks} masks; give 1 to {MAX_MASKS}", EXIT_USAGE)
        require(0 <= model.dropout.seed < 1 << 64,
                f"dropout: seed {model.dropout.seed} is not in 0 to 2^64-1", EXIT_USAGE)
        require(all(len(layers) > 1 for layers in model.members),
                "dropout: a head without hidden layers has no units to drop")
    for number, layers in enumerate(model.members):
        check_member(layers, model.dim, model.outputs * (2 if model.predicts_variance else 1),
                     f"member {number}")
    check_normalization(model.input, model.dim, "input")
    check_normalization(model.target, model.outputs, "target")


def model_of_chains(chains: list, task: str, *, input=None, target=None, predicts_variance=False,
                    dropout=None, **fields) -> Model:
    """A committee of finished chains (layer_chain.LayerChain). `input` and `target` are pairs of
    mean and scale, `dropout` is (masks, rate, seed). A classifier's one output f becomes the logits
    -f/2 and +f/2, whose softmax is sigmoid(f)."""
    require(bool(chains), "no heads were given; a committee needs at least one", EXIT_USAGE)
    for chain in chains:
        chain.finish()
        if task == "classification" and chain.width == 1:
            chain.split_binary()
        if dropout and chain.has_folded_shifts:
            chain.refuse("has constants behind its activations (Sigmoid, or BatchNorm1d after an "
                         "activation), which dropout masks would not drop; leave the masks out")
    own = common_input(chains)
    if input is not None and own is not None:
        for chain in chains:
            chain.fold_input()
        own = None
    outputs = chains[0].width
    require(not predicts_variance or outputs % 2 == 0,
            f"{outputs} outputs are not as many predictions as logarithms of variances")
    input, target = (None if pair is None else Normalization(*pair)
                     for pair in (own if input is None else input, target))
    return Model(task, [chain.layers for chain in chains],
                 outputs // 2 if predicts_variance else outputs, input, target,
                 predicts_variance=predicts_variance,
                 dropout=None if dropout is None else Dropout(*dropout), **fields)


def write_layer(file, group: str, layer: Layer, where: str) -> None:
    """One layer's datasets."""
    file[f"{group}/weight"] = stored(layer.weight, f"{where}: weight")
    file[f"{group}/bias"] = stored(layer.bias, f"{where}: bias")
    file[f"{group}/weight"].attrs["activation"] = layer.activation


def write_normalization(file, group: str, normalization: Optional[Normalization]) -> None:
    """Mean and scale, if there are any."""
    if normalization is None:
        return
    file[f"{group}/mean"] = stored(normalization.mean, f"{group} mean")
    file[f"{group}/scale"] = stored(normalization.scale, f"{group} scale", SMALLEST_SCALE)


def write_words(file, name: str, words: list) -> None:
    """UTF-8 texts, if there are any."""
    if not words:
        return
    encoded = [word.encode() for word in words]
    longest = max(1, max(len(word) for word in encoded))
    import h5py
    file.create_dataset(name, data=encoded, dtype=h5py.string_dtype("utf-8", longest))


def write_attributes(file, model: Model) -> None:
    """What stands at the root."""
    file.attrs["format"] = "sluice-model"
    file.attrs["format_version"] = 1
    file.attrs["task"] = model.task
    file.attrs["dim"] = model.dim
    file.attrs["outputs"] = model.outputs
    file.attrs["networks"] = len(model.members)
    file.attrs["predicts_variance"] = int(model.predicts_variance)
    file.attrs["temperature"] = float(model.temperature)
    if model.dropout:
        file.attrs["dropout_masks"] = model.dropout.masks
        file.attrs["dropout_rate"] = float(model.dropout.rate)
        file.attrs["dropout_seed"] = str(model.dropout.seed)  # may exceed int64


def write_model(out: pathlib.Path, model: Model) -> None:
    """Checks the committee and writes its file, which appears when it is complete."""
    check_model(model)
    with pool_file.new_file(pathlib.Path(out)) as file:
        write_attributes(file, model)
        for member, layers in enumerate(model.members):
            for number, layer in enumerate(layers):
                write_layer(file, f"members/{member:04}/layers/{number:02}", layer,
                            f"member {member}: layer {number}")
        write_normalization(file, "input", model.input)
        write_normalization(file, "target", model.target)
        write_words(file, "target/names", model.target_names)
        write_words(file, "target/units", model.target_units)
        write_words(file, "provenance", [json.dumps(model.provenance)])


def summary(model: Model) -> str:
    """One line about what was written."""
    nets = len(model.members)
    masks = model.dropout.masks if model.dropout else 1
    kinds = "classes" if model.task == "classification" else "predictions"
    if model.predicts_variance:
        kinds += " and variances"
    text = f"{model.task}, {nets * masks} member(s), {model.dim} features, {model.outputs} {kinds}"
    return text + (f" ({nets} net(s), {masks} dropout masks each)" if model.dropout else "")
