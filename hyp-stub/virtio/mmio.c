// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-mmio, version 2 (virtio 1.2, 4.2): registers, feature negotiation,
 * device status. Where the specification leaves open what happens to a driver
 * that breaks its rules: a register written at the wrong time keeps its value,
 * and a queue that cannot work makes the device need a reset.
 *
 * Reading a register is no exit: the VM has the bus mapped read-only, on
 * memory where we keep what each register reads as. Only writes come here.
 */
#include "virtio/virtio.h"

#define VENDOR			0x74697670	/* "pvit" */

#define BUS_SIZE		(VIRTIO_BUS_SLOTS * GUEST_VIRTIO_STRIDE)

/* Make what was stored in the registers visible to a guest that reads them uncached. */
static void publish(struct virtio_dev *dev, u32 reg, u32 size)
{
	arch_clean(dev->regs + reg, size);
}

static void set_register(struct virtio_dev *dev, u32 reg, u32 value)
{
	WRITE_ONCE(*virtio_reg(dev, reg), value);
}

/* Registers that depend on what is selected. dev->lock held. */
static void show_selected(struct virtio_dev *dev)
{
	struct virtqueue *q = dev->queue_sel < dev->nr_queues ? &dev->queues[dev->queue_sel] : NULL;
	u32 sel = dev->device_features_sel;

	set_register(dev, MMIO_DEVICE_FEATURES, sel > 1 ? 0 : (u32)(dev->features >> sel * 32));
	set_register(dev, MMIO_QUEUE_NUM_MAX, q ? q->size_max : 0);
	set_register(dev, MMIO_QUEUE_READY, q && q->ready);
	publish(dev, 0, MMIO_CONFIG);
}

static void show_device(struct virtio_dev *dev)
{
	set_register(dev, MMIO_MAGIC_VALUE, MMIO_MAGIC);
	set_register(dev, MMIO_VERSION, MMIO_VERSION_2);
	set_register(dev, MMIO_DEVICE_ID, dev->ops->id);
	set_register(dev, MMIO_VENDOR_ID, VENDOR);
	for (u32 r = MMIO_SHM_LEN_LOW; r <= MMIO_SHM_BASE_HIGH; r += 4)
		set_register(dev, r, ~0U);	/* no such region */
	if (dev->config_size)
		memcpy(dev->regs + MMIO_CONFIG, dev->config, dev->config_size);
	publish(dev, MMIO_CONFIG, dev->config_size);
	show_selected(dev);
}

bool virtio_map(struct vm *vm)
{
	return !vm->nr_virtio || stage2_map(vm, (ipa_t){ GUEST_VIRTIO_BASE }, (pa_t){ (u64)vm->virtio_regs },
					    BUS_SIZE, ARCH_S2_RO);
}

bool virtio_add(struct vm *vm, struct virtio_dev *dev, const u16 *sizes)
{
	if (vm->nr_virtio == VIRTIO_BUS_SLOTS)
		return false;
	if (!vm->virtio_regs)
		vm->virtio_regs = heap_alloc(BUS_SIZE, PAGE_SIZE);
	if (!vm->virtio_regs)
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
	dev->regs = vm->virtio_regs + dev->index * GUEST_VIRTIO_STRIDE;
	show_device(dev);
	vm->virtio[vm->nr_virtio++] = dev;
	return true;
}

/*
 * The interrupt is an edge: it comes when the status leaves zero. A driver
 * with a page sees in counters there what it is for: one edge may stand for
 * several, but each comes after its counter.
 */
void virtio_interrupt(struct virtio_dev *dev, u32 isr)
{
	if (dev->io) {
		if (isr & VIRTIO_ISR_CONFIG)
			WRITE_ONCE(dev->io->config_events, READ_ONCE(dev->io->config_events) + 1);
		if (READ_ONCE(dev->lpi)) {
			vlpi_raise(dev);
			return;
		}
		vgic_pend(dev->vm, dev->vm->vcpus[0], dev->intid, false);
		return;
	}
	if (__atomic_fetch_or(virtio_reg(dev, MMIO_INTERRUPT_STATUS), isr, __ATOMIC_ACQ_REL))
		return;
	publish(dev, MMIO_INTERRUPT_STATUS, 4);
	vgic_pend(dev->vm, dev->vm->vcpus[0], dev->intid, false);
}

void virtio_config_changed(struct virtio_dev *dev)
{
	if (dev->config_size)
		memcpy(dev->regs + MMIO_CONFIG, dev->config, dev->config_size);
	__atomic_fetch_add(virtio_reg(dev, MMIO_CONFIG_GENERATION), 1, __ATOMIC_RELEASE);
	publish(dev, MMIO_CONFIG_GENERATION, 4 + dev->config_size);
	if (virtio_live(dev))
		virtio_interrupt(dev, VIRTIO_ISR_CONFIG);
}

void virtio_break(struct virtio_dev *dev, const char *fmt, ...)
{
	u32 was = __atomic_fetch_or(virtio_reg(dev, MMIO_STATUS), VIRTIO_NEEDS_RESET, __ATOMIC_ACQ_REL);
	char what[160];
	va_list ap;

	if (was & VIRTIO_NEEDS_RESET)
		return;
	publish(dev, MMIO_STATUS, 4);
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
	set_register(dev, MMIO_STATUS, 0);
	for (u32 i = 0; i < dev->nr_queues; i++) {	/* whoever processes one is done */
		spin_lock(&dev->queues[i].lock);
		dev->queues[i].ready = false;
		spin_unlock(&dev->queues[i].lock);
	}
	dev->io = NULL;
	vlpi_off(dev);
	WRITE_ONCE(dev->polled, false);
	if (dev->ops->reset)
		dev->ops->reset(dev);
	for (u32 i = 0; i < dev->nr_queues; i++) {
		spin_lock(&dev->queues[i].lock);
		vq_reset(&dev->queues[i]);
		spin_unlock(&dev->queues[i].lock);
	}
	dev->driver_features = 0;
	dev->device_features_sel = dev->driver_features_sel = dev->queue_sel = 0;
	set_register(dev, MMIO_INTERRUPT_STATUS, 0);
	show_selected(dev);
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
	u32 old = *virtio_reg(dev, MMIO_STATUS);

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
	__atomic_fetch_or(virtio_reg(dev, MMIO_STATUS), value, __ATOMIC_ACQ_REL);
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
		else if (!q->ready && virtio_status(q->dev) & VIRTIO_FEATURES_OK)
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
		if (virtio_status(dev) & VIRTIO_FEATURES_OK)
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

bool virtio_mmio_hot(struct vcpu *v, u32 offset, u32 value)
{
	struct virtio_dev *dev = v->vm->virtio[offset / GUEST_VIRTIO_STRIDE];
	u32 reg = offset % GUEST_VIRTIO_STRIDE;

	if (!dev)
		return false;
	if (reg == MMIO_INTERRUPT_ACK) {
		v->exits[PV_EXIT_MMIO_ACK]++;
		/* What came between the driver's read and this needs an edge of its own. */
		if (__atomic_and_fetch(virtio_reg(dev, MMIO_INTERRUPT_STATUS), ~value, __ATOMIC_ACQ_REL))
			vgic_pend(dev->vm, dev->vm->vcpus[0], dev->intid, false);
		publish(dev, MMIO_INTERRUPT_STATUS, 4);
		return true;
	}
	if (reg == MMIO_QUEUE_NOTIFY) {
		v->exits[PV_EXIT_MMIO_NOTIFY]++;
		if (value < dev->nr_queues)
			virtqueue_kick(&dev->queues[value]);
		return true;
	}
	return false;
}

void virtio_write(struct vcpu *v, struct virtio_dev *dev, u32 reg, u32 value)
{
	if (reg == MMIO_QUEUE_NOTIFY || reg == MMIO_INTERRUPT_ACK) {
		virtio_mmio_hot(v, dev->index * GUEST_VIRTIO_STRIDE + reg, value);
		return;
	}
	spin_lock(&dev->lock);
	set_up(dev, reg, value);
	show_selected(dev);
	spin_unlock(&dev->lock);
}

bool virtio_mmio(struct vcpu *v, struct mmio *m)
{
	u32 offset = (u32)(m->addr - GUEST_VIRTIO_BASE), reg = offset % GUEST_VIRTIO_STRIDE;
	struct virtio_dev *dev = v->vm->virtio[offset / GUEST_VIRTIO_STRIDE];

	if (!dev)
		return false;
	if (m->write && m->size == 4 && virtio_mmio_hot(v, offset, (u32)m->value))
		return true;
	v->exits[PV_EXIT_MMIO_VIRTIO]++;
	if (!m->write) {		/* where the bus is not mapped */
		m->value = 0;
		memcpy(&m->value, dev->regs + reg, MIN(m->size, GUEST_VIRTIO_STRIDE - reg));
	} else if (m->size == 4) {
		virtio_write(v, dev, reg, (u32)m->value);
	}
	return true;
}
