/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface of I/O schedulers of Linux 6.12. The kernel exports it to
 * modules, but its header (block/elevator.h) is not among those that
 * distributions ship; this says the same (compared with the BTF of Debian's
 * 6.12). noop-iosched.c refuses to be built for another series.
 */
#ifndef ELEVATOR_API_H
#define ELEVATOR_API_H

#include <linux/blk-mq.h>
#include <linux/kobject.h>

enum elv_merge;
struct blk_mq_alloc_data;
struct blk_mq_debugfs_attr;
struct elv_fs_entry;
struct elevator_queue;
struct elevator_type;
struct io_cq;
typedef unsigned int __bitwise blk_insert_t;
#define BLK_MQ_INSERT_AT_HEAD	((__force blk_insert_t)0x01)

struct elevator_mq_ops {
	int (*init_sched)(struct request_queue *q, struct elevator_type *e);
	void (*exit_sched)(struct elevator_queue *eq);
	int (*init_hctx)(struct blk_mq_hw_ctx *hctx, unsigned int index);
	void (*exit_hctx)(struct blk_mq_hw_ctx *hctx, unsigned int index);
	void (*depth_updated)(struct blk_mq_hw_ctx *hctx);
	bool (*allow_merge)(struct request_queue *q, struct request *rq, struct bio *bio);
	bool (*bio_merge)(struct request_queue *q, struct bio *bio, unsigned int segments);
	int (*request_merge)(struct request_queue *q, struct request **rq, struct bio *bio);
	void (*request_merged)(struct request_queue *q, struct request *rq, enum elv_merge how);
	void (*requests_merged)(struct request_queue *q, struct request *rq, struct request *next);
	void (*limit_depth)(blk_opf_t opf, struct blk_mq_alloc_data *data);
	void (*prepare_request)(struct request *rq);
	void (*finish_request)(struct request *rq);
	void (*insert_requests)(struct blk_mq_hw_ctx *hctx, struct list_head *list, blk_insert_t flags);
	struct request *(*dispatch_request)(struct blk_mq_hw_ctx *hctx);
	bool (*has_work)(struct blk_mq_hw_ctx *hctx);
	void (*completed_request)(struct request *rq, u64 now);
	void (*requeue_request)(struct request *rq);
	struct request *(*former_request)(struct request_queue *q, struct request *rq);
	struct request *(*next_request)(struct request_queue *q, struct request *rq);
	void (*init_icq)(struct io_cq *icq);
	void (*exit_icq)(struct io_cq *icq);
};

struct elevator_type {
	struct kmem_cache *icq_cache;
	struct elevator_mq_ops ops;
	size_t icq_size;
	size_t icq_align;
	struct elv_fs_entry *elevator_attrs;
	const char *elevator_name;
	const char *elevator_alias;
	struct module *elevator_owner;
#ifdef CONFIG_BLK_DEBUG_FS
	const struct blk_mq_debugfs_attr *queue_debugfs_attrs;
	const struct blk_mq_debugfs_attr *hctx_debugfs_attrs;
#endif
	char icq_cache_name[22];
	struct list_head list;
};

struct elevator_queue {			/* its beginning */
	struct elevator_type *type;
	void *elevator_data;
	struct kobject kobj;
};

struct elevator_queue *elevator_alloc(struct request_queue *q, struct elevator_type *e);
int elv_register(struct elevator_type *e);
void elv_unregister(struct elevator_type *e);

#endif
