# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Build everything: hypervisor, guest modules, bare test guests, base initramfs.

cmd_build() {
	no_arguments build "Builds the hypervisor, the modules and what test guests start with, in build/." "$@" || return 0
	build_all
	grep -h '^hyp-stub:' "$BUILD/hyp-stub.log" | tail -1
}

build_all() {
	mkdir -p "$BUILD"
	setup_packages
	build_hypervisor
	kernel_setup 6.12 cloud-arm64
	headers_setup
	build_modules "$BUILD/modules"
	build_bare
	build_programs
	build_initramfs "$BUILD/modules" "$BUILD/base.cpio"
}

build_hypervisor() {
	unpack libfdt-dev:arm64 "$BUILD/sysroot"
	make -s -j"$(jobs)" -C "$TOP/hyp-stub" O="$BUILD/hyp-stub" SYSROOT="$BUILD/sysroot" \
		>"$BUILD/hyp-stub.new" 2>&1 || { cat "$BUILD/hyp-stub.new" >&2; die "building the hypervisor failed"; }
	[ -s "$BUILD/hyp-stub.new" ] && mv "$BUILD/hyp-stub.new" "$BUILD/hyp-stub.log"
	return 0
}

# build_modules OUT [DIRECTORY...]: for kernel $KVER, in a copy, so that the source
# tree stays clean.
build_modules() {
	out=$1
	shift
	mkdir -p "$out"
	for d in Kbuild hypercall pvlock pvclock blk-noop drivers tests; do
		(cd "$TOP" && find "$d" -type f \( -name '*.[chS]' -o -name Kbuild -o -name Makefile \)) |
		while read -r f; do
			cmp -s "$TOP/$f" "$out/$f" || { mkdir -p "$out/$(dirname "$f")"; cp "$TOP/$f" "$out/$f"; }
		done
	done
	make_modules "$out" "$@" >"$BUILD/modules.log" 2>&1 ||
		{ cat "$BUILD/modules.log" >&2; die "building the modules for $KVER failed"; }
}

# make_modules SOURCE [DIRECTORY...]: in that place, after headers_setup
make_modules() {
	mm_source=$1
	shift
	make -s -j"$(jobs)" -C "$KSRC" O="$KOBJ" M="$mm_source" ARCH=arm64 ${1:+"PVKIT_DIRS=$*"} \
		CROSS_COMPILE=aarch64-linux-gnu- CONFIG_DEBUG_INFO_BTF_MODULES= modules
}

# What has KTAP tests of its own, tests/guest/ktap-*.sh, on any kernel.
# shellcheck disable=SC2034
MODULE_SUITES="pvlock pvclock noop nic virtio_pv"

# test_kernel: the kernel of the tests' guests: that of `check --kernel`, with our
# modules for it, or the one that build_all has prepared.
test_kernel() {
	if [ -n "${PVKIT_KERNEL:-}" ]; then build_for "$PVKIT_KERNEL"; else kernel_setup 6.12 cloud-arm64; fi
}

# The kernels that our modules are for, in one line.
KERNELS=$(grep -v '^#' "$LAUNCHER/kernels" | paste -s -d ' ')
known_kernel() { case " $KERNELS " in *" $1 "*) ;; *) return 1 ;; esac; }

# build_for KERNEL [DIRECTORY...]: modules for that kernel, SERIES/FLAVOUR or
# built[/FRAGMENT], and an initramfs with them that guest_initrd begins with from now on.
build_for() {
	case $1 in */*) kernel_setup "${1%/*}" "${1#*/}" ;; *) kernel_setup "$1" '' ;; esac
	shift
	alone modules build_for_now "$@"
}

build_for_now() {
	headers_setup
	build_modules "$BUILD/modules-$KVER" "$@"
	build_initramfs "$BUILD/modules-$KVER" "$BUILD/base-$KVER.cpio"
}

# Programs for test guests; in their /bin.
build_programs() {
	make -s -C "$TOP/tests/prog" O="$BUILD/prog" || die "building the guest programs failed"
}

build_bare() {
	make -s -C "$TOP/tests/bare" O="$BUILD/bare" || die "building the bare test guests failed"
}

# The base initramfs: busybox, our modules, and an init that runs /run.sh. A
# test appends a small archive with its own /run.sh (guest_initrd).
# build_initramfs MODULES OUT: sets BASE_INITRAMFS.
build_initramfs() {
	BASE_INITRAMFS=$2
	unpack busybox-static:arm64 "$BUILD/busybox"
	root=$(mktemp -d "$BUILD/initramfs.XXXXXX")
	mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/tmp" "$root/modules"
	cp "$BUILD/busybox/bin/busybox" "$root/bin/busybox"
	cp "$TOP/tests/guest/init" "$root/init"
	cp "$TOP/tools/guest/90-pvkit-guest.conf" "$root/"
	cp "$TOP/tools/pvstat" "$TOP/tools/nic/pvnic" "$BUILD"/prog/* "$root/bin/"
	find "$1" -name '*.ko' -exec cp {} "$root/modules/" \;
	aarch64-linux-gnu-strip --strip-debug "$root"/modules/*.ko	# most of them, and of a small guest's memory
	make_cpio "$root" "$2"
	rm -rf "$root"
}

# The stock kernel's own drivers, as an archive to add to an initramfs: only
# those that a guest of ours can use, with what they depend on.
GUEST_MODULES="virtio_mmio virtio_pci virtio_blk virtio_net virtio_console virtio-rng crc32c_generic ext4 overlay
mq-deadline kyber-iosched bfq xfs dm-mod"

# Another list, another file.
list_id() { echo "$1" | cksum | cut -d ' ' -f 1; }

build_guest_modules() {
	GUEST_DRIVERS=$BUILD/drivers-$KVER-$(list_id "$GUEST_MODULES").cpio
	[ -e "$GUEST_DRIVERS" ] || alone drivers build_drivers
}

build_drivers() {
	[ ! -e "$GUEST_DRIVERS" ] || return 0
	gm=$(mktemp -d "$BUILD/drivers.XXXXXX")
	depmod -b "$KDIR" "$KVER" || die "depmod failed"
	for m in $GUEST_MODULES; do
		modprobe -d "$KDIR" -S "$KVER" --show-depends "$m" 2>/dev/null
	done | awk '$1 == "insmod" { print $2 }' | sort -u >"$gm.list"
	while read -r f; do
		to=$gm/lib/modules/$KVER/$(basename "$f" .xz)
		mkdir -p "$(dirname "$to")"
		case $f in
		*.xz) xz -dc "$f" >"$to" ;;
		*) cp "$f" "$to" ;;
		esac
	done <"$gm.list"
	depmod -b "$gm" "$KVER" 2>/dev/null
	make_cpio "$gm" "$GUEST_DRIVERS"
	rm -rf "$gm" "$gm.list"
}

# The Debian root file system, with the programs that we measure with: unpacked
# without running any arm64 code. Guests boot it from disk with pvkit.root=/dev/vda.
ROOT_PACKAGES="e2fsprogs,xfsprogs,lvm2,fdisk,fio,iperf3,sockperf,rt-tests,stress-ng,iproute2,ethtool,util-linux,coreutils,bash,procps,systemd-sysv,udev"

build_root() {
	GUEST_ROOT=$BUILD/debian-$(list_id "$ROOT_PACKAGES").ext2
	make_root "$GUEST_ROOT" "$ROOT_PACKAGES" "fio, iperf3, rt-tests, stress-ng"
}

# make_root FILE PACKAGES WHAT: a file system with these and 192 MB to spare. With
# MMDEBSTRAP_HOOK, a command for the root when all is unpacked, packages beside it.
make_root() {
	[ -e "$1" ] || alone root make_root_now "$@"
}

make_root_now() {
	[ ! -e "$1" ] || return 0
	say "building a Debian root file system with $3 (half a minute)"
	rm -f "$1.tmp.ext2"
	mmdebstrap --quiet --variant=extract --architectures=arm64 --include="$2" \
		${MMDEBSTRAP_HOOK:+--skip=essential/unlink "--extract-hook=$MMDEBSTRAP_HOOK \"\$1\""} bookworm \
		"$1.tmp.ext2" >"$BUILD/mmdebstrap.log" 2>&1 ||
		{ cat "$BUILD/mmdebstrap.log" >&2; die "mmdebstrap failed"; }
	truncate -s +192M "$1.tmp.ext2"
	/sbin/e2fsck -fy "$1.tmp.ext2" >"$BUILD/e2fsck.log" 2>&1 || [ $? = 1 ] || die "e2fsck failed"
	/sbin/resize2fs "$1.tmp.ext2" >>"$BUILD/e2fsck.log" 2>&1 || die "resize2fs failed"
	mv "$1.tmp.ext2" "$1"
}

# What a guest in that root needs: guest_initrd with drivers, and --vm items.
# root_guest OUT SCRIPT [ram]: sets ROOT_ITEMS, to be followed by more disks. "ram"
# reads the root into RAM: where it is on a disk of the host's, that answers in its
# own time, and no two runs are alike.
root_guest() {
	build_guest_modules
	build_root
	guest_initrd "$1" "$2" "$GUEST_DRIVERS"
	# shellcheck disable=SC2034
	ROOT_ITEMS="kernel=$KIMAGE,initrd=$1,disk=$GUEST_ROOT:${3:-snapshot},reset=stop"
}

# make_cpio DIRECTORY OUT: the same bytes from the same files, whenever it is made
make_cpio() {
	chmod 755 "$1"
	find "$1" -exec touch -h -d @1767225600 {} +
	(cd "$1" && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0) >"$2.$$" && mv "$2.$$" "$2"
}

# guest_initrd OUT SCRIPT [DIRECTORY...]: base, SCRIPT as /run.sh, more files.
guest_initrd() {
	gi_out=$1 gi_script=$2
	shift 2
	gi_dir=$(mktemp -d "$BUILD/initrd.XXXXXX")
	cp "$gi_script" "$gi_dir/run.sh"
	cp "$TOP/tests/guest/lib.sh" "$TOP/tests/guest/fio.sh" "$gi_dir/"
	make_cpio "$gi_dir" "$gi_dir.cpio"
	cat "${BASE_INITRAMFS:-$BUILD/base.cpio}" "$gi_dir.cpio" "$@" >"$gi_out"
	rm -rf "$gi_dir" "$gi_dir.cpio"
}
