"""Bad pools, one function each: `make(directory)` writes the files and returns their paths.

The numbers in the names are rows of the catalogue of bad input.
"""

import os
import random
import subprocess
import sys

import h5py
import numpy as np

ROWS = 20


def values(shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def shares(shape, seed=2):
    """Probabilities that sum to 1 over the last axis."""
    weights = np.exp(values(shape, seed).astype(np.float64))
    return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)


def good_datasets():
    return {"features": values((ROWS, 3)), "probabilities": shares((ROWS, 4))}


def write_pool(directory, name="pool.h5", change=None, **datasets):
    """A pool in order but for the datasets given (None leaves one out) and what `change` does."""
    path = os.path.join(directory, name)
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "sluice-pool"
        file.attrs["format_version"] = 1
        for key, data in {**good_datasets(), **datasets}.items():
            if data is not None:
                file.create_dataset(key, data=data)
        if change:
            change(file)
    return [path]


def write_squeezed_pool(directory, rows=1 << 16, members=512):
    """128 MiB of zeros in one chunk that compresses a thousandfold."""
    path = os.path.join(directory, "squeezed.h5")
    with h5py.File(path, "w") as file:
        file.create_dataset("predictions", data=np.zeros((rows, members), np.float32),
                            chunks=(rows, members), compression="gzip", compression_opts=9)
    return [path]


def pool_with(change=None, **datasets):
    return lambda directory: write_pool(directory, change=change, **datasets)


def cell(role, index, value):
    """A pool whose dataset `role` has one wrong value."""
    def make(directory):
        data = {**good_datasets(), "committee": shares((ROWS, 3, 4)),
                "predictions": values((ROWS, 3, 2))}[role].astype(np.float64)
        data[index] = value
        return write_pool(directory, **{role: data.astype(np.float32)})
    return make


def replaced(role, create):
    """A pool whose dataset `role` is made by `create(file)`."""
    return pool_with(change=create, **{role: None})


def raw_file(content):
    def make(directory):
        path = os.path.join(directory, "pool.h5")
        with open(path, "wb") as file:
            file.write(content)
        return [path]
    return make


def named_pipe(directory):
    path = os.path.join(directory, "pool.h5")
    os.mkfifo(path)
    return [path]


def truncated(directory):
    [path] = write_pool(directory)
    os.truncate(path, os.path.getsize(path) - 100)
    return [path]


def still_open(directory):
    """Left behind by a writer that died with the file open in the latest format."""
    path = os.path.join(directory, "pool.h5")
    code = ("import h5py, os, sys\n"
            "file = h5py.File(sys.argv[1], 'w', libver='latest')\n"
            "file['features'] = [[1.0, 2.0]] * 20\n"
            "file.flush()\n"
            "os._exit(0)\n")
    subprocess.run([sys.executable, "-c", code, path], check=True)
    return [path]


def two_files(**second):
    def make(directory):
        return write_pool(directory) + write_pool(directory, "more.h5", **second)
    return make


def unallocated_chunk(file):
    data = file.create_dataset("features", (ROWS, 3), "f4", chunks=(5, 3))
    data[0:10] = values((10, 3))
    data[15:20] = values((5, 3))


def never_written(file):
    file.create_dataset("features", (ROWS, 3), "f4")


def damaged_chunk(directory):
    data = values((ROWS, 3))

    def create(file):
        file.create_dataset("features", data=data, chunks=(5, 3), fletcher32=True)
    [path] = write_pool(directory, change=create, features=None)
    with h5py.File(path) as file:
        chunk = file["features"].id.get_chunk_info(2)
    with open(path, "r+b") as file:
        file.seek(chunk.byte_offset + 7)
        byte = file.read(1)[0]
        file.seek(chunk.byte_offset + 7)
        file.write(bytes([byte ^ 1]))
    return [path]


def damaged_deflate(directory):
    def create(file):
        file.create_dataset("features", data=values((ROWS, 3)), chunks=(5, 3), compression="gzip")
    [path] = write_pool(directory, change=create, features=None)
    with h5py.File(path) as file:
        chunk = file["features"].id.get_chunk_info(1)
    with open(path, "r+b") as file:
        file.seek(chunk.byte_offset)
        file.write(b"\xff" * chunk.size)
    return [path]


def external_storage(directory):
    secret = os.path.join(directory, "secret.bin")
    values((ROWS, 3)).tofile(secret)

    def create(file):
        file.create_dataset("features", (ROWS, 3), "f4", external=[(secret, 0, ROWS * 12)])
    return write_pool(directory, change=create, features=None)


def external_link(directory):
    write_pool(directory, "other.h5")

    def create(file):
        file["features"] = h5py.ExternalLink("other.h5", "/features")
    return write_pool(directory, change=create, features=None)


def virtual_dataset(directory):
    write_pool(directory, "other.h5")

    def create(file):
        layout = h5py.VirtualLayout((ROWS, 3), "f4")
        layout[:] = h5py.VirtualSource(os.path.join(directory, "other.h5"), "features", (ROWS, 3))
        file.create_virtual_dataset("features", layout)
    return write_pool(directory, change=create, features=None)


def soft_link(target):
    def create(file):
        file["features"] = h5py.SoftLink(target)
    return replaced("features", create)


def compound(file):
    file.create_dataset("features", data=np.zeros((ROWS, 3), [("x", "f4"), ("y", "f4")]))


def enumeration(file):
    file.create_dataset("features", data=np.zeros((ROWS, 3), "i1"),
                        dtype=h5py.enum_dtype({"a": 0, "b": 1}, "i1"))


def names(file):
    file.create_dataset("features", data=np.full((ROWS, 3), b"word", "S4"))


def null_space(file):
    file.create_dataset("features", data=h5py.Empty("f4"))


def group(file):
    file.create_group("features")


def named_type(file):
    file["features"] = np.dtype("f4")


def string_ids(ids):
    def create(file):
        file.create_dataset("ids", data=ids, dtype=h5py.string_dtype())
    return pool_with(change=create)


def mutated(seed):
    """A pool with a few bytes of its metadata changed at random."""
    def make(directory):
        [path] = write_pool(directory)
        generator = random.Random(seed)
        with open(path, "r+b") as file:
            content = bytearray(file.read())
            for _ in range(generator.randint(1, 6)):
                content[generator.randrange(8, len(content))] = generator.randrange(256)
            file.seek(0)
            file.write(content)
        return [path]
    return make
