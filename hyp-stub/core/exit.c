// SPDX-License-Identifier: GPL-2.0
/* What an exit means, once the processor's encoding is off it. */
#include "core/core.h"
#include "core/timer.h"
#include "platform/platform.h"
#include "virtio/virtio.h"

bool mmio_dispatch(struct vcpu *v, struct mmio *m)
{
	u64 a = m->addr;

	if (a - GUEST_VIRTIO_BASE < VIRTIO_BUS_SLOTS * GUEST_VIRTIO_STRIDE)
		return virtio_mmio(v, m);
	if (a - GUEST_GICD_BASE < GUEST_GICD_SIZE) {
		v->exits[PV_EXIT_MMIO_GIC]++;
		return vgic_mmio_distributor(v, m, (u32)(a - GUEST_GICD_BASE));
	}
	if (a - GUEST_GICR_BASE < (u64)v->vm->nr_vcpus * VGIC_GICR_STRIDE) {
		v->exits[PV_EXIT_MMIO_GIC]++;
		return vgic_mmio_redistributor(v, m, a - GUEST_GICR_BASE);
	}
	if (a - GUEST_UART_BASE < PAGE_SIZE) {
		v->exits[PV_EXIT_MMIO_UART]++;
		return vuart_mmio(v, m);
	}
	return false;
}

#define MAX_HOST_IRQS 32
static struct {
	u32 intid;
	void (*handler)(void *arg);
	void *arg;
} host_irqs[MAX_HOST_IRQS];
static u32 nr_host_irqs;

/* The polling pCPU gets them; if there is none, those that are not partitioned off share. */
void host_irq(u32 intid, bool edge, void (*handler)(void *arg), void *arg)
{
	static u32 next;

	if (polling_pcpus)
		next = (u32)__builtin_ctz(polling_pcpus);
	while (partitioned_pcpus & BIT(next % platform.nr_pcpus))
		next++;
	ASSERT(nr_host_irqs < MAX_HOST_IRQS);
	host_irqs[nr_host_irqs].intid = intid;
	host_irqs[nr_host_irqs].handler = handler;
	host_irqs[nr_host_irqs].arg = arg;
	gic_enable_spi(intid, pcpus[next++ % platform.nr_pcpus].mpidr, edge);
	nr_host_irqs++;
}

static void device_interrupt(u32 intid)
{
	for (u32 i = 0; i < nr_host_irqs; i++)
		if (host_irqs[i].intid == intid)
			host_irqs[i].handler(host_irqs[i].arg);
}

static void count(struct vcpu *v, enum pv_exit_reason reason)
{
	if (v)
		v->exits[reason]++;
}

/* A physical interrupt. @v: the vCPU that it took us from, NULL when idle. */
void exit_interrupt(struct vcpu *v)
{
	u32 intid = arch_gic_ack();

	if (intid >= INTID_SPURIOUS)
		return;
	arch_gic_eoi(intid);
	switch (intid) {
	case INTID_VTIMER:		/* stays active: the guest completes it */
		count(v, PV_EXIT_IRQ_TIMER);
		if (v)
			vgic_vtimer_fired(v);
		else
			arch_gic_deactivate(intid);
		return;
	case INTID_SGI_RESCHED:		/* whoever sent it has left word */
		count(v, PV_EXIT_IRQ_IPI);
		break;
	case INTID_HYP_TIMER:
		count(v, v && doorbells_check(v) ? PV_EXIT_IRQ_DOORBELL : PV_EXIT_IRQ_SLICE);
		if (v)
			ptimer_check(v);
		timers_run();
		sched_timer_expired();
		if (v)
			pvpage_refresh(v);
		break;
	case INTID_MAINT:
		count(v, PV_EXIT_IRQ_MAINT);
		if (v)
			WRITE_ONCE(v->vgic_dirty, 1);
		break;
	default:
		count(v, PV_EXIT_IRQ_DEV);
		device_interrupt(intid);
		break;
	}
	arch_gic_deactivate(intid);
}
