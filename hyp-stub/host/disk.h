/* SPDX-License-Identifier: GPL-2.0 */
/* A virtio-blk disk of the host (virtio 1.2, 5.2). */
#ifndef HOST_DISK_H
#define HOST_DISK_H

#include "lib/lib.h"

struct disk;
struct iov;
struct virtqueue;

#define DISK_HAS_FLUSH		BIT(0)
#define DISK_HAS_DISCARD	BIT(1)
#define DISK_HAS_ZEROES		BIT(2)
#define DISK_IS_READ_ONLY	BIT(3)

#define DISK_SEGMENTS	64	/* in a request */

/* The types are the standard's. */
enum disk_type {
	DISK_READ = 0,
	DISK_WRITE = 1,
	DISK_FLUSH = 4,
	DISK_DISCARD = 11,
	DISK_WRITE_ZEROES = 13,
};

/**
 * struct disk_request - what to do, and what to do then.
 * @done: called once with @status, the standard's status byte, from any
 *	context, no locks held; the slot that it came in is free again.
 * @owner, @head, @status_byte, @written: the caller's.
 */
struct disk_request {
	enum disk_type type;
	u32 range_flags;
	u64 sector;			/* of 512 bytes */
	u64 range_sectors;		/* DISCARD, WRITE_ZEROES */
	void (*done)(const struct disk_request *r, u8 status);
	struct virtqueue *owner;
	u8 *status_byte;
	u32 written;
	u16 head;
};

/**
 * disk_open - claim a disk of the host; only while VMs are created.
 * @path: in the host's device tree.
 * @queues: number of independent submitters.
 * NULL after saying why.
 */
struct disk *disk_open(const char *path, u32 queues, const char *who);
u64 disk_features(const struct disk *d);
u64 disk_sectors(const struct disk *d);
/**
 * disk_submit - start a request.
 * @queue: of the @queues of disk_open().
 * @data: buffers in host memory, up to DISK_SEGMENTS.
 * Returns false if this queue has as many in flight as it can: try again
 * when one of them is done.
 */
bool disk_submit(struct disk *d, u32 queue, const struct disk_request *r,
		 const struct iov *data, u32 nr);
/* Wait until nothing is in flight. */
void disk_drain(struct disk *d);

#endif
