#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A bare guest of 2 vCPUs that does what it should not: random calls, all system register encodings,
# MMIO abuse.
#
# /// suite
# time = "host"
# limit = 700
# seconds = 20
# groups = ["hypervisor", "hostile"]
# level = "quick"
# ///
exec "$TOP/pvkit" run --timeout 600 --vm "name=hostile,vcpus=2,mem=16M,kernel=$BUILD/bare/hostile.bin"
