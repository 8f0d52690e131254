/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of pvlock; nothing outside includes this. */
#ifndef PVLOCK_H
#define PVLOCK_H

#include <linux/ftrace.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/types.h>

#include <pvkit/pvhyp.h>

struct optimistic_spin_queue;
struct optimistic_spin_node;
struct mcs_spinlock;
struct qspinlock;
struct qrwlock;
struct mutex;
struct mutex_waiter;
struct rw_semaphore;
struct ww_acquire_ctx;

/* Statistics: one list, shown in debugfs pvlock/stats. */
#define PVL_STATS(X) \
	X(slow)			/* spinlock slow paths */ \
	X(slow_pending)		/* ...that ended in the pending bit's short spin */ \
	X(slow_stolen)		/* ...that took the lock without queueing */ \
	X(slow_queued)		/* ...that queued */ \
	X(slow_native)		/* ...in the native queue: no node left */ \
	X(read)			/* rwlock slow paths, readers */ \
	X(write)		/* rwlock slow paths, writers */ \
	X(osq_preempted)	/* osq: gave up because the predecessor was preempted */ \
	X(mutex_preempted)	/* mutex: stopped spinning on a preempted owner */ \
	X(rwsem_preempted)	/* rwsem: the same */ \
	X(yield)		/* undirected yields */ \
	X(yield_to)		/* directed yields */ \
	X(wait)			/* halts */ \
	X(wait_unkicked)	/* hand-overs to a halted waiter that no kick ended */ \
	X(wait_lost)		/* ...of these: handed over before the halt began */ \
	X(kick)			/* hand-overs to a halted waiter */

enum pvl_stat {
#define X(name) PVL_##name,
	PVL_STATS(X)
#undef X
	PVL_NR_STATS
};

/* What a CPU waits for, for others to see. Nested waits keep the innermost. */
enum pvl_role {
	PVL_NONE,
	PVL_WAITER,		/* would take the lock, or is in its queue */
	PVL_PENDING,		/* owns the pending bit: nobody passes it */
	PVL_HEAD,		/* of the queue: the same */
};

#define PVL_MAX_NODES	4	/* qnodes per CPU: task, softirq, hardirq, NMI */

struct pvl_cpu {
	const void *lock;
	u32 role;
	u32 scan;		/* where the search for a CPU to yield to goes on */
	bool ours[PVL_MAX_NODES];	/* the queue node is in use by our slow path */
	u64 handed_at[PVL_MAX_NODES];	/* CNTVCT, just before the hand-over to a halted node; or 0 */
	u64 stats[PVL_NR_STATS];
} ____cacheline_aligned;
DECLARE_PER_CPU(struct pvl_cpu, pvl_cpus);

static inline void pvl_count(enum pvl_stat stat)
{
	raw_cpu_inc(pvl_cpus.stats[stat]);
}

/* Policies of a waiter whose short spin was in vain. */
enum pvl_policy {
	PVL_DIRECTED,		/* the pvlock algorithm */
	PVL_UNDIRECTED,		/* YIELD wherever WFE would have trapped: for comparison */
};
extern unsigned int pvl_policy;
extern unsigned int pvl_spin_ns, pvl_steal_us;
extern u32 pvl_spin_ticks, pvl_steal_ticks;

/* --- wait.c --- */
struct pvl_wait {
	const void *outer_lock;	/* what an interrupted wait was about */
	u32 outer_role;
	u64 since;		/* CNTVCT */
	u64 spin_until;
};
void pvl_wait_begin(struct pvl_wait *w, const void *lock, enum pvl_role role);
void pvl_wait_role(enum pvl_role role);
void pvl_wait_end(struct pvl_wait *w);
bool pvl_spin_over(const struct pvl_wait *w);
void pvl_spin_again(struct pvl_wait *w);
bool pvl_overcommitted(void);
bool pvl_somebody_preempted(void);
bool pvl_yield_for(const void *lock, bool locked);
static inline u64 pvl_now(void)
{
	return read_sysreg(cntvct_el0);
}

/* --- redirect.c --- */
struct pvl_hook {
	const char *function;		/* the kernel's */
	char *trampoline;		/* trampoline.S: goes to ours if pvl_on */
	void *target;			/* ours */
	bool required;
	const char *needs;		/* a per-CPU variable of the kernel's, which only this function has, */
	void *needed;			/* and where its address goes */
	bool native_if_x2;		/* with a third argument: left to the kernel */
	bool active;
	unsigned long addr;		/* of the kernel's function */
	struct ftrace_ops ops;		/* of direct.c */
};
int pvl_redirect(struct pvl_hook *h, unsigned long addr);
/* Does the kernel's function call us now? */
bool pvl_in_place(const struct pvl_hook *h);

/* --- direct.c or callback.c, whichever is linked --- */
int pvl_register(struct pvl_hook *h);
/* Both are called by one task; the last that was registered is put back first. */
void pvl_put_back(struct pvl_hook *h);

/* --- find.c --- */
/* The kernel's per-CPU variable @variable, which @function works with; NULL: not found. */
void __percpu *pvl_find_nodes(const char *variable, const char *function);

/* --- kick.c --- */
/*
 * Halt until a kick or an interrupt, unless *@state is not @halted any more;
 * *@since (CNTVCT) is when it began to halt, or 0.
 * Return: whether it was a kick.
 */
bool pvl_halt(const int *state, int halted, u64 *since);
void pvl_kick(int cpu);

/* --- the redirected functions, same signatures as the kernel's --- */
void pvl_spin_lock_slowpath(struct qspinlock *lock, u32 val);
void pvl_read_lock_slowpath(struct qrwlock *lock);
void pvl_write_lock_slowpath(struct qrwlock *lock);
bool pvl_osq_lock(struct optimistic_spin_queue *lock);
bool pvl_mutex_spin_on_owner(struct mutex *lock, struct task_struct *owner,
			     struct ww_acquire_ctx *ww_ctx, struct mutex_waiter *waiter);
unsigned int pvl_rwsem_spin_on_owner(struct rw_semaphore *sem);

/* Per-CPU variables of the kernel, found at load. */
extern struct mcs_spinlock __percpu *pvl_qnodes;
extern struct optimistic_spin_node __percpu *pvl_osq_node;

/* trampoline.S; zero: fall through to the kernel's own function. */
extern u32 pvl_on;

#endif
