#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# QEMU is killed at random moments while a guest writes and fsyncs to ext4 or xfs
# on a host disk: whatever was acknowledged must be there at the next boot. Every
# other time the disk is driven by virtio_pv, with each policy in turn, and every
# third time by blk-noop's bio mode. Arguments: how many kills, file system.
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
build_guest_modules
guest_initrd "$BUILD/powercut.cpio" "$TOP/tests/guest/powercut.sh" "$GUEST_DRIVERS"
fs=${2:-ext4}
disk=$BUILD/powercut.img
log=$BUILD/check/powercut.log
rm -f "$disk"
truncate -s 320M "$disk"	# less is no xfs
case $fs in
ext4) /sbin/mke2fs -q -t ext4 -F "$disk" ;;
xfs) /sbin/mkfs.xfs -q -f "$disk" ;;
esac
acked=0 from=1 policy='' bio=''

# guest ARGUMENTS...: in a process group of its own, so that all of it can be killed.
guest() {
	TMPDIR=$BUILD/check/powercut setsid "$TOP/pvkit" run --timeout 400 --pcpus 2 --vm "name=cut,vcpus=2,mem=256M,kernel=$KIMAGE,initrd=$BUILD/powercut.cpio,disk=$disk:queues=2,append=$KERNEL_ARGS pvkit.acked=$acked pvkit.from=$from pvkit.policy=$policy pvkit.fs=$fs $bio $*" >"$log" 2>&1 </dev/null &
	pid=$!
}
# What the guest has found, and how far it has come.
judge() {
	! grep -E "LOST|EXT4-fs error|XFS .*(orrupt|hutdown|error)|crashed at" "$log" | sed 's/^/# /' | grep . || return 1
	last=$(tr -d '\r' <"$log" | awk '$1 == "ACK" && NF == 2 { n = $2 } END { print n + 0 }')
	[ "$last" -le "$acked" ] || { from=$((acked + 1)) acked=$last; }
}
random() { awk -v n="$(od -An -N4 -tu4 /dev/urandom)" -v most="$1" 'BEGIN { printf "%.2f\n", n / 4294967296 * most }'; }
# Wait until the guest has checked what it found, or has ended.
checked() {
	while ! grep -q "^VERIFIED" "$log" && kill -0 $pid 2>/dev/null; do sleep 0.1; done
}
# Every fourth kill comes at any moment of boot and recovery, the others while it writes.
cut() {
	case $(($1 % 6)) in 1) policy=piggyback ;; 3) policy=adaptive ;; 5) policy=immediate ;; *) policy='' ;; esac
	[ $(($1 % 3)) = 0 ] && bio=pvkit.bio || bio=''
	guest
	if [ $(($1 % 4)) = 0 ]; then
		seconds=$(random 8) when="of the start"
	else
		checked
		seconds=$(random 4) when="of writing"
	fi
	sleep "$seconds"
	kill -9 -$pid
	wait $pid 2>/dev/null
	rm -rf "$BUILD/check/powercut"/*
	judge
}

mkdir -p "$BUILD/check/powercut"
plan $(($1 + 2))
n=1
while [ $n -le "$1" ]; do
	cut $n
	tap $? "kill $n after $seconds s $when, $acked acknowledged so far${policy:+, $policy}${bio:+, bio mode}"
	n=$((n + 1))
done
verified() {
	from=1
	guest pvkit.check
	wait $pid
	judge && grep -q "^VERIFIED $acked" "$log"
}
expect "everything acknowledged is there after the last kill" verified
clean() {
	case $fs in
	ext4) /sbin/e2fsck -fp "$disk" && /sbin/e2fsck -fn "$disk" ;;
	xfs) /sbin/xfs_repair -n "$disk" ;;
	esac >"$log" 2>&1
}
consistent() { clean && [ "$acked" -gt "$n" ]; }
expect "the file system is consistent, and enough was written" consistent
