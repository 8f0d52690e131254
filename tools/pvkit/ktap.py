# SPDX-License-Identifier: GPL-2.0
"""A parser for KTAP, the Kernel Test Anything Protocol, version 1 (Documentation/dev-tools/ktap.rst
in Linux), which also takes TAP as cmocka writes it.

The text is a console: lines that are not KTAP are somebody else's messages and decide nothing. A
console may hold several documents, one after the other; each begins with a version line, or with a
plan where no document is open.

Beyond the specification, a document without a plan is an error here: without one a guest that stops
early looks like a guest that has finished.
"""
import dataclasses
import re

VERSION = re.compile(r"(K?TAP) version (\d{1,9})\s*$")
VERSIONS = {("KTAP", "1"), ("TAP", "12"), ("TAP", "13"), ("TAP", "14")}
PLAN = re.compile(r"1\.\.(\d{1,9})(?:\s+#\s*(?i:skip)\S*\s*(.*))?\s*$")
RESULT = re.compile(r"(not ok|ok)\s+(\d{1,9})(?=\s|$)\s*(?:-\s+)?(.*)$")
NUMBERLESS = re.compile(r"(not ok|ok)(\s|$)")      # no result, as the number is required
BAIL_OUT = re.compile(r"Bail out!\s*(.*)$")
DIRECTIVE = re.compile(r"(SKIP|TODO|XFAIL|TIMEOUT|ERROR)(?::|\b)\s*(.*)$")
# Of a test that passes anyway, other spellings.
SKIPPED_OK = re.compile(r"(?i)(SKIP)\S*\s*(.*)$")
# How printk() begins a line: level, time, and with CONFIG_PRINTK_CALLER who printed.
PRINTK = re.compile(r"(?:<\d+>)?\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? ")
# What a terminal obeys and does not show.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

ORPHANS = "subtests that are followed by no result of the test that they are of"

PASSED, FAILED, SKIPPED, XFAILED = "passed", "failed", "skipped", "xfailed"


@dataclasses.dataclass
class Case:
    """One result line. diagnostics: the lines since the result before it; line: where it stands."""
    number: int
    name: str
    outcome: str
    reason: str = ""
    line: int = 0
    diagnostics: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Report:
    """cases: of all documents, those with subtests left out; errors: what breaks the protocol;
    trailing: the lines after the last result."""
    cases: list = dataclasses.field(default_factory=list)
    errors: list = dataclasses.field(default_factory=list)
    planned: int = 0
    trailing: list = dataclasses.field(default_factory=list)


class _Block:
    """The results of one level of nesting."""

    def __init__(self, indent, line):
        self.indent, self.line = indent, line
        self.planned = None
        self.results = 0
        self.last = None
        self.failed = False
        self.leaves = []        # of finished results, without the name of the test they are part of

    @property
    def complete(self):
        return self.planned is not None and self.results == self.planned


def parse(text):
    """Report of a console's text."""
    parser = _Parser()
    for number, line in _lines(text):
        parser.feed(number, line)
    return parser.finish()


def _lines(text):
    """Numbers and lines, without what printk() adds: KTAP printed by the kernel (KUnit) has a time
    before each line; a message that comes while a program writes its line ends up behind it."""
    from_printk = False
    for number, line in enumerate(text.replace("\0", "").split("\n"), 1):
        line = CONTROL.sub("", line.rstrip("\r")).rpartition("\r")[2]
        start = PRINTK.match(line)
        if start:
            rest = line[start.end():]
            if VERSION.match(rest.strip()):
                from_printk = True
            yield number, rest if from_printk else line
            continue
        if VERSION.match(line.strip()):
            from_printk = False
        message = PRINTK.search(line)
        if message and any(p.match(line[:message.start()].strip()) for p in (RESULT, PLAN, VERSION)):
            yield number, line[:message.start()]
            line = line[message.start():]
        yield number, line


class _Parser:
    def __init__(self):
        self.report = Report()
        self.blocks = []        # open ones, the outermost first
        self.pending = []       # lines since the last result
        self.bailed_out = False
        self.numberless = ""    # a hint, where results are missing

    def feed(self, number, line):
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if self.bailed_out:
            self.pending.append(line)
        elif match := VERSION.match(text):
            if match.groups() not in VERSIONS:
                self._error(number, f"an unknown version: {text}")
            self._open(indent, number)
        elif match := PLAN.match(text):
            self._plan(indent, number, int(match[1]), match[2])
        elif match := BAIL_OUT.match(text):
            self._error(number, f"Bail out! {match[1]}".strip())
            self.bailed_out = True
        elif (match := RESULT.match(text)) and self._at(indent):
            self._result(indent, number, match)
        elif text:
            self.pending.append(line)
            if RESULT.match(text) and text.startswith("not ok"):
                self._error(number, f"subtests without a version line: {text}")
            elif NUMBERLESS.match(text) and not RESULT.match(text):
                self.numberless = self.numberless or f'; line {number} has no number: "{text}"'

    def finish(self):
        if not self.bailed_out:
            self._close_to(-1)
        else:
            for block in self.blocks[1:]:
                self.blocks[0].leaves += block.leaves
            self._leave(self.blocks[:1])
        if not self.report.cases and not self.report.errors:
            self._error(0, "no KTAP at all")
        self.report.trailing = self.pending
        return self.report

    def _error(self, number, text):
        self.report.errors.append(f"line {number}: {text}" if number else text)

    def _at(self, indent):
        """Whether a result line may stand at this indentation. A kernel that prints "ok" somewhere
        in a line of its own must not count."""
        return indent == 0 or any(b.indent == indent for b in self.blocks)

    def _open(self, indent, number):
        if self.blocks and indent > self.blocks[-1].indent:
            self.blocks.append(_Block(indent, number))
            return
        if any(b.indent < indent for b in self.blocks):
            self._error(number, "a version line, but the subtests before it have no result")
        self._close_to(indent - 1)
        self.blocks.append(_Block(indent, number))

    def _plan(self, indent, number, planned, skipped):
        block = self.blocks[-1] if self.blocks else None
        if block is None or indent > block.indent or (indent == block.indent and block.complete and indent == 0):
            self._open(indent, number)
            block = self.blocks[-1]
        if block.indent != indent:
            self.pending.append(f"1..{planned}")
        elif block.planned is not None:
            self._error(number, f"a second plan, 1..{planned}")
        elif block.results:
            self._error(number, f"the plan, 1..{planned}, comes after results")
            block.planned = planned
        else:
            block.planned = planned
            if planned == 0:
                block.leaves.append(Case(0, "all", SKIPPED, skipped or "", number))
            if indent == 0:
                self.report.planned += planned

    def _result(self, indent, number, match):
        if not self.blocks:
            self.blocks.append(_Block(indent, number))
        nested = []
        while self.blocks and self.blocks[-1].indent > indent:
            inner = self.blocks.pop()
            self._check(inner)
            nested = inner.leaves + nested
            if not self.blocks or self.blocks[-1].indent > indent:
                self._error(number, ORPHANS)
            elif inner.failed and match[1] == "ok":
                self._error(number, "a test passes, though one of its subtests fails")
        if not self.blocks:
            self.blocks.append(_Block(indent, number))
        block = self.blocks[-1]
        case = self._case(number, match)
        expected = (block.last or 0) + 1
        if case.number != expected:
            self._error(number, f"result {case.number} where {expected} was expected")
        block.last = case.number
        block.results += 1
        block.failed |= case.outcome == FAILED
        if block.planned is not None and block.results == block.planned + 1:
            self._error(number, f"more results than the {block.planned} planned")
        for leaf in nested:
            leaf.name = f"{case.name}: {leaf.name}"
        if not nested or (case.outcome == FAILED and all(n.outcome != FAILED for n in nested)):
            nested.append(case)
        else:
            nested[-1].diagnostics += case.diagnostics
        block.leaves += nested

    def _case(self, number, match):
        description, _, data = match[3].partition("#") if match[3].startswith("#") else _partition(match[3])
        outcome = PASSED if match[1] == "ok" else FAILED
        reason = data.strip()
        directive = DIRECTIVE.match(reason) or (SKIPPED_OK.match(reason) if outcome == PASSED else None)
        if directive:
            kind, reason = directive[1].upper(), directive[2]
            if kind == "SKIP":
                outcome = SKIPPED
            elif kind == "XFAIL" or (kind == "TODO" and outcome == FAILED):
                outcome = XFAILED
            elif kind in ("TIMEOUT", "ERROR"):
                outcome, reason = FAILED, f"{kind} {reason}".strip()
        case = Case(int(match[2]), description.strip(" -") or f"case {match[2]}", outcome, reason, number, self.pending)
        self.pending = []
        return case

    def _check(self, block):
        """A finished block fulfils its plan."""
        what = "results" if block.indent == 0 else "results of subtests"
        if block.planned is None:
            self._error(block.line, f"no plan for {block.results} {what}")
        elif block.results < block.planned:
            after = f', the last "{block.leaves[-1].name}"' if block.leaves else ""
            self._error(block.line, f"{block.results} {what} of {block.planned} planned{after}{self.numberless}")

    def _close_to(self, indent):
        """Ends the blocks that are indented by more, at the end of a document."""
        ended = [b for b in self.blocks if b.indent > indent]
        self.blocks = [b for b in self.blocks if b.indent <= indent]
        for block in ended:
            self._check(block)
            if block.indent > max(indent, 0) or block is not ended[0]:
                self._error(block.line, ORPHANS)
        self._leave(ended)

    def _leave(self, blocks):
        for block in blocks:
            self.report.cases += block.leaves


def _partition(text):
    """Description and what follows a hash sign that stands alone or begins a word."""
    parts = re.split(r"\s#\s*", text, maxsplit=1)
    return parts[0], "#", parts[1] if len(parts) > 1 else ""
