#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Usage: check-size.sh CROSS_COMPILE ELF TEXT_LIMIT
# Reports the footprint and fails if text and read-only data exceed the limit.
set -eu
sym() { echo $((0x$("$1nm" "$2" | awk -v s="$3" '$3 == s { print $1 }'))); }
text=$(sym "$1" "$2" __text_end)
ram=$(sym "$1" "$2" __image_size)
echo "hyp-stub: text+rodata $text bytes (limit $3), RAM $ram bytes"
[ "$text" -le "$3" ]
