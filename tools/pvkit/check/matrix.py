# SPDX-License-Identifier: GPL-2.0
"""The table kernel x suite: what was last run with each, kept in build/check-kernels."""
import json
import os
import pathlib

from pvkit.check import suites


def _directory():
    return pathlib.Path(os.environ["BUILD"]) / "check-kernels"


def _cell(kernel, name):
    return _directory() / f"{kernel.replace('/', '-')}.{name}.json"


def keep(run, counts, skips):
    """Of a run's suites (by id), those that were run in full in guests of a kernel of the list."""
    for key, suite in run.items():
        if suite.kernels and not suite.smoke and sum(counts[key].values()):
            _directory().mkdir(parents=True, exist_ok=True)
            _cell(suite.kernel or suites.kernels()[0], suite.name).write_text(
                json.dumps({"counts": dict(counts[key]), "skipped": skips[key]}))


def table():
    """Lines of Markdown: the table, then what was skipped and why."""
    columns = [s.name for s in suites.load().values() if s.kernels]
    rows, reasons = [], []
    for kernel in suites.kernels():
        row = []
        for name in columns:
            cell = _cell(kernel, name)
            if not cell.exists():
                row.append("not run")
                continue
            found = json.loads(cell.read_text())
            row.append(_text(found["counts"]))
            reasons += [f"- {kernel} {name}: {case}: {why}" for case, why in found["skipped"]]
        rows.append(f"| {kernel} | {' | '.join(row)} |")
    return [f"| kernel | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}", *rows, "", *reasons]


def _text(counts):
    parts = [f"{counts.get('passed', 0)} passed"]
    if counts.get("skipped"):
        parts.append(f"{counts['skipped']} skipped")
    if counts.get("failed"):
        parts.append(f"**{counts['failed']} failed**")
    return ", ".join(parts)
