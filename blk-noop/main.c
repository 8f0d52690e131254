// SPDX-License-Identifier: GPL-2.0
/*
 * blk-noop: finds a guest's virtual disks, those that are there and those that
 * come, and makes them do only what the host will not do again; see
 * Documentation/blk-noop.md. Works on any hypervisor.
 *
 * Disks are found through the block class. It tells of one before its queue is
 * set up, and from places where we must not wait: so a work item does the rest.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/pci.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <pvkit/module.h>

#include "blk_noop.h"

bool noop_elevator;
static bool bio_mode;
static char *disks = "auto";
static DEFINE_MUTEX(mutex);		/* the list */
static LIST_HEAD(list);
static struct class_interface interface;
static struct dentry *debugfs;
static struct workqueue_struct *workqueue;
static bool active = true, loaded, leaving;

/* A disk that was seen. */
struct seen {
	struct list_head link;
	struct gendisk *disk;		/* a reference to its device */
	struct noop_saved *saved;	/* request mode: its settings were changed */
	struct delayed_work work;
	struct kref ref;		/* the list's, and the work's while it is queued or runs */
	bool gone;
	int tries;
};

static const char * const mode_names[] = { "request", "bio" };

static int set_mode(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(mode_names, val);

	bio_mode = i == 1;
	return i < 0 ? i : 0;
}

static int get_mode(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", mode_names[bio_mode]);
}

static const struct kernel_param_ops mode_ops = { .set = set_mode, .get = get_mode };
module_param_cb(mode, &mode_ops, NULL, 0444);
MODULE_PARM_DESC(mode, "request: the leanest settings of the block layer; bio: virtio disks go to a driver without request layer, others as with request (request)");
module_param(disks, charp, 0444);
MODULE_PARM_DESC(disks, "auto: those that look virtual (virtio, Xen, NVMe of a hypervisor); all; or names, with commas between (auto)");

static const char * const elevator_names[] = { "none", "noop" };

static int set_elevator(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(elevator_names, val);

	noop_elevator = i == 1;
	return i < 0 ? i : 0;
}

static int get_elevator(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", elevator_names[noop_elevator]);
}

static const struct kernel_param_ops elevator_ops = { .set = set_elevator, .get = get_elevator };
module_param_cb(elevator, &elevator_ops, NULL, 0444);
MODULE_PARM_DESC(elevator, "request mode: none, or noop, which keeps order between CPUs and is in noop-iosched.ko (none)");

/* --- which disks --- */

static bool on_bus(const struct device *dev, const char *bus)
{
	return dev && dev->bus && !strcmp(dev->bus->name, bus);
}

static bool is_virtio(struct gendisk *disk)
{
	return on_bus(disk_to_dev(disk)->parent, "virtio");
}

/* NVMe controllers that are a hypervisor's, by PCI vendor. */
static bool is_virtual_nvme(struct device *dev)
{
	static const u16 vendors[] = { 0x1b36 /* QEMU */, 0x1d0f /* Amazon */, 0x1ae0 /* Google */, 0x1414 /* Microsoft */ };
	int i;

	for (; dev; dev = dev->parent)
		if (on_bus(dev, "pci"))
			for (i = 0; i < ARRAY_SIZE(vendors); i++)
				if (to_pci_dev(dev)->vendor == vendors[i])
					return true;
	return false;
}

static bool is_named(const char *name)
{
	size_t n = strlen(name);
	const char *s;

	for (s = disks; s; s = strchr(s, ',')) {
		s += *s == ',';
		if (!strncmp(s, name, n) && (!s[n] || s[n] == ','))
			return true;
	}
	return false;
}

static bool is_wanted(struct gendisk *disk)
{
	struct device *parent = disk_to_dev(disk)->parent;

	if (disk->fops == &noop_fops)
		return false;
	if (!strcmp(disks, "all"))
		return parent;		/* not loop, ram, dm, md */
	if (strcmp(disks, "auto"))
		return is_named(disk->disk_name);
	return is_virtio(disk) || on_bus(parent, "xen") ||
		(!strncmp(disk->disk_name, "nvme", 4) && is_virtual_nvme(parent));
}

/* --- disks come and go --- */

static void free_seen(struct kref *ref)
{
	struct seen *s = container_of(ref, struct seen, ref);

	put_device(disk_to_dev(s->disk));
	kfree(s);
}

static void queue_treat(struct seen *s, unsigned int ms)
{
	kref_get(&s->ref);
	if (!queue_delayed_work(workqueue, &s->work, msecs_to_jiffies(ms)))
		kref_put(&s->ref, free_seen);
}

/*
 * Not while its partition table is read: then it has not been announced. After that
 * udev may look at it, so who uses it is asked for 2 s.
 */
static void take(struct seen *s)
{
	if (!dev_get_uevent_suppress(disk_to_dev(s->disk))) {
		if (noop_take(s->disk) != -EBUSY)
			return;
		if (s->tries++ == 20) {
			pr_info("%s is in use: left to virtio_blk\n", s->disk->disk_name);
			return;
		}
	}
	mutex_lock(&mutex);
	if (!s->gone)
		queue_treat(s, 100);
	mutex_unlock(&mutex);
}

static void treat(struct work_struct *work)
{
	struct seen *s = container_of(work, struct seen, work.work);

	if (READ_ONCE(leaving)) {
		;
	} else if (bio_mode && is_virtio(s->disk)) {
		take(s);		/* and then it goes, see forget() */
	} else {
		mutex_lock(&mutex);
		if (!s->saved && !s->gone && active)
			s->saved = noop_settings_apply(s->disk);
		if (!s->saved && !s->gone && active && ++s->tries < 100)
			queue_treat(s, 20);	/* its queue is not there yet */
		mutex_unlock(&mutex);
	}
	kref_put(&s->ref, free_seen);
}

static int see(struct device *dev CLASS_INTERFACE_ARG)
{
	struct gendisk *disk = dev_to_disk(dev);
	struct seen *s;

	if (bdev_is_partition(dev_to_bdev(dev)) || !is_wanted(disk))
		return 0;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return 0;
	get_device(dev);
	s->disk = disk;
	kref_init(&s->ref);
	INIT_DELAYED_WORK(&s->work, treat);
	mutex_lock(&mutex);
	list_add_tail(&s->link, &list);
	mutex_unlock(&mutex);
	queue_treat(s, 0);
	return 0;
}

/*
 * Called with the class's lock, which the work may wait for, as it makes disks
 * go: so nobody waits for the work here.
 */
static void forget(struct device *dev CLASS_INTERFACE_ARG)
{
	struct seen *s, *found = NULL;

	mutex_lock(&mutex);
	list_for_each_entry(s, &list, link)
		if (disk_to_dev(s->disk) == dev)
			found = s;
	if (found) {
		list_del(&found->link);
		found->gone = true;
		if (found->saved)
			noop_settings_drop(found->saved);
		found->saved = NULL;
	}
	mutex_unlock(&mutex);
	if (!found)
		return;
	if (cancel_delayed_work(&found->work))
		kref_put(&found->ref, free_seen);
	kref_put(&found->ref, free_seen);
}

/* The block class has no name for modules; any disk is in it. */
static int watch(void)
{
	struct gendisk *disk = pvk_alloc_disk(NULL, 0);
	int ret;

	if (IS_ERR(disk))
		return PTR_ERR(disk);
	interface.class = disk_to_dev(disk)->class;
	interface.add_dev = see;
	interface.remove_dev = forget;
	ret = class_interface_register(&interface);
	put_disk(disk);
	return ret;
}

static void put_settings_back(void)
{
	struct seen *s;

	mutex_lock(&mutex);
	list_for_each_entry(s, &list, link) {
		if (s->saved)
			noop_settings_restore(s->disk, s->saved);
		s->saved = NULL;
	}
	mutex_unlock(&mutex);
}

/* --- parameter "active": on request, without unloading --- */

static int set_active(const char *val, const struct kernel_param *kp)
{
	struct seen *s;
	bool on;
	int ret = kstrtobool(val, &on);

	if (ret)
		return ret;
	if (loaded && bio_mode)
		return -EBUSY;		/* rmmod, or unbind a disk */
	active = on;
	if (!loaded)
		return 0;
	if (!on) {
		put_settings_back();
		return 0;
	}
	mutex_lock(&mutex);
	list_for_each_entry(s, &list, link)
		if (!s->saved)
			s->saved = noop_settings_apply(s->disk);
	mutex_unlock(&mutex);
	return 0;
}

static const struct kernel_param_ops active_ops = { .set = set_active, .get = param_get_bool };
module_param_cb(active, &active_ops, &active, 0644);
MODULE_PARM_DESC(active, "request mode: N puts the disks' settings back, Y changes them again (Y)");

static int disks_show(struct seq_file *m, void *unused)
{
	struct seen *s;

	mutex_lock(&mutex);
	list_for_each_entry(s, &list, link) {
		seq_printf(m, "%s", s->disk->disk_name);
		if (s->saved)
			noop_settings_print(m, s->saved);
		seq_putc(m, '\n');
	}
	mutex_unlock(&mutex);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(disks);

static int __init noop_init(void)
{
	int ret = noop_front_init();

	if (ret)
		return ret;
	ret = -ENOMEM;
	workqueue = alloc_ordered_workqueue("blk_noop_disks", 0);	/* one at a time: noop_take() */
	if (!workqueue)
		goto front;
	ret = watch();
	if (ret)
		goto queue;
	debugfs = debugfs_create_dir("blk-noop", NULL);
	debugfs_create_file("disks", 0444, debugfs, NULL, &disks_fops);
	loaded = true;
	return 0;
queue:
	destroy_workqueue(workqueue);
front:
	noop_front_exit();
	return ret;
}

static void __exit noop_exit(void)
{
	debugfs_remove_recursive(debugfs);
	WRITE_ONCE(leaving, true);
	flush_workqueue(workqueue);
	put_settings_back();
	class_interface_unregister(&interface);	/* forgets each that is left */
	destroy_workqueue(workqueue);
	noop_front_exit();
	noop_give_back();
}

module_init(noop_init);
module_exit(noop_exit);
PVKIT_MODULE("virtual disks without what the host does anyway");
