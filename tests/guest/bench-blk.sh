# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench blk` and of tests/blk.sh, in the Debian root: fio
# on /dev/vdb (RAM behind the hypervisor) or /dev/vdc (host disk), by each of
# pvkit.policies in turn. fio's JSON goes to the host.
# With policy "stock" alone pvhyp is loaded only for the hypervisor's counters.
# Prints lines: RESULT name value
. /lib.sh
. /fio.sh
MODE=$(word mode)
POLICIES=$(word policies | tr : ' ')
mkdir -p /tmp/out
[ "$MODE:$POLICIES" = verify: ] || insmod /modules/pvhyp.ko
case " ${POLICIES:=stock} " in " stock ") ;; *) insmod /modules/virtio_pv.ko || exit 1 ;; esac
B=$(device_of /sys/block/vdb)
C=''
[ ! -e /sys/block/vdc ] || C=$(device_of /sys/block/vdc)

run() {
	case $MODE in
	cost)
		per_io "qd1.$1" /dev/vdb 1 --ioengine=libaio
		per_io "qd32.$1" /dev/vdb 32 --ioengine=libaio
		;;
	host) per_io host /dev/vdc 1 --ioengine=libaio ;;
	iopoll) per_io "iopoll.$1" /dev/vdb 1 --ioengine=io_uring --hipri ;;
	matrix)
		engines=$(word engines | tr : ' ')
		# shellcheck disable=SC2086
		matrix /dev/vdb "ram.$1" "$(word ios)" "$(word jobs | tr : ' ')" $engines
		;;
	verify)
		echo "SERIAL $(cat /sys/block/vdc/serial)"
		engines=$(word engines | tr : ' ')
		# shellcheck disable=SC2086
		verify /dev/vdb "$1.vdb" $engines
		# shellcheck disable=SC2086
		verify /dev/vdc "$1.vdc" $engines
		;;
	esac
	cat /sys/kernel/debug/virtio_pv/*/queues 2>/dev/null | sed "s/^/QUEUE $1 /"
}

for p in $POLICIES; do
	for d in $B $C; do
		use "$d" "$p" || { echo "FAILED: $d cannot use $p"; exit 1; }
	done
	run "$p"
done
save /tmp/out
