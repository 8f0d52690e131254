# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# pvclock, KTAP; needs no hypervisor of ours, nor root file system. QEMU is to
# run with -icount: what is measured is the same in each run then. But a tail of it is
# chance: another build may have another. So of tails the median of five runs with
# shifted starts is judged, and all five are printed; the other figures are judged by
# limits that hold in each run. pvkit.rounds: how often what is done again and again is
# done. pvkit.smoke=1: only a few cases, where all have been run on another kernel.
. "${KTAP:-}/lib.sh"
ROUNDS=$(word rounds)
ROUNDS=${ROUNDS:-6}
SMOKE=$(word smoke)
P=/sys/module/pvclock/parameters
S=/sys/kernel/debug/pvclock/stats
HZ=$(zcat /proc/config.gz 2>/dev/null | sed -n 's/^CONFIG_HZ=//p')
HZ=${HZ:-250}
[ "$(nproc)" -gt 1 ] && TWO=yes || TWO=
# full NAME COMMAND...: not of the smoke group
full() { [ "$SMOKE" = 1 ] || check "$@"; }
full_skip() { [ "$SMOKE" = 1 ] || skip "$@"; }
# full_two NAME COMMAND...: of two CPUs
full_two() { if [ -n "$TWO" ]; then full "$@"; else full_skip "$1" "one CPU"; fi; }
[ "$SMOKE" = 1 ] && plan 9 || plan 28

complaints() { dmesg | grep -E "BUG|WARNING|Oops|soft lockup|LOCKUP|rcu:.*stall|scheduling while" | sed 's/^/# /'; }
quiet() { ! complaints | grep .; }
set_to() { echo "$1" >$P/tick_divisor; }
# interrupts CPU: timer interrupts
interrupts() { awk -v c=$(($1 + 2)) '/arch_timer/ { print $c; exit }' /proc/interrupts; }
# on CPU COMMAND...
on() { on_cpu=$1; shift; taskset $((1 << on_cpu)) "$@"; }
# from_to A B VALUE...: every value is in between
from_to() { awk "BEGIN { a = $1; b = $2; for (i = 3; i < ARGC; i++) if (ARGV[i] < a || ARGV[i] > b) exit 1 }" "$@"; }
field() { sed -n "s/.*$1=\\([0-9.]*\\).*/\\1/p" /tmp/out; }
# five COMMAND...: five times, each 13.6 ms later in the ticks, of up to 64 ms, and 1.6 in the jiffy
five() {
	for k in 1 2 3 4 5; do
		clock sleep $((k * 13600)) 1 >/dev/null
		"$@" >/tmp/out || return 1
		cat /tmp/out >&3
	done 3>/tmp/five
}
# of_five FIELD: of each run; median FIELD: of these
of_five() { sed -n "s/.*$1=\\([0-9.]*\\).*/\\1/p" /tmp/five | tr '\n' ' '; }
median() {
	of_five "$1" | awk '{
		for (i = 1; i <= NF; i++) {
			for (j = 1, below = 0; j <= NF; j++)
				below += $j + 0 < $i + 0 || ($j == $i && j < i)
			if (below == int(NF / 2)) { print $i; exit }
		}
	}'
}
says() { dmesg | tail -5 | grep -q "$1"; }

check "pvhyp loads" load pvhyp
refused() { ! insmod "$KTAP/modules/pvclock.ko" "$1" 2>/tmp/err && says "$2"; }
check "a divisor of 0 is refused" refused tick_divisor=0 "tick_divisor must be 1 to 64, not 0"
full "...and of 65" refused tick_divisor=65 "tick_divisor must be 1 to 64, not 65"
check "...and nonsense" refused policy=sideways "invalid for parameter"
if [ -e /sys/kernel/debug/pvhyp/exits ]; then HYP=yes; else HYP=; fi
# Interrupts of other timers in 3 s: more of them on a kernel that is slow. And under our hypervisor
# the other of the 2 vCPUs may have the one pCPU for a slice of 10 ms.
has_kasan && OTHER_TIMERS=20 || OTHER_TIMERS=9
[ -n "$HYP" ] && OTHER_VCPU=12000 || OTHER_VCPU=0
slack_refused() { refused pvtimer=Y "pvtimer: no hypervisor"; }
if [ -n "$HYP" ]; then full_skip "slack is refused without a hypervisor" "there is one"; else full "slack is refused without a hypervisor" slack_refused; fi
native_tick() {
	n0=$(interrupts 0)
	on 0 clock hog 2 >/dev/null
	native=$(($(interrupts 0) - n0))
}
# idle_ticks: timer interrupts of all CPUs in 5 s
idle_ticks() {
	i0=$(interrupts 0) i1=$(interrupts "${TWO:+1}")
	clock sleep 5000000 1 >/dev/null
	idle=$(($(interrupts 0) - i0 + $(interrupts "${TWO:+1}") - i1))
}
[ "$SMOKE" = 1 ] || idle_ticks
native_idle=${idle:-}
check "it loads" load pvclock tick_divisor=1
listed() { [ "$(grep -c '^cpu[0-9]* divisor=1 .*ticks=' $S)" = "$(nproc)" ]; }
full "it counts, for each CPU" listed

# Ticks of a CPU that computes for 3 s: HZ / N, besides those few that other timers make.
rate() {
	set_to "$1" && clock sleep 300000 1 >/dev/null
	r=$(interrupts 0)
	on 0 clock hog 3 >/dev/null
	r=$(($(interrupts 0) - r))
	echo "# divisor $1: $r timer interrupts in 3 s"
	# Where the other vCPU takes the pCPU for longer than a tick, ticks merge.
	from_to $((3 * HZ * 94 / 100 / $1)) $((3 * HZ * 102 / 100 / $1 + OTHER_TIMERS)) "$r"
}
for n in 1 4 16 64; do
	case $n in 1 | 16) check "a tick every $n jiffies" rate $n ;; *) full "a tick every $n jiffies" rate $n ;; esac
done

exact() {
	five "$@" clock sleep 300 400
	echo "# $*: least $(of_five least) median $(of_five median) p99 $(of_five p99) worst $(of_five worst)"
	# shellcheck disable=SC2046	# five values
	from_to 300 600 $(of_five least) $(of_five median) "$(median p99)" && from_to 300 $((600 + OTHER_VCPU)) "$(median worst)"
}
check "a sleep of 300 us is exact on an idle CPU" exact
hog() { taskset $((1 << $1)) clock hog 10000 >/dev/null & hogs="$hogs $!"; }
unhog() { for h in $hogs; do kill "$h"; done; wait; hogs=; }
hog 0
full "...and beside a task that computes" exact on 0
unhog
# wheel OF COMMAND...: 2 jiffies and what is left of the one it is started in; OF: worst or median
wheel() {
	of=$1
	shift
	five "$@" clock wheel 8 20
	echo "# $*: least $(of_five least) median $(of_five median) worst $(of_five worst)"
	[ "$of" = median ] && most=14000 || most=$((14000 + OTHER_VCPU))
	# shellcheck disable=SC2046	# five values
	from_to 7900 "$most" $(of_five least) "$(median "$of")"
}
full "timers of the timer wheel are exact on an idle CPU" wheel worst
echo auto >$P/policy
hog 0
full "policy auto: ...and beside a task that computes" wheel median on 0
unhog
# alternate LEAST MOST: that many context switches, in 3 s
alternate() {
	hog 0
	on 0 clock hog 3 >/tmp/out
	unhog
	echo "# $(cat /tmp/out)"
	# Either may be two ticks of 64 ms ahead.
	from_to 1.35e6 1.65e6 "$(field cpu)" && from_to "$1" "$2" "$(field switches)"
}
full "...two tasks that compute take turns as ever" alternate $((3 * HZ / 4)) 1e9
echo fixed >$P/policy
set_to 16
full "policy fixed: they share the CPU" alternate 5 $((3 * HZ / 8))

# CPU time: /proc/stat of CPU 0 (all but idle; stolen is taken off the others; of 10 ms),
# and getrusage(). What else runs there is in the former, so it is compared with that at all ticks.
busy() { awk '/^cpu0 / { print $2 + $3 + $4 + $7 + $8 + $9 }' /proc/stat; }
# seen COMMAND...: sets seen, us in /proc/stat, and cpu, by the scheduler's clock
seen() {
	seen=$(busy)
	on 0 "$@" >/tmp/out
	seen=$((($(busy) - seen) * 10000)) cpu=$(field cpu)
	echo "# $*: $seen us in /proc/stat, $(cat /tmp/out)"
}
accounted() {	# COMMAND... and its share
	set_to 1
	seen "$@"
	expected=$seen of=$cpu
	set_to 16
	seen "$@"
	expected=$(awk "BEGIN { printf \"%d\", $expected * $cpu / $of }")
	from_to $((expected - cpu * 3 / 100)) $((expected + cpu * 3 / 100)) $seen &&
		from_to $((cpu * 97 / 100)) $((cpu * 103 / 100)) $(($(field user) + $(field system)))
}
full "CPU time of a task that computes" accounted clock hog 4
full "...and of one that does for 30 %" accounted clock duty 30 10
limited() {
	t=$(cut -d. -f1 /proc/uptime)
	# shellcheck disable=SC3045
	(ulimit -t 2; exec clock hog 20) >/dev/null 2>&1
	s=$?
	[ $s -gt 128 ] && from_to 1 4 $(($(cut -d. -f1 /proc/uptime) - t))
}
full "RLIMIT_CPU ends a task in time" limited

per_cpu() {
	set_to 1 && echo 32 >/sys/devices/system/cpu/cpu1/tick_divisor && [ "$(cat /sys/devices/system/cpu/cpu0/tick_divisor)" = 1 ] &&
		! echo 99 2>/dev/null >/sys/devices/system/cpu/cpu1/tick_divisor || return 1
	a=$(interrupts 0) b=$(interrupts 1)
	hog 0
	on 1 clock hog 3 >/dev/null
	unhog
	a=$(($(interrupts 0) - a)) b=$(($(interrupts 1) - b))
	echo "# interrupts of CPU 0: $a, of CPU 1, whose divisor is 32: $b"
	[ $a -gt $((b * 8)) ]
}
full_two "each CPU may have its own" per_cpu
staggered() {
	set_to 16
	hog 0
	hog 1
	clock sleep 500000 1 >/dev/null
	x=$(sed -n 's/^cpu0 .*next=\([0-9]*\).*/\1/p' $S) y=$(sed -n 's/^cpu1 .*next=\([0-9]*\).*/\1/p' $S)
	unhog
	[ $(((x - y + 1600) % 16)) = 8 ]
}
full_two "CPUs tick by turns" staggered
too_coarse() {
	was=$(cat /proc/sys/kernel/watchdog_thresh)
	echo 1 >/proc/sys/kernel/watchdog_thresh
	! set_to 64 2>/dev/null && says "is too coarse for the soft-lockup detector (kernel.watchdog_thresh), which waits 2 s"
	tc=$?
	echo "$was" >/proc/sys/kernel/watchdog_thresh
	return $tc
}
if [ -e /proc/sys/kernel/watchdog_thresh ] && grep -q " watchdog_thresh$" /proc/kallsyms; then
	full "what would set a watchdog off is refused" too_coarse
else
	full_skip "what would set a watchdog off is refused" "this kernel does not tell watchdog_thresh"
fi
# Or no more than without pvclock: PREEMPT_RT keeps its tick.
idles() {
	set_to 16
	idle_ticks
	echo "# 5 s idle: $idle timer interrupts, without pvclock $native_idle"
	[ $idle -lt $((5 * HZ / 2)) ] || [ $idle -le $((native_idle * 105 / 100)) ]
}
full "an idle CPU has no ticks" idles
hotplug() {
	echo 0 >/sys/devices/system/cpu/cpu1/online && echo 1 >/sys/devices/system/cpu/cpu1/online || return 1
	b=$(interrupts 1)
	on 1 clock hog 3 >/dev/null
	b=$(($(interrupts 1) - b))
	echo "# $b timer interrupts in 3 s"
	from_to 1 $((3 * HZ / 8)) $b
}
full_two "a CPU that comes back has it, too" hotplug
cycles() {
	hog 0
	[ -z "$TWO" ] || hog 1
	i=0
	while [ $i -lt "$ROUNDS" ]; do
		set_to $((1 + i * 7 % 64)) || return 1
		case $((i % 3)) in
		0) rmmod pvclock && [ ! -e $S ] && load pvclock tick_divisor=$((1 + i % 64)) || return 1 ;;
		1) [ -z "$TWO" ] || { echo 0 >/sys/devices/system/cpu/cpu1/online && echo 1 >/sys/devices/system/cpu/cpu1/online; } || return 1 ;;
		2) echo auto >$P/policy && set_to 64 && echo fixed >$P/policy || return 1 ;;
		esac
		i=$((i + 1))
	done
	unhog
}
full "loaded, changed, CPUs off and on $ROUNDS times under load" cycles
back() {
	set_to 64 && clock sleep 300000 1 >/dev/null	# CPUs that idle know of a far tick
	rmmod pvclock && [ ! -e /sys/devices/system/cpu/cpu0/tick_divisor ] && wheel worst on $(($(nproc) - 1)) || return 1
	native_tick
	echo "# ticks in 2 s: $native"
	# As in rate(); what was before is of a guest that may not have done with booting.
	from_to $((2 * HZ * 94 / 100)) $((2 * HZ * 105 / 100)) "$native"
}
check "it unloads, and the ticks are back" back
check "nothing to complain of" quiet
