/* SPDX-License-Identifier: GPL-2.0 */
/*
 * host/: drivers for the machine's own devices, which back those of the VMs.
 * Here, the driver side of virtio-mmio version 2 (virtio 1.2). A request is
 * known by its slot: descriptor number, and index of whatever the driver
 * keeps for it. The hypervisor's addresses are the machine's.
 */
#ifndef HOST_VIRTIO_H
#define HOST_VIRTIO_H

#include "virtio/virtio.h"

struct host_virtio {
	u64 regs;
	u32 intid;
	bool edge;
	u64 features;
};

struct host_queue {
	u64 regs;
	u16 index, size;
	u16 avail_idx, last_used;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
};

/**
 * host_virtio_open - find, claim and reset a device.
 * @path: its node in the host's device tree.
 * @id: the device ID that it must have.
 * @features: those that we can use; h->features gets what both sides have.
 * @who: whose it is, for messages.
 * Returns false, after saying why.
 */
bool host_virtio_open(struct host_virtio *h, const char *path, u32 id, u64 features, const char *who);
/* Claim a device for somebody else: its address is then in nobody's use. */
bool host_virtio_claim(struct host_virtio *h, const char *path, const char *who);
/* True if no other device in use is in the 4 KiB page that @regs is in; none will be. */
bool host_virtio_claim_page(u64 page, u64 regs);
/* Set up queue @index with up to @size slots; false: absent, or no memory. */
bool host_queue_init(struct host_virtio *h, struct host_queue *q, u16 index, u16 size);
/* All queues are there: let it work, its interrupt going to @handler. */
void host_virtio_start(struct host_virtio *h, void (*handler)(void *arg), void *arg);
/* Take note of its interrupt. */
void host_virtio_ack(const struct host_virtio *h);
u64 host_virtio_config(const struct host_virtio *h, u32 offset, u32 size);

/* Queue the buffer of @slot; the device sees it at the next kick. */
void host_queue_add(struct host_queue *q, u16 slot, u64 addr, u32 len, u16 flags);
void host_queue_kick(struct host_queue *q);
/* The next finished slot; false: none. */
bool host_queue_get(struct host_queue *q, u16 *slot, u32 *len);

#endif
