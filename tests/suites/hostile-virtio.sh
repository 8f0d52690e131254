#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A hostile driver on every kind of device (tests/bare/hostile_virtio.c); the
# VM beside it, on the same network, goes on undisturbed.
#
# /// suite
# time = "host"
# limit = 700
# seconds = 20
# groups = ["hypervisor", "hostile"]
# level = "quick"
# ///
log=$WORK/hostile-virtio.log
"$TOP/pvkit" run --timeout 600 --vm "name=h,mem=16M,kernel=$BUILD/bare/hostile_virtio.bin,console=virtio,rng=yes,disk=ram:4M,net=lan" \
	--vm "name=other,mem=16M,kernel=$BUILD/bare/spin.bin,net=lan" >"$log" 2>&1 </dev/null
status=$?
tr -d '\000' <"$log" | sed -n 's/^\[h\] //p'
[ $status = 0 ] && grep -aq "hyp: vm other: powered off" "$log"
