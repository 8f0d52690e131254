// SPDX-License-Identifier: GPL-2.0
/*
 * The host's GICv3 (Arm IHI 0069): all interrupts in group 1, one security
 * state or the non-secure view of two.
 */
#include "core/core.h"
#include "platform/platform.h"

#define GICD_CTLR		0x0000
#define GICD_CTLR_GRP1_ARE	(BIT(0) | BIT(1) | BIT(4))
#define GICD_CTLR_RWP		BIT(31)
#define GICD_TYPER		0x0004
#define GICD_IGROUPR(n)		(0x0080 + 4 * (n))
#define GICD_ISENABLER(n)	(0x0100 + 4 * (n))
#define GICD_ICENABLER(n)	(0x0180 + 4 * (n))
#define GICD_ISPENDR(n)		(0x0200 + 4 * (n))
#define GICD_ICPENDR(n)		(0x0280 + 4 * (n))
#define GICD_IPRIORITYR(n)	(0x0400 + (n))
#define GICD_ICFGR(n)		(0x0c00 + 4 * ((n) / 16))
#define GICD_IROUTER(n)		(0x6000 + 8 * (n))

#define GICR_TYPER		0x0008
#define GICR_TYPER_VLPIS	BIT(1)		/* GICv4: two frames more */
#define GICR_TYPER_LAST		BIT(4)
#define GICR_WAKER		0x0014
#define GICR_WAKER_SLEEP	BIT(1)
#define GICR_WAKER_ASLEEP	BIT(2)
#define GICR_SGI		0x10000
#define GICR_IGROUPR0		(GICR_SGI + 0x080)
#define GICR_ISENABLER0		(GICR_SGI + 0x100)
#define GICR_ICENABLER0		(GICR_SGI + 0x180)
#define GICR_ICPENDR0		(GICR_SGI + 0x280)
#define GICR_ISACTIVER0		(GICR_SGI + 0x300)
#define GICR_ICACTIVER0		(GICR_SGI + 0x380)
#define GICR_IPRIORITYR		(GICR_SGI + 0x400)
#define GICR_STRIDE		0x20000

#define PRIORITY		0xa0a0a0a0

static u64 redistributor[MAX_PCPUS];

static void wait_rwp(void)
{
	while (arch_mmio_read32(platform.gicd_base + GICD_CTLR) & GICD_CTLR_RWP)
		arch_relax();
}

void gic_init(void)
{
	u64 d = platform.gicd_base;
	u32 n = ((arch_mmio_read32(d + GICD_TYPER) & 0x1f) + 1) * 32;

	arch_mmio_write32(d + GICD_CTLR, 0);
	wait_rwp();
	for (u32 i = 32; i < n; i += 32) {
		arch_mmio_write32(d + GICD_ICENABLER(i / 32), ~0U);
		arch_mmio_write32(d + GICD_IGROUPR(i / 32), ~0U);
	}
	for (u32 i = 32; i < n; i += 4)
		arch_mmio_write32(d + GICD_IPRIORITYR(i), PRIORITY);
	arch_mmio_write32(d + GICD_CTLR, GICD_CTLR_GRP1_ARE);
	wait_rwp();
}

static u64 find_redistributor(u64 mpidr)
{
	u64 want = (mpidr & 0xffffff) | ((mpidr >> 32) & 0xff) << 24;

	for (u64 r = platform.gicr_base, typer; r < platform.gicr_base + platform.gicr_size;
	     r += typer & GICR_TYPER_VLPIS ? 2 * GICR_STRIDE : GICR_STRIDE) {
		typer = arch_mmio_read64(r + GICR_TYPER);
		if (typer >> 32 == want)
			return r;
		if (typer & GICR_TYPER_LAST)
			break;
	}
	panic("no GIC redistributor for the pCPU with MPIDR 0x%llx", (unsigned long long)mpidr);
}

void gic_cpu_init(void)
{
	struct pcpu *p = this_pcpu();
	u64 r = redistributor[p->id] = find_redistributor(p->mpidr);

	arch_mmio_write32(r + GICR_WAKER,
			  arch_mmio_read32(r + GICR_WAKER) & ~(u32)GICR_WAKER_SLEEP);
	while (arch_mmio_read32(r + GICR_WAKER) & GICR_WAKER_ASLEEP)
		arch_relax();
	arch_mmio_write32(r + GICR_ICENABLER0, ~0U);
	arch_mmio_write32(r + GICR_ICACTIVER0, ~0U);
	arch_mmio_write32(r + GICR_IGROUPR0, ~0U);
	for (u32 i = 0; i < 32; i += 4)
		arch_mmio_write32(r + GICR_IPRIORITYR + i, PRIORITY);
	arch_mmio_write32(r + GICR_ISENABLER0, (u32)(BIT(INTID_SGI_RESCHED) | BIT(INTID_MAINT) |
						     BIT(INTID_HYP_TIMER) | BIT(INTID_VTIMER)));
	arch_gic_cpu_init();
}

void gic_enable_spi(u32 intid, u64 mpidr, bool edge)
{
	u64 icfgr = platform.gicd_base + GICD_ICFGR(intid);
	u32 bit = (u32)BIT(intid % 16 * 2 + 1), config = arch_mmio_read32(icfgr);

	arch_mmio_write32(icfgr, edge ? config | bit : config & ~bit);
	arch_mmio_write64(platform.gicd_base + GICD_IROUTER(intid), mpidr & 0xff00ffffffULL);
	arch_mmio_write32(platform.gicd_base + GICD_ISENABLER(intid / 32), (u32)BIT(intid % 32));
}

/* An edge for whoever has this SPI on the pCPU @mpidr. */
void gic_raise_spi(u32 intid, u64 mpidr)
{
	u64 d = platform.gicd_base;

	if (!(arch_mmio_read32(d + GICD_ISENABLER(intid / 32)) & BIT(intid % 32)))
		gic_enable_spi(intid, mpidr, true);
	arch_mmio_write64(d + GICD_IROUTER(intid), mpidr & 0xff00ffffffULL);
	arch_mmio_write32(d + GICD_ISPENDR(intid / 32), (u32)BIT(intid % 32));
}

void gic_clear_spi(u32 intid)
{
	arch_mmio_write32(platform.gicd_base + GICD_ICPENDR(intid / 32), (u32)BIT(intid % 32));
}

/* The private interrupts of this pCPU as after a reset, for a guest. */
void gic_give_private(void)
{
	u64 r = redistributor[this_pcpu()->id];

	arch_mmio_write32(r + GICR_ICENABLER0, ~0U);
	arch_mmio_write32(r + GICR_ICPENDR0, ~0U);
	arch_mmio_write32(r + GICR_ICACTIVER0, ~0U);
}

/* Make our SGI pCPU @id's most urgent interrupt, whatever its guest has set. */
void gic_insist(u32 id)
{
	u64 r = redistributor[id];

	arch_mmio_write32(r + GICR_IPRIORITYR,
			  arch_mmio_read32(r + GICR_IPRIORITYR) & ~(0xffU << INTID_SGI_RESCHED * 8));
	arch_mmio_write32(r + GICR_IGROUPR0, ~0U);
	arch_mmio_write32(r + GICR_ISENABLER0, (u32)BIT(INTID_SGI_RESCHED));
}

/* Physical address of pCPU @id's frame with the private interrupts. */
u64 gic_private_frame(u32 id)
{
	return redistributor[id] + GICR_SGI;
}

void gic_set_private_active(u32 intid, bool active)
{
	u64 r = redistributor[this_pcpu()->id];

	arch_mmio_write32(r + (active ? GICR_ISACTIVER0 : GICR_ICACTIVER0), (u32)BIT(intid));
}
