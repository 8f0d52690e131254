// SPDX-License-Identifier: GPL-2.0
/*
 * Bio mode: virtio disks that nobody uses go from virtio_blk to our driver, and
 * back when the module goes. A disk that a user gave back by hand (unbind, and
 * bind to virtio_blk) is not taken again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blkdev.h>
#include <linux/device.h>
#include <linux/slab.h>

#include "blk_noop.h"

struct taken {
	struct list_head link;
	struct device *dev;		/* the virtio device, a reference */
};
static LIST_HEAD(taken);		/* no lock: work items take one after the other, and then it is over */

int noop_take(struct gendisk *disk)
{
	struct device *dev = disk_to_dev(disk)->parent;
	char name[DISK_NAME_LEN];
	struct taken *t;
	int ret;

	if (!dev->driver || strcmp(dev->driver->name, "virtio_blk"))
		return 0;
	list_for_each_entry(t, &taken, link)
		if (t->dev == dev)
			return 0;
	strscpy(name, disk->disk_name, sizeof(name));
	if (disk_openers(disk))
		return -EBUSY;
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	t->dev = get_device(dev);
	device_release_driver(dev);
	ret = device_driver_attach(&noop_driver.driver, dev);
	if (ret) {
		pr_err("%s cannot be taken (%d)\n", name, ret);
		if (device_attach(dev) <= 0)
			pr_err("%s has no driver now\n", name);
		put_device(dev);
		kfree(t);
		return ret;
	}
	list_add_tail(&t->link, &taken);
	pr_info("%s is taken from virtio_blk\n", name);
	return 0;
}

/* Our driver is gone. */
void noop_give_back(void)
{
	struct taken *t, *tmp;

	list_for_each_entry_safe(t, tmp, &taken, link) {
		if (device_is_registered(t->dev) && !t->dev->driver && device_attach(t->dev) <= 0)
			pr_warn("%s: no driver takes it back\n", dev_name(t->dev));
		put_device(t->dev);
		list_del(&t->link);
		kfree(t);
	}
}
