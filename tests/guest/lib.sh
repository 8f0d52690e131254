# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# KTAP (Documentation/dev-tools/ktap.rst in Linux) for guest scripts.
ktap_n=0
ktap_failed=0

plan() { echo "KTAP version 1"; echo "1..$1"; }

ok() { ktap_n=$((ktap_n + 1)); echo "ok $ktap_n $*"; }
not_ok() { ktap_n=$((ktap_n + 1)); ktap_failed=$((ktap_failed + 1)); echo "not ok $ktap_n $*"; }
skip() { ktap_n=$((ktap_n + 1)); echo "ok $ktap_n $1 # SKIP $2"; }

# check NAME COMMAND...: a test case that passes if the command succeeds.
check() {
	name=$1
	shift
	if "$@"; then ok "$name"; else not_ok "$name"; fi
}

load() { m=$1; shift; insmod "/modules/$m.ko" "$@"; }
