# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What pvclock got wrong once, KTAP: 2 CPUs or more, in real time. pvkit.rounds:
# how often it is unloaded while parameters are written.
. "${KTAP:-}/lib.sh"
ROUNDS=$(word rounds)
P=/sys/module/pvclock/parameters
S=/sys/kernel/debug/pvclock/stats
L=/sys/kernel/debug/irqload
HZ=$(zcat /proc/config.gz 2>/dev/null | sed -n 's/^CONFIG_HZ=//p')
HZ=${HZ:-250}
LAST=$(($(nproc) - 1))
complaints() { dmesg | grep -E "BUG|WARNING|Oops|soft lockup|LOCKUP|rcu:.*stall|scheduling while" | sed 's/^/# /'; }
quiet() { ! complaints | grep .; }
plan 9

# stat CPU NAME: a counter
stat() { sed -n "s/^cpu$1 .* $2=\([0-9]*\).*/\1/p" $S; }
# jiffies of CPU time of each CPU, but idle, and stolen ones; of 10 ms
busy() { awk '/^cpu[0-9]/ { print $2 + $3 + $4 + $7 + $8 }' /proc/stat | tr '\n' ' '; }
now() { awk '{ print int($1 * 100) }' /proc/uptime; }
# charges COMMAND...: no CPU is charged more than the time that has passed
charges() {
	before=$(busy) begin=$(now)
	"$@" || return 1
	sleep 0.1
	passed=$(($(now) - begin)) after=$(busy)
	echo "# $*: $passed passed, CPU time before $before after $after"
	echo "$before$after" | awk -v most=$((passed + 3)) '{ for (i = 1; i <= NF / 2; i++) if ($(i + NF / 2) - $i > most) exit 1 }'
}

check "pvhyp loads" load pvhyp
load irqload
sleep 3		# what has been idle for long was charged most
check "loading charges no more CPU time than there was" charges load pvclock tick_divisor=16
# The same of one that is offline for 2 s, which do not count.
charged() { awk -v c="cpu$LAST" '$1 == c { print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }
off_and_on() {
	before=$(charged) begin=$(now)
	echo 0 >/sys/devices/system/cpu/cpu$LAST/online || return 1
	passed=$(($(now) - begin))
	sleep 2
	begin=$(now)
	echo 1 >/sys/devices/system/cpu/cpu$LAST/online || return 1
	sleep 0.1
	passed=$((passed + $(now) - begin)) after=$(charged)
	echo "# online for $passed, CPU time before $before after $after"
	[ $((after - before)) -le $((passed + 3)) ]
}
check "...nor does a CPU that was offline" off_and_on
coarser() {
	echo 1 >$P/tick_divisor && sleep 2 && charges sh -c "echo 16 >$P/tick_divisor"
}
check "...nor a parameter" coarser

# moved: ticks of the last CPU that were brought forward
moved() { echo $(($(stat $LAST deadline) + $(stat $LAST busy) + $(stat $LAST idle))); }
# Timers started by interrupts on a CPU that has just gone idle: its tick, which was to be far
# ahead, is stopped and stays where it is.
left_alone() {
	echo auto >$P/policy && echo 64 >$P/tick_divisor && sleep 1
	ticks=0 forward=0 shared=0
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		taskset $((1 << LAST)) clock hog 0.3 >/dev/null
		t=$(stat $LAST ticks) d=$(moved) b=$(stat $LAST busy)
		echo "$LAST 20 3" >$L/wheel || return 1
		ticks=$((ticks + $(stat $LAST ticks) - t)) forward=$((forward + $(moved) - d))
		shared=$((shared + $(stat $LAST busy) - b))
	done
	echo fixed >$P/policy
	echo "# 200 timers: $ticks ticks, $forward brought forward, $shared for a second task"
	[ $forward -le $((ticks + 3)) ] && [ $shared -le $((ticks / 2)) ]
}
check "ticks of an idle CPU are counted for what they are" left_alone

# Tasks that switch all the time, so that it is a switch that brings jiffies up to date.
switchers() {
	for i in 1 2; do ( while :; do :; done ) & pids="$pids $!"; done
	for i in 1 2 3 4; do ( while :; do usleep 700; done ) & pids="$pids $!"; done
}
leap() {
	echo "$1" >$P/policy && echo 64 >$P/tick_divisor || return 1
	pids=
	switchers
	clock leap 4 >/tmp/leaps
	leap_status=$?
	for p in $pids; do kill "$p"; done
	wait
	echo "# policy $1: $(cat /tmp/leaps)"
	[ $leap_status = 0 ] && [ "$(cat /tmp/leaps)" = leaps=4 ]
}
check "leap seconds while tasks switch, policy fixed" leap fixed
check "...and auto" leap auto

# Every file that can be written, from before it is unloaded until it is gone.
writer() { while [ ! -e /tmp/stop ]; do echo "$2" >"$1"; done 2>/dev/null; }
unloading() {
	i=0
	while [ $i -lt "$ROUNDS" ]; do
		rm -f /tmp/stop
		writer $P/tick_divisor 64 & writer $P/policy fixed &
		writer $P/pvtimer N & writer /sys/devices/system/cpu/cpu$LAST/tick_divisor 32 &
		sleep 0.1
		rmmod pvclock || break
		touch /tmp/stop
		wait
		clock sleep 100000 1 >/dev/null		# a tick of all CPUs
		[ ! -e /sys/devices/system/cpu/cpu$LAST/tick_divisor ] || break
		load pvclock || break
		i=$((i + 1))
	done
	[ $i = "$ROUNDS" ] && rmmod pvclock
}
check "unloaded $ROUNDS times while parameters are written" unloading
check "nothing to complain of" quiet
