// SPDX-License-Identifier: GPL-2.0
/* In a file of its own, so that a test module can be linked without kicks. */
#include "pvlock.h"

bool pvl_halt(void)
{
	return pvhyp_wait();
}

void pvl_kick(int cpu)
{
	pvl_count(PVL_kick);
	pvhyp_kick(cpu);
}
