// SPDX-License-Identifier: GPL-2.0
/* GICv3 CPU interface registers (Arm IHI 0069), physical and virtual. */
#include "arch/arch.h"
#include "arch/arm64/sysreg.h"

/* Expands a helper over the 16 list registers: their number is an opcode. */
#define FOR_EACH_LR(X) \
	X(0, C12, 0) X(1, C12, 1) X(2, C12, 2) X(3, C12, 3) \
	X(4, C12, 4) X(5, C12, 5) X(6, C12, 6) X(7, C12, 7) \
	X(8, C13, 0) X(9, C13, 1) X(10, C13, 2) X(11, C13, 3) \
	X(12, C13, 4) X(13, C13, 5) X(14, C13, 6) X(15, C13, 7)

void arch_gic_cpu_init(void)
{
	write_sysreg(read_sysreg(icc_sre_el2) | 0xf, icc_sre_el2);	/* SRE, DFB, DIB, Enable */
	isb();
	write_sysreg(7, icc_sre_el1);
	isb();
	write_sysreg(0xff, icc_pmr_el1);
	write_sysreg(0, icc_bpr1_el1);
	write_sysreg(ICC_CTLR_EOIMODE, icc_ctlr_el1);
	write_sysreg(1, icc_igrpen1_el1);
	isb();
}

u32 arch_gic_ack(void)
{
	u32 intid = (u32)read_sysreg(icc_iar1_el1);

	dsb(sy);
	return intid;
}

void arch_gic_eoi(u32 intid)
{
	write_sysreg(intid, icc_eoir1_el1);
}

void arch_gic_deactivate(u32 intid)
{
	write_sysreg(intid, icc_dir_el1);
}

void arch_gic_send_sgi(u64 mpidr, u32 intid)
{
	u64 aff0 = mpidr & 0xff, aff1 = (mpidr >> 8) & 0xff;
	u64 aff2 = (mpidr >> 16) & 0xff, aff3 = (mpidr >> 32) & 0xff;

	dsb(ish);	/* what the receiver looks at is visible first */
	write_sysreg(aff3 << 48 | (aff0 >> 4) << 44 | aff2 << 32 | (u64)intid << 24 |
		     aff1 << 16 | BIT(aff0 & 0xf), icc_sgi1r_el1);
	isb();
}

unsigned int arch_vgic_nr_lrs(void)
{
	return (unsigned int)(read_sysreg(ich_vtr_el2) & 0x1f) + 1;
}

u64 arch_vgic_read_lr(unsigned int i)
{
	switch (i) {
#define X(n, crm, op2) case n: return read_sysreg(S3_4_C12_##crm##_##op2);
	FOR_EACH_LR(X)
#undef X
	}
	return 0;
}

void arch_vgic_write_lr(unsigned int i, u64 v)
{
	switch (i) {
#define X(n, crm, op2) case n: write_sysreg(v, S3_4_C12_##crm##_##op2); break;
	FOR_EACH_LR(X)
#undef X
	}
}

u32 arch_vgic_empty_lrs(void)
{
	return (u32)read_sysreg(ich_elrsr_el2);
}

void arch_vgic_set_hcr(u32 v)
{
	write_sysreg(v, ich_hcr_el2);
}

/* Priority bits decide how many active-priority registers exist (5: one). */
static unsigned int nr_apr(void)
{
	unsigned int pribits = (unsigned int)((read_sysreg(ich_vtr_el2) >> 29) & 7) + 1;

	return pribits <= 5 ? 1 : pribits == 6 ? 2 : 4;
}

void arch_vgic_save(struct arch_vgic *g)
{
	unsigned int n = nr_apr();

	g->vmcr = (u32)read_sysreg(ich_vmcr_el2);
	g->ap0r[0] = (u32)read_sysreg(ich_ap0r0_el2);
	g->ap1r[0] = (u32)read_sysreg(ich_ap1r0_el2);
	if (n > 1) {
		g->ap0r[1] = (u32)read_sysreg(ich_ap0r1_el2);
		g->ap1r[1] = (u32)read_sysreg(ich_ap1r1_el2);
	}
	if (n > 2) {
		g->ap0r[2] = (u32)read_sysreg(ich_ap0r2_el2);
		g->ap0r[3] = (u32)read_sysreg(ich_ap0r3_el2);
		g->ap1r[2] = (u32)read_sysreg(ich_ap1r2_el2);
		g->ap1r[3] = (u32)read_sysreg(ich_ap1r3_el2);
	}
	write_sysreg(0, ich_hcr_el2);
}

void arch_vgic_load(const struct arch_vgic *g)
{
	unsigned int n = nr_apr();

	write_sysreg(g->vmcr, ich_vmcr_el2);
	write_sysreg(g->ap0r[0], ich_ap0r0_el2);
	write_sysreg(g->ap1r[0], ich_ap1r0_el2);
	if (n > 1) {
		write_sysreg(g->ap0r[1], ich_ap0r1_el2);
		write_sysreg(g->ap1r[1], ich_ap1r1_el2);
	}
	if (n > 2) {
		write_sysreg(g->ap0r[2], ich_ap0r2_el2);
		write_sysreg(g->ap0r[3], ich_ap0r3_el2);
		write_sysreg(g->ap1r[2], ich_ap1r2_el2);
		write_sysreg(g->ap1r[3], ich_ap1r3_el2);
	}
	write_sysreg(g->hcr, ich_hcr_el2);
}
