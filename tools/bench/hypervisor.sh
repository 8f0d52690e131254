# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What the hypervisor costs: instructions of an exit, footprint, time to boot. Part of `pvkit bench`.

bench_exits() {
	say "exits: 2 vCPUs on 2 pCPUs, deterministic"
	guest_run "$BUILD/bench-exits.log" --icount --timeout 900 --pcpus 2 \
		--vm "name=exits,vcpus=2,mem=16M,kernel=$BUILD/bare/exits.bin"
	for n in hypercall psci_version hypercall_fast mmio_gicd mmio_device sysreg_id timer self_sgi eoi ipi; do
		v=$(value "$BUILD/bench-exits.log" exits.$n)
		record exits.$n "$(thousandths "$v")" instructions \
			"icount, mean of many, loop overhead taken off"
	done
	record exits.eoi_exits "$(thousandths "$(value "$BUILD/bench-exits.log" exits.eoi_exits)")" \
		exits "exit counters around 1000 self-SGIs, the sending taken off"
}

# shellcheck disable=SC2034
bench_size() {
	nm=aarch64-linux-gnu-nm elf=$BUILD/hyp-stub/hyp-stub.elf
	text=$((0x$($nm "$elf" | awk '$3 == "__text_end" { print $1 }')))
	ram=$((0x$($nm "$elf" | awk '$3 == "__image_size" { print $1 }')))
	DETERMINISTIC=yes
	record size.text_bytes $text bytes "text and read-only data of hyp-stub.elf"
	record size.ram_bytes $ram bytes "whole image with its static heap, for up to 8 pCPUs"
}

bench_boot() {
	say "boot: 1 vCPU on 1 pCPU, deterministic, with and without the hypervisor"
	guest_initrd "$BUILD/boot.cpio" "$TOP/tests/guest/bench-boot.sh"
	guest_run "$BUILD/bench-boot.log" --icount --timeout 900 \
		--vm "name=boot,vcpus=1,mem=512M,kernel=$KIMAGE,initrd=$BUILD/boot.cpio,reset=stop,append=$KERNEL_ARGS"
	dtc -q -O dtb -o "$BUILD/el1.dtb" "$TOP/tests/guest/el1.dts"
	timeout -s KILL 900 "$LAUNCHER/qemu-icount.sh" -M virt,gic-version=3 -cpu max,pauth=off,sve=off,sme=off -smp 1 -m 512M \
		-display none -nic none -no-reboot -serial stdio -monitor none \
		-dtb "$BUILD/el1.dtb" -kernel "$KIMAGE" -initrd "$BUILD/boot.cpio" \
		-append "$KERNEL_ARGS" >"$BUILD/bench-boot-el1.log" 2>&1 </dev/null ||
		die "booting without the hypervisor failed (see $BUILD/bench-boot-el1.log)"
	with=$(value "$BUILD/bench-boot.log" boot.init_us)
	without=$(value "$BUILD/bench-boot-el1.log" boot.init_us)
	record boot.stub_ms "$(thousandths "$with")" ms "guest clock when init starts, icount, 1 vCPU"
	record boot.el1_ms "$(thousandths "$without")" ms "the same kernel and devices at EL1 without hypervisor"
	record boot.overhead_ratio "$(ratio "$with" "$without")" ratio "boot.stub_ms / boot.el1_ms"
}
