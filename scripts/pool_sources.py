"""Where the values of a pool come from: .npy and .npz arrays, columns of CSV files, block by block.

Used by npy_to_pool.py; not a program. Needs NumPy.
"""

import csv
import itertools
import pathlib
from typing import Iterator, Optional

import numpy

from pool_file import EXIT_BAD_DATA, EXIT_NO_INPUT, EXIT_USAGE, Failure

BLOCK_BYTES = 16 << 20


class ArraySource:
    """An array in memory or mapped from a file."""

    def __init__(self, array, text: str):
        self.array = array
        self.text = text
        self.shape = array.shape
        self.dtype = array.dtype
        self.column_names: Optional[list[str]] = None

    def blocks(self) -> Iterator[numpy.ndarray]:
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
            raise Failure(EXIT_BAD_DATA,
                          f"{self.path}: empty file; the first line names the columns")
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

    def blocks(self) -> Iterator[numpy.ndarray]:
        """The rows in order, some megabytes at a time, as float64 or as bytes."""
        cells = self._cells()
        step = max(1, BLOCK_BYTES // (64 * len(self.indices)))
        while chunk := list(itertools.islice(cells, step)):
            yield self._block([row for _, row in chunk])

    def _block(self, rows: list[list[str]]) -> numpy.ndarray:
        if self.dtype.kind == "S":
            block = numpy.array([[cell.encode() for cell in row] for row in rows], self.dtype)
        else:
            block = numpy.array(rows, dtype=self.dtype)
        return block[:, 0] if len(self.indices) == 1 else block

    def integers(self) -> Iterator[numpy.ndarray]:
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
            raise Failure(EXIT_BAD_DATA,
                          f"{path}: has arrays {', '.join(names)}; name one of them, as in "
                          f"{path}:{names[0] if names else 'KEY'}")
        return arrays[key]
