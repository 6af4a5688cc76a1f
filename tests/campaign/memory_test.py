"""Memory of a rank: as the dry run says, and the same for a pool twice the size.

The pools are sparse files: early-allocated, never-written datasets read as zeros and take no disk,
so a pool of 8 GiB costs nothing but the reading.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

import h5py

BINARY = os.environ["SLUICE_BINARY"]
GIB = 1 << 30
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
RANK_PROGRAM = """
import os, resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
open(sys.argv[1] + os.environ["OMPI_COMM_WORLD_RANK"], "w").write(str(peak * 1024))
sys.exit(code)
"""


def write_sparse_pool(path, num_bytes, members=256, dim=256):
    """A committee of predictions [N,members] and features [N,dim], all zeros, of about num_bytes."""
    rows = num_bytes // (4 * (members + dim))
    with h5py.File(path, "w") as file:
        for name, width in (("predictions", members), ("features", dim)):
            properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F32LE,
                            h5py.h5s.create_simple((rows, width)), properties)
    return rows


def bytes_of(text):
    number, unit = text.split()
    return float(number) * UNITS[unit]


class Memory(unittest.TestCase):
    def run_select(self, folder, pool, ranks):
        """Predicted and measured peak of the largest rank, in bytes."""
        options = ["select", "--pool", pool, "--score", "committee_std", "--batch", "500",
                   "--shortlist", "200000", "--memory", "2"]
        mpirun = ["mpirun", "-n", str(ranks), "--bind-to", "none"]
        plan = subprocess.run([*mpirun, BINARY, *options, "--dry-run"], check=True,
                              capture_output=True, text=True, timeout=60).stdout
        predicted = bytes_of(re.search(r"memory +(\S+ \S+) per rank", plan).group(1))
        peaks = os.path.join(folder, "peak.")
        subprocess.run([*mpirun, sys.executable, "-c", RANK_PROGRAM, peaks, BINARY, *options,
                        "--selected", os.path.join(folder, "selected.csv")],
                       check=True, capture_output=True, timeout=300)
        return predicted, max(self.peak_of(peaks + str(rank)) for rank in range(ranks))

    @staticmethod
    def peak_of(path):
        with open(path, encoding="ascii") as file:
            return int(file.read())

    def test_peak_is_as_predicted_and_independent_of_the_pool(self):
        for ranks in (1, 2):
            measured = {}
            for size in (4 * GIB, 8 * GIB):
                with tempfile.TemporaryDirectory() as folder:
                    pool = os.path.join(folder, "pool.h5")
                    write_sparse_pool(pool, size)
                    predicted, measured[size] = self.run_select(folder, pool, ranks)
                print(f"{ranks} rank(s), {size // GIB} GiB: predicted {predicted / 2**20:.0f} MiB, "
                      f"measured {measured[size] / 2**20:.0f} MiB")
                self.assertLess(abs(measured[size] - predicted), 0.10 * predicted)
            self.assertLess(abs(measured[8 * GIB] - measured[4 * GIB]), 0.03 * measured[4 * GIB])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
