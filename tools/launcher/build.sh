# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Build everything: hypervisor, guest modules, bare test guests, base initramfs.

cmd_build() {
	[ $# -eq 0 ] || die_usage "build takes no arguments"
	build_all
	grep -h '^hyp-stub:' "$BUILD/hyp-stub.log" | tail -1
}

build_all() {
	mkdir -p "$BUILD"
	setup_packages
	build_hypervisor
	kernel_setup 6.12 cloud-arm64
	headers_setup
	build_modules
	build_bare
	build_initramfs
}

build_hypervisor() {
	unpack libfdt-dev:arm64 "$BUILD/sysroot"
	make -s -j"$(jobs)" -C "$TOP/hyp-stub" O="$BUILD/hyp-stub" SYSROOT="$BUILD/sysroot" \
		>"$BUILD/hyp-stub.new" 2>&1 || { cat "$BUILD/hyp-stub.new" >&2; die "building the hypervisor failed"; }
	[ -s "$BUILD/hyp-stub.new" ] && mv "$BUILD/hyp-stub.new" "$BUILD/hyp-stub.log"
	return 0
}

# Modules are built in a copy, so that the source tree stays clean.
build_modules() {
	out=$BUILD/modules
	mkdir -p "$out"
	for d in Kbuild hypercall pvlock drivers tests; do
		(cd "$TOP" && find "$d" -type f \( -name '*.[chS]' -o -name Kbuild -o -name Makefile \)) |
		while read -r f; do
			cmp -s "$TOP/$f" "$out/$f" || { mkdir -p "$out/$(dirname "$f")"; cp "$TOP/$f" "$out/$f"; }
		done
	done
	make -s -j"$(jobs)" -C "$KDIR/usr/src/linux-headers-${KVER%-cloud-arm64}-common" \
		O="$KDIR/usr/src/linux-headers-$KVER" M="$out" ARCH=arm64 \
		CROSS_COMPILE=aarch64-linux-gnu- CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$BUILD/modules.log" 2>&1 ||
		{ cat "$BUILD/modules.log" >&2; die "building the modules failed"; }
}

build_bare() {
	make -s -C "$TOP/tests/bare" O="$BUILD/bare" || die "building the bare test guests failed"
}

# The base initramfs: busybox, our modules, and an init that runs /run.sh. A
# test appends a small archive with its own /run.sh (add_to_initramfs).
build_initramfs() {
	root=$BUILD/initramfs
	unpack busybox-static:arm64 "$BUILD/busybox"
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/tmp" "$root/modules"
	cp "$BUILD/busybox/bin/busybox" "$root/bin/busybox"
	cp "$TOP/tests/guest/init" "$root/init"
	cp "$TOP/tools/pvstat" "$root/bin/pvstat"
	find "$BUILD/modules" -name '*.ko' -exec cp {} "$root/modules/" \;
	make_cpio "$root" "$BUILD/base.cpio"
}

# The stock kernel's own drivers, as an archive to add to an initramfs: only
# those that a guest of ours can use, with what they depend on.
GUEST_MODULES="virtio_mmio virtio_blk virtio_net virtio_console virtio-rng ext4 overlay
mq-deadline kyber-iosched bfq"

build_guest_modules() {
	GUEST_DRIVERS=$BUILD/drivers-$KVER.cpio
	[ -e "$GUEST_DRIVERS" ] && return
	gm=$BUILD/drivers
	rm -rf "$gm"
	depmod -b "$KDIR" "$KVER" || die "depmod failed"
	for m in $GUEST_MODULES; do
		modprobe -d "$KDIR" -S "$KVER" --show-depends "$m" 2>/dev/null
	done | awk '$1 == "insmod" { print $2 }' | sort -u >"$BUILD/drivers.list"
	while read -r f; do
		to=$gm/lib/modules/$KVER/$(basename "$f" .xz)
		mkdir -p "$(dirname "$to")"
		case $f in
		*.xz) xz -dc "$f" >"$to" ;;
		*) cp "$f" "$to" ;;
		esac
	done <"$BUILD/drivers.list"
	depmod -b "$gm" "$KVER" 2>/dev/null
	make_cpio "$gm" "$GUEST_DRIVERS"
	rm -rf "$gm"
}

# The Debian root file system, with the programs that we measure with: unpacked
# without running any arm64 code. Guests boot it from disk with pvkit.root=/dev/vda.
ROOT_PACKAGES="fio,iperf3,rt-tests,stress-ng,iproute2,ethtool,util-linux,coreutils,bash,procps"

build_root() {
	GUEST_ROOT=$BUILD/debian.ext2
	[ -e "$GUEST_ROOT" ] && return
	say "building a Debian root file system with fio, iperf3, rt-tests, stress-ng (half a minute)"
	rm -f "$BUILD/debian.tmp.ext2"
	mmdebstrap --quiet --variant=extract --architectures=arm64 --include="$ROOT_PACKAGES" bookworm \
		"$BUILD/debian.tmp.ext2" >"$BUILD/mmdebstrap.log" 2>&1 ||
		{ cat "$BUILD/mmdebstrap.log" >&2; die "mmdebstrap failed"; }
	truncate -s +64M "$BUILD/debian.tmp.ext2"
	/sbin/e2fsck -fy "$BUILD/debian.tmp.ext2" >"$BUILD/e2fsck.log" 2>&1 || [ $? = 1 ] || die "e2fsck failed"
	/sbin/resize2fs "$BUILD/debian.tmp.ext2" >>"$BUILD/e2fsck.log" 2>&1 || die "resize2fs failed"
	mv "$BUILD/debian.tmp.ext2" "$GUEST_ROOT"
}

# What a guest in that root needs: guest_initrd with drivers, and --vm items.
# root_guest OUT SCRIPT: sets ROOT_ITEMS, to be followed by more disks.
root_guest() {
	build_guest_modules
	build_root
	guest_initrd "$1" "$2" "$GUEST_DRIVERS"
	# shellcheck disable=SC2034
	ROOT_ITEMS="kernel=$KIMAGE,initrd=$1,disk=$GUEST_ROOT:snapshot,reset=stop"
}

make_cpio() {
	(cd "$1" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$2.tmp" && mv "$2.tmp" "$2"
}

# guest_initrd OUT SCRIPT [DIRECTORY...]: base, SCRIPT as /run.sh, more files.
guest_initrd() {
	gi_out=$1 gi_script=$2
	shift 2
	gi_dir=$(mktemp -d "$BUILD/initrd.XXXXXX")
	cp "$gi_script" "$gi_dir/run.sh"
	cp "$TOP/tests/guest/lib.sh" "$TOP/tests/guest/fio.sh" "$gi_dir/"
	make_cpio "$gi_dir" "$gi_dir.cpio"
	cat "$BUILD/base.cpio" "$gi_dir.cpio" "$@" >"$gi_out"
	rm -rf "$gi_dir" "$gi_dir.cpio"
}
