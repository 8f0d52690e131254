// SPDX-License-Identifier: GPL-2.0
/*
 * irqload: work in timer interrupts, for what goes wrong in nested contexts.
 *
 * debugfs irqload/wheel: write "CPU COUNT MS": every MS ms, COUNT times, an
 * interrupt of that CPU starts a timer of the timer wheel for 8 jiffies ahead.
 * debugfs irqload/nest: write "MS HOLD_US PERIOD_US": for MS, a thread on each
 * CPU takes lock A with interrupts on, and interrupts every PERIOD_US take lock
 * B; both hold it for HOLD_US. Then read "thread=... irq=... longest_us=...":
 * sections under A and B, longest wait for A.
 */
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/version.h>

struct irqload_cpu {
	struct hrtimer timer;
	struct timer_list wheel;
	unsigned int left;		/* expiries of timer */
	u64 irq, thread, longest;	/* longest in ns */
	struct task_struct *task;
};

static DEFINE_PER_CPU(struct irqload_cpu, cpus);
static DEFINE_RAW_SPINLOCK(lock_a);
static DEFINE_RAW_SPINLOCK(lock_b);
static DEFINE_MUTEX(run_mutex);		/* one run at a time; protects what follows */
static enum hrtimer_restart (*handler)(struct irqload_cpu *c);
static ktime_t period;
static unsigned int hold_us;
static u64 total_irq, total_thread, longest;
static struct dentry *dir;

static void wheel_expired(struct timer_list *timer)
{
}

static enum hrtimer_restart start_wheel(struct irqload_cpu *c)
{
	mod_timer(&c->wheel, jiffies + 8);
	return --c->left ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static enum hrtimer_restart take_lock_b(struct irqload_cpu *c)
{
	raw_spin_lock(&lock_b);
	udelay(hold_us);
	raw_spin_unlock(&lock_b);
	c->irq++;
	return READ_ONCE(c->left) ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static enum hrtimer_restart expired(struct hrtimer *timer)
{
	enum hrtimer_restart ret = handler(container_of(timer, struct irqload_cpu, timer));

	if (ret == HRTIMER_RESTART)
		hrtimer_forward_now(timer, period);
	return ret;
}

static void start_timer(void *unused)
{
	hrtimer_start(&this_cpu_ptr(&cpus)->timer, period, HRTIMER_MODE_REL_PINNED_HARD);
}

static void stop_timer(int cpu)
{
	WRITE_ONCE(per_cpu_ptr(&cpus, cpu)->left, 0);
	hrtimer_cancel(&per_cpu_ptr(&cpus, cpu)->timer);
}

static int nest_thread(void *arg)
{
	struct irqload_cpu *c = arg;
	u64 t;

	while (!kthread_should_stop()) {
		t = ktime_get_ns();
		raw_spin_lock(&lock_a);
		c->longest = max(c->longest, ktime_get_ns() - t);
		udelay(hold_us);
		raw_spin_unlock(&lock_a);
		c->thread++;
		cond_resched();
	}
	return 0;
}

static int run_wheel(const char *buf)
{
	unsigned int cpu, count, ms;

	if (sscanf(buf, "%u %u %u", &cpu, &count, &ms) != 3 || cpu >= nr_cpu_ids ||
	    !cpu_online(cpu) || !count || count > 10000 || !ms || ms > 100)
		return -EINVAL;
	handler = start_wheel;
	period = ms_to_ktime(ms);
	per_cpu_ptr(&cpus, cpu)->left = count;
	smp_call_function_single(cpu, start_timer, NULL, 1);
	msleep(count * ms + 50);
	stop_timer(cpu);
	timer_delete_sync(&per_cpu_ptr(&cpus, cpu)->wheel);
	return 0;
}

static int run_nest(const char *buf)
{
	unsigned int ms, us, cpu;
	int ret = 0;

	if (sscanf(buf, "%u %u %u", &ms, &hold_us, &us) != 3 || !ms || ms > 60000 ||
	    hold_us > 1000 || us < 100 || us > 1000000)
		return -EINVAL;
	handler = take_lock_b;
	period = ns_to_ktime((u64)us * NSEC_PER_USEC);
	total_irq = total_thread = longest = 0;
	cpus_read_lock();
	for_each_online_cpu(cpu) {
		struct irqload_cpu *c = per_cpu_ptr(&cpus, cpu);

		c->irq = c->thread = c->longest = 0;
		c->left = 1;
		c->task = kthread_create_on_cpu(nest_thread, c, cpu, "irqload/%u");
		if (IS_ERR(c->task)) {
			ret = PTR_ERR(c->task);
			c->task = NULL;
		} else {
			wake_up_process(c->task);
		}
	}
	on_each_cpu(start_timer, NULL, 1);
	msleep(ms);
	for_each_online_cpu(cpu) {
		struct irqload_cpu *c = per_cpu_ptr(&cpus, cpu);

		if (c->task)
			kthread_stop(c->task);
		c->task = NULL;
		stop_timer(cpu);
		total_irq += c->irq;
		total_thread += c->thread;
		longest = max(longest, c->longest);
	}
	cpus_read_unlock();
	return ret;
}

static ssize_t write(int (*run)(const char *buf), const char __user *ubuf, size_t len)
{
	char buf[64];
	int ret;

	if (len >= sizeof(buf) || copy_from_user(buf, ubuf, len))
		return -EINVAL;
	buf[len] = 0;
	mutex_lock(&run_mutex);
	ret = run(buf);
	mutex_unlock(&run_mutex);
	return ret ? ret : len;
}

static ssize_t wheel_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	return write(run_wheel, ubuf, len);
}

static ssize_t nest_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	return write(run_nest, ubuf, len);
}

static ssize_t nest_read(struct file *file, char __user *ubuf, size_t len, loff_t *pos)
{
	char buf[96];
	int n;

	mutex_lock(&run_mutex);
	n = scnprintf(buf, sizeof(buf), "thread=%llu irq=%llu longest_us=%llu\n", total_thread,
		      total_irq, div_u64(longest, NSEC_PER_USEC));
	mutex_unlock(&run_mutex);
	return simple_read_from_buffer(ubuf, len, pos, buf, n);
}

static const struct file_operations wheel_fops = {
	.owner = THIS_MODULE, .open = simple_open, .write = wheel_write,
};
static const struct file_operations nest_fops = {
	.owner = THIS_MODULE, .open = simple_open, .read = nest_read, .write = nest_write,
};

static int __init irqload_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct irqload_cpu *c = per_cpu_ptr(&cpus, cpu);

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
		hrtimer_init(&c->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
		c->timer.function = expired;
#else
		hrtimer_setup(&c->timer, expired, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
#endif
		timer_setup(&c->wheel, wheel_expired, TIMER_PINNED);
	}
	dir = debugfs_create_dir("irqload", NULL);
	debugfs_create_file("wheel", 0200, dir, NULL, &wheel_fops);
	debugfs_create_file("nest", 0600, dir, NULL, &nest_fops);
	return 0;
}

static void __exit irqload_exit(void)
{
	debugfs_remove_recursive(dir);
}

module_init(irqload_init);
module_exit(irqload_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("pvkit: locks and timers in interrupts, for tests");
