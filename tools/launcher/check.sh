# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# All tests: tools/pvkit/check, which needs Python; pytest comes with the build.

cmd_check() {
	mkdir -p "$BUILD"
	/usr/bin/python3 -c 'import tomllib' 2>/dev/null || setup_packages
	export PYTHONPATH="$TOP/tools" PYTHONPYCACHEPREFIX="$BUILD/pycache"
	exec /usr/bin/python3 -m pvkit.check "$@"
}
