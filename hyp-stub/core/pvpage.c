// SPDX-License-Identifier: GPL-2.0
/*
 * The page that a vCPU shares with us (abi.h). It lies in guest RAM: what is
 * here we only ever write, so nothing needs checking; virtio/doorbell.c reads. Stores happen before the
 * vCPU stops being what they say and before it runs again; the scheduler lock
 * orders them between pCPUs.
 */
#include "core/core.h"
#include "virtio/virtio.h"

s64 pvpage_register(struct vcpu *v)
{
	struct pv_vcpu_page *page;

	if (!IS_ALIGNED(v->regs.x[1], PAGE_SIZE))
		return PV_EINVAL;
	page = vm_ram(v->vm, (ipa_t){ v->regs.x[1] }, sizeof(*page));
	if (!page)
		return PV_EINVAL;
	/*
	 * A page that is registered already stays as it is: it may be a previous
	 * kernel's, whose memory has another use by now.
	 */
	doorbells_off(v);
	memset(page, 0, sizeof(*page));
	memcpy(v->exits_base, v->exits, sizeof(v->exits));
	v->yields_received = 0;
	page->run_seq = 1;
	v->page = page;
	v->doorbells = &page->doorbells;
	return PV_SUCCESS;
}

s64 pvpage_unregister(struct vcpu *v)
{
	if (!v->page)
		return PV_EDENIED;
	doorbells_drain(v);
	pvpage_drop(v);
	return PV_SUCCESS;
}

void pvpage_drop(struct vcpu *v)
{
	if (v->page)
		WRITE_ONCE(v->page->state, PV_VCPU_OFF);
	v->page = NULL;
	doorbells_off(v);
}

void pvpage_refresh(struct vcpu *v)
{
	if (!v->page)
		return;
	for (u32 i = 0; i < PV_EXIT_NR; i++)
		WRITE_ONCE(v->page->exits[i], v->exits[i] - v->exits_base[i]);
	WRITE_ONCE(v->page->yields, v->yields_received);
}

/* @v has left its pCPU; its state says why. */
void pvpage_stopped(struct vcpu *v)
{
	if (!v->page)
		return;
	WRITE_ONCE(v->page->state, v->state == VCPU_BLOCKED ? PV_VCPU_BLOCKED :
		   arch_in_kernel(v) ? PV_VCPU_PREEMPTED_KERNEL : PV_VCPU_PREEMPTED_USER);
	pvpage_refresh(v);
}

/* A blocked vCPU was woken and waits for a pCPU. */
void pvpage_ready(struct vcpu *v)
{
	if (v->page)
		WRITE_ONCE(v->page->state, arch_in_kernel(v) ? PV_VCPU_PREEMPTED_KERNEL :
			   PV_VCPU_PREEMPTED_USER);
}

void pvpage_running(struct vcpu *v)
{
	pvtime_update(v);
	if (!v->page)
		return;
	WRITE_ONCE(v->page->run_seq, READ_ONCE(v->page->run_seq) + 1);
	WRITE_ONCE(v->page->state, PV_VCPU_RUNNING);
}
