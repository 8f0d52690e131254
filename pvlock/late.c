// SPDX-License-Identifier: GPL-2.0
/*
 * A deliberately broken halt, for pvlock_late.ko: it does not look at the node
 * again, and interrupts are on. An interrupt handler's own wait can consume the
 * kick before WAIT begins.
 */
#include "pvlock.h"

bool pvl_halt(const int *state, int halted, u64 *since)
{
	*since = pvl_now();
	return pvhyp_wait();
}

void pvl_kick(int cpu)
{
	pvl_count(PVL_kick);
	pvhyp_kick(cpu);
}
