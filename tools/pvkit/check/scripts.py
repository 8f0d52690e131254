# SPDX-License-Identifier: GPL-2.0
"""Suites that are scripts, as pytest's collectors and items. A script prints KTAP; each of its cases
is reported, as pytest-subtests does it: several reports for one item."""
import traceback

import pytest

from pvkit import ktap
from pvkit.check import run


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".sh":
        return SuiteFile.from_parent(parent, path=file_path)
    return None


class SuiteFile(pytest.File):
    def collect(self):
        for suite in self.config.pvkit_suites.values():
            if suite.path == self.path:
                yield SuiteItem.from_parent(self, name=suite.id, suite=suite)


class SuiteItem(pytest.Item):
    def __init__(self, *, suite, **keywords):
        super().__init__(**keywords)
        self.suite = suite

    def runtest(self):
        raise NotImplementedError       # pytest_runtest_protocol() below does all

    def reportinfo(self):
        return self.path, 0, self.name


def pytest_runtest_protocol(item):
    """A report for each case, then one of the whole."""
    if not isinstance(item, SuiteItem):
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    try:
        made = run.run(item.suite, item.config.getoption("level"))
    except Exception:           # of ours, or a full disk: it is this suite's failure, not the run's end
        made = run.Attempt([run.Result(run.ITSELF, ktap.FAILED, traceback.format_exc())], [], 0.0)
    for result in made.results:
        for when in ("call", "teardown"):
            hook.pytest_runtest_logreport(report=_report(item, result, when))
    hook.pytest_runtest_logreport(report=pytest.TestReport(
        item.nodeid, item.location, {}, "passed", None, "suite", duration=made.seconds, notes=made.notes))
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _report(item, result, when):
    outcome, longrepr, more = result.outcome, None, {}
    if when == "teardown":
        outcome = ktap.PASSED
    elif outcome == ktap.FAILED:
        longrepr = result.text
    elif outcome in (ktap.SKIPPED, ktap.XFAILED):
        longrepr = (str(item.path), 0, result.text)
        if outcome == ktap.XFAILED:
            outcome, more = ktap.SKIPPED, {"wasxfail": result.text or "expected to fail"}
    properties = [("flaky", result.flaky)] if result.flaky else []
    return pytest.TestReport(item.nodeid, item.location, {}, outcome, longrepr, when, duration=result.seconds,
                             user_properties=properties, case=result.name, **more)
