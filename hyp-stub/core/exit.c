// SPDX-License-Identifier: GPL-2.0
/* What an exit means, once the processor's encoding is off it. */
#include "core/core.h"
#include "platform/platform.h"

bool mmio_dispatch(struct vcpu *v, struct mmio *m)
{
	u64 a = m->addr;

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

static void console_input(void)
{
	int c;

	while ((c = console_getc()) >= 0)
		if (nr_vms)
			vuart_input(&vms[0], (char)c);
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
		count(v, PV_EXIT_IRQ_SLICE);
		if (v)
			ptimer_check(v);
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
		if (intid == platform.uart_intid)
			console_input();
		break;
	}
	arch_gic_deactivate(intid);
}
