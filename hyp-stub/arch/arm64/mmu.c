// SPDX-License-Identifier: GPL-2.0
/*
 * EL2 stage 1: one level-1 table of 1 GiB blocks, 1:1. The first GiB is
 * devices on every board supported; the image's own GiB is mapped before the
 * MMU is on, RAM is added as the host device tree names it. Also the stage-2
 * descriptor formats (DDI 0487 D8.3), which core/stage2.c puts together.
 */
#include "arch/arch.h"
#include "arch/arm64/sysreg.h"
#include "arch/arm64/trap.h"

#define VA_BITS		39
#define DESC_VALID	BIT(0)
#define DESC_TABLE	BIT(1)		/* table, or page at level 3 */
#define DESC_AF		BIT(10)
#define DESC_SH_IS	(3 << 8)
#define DESC_XN		BIT(54)
#define DESC_ATTR(i)	((u64)(i) << 2)
#define MAIR_DEVICE	0		/* index 0: nGnRE */
#define MAIR_NORMAL	1		/* index 1: write-back */
#define MAIR_VALUE	(0x04ULL | 0xffULL << 8)

#define S2_ATTR_NORMAL	(0xfULL << 2)
#define S2_ATTR_DEVICE	(0x1ULL << 2)	/* nGnRE */
#define S2_READ		BIT(6)
#define S2_WRITE	BIT(7)

static u64 table[512] __attribute__((aligned(4096)));

static void map_gib(u64 base, unsigned int attr)
{
	u64 *e = &table[base >> 30];

	if (!(*e & DESC_VALID)) {
		*e = base | DESC_VALID | DESC_AF | DESC_SH_IS | DESC_ATTR(attr) |
			(attr == MAIR_DEVICE ? DESC_XN : 0);
		dsb(ishst);
		isb();
	}
}

void arch_map_ram(u64 base, u64 size)
{
	if (base + size > BIT(VA_BITS) || base + size < base)
		panic("memory at 0x%llx is outside the %d-bit map",
		      (unsigned long long)base, VA_BITS);
	for (u64 at = ALIGN_DOWN(base, GiB(1)); at < base + size; at += GiB(1))
		map_gib(at, MAIR_NORMAL);
}

unsigned int arch_ipa_bits(void)
{
	static const u8 pa_bits[] = { 32, 36, 40, 42, 44, 48, 48, 48 };
	unsigned int bits = pa_bits[read_sysreg(id_aa64mmfr0_el1) & 7];

	return MIN(bits, VA_BITS);
}

/* Called on each pCPU before any other C code. */
void mmu_enable(void)
{
	u64 pa_range = read_sysreg(id_aa64mmfr0_el1) & 7;

	map_gib(0, MAIR_DEVICE);
	map_gib(ALIGN_DOWN((u64)mmu_enable, GiB(1)), MAIR_NORMAL);
	write_sysreg(MAIR_VALUE, mair_el2);
	/* TCR_EL2 with E2H=0: RES1 bits, PS, inner shareable write-back walks. */
	write_sysreg(BIT(31) | BIT(23) | pa_range << 16 | 3 << 12 | 1 << 10 | 1 << 8 |
		     (64 - VA_BITS), tcr_el2);
	write_sysreg((u64)table, ttbr0_el2);
	dsb(sy);
	asm volatile("tlbi alle2");
	dsb(sy);
	isb();
	write_sysreg(SCTLR_EL2_RES1 | SCTLR_M | SCTLR_C | SCTLR_I | SCTLR_SA, sctlr_el2);
	isb();

	pa_range = MIN(pa_range, 5);
	write_sysreg(VTCR_RES1 | pa_range << VTCR_PS_SHIFT | VTCR_SH0_IS | VTCR_ORGN0_WB |
		     VTCR_IRGN0_WB | VTCR_SL0_L1 | VTCR_T0SZ(arch_ipa_bits()), vtcr_el2);
}

u64 arch_s2_leaf(u64 pa, unsigned int level, u32 flags)
{
	return pa | DESC_VALID | (level == 3 ? DESC_TABLE : 0) | DESC_AF | S2_READ |
		(flags & ARCH_S2_RO ? 0 : S2_WRITE) |
		(flags & ARCH_S2_DEVICE ? S2_ATTR_DEVICE | DESC_XN : S2_ATTR_NORMAL | DESC_SH_IS);
}

u64 arch_s2_table(u64 pa)
{
	return pa | DESC_VALID | DESC_TABLE;
}

u64 arch_vttbr(u64 root_pa, unsigned int vmid)
{
	return root_pa | (u64)vmid << 48;
}

/* Drop all stage 1+2 translations of a VMID, on every pCPU. */
void arch_s2_flush(u64 vttbr)
{
	u64 old = read_sysreg(vttbr_el2);

	write_sysreg(vttbr, vttbr_el2);
	isb();
	asm volatile("dsb ishst; tlbi vmalls12e1is; dsb ish; isb" : : : "memory");
	write_sysreg(old, vttbr_el2);
	isb();
}

static u64 dcache_line(void)
{
	return 4ULL << ((read_sysreg(ctr_el0) >> 16) & 0xf);
}

/* Invalidates, too: an uncached reader and we agree on memory alone. */
void arch_clean(void *p, u64 size)
{
	u64 line = dcache_line();

	for (u64 a = ALIGN_DOWN((u64)p, line); a < (u64)p + size; a += line)
		asm volatile("dc civac, %0" : : "r"(a) : "memory");
	dsb(sy);
}

void arch_sync_image(void *p, u64 size)
{
	arch_clean(p, size);
	asm volatile("ic ialluis; dsb sy; isb" : : : "memory");
}
