// SPDX-License-Identifier: GPL-2.0
/*
 * Guest timers. The virtual timer is the processor's own (its interrupt comes
 * in through the vGIC); here it matters only while its vCPU is off a pCPU. The
 * EL1 physical timer traps and is emulated on top of the hypervisor's timer.
 */
#include "core/core.h"

static bool counts(const struct vcpu *v, u32 intid, u64 ctl)
{
	return (ctl & (TIMER_ENABLE | TIMER_IMASK)) == TIMER_ENABLE && v->vgic.irqs[intid].enabled;
}

u64 ptimer_deadline(const struct vcpu *v)
{
	if (!(v->ptimer.ctl & TIMER_ENABLE) || v->ptimer.ctl & TIMER_IMASK ||
	    v->vgic.irqs[INTID_PTIMER].line)
		return ~0ULL;
	return v->ptimer.cval;
}

/* When to wake a blocked vCPU. */
u64 timers_deadline(const struct vcpu *v)
{
	u64 at = ~0ULL;

	if (counts(v, INTID_VTIMER, v->timer.ctl))
		at = v->timer.cval + v->ctx.cntvoff;
	if (counts(v, INTID_PTIMER, v->ptimer.ctl))
		at = MIN(at, v->ptimer.cval);
	return at;
}

static bool expired(const struct vcpu *v)
{
	return v->ptimer.ctl & TIMER_ENABLE && arch_counter() >= v->ptimer.cval;
}

void ptimer_check(struct vcpu *v)
{
	bool level;

	if (!(v->ptimer.ctl & TIMER_ENABLE) && !v->vgic.irqs[INTID_PTIMER].line)
		return;
	level = expired(v) && !(v->ptimer.ctl & TIMER_IMASK);
	vgic_set_line(v->vm, v, INTID_PTIMER, level);
}

__attribute__((noinline)) void vtimer_take_along(struct vcpu *v)
{
	const struct pv_vcpu_page *page = v->page;
	u64 early = page ? READ_ONCE(page->timer_early) : 0, now;
	struct arch_vtimer t;

	if (!early || v->vm->partitioned || v->vgic.vtimer_active)
		return;
	now = arch_counter() - v->ctx.cntvoff;
	if (now < early)
		return;
	arch_vtimer_read(&t);
	if ((t.ctl & (TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS)) != TIMER_ENABLE ||
	    t.cval < now || t.cval > READ_ONCE(page->timer_late))
		return;
	t.cval = now;
	arch_vtimer_load(&t);
	gic_set_private_active(INTID_VTIMER, true);	/* as if it had been taken: no exit of its own */
	vgic_vtimer_fired(v);
}

/* DDI 0487 D19.12: CNTP_TVAL, CNTP_CTL, CNTP_CVAL. */
u64 ptimer_read(struct vcpu *v, u32 reg)
{
	switch (reg) {
	case PTIMER_TVAL:
		return (u32)(v->ptimer.cval - arch_counter());
	case PTIMER_CTL:
		return v->ptimer.ctl | (expired(v) ? TIMER_ISTATUS : 0);
	default:
		return v->ptimer.cval;
	}
}

void ptimer_write(struct vcpu *v, u32 reg, u64 value)
{
	switch (reg) {
	case PTIMER_TVAL:
		v->ptimer.cval = arch_counter() + (u64)(s64)(int)value;
		break;
	case PTIMER_CTL:
		v->ptimer.ctl = value & (TIMER_ENABLE | TIMER_IMASK);
		break;
	default:
		v->ptimer.cval = value;
		break;
	}
	ptimer_check(v);
	sched_timer_changed();
}
