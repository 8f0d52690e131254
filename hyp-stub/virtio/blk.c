// SPDX-License-Identifier: GPL-2.0
/*
 * Block device (virtio 1.2, 5.2), on RAM or on a disk of the host. RAM is
 * copied at once. For a host disk the guest's buffers go to the host's queue
 * as they are; the chain is returned when the host has finished, so that a
 * completed FLUSH means what the host means by it.
 */
#include "host/disk.h"
#include "virtio/devices.h"

#define F_SIZE_MAX	BIT(1)
#define F_SEG_MAX	BIT(2)
#define F_RO		BIT(5)
#define F_BLK_SIZE	BIT(6)
#define F_FLUSH		BIT(9)
#define F_MQ		BIT(12)
#define F_DISCARD	BIT(13)
#define F_WRITE_ZEROES	BIT(14)

#define T_IN		0
#define T_OUT		1
#define T_FLUSH		4
#define T_GET_ID	8
#define T_DISCARD	11
#define T_WRITE_ZEROES	13

#define S_OK		0
#define S_IOERR		1
#define S_UNSUPP	2

#define SECTOR		512
#define QUEUE_SIZE	256
#define SEG_MAX		64			/* data buffers in a request */
#define SIZE_MAX_SEG	KiB(64)			/* bytes in one of them */
#define ZERO_SECTORS	(MiB(4) / SECTOR)	/* discarded or zeroed at a time */
#define UNMAP		BIT(0)

struct header {
	u32 type, reserved;
	u64 sector;
};

struct range_header {				/* of DISCARD, WRITE_ZEROES */
	u64 sector;
	u32 num_sectors, flags;
};

/* 5.2.4 */
struct config {
	u64 capacity;
	u32 size_max, seg_max;
	u16 cylinders;
	u8 heads, sectors;
	u32 blk_size;
	u8 physical_block_exp, alignment_offset;
	u16 min_io_size;
	u32 opt_io_size;
	u8 writeback, unused;
	u16 num_queues;
	u32 max_discard_sectors, max_discard_seg, discard_sector_alignment;
	u32 max_write_zeroes_sectors, max_write_zeroes_seg;
	u8 write_zeroes_may_unmap, unused1[3];
} __attribute__((packed));

struct blk {
	struct virtio_dev dev;
	struct config config;
	u8 *ram;				/* NULL: on a host disk */
	struct disk *disk;
	char serial[20];			/* not terminated when full */
};

static bool in_range(const struct blk *b, u64 sector, u64 sectors)
{
	return sectors <= b->config.capacity && sector <= b->config.capacity - sectors;
}

static enum vq_progress complete(struct virtqueue *q, const struct vq_chain *c, u8 status, u64 written)
{
	*vq_last_byte(c) = status;
	vq_push(q, c->head, (u32)written + 1);
	return VQ_DONE;
}

/* The host has finished. */
static void disk_done(const struct disk_request *r, u8 status)
{
	struct virtqueue *q = r->owner;
	bool restart;

	spin_lock(&q->lock);
	if (q->ready) {
		*r->status_byte = status;
		vq_push(q, r->head, r->written + 1);
		vq_flush(q);
	}
	restart = q->stalled;
	spin_unlock(&q->lock);
	if (restart)
		virtqueue_run(q);
}

/* The data buffers of @c, without header and status; false if they are odd. */
static bool data_buffers(const struct vq_chain *c, bool write, struct iov *data, u32 *nr, u64 *bytes)
{
	u64 skip = write ? sizeof(struct header) : 0, left;
	u32 first = write ? 0 : c->nr_out, end = write ? c->nr_out : (u32)c->nr_out + c->nr_in;

	*bytes = left = write ? c->out_len - skip : c->in_len - 1;
	*nr = 0;
	for (u32 i = first; i < end && left; i++) {
		struct iov v = c->iov[i];
		u64 cut = MIN(skip, v.len);

		skip -= cut;
		v.base += cut;
		v.len = MIN(v.len - cut, left);
		if (!v.len)
			continue;
		if (v.len > SIZE_MAX_SEG || *nr == SEG_MAX)
			return false;
		data[(*nr)++] = v;
		left -= v.len;
	}
	return !(*bytes % SECTOR);
}

static void ram_transfer(struct blk *b, bool write, u64 sector, const struct iov *data, u32 nr)
{
	u8 *at = b->ram + sector * SECTOR;

	for (u32 i = 0; i < nr; at += data[i].len, i++) {
		if (write)
			memcpy(at, data[i].base, data[i].len);
		else
			memcpy(data[i].base, at, data[i].len);
	}
}

static enum vq_progress to_disk(struct blk *b, struct virtqueue *q, const struct vq_chain *c,
				struct disk_request *r, const struct iov *data, u32 nr)
{
	r->done = disk_done;
	r->owner = q;
	r->head = c->head;
	r->status_byte = vq_last_byte(c);
	if (disk_submit(b->disk, q->index, r, data, nr))
		return VQ_DONE;
	vq_unpop(q, 1);
	return VQ_STALLED;
}

static enum vq_progress transfer(struct blk *b, struct virtqueue *q, const struct vq_chain *c,
				 const struct header *h)
{
	bool write = h->type == T_OUT;
	struct iov data[SEG_MAX];
	u64 bytes;
	u32 nr;

	if (!data_buffers(c, write, data, &nr, &bytes) || !bytes ||
	    !in_range(b, h->sector, bytes / SECTOR) || (write && b->dev.features & F_RO))
		return complete(q, c, S_IOERR, 0);
	if (b->disk)
		return to_disk(b, q, c, &(struct disk_request){
			.type = write ? DISK_WRITE : DISK_READ,
			.sector = h->sector,
			.written = write ? 0 : (u32)bytes,
		}, data, nr);
	ram_transfer(b, write, h->sector, data, nr);
	return complete(q, c, S_OK, write ? 0 : bytes);
}

static enum vq_progress flush(struct blk *b, struct virtqueue *q, const struct vq_chain *c)
{
	if (!virtio_has(&b->dev, F_FLUSH))
		return complete(q, c, S_UNSUPP, 0);
	if (b->disk)
		return to_disk(b, q, c, &(struct disk_request){ .type = DISK_FLUSH }, NULL, 0);
	return complete(q, c, S_OK, 0);
}

/* DISCARD and WRITE_ZEROES: on RAM the same. */
static enum vq_progress zero(struct blk *b, struct virtqueue *q, const struct vq_chain *c, u32 type,
			     struct iov_pos *out)
{
	struct range_header range;

	if (!virtio_has(&b->dev, type == T_DISCARD ? F_DISCARD : F_WRITE_ZEROES))
		return complete(q, c, S_UNSUPP, 0);
	if (c->out_len != sizeof(struct header) + sizeof(range))	/* max_discard_seg is 1 */
		return complete(q, c, S_IOERR, 0);
	iov_read(out, &range, sizeof(range));
	if (range.flags & ~(u32)UNMAP || (range.flags && type == T_DISCARD))
		return complete(q, c, S_UNSUPP, 0);
	if (range.num_sectors > ZERO_SECTORS || !in_range(b, range.sector, range.num_sectors))
		return complete(q, c, S_IOERR, 0);
	if (b->disk)
		return to_disk(b, q, c, &(struct disk_request){
			.type = type == T_DISCARD ? DISK_DISCARD : DISK_WRITE_ZEROES,
			.sector = range.sector,
			.range_sectors = range.num_sectors,
			.range_flags = range.flags,
		}, NULL, 0);
	memset(b->ram + range.sector * SECTOR, 0, (u64)range.num_sectors * SECTOR);
	return complete(q, c, S_OK, 0);
}

static enum vq_progress get_id(struct blk *b, struct virtqueue *q, const struct vq_chain *c)
{
	struct iov_pos in = vq_in(c);

	if (c->in_len != sizeof(b->serial) + 1)
		return complete(q, c, S_IOERR, 0);
	iov_write(&in, b->serial, sizeof(b->serial));
	return complete(q, c, S_OK, sizeof(b->serial));
}

static enum vq_progress blk_process(struct virtqueue *q)
{
	struct blk *b = container_of(q->dev, struct blk, dev);
	struct iov_pos out;
	struct vq_chain c;
	struct header h;
	enum vq_progress progress = vq_pop(q, &c);

	if (progress != VQ_DONE)
		return progress;
	if (c.out_len < sizeof(h) || !c.in_len) {
		vq_break(q, "a request without header or status (%llu bytes to read, %llu to write)",
			 (unsigned long long)c.out_len, (unsigned long long)c.in_len);
		return VQ_STALLED;
	}
	out = vq_out(&c);
	iov_read(&out, &h, sizeof(h));
	switch (h.type) {
	case T_IN:
	case T_OUT:
		return transfer(b, q, &c, &h);
	case T_FLUSH:
		return flush(b, q, &c);
	case T_DISCARD:
	case T_WRITE_ZEROES:
		return zero(b, q, &c, h.type, &out);
	case T_GET_ID:
		return get_id(b, q, &c);
	}
	return complete(q, &c, S_UNSUPP, 0);
}

/* The host may still write to the guest's buffers: wait until it does not. */
static void blk_reset(struct virtio_dev *dev)
{
	struct blk *b = container_of(dev, struct blk, dev);

	if (b->disk)
		disk_drain(b->disk);
}

static const struct virtio_ops blk_ops = {
	.id = VIRTIO_ID_BLOCK,
	.process = blk_process,
	.reset = blk_reset,
};

bool blk_create(struct vm *vm, const struct blk_options *o)
{
	struct blk *b = heap_alloc(sizeof(*b), 64);
	u16 sizes[BLK_QUEUES_MAX];
	u64 disk = o->disk ? disk_features(o->disk) : DISK_HAS_FLUSH | DISK_HAS_DISCARD | DISK_HAS_ZEROES;
	bool ro = o->read_only || disk & DISK_IS_READ_ONLY;

	if (!b)
		return false;
	b->ram = o->ram;
	b->disk = o->disk;
	memcpy(b->serial, o->serial, strnlen(o->serial, sizeof(b->serial)));
	b->dev.ops = &blk_ops;
	b->dev.nr_queues = o->queues;
	b->dev.config = &b->config;
	b->dev.config_size = sizeof(b->config);
	b->dev.features = F_SIZE_MAX | F_SEG_MAX | F_BLK_SIZE | (o->queues > 1 ? F_MQ : 0) |
		(ro ? F_RO : 0) | (disk & DISK_HAS_FLUSH ? F_FLUSH : 0) |
		(disk & DISK_HAS_DISCARD && !ro ? F_DISCARD : 0) |
		(disk & DISK_HAS_ZEROES && !ro ? F_WRITE_ZEROES : 0);
	b->config = (struct config){
		.capacity = o->disk ? disk_sectors(o->disk) : o->ram_size / SECTOR,
		.size_max = SIZE_MAX_SEG,
		.seg_max = SEG_MAX,
		.blk_size = SECTOR,
		.num_queues = o->queues,
		.max_discard_sectors = ZERO_SECTORS,
		.max_discard_seg = 1,
		.discard_sector_alignment = 1,
		.max_write_zeroes_sectors = ZERO_SECTORS,
		.max_write_zeroes_seg = 1,
		.write_zeroes_may_unmap = 1,
	};
	for (u32 i = 0; i < o->queues; i++)
		sizes[i] = QUEUE_SIZE;
	hyp_snprintf(b->dev.name, sizeof(b->dev.name), "disk%u", o->index);
	return virtio_add(vm, &b->dev, sizes);
}
