#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest's kernel ends and sleeps with all modules loaded: kexec, kdump, hibernation
# over power-off, resumed without its devices or without the hypervisor, suspend to
# idle, races, an interrupt that cannot be had. Arguments: which of them, all if none
# is named. PVKIT_LEVEL=long: 20 rounds, with fio and hackbench running meanwhile.
# PVKIT_KERNEL: another kernel.
#
# /// suite
# time = "real"
# limit = 3600
# seconds = 600
# groups = ["modules", "life"]
# kernels = "any"
# level = "long"
# long = { limit = 7200 }
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
test_kernel
case ${PVKIT_LEVEL:-} in
long) rounds=20 long=pvkit.long=1 ;;
*) rounds=2 long='' ;;
esac
rounds=${LIFE_ROUNDS:-$rounds}
ROOT_PACKAGES="$ROOT_PACKAGES,kexec-tools,device-tree-compiler"
dir=$WORK
log=$WORK/life.log
root_guest "$dir/initrd.cpio" "$TOP/tests/guest/ktap-life.sh"
: >"$log.all"

# disk FILE SIZE
disk() { rm -f "$1"; truncate -s "$2" "$1"; }
# payload: kernel and initrd for kexec, as a file system
payload() {
	mkdir -p "$dir/p"
	cp "$KIMAGE" "$dir/p/Image"
	cp "$dir/initrd.cpio" "$dir/p/initrd"
	genext2fs -d "$dir/p" -b $((110 * 1024)) "$dir/payload.ext2" 2>/dev/null
}
# guest DISKS [ARGUMENTS] [OPTIONS...]: its console to $log
guest() {
	g_disks=$1 g_args=$2
	shift 2
	"$TOP/pvkit" run --timeout "${LIFE_TIMEOUT:-900}" --pcpus 2 --cpu "${LIFE_CPU:-cortex-a72}" --uplink lan "$@" --vm \
		"name=life,vcpus=2,mem=512M,kernel=$KIMAGE,initrd=$dir/initrd.cpio,$g_disks,net=lan,reset=stop,append=$KERNEL_ARGS $g_args" \
		>"$log" 2>&1 </dev/null
	cat "$log" >>"$log.all"
}
said() { tr -d '\r' <"$log" | sed -n 's/^\(LIFE\|#\) /\1 /p'; }
# verdicts: of $log, as TAP; fails if there are none, or the guest did not end well
verdicts() {
	said | sed -n 's/^# /# /p'
	said | sed -n 's/^LIFE \(not ok\|ok\) /\1 /p' >"$dir/verdicts"
	while read -r v; do
		case $v in "not ok "*) tap 1 "${v#not ok }" ;; *) tap 0 "${v#ok }" ;; esac
	done <"$dir/verdicts"
}
done_well() { grep -q "^LIFE done" "$log" && ! grep -qE "crashed at|PANIC" "$log"; }
shown() { done_well || { tail -5 "$log" | tr -d '\r' | sed 's/^/# /'; return 1; }; }
new_root() { cp --reflink=auto --sparse=always "$GUEST_ROOT" "$dir/root.ext2"; }

life_kexec() {
	payload
	disk "$dir/data" 64M
	guest "disk=$GUEST_ROOT:snapshot,disk=$dir/payload.ext2:ro,disk=$dir/data:queues=2" "pvkit.root=/dev/vda pvkit.what=kexec pvkit.rounds=$rounds $long"
	verdicts
	expect "kexec: $rounds times, and to the end" shown
}
life_kdump() {
	payload
	for how in ${LIFE_CRASHES:-cpu=0 cpu=1 cpu=1:post cpu=0:noftrace:post}; do
		disk "$dir/data" 64M
		words=''
		for w in $(echo "$how" | tr : ' '); do case $w in cpu=*) words="$words pvkit.$w" ;; *) words="$words pvkit.$w=1" ;; esac; done
		guest "disk=$GUEST_ROOT:snapshot,disk=$dir/payload.ext2:ro,disk=$dir/data:queues=2" "crashkernel=192M pvkit.root=/dev/vda pvkit.what=kdump $words $long"
		verdicts
		expect "kdump ($how): to the end" shown
	done
}
life_hibernate() {
	new_root
	disk "$dir/swap" 512M
	disk "$dir/data" 64M
	d="disk=$dir/root.ext2,disk=$dir/swap,disk=$dir/data:queues=2"
	guest "$d" "pvkit.root=/dev/vda pvkit.what=hibernate pvkit.rounds=$rounds $long"
	verdicts
	n=0
	while [ $n -lt "$rounds" ] && ! grep -q "^LIFE \(done\|not ok\)" "$log"; do
		n=$((n + 1))
		guest "$d" "pvkit.resume=1 pvkit.what=hibernate"
		verdicts
	done
	expect "hibernate: powered off and resumed $rounds times, to the end" shown
}
lost() {
	disk "$dir/swap" 512M
	disk "$dir/data" 64M
	d="disk=$GUEST_ROOT:snapshot,disk=$dir/swap"
	guest "$d,disk=$dir/data:queues=2" "pvkit.what=lost $1"
	verdicts
}
life_lost() {
	lost
	guest "$d" "pvkit.resume=1 pvkit.what=lost"
	verdicts
	expect "resumed without the disk: to the end" shown
}
# The same map of devices, on a machine that has no EL2.
life_none() {
	lost pvkit.none=1
	timeout -s KILL 300 qemu-system-aarch64 -M virt,gic-version=3 -cpu "${LIFE_CPU:-cortex-a72}" -smp 2 -m 512M -display none -nic none \
		-no-reboot -serial stdio -monitor none -global virtio-mmio.force-legacy=false \
		-drive "if=none,id=a,file=$GUEST_ROOT,format=raw,snapshot=on" -device virtio-blk-device,drive=a,bus=virtio-mmio-bus.0 \
		-drive "if=none,id=b,file=$dir/swap,format=raw" -device virtio-blk-device,drive=b,bus=virtio-mmio-bus.1 \
		-kernel "$KIMAGE" -initrd "$dir/initrd.cpio" -append "$KERNEL_ARGS pvkit.resume=1 pvkit.what=lost" >"$log" 2>&1 </dev/null
	cat "$log" >>"$log.all"
	verdicts
	expect "resumed without the hypervisor: to the end" shown
}
in_one() {
	io_what=$1
	shift
	disk "$dir/data" 64M
	guest "disk=$GUEST_ROOT:snapshot,disk=ram:4M,disk=$dir/data:queues=2" "pvkit.root=/dev/vda pvkit.what=$io_what pvkit.rounds=$rounds $long" "$@"
	verdicts
	expect "$io_what: to the end" shown
}
life_idle() { in_one idle; }
life_races() { in_one races; }
life_lpi() { in_one lpi --pcpus 3 --polling; }

[ $# -gt 0 ] || set -- kexec kdump hibernate lost none idle races lpi
# How many cases there are depends on the rounds that the guests did.
for what; do
	"life_$what"
done >"$dir/results"
echo "KTAP version 1"
echo "1..$tap_n"
cat "$dir/results"
