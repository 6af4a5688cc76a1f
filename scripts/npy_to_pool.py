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
import csv
import itertools
import pathlib
from typing import Iterator, NamedTuple, Optional

import pool_file
from pool_file import EXIT_BAD_DATA, EXIT_NO_INPUT, EXIT_USAGE, Failure

numpy = None  # imported in main, so that --help works without it

BLOCK_BYTES = 16 << 20
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


class ArraySource:
    """An array in memory or mapped from a file."""

    def __init__(self, array, text: str):
        self.array = array
        self.text = text
        self.shape = array.shape
        self.dtype = array.dtype
        self.column_names: Optional[list[str]] = None

    def blocks(self) -> Iterator["numpy.ndarray"]:
        """The rows in order, some megabytes at a time."""
        row_bytes = max(1, self.array[:1].nbytes)
        step = max(1, BLOCK_BYTES // row_bytes)
        for first in range(0, self.shape[0], step):
            yield numpy.asarray(self.array[first:first + step])


class CsvSource:
    """Columns of a CSV file whose first line names them; read twice, never held."""

    def __init__(self, path: pathlib.Path, columns: Optional[str], text: str):
        self.path = path
        self.text = text
        self.header = self._read_header()
        self.indices = self._find_columns(columns)
        self.column_names = [self.header[index] for index in self.indices]
        rows, longest, numeric = self._survey()
        self.dtype = numpy.dtype("<f8") if numeric else numpy.dtype(f"S{max(1, longest)}")
        self.shape = (rows,) if len(self.indices) == 1 else (rows, len(self.indices))

    def _read_header(self) -> list[str]:
        with open(self.path, newline="", encoding="utf-8-sig") as lines:
            header = next(csv.reader(lines), None)
        if not header:
            raise Failure(EXIT_BAD_DATA, f"{self.path}: empty file; the first line names the columns")
        return [name.strip() for name in header]

    def _find_columns(self, columns: Optional[str]) -> list[int]:
        if columns is None:
            return list(range(len(self.header)))
        indices = []
        for name in columns.split(","):
            first, dots, last = name.partition("..")
            begin = self._index_of(first)
            end = self._index_of(last) if dots else begin
            indices.extend(range(begin, end + 1))
        return indices

    def _index_of(self, name: str) -> int:
        if name not in self.header:
            raise Failure(EXIT_BAD_DATA, f"{self.path}: no column '{name}'; the first line has "
                                         + ", ".join(self.header[:20]))
        return self.header.index(name)

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        """Line number and wanted cells of each row; blank lines are passed over."""
        with open(self.path, newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines)
            next(reader)
            for row in reader:
                if not row:
                    continue
                if len(row) != len(self.header):
                    raise Failure(EXIT_BAD_DATA,
                                  f"{self.path}: line {reader.line_num} has {len(row)} cells, the "
                                  f"first line {len(self.header)}; repair the line")
                yield reader.line_num, [row[index].strip() for index in self.indices]

    def _survey(self) -> tuple[int, int, bool]:
        rows, longest, numeric = 0, 0, True
        for _, cells in self._cells():
            rows += 1
            longest = max(longest, *(len(cell.encode()) for cell in cells))
            numeric = numeric and all(is_number(cell) for cell in cells)
        return rows, longest, numeric

    def blocks(self) -> Iterator["numpy.ndarray"]:
        """The rows in order, some megabytes at a time, as float64 or as bytes."""
        cells = self._cells()
        step = max(1, BLOCK_BYTES // (64 * len(self.indices)))
        while chunk := list(itertools.islice(cells, step)):
            yield self._block([row for _, row in chunk])

    def _block(self, rows: list[list[str]]) -> "numpy.ndarray":
        if self.dtype.kind == "S":
            block = numpy.array([[cell.encode() for cell in row] for row in rows], self.dtype)
        else:
            block = numpy.array(rows, dtype=self.dtype)
        return block[:, 0] if len(self.indices) == 1 else block

    def integers(self) -> Iterator["numpy.ndarray"]:
        """The rows of one column as whole numbers, which float64 might round."""
        cells = self._cells()
        while chunk := list(itertools.islice(cells, 1 << 16)):
            yield numpy.array([self._integer(line, row[0]) for line, row in chunk], "<u8")

    def _integer(self, line: int, cell: str) -> int:
        if not cell.isdigit() or int(cell) >= 1 << 63:
            raise Failure(EXIT_BAD_DATA, f"{self.path}: line {line}: not a usable id ({cell}); ids "
                                         "are whole numbers from 0 to 2^63 - 1 or text")
        return int(cell)


def is_number(cell: str) -> bool:
    """Whether Python reads the cell as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def split_source(text: str) -> tuple[pathlib.Path, Optional[str]]:
    """FILE and what follows its colon; a file whose own name has a colon is taken as it is."""
    if ":" in text and not pathlib.Path(text).exists():
        name, _, part = text.rpartition(":")
        return pathlib.Path(name), part
    return pathlib.Path(text), None


def open_source(text: str):
    """The source that SOURCE names."""
    path, part = split_source(text)
    if not path.is_file():
        raise Failure(EXIT_NO_INPUT, f"{path}: no such file; check the path")
    suffix = path.suffix.lower()
    try:
        if suffix == ".npy":
            if part is not None:
                raise Failure(EXIT_USAGE, f"{text}: .npy files have no parts; leave out ':{part}'")
            return ArraySource(numpy.load(path, mmap_mode="r"), text)
        if suffix == ".npz":
            return ArraySource(array_of_npz(path, part), text)
        if suffix == ".csv":
            return CsvSource(path, part, text)
    except (ValueError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise Failure(EXIT_BAD_DATA, f"{path}: cannot be read ({error}); is it whole, and without "
                                     "Python objects in it?") from error
    raise Failure(EXIT_USAGE, f"{path}: unknown kind of file '{suffix}'; give .npy, .npz or .csv")


def array_of_npz(path: pathlib.Path, key: Optional[str]):
    """One array of an .npz file, by key, or the only one."""
    with numpy.load(path) as arrays:
        names = arrays.files
        if key is None and len(names) == 1:
            key = names[0]
        if key not in names:
            raise Failure(EXIT_BAD_DATA, f"{path}: has arrays {', '.join(names)}; name one of them, "
                                         f"as in {path}:{names[0] if names else 'KEY'}")
        return arrays[key]


def stored_type(source, dtype: Optional[str]) -> "numpy.dtype":
    """The type that a dataset of numbers gets: as asked, else as it is, else float32."""
    if dtype is not None:
        return numpy.dtype(DTYPES[dtype])
    if isinstance(source, ArraySource) and source.dtype.kind == "f" and source.dtype.itemsize <= 8:
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
            raise Failure(EXIT_BAD_DATA, f"{source.text}: {name}[{first + place[0]}]: too large for "
                                         f"{stored.name} ({block[place]}); give a wider --dtype")
        dataset[first:first + len(block)] = converted
        first += len(block)
    return dataset


def write_ids(file, source, chunk_rows: int):
    """Writes ids: whole numbers as uint64, text as UTF-8 of one length."""
    if isinstance(source, CsvSource) and source.dtype.kind != "S":
        blocks, stored = source.integers(), numpy.dtype("<u8")
    elif source.dtype.kind in "iu":
        blocks, stored = (checked_ids(block, source.text) for block in source.blocks()), "<u8"
    elif source.dtype.kind in "SU":
        blocks, stored = (encoded(block) for block in source.blocks()), text_type(source)
    else:
        raise Failure(EXIT_BAD_DATA, f"{source.text}: ids are {source.dtype}; give whole numbers or "
                                     "text")
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
        raise Failure(EXIT_BAD_DATA, f"{source.text}: {role.name} must be {role.shape}, the array is "
                                     f"[{shape}]; reshape it")


def as_matrix(source):
    """A CSV file's single column as [N,1], where a matrix is wanted."""
    if isinstance(source, CsvSource) and len(source.shape) == 1:
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
        source = open_source(text)
        if role.name == "committee" and options.members_first and source.array.ndim == 3:
            source = ArraySource(source.array.swapaxes(0, 1), text)
        if role.ranks[0] == 2:
            source = as_matrix(source)
        check_rank(role, source)
        sources[role.name] = source
    for item in options.column:
        name, equals, text = item.partition("=")
        if not equals or not name or "/" in name:
            raise Failure(EXIT_USAGE, f"--column {item}: give NAME=SOURCE, as in price=table.csv:price")
        source = open_source(text)
        check_rank(Role(name, (1,), "[N]", ""), source)
        sources[f"columns/{name}"] = source
    check_rows(sources)
    return sources


def check_rows(sources: dict) -> None:
    """Refuses sources of different length."""
    if not sources:
        raise Failure(EXIT_USAGE, "nothing to convert; give --features or another source, see --help")
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
    global numpy
    options = parse_options()
    numpy = pool_file.need_module("numpy", "python3-numpy")
    sources = open_sources(options)
    with pool_file.new_file(options.out) as file:
        write_pool(file, sources, options)
    num_rows = next(iter(sources.values())).shape[0]
    print(f"{options.out}: {num_rows:,} rows, {', '.join(sources)}")


if __name__ == "__main__":
    pool_file.run_main(main)
