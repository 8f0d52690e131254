# SPDX-License-Identifier: GPL-2.0
"""Runs one suite's script and judges what it printed."""
import collections
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
    r"ERROR: AddressSanitizer.*", r": runtime error: .*", r"qemu-system-aarch64: .*", r"pvkit: .*")]
CONSOLE_LINES = 12
DIAGNOSTIC_LINES = 40
LINE_LENGTH = 500           # of what is shown; a binary that prints is one line of megabytes
OUTPUT_LIMIT = 16 << 20     # bytes: something that prints without end
LEFT_SECONDS = 2            # for what has been told to end
TOO_MUCH = f"pvkit: more than {OUTPUT_LIMIT >> 20} MiB of output\n"
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
    for name, failed in _numbered(first.failed):
        result = dict(_numbered(again.results)).get(name)
        if result and result.outcome == ktap.PASSED:
            result.flaky = failed.text
        elif failed.name == ITSELF:         # which is a case only where it fails
            again.results.append(Result(ITSELF, ktap.PASSED, flaky=failed.text))
        else:
            again.results = [r for r in again.results if r is not result]
            again.results.append(Result(failed.name, ktap.FAILED, f"failed, and was not run again\n{failed.text}"))
    return again


def _numbered(results):
    """With their names, of which there may be several, numbered."""
    seen = collections.Counter()
    for result in results:
        seen[result.name] += 1
        yield (result.name, seen[result.name]), result


def attempt(suite, level, number):
    """Runs the script in a directory of its own, build/check/ID, which stays if it fails."""
    work = pathlib.Path(os.environ["BUILD"]) / "check" / suite.id.replace("/", "-")
    remove(work)
    (work / "tmp").mkdir(parents=True)
    mark = f"{os.environ.get(processes.VARIABLE, 'run')}.{suite.id}.{number}."
    environment = os.environ | {
        "WORK": str(work), "TMPDIR": str(work / "tmp"), "PVKIT_LEVEL": level, "PVKIT_BUILT": "1",
        "PVKIT_KERNEL": suite.kernel, "PVKIT_SMOKE": "1" if suite.smoke else "", processes.VARIABLE: mark}
    console = work.parent / f"{work.name}{'' if number == 1 else '.again'}.tap"
    lines, status, seconds, left = _execute(["sh", str(suite.path), *suite.args.split()], environment, console, suite.limit, mark)
    results, notes = judge(suite, lines, status, left)
    made = Attempt(results, notes, seconds)
    if not made.failed:
        remove(work)
    return made


def remove(directory):
    """Also what a suite has made unreadable."""
    def again(function, path, _):
        os.chmod(os.path.dirname(path), 0o700)
        os.chmod(path, 0o700)
        function(path)

    if directory.exists():
        shutil.rmtree(directory, onerror=again)


def _execute(command, environment, console, limit, mark):
    """Returns lines with the time of each, the exit status (None: it hung), seconds, and the names
    of processes that it left behind."""
    began = time.monotonic()
    lines = []
    processes.adopt()           # before it can start anything
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True, cwd=environment["TOP"])

    def read():
        size = 0
        with open(console, "wb") as file:
            for line in process.stdout:
                size += len(line)
                if size > OUTPUT_LIMIT:
                    lines.append((0.0, TOO_MUCH))
                    processes.end(mark)
                    return
                lines.append((time.monotonic() - began, line.decode(errors="replace")))
                file.write(line)
                file.flush()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    status, left = None, []
    try:
        status = process.wait(limit)
        until = time.monotonic() + LEFT_SECONDS
        while (pids := processes.marked(mark) + processes.adopted(process.pid)) and time.monotonic() < until:
            time.sleep(0.1)
        left = [name for name in map(_name, pids) if name]
    except subprocess.TimeoutExpired:
        pass
    finally:
        processes.end(mark)
        processes.end_adopted(process.pid)
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
    elif status and (not failed or TOO_MUCH in text[-1:]):
        problems.append(f"exit status {status}")
    if left:
        problems.append(f"left running: {', '.join(left)}")
    if problems:
        results.append(Result(ITSELF, ktap.FAILED, "\n".join([*causes(text), *problems, *_console(text, len(text))])))
    notes = [line.strip().removeprefix("# note: ") for line in text if line.strip().startswith("# note: ")]
    return results, notes


def causes(text):
    """The first lines that say what died."""
    found = []
    for line in text:
        line = line[:LINE_LENGTH].strip()
        if any(p.search(line) for p in CAUSES) and line not in found:
            found.append(line)
            if len(found) == 3:
                break
    return [f"cause: {line}" for line in found]


def _why(case, text):
    if case.outcome != ktap.FAILED:
        return case.reason
    diagnostics = [line[:LINE_LENGTH].strip() for line in case.diagnostics[-DIAGNOSTIC_LINES:]]
    return "\n".join([*([case.reason] if case.reason else []), *diagnostics, *_console(text, case.line)])


def _console(text, upto):
    return ["last lines of the console:", *(f"  | {line[:LINE_LENGTH].rstrip()}" for line in text[max(0, upto - CONSOLE_LINES):upto])]
