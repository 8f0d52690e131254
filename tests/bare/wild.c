// SPDX-License-Identifier: GPL-2.0
/* A guest without working vectors that accesses what it does not have. */
#include "bare.h"

void bare_main(void)
{
	put("a wild access, without vectors to catch it\n");
	write_sysreg(0x10000000, vbar_el1);
	isb();
	mmio_write(0x20000000, 1);
	put("not reached\n");
}
