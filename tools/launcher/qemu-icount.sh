#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# QEMU for a deterministic run: nothing that differs from one to the next, be it time,
# what RNDR gives, or the clock of day. An instruction is 1 ns; a test that computes until
# some time has passed is sooner done if it is 2^PVKIT_ICOUNT_SHIFT.
#
# QEMU's main loop moves time on to the next timer when the vCPUs are idle. It gets there
# not only then: if a vCPU executes WFI just as it looks, what that vCPU has executed since
# the clock was last read is not in its reckoning, and time goes too far by so much: some
# times in a million, and the run goes another way from there. On one CPU with the vCPUs,
# and always before them, it has looked before they go on.
set -e
taskset -cp "$(awk '{ sub(/.*\) /, ""); print $37 }' /proc/$$/stat)" $$ >/dev/null	# the CPU we are on

# Not permitted everywhere; on one CPU alone it is rarer, at least. From when there is the
# vCPUs' thread, which would inherit it.
until grep -qs TCG /proc/$$/task/*/comm; do
	kill -0 $$ 2>/dev/null || exit 0
	sleep 0.02
done && chrt -f -p 1 $$ >/dev/null 2>&1 </dev/null &
exec qemu-system-aarch64 "$@" -name debug-threads=on \
	-icount "shift=${PVKIT_ICOUNT_SHIFT:-0},sleep=off" -seed 1 -rtc base=2026-01-01,clock=vm
