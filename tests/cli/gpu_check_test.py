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

# Selects what it is asked for, but with one row taken for another where blocks are small.
LIAR = """#!/bin/sh
"$SLUICE_HONEST" "$@" || exit
case " $* " in *" --block-rows "*) ;; *) exit 0 ;; esac
while [ $# -gt 0 ]; do [ "$1" = --selected ] && sed -i '2s/,/,9/' "$2"; shift; done
exit 0
"""
# Answers as sluice_bench_gpu does; the first turn is far off, as what is not warm may be.
BENCH = """#!/bin/sh
turn=9
while read -r line; do
    case $line in
    ids) printf 'G1.bald.10\\nG7\\n' ;;
    turn)
        printf 'G1.bald.10\\tours\\t%s\\t[1,5,10]\\nG1.bald.10\\tfloor\\t0.1\\tbytes\\n' "$turn"
        turn=0.2
        ;;
    "open G7") echo 'failed G7: no memory'; continue ;;
    esac
    echo done
done
"""
PEER = """#!/bin/sh
while read -r line; do
    case $line in
    ids) echo G1.bald.10 ;;
    "open G7") echo none; continue ;;
    turn) printf 'G1.bald.10\\ttorch_eager\\t1.0\\tpeer\\nG1.bald.10\\ttorch_compile\\t-\\tno compiler\\n' ;;
    esac
    echo done
done
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
        if (BUILD / "sluice_bench_gpu").exists():
            self.assertRegex(report, r"G6\.kmeanspp +rehearsed +cpu, floor, ours")
            self.assertRegex(report, r"G4\.bald\.1000 +rehearsed +floor, ours")
            self.assertIn("no figures", report)
        else:
            self.assertIn("nothing was rehearsed", report)
        self.assertNotRegex(report, r"\d ms\b")

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

    def table(self, *words):
        return subprocess.run([sys.executable, "-B", ROOT / "scripts/gpu_checks/table.py", *map(str, words)],
                              capture_output=True, text=True, check=False)

    def test_the_table_holds_what_was_measured_only(self):
        done = self.table("--bench", self.play("bench", BENCH), "--torch", self.play("python", PEER))
        self.assertEqual(done.returncode, 1, done.stderr)  # G7 could not be measured
        self.assertRegex(done.stdout, r"G1\.bald\.10 +200\.000 ms  \[1,5,10\]; median of 7 turns")
        self.assertIn("floor / ours 0.50 (goal 0.85, not reached)", done.stdout)
        self.assertRegex(done.stdout, r"1000\.000 ms +torch_eager: peer; 5.00 \(goal 4\) x")
        self.assertRegex(done.stdout, r"not measured +torch_compile: no compiler")
        self.assertRegex(done.stdout, r"G7 +not measured +ours: G7: no memory")
        self.assertRegex(done.stdout, r"G3 +not measured  no program knows this line")
        self.assertIn("cupy: not installed here", done.stdout)

    def test_a_bench_that_dies_is_named(self):
        done = self.table("--bench", self.play("bench", "#!/bin/sh\necho broken >&2; exit 3\n"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("sluice_bench_gpu: broken", done.stdout)

    def test_peers_answer_what_they_are_asked(self):
        found = shutil.which("/usr/bin/python3")
        if not found or subprocess.run([found, "-c", "import torch"], capture_output=True, check=False).returncode:
            self.skipTest("SKIPPED: no PyTorch")
        done = subprocess.run([found, "-B", ROOT / "scripts/gpu_checks/peers.py", "--library", "torch", "--device",
                               "cpu", "--shrink", "20000"], input="open G6.maxdet\nturn\nopen G9\nclose\n",
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^done\nG6\.maxdet\ttorch_loop\t\d+\.\d+\t.*\ndone\nnone\ndone\n$")


if __name__ == "__main__":
    unittest.main()
