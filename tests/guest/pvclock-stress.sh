# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/pvclock-stress.sh, in the Debian root: stress-ng computes,
# sets timers and switches tasks while pvclock is at N=16, then while it comes
# and goes, changes, and CPUs do. Prints KTAP.
. /lib.sh
LEN=$(word seconds)
ROUNDS=$(word rounds)
P=/sys/module/pvclock/parameters
plan 5
quiet() { ! dmesg | grep -A 60 -E "BUG|WARNING|Oops|soft lockup|LOCKUP|rcu:.*stall" | sed 's/^/# /' | grep .; }
insmod /modules/pvhyp.ko
check "it loads" insmod /modules/pvclock.ko tick_divisor=16
# stress SECONDS: what kinds there are, one after the other would take too long
stress() { stress-ng --cpu 4 --timer 2 --timerfd 2 --switch 2 --context 2 --clock 2 --nanosleep 2 --timeout "$1" --metrics-brief >/tmp/stress 2>&1; }
check "stress-ng for $LEN s at N=16" stress "$LEN"
sed 's/^/# /' /tmp/stress | tail -9
cycles() {
	stress 10000 &
	i=0
	while [ $i -lt "$ROUNDS" ]; do
		echo $((1 + i * 7 % 64)) >$P/tick_divisor && echo $((1 + i * 13 % 64)) >/sys/devices/system/cpu/cpu2/tick_divisor || break
		case $((i % 4)) in
		0) rmmod pvclock && insmod /modules/pvclock.ko tick_divisor=$((1 + i % 64)) || break ;;
		1) echo 0 >/sys/devices/system/cpu/cpu3/online && echo 1 >/sys/devices/system/cpu/cpu3/online || break ;;
		2) echo auto >$P/policy && sleep 0.2 && echo fixed >$P/policy || break ;;
		3) echo Y >$P/pvtimer && sleep 0.2 && echo N >$P/pvtimer || break ;;
		esac
		i=$((i + 1))
	done
	pkill stress-ng
	wait
	[ $i = "$ROUNDS" ]
}
check "loaded, changed, CPUs off and on $ROUNDS times under that load" cycles
check "it unloads" rmmod pvclock
check "nothing to complain of" quiet
