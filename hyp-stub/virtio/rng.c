// SPDX-License-Identifier: GPL-2.0
/* Entropy device (virtio 1.2, 5.4), on the processor's FEAT_RNG. */
#include "virtio/devices.h"

#define REQUEST_MAX 512		/* bytes given per chain: a guest may ask again */

static enum vq_progress rng_process(struct virtqueue *q)
{
	struct vq_chain c;
	struct iov_pos in;
	u64 n = 0, word;
	enum vq_progress progress = vq_pop(q, &c);

	if (progress != VQ_DONE)
		return progress;
	if (c.nr_out || !c.in_len) {
		vq_break(q, "a request with something to read, or nothing to write");
		return VQ_STALLED;
	}
	in = vq_in(&c);
	while (n < MIN(c.in_len, REQUEST_MAX) && arch_random(&word)) {
		u64 part = MIN(sizeof(word), c.in_len - n);

		iov_write(&in, &word, part);
		n += part;
	}
	vq_push(q, c.head, (u32)n);
	return VQ_DONE;
}

static const struct virtio_ops rng_ops = {
	.id = VIRTIO_ID_RNG,
	.process = rng_process,
};

bool rng_create(struct vm *vm)
{
	struct virtio_dev *dev = heap_alloc(sizeof(*dev), 64);

	if (!dev)
		return false;
	dev->ops = &rng_ops;
	dev->nr_queues = 1;
	hyp_snprintf(dev->name, sizeof(dev->name), "rng");
	return virtio_add(vm, dev, (const u16[]){ 64 });
}
