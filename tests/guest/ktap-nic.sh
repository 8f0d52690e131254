# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# pvnic in the Debian root, KTAP.
. "${KTAP:-}/lib.sh"
plan 13
pvnic() { busybox sh /bin/pvnic "$@"; }
# All that any profile touches. What 6.1 has as tx-frames 0 and cannot be set comes back as 1.
state() {
	case $(uname -r) in
	6.1.*) ethtool -c eth0 | sed 's/^\(tx-frames:[[:space:]]*\)0$/\11/' ;;
	*) ethtool -c eth0 ;;
	esac
	ethtool -g eth0
	ethtool -l eth0
	ethtool -k eth0
	cat /sys/class/net/eth0/gro_flush_timeout /sys/class/net/eth0/queues/tx-*/xps_cpus /proc/sys/net/core/busy_*
}
coalesce() { [ "$(ethtool -c eth0 | awk -v n="$1:" '$1 == n { print $2 }')" = "$2" ]; }
pairs() { [ "$(ethtool -l eth0 | awk '/^Combined/ { n = $2 } END { print n }')" = "$1" ]; }
works() { busybox ping -c 2 -W 2 10.0.2.2 >/dev/null; }
ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0
state >/tmp/before
listed() { [ "$(pvnic list | grep -c '^[a-z]')" = 3 ]; }
check "the profiles are listed" listed
check "a profile is applied" pvnic apply
applied() { coalesce tx-usecs 1000 && coalesce tx-frames 64 && coalesce rx-usecs 0 && pairs 2; }
check "...its settings are there" applied
check "...the NIC works" works
shown() { pvnic show eth0 | tee /tmp/show | grep -q '^ *tx-usecs *1000 *was 0$' && grep -q '^eth0: profile throughput$' /tmp/show; }
check "...it is shown, with what was before" shown
another() { pvnic apply -p bulk eth0 && coalesce rx-usecs 100 && coalesce rx-frames 32 && works; }
check "another takes its place" another
restored() { pvnic restore && state | cmp - /tmp/before && works; }
check "all is put back, to the letter" restored
kept() { pvnic apply && ethtool -C eth0 tx-usecs 500 && pvnic restore && coalesce tx-usecs 500 && coalesce tx-frames 1 && ethtool -C eth0 tx-usecs 0; }
check "what somebody has changed since stays" kept
latency() { pvnic apply -p latency && [ "$(cat /proc/sys/net/core/busy_read)" = 50 ] && works && pvnic restore && state | cmp - /tmp/before; }
check "the latency profile, and back" latency
again() { for _ in 1 2 3 4 5; do pvnic apply && pvnic apply -p bulk && pvnic restore || return 1; done; state | cmp - /tmp/before; }
check "again and again" again
refused() { ! pvnic "$@" >/tmp/out 2>&1 && grep -q "^pvnic: " /tmp/out; }
check "an unknown profile is refused" refused apply -p sideways
check "...an unknown NIC" refused apply eth7
check "...an unknown option" refused show -x
