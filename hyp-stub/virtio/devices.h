/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The devices that a VM can have, as the VM description makes them. All
 * return false when memory or the VM's bus has no room.
 */
#ifndef VIRTIO_DEVICES_H
#define VIRTIO_DEVICES_H

#include "virtio/virtio.h"

#define BLK_QUEUES_MAX	8
#define NET_PAIRS_MAX	8

struct disk;

struct blk_options {
	u32 index;			/* for its name: disk0, disk1, ... */
	u32 queues;			/* 1 to BLK_QUEUES_MAX */
	bool read_only;
	const char *serial;		/* up to 20 characters */
	struct disk *disk;		/* a host disk, or */
	u8 *ram;			/* memory: */
	u64 ram_size;			/* a multiple of 512 */
};
bool blk_create(struct vm *vm, const struct blk_options *o);

struct net_options {
	u32 index;			/* for its name: nic0, nic1, ... */
	u32 pairs;			/* of queues, 1 to NET_PAIRS_MAX */
	const u8 *mac;
	const char *network;
};
/* Returns what is wrong, or NULL. */
const char *net_create(struct vm *vm, const struct net_options *o);

bool rng_create(struct vm *vm);

bool vconsole_create(struct vm *vm);
/* Input for the VM; false: its driver is not listening. */
bool vconsole_input(struct vm *vm, char c);

#endif
