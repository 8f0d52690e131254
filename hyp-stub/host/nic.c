// SPDX-License-Identifier: GPL-2.0
/*
 * No offloads are asked of the host's NIC (QEMU's user network has none), so
 * what leaves here is checksummed and segmented before. Frames up to BUFFER
 * bytes, header included; each slot of the two queues has a buffer of its own.
 */
#include "host/nic.h"
#include "host/virtio.h"
#include "virtio/offload.h"
#include "virtio/vswitch.h"

#define SLOTS	256
#define BUFFER	2048
#define F_MAC	BIT(5)
enum { RX, TX };

struct nic {
	struct host_virtio host;
	struct vport port;
	struct host_queue rx, tx;
	u8 (*rx_buffers)[BUFFER], (*tx_buffers)[BUFFER];
	spinlock_t tx_lock;
	u16 tx_free[SLOTS];
	u32 nr_tx_free;
};

static void reclaim(struct nic *n)
{
	u16 slot;
	u32 len;

	while (host_queue_get(&n->tx, &slot, &len))
		n->tx_free[n->nr_tx_free++] = slot;
}

static void send(void *arg, const struct packet *pk)
{
	static const struct net_header nothing;
	struct nic *n = arg;
	struct iov_pos data = pk->data;
	u16 slot;

	if (n->nr_tx_free < SLOTS / 2)
		reclaim(n);
	if (!n->nr_tx_free || pk->len > BUFFER - sizeof(nothing)) {
		n->port.dropped++;
		return;
	}
	slot = n->tx_free[--n->nr_tx_free];
	memcpy(n->tx_buffers[slot], &nothing, sizeof(nothing));
	iov_read(&data, n->tx_buffers[slot] + sizeof(nothing), pk->len);
	host_queue_add(&n->tx, slot, (u64)n->tx_buffers[slot], (u32)sizeof(nothing) + pk->len, 0);
	n->port.received++;
}

static void nic_receive(struct vport *port, const struct packet *pk)
{
	struct nic *n = container_of(port, struct nic, port);

	spin_lock(&n->tx_lock);
	if (!pk->header.flags && pk->header.gso_type == NET_GSO_NONE)
		send(n, pk);
	else if (!offload_each(pk, send, n))
		port->dropped++;
	host_queue_kick(&n->tx);
	spin_unlock(&n->tx_lock);
}

static void interrupt(void *arg)
{
	struct nic *n = arg;
	bool any = false;
	u32 len;
	u16 slot;

	host_virtio_ack(&n->host);
	while (host_queue_get(&n->rx, &slot, &len)) {
		struct iov iov = { n->rx_buffers[slot], len };
		struct packet pk = { .data = { &iov, sizeof(pk.header) } };

		if (len >= sizeof(pk.header) + ETH_HEADER && len <= BUFFER) {
			pk.len = len - (u32)sizeof(pk.header);
			vswitch_send(&n->port, &pk);
		}
		host_queue_add(&n->rx, slot, (u64)n->rx_buffers[slot], BUFFER, VRING_DESC_WRITE);
		any = true;
	}
	if (any)
		host_queue_kick(&n->rx);
}

bool nic_open(const char *path, const char *network, const char *who)
{
	struct nic *n = heap_alloc_ram(sizeof(*n), 64);
	const char *wrong;

	if (!n || !host_virtio_open(&n->host, path, VIRTIO_ID_NET, F_MAC, who))
		return false;
	n->rx_buffers = heap_alloc_ram(SLOTS * BUFFER, 64);
	n->tx_buffers = heap_alloc_ram(SLOTS * BUFFER, 64);
	if (!n->rx_buffers || !n->tx_buffers || !host_queue_init(&n->host, &n->rx, RX, SLOTS) ||
	    !host_queue_init(&n->host, &n->tx, TX, SLOTS)) {
		hyp_printf("%s: host NIC %s has no queues, or memory is short", who, path);
		return false;
	}
	n->tx.avail->flags = VRING_NO_INTERRUPT;	/* reclaimed when sending */
	n->port.uplink = true;
	n->port.receive = nic_receive;
	wrong = vswitch_join(&n->port, network);
	if (wrong) {
		hyp_printf("%s: %s", who, wrong);
		return false;
	}
	host_virtio_start(&n->host, interrupt, n);
	for (u16 i = 0; i < n->tx.size; i++)
		n->tx_free[n->nr_tx_free++] = i;
	for (u16 i = 0; i < n->rx.size; i++)
		host_queue_add(&n->rx, i, (u64)n->rx_buffers[i], BUFFER, VRING_DESC_WRITE);
	host_queue_kick(&n->rx);
	return true;
}
