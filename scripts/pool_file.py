"""Writes HDF5 files the way sluice wants them: complete under their name, or not there at all.

Shared by the scripts that make pools; not a program. Needs h5py and NumPy.
"""

import contextlib
import os
import pathlib
import sys
from typing import Iterator

EXIT_USAGE = 64
EXIT_BAD_DATA = 65
EXIT_NO_INPUT = 66
EXIT_UNAVAILABLE = 69
EXIT_CANNOT_CREATE = 73
EXIT_IO_ERROR = 74
EXIT_PERMISSION = 77


class Failure(Exception):
    """An error for the user: exit code and one line, `FILE: what is wrong (value); what to do`."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


def run_main(main) -> None:
    """Runs `main()` and leaves with its exit code; errors are one line on stderr."""
    try:
        main()
    except Failure as failure:
        leave(failure.code, str(failure))
    except PermissionError as error:
        leave(EXIT_PERMISSION, f"{error.filename}: {error.strerror}; check its owner and mode")
    except OSError as error:
        leave(EXIT_IO_ERROR, f"{error.filename or 'input or output'}: {error.strerror or error}; "
                             "free some space or see whether the file system is healthy")
    except KeyboardInterrupt:
        leave(130, "interrupted; nothing was written")


def leave(code: int, message: str) -> None:
    """One line on stderr, then out."""
    print(f"sluice: error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


def need_module(name: str, package: str):
    """Imports a module that is not part of Python; says which package has it if it is missing."""
    try:
        return __import__(name, fromlist=["*"])
    except ImportError as error:
        raise Failure(EXIT_UNAVAILABLE, f"{name}: cannot be imported ({error}); "
                                        f"install it, as with apt-get install {package}") from error


@contextlib.contextmanager
def new_file(target: pathlib.Path) -> Iterator["h5py.File"]:
    """An HDF5 file to fill. It gets its name when the block ends well: written under a temporary
    name beside `target`, synced, renamed; after an error nothing is left."""
    h5py = need_module("h5py", "python3-h5py")
    if os.path.lexists(target):
        raise Failure(EXIT_CANNOT_CREATE, f"{target}: exists already; remove it or choose another "
                                          "name with --out")
    if not target.absolute().parent.is_dir():
        raise Failure(EXIT_CANNOT_CREATE, f"{target}: no such directory; make it first")
    temporary = target.with_name(f".{target.name}.tmp.{os.getpid()}")
    try:
        with h5py.File(temporary, "x", libver=("earliest", "v108")) as file:
            yield file
        sync(temporary)
        os.rename(temporary, target)
        sync(target.absolute().parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync(path: pathlib.Path) -> None:
    """Has the content of a file or directory on the device before anything builds on it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def mark_as_pool(file: "h5py.File", made_by: str) -> None:
    """The attributes that say what the file is."""
    file.attrs["format"] = "sluice-pool"
    file.attrs["format_version"] = 1
    file.attrs["made_by"] = made_by
