/* SPDX-License-Identifier: GPL-2.0 */
/*
 * blk-noop: what the host does anyway, a guest's disks need not do first.
 * settings.c is request mode: the block layer, at its leanest. Bio mode goes
 * past the request layer: front.c is a driver for virtio disks, request.c its
 * requests, take.c moves disks to it and back. main.c finds disks, and has the
 * parameters. noop-iosched.c is another module: a scheduler that does nothing.
 */
#ifndef BLK_NOOP_H
#define BLK_NOOP_H

#include <linux/blkdev.h>
#include <linux/virtio.h>
#include <linux/virtio_blk.h>

#include <pvkit/compat.h>

struct seq_file;

/* --- main.c --- */
extern bool noop_elevator;		/* request mode: "noop", not "none" */

/* --- settings.c --- */
/* A disk's settings as they were; one for each that is changed. */
struct noop_saved;
/* NULL: it is not ready yet, or memory is short. */
struct noop_saved *noop_settings_apply(struct gendisk *disk);
/* What somebody else has changed meanwhile stays as it is. */
void noop_settings_restore(struct gendisk *disk, struct noop_saved *saved);
/* The disk is gone. */
void noop_settings_drop(struct noop_saved *saved);
/* "name was -> is" words. */
void noop_settings_print(struct seq_file *m, const struct noop_saved *saved);

/* --- front.c, request.c --- */
#define NOOP_SEGMENTS	128		/* of a request, at most */
#define NOOP_QUEUES	64

/*
 * A request is one bio, in up to three steps:
 *	FLUSH (REQ_PREFLUSH) -> DATA (if it has any) -> FLUSH (REQ_FUA) -> end
 * A virtio disk knows no FUA: a flush after the data takes its place.
 */
enum noop_step { NOOP_PREFLUSH, NOOP_DATA, NOOP_POSTFLUSH, NOOP_ID };

struct noop_request {
	struct virtio_blk_outhdr hdr;
	struct virtio_blk_discard_write_zeroes range;
	u8 status;
	enum noop_step step;
	struct bio *bio;
	struct noop_request *next;	/* free, or to be ended */
};

struct noop_queue {
	spinlock_t lock;		/* all of this; interrupts off */
	struct virtqueue *vq;
	struct noop_front *front;
	struct noop_request *requests, *free;
	u32 used;			/* requests that are not free */
	struct bio_list waiting;	/* for a free request or descriptor */
	bool polled;			/* has no interrupts */
	bool kick;			/* something was added since the last */
	struct scatterlist header, trailer, sg[NOOP_SEGMENTS];
	char name[16];
} ____cacheline_aligned_in_smp;

struct noop_front {
	struct virtio_device *vdev;
	struct gendisk *disk;
	u32 nr_queues, nr_polled;	/* polled ones come last */
	u32 max_segment;		/* bytes */
	struct noop_queue *queues;
	bool stopped;			/* no more requests to the device */
	wait_queue_head_t answered;	/* id_done */
	struct work_struct config_work;
	int index;
	bool id_done;
	char id[VIRTIO_BLK_ID_BYTES + 1];
};

extern const struct block_device_operations noop_fops;
int noop_front_init(void);
void noop_front_exit(void);
extern struct virtio_driver noop_driver;

int noop_queue_init(struct noop_queue *q);
void noop_queue_free(struct noop_queue *q);
void noop_queue_done(struct virtqueue *vq);
/* The device has some of its requests; polled ones that it has done are ended. May not sleep. */
bool noop_queue_busy(struct noop_queue *q);
/* End all that the device has not; it has been reset. */
void noop_queue_abort(struct noop_queue *q);
/* What waited goes to the device, which works again. */
void noop_queue_resume(struct noop_queue *q);
/* The disk's serial number, before it has a gendisk. May sleep. False: no answer. */
bool noop_get_id(struct noop_front *f);

/* --- take.c --- */
/*
 * Move @disk from virtio_blk to our driver, if it is not in use; 0: done, or nothing to
 * do. -EBUSY: it is; any other error is final. By one work item at a time.
 */
int noop_take(struct gendisk *disk);
void noop_give_back(void);

#endif
