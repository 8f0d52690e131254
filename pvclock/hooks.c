// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's events that a coarse tick has to know of: switches and wake-ups
 * of tasks, interrupts of devices, and a CPU that goes idle.
 *
 * What a hook may call depends on the locks that its caller holds. None may
 * wake a task, queue work, or update the timekeeper from under a run queue's
 * lock: at a leap second the timekeeper queues work, whose wake-up takes that
 * lock again.
 *
 *	hook			caller holds		calls
 *	coarse_tick()		nothing (interrupt)	update_jiffies
 *	on_irq()		nothing (interrupt)	update_jiffies
 *	catch_up_work()		nothing (interrupt)	update_jiffies
 *	share(), by an IPI	nothing (interrupt)	hrtimer_start
 *	on_idle()		nothing			hrtimer_start
 *	on_switch()		run queue		account_process_tick,
 *				irq_work_queue, hrtimer_start
 *	on_wakeup()		run queue, of any CPU	hrtimer_start,
 *				smp_call_function_single_async to other CPUs
 *	on_timer_start()	timer base, and maybe	hrtimer_start
 *	(deadline.c)		a run queue (PSI)
 *
 * hrtimer_start() is allowed there: the tick expires in hard interrupts, so it
 * takes the hrtimer base's lock only and raises no softirq. The scheduler does
 * the same under the same lock (hrtick_start(), start_dl_timer()).
 * irq_work_queue() and smp_call_function_single_async() add to a lockless list
 * and send an IPI. account_process_tick() only adds to counters, and takes a
 * cgroup's per-CPU statistics lock, as update_curr() does under the same lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/sched.h>
#include <linux/sched/rt.h>
#include <linux/sched/stat.h>
#include <trace/events/power.h>

#include "pvclock.h"

static void catch_up_work(struct irq_work *work)
{
	pvc_catch_up(this_cpu_ptr(&pvc_cpus), ktime_get());
}

/*
 * The same from a context switch: as soon as interrupts are on again, before
 * the next task goes on. An interrupt or another CPU has mostly done it already.
 */
static void catch_up_after_switch(struct pvc_cpu *c, u64 now)
{
	if (now == c->seen || (s64)(now + pvc_jiffies_offset - get_jiffies_64()) <= 0)
		return;
	if (irq_work_queue(&c->work))
		c->stats.deferred++;
}

/* No NMI: these are per-CPU interrupts. */
static void on_irq(void *unused, int irq, struct irqaction *action)
{
	struct pvc_cpu *c = this_cpu_ptr(&pvc_cpus);

	if (c->divisor > 1 && !(action->flags & IRQF_PERCPU))
		pvc_catch_up(c, ktime_get());
}

/* Tasks change on this CPU: charge prev with the jiffies that had no tick. */
static void on_switch(void *unused, bool preempt, struct task_struct *prev,
		      struct task_struct *next, unsigned int prev_state)
{
	struct pvc_cpu *c = this_cpu_ptr(&pvc_cpus);
	ktime_t time;
	u64 now;

	if (c->divisor == 1)
		return;
	time = ktime_get();
	if (time < (c->last + 1) * TICK_NSEC && !pvc_auto)
		return;
	now = pvc_jiffy(time);
	/* An idle CPU reads the clock itself, and updates jiffies when it stops being idle. */
	if (!is_idle_task(next) && (pvc_auto || !rt_task(next)))
		catch_up_after_switch(c, now);
	if (now != c->last) {
		if (!is_idle_task(prev))
			pvc_account_switch(c, now, prev);
		c->last = now;
	}
	if (pvc_auto && c->next > now + 1 && !is_idle_task(next) && !single_task_running())
		c->stats.busy += pvc_tick_forward(c, now + 1);
}

/*
 * The CPU goes idle, and the kernel has decided about its tick. If it has kept
 * it, since RCU or a timer needs it at the next jiffy, then there it must be.
 */
static void on_idle(void *unused, unsigned int state, unsigned int cpu)
{
	struct pvc_cpu *c = this_cpu_ptr(&pvc_cpus);

	if (state != PWR_EVENT_EXIT && c->divisor > 1)
		c->stats.idle += pvc_tick_forward(c, pvc_jiffy(ktime_get()) + 1);
}

/* A task has become runnable on this CPU, under policy auto. */
static void share(void *unused)
{
	struct pvc_cpu *c = this_cpu_ptr(&pvc_cpus);

	if (pvc_auto && !is_idle_task(current))
		c->stats.busy += pvc_tick_forward(c, pvc_jiffy(ktime_get()) + 1);
}

/* A task is woken, on whatever CPU; interrupts are off. */
static void on_wakeup(void *unused, struct task_struct *p)
{
	int cpu = task_cpu(p);
	struct pvc_cpu *c = per_cpu_ptr(&pvc_cpus, cpu);

	if (!pvc_auto || READ_ONCE(c->divisor) == 1)
		return;
	if (cpu == smp_processor_id())
		share(NULL);
	else if (READ_ONCE(c->next) > pvc_jiffy(ktime_get()) + 1)
		smp_call_function_single_async(cpu, &c->csd);	/* -EBUSY: one is on its way */
}

static struct pvc_probe probes[] = {
	{ "sched_switch", on_switch },
	{ "sched_wakeup", on_wakeup },
	{ "irq_handler_entry", on_irq },
	{ "cpu_idle", on_idle },
};

int pvc_hooks_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct pvc_cpu *c = per_cpu_ptr(&pvc_cpus, cpu);

		c->work = IRQ_WORK_INIT_HARD(catch_up_work);
		INIT_CSD(&c->csd, share, NULL);
	}
	return pvc_probes_register(probes, ARRAY_SIZE(probes));
}

/* What was sent to this CPU before has run. */
static void wait_for_csd(void *unused)
{
}

void pvc_hooks_exit(void)
{
	int cpu;

	pvc_probes_unregister(probes, ARRAY_SIZE(probes));
	on_each_cpu(wait_for_csd, NULL, 1);
	for_each_possible_cpu(cpu)
		irq_work_sync(&per_cpu_ptr(&pvc_cpus, cpu)->work);
}
