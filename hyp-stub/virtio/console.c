// SPDX-License-Identifier: GPL-2.0
/* Console device (virtio 1.2, 5.3): one port, on the VM's share of the UART. */
#include "virtio/devices.h"

enum { RX, TX, QUEUES };
#define OUTPUT_MAX 256		/* bytes shown per step */

static enum vq_progress transmit(struct virtqueue *q)
{
	char text[OUTPUT_MAX];
	struct vq_chain c;
	struct iov_pos out;
	enum vq_progress progress = vq_pop(q, &c);

	if (progress != VQ_DONE)
		return progress;
	if (c.nr_in) {
		vq_break(q, "output with buffers to write");
		return VQ_STALLED;
	}
	out = vq_out(&c);
	/* A console that floods holds up nobody but itself: cut at 64 KiB. */
	for (u64 left = MIN(c.out_len, KiB(64)), n; left; left -= n) {
		n = MIN(left, sizeof(text));
		iov_read(&out, text, n);
		console_output(q->dev->vm, &q->dev->vm->vconsole_line, text, n);
	}
	vq_push(q, c.head, 0);
	return VQ_DONE;
}

/* Receive buffers wait in the ring for input. */
static enum vq_progress vconsole_process(struct virtqueue *q)
{
	return q->index == TX ? transmit(q) : VQ_STALLED;
}

bool vconsole_input(struct vm *vm, char ch)
{
	struct virtqueue *q;
	struct vq_chain c;
	bool taken = false;

	if (!vm->vconsole)
		return false;
	q = &vm->vconsole->queues[RX];
	spin_lock(&q->lock);
	if (q->ready && virtio_live(q->dev) && vq_pop(q, &c) == VQ_DONE) {
		struct iov_pos in = vq_in(&c);

		if (c.in_len)
			iov_write(&in, &ch, 1);
		vq_push(q, c.head, !!c.in_len);
		vq_flush(q);
		taken = true;
	}
	spin_unlock(&q->lock);
	return taken;
}

static const struct virtio_ops vconsole_ops = {
	.id = VIRTIO_ID_CONSOLE,
	.process = vconsole_process,
};

bool vconsole_create(struct vm *vm)
{
	struct virtio_dev *dev = heap_alloc(sizeof(*dev), 64);

	if (!dev)
		return false;
	dev->ops = &vconsole_ops;
	dev->nr_queues = QUEUES;
	hyp_snprintf(dev->name, sizeof(dev->name), "console");
	if (!virtio_add(vm, dev, (const u16[]){ 64, 64 }))
		return false;
	dev->queues[RX].input = true;
	vm->vconsole = dev;
	return true;
}
