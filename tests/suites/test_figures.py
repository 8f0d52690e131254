# SPDX-License-Identifier: GPL-2.0
# The figures that we promise, measured and compared with their limits.
#
# Deterministic runs only, so that a build gives the same figures each time, on a machine
# that is busy as on one that is not. A limit may name only what does not depend on
# chance either: an exact count; the median of five runs with shifted starts
# (*.median5); or what stays within a bound whatever happens (BOUNDED in
# tools/report/figures.py), with the argument in `why`.
#
# /// suite
# time = "icount"
# cpus = 2
# limit = 1200
# seconds = 150
# groups = ["figures"]
# ///
import operator
import subprocess
import sys

import pytest

from bench_json import BASELINE, TOP, bench, by_name, figures, note, spread

PARTS = "exits size boot lock blk tick noop partition".split()
AT_MOST, AT_LEAST = operator.le, operator.ge
SIGN = {AT_MOST: "<=", AT_LEAST: ">="}

# name, comparison, limit, why it is this limit
LIMITS = [
    ("exits.hypercall", AT_MOST, 150, "a tenth of KVM's"),
    ("exits.hypercall_fast", AT_MOST, 60, "answered in the vector"),
    ("exits.mmio_gicd", AT_MOST, 300, "decoded without a lookup in a list"),
    ("exits.ipi", AT_MOST, 1000, "sender and target together"),
    ("exits.timer", AT_MOST, 1000, "guest's handler included"),
    ("exits.eoi_exits", AT_MOST, 0, "EOI never traps"),
    ("size.text_bytes", AT_MOST, 98304, "small enough to read"),
    ("size.ram_bytes", AT_MOST, 1048576, "a MiB for 8 pCPUs"),
    ("lock.pv.4x.efficiency", AT_LEAST, 0.95, "of a lock without overcommit"),
    ("lock.pv.8x.efficiency", AT_LEAST, 0.95, "of a lock without overcommit"),
    ("lock.uncontended_ratio", AT_LEAST, 0.999, "pvlock is not on the fast path"),
    ("lock.pv.4x.longest_wait_ms.median5", AT_MOST, 80, "two scheduling rounds of 4 slices of 10 ms"),
    ("lock.pv.8x.longest_wait_ms.median5", AT_MOST, 160, "two scheduling rounds of 8 slices of 10 ms"),
    ("blk.stock.hyp_instructions_per_io", AT_MOST, 1500, "two exits and a request"),
    ("blk.stock.exits_per_io", AT_MOST, 2.1, "notify and acknowledge; 0.1 for ticks"),
    ("blk.immediate.exits_per_io", AT_MOST, 2.1, "not more than stock; 0.1 for ticks"),
    ("blk.piggyback.exits_per_io", AT_MOST, 1.1, "the WFI takes the request along; 0.1 for ticks"),
    ("blk.piggyback.qd32.exits_per_io", AT_MOST, 0.1, "a check each 188 us for some 14 requests"),
    ("blk.poll.exits_per_io", AT_MOST, 0.02, "the polling pCPU sees the bits"),
    ("blk.adaptive.instructions_vs_stock", AT_MOST, 1.02, "choosing costs nothing: never worse than stock"),
    ("kick.max_delay_us", AT_MOST, 200,
     "Holds in each run. The timer goes off 15/16 of 200 us after it was armed, and is armed while the driver"
     " defers (check_later in hyp-stub/virtio/doorbell.c). A doorbell can only be rung while the vCPU runs, where"
     " the timer's interrupt is taken at once, and each exit drains. Here one vCPU defers, by one queue, so none"
     " is served before it: what is left, 12 us, is for the exit's path, 2,000 instructions."),
    ("noop.bio_vs_none", AT_MOST, 0.85, "a request layer less"),
    ("noop.bio_vs_mq-deadline", AT_MOST, 0.72, "...and a scheduler"),
    ("partition.exits_per_s.idle", AT_MOST, 0, "a VM with a pCPU of its own does not exit"),
    ("partition.exits_per_s.compute", AT_MOST, 0, "a VM with a pCPU of its own does not exit"),
    ("tick.n16.usleep300_worst_ratio.median5", AT_MOST, 1.05, "hrtimers keep their precision"),
    ("tick.n16.cyclictest_p50_ratio", AT_MOST, 1.05, "hrtimers keep their precision"),
    ("tick.n16.cyclictest_late_percent.median5", AT_MOST, 0.3, "0.1 by definition at divisor 1"),
    ("tick.n16.hog.stat.ratio", AT_LEAST, 0.98, "a coarse tick of 64 ms in 2 s is 3 %, and it is charged when it comes"),
    ("tick.n16.duty.stat.ratio", AT_LEAST, 0.97, "charged at each switch"),
    ("tick.n16.duty.stat.ratio", AT_MOST, 1.03, "charged at each switch"),
    ("tick.n16.fairness", AT_LEAST, 0.90,
     "Holds in each run. EEVDF keeps a task's lag within its request or a tick, whichever is longer, 64 ms here,"
     " so two tasks differ by 128 ms of 2 s: 0.936. The rest is for a second task that starts later."),
    ("tick.n16.fairness", AT_MOST, 1, "Holds in each run. It is the smaller share of two."),
]
for _n in 1, 16:
    _why = f"HZ is 250, divisor {_n}"
    LIMITS += [(f"tick.n{_n}.interrupts_per_s", AT_MOST, 250 * 1.02 / _n + 1.5, _why + "; 1.5 are of other timers"),
               (f"tick.n{_n}.interrupts_per_s", AT_LEAST, 250 * 0.98 / _n, _why)]


def faults(limits, known):
    """What is wrong with them, as text: only figures of KNOWN, which chance does not decide."""
    found = []
    for name, _, _, why in limits:
        if figures.by_chance(name):
            found.append(f"{name}: chance decides it (CHAOTIC in tools/report/figures.py)")
        elif name not in known:
            found.append(f"{name}: tests/baseline.json has no such deterministic figure")
        elif figures.BOUNDED.search(name) and not why.startswith("Holds in each run. "):
            found.append(f"{name}: chance decides it within a bound: say why that holds in each run")
    return found


@pytest.fixture(scope="session")
def document():
    return bench("figures.json", *PARTS, "--icount", "--quick")


@pytest.fixture(scope="session")
def baseline():
    return figures.load(BASELINE)


def test_no_limit_names_what_chance_decides(baseline):
    """Needs no bench: add a limit on such a figure, and this fails."""
    assert faults(LIMITS, by_name(baseline)) == []


@pytest.mark.parametrize("name", ["net.stock.tcp1.mbit", "boot.overhead_ratio", "blk.adaptive.worst_ratio",
                                  "lock.pv.4x.longest_wait_ms", "tick.n16.cyclictest_late_percent",
                                  "lock.mt.pv_vs_native", "no.such.figure", "kick.max_delay_us"])
def test_such_a_limit_is_seen(baseline, name):
    assert faults([(name, AT_MOST, 1, "because")], by_name(baseline)) != []


def test_baseline_has_no_chance(baseline):
    assert [f["name"] for f in baseline["results"] if not f["deterministic"] or figures.by_chance(f["name"])] == []


@pytest.mark.parametrize("name, comparison, limit, why", LIMITS, ids=[f"{n}{SIGN[c]}{v:g}" for n, c, v, _ in LIMITS])
def test_limit(document, name, comparison, limit, why):
    figure = by_name(document).get(name)
    assert figure, f"{name} is not measured"
    print("#", spread(figure))
    assert figure["deterministic"], f"{name} is not of a deterministic run: no limit can judge it"
    assert not figures.MEDIAN.search(name) or len(figure["runs"]) == 5
    assert comparison(figure["value"], limit), f'{spread(figure)}, is to be {SIGN[comparison]} {limit:g}: {why}'


def test_nothing_got_worse(document, tmp_path):
    """What is the same in each run of a build must not get worse unseen."""
    new = tmp_path / "new.json"
    new.write_text(figures.up_to_results(document, document["results"]) + "}")
    compare = [sys.executable, TOP / "tools/report/figures.py", "compare", new, BASELINE]
    result = subprocess.run(compare, capture_output=True, text=True)
    lines = result.stdout.splitlines()
    print(*(f"# {line}" for line in lines), sep="\n")
    if result.returncode == 3:
        pytest.skip(lines[-1])
    assert result.returncode == 0, "\n".join([line for line in lines if line.startswith("worse")] + lines[-1:] + [result.stderr])


def test_notes(document, record_property):
    """What chance decides, as it came out: not judged."""
    note(document, {n for n, _, _, _ in LIMITS}, record_property)
