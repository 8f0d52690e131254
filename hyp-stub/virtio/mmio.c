// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-mmio, version 2 (virtio 1.2, 4.2): registers, feature negotiation,
 * device status. Where the specification leaves open what happens to a driver
 * that breaks its rules: a register written at the wrong time keeps its value,
 * and a queue that cannot work makes the device need a reset.
 */
#include "virtio/mmio_regs.h"
#include "virtio/virtio.h"

#define VENDOR			0x74697670	/* "pvit" */

bool virtio_add(struct vm *vm, struct virtio_dev *dev, const u16 *sizes)
{
	if (vm->nr_virtio == VIRTIO_BUS_SLOTS)
		return false;
	dev->queues = heap_alloc(dev->nr_queues * sizeof(*dev->queues), 64);
	if (!dev->queues)
		return false;
	dev->vm = vm;
	dev->index = vm->nr_virtio;
	dev->intid = vm->partitioned ? direct_alloc_spi() : INTID_GUEST_VIRTIO + dev->index;
	if (!dev->intid)
		return false;
	dev->features |= VIRTIO_F_ALL;
	for (u32 i = 0; i < dev->nr_queues; i++) {
		dev->queues[i].dev = dev;
		dev->queues[i].index = (u16)i;
		dev->queues[i].size_max = sizes[i];
	}
	vm->virtio[vm->nr_virtio++] = dev;
	return true;
}

/* The interrupt is an edge: it comes when the status leaves zero. */
void virtio_interrupt(struct virtio_dev *dev, u32 isr)
{
	if (!__atomic_fetch_or(&dev->isr, isr, __ATOMIC_ACQ_REL))
		vgic_pend(dev->vm, dev->vm->vcpus[0], dev->intid, false);
}

void virtio_config_changed(struct virtio_dev *dev)
{
	__atomic_fetch_add(&dev->generation, 1, __ATOMIC_RELEASE);
	if (virtio_live(dev))
		virtio_interrupt(dev, VIRTIO_ISR_CONFIG);
}

void virtio_break(struct virtio_dev *dev, const char *fmt, ...)
{
	u32 was = __atomic_fetch_or(&dev->status, VIRTIO_NEEDS_RESET, __ATOMIC_ACQ_REL);
	char what[160];
	va_list ap;

	if (was & VIRTIO_NEEDS_RESET)
		return;
	va_start(ap, fmt);
	hyp_vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	vm_printf(dev->vm, "%s needs a reset: %s", dev->name, what);
	if (was & VIRTIO_DRIVER_OK)
		virtio_interrupt(dev, VIRTIO_ISR_CONFIG);
}

/* dev->lock held. */
static void reset(struct virtio_dev *dev)
{
	WRITE_ONCE(dev->status, 0);
	for (u32 i = 0; i < dev->nr_queues; i++) {	/* whoever processes one is done */
		spin_lock(&dev->queues[i].lock);
		dev->queues[i].ready = false;
		spin_unlock(&dev->queues[i].lock);
	}
	if (dev->ops->reset)
		dev->ops->reset(dev);
	for (u32 i = 0; i < dev->nr_queues; i++) {
		spin_lock(&dev->queues[i].lock);
		vq_reset(&dev->queues[i]);
		spin_unlock(&dev->queues[i].lock);
	}
	dev->driver_features = 0;
	dev->device_features_sel = dev->driver_features_sel = dev->queue_sel = 0;
	__atomic_store_n(&dev->isr, 0, __ATOMIC_RELEASE);
}

void virtio_vm_reset(struct vm *vm)
{
	for (u32 i = 0; i < vm->nr_virtio; i++) {
		spin_lock(&vm->virtio[i]->lock);
		reset(vm->virtio[i]);
		spin_unlock(&vm->virtio[i]->lock);
	}
}

void virtio_continue(struct vcpu *v)
{
	u32 work = __atomic_exchange_n(&v->work, 0, __ATOMIC_ACQUIRE);

	for (; work; work &= work - 1) {
		struct virtio_dev *dev = v->vm->virtio[__builtin_ctz(work)];

		for (u32 i = 0; i < dev->nr_queues; i++)
			virtqueue_run(&dev->queues[i]);
	}
}

static void write_status(struct virtio_dev *dev, u32 value)
{
	u32 old = dev->status;

	if (!value) {
		reset(dev);
		return;
	}
	value &= VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK | VIRTIO_FEATURES_OK |
		VIRTIO_FAILED;
	if (!(old & VIRTIO_FEATURES_OK) && value & VIRTIO_FEATURES_OK &&
	    (dev->driver_features & ~dev->features || !virtio_has(dev, VIRTIO_F_VERSION_1)))
		value &= ~(u32)VIRTIO_FEATURES_OK;
	if (!((old | value) & VIRTIO_FEATURES_OK))
		value &= ~(u32)VIRTIO_DRIVER_OK;
	__atomic_fetch_or(&dev->status, value, __ATOMIC_ACQ_REL);
	if (value & ~old & VIRTIO_DRIVER_OK && dev->ops->driver_ok)
		dev->ops->driver_ok(dev);
}

static void write_queue(struct virtqueue *q, u32 reg, u32 value)
{
	u64 *ipa = reg < MMIO_QUEUE_DRIVER_LOW ? &q->desc_ipa :
		reg < MMIO_QUEUE_DEVICE_LOW ? &q->avail_ipa : &q->used_ipa;

	if (reg == MMIO_QUEUE_READY) {
		if (!(value & 1))
			q->ready = false;
		else if (!q->ready && q->dev->status & VIRTIO_FEATURES_OK)
			vq_set_ready(q);
		return;
	}
	if (q->ready)
		return;
	if (reg == MMIO_QUEUE_NUM)
		q->size = (u16)MIN(value, 0xffffU);
	else if (reg & 4)
		*ipa = (*ipa & 0xffffffffU) | (u64)value << 32;
	else
		*ipa = (*ipa & ~0xffffffffULL) | value;
}

static void set_up(struct virtio_dev *dev, u32 reg, u32 value)
{
	switch (reg) {
	case MMIO_DEVICE_FEATURES_SEL:
		dev->device_features_sel = value;
		break;
	case MMIO_DRIVER_FEATURES_SEL:
		dev->driver_features_sel = value;
		break;
	case MMIO_DRIVER_FEATURES:
		if (dev->status & VIRTIO_FEATURES_OK)
			break;
		if (dev->driver_features_sel == 0)
			dev->driver_features = (dev->driver_features & ~0xffffffffULL) | value;
		else if (dev->driver_features_sel == 1)
			dev->driver_features = (dev->driver_features & 0xffffffffU) | (u64)value << 32;
		break;
	case MMIO_QUEUE_SEL:
		dev->queue_sel = value;
		break;
	case MMIO_QUEUE_NUM:
	case MMIO_QUEUE_READY:
	case MMIO_QUEUE_DESC_LOW ... MMIO_QUEUE_DEVICE_HIGH:
		if (dev->queue_sel < dev->nr_queues) {
			struct virtqueue *q = &dev->queues[dev->queue_sel];

			spin_lock(&q->lock);
			write_queue(q, reg, value);
			spin_unlock(&q->lock);
		}
		break;
	case MMIO_STATUS:
		write_status(dev, value);
		break;
	}
}

static u32 read_register(struct virtio_dev *dev, u32 reg)
{
	bool queue = dev->queue_sel < dev->nr_queues;

	switch (reg) {
	case MMIO_MAGIC_VALUE:
		return MMIO_MAGIC;
	case MMIO_VERSION:
		return MMIO_VERSION_2;
	case MMIO_DEVICE_ID:
		return dev->ops->id;
	case MMIO_VENDOR_ID:
		return VENDOR;
	case MMIO_DEVICE_FEATURES:
		return dev->device_features_sel > 1 ? 0 :
			(u32)(dev->features >> dev->device_features_sel * 32);
	case MMIO_QUEUE_NUM_MAX:
		return queue ? dev->queues[dev->queue_sel].size_max : 0;
	case MMIO_QUEUE_READY:
		return queue && dev->queues[dev->queue_sel].ready;
	case MMIO_STATUS:
		return READ_ONCE(dev->status);
	case MMIO_CONFIG_GENERATION:
		return READ_ONCE(dev->generation);
	case MMIO_SHM_LEN_LOW ... MMIO_SHM_BASE_HIGH:
		return ~0U;		/* no such region */
	}
	return 0;
}

static u64 read_config(struct virtio_dev *dev, u32 offset, u32 size)
{
	u64 value = 0;

	if (offset < dev->config_size)
		memcpy(&value, (const u8 *)dev->config + offset, MIN(size, dev->config_size - offset));
	return value;
}

bool virtio_mmio_hot(struct vcpu *v, u32 offset, bool write, u64 *value)
{
	struct virtio_dev *dev = v->vm->virtio[offset / GUEST_VIRTIO_STRIDE];
	u32 reg = offset % GUEST_VIRTIO_STRIDE;

	if (!dev)
		return false;
	if (!write) {
		if (reg != MMIO_INTERRUPT_STATUS)
			return false;
		v->exits[PV_EXIT_MMIO_ISR]++;
		*value = __atomic_load_n(&dev->isr, __ATOMIC_ACQUIRE);
		return true;
	}
	if (reg == MMIO_INTERRUPT_ACK) {
		v->exits[PV_EXIT_MMIO_ACK]++;
		/* What came between the driver's read and this needs an edge of its own. */
		if (__atomic_and_fetch(&dev->isr, ~(u32)*value, __ATOMIC_ACQ_REL))
			vgic_pend(dev->vm, dev->vm->vcpus[0], dev->intid, false);
		return true;
	}
	if (reg == MMIO_QUEUE_NOTIFY) {
		v->exits[PV_EXIT_MMIO_NOTIFY]++;
		if ((u32)*value < dev->nr_queues)
			virtqueue_run(&dev->queues[(u32)*value]);
		return true;
	}
	return false;
}

bool virtio_mmio(struct vcpu *v, struct mmio *m)
{
	u32 offset = (u32)(m->addr - GUEST_VIRTIO_BASE), reg = offset % GUEST_VIRTIO_STRIDE;
	struct virtio_dev *dev = v->vm->virtio[offset / GUEST_VIRTIO_STRIDE];

	if (!dev)
		return false;
	if (m->size == 4 && virtio_mmio_hot(v, offset, m->write, &m->value))
		return true;
	v->exits[PV_EXIT_MMIO_VIRTIO]++;
	spin_lock(&dev->lock);
	if (reg >= MMIO_CONFIG)
		m->value = m->write ? 0 : read_config(dev, reg - MMIO_CONFIG, m->size);
	else if (m->write && m->size == 4)
		set_up(dev, reg, (u32)m->value);
	else if (!m->write)
		m->value = m->size == 4 ? read_register(dev, reg) : 0;
	spin_unlock(&dev->lock);
	return true;
}
