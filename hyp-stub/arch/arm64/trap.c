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

static bool is_permission(u64 esr)
{
	return (esr & FSC_TYPE) == FSC_PERMISSION;
}

/*
 * Where the access went. A permission fault need not leave it in HPFAR_EL2
 * (D19.2.63): look the address up as the guest does. False: its own mapping
 * has changed meanwhile.
 */
static bool fault_ipa(u64 esr, u64 far, u64 *ipa)
{
	u64 par, old;

	if (!is_permission(esr)) {
		*ipa = HPFAR_IPA(read_sysreg(hpfar_el2)) | (far & (PAGE_SIZE - 1));
		return true;
	}
	old = read_sysreg(par_el1);
	asm volatile("at s1e1r, %0; isb" : : "r"(far));
	par = read_sysreg(par_el1);
	write_sysreg(old, par_el1);
	*ipa = (par & PAR_PA) | (far & (PAGE_SIZE - 1));
	return !(par & PAR_F);
}

static void trap_instruction_abort(struct vcpu *v, u64 esr)
{
	(void)esr;
	abort_guest(v, read_sysreg(far_el2), true);
}

#define IN_BUS(ipa)	((ipa) - GUEST_VIRTIO_BASE < VIRTIO_BUS_SLOTS * GUEST_VIRTIO_STRIDE)

/* A 32-bit write to the virtio bus, decoded by the processor. */
static bool hot_write(struct vcpu *v, u64 esr)
{
	const u64 mask = ESR_ISV | ESR_S1PTW | ESR_WNR | 3 << ESR_SAS_SHIFT;
	const u64 word = ESR_ISV | ESR_WNR | 2 << ESR_SAS_SHIFT;
	unsigned int rt = (esr >> ESR_SRT_SHIFT) & 31;
	u64 ipa;

	return (esr & mask) == word && fault_ipa(esr, read_sysreg(far_el2), &ipa) && IN_BUS(ipa) &&
		virtio_mmio_hot(v, (u32)(ipa - GUEST_VIRTIO_BASE), rt == 31 ? 0 : (u32)v->regs.x[rt]);
}

static void trap_data_abort(struct vcpu *v, u64 esr)
{
	u64 far = read_sysreg(far_el2);
	unsigned int rt = (esr >> ESR_SRT_SHIFT) & 31, unused;
	struct mmio m;

	/* A table walk, or no decoded syndrome (load pair, write-back, ...): nothing to emulate. */
	if (!(esr & ESR_ISV) || esr & ESR_S1PTW) {
		abort_guest(v, far, false);
		return;
	}
	if (!fault_ipa(esr, far, &m.addr))
		return;				/* again */
	if (is_permission(esr) && !IN_BUS(m.addr)) {	/* a write to read-only memory */
		abort_guest(v, far, false);
		return;
	}
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

	if (ec == EC_DABT_LOW && hot_write(v, esr)) {
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
	vtimer_take_along(v);
	return sched_exit(v);
}

/* An asynchronous abort: a guest cannot cause one on memory that it has. */
struct vcpu *exit_serror(struct vcpu *v)
{
	vm_crash(v, "SError, syndrome 0x%llx", (unsigned long long)read_sysreg(esr_el2));
	return sched_exit(v);
}
