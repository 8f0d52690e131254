# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/powercut.sh: check what earlier runs have acknowledged
# (up to pvkit.acked, from pvkit.from on), then write and fsync, and acknowledge, until
# killed. Beside that fsx does its random operations on one file after the other (the last
# that was acknowledged: pvkit.fsx).
modprobe virtio_mmio
modprobe virtio_blk
. /lib.sh
ACKED=$(word acked)
FROM=$(word from)
SLOTS=64
FSX=$(word fsx)
FSX_FILES=16
POLICY=$(word policy)
if [ -n "$POLICY" ]; then
	load pvhyp && load virtio_pv && use "$(device_of /sys/block/vda)" "$POLICY" || echo "LOST: cannot use $POLICY"
fi
D=/dev/vda
if grep -q pvkit.bio /proc/cmdline; then
	load blk-noop mode=bio
	D=/dev/pvb0
	soon [ -b $D ]
fi
modprobe "$(word fs)"
mkdir -p /mnt
mount -t "$(word fs)" $D /mnt || { echo "LOST: the file system on $D does not mount"; exit; }
mkdir -p /mnt/files /mnt/fsx

# Contents of file i: known from its number, 1 to 40 KB.
content() { seq $(($1 * 1000)) $(($1 * 1000 + $1 * 37 % 6000)); }

verify() {
	i=$FROM
	while [ "$i" -le "$ACKED" ]; do
		if [ $((i % 7)) = 0 ]; then	# was renamed over its predecessor
			[ "$(content "$i" | md5sum)" = "$(md5sum <"/mnt/files/r$i")" ] || echo "LOST: renamed file $i"
		else
			[ "$(content "$i" | md5sum)" = "$(md5sum <"/mnt/files/$i")" ] || echo "LOST: file $i"
		fi
		i=$((i + 1))
	done
	i=$ACKED
	while [ "$i" -gt 0 ] && [ "$i" -gt $((ACKED - SLOTS)) ]; do
		n=$(dd if=/mnt/slots bs=4k count=1 skip=$((i % SLOTS)) 2>/dev/null | head -1)
		[ "${n:-0}" -ge "$i" ] || echo "LOST: slot $((i % SLOTS)) has ${n:-nothing}, not $i"
		i=$((i - 1))
	done
	i=$FSX
	while [ "$i" -gt 0 ] && [ "$i" -gt $((FSX - FSX_FILES + 1)) ]; do	# one was being written
		(cd /mnt/fsx && md5sum -c "$((i % FSX_FILES)).sum") >/dev/null 2>&1 || echo "LOST: what fsx has written, run $i"
		i=$((i - 1))
	done
	n=$(tail -1 /mnt/log 2>/dev/null | cut -d' ' -f1)
	[ "${n:-0}" -ge "$ACKED" ] || echo "LOST: the log ends with ${n:-nothing}, not $ACKED"
	echo "VERIFIED $ACKED"
}

verify
! grep -q pvkit.check /proc/cmdline || { umount /mnt; exit; }
# It ends with fsync, and has looked at all of the file then.
random_operations() {
	i=$((FSX + 1))
	cd /mnt/fsx || return
	while fsx $((i % FSX_FILES)) $i 30; do
		md5sum $((i % FSX_FILES)) | dd of=$((i % FSX_FILES)).sum conv=fsync 2>/dev/null
		sync
		echo "FSX $i"
		i=$((i + 1))
	done
	echo "LOST: fsx found something wrong"
}
random_operations &
i=$((ACKED + 1))
while :; do
	if [ $((i % 7)) = 0 ]; then
		content $i | dd of=/mnt/files/tmp conv=fsync 2>/dev/null
		mv /mnt/files/tmp /mnt/files/r$i
		sync
	else
		content $i | dd of=/mnt/files/$i conv=fsync 2>/dev/null
	fi
	echo "$i" | dd of=/mnt/slots bs=4k conv=notrunc,sync,fsync seek=$((i % SLOTS)) 2>/dev/null
	echo "$i entry" | dd of=/mnt/log oflag=append conv=notrunc,fsync 2>/dev/null
	echo "ACK $i"
	i=$((i + 1))
done
