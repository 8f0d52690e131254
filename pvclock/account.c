// SPDX-License-Identifier: GPL-2.0
/*
 * CPU time under a coarse tick. The kernel charges a jiffy per tick to whom the
 * tick interrupts. The jiffies that had no tick are charged here, by the same
 * function of the kernel's: when a tick comes at last, to the task that it
 * finds; and when a task is switched out, those that have passed meanwhile to
 * it. So each task is charged with the jiffies that began while it ran, as with
 * all ticks.
 *
 * A tick also sees whether it was user or system time. A switch does not: then
 * chance decides, by what the ticks of this CPU have seen lately.
 *
 * Stolen time is taken off by the kernel's function, at most a jiffy for each
 * call of it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel_stat.h>
#include <linux/hash.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <asm/irq_regs.h>

#include <pvkit/pvhyp.h>

#include "pvclock.h"

#define MEMORY	64			/* ticks that the share of user mode is of */

static void (*account_jiffy)(struct task_struct *p, int user_tick);

static u64 stolen(void)
{
	return kcpustat_this_cpu->cpustat[CPUTIME_STEAL];
}

/* @n jiffies more to @p, @stolen_ns having been taken off before. */
static void charge(struct task_struct *p, bool user, u64 n, u64 stolen_ns)
{
	n = min_t(u64, n, 2 * PVC_MAX_DIVISOR);		/* a machine that was stopped was not working */
	stolen_ns = div_u64(stolen_ns, TICK_NSEC);
	for (n -= min(n, stolen_ns); n; n--)
		account_jiffy(p, user);
}

void pvc_account_tick(struct pvc_cpu *c, u64 now, u64 stolen_before)
{
	u64 n = now - c->last, was_stolen = stolen() - stolen_before;
	bool user = get_irq_regs() && user_mode(get_irq_regs());

	c->last = now;
	if (is_idle_task(current))	/* idle time is not counted in ticks */
		return;
	c->user += user;
	if (++c->samples == MEMORY) {
		c->samples /= 2;
		c->user /= 2;
	}
	if (n < 2)
		return;
	c->stats.skipped += n - 1;
	/* The kernel has charged one, or if a jiffy and more was stolen, that. */
	charge(current, user, n - 1, was_stolen > TICK_NSEC ? was_stolen - TICK_NSEC : 0);
}

/* @n jiffies to @p: the first call takes all stolen time off. */
static void charge_without_tick(struct pvc_cpu *c, struct task_struct *p, bool user, u64 n)
{
	u64 before = stolen(), was_stolen;

	c->stats.skipped += n;
	account_jiffy(p, user);
	was_stolen = stolen() - before;
	charge(p, user, n - 1, was_stolen > TICK_NSEC ? was_stolen - TICK_NSEC : 0);
}

void pvc_account_now(struct pvc_cpu *c, u64 now)
{
	u64 n = now - c->last;

	c->last = now;
	if (n && !is_idle_task(current))
		charge_without_tick(c, current, get_irq_regs() && user_mode(get_irq_regs()), n);
}

void pvc_account_switch(struct pvc_cpu *c, u64 now, struct task_struct *prev)
{
	u64 n = now - c->last;
	bool user = !(prev->flags & PF_KTHREAD) &&
		(u64)hash_64(now, 16) * (c->samples + 1) < (u64)(c->user + 1) << 16;

	c->stats.charged += n;
	/* The function is for ticks: outside of an interrupt it would count interrupt time. */
	preempt_count_add(HARDIRQ_OFFSET);
	charge_without_tick(c, prev, user, n);
	preempt_count_sub(HARDIRQ_OFFSET);
}

int pvc_account_init(void)
{
	account_jiffy = (void *)pvhyp_look_up("account_process_tick");
	if (account_jiffy)
		return 0;
	pr_err("this kernel does not account CPU time by ticks\n");
	return -EOPNOTSUPP;
}
