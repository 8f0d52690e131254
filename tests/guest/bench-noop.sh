# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench noop`, in the Debian root: what a 4 KiB request to
# /dev/vdb (RAM) costs the guest by each scheduler and mode of blk-noop, how many
# a second there are and how long they take: pvkit.modes, pv.* are by virtio_pv and the last;
# pvkit.kinds: read, write.
# Depth 1 is pread and pwrite, depth 32 libaio. With pvkit.account=MODE reads go
# on in that mode while the host looks; /proc/kallsyms goes to /dev/vdc.
# Prints lines: RESULT name value
. /lib.sh
. /fio.sh
mkdir -p /tmp/out
modprobe -a mq-deadline kyber-iosched bfq
insmod /modules/pvhyp.ko && insmod /modules/virtio_pv.ko || exit 1
B=$(device_of /sys/block/vdb)
# One page of a buffer is one segment: chance must not decide.
echo 24 >/proc/sys/vm/nr_hugepages

ready() { [ -b "$D" ] && { [ "$1" != request ] || grep -q vdb /sys/kernel/debug/blk-noop/disks; }; }
# mode NAME: sets D
mode() {
	D=/dev/vdb
	case $1 in
	request) insmod /modules/blk-noop.ko disks=vdb ;;
	bio) insmod /modules/blk-noop.ko mode=bio disks=vdb; D=/dev/pvb0 ;;
	*) echo "$1" >/sys/block/vdb/queue/scheduler && grep -q "\[$1\]" /sys/block/vdb/queue/scheduler ;;
	esac || { echo "FAILED: no $1"; exit 1; }
	soon ready "$1"
	udevadm settle 2>/dev/null || sleep 0.3
}
unmode() {
	case $1 in request | bio) rmmod blk-noop; soon [ -b /dev/vdb ] ;; esac
	echo none >/sys/block/vdb/queue/scheduler
}
engine() { [ "$1" = 1 ] && echo psync || echo libaio; }
# percentile NAME P: of the completion latency of reads or writes, in us
percentile() {
	awk -v p="$2" '/"clat_ns"/ { on = 1 } on && index($0, "\"" p "\"") { gsub(/[",]/, ""); if ($3 > v) v = $3 }
		/"lat_ns"/ { on = 0 } END { printf "%.2f\n", v / 1000 }' "/tmp/out/$1.json"
}
measure() {
	for rw in $KINDS; do
		for depth in 1 32; do
			name=$1.$rw.qd$depth
			per_io "$name" $D $depth --rw="rand$rw" --ioengine="$(engine $depth)" --mem=mmaphuge
			echo "RESULT $name.iops $(iops "$name.$per_long")"
			for p in 50 99 99.9; do
				echo "RESULT $name.p$p $(percentile "$name.$per_long" "$(printf %.6f $p)")"
			done
		done
	done
}

KINDS=$(word kinds | tr : ' ')
MODE=$(word account)
if [ -n "$MODE" ]; then
	mode "$MODE"
	cat /proc/kallsyms >/tmp/out/kallsyms
	tar -C /tmp/out -cf /dev/vdc .
	sync
	job warm $D --rw=randread --bs=4k --ioengine=psync --size=32M --io_size=64G --norandommap --number_ios=3000 --mem=mmaphuge
	echo "LOOK $MODE"
	job account $D --rw=randread --bs=4k --ioengine=psync --size=32M --io_size=64G --norandommap --number_ios=100000000 --mem=mmaphuge
	exit
fi
on=
for m in $(word modes | tr : ' '); do
	case $m in
	pv.*) [ -n "$on" ] || { on=virtio_pv; bind "$B" virtio_pv || exit 1; } ;;
	esac
	mode "${m#pv.}"
	measure "$m"
	unmode "${m#pv.}"
done
save /tmp/out
