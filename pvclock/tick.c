// SPDX-License-Identifier: GPL-2.0
/*
 * The tick of a CPU is a timer of its own (tick_sched.sched_timer), which its
 * handler sets one jiffy forward each time. Here the handler is wrapped: after
 * it has run, the expiry goes on to the next multiple of the divisor. So the
 * timer code always knows the true next expiry, and other timers keep their
 * precision; doing it behind the timer code's back, in a clock event device,
 * would make them late.
 *
 * Multiples are counted from another jiffy on each CPU, so that vCPUs do not
 * tick all at once. When the CPU goes idle, or leaves the tick out altogether
 * (NO_HZ_FULL), the kernel stops and restarts this same timer, as ever.
 *
 * With slack the timer may fire up to half of its period late; in between, the
 * hypervisor lets it fire with any other exit (abi.h: timer_early).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/stat.h>
#include <linux/kernel_stat.h>
#include <linux/tick.h>

#include <pvkit/pvhyp.h>

#include "pvclock.h"

DEFINE_PER_CPU(struct pvc_cpu, pvc_cpus);

/* The kernel's handler: until 6.8, and since. The former is tried first, for
 * before 6.9 the other name is a different function's. */
static const char * const handler_names[] = { "tick_sched_timer", "tick_nohz_handler" };
static enum hrtimer_restart (*kernel_handler)(struct hrtimer *timer);
static void (*update_jiffies)(ktime_t now);
static bool (*tick_stopped)(void);		/* this CPU's, by the kernel */
static struct hrtimer *found;			/* of CPU found_on */
static int found_on;

/* From which jiffy on a CPU's multiples are counted. */
static u32 phase(u32 divisor)
{
	return (u32)((u64)smp_processor_id() * divisor / num_online_cpus());
}

/* The first coarse jiffy at or after @at. */
static u64 round_to_coarse(u64 at, u32 divisor)
{
	u32 rest;

	div_u64_rem(at + divisor - phase(divisor) % divisor, divisor, &rest);
	return rest ? at + divisor - rest : at;
}

static void tell_slack(u64 early_ns, u64 late_ns)
{
	struct pv_vcpu_page *page;
	u64 freq = read_sysreg(cntfrq_el0), now = read_sysreg(cntvct_el0);
	s64 base = ktime_get();

	if (!(pvhyp_features() & PV_FEAT_TIMER_SLACK))
		return;
	page = this_cpu_ptr(&pvhyp_cpus)->page;
	WRITE_ONCE(page->timer_early, 0);
	if (late_ns == early_ns)
		return;
	/* Some counts more at the end: the timer code rounds, and reads the clock at another time. */
	WRITE_ONCE(page->timer_late,
		   now + mul_u64_u64_div_u64(late_ns - base + 10 * NSEC_PER_USEC, freq, NSEC_PER_SEC));
	WRITE_ONCE(page->timer_early, now + mul_u64_u64_div_u64(early_ns - base, freq, NSEC_PER_SEC));
}

/* Where the tick goes from jiffy @now. */
static u64 next_tick(struct pvc_cpu *c, u64 now)
{
	u64 next = round_to_coarse(now + 1, c->divisor), deadline;

	if (!pvc_auto || next == now + 1)
		return next;
	if (is_idle_task(current)) {
		c->stats.idle++;
		return now + 1;
	}
	if (!single_task_running()) {
		c->stats.busy++;
		return now + 1;
	}
	deadline = pvc_deadline_next(c, now + 1, next);
	if (deadline != next)
		c->stats.deadline++;
	return deadline;
}

/*
 * Bring jiffies up to date before anyone else reads it: in a device interrupt,
 * before timers run, and at a context switch. A task that only computes does
 * not update it. A real-time task waits for the update under policy auto only.
 *
 * Not from a hook that runs under a run queue's lock: see hooks.c.
 */
/* __nocfi: the compiler sees no pointer to this static function, so it has no type. */
void __nocfi pvc_catch_up(struct pvc_cpu *c, ktime_t time)
{
	if (time < (c->seen + 1) * TICK_NSEC)
		return;
	c->seen = pvc_jiffy(time);
	update_jiffies(time);
}

static enum hrtimer_restart coarse_tick(struct hrtimer *timer)
{
	struct pvc_cpu *c = this_cpu_ptr(&pvc_cpus);
	u64 stolen = kcpustat_this_cpu->cpustat[CPUTIME_STEAL], now, slack = 0;
	ktime_t time = ktime_get();
	bool early = time < hrtimer_get_expires(timer);
	u32 divisor = c->divisor;

	/* The kernel leaves it to one CPU, whose tick may be coarse, too. */
	if (divisor > 1)
		pvc_catch_up(c, time);
	/* The kernel has stopped it, and will start it again where it was: c->next, or the next jiffy. */
	if (kernel_handler(timer) != HRTIMER_RESTART)
		return HRTIMER_NORESTART;
	c->stats.ticks++;
	c->stats.merged += early;
	now = pvc_jiffy(ktime_get());
	if (divisor > 1)
		pvc_account_tick(c, now, stolen);
	c->next = divisor > 1 ? next_tick(c, now) : now + 1;
	if (pvc_slack && c->next > now + 1)
		slack = (c->next - now) / 2 * TICK_NSEC;
	hrtimer_set_expires_range_ns(timer, c->next * TICK_NSEC, slack);
	if (pvc_slack)
		tell_slack(c->next * TICK_NSEC, c->next * TICK_NSEC + slack);
	return HRTIMER_RESTART;
}

bool pvc_tick_forward(struct pvc_cpu *c, u64 at)
{
	if (c->tick->function != coarse_tick || c->next <= at || !hrtimer_active(c->tick))
		return false;
	/* The tick is stopped: tick_sched owns the timer, and warns if its expiry changes. */
	if (tick_stopped())
		return false;
	c->next = at;
	hrtimer_start(c->tick, at * TICK_NSEC, HRTIMER_MODE_ABS_PINNED_HARD);
	return true;
}

/* On each CPU, interrupts off. */
static void apply(void *unused)
{
	struct pvc_cpu *c = this_cpu_ptr(&pvc_cpus);
	struct hrtimer *tick = c->tick;
	u64 now = pvc_jiffy(ktime_get());

	if (c->divisor > 1)
		pvc_account_now(c, now);
	c->last = now;
	if (tick->function == kernel_handler)
		tick->function = coarse_tick;
	WRITE_ONCE(c->divisor, tick->function == coarse_tick ? c->wanted : 1);
	if (pvhyp_features() & PV_FEAT_TIMER_SLACK)
		WRITE_ONCE(this_cpu_ptr(&pvhyp_cpus)->page->timer_early, 0);
	pvc_tick_forward(c, now + 1);	/* which decides anew */
}

void pvc_tick_apply(void)
{
	on_each_cpu(apply, NULL, 1);
}

static void set_tick_of(int cpu)
{
	per_cpu_ptr(&pvc_cpus, cpu)->tick =
		(void *)found - per_cpu_offset(found_on) + per_cpu_offset(cpu);
}

void pvc_tick_online(void)
{
	unsigned long flags;
	int ms = 1000;

	/* It begins in low resolution, without the timer, and soon goes over. */
	while (READ_ONCE(this_cpu_ptr(&pvc_cpus)->tick->function) != kernel_handler && --ms)
		msleep(1);
	if (!ms)
		pr_warn("CPU %d has no high-resolution tick: left alone\n", smp_processor_id());
	local_irq_save(flags);
	this_cpu_ptr(&pvc_cpus)->next = 0;
	apply(NULL);
	local_irq_restore(flags);
}

/* Its tick ends with it; the next one is the kernel's until pvc_tick_online(). */
void pvc_tick_offline(void)
{
	struct pvc_cpu *c = this_cpu_ptr(&pvc_cpus);
	unsigned long flags;

	local_irq_save(flags);
	WRITE_ONCE(c->divisor, 1);
	pvc_tick_forward(c, pvc_jiffy(ktime_get()) + 1);
	local_irq_restore(flags);
}

/* --- finding the timers --- */

static int catch(struct kprobe *kp, struct pt_regs *regs)
{
	struct hrtimer *timer = (void *)regs->regs[0];

	if (!READ_ONCE(found) && timer->function == (void *)kp->addr) {
		found_on = smp_processor_id();
		WRITE_ONCE(found, timer);
	}
	return 0;
}

static int find_tick(void)
{
	struct kprobe kp = { .pre_handler = catch };
	u64 until;
	int i, ret = -ENOENT;

	for (i = 0; i < ARRAY_SIZE(handler_names) && ret; i++) {
		if (!pvhyp_look_up(handler_names[i]))
			continue;
		kp.symbol_name = handler_names[i];
		ret = register_kprobe(&kp);
	}
	if (ret) {
		pr_err("this kernel has no tick handler that we know (%d)\n", ret);
		return -EOPNOTSUPP;
	}
	kernel_handler = (void *)kp.addr;
	until = local_clock() + NSEC_PER_SEC;
	while (!READ_ONCE(found) && local_clock() < until)
		cpu_relax();		/* busy, so that this CPU ticks */
	unregister_kprobe(&kp);
	if (found)
		return 0;
	pr_err("no tick has come for a second: are there high-resolution timers?\n");
	return -EOPNOTSUPP;
}

int pvc_tick_init(void)
{
	int cpu, ret = find_tick();

	if (ret)
		return ret;
	for_each_possible_cpu(cpu) {	/* one that comes later goes idle before it calls us */
		per_cpu_ptr(&pvc_cpus, cpu)->divisor = 1;
		set_tick_of(cpu);
	}
	for_each_online_cpu(cpu) {
		if (per_cpu_ptr(&pvc_cpus, cpu)->tick->function == kernel_handler)
			continue;
		pr_err("the tick of CPU %d is not where it should be\n", cpu);
		return -EOPNOTSUPP;
	}
	update_jiffies = (void *)pvhyp_look_up("tick_do_update_jiffies64");
	tick_stopped = (void *)pvhyp_look_up("tick_nohz_tick_stopped");
	if (!update_jiffies || !tick_stopped) {
		pr_err("this kernel has no %s() to be called\n",
		       update_jiffies ? "tick_nohz_tick_stopped" : "tick_do_update_jiffies64");
		return -EOPNOTSUPP;
	}
	return 0;
}

static void end_coarse(void *unused)
{
	this_cpu_ptr(&pvc_cpus)->wanted = 1;
	apply(NULL);
}

static void put_back(void *unused)
{
	struct hrtimer *tick = this_cpu_ptr(&pvc_cpus)->tick;

	if (tick->function == coarse_tick)
		tick->function = kernel_handler;
}

void pvc_tick_exit(void)
{
	u64 now = pvc_jiffy(ktime_get()), last = now;
	int cpu;

	on_each_cpu(end_coarse, NULL, 1);
	/* Up to then the kernel may start an idle CPU's tick again where ours was to be. */
	for_each_possible_cpu(cpu)
		last = max(last, READ_ONCE(per_cpu_ptr(&pvc_cpus, cpu)->next));
	msleep(jiffies_to_msecs(last - now));
	on_each_cpu(put_back, NULL, 1);	/* none is in coarse_tick() now: it runs with interrupts off */
}
