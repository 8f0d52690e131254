# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench matrix`, in the Debian root: the same work as the guest
# comes, with each module alone, and with all. With pvkit.what=exits, for -icount:
# 4 KiB reads from /dev/vdb, a CPU that computes; with pvkit.what=locks, in real time:
# hackbench, a contended lock, by turns pvkit.runs times. Prints lines: RESULT name value
. /lib.sh
. /fio.sh
mkdir -p /tmp/out
insmod /modules/pvhyp.ko && insmod /modules/lockbench.ko || exit 1
all_cpus
B=$(device_of /sys/block/vdb)
N=$(nproc)
LOOPS=$(word loops)
WHAT=$(word what)
MODULES=$(word modules | tr : ' ')
module() {
	case $1 in
	pvlock) insmod /modules/pvlock.ko ;;
	pvclock) insmod /modules/pvclock.ko tick_divisor=16 ;;
	virtio_pv) insmod /modules/virtio_pv.ko && use "$B" adaptive ;;
	blk-noop) insmod /modules/blk-noop.ko disks=vdb ;;
	esac
}
unmodule() {
	[ "$1" != virtio_pv ] || use "$B" stock
	rmmod "$1"
}
exits_of() { awk '$1 != "hypervisor" && $1 != "guest" { s += $2 } END { printf "%d\n", s }' "/tmp/cost.$1"; }
locks() {
	hackbench -g 1 -l "$LOOPS" >/tmp/hackbench || echo "FAILED hackbench"
	echo "RESULT $1.hackbench $(sed -n 's/^Time: *//p' /tmp/hackbench)"
	echo "$N 600 2400 $(word ms)" >/sys/kernel/debug/lockbench/run
	eval "$(tr ' ' '\n' </sys/kernel/debug/lockbench/run)"
	# shellcheck disable=SC2154
	echo "RESULT $1.lock $(awk "BEGIN { printf \"%d\", $sections * 1e9 / $elapsed_ns }")"
}
exits() {
	# On the CPU that takes the interrupts of the disk: another may be chosen by chance.
	cost read job "$1" /dev/vdb --cpus_allowed=0 --rw=randread --bs=4k --ioengine=psync --size=32M --io_size=64G --norandommap --number_ios=10000
	echo "RESULT $1.read_iops $(iops "$1")"
	echo "RESULT $1.read_exits $(exits_of read)"
	cost busy clock hog 2 >/dev/null
	echo "RESULT $1.busy_exits $(exits_of busy)"
}
[ "$WHAT" = locks ] ||
	job warm /dev/vdb --rw=randread --bs=4k --ioengine=psync --size=32M --io_size=64G --norandommap --number_ios=100
turn=0
while [ $((turn += 1)) -le "$(word runs)" ]; do
	$WHAT stock
	for m in $MODULES; do
		module "$m" || { echo "FAILED $m"; exit 1; }
		$WHAT "$m"
		unmodule "$m"
	done
	for m in pvlock pvclock virtio_pv blk-noop; do module "$m" || { echo "FAILED $m"; exit 1; }; done
	$WHAT all
	for m in blk-noop virtio_pv pvclock pvlock; do unmodule "$m"; done
done
save /tmp/out
