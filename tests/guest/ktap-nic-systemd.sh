# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# pvnic by udev and systemd, in the Debian root, KTAP. First it sets up and leaves
# an /init; systemd then runs it again, with "test".
if [ "${1:-}" != test ]; then
	cp -r /modules/install/. /		# by make install
	echo 'root:x:0:0:root:/root:/bin/sh' >/etc/passwd
	echo 'root:x:0:' >/etc/group
	echo 0123456789abcdef0123456789abcdef >/etc/machine-id
	mkdir -p /etc/systemd/system/multi-user.target.wants
	ln -sf /lib/systemd/system/multi-user.target /etc/systemd/system/default.target
	cat >/etc/systemd/system/pvkit-test.service <<-'END'
	[Unit]
	Description=KTAP
	[Service]
	ExecStart=/bin/sh /run.sh test
	ExecStopPost=/bin/busybox poweroff -f
	StandardOutput=tty
	TTYPath=/dev/console
	END
	ln -s ../pvkit-test.service /etc/systemd/system/multi-user.target.wants/
	ln -s /dev/null /etc/systemd/system/getty.target	# the console is ours
	ln -sf busybox /bin/sh		# no package has been configured here
	ln -s /lib/systemd/systemd /init
	exit
fi
. /lib.sh
plan 9
coalesce() { [ "$(ethtool -c eth0 | awk -v n="$1:" '$1 == n { print $2 }')" = "$2" ]; }
profile() { [ "$(pvnic show eth0 | head -1)" = "eth0: $1" ]; }
unit() { systemctl is-active -q pvnic@eth0.service; }
device=$(basename "$(dirname "$(readlink -f /sys/class/net/eth0/device)")")
check "systemd is process 1" grep -q systemd /proc/1/comm
throughput() { unit && profile "profile throughput" && coalesce tx-usecs 1000; }
check "udev gives a NIC that is there at boot its profile" soon throughput
stopped() { systemctl stop pvnic@eth0 && profile "no profile" && coalesce tx-usecs 0; }
check "the unit is stopped: all is put back" stopped
started() { systemctl start pvnic@eth0 && throughput; }
check "...and started" started
configured() { echo PROFILE=bulk >/etc/default/pvnic && systemctl restart pvnic@eth0 && profile "profile bulk" && coalesce rx-usecs 100; }
check "/etc/default/pvnic names another profile" configured
gone() { ! unit && [ ! -e /run/pvnic/eth0 ]; }
unplugged() { echo "$device" >/sys/bus/platform/drivers/virtio-mmio/unbind && soon gone; }
check "the NIC goes: the unit ends, nothing is left" unplugged
bulk() { unit && profile "profile bulk" && coalesce rx-usecs 100; }
plugged() { echo "$device" >/sys/bus/platform/drivers/virtio-mmio/bind && soon bulk; }
check "it comes: it has its profile" plugged
nonsense() { echo PROFILE=sideways >/etc/default/pvnic && ! systemctl restart pvnic@eth0 2>/dev/null && profile "no profile" && coalesce rx-usecs 0; }
check "a profile that there is not: the unit fails, the NIC is as it comes" nonsense
quiet() { ! dmesg | grep -E "BUG|WARNING|Oops|lockup|rcu:.*stall" | sed 's/^/# /' | grep .; }
check "nothing to complain of" quiet
