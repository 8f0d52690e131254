#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds and runs the fuzzer. Argument: quick, normal or long: how often.
#
# /// suite
# time = "host"
# limit = 1200
# seconds = 60
# groups = ["hypervisor", "hostile"]
# level = "quick"
# args = "{level}"
# ///
. "$TOP/tests/tap.sh"
out=$BUILD/fuzz
mkdir -p "$out/seeds" "$out/corpus"
case $1 in
quick) runs=20000 ;;
long) runs=10000000 ;;
*) runs=100000 ;;
esac
build() {
	make -s -C "$TOP/tests/unit" O="$out" CC=clang SANITIZERS=fuzzer,undefined,address "$out/fuzz_virtio" >"$out/build.log" 2>&1 || { sed 's/^/# /' "$out/build.log"; return 1; }
}
seeds() { PVKIT_SEEDS=$out/seeds "$out/fuzz_virtio" && [ "$(find "$out/seeds" -type f | wc -l)" -ge 8 ]; }
fuzz() {
	ASAN_OPTIONS=detect_leaks=0 "$out/fuzz_virtio" -runs=$runs -seed=1 -timeout=60 -max_len=2048 -len_control=20 -print_final_stats=1 \
		-artifact_prefix="$out/" "$out/corpus" "$out/seeds" >"$out/log" 2>&1
	status=$?
	grep -E "stat::number_of_executed|stat::average|cov:.*DONE|ERROR|SUMMARY" "$out/log" | sed 's/^/# /'
	return $status
}
plan 3
expect "builds" build
expect "seeds" seeds
expect "$runs executions without a finding" fuzz
