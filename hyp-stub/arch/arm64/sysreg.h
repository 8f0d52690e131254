/* SPDX-License-Identifier: GPL-2.0 */
/* System register fields, named as in the Arm ARM (DDI 0487). */
#ifndef ARCH_ARM64_SYSREG_H
#define ARCH_ARM64_SYSREG_H

#ifndef __ASSEMBLY__
#define read_sysreg(r) ({ \
	u64 __v; \
	asm volatile("mrs %0, " #r : "=r"(__v)); \
	__v; \
})
#define write_sysreg(v, r) asm volatile("msr " #r ", %x0" : : "rZ"((u64)(v)))
#define isb() asm volatile("isb" : : : "memory")
#define dsb(scope) asm volatile("dsb " #scope : : : "memory")
#define SBIT(n) (1ULL << (n))
#else
#define SBIT(n) (1 << (n))
#endif

/* HCR_EL2, D19.2.48 */
#define HCR_VM		SBIT(0)
#define HCR_SWIO	SBIT(1)
#define HCR_FMO		SBIT(3)
#define HCR_IMO		SBIT(4)
#define HCR_AMO		SBIT(5)
#define HCR_BSU_IS	SBIT(10)
#define HCR_FB		SBIT(9)
#define HCR_TWI		SBIT(13)
#define HCR_TWE		SBIT(14)
#define HCR_TID3	SBIT(18)
#define HCR_TSC		SBIT(19)
#define HCR_TIDCP	SBIT(20)
#define HCR_TACR	SBIT(21)
#define HCR_TSW		SBIT(22)
#define HCR_RW		SBIT(31)
#define HCR_TLOR	SBIT(35)
#define HCR_TERR	SBIT(36)

/* CPTR_EL2 with E2H=0, D19.2.35: trap SVE, SME, trace, AMU; leave FP. */
#define CPTR_RES1	0x22ff
#define CPTR_TZ		SBIT(8)
#define CPTR_TSM	SBIT(12)
#define CPTR_TTA	SBIT(20)
#define CPTR_TAM	SBIT(30)

/* MDCR_EL2, D19.3.18 */
#define MDCR_TPMCR	SBIT(5)
#define MDCR_TPM	SBIT(6)
#define MDCR_HPME	SBIT(7)
#define MDCR_TDA	SBIT(9)
#define MDCR_TDOSA	SBIT(10)
#define MDCR_TDRA	SBIT(11)
#define MDCR_TTRF	SBIT(19)

/* CNTHCTL_EL2 with E2H=0: the counter is free, the physical timer traps. */
#define CNTHCTL_EL1PCTEN SBIT(0)
#define CNTHCTL_EL1PCEN	SBIT(1)

/* CNT*_CTL, D19.12 */
#define CNT_ENABLE	SBIT(0)
#define CNT_IMASK	SBIT(1)
#define CNT_ISTATUS	SBIT(2)

/* PAR_EL1, D19.2.108 */
#define PAR_F		BIT(0)
#define PAR_PA		0x0000fffffffff000ULL

/* ESR_EL2, D19.2.37 */
#define ESR_EC_SHIFT	26
#define ESR_IL		SBIT(25)
#define EC_UNKNOWN	0x00
#define EC_WFX		0x01
#define EC_FP		0x07
#define EC_HVC64	0x16
#define ESR_HVC64_IMM0	0x5a000000	/* EC_HVC64, IL, immediate 0 */
#define EC_SMC64	0x17
#define EC_SYSREG	0x18
#define EC_IABT_LOW	0x20
#define EC_IABT_CUR	0x21
#define EC_DABT_LOW	0x24
#define EC_DABT_CUR	0x25
#define EC_SERROR	0x2f
#define ESR_WFX_TI_WFE	SBIT(0)
#define ESR_ISV		SBIT(24)
#define ESR_SAS_SHIFT	22
#define ESR_SSE		SBIT(21)
#define ESR_SRT_SHIFT	16
#define ESR_SF		SBIT(15)
#define ESR_WNR		SBIT(6)
#define ESR_FNV		SBIT(10)
#define ESR_S1PTW	SBIT(7)
#define ESR_FSC_MASK	0x3f
#define FSC_EXTABT	0x10
#define ESR_SYS_READ	SBIT(0)

/* PSTATE as in SPSR_ELx */
#define PSR_EL1H	0x5
#define PSR_EL_MASK	0xc
#define PSR_F		SBIT(6)
#define PSR_I		SBIT(7)
#define PSR_A		SBIT(8)
#define PSR_D		SBIT(9)
#define PSR_DAIF	(PSR_D | PSR_A | PSR_I | PSR_F)
#define PSR_IL		SBIT(20)
#define PSR_PAN		SBIT(22)

/* SCTLR_ELx */
#define SCTLR_M		SBIT(0)
#define SCTLR_C		SBIT(2)
#define SCTLR_SA	SBIT(3)
#define SCTLR_I		SBIT(12)
#define SCTLR_EL1_RES1	0x30d00800	/* reset value: MMU and caches off */
#define SCTLR_EL2_RES1	0x30c50830

/* VTCR_EL2: 4 KiB granule, write-back inner shareable walks */
#define VTCR_RES1	SBIT(31)
#define VTCR_PS_SHIFT	16
#define VTCR_SH0_IS	(3 << 12)
#define VTCR_ORGN0_WB	(1 << 10)
#define VTCR_IRGN0_WB	(1 << 8)
#define VTCR_SL0_L1	(1 << 6)
#define VTCR_T0SZ(bits)	(64 - (bits))

#define ICC_CTLR_EOIMODE SBIT(1)	/* EOI drops the priority, DIR deactivates */

#endif
