"""scripts/gpu_check.sh without a GPU: the CPU is compared with itself, and a program that lies is found out."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from program import BINARY

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(BINARY).parent
SCRIPT = ROOT / "scripts/gpu_check.sh"
sys.path.insert(0, str(ROOT / "scripts/gpu_checks"))

import table  # noqa: E402

# Selects what it is asked for, but with one row taken for another where blocks are small.
LIAR = """#!/bin/sh
"$SLUICE_HONEST" "$@" || exit
case " $* " in *" --block-rows "*) ;; *) exit 0 ;; esac
while [ $# -gt 0 ]; do [ "$1" = --selected ] && sed -i '2s/,/,9/' "$2"; shift; done
exit 0
"""
BENCH = """#!/bin/sh
printf 'copy\\tours\\t0.5\\t2 GB\\nG1.bald.10\\tours\\t0.2\\t[1,5,10]\\nG1.bald.10\\tfloor\\t0.1\\tbytes\\n'
"""


def run(*words, **environment):
    return subprocess.run([SCRIPT, *map(str, words)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, **environment))


class GpuCheck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-gpu-check-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.report = self.folder / "report.txt"

    def check(self, *words, programs=BUILD, **environment):
        return run("--build", programs, "--device", "cpu", "--rows", 300, "--quick", "--out", self.report,
                   "--work", self.folder / "work", *words, **environment)

    def play(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    def test_compares_all_that_it_says(self):
        done = self.check("--only", "entropy", "--only", "committee_std", "--only", "k_center")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = self.report.read_text(encoding="utf-8")
        for line in ("score entropy ", "score committee_std ", "diversity k_center ", "cuda_twin_test: ",
                     "2 scores and 1 diversities are the same", "0 different", "build      sluice ", "commit "):
            self.assertIn(line, report)
        self.assertIn("nothing of this was run on a GPU" if not shutil.which("nvidia-smi") else "device ", report)
        self.assertIn("no figures", report)

    def test_finds_a_difference_and_leaves_no_report(self):
        self.play("sluice", LIAR)
        for test in ("backend_test", "cuda_twin_test"):
            self.play(test, "#!/bin/sh\nexit 0\n")
        done = self.check("--only", "entropy", programs=self.folder, SLUICE_HONEST=BINARY)
        self.assertEqual(done.returncode, 65, done.stdout + done.stderr)
        self.assertIn("DIFFERENT  score entropy: plain.h5", done.stdout)
        self.assertFalse(self.report.exists())

    def test_finds_a_test_that_fails(self):
        self.play("sluice", f'#!/bin/sh\nexec "{BINARY}" "$@"\n')
        self.play("backend_test", "#!/bin/sh\necho differ; exit 1\n")
        done = self.check(programs=self.folder)
        self.assertEqual(done.returncode, 65)
        self.assertIn("differ", done.stdout)

    def test_lists_every_score_and_diversity(self):
        done = run("--dry-run", "--build", BUILD)
        self.assertEqual(done.returncode, 0, done.stderr)
        named = subprocess.run([BINARY, "help", "select"], capture_output=True, text=True, check=True).stdout
        for name in ("score bald", "score expected_gradient_length", "diversity none", "diversity cluster_margin"):
            self.assertIn(f"{name}\n", done.stdout)
            self.assertIn(f"\n  {name.split()[1]}", named)

    def test_without_a_gpu_it_says_so(self):
        if shutil.which("nvidia-smi"):
            self.skipTest("SKIPPED: this machine has nvidia-smi")
        done = run("--build", BUILD)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (69, 1))
        self.assertIn("no NVIDIA GPU", done.stderr)

    def test_the_table_holds_what_was_measured_only(self):
        bench = self.play("bench", BENCH)
        done = subprocess.run([sys.executable, "-B", ROOT / "scripts/gpu_checks/table.py", "--bench", bench],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"G1\.bald\.10 +200\.000 ms")
        self.assertIn("floor / ours 0.50 (goal 0.85, not reached)", done.stdout)
        self.assertRegex(done.stdout, r"not measured +torch_eager")
        self.assertRegex(done.stdout, r"G3 +not measured")
        figures = table.merged(table.figures_of("a\tours\t1.0\tx\nnoise\n"), table.figures_of("a\tpeer\t2.0\ty\n"))
        self.assertEqual(figures, {"a": {"ours": (1.0, "x"), "peer": (2.0, "y")}})


if __name__ == "__main__":
    unittest.main()
