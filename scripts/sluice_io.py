"""sluice's files from Python: pools and predictions written from arrays in chunks, batches and
labels read, labels written, models loaded into NumPy or PyTorch.

    import sluice_io
    with sluice_io.PoolWriter("pool.h5", kinds={"committee": "logit"}) as pool:
        for block in blocks:
            pool.append(features=block.features, committee=block.logits)
    batch = sluice_io.read_batch("queue/batches/6595d34b4964f147")
    sluice_io.write_labels("labels.h5", batch.rows, y)
    committee = sluice_io.read_model("models/0003.h5")
    logits = sluice_io.outputs(committee, features)      # [N,M,C]
    heads = sluice_io.torch_heads(committee)             # nn.Module: features -> outputs

A module, not a program. Needs h5py and NumPy; torch_heads needs PyTorch. Every file appears under
its name when it is complete. Errors are pool_file.Failure, with one line that says what to do.
"""

import json
import pathlib
from typing import NamedTuple, Optional, Union

import h5py
import numpy

import pool_file
from layer_chain import FUNCTIONS, Layer
from model_file import Dropout, Model, Normalization, require
from pool_file import EXIT_BAD_DATA, EXIT_NO_INPUT, EXIT_UNAVAILABLE, EXIT_USAGE, Failure

Path = Union[str, pathlib.Path]

# What a pool's rows may hold, and of how many dimensions an array of it is.
RANKS = {"features": (2,), "probabilities": (2,), "committee": (3,), "predictions": (2, 3),
         "variances": (2, 3), "inputs": (2,), "ids": (1,), "groups": (1,), "cost": (1,)}
FLOATS = ("features", "probabilities", "committee", "predictions", "variances")
CHUNK_BYTES = 4 << 20
CHUNK_ROWS = 1 << 16
ID_BYTES = 64


class PoolWriter:
    """A pool file, filled block by block; it gets its name when the `with` block ends well.

    `kinds` says what is logits, as in {"committee": "logit"}; `names` and `units` are of the inputs.
    Floats are stored as float32 unless they are float16, `inputs` and `cost` as float64."""

    def __init__(self, path: Path, kinds: Optional[dict] = None, names=(), units=()):
        self.rows = 0
        self._kinds = dict(kinds or {})
        self._texts = {"names": list(names), "units": list(units)}
        self._opener = pool_file.new_file(pathlib.Path(path))
        self._file = None
        self._path = path

    def __enter__(self) -> "PoolWriter":
        self._file = self._opener.__enter__()
        pool_file.mark_as_pool(self._file, "sluice_io.py")
        return self

    def __exit__(self, *error):
        if error[0] is None:
            try:
                require(self.rows > 0, f"{self._path}: has no rows; append some")
                self._describe()
            except BaseException as failure:
                self._opener.__exit__(type(failure), failure, failure.__traceback__)
                raise
        return self._opener.__exit__(*error)

    def append(self, columns: Optional[dict] = None, **arrays) -> None:
        """Rows to add: arrays by their name in the pool (RANKS), and in `columns` those of
        `columns/NAME`, all of one length, the same names in every call."""
        blocks = {name: self._as_stored(name, values) for name, values in arrays.items()}
        for name, values in (columns or {}).items():
            blocks[f"columns/{name}"] = self._as_stored(name, values, (1,))
        lengths = {name: len(block) for name, block in blocks.items()}
        require(len(set(lengths.values())) == 1,
                f"{self._path}: blocks of different length ({lengths}); append as many rows of each")
        require(self.rows == 0 or set(blocks) == set(self._stored()),
                f"{self._path}: {sorted(blocks)} after {sorted(self._stored())}; append the same "
                "arrays in every call", EXIT_USAGE)
        for name, block in blocks.items():
            self._add(name, block)
        self.rows += next(iter(lengths.values()))

    def _stored(self) -> list:
        found = [name for name in self._file if name != "columns"]
        return found + [f"columns/{name}" for name in self._file.get("columns", ())]

    def _as_stored(self, name: str, values, ranks=None):
        values = numpy.asarray(values)
        ranks = ranks or RANKS.get(name)
        require(ranks is not None, f"{self._path}: a pool has no '{name}'; give one of "
                                   f"{', '.join(RANKS)}, or a column", EXIT_USAGE)
        require(values.ndim in ranks, f"{self._path}: {name} has {values.ndim} dimensions, not "
                                      f"{' or '.join(map(str, ranks))}; reshape it")
        if name == "ids" and values.dtype.kind in "US":
            return encoded(values, self._path)
        if name in FLOATS:
            return narrowed(values, "f2" if values.dtype == numpy.float16 else "f4",
                            f"{self._path}: {name}", self.rows)
        return values.astype("f8") if name in ("inputs", "cost") else values

    def _add(self, name: str, block) -> None:
        if name not in self._file:
            row_bytes = max(1, block.dtype.itemsize * int(numpy.prod(block.shape[1:])))
            chunk = max(1, min(CHUNK_BYTES // row_bytes, CHUNK_ROWS))
            self._file.create_dataset(name, (0, *block.shape[1:]), block.dtype,
                                      maxshape=(None, *block.shape[1:]),
                                      chunks=(chunk, *block.shape[1:]))
        dataset = self._file[name]
        require(dataset.shape[1:] == block.shape[1:],
                f"{self._path}: {name} has rows of {list(block.shape[1:])} after rows of "
                f"{list(dataset.shape[1:])}; give all of one shape")
        dataset.resize(self.rows + len(block), axis=0)
        dataset[self.rows:] = block

    def _describe(self) -> None:
        for name, kind in self._kinds.items():
            require(name in self._file, f"{self._path}: kind of '{name}', which it does not have",
                    EXIT_USAGE)
            self._file[name].attrs["kind"] = kind
        for what, texts in self._texts.items():
            if texts:
                self._file["inputs"].attrs[what] = numpy.array(texts, dtype=h5py.string_dtype())


def encoded(values, path: Path):
    """Text ids as UTF-8 of one length."""
    texts = [value if isinstance(value, bytes) else str(value).encode() for value in values.tolist()]
    require(all(len(text) <= ID_BYTES for text in texts),
            f"{path}: ids: longer than {ID_BYTES} bytes; shorten them")
    return numpy.array(texts, dtype=h5py.string_dtype("utf-8", ID_BYTES))


def narrowed(values, dtype: str, where: str, first: int):
    """As `dtype`; what is finite must stay so."""
    with numpy.errstate(over="ignore"):
        stored = values.astype(dtype)
    lost = numpy.isfinite(values) & ~numpy.isfinite(stored)
    if lost.any():
        place = tuple(int(axis[0]) for axis in numpy.nonzero(lost))
        raise Failure(EXIT_BAD_DATA, f"{where}[{first + place[0]}]: too large for float32 "
                                     f"({values[place]}); scale it")
    return stored


def write_pool(path: Path, columns: Optional[dict] = None, kinds: Optional[dict] = None, names=(),
               units=(), rows_at_once: int = 1 << 16, **arrays) -> int:
    """A pool of whole arrays (memory maps too), taken `rows_at_once`. Returns the rows written.
    Also what a `--train-command` writes to {predictions}: committee, predictions, probabilities."""
    require(bool(arrays), f"{path}: no arrays were given", EXIT_USAGE)
    count = len(next(iter(arrays.values())))
    with PoolWriter(path, kinds, names, units) as pool:
        for first in range(0, count, rows_at_once):
            part = slice(first, first + rows_at_once)
            pool.append({name: values[part] for name, values in (columns or {}).items()},
                        **{name: values[part] for name, values in arrays.items()})
        for name, values in arrays.items():
            require(len(values) == count, f"{path}: {name} has {len(values)} rows, not {count}")
    return count


class Batch(NamedTuple):
    """A published batch, in the order of the selection."""
    id: str
    rows: numpy.ndarray                   # [B] of the pool
    ids: list                             # [B] what users call them
    score: numpy.ndarray                  # [B]
    distance: numpy.ndarray               # [B]; NaN without a diversity stage
    features: Optional[numpy.ndarray]     # [B,D]
    inputs: Optional[numpy.ndarray]       # [B,P]
    names: list                           # [P] of the inputs, or empty


def texts_of(values) -> list:
    """Strings of a dataset or attribute."""
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


def opened(path: Path) -> "h5py.File":
    """A file to read; one line if it is not there or is not HDF5."""
    if not pathlib.Path(path).is_file():
        raise Failure(EXIT_NO_INPUT, f"{path}: no such file; check the path")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise Failure(EXIT_BAD_DATA, f"{path}: cannot be read ({error}); is it HDF5?") from error


def read_batch(directory: Path) -> Batch:
    """A batch by its directory, QUEUE/batches/ID. One that is being published is not there yet."""
    directory = pathlib.Path(directory)
    if not (directory / "manifest.json").is_file():
        raise Failure(EXIT_NO_INPUT, f"{directory}: no published batch (no manifest.json)")
    with opened(directory / "items.h5") as file:
        inputs = file.get("inputs")
        return Batch(directory.name, file["row"][:], texts_of(file["id"][:]), file["score"][:],
                     file["distance"][:], file["features"][:] if "features" in file else None,
                     None if inputs is None else inputs[:],
                     [] if inputs is None else texts_of(inputs.attrs.get("names", ())))


def batches(queue: Path) -> list:
    """The ids of all batches of a queue, in the order in which they were issued."""
    entries = sorted((pathlib.Path(queue) / "order").glob("[0-9]*"))
    found = [json.loads(entry.read_text(encoding="utf-8"))["batch"] for entry in entries]
    return [name for name in found
            if (pathlib.Path(queue) / "batches" / name / "manifest.json").is_file()]


class Labels(NamedTuple):
    """Labels, ascending by row, each row once."""
    rows: numpy.ndarray                # [L]
    y: numpy.ndarray                   # [L] classes, or [L,T]
    features: Optional[numpy.ndarray]  # [L,D]
    round: Optional[numpy.ndarray]     # [L]


def label_files(path: Path) -> list:
    """A file, or the generations of a directory in their order."""
    path = pathlib.Path(path)
    files = sorted(path.glob("labels.g*.h5")) if path.is_dir() else [path]
    if not files:
        raise Failure(EXIT_NO_INPUT, f"{path}: no labels.g*.h5 in it")
    return files


def read_labels(path: Path) -> Labels:
    """Labels of a file (sluice's, write_labels', or {labels} of a trainer) or of a directory of
    generations. Of a row that is there twice the first label counts; missing ones are left out."""
    columns = {"row": [], "y": [], "features": [], "round": []}
    for name in label_files(path):
        with opened(name) as file:
            for column, parts in columns.items():
                if column in file:
                    parts.append(file[column][:])
    require(bool(columns["row"]) and len(columns["y"]) == len(columns["row"]),
            f"{path}: has no 'row' and 'y'")
    rows, y = numpy.concatenate(columns["row"]), numpy.concatenate(columns["y"])
    is_label = (y != -1) if y.dtype.kind in "iu" else numpy.isfinite(y)
    is_label = is_label.reshape(len(y), -1).all(axis=1)
    kept = numpy.flatnonzero(is_label)
    _, first = numpy.unique(rows[kept], return_index=True)
    kept = kept[first]

    def optional(column):
        parts = columns[column]
        whole = sum(map(len, parts)) == len(rows) and len(parts) > 0
        return numpy.concatenate(parts)[kept] if whole else None
    return Labels(rows[kept], y[kept], optional("features"), optional("round"))


def write_labels(path: Path, rows, y, features=None) -> None:
    """A labels file for --labels, --test labels or [start] labels: `y` [L] whole numbers are
    classes (-1 = none yet), others [L] or [L,T] targets."""
    rows, y = numpy.asarray(rows), numpy.asarray(y)
    require(rows.ndim == 1 and rows.dtype.kind in "iu" and len(rows) == len(y),
            f"{path}: rows must be whole numbers, one for each label")
    require(len(numpy.unique(rows)) == len(rows), f"{path}: a row is there twice; label it once")
    is_class = y.dtype.kind in "iu"
    require(not is_class or y.ndim == 1, f"{path}: classes are [L]; give one for each row")
    with pool_file.new_file(pathlib.Path(path)) as file:
        file.attrs["format"] = "sluice-labels"
        file.attrs["format_version"] = 1
        file["row"] = rows.astype("i8")
        file["y"] = y.astype("i4") if is_class else y.astype("f8").reshape(len(y), -1)
        if features is not None:
            file["features"] = narrowed(numpy.asarray(features), "f4", f"{path}: features", 0)


def read_model(path: Path) -> Model:
    """The committee of a model file; `model_file.write_model` writes it back."""
    with opened(path) as file:
        require(attribute(file, "format") == "sluice-model", f"{path}: is no sluice model")
        members = []
        for member in sorted(file["members"]):
            layers = file[f"members/{member}/layers"]
            members.append([Layer(layers[name]["weight"][:], layers[name]["bias"][:],
                                  attribute(layers[name]["weight"], "activation"))
                            for name in sorted(layers)])
        dropout = None
        if "dropout_masks" in file.attrs:
            dropout = Dropout(int(file.attrs["dropout_masks"]), float(file.attrs["dropout_rate"]),
                              int(attribute(file, "dropout_seed")))
        return Model(attribute(file, "task"), members, int(file.attrs["outputs"]),
                     normalization(file, "input"), normalization(file, "target"),
                     target_words(file, "names"), target_words(file, "units"),
                     float(file.attrs.get("temperature", 1.0)),
                     bool(file.attrs.get("predicts_variance", 0)), dropout)


def attribute(thing, name: str) -> str:
    """A text attribute."""
    (text,) = texts_of([thing.attrs[name]])
    return text


def normalization(file, group: str) -> Optional[Normalization]:
    """Mean and scale of a group; None without."""
    if group not in file or "mean" not in file[group]:
        return None
    return Normalization(file[f"{group}/mean"][:], file[f"{group}/scale"][:])


def target_words(file, name: str) -> list:
    """Names or units of the targets."""
    return texts_of(file[f"target/{name}"][:]) if f"target/{name}" in file else []


def outputs(model: Model, features, dtype="f8"):
    """What the members say of features [N,D], in NumPy: logits / temperature [N,M,C], or predictions
    [N,M,T]; with variances [N,M,2T], the variances last. sluice computes the same in float32."""
    refuse_dropout(model)
    rows = numpy.asarray(features).astype(dtype)
    if model.input is not None:
        rows = (rows - model.input.mean) / model.input.scale
    said = []
    for layers in model.members:
        values = rows
        for layer in layers:
            values = FUNCTIONS[layer.activation](values @ layer.weight.T.astype(dtype) + layer.bias)
        said.append(values)
    said = numpy.stack(said, axis=1)
    if model.task == "classification":
        return said / model.temperature
    return as_targets(model, said)


def refuse_dropout(model: Model) -> None:
    """Masks are sluice's own random numbers."""
    require(model.dropout is None, "the model's members are dropout masks; write what they say with "
                                   "sluice predict", EXIT_UNAVAILABLE)


def as_targets(model: Model, said):
    """Normalised predictions (and logarithms of variances) in the targets' own units."""
    if model.target is None:
        mean, scale = 0.0, 1.0
    else:
        mean, scale = model.target.mean, model.target.scale
    predictions = said[..., :model.outputs] * scale + mean
    if not model.predicts_variance:
        return predictions
    variances = numpy.exp(said[..., model.outputs:]) * numpy.square(scale)
    return numpy.concatenate([predictions, variances], axis=-1)


def torch_heads(model: Model) -> list:
    """The members as PyTorch modules, float32, from features [N,D] to what `outputs` gives for them;
    to be trained on, or used as they are."""
    refuse_dropout(model)
    require(not model.predicts_variance, "heads with variances: use outputs()", EXIT_UNAVAILABLE)
    pool_file.need_module("torch", "python3-torch")
    import torch_heads as heads
    return [heads.head_of(model, layers) for layers in model.members]
