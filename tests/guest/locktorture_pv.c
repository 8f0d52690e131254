// SPDX-License-Identifier: GPL-2.0
/*
 * Lock torture for stock kernels, which come without locktorture. Threads on
 * all CPUs take all kinds of locks in random order, with random delays, and
 * with interrupts on or off. Each lock protects a few words that are changed
 * non-atomically; whoever finds them inconsistent counts a violation.
 *
 * insmod locktorture_pv.ko; debugfs locktorture_pv/start: write
 *	MS [OPERATIONS]		torture for MS milliseconds, or until each CPU has done
 *				OPERATIONS operations (0 or absent: only the time counts)
 *	busted MS [OPERATIONS]	the same with a lock that does not lock: the negative control
 *	stop [OPERATIONS]	end as soon as each CPU has done OPERATIONS (absent: at once)
 * which returns at once. debugfs locktorture_pv/result: waits for the end; fewest is the
 * operations of the slowest CPU:
 *	operations=... violations=... longest_ms=... fewest=...
 * Each CPU takes the locks in the same order every time, so how many operations cover all
 * kinds of locks, read and write, is known beforehand: 200 do.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uaccess.h>

struct guarded {
	unsigned long a, b, c;
};

static struct {
	raw_spinlock_t spin, spin_irq, outer;
	rwlock_t rw;
	struct mutex mutex;
	struct rw_semaphore rwsem;
	struct guarded g[6];
} ____cacheline_aligned t;

static atomic64_t violations;
static atomic_t running;
static bool busted;
static unsigned long end_jiffies;
static u64 longest_ns[64];
static unsigned int done[64];		/* operations of each CPU */
static unsigned int wanted;		/* of each CPU, then it ends */
static struct cpumask tortured;
static struct dentry *dir;
static struct timer_list timers[64];
static DECLARE_WAIT_QUEUE_HEAD(finished);

static void change(struct guarded *g, u32 rnd)
{
	unsigned long a = READ_ONCE(g->a);

	if (a != READ_ONCE(g->b) || a != READ_ONCE(g->c))
		atomic64_inc(&violations);
	WRITE_ONCE(g->a, a + 1);
	if (rnd & 1)
		ndelay(rnd & 0x3ff);
	WRITE_ONCE(g->b, a + 1);
	WRITE_ONCE(g->c, a + 1);
}

static void look(struct guarded *g)
{
	unsigned long a = READ_ONCE(g->a);

	if (a != READ_ONCE(g->b) || a != READ_ONCE(g->c))
		atomic64_inc(&violations);
}

static void torture_spin(u32 rnd)
{
	if (!busted)
		raw_spin_lock(&t.spin);
	change(&t.g[0], rnd);
	if (!busted)
		raw_spin_unlock(&t.spin);
}

static void torture_irq(u32 rnd)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&t.spin_irq, flags);
	change(&t.g[1], rnd);
	raw_spin_unlock_irqrestore(&t.spin_irq, flags);
}

static void torture_nested(u32 rnd)
{
	raw_spin_lock(&t.outer);
	torture_irq(rnd);
	change(&t.g[2], rnd >> 3);
	raw_spin_unlock(&t.outer);
}

static void torture_rw(u32 rnd)
{
	if (rnd & 0x30) {
		read_lock(&t.rw);
		look(&t.g[3]);
		read_unlock(&t.rw);
	} else {
		write_lock_bh(&t.rw);
		change(&t.g[3], rnd);
		write_unlock_bh(&t.rw);
	}
}

static void torture_mutex(u32 rnd)
{
	mutex_lock(&t.mutex);
	change(&t.g[4], rnd);
	if (!(rnd & 0xff00))
		usleep_range(10, 50);
	mutex_unlock(&t.mutex);
}

static void torture_rwsem(u32 rnd)
{
	if (rnd & 0x30) {
		down_read(&t.rwsem);
		look(&t.g[5]);
		up_read(&t.rwsem);
	} else {
		down_write(&t.rwsem);
		change(&t.g[5], rnd);
		up_write(&t.rwsem);
	}
}

static void (*const kinds[])(u32 rnd) = {
	torture_spin, torture_irq, torture_nested, torture_rw, torture_mutex, torture_rwsem,
};

/* From the timer interrupt: nests into whatever wait is going on. */
static void torture_timer(struct timer_list *timer)
{
	torture_irq(0);
	read_lock(&t.rw);
	look(&t.g[3]);
	read_unlock(&t.rw);
}

static unsigned int fewest_done(void)
{
	unsigned int fewest = UINT_MAX;
	int cpu;

	for_each_cpu(cpu, &tortured)
		fewest = min(fewest, READ_ONCE(done[cpu]));
	return fewest;
}

static bool is_over(long cpu)
{
	unsigned int n = READ_ONCE(wanted);

	return time_after_eq(jiffies, READ_ONCE(end_jiffies)) || (done[cpu] >= n && fewest_done() >= n);
}

static int torturer(void *arg)
{
	long cpu = (long)arg;
	struct rnd_state rnd;
	u64 start, took;

	prandom_seed_state(&rnd, 4711 + cpu);
	while (!is_over(cpu)) {
		u32 r = prandom_u32_state(&rnd);

		start = ktime_get_ns();
		kinds[r % ARRAY_SIZE(kinds)](r >> 4);
		took = ktime_get_ns() - start;
		if (took > longest_ns[cpu])
			longest_ns[cpu] = took;
		WRITE_ONCE(done[cpu], done[cpu] + 1);
		/* Not by itself: where it takes a jiffy and more, nothing else would run. */
		if (!timer_pending(&timers[cpu]))
			mod_timer(&timers[cpu], jiffies + 1);
		cond_resched();
	}
	del_timer_sync(&timers[cpu]);
	if (atomic_dec_and_test(&running))
		wake_up_all(&finished);
	return 0;
}

static int start(unsigned int ms, unsigned int limit, bool without_lock)
{
	static struct task_struct *tasks[64];
	long cpu;

	if (atomic_cmpxchg(&running, 0, 1))
		return -EBUSY;
	busted = without_lock;
	atomic64_set(&violations, 0);
	memset(longest_ns, 0, sizeof(longest_ns));
	memset(done, 0, sizeof(done));
	memset(t.g, 0, sizeof(t.g));
	cpumask_clear(&tortured);
	WRITE_ONCE(wanted, limit ?: UINT_MAX);
	WRITE_ONCE(end_jiffies, jiffies + msecs_to_jiffies(ms));
	/* All are there before the first one asks whether all have done enough. */
	for_each_online_cpu(cpu) {
		if (cpu >= ARRAY_SIZE(tasks))
			break;
		tasks[cpu] = kthread_create(torturer, (void *)cpu, "torture/%ld", cpu);
		if (IS_ERR(tasks[cpu]))
			continue;
		set_cpus_allowed_ptr(tasks[cpu], cpumask_of(cpu));
		atomic_inc(&running);
		cpumask_set_cpu(cpu, &tortured);
	}
	for_each_cpu(cpu, &tortured)
		wake_up_process(tasks[cpu]);
	if (atomic_dec_and_test(&running))
		wake_up_all(&finished);
	return 0;
}

static ssize_t start_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	unsigned int ms, limit = 0;
	bool without_lock;
	char buf[48], *s;
	int ret;

	if (len >= sizeof(buf) || copy_from_user(buf, ubuf, len))
		return -EINVAL;
	buf[len] = 0;
	s = strim(buf);
	if (strstarts(s, "stop")) {
		if (s[4] && sscanf(s + 4, " %u", &limit) != 1)
			return -EINVAL;
		WRITE_ONCE(wanted, limit);
		return len;
	}
	without_lock = strstarts(s, "busted ");
	if (sscanf(s + (without_lock ? 7 : 0), "%u %u", &ms, &limit) < 1 || !ms || ms > 3600000)
		return -EINVAL;
	ret = start(ms, limit, without_lock);
	return ret ?: len;
}

static const struct file_operations start_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = start_write,
};

static int result_show(struct seq_file *m, void *unused)
{
	u64 longest = 0, operations = 0;
	int i;

	if (wait_event_interruptible(finished, !atomic_read(&running)))
		return -EINTR;
	for_each_cpu(i, &tortured) {
		longest = max(longest, longest_ns[i]);
		operations += done[i];
	}
	seq_printf(m, "operations=%llu violations=%llu longest_ms=%llu fewest=%u\n", operations,
		   (u64)atomic64_read(&violations), div_u64(longest, NSEC_PER_MSEC),
		   cpumask_empty(&tortured) ? 0 : fewest_done());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static int __init torture_init(void)
{
	int i;

	raw_spin_lock_init(&t.spin);
	raw_spin_lock_init(&t.spin_irq);
	raw_spin_lock_init(&t.outer);
	rwlock_init(&t.rw);
	mutex_init(&t.mutex);
	init_rwsem(&t.rwsem);
	for (i = 0; i < ARRAY_SIZE(timers); i++)
		timer_setup(&timers[i], torture_timer, TIMER_PINNED);
	dir = debugfs_create_dir("locktorture_pv", NULL);
	debugfs_create_file("start", 0200, dir, NULL, &start_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	return 0;
}

static void __exit torture_exit(void)
{
	debugfs_remove_recursive(dir);
	WRITE_ONCE(wanted, 0);
	wait_event(finished, !atomic_read(&running));
}

module_init(torture_init);
module_exit(torture_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("pvkit: lock torture");
