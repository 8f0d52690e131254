// SPDX-License-Identifier: GPL-2.0
/*
 * "noop", an I/O scheduler that dispatches in the order of arrival. Unlike
 * "none" it has one list for all CPUs, so that the order holds between them. A
 * module of its own, as the kernel's schedulers are: it stays while a disk has it.
 */
#include <linux/slab.h>
#include <linux/version.h>
#include <pvkit/module.h>

#include "elevator_api.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0) || LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#error elevator_api.h is of 6.12
#endif

struct noop_data {
	spinlock_t lock;		/* @fifo */
	struct list_head fifo;
};

static int init_sched(struct request_queue *q, struct elevator_type *e)
{
	struct elevator_queue *eq = elevator_alloc(q, e);
	struct noop_data *d;

	if (!eq)
		return -ENOMEM;
	d = kzalloc_node(sizeof(*d), GFP_KERNEL, q->node);
	if (!d) {
		kobject_put(&eq->kobj);
		return -ENOMEM;
	}
	spin_lock_init(&d->lock);
	INIT_LIST_HEAD(&d->fifo);
	eq->elevator_data = d;
	q->elevator = eq;
	return 0;
}

static void exit_sched(struct elevator_queue *eq)
{
	kfree(eq->elevator_data);
}

static struct noop_data *data_of(struct blk_mq_hw_ctx *hctx)
{
	return hctx->queue->elevator->elevator_data;
}

static void insert_requests(struct blk_mq_hw_ctx *hctx, struct list_head *list, blk_insert_t flags)
{
	struct noop_data *d = data_of(hctx);

	spin_lock(&d->lock);
	if (flags & BLK_MQ_INSERT_AT_HEAD)
		list_splice_init(list, &d->fifo);
	else
		list_splice_tail_init(list, &d->fifo);
	spin_unlock(&d->lock);
}

static struct request *dispatch_request(struct blk_mq_hw_ctx *hctx)
{
	struct noop_data *d = data_of(hctx);
	struct request *rq;

	spin_lock(&d->lock);
	rq = list_first_entry_or_null(&d->fifo, struct request, queuelist);
	if (rq)
		list_del_init(&rq->queuelist);
	spin_unlock(&d->lock);
	return rq;
}

static bool has_work(struct blk_mq_hw_ctx *hctx)
{
	return !list_empty_careful(&data_of(hctx)->fifo);
}

/* Mandatory. */
static void finish_request(struct request *rq)
{
}

static struct elevator_type noop_elevator_type = {
	.ops = {
		.init_sched = init_sched,
		.exit_sched = exit_sched,
		.insert_requests = insert_requests,
		.dispatch_request = dispatch_request,
		.has_work = has_work,
		.finish_request = finish_request,
	},
	.elevator_name = "noop",
	.elevator_owner = THIS_MODULE,
};

static int __init noop_iosched_init(void)
{
	return elv_register(&noop_elevator_type);
}

static void __exit noop_iosched_exit(void)
{
	elv_unregister(&noop_elevator_type);
}

module_init(noop_iosched_init);
module_exit(noop_iosched_exit);
MODULE_ALIAS("noop-iosched");
PVKIT_MODULE("an I/O scheduler that dispatches in the order of arrival");
