// SPDX-License-Identifier: GPL-2.0
/*
 * A pCPU that runs no vCPU and does the devices' work instead (SplitX): it
 * looks at the rings themselves, so a driver whose device is polled need not
 * kick, and no vCPU has to exit. It takes the host devices' interrupts, too.
 *
 * All devices that are polled get the same: a pass over them gives each queue
 * POLL_BUDGET chains. When nothing has come for IDLE_US it asks for kicks and
 * sleeps; the first kick is handled by the exit that it costs, like any other,
 * and wakes the poller for those that follow.
 */
#include "virtio/virtio.h"

#define IDLE_US		4000

u32 polling_pcpus;
static struct pcpu *poller;
static u32 awake;			/* it looks at the rings: nobody need kick */

bool poll_quiet(const struct virtio_dev *dev)
{
	return dev->polled && READ_ONCE(awake);
}

static void tell(struct virtio_dev *dev)
{
	if (dev->io)
		WRITE_ONCE(dev->io->polled, poll_quiet(dev));
}

/* Call @fn for all queues that drivers put requests into, of all polled devices. */
static bool for_each_polled(bool (*fn)(struct virtqueue *q))
{
	bool any = false;

	for (u32 i = 0; i < nr_vms; i++) {
		for (u32 d = 0; d < vms[i].nr_virtio; d++) {
			struct virtio_dev *dev = vms[i].virtio[d];

			if (!READ_ONCE(dev->polled))
				continue;
			for (u32 n = 0; n < dev->nr_queues; n++)
				if (!dev->queues[n].input)
					any |= fn(&dev->queues[n]);
		}
	}
	return any;
}

/* @quiet: whether the device's queues ask for kicks from now on. */
static void tell_all(bool quiet)
{
	__atomic_store_n(&awake, quiet, __ATOMIC_SEQ_CST);
	for (u32 i = 0; i < nr_vms; i++)
		for (u32 d = 0; d < vms[i].nr_virtio; d++)
			if (vms[i].virtio[d]->polled)
				tell(vms[i].virtio[d]);
}

void poll_wake(void)
{
	if (!READ_ONCE(awake))
		arch_gic_send_sgi(poller->mpidr, INTID_SGI_RESCHED);
}

bool poll_device(struct virtio_dev *dev, bool on)
{
	if (!poller)
		return false;
	spin_lock(&dev->lock);
	WRITE_ONCE(dev->polled, on);
	tell(dev);
	spin_unlock(&dev->lock);
	for (u32 i = 0; i < dev->nr_queues; i++)
		virtqueue_run(&dev->queues[i]);	/* and ask for kicks, or not */
	if (on)
		poll_wake();
	return true;
}

void poll_on(void)
{
	u64 idle_since = arch_counter(), patience = ns_to_ticks(IDLE_US * 1000);

	tell_all(true);
	for (;;) {
		while (arch_interrupt_pending())
			exit_interrupt(NULL);
		if (for_each_polled(virtqueue_poll)) {
			idle_since = arch_counter();
		} else if (arch_counter() - idle_since > patience) {
			tell_all(false);
			if (!for_each_polled(virtqueue_ask)) {
				arch_wait_for_interrupt();
				exit_interrupt(NULL);
			}
			tell_all(true);
			idle_since = arch_counter();
		}
		arch_relax();
	}
}

void poll_init(void)
{
	poller = polling_pcpus ? &pcpus[__builtin_ctz(polling_pcpus)] : NULL;
}
