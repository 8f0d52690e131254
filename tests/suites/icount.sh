#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# icount.sh ROUNDS: deterministic QEMU is deterministic: time never goes past a timer that
# an idle vCPU waits for (4 to 9 times in a million where nothing is done about it), also
# beside other work on the same CPU, and two runs end at the same tick. Where SCHED_FIFO is not permitted
# this is rarer, but happens: then it is not judged.
#
# /// suite
# time = "host"
# limit = 900
# seconds = 70
# groups = ["tools"]
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
# first: a run, and while it has a vCPU's thread: its CPUs, and the policies of the main
# loop's thread and of that. However long it takes to start, or until it ends.
first() {
	idle
	cpus='' main='' vcpu=''
	while [ -z "$vcpu" ] && kill -0 $limit 2>/dev/null; do
		sleep 0.1
		qemu=$(cut -d ' ' -f 1 "/proc/$limit/task/$limit/children")	# no line's end there, which read fails for
		thread=$(grep -ls TCG /proc/"$qemu"/task/*/comm | head -1 | cut -d / -f 5)
		[ -n "$thread" ] || continue
		cpus=$(awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$qemu/status")
		main=$(policy_of "$qemu") vcpu=$(policy_of "$thread")
	done 2>/dev/null
	wait $limit
}
policy_of() { chrt -p "$1" | sed -n 's/.*policy: *//p'; }
main_first() { [ "$main" = "SCHED_FIFO|SCHED_RESET_ON_FORK" ] && [ "$vcpu" = SCHED_OTHER ] || { echo "# main loop: $main, vCPU: $vcpu"; false; }; }
# permitted NAME COMMAND...
permitted() {
	if chrt -f 1 true 2>/dev/null; then
		expect "$@"
	else
		skip "$1" "SCHED_FIFO is not permitted"
	fi
}
result() { tr -d '\r' <"$log" | awk -v n="$1" '$1 == "RESULT" && $2 == n { print $3 }'; }
same() { [ "$(result now | sort -u | wc -l)" = 1 ]; }
none_late() { ! result late | grep -qv '^0$' || { grep -E "late|most" "$log" | sed 's/^/# /'; false; }; }

plan 5
first
expect "QEMU's threads are on one CPU" sh -c "echo '$cpus' | grep -qx '[0-9][0-9]*'"
permitted "...and its main loop came first from the start" main_first
for _ in $(seq "$1"); do
	( while :; do :; done ) &
	beside=$!
	idle
	wait $limit
	kill $beside
	wait $beside 2>/dev/null
done
expect "all runs ended" [ "$(result sleeps | wc -l)" -ge $(($1 + 1)) ]
permitted "no vCPU was woken late" none_late
permitted "all ended at the same tick" same
