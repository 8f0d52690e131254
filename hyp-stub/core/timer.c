// SPDX-License-Identifier: GPL-2.0
#include "core/core.h"
#include "core/timer.h"

void timer_init(struct timer *t, void (*fn)(struct timer *t), void *arg)
{
	list_init(&t->link);
	t->pcpu = NULL;
	t->fn = fn;
	t->arg = arg;
}

void timer_set(struct timer *t, u64 at)
{
	struct pcpu *p = this_pcpu(), *none = NULL;

	if (!__atomic_compare_exchange_n(&t->pcpu, &none, p, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	t->at = at;
	spin_lock(&p->timers_lock);
	list_add_tail(&p->timers, &t->link);
	spin_unlock(&p->timers_lock);
	sched_timer_changed();
}

u64 timers_next(struct pcpu *p)
{
	u64 at = ~0ULL;
	struct list *l;

	if (list_empty(&p->timers))
		return at;
	spin_lock(&p->timers_lock);
	list_for_each(l, &p->timers)
		at = MIN(at, container_of(l, struct timer, link)->at);
	spin_unlock(&p->timers_lock);
	return at;
}

void timers_run(void)
{
	struct pcpu *p = this_pcpu();
	struct list *l, *tmp, due;
	u64 now = arch_counter();

	if (list_empty(&p->timers))
		return;
	list_init(&due);
	spin_lock(&p->timers_lock);
	list_for_each_safe(l, tmp, &p->timers) {
		if (container_of(l, struct timer, link)->at <= now) {
			list_del(l);
			list_add_tail(&due, l);
		}
	}
	spin_unlock(&p->timers_lock);
	list_for_each_safe(l, tmp, &due) {
		struct timer *t = container_of(l, struct timer, link);

		list_del(l);
		__atomic_store_n(&t->pcpu, NULL, __ATOMIC_RELEASE);	/* it may be set again */
		t->fn(t);
	}
}
