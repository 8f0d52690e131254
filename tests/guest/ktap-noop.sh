# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# blk-noop in the Debian root, KTAP. /dev/vda is the root, vdb and vdc are RAM,
# vdd, too, and read-only. pvkit.rounds: how often it comes and goes under load.
. "${KTAP:-}/lib.sh"
. "$KTAP/fio.sh"
ROUNDS=$(word rounds)
mkdir -p /tmp/out /mnt
plan 31
quiet() { ! dmesg | grep -E "BUG|WARNING|Oops|lockup|rcu:.*stall|I/O error" | sed 's/^/# /' | grep .; }
settings() { for f in scheduler nomerges iostats wbt_lat_usec add_random rq_affinity; do echo "$f $(cat /sys/block/"$1"/queue/$f 2>/dev/null)"; done; }
setting() { cat "/sys/block/$1/queue/$2"; }
verified() { job verify "$1" --rw=randwrite --bs=4k --iodepth=16 --ioengine="${2:-libaio}" --size=2M --verify=crc32c --verify_fatal=1 &&
	job verify "$1" --rw=write --bs=1M --iodepth=4 --ioengine="${2:-libaio}" --size=8M --verify=crc32c --verify_fatal=1; }

modprobe mq-deadline
echo mq-deadline >/sys/block/vdb/queue/scheduler
echo 1 >/sys/block/vdb/queue/nomerges
settings vdb >/tmp/vdb
settings vdc >/tmp/vdc
check "it loads" insmod "$KTAP/modules/blk-noop.ko"
lean() { [ "$(setting vdb scheduler | sed 's/.*\[\(.*\)\].*/\1/')" = none ] && [ "$(setting vdb nomerges)$(setting vdb iostats)$(setting vdb wbt_lat_usec)$(setting vdb rq_affinity)" = 2002 ] && [ "$(setting vdc iostats)" = 0 ]; }
check "virtual disks have the leanest settings" soon lean
check "...and work" verified /dev/vdb
same() { settings vdb | cmp - /tmp/vdb && settings vdc | cmp - /tmp/vdc; }
on_request() { echo N >/sys/module/blk_noop/parameters/active && same && echo Y >/sys/module/blk_noop/parameters/active && lean; }
check "what they had is put back on request" on_request
changed_meanwhile() { echo 1 >/sys/block/vdc/queue/iostats && rmmod blk-noop && [ "$(setting vdc iostats)" = 1 ]; }
check "it unloads, and leaves what a user has changed" changed_meanwhile
check "what they had is back, to the letter" same
# with_noop NAME COMMAND...: where that scheduler is built
with_noop() { if [ -e "$KTAP/modules/noop-iosched.ko" ]; then check "$@"; else skip "$1" "the scheduler noop is for 6.12"; fi; }
with_noop "the scheduler noop loads" insmod "$KTAP/modules/noop-iosched.ko"
has_noop() { setting vdc scheduler | grep -q "\[noop\]"; }
noop() { insmod "$KTAP/modules/blk-noop.ko" elevator=noop disks=vdc && soon has_noop && setting vdb scheduler | grep -q "\[mq-deadline\]"; }
with_noop "...disks can be chosen by name" noop
with_noop "...and it works" verified /dev/vdc
gone() { rmmod blk-noop && rmmod noop-iosched && same; }
with_noop "...and goes" gone
check "nonsense is refused" sh -c "! insmod $KTAP/modules/blk-noop.ko mode=sideways 2>/dev/null"

# disk SERIAL: it may have any name
disk() { for d in /sys/block/[pv][vd][b-z]*; do [ "$(cat "$d/serial" 2>/dev/null)" != "$1" ] || echo "/dev/${d##*/}"; done; }
taken() {
	[ -b /dev/pvb0 ] && [ -b /dev/pvb1 ] && [ -b /dev/pvb2 ] && [ ! -e /dev/vdb ] || return 1
	ONE=$(disk one) TWO=$(disk two) RO=$(disk ro)
}
# told: fails, and says what there is
told() { { ls /dev/[pv][vd]*; dmesg | tail -8; } | sed 's/^/# /'; return 1; }
all_taken() { soon taken || told; }
bio() { insmod "$KTAP/modules/blk-noop.ko" mode=bio && all_taken; }
check "bio mode takes disks that nobody uses" bio
in_use() { soon in_log; }
in_log() { dmesg | grep -q "blk_noop: vda is in use: left to virtio_blk"; }
check "...and leaves the others" in_use
check "...works" verified "$ONE"
check "...by io_uring, too" verified "$TWO" io_uring
serial() { [ -b "$ONE" ] && [ -b "$TWO" ] && [ -b "$RO" ]; }
check "...knows the serial number" serial
filesystem() {
	mkfs.ext4 -q -F "$ONE" >/dev/null 2>&1 && mount -t ext4 -o discard "$ONE" /mnt || return 1
	seq 200000 >/mnt/a && cp /mnt/a /mnt/b && sync && rm /mnt/a && fstrim /mnt 2>/dev/null
	umount /mnt && mount -t ext4 "$ONE" /mnt && seq 200000 | cmp - /mnt/b && umount /mnt && fsck.ext4 -fn "$ONE" >/dev/null 2>&1
}
check "...ext4, flushes, discards" filesystem
# exercised FSTYPE: fsx, unmounted and mounted again, checked
exercised() { exercise "$1" >/tmp/fsx.log 2>&1 || { sed "s/^/# /" /tmp/fsx.log; umount /mnt; return 1; }; }
exercise() {
	modprobe "$1"
	case $1 in
	ext4) mkfs.ext4 -q -F "$ONE" >/dev/null 2>&1 ;;
	xfs) TEST_DIR=x TEST_DEV=x QA_CHECK_FS=x mkfs.xfs -q -f "$ONE" ;;	# else it wants 300 MB
	esac && mount -t "$1" -o discard "$ONE" /mnt || return 1
	for seed in 1 2 3; do fsx /mnt/$seed $seed 2000 || return 1; done
	cksum /mnt/[123] >/tmp/sums
	umount /mnt && mount -t "$1" "$ONE" /mnt && cksum /mnt/[123] | cmp - /tmp/sums && umount /mnt || return 1
	if [ "$1" = xfs ]; then xfs_repair -n "$ONE" >/dev/null 2>&1; else fsck.ext4 -fn "$ONE" >/dev/null 2>&1; fi
}
check "...fsx on ext4" exercised ext4
check "...fsx on xfs" exercised xfs
partitions() {
	modprobe dm-mod
	printf 'label: gpt\n,24M\n,24M\n' | sfdisk -q --no-tell-kernel "$ONE" && partprobed && [ -b "$ONE"p2 ] || return 1
	lvm="activation{udev_sync=0 udev_rules=0}devices{use_devicesfile=0}"	# no udev here
	pvcreate --config "$lvm" -q -ff -y "$ONE"p1 "$ONE"p2 && vgcreate --config "$lvm" -q pv "$ONE"p1 "$ONE"p2 &&
		lvcreate --config "$lvm" -q -y -W n -i 2 -I 64k -l 100%FREE -n striped pv && verified /dev/mapper/pv-striped &&
		vgremove --config "$lvm" -q -f pv && wipefs -q -a "$ONE"
} >/tmp/lvm.log 2>&1
partprobed() { blockdev --rereadpt "$ONE"; }
stacked() { partitions || { sed 's/^/# /' /tmp/lvm.log; return 1; }; }
check "...partitions, LVM striped over two" stacked
read_only() { [ "$(cat "/sys/block/${RO##*/}/ro")" = 1 ] && dd if="$RO" of=/dev/null bs=64k 2>/dev/null && ! dd if=/dev/zero of="$RO" bs=4k count=1 oflag=direct 2>/dev/null; }
check "...a disk that is read-only stays so" read_only
# busy DISK OPTIONS...: a load on it, until the disk goes
busy() {
	busy_disk=$1
	shift
	fio --name=busy --filename="$busy_disk" --direct=1 --bs=4k --iodepth=16 --size=8M --time_based --runtime=60 "$@" >/dev/null 2>&1 &
	soon transfers
}
# transfers: somebody has the disk open, and has read or written. The kernel counts that for
# processes also where the disk does not.
# shellcheck disable=SC2010	# it is the targets that are looked at
transfers() {
	for t_io in /proc/[0-9]*/io; do
		ls -l "${t_io%io}fd" 2>/dev/null | grep -q " $busy_disk\$" &&
			awk '/^(read|write)_bytes/ { s += $2 } END { exit s < 65536 }' "$t_io" && return
	done
	return 1
}
# not_busy: and what the load was on is gone
not_busy() {
	pkill fio
	wait
	[ ! -e "$busy_disk" ]
}
# What drives the virtio device's own device, a platform's or PCI's.
transport() { dirname "$(readlink -f "/sys/block/${1##*/}/device")"; }
unplug() {
	case $1 in
	*/pci*) echo 1 >"$1/remove" ;;
	*) basename "$1" >/sys/bus/platform/drivers/virtio-mmio/unbind ;;
	esac
}
plug() {
	case $1 in
	*/pci*) echo 1 >/sys/bus/pci/rescan ;;
	*) basename "$1" >/sys/bus/platform/drivers/virtio-mmio/bind ;;
	esac
}
unplugged() {	# its users get errors, nobody else
	busy "$TWO" --rw=randrw --ioengine=libaio
	plugs_into=$(transport "$TWO")
	unplug "$plugs_into"
	not_busy && verified "$ONE"
}
check "...unplugged while it is used" unplugged
plugged() { plug "$plugs_into" && all_taken && verified "$TWO"; }
check "...plugged, and taken again" plugged
lost() {
	busy "$TWO" --rw=randrw --ioengine=libaio
	d=$(basename "$(readlink -f "/sys/block/${TWO##*/}/device")")
	echo "$d" >/sys/bus/virtio/drivers/blk_noop/unbind && not_busy && echo "$d" >/sys/bus/virtio/drivers/virtio_blk/bind && verified "$ONE"
}
check "...goes while it is used" lost
returned() { [ -b /dev/vdb ] && [ -b /dev/vdc ] && [ -b /dev/vdd ] && [ ! -e /dev/pvb0 ]; }
all_returned() { soon returned || told; }
# They come back in the order they went in: any.
back() { rmmod blk-noop && all_returned && verified "$(disk one)"; }
check "virtio_blk has them back" back
polled() {
	insmod "$KTAP/modules/blk-noop.ko" mode=bio poll_queues=1 && all_taken || return 1
	p=$ONE		# has two queues, of which one is for polling now
	job verify "$p" --rw=randwrite --bs=4k --iodepth=16 --ioengine=io_uring --hipri --size=8M --verify=crc32c --verify_fatal=1
}
check "a polled queue" polled
polled_gone() {	# while somebody polls
	busy "$p" --rw=randread --ioengine=io_uring --hipri
	basename "$(readlink -f "/sys/block/$(basename "$p")/device")" >/sys/bus/virtio/drivers/blk_noop/unbind
	not_busy
}
check "...goes while somebody polls" polled_gone
back_again() { rmmod blk-noop && all_returned; }
check "...and is back" back_again
cycles() {	# COMMAND
	under=$(disk one)
	settings "${under##*/}" >/tmp/under
	while_verifying "$under" "$1"
	cycled=$?
	settings "${under##*/}" | sed 's/^/# /'
	return $cycled
}
as_before() { settings "${under##*/}" | cmp - /tmp/under; }
request_mode() { insmod "$KTAP/modules/blk-noop.ko" && soon lean && rmmod blk-noop && as_before; }
check "loaded and unloaded $ROUNDS times under load, settings back each time" cycles request_mode
two_taken() { [ -b /dev/pvb0 ] && [ -b /dev/pvb1 ]; }
unloaded() { rmmod blk-noop 2>/dev/null; }	# not while a partition table is read
bio_mode() { insmod "$KTAP/modules/blk-noop.ko" mode=bio && { soon two_taken || told; } && soon unloaded && all_returned && as_before; }
check "...in bio mode, disks back each time" cycles bio_mode
check "nothing to complain of" quiet
