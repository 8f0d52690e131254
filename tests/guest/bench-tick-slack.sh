# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of the second part of `pvkit bench tick`: two vCPUs that compute,
# ticks with slack and without,
# for pvkit.seconds, and pvkit.sleeps of 300 us beside. Prints lines: RESULT name value
. /lib.sh
LEN=$(word seconds)
SLEEPS=$(word sleeps)
insmod /modules/pvhyp.ko && insmod /modules/pvclock.ko tick_divisor=16 || exit 1
all_cpus
for s in N Y; do
	echo $s >/sys/module/pvclock/parameters/pvtimer
	taskset 1 clock hog 1 >/dev/null &
	taskset 2 clock hog 1 >/dev/null
	wait
	taskset 1 clock hog "$LEN" >/dev/null &
	cost $s taskset 2 clock hog "$LEN" >/dev/null
	wait
	echo "RESULT slack.$s.timer_exits $(sed -n 's/^irq_timer //p' /tmp/cost.$s)"
	taskset 1 clock hog 10000 >/dev/null & a=$!
	taskset 2 clock hog 10000 >/dev/null & b=$!
	echo "RESULT slack.$s.median $(clock sleep 300 "$SLEEPS" | sed 's/.*median=\([0-9.]*\).*/\1/')"
	kill $a $b
	wait
done
