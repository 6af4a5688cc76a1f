"""What the house tests share: the repository's files."""

import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(os.environ.get("SLUICE_SOURCE", pathlib.Path(__file__).parents[2])).resolve()
CODE_SUFFIXES = {".cpp", ".hpp", ".cu", ".cuh"}


def listed_by_git():
    """Names of the files git knows of or would add; None without git or outside a work tree."""
    if shutil.which("git") is None:
        return None
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False)
    return list(filter(None, listed.stdout.split("\0"))) if listed.returncode == 0 else None


def files():
    """Paths of all files that belong to the repository, relative to its root: git's list, or in an
    unpacked archive everything outside build folders."""
    names = listed_by_git()
    if names is None:
        names = (str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file())
    paths = sorted(pathlib.PurePosixPath(name) for name in names)
    return [path for path in paths
            if path.parts[0] not in ("build", ".git", ".venv") and (ROOT / path).is_file()]


def code_files(*folders):
    """C++ and CUDA files below these folders of the root."""
    return [path for path in files() if path.parts[0] in folders and path.suffix in CODE_SUFFIXES]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")
