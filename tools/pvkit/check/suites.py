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
        return dataclasses.replace(self, args=args.replace("{level}", level), **changed)


def directory():
    """Where the suites are; tests of the runner have some of their own."""
    return pathlib.Path(os.environ.get("PVKIT_SUITES") or pathlib.Path(os.environ["TOP"]) / "tests/suites")


def kernels():
    """Those that the modules are for, the one that tests use first."""
    path = pathlib.Path(os.environ["TOP"]) / "tools/launcher/kernels"
    return [line for line in path.read_text().split("\n") if line and not line.startswith("#")]


def read(path):
    """The suites that a file describes, in a block that stands before its first command."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Error(f"{path.name}: {error}") from None
    about, block, inside = [], [], None
    for line in lines:
        if line and not line.startswith("#"):
            break
        if line.strip() == "# /// suite" and inside is None:
            inside = True
        elif line.strip() == "# ///" and inside:
            inside = False
        elif inside:
            block.append(line[2:])
        elif inside is None and line.startswith("# ") and "SPDX" not in line:
            about.append(line[2:])
    if inside:
        raise Error(f"{path.name}: the description ends without # ///")
    if inside is None:
        raise Error(f"{path.name}: no description (# /// suite), before the first command")
    try:
        keys = tomllib.loads("\n".join(block))
    except tomllib.TOMLDecodeError as error:
        raise Error(f"{path.name}: description: {error}") from None
    named = {k: v for k, v in keys.items() if isinstance(v, dict) and k not in ("quick", "long")}
    common = {k: v for k, v in keys.items() if k not in named}
    default = path.stem.removeprefix("test_").replace("_", "-") if path.suffix == ".py" else path.stem
    if path.suffix == ".py" and (named or "kernels" in keys or "args" in keys):
        raise Error(f"{path.name}: a module is one suite, without tables, kernels and args")
    return [_suite(name, path, " ".join(about), common | own) for name, own in (named or {default: {}}).items()]


_TYPES = {"limit": int, "seconds": int, "cpus": int, "groups": list, "check": list, "quick": dict, "long": dict}


def _check_keys(where, keys):
    """Of a suite, or of what is different with --quick or --long."""
    known = {f.name for f in dataclasses.fields(Suite)} - {"name", "path", "about", "kernel", "smoke"}
    for key, value in keys.items():
        if key not in known:
            raise Error(f"{where}: unknown key '{key}'{nearest(key, known)}")
        kind = _TYPES.get(key, str)
        if type(value) is not kind or (kind is int and value < 0):
            raise Error(f"{where}: {key} must be {'a number' if kind is int else 'a ' + kind.__name__}, not {value!r}")
    if keys.get("time", "host") not in TIMES:
        raise Error(f"{where}: time must be one of {', '.join(TIMES)}")
    if keys.get("level", "normal") not in LEVELS:
        raise Error(f"{where}: level must be one of {', '.join(LEVELS)}")
    for kernel in keys.get("check", ()):
        if kernel not in kernels():
            raise Error(f"{where}: check: no kernel '{kernel}'{nearest(kernel, kernels())}")


def _suite(name, path, about, keys):
    where = f"{path.name}: suite {name}"
    _check_keys(where, keys)
    for level in ("quick", "long"):
        _check_keys(f"{where}: {level}", keys.get(level, {}))
    for key in ("time", "limit"):
        if key not in keys:
            raise Error(f"{where}: no {key}")
    keys = {"seconds": keys["limit"] // 10} | keys
    for key in ("groups", "check"):
        keys[key] = tuple(keys.get(key, ()))
    return Suite(name, path, about, **keys)


def load():
    """All suites, by name."""
    found = {}
    for path in sorted(directory().iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
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
            picked = [s for s in picked if s.kernels or not matrix]
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
    try:
        return dict(json.loads(_failed_path().read_text()))
    except (OSError, ValueError, TypeError):        # there is none, or it was cut off
        return {}


def remember_failed(failed, ended):
    """For --failed: these have failed now; of what failed before, those ids are over that have ended."""
    before = {name: smoke for name, smoke in _failed().items() if name not in ended}
    new = _failed_path().with_suffix(".new")
    new.write_text(json.dumps(before | {s.id: s.smoke for s in failed}))
    new.replace(_failed_path())


def select_failed(level):
    """The suites that failed when they were last run, as they were then."""
    found = []
    for name, smoke in _failed().items():
        try:
            found += [dataclasses.replace(suite, smoke=smoke) for suite in select([name], level)]
        except Error:           # it is gone, or its kernel is
            pass
    return found


def nearest(word, names):
    """What to say of a wrong name."""
    near = difflib.get_close_matches(word, sorted(names), 1, 0.5)
    return f": did you mean '{near[0]}'?" if near else ""
