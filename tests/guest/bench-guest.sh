# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench guest`: what an idle guest costs per second, as it
# comes, without each thing that it does to no end, and without all of them. The
# shell forks nothing meanwhile: processes that come and go are not idleness.
# Prints lines: RESULT name value
. /lib.sh
LEN=$(word seconds)
COUNTERS=/sys/kernel/debug/pvhyp
insmod /modules/pvhyp.ko
all_cpus
mkfifo /tmp/never
exec 3<>/tmp/never
# shellcheck disable=SC3045	# of busybox
pause() { read -r -t "$1" _ <&3; }

# counted: sets GUEST, instructions, and EXITS
counted() {
	EXITS=0
	while IFS='=' read -r name n; do [ "$name" != guest ] || GUEST=$n; done <$COUNTERS/instructions
	while read -r name each; do
		[ "$name" != reason ] || continue
		for n in $each; do EXITS=$((EXITS + n)); done
	done <$COUNTERS/exits
}
idle() {
	pause 10
	counted
	guest=$GUEST exits=$EXITS
	pause "$LEN"
	counted
	echo "RESULT $1.instructions $((GUEST - guest))"
	echo "RESULT $1.exits $((EXITS - exits))"
}
# without NAME FILE VALUE: idle, while FILE is VALUE
without() {
	was=$(sed 's/.*\[\(.*\)\].*/\1/' "$2")
	echo "$3" >"$2"
	idle "$1"
	echo "$was" >"$2"
}
pause 300	# what booting has left to do is done
counted
guest=$GUEST
counted
echo "RESULT counting.instructions $((GUEST - guest))"
idle stock
without compaction /proc/sys/vm/compaction_proactiveness 0
without watchdog /proc/sys/kernel/watchdog 0
without vmstat /proc/sys/vm/stat_interval 120
without writeback /proc/sys/vm/dirty_writeback_centisecs 0
without khugepaged /sys/kernel/mm/transparent_hugepage/enabled never
without timer_migration /proc/sys/kernel/timer_migration 0
idle again
sysctl -q -p /90-pvkit-guest.conf
idle profile
without profile_but_vmstat /proc/sys/vm/stat_interval 1
