# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/package.sh, in a Debian root with a compiler: dpkg -i, modules
# by DKMS, modprobe, dpkg -P. Prints KTAP.
# busybox's sh would take its own dpkg and modprobe
[ -n "${REAL:-}" ] || REAL=yes exec /bin/dash /run.sh
. /lib.sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
MODULES="pvhyp pvlock pvclock blk_noop virtio_pv noop_iosched"
plan $((14 + 6))

# All but what dpkg and DKMS keep of what was there once.
files() { find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/log \
	-o -path /var/lib/dpkg -o -path /var/cache -o -path /run \) -prune -o -print | sort; }
installed() { for p; do dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q "^install ok installed" || return 1; done; }
log() { "$@" >/tmp/log 2>&1 || { sed 's/^/# /' /tmp/log; tail -20 /var/lib/dkms/pvkit/*/build/make.log 2>/dev/null | sed 's/^/# /'; return 1; }; }

# What init has put there is not the packages'.
rm -f /usr/sbin/pvstat /usr/sbin/pvnic /bin/pvstat /bin/pvnic
mkdir -p /run/udev
ln -s /proc/self/fd /dev/fd
depmod -a
cd /modules/packages || exit
files >/tmp/before
check "dpkg knows what the root has" installed dkms gcc make ethtool
check "dpkg -i pvkit-tools" log dpkg -i pvkit-tools_*.deb
check "pvstat is there" sh -c 'pvstat --help | grep -q interval'
check "pvnic, too" sh -c 'pvnic list | grep -q throughput'
check "with its udev rule and unit" [ -s /usr/lib/udev/rules.d/90-pvnic.rules -a -s '/lib/systemd/system/pvnic@.service' ]
check "and man pages" [ -s /usr/share/man/man8/pvnic.8.gz -a -s /usr/share/man/man8/pvstat.8.gz ]
check "dpkg -i pvkit-dkms: DKMS builds for the running kernel" log dpkg -i pvkit-dkms_*.deb
check "both are installed" installed pvkit-dkms pvkit-tools
check "dkms status" sh -c "dkms status | sed 's/^/# /'; dkms status | grep -q '^pvkit/.*, $(uname -r), aarch64: installed'"
for m in $MODULES; do check "modprobe $m" log modprobe "$m"; done
complete() { for f in version license author description vermagic; do [ -n "$(modinfo -F "$f" pvlock)" ] || return 1; done; modinfo pvlock | sed 's/^/# /'; }
check "modinfo is complete" complete
unload() { log modprobe -r noop_iosched virtio_pv blk_noop pvclock pvlock pvhyp; }
check "they unload" unload
check "dpkg -P" log dpkg -P pvkit-dkms pvkit-tools
files >/tmp/after
left() { ! diff /tmp/before /tmp/after | grep '^[<>]' | sed 's/^/# /' | grep .; }
check "nothing is left behind" left
quiet() { ! dmesg | grep -E "BUG|WARNING|Oops|Call trace" | sed 's/^/# /' | grep .; }
check "nothing to complain of" quiet
