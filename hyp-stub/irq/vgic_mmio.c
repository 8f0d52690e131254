// SPDX-License-Identifier: GPL-2.0
/*
 * The vGIC's registers: GICD and GICR as a guest sees them (Arm IHI 0069,
 * chapter 12). One security state (DS=1), affinity routing always on. LPIs, if
 * any, have neither ITS nor registers: calls make them (vlpi.c).
 * Register banks with n bits per interrupt go through one table of accessors;
 * reserved registers read as zero and ignore writes, as the GIC does.
 */
#include "core/core.h"

#define GICD_CTLR		0x0000
#define GICD_CTLR_FIXED		(BIT(4) | BIT(6))	/* ARE, DS */
#define GICD_TYPER		0x0004
#define GICD_TYPER_LPIS		BIT(17)
#define GICD_IIDR		0x0008
#define IIDR_VALUE		0x5056043bU		/* product "PV", Arm as implementer */
#define GICD_TYPER2		0x000c
#define GICD_STATUSR		0x0010
#define BANK_FIRST		0x0080
#define BANK_LAST		0x0d00
#define GICD_IROUTER		0x6000
#define GICD_IROUTER_END	(GICD_IROUTER + 8 * VGIC_NR_IRQS)
#define GIC_PIDR2		0xffe8
#define PIDR2_GICV3		0x3b

#define GICR_CTLR		0x0000
#define GICR_IIDR		0x0004
#define GICR_TYPER		0x0008
#define GICR_TYPER_LAST		BIT(4)
#define GICR_STATUSR		0x0010
#define GICR_WAKER		0x0014
#define GICR_SGI		0x10000

/* What one interrupt's bits in a bank do; returns a vCPU to tell, or NULL. */
struct bank {
	u16 offset;
	u8 bits;
	u32 (*get)(struct vcpu *v, u32 intid, struct virq *q);
	void (*set)(struct vcpu *v, u32 intid, struct virq *q, u32 value);
};

static u64 lr_state(struct vcpu *v, u32 intid, struct virq *q, unsigned int bit)
{
	struct vcpu *t = q->in_lr ? vgic_target(v->vm, v, intid) : NULL;

	if (!t)
		return 0;
	/*
	 * On another pCPU right now: take it for in flight until that vCPU's
	 * next refill shows that it is done, and cause one.
	 */
	if (t->vgic.resident && t != this_pcpu()->current) {
		sched_refresh(t);
		return 1;
	}
	return vgic_read_lr(t, vgic_lr_of(t, intid)) >> bit & 1;
}

static void lr_clear(struct vcpu *v, u32 intid, struct virq *q, unsigned int bit)
{
	struct vcpu *t = q->in_lr ? vgic_target(v->vm, v, intid) : NULL;
	unsigned int i;

	if (t && (!t->vgic.resident || t == this_pcpu()->current)) {
		i = vgic_lr_of(t, intid);
		vgic_write_lr(t, i, vgic_read_lr(t, i) & ~BIT(bit));
	}
}

#define LR_PENDING_BIT	62
#define LR_ACTIVE_BIT	63

static u32 get_group(struct vcpu *v, u32 i, struct virq *q) { (void)v; (void)i; return q->group1; }
static u32 get_enable(struct vcpu *v, u32 i, struct virq *q) { (void)v; (void)i; return q->enabled; }
static u32 get_priority(struct vcpu *v, u32 i, struct virq *q) { (void)v; (void)i; return q->priority; }
static u32 get_config(struct vcpu *v, u32 i, struct virq *q) { (void)v; (void)i; return q->edge ? 2 : 0; }

static u32 get_pending(struct vcpu *v, u32 intid, struct virq *q)
{
	return q->pending || (!q->edge && q->line) || lr_state(v, intid, q, LR_PENDING_BIT);
}

static u32 get_active(struct vcpu *v, u32 intid, struct virq *q)
{
	return q->active || lr_state(v, intid, q, LR_ACTIVE_BIT);
}

static void set_group(struct vcpu *v, u32 i, struct virq *q, u32 x) { (void)v; (void)i; q->group1 = x; }
static void set_enable(struct vcpu *v, u32 i, struct virq *q, u32 x) { (void)v; (void)i; q->enabled |= x; }
static void clr_enable(struct vcpu *v, u32 i, struct virq *q, u32 x) { (void)v; (void)i; q->enabled &= !x; }
static void set_pending(struct vcpu *v, u32 i, struct virq *q, u32 x) { (void)v; (void)i; q->pending |= x; }
static void set_active(struct vcpu *v, u32 i, struct virq *q, u32 x) { (void)v; (void)i; q->active |= x && !q->in_lr; }
/* Five priority bits are implemented (as in QEMU and most hardware). */
static void set_priority(struct vcpu *v, u32 i, struct virq *q, u32 x) { (void)v; (void)i; q->priority = x & 0xf8; }

static void clr_pending(struct vcpu *v, u32 intid, struct virq *q, u32 x)
{
	if (x) {
		q->pending = false;
		lr_clear(v, intid, q, LR_PENDING_BIT);
	}
}

static void clr_active(struct vcpu *v, u32 intid, struct virq *q, u32 x)
{
	if (x) {
		q->active = false;
		lr_clear(v, intid, q, LR_ACTIVE_BIT);
	}
}

static void set_config(struct vcpu *v, u32 intid, struct virq *q, u32 x)
{
	(void)v;
	if (intid >= 16)		/* SGIs are edge, and stay it */
		q->edge = x & 2;
}

static const struct bank banks[] = {
	{ 0x0080, 1, get_group,	   set_group },		/* IGROUPR */
	{ 0x0100, 1, get_enable,   set_enable },	/* ISENABLER */
	{ 0x0180, 1, get_enable,   clr_enable },	/* ICENABLER */
	{ 0x0200, 1, get_pending,  set_pending },	/* ISPENDR */
	{ 0x0280, 1, get_pending,  clr_pending },	/* ICPENDR */
	{ 0x0300, 1, get_active,   set_active },	/* ISACTIVER */
	{ 0x0380, 1, get_active,   clr_active },	/* ICACTIVER */
	{ 0x0400, 8, get_priority, set_priority },	/* IPRIORITYR */
	{ 0x0c00, 2, get_config,   set_config },	/* ICFGR */
};

/* The bank that holds @offset, and the first interrupt there. */
static const struct bank *find_bank(u32 offset, u32 *first)
{
	for (const struct bank *b = banks; b < banks + ARRAY_SIZE(banks); b++) {
		if (offset >= b->offset && offset < b->offset + 1024U * b->bits / 8) {
			*first = (offset - b->offset) * 8 / b->bits;
			return b;
		}
	}
	return NULL;
}

/* Access to a bank; @lo and @hi bound the interrupts that this frame holds. */
static void bank_access(struct vcpu *v, struct mmio *m, u32 offset, u32 lo, u32 hi)
{
	u32 first = 0, mask;
	const struct bank *b = find_bank(offset, &first);
	u64 tell = 0, out = 0;

	if (!b)
		return;
	mask = (u32)BIT(b->bits) - 1;
	spin_lock(&v->vm->vgic.lock);
	for (u32 n = 0; n < m->size * 8 / b->bits; n++) {
		u32 intid = first + n;
		struct virq *q;
		struct vcpu *t;

		if (intid < lo || intid >= hi)
			continue;
		q = vgic_irq(v->vm, v, intid);
		if (m->write) {
			b->set(v, intid, q, (u32)(m->value >> (n * b->bits)) & mask);
			t = vgic_update(v->vm, v, intid);
			if (t)
				tell |= BIT(t->id);
		} else {
			out |= (u64)b->get(v, intid, q) << (n * b->bits);
		}
	}
	spin_unlock(&v->vm->vgic.lock);
	if (!m->write)
		m->value = out;
	for (; tell; tell &= tell - 1)
		sched_interrupt(v->vm->vcpus[__builtin_ctzll(tell)], false);
}

static void update_all(struct vcpu *v)
{
	u32 tell = 0;
	struct vcpu *t;

	spin_lock(&v->vm->vgic.lock);
	for (u32 c = 0; c < v->vm->nr_vcpus; c++)
		for (u32 i = 0; i < VGIC_NR_PRIVATE; i++)
			if (vgic_update(v->vm, v->vm->vcpus[c], i))
				tell |= (u32)BIT(c);
	for (u32 i = VGIC_NR_PRIVATE; i < VGIC_NR_IRQS; i++) {
		t = vgic_update(v->vm, v, i);
		if (t)
			tell |= (u32)BIT(t->id);
	}
	spin_unlock(&v->vm->vgic.lock);
	for (; tell; tell &= tell - 1)
		sched_interrupt(v->vm->vcpus[__builtin_ctz(tell)], false);
}

static void route_access(struct vcpu *v, struct mmio *m, u32 offset)
{
	u32 intid = (offset - GICD_IROUTER) / 8, shift = (offset & 4) * 8;
	u64 mask = m->size == 8 ? ~0ULL : 0xffffffffULL << shift;
	struct virq *q;
	struct vcpu *t = NULL, *old;

	if (intid < VGIC_NR_PRIVATE)
		return;
	q = vgic_irq(v->vm, v, intid);
	if (!m->write) {
		m->value = q->route >> shift;
		return;
	}
	spin_lock(&v->vm->vgic.lock);
	old = vgic_target(v->vm, v, intid);
	if (old)
		old->vgic.candidates[intid / 64] &= ~BIT(intid % 64);
	q->route = ((q->route & ~mask) | (m->value << shift & mask)) &
		(VGIC_ROUTE_ANY | VGIC_ROUTE_AFFINITY);
	t = vgic_update(v->vm, v, intid);
	spin_unlock(&v->vm->vgic.lock);
	if (t)
		sched_interrupt(t, false);
}

/* 32-bit registers, byte access to IPRIORITYR, 64-bit ones by halves or whole. */
static bool good_access(const struct mmio *m, u32 offset, bool is64)
{
	if (!IS_ALIGNED(offset, m->size))
		return false;
	return m->size == 4 || (m->size == 1 && offset >= 0x400 && offset < 0x800) ||
		(m->size == 8 && is64);
}

bool vgic_mmio_distributor(struct vcpu *v, struct mmio *m, u32 offset)
{
	bool route = offset >= GICD_IROUTER && offset < GICD_IROUTER_END;

	if (!good_access(m, offset, route))
		return false;
	if (offset >= BANK_FIRST && offset < BANK_LAST) {
		if (!m->write)
			m->value = 0;
		bank_access(v, m, offset, VGIC_NR_PRIVATE, VGIC_NR_IRQS);
		return true;
	}
	if (route) {
		route_access(v, m, offset);
		return true;
	}
	if (m->write) {
		if (offset == GICD_CTLR) {
			v->vm->vgic.ctlr = (u32)m->value & (VGIC_CTLR_GRP0 | VGIC_CTLR_GRP1);
			update_all(v);
		}
		return true;
	}
	switch (offset) {
	case GICD_CTLR:
		m->value = v->vm->vgic.ctlr | GICD_CTLR_FIXED;
		break;
	case GICD_TYPER:	/* 10-bit INTIDs, no MBI, range selector 0; with vLPIs 14 bits */
		m->value = (VGIC_NR_IRQS / 32 - 1) | (v->vm->vlpi ? GICD_TYPER_LPIS | 13U << 19 : 9U << 19);
		break;
	case GICD_IIDR:
		m->value = IIDR_VALUE;
		break;
	case GIC_PIDR2:
		m->value = PIDR2_GICV3;
		break;
	default:
		m->value = 0;
	}
	return true;
}

bool vgic_mmio_redistributor(struct vcpu *v, struct mmio *m, u64 offset)
{
	u32 id = (u32)(offset / VGIC_GICR_STRIDE), reg = (u32)(offset % VGIC_GICR_STRIDE);
	struct vcpu *t;
	u64 typer;

	if (id >= v->vm->nr_vcpus)
		return false;
	t = v->vm->vcpus[id];
	if (reg >= GICR_SGI) {
		reg -= GICR_SGI;
		if (!good_access(m, reg, false))
			return false;
		if (!m->write)
			m->value = 0;
		if (reg >= BANK_FIRST && reg < BANK_LAST)
			bank_access(t, m, reg, 0, VGIC_NR_PRIVATE);
		return true;
	}
	if (!good_access(m, reg, (reg & ~7U) == GICR_TYPER))
		return false;
	if (m->write) {
		if (reg == GICR_WAKER)		/* ChildrenAsleep follows ProcessorSleep */
			t->vgic.rd_waker = m->value & 2 ? VGIC_WAKER_ASLEEP : 0;
		return true;
	}
	m->value = 0;
	switch (reg) {
	case GICR_IIDR:
		m->value = IIDR_VALUE;
		break;
	case GICR_TYPER:
	case GICR_TYPER + 4:
		typer = (t->mpidr & 0xffffff) << 32 | (u64)t->id << 8 |
			(id + 1 == v->vm->nr_vcpus ? GICR_TYPER_LAST : 0);
		m->value = reg == GICR_TYPER ? typer : typer >> 32;
		break;
	case GICR_WAKER:
		m->value = t->vgic.rd_waker;
		break;
	case GIC_PIDR2:
		m->value = PIDR2_GICV3;
		break;
	}
	return true;
}

/* ICC_SGI*R_EL1, IHI 0069 12.2.22: a list of 16 targets, or all but oneself. */
void vgic_send_sgi(struct vcpu *v, u64 sgir, bool group1)
{
	u32 intid = (sgir >> 24) & 0xf;
	u64 cluster = ((sgir >> 16) & 0xff) << 8 | ((sgir >> 32) & 0xff) << 16;
	u64 first = ((sgir >> 44) & 0xf) * 16, list = sgir & 0xffff;
	struct vm *vm = v->vm;

	if (sgir >> 48 & 0xff)		/* Aff3 is 0 here */
		return;
	for (u32 i = 0; i < vm->nr_vcpus; i++) {
		struct vcpu *t = vm->vcpus[i];
		u64 aff0 = t->mpidr & 0xff;

		if (sgir & BIT(40) ? t == v : (t->mpidr & 0xffff00) != cluster ||
		    aff0 < first || aff0 >= first + 16 || !(list & BIT(aff0 - first)))
			continue;
		if (vm->partitioned)
			direct_send_sgi(t, intid);
		else if (t->vgic.irqs[intid].group1 == group1)
			vgic_pend(vm, t, intid, true);
	}
}
