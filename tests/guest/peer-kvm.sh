# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Host side of `pvkit bench --peers`: Debian's QEMU and KVM, in a Debian root. What the
# guests print is passed on, each line with the guest's name in front.
. /lib.sh
[ -e /dev/kvm ] || { echo "FAILED: this kernel has no /dev/kvm"; exit 1; }
echo "RESULT host.memory_kb $(awk '/^MemTotal/ { t = $2 } /^MemAvailable/ { print t - $2 }' /proc/meminfo)"
D=/sys/kernel/debug/kvm
I=/modules/inner
mkdir -p /var/tmp	# for drives with snapshot=on
# vm NAME OPTIONS...
vm() {
	vm_name=$1
	shift
	qemu-system-aarch64 -accel kvm -M virt,gic-version=host -cpu host -display none -nic none -no-reboot \
		-serial stdio -monitor none -global virtio-mmio.force-legacy=false "$@" </dev/null 2>&1 |
		/bin/marks "$vm_name" $D/exits $D/mmio_exit_user $D/mmio_exit_kernel $D/wfi_exit_stat $D/wfe_exit_stat $D/signal_exits
}
linux() {
	linux_name=$1 linux_initrd=$2 linux_args=$3
	shift 3
	vm "$linux_name" -m 512M -kernel $I/Image -initrd "$I/$linux_initrd" -append "console=ttyAMA0 quiet panic=-1 $linux_args" "$@"
}
for part in $(word parts | tr : ' '); do
	case $part in
	exits) vm exits -smp 2 -m 16M -kernel $I/exits.bin ;;
	boot) linux boot boot.cpio '' -smp 1 ;;
	lock) linux lock lock.cpio "maxcpus=1 pvkit.ms=$(word ms)" -smp 4 ;;
	blk)
		truncate -s 32M /tmp/disk
		dd if=/dev/urandom of=/tmp/disk bs=1M count=32 conv=notrunc 2>/dev/null
		linux blk blk.cpio pvkit.root=/dev/vda -smp 1 \
			-drive if=none,id=root,file=/dev/vdb,format=raw,snapshot=on -device virtio-blk-pci,drive=root \
			-drive if=none,id=disk,file=/tmp/disk,format=raw -device virtio-blk-pci,drive=disk
		;;
	memory)
		vm memory -smp 1 -m 512M -kernel $I/spin.bin >/tmp/memory &
		soon grep -q spinning /tmp/memory
		for p in /proc/[0-9]*; do
			case $(cat "$p/comm" 2>/dev/null) in
			qemu-system*) echo "RESULT vmm.memory_kb $(awk '/^Pss:/ { print $2 }' "$p/smaps_rollup")" && kill "${p#/proc/}" ;;
			esac
		done
		wait
		;;
	esac
done
