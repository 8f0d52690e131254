// SPDX-License-Identifier: GPL-2.0
/*
 * Gives RAM to guests, once, at boot. Keeps a list of what is taken; a
 * candidate place is tried at each aligned address and after each taken range.
 */
#include "platform/platform.h"

#define MAX_TAKEN 128

static struct range taken[MAX_TAKEN];
static unsigned int nr_taken;

void platform_reserve(u64 base, u64 size)
{
	if (!size)
		return;
	if (nr_taken == MAX_TAKEN)
		panic("more than %d reserved memory ranges", MAX_TAKEN);
	taken[nr_taken++] = (struct range){ base, size };
}

/* The end of a taken range that overlaps [base, base + size), or 0. */
static u64 overlap_end(u64 base, u64 size)
{
	for (unsigned int i = 0; i < nr_taken; i++)
		if (base < taken[i].base + taken[i].size && taken[i].base < base + size)
			return taken[i].base + taken[i].size;
	return 0;
}

static u64 find(u64 size, u64 align)
{
	for (unsigned int i = 0; i < platform.nr_ram; i++) {
		const struct range *r = &platform.ram[i];
		u64 at = ALIGN_UP(r->base, align), skip;

		while (at + size <= r->base + r->size && at + size > at) {
			skip = overlap_end(at, size);
			if (!skip)
				return at;
			at = ALIGN_UP(skip, align);
		}
	}
	return 0;
}

u64 platform_alloc_ram(u64 size)
{
	u64 at = size >= GiB(1) ? find(size, GiB(1)) : 0;

	if (!at)
		at = find(size, MiB(2));
	if (at)
		platform_reserve(at, size);
	return at;
}
