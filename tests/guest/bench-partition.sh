# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench partition`, in the Debian root. pvkit.role:
# exits: count them over pvkit.seconds of sleep and as much computing; latency:
# cyclictest; spin: keep the pCPU busy until the others are done.
# Prints lines: RESULT name value
. /lib.sh
NAME=$(word name)
case $(word role) in
exits)
	insmod /modules/pvhyp.ko
	# But for the calls that the guest makes: reading this, and TRNG when the
	# kernel reseeds its random numbers.
	exits() { awk 'NR > 1 && $1 != "hvc" && $1 != "smccc" { for (i = 2; i <= NF; i++) s += $i } END { print s }' /sys/kernel/debug/pvhyp/exits; }
	exits >/dev/null
	clock hog 0.1 >/dev/null	# all that it takes is in memory now, and written back
	sync
	sleep 5
	a=$(exits)
	sleep "$(word seconds)"
	b=$(exits)
	clock hog "$(word seconds)" >/dev/null
	c=$(exits)
	echo "RESULT $NAME.idle $((b - a))"
	echo "RESULT $NAME.compute $((c - b))"
	;;
latency)
	cyclictest -q -p 90 -i 1000 -l 3000 -h 100000 >/tmp/c 2>&1 || cat /tmp/c
	for w in Min Avg Max; do
		echo "RESULT $NAME.$w $(sed -n "s/^# $w Latencies: 0*\([0-9]\)/\1/p" /tmp/c)"
	done
	;;
spin)
	timeout "$(word seconds)" sh -c 'while :; do :; done'
	;;
esac
