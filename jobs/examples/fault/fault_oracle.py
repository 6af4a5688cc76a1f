#!/usr/bin/env python3
"""An oracle that fails in a chosen way, for trying out how a queue copes.

The label is the sum of all inputs but `fault` and `seconds`. The input `fault` chooses the
behaviour by its number in FAULTS; without it the variable FAULT does by name; without both all is
well. With `--lines` it reads one JSON object a line from stdin and answers each on stdout,
otherwise it reads input.json and writes result.json. FAULT_LOG names a file to which each item's
number is added whenever it is worked on.
"""

import json
import math
import os
import signal
import sys
import time

FAULTS = ["ok", "crash", "exit", "hang", "garbage", "nan", "wrong", "unconverged", "slow",
          "huge_log", "refuse", "partial", "silent", "stop", "deaf", "flaky"]
CONTROLS = ("fault", "seconds")
OUT_OF_BOUNDS = 1e9
FAILED, REFUSED, STOP_WORKER = 7, 20, 30


def fault_of(inputs):
    number = inputs.get("fault")
    return os.environ.get("FAULT", "ok") if number is None else FAULTS[int(number)]


def label_of(inputs):
    return math.fsum(value for name, value in inputs.items() if name not in CONTROLS)


def note(item):
    """Counts the tries of an item in FAULT_LOG; its tries before this one."""
    path = os.environ.get("FAULT_LOG")
    if path is None:
        return 0
    line = f"{item['item']}\n"
    with open(path, "a+", encoding="ascii") as log:
        log.write(line)
        log.flush()
        log.seek(0)
        return log.readlines().count(line) - 1


def die():
    print("about to crash", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)


def leave(code, words):
    print(words, file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(code)


def hang(deaf):
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)


def fill_log():
    while True:
        sys.stderr.write("iteration " * 1000 + "\n")


def misbehave(fault, tries_before):
    """The faults that end or never end the process."""
    if fault == "crash" or (fault == "flaky" and tries_before == 0):
        die()
    elif fault == "exit":
        leave(FAILED, "the matrix is singular")
    elif fault == "refuse":
        leave(REFUSED, "no licence is free")
    elif fault == "stop":
        leave(STOP_WORKER, "the disk of this node is broken")
    elif fault in ("hang", "deaf"):
        hang(fault == "deaf")
    elif fault == "huge_log":
        fill_log()


def result_text(item, fault):
    """What is written as the result; None = nothing."""
    result = {"y": label_of(item["inputs"]), "converged": True, "iterations": 12}
    if fault == "silent":
        return None
    if fault == "garbage":
        return '{"y": 1.0, "converged": tr'
    if fault == "nan":
        result["y"] = math.nan
    if fault == "wrong":
        result["y"] = OUT_OF_BOUNDS
    if fault == "unconverged":
        result.update(converged=False, reason="no self-consistency after 50 iterations")
    return json.dumps(result)


def work_on(item):
    inputs, tries_before = item["inputs"], note(item)
    fault = fault_of(inputs)
    if fault == "slow":
        time.sleep(inputs.get("seconds", 1.0))
    misbehave(fault, tries_before)
    return fault, result_text(item, fault)


def answer_lines():
    for line in sys.stdin:
        item = json.loads(line)
        fault, text = work_on(item)
        if fault == "partial":
            print(f'{{"item": {item["item"]}, "y": 1', end="", flush=True)
            die()
        if text is None:
            continue
        print(text if fault == "garbage" else f'{{"item": {item["item"]}, {text[1:]}', flush=True)


def answer_file():
    with open("input.json", encoding="utf-8") as file:
        item = json.load(file)
    fault, text = work_on(item)
    if text is None:
        return
    with open("result.json", "w", encoding="utf-8") as file:
        file.write(text[:9] if fault == "partial" else text)
    if fault == "partial":
        die()


if __name__ == "__main__":
    if "--lines" in sys.argv[1:]:
        answer_lines()
    else:
        answer_file()
