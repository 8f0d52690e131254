// SPDX-License-Identifier: GPL-2.0
/*
 * Network device (virtio 1.2, 5.1): a port of the switch. Transmission runs
 * through the switch into the receivers' rings at once; a receiver that has no
 * buffer loses the packet, as on a wire.
 */
#include "core/timer.h"
#include "virtio/devices.h"
#include "virtio/offload.h"
#include "virtio/vswitch.h"

#define F_CSUM			BIT(0)
#define F_GUEST_CSUM		BIT(1)
#define F_CTRL_GUEST_OFFLOADS	BIT(2)
#define F_MAC			BIT(5)
#define F_GUEST_TSO4		BIT(7)
#define F_GUEST_TSO6		BIT(8)
#define F_GUEST_ECN		BIT(9)
#define F_HOST_TSO4		BIT(11)
#define F_HOST_TSO6		BIT(12)
#define F_HOST_ECN		BIT(13)
#define F_MRG_RXBUF		BIT(15)
#define F_STATUS		BIT(16)
#define F_CTRL_VQ		BIT(17)
#define F_MQ			BIT(22)
#define F_VQ_NOTF_COAL		BIT(52)
#define F_NOTF_COAL		BIT(53)
#define GUEST_OFFLOADS		(F_GUEST_CSUM | F_GUEST_TSO4 | F_GUEST_TSO6 | F_GUEST_ECN)

/* Control queue, 5.1.6.5 */
#define CTRL_MQ			4
#define CTRL_MQ_PAIRS_SET	0
#define CTRL_OFFLOADS		5
#define CTRL_OFFLOADS_SET	0
#define CTRL_COAL		6
#define CTRL_COAL_TX_SET	0
#define CTRL_COAL_RX_SET	1
#define CTRL_COAL_VQ_SET	2
#define CTRL_COAL_VQ_GET	3
#define CTRL_OK			0
#define CTRL_ERR		1

#define DATA_QUEUE_SIZE		1024
#define CTRL_QUEUE_SIZE		64
#define QUEUES_MAX		(2 * NET_PAIRS_MAX + 1)
#define USECS_MAX		100000	/* longest that an interrupt may be put off */
#define LINK_UP			1

struct moderation {			/* of one queue's interrupts */
	u32 max_packets, max_usecs;	/* 0, 0: none */
	u16 since;			/* used index at the last interrupt */
	struct timer timer;
};

struct net {
	struct virtio_dev dev;
	struct vport port;
	struct {
		u8 mac[ETH_ALEN];
		u16 status, max_pairs;
	} __attribute__((packed)) config;
	u32 pairs;			/* in use */
	u64 offloads;			/* of GUEST_OFFLOADS, as the driver last set them */
	struct moderation moderation[QUEUES_MAX];
};

/* Queues for packets; the control queue comes after them (virtio 1.2, 5.1.2). */
static u32 data_queues(const struct net *n)
{
	return virtio_has(&n->dev, F_MQ) ? 2U * n->config.max_pairs : 2U;
}

static bool is_ctrl(const struct net *n, const struct virtqueue *q)
{
	return q->index == data_queues(n);
}

/* Which features a packet with header @h needs, by their names on one side. */
static u64 needed(const struct net_header *h, u64 csum, u64 tso4, u64 tso6, u64 ecn)
{
	u32 type = h->gso_type & ~NET_GSO_ECN;

	return (h->flags & NET_NEEDS_CSUM ? csum : 0) | (h->gso_type & NET_GSO_ECN ? ecn : 0) |
		(type == NET_GSO_TCPV4 ? tso4 : 0) | (type == NET_GSO_TCPV6 ? tso6 : 0);
}

/* --- receive --- */

static bool acceptable(const struct net *n, const struct net_header *h)
{
	return !(needed(h, F_GUEST_CSUM, F_GUEST_TSO4, F_GUEST_TSO6, F_GUEST_ECN) & ~n->offloads);
}

/*
 * Spread the packet over as many chains as it takes; nothing is published
 * before vq_flush(), so a packet that does not fit leaves no trace.
 */
static bool fill(struct net *n, struct virtqueue *q, const struct packet *pk)
{
	bool merge = virtio_has(&n->dev, F_MRG_RXBUF);
	u8 *first = NULL;		/* where the header goes, aligned or not */
	struct iov_pos from = pk->data;
	u32 left = pk->len;
	u16 used = q->used_idx, chains = 0;
	struct vq_chain c;

	while (left || !chains) {
		u64 skip = chains ? 0 : sizeof(pk->header), part;
		struct iov_pos to;

		if (vq_pop(q, &c) != VQ_DONE)
			goto no_room;
		if (c.nr_out || c.in_len < sizeof(pk->header) || c.iov[0].len < sizeof(pk->header)) {
			vq_break(q, "a receive buffer that is to be read, or without room for its header");
			goto no_room;
		}
		to = vq_in(&c);
		if (!chains) {
			first = to.iov->base;
			to.off = sizeof(pk->header);
		}
		chains++;
		part = MIN(c.in_len - skip, left);
		if (part < left && !merge) {
			vq_push(q, c.head, 0);	/* counted below */
			goto no_room;
		}
		iov_copy(&to, &from, part);
		left -= (u32)part;
		vq_push(q, c.head, (u32)(part + skip));
	}
	memcpy(first, &pk->header, sizeof(pk->header));
	memcpy(first + offsetof(struct net_header, num_buffers), &chains, sizeof(chains));
	return true;
no_room:
	q->in_flight += chains;
	q->used_idx = used;
	vq_unpop(q, chains);
	return false;
}

struct delivery {
	struct net *net;
	struct virtqueue *q;
};

static void deliver(void *arg, const struct packet *pk)
{
	struct delivery *d = arg;

	if (fill(d->net, d->q, pk))
		d->net->port.received++;
	else
		d->net->port.dropped++;
}

static void net_receive(struct vport *port, const struct packet *pk)
{
	struct net *n = container_of(port, struct net, port);
	u32 pairs = READ_ONCE(n->pairs);
	struct delivery d = { n, &n->dev.queues[pairs > 1 ? pk->flow % pairs * 2 : 0] };

	spin_lock(&d.q->lock);
	if (!d.q->ready || !virtio_live(&n->dev))
		port->dropped++;
	else if (acceptable(n, &pk->header))
		deliver(&d, pk);
	else if (!offload_each(pk, deliver, &d))
		port->dropped++;
	vq_flush(d.q);
	spin_unlock(&d.q->lock);
}

/* --- transmit --- */

/* What the driver may ask of us, and whether it makes sense for @len bytes. */
static bool valid(const struct net *n, const struct net_header *h, u32 len)
{
	bool csum = h->flags & NET_NEEDS_CSUM;

	if (h->flags & ~NET_NEEDS_CSUM ||
	    needed(h, F_CSUM, F_HOST_TSO4, F_HOST_TSO6, F_HOST_ECN) & ~n->dev.driver_features)
		return false;
	if (csum && (u32)h->csum_start + h->csum_offset + 2 > len)
		return false;
	switch (h->gso_type & ~NET_GSO_ECN) {
	case NET_GSO_NONE:
		return true;
	case NET_GSO_TCPV4:
	case NET_GSO_TCPV6:
		return csum && h->gso_size;
	}
	return false;
}

static enum vq_progress transmit(struct net *n, struct virtqueue *q)
{
	struct vq_chain c;
	struct packet pk;
	enum vq_progress progress = vq_pop(q, &c);

	if (progress != VQ_DONE)
		return progress;
	if (c.nr_in || c.out_len < sizeof(pk.header)) {
		vq_break(q, "a packet without header, or with %u buffers to write", c.nr_in);
		return VQ_STALLED;
	}
	pk.data = vq_out(&c);
	iov_read(&pk.data, &pk.header, sizeof(pk.header));
	pk.len = (u32)MIN(c.out_len - sizeof(pk.header), PACKET_MAX + 1);
	if (pk.len >= ETH_HEADER && pk.len <= PACKET_MAX && valid(n, &pk.header, pk.len))
		vswitch_send(&n->port, &pk);
	else
		n->port.dropped++;
	vq_push(q, c.head, 0);
	return VQ_DONE;
}

/* --- interrupt moderation --- */

static void moderation_over(struct timer *t)
{
	struct virtqueue *q = t->arg;
	struct net *n = container_of(q->dev, struct net, dev);

	spin_lock(&q->lock);
	if (q->ready && virtio_live(q->dev)) {
		n->moderation[q->index].since = q->used_idx;
		vq_signal(q);
	}
	spin_unlock(&q->lock);
}

static bool moderate(struct virtqueue *q)
{
	struct net *n = container_of(q->dev, struct net, dev);
	struct moderation *m = &n->moderation[q->index];

	if (!m->max_usecs || (u16)(q->used_idx - m->since) >= m->max_packets) {
		m->since = q->used_idx;
		return false;
	}
	timer_set(&m->timer, arch_counter() + ns_to_ticks((u64)m->max_usecs * 1000));
	return true;
}

static bool set_moderation(struct net *n, u32 index, u32 packets, u32 usecs)
{
	struct virtqueue *q = &n->dev.queues[index];

	if (usecs > USECS_MAX)
		return false;
	spin_lock(&q->lock);
	n->moderation[index].max_packets = packets;
	n->moderation[index].max_usecs = usecs;
	vq_signal(q);			/* what the old setting put off */
	spin_unlock(&q->lock);
	return true;
}

/* --- control --- */

static bool coalesce(struct net *n, u8 command, const u8 *data, u64 len, struct iov_pos *in, u64 in_len)
{
	struct { u32 packets, usecs; } all;
	struct { u16 vq, reserved; u32 packets, usecs; } one;
	u32 queues = data_queues(n);	/* not the control queue: its lock is held */
	bool done = true;

	if (command == CTRL_COAL_TX_SET || command == CTRL_COAL_RX_SET) {
		if (!virtio_has(&n->dev, F_NOTF_COAL) || len != sizeof(all))
			return false;
		memcpy(&all, data, sizeof(all));
		for (u32 i = command == CTRL_COAL_TX_SET; i < queues; i += 2)
			done &= set_moderation(n, i, all.packets, all.usecs);
		return done;
	}
	if (!virtio_has(&n->dev, F_VQ_NOTF_COAL))
		return false;
	memset(&one, 0, sizeof(one));
	memcpy(&one, data, MIN(len, sizeof(one)));
	if (len < 4 || one.vq >= queues)
		return false;
	if (command == CTRL_COAL_VQ_SET)
		return len == sizeof(one) && set_moderation(n, one.vq, one.packets, one.usecs);
	if (command != CTRL_COAL_VQ_GET || in_len != 8)
		return false;
	iov_write(in, &n->moderation[one.vq].max_packets, 4);
	iov_write(in, &n->moderation[one.vq].max_usecs, 4);
	return true;
}

static bool command(struct net *n, const u8 *data, u64 len, struct iov_pos *in, u64 in_len)
{
	u8 class = data[0], cmd = data[1];
	u16 pairs;
	u64 offloads;

	data += 2;
	len -= 2;
	switch (class) {
	case CTRL_MQ:
		if (cmd != CTRL_MQ_PAIRS_SET || len != sizeof(pairs) || !virtio_has(&n->dev, F_MQ))
			return false;
		memcpy(&pairs, data, sizeof(pairs));
		if (pairs < 1 || pairs > n->config.max_pairs)
			return false;
		WRITE_ONCE(n->pairs, pairs);
		return true;
	case CTRL_OFFLOADS:
		if (cmd != CTRL_OFFLOADS_SET || len != sizeof(offloads) ||
		    !virtio_has(&n->dev, F_CTRL_GUEST_OFFLOADS))
			return false;
		memcpy(&offloads, data, sizeof(offloads));
		if (offloads & ~(n->dev.driver_features & GUEST_OFFLOADS))
			return false;
		WRITE_ONCE(n->offloads, offloads);
		return true;
	case CTRL_COAL:
		return coalesce(n, cmd, data, len, in, in_len);
	}
	return false;
}

static enum vq_progress control(struct net *n, struct virtqueue *q)
{
	u8 data[32], ack = CTRL_ERR;
	struct iov_pos out, in;
	struct vq_chain c;
	enum vq_progress progress = vq_pop(q, &c);

	if (progress != VQ_DONE)
		return progress;
	if (c.out_len < 2 || !c.in_len) {
		vq_break(q, "a command without header or room for its acknowledgement");
		return VQ_STALLED;
	}
	out = vq_out(&c);
	in = vq_in(&c);
	if (c.out_len <= sizeof(data)) {
		iov_read(&out, data, c.out_len);
		if (command(n, data, c.out_len, &in, c.in_len - 1))
			ack = CTRL_OK;
	}
	*vq_last_byte(&c) = ack;
	vq_push(q, c.head, (u32)MIN(c.in_len, 9U));
	return VQ_DONE;
}

static enum vq_progress net_process(struct virtqueue *q)
{
	struct net *n = container_of(q->dev, struct net, dev);

	if (is_ctrl(n, q))
		return control(n, q);
	/* Receive buffers wait in the ring. */
	return q->index & 1 ? transmit(n, q) : VQ_STALLED;
}

static void net_reset(struct virtio_dev *dev)
{
	struct net *n = container_of(dev, struct net, dev);

	n->pairs = 1;
	n->offloads = 0;
	for (u32 i = 0; i < QUEUES_MAX; i++)
		n->moderation[i].max_packets = n->moderation[i].max_usecs = n->moderation[i].since = 0;
}

static void net_driver_ok(struct virtio_dev *dev)
{
	struct net *n = container_of(dev, struct net, dev);

	n->offloads = dev->driver_features & GUEST_OFFLOADS;
}

static const struct virtio_ops net_ops = {
	.id = VIRTIO_ID_NET,
	.process = net_process,
	.reset = net_reset,
	.driver_ok = net_driver_ok,
	.moderate = moderate,
};

const char *net_create(struct vm *vm, const struct net_options *o)
{
	struct net *n = heap_alloc_ram(sizeof(*n), 64);
	u16 sizes[QUEUES_MAX];
	const char *wrong;

	if (!n)
		return "no memory left";
	memcpy(n->port.mac, o->mac, ETH_ALEN);
	memcpy(n->config.mac, o->mac, ETH_ALEN);
	n->config.status = LINK_UP;
	n->config.max_pairs = (u16)o->pairs;
	n->pairs = 1;
	n->port.receive = net_receive;
	n->dev.ops = &net_ops;
	n->dev.nr_queues = 2 * o->pairs + 1;
	n->dev.config = &n->config;
	n->dev.config_size = sizeof(n->config);
	n->dev.features = F_CSUM | GUEST_OFFLOADS | F_CTRL_GUEST_OFFLOADS | F_MAC | F_HOST_TSO4 |
		F_HOST_TSO6 | F_HOST_ECN | F_MRG_RXBUF | F_STATUS | F_CTRL_VQ | F_NOTF_COAL |
		F_VQ_NOTF_COAL | (o->pairs > 1 ? F_MQ : 0);
	hyp_snprintf(n->dev.name, sizeof(n->dev.name), "nic%u", o->index);
	for (u32 i = 0; i < n->dev.nr_queues; i++)
		sizes[i] = i == 2 * o->pairs ? CTRL_QUEUE_SIZE : DATA_QUEUE_SIZE;
	wrong = vswitch_join(&n->port, o->network);
	if (wrong)
		return wrong;
	if (!virtio_add(vm, &n->dev, sizes))
		return "no memory left, or too many devices";
	for (u32 i = 0; i < 2 * o->pairs; i += 2)
		n->dev.queues[i].input = true;
	for (u32 i = 0; i < n->dev.nr_queues; i++)
		timer_init(&n->moderation[i].timer, moderation_over, &n->dev.queues[i]);
	return NULL;
}
