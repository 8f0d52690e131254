// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts of a partitioned VM: it alone uses its pCPUs, so that they go
 * straight to it. HCR_EL2.IMO and FMO are off (arch/), the frame of the
 * redistributor with the private interrupts is mapped into it, and its devices
 * use interrupts of the host's distributor that no host device has: to raise
 * one is to set it pending there. What is left to us: sending SGIs, which is
 * trapped so that no other VM gets any, and the distributor.
 *
 * We cannot interrupt such a pCPU. To stop the VM we take its memory away, and
 * the next instruction that it fetches brings it here. An SGI ends a WFI; only
 * one that has its interrupts of group 1 switched off altogether sleeps on, and
 * keeps the pCPU that nobody else was to have.
 */
#include "core/core.h"
#include "platform/platform.h"

/* SPIs of the host that guests may be given: within what a vGIC has. */
#define FIRST_SPARE	80

struct pcpu *direct_pcpu(const struct vcpu *v)
{
	return &pcpus[__builtin_ctz(v->affinity)];
}

u32 direct_alloc_spi(void)
{
	static u32 next = FIRST_SPARE;

	while (next < VGIC_NR_IRQS && platform_spi_used(next))
		next++;
	return next < VGIC_NR_IRQS ? next++ : 0;
}

/* Called for the vGIC's state machine, its lock held: @q is deliverable. */
void direct_deliver(struct vm *vm, u32 intid, struct virq *q)
{
	struct vcpu *t = vgic_target(vm, vm->vcpus[0], intid);

	q->pending = false;
	if (t)
		gic_raise_spi(intid, direct_pcpu(t)->mpidr);
}

void direct_send_sgi(struct vcpu *target, u32 intid)
{
	arch_gic_send_sgi(direct_pcpu(target)->mpidr, intid);
}

/* From any pCPU: see that all vCPUs of @vm, which is stopping, come here. */
void direct_stop(struct vm *vm)
{
	stage2_withdraw(vm);
	for (u32 i = 0; i < vm->nr_vcpus; i++) {	/* one may be in WFI */
		struct pcpu *p = vm->vcpus[i]->pcpu;

		if (vm->vcpus[i]->state != VCPU_RUNNING || p == this_pcpu())
			continue;
		gic_insist(p->id);
		arch_gic_send_sgi(p->mpidr, INTID_SGI_RESCHED);
	}
}
