// SPDX-License-Identifier: GPL-2.0
/*
 * For test modules, linked with --wrap=pvl_halt: 300 us between the exchange to
 * HALTED and the halt, so that interrupts and kicks come in between.
 */
#include <linux/irqflags.h>

#include "pvlock.h"

bool __real_pvl_halt(const int *state, int halted, u64 *since);
bool __wrap_pvl_halt(const int *state, int halted, u64 *since);

bool __wrap_pvl_halt(const int *state, int halted, u64 *since)
{
	u64 end = pvl_now() + read_sysreg(cntfrq_el0) * 3 / 10000;

	while (!irqs_disabled() && (s64)(pvl_now() - end) < 0)
		cpu_relax();
	return __real_pvl_halt(state, halted, since);
}
