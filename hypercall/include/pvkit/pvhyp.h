/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What pvhyp.ko offers to other guest modules: whether a pvkit hypervisor is
 * there, the scheduling state of every vCPU, and the calls. A CPU is named by
 * its Linux number; pvhyp translates to the hypervisor's vCPU numbers.
 */
#ifndef PVKIT_PVHYP_H
#define PVKIT_PVHYP_H

#include <linux/arm-smccc.h>
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
