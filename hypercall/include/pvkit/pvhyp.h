/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What pvhyp.ko offers to other guest modules: whether a pvkit hypervisor is
 * there, the scheduling state of every vCPU, and the calls. A CPU is named by
 * its Linux number; pvhyp translates to the hypervisor's vCPU numbers.
 */
#ifndef PVKIT_PVHYP_H
#define PVKIT_PVHYP_H

#include <linux/arm-smccc.h>
#include <linux/list.h>
#include <linux/percpu.h>

#include <pvkit/abi.h>

/* One per possible CPU. @page stays valid while pvhyp is loaded. */
struct pvhyp_cpu {
	struct pv_vcpu_page *page;
	u32 vcpu;
	bool registered;
};
DECLARE_PER_CPU(struct pvhyp_cpu, pvhyp_cpus);

/**
 * pvhyp_features() - what the hypervisor offers.
 *
 * It may change when the guest is resumed from hibernation: PVHYP_RESUME.
 *
 * Return: PV_FEAT_* bits; 0 if there is no pvkit hypervisor. Any context.
 */
u32 pvhyp_features(void);

/**
 * pvhyp_slice_ns() - length of a scheduling slice in ns, 0 if unknown.
 */
u64 pvhyp_slice_ns(void);

/**
 * pvhyp_look_up() - address of a kernel symbol, exported or not.
 * @symbol: a function; or data, where the kernel has CONFIG_KALLSYMS_ALL.
 *
 * Return: 0 if there is none. May sleep.
 */
unsigned long pvhyp_look_up(const char *symbol);

/**
 * pvhyp_tracepoint() - a tracepoint of the kernel (not of a module).
 *
 * Return: NULL if there is none of that name. May sleep.
 */
struct tracepoint;
struct tracepoint *pvhyp_tracepoint(const char *name);

/**
 * pvhyp_alloc_shared() - a page that the hypervisor can read and write.
 *
 * One whose contents are not encrypted, in a confidential guest. Its address for
 * the hypervisor is virt_to_phys(). May sleep.
 *
 * Return: the page, zeroed, or NULL.
 */
void *pvhyp_alloc_shared(void);

/**
 * pvhyp_free_shared() - give such a page back.
 * @page: of pvhyp_alloc_shared(), or NULL; the hypervisor has been told to
 *	leave it alone. May sleep.
 */
void pvhyp_free_shared(void *page);

/**
 * enum pvhyp_event - what happens to the kernel; life.c has the whole order.
 * @PVHYP_RESUME: resumed from hibernation, maybe on another hypervisor or on
 *	none: pvhyp_features() may have changed. The boot CPU alone runs, with
 *	interrupts off and its page registered; devices still sleep.
 * @PVHYP_CRASH: this kernel ends now, and another may follow in its place. Any
 *	context, NMI included, while locks may be held for ever: take none,
 *	allocate nothing, do not wait. May come more than once, also when
 *	nothing is left to do.
 */
enum pvhyp_event {
	PVHYP_RESUME,
	PVHYP_CRASH,
};

/**
 * struct pvhyp_client - a module that wants to know.
 * @event: called for each event, in the order in which clients were added.
 * @node: pvhyp's.
 */
struct pvhyp_client {
	void (*event)(enum pvhyp_event event);
	struct list_head node;
};

/**
 * pvhyp_client_add() - have @client told of events from now on. May sleep.
 *
 * Return: 0; -ESHUTDOWN if reboot, power-off or kexec has begun.
 */
int pvhyp_client_add(struct pvhyp_client *client);

/**
 * pvhyp_client_remove() - @client's event() does not run when this returns. May sleep.
 */
void pvhyp_client_remove(struct pvhyp_client *client);

/**
 * pvhyp_state() - scheduling state of a CPU, as last published.
 * @cpu: a possible CPU.
 *
 * A hint: it may be out of date when this returns. Any context, lockless.
 *
 * Return: enum pv_vcpu_state; PV_VCPU_OFF if the CPU has no registered page.
 */
static inline u32 pvhyp_state(int cpu)
{
	const struct pvhyp_cpu *c = per_cpu_ptr(&pvhyp_cpus, cpu);

	return READ_ONCE(c->page->state);
}

/* The vCPU wants to run and does not. */
static inline bool pvhyp_preempted(int cpu)
{
	u32 state = pvhyp_state(cpu);

	return state == PV_VCPU_PREEMPTED_KERNEL || state == PV_VCPU_PREEMPTED_USER;
}

static inline long pvhyp_call(u32 fn, unsigned long arg, unsigned long *ret1)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(fn, arg, 0, 0, &res);
	if (ret1)
		*ret1 = res.a1;
	return (long)res.a0;
}

/* PV_FN_YIELD, PV_FN_YIELD_TO, PV_FN_WAIT, PV_FN_KICK: any context, see abi.h. */
static inline void pvhyp_yield(void)
{
	pvhyp_call(PV_FN_YIELD, 0, NULL);
}

static inline long pvhyp_yield_to(int cpu)
{
	return pvhyp_call(PV_FN_YIELD_TO, per_cpu_ptr(&pvhyp_cpus, cpu)->vcpu, NULL);
}

/* Return: true if it consumed a kick. */
static inline bool pvhyp_wait(void)
{
	unsigned long kicked = 0;

	pvhyp_call(PV_FN_WAIT, 0, &kicked);
	return kicked;
}

static inline void pvhyp_kick(int cpu)
{
	pvhyp_call(PV_FN_KICK, per_cpu_ptr(&pvhyp_cpus, cpu)->vcpu, NULL);
}

#endif
