// SPDX-License-Identifier: GPL-2.0
/*
 * PSCI 1.1 for guests (Arm DEN0022). CPU_SUSPEND is a standby state whatever
 * is asked for: it returns as WFI would.
 */
#include "core/core.h"

#define PSCI32(n)		(0x84000000U + (n))
#define PSCI64(n)		(0xC4000000U + (n))
#define PSCI_VERSION		PSCI32(0)
#define PSCI_CPU_OFF		PSCI32(2)
#define PSCI_MIGRATE_INFO_TYPE	PSCI32(6)
#define PSCI_SYSTEM_OFF		PSCI32(8)
#define PSCI_SYSTEM_RESET	PSCI32(9)
#define PSCI_FEATURES		PSCI32(10)
#define PSCI_CPU_SUSPEND_NR	1
#define PSCI_CPU_ON_NR		3
#define PSCI_AFFINITY_INFO_NR	4
#define PSCI_SYSTEM_RESET2_NR	18

#define PSCI_1_1		0x00010001
#define PSCI_SUCCESS		0
#define PSCI_NOT_SUPPORTED	(-1)
#define PSCI_INVALID_PARAMS	(-2)
#define PSCI_ALREADY_ON		(-4)
#define PSCI_ON_PENDING		(-5)
#define PSCI_INVALID_ADDRESS	(-9)
#define PSCI_AFF_ON		0
#define PSCI_AFF_OFF		1
#define PSCI_TOS_NOT_PRESENT	2

static s64 cpu_on(struct vcpu *v, u64 mpidr, u64 entry, u64 context)
{
	struct vcpu *t = vm_vcpu_by_mpidr(v->vm, mpidr);
	u32 off = 0;

	if (!t)
		return PSCI_INVALID_PARAMS;
	if (!IS_ALIGNED(entry, 4) || !vm_ram(v->vm, (ipa_t){ entry }, 4))
		return PSCI_INVALID_ADDRESS;
	if (sched_state(t) != VCPU_OFF)
		return PSCI_ALREADY_ON;
	/* Two vCPUs may turn on the same one: one of them sets it up. */
	if (!__atomic_compare_exchange_n(&t->turning_on, &off, 1, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return PSCI_ON_PENDING;
	if (sched_state(t) == VCPU_OFF && !READ_ONCE(v->vm->stopping)) {
		vm_vcpu_reset(t, entry, context);
		sched_cpu_on(t);
	}
	__atomic_store_n(&t->turning_on, 0, __ATOMIC_RELEASE);
	return PSCI_SUCCESS;
}

static s64 affinity_info(struct vcpu *v, u64 mpidr, u64 level)
{
	struct vcpu *t = vm_vcpu_by_mpidr(v->vm, mpidr);

	if (level || !t)
		return PSCI_INVALID_PARAMS;
	return sched_state(t) == VCPU_OFF ? PSCI_AFF_OFF : PSCI_AFF_ON;
}

static s64 features(u32 fn)
{
	switch (fn) {
	case PSCI_VERSION:
	case PSCI_CPU_OFF:
	case PSCI32(PSCI_CPU_SUSPEND_NR):
	case PSCI64(PSCI_CPU_SUSPEND_NR):
	case PSCI32(PSCI_CPU_ON_NR):
	case PSCI64(PSCI_CPU_ON_NR):
	case PSCI32(PSCI_AFFINITY_INFO_NR):
	case PSCI64(PSCI_AFFINITY_INFO_NR):
	case PSCI32(PSCI_SYSTEM_RESET2_NR):
	case PSCI64(PSCI_SYSTEM_RESET2_NR):
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
	case SMCCC_VERSION:
		return PSCI_SUCCESS;
	}
	return PSCI_NOT_SUPPORTED;
}

bool psci_call(struct vcpu *v, u32 fn)
{
	u64 *x = v->regs.x;
	u64 mask = fn & BIT(30) ? ~0ULL : 0xffffffffULL;	/* SMC32: 32-bit arguments */
	u64 a = x[1] & mask, b = x[2] & mask, c = x[3] & mask;

	switch (fn) {
	case PSCI_VERSION:
		x[0] = PSCI_1_1;
		return true;
	case PSCI_FEATURES:
		x[0] = (u64)features((u32)a);
		return true;
	case PSCI_MIGRATE_INFO_TYPE:
		x[0] = PSCI_TOS_NOT_PRESENT;
		return true;
	case PSCI32(PSCI_CPU_ON_NR):
	case PSCI64(PSCI_CPU_ON_NR):
		x[0] = (u64)cpu_on(v, a, b, c);
		return true;
	case PSCI32(PSCI_AFFINITY_INFO_NR):
	case PSCI64(PSCI_AFFINITY_INFO_NR):
		x[0] = (u64)affinity_info(v, a, b);
		return true;
	case PSCI32(PSCI_CPU_SUSPEND_NR):
	case PSCI64(PSCI_CPU_SUSPEND_NR):
		x[0] = PSCI_SUCCESS;
		sched_block(v);
		return true;
	case PSCI_CPU_OFF:
		sched_cpu_off();
		return true;
	case PSCI_SYSTEM_OFF:
		vm_stop(v->vm, VM_OFF);
		return true;
	case PSCI32(PSCI_SYSTEM_RESET2_NR):
	case PSCI64(PSCI_SYSTEM_RESET2_NR):
		if (a) {		/* only SYSTEM_WARM_RESET, as a cold one */
			x[0] = (u64)PSCI_INVALID_PARAMS;
			return true;
		}
		/* fall through */
	case PSCI_SYSTEM_RESET:
		vm_reset(v->vm);
		return true;
	}
	return false;
}
