// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU's EL1 and EL0 state: loaded when it gets a pCPU, saved when it loses
 * it, and where exceptions are injected. Features that would add state (SVE,
 * SME, PAuth, MTE, PMU, breakpoints, ...) are hidden by sysreg.c and trapped
 * here, so that nothing leaks from one guest to another.
 */
#include "arch/arch.h"
#include "arch/arm64/sysreg.h"
#include "arch/arm64/trap.h"
#include "core/core.h"

#define HCR_GUEST (HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_BSU_IS | HCR_FB | \
		   HCR_TWI | HCR_TWE | HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_TSW | \
		   HCR_RW | HCR_TLOR | HCR_TERR)

#define ID_PFR0_RAS(v)	(((v) >> 28) & 0xf)
#define ID_MMFR0_FGT(v)	(((v) >> 56) & 0xf)
#define ID_MMFR1_HCX(v)	(((v) >> 40) & 0xf)

/* Once per pCPU: what traps, for every guest alike. */
void arch_traps_init(void)
{
	u64 mmfr0 = read_sysreg(id_aa64mmfr0_el1), mmfr1 = read_sysreg(id_aa64mmfr1_el1);

	write_sysreg(CPTR_RES1 | CPTR_TZ | CPTR_TSM | CPTR_TTA | CPTR_TAM, cptr_el2);
	write_sysreg(MDCR_TPMCR | MDCR_TPM | MDCR_TDA | MDCR_TDOSA | MDCR_TDRA | MDCR_TTRF |
		     pmu_init(), mdcr_el2);
	write_sysreg(CNTHCTL_EL1PCTEN, cnthctl_el2);
	write_sysreg(0, hstr_el2);
	if (ID_MMFR1_HCX(mmfr1))
		write_sysreg(0, S3_4_C1_C2_2);	/* HCRX_EL2: no new EL1 registers */
	if (ID_MMFR0_FGT(mmfr0)) {
		write_sysreg(0, S3_4_C1_C1_4);	/* HFGRTR_EL2 */
		write_sysreg(0, S3_4_C1_C1_5);	/* HFGWTR_EL2 */
		write_sysreg(0, S3_4_C1_C1_6);	/* HFGITR_EL2 */
		write_sysreg(0, S3_4_C3_C1_4);	/* HDFGRTR_EL2 */
		write_sysreg(0, S3_4_C3_C1_5);	/* HDFGWTR_EL2 */
	}
	write_sysreg(read_sysreg(midr_el1), vpidr_el2);
	write_sysreg(0, cntv_ctl_el0);
	isb();
}

void arch_vcpu_reset(struct vcpu *v, u64 pc, u64 x0)
{
	struct arch_context *c = &v->ctx;

	memset(&v->regs, 0, sizeof(v->regs));
	memset(c, 0, sizeof(*c));
	memset(&v->timer, 0, sizeof(v->timer));
	v->regs.pc = pc;
	v->regs.x[0] = x0;
	v->regs.pstate = PSR_DAIF | PSR_EL1H;
	c->sctlr_el1 = SCTLR_EL1_RES1;
	c->vmpidr = BIT(31) | v->mpidr;
	c->vttbr = v->vm->vttbr;
	c->cntvoff = v->vm->cntvoff;
}

static void fp_save(struct arch_context *c)
{
	asm volatile(".arch_extension fp\n"
		     "stp q0, q1, [%0]\n stp q2, q3, [%0, #32]\n"
		     "stp q4, q5, [%0, #64]\n stp q6, q7, [%0, #96]\n"
		     "stp q8, q9, [%0, #128]\n stp q10, q11, [%0, #160]\n"
		     "stp q12, q13, [%0, #192]\n stp q14, q15, [%0, #224]\n"
		     "stp q16, q17, [%0, #256]\n stp q18, q19, [%0, #288]\n"
		     "stp q20, q21, [%0, #320]\n stp q22, q23, [%0, #352]\n"
		     "stp q24, q25, [%0, #384]\n stp q26, q27, [%0, #416]\n"
		     "stp q28, q29, [%0, #448]\n stp q30, q31, [%0, #480]\n"
		     : : "r"(c->q) : "memory");
	c->fpsr = read_sysreg(fpsr);
	c->fpcr = read_sysreg(fpcr);
}

static void fp_load(const struct arch_context *c)
{
	asm volatile(".arch_extension fp\n"
		     "ldp q0, q1, [%0]\n ldp q2, q3, [%0, #32]\n"
		     "ldp q4, q5, [%0, #64]\n ldp q6, q7, [%0, #96]\n"
		     "ldp q8, q9, [%0, #128]\n ldp q10, q11, [%0, #160]\n"
		     "ldp q12, q13, [%0, #192]\n ldp q14, q15, [%0, #224]\n"
		     "ldp q16, q17, [%0, #256]\n ldp q18, q19, [%0, #288]\n"
		     "ldp q20, q21, [%0, #320]\n ldp q22, q23, [%0, #352]\n"
		     "ldp q24, q25, [%0, #384]\n ldp q26, q27, [%0, #416]\n"
		     "ldp q28, q29, [%0, #448]\n ldp q30, q31, [%0, #480]\n"
		     : : "r"(c->q) : "memory");
	write_sysreg(c->fpsr, fpsr);
	write_sysreg(c->fpcr, fpcr);
}

void arch_context_save(struct vcpu *v)
{
	struct arch_context *c = &v->ctx;

#define X(r) c->r = read_sysreg(r);
	ARCH_EL1_STATE(X)
#undef X
	fp_save(c);
}

void arch_context_load(struct vcpu *v)
{
	const struct arch_context *c = &v->ctx;

#define X(r) write_sysreg(c->r, r);
	ARCH_EL1_STATE(X)
#undef X
	fp_load(c);
	write_sysreg(c->vmpidr, vmpidr_el2);
	write_sysreg(c->vttbr, vttbr_el2);
	write_sysreg(c->cntvoff, cntvoff_el2);
	/* A partitioned VM waits, times and takes interrupts by itself. */
	write_sysreg(v->vm->partitioned ? HCR_GUEST & ~(HCR_TWI | HCR_TWE | HCR_IMO | HCR_FMO) :
		     HCR_GUEST, hcr_el2);
	write_sysreg(CNTHCTL_EL1PCTEN | (v->vm->partitioned ? CNTHCTL_EL1PCEN : 0), cnthctl_el2);
	/*
	 * Another vCPU of the same VM may have run here with other TLB contents
	 * for the same ASIDs (CnP aside, TLBs are private per PE): a vCPU that
	 * comes from elsewhere must not see them.
	 */
	isb();
	if (v->last_pcpu != (int)this_pcpu()->id)
		asm volatile("tlbi vmalle1; dsb nsh; isb" : : : "memory");
	v->last_pcpu = (int)this_pcpu()->id;
}

bool arch_in_kernel(const struct vcpu *v)
{
	return (v->regs.pstate & PSR_EL_MASK) != 0;
}

void arch_skip_instruction(struct vcpu *v)
{
	v->regs.pc += 4;
}

u64 arch_vcpu_vbar(const struct vcpu *v)
{
	(void)v;
	return read_sysreg(vbar_el1);
}

/* Take a synchronous exception to EL1, as the processor would (D1.3). */
static void enter_el1(struct vcpu *v, u64 esr)
{
	u64 from = v->regs.pstate & 0xf;
	u64 offset = from == PSR_EL1H ? 0x200 : from == 4 ? 0 :
		v->regs.pstate & BIT(4) ? 0x600 : 0x400;
	bool span = read_sysreg(sctlr_el1) & BIT(23);

	write_sysreg(v->regs.pc, elr_el1);
	write_sysreg(v->regs.pstate, spsr_el1);
	write_sysreg(esr | ESR_IL, esr_el1);
	v->regs.pc = read_sysreg(vbar_el1) + offset;
	v->regs.pstate = PSR_DAIF | PSR_EL1H | (v->regs.pstate & PSR_PAN) |
		(span ? 0 : PSR_PAN);
	if (!(read_sysreg(id_aa64mmfr1_el1) & (0xfULL << 20)))	/* FEAT_PAN */
		v->regs.pstate &= ~PSR_PAN;
}

void arch_inject_undef(struct vcpu *v)
{
	v->exits[PV_EXIT_UNDEF]++;
	enter_el1(v, (u64)EC_UNKNOWN << ESR_EC_SHIFT);
}

void arch_inject_abort(struct vcpu *v, u64 far, bool fetch)
{
	bool lower = !arch_in_kernel(v);
	u64 ec = fetch ? (lower ? EC_IABT_LOW : EC_IABT_CUR) : (lower ? EC_DABT_LOW : EC_DABT_CUR);

	v->exits[PV_EXIT_ABORT]++;
	write_sysreg(far, far_el1);
	enter_el1(v, ec << ESR_EC_SHIFT | FSC_EXTABT);
}

void arch_vtimer_read(struct arch_vtimer *t)
{
	t->ctl = read_sysreg(cntv_ctl_el0);
	t->cval = read_sysreg(cntv_cval_el0);
}

void arch_vtimer_save(struct arch_vtimer *t)
{
	arch_vtimer_read(t);
	write_sysreg(0, cntv_ctl_el0);
	isb();
}

void arch_vtimer_load(const struct arch_vtimer *t)
{
	write_sysreg(t->cval, cntv_cval_el0);
	isb();
	write_sysreg(t->ctl, cntv_ctl_el0);
}
