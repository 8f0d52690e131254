# SPDX-License-Identifier: GPL-2.0
"""What `./pvkit check` prints, in place of pytest's own reporter, and the names in its JUnit file."""
import collections
import os
import sys
import time

import pytest

from pvkit.check import matrix, processes, suites

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def suite_of(nodeid, known):
    """The id of the suite that an item is of: "FILE::ID" of a script, else the module's."""
    path, _, rest = nodeid.partition("::")
    if rest in known and path.endswith(".sh"):
        return rest
    stem = path.rpartition("/")[2].removesuffix(".py").removeprefix("test_").replace("_", "-")
    return stem if stem in known else ""


class Counts(collections.Counter):
    def __str__(self):
        parts = [f"{self[k]} {k}" for k in (PASSED, FAILED, SKIPPED) if self[k] or k == PASSED]
        return ", ".join(parts)


class Reporter:
    def __init__(self, config):
        self.config = config
        self.suites = config.pvkit_suites
        self.counts = collections.defaultdict(Counts)
        self.seconds = collections.defaultdict(float)
        self.notes = collections.defaultdict(list)
        self.skips = collections.defaultdict(list)
        self.failed, self.flaky = [], []
        self.items = {}         # of each suite that pytest runs itself, those that have not ended
        self.running = {}       # items that have begun and not ended, by node id
        self.done = 0
        self.began = time.monotonic()
        self.interrupted = False
        self.unheard = False

    def say(self, *lines):
        """Where nobody reads it any more, the tests go on, and the exit status says so."""
        try:
            for line in lines:
                print(line, flush=True)
        except OSError:
            self.unheard = True
            sys.stdout = open(os.devnull, "w", encoding="ascii")

    # What xdist tells

    def pytest_xdist_node_collection_finished(self, ids):
        for nodeid in ids:
            self.items.setdefault(suite_of(nodeid, self.suites), set()).add(nodeid)

    def pytest_runtest_logstart(self, nodeid):
        self.running[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid):
        self.running.pop(nodeid, None)
        name = suite_of(nodeid, self.suites)
        self.items[name].discard(nodeid)
        if not self.items[name]:
            self._suite_done(name)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report):
        name = suite_of(report.nodeid, self.suites)
        self.seconds[name] += report.duration if report.when == "suite" or not hasattr(report, "case") else 0
        if report.when == "suite":
            self.notes[name] += report.notes
            return
        case = getattr(report, "case", None)
        if case is None:
            case = report.nodeid.rpartition("::")[2].removeprefix("test_")
        else:
            report.nodeid = f"{name}::{case}"       # in the JUnit file, too
        if report.when == "teardown" and not report.failed:
            return
        if report.failed:
            self._fail(name, case, str(report.longrepr))
        elif report.skipped:
            self.counts[name][SKIPPED] += 1
            self.skips[name].append((case, report.longrepr[2] if isinstance(report.longrepr, tuple) else ""))
        elif report.when == "call":
            self.counts[name][PASSED] += 1
        for key, text in report.user_properties:
            if key == "flaky":
                self.flaky.append((name, case, text))
                self.say(f"flaky: {name}: {case}", *_indented(text))
            elif key == "note":
                self.notes[name].append(text)

    def pytest_collectreport(self, report):
        name = suite_of(report.nodeid, self.suites)
        if report.failed:
            self._fail(name or report.nodeid, "is collected", report.longreprtext)
        elif report.skipped and name:
            self.counts[name][SKIPPED] = 1
            self.skips[name] = [("all", report.longrepr[2])]

    def pytest_internalerror(self, excrepr):
        self._fail("pytest", "has no internal error", str(excrepr))

    def pytest_keyboard_interrupt(self):
        """Workers and what their suites have started end here: they would go on with the next suite."""
        self.interrupted = True
        processes.end(os.environ[processes.VARIABLE])

    def _fail(self, name, case, text):
        self.counts[name][FAILED] += 1
        self.failed.append((name, case))
        self.say(f"not ok {name}: {case}", *_indented(text))

    def _suite_done(self, name):
        self.done += 1
        self.say(f"[{self.done}/{len(self.suites)}] {name}: {self.counts[name]}, {self.seconds[name]:.0f} s",
                 *(f"    note: {n}" for n in self.notes[name]))

    # At the end

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        for name in [] if self.interrupted else self.suites:
            if self.items.get(name, True) and not sum(self.counts[name].values()):
                self._fail(name, "is run", "it was not run, or has no tests")
            elif self.items.get(name):
                self._fail(name, "is run to its end", "\n".join(sorted(self.items[name])))
        try:
            matrix.keep(self.suites, self.counts, self.skips)
            if self.config.getoption("matrix"):
                self.say("", *matrix.table(), "")
            self._remember_failed()
        except Exception as error:      # whatever happens, the closing line is printed, and is right
            self._fail("check", "keeps its results", f"{type(error).__name__}: {error}")
        if (self.failed or self.unheard) and session.exitstatus == 0:
            session.exitstatus = 1

    def pytest_unconfigure(self):
        total = sum(self.counts.values(), Counts())
        if len(self.suites) > 1:
            self._times()
        for name, case, _ in self.flaky:
            self.say(f"flaky, passed when it was run again: {name}: {case}")
        for name, case in self.failed:
            self.say(f"failed: {name}: {case}")
        if self.interrupted:
            names = sorted({suite_of(nodeid, self.suites) for nodeid in self.running})
            self.say(f"interrupted, while these were running: {', '.join(names) or 'none'}")
        self.say(f"{total[PASSED]} passed, {total[FAILED]} failed, {total[SKIPPED]} skipped")

    def _times(self):
        self.say("", "suites, the longest first:")
        for name, seconds in sorted(self.seconds.items(), key=lambda item: -item[1]):
            if name in self.suites:
                suite = self.suites[name]
                self.say(f"  {seconds:5.0f} s  {name}{' (smoke)' if suite.smoke else ''}{', nothing beside it' if suite.alone else ''}")
        self.say(f"  {time.monotonic() - self.began:5.0f} s  in all", "")

    def _remember_failed(self):
        """A suite that was not run to its end counts as what it was before."""
        ended = {name for name, left in self.items.items() if not left}
        now = {name for name, _ in self.failed}
        suites.remember_failed([s for s in self.suites.values() if s.id in now], ended)


def _indented(text):
    return [f"    {line}" for line in text.splitlines()]
