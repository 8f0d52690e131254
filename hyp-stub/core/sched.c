// SPDX-License-Identifier: GPL-2.0
/*
 * The scheduler: one run queue, any number of vCPUs over any number of pCPUs.
 *
 * Each vCPU takes turns of one slice; the queue is ordered by turn. A vCPU
 * whose slice is used up, or that YIELDs, gets a new slice and the last turn.
 * One that blocks keeps its turn and the rest of its slice: when an interrupt
 * wakes it, it preempts a later turn. So a vCPU that sleeps a lot reacts
 * quickly, and cannot take more than its share. But it lets the other run for
 * a moment first: vCPUs that wake at the same tick would else take the pCPU
 * from each other in the middle of their interrupt handlers, locks held.
 *
 * YIELD_TO lends: the target runs at once, on a part of the caller's slice,
 * and then both go back to their turns. A lock holder gets just the time that
 * it takes to let go, nobody else pays for it, and a caller that keeps lending
 * has spent its slice in the end. An interrupt that one vCPU sends to another
 * lends too, because the sender may be spinning for the answer: the target
 * runs next, ahead of all turns.
 *
 * States: OFF -> READY (cpu_on) -> RUNNING (picked) -> READY (preempted,
 * yielded), BLOCKED (WFI, WAIT) or OFF; BLOCKED -> READY (interrupt, kick,
 * timer). Every change is made under the lock, which also protects the queues
 * and the blocked lists; registers are saved before a vCPU is queued, so
 * whoever picks it finds them. Lock order: see lib.h.
 */
#include "core/core.h"
#include "core/timer.h"
#include "virtio/virtio.h"

#define LEND_SHARE	8	/* lends up to 1/8 of a slice at a time */
#define GRACE_SHARE	32	/* a wake-up preempts after 1/32 of a slice */
#define CRUMB_SHARE	64	/* less than 1/64 of a slice counts as none */

static spinlock_t sched_lock;
static struct list run_queue = { &run_queue, &run_queue };	/* by turn */
static struct list lent_queue = { &lent_queue, &lent_queue };	/* before it */
static u64 last_turn;
static u64 slice_ticks, slice_ns, counter_hz;
struct pcpu pcpus[MAX_PCPUS];

#define for_each_online_pcpu(p) \
	for ((p) = pcpus; (p) < pcpus + MAX_PCPUS; (p)++) if ((p)->online)

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

static bool used_up(const struct vcpu *v)
{
	return v->slice_left < (s64)(slice_ticks / CRUMB_SHARE);
}

/* Make @p look at the queue before it resumes a guest. */
static void poke(struct pcpu *p)
{
	WRITE_ONCE(p->resched, 1);
	if (p != this_pcpu())
		arch_gic_send_sgi(p->mpidr, INTID_SGI_RESCHED);
}

/* Deadline of this pCPU: end of slice, or a timer that it keeps for a vCPU. */
static void arm_timer(struct pcpu *p)
{
	u64 at = ~0ULL;
	struct list *l;

	if (p->current) {
		at = MIN(p->slice_end, ptimer_deadline(p->current));
		at = MIN(at, p->current->check_at);
		if (p->preempt)
			at = MIN(at, p->picked_at + slice_ticks / GRACE_SHARE);
	}
	at = MIN(at, timers_next(p));
	list_for_each(l, &p->blocked)
		at = MIN(at, container_of(l, struct vcpu, link)->wake_at);
	arch_set_deadline(at);
}

/*
 * @v waits for a pCPU. An idle one should take it; one that runs on without
 * an end of slice, because nobody waited, needs one now; and if @preempt, one
 * that runs a later turn should give way, best the one where @v ran last.
 */
static void announce(struct vcpu *v, bool preempt)
{
	struct pcpu *p, *victim = NULL;

	for_each_online_pcpu(p) {
		if (p->idle && allowed(v, p)) {
			p->idle = 0;
			poke(p);
			return;
		}
	}
	for_each_online_pcpu(p) {
		if (!p->current || !allowed(v, p))
			continue;
		if (p->slice_end == ~0ULL)
			poke(p);
		if (preempt && !p->current->lent && p->current->turn > v->turn &&
		    (!victim || p == v->pcpu || (victim != v->pcpu &&
						 p->current->turn > victim->current->turn)))
			victim = p;
	}
	if (victim) {
		victim->preempt = 1;
		poke(victim);
	}
}

static void new_turn(struct vcpu *v)
{
	v->turn = ++last_turn;
	v->slice_left = (s64)slice_ticks;
}

static void enqueue(struct vcpu *v)
{
	struct list *at;

	v->state = VCPU_READY;
	v->lent = 0;
	v->borrows = false;
	v->ready_since = arch_counter();
	if (used_up(v))
		new_turn(v);
	for (at = run_queue.prev; at != &run_queue; at = at->prev)
		if (container_of(at, struct vcpu, link)->turn < v->turn)
			break;
	list_insert(&v->link, at);
}

/* BLOCKED -> READY */
static void wake(struct vcpu *v, bool preempt)
{
	list_del(&v->link);
	enqueue(v);
	pvpage_ready(v);
	announce(v, preempt);
}

static struct vcpu *pick_from(struct list *queue, struct pcpu *p)
{
	struct list *l;

	list_for_each(l, queue) {
		struct vcpu *v = container_of(l, struct vcpu, link);

		if (allowed(v, p)) {
			list_del(l);
			return v;
		}
	}
	return NULL;
}

static struct vcpu *pick(struct pcpu *p)
{
	struct vcpu *v = pick_from(&lent_queue, p);

	return v ? v : pick_from(&run_queue, p);
}

static void account_run(struct vcpu *v)
{
	u64 now = arch_counter(), ran = now - v->run_start;
	u64 from_lent = MIN(ran, v->lent);

	v->lent -= from_lent;
	v->slice_left = MAX(v->slice_left - (s64)(ran - from_lent), 0);
	v->run_start = now;
}

/* Move up to 1/LEND_SHARE of a slice from the running @v to @target. */
static bool lend(struct vcpu *v, struct vcpu *target)
{
	u64 most = slice_ticks / LEND_SHARE, part;

	account_run(v);
	if (v->lent) {			/* pass on what is borrowed itself */
		part = MIN(v->lent, most);
		v->lent -= part;
	} else {
		part = MIN((u64)v->slice_left, most);
		v->slice_left -= (s64)part;
	}
	if (part < slice_ticks / CRUMB_SHARE)
		return false;
	target->lent = part;
	target->borrows = true;
	return true;
}

/* Start or continue @v's slice on @p. */
static void start_slice(struct pcpu *p, struct vcpu *v)
{
	bool alone = list_empty(&run_queue) && list_empty(&lent_queue);

	v->run_start = arch_counter();
	if (v->check_at != ~0ULL)	/* its doorbells have just been looked at */
		v->check_at = v->run_start + v->check_ticks;
	if (!v->lent)
		v->borrows = false;
	if (!v->borrows && used_up(v))
		new_turn(v);
	p->slice_end = alone ? ~0ULL : v->run_start + (v->borrows ? v->lent : (u64)v->slice_left);
	arm_timer(p);
}

/* Take @v off this pCPU; it may be queued after that. True: a vLPI waits for it. */
static bool unload(struct pcpu *p, struct vcpu *v)
{
	bool pending;

	arch_context_save(v);
	arch_vtimer_save(&v->timer);
	pending = vgic_save(v);
	p->current = NULL;
	return pending;
}

/* Make @v, picked from a queue, the one that runs here. */
static void load(struct pcpu *p, struct vcpu *v)
{
	v->state = VCPU_RUNNING;
	v->pcpu = p;
	v->steal += arch_counter() - v->ready_since;
	p->current = v;
	p->picked_at = arch_counter();
	p->preempt = 0;
	if (v->waiting) {
		v->waiting = 0;
		v->regs.x[1] = __atomic_exchange_n(&v->kicked, 0, __ATOMIC_ACQ_REL);
	}
	start_slice(p, v);
	vgic_load(v);
	arch_context_load(v);
	arch_vtimer_load(&v->timer);
	vtimer_take_along(v);
	pvpage_running(v);
}

/* Nothing to run: sleep until a vCPU is ready. Called and returns locked. */
static struct vcpu *idle(struct pcpu *p)
{
	struct vcpu *next;

	while (!(next = pick(p))) {
		p->idle = 1;
		arm_timer(p);
		spin_unlock(&sched_lock);
		arch_wait_for_interrupt();
		exit_interrupt(NULL);
		spin_lock(&sched_lock);
		p->idle = 0;
	}
	return next;
}

struct vcpu *sched_first(void)
{
	struct pcpu *p = this_pcpu();
	struct vcpu *v;

	spin_lock(&sched_lock);
	v = idle(p);
	load(p, v);
	spin_unlock(&sched_lock);
	return sched_exit(v);
}

/* @v is loaded and wants to block. False: something to do has come. */
static bool block(struct pcpu *p, struct vcpu *v)
{
	WRITE_ONCE(v->state, VCPU_BLOCKED);
	/*
	 * block()			sched_kick(), hvc_fast, sched_interrupt()
	 *   state = BLOCKED		  kicked = 1, or candidate set
	 *   barrier			  barrier
	 *   read kicked, candidates	  read state
	 * so that at least one side sees the other.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vgic_has_pending(v) || (v->waiting && READ_ONCE(v->kicked))) {
		v->state = VCPU_RUNNING;
		if (v->waiting)
			v->regs.x[1] = __atomic_exchange_n(&v->kicked, 0, __ATOMIC_ACQ_REL);
		v->waiting = 0;
		return false;
	}
	if (unload(p, v)) {
		enqueue(v);
	} else {
		v->wake_at = timers_deadline(v);
		list_add_tail(&p->blocked, &v->link);
	}
	pvpage_stopped(v);
	return true;
}

static void switch_off(struct pcpu *p, struct vcpu *v)
{
	bool last = true;

	unload(p, v);
	v->state = VCPU_OFF;
	pvpage_drop(v);
	for (u32 i = 0; i < v->vm->nr_vcpus; i++)
		last &= v->vm->vcpus[i]->state == VCPU_OFF;
	if (last) {
		spin_unlock(&sched_lock);
		vm_all_off(v->vm);
		spin_lock(&sched_lock);
	}
}

/* Give the pCPU to another, if there is one: @v's turn stays or is a new one. */
static struct vcpu *give_way(struct pcpu *p, struct vcpu *v, struct vcpu *next)
{
	if (!next)
		next = pick(p);
	if (!next)
		return v;
	unload(p, v);
	enqueue(v);
	pvpage_stopped(v);
	announce(v, false);
	return next;
}

static bool slice_over(const struct pcpu *p, const struct vcpu *v)
{
	u64 now = arch_counter();

	return (p->preempt && now - p->picked_at >= slice_ticks / GRACE_SHARE) ||
		(v->borrows ? !v->lent : used_up(v)) || (p->slice_end != ~0ULL && now >= p->slice_end);
}

/* The slow part of sched_exit(). */
static struct vcpu *reschedule(struct pcpu *p, struct vcpu *v)
{
	enum sched_request request = p->request;
	struct vcpu *next = v, *target = p->lend_to;

	spin_lock(&sched_lock);
	p->request = SCHED_NONE;
	WRITE_ONCE(p->resched, 0);
	account_run(v);
	if (READ_ONCE(v->vm->stopping))
		request = SCHED_OFF;
	switch (request) {
	case SCHED_OFF:
		switch_off(p, v);
		next = idle(p);
		break;
	case SCHED_BLOCK:
		if (block(p, v))
			next = idle(p);
		break;
	case SCHED_YIELD:
		new_turn(v);
		next = give_way(p, v, NULL);
		break;
	case SCHED_LEND:
		if (target->state != VCPU_READY || !allowed(target, p))
			break;
		if (!lend(v, target)) {	/* nothing left to lend: as YIELD */
			new_turn(v);
			next = give_way(p, v, NULL);
			break;
		}
		target->yields_received++;
		list_del(&target->link);
		next = give_way(p, v, target);
		break;
	case SCHED_NONE:
		break;
	}
	if (next == v && p->current && slice_over(p, v)) {
		p->preempt = 0;
		next = give_way(p, v, NULL);
	}
	if (next != v || !p->current)
		load(p, next);
	else
		start_slice(p, v);
	spin_unlock(&sched_lock);
	return next;
}

static __attribute__((noinline)) struct vcpu *work_before_resume(struct pcpu *p, struct vcpu *v)
{
	if (READ_ONCE(*v->doorbells))	/* before it may block: what it rang for may be what it waits for */
		doorbells_drain(v);
	do {
		while (READ_ONCE(p->resched))
			v = reschedule(p, v);
		if (READ_ONCE(v->work))
			virtio_continue(v);
	} while (READ_ONCE(p->resched));
	if (READ_ONCE(v->vgic_dirty))
		vgic_refill(v);
	return v;
}

struct vcpu *sched_exit(struct vcpu *v)
{
	struct pcpu *p = this_pcpu();

	if (READ_ONCE(p->resched) | READ_ONCE(v->work) | READ_ONCE(v->vgic_dirty) | READ_ONCE(*v->doorbells))
		return work_before_resume(p, v);
	return v;
}

static void request(enum sched_request what)
{
	struct pcpu *p = this_pcpu();

	p->request = what;
	WRITE_ONCE(p->resched, 1);
}

void sched_block(struct vcpu *v)
{
	v->waiting = 0;
	if (v->vm->partitioned) {	/* its interrupts do not wake us, but the processor */
		arch_wait_for_interrupt();
		return;
	}
	request(SCHED_BLOCK);
}

void sched_wait(struct vcpu *v)
{
	if (v->vm->partitioned) {
		v->regs.x[1] = __atomic_exchange_n(&v->kicked, 0, __ATOMIC_ACQ_REL);
		return;
	}
	v->waiting = 1;
	request(SCHED_BLOCK);
}

void sched_yield(void)
{
	request(SCHED_YIELD);
}

int sched_yield_to(struct vcpu *target)
{
	struct pcpu *p = this_pcpu();
	u32 state = READ_ONCE(target->state);

	if (state == VCPU_RUNNING)
		return PV_SUCCESS;
	if (state != VCPU_READY || !allowed(target, p))
		return PV_EDENIED;
	p->lend_to = target;
	request(SCHED_LEND);
	return PV_SUCCESS;
}

void sched_kick(struct vcpu *v)
{
	__atomic_store_n(&v->kicked, 1, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* pairs with block() */
	if (READ_ONCE(v->state) != VCPU_BLOCKED)
		return;
	spin_lock(&sched_lock);
	if (v->state == VCPU_BLOCKED && v->waiting)
		wake(v, false);
	spin_unlock(&sched_lock);
}

static void wake_blocked(struct vcpu *v)
{
	spin_lock(&sched_lock);
	if (v->state == VCPU_BLOCKED)
		wake(v, true);
	spin_unlock(&sched_lock);
}

void sched_wake(struct vcpu *v)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* pairs with block() */
	if (READ_ONCE(v->state) == VCPU_BLOCKED)
		wake_blocked(v);
}

void sched_interrupt(struct vcpu *v, bool from_vcpu)
{
	struct pcpu *p = this_pcpu(), *on;

	WRITE_ONCE(v->vgic_dirty, 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* pairs with block() */
	switch (READ_ONCE(v->state)) {
	case VCPU_RUNNING:
		on = READ_ONCE(v->pcpu);
		/* It may stop running now: then loading it looks at vgic_dirty. */
		if (on != p)
			arch_gic_send_sgi(on->mpidr, INTID_SGI_RESCHED);
		break;
	case VCPU_BLOCKED:
		wake_blocked(v);
		break;
	case VCPU_READY:
		if (!from_vcpu || !p->current)
			break;
		spin_lock(&sched_lock);
		if (v->state == VCPU_READY && !v->lent && lend(p->current, v)) {
			list_del(&v->link);
			list_add_tail(&lent_queue, &v->link);
			WRITE_ONCE(p->resched, 1);	/* its slice got shorter */
		}
		spin_unlock(&sched_lock);
		break;
	}
}

void sched_refresh(struct vcpu *v)
{
	struct pcpu *on = READ_ONCE(v->pcpu);

	WRITE_ONCE(v->vgic_dirty, 1);
	if (READ_ONCE(v->state) == VCPU_RUNNING && on != this_pcpu())
		arch_gic_send_sgi(on->mpidr, INTID_SGI_RESCHED);
}

bool sched_cpu_on(struct vcpu *v)
{
	bool was_off;

	spin_lock(&sched_lock);
	was_off = v->state == VCPU_OFF;
	if (was_off) {
		list_init(&v->link);
		v->kicked = v->waiting = 0;
		v->slice_left = 0;
		enqueue(v);
		announce(v, false);
	}
	spin_unlock(&sched_lock);
	return was_off;
}

void sched_cpu_off(void)
{
	request(SCHED_OFF);
}

/* Called by a vCPU of @vm: the last one to leave its pCPU ends in vm_all_off(). */
void sched_stop_vm(struct vm *vm)
{
	spin_lock(&sched_lock);
	WRITE_ONCE(vm->stopping, 1);
	for (u32 i = 0; i < vm->nr_vcpus; i++) {
		struct vcpu *v = vm->vcpus[i];

		if (v->state == VCPU_READY || v->state == VCPU_BLOCKED) {
			list_del(&v->link);
			v->state = VCPU_OFF;
			pvpage_drop(v);
		} else if (v->state == VCPU_RUNNING) {
			poke(v->pcpu);
		}
	}
	if (vm->partitioned)
		direct_stop(vm);
	spin_unlock(&sched_lock);
}

void sched_timer_expired(void)
{
	struct pcpu *p = this_pcpu();
	struct list *l, *tmp;
	u64 now = arch_counter();

	spin_lock(&sched_lock);
	list_for_each_safe(l, tmp, &p->blocked) {
		struct vcpu *v = container_of(l, struct vcpu, link);

		if (v->wake_at <= now)
			wake(v, true);
	}
	arm_timer(p);
	if (p->current && (now >= p->slice_end || p->preempt)) {
		WRITE_ONCE(p->resched, 1);
		arch_set_deadline(~0ULL);	/* until reschedule() sets the next */
	}
	spin_unlock(&sched_lock);
}

void sched_timer_changed(void)
{
	spin_lock(&sched_lock);
	arm_timer(this_pcpu());
	spin_unlock(&sched_lock);
}

enum vcpu_state sched_state(struct vcpu *v)
{
	return READ_ONCE(v->state);
}
