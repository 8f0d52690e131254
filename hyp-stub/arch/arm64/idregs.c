// SPDX-License-Identifier: GPL-2.0
/*
 * The ID registers as guests see them: the hardware's value, restricted to
 * features whose state we switch or that have none. What is not listed reads
 * as zero, so a feature of the future is hidden until somebody adds it here:
 * SVE, SME, MTE, PAuth, RAS, AMU, MPAM, PMU, SPE, trace, nested virtualization,
 * pointer authentication, and registers of FEAT_TCR2, S1PIE, ECV, ...
 */
#include "arch/arch.h"
#include "arch/arm64/sysreg.h"
#include "arch/arm64/trap.h"

#define FIELD(shift)		(0xfULL << (shift))
#define FIELD_MAX(v, shift, max) \
	((((v) >> (shift)) & 0xf) > (max) ? \
	 ((v) & ~FIELD(shift)) | (u64)(max) << (shift) : (v))

static u64 id_pfr0(void)
{
	/* EL0, EL1 (64-bit only there), FP, AdvSIMD, GIC, DIT, CSV2 up to 1, CSV3 */
	u64 v = read_sysreg(id_aa64pfr0_el1) &
		(FIELD(0) | FIELD(4) | FIELD(16) | FIELD(20) | FIELD(24) | FIELD(48) |
		 FIELD(56) | FIELD(60));

	v = FIELD_MAX(v, 0, 1);
	v = FIELD_MAX(v, 4, 1);
	v = FIELD_MAX(v, 24, 1);	/* GICv3 */
	return FIELD_MAX(v, 56, 1);	/* SCXTNUM_ELx are not switched */
}

static u64 id_pfr1(void)
{
	/* BT, SSBS (SSBS lives in PSTATE) */
	return read_sysreg(id_aa64pfr1_el1) & (FIELD(0) | FIELD(4));
}

static u64 id_dfr0(void)
{
	/* DebugVer 8.0; the least there may be of breakpoints and watchpoints */
	return 6ULL | 1ULL << 12 | 1ULL << 20;
}

static u64 id_isar0(void)
{
	return read_sysreg(id_aa64isar0_el1);	/* instructions only; RNDR is free */
}

static u64 id_isar1(void)
{
	/* All but PAuth (APA, API, GPA, GPI), LS64 and what needs registers. */
	return read_sysreg(id_aa64isar1_el1) &
		(FIELD(0) | FIELD(12) | FIELD(16) | FIELD(20) | FIELD(32) | FIELD(36) |
		 FIELD(40) | FIELD(44) | FIELD(48) | FIELD(52));
}

static u64 id_mmfr0(void)
{
	/* PARange, ASIDBits, BigEnd*, SNSMem, TGran*; no FGT, ECV */
	u64 v = read_sysreg(id_aa64mmfr0_el1) & 0x0000ffffffffULL;

	return FIELD_MAX(v, 0, 5);
}

static u64 id_mmfr1(void)
{
	/* HAFDBS, VMIDBits, HPDS, PAN, SpecSEI, XNX, ETS; no VH, LO, TWED, HCX, AFP */
	u64 v = read_sysreg(id_aa64mmfr1_el1) &
		(FIELD(0) | FIELD(12) | FIELD(20) | FIELD(24) | FIELD(36));

	return FIELD_MAX(v, 20, 3);
}

static u64 id_mmfr2(void)
{
	/* CnP, UAO, IESB, VARange, CCIDX, ST, AT, IDS, FWB, TTL, BBM, EVT, E0PD */
	u64 v = read_sysreg(id_aa64mmfr2_el1) &
		(FIELD(4) | FIELD(16) | FIELD(20) | FIELD(28) | FIELD(32) | FIELD(36) |
		 FIELD(48) | FIELD(52) | FIELD(60));

	return v;
}

/* op0=3, op1=0, CRn=0: by CRm and op2. */
u64 idreg_read(unsigned int crm, unsigned int op2)
{
	switch (crm << 4 | op2) {
	case 0x40:
		return id_pfr0();
	case 0x41:
		return id_pfr1();
	case 0x50:
		return id_dfr0();
	case 0x60:
		return id_isar0();
	case 0x61:
		return id_isar1();
	case 0x70:
		return id_mmfr0();
	case 0x71:
		return id_mmfr1();
	case 0x72:
		return id_mmfr2();
	}
	return 0;
}
