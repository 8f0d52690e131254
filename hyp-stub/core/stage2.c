// SPDX-License-Identifier: GPL-2.0
/*
 * Stage 2: one tree per VM, 4 KiB granule, root at level 1 (up to 39 bits of
 * IPA). Ranges are mapped with the largest blocks that both addresses allow.
 */
#include "core/core.h"

#define ENTRIES		512
#define LEVEL_SHIFT(l)	(39 - 9 * (l))		/* level 1: 1 GiB, 2: 2 MiB, 3: 4 KiB */
#define DESC_ADDR	0x0000fffffffff000ULL

bool stage2_init(struct vm *vm)
{
	vm->s2_root = heap_alloc(PAGE_SIZE, PAGE_SIZE);
	vm->s2_saved = heap_alloc(PAGE_SIZE, PAGE_SIZE);
	if (!vm->s2_root || !vm->s2_saved)
		return false;
	vm->vttbr = arch_vttbr((u64)vm->s2_root, vm->id + 1);
	return true;
}

static u64 *next_table(u64 *entry)
{
	u64 *table;

	if (*entry)
		return (u64 *)(*entry & DESC_ADDR);
	table = heap_alloc(PAGE_SIZE, PAGE_SIZE);
	if (table)
		*entry = arch_s2_table((u64)table);
	return table;
}

bool stage2_map(struct vm *vm, ipa_t ipa, pa_t pa, u64 size, u32 flags)
{
	u64 at = ipa.v, to = pa.v, end = ipa.v + size;

	if (end < at || end > BIT(arch_ipa_bits()))
		return false;
	while (at < end) {
		u64 *table = vm->s2_root;
		unsigned int level = 1;

		while (!IS_ALIGNED(at | to, BIT(LEVEL_SHIFT(level))) ||
		       end - at < BIT(LEVEL_SHIFT(level))) {
			table = next_table(&table[(at >> LEVEL_SHIFT(level)) % ENTRIES]);
			if (!table)
				return false;
			level++;
			ASSERT(level <= 3);
		}
		table[(at >> LEVEL_SHIFT(level)) % ENTRIES] = arch_s2_leaf(to, level, flags);
		at += BIT(LEVEL_SHIFT(level));
		to += BIT(LEVEL_SHIFT(level));
	}
	return true;
}

void stage2_withdraw(struct vm *vm)
{
	if (vm->s2_withdrawn)
		return;
	vm->s2_withdrawn = true;
	memcpy(vm->s2_saved, vm->s2_root, PAGE_SIZE);
	for (u32 i = 0; i < ENTRIES; i++)
		WRITE_ONCE(vm->s2_root[i], 0);
	arch_s2_flush(vm->vttbr);
}

void stage2_restore(struct vm *vm)
{
	if (!vm->s2_withdrawn)
		return;
	vm->s2_withdrawn = false;
	memcpy(vm->s2_root, vm->s2_saved, PAGE_SIZE);
}

/* For tests and messages: what @ipa is mapped to, or false. */
bool stage2_lookup(const struct vm *vm, ipa_t ipa, pa_t *pa, unsigned int *level)
{
	const u64 *table = vm->s2_root;

	for (*level = 1; *level <= 3; (*level)++) {
		u64 shift = LEVEL_SHIFT(*level), e = table[(ipa.v >> shift) % ENTRIES];

		if (!(e & BIT(0)))
			return false;
		if (*level == 3 || !(e & BIT(1))) {
			pa->v = (e & DESC_ADDR & ~(BIT(shift) - 1)) | (ipa.v & (BIT(shift) - 1));
			return true;
		}
		table = (const u64 *)(e & DESC_ADDR);
	}
	return false;
}
