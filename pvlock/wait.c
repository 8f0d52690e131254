// SPDX-License-Identifier: GPL-2.0
/*
 * How long to spin, and whom to give the CPU when spinning is in vain.
 *
 * The holder of a lock taken by the inlined fast path is not recorded
 * anywhere. But it must be a vCPU that was preempted in the kernel, or it
 * would be about to unlock; and if it waits for a lock itself, it is less
 * likely the one. A wrong guess costs one switch: the chosen vCPU does its own
 * work for a part of our slice, and the next choice is another one.
 */
#include <linux/cpumask.h>
#include <linux/smp.h>

#include "pvlock.h"

DEFINE_PER_CPU(struct pvl_cpu, pvl_cpus);

/* When a preempted vCPU was last seen (CNTVCT): see pvl_overcommitted(). */
static u64 seen_preempted;

#define OVERCOMMIT_SLICES 4

/* Publish what this CPU waits for. Preemption is off, interrupts may come. */
void pvl_wait_begin(struct pvl_wait *w, const void *lock, enum pvl_role role)
{
	struct pvl_cpu *c = this_cpu_ptr(&pvl_cpus);

	w->outer_lock = c->lock;
	w->outer_role = c->role;
	WRITE_ONCE(c->lock, lock);
	WRITE_ONCE(c->role, role);
	w->since = pvl_now();
	w->spin_until = w->since + pvl_spin_ticks;
}

void pvl_wait_role(enum pvl_role role)
{
	WRITE_ONCE(this_cpu_ptr(&pvl_cpus)->role, role);
}

void pvl_wait_end(struct pvl_wait *w)
{
	struct pvl_cpu *c = this_cpu_ptr(&pvl_cpus);

	WRITE_ONCE(c->role, w->outer_role);
	WRITE_ONCE(c->lock, w->outer_lock);
}

bool pvl_spin_over(const struct pvl_wait *w)
{
	return pvl_policy == PVL_UNDIRECTED || (s64)(pvl_now() - w->spin_until) >= 0;
}

void pvl_spin_again(struct pvl_wait *w)
{
	w->spin_until = pvl_now() + pvl_spin_ticks;
}

/*
 * Has any waiter seen a preempted vCPU lately? One load: where vCPUs have a
 * pCPU each, nobody ever pays for looking at all the states.
 */
bool pvl_overcommitted(void)
{
	u64 seen = READ_ONCE(seen_preempted);

	return seen && pvl_now() - seen < (u64)OVERCOMMIT_SLICES * pvl_steal_ticks;
}

/*
 * The best vCPU to run instead of us, waiting for @lock (NULL: just any); -1:
 * none is preempted.
 * @locked: somebody holds it. If not, it is free for the owner of the pending
 * bit or the head of the queue, and that one is what we wait for.
 */
static int choose(const void *lock, bool locked)
{
	struct pvl_cpu *me = this_cpu_ptr(&pvl_cpus);
	int self = smp_processor_id(), n = nr_cpu_ids, i;
	int idle_holder = -1, other_holder = -1, next_owner = -1;
	bool any = false;

	for (i = 0; i < n; i++) {
		int cpu = (me->scan + i) % n;
		const struct pvl_cpu *c;

		if (cpu == self || !cpu_online(cpu))
			continue;
		c = per_cpu_ptr(&pvl_cpus, cpu);
		switch (pvhyp_state(cpu)) {
		case PV_VCPU_PREEMPTED_KERNEL:
			any = true;
			if (lock && READ_ONCE(c->lock) == lock) {
				if (READ_ONCE(c->role) >= PVL_PENDING && next_owner < 0)
					next_owner = cpu;
			} else if (READ_ONCE(c->role) == PVL_NONE) {
				if (idle_holder < 0)
					idle_holder = cpu;
			} else if (other_holder < 0) {
				other_holder = cpu;
			}
			break;
		case PV_VCPU_PREEMPTED_USER:
			any = true;
			break;
		}
	}
	if (any)
		WRITE_ONCE(seen_preempted, pvl_now());
	if (!locked && next_owner >= 0)
		return next_owner;
	i = idle_holder >= 0 ? idle_holder : other_holder >= 0 ? other_holder : next_owner;
	if (i >= 0)
		me->scan = i + 1;
	return i;
}

bool pvl_somebody_preempted(void)
{
	return choose(NULL, true) >= 0;
}

/*
 * Spinning for @lock is in vain: let the vCPU run that we wait for. False:
 * nobody is preempted, so the holder runs and spinning is right.
 */
bool pvl_yield_for(const void *lock, bool locked)
{
	int cpu = pvl_policy == PVL_UNDIRECTED ? -1 : choose(lock, locked);

	if (cpu >= 0 && pvhyp_yield_to(cpu) == PV_SUCCESS) {
		pvl_count(PVL_yield_to);
	} else if (cpu >= 0 || pvl_policy == PVL_UNDIRECTED) {
		pvl_count(PVL_yield);
		pvhyp_yield();
	} else {
		return false;
	}
	return true;
}
