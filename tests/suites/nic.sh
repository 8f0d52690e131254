#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# pvnic in a guest of 2 vCPUs, whose NIC has 2 queue pairs.
# "systemd": by udev and systemd, from what `make install` installs.
#
# /// suite
# time = "real"
# limit = 800
# seconds = 40
# groups = ["modules", "net"]
# kernels = "any"
# [nic]
# [nic-systemd]
# kernels = ""
# args = "systemd"
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
test_kernel
append="$KERNEL_ARGS pvkit.root=/dev/vda"
root_guest "$WORK/ktap-nic.cpio" "$TOP/tests/guest/ktap-nic${1:+-$1}.sh"
if [ "${1:-}" = systemd ]; then
	dir=$(mktemp -d "$BUILD/install.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
	make -s -C "$TOP" install DESTDIR="$dir/modules/install"
	make_cpio "$dir" "$WORK/install.cpio"
	cat "$WORK/install.cpio" >>"$WORK/ktap-nic.cpio"
	append="$append systemd.show_status=false"
fi
"$TOP/pvkit" run --timeout 700 --pcpus 2 --uplink lan --vm "name=nic,vcpus=2,mem=256M,$ROOT_ITEMS,net=lan:queues=2,append=$append"
