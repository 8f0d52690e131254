# SPDX-License-Identifier: GPL-2.0
# The KTAP parser (tools/pvkit/ktap.py), by the kernel's page on KTAP.
#
# /// suite
# time = "host"
# limit = 60
# seconds = 2
# groups = ["tools"]
# level = "quick"
# ///
import textwrap

import pytest

from pvkit import ktap


def parse(text):
    return ktap.parse(textwrap.dedent(text).lstrip("\n"))


def outcomes(report):
    return [(c.name, c.outcome) for c in report.cases]


def test_results():
    report = parse("""
        KTAP version 1
        1..3
        ok 1 one
        not ok 2 - two
        ok 3
        """)
    assert outcomes(report) == [("one", "passed"), ("two", "failed"), ("case 3", "passed")]
    assert report.errors == []
    assert report.planned == 3


@pytest.mark.parametrize("line, outcome, reason", [
    ("ok 1 a # SKIP no network", "skipped", "no network"),
    ("not ok 1 a # SKIP no network", "skipped", "no network"),
    ("ok 1 a # skipped: no network", "skipped", "no network"),
    ("ok 1 # SKIP no name", "skipped", "no name"),
    ("not ok 1 a # TODO later", "xfailed", "later"),
    ("ok 1 a # TODO later", "passed", "later"),
    ("not ok 1 a # XFAIL known", "xfailed", "known"),
    ("ok 1 a # XFAIL known", "xfailed", "known"),
    ("not ok 1 a # TIMEOUT 30 seconds", "failed", "TIMEOUT 30 seconds"),
    ("ok 1 a # ERROR broken", "failed", "ERROR broken"),
    ("not ok 1 a # UNHEARD of", "failed", "UNHEARD of"),
    ("ok 5 a # rcode=0", "passed", "rcode=0"),
    ("ok 1 a#b", "passed", ""),
    ("not ok 1 data # skipped sectors 5, data lost", "failed", "skipped sectors 5, data lost"),
    ("not ok 1 request #todolist is lost", "failed", "todolist is lost"),
    ("not ok 1 a # SKIP: no disk", "skipped", "no disk"),
    ("ok 1 -", "passed", ""),
    ("\033[31mnot ok 1 a\033[0m", "failed", ""),
    ("10%\r20%\rnot ok 1 a", "failed", ""),
])
def test_directives(line, outcome, reason):
    report = parse(f"KTAP version 1\n1..1\n{line}\n")
    assert [(c.outcome, c.reason) for c in report.cases] == [(outcome, reason)]


def test_the_version_may_be_that_of_tap():
    for version in ("KTAP version 1", "TAP version 13", "TAP version 14"):
        assert parse(f"{version}\n1..1\nok 1 a\n").errors == []
    assert parse("1..1\nok 1 a\n").errors == []         # cmocka writes none


def test_nested_subtests():
    report = parse("""
        KTAP version 1
        1..2
          KTAP version 1
          1..2
            KTAP version 1
            1..2
            not ok 1 test_1
            ok 2 test_2
          not ok 1 test_3
          ok 2 test_4 # SKIP
        not ok 1 example_test_1
        ok 2 example_test_2
        """)
    assert outcomes(report) == [
        ("example_test_1: test_3: test_1", "failed"), ("example_test_1: test_3: test_2", "passed"),
        ("example_test_1: test_4", "skipped"), ("example_test_2", "passed")]
    assert report.errors == []


def test_subtests_may_be_indented_by_more_and_have_no_version():
    report = parse("""
        1..1
            # Subtest: outer
            1..1
            ok 1 inner
        ok 1 outer
        """)
    assert outcomes(report) == [("outer: inner", "passed")]
    assert report.errors == []


def test_subtests_of_the_same_name_are_of_their_parents():
    report = parse("""
        KTAP version 1
        1..2
          KTAP version 1
          1..1
          ok 1 same
        ok 1 a
          KTAP version 1
          1..1
          ok 1 same
        ok 2 b
        """)
    assert outcomes(report) == [("a: same", "passed"), ("b: same", "passed")]
    assert report.errors == []


def test_a_parent_that_passes_over_a_failed_subtest_is_an_error():
    report = parse("""
        KTAP version 1
        1..1
          KTAP version 1
          1..1
          not ok 1 inner
        ok 1 outer
        """)
    assert outcomes(report) == [("outer: inner", "failed")]
    assert any("subtests fails" in e for e in report.errors)


def test_a_parent_that_fails_by_itself_is_a_case():
    report = parse("""
        KTAP version 1
        1..1
          KTAP version 1
          1..1
          ok 1 inner
        not ok 1 outer
        """)
    assert outcomes(report) == [("outer: inner", "passed"), ("outer", "failed")]


@pytest.mark.parametrize("text, error", [
    ("KTAP version 1\nok 1 a\n", "no plan for 1 results"),
    ("ok 1 a\n", "no plan for 1 results"),
    ("KTAP version 1\n1..2\n1..2\nok 1 a\nok 2 b\n", "a second plan"),
    ("KTAP version 1\nok 1 a\n1..1\n", "comes after results"),
    ("KTAP version 1\n1..3\nok 1 a\n", '1 results of 3 planned, the last "a"'),
    ("KTAP version 1\n1..1\nok 1 a\nok 2 b\n", "more results than the 1 planned"),
    ("KTAP version 1\n1..2\nok 1 a\nok 3 b\n", "result 3 where 2 was expected"),
    ("KTAP version 1\n1..2\nok 2 a\nok 1 b\n", "result 2 where 1 was expected"),
    ("KTAP version 1\n1..2\nok 1 a\nok 1 b\n", "result 1 where 2 was expected"),
    ("KTAP version 1\n1..1\nok a\n", '0 results of 1 planned; line 3 has no number: "ok a"'),
    ("KTAP version 1\n1..2\nok 1 a\nBail out! no disk\nok 2 b\n", "Bail out! no disk"),
    ("KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 x\nok 1 a\n", "1 results of subtests of 2 planned"),
    ("KTAP version 1\n1..1\n  KTAP version 1\n  ok 1 x\nok 1 a\n", "no plan for 1 results of subtests"),
    ("KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 x\n", "0 results of 1 planned"),
    ("KTAP version 1\n1..1\n  not ok 1 x\nok 1 a\n", "subtests without a version line: not ok 1 x"),
    ("KTAP version 1\n1..1\nok 1 a\n  KTAP version 1\n  1..1\n  ok 1 x\n", ktap.ORPHANS),
    ("  KTAP version 1\n  1..1\n  ok 1 x\n", ktap.ORPHANS),
    ("  KTAP version 1\n  1..1\n  ok 1 x\nok 1 a\n", ktap.ORPHANS),
    ("1..1\n  1..1\n    1..1\n    ok 1 x\nok 1 a\n", ktap.ORPHANS),
    ("KTAP version 2\n1..1\nok 1 a\n", "an unknown version: KTAP version 2"),
    ("KTAP version 1\n1..1\nok " + "1" * 5000 + " a\n", "0 results of 1 planned"),
    ("only\nmessages\n", "no KTAP at all"),
    ("", "no KTAP at all"),
])
def test_what_breaks_the_protocol(text, error):
    report = ktap.parse(text)
    assert any(error in e for e in report.errors), report.errors


def test_nothing_after_bailing_out_counts():
    report = parse("""
        KTAP version 1
        1..3
          KTAP version 1
          1..2
          ok 1 inner
          Bail out!
          ok 2 more
        ok 1 outer
        """)
    assert outcomes(report) == [("inner", "passed")]
    assert report.errors == ["line 6: Bail out!"]


def test_all_skipped():
    report = parse("1..0 # SKIP no hypervisor\n")
    assert [(c.outcome, c.reason) for c in report.cases] == [("skipped", "no hypervisor")]
    assert report.errors == []


def test_documents_one_after_the_other():
    report = parse("""
        KTAP version 1
        1..1
        ok 1 a
        TAP version 13
        1..1
        ok 1 b
        1..1
        ok 1 c
        """)
    assert outcomes(report) == [("a", "passed"), ("b", "passed"), ("c", "passed")]
    assert report.errors == []
    assert report.planned == 3


def test_a_document_that_ends_early_is_seen_though_another_follows():
    report = parse("""
        KTAP version 1
        1..2
        ok 1 a
        KTAP version 1
        1..1
        ok 1 b
        """)
    assert report.errors == ['line 1: 1 results of 2 planned, the last "a"']


def test_messages_in_between_decide_nothing():
    report = parse("""
        pvkit: building
        KTAP version 1
        hyp: vm a: started
        1..2
        ok let us see
            ok 7 not of any test
        [    1.234567] ok 9 printed by a driver
        ok 1 a
        not okay
        okay 5
        ok 2 b
        """)
    assert outcomes(report) == [("a", "passed"), ("b", "passed")]


def test_a_kernel_message_behind_a_result():
    report = ktap.parse("KTAP version 1\n1..2[    0.5] x\n1..2\r\nok 1 a[   12.345678] virtio_blk: gone\r\r\n"
                        "not ok 2 b[   12.345678][ T1] BUG: sleeping\n")
    assert outcomes(report) == [("a", "passed"), ("b", "failed")]
    assert report.trailing == ["[   12.345678][ T1] BUG: sleeping"]


def test_ktap_printed_by_the_kernel():
    report = parse("""
        <6>[    0.060000] KTAP version 1
        <6>[    0.060000] 1..1
        [    0.070000]     KTAP version 1
        [    0.070000]     # Subtest: list
        [    0.070000]     1..1
        [    0.080000]     ok 1 list_test_init
        [    0.090000] ok 1 list
        """)
    assert outcomes(report) == [("list: list_test_init", "passed")]
    assert report.errors == []


def test_diagnostics_are_of_the_result_that_follows():
    report = parse("""
        KTAP version 1
        1..2
        # about a
        ok 1 a
        # about b
        hyp: something
        not ok 2 b
        # after all
        """)
    assert [c.diagnostics for c in report.cases] == [["# about a"], ["# about b", "hyp: something"]]
    assert report.trailing == ["# after all"]
    assert [c.line for c in report.cases] == [4, 7]


def test_carriage_returns_and_zeroes():
    report = ktap.parse("\0\0KTAP version 1\r\n1..1\r\nok 1 a\r\r\n")
    assert outcomes(report) == [("a", "passed")]
    assert report.errors == []
