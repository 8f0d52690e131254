// SPDX-License-Identifier: GPL-2.0
/*
 * In a file of its own, so that test modules can be linked with a broken one.
 *
 * The kick belongs to the CPU, not to the queue node, and there is one node for
 * each nested context. A kick for the outer node can come while an interrupt
 * handler waits for another lock; the handler's WAIT consumes it, and returns
 * for no reason. So the outer context looks at its node again before each WAIT,
 * and no interrupt handler may run in between (as in x86's kvm_wait()):
 *
 * pvl_halt()				hand_over()
 *   interrupts off
 *   read state: still halted		  xchg(state, GO)
 *   WAIT				  KICK
 *   interrupts on
 *
 * If the exchange is before the read, there is no WAIT. If it is after it, the
 * kick is after it, too, and nobody but this WAIT can consume it. WAIT returns
 * for interrupts that are masked (abi.h), so none has to wait for a kick.
 *
 * An NMI cannot be kept out; it must not halt (wait_for_predecessor()).
 */
#include <linux/irqflags.h>

#include "pvlock.h"

bool pvl_halt(const int *state, int halted, u64 *since)
{
	unsigned long flags;
	bool kicked = false;

	*since = 0;
	local_irq_save(flags);
	if (READ_ONCE(*state) == halted) {
		*since = pvl_now();
		kicked = pvhyp_wait();
	}
	local_irq_restore(flags);
	return kicked;
}

void pvl_kick(int cpu)
{
	pvl_count(PVL_kick);
	pvhyp_kick(cpu);
}
