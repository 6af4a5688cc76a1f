#!/usr/bin/env python3
"""Writes the pool files that tests/pool reads: make_test_pools.py DIRECTORY.

Good pools hold value(row, column) = ((31 row + 7 column) mod 1000) / 8 - 60 in 203 rows of 5, bad
ones one defect each. Needs h5py and NumPy.
"""
import os
import struct
import sys

import h5py
import numpy as np

ROWS, COLUMNS = 203, 5


def numbers(rows=ROWS, columns=COLUMNS, first=0):
    row, column = np.mgrid[first:first + rows, 0:columns]
    return ((31 * row + 7 * column) % 1000) / 8 - 60


def integers(rows=ROWS, columns=COLUMNS):
    row, column = np.mgrid[0:rows, 0:columns]
    return (31 * row + 7 * column) % 120


def good_layouts(create):
    f4 = numbers().astype("<f4")
    for name, options in {
            "contiguous": {},
            "chunks_1": {"chunks": (1, COLUMNS)},
            "chunks_7": {"chunks": (7, COLUMNS)},
            "chunks_64": {"chunks": (64, COLUMNS)},
            "chunks_of_columns": {"chunks": (20, 2)},
            "deflate": {"chunks": (16, COLUMNS), "compression": "gzip"},
            "shuffle": {"chunks": (16, COLUMNS), "shuffle": True},
            "fletcher32": {"chunks": (16, COLUMNS), "fletcher32": True},
            "all_filters": {"chunks": (16, COLUMNS), "compression": "gzip", "shuffle": True,
                            "fletcher32": True},
            "one_big_chunk": {"chunks": (300, COLUMNS), "maxshape": (None, COLUMNS),
                              "compression": "gzip", "shuffle": True},
            "scale_offset": {"chunks": (16, COLUMNS), "scaleoffset": 3},
            "resizable": {"chunks": (16, COLUMNS), "maxshape": (None, COLUMNS)},
    }.items():
        with create(name) as file:
            file.create_dataset("features", data=f4, **options)
    for name, options in {
            "latest_contiguous": {},
            "latest_chunks": {"chunks": (7, COLUMNS)},
            "latest_filters": {"chunks": (16, COLUMNS), "compression": "gzip", "shuffle": True},
            "latest_resizable": {"chunks": (16, COLUMNS), "maxshape": (None, COLUMNS)},
            "latest_one_chunk": {"chunks": (ROWS, COLUMNS)},
            "latest_chunks_1": {"chunks": (1, COLUMNS)},
            "latest_bounded": {"chunks": (16, COLUMNS), "maxshape": (2 * ROWS, 2 * COLUMNS)},
    }.items():
        with create(name, libver="latest") as file:
            file.create_dataset("features", data=f4, **options)
            for i in range(20):  # attributes make the object header go on elsewhere
                file["features"].attrs[f"note {i}"] = "x" * 100
    for name, options in {"user_block": {}, "user_block_chunks": {"chunks": (7, COLUMNS)},
                          "user_block_filters": {"chunks": (7, COLUMNS), "compression": "gzip"}}.items():
        with create(name, userblock_size=1024) as file:
            file.create_dataset("features", data=f4, **options)


def good_specials(create, directory):
    f4 = numbers().astype("<f4")
    with create("shrunk") as file:
        dataset = file.create_dataset("features", data=np.vstack([f4, f4]), chunks=(16, COLUMNS),
                                      maxshape=(None, COLUMNS))
        dataset.resize((ROWS, COLUMNS))
    with create("long_header") as file:
        dataset = file.create_dataset("features", (ROWS, COLUMNS), "<f4", chunks=(7, COLUMNS))
        for i in range(30):
            dataset.attrs[f"note {i}"] = "x" * 200
        dataset[...] = f4
    # Enough chunks for an array in pages; some pages of the bad one were never written.
    with create("latest_pages", libver="latest") as file:
        dataset = file.create_dataset("features", (5000, COLUMNS), "<f4", chunks=(1, COLUMNS),
                                      compression="gzip")
        dataset[...] = numbers(5000)
    with create("bad_pages", libver="latest") as file:
        dataset = file.create_dataset("features", (5000, COLUMNS), "<f4", chunks=(1, COLUMNS))
        dataset[:900] = numbers(900)
        dataset[4500:] = numbers(500)
    with create("soft_link") as file:
        file.create_dataset("deep/down/data", data=f4)
        file["deep/alias"] = h5py.SoftLink("down")
        file["features"] = h5py.SoftLink("/deep/alias/data")
    with create("skipped_filters") as file:
        dataset = file.create_dataset("features", (ROWS, COLUMNS), "<f4", chunks=(16, COLUMNS),
                                      compression="gzip", shuffle=True)
        dataset[...] = f4
        dataset.id.write_direct_chunk((16, 0), f4[16:32].tobytes(), filter_mask=3)
    with create("compact") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((ROWS, COLUMNS))
        dataset = h5py.h5d.create(file.id, b"features", h5py.h5t.IEEE_F32LE, space, properties)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, f4)
    with create("virtual_inside") as file:
        file.create_dataset("source", data=f4)
        layout = h5py.VirtualLayout((ROWS, COLUMNS), "<f4")
        layout[...] = h5py.VirtualSource(".", "source", (ROWS, COLUMNS))
        file.create_virtual_dataset("features", layout)
    with create("zero_rows") as file:
        file.create_dataset("features", (0, COLUMNS), "<f4")
    with create("zero_rows_chunked") as file:
        file.create_dataset("features", (0, COLUMNS), "<f4", chunks=(8, COLUMNS),
                            maxshape=(None, COLUMNS))
    ends = [0, 40, 41, 120, 150, ROWS]
    for i, options in enumerate([{}, {"chunks": (1, COLUMNS)}, {"chunks": (7, COLUMNS)},
                                 {"chunks": (13, COLUMNS), "compression": "gzip"},
                                 {"chunks": (9, 2)}]):
        with create(f"part{i}") as file:
            file.create_dataset("features", data=f4[ends[i]:ends[i + 1]], **options)


def good_types(create):
    for name in ["<f2", ">f2", ">f4", "<f8", ">f8"]:
        for chunked in [False, True]:
            label = name.replace("<", "little_").replace(">", "big_")
            with create(f"{label}{'_filters' if chunked else ''}") as file:
                options = {"chunks": (16, COLUMNS), "compression": "gzip", "shuffle": True,
                           "fletcher32": True} if chunked else {}
                file.create_dataset("features", data=numbers().astype(name), **options)
    for name in ["i1", "u1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", ">i8", "<u8"]:
        label = name.replace("<", "little_").replace(">", "big_")
        with create(f"int_{label}") as file:
            file.create_dataset("features", data=integers().astype(name))
    names = [f"item {i}" for i in range(ROWS - 1)] + ["Ångström"]
    with create("ids_variable") as file:
        file.create_dataset("ids", data=names, dtype=h5py.string_dtype())
    with create("ids_fixed") as file:
        file.create_dataset("ids", data=np.array([n.encode() for n in names]), chunks=(50,),
                            compression="gzip", shuffle=True)
    with create("ids_numbers") as file:
        file.create_dataset("ids", data=np.arange(ROWS, dtype="<u8") + np.uint64(2**63 - 100))
    with create("columns") as file:
        file.create_dataset("features", data=numbers().astype("<f4"))
        file.create_dataset("columns/energy", data=numbers()[:, 0])
        file.create_dataset("columns/odd", data=np.zeros(ROWS, dtype=[("a", "f4"), ("b", "i4")]))
        file["features"].attrs["names"] = [f"x{i}" for i in range(COLUMNS)]
        file["features"].attrs["units"] = np.array([b"nm"] * COLUMNS)
    with create("logits") as file:
        file.create_dataset("probabilities", data=numbers().astype("<f4"))
        file["probabilities"].attrs["kind"] = "logit"
    with create("committee") as file:
        file.create_dataset("committee", data=numbers(ROWS, 12).reshape(ROWS, 3, 4).astype("<f4"))


def bad_links_and_types(create):
    f4 = numbers().astype("<f4")
    with create("bad_foreign_names") as file:
        file.create_dataset("embeddings", data=f4)
        file.create_dataset("group/labels", data=np.arange(ROWS))
    with create("bad_group") as file:
        file.create_group("features")
    with create("bad_named_type") as file:
        file["features"] = np.dtype("<f4")
    with create("bad_loop") as file:
        file["features"] = h5py.SoftLink("/other")
        file["other"] = h5py.SoftLink("/features")
    with create("bad_dangling") as file:
        file["features"] = h5py.SoftLink("/gone")
    with create("bad_external_link") as file:
        file["features"] = h5py.ExternalLink("contiguous.h5", "/features")
    with create("bad_external_storage") as file:
        file.create_dataset("features", (4, 2), "<f4", external=[("/etc/passwd", 0, 32)])
    with create("bad_virtual") as file:
        layout = h5py.VirtualLayout((ROWS, COLUMNS), "<f4")
        layout[...] = h5py.VirtualSource("contiguous.h5", "features", (ROWS, COLUMNS))
        file.create_virtual_dataset("features", layout)
    with create("bad_virtual_source") as file:
        layout = h5py.VirtualLayout((ROWS, COLUMNS), "<f4")
        layout[...] = h5py.VirtualSource(".", "gone", (ROWS, COLUMNS))
        file.create_virtual_dataset("features", layout)
    for name, data in {"bad_bool": np.ones((4, 2), bool), "bad_text": np.full((4, 2), b"abc"),
                       "bad_compound": np.zeros((4, 2), dtype=[("a", "f4"), ("b", "i4")]),
                       "bad_complex": np.zeros((4, 2), "c8")}.items():
        with create(name) as file:
            file.create_dataset("features", data=data)
    with create("bad_bfloat16") as file:
        bfloat = h5py.h5t.IEEE_F32LE.copy()
        bfloat.set_fields(15, 7, 8, 0, 7)
        bfloat.set_size(2)
        h5py.h5d.create(file.id, b"features", bfloat, h5py.h5s.create_simple((4, 2)))
    with create("bad_name\x1b[31m") as file:
        file.create_dataset("x\x1b[31m\n", data=f4)
    with create("bad_kind") as file:
        file.create_dataset("probabilities", data=f4)
        file["probabilities"].attrs["kind"] = "maybe\x1b[1m"
    with create("bad_attribute") as file:
        file.create_dataset("inputs", data=f4)
        file["inputs"].attrs.create("names", np.full(50, b"x" * 1000))
    with create("bad_huge_attribute", libver="latest") as file:
        file.create_dataset("inputs", data=f4)
        file["inputs"].attrs.create("names", np.full(2000, b"x" * 1000))
    with create("bad_version") as file:
        file.attrs["format"] = "sluice-pool"
        file.attrs["format_version"] = 2
        file.create_dataset("features", data=f4)


def bad_shapes_and_storage(create):
    f4 = numbers().astype("<f4")
    with create("bad_null") as file:
        file["features"] = h5py.Empty("<f4")
    with create("bad_scalar") as file:
        file["features"] = np.float32(3)
    with create("bad_vector") as file:
        file["features"] = f4[:, 0]
    with create("bad_rank4") as file:
        file["features"] = np.zeros((2, 2, 2, 2), "<f4")
    with create("bad_no_columns") as file:
        file.create_dataset("features", (10, 0), "<f4")
    with create("bad_one_class") as file:
        file["probabilities"] = f4[:, :1]
    with create("bad_huge") as file:
        file.create_dataset("features", (2**62, 64), "<f4", chunks=(1, 64))
    with create("bad_huge_row") as file:
        file.create_dataset("features", (4, 2**40), "<f4", chunks=(1, 1024))
    with create("bad_lengths") as file:
        file["features"] = f4
        file["probabilities"] = f4[:100]
    with create("bad_unallocated") as file:
        dataset = file.create_dataset("features", (ROWS, COLUMNS), "<f4", chunks=(16, COLUMNS))
        dataset[0:32] = f4[0:32]
        dataset[48:ROWS] = f4[48:ROWS]
    with create("bad_never_written") as file:
        file.create_dataset("features", (ROWS, COLUMNS), "<f4")
    with create("bad_range") as file:
        values = numbers()
        values[150, 2] = 1e300
        file.create_dataset("features", data=values)
    with create("bad_filter") as file:
        file.create_dataset("features", data=f4, chunks=(16, COLUMNS), compression="lzf")
    with create("bad_width") as file:
        file["features"] = f4[:, :4]
    with create("bad_type") as file:
        file["features"] = f4.astype("<f8")


def flip_byte(path, position):
    with open(path, "r+b") as raw:
        raw.seek(position)
        byte = raw.read(1)[0]
        raw.seek(position)
        raw.write(bytes([byte ^ 0x10]))


def bad_bytes(create, directory):
    def path(name):
        return os.path.join(directory, name + ".h5")

    open(path("bad_empty"), "wb").close()
    with open(path("bad_not_hdf5"), "w", encoding="ascii") as raw:
        raw.write("row,value\n" * 1000)
    with open(path("contiguous"), "rb") as raw:
        whole = raw.read()
    with open(path("bad_truncated"), "wb") as raw:
        raw.write(whole[:len(whole) // 2])
    for name, options in {"bad_checksum": {"fletcher32": True},
                          "bad_deflate": {"compression": "gzip"}}.items():
        with create(name) as file:
            dataset = file.create_dataset("features", data=numbers().astype("<f4"),
                                          chunks=(16, COLUMNS), **options)
            place = dataset.id.get_chunk_info_by_coord((32, 0))
            position = place.byte_offset + place.size // 2
        flip_byte(path(name), position)
    with create("bad_open", libver="latest") as file:
        file.create_dataset("features", data=numbers().astype("<f4"))
    with open(path("bad_open"), "r+b") as raw:
        raw.seek(11)
        raw.write(struct.pack("B", 1))


def main():
    directory = sys.argv[1]

    def create(name, **options):
        return h5py.File(os.path.join(directory, name + ".h5"), "w", **options)

    good_layouts(create)
    good_specials(create, directory)
    good_types(create)
    bad_links_and_types(create)
    bad_shapes_and_storage(create)
    bad_bytes(create, directory)


if __name__ == "__main__":
    main()
