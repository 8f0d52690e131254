# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# pvclock where CPU 1 leaves its tick out while it has one task (nohz_full=1), KTAP.
. /lib.sh
plan 8
load pvhyp
interrupts() { awk -v c="$1" '/arch_timer/ { print $(c + 2) }' /proc/interrupts; }
# per_s CPU: timer interrupts while one task computes there for 4 s
per_s() {
	n=$(interrupts "$1")
	busybox taskset $((1 << $1)) clock hog 4 >/tmp/hog
	echo $((($(interrupts "$1") - n + 2) / 4))
}
# about CPU LEAST MOST
about() {
	got=$(per_s "$1")
	echo "# CPU $1: $got timer interrupts per s"
	[ "$got" -ge "$2" ] && [ "$got" -le "$3" ]
}
quiet() { ! dmesg | grep -E "BUG|WARNING|Oops|soft lockup|rcu:.*stall" | sed 's/^/# /' | grep .; }
check "the kernel leaves out CPU 1's tick" about 1 0 5
check "it loads" insmod /modules/pvclock.ko tick_divisor=16
check "CPU 1's is still left out" about 1 0 5
check "CPU 0's is coarse" about 0 15 20
# Two tasks need a tick there, too, and get the coarse one.
two() {
	busybox taskset 2 clock hog 6 >/tmp/other &
	about 1 13 22
	two_ok=$?
	wait
	return $two_ok
}
check "with two tasks CPU 1's is coarse" two
check "it unloads" rmmod pvclock
check "CPU 1's tick is left out as before" about 1 0 5
check "nothing to complain of" quiet
