// SPDX-License-Identifier: GPL-2.0
/*
 * Each request has a slot: one descriptor of the host's queue, naming an
 * indirect table with header, data and status. Slots are divided between the
 * submitting queues, so that one that is out of slots has requests of its own
 * in flight, and hears when one of them is done.
 */
#include "host/disk.h"
#include "host/virtio.h"

#define F_RO		BIT(5)
#define F_FLUSH		BIT(9)
#define F_DISCARD	BIT(13)
#define F_WRITE_ZEROES	BIT(14)
#define SLOTS		256
#define CONFIG_CAPACITY	0

struct slot {
	struct disk_request request;
	struct {
		u32 type, reserved;
		u64 sector;
	} header;
	struct {
		u64 sector;
		u32 sectors, flags;
	} range;
	struct vring_desc table[DISK_SEGMENTS + 3];
	struct slot *next;
	u8 queue;
	u8 status;
};

struct disk {
	struct host_virtio host;
	struct host_queue queue;
	spinlock_t lock;
	struct slot *slots;
	struct slot *free[8];		/* by submitting queue */
	u32 in_flight;
	u64 sectors;
};

u64 disk_features(const struct disk *d)
{
	u64 f = d->host.features;

	return (f & F_FLUSH ? DISK_HAS_FLUSH : 0) | (f & F_DISCARD ? DISK_HAS_DISCARD : 0) |
		(f & F_WRITE_ZEROES ? DISK_HAS_ZEROES : 0) | (f & F_RO ? DISK_IS_READ_ONLY : 0);
}

u64 disk_sectors(const struct disk *d)
{
	return d->sectors;
}

static void add(struct slot *s, u32 *n, const void *p, u64 len, u16 flags)
{
	if (*n)
		s->table[*n - 1].flags |= VRING_DESC_NEXT;
	s->table[*n] = (struct vring_desc){ (u64)p, (u32)len, flags, (u16)(*n + 1) };
	++*n;
}

bool disk_submit(struct disk *d, u32 queue, const struct disk_request *r,
		 const struct iov *data, u32 nr)
{
	u16 direction = r->type == DISK_READ ? VRING_DESC_WRITE : 0;
	struct slot *s;
	u32 n = 0;

	spin_lock(&d->lock);
	s = d->free[queue];
	if (!s) {
		spin_unlock(&d->lock);
		return false;
	}
	d->free[queue] = s->next;
	d->in_flight++;
	s->request = *r;
	s->header.type = r->type;
	s->header.sector = r->type == DISK_READ || r->type == DISK_WRITE ? r->sector : 0;
	add(s, &n, &s->header, sizeof(s->header), 0);
	if (r->type == DISK_DISCARD || r->type == DISK_WRITE_ZEROES) {
		s->range.sector = r->sector;
		s->range.sectors = (u32)r->range_sectors;
		s->range.flags = r->range_flags;
		add(s, &n, &s->range, sizeof(s->range), 0);
	}
	for (u32 i = 0; i < nr; i++)
		add(s, &n, data[i].base, data[i].len, direction);
	add(s, &n, &s->status, 1, VRING_DESC_WRITE);
	host_queue_add(&d->queue, (u16)(s - d->slots), (u64)s->table,
		       n * (u32)sizeof(s->table[0]), VRING_DESC_INDIRECT);
	host_queue_kick(&d->queue);
	spin_unlock(&d->lock);
	return true;
}

/* Finish what the host has finished. */
static void service(struct disk *d)
{
	struct disk_request r;
	struct slot *s;
	u16 id;
	u32 len;
	u8 status;

	spin_lock(&d->lock);
	while (host_queue_get(&d->queue, &id, &len)) {
		s = &d->slots[id];
		r = s->request;
		status = READ_ONCE(s->status);
		s->next = d->free[s->queue];
		d->free[s->queue] = s;
		spin_unlock(&d->lock);
		r.done(&r, status);
		spin_lock(&d->lock);
		d->in_flight--;		/* now: disk_drain() waits for done() too */
	}
	spin_unlock(&d->lock);
}

static void interrupt(void *arg)
{
	struct disk *d = arg;

	host_virtio_ack(&d->host);
	service(d);
}

void disk_drain(struct disk *d)
{
	while (READ_ONCE(d->in_flight)) {
		service(d);
		arch_relax();
	}
}

struct disk *disk_open(const char *path, u32 queues, const char *who)
{
	struct disk *d = heap_alloc(sizeof(*d), 64);

	if (!d || !host_virtio_open(&d->host, path, VIRTIO_ID_BLOCK, VIRTIO_F_INDIRECT_DESC |
				    F_RO | F_FLUSH | F_DISCARD | F_WRITE_ZEROES, who))
		return NULL;
	d->slots = heap_alloc_ram(SLOTS * sizeof(*d->slots), 64);
	if (!(d->host.features & VIRTIO_F_INDIRECT_DESC) || !d->slots ||
	    !host_queue_init(&d->host, &d->queue, 0, SLOTS)) {
		hyp_printf("%s: host disk %s has no queue or no indirect descriptors, or memory is short",
			   who, path);
		return NULL;
	}
	d->sectors = host_virtio_config(&d->host, CONFIG_CAPACITY, 8);
	for (u32 i = 0; i < d->queue.size; i++) {
		struct slot *s = &d->slots[i];

		s->queue = (u8)(i % queues);
		s->next = d->free[s->queue];
		d->free[s->queue] = s;
	}
	host_virtio_start(&d->host, interrupt, d);
	return d;
}
