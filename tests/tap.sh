#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# KTAP for host-side shell tests; sourced with TOP, BUILD and WORK set. Where $log names the
# console of the guest that a case is about, a failed one shows its last lines.
tap_n=0
plan() { tap_n=0; echo "KTAP version 1"; echo "1..$1"; }
tap() {	# STATUS NAME
	tap_n=$((tap_n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_n $2"
		return
	fi
	[ ! -s "${log:-}" ] || tail -n 15 "$log" | tr -d '\r\000' | sed 's/^/# console: /'
	echo "not ok $tap_n $2"
}
skip() { tap_n=$((tap_n + 1)); echo "ok $tap_n $1 # SKIP $2"; }	# NAME WHY
# expect NAME COMMAND...: passes if the command succeeds.
expect() {
	name=$1
	shift
	if "$@"; then tap 0 "$name"; else tap 1 "$name"; fi
}
