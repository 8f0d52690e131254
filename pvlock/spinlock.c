// SPDX-License-Identifier: GPL-2.0
/*
 * The paravirtual slow path of queued spinlocks (kernel/locking/qspinlock.c).
 *
 * It speaks the native protocol on the native lock word and on the kernel's
 * own per-CPU queue nodes. A CPU that enters the kernel's slow path instead
 * (switched off, hook lost to a tracer's recursion guard) may therefore stand
 * anywhere in the same queue, and switching needs no synchronisation.
 *
 * A waiter goes through up to four stages:
 *
 * 1. Pending: first in line, spins on the holder as native does. If after
 *    spin_ns some vCPU turns out to be preempted, it gives the bit back.
 * 2. Stealing, for at most steal_us: takes the lock whenever the whole lock
 *    word is 0, like anybody's fast path, and yields to the vCPU that it may
 *    be waiting for. While no one queues, whoever runs uses the fast path, and
 *    preempted waiters are in nobody's way.
 * 3. Queued, behind others: spins for spin_ns, then halts (WAIT) if its
 *    predecessor does not run; the predecessor hands over and kicks.
 * 4. Head: an unlock kicks nobody, so it never halts. It yields to the vCPU
 *    that may be the holder.
 *
 * The queue is what bounds unfairness: it is first come, first served, and as
 * long as it is not empty nobody can steal.
 *
 * The halting state is in the waiter's own node->locked, so that it takes no
 * second look-up to find out whom to kick:
 *	0		waits
 *	HALTED | cpu	waits, and may be in WAIT
 *	1		has been handed the head of the queue
 * A native predecessor just stores 1, so behind one (!ours) nobody halts.
 */
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include "pvlock.h"
#include "trace.h"

#ifdef CONFIG_PARAVIRT_SPINLOCKS
#error "CONFIG_PARAVIRT_SPINLOCKS makes the kernel's queue nodes larger than pvlock knows them"
#endif

/* As kernel/locking/mcs_spinlock.h: the layout of the kernel's queue nodes. */
struct mcs_spinlock {
	struct mcs_spinlock *next;
	int locked;
	int count;		/* nesting, in node 0 */
};

#define MCS_GO		1
#define MCS_HALTED	0x40000000

struct mcs_spinlock __percpu *pvl_qnodes;

static u32 encode_tail(int cpu, int idx)
{
	return (u32)(cpu + 1) << _Q_TAIL_CPU_OFFSET | (u32)idx << _Q_TAIL_IDX_OFFSET;
}

static int tail_cpu(u32 tail)
{
	return (int)(tail >> _Q_TAIL_CPU_OFFSET) - 1;
}

static int tail_idx(u32 tail)
{
	return (int)((tail & _Q_TAIL_IDX_MASK) >> _Q_TAIL_IDX_OFFSET);
}

static struct mcs_spinlock *node_of(int cpu, int idx)
{
	return per_cpu_ptr(pvl_qnodes, cpu) + idx;
}

static bool trylock(struct qspinlock *lock)
{
	u32 val = atomic_read(&lock->val);

	return !val && atomic_try_cmpxchg_acquire(&lock->val, &val, _Q_LOCKED_VAL);
}

/* Wait for an event on the lock word, or for the event stream. */
static void relax_on(struct qspinlock *lock, u32 val)
{
	__cmpwait_relaxed((u32 *)&lock->val.counter, val);
}

/*
 * Stage 1. Returns true with the lock held; false: the pending bit is not
 * ours (any more).
 */
static bool pending_spin(struct qspinlock *lock)
{
	u32 val = atomic_fetch_or_acquire(_Q_PENDING_VAL, &lock->val);
	struct pvl_wait w;
	bool got;

	if (val & ~_Q_LOCKED_MASK) {
		/* Others are in line: undo, unless the bit was theirs. */
		if (!(val & _Q_PENDING_MASK))
			WRITE_ONCE(lock->pending, 0);
		return false;
	}
	if (!(val & _Q_LOCKED_MASK)) {
		/* Unlocked meanwhile. *,1,0 -> *,0,1 */
		WRITE_ONCE(lock->locked_pending, _Q_LOCKED_VAL);
		return true;
	}
	pvl_wait_begin(&w, lock, PVL_PENDING);
	for (;;) {
		val = atomic_read(&lock->val);
		got = !(val & _Q_LOCKED_MASK);
		if (got)
			break;
		if (!pvl_spin_over(&w)) {
			relax_on(lock, val);
			continue;
		}
		if (pvl_policy == PVL_UNDIRECTED)
			pvl_yield_for(lock, true);
		else if (pvl_somebody_preempted())
			break;
		pvl_spin_again(&w);
	}
	if (got) {
		smp_acquire__after_ctrl_dep();	/* pairs with the unlock's release */
		WRITE_ONCE(lock->locked_pending, _Q_LOCKED_VAL);
	} else {
		WRITE_ONCE(lock->pending, 0);
	}
	pvl_wait_end(&w);
	return got;
}

/* Stage 2. Returns true with the lock held; false: it is time to queue. */
static bool steal(struct qspinlock *lock)
{
	struct pvl_wait w;
	bool got = false;
	u32 val;

	pvl_wait_begin(&w, lock, PVL_WAITER);
	for (;;) {
		got = trylock(lock);
		if (got || pvl_now() - w.since > pvl_steal_ticks)
			break;
		val = atomic_read(&lock->val);
		if (!pvl_spin_over(&w)) {
			if (val)
				relax_on(lock, val);
			continue;
		}
		if (!pvl_yield_for(lock, val & _Q_LOCKED_MASK) && !pvl_overcommitted())
			break;
		pvl_spin_again(&w);
	}
	pvl_wait_end(&w);
	return got;
}

/*
 * Halt in @node. A halt that begins when the node has been handed over already,
 * and that no kick ends, is a lost wake-up: it must not happen, and tests look
 * for it.
 * Return: whether it ended without a kick, or did not begin.
 */
static bool pvl_halt_node(const struct mcs_spinlock *node, int idx, int halted,
			  struct qspinlock *lock)
{
	u64 since, handed_at;
	bool kicked = pvl_halt(&node->locked, halted, &since);

	if (!since)
		return true;
	pvl_count(PVL_wait);
	if (kicked)
		return false;
	if (smp_load_acquire(&node->locked) != MCS_GO) {
		pvl_yield_for(lock, true);	/* an interrupt is pending: WAIT is of no use */
		return true;
	}
	handed_at = raw_cpu_read(pvl_cpus.handed_at[idx]);
	if (handed_at && handed_at < since)
		pvl_count(PVL_wait_lost);
	return true;
}

/* Stage 3: until our predecessor hands over. */
static void wait_for_predecessor(struct mcs_spinlock *node, u32 tail, u32 prev_tail,
				 struct qspinlock *lock)
{
	int prev = tail_cpu(prev_tail), idx = tail_idx(tail);
	const bool *prev_ours = &per_cpu_ptr(&pvl_cpus, prev)->ours[tail_idx(prev_tail)];
	int halted = MCS_HALTED | smp_processor_id();
	bool unkicked = false;	/* no kick has ended the last halt */
	struct pvl_wait w;
	u32 state;

	pvl_wait_begin(&w, lock, PVL_WAITER);
	while (smp_load_acquire(&node->locked) != MCS_GO) {
		if (!pvl_spin_over(&w)) {
			__cmpwait_relaxed((u32 *)&node->locked, READ_ONCE(node->locked));
			continue;
		}
		pvl_spin_again(&w);
		if (pvl_policy == PVL_UNDIRECTED) {
			pvl_yield_for(lock, true);
			continue;
		}
		state = pvhyp_state(prev);
		if (state == PV_VCPU_RUNNING || state == PV_VCPU_OFF)
			continue;
		/* An NMI could consume the kick of what it interrupts: see kick.c. */
		if (!READ_ONCE(*prev_ours) || in_nmi()) {
			pvl_yield_for(lock, true);
			continue;
		}
		/*
		 * wait_for_predecessor()		hand_over()
		 *   cmpxchg(locked, 0 -> HALTED)	  xchg(locked, GO)
		 *   pvl_halt(): WAIT			  if it was HALTED: KICK
		 * One of the two is first: either the cmpxchg fails, or the
		 * kick comes; kick.c has what happens in between.
		 */
		raw_cpu_write(pvl_cpus.handed_at[idx], 0);
		if (READ_ONCE(node->locked) != halted &&
		    cmpxchg(&node->locked, 0, halted) == MCS_GO)
			continue;
		unkicked = pvl_halt_node(node, idx, halted, lock);
	}
	if (unkicked)
		pvl_count(PVL_wait_unkicked);
	pvl_wait_end(&w);
}

/* Stage 4: until the lock is free of a holder and a pending waiter. */
static u32 wait_for_holder(struct qspinlock *lock)
{
	struct pvl_wait w;
	u32 val;

	pvl_wait_begin(&w, lock, PVL_HEAD);
	while ((val = atomic_read_acquire(&lock->val)) & (_Q_LOCKED_MASK | _Q_PENDING_MASK)) {
		if (!pvl_spin_over(&w)) {
			relax_on(lock, val);
			continue;
		}
		pvl_yield_for(lock, val & _Q_LOCKED_MASK);
		pvl_spin_again(&w);
	}
	pvl_wait_end(&w);
	return val;
}

static void hand_over(struct mcs_spinlock *next)
{
	int was = READ_ONCE(next->locked), cpu = was & ~MCS_HALTED;

	if (was & MCS_HALTED)	/* pvl_halt_node() looks at it after the exchange */
		WRITE_ONCE(per_cpu_ptr(&pvl_cpus, cpu)->handed_at[next - node_of(cpu, 0)], pvl_now());
	was = xchg(&next->locked, MCS_GO);	/* full barrier: see above */
	if (was & MCS_HALTED)
		pvl_kick(was & ~MCS_HALTED);
}

static void lock_queued(struct qspinlock *lock, struct mcs_spinlock *node, u32 tail)
{
	struct mcs_spinlock *next;
	u32 old, val;

	smp_wmb();	/* the node is initialised before others can reach it: xchg_tail */
	old = (u32)xchg_relaxed(&lock->tail, tail >> _Q_TAIL_OFFSET) << _Q_TAIL_OFFSET;
	if (old & _Q_TAIL_MASK) {
		WRITE_ONCE(node_of(tail_cpu(old), tail_idx(old))->next, node);
		wait_for_predecessor(node, tail, old, lock);
	}
	val = wait_for_holder(lock);
	/* The last in the queue clears the tail with the same stroke. */
	if ((val & _Q_TAIL_MASK) == tail &&
	    atomic_try_cmpxchg_relaxed(&lock->val, &val, _Q_LOCKED_VAL))
		return;
	WRITE_ONCE(lock->locked, _Q_LOCKED_VAL);
	while (!(next = READ_ONCE(node->next)))
		cpu_relax();	/* between its xchg_tail and its store to next */
	hand_over(next);
}

static void queue(struct qspinlock *lock)
{
	struct pvl_cpu *c = this_cpu_ptr(&pvl_cpus);
	int cpu = smp_processor_id();
	struct mcs_spinlock *node = node_of(cpu, 0);
	int idx = node->count++;
	u32 tail = encode_tail(cpu, idx);

	pvl_trace_begin(lock, LCB_F_SPIN);
	if (unlikely(idx >= PVL_MAX_NODES)) {	/* as native: a fourth nesting of NMIs */
		while (!trylock(lock))
			cpu_relax();
		pvl_count(PVL_slow_native);
	} else {
		node += idx;
		barrier();	/* count before the node's fields: an interrupt may nest */
		node->locked = 0;
		node->next = NULL;
		WRITE_ONCE(c->ours[idx], true);
		if (!trylock(lock))
			lock_queued(lock, node, tail);
		WRITE_ONCE(c->ours[idx], false);
		pvl_count(PVL_slow_queued);
	}
	pvl_trace_end(lock);
	__this_cpu_dec(pvl_qnodes->count);
}

/**
 * pvl_spin_lock_slowpath() - take a contended queued spinlock.
 * @lock: the lock.
 * @val: its value as the fast path found it.
 *
 * Context: any; preemption is disabled. Replaces queued_spin_lock_slowpath().
 */
void pvl_spin_lock_slowpath(struct qspinlock *lock, u32 val)
{
	pvl_count(PVL_slow);
	if (!(val & ~_Q_LOCKED_MASK) && pending_spin(lock)) {
		pvl_count(PVL_slow_pending);
		return;
	}
	if (pvl_policy == PVL_DIRECTED && pvl_overcommitted() && steal(lock)) {
		pvl_count(PVL_slow_stolen);
		return;
	}
	queue(lock);
}
