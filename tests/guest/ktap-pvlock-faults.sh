# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What pvlock got wrong once, KTAP: 6 vCPUs on 2 pCPUs, in real time.
# pvkit.paravirt_spinlocks: what building for such a kernel said (tests/suites/pvlock-faults.sh).
. "${KTAP:-}/lib.sh"
D=/sys/kernel/debug
SYSCTL=/proc/sys/kernel/ftrace_enabled
quiet() { ! dmesg | grep -E "BUG|WARNING|Oops|lockup|rcu:.*stall" | sed 's/^/# /' | grep .; }
stat_of() { sed -n "s/^$1 //p" $D/pvlock/stats; }
plan 9

load pvhyp && load irqload && load lockbench

# nest MODULE: waits of interrupt handlers inside of waits; sets lost and halts
nest() {
	load "$1" steal_us=0 spin_ns=2000 || return 1
	echo 4000 60 2500 >$D/irqload/nest
	lost=$(stat_of wait_lost) halts=$(stat_of wait)
	echo "# $1: $(cat $D/irqload/nest), $halts halts, unkicked $(stat_of wait_unkicked), lost wake-ups $lost"
	rmmod "$1"
	[ "$halts" -gt 100 ]
}
kept() { nest "$1" && [ "$lost" = 0 ]; }
check "nested waits lose no wake-up" kept pvlock
check "...nor with 300 us before each halt" kept pvlock_wide
is_lost() { nest pvlock_late && [ "$lost" -gt 0 ]; }
check "negative control: a halt that does not look again" is_lost

# Our slow path is called as often as it is entered.
calls() {
	s=$(stat_of slow)
	echo "3 600 600 300" >$D/lockbench/run
	[ $(($(stat_of slow) - s)) -gt 0 ]
}
refused() {
	echo 0 >$SYSCTL || return 1
	insmod "$KTAP/modules/$1.ko" 2>/dev/null
	refused_status=$?
	[ $refused_status = 0 ] && rmmod "$1"
	echo 1 >$SYSCTL
	[ $refused_status != 0 ] && dmesg | tail -5 | grep -q "is kernel.ftrace_enabled 0?"
}
check "with kernel.ftrace_enabled=0 it refuses, and says why" refused pvlock
works() {
	load "$1" steal_us=0 && calls && ! echo 0 2>/dev/null >$SYSCTL && [ "$(cat $SYSCTL)" = 1 ] &&
		grep -q "queued_spin_lock_slowpath redirected" $D/pvlock/hooks && rmmod "$1"
}
check "...and with 1 it works" works pvlock
check "as a callback, for kernels without direct calls, it refuses" refused pvlock_callback
check "...and works" works pvlock_callback
not_built() { echo "# $(word paravirt_spinlocks)"; [ "$(word paravirt_spinlocks)" = refused ]; }
check "CONFIG_PARAVIRT_SPINLOCKS is refused at build" not_built
check "nothing to complain of" quiet
