"""How the program starts, ends and prints: ranks, locale, closed outputs, signals, INI files."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import bad_pools
from program import (BINARY, ENVIRONMENT, ERROR, MPIEXEC, error_lines, files_below, foreign_lines,
                     run)

SELECT_TO = ["select", "--pool", "pool.h5", "--batch", "5", "--queue"]
SELECT = [*SELECT_TO, "queue"]


class Process(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="sluice-process-")
        self.addCleanup(shutil.rmtree, self.directory)
        bad_pools.write_pool(self.directory)

    def run_here(self, arguments, **more):
        return run(arguments, cwd=self.directory, **more)

    def batches(self, queue="queue"):
        """The published batches' files."""
        found = files_below(os.path.join(self.directory, queue, "batches"))
        return {path: content for path, content in found.items() if path.endswith("selected.csv")}

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="utf-8", newline="") as file:
            file.write(text)

    def assert_one_error(self, result, code, pattern):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(len(error_lines(result)), 1, result.stderr)
        self.assertRegex(error_lines(result)[0][len(ERROR):], pattern)

    def test_help_and_version_do_not_start_mpi(self):
        broken = {"OMPI_MCA_ess": "none_such"}
        for words in (["--help"], ["help", "select"], ["--version"], ["pool", "make", "-h"]):
            result = self.run_here(words, environment=broken)
            self.assertEqual((result.returncode, result.stderr), (0, ""), words)
            self.assertGreater(len(result.stdout), 50)

    def test_help_is_printed_once_by_several_ranks(self):
        result = self.run_here(["--help"], ranks=3)
        self.assertEqual(result.stdout.count("usage:"), 1)

    def test_usage_errors_do_not_start_mpi(self):
        result = self.run_here(["select", "--btch", "3"], environment={"OMPI_MCA_ess": "none_such"})
        self.assert_one_error(result, 64, "^--btch: unknown option; did you mean --batch")
        self.assertEqual(len(result.stderr.splitlines()), 1)

    def test_42_usage_errors_are_printed_once_by_several_ranks(self):
        self.assert_one_error(self.run_here(["select", "--btch", "3"], ranks=3), 64,
                              "^--btch: unknown option; did you mean --batch")

    def test_43_configuration_errors_have_line_and_column(self):
        self.write("run.ini", "\ufeff[select]\r\nscore\t=\tentropy\r\nsede = 1\r\n")
        for ranks in (0, 2):
            result = self.run_here([*SELECT, "--config", "run.ini"], ranks=ranks)
            self.assert_one_error(result, 78, r"^run\.ini:3:1: sede: unknown key; did you mean seed")
        self.assertEqual(self.batches(), {})

    def test_the_command_line_wins_over_the_file(self):
        self.write("run.ini", "pool = pool.h5\nqueue = queue\nbatch = 7\nscore = random\n")
        result = self.run_here(["select", "--config", "run.ini", "--batch", "2"])
        self.assertEqual(result.returncode, 0, result.stderr)
        [table] = self.batches().values()
        self.assertEqual(len(table.splitlines()), 1 + 2)

    def test_68_ranks_with_other_arguments(self):
        part = ["-n", "1", BINARY, *SELECT]
        result = subprocess.run([MPIEXEC, *part, ":", *part, "--seed", "1"], cwd=self.directory,
                                env=ENVIRONMENT, text=True, capture_output=True, timeout=60)
        self.assert_one_error(result, 64, "^rank 1 was started with .*other arguments than rank 0; ")
        self.assertEqual(self.batches(), {})

    def test_67_results_are_complete_when_stdout_is_gone(self):
        self.assertEqual(self.run_here(SELECT).returncode, 0)
        expected = self.batches()
        self.assertEqual(len(expected), 1)
        read_end, broken_pipe = os.pipe()
        os.close(read_end)
        with open("/dev/full", "w", encoding="utf-8") as full, os.fdopen(broken_pipe, "w") as pipe:
            for name, how in (("closed", {"preexec_fn": lambda: os.close(1)}),
                              ("pipe", {"stdout": pipe}), ("full", {"stdout": full})):
                result = self.run_here([*SELECT_TO, name], capture_output=False, stderr=subprocess.PIPE, **how)
                self.assertEqual(result.returncode, 74, (name, result.stderr))
                self.assertLessEqual(len(error_lines(result)), 1, result.stderr)
                self.assertEqual(foreign_lines(result), [])
                self.assertEqual(self.batches(name), expected, name)

    def test_67_a_closed_stdout_is_not_taken_for_a_file(self):
        self.run_here(SELECT, capture_output=False, preexec_fn=lambda: os.closerange(0, 3))
        for path, content in files_below(self.directory).items():
            self.assertNotIn(b"published in", content, path)

    def test_69_a_stop_signal_ends_with_75_and_nothing_half_done(self):
        environment = dict(ENVIRONMENT, SLUICE_FAULT="plan:0:hang")
        for number in (signal.SIGTERM, signal.SIGUSR1):
            process = subprocess.Popen([BINARY, *SELECT], cwd=self.directory, env=environment,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.wait_until_paused(process.pid)
            process.send_signal(number)
            _, errors = process.communicate(timeout=30)
            self.assertEqual(process.returncode, 75, errors)
            self.assertEqual(errors.count(ERROR), 1, errors)
            self.assertEqual(self.batches(), {})
        self.assertEqual(self.run_here(SELECT).returncode, 0)
        self.assertEqual(len(self.batches()), 1)

    def wait_until_paused(self, process_id):
        """Waits until the process sleeps in pause(), having installed its handlers long before."""
        for _ in range(600):
            with open(f"/proc/{process_id}/wchan", encoding="utf-8") as file:
                channel = file.read()
            with open(f"/proc/{process_id}/syscall", encoding="utf-8") as file:
                call = file.read().split()[0]
            if "pause" in channel or call == "34":
                return
            time.sleep(0.05)
        self.fail("the fault was not reached")

    def test_70_a_locale_with_a_decimal_comma_changes_nothing(self):
        if shutil.which("localedef") is None:
            self.skipTest("localedef is not installed")
        made = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8",
                               os.path.join(self.directory, "de_DE.UTF-8")],
                              capture_output=True, check=False)
        if made.returncode != 0:
            self.skipTest("the locale de_DE.UTF-8 cannot be made: " + str(made.stderr))
        german = {"LC_ALL": "de_DE.UTF-8", "LOCPATH": self.directory, "TZ": "Asia/Kolkata"}
        shown = subprocess.run(["bash", "-c", "printf %.1f 1,5"], env=dict(ENVIRONMENT, **german),
                               text=True, capture_output=True, check=False)
        self.assertEqual(shown.stdout, "1,5", "the locale is not in force")
        tables = []
        for number, environment in enumerate(({}, german)):
            result = self.run_here([*SELECT_TO, f"queue{number}", "--memory", "0.5"],
                                   environment=environment)
            self.assertEqual(result.returncode, 0, result.stderr)
            tables.append(self.batches(f"queue{number}"))
        self.assertEqual(tables[0], tables[1])
        refused = self.run_here([*SELECT, "--memory", "0,5"], environment=german)
        self.assert_one_error(refused, 64, "^--memory: not a number")

    def test_tasks_that_mpi_does_not_connect_are_warned_of(self):
        slurm = {"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"}
        self.assertIn("warning: srun started 4 tasks", self.run_here(SELECT, environment=slurm).stderr)
        slurm["SLURM_PROCID"] = "1"
        self.assertNotIn("warning", self.run_here(SELECT, environment=slurm).stderr)

    def test_check_says_what_the_pool_allows(self):
        result = self.run_here(["check", "pool.h5"])
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"features +\[20 x 3\] +float32 ")
        self.assertRegex(result.stdout, r"entropy +yes, reads probabilities")
        self.assertRegex(result.stdout, r"bald +no: .*committee")
        self.assertRegex(result.stdout, r"k_center +yes")
        self.assertRegex(result.stdout, r"GB/s")
        several = self.run_here(["check", "pool.h5"], ranks=3)
        self.assertEqual(re.sub("read .*", "", several.stdout), re.sub("read .*", "", result.stdout))

    def test_a_made_pool_can_be_checked_and_selected_from(self):
        made = self.run_here(["pool", "make", "blobs", "--rows", "1_000", "--dim", "8", "--members",
                              "3", "--chunk-rows", "100", "--deflate", "1", "--out", "made.h5"])
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertRegex(made.stdout, r"^made made\.h5: 1,000 rows of blobs, [0-9.]+ KiB\n$")
        checked = self.run_here(["check", "made.h5"])
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertRegex(checked.stdout, r"bald +yes, reads committee")
        chosen = self.run_here(["select", "--pool", "made.h5", "--batch", "1e1", "--score", "bald",
                                "--selected", "made.csv"])
        self.assertEqual(chosen.returncode, 0, chosen.stderr)

    def test_60_a_limit_on_file_sizes_is_like_a_full_disk(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        before = files_below(self.directory)
        for arguments in (SELECT, ["pool", "make", "blobs", "--rows", "100", "--out", "made.h5"]):
            result = self.run_here(arguments, preexec_fn=limit)
            self.assert_one_error(result, 74, "; ")
            self.assertEqual(self.batches(), {})
        left = {path for path in files_below(self.directory) if os.path.dirname(path) != "queue"}
        self.assertEqual(left, set(before))
        self.assertEqual(self.run_here(SELECT).returncode, 0)

    def test_65_a_gpu_that_is_not_there(self):
        if "CUDA      no" not in self.run_here(["--version"]).stdout:
            self.skipTest("this build has CUDA; whether there is a GPU is the machine's affair")
        self.assert_one_error(self.run_here([*SELECT, "--device", "gpu"]), 69, "; ")
        self.assertEqual(self.batches(), {})
        self.assertEqual(self.run_here([*SELECT, "--device", "auto"]).returncode, 0)

    def test_outputs_that_cannot_be_written(self):
        for options in (["queue1", "--selected", "none/s.csv"], ["queue2", "--json", "none/s.json"]):
            result = self.run_here([*SELECT_TO, *options])
            self.assert_one_error(result, 73, r"none.*; ")
        result = self.run_here(["pool", "make", "blobs", "--rows", "5", "--out", "none/p.h5"])
        self.assert_one_error(result, 73, r"none.*; ")

    def shell(self, text, prefix=()):
        """Runs a shell line in which $0 is the program, for limits that only a shell sets."""
        return subprocess.run([*prefix, "sh", "-c", text, BINARY], cwd=self.directory,
                              capture_output=True, text=True, timeout=60, env=ENVIRONMENT)

    def test_08_without_locks_it_reads_on_with_one_warning(self):
        strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e",
                  "inject=flock:error=ENOSYS"]
        if shutil.which("strace") is None:
            self.skipTest("no strace here")
        result = self.shell('exec "$0" select --pool pool.h5 --queue queue --batch 5', strace)
        self.assertEqual(result.returncode, 0, result.stderr)
        warnings = re.findall("^sluice: warning: .*no locks", result.stderr, re.MULTILINE)
        self.assertEqual(len(warnings), 1, result.stderr)
        self.assertEqual(len(self.batches()), 1)

    def test_absent_fabrics_are_not_looked_for(self):
        if os.path.isdir("/sys/class/infiniband") or shutil.which("strace") is None:
            self.skipTest("needs strace, and a machine without InfiniBand")
        command = [MPIEXEC, "-n", "1", "strace", "-f", "-e", "trace=openat", BINARY, *SELECT]
        unset = {name: value for name, value in ENVIRONMENT.items() if name != "OMPI_MCA_pml"}
        for chosen, is_loaded in ({}, False), ({"OMPI_MCA_mtl": "ofi"}, True):
            result = subprocess.run(command, cwd=self.directory, env=unset | chosen, timeout=60,
                                    capture_output=True, text=True, check=True)
            loaded = re.search(r"mca_mtl_(ofi|psm2?)\.so", result.stderr) is not None
            self.assertEqual(loaded, is_loaded)

    def test_27_large_chunks_that_shrink_to_nothing_are_streamed(self):
        bad_pools.write_squeezed_pool(self.directory)
        result = self.run_here(["select", "--pool", "squeezed.h5", "--queue", "queue", "--batch",
                                "5", "--score", "committee_std", "--diversify", "none"])
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_61_directories_without_permission(self):
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            self.skipTest("dropping root needs root and setpriv")
        os.chmod(self.directory, 0o755)
        os.makedirs(os.path.join(self.directory, "closed"), mode=0o755)
        drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        if self.shell("test -x \"$0\"", drop).returncode != 0:
            self.skipTest("another user cannot run the program here")
        select = 'exec "$0" select --pool pool.h5 --batch 5 '
        for words in ("--queue closed/queue", "--queue closed/queue --selected closed/s.csv"):
            result = self.shell(select + words, drop)
            self.assert_one_error(result, 77, "^closed/.*Permission denied; ")
        result = self.shell('exec "$0" pool make blobs --rows 9 --out closed/p.h5', drop)
        self.assert_one_error(result, 77, "^closed/p.h5.*Permission denied.*; ")
        self.assertEqual(os.listdir(os.path.join(self.directory, "closed")), [])

    def test_62_limits_on_files_and_memory_are_named(self):
        select = 'exec "$0" select --pool pool.h5 --queue queue --batch 5'
        files = [self.shell(f"ulimit -n {limit}; {select}") for limit in range(8, 24)]
        told = [result for result in files if error_lines(result)]
        self.assertGreater(len(told), 0)
        for result in told:
            self.assert_one_error(result, 74, "Too many open files; raise the limit on open files")
        self.check_without_inodes()
        bad_pools.write_squeezed_pool(self.directory)
        result = self.shell("ulimit -v 180000; exec \"$0\" select --pool squeezed.h5 --queue queue "
                            "--batch 5 --score committee_std --diversify none")
        self.assert_one_error(result, 70, "out of memory.*lower --memory")

    def check_without_inodes(self):
        """A file system with room for bytes but not for one more file."""
        place = os.path.join(self.directory, "inodes")
        os.mkdir(place)
        options = ["-t", "tmpfs", "-o", "size=16m,nr_inodes=20", "tmpfs", place]
        if os.geteuid() != 0 or subprocess.run(["mount", *options]).returncode != 0:
            return
        try:
            result = self.shell('exec "$0" select --pool pool.h5 --queue inodes/queue --batch 5')
            self.assert_one_error(result, 74, "^inodes/queue/.*No space left on device; ")
        finally:
            subprocess.run(["umount", place], check=True)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
