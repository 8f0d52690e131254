// SPDX-License-Identifier: GPL-2.0
/*
 * virtio_pv: a virtio transport for pvkit's devices. Any virtio driver works
 * on it unchanged. Set-up goes through virtio-mmio's registers (virtio 1.2,
 * 4.2.2), which cost an exit only when written, and those of a queue are
 * written with one call; the data path needs no register at all: kicks are
 * doorbells in the vCPU's page, interrupts are counted in the device's page.
 *
 * It binds to what virtio_mmio binds to as well, so a device can be moved from
 * one to the other at any time:
 *	echo D > /sys/bus/platform/drivers/virtio-mmio/unbind
 *	echo virtio_pv > /sys/bus/platform/devices/D/driver_override
 *	echo D > /sys/bus/platform/drivers_probe
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/of.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <uapi/linux/virtio_mmio.h>

#include <pvkit/compat.h>
#include <pvkit/module.h>
#include <pvkit/pvhyp.h>

#include "virtio_pv.h"

#define to_pv(v) container_of(v, struct pv_dev, vdev)

static u32 get(const struct pv_dev *dev, u32 reg) { return pv_reg_get(dev, reg); }
static void set(struct pv_dev *dev, u32 reg, u32 value) { pv_reg_set(dev, reg, value); }

/* Register writes that make one exit. */
struct batch {
	const struct pv_dev *dev;
	u32 n;
	struct pv_multicall call[16];
};

static void batch_set(struct batch *b, u32 reg, u32 value)
{
	b->call[b->n++] = (struct pv_multicall){
		.fn = PV_FN_IO_WRITE, .arg = { b->dev->slot, reg, value }
	};
}

static void batch_set64(struct batch *b, u32 low, u64 value)
{
	batch_set(b, low, lower_32_bits(value));
	batch_set(b, low + 4, upper_32_bits(value));
}

static int batch_run(struct batch *b)
{
	struct arm_smccc_res res;
	u32 i;

	arm_smccc_1_1_hvc(PV_FN_MULTICALL, virt_to_phys(b->call), b->n, 0, &res);
	for (i = 0; (long)res.a0 == PV_SUCCESS && i < b->n; i++)
		if ((long)b->call[i].ret != PV_SUCCESS)
			return -EIO;
	b->n = 0;
	return (long)res.a0 == PV_SUCCESS ? 0 : -EIO;
}

static struct batch *batch_new(const struct pv_dev *dev)
{
	struct batch *b = pvhyp_alloc_shared();

	BUILD_BUG_ON(sizeof(*b) > PAGE_SIZE);
	if (b)
		b->dev = dev;
	return b;
}

/* --- configuration: reads are no exits --- */

static void pv_get(struct virtio_device *vdev, unsigned int offset, void *buf, unsigned int len)
{
	struct pv_dev *dev = to_pv(vdev);
	void __iomem *at = dev->base + VIRTIO_MMIO_CONFIG + offset;

	if (dev->lost) {
		memset(buf, 0, len);
		if (VIRTIO_MMIO_CONFIG + offset + len <= sizeof(dev->copy))
			memcpy(buf, (u8 *)dev->copy + VIRTIO_MMIO_CONFIG + offset, len);
		return;
	}
	switch (len) {		/* fields are read whole (virtio 1.2, 4.2.2.2) */
	case 2:
		*(__le16 *)buf = cpu_to_le16(readw(at));
		break;
	case 4:
		*(__le32 *)buf = cpu_to_le32(readl(at));
		break;
	case 8:
		((__le32 *)buf)[0] = cpu_to_le32(readl(at));
		((__le32 *)buf)[1] = cpu_to_le32(readl(at + 4));
		break;
	default:
		memcpy_fromio(buf, at, len);
	}
}

static void pv_set(struct virtio_device *vdev, unsigned int offset, const void *buf, unsigned int len)
{
	if (!to_pv(vdev)->lost)
		memcpy_toio(to_pv(vdev)->base + VIRTIO_MMIO_CONFIG + offset, buf, len);
}

static u32 pv_generation(struct virtio_device *vdev)
{
	return get(to_pv(vdev), VIRTIO_MMIO_CONFIG_GENERATION);
}

static u8 pv_get_status(struct virtio_device *vdev)
{
	return (u8)get(to_pv(vdev), VIRTIO_MMIO_STATUS);
}

static void pv_set_status(struct virtio_device *vdev, u8 status)
{
	set(to_pv(vdev), VIRTIO_MMIO_STATUS, status);
}

/* The device forgets our page with all the rest, before the write returns. */
void pv_reset(struct virtio_device *vdev)
{
	struct pv_dev *dev = to_pv(vdev);

	set(dev, VIRTIO_MMIO_STATUS, 0);
	pv_life_shares(dev, false);
}

u64 pv_get_features(struct virtio_device *vdev)
{
	struct pv_dev *dev = to_pv(vdev);
	u64 features;

	set(dev, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	features = (u64)get(dev, VIRTIO_MMIO_DEVICE_FEATURES) << 32;
	set(dev, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	return features | get(dev, VIRTIO_MMIO_DEVICE_FEATURES);
}

static int pv_finalize_features(struct virtio_device *vdev)
{
	struct pv_dev *dev = to_pv(vdev);

	vring_transport_features(vdev);
	/* What the kernel's rings can do, and kicks and their counting here cannot. */
	__virtio_clear_bit(vdev, VIRTIO_F_RING_PACKED);
	__virtio_clear_bit(vdev, VIRTIO_F_NOTIFICATION_DATA);
	if (!__virtio_test_bit(vdev, VIRTIO_F_VERSION_1))
		return -EINVAL;
	set(dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	set(dev, VIRTIO_MMIO_DRIVER_FEATURES, upper_32_bits(vdev->features));
	set(dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	set(dev, VIRTIO_MMIO_DRIVER_FEATURES, lower_32_bits(vdev->features));
	return 0;
}

static const char *pv_bus_name(struct virtio_device *vdev)
{
	return to_pv(vdev)->pdev->name;
}

/* --- interrupts --- */

/* Was @counter, the hypervisor's, incremented since? What came before it is seen after. */
static bool changed(const u32 *counter, u32 *seen)
{
	u32 now = smp_load_acquire(counter);

	if (now == *seen)
		return false;
	*seen = now;
	return true;
}

static irqreturn_t pv_interrupt(int irq, void *data)
{
	struct pv_dev *dev = data;
	irqreturn_t ret = IRQ_NONE;
	u32 i;

	if (changed(&dev->io->config_events, &dev->config_events)) {
		virtio_config_changed(&dev->vdev);
		ret = IRQ_HANDLED;
	}
	for (i = 0; i < dev->nr_vqs; i++) {
		struct pv_vq *q = dev->vqs[i];

		if (changed(&dev->io->queue[i].events, &q->events))
			ret |= vring_interrupt(irq, q->vq);
	}
	return ret;
}

static void pv_synchronize_cbs(struct virtio_device *vdev)
{
	synchronize_irq(to_pv(vdev)->irq);
}

/* --- queues --- */

static void free_vq(struct pv_vq *q)
{
	free_percpu(q->cpu);
	kfree(q);
}

static void del_vqs(struct pv_dev *dev)
{
	while (dev->nr_vqs) {
		struct pv_vq *q = dev->vqs[--dev->nr_vqs];

		set(dev, VIRTIO_MMIO_QUEUE_SEL, dev->nr_vqs);
		set(dev, VIRTIO_MMIO_QUEUE_READY, 0);
		vring_del_virtqueue(q->vq);
		free_vq(q);
	}
}

static void pv_del_vqs(struct virtio_device *vdev)
{
	struct pv_dev *dev = to_pv(vdev);

	pv_adapt_stop(dev);
	pv_stats_remove(dev);
	free_irq(dev->irq, dev);	/* before what its handler walks */
	pv_lpi_put(dev);
	del_vqs(dev);
}

static int make_ready(struct pv_dev *dev, struct virtqueue *vq)
{
	struct batch *b = batch_new(dev);
	int ret;

	if (!b)
		return -ENOMEM;
	batch_set(b, VIRTIO_MMIO_QUEUE_NUM, virtqueue_get_vring_size(vq));
	batch_set64(b, VIRTIO_MMIO_QUEUE_DESC_LOW, virtqueue_get_desc_addr(vq));
	batch_set64(b, VIRTIO_MMIO_QUEUE_AVAIL_LOW, virtqueue_get_avail_addr(vq));
	batch_set64(b, VIRTIO_MMIO_QUEUE_USED_LOW, virtqueue_get_used_addr(vq));
	batch_set(b, VIRTIO_MMIO_QUEUE_READY, 1);
	ret = batch_run(b);
	pvhyp_free_shared(b);
	return ret;
}

static struct virtqueue *setup_vq(struct pv_dev *dev, const struct virtqueue_info *info)
{
	u32 index = dev->nr_vqs, num;
	struct pv_vq *q;
	int ret = -ENOMEM;	/* until there is a queue */

	if (index >= PV_IO_QUEUES)
		return ERR_PTR(-ENOENT);
	set(dev, VIRTIO_MMIO_QUEUE_SEL, index);
	num = get(dev, VIRTIO_MMIO_QUEUE_NUM_MAX);
	if (!num || get(dev, VIRTIO_MMIO_QUEUE_READY))
		return ERR_PTR(-ENOENT);
	q = kzalloc(sizeof(*q), GFP_KERNEL);
	if (!q)
		return ERR_PTR(ret);
	q->dev = dev;
	q->cpu = alloc_percpu(struct pv_vq_cpu);
	if (q->cpu)
		q->vq = vring_create_virtqueue(index, num, PAGE_SIZE, &dev->vdev, true, true, info->ctx,
					       pv_notify, info->callback, info->name);
	if (!q->vq)
		goto free;
	ret = 0;
	q->vq->num_max = num;
	q->vq->priv = q;
	/* The ring's DMA addresses are for the device; they need not be physical ones. */
	q->avail = virtqueue_get_vring(q->vq)->avail;
	if (dev->lost)
		__virtqueue_break(q->vq);
	else
		ret = make_ready(dev, q->vq);
	if (ret)
		goto del;
	dev->vqs[dev->nr_vqs++] = q;
	return q->vq;
del:
	vring_del_virtqueue(q->vq);
free:
	free_vq(q);
	return ERR_PTR(ret);
}

/* A reset has always been before this, and has made the device forget the page. */
static int share_page(struct pv_dev *dev)
{
	struct arm_smccc_res res;

	dev->config_events = 0;
	if (dev->lost) {
		memset(dev->io, 0, sizeof(*dev->io));
		return 0;
	}
	pv_life_shares(dev, true);
	arm_smccc_1_1_hvc(PV_FN_IO_REGISTER, dev->slot, virt_to_phys(dev->io), 0, &res);
	if ((long)res.a0 == PV_SUCCESS)
		return 0;
	dev_err(&dev->pdev->dev, "the device takes no page (%ld)\n", (long)res.a0);
	return -EIO;
}

static int pv_find_vqs(struct virtio_device *vdev, unsigned int nvqs, struct virtqueue *vqs[],
		       struct virtqueue_info vqs_info[], struct irq_affinity *desc)
{
	struct pv_dev *dev = to_pv(vdev);
	unsigned int i;
	int ret = share_page(dev);

	if (ret)
		return ret;
	for (i = 0; i < nvqs; i++) {
		if (!vqs_info[i].name) {
			vqs[i] = NULL;
			continue;
		}
		vqs[i] = setup_vq(dev, &vqs_info[i]);
		if (IS_ERR(vqs[i])) {
			ret = PTR_ERR(vqs[i]);
			goto del;
		}
	}
	ret = pv_lpi_get(dev);
	if (ret)
		goto del;
	ret = request_irq(dev->irq, pv_interrupt, 0, dev_name(&vdev->dev), dev);
	if (ret)
		goto put;
	pv_policy_start(dev);
	pv_stats_add(dev);
	return 0;
put:
	pv_lpi_put(dev);
del:
	pv_reset(vdev);
	del_vqs(dev);
	return ret;
}

DEFINE_FIND_VQS(pv_find_vqs)

static const struct virtio_config_ops pv_config_ops = {
	.get = pv_get,
	.set = pv_set,
	.generation = pv_generation,
	.get_status = pv_get_status,
	.set_status = pv_set_status,
	.reset = pv_reset,
	.find_vqs = FIND_VQS(pv_find_vqs),
	.del_vqs = pv_del_vqs,
	.synchronize_cbs = pv_synchronize_cbs,
	.get_features = pv_get_features,
	.finalize_features = pv_finalize_features,
	.bus_name = pv_bus_name,
};

/* --- platform device --- */

static ssize_t policy_show(struct device *d, struct device_attribute *attr, char *buf)
{
	struct pv_dev *dev = dev_get_drvdata(d);
	int i, n = 0;

	for (i = 0; i < NR_POLICIES; i++)
		n += sysfs_emit_at(buf, n, i == dev->policy ? "[%s] " : "%s ", pv_policy_names[i]);
	buf[n - 1] = '\n';
	return n;
}

static ssize_t policy_store(struct device *d, struct device_attribute *attr, const char *buf, size_t n)
{
	int i = sysfs_match_string(pv_policy_names, buf), ret;

	if (i < 0)
		return i;
	ret = pv_policy_set(dev_get_drvdata(d), i);
	return ret ? ret : n;
}
static DEVICE_ATTR_RW(policy);

static struct attribute *pv_attrs[] = { &dev_attr_policy.attr, NULL };
ATTRIBUTE_GROUPS(pv);

static void pv_release(struct device *d)
{
	struct pv_dev *dev = to_pv(dev_to_virtio(d));

	pvhyp_free_shared(dev->io);
	kfree(dev);
}

static int pv_probe(struct platform_device *pdev)
{
	struct pv_dev *dev;
	int ret;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return -ENOMEM;
	dev->pdev = pdev;
	dev->policy = pv_default_policy;
	dev->vdev.dev.parent = &pdev->dev;
	dev->vdev.dev.release = pv_release;
	dev->vdev.config = &pv_config_ops;
	dev->io = pvhyp_alloc_shared();
	ret = -ENOMEM;
	if (!dev->io)
		goto free;
	ret = of_property_read_u32(pdev->dev.of_node, "pvkit,slot", &dev->slot);
	if (ret) {
		dev_err(&pdev->dev, "its node has no pvkit,slot\n");
		goto free;
	}
	dev->base = devm_platform_ioremap_resource(pdev, 0);
	ret = PTR_ERR_OR_ZERO(dev->base);
	if (ret)
		goto free;
	ret = dev->irq = dev->wired_irq = platform_get_irq(pdev, 0);
	if (ret < 0)
		goto free;
	ret = -ENODEV;
	if (get(dev, VIRTIO_MMIO_MAGIC_VALUE) != 0x74726976 || get(dev, VIRTIO_MMIO_VERSION) != 2 ||
	    !get(dev, VIRTIO_MMIO_DEVICE_ID))
		goto free;
	dev->vdev.id.device = get(dev, VIRTIO_MMIO_DEVICE_ID);
	dev->vdev.id.vendor = get(dev, VIRTIO_MMIO_VENDOR_ID);
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto free;
	pv_adapt_init(dev);
	platform_set_drvdata(pdev, dev);
	ret = register_virtio_device(&dev->vdev);
	if (ret) {
		platform_set_drvdata(pdev, NULL);
		put_device(&dev->vdev.dev);	/* pv_release() frees it */
	}
	return ret;
free:
	pvhyp_free_shared(dev->io);
	kfree(dev);
	return ret;
}

static void pv_remove(struct platform_device *pdev)
{
	struct pv_dev *dev = platform_get_drvdata(pdev);

	get_device(&dev->vdev.dev);
	unregister_virtio_device(&dev->vdev);
	pv_reset(&dev->vdev);		/* whatever the driver did, our page goes now */
	put_device(&dev->vdev.dev);
}

DEFINE_PLATFORM_REMOVE(pv_remove)

static const struct dev_pm_ops pv_pm_ops = { SET_SYSTEM_SLEEP_PM_OPS(pv_freeze, pv_restore) };

static const struct of_device_id pv_match[] = {
	{ .compatible = "pvkit,virtio" },
	{}
};
MODULE_DEVICE_TABLE(of, pv_match);

static struct platform_driver pv_driver = {
	.probe = pv_probe,
	.remove = PLATFORM_REMOVE(pv_remove),
	.shutdown = pv_shutdown,
	.driver = {
		.name = "virtio_pv",
		.of_match_table = pv_match,
		.dev_groups = pv_groups,
		.pm = &pv_pm_ops,
	},
};

static int __init pv_init(void)
{
	int ret;

	if ((pvhyp_features() & PV_NEEDED) != PV_NEEDED) {
		pr_err("no hypervisor with doorbells here\n");
		return -ENODEV;
	}
	ret = pv_doorbell_init();
	if (ret)
		return ret;
	ret = pv_life_init();
	if (ret)
		goto doorbell;
	pv_stats_init();
	ret = platform_driver_register(&pv_driver);
	if (!ret)
		return 0;
	pv_stats_exit();
	pv_life_exit();
doorbell:
	pv_doorbell_exit();
	return ret;
}

static void __exit pv_exit(void)
{
	platform_driver_unregister(&pv_driver);
	pv_lpi_exit();
	pv_stats_exit();
	pv_life_exit();
	pv_doorbell_exit();
}

module_init(pv_init);
module_exit(pv_exit);
PVKIT_MODULE("a virtio transport with batched notification");
