// SPDX-License-Identifier: GPL-2.0
/*
 * The optimistic spinners of sleeping locks. Mainline stops them when the
 * owner's vCPU is preempted (vcpu_is_preempted()), but arm64 has no such call:
 * it is always false. These do the same as the functions that they replace,
 * with the answer from the shared page.
 */
#include <linux/mutex.h>
#include <linux/osq_lock.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include <pvkit/compat.h>

#include "pvlock.h"

#ifdef PVK_OSQ_NODE
/* As kernel/locking/osq_lock.c. */
struct optimistic_spin_node {
	struct optimistic_spin_node *next, *prev;
	int locked;		/* 1 if lock acquired */
	int cpu;		/* encoded: CPU + 1 */
};
#endif

struct optimistic_spin_node __percpu *pvl_osq_node;

static struct optimistic_spin_node *osq_decode(int encoded)
{
	return per_cpu_ptr(pvl_osq_node, encoded - 1);
}

/*
 * Get a stable node->next for unlocking or unqueueing: NULL when we were last
 * and have reset the tail to @old_cpu.
 */
static struct optimistic_spin_node *osq_wait_next(struct optimistic_spin_queue *lock,
						  struct optimistic_spin_node *node, int old_cpu)
{
	int curr = smp_processor_id() + 1;

	for (;;) {
		struct optimistic_spin_node *next;

		if (atomic_read(&lock->tail) == curr &&
		    atomic_cmpxchg_acquire(&lock->tail, curr, old_cpu) == curr)
			return NULL;
		if (node->next) {
			next = xchg(&node->next, NULL);
			if (next)
				return next;
		}
		cpu_relax();
	}
}

/* Stop waiting: unlink from a queue whose members move, in three steps. */
static bool osq_unqueue(struct optimistic_spin_queue *lock, struct optimistic_spin_node *node,
			struct optimistic_spin_node *prev)
{
	struct optimistic_spin_node *next;

	/* A: keep prev from passing us, by clearing its next. */
	for (;;) {
		if (data_race(prev->next) == node && cmpxchg(&prev->next, node, NULL) == node)
			break;
		if (smp_load_acquire(&node->locked))	/* too late: it is ours */
			return true;
		cpu_relax();
		prev = READ_ONCE(node->prev);		/* it may be unqueueing too */
	}
	/* B: make our own next stable. */
	next = osq_wait_next(lock, node, prev->cpu);
	if (!next)
		return false;
	/* C: link the two. */
	WRITE_ONCE(next->prev, prev);
	WRITE_ONCE(prev->next, next);
	return false;
}

/**
 * pvl_osq_lock() - queue for the right to spin on a sleeping lock's owner.
 * @lock: the queue.
 *
 * Context: task, preemption disabled. Replaces osq_lock().
 * Return: true if the right was got; false: go to sleep.
 */
bool pvl_osq_lock(struct optimistic_spin_queue *lock)
{
	struct optimistic_spin_node *node = this_cpu_ptr(pvl_osq_node), *prev;
	int curr = smp_processor_id() + 1, old, prev_cpu;

	node->locked = 0;
	node->next = NULL;
	node->cpu = curr;
	old = atomic_xchg(&lock->tail, curr);	/* full: node is set up, acquire if free */
	if (!old)
		return true;
	prev = osq_decode(old);
	node->prev = prev;
	smp_wmb();	/* node->prev before prev->next: pairs with step A elsewhere */
	WRITE_ONCE(prev->next, node);

	for (;;) {
		if (smp_load_acquire(&node->locked))
			return true;
		if (need_resched())
			break;
		prev_cpu = READ_ONCE(READ_ONCE(node->prev)->cpu) - 1;
		if (pvhyp_preempted(prev_cpu)) {
			pvl_count(PVL_osq_preempted);
			break;
		}
		__cmpwait_relaxed((u32 *)&node->locked, 0);
	}
	return osq_unqueue(lock, node, prev);
}

static bool owner_runs(struct task_struct *owner, enum pvl_stat stat)
{
	if (!READ_ONCE(owner->on_cpu))
		return false;
	if (!pvhyp_preempted(task_cpu(owner)))
		return true;
	pvl_count(stat);
	return false;
}

#define MUTEX_FLAGS 0x07

/**
 * pvl_mutex_spin_on_owner() - spin while @owner holds @lock and runs.
 * @lock: the mutex.
 * @owner: its owner, as the caller saw it.
 * @ww_ctx: NULL: the trampoline keeps the others.
 * @waiter: unused.
 *
 * Context: task, preemption disabled, RCU read side. Replaces
 * mutex_spin_on_owner().
 * Return: false: stop spinning and sleep.
 */
bool pvl_mutex_spin_on_owner(struct mutex *lock, struct task_struct *owner,
			     struct ww_acquire_ctx *ww_ctx, struct mutex_waiter *waiter)
{
	while ((struct task_struct *)(atomic_long_read(&lock->owner) & ~MUTEX_FLAGS) == owner) {
		/* owner is only safe to look at after owner is known to hold it */
		barrier();
		if (!owner_runs(owner, PVL_mutex_preempted) || need_resched())
			return false;
		cpu_relax();
	}
	return true;
}

/* As kernel/locking/rwsem.c. */
#define RWSEM_READER_OWNED	BIT(0)
#define RWSEM_NONSPINNABLE	BIT(1)
#define RWSEM_FLAGS		(RWSEM_READER_OWNED | RWSEM_NONSPINNABLE)
#define OWNER_NULL		BIT(0)
#define OWNER_WRITER		BIT(1)
#define OWNER_READER		BIT(2)
#define OWNER_NONSPINNABLE	BIT(3)

static unsigned int owner_state(unsigned long owner)
{
	if (owner & RWSEM_NONSPINNABLE)
		return OWNER_NONSPINNABLE;
	if (owner & RWSEM_READER_OWNED)
		return OWNER_READER;
	return owner ? OWNER_WRITER : OWNER_NULL;
}

/**
 * pvl_rwsem_spin_on_owner() - spin while a writer holds @sem and runs.
 * @sem: the semaphore.
 *
 * Context: task, preemption disabled, RCU read side. Replaces
 * rwsem_spin_on_owner().
 * Return: enum owner_state of kernel/locking/rwsem.c.
 */
unsigned int pvl_rwsem_spin_on_owner(struct rw_semaphore *sem)
{
	unsigned long was = atomic_long_read(&sem->owner), now;
	unsigned int state = owner_state(was);

	if (state != OWNER_WRITER)
		return state;
	for (;;) {
		now = atomic_long_read(&sem->owner);
		if (now != was)
			return owner_state(now);
		barrier();	/* as above */
		if (need_resched() ||
		    !owner_runs((struct task_struct *)(was & ~RWSEM_FLAGS), PVL_rwsem_preempted))
			return OWNER_NONSPINNABLE;
		cpu_relax();
	}
}
