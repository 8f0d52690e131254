# SPDX-License-Identifier: GPL-2.0
"""What pytest learns: which suites it is to run, in which order, and what may run at once
(pytest-xdist; slots.py). Suites that are scripts: scripts.py; what is printed: report.py."""
import contextlib
import dataclasses
import pathlib

import pytest
from xdist.scheduler import LoadScopeScheduling

from pvkit.check import slots, suites
from pvkit.check.report import Reporter, suite_of


def pytest_addoption(parser):
    group = parser.getgroup("pvkit")
    group.addoption("--suites", default="", help="suites to run, by id, separated by commas")
    group.addoption("--smoke", default="", help="of these, those that run their smoke group")
    group.addoption("--level", default="normal", choices=suites.LEVELS)
    group.addoption("--matrix", action="store_true", help="print the table kernel x suite")
    group.addoption("--slots", default="", help="directory of the locks that keep suites apart")


def pytest_configure(config):
    smoke = config.getoption("smoke").split(",")
    chosen = [suite for name in filter(None, config.getoption("suites").split(","))
              for suite in suites.select([name], config.getoption("level"))]
    chosen = [dataclasses.replace(suite, smoke=suite.id in smoke) for suite in chosen]
    # What may run beside others first, and the longest of all first.
    config.pvkit_suites = {s.id: s for s in sorted(chosen, key=lambda s: (s.alone, -s.seconds, s.id))}


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session):
    config = session.config
    if hasattr(config, "workerinput"):
        return
    for name in ("terminalreporter", "terminaldistreporter"):
        if config.pluginmanager.hasplugin(name):
            config.pluginmanager.unregister(name=name)
    config.pluginmanager.getplugin("dsession").terminal = None
    config.pluginmanager.register(Reporter(config), "pvkit-reporter")


def pytest_ignore_collect(collection_path, config):
    """Files of which no suite is to run."""
    if collection_path.is_file() and all(s.path != collection_path for s in config.pvkit_suites.values()):
        return True
    return None


def pytest_collection_modifyitems(config, items):
    order = {name: n for n, name in enumerate(config.pvkit_suites)}
    for item in items:
        item.suite = config.pvkit_suites[suite_of(item.nodeid, config.pvkit_suites)]
        if item.suite.native:
            item.add_marker(pytest.mark.timeout(item.suite.limit))
    items.sort(key=lambda i: order[i.suite.id])


class Slot:
    """A suite's, from its first item to its last."""
    stack, suite = None, None

    @classmethod
    def take(cls, item):
        if cls.suite == item.suite.id:
            return
        worker = item.config.workerinput
        own, every = int(worker["workerid"].removeprefix("gw")), item.suite.alone
        directory = pathlib.Path(item.config.getoption("slots"))
        cls.stack, cls.suite = contextlib.ExitStack(), item.suite.id
        cls.stack.enter_context(slots.held(directory, own, worker["workercount"], every))
        cls.stack.enter_context(slots.on_cpu(own, every))

    @classmethod
    def give_back(cls):
        cls.stack.close()
        cls.suite = None


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Waits for the slot; pytest-timeout begins to count after that."""
    Slot.take(item)
    yield
    if nextitem is None or nextitem.suite.id != item.suite.id:
        Slot.give_back()


class OneAhead(LoadScopeScheduling):
    """A suite is a unit of work. A worker has the one that it runs and the next one, no more."""

    def _split_scope(self, nodeid):
        return suite_of(nodeid, self.config.pvkit_suites)

    def _reschedule(self, node):
        unfinished = [unit for unit in self.assigned_work[node].values() if not all(unit.values())]
        if len(unfinished) < 2 or not self.workqueue:
            super()._reschedule(node)


def pytest_xdist_make_scheduler(config, log):
    return OneAhead(config, log)
