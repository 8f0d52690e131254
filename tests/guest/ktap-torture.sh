# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/torture.sh: each kind of lock for pvkit.seconds with pvlock going
# on and off, for a tenth of that without it. Prints KTAP.
. /lib.sh
SECONDS_EACH=$(word seconds)
LOCKS="spin_lock spin_lock_irq raw_spin_lock rw_lock rw_lock_irq mutex_lock rwsem_lock"
P=/sys/module/pvlock/parameters/enabled
# shellcheck disable=SC2086
plan $(($(set -- $LOCKS; echo $#) * 2 + 5))

toggle() { while :; do echo 0 >$P; sleep 1; echo 1 >$P; sleep 1; done; }
# torture MODULE ARGUMENTS...: until SECONDS_EACH are over; it says how it ended
torture() {
	dmesg -c >/dev/null
	modprobe "$@" || return 1
	sleep "$SECONDS_EACH"
	rmmod "$1" || return 1
	dmesg >/tmp/log
	cat /tmp/log >>/tmp/all
	grep -E "End of test" /tmp/log | sed 's/^/# /'
	sed -n 's/.*\(Writes: *Total: [0-9]*\).*/# \1/p' /tmp/log | tail -1
	grep -q "End of test: SUCCESS" /tmp/log
}
dmesg -n 1
dmesg -c >/tmp/all
check "pvhyp" load pvhyp
TOGGLED=$SECONDS_EACH SECONDS_EACH=$((SECONDS_EACH / 10 + 5))
for l in $LOCKS; do check "locktorture $l" torture locktorture torture_type="$l" nwriters_stress=8 stat_interval=5; done
SECONDS_EACH=$TOGGLED
check "pvlock" load pvlock
toggle &
for l in $LOCKS; do check "locktorture $l, pvlock going on and off" torture locktorture torture_type="$l" nwriters_stress=8 stat_interval=5; done
kill $!
check "pvclock" load pvclock tick_divisor=16
check "rcutorture, a tick every 16 jiffies" torture rcutorture stat_interval=10 shuffle_interval=3
rmmod pvclock && rmmod pvlock && rmmod pvhyp
dmesg >>/tmp/all
quiet() { ! grep -E "BUG:|WARNING:|Oops|KASAN:|UBSAN:|possible .* detected|inconsistent lock|suspicious RCU|detected stall|self-detected|soft lockup|blocked for more" /tmp/all | sed 's/^/# /' | grep .; }
check "no report of KASAN, UBSAN, lockdep or RCU" quiet
