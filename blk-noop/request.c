// SPDX-License-Identifier: GPL-2.0
/*
 * Bio mode: from a bio to the virtqueue and back, past the request layer. No
 * tags, no merging, no accounting: one descriptor chain per bio. A task's plug
 * still makes batches: its bios are added, and kicked once when it unplugs.
 *
 * A bio that finds no free request, or no room in the ring, waits in its queue
 * and goes on when something else is done there.
 */
#include <linux/slab.h>
#include <linux/virtio.h>

#include "blk_noop.h"

static struct noop_queue *queue_of_cpu(struct noop_front *f)
{
	u32 n = f->nr_queues - f->nr_polled;

	return &f->queues[n == 1 ? 0 : raw_smp_processor_id() % n];
}

/* The command of a step; noop_submit_bio() lets no other operations in. */
static void fill_header(struct noop_request *r)
{
	struct bio *bio = r->bio;
	u32 type = VIRTIO_BLK_T_FLUSH;

	r->hdr.sector = 0;
	if (r->step == NOOP_DATA) {
		switch (bio_op(bio)) {
		case REQ_OP_READ:
			type = VIRTIO_BLK_T_IN;
			break;
		case REQ_OP_WRITE:
			type = VIRTIO_BLK_T_OUT;
			break;
		case REQ_OP_DISCARD:
			type = VIRTIO_BLK_T_DISCARD;
			break;
		case REQ_OP_WRITE_ZEROES:
			type = VIRTIO_BLK_T_WRITE_ZEROES;
			break;
		default:
			break;
		}
		if (type > VIRTIO_BLK_T_OUT) {
			r->range.sector = cpu_to_le64(bio->bi_iter.bi_sector);
			r->range.num_sectors = cpu_to_le32(bio_sectors(bio));
			r->range.flags = cpu_to_le32(type == VIRTIO_BLK_T_WRITE_ZEROES &&
						     !(bio->bi_opf & REQ_NOUNMAP) ?
						     VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0);
		} else {
			r->hdr.sector = cpu_to_le64(bio->bi_iter.bi_sector);
		}
	}
	r->hdr.type = cpu_to_le32(type);
	r->hdr.ioprio = 0;
}

/* To the ring. -ENOSPC: it is full. q->lock held. */
static int add(struct noop_queue *q, struct noop_request *r)
{
	struct scatterlist *sgs[3], *data = q->sg;
	int ret;
	unsigned int n = 0, out = 1, in = 1, len, done;
	struct bvec_iter iter;
	struct bio_vec bv;

	sg_set_buf(&q->header, &r->hdr, sizeof(r->hdr));
	sgs[0] = &q->header;
	if (r->step == NOOP_DATA && bio_op(r->bio) <= REQ_OP_WRITE) {
		bio_for_each_bvec(bv, r->bio, iter) {
			for (done = 0; done < bv.bv_len; done += len) {
				len = min(bv.bv_len - done, q->front->max_segment);
				sg_set_page(&data[n++], bv.bv_page, len, bv.bv_offset + done);
			}
		}
		sgs[1] = data;
		if (bio_op(r->bio) == REQ_OP_READ)
			in++;
		else
			out++;
	} else if (r->step == NOOP_DATA) {
		sg_set_buf(&data[n++], &r->range, sizeof(r->range));
		sgs[1] = data;
		out++;
	}
	sg_set_buf(&q->trailer, &r->status, sizeof(r->status));
	sgs[out + in - 1] = &q->trailer;
	if (n)
		sg_mark_end(&data[n - 1]);
	ret = virtqueue_add_sgs(q->vq, sgs, out, in, r, GFP_ATOMIC);
	if (n)
		sg_unmark_end(&data[n - 1]);
	return ret;
}

static void put_request(struct noop_queue *q, struct noop_request *r)
{
	r->next = q->free;
	q->free = r;
	q->used--;
}

/* First step of @bio. q->lock held. False: it must wait. */
static bool start(struct noop_queue *q, struct bio *bio)
{
	struct noop_request *r = q->free;

	if (!r || q->front->stopped)
		return false;
	r->bio = bio;
	r->step = bio->bi_opf & REQ_PREFLUSH ? NOOP_PREFLUSH : NOOP_DATA;
	fill_header(r);
	if (add(q, r))
		return false;
	q->free = r->next;
	q->used++;
	q->kick = true;
	return true;
}

/* Notify, if something was added. Takes q->lock, but notifies without. */
static void kick(struct noop_queue *q)
{
	unsigned long flags;
	bool notify;

	spin_lock_irqsave(&q->lock, flags);
	notify = q->kick && virtqueue_kick_prepare(q->vq);
	q->kick = false;
	spin_unlock_irqrestore(&q->lock, flags);
	if (notify)
		virtqueue_notify(q->vq);
}

static void unplug(struct blk_plug_cb *cb, bool from_schedule)
{
	struct noop_front *f = cb->data;
	u32 i;

	for (i = 0; i < f->nr_queues; i++)
		if (READ_ONCE(f->queues[i].kick))
			kick(&f->queues[i]);
	kfree(cb);
}

/*
 * Whether kicking can wait until the task unplugs. The block layer has a plug
 * around each bio, too, which makes no batch and whose call would only cost: it
 * is the one in our caller's frame, by the chain of frame records (AAPCS64, 6.4.6).
 */
static __always_inline bool is_batched(struct noop_front *f)
{
	unsigned long own = (unsigned long)__builtin_frame_address(0);
	unsigned long callers_caller = **(unsigned long **)own;
	unsigned long plug = (unsigned long)current->plug;

	/* Compilers differ in whether locals are above or below a frame's record. */
	if (!plug || (plug > own && plug < callers_caller))
		return false;
	return blk_check_plugged(unplug, f, sizeof(struct blk_plug_cb));
}

static void noop_submit_bio(struct bio *bio)
{
	struct noop_front *f = bio->bi_bdev->bd_disk->private_data;
	struct noop_queue *q = queue_of_cpu(f);
	unsigned long flags;
	bool notify;

	bio = bio_split_to_limits(bio);
	if (!bio)
		return;
	if (bio_op(bio) > REQ_OP_WRITE && bio_op(bio) != REQ_OP_FLUSH &&
	    bio_op(bio) != REQ_OP_DISCARD && bio_op(bio) != REQ_OP_WRITE_ZEROES) {
		bio->bi_status = BLK_STS_NOTSUPP;
		bio_endio(bio);
		return;
	}
	if (bio->bi_opf & REQ_POLLED) {
		if (f->nr_polled) {
			q = &f->queues[f->nr_queues - f->nr_polled + raw_smp_processor_id() % f->nr_polled];
			WRITE_ONCE(bio->bi_cookie, q - f->queues);
		} else {
			bio_clear_polled(bio);
		}
	}
	spin_lock_irqsave(&q->lock, flags);
	if (!bio_list_empty(&q->waiting) || !start(q, bio)) {
		bio_list_add(&q->waiting, bio);
		notify = q->kick && virtqueue_kick_prepare(q->vq);	/* or nothing is ever done */
		q->kick = false;
	} else if (is_batched(f)) {
		notify = false;
	} else {
		notify = virtqueue_kick_prepare(q->vq);
		q->kick = false;
	}
	spin_unlock_irqrestore(&q->lock, flags);
	if (notify)
		virtqueue_notify(q->vq);
}

/*
 * The device is done with @r: its next step, true if there is one; else it is
 * free, its bio's status set. q->lock held.
 */
static bool next_step(struct noop_queue *q, struct noop_request *r)
{
	struct bio *bio = r->bio;

	if (r->status != VIRTIO_BLK_S_OK) {
		bio->bi_status = r->status == VIRTIO_BLK_S_UNSUPP ? BLK_STS_NOTSUPP : BLK_STS_IOERR;
		return false;
	}
	if (r->step == NOOP_PREFLUSH && bio_has_data(bio))
		r->step = NOOP_DATA;
	else if (r->step == NOOP_DATA && bio->bi_opf & REQ_FUA)
		r->step = NOOP_POSTFLUSH;
	else
		return false;
	fill_header(r);
	/* It had as much room as that a moment ago, or more. */
	if (add(q, r)) {
		bio->bi_status = BLK_STS_IOERR;
		return false;
	}
	q->kick = true;
	return true;
}

static void start_waiting(struct noop_queue *q)
{
	struct bio *bio;

	while ((bio = bio_list_peek(&q->waiting)) && start(q, bio))
		bio_list_pop(&q->waiting);
}

/* End what the device has done. Returns how many bios. */
static int reap(struct noop_queue *q)
{
	struct bio_list done = BIO_EMPTY_LIST;
	struct noop_request *r;
	unsigned long flags;
	struct bio *bio;
	unsigned int len;
	int n = 0;

	spin_lock_irqsave(&q->lock, flags);
	do {
		if (!q->polled)
			virtqueue_disable_cb(q->vq);
		while ((r = virtqueue_get_buf(q->vq, &len))) {
			if (r->step != NOOP_ID) {
				if (next_step(q, r))
					continue;
				bio_list_add(&done, r->bio);
			} else {
				q->front->id_done = true;
				wake_up(&q->front->answered);
			}
			put_request(q, r);
		}
		if (virtqueue_is_broken(q->vq))
			break;
	} while (!q->polled && !virtqueue_enable_cb(q->vq));
	if (!bio_list_empty(&q->waiting))
		start_waiting(q);
	spin_unlock_irqrestore(&q->lock, flags);
	if (READ_ONCE(q->kick))
		kick(q);
	while ((bio = bio_list_pop(&done))) {
		bio_endio(bio);
		n++;
	}
	return n;
}

bool noop_queue_busy(struct noop_queue *q)
{
	bool busy;

	if (q->polled)
		reap(q);
	spin_lock_irq(&q->lock);
	busy = q->used && !virtqueue_is_broken(q->vq);
	spin_unlock_irq(&q->lock);
	return busy;
}

void noop_queue_done(struct virtqueue *vq)
{
	struct noop_front *f = vq->vdev->priv;

	reap(&f->queues[vq->index]);
}

static int noop_poll_bio(struct bio *bio, struct io_comp_batch *iob, unsigned int flags)
{
	struct noop_front *f = bio->bi_bdev->bd_disk->private_data;
	u32 i = READ_ONCE(bio->bi_cookie);

	return i < f->nr_queues && f->queues[i].polled ? reap(&f->queues[i]) : 0;
}

void noop_queue_resume(struct noop_queue *q)
{
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	start_waiting(q);
	spin_unlock_irqrestore(&q->lock, flags);
	kick(q);
}

void noop_queue_abort(struct noop_queue *q)
{
	struct bio_list lost = BIO_EMPTY_LIST;
	struct noop_request *r;
	struct bio *bio;

	spin_lock_irq(&q->lock);
	while (q->vq && (r = virtqueue_detach_unused_buf(q->vq))) {
		if (r->step != NOOP_ID)
			bio_list_add(&lost, r->bio);
		put_request(q, r);
	}
	bio_list_merge(&lost, &q->waiting);
	bio_list_init(&q->waiting);
	spin_unlock_irq(&q->lock);
	while ((bio = bio_list_pop(&lost)))
		bio_io_error(bio);
}

int noop_queue_init(struct noop_queue *q)
{
	u32 i, n = virtqueue_get_vring_size(q->vq);

	if (!q->requests) {
		spin_lock_init(&q->lock);
		bio_list_init(&q->waiting);
		/* Once, but for the end mark: the table is long. */
		sg_init_table(q->sg, NOOP_SEGMENTS);
		sg_init_table(&q->header, 1);
		sg_init_table(&q->trailer, 1);
		q->requests = kcalloc(n, sizeof(*q->requests), GFP_KERNEL);	/* the device reads them */
		if (!q->requests)
			return -ENOMEM;
		for (i = 0; i < n; i++) {
			q->requests[i].next = q->free;
			q->free = &q->requests[i];
		}
	}
	return 0;
}

void noop_queue_free(struct noop_queue *q)
{
	kfree(q->requests);
	q->requests = NULL;
}

bool noop_get_id(struct noop_front *f)
{
	struct noop_queue *q = &f->queues[0];
	struct noop_request *r;
	struct scatterlist hdr, id, status, *sgs[] = { &hdr, &id, &status };
	char *buf = kzalloc(VIRTIO_BLK_ID_BYTES, GFP_KERNEL);
	int ret;

	if (!buf)
		return false;
	spin_lock_irq(&q->lock);
	r = q->free;
	r->step = NOOP_ID;
	r->bio = NULL;
	r->hdr.type = cpu_to_le32(VIRTIO_BLK_T_GET_ID);
	r->hdr.sector = 0;
	sg_init_one(&hdr, &r->hdr, sizeof(r->hdr));
	sg_init_one(&id, buf, VIRTIO_BLK_ID_BYTES);
	sg_init_one(&status, &r->status, sizeof(r->status));
	ret = virtqueue_add_sgs(q->vq, sgs, 1, 2, r, GFP_ATOMIC);
	if (!ret) {
		q->free = r->next;
		q->used++;
		q->kick = true;
	}
	spin_unlock_irq(&q->lock);
	kick(q);
	if (ret || !wait_event_timeout(f->answered, READ_ONCE(f->id_done), 5 * HZ)) {
		dev_err(&f->vdev->dev, "the disk does not answer\n");
		virtio_reset_device(f->vdev);	/* so that it forgets the buffer */
		kfree(buf);
		return false;
	}
	if (r->status == VIRTIO_BLK_S_OK)
		memcpy(f->id, buf, VIRTIO_BLK_ID_BYTES);
	kfree(buf);
	return true;
}

const struct block_device_operations noop_fops = {
	.owner = THIS_MODULE,
	.submit_bio = noop_submit_bio,
	.poll_bio = noop_poll_bio,
};
