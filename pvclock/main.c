// SPDX-License-Identifier: GPL-2.0
/*
 * pvclock: a tick every N jiffies on CPUs that are busy, on the running kernel;
 * see Documentation/pvclock.md for what that means, and tick.c for how. Needs no
 * hypervisor of ours; there is more on it where there is one (slack).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/seq_file.h>
#include <linux/sysfs.h>
#include <linux/tracepoint.h>

#include <pvkit/module.h>
#include <pvkit/pvhyp.h>

#include "pvclock.h"

bool pvc_auto, pvc_slack;
static unsigned int tick_divisor = 4;
static enum cpuhp_state hp_state;

/*
 * sysfs calls the setters from before pvclock_init() until after pvclock_exit(),
 * so each of them asks may_change() first. The mutex comes before
 * cpus_read_lock(); no file is removed under it, as removing waits for setters.
 */
static DEFINE_MUTEX(mutex);
static enum {
	LOADING,		/* parameters are noted only */
	LOADED,			/* they take effect */
	UNLOADING,		/* they are refused */
} life;
static struct dentry *debugfs;

/*
 * What a tick must not be too late for looks at it every few seconds; a tenth
 * of the shortest of these is left to a coarse tick. What the kernel does not
 * tell by name counts as by default.
 */
static const struct {
	const char *symbol;
	const char *what;
	unsigned int usual, factor;	/* s; the limit is so many times its value */
} limits[] = {
	{ "watchdog_thresh", "the soft-lockup detector (kernel.watchdog_thresh)", 10, 2 },
	{ "rcu_cpu_stall_timeout", "RCU's stall detector (rcu_cpu_stall_timeout)", 21, 1 },
};

int pvc_probes_register(struct pvc_probe *p, int n)
{
	int i, ret = 0;

	for (i = 0; i < n && !ret; i++) {
		p[i].tp = pvhyp_tracepoint(p[i].tracepoint);
		if (!p[i].tp)
			pr_err("this kernel has no tracepoint %s\n", p[i].tracepoint);
		ret = p[i].tp ? tracepoint_probe_register(p[i].tp, p[i].function, NULL) : -EOPNOTSUPP;
	}
	if (ret)
		pvc_probes_unregister(p, i - 1);
	return ret;
}

void pvc_probes_unregister(struct pvc_probe *p, int n)
{
	while (n--)
		tracepoint_probe_unregister(p[n].tp, p[n].function, NULL);
	tracepoint_synchronize_unregister();
}

static int check_divisor(unsigned int n)
{
	unsigned int ms = DIV_ROUND_UP(n * (TICK_NSEC / 1000), 1000);
	int i;

	if (!n || n > PVC_MAX_DIVISOR) {
		pr_err("tick_divisor must be 1 to %d, not %u\n", PVC_MAX_DIVISOR, n);
		return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		const int *known = (const int *)pvhyp_look_up(limits[i].symbol);
		int s = known ? READ_ONCE(*known) : limits[i].usual;

		/* 0 or less: it is switched off */
		if (s <= 0 || ms <= s * limits[i].factor * 1000 / 10)
			continue;
		pr_err("a tick every %u ms is too coarse for %s, which waits %u s: at most a tenth\n",
		       ms, limits[i].what, s * limits[i].factor);
		return -EINVAL;
	}
	return 0;
}

/* Locks, unless it returns an error. */
static int may_change(void)
{
	mutex_lock(&mutex);
	if (life != UNLOADING)
		return 0;
	mutex_unlock(&mutex);
	return -ENODEV;
}

static void changed(void)
{
	if (life == LOADED)
		pvc_tick_apply();
	mutex_unlock(&mutex);
}

static int set_divisor(const char *val, const struct kernel_param *kp)
{
	unsigned int n;
	int cpu, ret = kstrtouint(val, 0, &n);

	if (!ret)
		ret = check_divisor(n);
	if (!ret)
		ret = may_change();
	if (ret)
		return ret;
	tick_divisor = n;
	for_each_possible_cpu(cpu)
		WRITE_ONCE(per_cpu_ptr(&pvc_cpus, cpu)->wanted, n);
	changed();
	return 0;
}

static const struct kernel_param_ops divisor_ops = { .set = set_divisor, .get = param_get_uint };
module_param_cb(tick_divisor, &divisor_ops, &tick_divisor, 0644);
MODULE_PARM_DESC(tick_divisor, "a tick every so many jiffies, on all CPUs, 1-64 (4); of one CPU: its directory in sysfs");

static const char * const policy_names[] = { "fixed", "auto" };

static int set_policy(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(policy_names, val), ret;

	if (i < 0)
		return i;
	ret = may_change();
	if (ret)
		return ret;
	WRITE_ONCE(pvc_auto, i);
	changed();
	return 0;
}

static int get_policy(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", policy_names[pvc_auto]);
}

static const struct kernel_param_ops policy_ops = { .set = set_policy, .get = get_policy };
module_param_cb(policy, &policy_ops, NULL, 0644);
MODULE_PARM_DESC(policy, "fixed; or auto: no coarser than what runs allows, that is every jiffy while two tasks want a CPU, and one for each timer of the timer wheel (fixed)");

static int set_slack(const char *val, const struct kernel_param *kp)
{
	bool on;
	int ret = kstrtobool(val, &on);

	if (!ret)
		ret = may_change();
	if (ret)
		return ret;
	/* At load pvclock_init() refuses, and says so. */
	if (on && life == LOADED && !(pvhyp_features() & PV_FEAT_TIMER_SLACK))
		ret = -EOPNOTSUPP;
	else
		WRITE_ONCE(pvc_slack, on);
	changed();
	return ret;
}

static void pvc_event(enum pvhyp_event event)
{
	if (event != PVHYP_RESUME || !pvc_slack || pvhyp_features() & PV_FEAT_TIMER_SLACK)
		return;
	pr_warn("pvtimer: no hypervisor that knows late-tolerant timers here any more: switched off\n");
	WRITE_ONCE(pvc_slack, false);
}

static struct pvhyp_client client = { .event = pvc_event };

static const struct kernel_param_ops slack_ops = { .set = set_slack, .get = param_get_bool };
module_param_cb(pvtimer, &slack_ops, &pvc_slack, 0644);
MODULE_PARM_DESC(pvtimer, "Y: a coarse tick may wait up to half its period for an exit that happens anyway; needs the hypervisor (N)");

/* --- sysfs: cpuN/tick_divisor --- */

static ssize_t tick_divisor_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(per_cpu_ptr(&pvc_cpus, dev->id)->wanted));
}

static ssize_t tick_divisor_store(struct device *dev, struct device_attribute *attr, const char *buf,
				  size_t n)
{
	unsigned int divisor;
	int ret = kstrtouint(buf, 0, &divisor);

	if (!ret)
		ret = check_divisor(divisor);
	if (!ret)
		ret = may_change();
	if (ret)
		return ret;
	WRITE_ONCE(per_cpu_ptr(&pvc_cpus, dev->id)->wanted, divisor);
	changed();
	return n;
}
static DEVICE_ATTR_RW(tick_divisor);

static int add_files(void)
{
	int cpu, ret = 0;

	for_each_possible_cpu(cpu) {
		struct device *dev = get_cpu_device(cpu);

		if (dev && !ret)
			ret = device_create_file(dev, &dev_attr_tick_divisor);
	}
	return ret;
}

static void remove_files(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (get_cpu_device(cpu))
			device_remove_file(get_cpu_device(cpu), &dev_attr_tick_divisor);
}

/* --- debugfs --- */

static int stats_show(struct seq_file *m, void *unused)
{
	int cpu;

	for_each_online_cpu(cpu) {
		const struct pvc_cpu *c = per_cpu_ptr(&pvc_cpus, cpu);

		seq_printf(m, "cpu%d divisor=%u next=%llu", cpu, READ_ONCE(c->divisor),
			   READ_ONCE(c->next));
#define X(name) seq_printf(m, " " #name "=%llu", READ_ONCE(c->stats.name));
		PVC_STATS(X)
#undef X
		seq_putc(m, '\n');
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int online(unsigned int cpu)
{
	pvc_tick_online();
	return 0;
}

static int offline(unsigned int cpu)
{
	pvc_tick_offline();
	return 0;
}

/* In this order, and back in the other. */
static int start(void)
{
	int cpu, ret = check_divisor(tick_divisor);

	if (ret)
		return ret;
	if (pvc_slack && !(pvhyp_features() & PV_FEAT_TIMER_SLACK)) {
		pr_err("pvtimer: no hypervisor that knows late-tolerant timers here\n");
		return -ENODEV;
	}
	for_each_possible_cpu(cpu)
		per_cpu_ptr(&pvc_cpus, cpu)->wanted = tick_divisor;
	ret = pvc_account_init();
	if (!ret)
		ret = pvc_tick_init();
	if (ret)
		return ret;
	ret = pvc_hooks_init();
	if (ret)
		return ret;
	ret = pvc_deadline_init();
	if (ret)
		goto hooks;
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "pvkit/pvclock:online", online, offline);
	if (ret < 0)
		goto deadline;
	hp_state = ret;
	return 0;
deadline:
	pvc_deadline_exit();
hooks:
	pvc_hooks_exit();
	return ret;
}

static void stop(void)
{
	/* No CPU may come or go between the last callback and the last tick. */
	cpus_read_lock();
	cpuhp_remove_state_nocalls_cpuslocked(hp_state);
	pvc_tick_exit();
	cpus_read_unlock();
	pvc_deadline_exit();
	pvc_hooks_exit();
}

/* Parameters end first: nothing takes effect from here on. */
static void pvclock_end(void)
{
	mutex_lock(&mutex);
	life = UNLOADING;
	mutex_unlock(&mutex);
	remove_files();
	stop();
}

static int __init pvclock_init(void)
{
	int ret;

	mutex_lock(&mutex);
	ret = start();
	life = ret ? UNLOADING : LOADED;
	mutex_unlock(&mutex);
	if (ret)
		return ret;
	ret = add_files();
	if (!ret)
		ret = pvhyp_client_add(&client);
	if (ret) {
		pvclock_end();
		return ret;
	}
	debugfs = debugfs_create_dir("pvclock", NULL);
	debugfs_create_file("stats", 0444, debugfs, NULL, &stats_fops);
	pr_info("a tick every %u jiffies%s%s\n", tick_divisor, pvc_auto ? ", auto" : "",
		pvc_slack ? ", with slack" : "");
	return 0;
}

static void __exit pvclock_exit(void)
{
	pvhyp_client_remove(&client);
	debugfs_remove_recursive(debugfs);
	pvclock_end();
}

module_init(pvclock_init);
module_exit(pvclock_exit);
PVKIT_MODULE("a coarse tick that leaves high-resolution timers exact");
