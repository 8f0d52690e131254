# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/devices.sh, in the Debian root: KTAP. /dev/vdb is RAM,
# /dev/vdc a read-only disk of the host; eth0 has two queues and an uplink.
. /lib.sh
plan 14
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0

read_only() { [ "$(cat /sys/block/vdc/ro)" = 1 ] && ! dd if=/dev/zero of=/dev/vdc bs=4k count=1 oflag=direct 2>/dev/null; }
contents() { [ "$(head -1 /dev/vdc)" = "on the host" ]; }
zeroed() { [ "$(dd if=/dev/vdb bs=1M count=4 iflag=direct 2>/dev/null | tr -d '\000' | wc -c)" = 0 ]; }
fill() { dd if=/dev/urandom of=/dev/vdb bs=1M count=4 oflag=direct 2>/dev/null; }
discard() { fill && /sbin/blkdiscard /dev/vdb && zeroed; }
write_zeroes() { fill && /sbin/blkdiscard -z /dev/vdb && zeroed; }
reached() { busybox ping -c 3 -W 2 10.0.2.2 >/dev/null; }
irqs() { awk '/virtio.*input/ { for (i = 2; i <= 3; i++) s += $i } /virtio[0-9]*$/ { for (i = 2; i <= 3; i++) s += $i } END { print s }' /proc/interrupts; }
moderated() { ethtool -C eth0 rx-usecs 200 rx-frames 16 && ethtool -c eth0 | grep -q "rx-usecs:.*200"; }
offloads() { ethtool -k eth0 | grep -q "tcp-segmentation-offload: on" && ethtool -k eth0 | grep -q "rx-checksumming: on"; }
rng() { [ "$(cat /sys/class/misc/hw_random/rng_current)" = virtio_rng.0 ] && [ "$(dd if=/dev/hwrng bs=32 count=4 2>/dev/null | wc -c)" = 128 ]; }
rebind() {
	d=$(basename "$(readlink -f /sys/block/vdb/device)")
	echo "$d" >/sys/bus/virtio/drivers/virtio_blk/unbind
	[ ! -e /sys/block/vdb ] && echo "$d" >/sys/bus/virtio/drivers/virtio_blk/bind && sleep 0.5 && fill
}

check "the serial number" [ "$(cat /sys/block/vdb/serial)" = 12345678901234567890 ]
check "the size" [ "$(cat /sys/block/vdb/size)" = 8192 ]
check "two queues" [ "$(find /sys/block/vdb/mq -mindepth 1 -maxdepth 1 | wc -l)" = 2 ]
check "a read-only disk" read_only
check "its contents" contents
check "discard" discard
check "write zeroes" write_zeroes
check "unbind and bind" rebind
check "a MAC address of our own" [ "$(cat /sys/class/net/eth0/address)" = 52:50:56:aa:bb:cc ]
check "two pairs of queues" ethtool -L eth0 combined 2
check "offloads are on" offloads
check "the uplink" reached
check "interrupt moderation" moderated
check "entropy" rng
