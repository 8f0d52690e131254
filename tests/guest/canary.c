// SPDX-License-Identifier: GPL-2.0
/*
 * Watches memory for stores of somebody who has no business there. Takes nearly
 * all free memory and fills it; reading the parameter `bad` says how many words
 * have changed since. at=: physical addresses of pages that matter; one that
 * is reserved, or that this kernel does not own (of the kernel that crashed), is only
 * compared with what it was. watched, busy: how many of these are looked at, and how many are
 * not because this kernel itself uses them.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#define PATTERN		0xa5a5a5a5a5a5a5a5ULL
#define WORDS		(PAGE_SIZE / sizeof(u64))
#define MAX_AT		128

static unsigned long at[MAX_AT];
static int nr_at;
module_param_array(at, ulong, &nr_at, 0444);
static unsigned int spare_mb = 64;
module_param(spare_mb, uint, 0444);
static unsigned int watched, busy, taken_mb;
module_param(watched, uint, 0444);
module_param(busy, uint, 0444);
module_param(taken_mb, uint, 0444);

static LIST_HEAD(taken);
static u64 *foreign[MAX_AT], *was[MAX_AT];

static unsigned int differ(u64 pa, const u64 *now, const u64 *expected)
{
	unsigned int i, n = 0;

	for (i = 0; i < WORDS; i++) {
		u64 want = expected ? expected[i] : PATTERN;

		if (READ_ONCE(now[i]) == want)
			continue;
		if (!n++)
			pr_info("canary: 0x%llx is 0x%llx, not 0x%llx\n", pa + i * 8, now[i], want);
	}
	return n;
}

static int get_bad(char *buf, const struct kernel_param *kp)
{
	unsigned int n = 0;
	struct page *page;
	int i;

	list_for_each_entry(page, &taken, lru)
		n += differ(page_to_phys(page), page_address(page), NULL);
	for (i = 0; i < nr_at; i++)
		if (foreign[i])
			n += differ(at[i], foreign[i], was[i]);
	return sysfs_emit(buf, "%u\n", n);
}

static const struct kernel_param_ops bad_ops = { .get = get_bad };
module_param_cb(bad, &bad_ops, NULL, 0444);

static bool take(void)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	int i;

	if (!page)
		return false;
	memset64(page_address(page), PATTERN, WORDS);
	list_add(&page->lru, &taken);
	for (i = 0; i < nr_at; i++)
		watched += page_to_phys(page) == (at[i] & PAGE_MASK);
	return true;
}

static void watch_reserved(int i)
{
	foreign[i] = __va(at[i] & PAGE_MASK);	/* may be text of this kernel, and read-only */
	was[i] = kmemdup(foreign[i], PAGE_SIZE, GFP_KERNEL);
	if (!was[i])
		foreign[i] = NULL;
	else
		watched++;
}

static void watch_foreign(int i)
{
	foreign[i] = memremap(at[i] & PAGE_MASK, PAGE_SIZE, MEMREMAP_WB);
	was[i] = foreign[i] ? kmemdup(foreign[i], PAGE_SIZE, GFP_KERNEL) : NULL;
	if (!was[i])
		foreign[i] = NULL;
	else
		watched++;
}

static int __init canary_init(void)
{
	struct sysinfo info;
	unsigned long n = 0;
	int i;

	do {
		si_meminfo(&info);
	} while (info.freeram > (spare_mb << (20 - PAGE_SHIFT)) && take() && ++n);
	taken_mb = n >> (20 - PAGE_SHIFT);
	for (i = 0; i < nr_at; i++)
		if (!pfn_valid(PHYS_PFN(at[i])))
			watch_foreign(i);
		else if (PageReserved(pfn_to_page(PHYS_PFN(at[i]))))
			watch_reserved(i);
	busy = nr_at - watched;
	return 0;
}

static void __exit canary_exit(void)
{
	struct page *page, *next;
	int i;

	list_for_each_entry_safe(page, next, &taken, lru)
		__free_page(page);
	for (i = 0; i < nr_at; i++) {
		if (was[i] && !pfn_valid(PHYS_PFN(at[i])))
			memunmap(foreign[i]);
		kfree(was[i]);
	}
}

module_init(canary_init);
module_exit(canary_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("watches free memory for foreign stores");
