# SPDX-License-Identifier: GPL-2.0
"""The test suites: each is a file in tests/suites that describes itself.

The description is a block of comments that is TOML, as in PEP 723:

    # /// suite
    # time = "real"
    # limit = 600
    # ///

Keys, with their defaults:
    time     "host": no guest, or one whose time does not matter; "icount": deterministic;
             "real": several pCPUs in real time, so nothing may run beside it
    limit    seconds after which it hangs (several times what it takes on a quiet machine)
    seconds  about what it takes; the longest are started first          (limit / 10)
    cpus     how many CPUs it keeps busy; more than 1: nothing beside it (1)
    groups   names by which it can be chosen                             ([])
    level    "quick": always; "normal": without --quick; "long": with --long only ("normal")
    args     of the script; {level} is replaced                          ("")
    kernels  "any": can run in guests of each kernel in tools/launcher/kernels ("")
    check    of these, the kernels that a plain check runs it with, with all cases on the first
             and its smoke group on the others                           (the first of all)
    quick, long   tables: what is different with --quick, with --long    ({})
A table [NAME] makes a suite of that name, with keys of its own; a file may have several. Without
one there is a suite named as the file (test_A_B.py: A-B).
"""
import dataclasses
import difflib
import json
import os
import pathlib
import tomllib

TIMES = ("host", "icount", "real")
LEVELS = ("quick", "normal", "long")


class Error(Exception):
    """One line for the user."""


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    path: pathlib.Path
    about: str
    time: str = "host"
    limit: int = 0
    seconds: int = 0
    cpus: int = 1
    groups: tuple = ()
    level: str = "normal"
    args: str = ""
    kernels: str = ""
    check: tuple = ()
    quick: dict = dataclasses.field(default_factory=dict, compare=False)
    long: dict = dataclasses.field(default_factory=dict, compare=False)
    # Of one run:
    kernel: str = ""            # "": the suite's own
    smoke: bool = False

    @property
    def id(self):
        return f"{self.kernel}/{self.name}" if self.kernel else self.name

    @property
    def alone(self):
        """Whether nothing may run beside it."""
        return self.time == "real" or self.cpus > 1

    @property
    def native(self):
        """Whether pytest runs it itself: a module of tests."""
        return self.path.suffix == ".py"

    def at_level(self, level):
        """As it is at that level."""
        changed = {"quick": dict(self.quick), "long": dict(self.long)}.get(level, {})
        args = changed.pop("args", self.args)
        return dataclasses.replace(self, args=args.format(level=level), **changed)


def directory():
    """Where the suites are; tests of the runner have some of their own."""
    return pathlib.Path(os.environ.get("PVKIT_SUITES") or pathlib.Path(os.environ["TOP"]) / "tests/suites")


def kernels():
    """Those that the modules are for, the one that tests use first."""
    path = pathlib.Path(os.environ["TOP"]) / "tools/launcher/kernels"
    return [line for line in path.read_text().split("\n") if line and not line.startswith("#")]


def read(path):
    """The suites that a file describes."""
    about, block, inside = [], [], None
    for line in path.read_text().splitlines():
        if line.strip() == "# /// suite" and inside is None:
            inside = True
        elif line.strip() == "# ///" and inside:
            inside = False
        elif inside:
            if not line.startswith("#"):
                break
            block.append(line[2:])
        elif inside is None and line.startswith("# ") and "SPDX" not in line:
            about.append(line[2:])
        elif not line.startswith("#") and not line.startswith('"""') and about:
            break
    if inside is not False:
        raise Error(f"{path.name}: {'no description (# /// suite)' if inside is None else 'the description ends without # ///'}")
    try:
        keys = tomllib.loads("\n".join(block))
    except tomllib.TOMLDecodeError as error:
        raise Error(f"{path.name}: description: {error}") from None
    named = {k: v for k, v in keys.items() if isinstance(v, dict) and k not in ("quick", "long")}
    common = {k: v for k, v in keys.items() if k not in named}
    default = path.stem.removeprefix("test_").replace("_", "-") if path.suffix == ".py" else path.stem
    if named and path.suffix == ".py":
        raise Error(f"{path.name}: a module is one suite, and has no tables")
    return [_suite(name, path, " ".join(about), common | own) for name, own in (named or {default: {}}).items()]


def _suite(name, path, about, keys):
    known = {f.name for f in dataclasses.fields(Suite)} - {"name", "path", "about", "kernel", "smoke"}
    for key in keys:
        if key not in known:
            raise Error(f"{path.name}: suite {name}: unknown key '{key}'{nearest(key, known)}")
    if keys.get("time") not in TIMES:
        raise Error(f"{path.name}: suite {name}: time must be one of {', '.join(TIMES)}")
    if not isinstance(keys.get("limit"), int):
        raise Error(f"{path.name}: suite {name}: no limit")
    if keys.get("level", "normal") not in LEVELS:
        raise Error(f"{path.name}: suite {name}: level must be one of {', '.join(LEVELS)}")
    keys = {"seconds": keys["limit"] // 10} | keys
    for key in ("groups", "check"):
        keys[key] = tuple(keys.get(key, ()))
    return Suite(name, path, about, **keys)


def load():
    """All suites, by name."""
    found = {}
    for path in sorted(directory().iterdir()):
        if path.suffix == ".sh" or (path.suffix == ".py" and path.name.startswith("test_")):
            for suite in read(path):
                if suite.name in found:
                    raise Error(f"{path.name}: there is a suite {suite.name} in {found[suite.name].path.name}, too")
                found[suite.name] = suite
    return found


def select(words, level, matrix=()):
    """The suites that a user means with words: names, groups, KERNEL or KERNEL/NAME; without any,
    those of the level. matrix: kernels to run those with that can."""
    known, every = load(), kernels()
    groups = {g for s in known.values() for g in s.groups} | set(TIMES)
    chosen = {}

    def add(suite, kernel="", smoke=False):
        own = suite.kernels and kernel == every[0]
        suite = dataclasses.replace(suite.at_level(level), kernel="" if own else kernel, smoke=smoke)
        chosen.setdefault(suite.id, suite)

    def add_as_checked(suite):
        for n, kernel in enumerate(suite.check or [""]):
            add(suite, kernel, smoke=n > 0 and level != "long")

    for word in words:
        kernel, _, name = word.rpartition("/")
        if word in known:
            picked, on = [known[word]], list(matrix) or [""]
        elif word in every:
            picked, on = [s for s in known.values() if s.kernels], [word]
        elif kernel in every and name in known:
            picked, on = [known[name]], [kernel]
        elif word in groups:
            picked, on = [s for s in known.values() if word in s.groups or word == s.time], list(matrix)
            picked = [s for s in picked if LEVELS.index(s.level) <= LEVELS.index(level)] or picked
        else:
            names = [*known, *groups, *every, *(f"{k}/{s.name}" for k in every for s in known.values() if s.kernels)]
            raise Error(f"check: there is no suite, group or kernel '{word}'{nearest(word, names)}")
        for suite in picked:
            if not on:
                add_as_checked(suite)
            for k in on:
                if k and not suite.kernels:
                    raise Error(f"check: {suite.name} does not run with other kernels (--list says which do)")
                add(suite, k)
    if not words:
        for suite in known.values():
            if matrix and suite.kernels:
                for kernel in matrix:
                    add(suite, kernel)
            elif not matrix and LEVELS.index(suite.level) <= LEVELS.index(level):
                add_as_checked(suite)
    return list(chosen.values())


def _failed_path():
    return pathlib.Path(os.environ["BUILD"]) / "check/failed.json"


def _failed():
    path = _failed_path()
    return json.loads(path.read_text()) if path.exists() else {}


def remember_failed(failed, ended):
    """For --failed: these have failed now; of what failed before, those ids are over that have ended."""
    before = {name: smoke for name, smoke in _failed().items() if name not in ended}
    _failed_path().write_text(json.dumps(before | {s.id: s.smoke for s in failed}))


def select_failed(level):
    """The suites that failed when they were last run, as they were then."""
    known = load()
    return [dataclasses.replace(suite, smoke=smoke) for name, smoke in _failed().items()
            if name.rpartition("/")[2] in known for suite in select([name], level)]


def nearest(word, names):
    """What to say of a wrong name."""
    near = difflib.get_close_matches(word, sorted(names), 1, 0.5)
    return f": did you mean '{near[0]}'?" if near else ""
