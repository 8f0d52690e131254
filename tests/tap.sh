# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# TAP for host-side shell tests; sourced with TOP and BUILD set.
tap_n=0
plan() { echo "1..$1"; }
tap() {	# STATUS NAME
	tap_n=$((tap_n + 1))
	if [ "$1" = 0 ]; then echo "ok $tap_n - $2"; else echo "not ok $tap_n - $2"; fi
}
# expect NAME COMMAND...: passes if the command succeeds.
expect() {
	name=$1
	shift
	if "$@"; then tap 0 "$name"; else tap 1 "$name"; fi
}
