# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/torture.sh: each kind of lock for pvkit.seconds with pvlock going
# on and off, for a tenth of that without it. Prints KTAP.
. /lib.sh
SECONDS_EACH=$(word seconds)
LOCKS=$(word locks | tr : ' ')
P=/sys/module/pvlock/parameters/enabled
# shellcheck disable=SC2086
plan $(($(set -- $LOCKS; echo $#) * 2 + 6))

toggle() { while :; do echo 0 >$P; sleep 1; echo 1 >$P; sleep 1; done; }
# torture SECONDS MODULE ARGUMENTS...: it says how it ended
torture() {
	torture_s=$1
	shift
	dmesg -c >>/tmp/all
	modprobe "$@" || return 1
	sleep "$torture_s"
	rmmod "$1" || return 1
	dmesg -c >/tmp/log
	cat /tmp/log >>/tmp/all
	grep -E "End of test" /tmp/log | sed 's/^/# /'
	sed -n 's/.*\(Writes: *Total: [0-9]*\).*/# \1/p' /tmp/log | tail -1
	grep -q "End of test: SUCCESS" /tmp/log
}
locks() { torture "$2" locktorture torture_type="$1" nwriters_stress=8 stat_interval=5; }
rcu() { torture "$1" rcutorture stat_interval=10 shuffle_interval=3; }
# reports: of all that was logged, without what differs from one to the next
reports() {
	dmesg -c >>/tmp/all
	grep -E "BUG:|WARNING:|Oops|KASAN:|UBSAN:|possible .* detected|inconsistent lock|suspicious RCU|detected stall|self-detected|soft lockup|blocked for more" /tmp/all |
		sed 's/^\[[ 0-9.]*\] *//; s/CPU: [0-9]* PID: [0-9]* //; s/CPU#[0-9]* stuck for [0-9]*s//; s,/[0-9]*:[0-9]*,,' | sort | uniq -c
	: >/tmp/all
}
dmesg -n 1
dmesg -c >/dev/null	# of booting
check "pvhyp" load pvhyp
for l in $LOCKS; do check "locktorture $l" locks "$l" $((SECONDS_EACH / 10 + 5)); done
check "rcutorture" rcu "$SECONDS_EACH"
reports >/tmp/without
sed 's/^/# without our modules: /' /tmp/without
check "pvlock" load pvlock
toggle &
for l in $LOCKS; do check "locktorture $l, pvlock going on and off" locks "$l" "$SECONDS_EACH"; done
kill $!
check "pvclock" load pvclock tick_divisor=16
check "rcutorture, a tick every 16 jiffies" rcu "$SECONDS_EACH"
rmmod pvclock && rmmod pvlock && rmmod pvhyp
reports >/tmp/with
# What the machine is too slow for, it is with and without.
quiet() {
	awk 'NR == FNR { $1 = ""; known[$0]; next } { all = $0; $1 = ""; if (!($0 in known)) print "# " all }' /tmp/without /tmp/with | grep . && return 1
	sed 's/^/# with them, too: /' /tmp/with
}
check "no report of KASAN, UBSAN, lockdep or RCU that there was not without" quiet
