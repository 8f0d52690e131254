// SPDX-License-Identifier: GPL-2.0
#include "virtio/offload.h"
#include "platform/platform.h"

#define ETH_VLAN	0x8100
#define ETH_IPV4	0x0800
#define ETH_IPV6	0x86dd
#define IPPROTO_TCP	6
#define IPV4_MIN	20
#define IPV6_HEADER	40
#define TCP_MIN		20
#define TCP_SEQ		4
#define TCP_DOFF	12
#define TCP_FLAGS	13
#define TCP_CSUM	16
#define TCP_FIN		BIT(0)
#define TCP_PSH		BIT(3)
#define TCP_CWR		BIT(7)
#define HEADERS_MAX	256		/* Ethernet, IP and TCP with options */

struct bounce {
	u8 packet[ALIGN_UP(PACKET_MAX, 64)];
	u8 headers[HEADERS_MAX];
};

static struct bounce *bounce;		/* one for each pCPU */

bool offload_init(void)
{
	if (!bounce)
		bounce = heap_alloc_ram(sizeof(*bounce) * platform.nr_pcpus, 64);
	return bounce;
}

static u16 get16(const u8 *p) { return (u16)(p[0] << 8 | p[1]); }
static void put16(u8 *p, u32 v) { p[0] = (u8)(v >> 8); p[1] = (u8)v; }
static u32 get32(const u8 *p) { return (u32)get16(p) << 16 | get16(p + 2); }
static void put32(u8 *p, u32 v) { put16(p, v >> 16); put16(p + 2, v); }

/* Ones' complement sum in memory order (RFC 1071: byte order does not matter). */
static u64 sum(u64 s, const u8 *p, u64 n)
{
	u64 v;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&v, p, 8);
		s += v;
		s += s < v;
	}
	if (n) {
		v = 0;
		memcpy(&v, p, n);
		s += v;
		s += s < v;
	}
	return s;
}

static u16 fold(u64 s)
{
	s = (s & 0xffffffff) + (s >> 32);
	s = (s & 0xffffffff) + (s >> 32);
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return (u16)s;
}

static void store_checksum(u8 *at, u64 s)
{
	u16 v = (u16)~fold(s);

	if (!v)
		v = 0xffff;		/* 0 means none in UDP, and equals ~0 elsewhere */
	memcpy(at, &v, 2);
}

/* The field holds the sum of the pseudo header already. */
static bool finish_checksum(u8 *p, u32 len, const struct net_header *h)
{
	if ((u32)h->csum_start + h->csum_offset + 2 > len)
		return false;
	store_checksum(p + h->csum_start + h->csum_offset, sum(0, p + h->csum_start, len - h->csum_start));
	return true;
}

/* Where things are in a packet to be segmented. */
struct layout {
	u32 ip, tcp, payload;
	bool v6;
};

static bool find_layout(const u8 *p, u32 len, const struct net_header *h, struct layout *l)
{
	u32 ip = ETH_HEADER, type;

	if (len < ETH_HEADER + 4 + IPV4_MIN + TCP_MIN)
		return false;
	type = get16(p + 12);
	if (type == ETH_VLAN) {
		type = get16(p + 16);
		ip += 4;
	}
	l->ip = ip;
	l->tcp = h->csum_start;
	l->v6 = (h->gso_type & ~NET_GSO_ECN) == NET_GSO_TCPV6;
	if (type != (l->v6 ? ETH_IPV6 : ETH_IPV4) || l->tcp < ip + (l->v6 ? IPV6_HEADER : IPV4_MIN) ||
	    l->tcp + TCP_MIN > len)
		return false;
	l->payload = l->tcp + (p[l->tcp + TCP_DOFF] >> 4) * 4U;
	return l->payload >= l->tcp + TCP_MIN && l->payload <= HEADERS_MAX && l->payload < len;
}

/* Headers of the segment of @size bytes at @off of the payload. */
static void make_headers(u8 *h, const u8 *p, const struct layout *l, u32 off, u32 size, u32 number,
			 bool last, const u8 *payload)
{
	u8 *ip = h + l->ip, *tcp = h + l->tcp;
	u32 tcp_len = l->payload - l->tcp + size;
	u8 pseudo[8] = { 0 };
	u64 s;

	memcpy(h, p, l->payload);
	if (l->v6) {
		put16(ip + 4, l->payload - l->ip - IPV6_HEADER + size);
		s = sum(0, ip + 8, 32);
	} else {
		put16(ip + 2, l->payload - l->ip + size);
		put16(ip + 4, get16(ip + 4) + number);
		put16(ip + 10, 0);
		store_checksum(ip + 10, sum(0, ip, l->tcp - l->ip));
		s = sum(0, ip + 12, 8);
	}
	put32(tcp + TCP_SEQ, get32(tcp + TCP_SEQ) + off);
	if (!last)
		tcp[TCP_FLAGS] &= (u8)~(TCP_FIN | TCP_PSH);
	if (number)
		tcp[TCP_FLAGS] &= (u8)~TCP_CWR;
	put32(pseudo, tcp_len);
	pseudo[7] = IPPROTO_TCP;
	put16(tcp + TCP_CSUM, 0);
	s = sum(s, pseudo, sizeof(pseudo));
	s = sum(s, tcp, l->payload - l->tcp);	/* a multiple of 4: the rest stays aligned */
	store_checksum(tcp + TCP_CSUM, sum(s, payload, size));
}

static bool segment(struct bounce *b, const struct packet *pk, void (*fn)(void *, const struct packet *),
		    void *arg)
{
	const u8 *p = b->packet;
	u32 mss = pk->header.gso_size, n = 0, size;
	struct layout l;

	if (!mss || !find_layout(p, pk->len, &pk->header, &l) ||
	    (pk->len - l.payload + mss - 1) / mss > OFFLOAD_SEGMENTS)
		return false;
	for (u32 at = l.payload; at < pk->len; at += size, n++) {
		struct iov iov[2] = { { b->headers, l.payload }, { b->packet + at, 0 } };
		struct packet one = { .data = { iov, 0 }, .flow = pk->flow };

		size = MIN(mss, pk->len - at);
		iov[1].len = size;
		one.len = l.payload + size;
		make_headers(b->headers, p, &l, at - l.payload, size, n, at + size == pk->len, p + at);
		fn(arg, &one);
	}
	return true;
}

bool offload_each(const struct packet *pk, void (*fn)(void *arg, const struct packet *pk), void *arg)
{
	struct bounce *b = &bounce[this_pcpu()->id];
	struct iov iov = { b->packet, pk->len };
	struct packet one = { .data = { &iov, 0 }, .len = pk->len, .flow = pk->flow };
	struct iov_pos data = pk->data;

	iov_read(&data, b->packet, pk->len);
	if (pk->header.gso_type != NET_GSO_NONE)
		return segment(b, pk, fn, arg);
	if (pk->header.flags & NET_NEEDS_CSUM && !finish_checksum(b->packet, pk->len, &pk->header))
		return false;
	fn(arg, &one);
	return true;
}
