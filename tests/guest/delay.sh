# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/delay.sh, in the Debian root of two VMs: fio, iperf3 to the
# other VM, and loops that compute, all on virtio_pv with kicks deferred, pvkit.start
# microseconds later than otherwise. Prints what the hypervisor has counted: QUEUE ...
. /lib.sh
N=$(word number)
LEN=$(word seconds)
insmod /modules/pvhyp.ko && insmod /modules/virtio_pv.ko || exit 1
NIC=$(device_of /sys/class/net/eth0)
use "$(device_of /sys/block/vdb)" piggyback && use "$NIC" piggyback || echo "FAILED to use piggyback"
ip link set lo up
ip link set eth0 up
ip addr add 192.168.9.$((N + 1))/24 dev eth0
iperf3 -s -1 >/dev/null 2>&1 &
until busybox ping -c 1 -W 1 192.168.9.$((2 - N)) >/dev/null 2>&1; do sleep 0.1; done
sleep 1
for _ in 1 2; do
	busybox sh -c 'while :; do :; done' &
	hogs="$hogs $!"
done 2>/dev/null
sleep "$(awk "BEGIN { print $(word start) / 1e6 }")"
fio --name=load --filename=/dev/vdb --direct=1 --rw=randrw --bs=4k --iodepth=4 --ioengine=libaio --size=16M \
	--time_based --runtime="$LEN" >/tmp/fio.log 2>&1 &
fio_pid=$!
iperf3 -c 192.168.9.$((2 - N)) -t "$LEN" >/tmp/iperf.log 2>&1 || { echo "FAILED iperf3"; cat /tmp/iperf.log; }
wait $fio_pid || { echo "FAILED fio"; cat /tmp/fio.log; }
# shellcheck disable=SC2086
kill $hogs
sed 's/^/QUEUE /' /sys/kernel/debug/virtio_pv/*/queues
echo "DONE"
