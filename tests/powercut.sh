#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# QEMU is killed at random moments while a guest writes and fsyncs to ext4 on a
# host disk: whatever was acknowledged must be there at the next boot.
# Argument: how many kills.
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
build_guest_modules
guest_initrd "$BUILD/powercut.cpio" "$TOP/tests/guest/powercut.sh" "$GUEST_DRIVERS"
disk=$BUILD/powercut.img
log=$BUILD/check/powercut.log
rm -f "$disk"
truncate -s 128M "$disk"
/sbin/mke2fs -q -t ext4 -F "$disk"
acked=0 from=1

# run SECONDS: kill after that; checks what it says; sets acked, and from where
# on that is new.
run() {
	"$TOP/pvkit" run --timeout "$1" --pcpus 2 --vm "name=cut,vcpus=2,mem=256M,kernel=$KIMAGE,initrd=$BUILD/powercut.cpio,disk=$disk:queues=2,append=console=ttyAMA0 quiet panic=-1 pvkit.acked=$acked pvkit.from=$from $2" >"$log" 2>&1 </dev/null
	! grep -E "LOST|EXT4-fs error|crashed at" "$log" | sed 's/^/# /' | grep . || return 1
	# A kill before the check has ended shows nothing: the next one repeats it.
	last=$(tr -d '\r' <"$log" | awk '$1 == "ACK" && NF == 2 { n = $2 } END { print n + 0 }')
	[ "$last" -le "$acked" ] || { from=$((acked + 1)) acked=$last; }
}
random() { awk -v seed="$(od -An -N4 -tu4 /dev/urandom)" 'BEGIN { srand(seed); printf "%.2f\n", 6 + 7 * rand() }'; }

plan $(($1 + 2))
n=1
while [ $n -le "$1" ]; do
	seconds=$(random)
	run "$seconds" ""
	tap $? "kill $n after $seconds s, $acked acknowledged so far"
	n=$((n + 1))
done
verified() { from=1; run 90 pvkit.check && grep -q "^VERIFIED $1" "$log"; }
expect "everything acknowledged is there after the last kill" verified "$acked"
consistent() { /sbin/e2fsck -fp "$disk" >"$log" 2>&1 && /sbin/e2fsck -fn "$disk" >>"$log" 2>&1 && [ "$acked" -gt "$1" ]; }
expect "the file system is consistent, and enough was written" consistent "$n"
