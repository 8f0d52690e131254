/* SPDX-License-Identifier: GPL-2.0 */
/* A virtio-net NIC of the host (virtio 1.2, 5.1) as the switch's uplink. */
#ifndef HOST_NIC_H
#define HOST_NIC_H

#include "lib/lib.h"

/**
 * nic_open - claim a NIC of the host and connect it; only while VMs are created.
 * @path: in the host's device tree.
 * @network: the one that it is a port of.
 * Returns false after saying why.
 */
bool nic_open(const char *path, const char *network, const char *who);

#endif
