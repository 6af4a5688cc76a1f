#!/usr/bin/env python3
"""Who may include whom: the rooms of src and kernels, and the outside headers each may use."""

import pathlib
import re
import unittest

import repository

# Room -> rooms it may include besides itself and core.
ROOMS = {
    "core": set(),
    "kernels": set(),
    "comm": set(),
    "h5": set(),
    "pool": {"h5", "comm"},
    "model": {"kernels", "h5"},
    "select": {"kernels", "comm", "pool", "model"},
    "queue": {"h5"},
    "oracle": {"queue"},
    "labels": {"comm", "h5", "pool", "model", "queue"},
    "campaign": {"kernels", "comm", "h5", "pool", "model", "select", "queue", "oracle", "labels"},
    # A batch of a stream is put together as a campaign's is.
    "stream": {"kernels", "comm", "h5", "pool", "model", "select", "queue", "campaign"},
    "study": {"kernels", "comm", "pool", "model", "select", "labels"},
    # Reads what campaigns leave, and takes statistics and axes from studies.
    "report": {"kernels", "comm", "h5", "pool", "model", "select", "queue", "oracle", "labels",
               "campaign", "study"},
    "cli": {"kernels", "comm", "h5", "pool", "model", "select", "queue", "oracle", "labels",
            "campaign", "stream", "study", "report"},
}

# Outside header -> the only places that may include it.
OUTSIDE = [
    (re.compile(r"(mpi|mpi-ext)\.h"), re.compile(r"src/comm/.*"), "<mpi.h> only in src/comm"),
    (re.compile(r"(hdf5|hdf5_hl|H5\w+)\.h"), re.compile(r"src/h5/.*"), "<hdf5.h> only in src/h5"),
    (re.compile(r"(unsupported/)?Eigen/.*"), re.compile(r"src/model/.*"), "Eigen only in src/model"),
    # Student's t of a paired test is Boost.Math's: no other dependency has its distribution.
    (re.compile(r"boost/math/.*"), re.compile(r"src/study/statistics\.cpp"),
     "Boost.Math only in src/study/statistics.cpp"),
    (re.compile(r"boost/(?!math/).*"), re.compile(r"src/cli/.*"), "Boost only in src/cli"),
    (re.compile(r"(cuda|cub/|thrust/|cooperative_groups|device_launch|nvToolsExt|math_constants).*"),
     re.compile(r"kernels/cuda/.*|kernels/.*\.cuh?"), "CUDA headers only in kernels/cuda and *.cu"),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def room_of(path):
    """The room a file is in: kernels, or the folder of src; None outside both."""
    parts = pathlib.PurePosixPath(path).parts
    if parts[0] == "kernels":
        return "kernels"
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def included_room(header):
    """The room of a project header as it is written in an #include; None for others."""
    first = header.split("/")[0]
    return first if "/" in header and first in ROOMS else None


def room_violation(path, header):
    """Why `path` may not include the project header `header`; None if it may."""
    source, target = room_of(path), included_room(header)
    if target is None or target in (source, "core"):
        return None
    parts = pathlib.PurePosixPath(path).parts
    if parts[0] == "tests":
        is_allowed = target != "cli" or parts[1] == "cli"
    else:
        is_allowed = target in ROOMS[source]
    return None if is_allowed else f"{path}: includes {header}: {source or parts[1]} may not use {target}"


def violations(path, text):
    """Every forbidden #include of a file, as one line each."""
    found = []
    in_rooms = room_of(path) is not None
    if in_rooms and room_of(path) not in ROOMS:
        found.append(f"{path}: room {room_of(path)} is not in the list of this test")
        return found
    for bracket, header in INCLUDE.findall(text):
        if ".." in header.split("/"):
            found.append(f"{path}: includes {header}: write the path from src or the root")
        found.append(room_violation(path, header))
        for outside, allowed, rule in OUTSIDE:
            if in_rooms and bracket == "<" and outside.fullmatch(header) \
                    and not allowed.fullmatch(str(path)):
                found.append(f"{path}: includes <{header}>: {rule}")
    return [line for line in found if line]


class Layering(unittest.TestCase):
    def test_repository_keeps_the_layering(self):
        files = repository.code_files("src", "kernels", "tests")
        self.assertGreater(len(files), 20)
        found = [line for path in files for line in violations(str(path), repository.read(path))]
        self.assertEqual(found, [], "\n" + "\n".join(found))


class PlantedViolations(unittest.TestCase):
    """The check must be able to fail."""

    def assert_refused(self, path, include):
        self.assertEqual(len(violations(path, f"#pragma once\n#include {include}\n")), 1,
                         f"{path} including {include}")

    def assert_allowed(self, path, include):
        self.assertEqual(violations(path, f"#pragma once\n#include {include}\n"), [])

    def test_room_upwards(self):
        self.assert_refused("src/core/x.cpp", '"comm/communicator.hpp"')
        self.assert_refused("src/pool/x.cpp", '"select/two_stage.hpp"')
        self.assert_refused("src/queue/x.hpp", '"pool/pool.hpp"')
        self.assert_refused("kernels/scores/x.hpp", '"h5/handle.hpp"')
        self.assert_refused("src/campaign/x.cpp", '"cli/options.hpp"')
        self.assert_refused("tests/select/x_test.cpp", '"cli/options.hpp"')

    def test_room_downwards(self):
        self.assert_allowed("src/select/x.cpp", '"kernels/score_rows.hpp"')
        self.assert_allowed("src/cli/x.cpp", '"campaign/select_round.hpp"')
        self.assert_allowed("tests/cli/x_test.cpp", '"cli/options.hpp"')

    def test_outside_headers(self):
        self.assert_refused("src/h5/x.cpp", "<mpi.h>")
        self.assert_refused("src/pool/x.cpp", "<hdf5.h>")
        self.assert_refused("src/campaign/x.cpp", "<boost/program_options.hpp>")
        self.assert_refused("src/campaign/x.cpp", "<boost/math/distributions/students_t.hpp>")
        self.assert_refused("src/select/x.cpp", "<cuda_runtime.h>")
        self.assert_refused("kernels/x_cpu.cpp", "<cub/cub.cuh>")
        self.assert_allowed("src/study/statistics.cpp", "<boost/math/distributions/students_t.hpp>")
        self.assert_allowed("src/comm/x.cpp", "<mpi.h>")
        self.assert_allowed("kernels/cuda/device.cpp", "<cuda_runtime_api.h>")
        self.assert_allowed("kernels/score_rows_cuda.cu", "<cuda_runtime.h>")

    def test_relative_path(self):
        self.assert_refused("src/cli/x.cpp", '"../campaign/x.hpp"')

    def test_unknown_room(self):
        self.assert_refused("src/attic/x.cpp", '"core/error.hpp"')


if __name__ == "__main__":
    unittest.main()
