// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual GICv3: which interrupt is deliverable to which vCPU, and the list
 * registers (Arm IHI 0069, chapter 11).
 *
 * An interrupt is a candidate of a vCPU when it is enabled, pending and not
 * active. Making one a candidate marks the vCPU dirty; before a dirty vCPU
 * resumes, vgic_refill() moves candidates into list registers. The guest
 * acknowledges and completes them there without an exit. While a vCPU is on a
 * pCPU its list registers stay in the hardware; vgic_save() copies them.
 *
 * What has been completed is found lazily, at the next refill: an empty list
 * register retires its interrupt. Only an emulated level interrupt asks for
 * an exit at its end, because its line may still be high. When there are more
 * candidates than list registers, the underflow interrupt brings us back.
 *
 * The virtual timer is a hardware interrupt: its PPI stays active at the
 * distributor until the guest's completion deactivates it. It is re-sampled
 * when it gets its list register, so that a timer stopped meanwhile is silent.
 */
#include "core/core.h"

/* ICH_LR<n>_EL2 */
#define LR_PENDING	BIT(62)
#define LR_ACTIVE	BIT(63)
#define LR_STATE	(LR_PENDING | LR_ACTIVE)
#define LR_HW		BIT(61)
#define LR_GROUP1	BIT(60)
#define LR_PRIORITY(p)	((u64)(p) << 48)
#define LR_PINTID(i)	((u64)(i) << 32)
#define LR_EOI		BIT(41)
/* ICH_HCR_EL2 */
#define HCR_EN		BIT(0)
#define HCR_UIE		BIT(1)
#define HCR_TC		BIT(10)	/* traps the CPU interface registers that sending SGIs is among */

static u32 base_hcr(const struct vcpu *v)
{
	return HCR_EN | (v->vm->partitioned ? HCR_TC : 0);
}

struct virq *vgic_irq(struct vm *vm, struct vcpu *v, u32 intid)
{
	if (intid < VGIC_NR_PRIVATE)
		return &v->vgic.irqs[intid];
	return &vm->vgic.spis[intid - VGIC_NR_PRIVATE];
}

/* The vCPU that @intid goes to; NULL: routed to none. */
struct vcpu *vgic_target(struct vm *vm, struct vcpu *v, u32 intid)
{
	struct virq *q = vgic_irq(vm, v, intid);

	if (intid < VGIC_NR_PRIVATE)
		return v;
	if (q->in_lr)
		return vm->vcpus[q->lr_cpu];
	if (q->route & VGIC_ROUTE_ANY)
		return vm->vcpus[0];
	return vm_vcpu_by_mpidr(vm, q->route & VGIC_ROUTE_AFFINITY);
}

static void set_candidate(struct vcpu *v, u32 intid)
{
	v->vgic.candidates[intid / 64] |= BIT(intid % 64);
}

static void clear_candidate(struct vcpu *v, u32 intid)
{
	v->vgic.candidates[intid / 64] &= ~BIT(intid % 64);
}

static bool has_candidate(const struct vgic_cpu *c)
{
	return c->candidates[0] | c->candidates[1];
}

/*
 * Recompute whether @intid is a candidate. Returns the vCPU that is to be
 * told with sched_interrupt(), once the lock is released, or NULL.
 */
struct vcpu *vgic_update(struct vm *vm, struct vcpu *v, u32 intid)
{
	struct virq *q = vgic_irq(vm, v, intid);
	struct vcpu *t = vgic_target(vm, v, intid);
	bool line = !q->edge && q->line && !q->in_lr;

	if (!t)
		return NULL;
	if (q->enabled && !q->active && (q->pending || line) &&
	    (vm->vgic.ctlr & (q->group1 ? VGIC_CTLR_GRP1 : VGIC_CTLR_GRP0))) {
		if (vm->partitioned) {
			direct_deliver(vm, intid, q);
			return NULL;
		}
		set_candidate(t, intid);
		return t;
	}
	clear_candidate(t, intid);
	if (q->in_lr && !q->enabled) {
		t->vgic.retract = true;
		return t;
	}
	return NULL;
}

void vgic_pend(struct vm *vm, struct vcpu *v, u32 intid, bool from_vcpu)
{
	struct vcpu *t;

	spin_lock(&vm->vgic.lock);
	vgic_irq(vm, v, intid)->pending = true;
	t = vgic_update(vm, v, intid);
	spin_unlock(&vm->vgic.lock);
	if (t)
		sched_interrupt(t, from_vcpu);
}

void vgic_set_line(struct vm *vm, struct vcpu *v, u32 intid, bool level)
{
	struct virq *q = vgic_irq(vm, v, intid);
	struct vcpu *t = NULL;

	spin_lock(&vm->vgic.lock);
	if (vm->partitioned && !level && q->line)
		gic_clear_spi(intid);	/* what was raised for it is void */
	if (q->line != level || (vm->partitioned && level)) {
		q->line = level;
		t = vgic_update(vm, v, intid);
	}
	spin_unlock(&vm->vgic.lock);
	if (t)
		sched_interrupt(t, false);
}

static void vtimer_deactivate(struct vcpu *v)
{
	v->vgic.irqs[INTID_VTIMER].line = false;
	v->vgic.vtimer_active = false;
	v->pcpu->vtimer_active = false;
	arch_gic_deactivate(INTID_VTIMER);
}

static bool vtimer_asserted(void)
{
	struct arch_vtimer t;

	arch_vtimer_read(&t);
	return (t.ctl & (TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS)) ==
		(TIMER_ENABLE | TIMER_ISTATUS);
}

u64 vgic_read_lr(const struct vcpu *v, unsigned int i)
{
	return v->vgic.resident ? arch_vgic_read_lr(i) : v->vgic.hw.lr[i];
}

void vgic_write_lr(struct vcpu *v, unsigned int i, u64 lr)
{
	if (v->vgic.resident)
		arch_vgic_write_lr(i, lr);
	else
		v->vgic.hw.lr[i] = lr;
}

/* The list register that holds @intid. */
unsigned int vgic_lr_of(const struct vcpu *v, u32 intid)
{
	unsigned int i;

	for (i = 0; i < ARCH_MAX_LRS; i++)
		if (v->vgic.lr_used & BIT(i) && v->vgic.lr_irq[i] == intid)
			return i;
	panic("interrupt %u is in no list register", intid);
}

/* List register @i is empty: its interrupt has been completed or taken back. */
static void retire(struct vcpu *v, unsigned int i)
{
	struct vgic_cpu *c = &v->vgic;
	u32 intid = c->lr_irq[i];
	struct virq *q = vgic_irq(v->vm, v, intid);
	bool hw = intid == INTID_VTIMER && c->vtimer_active;

	c->lr_used &= ~(u32)BIT(i);
	c->lr_level &= ~(u32)BIT(i);
	q->in_lr = false;
	if (hw) {	/* completing it has deactivated the physical one */
		q->line = false;
		c->vtimer_active = false;
		v->pcpu->vtimer_active = false;
	}
	/* Pended again meanwhile, it is a candidate here already. */
	if ((q->line && !q->edge) || (q->pending && vgic_target(v->vm, v, intid) != v)) {
		clear_candidate(v, intid);
		vgic_update(v->vm, v, intid);
	}
}

/* Retire what the guest has completed. @v is on this pCPU. */
static void reap(struct vcpu *v)
{
	struct vgic_cpu *c = &v->vgic;
	u32 level = c->lr_level, done = c->lr_used & ~level & arch_vgic_empty_lrs();

	for (; level; level &= level - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(level);

		if (!(arch_vgic_read_lr(i) & LR_STATE)) {
			arch_vgic_write_lr(i, 0);	/* or its EOI status storms */
			retire(v, i);
		}
	}
	for (; done; done &= done - 1)
		retire(v, (unsigned int)__builtin_ctz(done));
}

/* The physical timer PPI was taken and is active now, for @v on this pCPU. */
void vgic_vtimer_fired(struct vcpu *v)
{
	spin_lock(&v->vm->vgic.lock);
	if (v->vgic.irqs[INTID_VTIMER].in_lr)
		reap(v);	/* it could fire again: the guest has completed the last */
	v->vgic.vtimer_active = true;
	v->vgic.irqs[INTID_VTIMER].line = true;
	vgic_update(v->vm, v, INTID_VTIMER);
	if (has_candidate(&v->vgic))
		WRITE_ONCE(v->vgic_dirty, 1);
	spin_unlock(&v->vm->vgic.lock);
	v->pcpu->vtimer_active = true;
}

/* Take back what was disabled after it got a list register. */
static void retract(struct vcpu *v)
{
	struct vgic_cpu *c = &v->vgic;

	c->retract = false;
	for (u32 used = c->lr_used; used; used &= used - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(used);
		struct virq *q = vgic_irq(v->vm, v, c->lr_irq[i]);
		u64 lr = arch_vgic_read_lr(i);

		if (q->enabled || (lr & LR_STATE) != LR_PENDING)
			continue;
		arch_vgic_write_lr(i, 0);
		if (q->edge || !q->line)
			q->pending = true;
		c->lr_used &= ~(u32)BIT(i);
		c->lr_level &= ~(u32)BIT(i);
		q->in_lr = false;
	}
}

/* A list register for an interrupt of @priority: a free one, or one whose
 * pending interrupt matters less and goes back to the candidates. */
static int find_lr(struct vcpu *v, u8 priority)
{
	struct vgic_cpu *c = &v->vgic;
	u32 free = ~c->lr_used & (u32)(BIT(arch_vgic_nr_lrs()) - 1);
	int worst = -1;
	u8 worst_priority = priority;

	if (free)
		return __builtin_ctz(free);
	for (u32 used = c->lr_used; used; used &= used - 1) {
		int i = __builtin_ctz(used);
		u64 lr = arch_vgic_read_lr((unsigned int)i);
		u8 p = (u8)(lr >> 48);

		if ((lr & LR_STATE) == LR_PENDING && p > worst_priority) {
			worst = i;
			worst_priority = p;
		}
	}
	if (worst >= 0) {
		struct virq *q = vgic_irq(v->vm, v, c->lr_irq[worst]);

		if (q->edge || !q->line)
			q->pending = true;
		c->lr_used &= ~(u32)BIT(worst);
		c->lr_level &= ~(u32)BIT(worst);
		q->in_lr = false;
		vgic_update(v->vm, v, c->lr_irq[worst]);
	}
	return worst;
}

/* Returns false when no list register can be had. */
static bool place(struct vcpu *v, u32 intid)
{
	struct vgic_cpu *c = &v->vgic;
	struct virq *q = vgic_irq(v->vm, v, intid);
	u64 lr = LR_PENDING | LR_PRIORITY(q->priority) | (q->group1 ? LR_GROUP1 : 0) | intid;
	int i;

	if (q->in_lr) {		/* pended again while the guest handles it */
		i = (int)vgic_lr_of(v, intid);
		arch_vgic_write_lr((unsigned int)i, arch_vgic_read_lr((unsigned int)i) | LR_PENDING);
		q->pending = false;
		clear_candidate(v, intid);
		return true;
	}
	if (intid == INTID_VTIMER && c->vtimer_active && !q->pending) {
		if (!vtimer_asserted()) {
			vtimer_deactivate(v);
			clear_candidate(v, intid);
			return true;
		}
		lr |= LR_HW | LR_PINTID(INTID_VTIMER);
	}
	i = find_lr(v, q->priority);
	if (i < 0)
		return false;
	if (!q->edge && !(lr & LR_HW)) {
		lr |= LR_EOI;
		c->lr_level |= (u32)BIT(i);
	}
	c->lr_used |= (u32)BIT(i);
	c->lr_irq[i] = (u16)intid;
	q->in_lr = true;
	q->lr_cpu = (u8)v->id;
	q->pending = false;
	clear_candidate(v, intid);
	arch_vgic_write_lr((unsigned int)i, lr);
	return true;
}

/* The candidate of the highest priority. */
static u32 best_candidate(struct vcpu *v)
{
	u64 *words = v->vgic.candidates;
	u32 best = INTID_SPURIOUS;
	unsigned int priority = 0x100;

	if (!words[1] && !(words[0] & (words[0] - 1)))	/* there is but one */
		return (u32)__builtin_ctzll(words[0]);

	for (unsigned int w = 0; w < ARRAY_SIZE(v->vgic.candidates); w++) {
		for (u64 m = v->vgic.candidates[w]; m; m &= m - 1) {
			u32 intid = w * 64 + (u32)__builtin_ctzll(m);
			u8 p = vgic_irq(v->vm, v, intid)->priority;

			if (p < priority) {
				priority = p;
				best = intid;
			}
		}
	}
	return best;
}

/* @v is on this pCPU and about to resume. */
void vgic_refill(struct vcpu *v)
{
	struct vgic_cpu *c = &v->vgic;
	u32 hcr = base_hcr(v);

	spin_lock(&v->vm->vgic.lock);
	WRITE_ONCE(v->vgic_dirty, 0);
	if (c->lr_used)
		reap(v);
	if (c->retract)
		retract(v);
	while (has_candidate(c)) {
		if (!place(v, best_candidate(v))) {
			hcr |= HCR_UIE;
			break;
		}
	}
	if (c->hw.hcr != hcr) {
		c->hw.hcr = hcr;
		arch_vgic_set_hcr(hcr);
	}
	spin_unlock(&v->vm->vgic.lock);
}

/* Something to take, whether or not the guest masks it. @v is on this pCPU. */
bool vgic_has_pending(struct vcpu *v)
{
	struct vgic_cpu *c = &v->vgic;
	bool pending = has_candidate(c);

	for (u32 used = c->lr_used; used && !pending; used &= used - 1)
		pending = arch_vgic_read_lr((unsigned int)__builtin_ctz(used)) & LR_PENDING;
	return pending;
}

bool vgic_save(struct vcpu *v)
{
	struct vgic_cpu *c = &v->vgic;
	u32 hcr = c->hw.hcr;
	bool pending = v->vm->vlpi && vlpi_save(v);

	spin_lock(&v->vm->vgic.lock);
	if (c->lr_used)
		reap(v);
	for (u32 used = c->lr_used; used; used &= used - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(used);

		c->hw.lr[i] = arch_vgic_read_lr(i);
		arch_vgic_write_lr(i, 0);
	}
	arch_vgic_save(&c->hw);
	if (v->vm->partitioned)
		gic_cpu_init();		/* this pCPU's interrupts are ours again */
	c->hw.hcr = hcr;
	c->resident = false;
	spin_unlock(&v->vm->vgic.lock);
	return pending;
}

void vgic_load(struct vcpu *v)
{
	struct vgic_cpu *c = &v->vgic;
	struct pcpu *p = v->pcpu;

	spin_lock(&v->vm->vgic.lock);
	c->resident = true;
	for (u32 used = c->lr_used; used; used &= used - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(used);

		arch_vgic_write_lr(i, c->hw.lr[i]);
	}
	arch_vgic_load(&c->hw);
	if (v->vm->partitioned)
		gic_give_private();
	if (has_candidate(c))
		WRITE_ONCE(v->vgic_dirty, 1);
	if (p->vtimer_active != c->vtimer_active) {
		gic_set_private_active(INTID_VTIMER, c->vtimer_active);
		p->vtimer_active = c->vtimer_active;
	}
	spin_unlock(&v->vm->vgic.lock);
	if (v->vm->vlpi)
		vlpi_load(v);
	ptimer_check(v);
}

/* As after a reset of the VM, or CPU_ON of one vCPU. */
void vgic_vcpu_reset(struct vcpu *v)
{
	struct vgic_cpu *c = &v->vgic;
	u8 *vlpi_pending = c->vlpi_pending;
	u32 vlpi_pcpu = c->vlpi_pcpu;

	memset(c, 0, sizeof(*c));
	c->vlpi_pending = vlpi_pending;	/* both are the GIC's, not the guest's */
	c->vlpi_pcpu = vlpi_pcpu;
	for (u32 i = 0; i < VGIC_NR_PRIVATE; i++) {
		c->irqs[i].group1 = true;
		c->irqs[i].edge = i < 16;
		c->irqs[i].enabled = false;
	}
	c->rd_waker = VGIC_WAKER_ASLEEP;
	c->hw.hcr = base_hcr(v);
	v->vgic_dirty = 0;
}

void vgic_vm_init(struct vm *vm)
{
	memset(vm->vgic.spis, 0, sizeof(vm->vgic.spis));
	vm->vgic.ctlr = 0;
	for (u32 i = 0; i < ARRAY_SIZE(vm->vgic.spis); i++)
		vm->vgic.spis[i].group1 = true;
}
