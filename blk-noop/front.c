// SPDX-License-Identifier: GPL-2.0
/*
 * Bio mode: a driver for virtio disks (virtio 1.2, 5.2) without request layer;
 * request.c has the requests. It drives what take.c, or a user by the bind and
 * unbind files of the virtio bus, gives it. Its disks are pvb0, pvb1, ...
 *
 * Queues: one for each CPU, as many as the device has, and behind them those
 * without interrupts, for polling (poll_queues).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "blk_noop.h"

static unsigned int poll_queues;
module_param(poll_queues, uint, 0444);
MODULE_PARM_DESC(poll_queues, "bio mode: queues without interrupts, for polled I/O, of the disks taken from now on, 0-63 (0)");

static DEFINE_IDA(indices);
static struct workqueue_struct *workqueue;

/* --- sysfs: what udev looks at --- */

static ssize_t serial_show(struct device *d, struct device_attribute *attr, char *buf)
{
	struct noop_front *f = dev_to_disk(d)->private_data;

	return sysfs_emit(buf, "%s", f->id);
}
static DEVICE_ATTR_RO(serial);
static struct attribute *disk_attrs[] = { &dev_attr_serial.attr, NULL };
ATTRIBUTE_GROUPS(disk);

/* --- queues --- */

static int find_queues(struct noop_front *f)
{
	struct virtio_device *vdev = f->vdev;
	struct irq_affinity desc = {};
	struct virtqueue *vqs[NOOP_QUEUES];
	struct virtqueue_info *info;
	u16 n = 1;
	u32 i;
	int ret;

	virtio_cread_feature(vdev, VIRTIO_BLK_F_MQ, struct virtio_blk_config, num_queues, &n);
	n = clamp_t(u32, n, 1, NOOP_QUEUES);
	f->nr_polled = min_t(u32, poll_queues, n - 1);
	f->nr_queues = min_t(u32, n - f->nr_polled, nr_cpu_ids) + f->nr_polled;
	if (!f->queues)
		f->queues = kvcalloc(f->nr_queues, sizeof(*f->queues), GFP_KERNEL);
	info = kcalloc(f->nr_queues, sizeof(*info), GFP_KERNEL);
	if (!f->queues || !info) {
		kfree(info);
		return -ENOMEM;
	}
	for (i = 0; i < f->nr_queues; i++) {
		struct noop_queue *q = &f->queues[i];

		q->front = f;
		q->polled = i >= f->nr_queues - f->nr_polled;
		snprintf(q->name, sizeof(q->name), q->polled ? "poll.%u" : "req.%u", i);
		info[i].name = q->name;
		info[i].callback = q->polled ? NULL : noop_queue_done;
	}
	ret = virtio_find_vqs(vdev, f->nr_queues, vqs, info, &desc);
	kfree(info);
	if (ret)
		return ret;
	for (i = 0; !ret && i < f->nr_queues; i++) {
		f->queues[i].vq = vqs[i];
		ret = noop_queue_init(&f->queues[i]);
	}
	if (ret)
		vdev->config->del_vqs(vdev);
	return ret;
}

static void drop_queues(struct noop_front *f)
{
	u32 i;

	f->vdev->config->del_vqs(f->vdev);
	for (i = 0; i < f->nr_queues; i++)
		f->queues[i].vq = NULL;
}

static void free_front(struct noop_front *f)
{
	u32 i;

	for (i = 0; f->queues && i < f->nr_queues; i++)
		noop_queue_free(&f->queues[i]);
	kvfree(f->queues);
	if (f->index >= 0)
		ida_free(&indices, f->index);
	kfree(f);
}

/* --- limits and size --- */

#define read_config(vdev, feature, field, value) \
	virtio_cread_feature(vdev, feature, struct virtio_blk_config, field, value)

/* @features: PVK_FEAT_*. -EINVAL, and it is said: what the device says makes no sense. */
static int read_limits(struct noop_front *f, struct queue_limits *lim, unsigned int *features)
{
	struct virtio_device *vdev = f->vdev;
	u32 v, sectors, segments = 1;
	u8 exp, alignment;
	u16 io;

	if (!read_config(vdev, VIRTIO_BLK_F_SEG_MAX, seg_max, &v))
		segments = v ? v : 1;
	/* All of a request must find room in the ring. */
	lim->max_segments = min3(segments, (u32)NOOP_SEGMENTS, virtqueue_get_vring_size(f->queues[0].vq) - 2);
	lim->max_hw_sectors = UINT_MAX;
	lim->max_segment_size = UINT_MAX;
	if (!read_config(vdev, VIRTIO_BLK_F_SIZE_MAX, size_max, &v))
		lim->max_segment_size = max_t(u32, v, PAGE_SIZE);	/* less the block layer does not do */
	f->max_segment = lim->max_segment_size;
	lim->logical_block_size = SECTOR_SIZE;
	if (!read_config(vdev, VIRTIO_BLK_F_BLK_SIZE, blk_size, &v)) {
		if (blk_validate_block_size(v)) {
			dev_err(&vdev->dev, "its block size is %u\n", v);
			return -EINVAL;
		}
		lim->logical_block_size = v;
	}
	if (!read_config(vdev, VIRTIO_BLK_F_TOPOLOGY, physical_block_exp, &exp) && exp && exp < 16)
		lim->physical_block_size = lim->logical_block_size << exp;
	if (!read_config(vdev, VIRTIO_BLK_F_TOPOLOGY, alignment_offset, &alignment))
		lim->alignment_offset = lim->logical_block_size * alignment;
	if (!read_config(vdev, VIRTIO_BLK_F_TOPOLOGY, min_io_size, &io) && io)
		lim->io_min = lim->logical_block_size * io;
	if (!read_config(vdev, VIRTIO_BLK_F_TOPOLOGY, opt_io_size, &v) && v)
		lim->io_opt = lim->logical_block_size * v;
	if (!read_config(vdev, VIRTIO_BLK_F_DISCARD, max_discard_sectors, &sectors)) {
		lim->max_hw_discard_sectors = sectors ? sectors : UINT_MAX;
		lim->max_discard_segments = 1;
		lim->discard_granularity = lim->logical_block_size;
		if (!read_config(vdev, VIRTIO_BLK_F_DISCARD, discard_sector_alignment, &v) && v)
			lim->discard_granularity = v << SECTOR_SHIFT;
	}
	if (!read_config(vdev, VIRTIO_BLK_F_WRITE_ZEROES, max_write_zeroes_sectors, &sectors))
		lim->max_write_zeroes_sectors = sectors ? sectors : UINT_MAX;
	if (virtio_has_feature(vdev, VIRTIO_BLK_F_FLUSH))
		*features |= PVK_FEAT_WRITE_CACHE;
	if (f->nr_polled)
		*features |= PVK_FEAT_POLL;
	return 0;
}

static u64 capacity(struct virtio_device *vdev)
{
	u64 n;

	virtio_cread(vdev, struct virtio_blk_config, capacity, &n);
	return n;
}

static void config_work(struct work_struct *work)
{
	struct noop_front *f = container_of(work, struct noop_front, config_work);

	if (f->disk)
		set_capacity_and_notify(f->disk, capacity(f->vdev));
}

static void noop_config_changed(struct virtio_device *vdev)
{
	struct noop_front *f = vdev->priv;

	queue_work(workqueue, &f->config_work);
}

/* --- the driver --- */

static int add_disk_of(struct noop_front *f)
{
	struct queue_limits lim = {};
	struct gendisk *disk;
	unsigned int features = PVK_FEAT_NOWAIT;	/* submitting does not sleep */
	int ret = read_limits(f, &lim, &features);

	if (ret)
		return ret;
	disk = pvk_alloc_disk(&lim, features);
	if (IS_ERR(disk))
		return PTR_ERR(disk);
	f->disk = disk;
	disk->fops = &noop_fops;
	disk->private_data = f;
	snprintf(disk->disk_name, sizeof(disk->disk_name), "pvb%d", f->index);
	set_disk_ro(disk, virtio_has_feature(f->vdev, VIRTIO_BLK_F_RO));
	set_capacity(disk, capacity(f->vdev));
	return device_add_disk(&f->vdev->dev, disk, disk_groups);
}

static int noop_probe(struct virtio_device *vdev)
{
	struct noop_front *f;
	int ret;

	if (!vdev->config->get)
		return -EINVAL;
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	f->vdev = vdev;
	vdev->priv = f;
	init_waitqueue_head(&f->answered);
	INIT_WORK(&f->config_work, config_work);
	ret = f->index = ida_alloc(&indices, GFP_KERNEL);
	if (ret < 0)
		goto free;
	ret = find_queues(f);
	if (ret)
		goto free;
	virtio_device_ready(vdev);
	ret = noop_get_id(f) ? add_disk_of(f) : -EIO;
	if (!ret)
		return 0;
	virtio_reset_device(vdev);
	cancel_work_sync(&f->config_work);
	drop_queues(f);
	if (f->disk)
		put_disk(f->disk);
free:
	free_front(f);
	return ret;
}

/* Wait until each queue has ended what the device has; one that is broken never will. */
static void drain(struct noop_front *f)
{
	u32 i;

	for (i = 0; i < f->nr_queues; i++)
		while (noop_queue_busy(&f->queues[i]))
			usleep_range(100, 1000);
}

static void noop_remove(struct virtio_device *vdev)
{
	struct noop_front *f = vdev->priv;
	u32 i;

	flush_work(&f->config_work);
	del_gendisk(f->disk);		/* after that nobody submits */
	drain(f);
	virtio_reset_device(vdev);
	cancel_work_sync(&f->config_work);
	for (i = 0; i < f->nr_queues; i++)
		noop_queue_abort(&f->queues[i]);
	drop_queues(f);
	put_disk(f->disk);
	free_front(f);
}

#ifdef CONFIG_PM_SLEEP
static void stop(struct noop_front *f, bool stopped)
{
	u32 i;

	for (i = 0; i < f->nr_queues; i++) {
		spin_lock_irq(&f->queues[i].lock);
		f->stopped = stopped;
		spin_unlock_irq(&f->queues[i].lock);
	}
}

/* Requests that have not begun wait; the others are let end. */
static int noop_freeze(struct virtio_device *vdev)
{
	struct noop_front *f = vdev->priv;

	flush_work(&f->config_work);
	stop(f, true);
	drain(f);
	virtio_reset_device(vdev);
	drop_queues(f);
	return 0;
}

static int noop_restore(struct virtio_device *vdev)
{
	struct noop_front *f = vdev->priv;
	int ret = find_queues(f);
	u32 i;

	if (ret)
		return ret;
	virtio_device_ready(vdev);
	stop(f, false);
	for (i = 0; i < f->nr_queues; i++)
		noop_queue_resume(&f->queues[i]);
	return 0;
}
#endif

static const struct virtio_device_id ids[] = {
	{ VIRTIO_ID_BLOCK, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

static const unsigned int features[] = {
	VIRTIO_BLK_F_SEG_MAX, VIRTIO_BLK_F_SIZE_MAX, VIRTIO_BLK_F_RO, VIRTIO_BLK_F_BLK_SIZE,
	VIRTIO_BLK_F_FLUSH, VIRTIO_BLK_F_TOPOLOGY, VIRTIO_BLK_F_MQ, VIRTIO_BLK_F_DISCARD,
	VIRTIO_BLK_F_WRITE_ZEROES,
};

struct virtio_driver noop_driver = {
	.driver.name = "blk_noop",
	.driver.owner = THIS_MODULE,
	.id_table = ids,
	.feature_table = features,
	.feature_table_size = ARRAY_SIZE(features),
	.probe = noop_probe,
	.remove = noop_remove,
	.config_changed = noop_config_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze = noop_freeze,
	.restore = noop_restore,
#endif
};

int noop_front_init(void)
{
	int ret;

	workqueue = alloc_workqueue("blk_noop", 0, 0);
	if (!workqueue)
		return -ENOMEM;
	ret = register_virtio_driver(&noop_driver);
	if (ret)
		destroy_workqueue(workqueue);
	return ret;
}

void noop_front_exit(void)
{
	unregister_virtio_driver(&noop_driver);
	destroy_workqueue(workqueue);
}
