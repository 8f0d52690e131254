// SPDX-License-Identifier: GPL-2.0
/*
 * Ticket lock. The wait loop carries a `yield` hint: under QEMU -icount a
 * pCPU that spins without one starves the holder for ever.
 */
#include "arch/arch.h"
#include "lib/lib.h"

void spin_lock(spinlock_t *lock)
{
	u32 ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	/* Pairs with the release in spin_unlock(). */
	while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket)
		arch_relax();
}

void spin_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->owner, lock->owner + 1, __ATOMIC_RELEASE);
}
