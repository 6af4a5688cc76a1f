"""Reads PyTorch checkpoints: a state_dict's tensors as the layers of a head.

Used by export_torch.py; not a program. Needs NumPy, and PyTorch for all but .safetensors files.
"""

import json
import pathlib
import re
import struct
import zipfile

import numpy

import pool_file
from layer_chain import LayerChain
from pool_file import EXIT_BAD_DATA, EXIT_NO_INPUT, Failure

WRAPPERS = ("state_dict", "model_state_dict", "model")
SAFETENSORS_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
MAX_HEADER_BYTES = 100 << 20


def read_chain(path: pathlib.Path, activation: str) -> LayerChain:
    """The Linear layers of a checkpoint with `activation` between them."""
    return chain_of_arrays(read_checkpoint(path), activation, str(path))


def read_checkpoint(path: pathlib.Path) -> dict:
    """The tensors of a checkpoint by name, as arrays, in the order of the layers."""
    if not path.is_file():
        raise Failure(EXIT_NO_INPUT, f"{path}: no such file; check the path")
    if path.suffix.lower() == ".safetensors":
        return in_numbered_order(read_safetensors(path), path)
    torch = pool_file.need_module("torch", "python3-torch")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a file that is no checkpoint provokes
        raise unreadable(path, error) from error
    return arrays_of(torch, loaded, path)


def unreadable(path: pathlib.Path, error: Exception) -> Failure:
    """Why a checkpoint was not loaded. PyTorch's own text may advise to load unsafely."""
    if zipfile.is_zipfile(path) and "Unsupported" in str(error):
        return Failure(EXIT_BAD_DATA, f"{path}: holds Python objects beside tensors, which are not "
                                      "loaded because they could run code; save "
                                      "head.state_dict() with torch.save")
    reason = type(error).__name__ + ("" if "weights_only" in str(error) else f": {error}")
    return Failure(EXIT_BAD_DATA, f"{path}: cannot be read as a checkpoint ({reason}); is it "
                                  "whole, and written by torch.save?")


def arrays_of(torch, loaded, path: pathlib.Path) -> dict:
    """A state_dict's tensors as arrays; also of one that lies in a larger checkpoint."""
    if isinstance(loaded, dict):
        for name in WRAPPERS:
            if isinstance(loaded.get(name), dict):
                loaded = loaded[name]
    if not isinstance(loaded, dict) or not loaded:
        raise Failure(EXIT_BAD_DATA, f"{path}: holds no state_dict ({type(loaded).__name__}); save "
                                     "head.state_dict() with torch.save")
    for name, tensor in loaded.items():
        if not isinstance(tensor, torch.Tensor):
            raise Failure(EXIT_BAD_DATA, f"{path}: {name} is no tensor ({type(tensor).__name__}); "
                                         "save head.state_dict() with torch.save")
    return {name: array_of(tensor) for name, tensor in loaded.items()}


def array_of(tensor):
    """A tensor's numbers as float64, whatever its type and device."""
    return tensor.detach().cpu().double().numpy()


def read_safetensors(path: pathlib.Path) -> dict:
    """The arrays of a .safetensors file. Layout: length of the header (u64), header (JSON: name ->
    dtype, shape, data_offsets), data."""
    data = path.read_bytes()
    try:
        (length,) = struct.unpack_from("<Q", data)
        if length > min(len(data) - 8, MAX_HEADER_BYTES):
            raise ValueError(f"a header of {length} bytes")
        header = json.loads(data[8:8 + length])
        header.pop("__metadata__", None)
        body = memoryview(data)[8 + length:]
        arrays = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            stored = numpy.frombuffer(body[begin:end], SAFETENSORS_TYPES[entry["dtype"]])
            if entry["dtype"] == "BF16":
                stored = (stored.astype("<u4") << 16).view("<f4")
            arrays[name] = stored.reshape(entry["shape"]).astype("f8")
        return arrays
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise Failure(EXIT_BAD_DATA, f"{path}: cannot be read as safetensors "
                                     f"({type(error).__name__}: {error}); is it whole?") from error


def in_numbered_order(arrays: dict, path: pathlib.Path) -> dict:
    """By the numbers in the names: a .safetensors file does not keep the layers' order."""
    patterns = {re.sub(r"\d+", "#", name.rpartition(".")[0]) for name in arrays}
    if len(patterns) > 1:
        raise Failure(EXIT_BAD_DATA, f"{path}: the names do not say which layer comes first "
                                     f"({', '.join(sorted(patterns))}); give a .pt file, or export "
                                     "the module from Python (see --help)")
    return dict(sorted(arrays.items(),
                       key=lambda item: [int(digits) for digits in re.findall(r"\d+", item[0])]))


def chain_of_arrays(arrays: dict, activation: str, name: str) -> LayerChain:
    """Linear layers with `activation` between them."""
    layers = {}
    for key, array in arrays.items():
        prefix, _, kind = key.rpartition(".")
        if (kind, array.ndim) not in (("weight", 2), ("bias", 1)):
            raise Failure(EXIT_BAD_DATA, f"{name}: {key} {list(array.shape)} does not belong to a "
                                         "Linear layer; export the module from Python (see --help)")
        layers.setdefault(prefix, {})[kind] = array
    first = next(iter(layers.values())).get("weight")
    chain = LayerChain(0 if first is None else first.shape[1], name)
    for number, (prefix, layer) in enumerate(layers.items()):
        if "weight" not in layer:
            raise Failure(EXIT_BAD_DATA, f"{name}: {prefix} has a bias, but no weight")
        if number > 0:
            chain.activate(activation)
        chain.affine(layer["weight"], layer.get("bias"))
    return chain
