# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench tick`, in the Debian root: the tick at each of
# pvkit.divisors, 1 being the kernel's own; pvkit.seconds of computing for each,
# pvkit.wakeups per interval of cyclictest, in pvkit.starts runs that lie differently to
# the ticks. Prints lines: RESULT name value
. /lib.sh
DIVISORS=$(word divisors | tr : ' ')
LEN=$(word seconds)
WAKEUPS=$(word wakeups)
STARTS=$(word starts)
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

# start K: shifts what comes by a K-th of STARTS, of the longest tick that is measured
# (16 jiffies of 4 ms), and of a jiffy
start() { sleep "$(awk "BEGIN { print $1 * (0.064 + 0.004) / $STARTS }")"; }

# cyclic LOAD US: what each wake-up took, in ns, of all starts, and of each; without the
# first ones, which are of a program that starts
cyclic() {
	for k in $(seq "$STARTS"); do
		start "$k"
		# It prints each; sorting them gives the percentiles.
		cyclictest -N -v -m -p 90 -i "$2" -l $((WAKEUPS / STARTS + 5)) 2>/dev/null |
			awk -F: 'NF == 3 && $3 ~ /^ *[0-9]+$/ && $2 >= 5 { print $3 + 0 }' >"/tmp/$1.$2.$k"
	done
	cat "/tmp/$1.$2".[0-9] | busybox sort -n >"/tmp/$1.$2"
}

percentile() { awk -v p="$2" '{ v[NR] = $1 } END { i = int(NR * p) + 1; print v[i > NR ? NR : i] }' "$1"; }

# precision LOAD: of sleeps at divisor $n; what is late is so compared with divisor 1
precision() {
	for k in $(seq "$STARTS"); do
		start "$k"
		clock sleep 300 "$WAKEUPS" >/tmp/out
		echo "RESULT n$n.usleep300.$1.worst $(field worst)"
	done
	for us in 50 200 1000; do
		cyclic "$1" $us
		[ "$n" != 1 ] || percentile "/tmp/$1.$us" 0.999 >"/tmp/$1.$us.limit"
		echo "RESULT n$n.cyclic.$1.$us.p50 $(percentile "/tmp/$1.$us" 0.5)"
		echo "RESULT n$n.cyclic.$1.$us.p999 $(percentile "/tmp/$1.$us" 0.999)"
		for k in $(seq "$STARTS"); do
			echo "RESULT n$n.cyclic.$1.$us.late $(awk -v limit="$(cat "/tmp/$1.$us.limit")" '$1 > limit * 1.05 { n++ } END { print n + 0 }' "/tmp/$1.$us.$k")"
		done
	done
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
	echo "RESULT n$n.share $(awk -v a="$(field cpu)" '{ sub(/.*cpu=/, ""); a += 0; b = $0 + 0; print (a < b ? a : b) * 2 / (a + b) }' /tmp/other)"
	echo "RESULT n$n.switches $(field switches)"
	for l in idle loaded; do
		load $l
		precision $l
		[ -z "$hog" ] || kill $hog
	done
done
rmmod pvclock
