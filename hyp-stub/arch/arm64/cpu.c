// SPDX-License-Identifier: GPL-2.0
/* A pCPU's own business: waiting, time, MMIO, SMC, bring-up of the others. */
#include "arch/arch.h"
#include "arch/arm64/sysreg.h"
#include "arch/arm64/trap.h"

#define PSCI_CPU_ON 0xC4000003

struct pcpu *this_pcpu(void)
{
	return (struct pcpu *)read_sysreg(tpidr_el2);
}

void arch_relax(void)
{
	asm volatile("yield" : : : "memory");
}

bool arch_interrupt_pending(void)
{
	return read_sysreg(isr_el1) != 0;
}

void arch_io_barrier(void)
{
	dsb(sy);
}

void arch_wait_for_interrupt(void)
{
	asm volatile("dsb sy; wfi" : : : "memory");
}

u64 arch_counter(void)
{
	isb();
	return read_sysreg(cntpct_el0);
}

u64 arch_counter_hz(void)
{
	return read_sysreg(cntfrq_el0);
}

void arch_set_deadline(u64 counter)
{
	if (counter == ~0ULL) {
		write_sysreg(0, cnthp_ctl_el2);
	} else {
		write_sysreg(counter, cnthp_cval_el2);
		write_sysreg(CNT_ENABLE, cnthp_ctl_el2);
	}
	isb();
}

u64 arch_smc(u64 fn, u64 a, u64 b, u64 c)
{
	register u64 x0 asm("x0") = fn;
	register u64 x1 asm("x1") = a;
	register u64 x2 asm("x2") = b;
	register u64 x3 asm("x3") = c;

	asm volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : :
		     "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
		     "x14", "x15", "x16", "x17", "memory");
	return x0;
}

/* Whole 2 MiB blocks; the size of what DC ZVA zeroes is a power of two. */
void arch_zero_ram(void *p, u64 size)
{
	u64 dczid = read_sysreg(dczid_el0), line = 4ULL << (dczid & 0xf);

	if (dczid & BIT(4)) {		/* DC ZVA prohibited */
		memset(p, 0, size);
		return;
	}
	for (u64 a = (u64)p; a < (u64)p + size; a += line)
		asm volatile("dc zva, %0" : : "r"(a) : "memory");
}

/* RNDR (FEAT_RNG): NZCV.Z is set when it has nothing to give. */
bool arch_random(u64 *value)
{
	u64 ok;

	if (!((read_sysreg(id_aa64isar0_el1) >> 60) & 0xf))
		return false;
	asm volatile("mrs %0, S3_3_C2_C4_0\n cset %1, ne" : "=r"(*value), "=r"(ok) : : "cc");
	return ok;
}

bool arch_start_pcpu(u64 mpidr, struct pcpu *p)
{
	extern char secondary_entry[];

	dsb(sy);
	return arch_smc(PSCI_CPU_ON, mpidr, (u64)secondary_entry, (u64)p) == 0;
}

u32 arch_mmio_read32(u64 addr)
{
	u32 v;

	asm volatile("ldr %w0, [%1]" : "=r"(v) : "r"(addr) : "memory");
	return v;
}

void arch_mmio_write32(u64 addr, u32 v)
{
	asm volatile("str %w0, [%1]" : : "r"(v), "r"(addr) : "memory");
}

u64 arch_mmio_read64(u64 addr)
{
	u64 v;

	asm volatile("ldr %0, [%1]" : "=r"(v) : "r"(addr) : "memory");
	return v;
}

void arch_mmio_write64(u64 addr, u64 v)
{
	asm volatile("str %0, [%1]" : : "r"(v), "r"(addr) : "memory");
}

/* An exception taken at EL2: our bug, not a guest's. */
void hyp_fault(u64 vector)
{
	panic("exception at EL2: vector %llu esr 0x%llx elr 0x%llx far 0x%llx",
	      (unsigned long long)vector, (unsigned long long)read_sysreg(esr_el2),
	      (unsigned long long)read_sysreg(elr_el2), (unsigned long long)read_sysreg(far_el2));
}
