#!/usr/bin/env python3
"""Turns .npy, .npz and CSV files into a sluice pool (HDF5).

SOURCE is FILE.npy, FILE.npz:KEY (the key may be left out if there is one array), or
FILE.csv:COLUMNS: names from the first line, separated by commas, FIRST..LAST for neighbours;
without :COLUMNS all of them. Arrays are read block by block and need not fit into memory (but
those in .npz files do). Every dataset needs one row for each sample.

Example: npy_to_pool.py --features embeddings.npy --probabilities softmax.npy \\
             --ids table.csv:name --column price=table.csv:price --out pool.h5
"""

import argparse
import pathlib
from typing import NamedTuple, Optional

import pool_file
from pool_file import EXIT_BAD_DATA, EXIT_USAGE, Failure

numpy = None  # imported in main, so that --help works without NumPy
pool_sources = None

DTYPES = {"f16": "<f2", "f32": "<f4", "f64": "<f8"}


class Role(NamedTuple):
    """What an option stores: the dataset's rank, its meaning, and whether it is ids."""
    name: str
    ranks: tuple
    shape: str
    help: str


ROLES = [
    Role("features", (2,), "[N,D]", "what distances are measured on, [N,D]"),
    Role("probabilities", (2,), "[N,C]", "class probabilities, [N,C]"),
    Role("committee", (3,), "[N,M,C]", "class probabilities of M members, [N,M,C]"),
    Role("predictions", (2, 3), "[N,M] or [N,M,T]", "predictions of M members, [N,M] or [N,M,T]"),
    Role("inputs", (2,), "[N,P]", "what the oracle gets, [N,P]"),
    Role("ids", (1,), "[N]", "what users call the rows: whole numbers or text, [N]"),
]


def stored_type(source, dtype: Optional[str]) -> "numpy.dtype":
    """The type that a dataset of numbers gets: as asked, else as it is, else float32."""
    if dtype is not None:
        return numpy.dtype(DTYPES[dtype])
    in_array = isinstance(source, pool_sources.ArraySource)
    if in_array and source.dtype.kind == "f" and source.dtype.itemsize <= 8:
        return source.dtype.newbyteorder("<")
    return numpy.dtype("<f4")


def write_numbers(file, name: str, source, dtype: Optional[str], chunk_rows: int):
    """Writes a dataset of numbers, converted block by block."""
    if source.dtype.kind not in "fiub":
        raise Failure(EXIT_BAD_DATA, f"{source.text}: {name} must be numbers, not {source.dtype}")
    stored = stored_type(source, dtype)
    dataset = create(file, name, source.shape, stored, chunk_rows)
    first = 0
    for block in source.blocks():
        with numpy.errstate(over="ignore"):
            converted = block.astype(stored)
        lost = numpy.isfinite(block) & ~numpy.isfinite(converted)
        if lost.any():
            place = tuple(int(axis[0]) for axis in numpy.nonzero(lost))
            raise Failure(EXIT_BAD_DATA,
                          f"{source.text}: {name}[{first + place[0]}]: too large for "
                          f"{stored.name} ({block[place]}); give a wider --dtype")
        dataset[first:first + len(block)] = converted
        first += len(block)
    return dataset


def write_ids(file, source, chunk_rows: int):
    """Writes ids: whole numbers as uint64, text as UTF-8 of one length."""
    if isinstance(source, pool_sources.CsvSource) and source.dtype.kind != "S":
        blocks, stored = source.integers(), numpy.dtype("<u8")
    elif source.dtype.kind in "iu":
        blocks, stored = (checked_ids(block, source.text) for block in source.blocks()), "<u8"
    elif source.dtype.kind in "SU":
        stored = text_type(source)
        blocks = (encoded(block).astype(stored) for block in source.blocks())
    else:
        raise Failure(EXIT_BAD_DATA,
                      f"{source.text}: ids are {source.dtype}; give whole numbers or text")
    dataset = create(file, "ids", source.shape, stored, chunk_rows)
    first = 0
    for block in blocks:
        dataset[first:first + len(block)] = block
        first += len(block)
    return dataset


def checked_ids(block, text: str):
    """Ids as uint64; those beyond what sluice can hold are refused."""
    bad = block < 0 if block.dtype.kind == "i" else block > numpy.uint64((1 << 63) - 1)
    if bad.any():
        raise Failure(EXIT_BAD_DATA, f"{text}: not a usable id ({block[bad][0]}); ids are whole "
                                     "numbers from 0 to 2^63 - 1 or text")
    return block.astype("<u8")


def encoded(block):
    """Text as UTF-8 bytes."""
    return block if block.dtype.kind == "S" else numpy.char.encode(block, "utf-8")


def text_type(source):
    """The HDF5 type of UTF-8 text as long as the longest id."""
    import h5py
    longest = 1
    for block in source.blocks():
        longest = max(longest, encoded(block).dtype.itemsize)
    return h5py.string_dtype("utf-8", longest)


def create(file, name: str, shape: tuple, dtype, chunk_rows: int):
    """A dataset, contiguous or in chunks of whole rows."""
    chunks = None
    if chunk_rows > 0 and shape[0] > 0:
        chunks = (min(chunk_rows, shape[0]),) + tuple(shape[1:])
    return file.create_dataset(name, shape, dtype, chunks=chunks)


def check_rank(role: Role, source) -> None:
    """Refuses arrays of the wrong number of dimensions."""
    if len(source.shape) not in role.ranks:
        shape = ",".join(map(str, source.shape))
        raise Failure(EXIT_BAD_DATA, f"{source.text}: {role.name} must be {role.shape}, the array "
                                     f"is [{shape}]; reshape it")


def as_matrix(source):
    """A CSV file's single column as [N,1], where a matrix is wanted."""
    if isinstance(source, pool_sources.CsvSource) and len(source.shape) == 1:
        source.shape = (source.shape[0], 1)
        blocks = source.blocks
        source.blocks = lambda: (block[:, None] for block in blocks())
    return source


def open_sources(options: argparse.Namespace) -> dict:
    """All sources by dataset name, checked to have the right rank and the same number of rows."""
    sources = {}
    for role in ROLES:
        text = getattr(options, role.name)
        if text is None:
            continue
        source = pool_sources.open_source(text)
        if role.name == "committee" and options.members_first and source.array.ndim == 3:
            source = pool_sources.ArraySource(source.array.swapaxes(0, 1), text)
        if role.ranks[0] == 2:
            source = as_matrix(source)
        check_rank(role, source)
        sources[role.name] = source
    for item in options.column:
        name, equals, text = item.partition("=")
        if not equals or not name or "/" in name:
            raise Failure(EXIT_USAGE,
                          f"--column {item}: give NAME=SOURCE, as in price=table.csv:price")
        source = pool_sources.open_source(text)
        check_rank(Role(name, (1,), "[N]", ""), source)
        sources[f"columns/{name}"] = source
    check_rows(sources)
    return sources


def check_rows(sources: dict) -> None:
    """Refuses sources of different length."""
    if not sources:
        raise Failure(EXIT_USAGE,
                      "nothing to convert; give --features or another source, see --help")
    (first_name, first), *others = sources.items()
    for name, source in others:
        if source.shape[0] != first.shape[0]:
            raise Failure(EXIT_BAD_DATA,
                          f"{source.text}: {name} has {source.shape[0]} rows, {first_name} has "
                          f"{first.shape[0]}; every dataset needs one row for each sample")


def write_pool(file, sources: dict, options: argparse.Namespace) -> None:
    """Fills the file."""
    pool_file.mark_as_pool(file, "npy_to_pool.py")
    for name, source in sources.items():
        if name == "ids":
            write_ids(file, source, options.chunk_rows)
            continue
        dataset = write_numbers(file, name, source, options.dtype, options.chunk_rows)
        if name in ("probabilities", "committee"):
            dataset.attrs["kind"] = "logit" if options.logits else "probability"
        if name == "inputs" and source.column_names:
            dataset.attrs["names"] = source.column_names


class Parser(argparse.ArgumentParser):
    """argparse with sluice's exit code and one-line errors."""

    def error(self, message: str):
        pool_file.leave(EXIT_USAGE, f"npy_to_pool.py: {message}; see --help")


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                    allow_abbrev=False)
    for role in ROLES:
        parser.add_argument(f"--{role.name}", metavar="SOURCE", help=role.help)
    parser.add_argument("--column", metavar="NAME=SOURCE", action="append", default=[],
                        help="a further value of each row, stored as columns/NAME; repeatable")
    parser.add_argument("--logits", action="store_true",
                        help="probabilities and committee hold logits (before the softmax)")
    parser.add_argument("--members-first", action="store_true",
                        help="the committee's array is [M,N,C]")
    parser.add_argument("--dtype", choices=sorted(DTYPES),
                        help="store numbers so (default: floats as they are, others f32)")
    parser.add_argument("--chunk-rows", type=int, default=0, metavar="ROWS",
                        help="rows of a chunk; 0 = contiguous, the default, which reads fastest")
    parser.add_argument("--out", required=True, type=pathlib.Path, metavar="FILE",
                        help="the pool to write; must not exist")
    options = parser.parse_args()
    if options.chunk_rows < 0:
        parser.error(f"argument --chunk-rows: must not be negative ({options.chunk_rows})")
    return options


def main() -> None:
    """Converts as the command line says."""
    global numpy, pool_sources
    options = parse_options()
    numpy = pool_file.need_module("numpy", "python3-numpy")
    import pool_sources
    sources = open_sources(options)
    with pool_file.new_file(options.out) as file:
        write_pool(file, sources, options)
    num_rows = next(iter(sources.values())).shape[0]
    print(f"{options.out}: {num_rows:,} rows, {', '.join(sources)}")


if __name__ == "__main__":
    pool_file.run_main(main)
