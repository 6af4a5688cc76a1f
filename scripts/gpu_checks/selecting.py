"""Runs `sluice` for the check and compares what comes out, byte for byte."""

import json
import os
import subprocess

REFUSALS = {64, 65, 66, 78}  # a question that has no answer; both devices must say so
BACKENDS = {"gpu": "cuda", "cpu": "cpu"}


def environment_of(ranks):
    """What Open MPI needs as root, with few cores, and without mpirun."""
    given = {"OMPI_MCA_pml": "ob1", "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_mpi_yield_when_idle": "1",
             "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    if ranks == 1:
        given["OMPI_MCA_ess_singleton_isolated"] = "1"
    return dict(os.environ, **given)


class Sluice:
    """The program of a build or of a bundle."""

    def __init__(self, programs):
        self.programs = programs

    def command(self, words, ranks=1):
        bundled = self.programs / "mpirun"
        mpirun = [bundled if bundled.exists() else "mpirun", "-n", ranks, "--bind-to", "none"]
        return list(map(str, [*(mpirun if ranks > 1 else []), self.programs / "sluice", *words]))

    def run(self, words, ranks=1):
        return subprocess.run(self.command(words, ranks), env=environment_of(ranks), capture_output=True,
                              text=True, check=False, stdin=subprocess.DEVNULL)


class Comparison:
    """Selects on both devices; counts what was the same and keeps what was not."""

    def __init__(self, sluice, folder, device):
        self.sluice = sluice
        self.folder = folder
        self.device = device
        self.num_equal = 0
        self.num_refused = 0
        self.differences = []
        self.runs_of = {}  # equal runs of each subject

    def select(self, case, device, ranks=1, block_rows=0):
        """The bytes of selected.csv, or the exit code of a refusal."""
        csv, report = self.folder / "selected.csv", self.folder / "report.json"
        for left in (csv, report):
            left.unlink(missing_ok=True)
        words = ["select", "--pool", self.folder / f"{case.pool}.h5", "--batch", 1 if case.pool.startswith("one") else 24,
                 "--seed", 7, "--threads", 2, "--device", device, "--selected", csv, "--json", report, *case.words]
        if block_rows:
            words += ["--block-rows", block_rows]
        finished = self.sluice.run(words, ranks)
        if finished.returncode in REFUSALS:
            return finished.returncode
        if finished.returncode != 0:
            raise RuntimeError(finished.stderr.strip().splitlines()[-1])
        ran_on = json.loads(report.read_text(encoding="utf-8"))["provenance"]["backend"]
        if ran_on != BACKENDS[device]:
            raise RuntimeError(f"--device {device} ran on {ran_on}")
        return csv.read_bytes()

    def compare(self, case):
        """True if the CPU can answer the case; all runs of the device must then give its bytes."""
        expected = self.select(case, "cpu")
        for how in case.runs:
            try:
                got = self.select(case, self.device, how.ranks, how.block_rows)
                problem = "" if got == expected else "differs from the CPU's"
            except RuntimeError as error:
                problem = str(error)
            if problem:
                self.differences.append(f"{case.text()} [{how.text()}]: {problem}")
            elif isinstance(expected, int):
                self.num_refused += 1
            else:
                self.num_equal += 1
                self.runs_of[case.subject] = self.runs_of.get(case.subject, 0) + 1
        return not isinstance(expected, int)

    def first_answered(self, cases):
        """Compares cases up to the first that can be answered; its index, or None."""
        for index, case in enumerate(cases):
            if self.compare(case):
                return index
        return None
