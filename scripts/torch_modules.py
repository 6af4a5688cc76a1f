"""Walks torch.nn modules: a head as the layers it computes with in eval().

Used by export_torch.py; not a program. Needs NumPy.
"""

import numpy

from layer_chain import LayerChain
from pool_file import EXIT_BAD_DATA, Failure
from torch_checkpoint import array_of

ACTIVATION_MODULES = {"ReLU": "relu", "SiLU": "silu", "Tanh": "tanh", "Sigmoid": "sigmoid"}
WITHOUT_EFFECT = ("Identity", "Flatten", "Dropout")
ENDS = ("Softmax", "LogSoftmax")


def leaves_of(module) -> list:
    """The modules inside nested Sequentials, in order."""
    if is_torch(module) and type(module).__name__ == "Sequential":
        return [leaf for child in module for leaf in leaves_of(child)]
    return [module]


def is_torch(module) -> bool:
    """Whether it is PyTorch's own class, so that its name says what it does."""
    return type(module).__module__.startswith("torch.nn.modules.")


def append_batch_norm(chain, module) -> None:
    """What BatchNorm1d does in eval(), with the statistics that training left."""
    if module.running_mean is None:
        chain.refuse("BatchNorm1d keeps no running statistics, so it does not act on rows alone; "
                     "train with track_running_stats=True")
    factor = 1 / numpy.sqrt(array_of(module.running_var) + module.eps)
    shift = -array_of(module.running_mean) * factor
    if module.affine:
        weight, bias = array_of(module.weight), array_of(module.bias)
        factor, shift = factor * weight, shift * weight + bias
    if len(factor) != chain.width:
        chain.refuse(f"BatchNorm1d has {len(factor)} features, but there are {chain.width} before")
    chain.scale(factor, shift)


def append_module(chain, module) -> None:
    """One module that is not the head's end."""
    kind = type(module).__name__ if is_torch(module) else None
    if kind == "Linear":
        chain.affine(array_of(module.weight),
                     None if module.bias is None else array_of(module.bias))
    elif kind in ACTIVATION_MODULES:
        chain.activate(ACTIVATION_MODULES[kind])
    elif kind == "BatchNorm1d":
        append_batch_norm(chain, module)
    elif kind == "Flatten" and module.start_dim != 1:
        chain.refuse(f"Flatten must keep the rows apart, start_dim=1 ({module.start_dim})")
    elif kind not in WITHOUT_EFFECT:
        known = ["Sequential", "Linear", *ACTIVATION_MODULES, "BatchNorm1d", *WITHOUT_EFFECT]
        chain.refuse(f"cannot export {type(module).__module__}.{type(module).__name__}; heads may "
                     f"consist of {', '.join(known)}, and end in {' or '.join(ENDS)}")


def drop_end(chain, leaves: list, task: str, notes: list) -> list:
    """The modules without the softmax at the end, which sluice's scores do themselves."""
    kind = type(leaves[-1]).__name__ if leaves and is_torch(leaves[-1]) else None
    if task != "classification" or kind not in (*ENDS, "Sigmoid"):
        return leaves
    outputs = [leaf.out_features for leaf in leaves if type(leaf).__name__ == "Linear"][-1:]
    if kind == "Sigmoid" and outputs != [1]:
        chain.refuse("a Sigmoid of several outputs at the end gives no class probabilities; "
                     "export the head without it")
    if kind in ENDS and leaves[-1].dim not in (1, -1):
        chain.refuse(f"{kind} at the end must run over the classes, dim=1 ({leaves[-1].dim})")
    notes.append(f"{chain.name}: {kind} at the end is left out: sluice takes logits")
    return leaves[:-1]


def chain_of_module(module, name: str, task: str, notes: list) -> LayerChain:
    """A head as it computes in eval()."""
    leaves = leaves_of(module)
    widths = [leaf.in_features for leaf in leaves if type(leaf).__name__ == "Linear"]
    if not widths:
        types = [type(leaf).__name__ for leaf in leaves]
        raise Failure(EXIT_BAD_DATA, f"{name}: has no Linear layer ({', '.join(types)}); give a "
                                     "torch.nn.Sequential of known layers")
    chain = LayerChain(widths[0], name)
    for leaf in drop_end(chain, leaves, task, notes):
        append_module(chain, leaf)
    return chain
