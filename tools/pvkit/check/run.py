# SPDX-License-Identifier: GPL-2.0
"""Runs one suite's script and judges what it printed."""
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import threading
import time

from pvkit import ktap
from pvkit.check import processes

# What a console says when something died, for the message of a suite that did not end.
CAUSES = [re.compile(p) for p in (
    r"Kernel panic - not syncing: .*", r"hyp: PANIC.*", r"hyp: vm .*(crashed at|stopped: ).*",
    r"Unable to handle kernel .*", r"Internal error: .*", r"\bBUG: .*", r"watchdog: BUG: .*",
    r"ERROR: AddressSanitizer.*", r".*: runtime error: .*", r"qemu-system-aarch64: .*", r"pvkit: .*")]
CONSOLE_LINES = 12
DIAGNOSTIC_LINES = 40
# What is not a case of the suite's own, but that it could not be judged, or not to its end.
ITSELF = "the suite runs to its end"


@dataclasses.dataclass
class Result:
    """A case: what pytest is told. text: why it failed, or was skipped."""
    name: str
    outcome: str
    text: str = ""
    seconds: float = 0.0
    flaky: str = ""


@dataclasses.dataclass
class Attempt:
    results: list
    notes: list
    seconds: float

    @property
    def failed(self):
        return [r for r in self.results if r.outcome == ktap.FAILED]


def run(suite, level):
    """One attempt, and for a suite in real time a second one if that failed: a case that fails and
    then passes is flaky. Returns the Attempt that counts."""
    first = attempt(suite, level, 1)
    if not first.failed or suite.time != "real":
        return first
    again = attempt(suite, level, 2)
    again.seconds += first.seconds
    if again.failed:
        return again
    by_name = {r.name: r for r in again.results}
    for failed in first.failed:
        result = by_name.get(failed.name)
        if result is None:
            result = Result(failed.name, ktap.PASSED)
            again.results.append(result)
        result.flaky = failed.text
    return again


def attempt(suite, level, number):
    """Runs the script in a directory of its own, build/check/ID, which stays if it fails."""
    out = pathlib.Path(os.environ["BUILD"]) / "check" / suite.id.replace("/", "-")
    work = out.with_suffix("") if not out.suffix else out
    shutil.rmtree(work, ignore_errors=True)
    (work / "tmp").mkdir(parents=True)
    mark = f"{os.environ.get(processes.VARIABLE, 'run')}.{suite.id}.{number}."
    environment = os.environ | {
        "WORK": str(work), "TMPDIR": str(work / "tmp"), "PVKIT_LEVEL": level, "PVKIT_BUILT": "1",
        "PVKIT_KERNEL": suite.kernel, "PVKIT_SMOKE": "1" if suite.smoke else "", processes.VARIABLE: mark}
    console = out.parent / f"{out.name}{'' if number == 1 else '.again'}.tap"
    lines, status, seconds, left = _execute(["sh", str(suite.path), *suite.args.split()], environment, console, suite.limit, mark)
    results, notes = judge(suite, lines, status, left)
    made = Attempt(results, notes, seconds)
    if not made.failed:
        shutil.rmtree(work, ignore_errors=True)
    return made


def _execute(command, environment, console, limit, mark):
    """Returns lines with the time of each, the exit status (None: it hung), seconds, and the names
    of processes that it left behind."""
    began = time.monotonic()
    lines = []
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True, cwd=environment["TOP"])

    def read():
        with open(console, "wb") as file:
            for line in process.stdout:
                lines.append((time.monotonic() - began, line.decode(errors="replace")))
                file.write(line)
                file.flush()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    status, left = None, []
    try:
        status = process.wait(limit)
        reader.join(2)          # what it has left behind may have its output open
        left = [name for name in map(_name, processes.marked(mark)) if name]
    except subprocess.TimeoutExpired:
        pass
    finally:
        processes.end(mark)
        process.wait()
        reader.join(5)
    return lines, status, time.monotonic() - began, left


def _name(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return None


def judge(suite, lines, status, left=()):
    """Results and notes of what a suite printed. status: its exit status, None if it hung."""
    text = [line for _, line in lines]
    report = ktap.parse("".join(text))
    results, before = [], 0.0
    for case in report.cases:
        at = lines[min(case.line, len(lines)) - 1][0] if lines else 0.0
        results.append(Result(case.name, case.outcome, _why(case, text), max(0.0, at - before)))
        before = max(before, at)
    failed = any(r.outcome == ktap.FAILED for r in results)
    problems = list(report.errors)
    last = f'after "{report.cases[-1].name}"' if report.cases else "before its first case"
    if status is None:
        problems.insert(0, f"hung: not done after {suite.limit} s, ended {last}")
    elif status and not failed:
        problems.append(f"exit status {status}")
    if left:
        problems.append(f"left running: {', '.join(left)}")
    if problems:
        results.append(Result(ITSELF, ktap.FAILED, "\n".join([*causes(text), *problems, *_console(text, len(text))])))
    notes = [line.strip()[2:] for line in text if line.strip().startswith("# note: ")]
    return results, notes


def causes(text):
    """The first lines that say what died."""
    found = []
    for line in text:
        line = line.strip()
        if any(p.search(line) for p in CAUSES) and line not in found:
            found.append(line)
    return [f"cause: {line}" for line in found[:3]]


def _why(case, text):
    if case.outcome != ktap.FAILED:
        return case.reason
    diagnostics = [line.strip() for line in case.diagnostics[-DIAGNOSTIC_LINES:]]
    return "\n".join([*([case.reason] if case.reason else []), *diagnostics, *_console(text, case.line)])


def _console(text, upto):
    return ["last lines of the console:", *(f"  | {line.rstrip()}" for line in text[max(0, upto - CONSOLE_LINES):upto])]
