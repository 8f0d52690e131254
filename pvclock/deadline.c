// SPDX-License-Identifier: GPL-2.0
/*
 * Timers of the timer wheel run from the tick. This notes, when one is started,
 * at which of the next 64 jiffies it is due, a bit for each jiffy and CPU: policy
 * auto has a tick for each. Timers further away the wheel itself rounds by an
 * eighth; they wait for the tick that comes anyway.
 *
 * A note does no harm when its timer is gone: the tick comes for nothing.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/sched.h>
#include <linux/timer.h>

#include <pvkit/pvhyp.h>

#include "pvclock.h"

u64 pvc_jiffies_offset;

/* Forget what is past. */
static void advance(struct pvc_cpu *c, u64 now)
{
	u64 n = now - c->due_from;

	if (n >= 64)
		c->due = 0;
	for (; n && c->due; n--)
		c->due &= ~BIT_ULL((now - n) % 64);
	c->due_from = now;
}

u64 pvc_deadline_next(struct pvc_cpu *c, u64 from, u64 to)
{
	u64 due;

	advance(c, from);
	due = ror64(c->due, from % 64);		/* bit 0: @from */
	return due ? min(to, from + __ffs64(due)) : to;
}

/*
 * Interrupts are off and the lock of the CPU's timers is held, maybe the run
 * queue's, too: see hooks.c for what may be called.
 */
static void on_timer_start(void *unused, struct timer_list *timer)
{
	struct pvc_cpu *c = this_cpu_ptr(&pvc_cpus);
	u64 now, at;

	if (!pvc_auto || c->divisor == 1 || timer->flags & TIMER_DEFERRABLE)
		return;
	now = pvc_jiffy(ktime_get());
	/* The wheel rounds up by one. jiffies is an unsigned long, of 64 bits; it may be due already. */
	at = max(timer->expires + 1 - pvc_jiffies_offset, now + 1);
	if (at - now >= 64)
		return;
	advance(c, now);
	c->due |= BIT_ULL(at % 64);
	c->stats.deadline += pvc_tick_forward(c, at);
}

static struct pvc_probe probe = { "timer_start", on_timer_start };

int pvc_deadline_init(void)
{
	u64 until = pvc_jiffy(ktime_get()) + 3, now, offset = 0;

	/* jiffies may lag behind, but is never ahead. */
	do {
		u64 j = get_jiffies_64();

		now = pvc_jiffy(ktime_get());
		if (!offset || (s64)(j - now - offset) > 0)
			offset = j - now;
		cpu_relax();
	} while (now < until);
	pvc_jiffies_offset = offset;
	return pvc_probes_register(&probe, 1);
}

void pvc_deadline_exit(void)
{
	pvc_probes_unregister(&probe, 1);
}
