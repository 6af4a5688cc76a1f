#!/usr/bin/env python3
"""Kills and starves the commands of the labeling side at every file system call they make.

    labeling_crash_test.py label|label-items|ingest|reap|export|import|fsck [--errors none|rotate|all] [--queries ...]

For each call of the command (counted with strace on a run that succeeds, from the first that names the queue
or its labels):
  kill    SIGKILL at the call: the queue must be whole then by an auditor that shares no code with it, and the
          plain commands run again must give every item its label, once, with fsck clean;
  error   the call fails with ENOSPC, EDQUOT, EIO, EACCES or EROFS: the command ends with the right code and one
          line that names path and reason, also where it could go on without that call; results and labels
          published before are unchanged; the plain commands converge;
  query   the same where a call that only asks or reads fails with EIO or EACCES: what cannot be looked at is
          not taken for what is not there.
Then a file system that is full, and one that is read-only. Exit code 77: nothing could be tested here.
"""
import argparse
import enum
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from fault_injection import (CALLS, ERRORS, QUERIES, SKIPPED, Failure, check_error_line, expect,
                             inject, injected_call, memory_directory, mounted, query_faults,
                             run_all, strace_works, that_may_fail, traced_calls, traced_queries)
from labeling import (BINARY, Audit, finish, label_words, publish, sluice, succeed, write_oracle)

# The main thread is all there is of these commands; the oracles they start are left in peace.
STRACE = ["strace", "-qq"]


class Scene:
    """A queue directory with its labels, in the state in which the command under test meets it."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.queue = self.directory / "queue"
        self.labels = self.directory / "labels"
        self.oracle = self.directory / "oracle.ini"
        self.file = self.directory / "tasks.jsonl"
        self.environment = {"TMPDIR": str(self.directory / "scratch")}

    def create(self):
        (self.directory / "scratch").mkdir(parents=True)
        write_oracle(self.directory)
        publish(self.queue)
        return self

    def copy(self, name):
        shutil.copytree(self.directory, self.directory.parent / name, symlinks=True)
        return Scene(self.directory.parent / name)

    def run(self, words, prefix=()):
        return sluice(*words, prefix=prefix, environment=self.environment)

    def audit(self, context):
        return Audit(self.queue, self.labels, context).check_whole()

    def published(self):
        """Result files and label generations with their content."""
        found = {}
        for folder in (self.queue / "results", self.queue / "settled", self.labels):
            for path in sorted(folder.glob("*")) if folder.exists() else []:
                if not path.name.startswith("."):
                    found[path.name] = path.read_bytes()
        return found


def write_item_oracle(scene):
    """The same label by a process for each item, with files of its own."""
    (scene.directory / "deck.in").write_text("row {{row}}\n")
    (scene.directory / "items.ini").write_text("""[oracle]
name = items
version = 1
command = awk '{ print "y =", $2 / 2 }' deck
[template deck]
source = deck.in
[label y]
file = stdout
pattern = ^y = (\\S+)
""")


class UnprivilegedScene(Scene):
    """The same, with every command run by another user."""

    def __init__(self, directory, prefix):
        super().__init__(directory)
        self.prefix = prefix

    def run(self, words, prefix=()):
        return super().run(words, [*self.prefix, *prefix])


def label_some(scene, items):
    succeed(scene.run(label_words(scene.queue, scene.oracle, "--max-items", items)), "label some")


def dead_lease(scene):
    """A lease whose holder is killed while its oracle runs."""
    slow = scene.directory / "slow.ini"
    slow.write_text(scene.oracle.read_text().replace("line_oracle", "line_oracle 30"))
    worker = subprocess.Popen([BINARY, *map(str, label_words(scene.queue, slow))],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=dict(os.environ, **scene.environment))
    leased = scene.queue / "leased"
    while worker.poll() is None and not (leased.exists() and os.listdir(leased)):
        pass
    worker.kill()
    worker.wait()
    expect(os.listdir(leased), "the worker left no lease")


def answer_tasks(scene):
    """A person answers the exported tasks."""
    tasks = [json.loads(line) for line in scene.file.read_text().splitlines()]
    expect(tasks, "nothing was exported")
    for task in tasks:
        task["y"] = task["row"] * 0.5
        task["annotator"] = "ada"
    scene.file.write_text("".join(json.dumps(task) + "\n" for task in reversed(tasks)))


def export_words(scene):
    return ["queue", "export", "--queue", scene.queue, "--to", "jsonl", "--out", scene.file]


def import_words(scene):
    return ["queue", "import", scene.file, "--queue", scene.queue, "--from", "jsonl"]


def export_and_answer(scene):
    succeed(scene.run(export_words(scene)), "export")
    answer_tasks(scene)


class Needs(enum.Enum):
    space = 1
    folders = 2  # to move files in; none is written
    nothing = 3


class Case:
    """A command under test: what comes before it, its words, and what brings its work to the end."""

    def __init__(self, prepare, words, end, needs=Needs.space):
        self.prepare, self.words, self.end, self.needs = prepare, words, end, needs


def end_by_label(scene, context):
    finish(scene.queue, scene.labels, scene.oracle, context, run=scene.run)


def end_by_people(scene, context):
    succeed(scene.run(export_words(scene)), f"{context}: export")
    if scene.file.read_text():
        answer_tasks(scene)
        succeed(scene.run(import_words(scene)), f"{context}: import")
    end_by_label(scene, context)


def end_by_import(scene, context):
    succeed(scene.run(import_words(scene)), f"{context}: import")
    end_by_label(scene, context)


CASES = {
    "label": Case(lambda scene: None,
                  lambda scene: label_words(scene.queue, scene.oracle), end_by_label),
    "label-items": Case(write_item_oracle,
                        lambda scene: label_words(scene.queue, scene.directory / "items.ini"),
                        end_by_label),
    "ingest": Case(lambda scene: (label_some(scene, 2), scene.run(["ingest", "--queue", scene.queue,
                                                                   "--labels", scene.labels]),
                                  label_some(scene, 2)),
                   lambda scene: ["ingest", "--queue", scene.queue, "--labels", scene.labels],
                   end_by_label),
    "reap": Case(dead_lease,
                 lambda scene: ["queue", "reap", "--queue", scene.queue], end_by_label,
                 Needs.folders),
    "fsck": Case(lambda scene: label_some(scene, 2), lambda scene: ["queue", "fsck", "--queue", scene.queue],
                 end_by_label, Needs.nothing),
    "export": Case(lambda scene: None, export_words, end_by_people),
    "import": Case(export_and_answer, import_words, end_by_import),
}


class Tester:
    def __init__(self, case, directory):
        self.case = case
        self.elsewhere = set()
        self.start = Scene(pathlib.Path(directory) / "start").create()
        case.prepare(self.start)
        self.start.audit("prepared")
        whole = self.start.copy("whole")
        succeed(whole.run(case.words(whole)), "undisturbed")
        self.finish(whole, "undisturbed")

    def finish(self, scene, context):
        self.case.end(scene, context)
        Audit(scene.queue, scene.labels, context).check_labeled()
        shutil.rmtree(scene.directory)

    def points(self):
        scene = self.start.copy("traced")
        log = scene.directory / "trace"
        succeed(scene.run(self.case.words(scene), [*STRACE, "-y", "-o", str(log), "-e",
                                                   "trace=" + ",".join(CALLS + QUERIES)]),
                "traced")
        text = log.read_text()
        # exec and the loader come first: from the first call that names the queue, or its input.
        points, self.elsewhere = traced_calls(text, str(scene.directory))
        expect(len(points) > 10, f"only {len(points)} calls were seen")
        queries = traced_queries(text, str(scene.directory))
        expect(len(queries) > 10, f"only {len(queries)} queries were seen")
        shutil.rmtree(scene.directory)
        return points, that_may_fail(points, self.elsewhere), queries

    def kill_at(self, call, number):
        context = f"kill at {call} {number}"
        scene = self.start.copy(f"kill-{call}-{number}")
        before = self.start.published()
        result = scene.run(self.case.words(scene), [*STRACE, *inject(call, number, "signal=KILL")])
        expect(result.returncode in (-9, 137), f"{context}: was not killed: {result}")
        scene.audit(context)
        self.check_unchanged(before, scene, context)
        self.finish(scene, context)

    def fail_at(self, call, number, error):
        context = f"{error} at {call} {number}"
        scene = self.start.copy(f"error-{call}-{number}-{error}")
        before = self.start.published()
        log = scene.directory / "injected"
        result = scene.run(self.case.words(scene),
                           [*STRACE, *inject(call, number, f"error={error}", log)])
        scene.audit(context)
        self.check_unchanged(before, scene, context)
        failed = injected_call(log, error)
        if failed is not None:
            # What goes to a pipe or to memory has no path.
            place = "" if (call, number) in self.elsewhere else "/"
            check_error_line(result, error, place, f"{context}: {failed}")
        self.finish(scene, context)

    @staticmethod
    def check_unchanged(before, scene, context):
        after = scene.published()
        for name, content in before.items():
            expect(after.get(name) == content, f"{context}: {name} has changed or is gone")

    def small_disk(self):
        """A tmpfs with from no page to enough pages left."""
        mount = self.start.directory.parent / "small"
        mount.mkdir()
        if not mounted(["-t", "tmpfs", "-o", "size=16m", "tmpfs", str(mount)]):
            print("SKIPPED: a small tmpfs: mounting needs root")
            return
        try:
            scene = Scene(mount / "scene")
            shutil.copytree(self.start.directory, scene.directory, symlinks=True)
            self.fill_up(scene, mount)
            expect(mounted(["-o", "remount,ro", str(mount)]), "remount read-only")
            self.check_read_only(scene)
            expect(mounted(["-o", "remount,rw", str(mount)]), "remount for writing")
        finally:
            subprocess.run(["umount", str(mount)], check=True)

    def closed_folders(self):
        """Each folder without write permission, as a user who is not root."""
        prefix = []
        if os.geteuid() == 0:
            prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        os.chmod(self.start.directory.parent, 0o755)
        if self.start.run(["--version"], prefix).returncode != 0:
            print("SKIPPED: without permission: another user cannot run the program here")
            return
        folders = ["queue/tmp", "queue/pending", "queue/leased", "queue/results", "queue/settled",
                   "labels", "."]
        refused = [name for name in folders if self.refuses_without(name, prefix)]
        expect(refused or self.case.needs == Needs.nothing, "no folder was needed")

    def refuses_without(self, name, prefix):
        context = f"{name} without write permission"
        scene = self.start.copy("closed-" + name.replace("/", "-"))
        if prefix:
            for path in [scene.directory, *scene.directory.rglob("*")]:
                os.chown(path, 65534, 65534, follow_symlinks=False)
        folder = scene.directory / name
        if not folder.exists():
            return False
        before = scene.published()
        mode = folder.stat().st_mode
        os.chmod(folder, 0o555)
        result = scene.run(self.case.words(scene), prefix)
        os.chmod(folder, mode)
        scene.audit(context)
        self.check_unchanged(before, scene, context)
        if result.returncode != 0:
            check_error_line(result, "EACCES", "/", context)
        self.finish(UnprivilegedScene(scene.directory, prefix), context)
        return result.returncode != 0

    def fill_up(self, scene, mount):
        status = os.statvfs(mount)
        used = (status.f_blocks - status.f_bfree) * status.f_frsize // 1024
        refused = 0
        for pages in range(0, 200):
            expect(mounted(["-o", f"remount,size={used + 4 * pages}k", str(mount)]), "remount")
            result = scene.run(self.case.words(scene))
            if result.returncode == 0:
                break
            refused += 1
            context = f"{pages} pages left"
            check_error_line(result, "ENOSPC", "/", context)
            scene.audit(context)
        expect(refused > 0 or self.case.needs != Needs.space, "an exhausted tmpfs was enough")
        expect(mounted(["-o", "remount,size=16m", str(mount)]), "remount")
        self.case.end(scene, "after a full disk")
        Audit(scene.queue, scene.labels, "after a full disk").check_labeled()

    def check_read_only(self, scene):
        before = scene.published()
        result = scene.run(self.case.words(scene))
        if result.returncode != 0:
            check_error_line(result, "EROFS", "/", "read-only file system")
        self.check_unchanged(before, scene, "read-only file system")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=list(CASES))
    parser.add_argument("--errors", choices=["none", "rotate", "all"], default="all",
                        help="inject at each call no errno, one in turn, or every one")
    parser.add_argument("--queries", choices=["none", "rotate", "all"], default="none",
                        help="the same for calls that only ask and read")
    parser.add_argument("--query-every", type=int, default=1, help="of these, each one of so many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if not strace_works():
        print("SKIPPED: strace is missing or may not trace processes here")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="sluice-crash-", dir=memory_directory()) as directory:
        tester = Tester(CASES[options.command], directory)
        points, may_fail, queries = tester.points()
        jobs = [(tester.kill_at, call, number) for call, number in points]
        names = list(ERRORS)
        for index, (call, number) in enumerate(may_fail):
            chosen = {"none": [], "rotate": [names[index % len(names)]],
                      "all": names}[options.errors]
            jobs += [(tester.fail_at, call, number, name) for name in chosen]
        jobs += [(tester.fail_at, *fault)
                 for fault in query_faults(queries, options.queries, options.query_every)]
        failures = run_all([*jobs, (tester.small_disk,), (tester.closed_folders,)], options.jobs)
    print(f"{options.command}: {len(points)} calls, {len(queries)} queries, {len(jobs)} crashes and errors, "
          f"{len(failures)} failures")
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
