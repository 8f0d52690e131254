// SPDX-License-Identifier: GPL-2.0
/*
 * pvlock: makes the spinlocks of the running kernel paravirtual. The kernel's
 * out-of-line slow paths are redirected by ftrace (redirect.c); see
 * Documentation/pvlock.md for how, and spinlock.c for the algorithm.
 *
 * Every replaced function speaks the protocol of the one it replaces, on the
 * same data. So the switch `enabled` needs no synchronisation, and a CPU that
 * slips past the redirection (ftrace's recursion guard) does no harm.
 */
/* main.o is shared with pvlock_nokick.ko, so no KBUILD_MODNAME here. */
#define pr_fmt(fmt) "pvlock: " fmt

#include <linux/debugfs.h>
#include <linux/ftrace.h>
#include <linux/seq_file.h>
#include <linux/stop_machine.h>

#include <asm-generic/qspinlock_types.h>
#include <pvkit/module.h>

#include "pvlock.h"
#include "trace.h"

unsigned int pvl_policy;
unsigned int pvl_spin_ns = 5000, pvl_steal_us = 10000;
u32 pvl_spin_ticks, pvl_steal_ticks;
static bool enabled = true;
static DEFINE_MUTEX(hooks_mutex);	/* hooks[], and pvl_on with them */
static struct dentry *debugfs;

extern char pvl_tramp_spin[], pvl_tramp_read[], pvl_tramp_write[];
extern char pvl_tramp_osq[], pvl_tramp_mutex[], pvl_tramp_rwsem[];

static struct pvl_hook hooks[] = {
	{ "queued_spin_lock_slowpath", pvl_tramp_spin, pvl_spin_lock_slowpath, .required = true,
	  .needs = "qnodes", .needed = &pvl_qnodes },
	{ "queued_read_lock_slowpath", pvl_tramp_read, pvl_read_lock_slowpath },
	{ "queued_write_lock_slowpath", pvl_tramp_write, pvl_write_lock_slowpath },
#ifndef CONFIG_PREEMPT_RT		/* there all but raw spinlocks sleep */
	{ "osq_lock", pvl_tramp_osq, pvl_osq_lock, .needs = "osq_node", .needed = &pvl_osq_node },
	{ "mutex_spin_on_owner", pvl_tramp_mutex, pvl_mutex_spin_on_owner, .native_if_x2 = true },
	{ "rwsem_spin_on_owner", pvl_tramp_rwsem, pvl_rwsem_spin_on_owner },
#endif
};

/* What the algorithm calls. Where it is missing, the native slow paths are better. */
static bool offered(void)
{
	const u32 needed = PV_FEAT_PAGE | PV_FEAT_YIELD | PV_FEAT_WAIT_KICK;

	return (pvhyp_features() & needed) == needed;
}

static void pvl_event(enum pvhyp_event event)
{
	if (event == PVHYP_RESUME && enabled && !offered())
		pr_warn("no hypervisor with directed yield here any more: switched off\n");
	WRITE_ONCE(pvl_on, event == PVHYP_RESUME && enabled && offered());
}

static struct pvhyp_client client = { .event = pvl_event };

static u32 to_ticks(u64 ns)
{
	return (u32)max_t(u64, 1, div_u64(ns * read_sysreg(cntfrq_el0), NSEC_PER_SEC));
}

static void set_times(void)
{
	pvl_spin_ticks = to_ticks(pvl_spin_ns);
	pvl_steal_ticks = to_ticks((u64)pvl_steal_us * NSEC_PER_USEC);
}

static int set_time(const char *val, const struct kernel_param *kp)
{
	int ret = param_set_uint_minmax(val, kp, 0, 1000000);

	if (!ret)
		set_times();
	return ret;
}

static const struct kernel_param_ops time_ops = { .set = set_time, .get = param_get_uint };
module_param_cb(spin_ns, &time_ops, &pvl_spin_ns, 0644);
MODULE_PARM_DESC(spin_ns, "spin this long before looking at who is preempted, ns, 0-1000000 (5000)");
module_param_cb(steal_us, &time_ops, &pvl_steal_us, 0644);
MODULE_PARM_DESC(steal_us, "try to take the lock unfairly this long before queueing, us, 0-1000000 (10000)");

static int set_enabled(const char *val, const struct kernel_param *kp)
{
	int ret = param_set_bool(val, kp);

	mutex_lock(&hooks_mutex);
	if (!ret && hooks[0].active)
		WRITE_ONCE(pvl_on, enabled && offered());
	mutex_unlock(&hooks_mutex);
	return ret;
}

static const struct kernel_param_ops enabled_ops = { .set = set_enabled, .get = param_get_bool };
module_param_cb(enabled, &enabled_ops, &enabled, 0644);
MODULE_PARM_DESC(enabled, "redirect the slow paths, Y or N, at any time (Y)");

static const char * const policy_names[] = { "directed", "undirected" };

static int set_policy(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(policy_names, val);

	if (i < 0)
		return i;
	WRITE_ONCE(pvl_policy, i);
	return 0;
}

static int get_policy(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", policy_names[pvl_policy]);
}

static const struct kernel_param_ops policy_ops = { .set = set_policy, .get = get_policy };
module_param_cb(policy, &policy_ops, NULL, 0644);
MODULE_PARM_DESC(policy, "directed: the pvlock algorithm; undirected: native with a yield wherever WFE would trap, for comparison (directed)");

static const char * const stat_names[] = {
#define X(name) #name,
	PVL_STATS(X)
#undef X
};

static int stats_show(struct seq_file *m, void *unused)
{
	int i, cpu;

	for (i = 0; i < PVL_NR_STATS; i++) {
		u64 sum = 0;

		for_each_possible_cpu(cpu)
			sum += READ_ONCE(per_cpu_ptr(&pvl_cpus, cpu)->stats[i]);
		seq_printf(m, "%s %llu\n", stat_names[i], sum);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int hooks_show(struct seq_file *m, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		seq_printf(m, "%s %s\n", hooks[i].function,
			   hooks[i].active && pvl_in_place(&hooks[i]) ? "redirected" : "left alone");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(hooks);

static int add_hook(struct pvl_hook *h)
{
	unsigned long addr = pvhyp_look_up(h->function);
	int ret;

	if (!addr)
		return -ENOENT;
	ret = pvl_redirect(h, addr);
	h->active = !ret;
	return ret;
}

#ifndef PVK_CONTENTION_EXPORTED
struct tracepoint *pvl_tp_begin, *pvl_tp_end;

void pvl_trace_init(void)
{
	pvl_tp_begin = pvhyp_tracepoint("contention_begin");
	pvl_tp_end = pvhyp_tracepoint("contention_end");
}
#endif

static int do_nothing(void *unused)
{
	return 0;
}

static void remove_hooks(void)
{
	int i;

	mutex_lock(&hooks_mutex);
	WRITE_ONCE(pvl_on, 0);
	for (i = ARRAY_SIZE(hooks) - 1; i >= 0; i--) {
		struct pvl_hook *h = &hooks[i];

		if (!h->active)
			continue;
		pvl_put_back(h);
		h->active = false;
	}
	mutex_unlock(&hooks_mutex);
	/*
	 * All our code runs with preemption off, so a CPU in it cannot come to
	 * the stopper: afterwards none is left.
	 */
	stop_machine(do_nothing, NULL, NULL);
}

static int add_hooks(void)
{
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct pvl_hook *h = &hooks[i];

		if (h->needs)
			*(void __percpu **)h->needed = pvl_find_nodes(h->needs, h->function);
		ret = h->needs && !*(void __percpu **)h->needed ? -ENOENT : add_hook(h);
		if (!ret)
			continue;
		if (h->required) {
			pr_err("this kernel does not let %s be redirected (%d)\n", h->function, ret);
			return -EOPNOTSUPP;
		}
		pr_info("%s cannot be redirected (%d), left alone\n", h->function, ret);
	}
	return 0;
}

static int __init pvlock_init(void)
{
	int ret;

	if (!offered()) {
		pr_err("no hypervisor with directed yield here\n");
		return -ENODEV;
	}
	set_times();
	pvl_trace_init();
	ret = add_hooks();
	if (!ret)
		ret = pvhyp_client_add(&client);
	if (ret) {
		remove_hooks();
		return ret;
	}
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		pr_info("PREEMPT_RT: raw spinlocks only, the other locks sleep\n");
	debugfs = debugfs_create_dir("pvlock", NULL);
	debugfs_create_file("stats", 0444, debugfs, NULL, &stats_fops);
	debugfs_create_file("hooks", 0444, debugfs, NULL, &hooks_fops);
	mutex_lock(&hooks_mutex);
	WRITE_ONCE(pvl_on, enabled);
	mutex_unlock(&hooks_mutex);
	pr_info("spinlocks are paravirtual%s\n", enabled ? "" : ", switched off");
	return 0;
}

static void __exit pvlock_exit(void)
{
	pvhyp_client_remove(&client);
	remove_hooks();
	debugfs_remove_recursive(debugfs);
}

module_init(pvlock_init);
module_exit(pvlock_exit);
PVKIT_MODULE("paravirtual spinlocks for the running kernel");
