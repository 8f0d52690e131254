# SPDX-License-Identifier: GPL-2.0
"""The command: chooses suites, builds what they need, has pytest run them, and ends whatever they
have started, however it ends itself."""
import argparse
import fcntl
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid

from pvkit.check import processes, suites

USAGE = """usage: ./pvkit check [SUITE|GROUP|KERNEL[/SUITE] ...] [OPTIONS]
  Builds everything and runs all tests, or those named.
  -j N             so many suites at once (as many as there are CPUs); what is measured in
                   real time has nothing beside it
  --list           the suites: how long they take, what they are, their groups
  --failed         those that failed when they were last run
  --quick, --long  fewer suites; all, with more rounds, and those that take hours
  --kernel K       in guests with that kernel (can be repeated; all: with each), those suites
                   that can; then the table kernel x suite
  --junit FILE     results as JUnit XML
  -h, --help       this, or with a SUITE what that does
  Results are in build/check: SUITE.tap is what the suite printed; a directory SUITE stays if
  it failed. Exits 0 if no case failed, 1 if one did, 2 for bad arguments, 130 if interrupted."""


class Arguments(argparse.ArgumentParser):
    def error(self, message):
        raise suites.Error(f"check: {message} (try ./pvkit check --help)")


def arguments(words):
    parser = Arguments(add_help=False, allow_abbrev=False)
    parser.add_argument("words", nargs="*")
    parser.add_argument("-j", type=int, default=len(os.sched_getaffinity(0)))
    for flag in ("--list", "--failed", "--quick", "--long", "--help"):
        parser.add_argument(flag, *(["-h"] if flag == "--help" else []), action="store_true")
    parser.add_argument("--kernel", action="append", default=[])
    parser.add_argument("--junit")
    given = parser.parse_intermixed_args(words)
    if given.j < 1:
        raise suites.Error(f"check: -j must be at least 1, not {given.j}")
    if given.quick and given.long:
        raise suites.Error("check: --quick and --long exclude each other")
    given.level = "quick" if given.quick else "long" if given.long else "normal"
    if "all" in given.kernel:
        given.kernel = suites.kernels()
    for kernel in given.kernel:
        if kernel not in suites.kernels():
            near = suites.nearest(kernel, suites.kernels())
            raise suites.Error(f"check: --kernel {kernel}: there are {', '.join(suites.kernels())}, and all{near}")
    return given


def chosen(given):
    if not given.failed:
        return suites.select(given.words, given.level, given.kernel)
    failed = suites.select_failed(given.level)
    if given.words:
        wanted = {s.id for s in suites.select(given.words, given.level, given.kernel)}
        failed = [s for s in failed if s.id in wanted]
    return failed


def listing(picked):
    yield f"{'suite':28} {'level':6} {'time':6} {'about':>7}  groups; kernels; what"
    for suite in sorted(picked, key=lambda s: s.id):
        yield (f"{suite.id:28} {suite.level:6} {suite.time:6} {suite.seconds:5} s  {' '.join(suite.groups)}; "
               f"{suite.kernels or 'its own'}; {re.split('[.;:]( |$)', suite.about)[0]}")


def describe(picked):
    for suite in picked:
        yield f"{suite.id} ({suite.path.name}{' ' + suite.args if suite.args else ''}): {suite.about}"
        yield f"  time {suite.time}, about {suite.seconds} s, limit {suite.limit} s, level {suite.level}, groups {' '.join(suite.groups)}"


def pytest_command(given, picked, slots):
    rest = ["--junitxml", os.path.abspath(given.junit)] if given.junit else []
    top = os.environ["TOP"]
    return [sys.executable, "-m", "pytest", "-p", "pvkit.check.plugin", "-p", "pvkit.check.scripts", "-p", "no:cacheprovider",
            "--rootdir", str(suites.directory()), "-c", f"{top}/tools/pvkit/check/pytest.ini", "--no-header", "-qq",
            "-n", str(min(given.j, len(picked))), "--max-worker-restart", "0", "--slots", slots, "--level", given.level,
            "--suites", ",".join(s.id for s in picked), "--smoke", ",".join(s.id for s in picked if s.smoke),
            *rest, str(suites.directory())]


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt(signum, _frame):
    raise KeyboardInterrupt(signum)


def run(given, picked):
    """pytest's exit status. A signal that ends us ends pytest in order, then all that is left."""
    mark = uuid.uuid4().hex
    process = None
    # Before pytest is started, which would otherwise ignore the signals that we ignore: a shell
    # has its background commands ignore SIGINT.
    for number in SIGNALS:
        signal.signal(number, interrupt)
    with tempfile.TemporaryDirectory(prefix="pvkit-slots.") as slots:
        try:
            # In a session of its own: the terminal's ^C comes to us alone, and once to pytest.
            process = subprocess.Popen(pytest_command(given, picked, slots), start_new_session=True,
                                       env=os.environ | {processes.VARIABLE: mark})
            return process.wait()
        except KeyboardInterrupt:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            if process:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    pass
            return 130
        finally:
            processes.end(mark)
            if process:
                process.wait()


def main(words):
    given = arguments(words)
    picked = chosen(given)
    if given.help or given.list:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)       # | head
    if given.help:
        print("\n".join(describe(picked)) if given.words else USAGE)
        return 0
    if given.list:
        print("\n".join(listing(picked if given.words or given.failed or given.kernel else suites.select(list(suites.load()), given.level))))
        return 0
    if not picked:
        print("no suite failed when it was last run\n0 passed, 0 failed, 0 skipped")
        return 0
    build = pathlib.Path(os.environ["BUILD"])
    lock = open(build / ".check.lock", "w", encoding="ascii")      # until we end
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise suites.Error(f"check: another check is running in {build}") from None
    if "PVKIT_SUITES" not in os.environ:
        status = subprocess.run([os.environ["TOP"] + "/pvkit", "build"], stdout=subprocess.DEVNULL, check=False).returncode
        if status:
            return status
    (build / "check").mkdir(parents=True, exist_ok=True)
    for left in (build / "check").iterdir():
        if left.is_dir():
            shutil.rmtree(left)
        elif left.suffix == ".tap":
            left.unlink()
    return run(given, picked)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except suites.Error as error:
        print(f"pvkit: {error}", file=sys.stderr)
        sys.exit(2)
