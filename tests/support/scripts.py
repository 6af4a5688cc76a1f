"""Runs the repository's Python scripts in the test's own process."""

import contextlib
import importlib
import io
import os
import pathlib
import sys
import types
import unittest.mock

SCRIPTS = pathlib.Path(os.environ["SLUICE_SOURCE"]) / "scripts"
sys.path.insert(0, str(SCRIPTS))
pool_file = importlib.import_module("pool_file")


def run_here(name, arguments):
    """Runs a script's main in this process, which saves starting Python and loading NumPy."""
    script = importlib.import_module(name.removesuffix(".py"))
    output, errors, code = io.StringIO(), io.StringIO(), 0
    with unittest.mock.patch.object(sys, "argv", [name, *map(str, arguments)]), \
            contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            pool_file.run_main(script.main)
        except SystemExit as leaving:
            code = leaving.code or 0
    return types.SimpleNamespace(returncode=code, stdout=output.getvalue(),
                                 stderr=errors.getvalue())
