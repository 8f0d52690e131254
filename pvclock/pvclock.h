/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvclock: a coarse tick. tick.c takes the tick's own timer over, hooks.c
 * follows the scheduler and interrupts, account.c charges CPU time that ticks
 * would have, deadline.c knows what a coarse tick must not be late for, main.c
 * is parameters and statistics.
 *
 * Time here is counted in jiffies of CLOCK_MONOTONIC: ktime / TICK_NSEC. The
 * kernel's ticks are due at whole ones.
 */
#ifndef PVCLOCK_H
#define PVCLOCK_H

#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#define PVC_MAX_DIVISOR	64

/* Counters of a CPU; "name" lines in debugfs. */
#define PVC_STATS(X) \
	X(ticks)	/* taken */ \
	X(skipped)	/* jiffies that had no tick of their own while a task ran */ \
	X(charged)	/* of these: charged to the task that was switched out */ \
	X(deadline)	/* ticks brought forward for a timer of the timer wheel */ \
	X(busy)		/* ...because a second task wanted the CPU */ \
	X(idle)		/* ...because the CPU was idle and needed the next */ \
	X(merged)	/* ticks that came early, with another exit */ \
	X(deferred)	/* updates of jiffies left to an irq_work by a context switch */

/*
 * @divisor belongs to its CPU, which changes it with interrupts off, together
 * with @last. It is 1 as long as the CPU's tick is the kernel's: the hooks then
 * leave the CPU alone.
 */
struct pvc_cpu {
	u32 divisor;		/* in effect; 1: as the kernel has it */
	u32 wanted;		/* by the parameters; under pvc_mutex */
	struct hrtimer *tick;	/* the kernel's, for this CPU */
	u64 last;		/* jiffy up to which CPU time is charged */
	u64 seen;		/* jiffy for which this CPU has seen to jiffies */
	u64 next;		/* jiffy of the next tick, as it was set last; if it is past: the next one */
	u64 due;		/* bit n % 64: a timer of the wheel is due at jiffy n, see deadline.c */
	u64 due_from;		/* bits stand for jiffies from here to 63 on */
	u32 user, samples;	/* ticks that found user mode, of all: for account.c */
	call_single_data_t csd;	/* to bring the tick forward from another CPU */
	struct irq_work work;	/* to update jiffies after a context switch */
#define X(name) u64 name;
	struct {
		PVC_STATS(X)
	} stats;
#undef X
};
DECLARE_PER_CPU(struct pvc_cpu, pvc_cpus);

/* --- main.c --- */
extern bool pvc_auto, pvc_slack;

struct pvc_probe {
	const char *tracepoint;
	void *function;
	struct tracepoint *tp;
};
/* All or none; -EOPNOTSUPP, and a line that says it, if the kernel lacks one. */
int pvc_probes_register(struct pvc_probe *p, int n);
/* None of them runs when it returns. */
void pvc_probes_unregister(struct pvc_probe *p, int n);

/* --- tick.c --- */
int pvc_tick_init(void);
/* No CPU comes or goes meanwhile. All ticks are the kernel's when it returns. */
void pvc_tick_exit(void);
/* On every CPU that is online: what pvc_cpu.wanted says holds from now on. */
void pvc_tick_apply(void);
/* This CPU has come online. */
void pvc_tick_online(void);
/* This CPU goes offline. */
void pvc_tick_offline(void);
/*
 * On this CPU, interrupts off: have the tick at jiffy @at, if it would be later.
 * Return: whether it was moved.
 */
bool pvc_tick_forward(struct pvc_cpu *c, u64 at);
/* Interrupts are off, and no run queue is locked: jiffies is right afterwards. */
void pvc_catch_up(struct pvc_cpu *c, ktime_t time);

/* --- hooks.c --- */
int pvc_hooks_init(void);
void pvc_hooks_exit(void);

/* --- account.c --- */
int pvc_account_init(void);
/* The tick at @now has been charged as one jiffy, with this much stolen before it. */
void pvc_account_tick(struct pvc_cpu *c, u64 now, u64 stolen_before);
/* In an interrupt: charge the current task up to @now, without a tick. */
void pvc_account_now(struct pvc_cpu *c, u64 now);
/* @prev leaves this CPU. */
void pvc_account_switch(struct pvc_cpu *c, u64 now, struct task_struct *prev);

/* --- deadline.c --- */
extern u64 pvc_jiffies_offset;		/* jiffies64 - ktime / TICK_NSEC */
int pvc_deadline_init(void);
void pvc_deadline_exit(void);
/* The first jiffy from @from on, before @to, for which a timer is due; else @to. */
u64 pvc_deadline_next(struct pvc_cpu *c, u64 from, u64 to);

static inline u64 pvc_jiffy(ktime_t t)
{
	return div_u64(t, TICK_NSEC);
}

#endif
