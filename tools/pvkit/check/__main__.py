# SPDX-License-Identifier: GPL-2.0
"""The command: chooses suites, builds what they need, has pytest run them, and ends whatever they
have started, however it ends itself."""
import argparse
import fcntl
import os
import pathlib
import re
import signal
import subprocess
import sys
import uuid

from pvkit.check import processes, suites
from pvkit.check.run import remove

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
    if given.junit is not None:
        try:
            with open(given.junit, "a", encoding="utf-8"):
                pass
        except OSError as error:
            raise suites.Error(f"check: --junit: {error}") from None
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
    if given.kernel:
        failed = [s for s in failed if s.kernels and (s.kernel or suites.kernels()[0]) in given.kernel]
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
    if given.kernel or any(s.kernel and not s.smoke for s in picked):
        rest.append("--matrix")
    top = os.environ["TOP"]
    return [sys.executable, "-m", "pytest", "-p", "pvkit.check.plugin", "-p", "pvkit.check.scripts", "-p", "no:cacheprovider",
            "--rootdir", str(suites.directory()), "-c", f"{top}/tools/pvkit/check/pytest.ini", "--no-header", "-qq",
            "-n", str(min(given.j, len(picked))), "--max-worker-restart", "0", "--slots", slots, "--level", given.level,
            "--suites", ",".join(s.id for s in picked), "--smoke", ",".join(s.id for s in picked if s.smoke),
            *rest, "."]


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt(_signum, _frame):
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def run(mark, command, **keywords):
    """Exit status of a command. A signal that ends us ends it in order, and then all that it has left."""
    process = None
    # A user's settings for pytest are not for ours.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")} | {processes.VARIABLE: mark}
    try:
        # In a session of its own: the terminal's ^C comes to us alone, and once to it.
        process = subprocess.Popen(command, start_new_session=True, env=environment,
                                   preexec_fn=processes.end_with_parent, **keywords)
        return process.wait()
    except KeyboardInterrupt:
        if process:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                pass
        raise
    finally:
        processes.end(mark)
        if process:
            process.wait()


def main(words):
    given = arguments(words)
    if given.help and not given.words:
        print(USAGE)
        return 0
    picked = chosen(given)
    if given.help or given.list:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)       # | head
        everything = not (given.words or given.failed or given.kernel)
        print("\n".join(describe(picked) if given.help else
                        listing(suites.select(list(suites.load()), given.level) if everything else picked)))
        return 0
    if not picked:
        print("no suite failed when it was last run\n0 passed, 0 failed, 0 skipped")
        return 0
    build = pathlib.Path(os.environ["BUILD"])
    lock = open(build / ".check.lock", "w", encoding="ascii")      # until we and pytest end
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise suites.Error(f"check: another check is running in {build}") from None
    # Before anything is started, which would otherwise ignore the signals that we ignore: a shell
    # has its background commands ignore SIGINT. What nohup ignores, we ignore.
    for number in SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)
    mark = uuid.uuid4().hex
    if "PVKIT_SUITES" not in os.environ:
        status = run(mark, [os.environ["TOP"] + "/pvkit", "build"], stdout=subprocess.DEVNULL)
        if status:
            return 1
    (build / "check").mkdir(parents=True, exist_ok=True)
    for left in (build / "check").iterdir():
        if left.is_dir():
            remove(left)
        elif left.suffix == ".tap":
            left.unlink()
    slots = build / "check/slots"
    slots.mkdir()
    status = run(mark, pytest_command(given, picked, str(slots)), cwd=suites.directory(), pass_fds=(lock.fileno(),))
    return 1 if status else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except suites.Error as error:
        print(f"pvkit: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"pvkit: check: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
