// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that masks interrupts and never gives up its pCPU, for 3 s; then it
 * powers off. Its neighbours must run meanwhile.
 */
#include "bare.h"

void bare_main(void)
{
	u64 end;

	asm volatile("msr daifset, #15");
	put("spinning with interrupts masked\n");
	end = now() + 3 * read_sysreg(cntfrq_el0);
	while (now() < end)
		;
}
