// SPDX-License-Identifier: GPL-2.0
/*
 * How a function of the running kernel is redirected to one of ours: by an ftrace
 * direct call to a trampoline (direct.c, 7 to 13 instructions), or, where the kernel
 * has none, by an ftrace callback that changes the program counter (callback.c).
 *
 * ftrace accepts a call that it does not make, while kernel.ftrace_enabled is 0.
 * So the call site itself is what counts.
 */
#define pr_fmt(fmt) "pvlock: " fmt

#include <asm/insn.h>

#include "pvlock.h"

#define INSN_MOV_X9_LR	0xaa1e03e9

/* ftrace's call site, maybe behind a BTI: MOV X9, X30; BL, or a NOP while it calls nobody. */
bool pvl_in_place(const struct pvl_hook *h)
{
	const __le32 *insn = (const __le32 *)h->addr;
	int i;

	for (i = 0; i < 2; i++)
		if (le32_to_cpu(insn[i]) == INSN_MOV_X9_LR)
			return aarch64_insn_is_bl(le32_to_cpu(insn[i + 1]));
	return false;
}

int pvl_redirect(struct pvl_hook *h, unsigned long addr)
{
	int ret;

	h->addr = addr;
	ret = pvl_register(h);
	if (ret || pvl_in_place(h))
		return ret;
	pvl_put_back(h);
	pr_err("ftrace does not call us from %s: is kernel.ftrace_enabled 0?\n",
	       h->function);
	return -EBUSY;
}
