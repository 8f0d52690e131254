// SPDX-License-Identifier: GPL-2.0
/*
 * The device side of a split virtqueue (virtio 1.2, 2.7). Rings and
 * descriptors are the driver's memory and may change at any time: each field
 * is read once, and what was read is checked before it is used.
 */
#include "virtio/virtio.h"

/* The event index fields, behind the rings' entries (2.7.6, 2.7.8). */
static u16 used_event(const struct virtqueue *q)
{
	return READ_ONCE(q->avail->ring[q->size]);
}

static void set_avail_event(struct virtqueue *q, u16 value)
{
	WRITE_ONCE(*(u16 *)&q->used->ring[q->size], value);
}

bool vq_set_ready(struct virtqueue *q)
{
	struct vm *vm = q->dev->vm;
	u64 n = q->size;

	if (!n || n > q->size_max || n & (n - 1)) {
		vq_break(q, "size %u is not a power of two up to %u", q->size, q->size_max);
		return false;
	}
	q->desc = vm_ram(vm, (ipa_t){ q->desc_ipa }, n * sizeof(*q->desc));
	q->avail = vm_ram(vm, (ipa_t){ q->avail_ipa }, 6 + 2 * n);
	q->used = vm_ram(vm, (ipa_t){ q->used_ipa }, 6 + 8 * n);
	if (!q->desc || !q->avail || !q->used || !IS_ALIGNED(q->desc_ipa, 16) ||
	    !IS_ALIGNED(q->avail_ipa, 2) || !IS_ALIGNED(q->used_ipa, 4)) {
		vq_break(q, "rings at 0x%llx, 0x%llx, 0x%llx are not in RAM, or not aligned",
			 (unsigned long long)q->desc_ipa, (unsigned long long)q->avail_ipa,
			 (unsigned long long)q->used_ipa);
		return false;
	}
	q->last_avail = q->used_idx = q->signalled = 0;
	q->in_flight = 0;
	q->stalled = false;
	q->events = 0;
	__atomic_store_n(&q->ready, true, __ATOMIC_RELEASE);	/* virtqueue_poll() looks without lock */
	return true;
}

void vq_reset(struct virtqueue *q)
{
	q->ready = q->stalled = false;
	q->size = 0;
	q->desc_ipa = q->avail_ipa = q->used_ipa = 0;
	q->in_flight = 0;
}

static bool add_buffer(struct virtqueue *q, struct vq_chain *c, const struct vring_desc *d)
{
	u32 n = (u32)c->nr_out + c->nr_in;
	void *base = vm_ram(q->dev->vm, (ipa_t){ d->addr }, d->len);

	if (!d->len || !base) {
		vq_break(q, "a buffer of %u bytes at 0x%llx is not in RAM", d->len,
			 (unsigned long long)d->addr);
		return false;
	}
	if (n == VQ_CHAIN_MAX) {
		vq_break(q, "a chain of more than %d buffers", VQ_CHAIN_MAX);
		return false;
	}
	c->iov[n] = (struct iov){ base, d->len };
	if (d->flags & VRING_DESC_WRITE) {
		c->nr_in++;
		c->in_len += d->len;
	} else if (c->nr_in) {
		vq_break(q, "a buffer to read after one to write");
		return false;
	} else {
		c->nr_out++;
		c->out_len += d->len;
	}
	return true;
}

/* A 16-byte entry, copied before it is looked at. */
static void read_desc(const struct vring_desc *from, struct vring_desc *d)
{
	u64 rest = READ_ONCE(((const u64 *)from)[1]);

	d->addr = READ_ONCE(from->addr);
	d->len = (u32)rest;
	d->flags = (u16)(rest >> 32);
	d->next = (u16)(rest >> 48);
}

/* The table that an indirect descriptor names (2.7.5.3) in place of the ring's. */
static const struct vring_desc *indirect_table(struct virtqueue *q, const struct vring_desc *d,
					       u32 *entries)
{
	const struct vring_desc *table = vm_ram(q->dev->vm, (ipa_t){ d->addr }, d->len);

	if (!virtio_has(q->dev, VIRTIO_F_INDIRECT_DESC)) {
		vq_break(q, "an indirect descriptor, which was not negotiated");
		return NULL;
	}
	if (d->flags & VRING_DESC_NEXT) {
		vq_break(q, "an indirect descriptor with a next one");
		return NULL;
	}
	if (!table || !d->len || d->len % sizeof(*d) || d->addr % 8) {
		vq_break(q, "an indirect table of %u bytes at 0x%llx", d->len,
			 (unsigned long long)d->addr);
		return NULL;
	}
	*entries = d->len / sizeof(*d);
	return table;
}

static bool walk(struct virtqueue *q, struct vq_chain *c)
{
	const struct vring_desc *table = q->desc;
	u32 entries = q->size, i = c->head, seen = 0;
	bool indirect = false;		/* the table may be the ring: its address says nothing */
	struct vring_desc d;

	for (;;) {
		if (i >= entries) {
			vq_break(q, "descriptor %u of %u", i, entries);
			return false;
		}
		if (seen++ == entries) {
			vq_break(q, "a chain that loops");
			return false;
		}
		read_desc(&table[i], &d);
		if (d.flags & VRING_DESC_INDIRECT) {
			if (indirect || seen > 1) {
				vq_break(q, "an indirect descriptor inside a chain");
				return false;
			}
			table = indirect_table(q, &d, &entries);
			if (!table)
				return false;
			indirect = true;
			i = seen = 0;
			continue;
		}
		if (!add_buffer(q, c, &d))
			return false;
		if (!(d.flags & VRING_DESC_NEXT))
			return true;
		i = d.next;
	}
}

enum vq_progress vq_pop(struct virtqueue *q, struct vq_chain *c)
{
	u16 avail = __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE);
	u16 pending = (u16)(avail - q->last_avail);

	if (!pending)
		return VQ_EMPTY;
	if (pending > q->size) {
		vq_break(q, "available index went from %u to %u, with a size of %u",
			 q->last_avail, avail, q->size);
		return VQ_STALLED;
	}
	c->head = READ_ONCE(q->avail->ring[q->last_avail & (q->size - 1)]);
	c->nr_out = c->nr_in = 0;
	c->out_len = c->in_len = 0;
	if (c->head >= q->size) {
		vq_break(q, "chain head %u of %u", c->head, q->size);
		return VQ_STALLED;
	}
	if (!walk(q, c))
		return VQ_STALLED;
	q->last_avail++;
	q->in_flight++;
	return VQ_DONE;
}

void vq_unpop(struct virtqueue *q, u16 n)
{
	q->last_avail = (u16)(q->last_avail - n);
	q->in_flight -= n;
}

void vq_push(struct virtqueue *q, u16 head, u32 len)
{
	struct vring_used_elem *e = &q->used->ring[q->used_idx & (q->size - 1)];

	WRITE_ONCE(e->id, head);
	WRITE_ONCE(e->len, len);
	q->used_idx++;
	q->in_flight--;
}

/* Does an index that moved from @old to @new pass @event (2.7.10)? */
static bool passes(u16 event, u16 new, u16 old)
{
	return (u16)(new - event - 1) < (u16)(new - old);
}

void vq_signal(struct virtqueue *q)
{
	u16 old = q->signalled, new = q->used_idx;
	bool wanted;

	if (old == new)
		return;
	/* The driver sets its event and then looks at used->idx; we the reverse. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	q->signalled = new;
	if (virtio_has(q->dev, VIRTIO_F_EVENT_IDX))
		wanted = passes(used_event(q), new, old);
	else
		wanted = !(READ_ONCE(q->avail->flags) & VRING_NO_INTERRUPT);
	if (!wanted)
		return;
	if (q->dev->io && q->index < PV_IO_QUEUES)
		WRITE_ONCE(q->dev->io->queue[q->index].events, ++q->events);
	virtio_interrupt(q->dev, VIRTIO_ISR_QUEUE);
}

void vq_flush(struct virtqueue *q)
{
	if (!q->ready || q->used->idx == q->used_idx)
		return;
	__atomic_store_n(&q->used->idx, q->used_idx, __ATOMIC_RELEASE);
	if (!q->dev->ops->moderate || !q->dev->ops->moderate(q))
		vq_signal(q);
}

/* Ask for a kick at the next chain. True: it has come meanwhile. */
static bool enable_kicks(struct virtqueue *q)
{
	if (virtio_has(q->dev, VIRTIO_F_EVENT_IDX))
		set_avail_event(q, q->last_avail);
	else
		WRITE_ONCE(q->used->flags, 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return READ_ONCE(q->avail->idx) != q->last_avail;
}

/* No kicks: somebody looks anyway. */
static void disable_kicks(struct virtqueue *q)
{
	if (virtio_has(q->dev, VIRTIO_F_EVENT_IDX))
		set_avail_event(q, (u16)(q->last_avail + 0x8000));	/* far from where it can get */
	else
		WRITE_ONCE(q->used->flags, VRING_NO_NOTIFY);
}

/* All chains are taken. True: there is another. */
static bool take_a_rest(struct virtqueue *q)
{
	if (!poll_quiet(q->dev) || q->input)
		return enable_kicks(q);
	disable_kicks(q);
	return false;
}

/* Leave the rest to a vCPU of the VM: when it resumes, it pays for it. */
static void put_off(struct virtio_dev *dev, struct vcpu *current)
{
	bool own = current && current->vm == dev->vm;
	struct vcpu *v = own ? current : dev->vm->vcpus[0];

	__atomic_fetch_or(&v->work, (u32)BIT(dev->index), __ATOMIC_RELEASE);
	if (!own)
		sched_interrupt(v, false);
}

/*
 * At most one round of the ring, and on the VM's own vCPU no further than the
 * next interrupt: no guest can keep a pCPU from others with its rings. A
 * partitioned VM has pCPUs of its own to keep busy, and no exits to count on.
 */
static bool enough(const struct virtqueue *q, const struct vcpu *current, u32 n)
{
	if (q->dev->vm->partitioned)
		return n > 16U * q->size;
	return n > q->size || (current && current->vm == q->dev->vm && arch_interrupt_pending());
}

/* Take a chain; false: there is no more to do now. */
static bool step(struct virtqueue *q)
{
	enum vq_progress progress;

	if (!q->ready || !virtio_live(q->dev))
		return false;
	progress = q->dev->ops->process(q);
	if (progress == VQ_STALLED) {
		q->stalled = true;
		return false;
	}
	return (progress == VQ_DONE && READ_ONCE(q->avail->idx) != q->last_avail) || take_a_rest(q);
}

void virtqueue_run(struct virtqueue *q)
{
	struct vcpu *current = this_pcpu()->current;
	u32 n = 0;

	spin_lock(&q->lock);
	q->stalled = false;
	while (step(q)) {
		if (enough(q, current, ++n)) {
			if (!q->dev->vm->partitioned)
				put_off(q->dev, current);
			break;
		}
	}
	vq_flush(q);
	spin_unlock(&q->lock);
}

void virtqueue_kick(struct virtqueue *q)
{
	if (q->dev->polled)
		poll_wake();
	virtqueue_run(q);
}

u16 virtqueue_pending(const struct virtqueue *q)
{
	if (!__atomic_load_n(&q->ready, __ATOMIC_ACQUIRE))
		return 0;
	return (u16)(READ_ONCE(q->avail->idx) - READ_ONCE(q->last_avail));
}

bool virtqueue_poll(struct virtqueue *q)
{
	u32 n = 1;

	if (!virtqueue_pending(q) || READ_ONCE(q->stalled) || !virtio_live(q->dev))
		return false;
	spin_lock(&q->lock);
	while (step(q) && n < POLL_BUDGET)
		n++;
	vq_flush(q);
	spin_unlock(&q->lock);
	return true;
}

bool virtqueue_ask(struct virtqueue *q)
{
	bool more = false;

	spin_lock(&q->lock);
	if (q->ready && !q->stalled && virtio_live(q->dev))
		more = enable_kicks(q);
	spin_unlock(&q->lock);
	return more;
}
