#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds and runs the fuzzer. Argument: quick, normal or long: how often.
. "$TOP/tests/tap.sh"
out=$BUILD/fuzz
hyp=$TOP/hyp-stub
mkdir -p "$out/seeds" "$out/corpus"
case $1 in
quick) runs=20000 ;;
long) runs=10000000 ;;
*) runs=300000 ;;
esac
build() {
	sources=
	for f in "$hyp"/core/*.c "$hyp"/irq/*.c "$hyp"/virtio/*.c "$hyp"/host/*.c; do
		case $f in
		*/core/main.c | */host/virtio.c) ;;
		*) sources="$sources $f" ;;
		esac
	done
	# shellcheck disable=SC2086
	clang -std=gnu11 -g -O1 -fno-strict-aliasing -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-Wall -Wextra -Wno-gnu-variable-sized-type-not-at-end -I"$hyp" -I"$TOP/hypercall/include" \
		-o "$out/fuzz_virtio" "$TOP/tests/fuzz/fuzz_virtio.c" $sources \
		"$hyp/lib/printf.c" "$hyp/lib/spinlock.c" "$hyp/platform/ram.c" \
		"$TOP/tests/unit/fake_arch.c" "$TOP/tests/unit/fake_host.c" -lfdt -lcmocka >"$out/build.log" 2>&1 ||
		{ sed 's/^/# /' "$out/build.log"; return 1; }
}
seeds() { PVKIT_SEEDS=$out/seeds "$out/fuzz_virtio" && [ "$(find "$out/seeds" -type f | wc -l)" -ge 8 ]; }
fuzz() {
	ASAN_OPTIONS=detect_leaks=0 "$out/fuzz_virtio" -runs=$runs -seed=1 -timeout=10 -max_len=2048 -len_control=20 -print_final_stats=1 \
		-artifact_prefix="$out/" "$out/corpus" "$out/seeds" >"$out/log" 2>&1
	status=$?
	grep -E "stat::number_of_executed|stat::average|cov:.*DONE|ERROR|SUMMARY" "$out/log" | sed 's/^/# /'
	return $status
}
plan 3
expect "builds" build
expect "seeds" seeds
expect "$runs executions without a finding" fuzz
