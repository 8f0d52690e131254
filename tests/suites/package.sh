#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The Debian packages: lintian, and whether the modules build from what they
# install. "guest": installed by dpkg in an arm64 guest, where DKMS builds the modules
# for the running kernel, loaded, and purged; that takes its compiler a while.
#
# /// suite
# time = "host"
# limit = 900
# seconds = 40
# groups = ["tools", "package"]
# [package]
# [package-guest]
# level = "long"
# time = "real"
# args = "guest"
# limit = 3600
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/package.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
headers_setup
setup_packages
build_packages
dir=$(mktemp -d "$BUILD/package.XXXXXX")
trap 'rm -rf "$dir"' EXIT

by_themselves() {
	plan 4
	expect "lintian has nothing against them" lintian --allow-root --fail-on error,warning "$BUILD/packages"/*.changes
	version=$(dpkg-parsechangelog -l "$TOP/debian/changelog" -S Version)
	one_version() { grep -q "^PVKIT_VERSION := $version\$" "$TOP/Kbuild" && grep -q "^PACKAGE_VERSION=\"$version\"\$" "$TOP/dkms.conf"; }
	expect "one version: $version" one_version
	dpkg-deb -x "$BUILD/packages/pvkit-dkms_${version}_all.deb" "$dir"
	# dkms.conf is for bash; what it would have make do, for another architecture.
	wanted=$(kernelver=$KVER kernel_source_dir=$KOBJ dkms_tree=$dir bash -c '. "$1"; for i in ${!BUILT_MODULE_NAME[@]}; do
		echo "${BUILT_MODULE_LOCATION[i]}${BUILT_MODULE_NAME[i]}.ko"; done' sh "$TOP/dkms.conf")
	src=$dir/usr/src/pvkit-$version
	from_package() {
		make_modules "$src" "$(sed -n 's/^PVKIT_DIRS="\(.*\)"/\1/p' "$src/dkms.conf")" >"$dir/log" 2>&1 || { tail "$dir/log"; return 1; }
		for m in $wanted; do [ -s "$src/$m" ] || { echo "# no $m"; return 1; }; done
	}
	expect "all modules of dkms.conf build from the package" from_package
	complete() {
		for f in version license author description depends vermagic; do
			for m in $wanted; do /sbin/modinfo -F "$f" "$src/$m" | grep -q . || [ "$f" = depends ] || { echo "# $m: no $f"; return 1; }; done
		done
	}
	expect "modinfo is complete" complete
}

in_guest() {
	plan 1
	# With what DKMS needs: a compiler, and headers.
	packages="dpkg,libc-bin,dkms,gcc,make,libc6-dev,linux-headers-$KVER,kmod,ethtool,util-linux,coreutils,bash,dash,grep,sed,gzip,findutils,diffutils,hostname,mawk,perl,systemd-sysv,udev"
	GUEST_ROOT=$BUILD/dkms-$(list_id "$packages").ext2
	MMDEBSTRAP_HOOK="sh $TOP/tests/extracted.sh" make_root "$GUEST_ROOT" "$packages" "a compiler"
	build_guest_modules
	mkdir -p "$dir/modules/packages"
	cp "$BUILD"/packages/*.deb "$dir/modules/packages/"
	make_cpio "$dir" "$WORK/packages.cpio"
	guest_initrd "$WORK/package-run.cpio" "$TOP/tests/guest/ktap-package.sh" "$GUEST_DRIVERS" "$WORK/packages.cpio"
	"$TOP/pvkit" run --timeout 3400 --pcpus 2 --vm "name=package,vcpus=2,mem=1G,kernel=$KIMAGE,initrd=$WORK/package-run.cpio,disk=$GUEST_ROOT:snapshot,reset=stop,append=$KERNEL_ARGS pvkit.root=/dev/vda"
	tap $? "the guest runs to its end"
}

if [ "${1:-}" = guest ]; then in_guest; else by_themselves; fi
