// SPDX-License-Identifier: GPL-2.0
/*
 * Hypervisor memory: a static arena, given out at boot and never returned, so
 * that the footprint is known when it is built.
 */
#include "core/core.h"
#include "platform/platform.h"

static u8 arena[HEAP_SIZE] __attribute__((aligned(4096)));
static u64 used;

void *heap_alloc(u64 size, u64 align)
{
	u64 at = ALIGN_UP(used, align);

	if (size > sizeof(arena) || at > sizeof(arena) - size)
		return NULL;
	used = at + size;
	return arena + at;		/* zero: in .bss, given out once */
}

void *heap_alloc_ram(u64 size, u64 align)
{
	static u64 next, end;
	u64 at = ALIGN_UP(next, align);

	if (at + size > end || !next) {
		u64 chunk = ALIGN_UP(size, MiB(2));

		at = platform_alloc_ram(chunk);
		if (!at)
			return NULL;
		arch_zero_ram((void *)at, chunk);
		end = at + chunk;
	}
	next = at + size;
	return (void *)at;
}

u64 heap_used(void)
{
	return used;
}
