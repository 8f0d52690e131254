#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The figures that we promise, measured and compared with their limits.
#
# /// suite
# time = "real"
# limit = 3600
# seconds = 300
# groups = ["figures"]
# ///
. "$TOP/tests/tap.sh"
"$TOP/pvkit" bench exits size boot lock blk net tick noop partition --quick --json "$BUILD/figures.json" || exit 1
figure() { awk -F '\t' -v n="$1" '$1 == n { print $2 }' "$BUILD/results.tsv"; }
at_most() { awk "BEGIN { exit !(\"$(figure "$1")\" != \"\" && $(figure "$1") <= $2) }"; }
at_least() { awk "BEGIN { exit !(\"$(figure "$1")\" != \"\" && $(figure "$1") >= $2) }"; }
limit() { expect "$2 $1 $3 (is $(figure "$2"))" "$1" "$2" "$3"; }
plan 43
limit at_most exits.hypercall 150
limit at_most exits.hypercall_fast 60
limit at_most exits.mmio_gicd 300
limit at_most exits.ipi 1000
limit at_most exits.timer 1000
limit at_most exits.eoi_exits 0
limit at_most size.text_bytes 98304
limit at_most size.ram_bytes 1048576
limit at_most boot.overhead_ratio 1.10
limit at_least lock.pv.4x.efficiency 0.95
limit at_least lock.pv.8x.efficiency 0.95
limit at_least lock.uncontended_ratio 0.999
limit at_least lock.mt.pv_vs_native 20
limit at_least lock.mt.pv_vs_fit 0.70
# Two scheduling rounds. Deterministic: in real time the host's own scheduling
# adds what it likes, so lock.mt.pv.longest_wait_ms is reported, not judged.
limit at_most lock.pv.4x.longest_wait_ms 80
limit at_most lock.pv.8x.longest_wait_ms 160
limit at_most blk.stock.hyp_instructions_per_io 1500
limit at_most blk.stock.exits_per_io 2.1
limit at_most blk.immediate.exits_per_io 2.1
limit at_most blk.piggyback.exits_per_io 1.1
limit at_most blk.piggyback.qd32.exits_per_io 0.1
limit at_most blk.poll.exits_per_io 0.02
limit at_least blk.adaptive.worst_ratio 0.98
limit at_most kick.max_delay_us 200
limit at_most noop.bio_vs_none 0.85
limit at_most noop.bio_vs_mq-deadline 0.72
# A tenth of stock's. How far below it is depends on how often the host takes the
# CPU from the pCPU that polls: 0.2 to 1.6.
limit at_most net.poll.partitioned.exits_per_mb 4
limit at_least net.stock.tcp1.mbit 1000
limit at_most net.stock.exits_per_mb 200
limit at_most partition.exits_per_s.idle 0
limit at_most partition.exits_per_s.compute 0
for n in 1 16; do
	limit at_most tick.n$n.interrupts_per_s "$((250 * 1020 / n + 1500)).0e-3"
	limit at_least tick.n$n.interrupts_per_s "$((250 * 980 / n)).0e-3"
	[ $n != 1 ] || continue
	limit at_most tick.n$n.usleep300_worst_ratio 1.05
	limit at_most tick.n$n.cyclictest_p50_ratio 1.05
	limit at_most tick.n$n.cyclictest_late_percent 0.3
done
limit at_least tick.n16.hog.stat.ratio 0.98
limit at_least tick.n16.duty.stat.ratio 0.97
limit at_most tick.n16.duty.stat.ratio 1.03
limit at_least tick.n16.fairness 0.90
# What is the same in each run of a build must not get worse unseen.
gate="no deterministic figure is worse than the baseline's"
/usr/bin/python3 "$TOP/tools/report/figures.py" compare "$BUILD/figures.json" "$TOP/tests/baseline.json" >"$WORK/compare" 2>&1
status=$?
sed 's/^/# /' "$WORK/compare"
if [ $status = 3 ]; then
	skip "$gate" "$(cat "$WORK/compare")"
else
	tap $status "$gate ($(tail -1 "$WORK/compare"))"
fi
