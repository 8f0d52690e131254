// SPDX-License-Identifier: GPL-2.0
/*
 * Our own calls (abi.h), in one bounds-checked table, and the way to the
 * standard services. x0-x3 of the saved vCPU are arguments and results; the
 * other registers are never touched, as SMCCC 1.1 asks.
 */
#include "core/core.h"
#include "virtio/virtio.h"

#define FN_BASE		PV_FN_FEATURES
#define FN_COUNT	(PV_FN_IO_IRQ - PV_FN_FEATURES + 1)

static s64 fn_features(struct vcpu *v)
{
	v->regs.x[1] = PV_FEAT_PAGE | PV_FEAT_YIELD | PV_FEAT_WAIT_KICK | PV_FEAT_MULTICALL |
		PV_FEAT_STATS | PV_FEAT_DOORBELL | PV_FEAT_TIMER_SLACK | (polling_pcpus ? PV_FEAT_POLL : 0) |
		(v->vm->vlpi ? PV_FEAT_LPI : 0);
	v->regs.x[2] = PV_ABI_VERSION;
	v->regs.x[3] = sched_slice_ns();
	return PV_SUCCESS;
}

static s64 fn_yield(struct vcpu *v)
{
	(void)v;
	sched_yield();
	return PV_SUCCESS;
}

static s64 fn_yield_to(struct vcpu *v)
{
	if (v->regs.x[1] >= v->vm->nr_vcpus)
		return PV_EINVAL;
	return sched_yield_to(v->vm->vcpus[v->regs.x[1]]);
}

static s64 fn_wait(struct vcpu *v)
{
	v->regs.x[1] = 0;		/* 1 if the scheduler finds a kick */
	sched_wait(v);
	return PV_SUCCESS;
}

static s64 fn_kick(struct vcpu *v)
{
	if (v->regs.x[1] >= v->vm->nr_vcpus)
		return PV_EINVAL;
	sched_kick(v->vm->vcpus[v->regs.x[1]]);
	return PV_SUCCESS;
}

static s64 fn_stats(struct vcpu *v)
{
	u64 id = v->regs.x[1], first = v->regs.x[2];
	struct vcpu *t;

	if (id == PV_STATS_INSTRUCTIONS) {
		v->regs.x[1] = arch_instructions(true);
		v->regs.x[2] = arch_instructions(false);
		v->regs.x[3] = 0;
		return PV_SUCCESS;
	}
	if (id >= v->vm->nr_vcpus || first >= PV_EXIT_NR)
		return PV_EINVAL;
	t = v->vm->vcpus[id];
	for (u64 i = 0; i < 3; i++)
		v->regs.x[1 + i] = first + i < PV_EXIT_NR ? READ_ONCE(t->exits[first + i]) : 0;
	return PV_SUCCESS;
}

static s64 fn_multicall(struct vcpu *v);

static const struct {
	s64 (*call)(struct vcpu *v);
	u8 reason;			/* counted as; HVC: one of the others */
	bool in_multicall;		/* neither blocks nor yields */
} table[FN_COUNT] = {
	[PV_FN_FEATURES - FN_BASE]	  = { fn_features, PV_EXIT_HVC, true },
	[PV_FN_PAGE_REGISTER - FN_BASE]	  = { pvpage_register, PV_EXIT_HVC, true },
	[PV_FN_PAGE_UNREGISTER - FN_BASE] = { pvpage_unregister, PV_EXIT_HVC, true },
	[PV_FN_YIELD - FN_BASE]		  = { fn_yield, PV_EXIT_YIELD, false },
	[PV_FN_YIELD_TO - FN_BASE]	  = { fn_yield_to, PV_EXIT_YIELD, false },
	[PV_FN_WAIT - FN_BASE]		  = { fn_wait, PV_EXIT_WAIT, false },
	[PV_FN_KICK - FN_BASE]		  = { fn_kick, PV_EXIT_KICK, true },
	[PV_FN_NOTIFY - FN_BASE]	  = { io_notify, PV_EXIT_NOTIFY, true },
	[PV_FN_MULTICALL - FN_BASE]	  = { fn_multicall, PV_EXIT_HVC, false },
	[PV_FN_STATS - FN_BASE]		  = { fn_stats, PV_EXIT_HVC, true },
	[PV_FN_IO_REGISTER - FN_BASE]	  = { io_register, PV_EXIT_HVC, true },
	[PV_FN_IO_WRITE - FN_BASE]	  = { io_write, PV_EXIT_HVC, true },
	[PV_FN_IO_POLL - FN_BASE]	  = { io_poll, PV_EXIT_HVC, true },
	[PV_FN_IO_IRQ - FN_BASE]	  = { io_irq, PV_EXIT_HVC, true },
};

static s64 fn_multicall(struct vcpu *v)
{
	u64 n = v->regs.x[2], saved[4];
	struct pv_multicall *e;

	if (!IS_ALIGNED(v->regs.x[1], 8) || n < 1 || n > PV_MULTICALL_MAX)
		return PV_EINVAL;
	e = vm_ram(v->vm, (ipa_t){ v->regs.x[1] }, n * sizeof(*e));
	if (!e)
		return PV_EINVAL;
	memcpy(saved, v->regs.x, sizeof(saved));
	for (u64 i = 0; i < n; i++) {
		u32 index = READ_ONCE(e[i].fn) - FN_BASE;
		s64 ret = PV_ENOTSUPP;

		for (u32 a = 0; a < 3; a++)
			v->regs.x[1 + a] = READ_ONCE(e[i].arg[a]);
		if (index < FN_COUNT && table[index].call && table[index].in_multicall)
			ret = table[index].call(v);
		WRITE_ONCE(e[i].ret, (u64)ret);
	}
	memcpy(v->regs.x, saved, sizeof(saved));
	v->regs.x[1] = n;
	return PV_SUCCESS;
}

/* HVC or SMC with immediate 0. */
void hypercall_dispatch(struct vcpu *v)
{
	u32 fn = (u32)v->regs.x[0], index = fn - FN_BASE;

	if (index < FN_COUNT && table[index].call) {
		v->exits[table[index].reason]++;
		v->regs.x[0] = (u64)table[index].call(v);
		return;
	}
	v->exits[PV_EXIT_SMCCC]++;
	if (!psci_call(v, fn) && !smccc_service(v, fn))
		v->regs.x[0] = (u64)PV_ENOTSUPP;
}
