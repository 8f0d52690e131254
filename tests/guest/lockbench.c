// SPDX-License-Identifier: GPL-2.0
/*
 * lockbench: one spinlock, a thread on each of the first N CPUs. Each loops:
 * lock, work, unlock, work. Counts sections, and the longest wait for the lock.
 *
 * debugfs lockbench/run: write "THREADS INSIDE OUTSIDE MS [SECTIONS]" (work in
 * instructions, multiples of 100). The run ends after MS milliseconds, or when each
 * thread has done SECTIONS sections (0 or absent: only the time counts). Then read
 * the result of that run; fewest is the sections of the slowest thread:
 *	sections=... longest_wait_ns=... violations=... elapsed_ns=... fewest=...
 * debugfs lockbench/redirect: read the time of one slow path call on a free
 * lock, in ns per 1000 calls (under QEMU -icount: instructions per 1000 calls).
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include "../prog/compute.h"

#define REDIRECT_CALLS 100000

static struct bench {
	raw_spinlock_t lock ____cacheline_aligned;
	u64 counter;		/* protected by lock */
	u64 stop_at ____cacheline_aligned;
	unsigned int inside, outside, limit;
	atomic_t ready, running, unfinished;
	struct completion done;
	bool go;
} bench;

static struct worker {
	u64 sections, longest, started, ended;
} ____cacheline_aligned workers[64];

static DEFINE_MUTEX(run_lock);
static struct dentry *dir;
static char result[192] = "no run yet\n";

static inline u64 now(void)
{
	isb();
	return read_sysreg(cntvct_el0);
}

static u64 to_ns(u64 ticks)
{
	return mul_u64_u64_div_u64(ticks, NSEC_PER_SEC, read_sysreg(cntfrq_el0));
}

/* Nothing else runs here meanwhile, so the last to reach the limit ends it for all. */
static void has_done_enough(void)
{
	if (atomic_dec_and_test(&bench.unfinished))
		WRITE_ONCE(bench.stop_at, 0);
}

/* Compiled twice: what is measured has no limit, and not an instruction for it. */
static __always_inline void take_locks(struct worker *w, const bool limited)
{
	u64 t, waited;

	do {
		t = now();
		raw_spin_lock(&bench.lock);
		waited = now() - t;
		bench.counter++;
		compute(bench.inside);
		raw_spin_unlock(&bench.lock);
		if (waited > w->longest)
			w->longest = waited;
		w->sections++;
		if (limited && w->sections == bench.limit)
			has_done_enough();
		compute(bench.outside);
	} while (t < READ_ONCE(bench.stop_at));
}

static int worker(void *arg)
{
	struct worker *w = arg;

	atomic_inc(&bench.ready);
	while (!READ_ONCE(bench.go))
		usleep_range(50, 100);
	w->started = now();
	if (bench.limit)
		take_locks(w, true);
	else
		take_locks(w, false);
	w->ended = now();
	if (atomic_dec_and_test(&bench.running))
		complete(&bench.done);
	return 0;
}

static int run(unsigned int threads, unsigned int inside, unsigned int outside, unsigned int ms,
	       unsigned int limit)
{
	u64 sections = 0, fewest = ~0ULL, longest = 0, started = ~0ULL, ended = 0;
	struct task_struct *t;
	unsigned int i;

	memset(workers, 0, sizeof(workers));
	bench.counter = 0;
	bench.inside = inside;
	bench.outside = outside;
	bench.limit = limit;
	bench.go = false;
	atomic_set(&bench.ready, 0);
	atomic_set(&bench.running, threads);
	atomic_set(&bench.unfinished, threads);
	init_completion(&bench.done);
	for (i = 0; i < threads; i++) {
		t = kthread_create_on_cpu(worker, &workers[i], i, "lockbench/%u");
		if (IS_ERR(t)) {
			atomic_sub(threads - i, &bench.running);
			threads = i;
			break;
		}
		wake_up_process(t);
	}
	while (atomic_read(&bench.ready) < threads)
		usleep_range(100, 200);
	bench.stop_at = now() + mul_u64_u64_div_u64(ms, read_sysreg(cntfrq_el0), 1000);
	WRITE_ONCE(bench.go, true);
	if (!threads)
		return -ENOMEM;
	wait_for_completion(&bench.done);
	for (i = 0; i < threads; i++) {
		sections += workers[i].sections;
		fewest = min(fewest, workers[i].sections);
		longest = max(longest, workers[i].longest);
		started = min(started, workers[i].started);
		ended = max(ended, workers[i].ended);
	}
	scnprintf(result, sizeof(result),
		  "sections=%llu longest_wait_ns=%llu violations=%llu elapsed_ns=%llu fewest=%llu\n",
		  sections, to_ns(longest), sections - bench.counter, to_ns(ended - started),
		  fewest);
	return 0;
}

static ssize_t run_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	unsigned int threads, inside, outside, ms, limit = 0;
	char buf[64];
	int ret;

	if (len >= sizeof(buf) || copy_from_user(buf, ubuf, len))
		return -EINVAL;
	buf[len] = 0;
	if (sscanf(buf, "%u %u %u %u %u", &threads, &inside, &outside, &ms, &limit) < 4 || !threads ||
	    threads > num_online_cpus() || threads > ARRAY_SIZE(workers) || !ms || ms > 60000)
		return -EINVAL;
	mutex_lock(&run_lock);
	ret = run(threads, inside, outside, ms, limit);
	mutex_unlock(&run_lock);
	return ret ? ret : len;
}

static ssize_t run_read(struct file *file, char __user *ubuf, size_t len, loff_t *pos)
{
	return simple_read_from_buffer(ubuf, len, pos, result, strlen(result));
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = run_read,
	.write = run_write,
};

static int redirect_show(struct seq_file *m, void *unused)
{
	static struct qspinlock lock;
	unsigned long flags;
	u64 t, empty;
	int i;

	local_irq_save(flags);
	t = now();
	for (i = 0; i < REDIRECT_CALLS; i++) {
		barrier();
		smp_store_release(&lock.locked, 0);
	}
	empty = now() - t;
	t = now();
	for (i = 0; i < REDIRECT_CALLS; i++) {
		queued_spin_lock_slowpath(&lock, 0);
		smp_store_release(&lock.locked, 0);
	}
	t = now() - t;
	local_irq_restore(flags);
	seq_printf(m, "%llu\n", to_ns(t - empty) / (REDIRECT_CALLS / 1000));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(redirect);

static int __init lockbench_init(void)
{
	raw_spin_lock_init(&bench.lock);
	dir = debugfs_create_dir("lockbench", NULL);
	debugfs_create_file("run", 0600, dir, NULL, &run_fops);
	debugfs_create_file("redirect", 0400, dir, NULL, &redirect_fops);
	return 0;
}

static void __exit lockbench_exit(void)
{
	debugfs_remove_recursive(dir);
}

module_init(lockbench_init);
module_exit(lockbench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("pvkit: spinlock benchmark");
