// SPDX-License-Identifier: GPL-2.0
/*
 * When a kick becomes an exit. A driver's kick rings a doorbell, two bits in
 * the page of the vCPU that it runs on; the hypervisor drains the doorbells of
 * a vCPU at each of its exits. What may be left to "the next exit":
 *
 * - It comes by itself when the CPU goes idle: WFI is an exit. A task that
 *   waits for its request lets the CPU go idle, or another task have it; for
 *   that case the doorbells are flushed when it is switched out.
 * - It comes within max_delay_us in any case: the hypervisor sees to it, and
 *   says so in page->deferring. While that is 0, the kick is sent.
 * - A ring that is nearly full is not made to wait.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/sched.h>
#include <linux/tracepoint.h>

#include <pvkit/pvhyp.h>

#include "virtio_pv.h"

const char * const pv_policy_names[NR_POLICIES] = { "immediate", "piggyback", "poll", "adaptive" };
enum policy pv_default_policy = POLICY_ADAPTIVE;
static unsigned int max_delay_us = 200;
static DEFINE_MUTEX(policy_mutex);
static struct tracepoint *sched_switch;

static int set_default(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(pv_policy_names, val);

	if (i < 0)
		return i;
	pv_default_policy = i;
	return 0;
}

static int get_default(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", pv_policy_names[pv_default_policy]);
}

static const struct kernel_param_ops default_ops = { .set = set_default, .get = get_default };
module_param_cb(policy, &default_ops, NULL, 0644);
MODULE_PARM_DESC(policy, "of devices bound from now on: immediate, piggyback, poll or adaptive (adaptive); a device's own is in its directory in sysfs");

static int set_max_delay(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 20, PV_MAX_DELAY_US);
}

static const struct kernel_param_ops max_delay_ops = { .set = set_max_delay, .get = param_get_uint };
module_param_cb(max_delay_us, &max_delay_ops, &max_delay_us, 0644);
MODULE_PARM_DESC(max_delay_us, "longest that a kick may be put off, us, 20-10000 (200)");

/* Exit, for @queues of a device and for all doorbells of this CPU. */
static void notify(u32 slot, u32 queues)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(PV_FN_NOTIFY, slot, queues, 0, &res);
}

/* Ring on this CPU; false: it is rung already. Interrupts may come between. */
static bool ring(struct pv_vcpu_page *page, const struct pv_vq *q)
{
	u32 slot = q->dev->slot, bit = BIT(q->vq->index);

	if (READ_ONCE(page->kicks[slot]) & bit)
		return false;
	if (READ_ONCE(page->max_delay_us) != max_delay_us)	/* it is a new page */
		WRITE_ONCE(page->max_delay_us, max_delay_us);
	WRITE_ONCE(q->dev->io->queue[q->vq->index].rung_at, read_sysreg(cntvct_el0));
	atomic_or(bit, (atomic_t *)&page->kicks[slot]);
	atomic_or(BIT(slot), (atomic_t *)&page->doorbells);
	return true;
}

bool pv_poll(struct pv_dev *dev, bool on)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(PV_FN_IO_POLL, dev->slot, on, 0, &res);
	if ((long)res.a0 != PV_SUCCESS)
		return false;
	WRITE_ONCE(dev->polled, on);
	return true;
}

bool pv_notify(struct virtqueue *vq)
{
	struct pv_vq *q = vq->priv;
	struct pv_dev *dev = q->dev;
	enum policy policy = READ_ONCE(dev->policy);
	struct pvhyp_cpu *cpu;
	struct pv_vq_cpu *c;
	bool defer, rang;

	preempt_disable();
	cpu = this_cpu_ptr(&pvhyp_cpus);
	c = this_cpu_ptr(q->cpu);
	this_cpu_inc(q->cpu->asked);
	defer = policy == POLICY_PIGGYBACK || (policy == POLICY_ADAPTIVE && c->defer);
	if (defer && READ_ONCE(cpu->registered)) {
		rang = ring(cpu->page, q);
		/* Reading this after ringing: the hypervisor stops looking only when nothing is rung. */
		barrier();
		if (!READ_ONCE(cpu->page->deferring) || vq->num_free < virtqueue_get_vring_size(vq) / 4) {
			this_cpu_inc(q->cpu->sent);
			notify(0, 0);
		}
	} else {
		rang = true;
		this_cpu_inc(q->cpu->sent);
		notify(dev->slot, BIT(vq->index));
	}
	if (policy == POLICY_ADAPTIVE)
		pv_adapt_kicked(q, c, rang);
	preempt_enable();
	return true;
}

/*
 * prev goes to sleep and the CPU does not go idle: no WFI will flush its
 * doorbells, so flush now. The run queue is locked: this reads the page and
 * makes a hypercall, which neither blocks nor wakes anybody in the guest.
 */
static void flush_on_switch(void *unused, bool preempt, struct task_struct *prev,
			    struct task_struct *next, unsigned int prev_state)
{
	if (!preempt && prev_state && !is_idle_task(next) &&
	    READ_ONCE(this_cpu_ptr(&pvhyp_cpus)->page->doorbells))
		notify(0, 0);
}

void pv_policy_start(struct pv_dev *dev)
{
	dev->polled = false;		/* the reset before has ended it */
	if (dev->lost)
		return;
	if (dev->policy == POLICY_POLL && !pv_poll(dev, true)) {
		dev_info(&dev->pdev->dev, "no pCPU polls: the policy is adaptive\n");
		dev->policy = POLICY_ADAPTIVE;
	}
}

void pv_policy_end(struct pv_dev *dev)
{
	mutex_lock(&policy_mutex);
	dev->ended = true;
	WRITE_ONCE(dev->policy, POLICY_IMMEDIATE);
	pv_adapt_stop(dev);
	mutex_unlock(&policy_mutex);
}

int pv_policy_set(struct pv_dev *dev, enum policy policy)
{
	enum policy old = dev->policy;
	int ret = 0;

	mutex_lock(&policy_mutex);
	if (dev->ended || dev->lost) {
		mutex_unlock(&policy_mutex);
		return -ENODEV;
	}
	WRITE_ONCE(dev->policy, POLICY_IMMEDIATE);	/* so that adapting stops */
	pv_adapt_stop(dev);
	if (policy == POLICY_POLL && !(pvhyp_features() & PV_FEAT_POLL))
		ret = -EOPNOTSUPP;
	else if (dev->polled != (policy == POLICY_POLL) && !pv_poll(dev, policy == POLICY_POLL))
		ret = -EIO;
	WRITE_ONCE(dev->policy, ret ? old : policy);
	mutex_unlock(&policy_mutex);
	return ret;
}

int pv_doorbell_init(void)
{
	int ret;

	sched_switch = pvhyp_tracepoint("sched_switch");
	if (!sched_switch) {
		pr_err("this kernel has no tracepoint sched_switch\n");
		return -EOPNOTSUPP;
	}
	ret = tracepoint_probe_register(sched_switch, flush_on_switch, NULL);
	if (ret)
		pr_err("cannot follow sched_switch (%d)\n", ret);
	return ret;
}

static void clear_max_delay(void *unused)
{
	WRITE_ONCE(this_cpu_ptr(&pvhyp_cpus)->page->max_delay_us, 0);
}

void pv_doorbell_exit(void)
{
	tracepoint_probe_unregister(sched_switch, flush_on_switch, NULL);
	tracepoint_synchronize_unregister();
	on_each_cpu(clear_max_delay, NULL, 1);
}
