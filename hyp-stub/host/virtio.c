// SPDX-License-Identifier: GPL-2.0
#include "host/virtio.h"
#include "platform/platform.h"
#include "virtio/mmio_regs.h"

#define USED_NO_NOTIFY	BIT(0)
#define MAX_CLAIMED	32

static struct {
	u64 base;
	const char *who;
	bool whole_page;		/* a VM has it */
} claimed[MAX_CLAIMED];
static unsigned int nr_claimed;

static u32 get(u64 regs, u32 r) { return arch_mmio_read32(regs + r); }
static void set(u64 regs, u32 r, u32 v) { arch_mmio_write32(regs + r, v); }

bool host_virtio_claim(struct host_virtio *h, const char *path, const char *who)
{
	struct platform_device d;

	if (!platform_device(path, &d)) {
		hyp_printf("%s: the host has no device %s with reg and interrupts", who, path);
		return false;
	}
	for (unsigned int i = 0; i < nr_claimed; i++) {
		u64 apart = claimed[i].whole_page ? PAGE_SIZE : 1;

		if (ALIGN_DOWN(claimed[i].base, apart) == ALIGN_DOWN(d.base, apart)) {
			hyp_printf("%s: host device %s belongs to %s", who, path, claimed[i].who);
			return false;
		}
	}
	if (nr_claimed == MAX_CLAIMED || get(d.base, MMIO_MAGIC_VALUE) != MMIO_MAGIC || !get(d.base, MMIO_DEVICE_ID)) {
		hyp_printf("%s: there is no virtio device at %s", who, path);
		return false;
	}
	claimed[nr_claimed].base = d.base;
	claimed[nr_claimed++].who = who;
	h->regs = d.base;
	h->intid = d.intid;
	h->edge = d.edge;
	return true;
}

bool host_virtio_claim_page(u64 page, u64 regs)
{
	for (unsigned int i = 0; i < nr_claimed; i++) {
		if (claimed[i].base == regs)
			claimed[i].whole_page = true;
		else if (ALIGN_DOWN(claimed[i].base, PAGE_SIZE) == page)
			return false;
	}
	return true;
}

static u64 device_features(u64 regs)
{
	u64 low;

	set(regs, MMIO_DEVICE_FEATURES_SEL, 0);
	low = get(regs, MMIO_DEVICE_FEATURES);
	set(regs, MMIO_DEVICE_FEATURES_SEL, 1);
	return low | (u64)get(regs, MMIO_DEVICE_FEATURES) << 32;
}

bool host_virtio_open(struct host_virtio *h, const char *path, u32 id, u64 features, const char *who)
{
	if (!host_virtio_claim(h, path, who))
		return false;
	if (get(h->regs, MMIO_DEVICE_ID) != id || get(h->regs, MMIO_VERSION) != MMIO_VERSION_2) {
		hyp_printf("%s: host device %s is virtio-mmio version %u with ID %u, not version 2 with ID %u",
			   who, path, get(h->regs, MMIO_VERSION), get(h->regs, MMIO_DEVICE_ID), id);
		return false;
	}
	set(h->regs, MMIO_STATUS, 0);
	while (get(h->regs, MMIO_STATUS))
		arch_relax();
	set(h->regs, MMIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	h->features = device_features(h->regs) & (features | VIRTIO_F_VERSION_1);
	set(h->regs, MMIO_DRIVER_FEATURES_SEL, 0);
	set(h->regs, MMIO_DRIVER_FEATURES, (u32)h->features);
	set(h->regs, MMIO_DRIVER_FEATURES_SEL, 1);
	set(h->regs, MMIO_DRIVER_FEATURES, (u32)(h->features >> 32));
	set(h->regs, MMIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	if (!(get(h->regs, MMIO_STATUS) & VIRTIO_FEATURES_OK)) {
		hyp_printf("%s: host device %s does not take features 0x%llx", who, path,
			   (unsigned long long)h->features);
		return false;
	}
	return true;
}

static void set_address(u64 regs, u32 r, const void *p)
{
	set(regs, r, (u32)(u64)p);
	set(regs, r + 4, (u32)((u64)p >> 32));
}

bool host_queue_init(struct host_virtio *h, struct host_queue *q, u16 index, u16 size)
{
	u32 max;

	set(h->regs, MMIO_QUEUE_SEL, index);
	max = get(h->regs, MMIO_QUEUE_NUM_MAX);
	q->regs = h->regs;
	q->index = index;
	q->size = (u16)MIN(size, max);
	q->desc = heap_alloc_ram(q->size * sizeof(*q->desc), 16);
	q->avail = heap_alloc_ram(6 + q->size * 2, 16);
	q->used = heap_alloc_ram(6 + q->size * 8, 16);
	if (!q->size || !q->desc || !q->avail || !q->used)
		return false;
	set(h->regs, MMIO_QUEUE_NUM, q->size);
	set_address(h->regs, MMIO_QUEUE_DESC_LOW, q->desc);
	set_address(h->regs, MMIO_QUEUE_DRIVER_LOW, q->avail);
	set_address(h->regs, MMIO_QUEUE_DEVICE_LOW, q->used);
	set(h->regs, MMIO_QUEUE_READY, 1);
	return true;
}

void host_virtio_start(struct host_virtio *h, void (*handler)(void *arg), void *arg)
{
	set(h->regs, MMIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK |
	    VIRTIO_DRIVER_OK);
	host_irq(h->intid, h->edge, handler, arg);
}

void host_virtio_ack(const struct host_virtio *h)
{
	set(h->regs, MMIO_INTERRUPT_ACK, get(h->regs, MMIO_INTERRUPT_STATUS));
}

u64 host_virtio_config(const struct host_virtio *h, u32 offset, u32 size)
{
	u64 v = 0;

	for (u32 i = 0; i < size; i += 4)
		v |= (u64)get(h->regs, MMIO_CONFIG + offset + i) << i * 8;
	return v;
}

void host_queue_add(struct host_queue *q, u16 slot, u64 addr, u32 len, u16 flags)
{
	q->desc[slot] = (struct vring_desc){ addr, len, flags, 0 };
	q->avail->ring[q->avail_idx++ & (q->size - 1)] = slot;
}

void host_queue_kick(struct host_queue *q)
{
	__atomic_store_n(&q->avail->idx, q->avail_idx, __ATOMIC_RELEASE);
	arch_io_barrier();	/* the device finds it, and we its flags */
	if (!(READ_ONCE(q->used->flags) & USED_NO_NOTIFY))
		set(q->regs, MMIO_QUEUE_NOTIFY, q->index);
}

bool host_queue_get(struct host_queue *q, u16 *slot, u32 *len)
{
	const struct vring_used_elem *e;

	if (__atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE) == q->last_used)
		return false;
	e = &q->used->ring[q->last_used++ & (q->size - 1)];
	*slot = (u16)READ_ONCE(e->id);
	*len = READ_ONCE(e->len);
	if (*slot >= q->size)
		panic("host device at 0x%llx returned slot %u of %u",
		      (unsigned long long)q->regs, *slot, q->size);
	return true;
}
