// SPDX-License-Identifier: GPL-2.0
/*
 * Two event counters that MDCR_EL2.HPMN keeps from guests count instructions
 * for our own figures: one those executed at EL2, one those at EL1 and EL0.
 * They run by themselves, so measuring costs nothing. 32 bits: they wrap.
 */
#include "arch/arch.h"
#include "arch/arm64/sysreg.h"
#include "arch/arm64/trap.h"

#define INST_RETIRED	0x08
#define NOT_EL1		SBIT(31)
#define NOT_EL0		SBIT(30)
#define AND_EL2		SBIT(27)

static bool present;
static unsigned int first;

static bool counters_exist(void)
{
	unsigned int version = (read_sysreg(id_aa64dfr0_el1) >> 8) & 0xf;

	return version && version != 0xf && ((read_sysreg(pmcr_el0) >> 11) & 0x1f) > 2 &&
		read_sysreg(pmceid0_el0) & SBIT(INST_RETIRED);
}

static void set_event(unsigned int n, u64 type)
{
	write_sysreg(n, pmselr_el0);
	isb();
	write_sysreg(type, pmxevtyper_el0);
	write_sysreg(SBIT(n), pmcntenset_el0);
}

/* What MDCR_EL2 needs for it. */
u64 pmu_init(void)
{
	unsigned int n = (read_sysreg(pmcr_el0) >> 11) & 0x1f;

	if (!counters_exist())
		return n;		/* as at reset: all are the guests', who are not let at them */
	first = n - 2;
	set_event(first, INST_RETIRED | NOT_EL1 | NOT_EL0 | AND_EL2);
	set_event(first + 1, INST_RETIRED);
	present = true;
	return first | MDCR_HPME;
}

u32 arch_instructions(bool hypervisor)
{
	if (!present)
		return 0;
	write_sysreg(hypervisor ? first : first + 1, pmselr_el0);
	isb();
	return (u32)read_sysreg(pmxevcntr_el0);
}
