/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A learning Ethernet switch per named network. Its ports are the VMs' NICs
 * and uplinks to NICs of the host. A packet goes from the sender's buffers to
 * each receiver's in one copy, made by the receiving port; checksums and
 * segmentation that the sender left to the device stay undone as long as the
 * receiver agrees (offload.h).
 */
#ifndef VIRTIO_VSWITCH_H
#define VIRTIO_VSWITCH_H

#include "virtio/virtio.h"

#define ETH_HEADER	14
#define ETH_ALEN	6
#define PACKET_MAX	(KiB(64) + ETH_HEADER + 4)	/* with a VLAN tag */
#define NETWORK_NAME	16

/* virtio 1.2, 5.1.6 */
struct net_header {
	u8 flags;
	u8 gso_type;
	u16 hdr_len;
	u16 gso_size;
	u16 csum_start;
	u16 csum_offset;
	u16 num_buffers;
};
#define NET_NEEDS_CSUM	BIT(0)
#define NET_GSO_NONE	0
#define NET_GSO_TCPV4	1
#define NET_GSO_TCPV6	4
#define NET_GSO_ECN	0x80

/**
 * struct packet - a frame on its way through the switch.
 * @header: what is still to be done to it; checked by the sender's port.
 * @data: its @len bytes, from the Ethernet header on.
 * @flow: the same for all packets of a connection's direction.
 */
struct packet {
	struct net_header header;
	struct iov_pos data;
	u32 len;
	u32 flow;
};

struct vport {
	u8 mac[ETH_ALEN];
	bool uplink;			/* @mac is not its only one */
	/* May be called on any pCPU, with a transmit queue's lock held. */
	void (*receive)(struct vport *p, const struct packet *pk);
	struct network *network;
	u16 id;
	u64 received, dropped, sent;
};

/**
 * vswitch_join - connect a port; only while VMs are created.
 * @network: name, up to NETWORK_NAME - 1 characters.
 * Returns what is wrong, or NULL.
 */
const char *vswitch_join(struct vport *p, const char *network);
/* Forward a packet of at least an Ethernet header. Sets pk->flow. */
void vswitch_send(struct vport *from, struct packet *pk);

#endif
