#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The Debian packages: lintian; installed by dpkg in an arm64 guest, where DKMS
# builds the modules for the running kernel; and purged.
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/package.sh"
. "$LAUNCHER/build.sh"
plan 2
build_packages
expect "lintian has nothing against them" lintian --allow-root --fail-on error,warning "$BUILD/packages"/*.changes
kernel_setup 6.12 cloud-arm64
# With what DKMS needs: a compiler, and headers.
packages="dpkg,libc-bin,dkms,gcc,make,libc6-dev,linux-headers-$KVER,kmod,ethtool,util-linux,coreutils,bash,dash,grep,sed,gzip,findutils,diffutils,hostname,mawk,perl,systemd-sysv,udev"
GUEST_ROOT=$BUILD/dkms-$(list_id "$packages").ext2
MMDEBSTRAP_HOOK="sh $TOP/tests/extracted.sh" make_root "$GUEST_ROOT" "$packages" "a compiler"
build_guest_modules
dir=$(mktemp -d "$BUILD/package.XXXXXX")
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/modules/packages"
cp "$BUILD"/packages/*.deb "$dir/modules/packages/"
make_cpio "$dir" "$BUILD/packages.cpio"
guest_initrd "$BUILD/package-run.cpio" "$TOP/tests/guest/ktap-package.sh" "$GUEST_DRIVERS" "$BUILD/packages.cpio"
"$TOP/pvkit" run --timeout 1700 --pcpus 2 --vm "name=package,vcpus=2,mem=1G,kernel=$KIMAGE,initrd=$BUILD/package-run.cpio,disk=$GUEST_ROOT:snapshot,reset=stop,append=$KERNEL_ARGS pvkit.root=/dev/vda"
tap $? "the guest runs to its end"
