"""Runs the sluice program for the tests of its command line."""

import os
import subprocess

BINARY = os.environ["SLUICE_BINARY"]
MPIEXEC = os.environ.get("SLUICE_MPIEXEC", "mpirun")
ERROR = "sluice: error: "

ENVIRONMENT = dict(
    os.environ,
    OMPI_ALLOW_RUN_AS_ROOT="1",
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
    OMPI_MCA_rmaps_base_oversubscribe="1",
    OMPI_MCA_mpi_yield_when_idle="1",
    ASAN_OPTIONS="detect_leaks=0",
)


def run(arguments, ranks=0, **more):
    """Runs `sluice ARGUMENTS`; through mpirun when ranks > 0."""
    command = [BINARY, *map(str, arguments)]
    environment = dict(ENVIRONMENT, **more.pop("environment", {}))
    if ranks:
        command = [MPIEXEC, "-n", str(ranks), "--bind-to", "none", *command]
        environment.setdefault("OMPI_MCA_pml", "ob1")
    return subprocess.run(
        command, env=environment, text=True, errors="surrogateescape", timeout=60,
        stdin=subprocess.DEVNULL, **{"capture_output": True, **more})


def error_lines(result):
    """The lines on stderr that report an error."""
    return [line for line in result.stderr.splitlines() if line.startswith(ERROR)]


def foreign_lines(result):
    """Lines on stderr that something else than sluice's log wrote, such as a library."""
    return [line for line in result.stderr.splitlines() if not line.startswith("sluice: ")]


def files_below(directory):
    """Every file below a directory with its content, by relative path."""
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                found[os.path.relpath(path, directory)] = file.read()
    return found
