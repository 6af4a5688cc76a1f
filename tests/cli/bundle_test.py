"""The bundle runs in a root directory that holds nothing but a shell, four tools and glibc."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import bad_pools
from program import BINARY

ROOT = pathlib.Path(__file__).parents[2]
TOOLS = ["sh", "dirname", "id", "cat"]
SELECT = ["select", "--pool", "/work/pool.h5", "--batch", "5"]


def glibc_files():
    """The loader and the libraries of glibc, as the tools are linked with them."""
    listed = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    words = [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]
    names = ("ld-linux", "libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libresolv.so", "libutil.so")
    return sorted({word for word in words if os.path.basename(word).startswith(names)})


def put(root, path, target=None):
    """Copies a file, and what it is linked with, to the same place below `root`."""
    place = root / (target or path).lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(os.path.realpath(path), place)


def make_root(root):
    for tool in TOOLS:
        path = shutil.which(tool)
        put(root, path, f"/bin/{tool}")
        listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        for word in listed.split():
            if word.startswith("/"):
                put(root, word)
    for path in glibc_files():
        put(root, path)
    for directory in ("tmp", "proc", "sys", "dev", "work", "etc"):
        (root / directory).mkdir()
    (root / "dev/null").touch()
    (root / "etc/passwd").write_text("root:x:0:0:root:/tmp:/bin/sh\n", encoding="utf-8")


@unittest.skipUnless(os.geteuid() == 0, "SKIPPED: a root directory of its own needs root")
class Bundle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="sluice-bundle-")
        cls.root = pathlib.Path(cls.folder.name) / "root"
        cls.root.mkdir()
        make_root(cls.root)
        made = subprocess.run([ROOT / "scripts/bundle.sh", "--build", os.path.dirname(BINARY), "--out",
                               cls.root / "bundle"], capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr
        bad_pools.write_pool(cls.root / "work")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def inside(self, *words):
        mounts = ('mount -t proc proc "$0/proc" && mount -t sysfs sysfs "$0/sys" && '
                  'exec chroot "$0" "$@"')
        return subprocess.run(["unshare", "--mount", "sh", "-c", mounts, self.root, *words], text=True,
                              capture_output=True, check=False, env={"PATH": "/bin:" + os.environ["PATH"]})

    def selected(self, name, *words):
        result = self.inside(*words, "--selected", f"/work/{name}")
        self.assertEqual(result.returncode, 0, result.stderr)
        return (self.root / "work" / name).read_bytes()

    def test_ranks_of_the_bundle_choose_what_the_build_chooses(self):
        here = pathlib.Path(self.folder.name) / "here.csv"
        subprocess.run([BINARY, *SELECT[:2], self.root / "work/pool.h5", *SELECT[3:], "--selected", here],
                       check=True, capture_output=True)
        self.assertEqual(self.selected("one.csv", "/bundle/sluice", *SELECT), here.read_bytes())
        two = self.selected("two.csv", "/bundle/mpirun", "-n", "2", "--oversubscribe", "/bundle/sluice", *SELECT)
        self.assertEqual(two, here.read_bytes())

    def test_a_folder_that_is_no_bundle_is_not_replaced(self):
        precious = pathlib.Path(self.folder.name) / "precious"
        precious.mkdir()
        made = subprocess.run([ROOT / "scripts/bundle.sh", "--build", os.path.dirname(BINARY), "--out", precious],
                              capture_output=True, text=True, check=False)
        self.assertEqual(made.returncode, 73, made.stderr)
        self.assertTrue(precious.is_dir())


if __name__ == "__main__":
    if shutil.which("unshare") is None or subprocess.run(
            ["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        print("SKIPPED: unshare may not make a mount namespace here")
        sys.exit(77)
    unittest.main()
