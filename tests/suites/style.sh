#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What can be checked about the sources without running them.
#
# /// suite
# time = "host"
# limit = 400
# seconds = 15
# groups = ["tools"]
# level = "quick"
# ///
. "$TOP/tests/tap.sh"
cd "$TOP" || exit 1
sources() { git -c safe.directory='*' ls-files "$@"; }
some_sources() { [ "$(sources '*.c' | wc -l)" -gt 40 ]; }
shell_scripts() { sources | grep -E '(\.sh|^pvkit|^\.ci/run|tests/guest/init|tools/nic/pvnic)$'; }
no_long_files() {
	sources '*.c' '*.h' '*.S' | xargs wc -l | awk '$2 != "total" && $1 > 640 { print "# " $0; bad = 1 } END { exit bad }'
}
licensed() { ! sources '*.c' '*.h' '*.S' '*.sh' '*Makefile' '*Kbuild' | xargs grep -L SPDX-License-Identifier | grep .; }
headers_alone() {
	for h in $(sources 'hyp-stub/*.h' | grep -v sysreg.h) hypercall/include/pvkit/abi.h; do
		printf '#include "%s"\n' "$TOP/$h" | aarch64-linux-gnu-gcc -std=gnu11 -fsyntax-only -Wall -Werror \
			-Ihyp-stub -Ihypercall/include -x c - || return 1
	done
}
core_is_portable() { ! grep -nE 'asm volatile|read_sysreg|write_sysreg' hyp-stub/core/*.c hyp-stub/irq/*.c; }
plan 8
expect "sources are found" some_sources
expect "shellcheck" sh -c "$(printf 'shellcheck -e SC1090,SC1091,SC2015,SC2154 -s sh %s' "$(shell_scripts | tr '\n' ' ')")"
expect "files stay small" no_long_files
expect "every file names its licence" licensed
expect "headers compile alone" headers_alone
expect "core and irq touch no system register" core_is_portable
bindings() { for f in Documentation/bindings/*.yaml; do dt-doc-validate -u Documentation/bindings "$f" 2>&1; done | sed 's/^/# /' | grep . && return 1; return 0; }
# validate SED-SCRIPT: what dt-validate says of the example after it
validate() {
	sed "$1" Documentation/bindings/example.dts | dtc -q -O dtb -o "$WORK/example.dtb" - &&
		dt-validate -s Documentation/bindings "$WORK/example.dtb" 2>&1
}
example() { ! validate '' | sed 's/^/# /' | grep . && validate 's/vcpus = <2>/vcpus = <77>/' | grep -q "77 is greater"; }
expect "bindings are schemas" bindings
expect "the example is as they say" example
