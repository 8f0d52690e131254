#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The page of `pvkit bench --html`, in a headless Chromium, on a phone and on a wide
# screen: nothing is wider than the screen, every plot is there, nothing is loaded from
# elsewhere. Its figures: of the suite figures, if that has run.
#
# /// suite
# time = "host"
# limit = 600
# groups = ["tools", "figures"]
# level = "long"
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
PACKAGES="$PACKAGES python3-matplotlib chromium"
setup_packages
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
json=$BUILD/figures.json
[ -e "$json" ] || "$TOP/pvkit" bench exits size lock --icount --quick --json "$json" || die "no figures"
plan 8
/usr/bin/python3 "$TOP/tools/report/page.py" html "$json" >"$dir/page.html"
tap $? "a page is made"
loads_nothing() { ! grep -oE '(src|href)="[^#"][^"]*"|url\([^#)][^)]*\)|@import' "$dir/page.html" | sed 's/^/# /' | grep .; }
expect "it loads nothing" loads_nothing
# What a browser makes of it, as the title
{
	grep -v '</body>' "$dir/page.html"
	cat <<-'END'
	<script>
	document.title = "wide=" + (document.documentElement.scrollWidth - innerWidth) +
		" plots=" + [...document.querySelectorAll("svg")].filter(s => s.getBoundingClientRect().height > 50).length +
		" colour=" + getComputedStyle(document.body).color
	</script></body></html>
	END
} >"$dir/probe.html"
look() {
	timeout 120 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$dir/profile" --window-size="$1,1000" ${2:+"$2"} \
		--dump-dom "file://$dir/probe.html" 2>/dev/null | sed -n 's,.*<title>\(.*\)</title>.*,\1,p'
}
for width in 500 1300; do
	seen=$(look $width)
	echo "# at $width: $seen"
	fits() { n=${seen#wide=}; n=${n%% *}; [ "$n" -le 0 ]; }
	expect "at $width pixels nothing sticks out" fits
	plots() { n=${seen#*plots=}; [ "${n%% *}" -ge 2 ]; }
	expect "at $width pixels there are plots" plots
done
dark=$(look 500 --blink-settings=preferredColorScheme=0)
echo "# dark: $dark"
differs() { [ -n "$dark" ] && [ "${dark#*colour=}" != "${seen#*colour=}" ]; }
expect "dark is another colour" differs
/usr/bin/python3 "$TOP/tools/report/page.py" markdown "$json" >"$dir/page.md"
grep -q '^| exits.hypercall' "$dir/page.md"
tap $? "Markdown has the figures"
