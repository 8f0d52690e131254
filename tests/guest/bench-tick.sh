# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench tick`, in the Debian root: the tick at each of
# pvkit.divisors, 1 being the kernel's own; pvkit.seconds of computing for each,
# pvkit.wakeups per interval of cyclictest. Prints lines: RESULT name value
. /lib.sh
DIVISORS=$(word divisors | tr : ' ')
LEN=$(word seconds)
WAKEUPS=$(word wakeups)
P=/sys/module/pvclock/parameters
insmod /modules/pvhyp.ko && insmod /modules/pvclock.ko tick_divisor=1 || exit 1

interrupts() { awk '/arch_timer/ { print $2 }' /proc/interrupts; }
timer_exits() { counters | sed -n 's/^irq_timer=//p'; }
cpu_ticks() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }	# all but idle and stolen; of 10 ms
field() { sed -n "s/.*$1=\\([0-9.]*\\).*/\\1/p" /tmp/out; }

# cost_of NAME COMMAND...: interrupts, exits and CPU time around it
cost_of() {
	co_name=$1
	shift
	i=$(interrupts) e=$(timer_exits) c=$(cpu_ticks)
	"$@" >/tmp/out
	c=$(($(cpu_ticks) - c)) e=$(($(timer_exits) - e)) i=$(($(interrupts) - i))
	echo "RESULT $co_name.interrupts $i"
	echo "RESULT $co_name.exits $e"
	echo "RESULT $co_name.stat_us $((c * 10000))"
	echo "RESULT $co_name.cpu_us $(field cpu)"
	echo "RESULT $co_name.rusage_us $(($(field user) + $(field system)))"
}

# load on|off: something that computes beside what is measured
load() {
	if [ "$1" = loaded ]; then clock hog 10000 >/dev/null & hog=$!; else hog=; fi
}

for n in $DIVISORS; do
	echo "$n" >$P/tick_divisor
	sleep 0.5
	cost_of "n$n.hog" clock hog "$LEN"
	echo "RESULT n$n.hog.lost_us $(field lost)"
	cost_of "n$n.duty" clock duty 30 $((LEN * 3))
	# Two that compute: how they share, and how often they take turns.
	clock hog "$LEN" >/tmp/other &
	clock hog "$LEN" >/tmp/out
	wait $!
	echo "RESULT n$n.share $(awk -v a="$(field cpu)" '{ sub(/.*cpu=/, ""); sub(/ .*/, ""); s = a + $0; print (a < $0 ? a : $0) * 2 / s }' /tmp/other)"
	echo "RESULT n$n.switches $(field switches)"
	for l in idle loaded; do
		load $l
		# One in thousands is late by what has nothing to do with the tick.
		for _ in 1 2 3; do clock sleep 300 "$WAKEUPS" >/tmp/out; field worst; done | sort -n >/tmp/worst
		echo "RESULT n$n.usleep300.$l.worst $(sed -n 2p /tmp/worst)"
		for us in 50 200 1000; do
			# In ns: it prints each, and sorting them gives the percentiles.
			cyclictest -N -v -m -p 90 -i $us -l "$WAKEUPS" 2>/dev/null |
				awk -F: 'NF == 3 && $3 ~ /^ *[0-9]+$/ { print $3 + 0 }' | busybox sort -n >"/tmp/$l.$us"
			[ "$n" != 1 ] || cp "/tmp/$l.$us" "/tmp/$l.$us.1"
			percentile() { awk -v p="$2" '{ v[NR] = $1 } END { i = int(NR * p) + 1; print v[i > NR ? NR : i] }' "$1"; }
			echo "RESULT n$n.cyclic.$l.$us.p50 $(percentile "/tmp/$l.$us" 0.5)"
			echo "RESULT n$n.cyclic.$l.$us.p999 $(percentile "/tmp/$l.$us" 0.999)"
			echo "RESULT n$n.cyclic.$l.$us.late $(awk -v limit="$(percentile "/tmp/$l.$us.1" 0.999)" '$1 > limit * 1.05 { n++ } END { print n + 0 }' "/tmp/$l.$us")"
		done
		[ -z "$hog" ] || kill $hog
	done
done
rmmod pvclock
