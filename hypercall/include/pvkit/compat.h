/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that our modules are built for, 6.1 to 6.12:
 * the modules are written for the newest, and this makes the others look like it.
 */
#ifndef PVKIT_COMPAT_H
#define PVKIT_COMPAT_H

#include <linux/blkdev.h>
#include <linux/ftrace.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/virtio_config.h>

/*
 * 6.11: virtio_find_vqs() and a transport's find_vqs() take one array of
 * structures in place of three. A transport uses DEFINE_FIND_VQS(name) and
 * FIND_VQS(name), where name is a function as of today.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
struct virtqueue_info {
	const char *name;
	vq_callback_t *callback;
	bool ctx;
};

static inline int pvk_find_vqs(struct virtio_device *vdev, unsigned int n, struct virtqueue *vqs[],
			       struct virtqueue_info *info, struct irq_affinity *desc)
{
	vq_callback_t **callbacks = kcalloc(n, sizeof(*callbacks), GFP_KERNEL);
	const char **names = kcalloc(n, sizeof(*names), GFP_KERNEL);
	bool *ctx = kcalloc(n, sizeof(*ctx), GFP_KERNEL);
	unsigned int i;
	int ret = -ENOMEM;

	if (callbacks && names && ctx) {
		for (i = 0; i < n; i++) {
			callbacks[i] = info[i].callback;
			names[i] = info[i].name;
			ctx[i] = info[i].ctx;
		}
		ret = virtio_find_vqs_ctx(vdev, n, vqs, callbacks, names, ctx, desc);
	}
	kfree(ctx);
	kfree(names);
	kfree(callbacks);
	return ret;
}
#define virtio_find_vqs pvk_find_vqs

#define DEFINE_FIND_VQS(name) \
static int name##_compat(struct virtio_device *vdev, unsigned int n, struct virtqueue *vqs[], \
			 vq_callback_t *callbacks[], const char * const names[], const bool *ctx, \
			 struct irq_affinity *desc) \
{ \
	struct virtqueue_info *info = kcalloc(n, sizeof(*info), GFP_KERNEL); \
	unsigned int i; \
	int ret = -ENOMEM; \
\
	for (i = 0; info && i < n; i++) \
		info[i] = (struct virtqueue_info){ names[i], callbacks[i], ctx && ctx[i] }; \
	if (info) \
		ret = name(vdev, n, vqs, info, desc); \
	kfree(info); \
	return ret; \
}
#define FIND_VQS(name) name##_compat
#else
#define DEFINE_FIND_VQS(name)
#define FIND_VQS(name) name
#endif

/* 6.11: a platform driver's remove() returns nothing. As above. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define DEFINE_PLATFORM_REMOVE(name) \
static int name##_compat(struct platform_device *pdev) \
{ \
	name(pdev); \
	return 0; \
}
#define PLATFORM_REMOVE(name) name##_compat
#else
#define DEFINE_PLATFORM_REMOVE(name)
#define PLATFORM_REMOVE(name) name
#endif

/* 6.4: the kernel's headers know it. */
#ifndef VIRTIO_F_NOTIFICATION_DATA
#define VIRTIO_F_NOTIFICATION_DATA 38
#endif

/* 6.4: the functions of a class_interface have one argument. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define CLASS_INTERFACE_ARG , struct class_interface *unused
#else
#define CLASS_INTERFACE_ARG
#endif

/* 6.2: arm64's ftrace saves arguments only, not all registers, even for who changes the pc. */
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#define PVK_FTRACE_IPMODIFY	FTRACE_OPS_FL_IPMODIFY
#define pvk_ftrace_argument(fregs, n)	ftrace_regs_get_argument(fregs, n)
#define pvk_ftrace_go_to(fregs, to)	ftrace_regs_set_instruction_pointer(fregs, to)
#else
#define PVK_FTRACE_IPMODIFY	(FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY)
#define pvk_ftrace_argument(fregs, n)	(ftrace_get_regs(fregs)->regs[n])
#define pvk_ftrace_go_to(fregs, to)	(ftrace_get_regs(fregs)->pc = (to))
#endif

/* 6.4: modules can name the tracepoints contention_begin and contention_end. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define PVK_CONTENTION_EXPORTED
#endif

/* 6.7: struct optimistic_spin_node is no longer in <linux/osq_lock.h>. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define PVK_OSQ_NODE
#endif

/* 6.2: the kobject of a disk's queue is the disk's. */
static inline struct kobject *pvk_queue_kobj(struct gendisk *disk)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	return &disk->queue->kobj;
#else
	return &disk->queue_kobj;
#endif
}

/*
 * 6.9: a disk is made with its limits, 6.11: and these have the features.
 * @lim: as today, but for the features; NULL: the default.
 * @features: PVK_FEAT_*.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define PVK_FEAT_WRITE_CACHE	1
#define PVK_FEAT_POLL		2
#define PVK_FEAT_NOWAIT		4
static inline struct gendisk *pvk_alloc_disk(struct queue_limits *lim, unsigned int features)
{
	struct gendisk *disk = blk_alloc_disk(NUMA_NO_NODE);
	struct request_queue *q;

	if (!disk)
		return ERR_PTR(-ENOMEM);
	if (!lim)
		return disk;
	q = disk->queue;
	blk_queue_logical_block_size(q, lim->logical_block_size);
	if (lim->physical_block_size)
		blk_queue_physical_block_size(q, lim->physical_block_size);
	if (lim->alignment_offset)
		blk_queue_alignment_offset(q, lim->alignment_offset);
	if (lim->io_min)
		blk_queue_io_min(q, lim->io_min);
	if (lim->io_opt)
		blk_queue_io_opt(q, lim->io_opt);
	blk_queue_max_hw_sectors(q, lim->max_hw_sectors);
	blk_queue_max_segments(q, lim->max_segments);
	blk_queue_max_segment_size(q, lim->max_segment_size);
	if (lim->max_hw_discard_sectors) {
		blk_queue_max_discard_sectors(q, lim->max_hw_discard_sectors);
		blk_queue_max_discard_segments(q, lim->max_discard_segments);
		q->limits.discard_granularity = lim->discard_granularity;
	}
	if (lim->max_write_zeroes_sectors)
		blk_queue_max_write_zeroes_sectors(q, lim->max_write_zeroes_sectors);
	if (features & PVK_FEAT_WRITE_CACHE)
		blk_queue_write_cache(q, true, true);
	if (features & PVK_FEAT_POLL)
		blk_queue_flag_set(QUEUE_FLAG_POLL, q);
	if (features & PVK_FEAT_NOWAIT)
		blk_queue_flag_set(QUEUE_FLAG_NOWAIT, q);
	return disk;
}
#else
#define PVK_FEAT_WRITE_CACHE	(BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA)
#define PVK_FEAT_POLL		BLK_FEAT_POLL
#define PVK_FEAT_NOWAIT		BLK_FEAT_NOWAIT
static inline struct gendisk *pvk_alloc_disk(struct queue_limits *lim, unsigned int features)
{
	if (lim)
		lim->features |= (__force blk_features_t)features;
	return blk_alloc_disk(lim, NUMA_NO_NODE);
}
#endif

#endif
