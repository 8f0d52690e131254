/* SPDX-License-Identifier: GPL-2.0 */
/*
 * arch/: the processor. This face is all that the rest of the hypervisor
 * knows of it; no other folder touches a system register. arch/arm64 is the
 * real one; tests/unit/fake_arch.c implements the same face on the host.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include "lib/lib.h"

#define MAX_PCPUS	8

struct vcpu;
struct pcpu;

/* General-purpose state of a vCPU, saved at every exit (offsets.c). */
struct arch_regs {
	u64 x[31];
	u64 pc;
	u64 pstate;
};

/* The EL1/EL0 state that stays in registers while a vCPU is on a pCPU. */
#define ARCH_EL1_STATE(X) \
	X(sctlr_el1) X(cpacr_el1) X(ttbr0_el1) X(ttbr1_el1) X(tcr_el1) \
	X(esr_el1) X(afsr0_el1) X(afsr1_el1) X(far_el1) X(mair_el1) \
	X(amair_el1) X(vbar_el1) X(contextidr_el1) X(tpidr_el0) \
	X(tpidrro_el0) X(tpidr_el1) X(sp_el0) X(sp_el1) X(elr_el1) \
	X(spsr_el1) X(par_el1) X(cntkctl_el1) X(csselr_el1) X(mdscr_el1)

struct arch_context {
#define X(r) u64 r;
	ARCH_EL1_STATE(X)
#undef X
	u64 vmpidr;
	u64 vttbr;
	u64 cntvoff;
	u64 fpsr, fpcr;
	__attribute__((aligned(16))) u8 q[32][16];
};

/* Virtual timer registers of a vCPU that is not on a pCPU. */
struct arch_vtimer {
	u64 ctl, cval;
};

/* vGIC CPU interface state of a vCPU that is not on a pCPU. */
#define ARCH_MAX_LRS 16
struct arch_vgic {
	u64 lr[ARCH_MAX_LRS];
	u32 vmcr, hcr;
	u32 ap0r[4], ap1r[4];
};

/* --- pCPU --- */
struct pcpu *this_pcpu(void);
void arch_relax(void);			/* in every cross-CPU wait loop */
bool arch_interrupt_pending(void);	/* at EL2, masked as they are there */
void arch_io_barrier(void);		/* between memory that a device reads, and its registers */
void arch_wait_for_interrupt(void);	/* idle; returns with one pending */
u64 arch_counter(void);			/* CNTPCT ticks */
u64 arch_counter_hz(void);
void arch_set_deadline(u64 counter);	/* pCPU timer; ~0 stops it */
u64 arch_smc(u64 fn, u64 a, u64 b, u64 c);
bool arch_start_pcpu(u64 mpidr, struct pcpu *p);
u32 arch_mmio_read32(u64 addr);
void arch_mmio_write32(u64 addr, u32 v);
u64 arch_mmio_read64(u64 addr);
void arch_mmio_write64(u64 addr, u64 v);
void arch_map_ram(u64 base, u64 size);	/* make it reachable at EL2, 1:1 */
void arch_zero_ram(void *p, u64 size);
void arch_clean(void *p, u64 size);	/* to where uncached readers see it */
void arch_sync_image(void *p, u64 size); /* loaded code: clean to PoC, drop stale instructions */

/* Executed by this pCPU at EL2, or by guests; wraps. 0: nobody counts. */
u32 arch_instructions(bool hypervisor);
bool arch_random(u64 *value);		/* false: no source, or it is dry */
void arch_traps_init(void);
__attribute__((noreturn)) void enter_guest(struct vcpu *v);

/* --- vCPU --- */
void arch_vcpu_reset(struct vcpu *v, u64 pc, u64 x0);
void arch_context_save(struct vcpu *v);
void arch_context_load(struct vcpu *v);
bool arch_in_kernel(const struct vcpu *v);	/* saved state is EL1 */
void arch_skip_instruction(struct vcpu *v);
void arch_inject_undef(struct vcpu *v);
void arch_inject_abort(struct vcpu *v, u64 far, bool fetch);
u64 arch_vcpu_vbar(const struct vcpu *v);	/* of the vCPU on this pCPU */
void arch_vtimer_save(struct arch_vtimer *t);	/* and stop it */
void arch_vtimer_load(const struct arch_vtimer *t);
void arch_vtimer_read(struct arch_vtimer *t);

/* --- stage 2 --- */
#define ARCH_S2_DEVICE	BIT(0)
#define ARCH_S2_RO	BIT(1)
unsigned int arch_ipa_bits(void);
u64 arch_s2_leaf(u64 pa, unsigned int level, u32 flags);
u64 arch_s2_table(u64 pa);
u64 arch_vttbr(u64 root_pa, unsigned int vmid);
void arch_s2_flush(u64 vttbr);

/* --- GIC system registers (list registers and the physical interface) --- */
void arch_gic_cpu_init(void);
u32 arch_gic_ack(void);
void arch_gic_eoi(u32 intid);		/* priority drop */
void arch_gic_deactivate(u32 intid);
void arch_gic_send_sgi(u64 mpidr, u32 intid);
unsigned int arch_vgic_nr_lrs(void);
u64 arch_vgic_read_lr(unsigned int i);
void arch_vgic_write_lr(unsigned int i, u64 v);
u32 arch_vgic_empty_lrs(void);		/* ICH_ELRSR_EL2 */
void arch_vgic_set_hcr(u32 v);
void arch_vgic_save(struct arch_vgic *g);	/* all but the list registers */
void arch_vgic_load(const struct arch_vgic *g);

#endif
