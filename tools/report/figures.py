#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Figures of `pvkit bench`: as JSON (Documentation/figures.md has the schema), and
compared with those of another run.

figures.py json RESULTS.tsv DIRECTORY KEY=VALUE...
figures.py compare NEW.json BASE.json     exit 0: nothing worse; 1: worse; 3: not comparable
figures.py baseline FILE.json             of it what compare needs, and what limits may name
"""
import json
import pathlib
import re
import sys

SCHEMA = 2
LIMIT = 0.02
# Chance decides these: TCP, programs that count in milliseconds, a single event, when a
# holder happens to be preempted, where the kernel happens to be, how many ticks fall into
# some thousand requests that have no exits of their own.
CHAOTIC = re.compile(r"^net\.|blk\.poll\.hyp_instructions|iops$|mbit$|lock\.(native|yield)\.\dx|^boot\.|longest|worst|p99|late_percent|retransmits|max_delay|switches|fairness|udp64|tick_instructions")
# The same in each run of a build, but not compared from build to build: the median of
# five runs with shifted starts of what CHAOTIC has, and what chance decides within a
# bound that the code keeps. Limits may name these.
MEDIAN = re.compile(r"\.median5$")
BOUNDED = re.compile(r"^kick\.max_delay_us$|^tick\.n\d+\.fairness$")
# More is better; of all others, less.
MORE = re.compile(r"(iops|mbit|rate|efficiency|uncontended_ratio|mean_ratio|speedup)$|\.(qd\d+\.j\d+\..*)$")
# These should be 1.
ONE = re.compile(r"\.(stat|rusage)\.ratio$")
# Below this two figures are the same, whatever their ratio: they are rounded, or some
# events in some seconds, and of these when a run begins decides whether there is one more.
FLOOR = {"exits": 0.01, "exits/s": 2, "instructions": 2, "ratio": 0.002, "interrupts/s": 0.5}


def by_chance(name):
    """Whether no limit may name it."""
    return bool(CHAOTIC.search(name)) and not MEDIAN.search(name) and not BOUNDED.search(name)


def compared(figure):
    """Whether it must not get worse from one build to the next."""
    return figure["deterministic"] and not CHAOTIC.search(figure["name"]) and not MEDIAN.search(figure["name"])


def number(text):
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)


def raw_output(directory):
    """What fio and iperf3 said, by part and file."""
    raw = {}
    for path in sorted(pathlib.Path(directory).glob("*.raw/*/*.json")):
        text = path.read_text(errors="replace")
        try:
            value = json.loads(text[text.index("{"):])
        except ValueError:
            continue            # ended by a signal, or a message only
        raw[f"{path.parent.parent.stem}/{path.parent.name}/{path.stem}"] = value
    return raw


def write_json(results, directory, pairs):
    about = dict(p.split("=", 1) for p in pairs)
    figures = []
    for line in pathlib.Path(results).read_text().splitlines():
        name, value, unit, how, deterministic, least, most, part, runs = line.split("\t")
        figure = {"name": name, "value": number(value), "unit": unit, "how": how,
                  "deterministic": deterministic == "yes", "part": part}
        if least != most:
            figure |= {"least": number(least), "most": number(most)}
        if runs:
            figure["runs"] = [number(r) for r in runs.split(",")]
        figures.append(figure)
    machine = {"cpus": int(about["cpus"]), "arch": about["arch"], "qemu": about["qemu"]}
    build = {k: about[k] for k in ("commit", "kernel", "compiler")}
    document = {"schema": SCHEMA, "machine": machine, "build": build,
                "options": {k: about[k] == "yes" for k in ("quick", "icount")},
                "results": figures, "raw": raw_output(directory)}
    rest = ",\n  ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in document["raw"].items())
    print(f'{up_to_results(document, figures)},\n "raw": {{\n  {rest}\n }}}}')


def up_to_results(document, figures):
    """With a line for each figure, so that two files can be compared by eye."""
    head = json.dumps({k: v for k, v in document.items() if k not in ("results", "raw")})
    rows = ",\n  ".join(json.dumps(f) for f in figures)
    return f'{head[:-1]},\n "results": [\n  {rows}\n ]'


def environment(document):
    """What the figures depend on besides our own code."""
    return {"kernel": document["build"]["kernel"], "compiler": document["build"]["compiler"],
            "qemu": document["machine"]["qemu"], "quick": document["options"]["quick"]}


def worse_by(name, unit, new, base):
    """How much worse, as a share of base; negative if better."""
    if abs(new - base) <= FLOOR.get(unit, 0):
        return 0.0
    if ONE.search(name):
        return abs(new - 1) - abs(base - 1)
    if base == 0:
        return float("inf") if not MORE.search(name) else 0.0
    return (base - new) / base if MORE.search(name) else (new - base) / base


def compare(new, base):
    here, there = environment(new), environment(base)
    different = [f"{k}: {here[k]} here, {there[k]} in the base" for k in here if here[k] != there[k]]
    if different:
        print("not comparable: " + "; ".join(different))
        return 3
    measured = {f["name"]: f for f in new["results"]}
    parts = {f["part"] for f in new["results"]}
    worse, better, same = [], [], 0
    for f in base["results"]:
        if f["part"] not in parts or not compared(f):
            continue
        if f["name"] not in measured and ".exits." not in f["name"]:    # a reason that there is none of is left out
            worse.append(f'{f["name"]}: was {f["value"]} {f["unit"]}, is not measured any more')
            continue
        value = measured.get(f["name"], {"value": 0})["value"]
        by = worse_by(f["name"], f["unit"], value, f["value"])
        line = f'{f["name"]}: {f["value"]} -> {value} {f["unit"]}'
        if by > LIMIT:
            worse.append(f"{line} ({by:.1%} worse)")
        elif by < -LIMIT:
            better.append(f"{line} ({-by:.1%} better)")
        else:
            same += 1
    for title, lines in (("better", better), ("worse", worse)):
        for line in lines:
            print(f"{title}: {line}")
    names = ": " + ", ".join(line.split(":")[0] for line in worse) if worse else ""
    print(f"{same} deterministic figures within {LIMIT:.0%}, {len(better)} better, {len(worse)} worse{names}")
    return 1 if worse else 0


def baseline(document):
    kept = [f for f in document["results"] if f["deterministic"] and not by_chance(f["name"])]
    columns = ("name", "value", "unit", "deterministic", "part")
    print(up_to_results(document, [{k: f[k] for k in columns} for f in kept]) + "}")


def load(path):
    document = json.loads(pathlib.Path(path).read_text())
    if document.get("schema") != SCHEMA:
        sys.exit(f"{path}: schema {document.get('schema')}, not {SCHEMA}")
    return document


if __name__ == "__main__":
    if sys.argv[1:2] == ["json"]:
        write_json(sys.argv[2], sys.argv[3], sys.argv[4:])
    elif sys.argv[1:2] == ["compare"] and len(sys.argv) == 4:
        sys.exit(compare(load(sys.argv[2]), load(sys.argv[3])))
    elif sys.argv[1:2] == ["baseline"] and len(sys.argv) == 3:
        baseline(load(sys.argv[2]))
    else:
        sys.exit(__doc__)
