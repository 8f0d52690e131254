// SPDX-License-Identifier: GPL-2.0
#include "virtio/offload.h"
#include "virtio/vswitch.h"

#define NETWORKS_MAX	8
#define PORTS_MAX	32		/* per network */
#define MAC_ENTRIES	256		/* a power of two */
#define MAC_AGE_S	300		/* as IEEE 802.1D recommends */

/* One word, so that all pCPUs look up and learn without a lock. */
#define ENTRY(mac, port)	((mac) << 16 | (port))
#define ENTRY_MAC(e)		((e) >> 16)
#define ENTRY_PORT(e)		((u32)(e) & 0xffff)
#define MULTICAST		BIT(0)	/* of the first byte, the lowest */

struct network {
	char name[NETWORK_NAME];
	u32 nr_ports;
	struct vport *ports[PORTS_MAX];
	struct {
		u64 entry;		/* 0: free */
		u64 seen;		/* counter */
	} macs[MAC_ENTRIES];
};

static struct network *networks[NETWORKS_MAX];
static u32 nr_networks;

static struct network *find_network(const char *name)
{
	struct network *n;

	for (u32 i = 0; i < nr_networks; i++)
		if (!strcmp(networks[i]->name, name))
			return networks[i];
	if (nr_networks == NETWORKS_MAX)
		return NULL;
	n = heap_alloc_ram(sizeof(*n), 64);
	if (!n)
		return NULL;
	hyp_snprintf(n->name, sizeof(n->name), "%s", name);
	networks[nr_networks++] = n;
	return n;
}

const char *vswitch_join(struct vport *p, const char *network)
{
	struct network *n = find_network(network);

	if (!n || !offload_init())
		return "more than 8 networks, or no memory";
	for (u32 i = 0; i < n->nr_ports; i++)
		if (!p->uplink && !n->ports[i]->uplink && !memcmp(p->mac, n->ports[i]->mac, ETH_ALEN))
			return "another NIC of the network has the same MAC address";
	if (n->nr_ports == PORTS_MAX)
		return "more than 32 ports in the network";
	p->network = n;
	p->id = (u16)n->nr_ports;
	n->ports[n->nr_ports++] = p;
	return NULL;
}

static u64 mac_word(const u8 *mac)
{
	u64 v = 0;

	memcpy(&v, mac, ETH_ALEN);
	return v;
}

static u32 mac_hash(u64 mac)
{
	return (u32)((mac * 0x9e3779b97f4a7c15ULL) >> 56) % MAC_ENTRIES;
}

/* The one NIC that @mac was given to: it cannot be learned elsewhere. */
static struct vport *owner(struct network *n, u64 mac)
{
	for (u32 i = 0; i < n->nr_ports; i++)
		if (!n->ports[i]->uplink && mac_word(n->ports[i]->mac) == mac)
			return n->ports[i];
	return NULL;
}

static void learn(struct vport *from, u64 mac)
{
	struct network *n = from->network;
	u32 i = mac_hash(mac);
	u64 now, e = READ_ONCE(n->macs[i].entry);

	if (mac & MULTICAST || (!from->uplink && mac == mac_word(from->mac)))
		return;
	now = arch_counter();
	/* A collision waits until the other has aged. */
	if (e && ENTRY_MAC(e) != mac && now - READ_ONCE(n->macs[i].seen) < MAC_AGE_S * arch_counter_hz())
		return;
	if (owner(n, mac))
		return;
	WRITE_ONCE(n->macs[i].seen, now);
	if (e != ENTRY(mac, from->id))
		WRITE_ONCE(n->macs[i].entry, ENTRY(mac, from->id));
}

static struct vport *look_up(struct network *n, u64 mac)
{
	u32 i = mac_hash(mac);
	u64 e = READ_ONCE(n->macs[i].entry);
	struct vport *p = owner(n, mac);

	if (p)
		return p;
	if (!e || ENTRY_MAC(e) != mac ||
	    arch_counter() - READ_ONCE(n->macs[i].seen) >= MAC_AGE_S * arch_counter_hz())
		return NULL;
	return n->ports[ENTRY_PORT(e)];
}

/* Addresses and ports of IPv4 and IPv6, whatever comes first of them. */
static u32 flow_hash(const u8 *head, u32 len)
{
	u32 at = ETH_HEADER + (len > ETH_HEADER + 6 && head[ETH_HEADER] >> 4 == 6 ? 8 : 12), h = 0, w;

	for (u32 end = MIN(len, at + 36); at + 4 <= end; at += 4) {
		memcpy(&w, head + at, 4);
		h = (h ^ w) * 0x9e3779b1U;
		h ^= h >> 15;
	}
	return h;
}

void vswitch_send(struct vport *from, struct packet *pk)
{
	struct network *n = from->network;
	struct iov_pos data = pk->data;
	u8 head[ETH_HEADER + 24];
	struct vport *to;

	iov_read(&data, head, MIN(pk->len, sizeof(head)));
	pk->flow = flow_hash(head, MIN(pk->len, (u32)sizeof(head)));
	from->sent++;
	learn(from, mac_word(head + ETH_ALEN));
	to = mac_word(head) & MULTICAST ? NULL : look_up(n, mac_word(head));
	if (to) {
		if (to != from)
			to->receive(to, pk);
		return;
	}
	for (u32 i = 0; i < n->nr_ports; i++)
		if (n->ports[i] != from)
			n->ports[i]->receive(n->ports[i], pk);
}
