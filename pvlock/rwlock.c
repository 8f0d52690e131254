// SPDX-License-Identifier: GPL-2.0
/*
 * Queued rwlocks: kernel/locking/qrwlock.c's protocol, with its unbounded
 * spins on the lock word replaced by pvl_wait. Its queue is the spinlock
 * wait_lock, which comes to our slow path by itself.
 */
#include <linux/hardirq.h>
#include <linux/spinlock.h>

#include "pvlock.h"
#include "trace.h"

/* Wait until none of @bits is set in the lock word; returns it. */
static u32 wait_clear(struct qrwlock *lock, u32 bits)
{
	struct pvl_wait w;
	u32 val;

	pvl_wait_begin(&w, lock, PVL_WAITER);
	while ((val = atomic_read_acquire(&lock->cnts)) & bits) {
		if (!pvl_spin_over(&w)) {
			__cmpwait_relaxed((u32 *)&lock->cnts.counter, val);
			continue;
		}
		pvl_yield_for(lock, true);
		pvl_spin_again(&w);
	}
	pvl_wait_end(&w);
	return val;
}

/**
 * pvl_read_lock_slowpath() - take a queued rwlock for reading.
 * @lock: the lock, with our reader count already in it.
 *
 * Context: any; preemption is disabled. Replaces queued_read_lock_slowpath().
 */
void pvl_read_lock_slowpath(struct qrwlock *lock)
{
	pvl_count(PVL_read);
	if (unlikely(in_interrupt())) {
		/* Readers in interrupts do not queue: they wait for writers only. */
		wait_clear(lock, _QW_LOCKED);
		return;
	}
	atomic_sub(_QR_BIAS, &lock->cnts);
	pvl_trace_begin(lock, LCB_F_SPIN | LCB_F_READ);
	arch_spin_lock(&lock->wait_lock);
	atomic_add(_QR_BIAS, &lock->cnts);
	wait_clear(lock, _QW_LOCKED);
	arch_spin_unlock(&lock->wait_lock);
	pvl_trace_end(lock);
}

/**
 * pvl_write_lock_slowpath() - take a queued rwlock for writing.
 * @lock: the lock.
 *
 * Context: any; preemption is disabled. Replaces queued_write_lock_slowpath().
 */
void pvl_write_lock_slowpath(struct qrwlock *lock)
{
	u32 cnts = 0;

	pvl_count(PVL_write);
	pvl_trace_begin(lock, LCB_F_SPIN | LCB_F_WRITE);
	arch_spin_lock(&lock->wait_lock);
	if (!atomic_read(&lock->cnts) &&
	    atomic_try_cmpxchg_acquire(&lock->cnts, &cnts, _QW_LOCKED))
		goto unlock;
	atomic_or(_QW_WAITING, &lock->cnts);	/* keeps new readers out */
	do {
		cnts = wait_clear(lock, ~(u32)_QW_WAITING);
	} while (!atomic_try_cmpxchg_acquire(&lock->cnts, &cnts, _QW_LOCKED));
unlock:
	arch_spin_unlock(&lock->wait_lock);
	pvl_trace_end(lock);
}
