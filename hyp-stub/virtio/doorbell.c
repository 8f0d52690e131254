// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbells: kicks that a driver leaves in its vCPU's page (abi.h) instead of
 * trapping for each. They are drained at every exit of that vCPU, whatever it
 * is for: the WFI of a driver that waits carries its requests. A vCPU that
 * does not exit by itself is made to: while its driver defers kicks, a timer
 * of its pCPU goes off at least every max_delay_us.
 */
#include "virtio/virtio.h"

#define MIN_DELAY_US	20		/* less would be exits for nothing */

static const u32 none;			/* the doorbells of a vCPU without page */

void doorbells_off(struct vcpu *v)
{
	v->doorbells = &none;
	v->check_at = ~0ULL;
	v->rung = false;
}

static void stop_checking(struct vcpu *v)
{
	v->check_at = ~0ULL;
	WRITE_ONCE(v->page->deferring, 0);
}

/* Arm, or arm again. The page is the guest's: it may name any delay. */
static void check_later(struct vcpu *v)
{
	u64 us = MIN(READ_ONCE(v->page->max_delay_us), PV_MAX_DELAY_US);

	/* A sixteenth is for what comes between the timer and the queue. */
	v->check_ticks = ns_to_ticks(MAX(us, MIN_DELAY_US) * 1000 / 16 * 15);
	v->check_at = arch_counter() + v->check_ticks;
	v->rung = false;
}

bool doorbells_check(struct vcpu *v)
{
	if (arch_counter() < v->check_at)
		return false;
	if (!READ_ONCE(v->page->max_delay_us) || (!v->rung && !READ_ONCE(*v->doorbells)))
		stop_checking(v);
	else
		check_later(v);
	return true;
}

/* How long a doorbell waited, by what the driver says. vq->lock held. */
static void account(const struct virtqueue *vq)
{
	struct virtio_dev *dev = vq->dev;
	struct pv_io_queue *q = &dev->io->queue[vq->index];
	u64 rung_at, now, ns;
	u32 bucket = 0;

	WRITE_ONCE(q->drains, READ_ONCE(q->drains) + 1);
	WRITE_ONCE(q->chains, READ_ONCE(q->chains) + virtqueue_pending(vq));
	rung_at = READ_ONCE(q->rung_at);	/* another CPU may have rung meanwhile, too */
	now = arch_counter() - dev->vm->cntvoff;
	ns = now > rung_at ? ticks_to_ns(now - rung_at) : 0;
	if (ns > READ_ONCE(q->delay_max_ns))
		WRITE_ONCE(q->delay_max_ns, ns);
	while (bucket < PV_IO_DELAYS - 1 && ns >= 1000ULL << bucket)
		bucket++;
	WRITE_ONCE(q->delays[bucket], READ_ONCE(q->delays[bucket]) + 1);
}

static void kick(struct virtio_dev *dev, u32 queues, bool rung)
{
	queues &= (u32)BIT(dev->nr_queues) - 1;
	for (; queues; queues &= queues - 1) {
		struct virtqueue *q = &dev->queues[__builtin_ctz(queues)];

		if (rung && dev->io) {
			spin_lock(&q->lock);
			if (q->ready)		/* else dev->io may be going */
				account(q);
			spin_unlock(&q->lock);
		}
		virtqueue_kick(q);
	}
}

void doorbells_drain(struct vcpu *v)
{
	struct pv_vcpu_page *page = v->page;
	u32 slots = READ_ONCE(page->doorbells) & ((u32)BIT(v->vm->nr_virtio) - 1);

	WRITE_ONCE(page->doorbells, 0);
	v->rung = true;
	for (; slots; slots &= slots - 1) {
		u32 slot = (u32)__builtin_ctz(slots), kicks = READ_ONCE(page->kicks[slot]);

		WRITE_ONCE(page->kicks[slot], 0);
		kick(v->vm->virtio[slot], kicks, true);
	}
}

/* --- calls --- */

static struct virtio_dev *device(struct vcpu *v)
{
	u64 slot = v->regs.x[1];

	return slot < v->vm->nr_virtio ? v->vm->virtio[slot] : NULL;
}

s64 io_notify(struct vcpu *v)
{
	u32 queues = (u32)v->regs.x[2];
	struct virtio_dev *dev = device(v);

	if (queues && !dev)
		return PV_EINVAL;
	if (queues)
		kick(dev, queues, false);
	if (v->check_at == ~0ULL && READ_ONCE(*v->doorbells) && READ_ONCE(v->page->max_delay_us) &&
	    !v->vm->partitioned) {
		WRITE_ONCE(v->page->deferring, 1);
		check_later(v);
		sched_timer_changed();
	}
	return PV_SUCCESS;
}

s64 io_register(struct vcpu *v)
{
	struct virtio_dev *dev = device(v);
	struct pv_io_page *io;
	s64 ret = PV_SUCCESS;

	if (!dev || !IS_ALIGNED(v->regs.x[2], PAGE_SIZE))
		return PV_EINVAL;
	io = vm_ram(v->vm, (ipa_t){ v->regs.x[2] }, sizeof(*io));
	if (!io)
		return PV_EINVAL;
	spin_lock(&dev->lock);
	if (virtio_status(dev) & VIRTIO_DRIVER_OK)
		ret = PV_EDENIED;
	else if (dev->io)
		ret = PV_EEXIST;
	else
		dev->io = io;
	spin_unlock(&dev->lock);
	if (ret == PV_SUCCESS)
		memset(io, 0, sizeof(*io));
	return ret;
}

s64 io_write(struct vcpu *v)
{
	struct virtio_dev *dev = device(v);
	u64 reg = v->regs.x[2];

	if (!dev || reg >= MMIO_CONFIG || reg % 4)
		return PV_EINVAL;
	virtio_write(v, dev, (u32)reg, (u32)v->regs.x[3]);
	return PV_SUCCESS;
}

s64 io_poll(struct vcpu *v)
{
	struct virtio_dev *dev = device(v);

	if (!dev || v->regs.x[2] > 1)
		return PV_EINVAL;
	return poll_device(dev, v->regs.x[2]) ? PV_SUCCESS : PV_ENOTSUPP;
}

s64 io_irq(struct vcpu *v)
{
	return vlpi_call(v, device(v));
}
