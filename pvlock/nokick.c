// SPDX-License-Identifier: GPL-2.0
/*
 * A deliberately broken hand-over, for pvlock_nokick.ko: the kick is lost. What ends
 * a wait then is the next interrupt; but one that waits in its timer interrupt, with no
 * timer set, would have none, and the guest would hang. So it is 10 ms here.
 */
#include "pvlock.h"

bool pvl_halt(const int *state, int halted, u64 *since)
{
	u64 end = pvl_now() + read_sysreg(cntfrq_el0) / 100;

	*since = pvl_now();
	do
		pvhyp_yield();
	while ((s64)(pvl_now() - end) < 0);
	return false;
}

void pvl_kick(int cpu)
{
	pvl_count(PVL_kick);
}
