# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/crowd.sh, in the Debian root of four VMs at once: fio with
# verification on a disk, and iperf3 to the next VM and from the one before,
# for pvkit.seconds. Prints what it got done: RESULT name value
. /lib.sh
N=$(word number)
SECONDS_=$(word seconds)
ip link set lo up
ip link set eth0 up
ethtool -L eth0 combined 2
ip addr add 192.168.8.$((N + 1))/24 dev eth0
next=192.168.8.$(((N + 1) % 4 + 1))
iperf3 -s -1 >/tmp/server.log 2>&1 &
until busybox ping -c 1 -W 1 "$next" >/dev/null 2>&1; do sleep 0.2; done
sleep 3
fio --name=crowd --filename=/dev/vdb --direct=1 --rw=randrw --bs=4k --iodepth=8 --ioengine=libaio \
	--size=32M --time_based --runtime="$SECONDS_" --verify=crc32c --verify_backlog=64 --verify_fatal=1 \
	--eta=never --output=/tmp/fio.json --output-format=json &
fio_pid=$!
i=0
until iperf3 -c "$next" -t "$SECONDS_" -J >/tmp/iperf.json; iperf3_ok /tmp/iperf.json; do
	i=$((i + 1))
	[ $i -lt 20 ] || { echo "FAILED iperf3"; cat /tmp/iperf.json; break; }
	sleep 0.5
done
wait $fio_pid || { echo "FAILED fio"; tail -5 /tmp/fio.json; }
wait
echo "RESULT fio $(awk '/"total_ios"/ { gsub(",", ""); s += $3 } END { print s }' /tmp/fio.json)"
echo "RESULT iperf $(awk '/"sum_received"/ { on = 1 } on && /"bytes"/ { gsub(",", ""); print $2; exit }' /tmp/iperf.json)"
dmesg | grep -E "I/O error|BUG|WARNING|Oops|lockup|rcu:.*stall|virtio.*broken" | sed 's/^/COMPLAINT /'
echo "DONE"
