// SPDX-License-Identifier: GPL-2.0
/*
 * Request mode: a disk's own settings, those in /sys/block/DISK/queue, changed
 * through the same functions that these files have, and put back.
 */
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "blk_noop.h"

#define VALUE_SIZE	32

/* In this order; put back in the other. */
static const struct {
	const char *name, *value;
} settings[] = {
	{ "scheduler",		"none" },	/* the host reorders again */
	{ "nomerges",		"2" },		/* no looking for neighbours */
	{ "iostats",		"0" },
	{ "wbt_lat_usec",	"0" },		/* writeback is throttled by the host */
	{ "add_random",		"0" },		/* virtual interrupts are no entropy */
	{ "rq_affinity",	"2" },		/* completed where submitted */
};

struct noop_saved {
	struct {
		bool changed;
		char was[VALUE_SIZE], is[VALUE_SIZE];
	} s[ARRAY_SIZE(settings)];
};

static struct attribute *find(struct gendisk *disk, const char *name)
{
	const struct attribute_group **g;
	struct attribute **a;

	for (g = pvk_queue_kobj(disk)->ktype->default_groups; g && *g; g++)
		for (a = (*g)->attrs; *a; a++)
			if (!strcmp((*a)->name, name))
				return *a;
	return NULL;
}

/* The value, of a choice the one in brackets. */
static bool get(struct gendisk *disk, const char *name, char *value)
{
	struct attribute *a = find(disk, name);
	char *page = a ? (char *)get_zeroed_page(GFP_KERNEL) : NULL, *from;
	ssize_t n;

	if (!page)
		return false;
	n = pvk_queue_kobj(disk)->ktype->sysfs_ops->show(pvk_queue_kobj(disk), a, page);
	from = strchr(page, '[');
	from = from ? from + 1 : page;
	from[strcspn(from, "]\n")] = 0;
	if (n > 0)
		strscpy(value, from, VALUE_SIZE);
	free_page((unsigned long)page);
	return n > 0;
}

static bool set(struct gendisk *disk, const char *name, const char *value)
{
	struct attribute *a = find(disk, name);
	char *page = a ? (char *)get_zeroed_page(GFP_KERNEL) : NULL;
	ssize_t n;

	if (!page)
		return false;
	strscpy(page, value, VALUE_SIZE);
	n = pvk_queue_kobj(disk)->ktype->sysfs_ops->store(pvk_queue_kobj(disk), a, page, strlen(page));
	free_page((unsigned long)page);
	return n > 0;
}

struct noop_saved *noop_settings_apply(struct gendisk *disk)
{
	struct noop_saved *saved;
	int i;

	if (!pvk_queue_kobj(disk)->state_in_sysfs)
		return NULL;
	saved = kzalloc(sizeof(*saved), GFP_KERNEL);
	for (i = 0; saved && i < ARRAY_SIZE(settings); i++) {
		const char *value = settings[i].value;

		if (!i && noop_elevator)
			value = "noop";
		if (!get(disk, settings[i].name, saved->s[i].was) || !strcmp(saved->s[i].was, value))
			continue;
		saved->s[i].changed = set(disk, settings[i].name, value) &&
			get(disk, settings[i].name, saved->s[i].is);
	}
	return saved;
}

void noop_settings_restore(struct gendisk *disk, struct noop_saved *saved)
{
	char now[VALUE_SIZE];
	int i;

	for (i = ARRAY_SIZE(settings) - 1; i >= 0; i--)
		if (saved->s[i].changed && get(disk, settings[i].name, now) && !strcmp(now, saved->s[i].is))
			set(disk, settings[i].name, saved->s[i].was);
	kfree(saved);
}

void noop_settings_drop(struct noop_saved *saved)
{
	kfree(saved);
}

void noop_settings_print(struct seq_file *m, const struct noop_saved *saved)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (saved->s[i].changed)
			seq_printf(m, " %s=%s(%s)", settings[i].name, saved->s[i].is, saved->s[i].was);
}
