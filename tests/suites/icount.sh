#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# icount.sh ROUNDS: a deterministic QEMU is: time never goes past a timer that an idle
# vCPU waits for (4 to 9 times in a million where nothing is done about it), also beside
# other work, and two runs end at the same tick.
#
# /// suite
# time = "host"
# limit = 900
# seconds = 70
# cpus = 2
# groups = ["tools"]
# level = "quick"
# args = "1"
# long = { args = "20", limit = 3000 }
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
log=$WORK/icount.log
Q="-M virt,gic-version=3 -cpu max -m 256M -display none -nic none -serial stdio -monitor none"
: >"$log"

# idle: in the background
idle() {
	# shellcheck disable=SC2086
	timeout -s KILL 600 "$LAUNCHER/qemu-icount.sh" $Q -kernel "$BUILD/bare/idle.bin" </dev/null >>"$log" 2>&1 &
	limit=$!
}
# first: the main loop's thread, of which the scheduler is FIFO (1), and its CPUs
first() {
	idle
	for _ in $(seq 100); do
		sleep 0.1
		read -r qemu _ <"/proc/$limit/task/$limit/children"
		cpus=$(awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$qemu/status")
		policy=$(awk '{ sub(/.*\) /, ""); print $39 }' "/proc/$qemu/stat")
		[ "$policy" != 1 ] || break
	done
	wait $limit
}
result() { tr -d '\r' <"$log" | awk -v n="$1" '$1 == "RESULT" && $2 == n { print $3 }'; }
same() { [ "$(result now | sort -u | wc -l)" = 1 ]; }
none_late() { ! result late | grep -qv '^0$' || { grep -E "late|most" "$log" | sed 's/^/# /'; false; }; }

plan 5
first
expect "QEMU's threads are on one CPU" sh -c "echo '$cpus' | grep -qx '[0-9]*'"
if chrt -f 1 true 2>/dev/null; then
	expect "...and its main loop comes first" [ "$policy" = 1 ]
else
	skip "...and its main loop comes first" "SCHED_FIFO is not permitted"
fi
for _ in $(seq "$1"); do
	( while :; do :; done ) &
	beside=$!
	idle
	wait $limit
	kill $beside
	wait $beside 2>/dev/null
done
expect "all runs ended" [ "$(result sleeps | wc -l)" -ge $(($1 + 1)) ]
expect "no vCPU was woken late" none_late
expect "all ended at the same tick" same
