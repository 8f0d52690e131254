/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a sender left to its NIC, done in software for a receiver that cannot
 * take the packet as it is: checksums (NEEDS_CSUM) and TCP segmentation.
 */
#ifndef VIRTIO_OFFLOAD_H
#define VIRTIO_OFFLOAD_H

#include "virtio/vswitch.h"

#define OFFLOAD_SEGMENTS 256	/* a packet cut into more is dropped */

/* Get a buffer for each pCPU. Once is enough. */
bool offload_init(void);

/**
 * offload_each - call @fn for each packet that @pk makes.
 * Their headers ask for nothing. Uses this pCPU's buffer until it returns.
 * Returns false if the packet is not what its header says it is.
 */
bool offload_each(const struct packet *pk, void (*fn)(void *arg, const struct packet *pk), void *arg);

#endif
