/* SPDX-License-Identifier: GPL-2.0 */
/* One-shot timers of the hypervisor itself, kept by the pCPU that set them. */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include "lib/lib.h"

struct pcpu;

struct timer {
	struct list link;
	struct pcpu *pcpu;		/* whose list it is in, or NULL */
	u64 at;				/* counter */
	void (*fn)(struct timer *t);
	void *arg;
};

void timer_init(struct timer *t, void (*fn)(struct timer *t), void *arg);
/**
 * timer_set - call @t->fn once, on this pCPU, at counter value @at or soon after.
 * If it is set already it keeps its time. Callers may hold locks that fn takes.
 */
void timer_set(struct timer *t, u64 at);
/* The earliest of this pCPU, ~0: none. */
u64 timers_next(struct pcpu *p);
/* Call what is due on this pCPU. */
void timers_run(void);

#endif
