# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# When did init start, by the guest's own clock?
dmesg | awk '/Run \/init as init process/ {
	t = $0
	sub(/^\[ */, "", t)
	sub(/\].*/, "", t)
	printf "RESULT boot.init_us %d\n", t * 1000000
}'
