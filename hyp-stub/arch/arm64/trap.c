// SPDX-License-Identifier: GPL-2.0
/*
 * Exits from a guest, by exception class (DDI 0487 D19.2.37): decoded here and
 * passed on to core/. Anything that has no meaning for a guest ends as an
 * undefined instruction or an external abort in that guest.
 */
#include "arch/arch.h"
#include "arch/arm64/sysreg.h"
#include "arch/arm64/trap.h"
#include "virtio/virtio.h"

#define HPFAR_IPA(h)	(((h) & 0xffffffffff0ULL) << 8)
#define FSC_TYPE	0x3c
#define FSC_PERMISSION	0x0c
#define VECTORS_SIZE	0x800

static void trap_wfx(struct vcpu *v, u64 esr)
{
	arch_skip_instruction(v);
	if (esr & ESR_WFX_TI_WFE) {
		v->exits[PV_EXIT_WFE]++;
		sched_yield();
	} else {
		v->exits[PV_EXIT_WFI]++;
		sched_block(v);
	}
}

/* Calls carry immediate 0 (DEN0028 2.5); others are nobody's. */
static void trap_hvc(struct vcpu *v, u64 esr)
{
	if (esr & 0xffff) {
		v->exits[PV_EXIT_SMCCC]++;
		v->regs.x[0] = (u64)PV_ENOTSUPP;
		return;
	}
	hypercall_dispatch(v);
}

/* Trapped before it is executed, unlike HVC. */
static void trap_smc(struct vcpu *v, u64 esr)
{
	arch_skip_instruction(v);
	trap_hvc(v, esr);
}

static void trap_undefined(struct vcpu *v, u64 esr)
{
	(void)esr;
	arch_inject_undef(v);
}

static void abort_guest(struct vcpu *v, u64 far, bool fetch)
{
	u64 vbar = arch_vcpu_vbar(v);

	if (READ_ONCE(v->vm->stopping))		/* direct_stop() */
		return;

	/* Its own exception vector cannot be fetched: it can go nowhere. */
	if (fetch && v->regs.pc - vbar < VECTORS_SIZE) {
		vm_crash(v, "exception vector at 0x%llx is outside its memory",
			 (unsigned long long)vbar);
		return;
	}
	arch_inject_abort(v, far, fetch);
}

static u64 fault_ipa(u64 far)
{
	return HPFAR_IPA(read_sysreg(hpfar_el2)) | (far & (PAGE_SIZE - 1));
}

static void trap_instruction_abort(struct vcpu *v, u64 esr)
{
	(void)esr;
	abort_guest(v, read_sysreg(far_el2), true);
}

/* A 32-bit access to the virtio bus, decoded by the processor. */
static bool hot_access(struct vcpu *v, u64 esr)
{
	const u64 mask = ESR_ISV | ESR_S1PTW | 3 << ESR_SAS_SHIFT, word = ESR_ISV | 2 << ESR_SAS_SHIFT;
	unsigned int rt = (esr >> ESR_SRT_SHIFT) & 31;
	u64 zero = 0, offset;

	if ((esr & mask) != word)
		return false;
	offset = fault_ipa(read_sysreg(far_el2)) - GUEST_VIRTIO_BASE;
	if (offset >= VIRTIO_BUS_SLOTS * GUEST_VIRTIO_STRIDE)
		return false;
	return virtio_mmio_hot(v, (u32)offset, esr & ESR_WNR, rt == 31 ? &zero : &v->regs.x[rt]);
}

static void trap_data_abort(struct vcpu *v, u64 esr)
{
	u64 far = read_sysreg(far_el2);
	unsigned int rt = (esr >> ESR_SRT_SHIFT) & 31, unused;
	struct mmio m;

	/*
	 * No decoded syndrome (load pair, write-back, ...), a table walk, or a
	 * write to read-only memory: there is nothing to emulate.
	 */
	if (!(esr & ESR_ISV) || esr & ESR_S1PTW || (esr & FSC_TYPE) == FSC_PERMISSION) {
		abort_guest(v, far, false);
		return;
	}
	m.addr = fault_ipa(far);
	m.size = 1U << ((esr >> ESR_SAS_SHIFT) & 3);
	m.write = esr & ESR_WNR;
	unused = 64 - m.size * 8;
	m.value = m.write && rt != 31 ? v->regs.x[rt] << unused >> unused : 0;
	if (!mmio_dispatch(v, &m)) {
		abort_guest(v, far, false);
		return;
	}
	if (!m.write && rt != 31) {
		m.value <<= unused;
		m.value = esr & ESR_SSE ? (u64)((s64)m.value >> unused) : m.value >> unused;
		v->regs.x[rt] = esr & ESR_SF ? m.value : (u32)m.value;
	}
	arch_skip_instruction(v);
}

static void trap_sysreg(struct vcpu *v, u64 esr)
{
	if (sysreg_emulate(v, esr))
		arch_skip_instruction(v);
	else
		arch_inject_undef(v);
}

static void (*const traps[64])(struct vcpu *v, u64 esr) = {
	[EC_WFX]	= trap_wfx,
	[EC_HVC64]	= trap_hvc,
	[EC_SMC64]	= trap_smc,
	[EC_SYSREG]	= trap_sysreg,
	[EC_IABT_LOW]	= trap_instruction_abort,
	[EC_DABT_LOW]	= trap_data_abort,
};

struct vcpu *exit_sync(struct vcpu *v)
{
	u64 esr = read_sysreg(esr_el2), ec = (esr >> ESR_EC_SHIFT) & 63;
	void (*trap)(struct vcpu *v, u64 esr) = traps[ec];

	if (ec == EC_DABT_LOW && hot_access(v, esr)) {
		arch_skip_instruction(v);
		return sched_exit(v);
	}
	if (!trap)
		trap = trap_undefined;
	trap(v, esr);
	return sched_exit(v);
}

struct vcpu *exit_irq(struct vcpu *v)
{
	exit_interrupt(v);
	return sched_exit(v);
}

/* An asynchronous abort: a guest cannot cause one on memory that it has. */
struct vcpu *exit_serror(struct vcpu *v)
{
	vm_crash(v, "SError, syndrome 0x%llx", (unsigned long long)read_sysreg(esr_el2));
	return sched_exit(v);
}
