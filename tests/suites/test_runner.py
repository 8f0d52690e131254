# SPDX-License-Identifier: GPL-2.0
# The runner itself (tools/pvkit/check), with suites of its own: what fails, hangs, panics or is
# interrupted is reported by its cause, and leaves no process behind.
#
# /// suite
# time = "host"
# limit = 300
# seconds = 30
# groups = ["tools"]
# level = "quick"
# ///
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

import pytest

from pvkit.check import processes, suites


class Check:
    """A directory of suites, and `check` on them."""

    def __init__(self, path):
        self.suites, self.build = path / "suites", path / "build"
        self.suites.mkdir()
        self.build.mkdir()
        self.environment = os.environ | {"PVKIT_SUITES": str(self.suites), "BUILD": str(self.build)}
        for inherited in ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", processes.VARIABLE):
            self.environment.pop(inherited, None)

    def add(self, name, script, **keys):
        keys = {"time": "host", "limit": 30} | keys
        block = "".join(f"# {k} = {json.dumps(v)}\n" for k, v in keys.items())
        (self.suites / f"{name}.sh").write_text(f"# A suite of a test.\n#\n# /// suite\n{block}# ///\n{script}\n")

    def start(self, *arguments):
        # As from a shell's background, where SIGINT is ignored
        return subprocess.Popen([sys.executable, "-m", "pvkit.check", *arguments], env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))

    def __call__(self, *arguments):
        process = self.start(*arguments)
        out = process.communicate(timeout=120)[0]
        return process.returncode, out

    def left(self):
        """Processes that our suites have started and that go on."""
        return [pid for pid in processes.marked("") if self._is_ours(pid)]

    def _is_ours(self, pid):
        try:
            return f"BUILD={self.build}".encode() in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return False


@pytest.fixture(name="check")
def fixture_check(tmp_path):
    return Check(tmp_path)


PASSES = 'echo "KTAP version 1\n1..1\nok 1 fine"'


def test_what_each_kind_of_failure_says(check):
    check.add("case", 'printf "KTAP version 1\n1..3\nok 1 a\n# because\nnot ok 2 b\nok 3 c # SKIP no disk\n"')
    check.add("plan", 'echo "KTAP version 1"; echo "ok 1 a"')
    check.add("short", 'printf "KTAP version 1\n1..3\nok 1 a\n[    1.000000] Kernel panic - not syncing: Attempted to kill init!\n"; exit 1')
    check.add("status", f"{PASSES}; exit 3")
    check.add("nothing", "echo hello")
    check.add("leaves", f"sleep 1000 >/dev/null & setsid sleep 1000 & {PASSES}")
    check.add("hangs", "printf 'KTAP version 1\n1..2\nok 1 a\nhalf way\n'; (setsid sleep 1000 &) ; sleep 1000", limit=2)
    check.add("fine", PASSES)
    status, out = check("-j", "3")
    lines = out.splitlines()
    assert status == 1
    assert lines[-1] == "7 passed, 7 failed, 1 skipped"
    for expected in ("not ok case: b", "    # because", "      | not ok 2 b", "    line 1: no plan for 1 results",
                     "    cause: [    1.000000] Kernel panic - not syncing: Attempted to kill init!",
                     '    line 1: 1 results of 3 planned, the last "a"', "    exit status 3", "    no KTAP at all",
                     '    hung: not done after 2 s, ended after "a"', "      | half way", "    left running: sleep, sleep"):
        assert any(line.startswith(expected) for line in lines), (expected, out)
    assert {line for line in lines if line.startswith("failed: ")} == {
        "failed: case: b", *(f"failed: {s}: the suite runs to its end" for s in ("plan", "short", "status", "nothing", "leaves", "hangs"))}
    assert check.left() == []


def test_what_fails_and_then_passes_is_flaky_in_real_time_only(check):
    once = 'n=$BUILD/$0.n; n=$(echo "$n" | tr / -); n=$BUILD/$n; echo x >>"$n"; [ "$(wc -l <"$n")" -ge %d ] && r=ok || r="not ok"'
    result = 'printf "KTAP version 1\n1..2\nok 1 a\n# it was late\n$r 2 b\n"'
    check.add("flaky", f"{once % 2}; {result}", time="real")
    check.add("broken", f"{once % 9}; {result}", time="real")
    check.add("deterministic", f"{once % 2}; {result}", time="icount")
    status, out = check("--junit", str(check.build / "junit.xml"))
    lines = out.splitlines()
    assert status == 1
    assert lines[-1] == "4 passed, 2 failed, 0 skipped"
    assert "flaky, passed when it was run again: flaky: b" in lines
    assert {line for line in lines if line.startswith("failed: ")} == {"failed: broken: b", "failed: deterministic: b"}
    cases = {(c.get("classname"), c.get("name")): c for c in xml.etree.ElementTree.parse(check.build / "junit.xml").iter("testcase")}
    assert set(cases) == {(s, c) for s in ("flaky", "broken", "deterministic") for c in "ab"}
    assert [p.get("name") for p in cases["flaky", "b"].iter("property")] == ["flaky"]
    assert "it was late" in next(cases["flaky", "b"].iter("property")).get("value")
    assert "it was late" in next(cases["broken", "b"].iter("failure")).text


def test_what_does_not_pass_again_has_failed(check):
    """A case that the second attempt skips, or does not come to, has not passed."""
    first = 'n="$BUILD/$(basename "$0").n"; echo x >>"$n"; [ "$(wc -l <"$n")" -ge 2 ] || { printf "KTAP version 1\n1..2\nok 1 a\nnot ok 2 b\n"; exit 1; }'
    check.add("fewer", f'{first}; printf "KTAP version 1\n1..1\nok 1 a\n"', time="real")
    check.add("skips", f'{first}; printf "KTAP version 1\n1..2\nok 1 a\nok 2 b # SKIP none\n"', time="real")
    status, out = check()
    assert (status, out.splitlines()[-1]) == (1, "2 passed, 2 failed, 0 skipped")
    assert "    failed, and was not run again" in out.splitlines()


def test_a_suite_that_is_not_run_has_failed(check):
    """By a name that pytest does not know, by a worker that dies, or skipped as a whole."""
    (check.suites / "test_typo.py").write_text("# /// suite\n# time = 'host'\n# limit = 9\n# ///\ndef tset_x():\n    pass\n")
    (check.suites / "test_no_disk.py").write_text("# /// suite\n# time = 'host'\n# limit = 9\n# ///\n"
                                                  "import pytest\npytest.skip('no disk', allow_module_level=True)\n")
    check.add("killer", "kill -9 $PPID; sleep 1", seconds=9)
    check.add("after", PASSES)
    status, out = check("-j", "1")
    assert (status, out.splitlines()[-1]) == (1, "0 passed, 4 failed, 1 skipped")
    assert {line for line in out.splitlines() if line.startswith("failed: ")} == {
        "failed: typo: is run", "failed: after: is run", "failed: killer: killer", "failed: killer: is run to its end"}
    check.environment["PYTEST_ADDOPTS"] = "-k nothing"          # a user's own settings deselect nothing
    assert check("after")[0] == 0


def test_output_of_every_kind(check):
    check.add("long-line", "head -c 3000000 /dev/zero | tr '\\0' x; exit 1")
    check.add("garbage", "head -c 100000 /dev/urandom; exit 1")
    check.add("endless", "yes 'a console that loops'", limit=60)
    check.add("daemon", f"(env -i setsid sleep 333 </dev/null >/dev/null 2>&1 &); sleep 0.5; {PASSES}")
    status, out = check("-j", "2")
    lines = out.splitlines()
    assert (status, lines[-1]) == (1, "1 passed, 4 failed, 0 skipped")
    assert "    left running: sleep" in lines
    assert any("more than 16 MiB of output" in line for line in lines)
    assert max(map(len, lines)) < 2000
    assert subprocess.run(["pgrep", "-f", "^sleep 333$"], check=False).returncode == 1


def test_failed(check):
    check.add("good", PASSES)
    check.add("bad", f'[ -e "$BUILD/mended" ] || exit 1; {PASSES}')
    assert check()[0] == 1
    status, out = check("--failed")
    assert (status, out.splitlines()[-1]) == (1, "0 passed, 1 failed, 0 skipped")
    assert check("good")[0] == 0        # and bad is still to be mended
    (check.build / "mended").touch()
    status, out = check("--failed")
    assert (status, out.splitlines()[-1]) == (0, "1 passed, 0 failed, 0 skipped")
    assert check("--failed")[1].splitlines() == ["no suite failed when it was last run", "0 passed, 0 failed, 0 skipped"]


def test_nothing_runs_beside_what_is_in_real_time(check):
    for n in range(4):
        check.add(f"host{n}", f'echo "$(date +%s.%N) begin" >>"$BUILD/log{n}"; sleep 0.5; echo "$(date +%s.%N) end" >>"$BUILD/log{n}"; {PASSES}')
    for n in range(4, 6):
        check.add(f"real{n}", f'date +%s.%N >>"$BUILD/log{n}"; sleep 0.5; date +%s.%N >>"$BUILD/log{n}"; {PASSES}', time="real")
    assert check("-j", "2")[0] == 0
    spans = [[float(line.split()[0]) for line in (check.build / f"log{n}").read_text().splitlines()] for n in range(6)]
    together = {(a, b) for a in range(6) for b in range(a) if spans[a][0] < spans[b][1] and spans[b][0] < spans[a][1]}
    assert together and all(a < 4 and b < 4 for a, b in together), spans


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(check, number):
    check.add("long", '(setsid sleep 1000 &); touch "$BUILD/begun"; sleep 1000', time="real", limit=1000)
    check.add("next", PASSES, time="real")
    process = check.start("-j", "1")
    until = time.monotonic() + 60
    while not (check.build / "begun").exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert len(check.left()) > 1
    assert check("next") == (2, f"pvkit: check: another check is running in {check.build}\n")
    process.send_signal(number)
    out = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert "interrupted, while these were running: long" in out.splitlines()
    assert out.splitlines()[-1] == "0 passed, 0 failed, 0 skipped"
    assert check.left() == []


@pytest.mark.parametrize("words, message", [
    (["pvlok"], "pvkit: check: there is no suite, group or kernel 'pvlok': did you mean 'pvlock'?"),
    (["--fast"], "pvkit: check: unrecognized arguments: --fast (try ./pvkit check --help)"),
    (["-j", "0"], "pvkit: check: -j must be at least 1, not 0"),
    (["--quick", "--long"], "pvkit: check: --quick and --long exclude each other"),
    (["6.1/cloud-arm64/other"], "pvkit: check: other does not run with other kernels (--list says which do)"),
])
def test_bad_arguments(check, words, message):
    check.add("pvlock", PASSES, kernels="any")
    check.add("other", PASSES)
    assert check(*words) == (2, message + "\n")


def test_what_is_chosen(check, monkeypatch):
    check.add("a", PASSES, level="quick", groups=["g"])
    check.add("b", PASSES, kernels="any", check=["6.12/cloud-arm64", "6.1/cloud-arm64"], args="x {level}", groups=["g"])
    check.add("c", PASSES, level="long")
    monkeypatch.setenv("PVKIT_SUITES", str(check.suites))

    def ids(*words, level="normal", matrix=()):
        return [s.id + ("+" if s.smoke else "") for s in suites.select(words, level, matrix)]
    assert ids() == ["a", "b", "6.1/cloud-arm64/b+"]
    assert ids(level="quick") == ["a"]
    assert ids(level="long") == ["a", "b", "6.1/cloud-arm64/b", "c"]
    assert ids("c") == ["c"]
    assert ids("g") == ["a", "b", "6.1/cloud-arm64/b+"]
    assert ids("6.1/cloud-arm64/b") == ids("6.1/cloud-arm64") == ids("b", matrix=["6.1/cloud-arm64"]) == ["6.1/cloud-arm64/b"]
    assert ids("6.12/cloud-arm64/b", "b") == ["b"]
    assert ids(matrix=["built"]) == ["built/b"]
    assert suites.select(["b"], "long")[0].args == "x long"


@pytest.mark.parametrize("block, message", [
    ("", "no description"),
    ("# /// suite\n# time = 'host'\n# limit = 1\necho\n", "ends without # ///"),
    ("# /// suite\n# time = 'host'\n# limit = 1\n", "ends without # ///"),
    ("# /// suite\n# time = 'soon'\n# limit = 1\n# ///\n", "time must be one of"),
    ("# /// suite\n# time = 'host'\n# ///\n", "no limit"),
    ("# /// suite\n# time = 'host'\n# limit = true\n# ///\n", "limit must be a number, not True"),
    ("# /// suite\n# time = 'host'\n# limit = 1\n# groups = 'disk'\n# ///\n", "groups must be a list, not 'disk'"),
    ("# /// suite\n# time = 'host'\n# limit = 1\n# check = ['6.1']\n# ///\n", "check: no kernel '6.1'"),
    ("# /// suite\n# time = 'host'\n# limit = 1\n# long = { foo = 1 }\n# ///\n", "long: unknown key 'foo'"),
    ("echo\n# /// suite\n# time = 'host'\n# limit = 1\n# ///\n", "before the first command"),
    ("# /// suite\n# time = 'host'\n# limits = 1\n# ///\n", "unknown key 'limits': did you mean 'limit'?"),
    ("# /// suite\n# time =\n# ///\n", "description: "),
])
def test_bad_descriptions(tmp_path, block, message):
    path = tmp_path / "bad.sh"
    path.write_text(block)
    with pytest.raises(suites.Error, match="bad.sh") as raised:
        suites.read(path)
    assert message in str(raised.value)


def test_the_suites_of_this_tree_describe_themselves():
    assert len(suites.load()) > 20
