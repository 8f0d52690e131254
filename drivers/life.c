// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of devices when the guest sleeps, is resumed, or ends; the order
 * of things is in hypercall/life.c.
 *
 * A guest that is resumed may find its device gone: it is on another hypervisor,
 * or the VM has other devices. Its driver waits for it then, with queues that are
 * stopped, and so do all who want something of the device. So such a device is
 * *lost*: registers are answered from a copy made before, queues are set up and
 * marked broken at once, and the driver, which is resumed like any other, ends
 * each request with an error. The next resume looks again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/io.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_mmio.h>

#include <pvkit/pvhyp.h>

#include "virtio_pv.h"

static unsigned long sharing;		/* bit per slot: its device may write to a page of ours */

static long write_register(u32 slot, u32 reg, u32 value)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(PV_FN_IO_WRITE, slot, reg, value, &res);
	return (long)res.a0;
}

void pv_life_shares(const struct pv_dev *dev, bool on)
{
	if (on)
		set_bit(dev->slot, &sharing);
	else
		clear_bit(dev->slot, &sharing);
}

static void on_event(enum pvhyp_event event)
{
	unsigned int slot;

	if (event != PVHYP_CRASH)
		return;
	/* By call: nothing of ours needs to be intact but one word. */
	for_each_set_bit(slot, &sharing, PV_IO_SLOTS)
		write_register(slot, VIRTIO_MMIO_STATUS, 0);
}

static struct pvhyp_client client = { .event = on_event };

int pv_life_init(void)
{
	return pvhyp_client_add(&client);
}

void pv_life_exit(void)
{
	pvhyp_client_remove(&client);
}

/* --- registers --- */

u32 pv_reg_get(const struct pv_dev *dev, u32 reg)
{
	return dev->lost ? dev->copy[reg / 4] : readl(dev->base + reg);
}

void pv_reg_set(struct pv_dev *dev, u32 reg, u32 value)
{
	if (!dev->lost)
		writel(value, dev->base + reg);
	else if (reg == VIRTIO_MMIO_STATUS)
		dev->copy[reg / 4] = value;
}

/* Is it there, the same as before? By calls first: there may be nothing at its address. */
static const char *look_for(struct pv_dev *dev)
{
	if ((pvhyp_features() & PV_NEEDED) != PV_NEEDED)
		return "this hypervisor has no doorbells";
	if (write_register(dev->slot, VIRTIO_MMIO_STATUS, 0) != PV_SUCCESS)
		return "there is none";
	if (pv_reg_get(dev, VIRTIO_MMIO_DEVICE_ID) != dev->vdev.id.device)
		return "another kind of device is in its place";
	if (dev->vdev.features & ~pv_get_features(&dev->vdev))
		return "the one in its place lacks features";
	return NULL;
}

int __maybe_unused pv_freeze(struct device *d)
{
	struct pv_dev *dev = dev_get_drvdata(d);
	int ret = virtio_device_freeze(&dev->vdev);

	if (!dev->lost)
		memcpy_fromio(dev->copy, dev->base, sizeof(dev->copy));
	return ret;
}

int __maybe_unused pv_restore(struct device *d)
{
	struct pv_dev *dev = dev_get_drvdata(d);
	const char *why;
	int ret = 0;

	dev->lost = false;
	why = look_for(dev);
	if (!why) {
		ret = virtio_device_restore(&dev->vdev);
		if (!ret)
			return 0;
		pv_reset(&dev->vdev);
		why = "it cannot be set up as before";
	}
	dev_err(d, "the device is lost (%s): requests end with errors\n", why);
	dev->lost = true;
	return virtio_device_restore(&dev->vdev);
}

/*
 * Reboot, kexec: nothing of ours may be written to after this. Newer kernels'
 * virtio core does as much before. Broken first: a driver may wait for an answer.
 */
void pv_shutdown(struct platform_device *pdev)
{
	struct pv_dev *dev = platform_get_drvdata(pdev);

	if (!dev)
		return;
	pv_policy_end(dev);
	virtio_break_device(&dev->vdev);
	pv_reset(&dev->vdev);
}
