// SPDX-License-Identifier: GPL-2.0
#include "fake_host.h"

u8 fake_disk[FAKE_DISK_SECTORS * 512];
u32 fake_disk_flushes;
u8 fake_disk_status;

static struct {
	u16 slot;
	u64 addr;
	u32 len;
} waiting[1024];
static u32 first, last, done;
static void (*handler)(void *arg);
static void *handler_arg;

bool host_virtio_claim(struct host_virtio *h, const char *path, const char *who)
{
	(void)who;
	if (strcmp(path, "/disk"))
		return false;
	memset(h, 0, sizeof(*h));
	return true;
}

bool host_virtio_claim_page(u64 page, u64 regs) { (void)page; (void)regs; return true; }

bool host_virtio_open(struct host_virtio *h, const char *path, u32 id, u64 features, const char *who)
{
	first = last = done = 0;
	if (!host_virtio_claim(h, path, who) || id != VIRTIO_ID_BLOCK)
		return false;
	h->features = features & ~BIT(5);	/* not read-only */
	return true;
}

bool host_queue_init(struct host_virtio *h, struct host_queue *q, u16 index, u16 size)
{
	(void)h;
	q->index = index;
	q->size = size;
	return true;
}

void host_virtio_start(struct host_virtio *h, void (*fn)(void *arg), void *arg)
{
	(void)h;
	handler = fn;
	handler_arg = arg;
}

void host_virtio_ack(const struct host_virtio *h) { (void)h; }

u64 host_virtio_config(const struct host_virtio *h, u32 offset, u32 size)
{
	(void)h;
	(void)size;
	return offset == 0 ? FAKE_DISK_SECTORS : 0;
}

void host_queue_add(struct host_queue *q, u16 slot, u64 addr, u32 len, u16 flags)
{
	(void)q;
	assert_true(flags & VRING_DESC_INDIRECT);
	waiting[last % 1024].slot = slot;
	waiting[last % 1024].addr = addr;
	waiting[last++ % 1024].len = len;
}

void host_queue_kick(struct host_queue *q) { (void)q; }

u32 fake_host_waiting(void) { return last - first; }

static void carry_out(const struct vring_desc *table, u32 n)
{
	struct { u32 type, reserved; u64 sector; } *h = (void *)table[0].addr;
	u8 *at = fake_disk + h->sector * 512;

	if (h->type == 4)
		fake_disk_flushes++;
	for (u32 i = 1; i + 1 < n && h->type < 2; i++) {
		assert_true(at + table[i].len <= fake_disk + sizeof(fake_disk));
		if (h->type)
			memcpy(at, (void *)table[i].addr, table[i].len);
		else
			memcpy((void *)table[i].addr, at, table[i].len);
		at += table[i].len;
	}
	*(u8 *)table[n - 1].addr = fake_disk_status;
}

void fake_host_finish(u32 n)
{
	for (; n && done != last; n--, done++)
		carry_out((void *)waiting[done % 1024].addr, waiting[done % 1024].len / 16);
	handler(handler_arg);
}

bool host_queue_get(struct host_queue *q, u16 *slot, u32 *len)
{
	(void)q;
	if (first == done)
		return false;
	*slot = waiting[first++ % 1024].slot;
	*len = 1;
	return true;
}
