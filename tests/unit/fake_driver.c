// SPDX-License-Identifier: GPL-2.0
#include "fake_driver.h"

struct vm *vm;
struct vcpu *vcpu;
u64 next_free;

u64 alloc(u64 size)
{
	u64 at = next_free;

	next_free += ALIGN_UP(size, 64);
	return at;
}

void *at(u64 ipa) { return vm_ram(vm, (ipa_t){ ipa }, 1); }

u32 rd(u32 dev, u32 reg)
{
	struct mmio m = { .addr = GUEST_VIRTIO_BASE + dev * GUEST_VIRTIO_STRIDE + reg, .size = 4 };

	assert_true(mmio_dispatch(vcpu, &m));
	return (u32)m.value;
}

void wr(u32 dev, u32 reg, u32 value)
{
	struct mmio m = { .addr = GUEST_VIRTIO_BASE + dev * GUEST_VIRTIO_STRIDE + reg, .size = 4,
			  .write = true, .value = value };

	assert_true(mmio_dispatch(vcpu, &m));
}

void start_device(u32 dev, u64 features)
{
	features &= vm->virtio[dev]->features;
	wr(dev, STATUS, 0);
	wr(dev, STATUS, 3);
	wr(dev, 0x24, 0);
	wr(dev, 0x20, (u32)features);
	wr(dev, 0x24, 1);
	wr(dev, 0x20, (u32)(features >> 32));
	wr(dev, STATUS, 11);
	assert_true(rd(dev, STATUS) & 8);
}

struct drv queue(u32 dev, u32 index, u16 size)
{
	u64 desc = alloc(size * 16), avail = alloc(6 + size * 2), used = alloc(6 + size * 8);
	struct drv q = { .dev = dev, .index = index, .size = size, .desc = at(desc),
			 .avail = at(avail), .used = at(used) };

	memset(q.avail, 0, 6 + size * 2);
	memset(q.used, 0, 6 + size * 8);
	wr(dev, 0x30, index);
	wr(dev, 0x38, size);
	wr(dev, 0x80, (u32)desc);
	wr(dev, 0x84, 0);
	wr(dev, 0x90, (u32)avail);
	wr(dev, 0x94, 0);
	wr(dev, 0xa0, (u32)used);
	wr(dev, 0xa4, 0);
	wr(dev, 0x44, 1);
	assert_int_equal(rd(dev, 0x44), 1);
	return q;
}

void go(u32 dev) { wr(dev, STATUS, 15); }

u16 add(struct drv *q, u64 ipa, u32 len, u16 flags)
{
	u16 i = q->next_desc++ % q->size;

	q->desc[i] = (struct vring_desc){ ipa, len, flags, (u16)((i + 1) % q->size) };
	return i;
}

void publish(struct drv *q, u16 head)
{
	q->avail->ring[q->avail_idx % q->size] = head;
	q->avail->idx = ++q->avail_idx;
}

void kick(struct drv *q) { wr(q->dev, NOTIFY, q->index); }

u16 blk_add(struct drv *q, u32 type, u64 sector, u64 data, u32 len)
{
	u64 h = alloc(32);
	u16 head;

	*(u32 *)at(h) = type;
	*(u64 *)at(h + 8) = sector;
	*(u8 *)at(h + 16) = 0xff;
	head = add(q, h, 16, VRING_DESC_NEXT);
	if (len)
		add(q, data, len, (u16)(VRING_DESC_NEXT | (type ? 0 : VRING_DESC_WRITE)));
	add(q, h + 16, 1, VRING_DESC_WRITE);
	publish(q, head);
	return head;
}

u8 blk_status(struct drv *q, u16 head)
{
	u16 i = head;

	while (q->desc[i].flags & VRING_DESC_NEXT)
		i = q->desc[i].next;
	return *(u8 *)at(q->desc[i].addr);
}

int setup(void **state)
{
	(void)state;
	fake_reset(2);
	vm = fake_vm(2, MiB(8));
	vcpu = vm->vcpus[0];
	vcpu->state = VCPU_RUNNING;
	vcpu->pcpu = &pcpus[0];
	pcpus[0].current = vcpu;
	next_free = GUEST_RAM_BASE;
	return 0;
}

void ram_disk(u32 sectors)
{
	static u8 ram[KiB(64)];

	assert_true(blk_create(vm, &(struct blk_options){ .queues = 1, .serial = "s", .ram = ram,
							  .ram_size = sectors * 512 }));
}
