# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# `pvkit bench --peers`: what our own figures are measured with, under KVM (Debian's
# kernel and QEMU) and Xen (dom0less), on the same emulated machine.

PEER_QEMU="-M virt,virtualization=on,gic-version=3 -cpu max,pauth=off,sve=off,sme=off -m 2G -display none -nic none -no-reboot -serial stdio -monitor none"
PEER_LOCK_MS=200

bench_peers() {
	peer_ours
	for mode in vhe nvhe; do
		peer_kvm $mode
	done
	peer_xen
}

# What has no figure of its own elsewhere: the same lock, without pvlock, on fewer CPUs.
peer_ours() {
	say "peers: a contended lock, 4 vCPUs on 1 pCPU, ours"
	guest_initrd "$BUILD/peer-lock.cpio" "$TOP/tests/guest/peer-lock.sh"
	log=$BUILD/bench-peer-ours.log
	guest_run "$log" --icount --timeout 900 --vm "name=lock,vcpus=4,mem=512M,kernel=$KIMAGE,initrd=$BUILD/peer-lock.cpio,reset=stop,append=$KERNEL_ARGS maxcpus=1 pvkit.ms=$PEER_LOCK_MS"
	DETERMINISTIC=yes
	peer_lock ours "$log"
}

# peer_lock PEER LOG
peer_lock() {
	for n in 2 4; do
		record "peer.$1.lock.native.${n}x.efficiency" "$(value "$2" native.$n.efficiency)" ratio \
			"a contended spinlock, $n vCPUs on 1 pCPU, $PEER_LOCK_MS ms; sections / those of one vCPU alone; icount"
	done
}

# peer_exits PEER LOG
peer_exits() {
	for e in psci_version mmio_gicd mmio_device sysreg_id timer self_sgi eoi ipi; do
		v=$(value "$2" exits.$e)
		[ -z "$v" ] || record "peer.$1.exits.$e" "$(thousandths "$v")" instructions "the guest of \`bench exits\`; icount"
	done
}

# peer_kvm vhe|nvhe: the host's root is on a disk of this machine, which answers in its
# own time: these figures are not the same to the last digit.
peer_kvm() {
	root=$BUILD/kvm.ext2 log=$BUILD/bench-peer-kvm-$1.log
	make_root "$root" qemu-system-arm,busybox-static QEMU
	build_guest_modules
	build_root
	inner=$(mktemp -d "$BUILD/peer.XXXXXX")
	mkdir -p "$inner/modules/inner"
	guest_initrd "$inner/modules/inner/boot.cpio" "$TOP/tests/guest/bench-boot.sh"
	guest_initrd "$inner/modules/inner/lock.cpio" "$TOP/tests/guest/peer-lock.sh"
	guest_initrd "$inner/modules/inner/blk.cpio" "$TOP/tests/guest/peer-blk.sh" "$GUEST_DRIVERS"
	cp "$BUILD/bare/exits.bin" "$BUILD/bare/spin.bin" "$inner/modules/inner/"
	cp "$KIMAGE" "$inner/modules/inner/Image"
	make_cpio "$inner" "$inner.cpio"
	guest_initrd "$BUILD/peer-kvm.cpio" "$TOP/tests/guest/peer-kvm.sh" "$GUEST_DRIVERS" "$inner.cpio"
	rm -rf "$inner" "$inner.cpio"
	case $1 in vhe) mode= ;; nvhe) mode=kvm-arm.mode=nvhe ;; esac
	: >"$log"
	for parts in 2:exits 1:memory:boot:lock:blk; do
		say "peers: KVM, $1: ${parts#*:}"
		# shellcheck disable=SC2086
		timeout -s KILL 1500 "$LAUNCHER/qemu-icount.sh" $PEER_QEMU -smp "${parts%%:*}" \
			-drive "if=none,id=root,file=$root,format=raw,snapshot=on" -device virtio-blk-pci,drive=root,addr=2 \
			-drive "if=none,id=inner,file=$GUEST_ROOT,format=raw,snapshot=on" -device virtio-blk-pci,drive=inner,addr=3 \
			-kernel "$KIMAGE" -initrd "$BUILD/peer-kvm.cpio" \
			-append "$KERNEL_ARGS $mode pvkit.root=/dev/vda pvkit.ms=$PEER_LOCK_MS pvkit.parts=${parts#*:}" >>"$log" 2>&1 </dev/null ||
			die "KVM ($1) did not run through (see $log)"
	done
	# shellcheck disable=SC2034
	DETERMINISTIC=no
	how="KVM $1, Debian's kernel and QEMU; icount"
	peer_exits "kvm-$1" "$log"
	peer_lock "kvm-$1" "$log"
	record "peer.kvm-$1.boot.ms" "$(thousandths "$(value "$log" boot.init_us)")" ms "guest clock when init starts; $how"
	marks "$log" | while read -r n v; do
		case $n in
		instructions) record "peer.kvm-$1.blk.instructions_per_io" "$v" instructions "fio 4 KiB random read at depth 1 of a file in RAM, virtio-blk-pci; PMU, guest and host; 12,000 requests less 2,000; $how" ;;
		exits) record "peer.kvm-$1.blk.exits_per_io" "$v" exits "by KVM's counters; the same runs" ;;
		*) record "peer.kvm-$1.blk.exits.$n" "$v" exits "of these" ;;
		esac
	done
	record "peer.kvm-$1.size.host_memory_kb" "$(value "$log" host.memory_kb | tail -1)" KiB "a Debian host that has nothing else to do, in use before a VM is started"
	record "peer.kvm-$1.size.vmm_memory_kb" "$(value "$log" vmm.memory_kb)" KiB "Pss of QEMU with a guest that uses 1 page"
}

# marks LOG: of a request, what the two longer runs of peer-blk.sh differ by
marks() {
	tr -d '\r' <"$1" | awk '$2 == "MARKED" {
			for (i = 4; i <= NF; i++) { split($i, p, "="); v[$3, p[1]] = p[2]; names[p[1]] }
		}
		END {
			for (n in names)
				printf "%s %.3f\n", n, (v["end.12000", n] - v["begin.12000", n] - v["end.2000", n] + v["begin.2000", n]) / 10000
		}' | sed 's/-0\.000$/0.000/' | sort
}

# xen_run LOG END KERNEL INITRD VCPUS ARGUMENTS: a guest of Xen without dom0, until it
# prints a line with END. On one pCPU: with more, Xen hangs under icount.
xen_run() {
	xr_log=$1 xr_end=$2 xr_kernel=$3 xr_initrd=$4 xr_vcpus=$5 xr_arguments=$6 xr_dtb=$BUILD/xen.dtb xr_at=0x70000000
	qemu-system-aarch64 -M virt,virtualization=on,gic-version=3,dumpdtb="$xr_dtb" -cpu max -smp 1 -m 2G -display none -nic none 2>"$BUILD/xen-dtb.log" ||
		die "QEMU gives no device tree (see $BUILD/xen-dtb.log)"
	fdtput -t x "$xr_dtb" /chosen '#address-cells' 2
	fdtput -t x "$xr_dtb" /chosen '#size-cells' 2
	fdtput -t s "$xr_dtb" /chosen xen,xen-bootargs "console=dtuart dtuart=/pl011@9000000 bootscrub=0"
	domain=/chosen/domU1
	fdtput -c "$xr_dtb" $domain
	fdtput -t s "$xr_dtb" $domain compatible xen,domain
	fdtput -t x "$xr_dtb" $domain '#address-cells' 2
	fdtput -t x "$xr_dtb" $domain '#size-cells' 2
	fdtput -t x "$xr_dtb" $domain memory 0 80000		# KiB
	fdtput -t x "$xr_dtb" $domain cpus "$xr_vcpus"
	fdtput "$xr_dtb" $domain vpl011
	set -- -device "loader,file=$xr_kernel,addr=$xr_at,force-raw=on"
	xen_module kernel "$xr_kernel" $xr_at
	fdtput -t s "$xr_dtb" "$domain/module@${xr_at#0x}" bootargs "$xr_arguments"
	if [ -n "$xr_initrd" ]; then
		xr_at=0x78000000
		set -- "$@" -device "loader,file=$xr_initrd,addr=$xr_at,force-raw=on"
		xen_module ramdisk "$xr_initrd" $xr_at
	fi
	# shellcheck disable=SC2086
	timeout -s KILL 900 "$LAUNCHER/qemu-icount.sh" $PEER_QEMU -smp 1 -dtb "$xr_dtb" \
		-kernel "$BUILD/xen/boot/xen-4.17-arm64" "$@" >"$xr_log.raw" 2>&1 </dev/null &
	xr_pid=$!
	# Nothing switches the machine off when its only guest is off.
	until grep -q "$xr_end" "$xr_log.raw" || ! kill -0 $xr_pid 2>/dev/null; do sleep 0.2; done
	kill $xr_pid 2>/dev/null
	wait $xr_pid 2>/dev/null
	grep -q "$xr_end" "$xr_log.raw" || { tail -15 "$xr_log.raw" >&2; die "the guest of Xen did not run through (see $xr_log.raw)"; }
	tr -d '\r' <"$xr_log.raw" | sed 's/^(XEN) DOM1: //' >"$xr_log"
}

# xen_module KIND FILE ADDRESS
xen_module() {
	xm_node=$domain/module@${3#0x}
	fdtput -c "$xr_dtb" "$xm_node"
	fdtput -t s "$xr_dtb" "$xm_node" compatible "multiboot,$1" multiboot,module
	fdtput -t x "$xr_dtb" "$xm_node" reg 0 "${3#0x}" 0 "$(printf %x "$(stat -c %s "$2")")"
}

peer_xen() {
	unpack xen-hypervisor-4.17-arm64:arm64 "$BUILD/xen"
	log=$BUILD/bench-peer-xen
	how="Xen 4.17 of Debian, dom0less; icount"
	say "peers: Xen, exits"
	xen_run "$log-exits.log" DONE "$BUILD/bare/exits-xen.bin" '' 1 ''
	guest_initrd "$BUILD/boot.cpio" "$TOP/tests/guest/bench-boot.sh"
	say "peers: Xen, boot"
	xen_run "$log-boot.log" 'RESULT boot' "$KIMAGE" "$BUILD/boot.cpio" 1 "$KERNEL_ARGS"
	say "peers: Xen, lock"
	guest_initrd "$BUILD/peer-lock.cpio" "$TOP/tests/guest/peer-lock.sh"
	xen_run "$log-lock.log" 'RESULT native.4.longest' "$KIMAGE" "$BUILD/peer-lock.cpio" 4 "$KERNEL_ARGS maxcpus=1 pvkit.ms=$PEER_LOCK_MS"
	# shellcheck disable=SC2034
	DETERMINISTIC=yes
	peer_exits xen "$log-exits.log"
	peer_lock xen "$log-lock.log"
	record peer.xen.boot.ms "$(thousandths "$(value "$log-boot.log" boot.init_us)")" ms "guest clock when init starts; $how"
	record peer.xen.size.ram_bytes "$(od -An -t u8 -j 16 -N 8 "$BUILD/xen/boot/xen-4.17-arm64" | tr -d ' ')" bytes "its image in RAM, by its header; what it allocates comes on top"
}

# Hardware, as published; and what our exits would cost there, if each cost what a
# hypercall of the fastest and of the slowest of these does.
PUBLISHED="hypercall:6500:376 interrupt_controller_trap:7370:1356 virtual_ipi:11557:5978 io_latency_out:6024:16491"
bench_projection() {
	# shellcheck disable=SC2034
	DETERMINISTIC=yes
	for p in $PUBLISHED; do
		cycles=${p#*:}
		how="PUBLISHED, hardware: Dall et al., ARM Virtualization: Performance and Architectural Implications, ISCA 2016, table 2"
		record "published.kvm.${p%%:*}" "${cycles%:*}" cycles "$how; KVM of Linux 4.0 without VHE on X-Gene"
		record "published.xen.${p%%:*}" "${cycles#*:}" cycles "$how; Xen 4.5 on X-Gene"
	done
	[ -e "$BENCH_DIR/blk.tsv" ] || return 0
	for p in stock immediate piggyback adaptive; do
		v=$(figure "blk.$p.exits_per_io" "$BENCH_DIR/blk.tsv")
		record "projection.blk.$p.exit_cycles_per_io" "$(awk "BEGIN { printf \"%.0f\", $v * 376 }")" cycles \
			"PROJECTION, not measured: blk.$p.exits_per_io * published.xen.hypercall (376), what a type 1 hypervisor pays for an exit at the least"
	done
	v=$(figure peer.kvm-nvhe.blk.exits_per_io "$BENCH_DIR/peers.tsv")
	record projection.blk.kvm-nvhe.exit_cycles_per_io "$(awk "BEGIN { printf \"%.0f\", $v * 6500 }")" cycles \
		"PROJECTION, not measured: peer.kvm-nvhe.blk.exits_per_io * published.kvm.hypercall (6,500)"
}
