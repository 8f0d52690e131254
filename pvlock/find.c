// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's per-CPU queue nodes. Where kallsyms knows no data (without
 * CONFIG_KALLSYMS_ALL), they are found in the code of the function that we
 * replace: it refers to one per-CPU variable only, by ADRP and ADD. What else it
 * may be, or more than one, is an error, and nothing is redirected.
 */
#define pr_fmt(fmt) "pvlock: " fmt

#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/percpu.h>

#include "pvlock.h"

static bool (*is_per_cpu)(unsigned long addr);
static int (*size_of)(unsigned long addr, unsigned long *size, unsigned long *offset);

/* Arm ARM C6.2: ADRP Xd, page; ADD Xd, Xn, #imm (64 bits, no shift). */
static unsigned long adrp_target(unsigned long pc, u32 insn)
{
	s64 pages = sign_extend64((insn >> 5 & 0x7ffff) << 2 | (insn >> 29 & 3), 20);

	return (pc & ~0xfffUL) + pages * 4096;
}

/* The per-CPU variable with a cache line of its own; 0: there is none, or there are several. */
static unsigned long per_cpu_in(const u32 *code, unsigned long size)
{
	unsigned long page[32] = {}, found = 0, at;
	u32 i, insn;

	for (i = 0; i < size / 4; i++) {
		insn = le32_to_cpu((__force __le32)code[i]);
		if ((insn & 0x9f000000) == 0x90000000) {
			page[insn & 31] = adrp_target((unsigned long)&code[i], insn);
			continue;
		}
		if ((insn & 0xffc00000) != 0x91000000 || !page[insn >> 5 & 31])
			continue;
		at = page[insn >> 5 & 31] + (insn >> 10 & 0xfff);
		page[insn >> 5 & 31] = 0;
		if (at % SMP_CACHE_BYTES || !is_per_cpu((unsigned long)per_cpu_ptr((void __percpu *)at, 0)))
			continue;
		if (found && found != at)
			return 0;
		found = at;
	}
	return found;
}

void __percpu *pvl_find_nodes(const char *variable, const char *function)
{
	unsigned long addr = pvhyp_look_up(variable), size, offset;
	const char *how = "kallsyms";

	if (!addr) {
		addr = pvhyp_look_up(function);
		is_per_cpu = (void *)pvhyp_look_up("is_kernel_percpu_address");
		size_of = (void *)pvhyp_look_up("kallsyms_lookup_size_offset");
		if (!addr || !is_per_cpu || !size_of || !size_of(addr, &size, &offset) || offset)
			return NULL;
		addr = per_cpu_in((const u32 *)addr, size);
		how = function;
	}
	pr_debug("%s is at %lx, by %s\n", variable, addr, how);
	return (void __percpu *)addr;
}
