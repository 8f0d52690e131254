// SPDX-License-Identifier: GPL-2.0
/*
 * Says where the pages are that the hypervisor writes to: the parameter `at` has
 * the physical addresses of all vCPUs' pages, and of the page and the used rings
 * of each device that virtio_pv drives, as canary.ko takes them.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include <pvkit/pvhyp.h>

#include "../../drivers/virtio_pv.h"

static char *at_end;

static void add(char *buf, u64 pa)
{
	at_end += scnprintf(at_end, buf + PAGE_SIZE - at_end, "%s0x%llx", at_end == buf ? "" : ",", pa);
}

static int add_device(struct device *d, void *buf)
{
	struct pv_dev *dev;
	u32 i;

	if (!d->driver || strcmp(d->driver->name, "virtio_pv"))
		return 0;
	dev = dev_get_drvdata(d);
	if (!dev)
		return 0;
	add(buf, virt_to_phys(dev->io));
	for (i = 0; i < dev->nr_vqs; i++)
		add(buf, virt_to_phys(virtqueue_get_vring(dev->vqs[i]->vq)->used));
	return 0;
}

static int get_at(char *buf, const struct kernel_param *kp)
{
	int cpu;

	at_end = buf;
	for_each_online_cpu(cpu)
		if (READ_ONCE(per_cpu_ptr(&pvhyp_cpus, cpu)->registered))
			add(buf, virt_to_phys(per_cpu_ptr(&pvhyp_cpus, cpu)->page));
	bus_for_each_dev(&platform_bus_type, NULL, buf, add_device);
	return at_end - buf;
}

static const struct kernel_param_ops at_ops = { .get = get_at };
module_param_cb(at, &at_ops, NULL, 0444);

static int __init pvpages_init(void)
{
	return 0;
}

static void __exit pvpages_exit(void)
{
}

module_init(pvpages_init);
module_exit(pvpages_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("where the pages are that the hypervisor writes to");
