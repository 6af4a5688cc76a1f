"""How scripts/gpu_checks/table.py talks to what it measures, so that all of it takes turns.

A program reads a line at a time: `ids`, `open ID`, `turn` (each side of the open case once), `close`. It answers with
lines, the last of which is `done`, `none` (no such id) or `failed` with a reason. Figures: id, side, seconds, what was
run, tab-separated; a side that cannot be run has `-` for its seconds and says why.
"""

import subprocess
import sys
import tempfile


def first_line(error):
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no reason given'}"


class Served:
    """The open case: sides are (name, work, what, factor of the seconds)."""

    def __init__(self, identifier, sides):
        self.identifier = identifier
        self.sides = list(sides)

    def turn(self, seconds_of):
        for side in list(self.sides):
            name, work, what, factor = side
            try:
                seconds = f"{seconds_of(work) * factor:.9f}"
            except Exception as error:  # pylint: disable=broad-except; a peer's failure is told, not ours
                self.sides.remove(side)
                seconds, what = "-", first_line(error)
            print(self.identifier, name, seconds, what, sep="\t")


def serve(cases, seconds_of):
    """Answers stdin. `cases` {id: function that makes the sides}; seconds_of(work) measures."""
    case = None
    for line in sys.stdin:
        word, _, identifier = line.strip().partition(" ")
        end = "done"
        try:
            if word == "ids":
                print(*cases, sep="\n")
            elif word == "turn":
                case.turn(seconds_of)
            else:
                case = None  # frees its memory first
                if word == "open":
                    case = Served(identifier, cases[identifier]()) if identifier in cases else None
                    end = "done" if case else "none"
        except Exception as error:  # pylint: disable=broad-except
            case, end = None, f"failed {first_line(error)}"
        print(end, flush=True)


class Program:
    """The other end: a program that is asked."""

    def __init__(self, name, command):
        self.name = name
        self.trouble = ""  # why there is nothing more to ask
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # pylint: disable=consider-using-with
        try:
            self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=self.errors, text=True)
        except OSError as error:
            self.process, self.trouble = None, str(error)

    def ask(self, line):
        """(lines, what went wrong or ""); None in place of lines for an id that it does not know."""
        if self.trouble:
            return [], self.trouble
        lines = []
        try:
            print(line, file=self.process.stdin, flush=True)
            for answer in self.process.stdout:
                answer = answer.rstrip("\n")
                if answer in ("done", "none"):
                    return (lines if answer == "done" else None), ""
                if answer.startswith("failed "):
                    return [], answer[len("failed "):]
                lines.append(answer)
        except OSError:
            pass  # it has ended; what it said on stderr follows
        self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines()
        self.trouble = said[-1] if said else f"ended with exit code {self.process.returncode}"
        return [], self.trouble

    def end(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait()
        self.errors.close()
