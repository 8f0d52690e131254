# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Prints one line: all that a boot test looks at.
uname -r
t=$(date +%s)
sleep 1			# a vCPU in WFI on an idle machine wakes at its timer
t=$(($(date +%s) - t))
echo "BOOTED cpus=$(nproc) steal=$(awk '/^cpu / { print $9 }' /proc/stat) slept=$t"
