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

set -- qemu-system-aarch64 "$@" -name debug-threads=on \
	-icount "shift=${PVKIT_ICOUNT_SHIFT:-0},sleep=off" -seed 1 -rtc base=2026-01-01,clock=vm
# SCHED_FIFO for the first thread, which becomes the main loop, before any vCPU exists;
# the threads that it makes do not inherit it (SCHED_RESET_ON_FORK). Not permitted
# everywhere; on one CPU alone it is rarer, at least.
! chrt -R -f 1 true 2>/dev/null || set -- chrt -R -f 1 "$@"
exec "$@"
