// SPDX-License-Identifier: GPL-2.0
/*
 * The scheduler: one run queue, any number of vCPUs over any number of pCPUs.
 *
 * Each round a vCPU may use one slice. A vCPU whose slice is used up goes to
 * the tail with a new one. A vCPU that blocks keeps the rest of its slice, and
 * spends it at once when it wakes: it goes to the front and preempts. So a
 * vCPU that sleeps a lot reacts quickly, and cannot take more than its share.
 *
 * YIELD goes to the tail. YIELD_TO lends: the target runs at once on a part
 * of the caller's slice and the caller waits right behind it, so that a lock
 * holder gets just the time that it takes to let go, and a caller that keeps
 * lending has spent its slice in the end. An interrupt that one vCPU sends to
 * another moves a waiting target to the front, for the sender may be spinning
 * for the answer.
 *
 * States: OFF -> READY (cpu_on) -> RUNNING (picked) -> READY (preempted,
 * yielded), BLOCKED (WFI, WAIT) or OFF; BLOCKED -> READY (interrupt, kick).
 *
 * One lock protects the queue, the blocked lists and every vCPU's state. A
 * vCPU's registers are saved before it is queued, so whoever picks it from
 * the queue finds them.
 */
#include "core/core.h"

#define LEND_SHARE	8	/* YIELD_TO lends up to 1/8 of a slice */
#define SLICE_CRUMB	64	/* less than 1/64 of a slice counts as none */

static spinlock_t sched_lock;
static struct list run_queue = { &run_queue, &run_queue };
static u64 slice_ticks, slice_ns, counter_hz;
struct pcpu pcpus[MAX_PCPUS];

u64 ticks_to_ns(u64 ticks)
{
	return ticks / counter_hz * 1000000000 + ticks % counter_hz * 1000000000 / counter_hz;
}

u64 ns_to_ticks(u64 ns)
{
	return ns / 1000000000 * counter_hz + ns % 1000000000 * counter_hz / 1000000000;
}

u64 sched_slice_ns(void)
{
	return slice_ns;
}

void sched_init(u64 slice_us)
{
	counter_hz = arch_counter_hz();
	slice_ns = slice_us * 1000;
	slice_ticks = ns_to_ticks(slice_ns);
}

static bool allowed(const struct vcpu *v, const struct pcpu *p)
{
	return v->affinity & BIT(p->id);
}

/* Make @p come here and look at the queue. */
static void poke(struct pcpu *p)
{
	WRITE_ONCE(p->resched, 1);
	if (p != this_pcpu())
		arch_gic_send_sgi(p->mpidr, INTID_SGI_RESCHED);
}

/* Deadline of this pCPU: end of slice, or a blocked vCPU's timer. */
static void arm_timer(struct pcpu *p)
{
	u64 at = p->current ? p->slice_end : ~0ULL;
	struct list *l;

	list_for_each(l, &p->blocked)
		at = MIN(at, container_of(l, struct vcpu, link)->wake_at);
	arch_set_deadline(at);
}

/*
 * Somebody waits for a pCPU. An idle one should take it; one that runs without
 * a slice because nobody waited needs a slice now.
 */
static void announce(struct vcpu *v)
{
	struct pcpu *p;

	for (p = pcpus; p < pcpus + MAX_PCPUS; p++) {
		if (p->online && allowed(v, p) && p->idle) {
			p->idle = 0;
			poke(p);
			return;
		}
	}
	for (p = pcpus; p < pcpus + MAX_PCPUS; p++)
		if (p->online && allowed(v, p) && p->current && p->slice_end == ~0ULL)
			poke(p);
}

static void enqueue(struct vcpu *v, bool front)
{
	v->state = VCPU_READY;
	v->ready_since = arch_counter();
	if (!front || v->slice_left < (s64)slice_ticks / SLICE_CRUMB) {
		v->slice_left = (s64)slice_ticks;
		front = false;
	}
	if (front)
		list_add_front(&run_queue, &v->link);
	else
		list_add_tail(&run_queue, &v->link);
}

/* BLOCKED -> READY. @preempt: with what is left of its slice, at once. */
static void wake(struct vcpu *v, bool preempt)
{
	bool front = preempt && v->slice_left >= (s64)slice_ticks / SLICE_CRUMB;
	struct pcpu *last = v->pcpu;
	u32 was_idle = 0;

	list_del(&v->link);
	enqueue(v, preempt);
	for (struct pcpu *p = pcpus; p < pcpus + MAX_PCPUS; p++)
		was_idle |= p->online && p->idle && allowed(v, p);
	announce(v);
	if (front && !was_idle && last && last->current && last->current != v && allowed(v, last))
		poke(last);
}

static struct vcpu *pick(struct pcpu *p)
{
	struct list *l;

	list_for_each(l, &run_queue) {
		struct vcpu *v = container_of(l, struct vcpu, link);

		if (allowed(v, p)) {
			list_del(l);
			return v;
		}
	}
	return NULL;
}

static void account_run(struct vcpu *v)
{
	u64 now = arch_counter();

	v->slice_left -= (s64)(now - v->run_start);
	if (v->slice_left < 0)
		v->slice_left = 0;
	v->run_start = now;
}

/* Take @v off this pCPU. After this anybody may run it, once it is queued. */
static void unload(struct pcpu *p, struct vcpu *v)
{
	arch_context_save(v);
	arch_vtimer_save(&v->timer);
	vgic_save(v);
	p->current = NULL;
}

/* Start (or continue) @v's slice on @p. */
static void start_slice(struct pcpu *p, struct vcpu *v)
{
	v->run_start = arch_counter();
	if (v->slice_left < (s64)slice_ticks / SLICE_CRUMB)
		v->slice_left = (s64)slice_ticks;
	p->slice_end = list_empty(&run_queue) ? ~0ULL : v->run_start + (u64)v->slice_left;
	arm_timer(p);
}

static void load(struct pcpu *p, struct vcpu *v)
{
	v->pcpu = p;
	p->current = v;
	vgic_load(v);
	arch_context_load(v);
	arch_vtimer_load(&v->timer);
	pvpage_running(v);
}

/* Under the lock: make @v the next to be loaded here. */
static void claim(struct pcpu *p, struct vcpu *v)
{
	v->state = VCPU_RUNNING;
	v->pcpu = p;
	p->current = v;
	v->steal += arch_counter() - v->ready_since;
	start_slice(p, v);
}

/* Nothing to run: sleep until a vCPU is ready. Called and returns locked. */
static struct vcpu *idle(struct pcpu *p)
{
	struct vcpu *next;

	for (;;) {
		next = pick(p);
		if (next)
			return next;
		p->idle = 1;
		arm_timer(p);
		spin_unlock(&sched_lock);
		arch_wait_for_interrupt();
		exit_interrupt(NULL);
		spin_lock(&sched_lock);
		p->idle = 0;
	}
}

struct vcpu *sched_first(struct pcpu *p)
{
	struct vcpu *next;

	spin_lock(&sched_lock);
	next = idle(p);
	claim(p, next);
	spin_unlock(&sched_lock);
	load(p, next);
	if (next->vgic_dirty)
		vgic_refill(next);
	return next;
}

/* The slow part of sched_exit(): something asked to look at the queue. */
static struct vcpu *reschedule(struct pcpu *p, struct vcpu *v)
{
	struct vcpu *next;

	spin_lock(&sched_lock);
	WRITE_ONCE(p->resched, 0);
	if (READ_ONCE(v->vm->stopping) && v->state != VCPU_OFF) {
		if (v->state != VCPU_RUNNING)
			list_del(&v->link);
		v->state = VCPU_OFF;
	}
	if (v->state == VCPU_RUNNING) {
		account_run(v);
		next = pick(p);
		if (!next) {
			start_slice(p, v);
			spin_unlock(&sched_lock);
			return v;
		}
		unload(p, v);
		pvpage_stopped(v);
		enqueue(v, v->slice_left > 0);
		pvpage_stopped(v);
		/* A preempting wake-up or a lent slice comes first, then @v. */
		announce(v);
	} else {
		account_run(v);
		unload(p, v);
		pvpage_stopped(v);
		if (v->state == VCPU_BLOCKED) {
			v->wake_at = vtimer_deadline(v);
			list_del(&v->link);
			list_add_tail(&p->blocked, &v->link);
			/* What came between the decision to block and now. */
			if (vgic_has_pending(v) || READ_ONCE(v->kicked))
				wake(v, true);
		} else {
			bool last = true;

			for (u32 i = 0; i < v->vm->nr_vcpus; i++)
				last &= v->vm->vcpus[i]->state == VCPU_OFF;
			pvpage_drop(v);
			if (last) {
				spin_unlock(&sched_lock);
				vm_all_off(v->vm);
				spin_lock(&sched_lock);
			}
		}
		next = idle(p);
	}
	claim(p, next);
	spin_unlock(&sched_lock);
	load(p, next);
	return next;
}
