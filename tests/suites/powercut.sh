#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# QEMU is killed at random moments while a guest writes and fsyncs to ext4 or xfs
# on a host disk: whatever was acknowledged must be there at the next boot. Every
# other time the disk is driven by virtio_pv, with each policy in turn, and every
# third time by blk-noop's bio mode. fsx runs beside, and counts when it has ended
# and its file is synced. Arguments: how many kills, file system.
#
# /// suite
# time = "real"
# limit = 600
# groups = ["disk"]
# [powercut]
# level = "quick"
# seconds = 50
# args = "3"
# quick = { args = "1" }
# long = { args = "50", limit = 1800 }
# [powercut-xfs]
# seconds = 50
# args = "3 xfs"
# long = { args = "25 xfs", limit = 1800 }
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
build_guest_modules
guest_initrd "$WORK/powercut.cpio" "$TOP/tests/guest/powercut.sh" "$GUEST_DRIVERS"
fs=${2:-ext4}
disk=$WORK/powercut.img
log=$WORK/powercut.log
rm -f "$disk"
truncate -s 320M "$disk"	# less is no xfs
case $fs in
ext4) /sbin/mke2fs -q -t ext4 -F "$disk" ;;
xfs) /sbin/mkfs.xfs -q -f "$disk" ;;
esac
acked=0 from=1 fsx=0 policy='' bio='' pid=''
trap '[ -z "$pid" ] || kill -9 -$pid 2>/dev/null' EXIT	# an orphan would write on

# guest ARGUMENTS...: in a process group of its own, so that all of it can be killed.
guest() {
	TMPDIR=$WORK/run setsid "$TOP/pvkit" run --timeout 800 --pcpus 2 --vm "name=cut,vcpus=2,mem=256M,kernel=$KIMAGE,initrd=$WORK/powercut.cpio,disk=$disk:queues=2,append=$KERNEL_ARGS pvkit.acked=$acked pvkit.from=$from pvkit.fsx=$fsx pvkit.policy=$policy pvkit.fs=$fs $bio $*" >"$log" 2>&1 </dev/null &
	pid=$!
}
said() { tr -d '\r' <"$log" | awk -v w="$1" '$1 == w && NF == 2 { n = $2 } END { print n + 0 }'; }
# What the guest has found, and how far it has come.
judge() {
	! grep -E "LOST|EXT4-fs error|XFS .*(orrupt|hutdown|error)|crashed at" "$log" | sed 's/^/# /' | grep . || return 1
	last=$(said ACK)
	[ "$last" -le "$acked" ] || { from=$((acked + 1)) acked=$last; }
	last=$(said FSX)
	[ "$last" -le "$fsx" ] || fsx=$last
}
random() { awk -v n="$(od -An -N4 -tu4 /dev/urandom)" -v most="$1" 'BEGIN { printf "%.2f\n", n / 4294967296 * most }'; }
# Wait until the guest has checked what it found, or has ended.
checked() {
	while ! grep -q "^VERIFIED" "$log" && kill -0 $pid 2>/dev/null; do sleep 0.1; done
}
# written N KILL: acknowledged so many more, before the first kill also by fsx; or ended
written() {
	! kill -0 $pid 2>/dev/null && return
	[ "$(said ACK)" -ge $((acked + $1)) ] && { [ "$2" != 1 ] || [ "$(said FSX)" -gt 0 ]; }
}
# Every fourth kill comes at any moment of boot and recovery, the others while it writes.
cut() {
	case $(($1 % 6)) in 1) policy=piggyback ;; 3) policy=adaptive ;; 5) policy=immediate ;; *) policy='' ;; esac
	[ $(($1 % 3)) = 0 ] && bio=pvkit.bio || bio=''
	guest
	if [ $(($1 % 4)) = 0 ]; then
		seconds=$(random 8) when="after the start"
	else
		checked
		want=$(random 10)
		want=$((4 + ${want%.*}))
		until written $want "$1"; do sleep 0.05; done
		seconds=$(random 0.5) when="after $want of writing"
	fi
	sleep "$seconds"
	kill -9 -$pid && survived=0 || survived=1	# until then: it must not end by itself
	wait $pid 2>/dev/null
	pid=''
	rm -rf "$WORK/run"/*
	judge && [ "$survived" = 0 ]
}

mkdir -p "$WORK/run"
plan $(($1 + 2))
n=1
while [ $n -le "$1" ]; do
	cut $n
	status=$?
	echo "# $seconds s $when, $acked and $fsx acknowledged so far${policy:+, $policy}${bio:+, bio mode}"
	tap $status "kill $n"
	n=$((n + 1))
done
verified() {
	from=1
	guest pvkit.check
	wait $pid
	pid=''
	judge && grep -q "^VERIFIED $acked" "$log"
}
expect "everything acknowledged is there after the last kill" verified
clean() {
	case $fs in
	ext4) /sbin/e2fsck -fp "$disk" && /sbin/e2fsck -fn "$disk" ;;
	xfs) /sbin/xfs_repair -n "$disk" ;;
	esac >"$log" 2>&1
}
consistent() { clean && [ "$acked" -gt "$n" ] && [ "$fsx" -gt 0 ]; }
expect "the file system is consistent, and enough was written" consistent
