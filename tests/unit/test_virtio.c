// SPDX-License-Identifier: GPL-2.0
/* virtio/ and host/disk.c: queues, block, network, console, moderation. */
#include <stdio.h>
#include <stdlib.h>

#include "core/timer.h"
#include "fake_driver.h"
#include "fake_host.h"
#include "host/disk.h"
#include "virtio/vswitch.h"

/* The index wraps at 65536, the ring many times before. */
static void indices_wrap(void **state)
{
	struct drv q;
	u64 data = alloc(512);

	(void)state;
	ram_disk(8);
	start_device(0, VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX);
	q = queue(0, 0, 16);
	go(0);
	for (u32 n = 1; n < 140000; n++) {
		next_free = GUEST_RAM_BASE + MiB(1);
		blk_add(&q, 0, n % 8, data, 512);
		kick(&q);
		assert_int_equal(q.used->idx, (u16)n);
	}
}

static void reads_what_was_written(void **state)
{
	u64 a = alloc(4096), b = alloc(4096);
	struct drv q;
	u16 head;

	(void)state;
	ram_disk(128);
	start_device(0, ALL_FEATURES);
	q = queue(0, 0, 64);
	go(0);
	for (int i = 0; i < 4096; i++)
		*(u8 *)at(a + (u64)i) = (u8)(i * 7);
	blk_add(&q, 1, 5, a, 4096);
	head = blk_add(&q, 0, 5, b, 4096);
	kick(&q);
	assert_int_equal(blk_status(&q, head), 0);
	assert_memory_equal(at(a), at(b), 4096);
	assert_int_equal(q.used->idx, 2);
	assert_int_equal(q.used->ring[1].len, 4097);
}

/* One edge until the driver has acknowledged; what came meanwhile is an edge of its own. */
static void interrupt_is_an_edge(void **state)
{
	u64 data = alloc(512);
	struct drv q;

	(void)state;
	ram_disk(8);
	start_device(0, VIRTIO_F_VERSION_1);
	q = queue(0, 0, 16);
	go(0);
	blk_add(&q, 0, 0, data, 512);
	kick(&q);
	assert_int_equal(rd(0, ISR), 1);
	*virtio_reg(vm->virtio[0], ISR) |= VIRTIO_ISR_CONFIG;
	vm->vgic.spis[INTID_GUEST_VIRTIO - 32].pending = false;
	wr(0, ACK, 1);
	assert_true(vm->vgic.spis[INTID_GUEST_VIRTIO - 32].pending);
	wr(0, ACK, 2);
	assert_int_equal(rd(0, ISR), 0);
}

static void event_index(void **state)
{
	u64 data = alloc(512);
	struct drv q;

	(void)state;
	ram_disk(8);
	start_device(0, VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX);
	q = queue(0, 0, 16);
	go(0);
	q.avail->ring[16] = 1;			/* used_event: after the second */
	blk_add(&q, 0, 0, data, 512);
	kick(&q);
	assert_int_equal(rd(0, ISR), 0);
	blk_add(&q, 0, 0, data, 512);
	kick(&q);
	assert_int_equal(rd(0, ISR), 1);
	/* avail_event: kick me for the next */
	assert_int_equal(*(u16 *)&q.used->ring[16], 2);
}

/* An interrupt for this pCPU waits: the rest of the ring is done at the next resume. */
static void gives_way(void **state)
{
	u64 data = alloc(512);
	struct drv q;

	(void)state;
	ram_disk(8);
	start_device(0, VIRTIO_F_VERSION_1);
	q = queue(0, 0, 32);
	go(0);
	for (int i = 0; i < 8; i++)
		blk_add(&q, 0, 0, data, 512);
	fake[0].pending = true;
	kick(&q);
	assert_int_equal(q.used->idx, 1);
	assert_int_equal(vcpu->work, 1);
	virtio_continue(vcpu);
	assert_int_equal(q.used->idx, 2);
	fake[0].pending = false;
	virtio_continue(vcpu);
	assert_int_equal(q.used->idx, 8);
	assert_int_equal(vcpu->work, 0);
}

static struct drv host_disk(void)
{
	struct disk *d = disk_open("/disk", 1, "test");
	struct drv q;

	assert_non_null(d);
	assert_true(blk_create(vm, &(struct blk_options){ .queues = 1, .serial = "", .disk = d }));
	start_device(0, ALL_FEATURES);
	q = queue(0, 0, 256);
	go(0);
	return q;
}

static void flush_waits_for_the_host(void **state)
{
	u64 data = alloc(512);
	struct drv q = host_disk();
	u16 head;

	(void)state;
	memset(at(data), 0x5a, 512);
	blk_add(&q, 1, 3, data, 512);
	head = blk_add(&q, 4, 0, 0, 0);
	kick(&q);
	assert_int_equal(q.used->idx, 0);
	fake_host_finish(1);
	assert_int_equal(q.used->idx, 1);
	assert_int_equal(blk_status(&q, head), 0xff);
	fake_disk_flushes = 0;
	fake_host_finish(1);
	assert_int_equal(fake_disk_flushes, 1);
	assert_int_equal(blk_status(&q, head), 0);
	assert_int_equal(fake_disk[3 * 512], 0x5a);
}

static void host_error_is_the_guests(void **state)
{
	u64 data = alloc(512);
	struct drv q = host_disk();
	u16 head = blk_add(&q, 0, 3, data, 512);

	(void)state;
	kick(&q);
	fake_disk_status = 1;
	fake_host_finish(1);
	fake_disk_status = 0;
	assert_int_equal(blk_status(&q, head), 1);
}

/* More requests than slots: the rest wait, and go on when some are done. */
static void stalls_and_goes_on(void **state)
{
	u64 data = alloc(512);
	struct drv q = host_disk();

	(void)state;
	for (int round = 0; round < 5; round++) {
		q.next_desc = 0;
		for (int i = 0; i < 85; i++)
			blk_add(&q, 0, (u64)i, data, 512);
		kick(&q);
		while (fake_host_waiting())
			fake_host_finish(3);
		assert_int_equal(q.used->idx, 85 * (round + 1));
	}
}

static void finish_one(void) { fake_host_finish(1); }

static void reset_waits_for_the_host(void **state)
{
	u64 data = alloc(512);
	struct drv q = host_disk();

	(void)state;
	blk_add(&q, 0, 3, data, 512);
	kick(&q);
	assert_int_equal(fake_host_waiting(), 1);
	fake_relax = finish_one;
	wr(0, STATUS, 0);
	fake_relax = abort;
	assert_int_equal(fake_host_waiting(), 0);
	assert_int_equal(rd(0, STATUS), 0);
}

/* --- network --- */
#define RX_BUFFER 2048

static const u8 mac_a[6] = { 2, 0, 0, 0, 0, 0xa }, mac_b[6] = { 2, 0, 0, 0, 0, 0xb };
static u64 tx_header, tx_frame;
static u32 networks;

/* Two NICs on a network of their own; device 1 receives with @features. */
static void two_nics(struct drv *tx, struct drv *rx, u64 features, u32 buffers, u32 size)
{
	char name[16];

	snprintf(name, sizeof(name), "n%u", networks++);
	assert_null(net_create(vm, &(struct net_options){ .pairs = 1, .mac = mac_a, .network = name }));
	assert_null(net_create(vm, &(struct net_options){ .pairs = 1, .mac = mac_b, .network = name }));
	start_device(0, ALL_FEATURES);
	*tx = queue(0, 1, 64);
	go(0);
	start_device(1, features | VIRTIO_F_VERSION_1);
	*rx = queue(1, 0, 256);
	go(1);
	for (u32 i = 0; i < buffers; i++)
		publish(rx, add(rx, alloc(size), size, VRING_DESC_WRITE));
	kick(rx);
	tx_header = alloc(64);
	tx_frame = alloc(KiB(64) + 64);
	memset(at(tx_header), 0, 12);
	memset(at(tx_frame), 0, 64);
	memcpy(at(tx_frame), mac_b, 6);
	memcpy(at(tx_frame + 6), mac_a, 6);
}

static void transmit(struct drv *tx, u32 len)
{
	u16 head = add(tx, tx_header, 12, VRING_DESC_NEXT);

	add(tx, tx_frame, len, 0);
	publish(tx, head);
	kick(tx);
	assert_int_equal(tx->used->idx, tx->avail_idx);
}

static u8 *received(struct drv *rx, u32 n)
{
	return at(rx->desc[rx->used->ring[n].id].addr);
}

static void frame_arrives(void **state)
{
	struct drv tx, rx;

	(void)state;
	two_nics(&tx, &rx, 0, 4, RX_BUFFER);
	*(u8 *)at(tx_frame + 59) = 77;
	transmit(&tx, 60);
	assert_int_equal(rx.used->idx, 1);
	assert_int_equal(rx.used->ring[0].len, 72);
	assert_int_equal(received(&rx, 0)[12 + 59], 77);
	assert_int_equal(*(u16 *)(received(&rx, 0) + 10), 1);	/* num_buffers */
}

static void merges_buffers(void **state)
{
	struct drv tx, rx;

	(void)state;
	two_nics(&tx, &rx, BIT(15), 8, 1024);
	transmit(&tx, 3000);
	assert_int_equal(rx.used->idx, 3);
	assert_int_equal(*(u16 *)(received(&rx, 0) + 10), 3);
	assert_int_equal(rx.used->ring[0].len + rx.used->ring[1].len + rx.used->ring[2].len, 3012);
	/* five left: one of seven does not fit, and takes none */
	transmit(&tx, 7000);
	assert_int_equal(rx.used->idx, 3);
	transmit(&tx, 5 * 1024 - 12);
	assert_int_equal(rx.used->idx, 8);
}

/* The checksum of @n bytes and a starting sum, as RFC 1071 has it, slowly. */
static u16 checksum(u32 s, const u8 *p, u32 n)
{
	for (u32 i = 0; i < n; i++)
		s += i & 1 ? p[i] : (u32)p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (u16)~s;
}

static void put16(u8 *p, u32 v) { p[0] = (u8)(v >> 8); p[1] = (u8)v; }

/* Ethernet, IPv4, TCP with @payload bytes, its checksum left to the device. */
static void tcp_frame(u32 payload, u16 mss)
{
	u8 *f = at(tx_frame), *h = at(tx_header);

	put16(f + 12, 0x0800);
	f[14] = 0x45;
	put16(f + 16, 40 + payload);
	put16(f + 18, 0x1234);
	f[22] = 64;
	f[23] = 6;
	memcpy(f + 26, "\x0a\0\0\1\x0a\0\0\2", 8);
	put16(f + 36, 5001);
	f[38] = 0x10;				/* sequence number */
	f[46] = 0x50;
	f[47] = 0x19;				/* ACK, PSH, FIN */
	put16(f + 50, (u16)~checksum(6 + 20 + payload, f + 26, 8));
	for (u32 i = 0; i < payload; i++)
		f[54 + i] = (u8)(i * 13);
	h[0] = NET_NEEDS_CSUM;
	h[1] = mss ? NET_GSO_TCPV4 : NET_GSO_NONE;
	*(u16 *)(h + 4) = mss;
	*(u16 *)(h + 6) = 34;
	*(u16 *)(h + 8) = 16;
}

static void check_tcp(const u8 *f, u32 payload)
{
	u32 pseudo = 6 + 20 + payload;

	for (int i = 26; i < 34; i += 2)
		pseudo += (u32)f[i] << 8 | f[i + 1];
	assert_int_equal(f[16] << 8 | f[17], 40 + payload);
	assert_int_equal(checksum(0, f + 14, 20), f[24] || f[25] ? 0 : checksum(0, f + 14, 20));
	assert_int_equal(checksum(pseudo, f + 34, 20 + payload), 0);
}

static void finishes_checksums(void **state)
{
	struct drv tx, rx;

	(void)state;
	two_nics(&tx, &rx, 0, 4, RX_BUFFER);
	for (u32 payload = 1; payload < 5; payload++) {
		tcp_frame(payload * 331, 0);
		transmit(&tx, 54 + payload * 331);
		assert_int_equal(rx.used->idx, payload);
		assert_int_equal(received(&rx, payload - 1)[0], 0);
		check_tcp(received(&rx, payload - 1) + 12, payload * 331);
	}
}

static void leaves_offloads_to_who_wants_them(void **state)
{
	struct drv tx, rx;

	(void)state;
	two_nics(&tx, &rx, BIT(1) | BIT(7) | BIT(15), 64, RX_BUFFER);
	tcp_frame(20000, 1448);
	transmit(&tx, 20054);
	assert_int_equal(rx.used->idx, 10);
	assert_int_equal(received(&rx, 0)[0], NET_NEEDS_CSUM);
	assert_int_equal(received(&rx, 0)[1], NET_GSO_TCPV4);
}

static void segments(void **state)
{
	struct drv tx, rx;
	u32 left = 20000;

	(void)state;
	two_nics(&tx, &rx, 0, 64, RX_BUFFER);
	tcp_frame(20000, 1448);
	transmit(&tx, 20054);
	assert_int_equal(rx.used->idx, 14);
	for (u32 i = 0; i < 14; i++) {
		u8 *f = received(&rx, i) + 12;
		u32 size = MIN(left, 1448U), seq = (u32)f[38] << 24 | (u32)f[39] << 16 | (u32)f[40] << 8 | f[41];

		assert_int_equal(rx.used->ring[i].len, 12 + 54 + size);
		check_tcp(f, size);
		assert_int_equal(checksum(0, f + 14, 20), 0);
		assert_int_equal(seq, 0x10000000 + i * 1448);
		assert_int_equal(f[19], (0x34 + i) & 0xff);	/* identification */
		assert_int_equal(f[47], i == 13 ? 0x19 : 0x10);
		assert_int_equal(f[54], (u8)(i * 1448 * 13));
		left -= size;
	}
}

static void learns(void **state)
{
	static const u8 mac_c[6] = { 2, 0, 0, 0, 0, 0xc };
	struct drv tx, rx, rx0;

	(void)state;
	two_nics(&tx, &rx, 0, 8, RX_BUFFER);
	rx0 = queue(0, 0, 16);
	for (int i = 0; i < 4; i++)
		publish(&rx0, add(&rx0, alloc(RX_BUFFER), RX_BUFFER, VRING_DESC_WRITE));
	memset(at(tx_frame), 0xff, 6);			/* broadcast: to all others */
	transmit(&tx, 60);
	assert_int_equal(rx.used->idx, 1);
	assert_int_equal(rx0.used->idx, 0);
	memcpy(at(tx_frame), mac_c, 6);			/* unknown: flooded */
	transmit(&tx, 60);
	assert_int_equal(rx.used->idx, 2);
	memcpy(at(tx_frame), mac_a, 6);			/* back to where it came from: no */
	memcpy(at(tx_frame + 6), mac_c, 6);
	transmit(&tx, 60);
	assert_int_equal(rx.used->idx, 2);
	memcpy(at(tx_frame), mac_c, 6);			/* c is learned to be here */
	transmit(&tx, 60);
	assert_int_equal(rx.used->idx, 2);
	fake_now += 301 * FAKE_HZ;			/* and forgotten */
	memcpy(at(tx_frame + 6), mac_a, 6);
	transmit(&tx, 60);
	assert_int_equal(rx.used->idx, 3);
	memcpy(at(tx_frame + 6), mac_b, 6);		/* b's address cannot be taken */
	transmit(&tx, 60);
	memcpy(at(tx_frame), mac_b, 6);
	memcpy(at(tx_frame + 6), mac_a, 6);
	transmit(&tx, 60);
	assert_int_equal(rx.used->idx, 5);
}

static void moderates(void **state)
{
	struct drv tx, rx, ctrl;
	u64 c = alloc(64);
	u16 head;

	(void)state;
	two_nics(&tx, &rx, BIT(17) | BIT(53), 16, RX_BUFFER);
	ctrl = queue(1, 2, 16);
	memcpy(at(c), "\6\1\4\0\0\0\x64\0\0\0\xff", 11);	/* receive: 4 packets or 100 us */
	head = add(&ctrl, c, 10, VRING_DESC_NEXT);
	add(&ctrl, c + 10, 1, VRING_DESC_WRITE);
	publish(&ctrl, head);
	kick(&ctrl);
	assert_int_equal(*(u8 *)at(c + 10), 0);
	wr(1, ACK, 3);
	transmit(&tx, 60);
	assert_int_equal(rx.used->idx, 1);		/* to be seen, but not shouted about */
	assert_int_equal(rd(1, ISR), 0);
	fake_now += 99 * MS / 1000;
	timers_run();
	assert_int_equal(rd(1, ISR), 0);
	fake_now += 2 * MS / 1000;
	timers_run();
	assert_int_equal(rd(1, ISR), 1);
	wr(1, ACK, 1);
	for (int i = 0; i < 3; i++)
		transmit(&tx, 60);
	assert_int_equal(rd(1, ISR), 0);
	transmit(&tx, 60);
	assert_int_equal(rd(1, ISR), 1);
}

/* Without VIRTIO_NET_F_MQ the control queue is where a second pair would be. */
static void moderates_but_itself(void **state)
{
	static const char * const commands[] = {
		"\6\1\4\0\0\0\x64\0\0\0",			/* all that receive */
		"\6\2\2\0\0\0\4\0\0\0\x64\0\0\0",		/* queue 2 */
		"\6\2\1\0\0\0\4\0\0\0\x64\0\0\0",		/* queue 1 */
	};
	static const u8 lengths[] = { 10, 14, 14 }, answers[] = { 0, 1, 0 };
	struct drv ctrl;
	u64 c = alloc(64);
	u16 head;

	(void)state;
	assert_null(net_create(vm, &(struct net_options){ .pairs = 2, .mac = mac_a, .network = "alone" }));
	start_device(0, VIRTIO_F_VERSION_1 | BIT(17) | BIT(52) | BIT(53));
	ctrl = queue(0, 2, 16);
	go(0);
	for (u32 i = 0; i < sizeof(answers); i++) {
		memcpy(at(c), commands[i], lengths[i]);
		*(u8 *)at(c + 32) = 0xff;
		head = add(&ctrl, c, lengths[i], VRING_DESC_NEXT);
		add(&ctrl, c + 32, 1, VRING_DESC_WRITE);
		publish(&ctrl, head);
		kick(&ctrl);
		assert_int_equal(*(u8 *)at(c + 32), answers[i]);
	}
}

static void console_speaks_and_listens(void **state)
{
	struct drv tx, rx;
	u64 text = alloc(64), in = alloc(64);

	(void)state;
	assert_true(vconsole_create(vm));
	start_device(0, VIRTIO_F_VERSION_1);
	rx = queue(0, 0, 16);
	tx = queue(0, 1, 16);
	go(0);
	memcpy(at(text), "hello\n", 6);
	publish(&tx, add(&tx, text, 6, 0));
	kick(&tx);
	assert_non_null(strstr(fake_console, "hello"));
	assert_false(vconsole_input(vm, 'x'));		/* no buffer yet */
	publish(&rx, add(&rx, in, 8, VRING_DESC_WRITE));
	assert_true(vconsole_input(vm, 'x'));
	assert_int_equal(*(u8 *)at(in), 'x');
	assert_int_equal(rx.used->ring[0].len, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(indices_wrap), T(reads_what_was_written), T(interrupt_is_an_edge), T(event_index),
		T(gives_way), T(flush_waits_for_the_host), T(host_error_is_the_guests),
		T(stalls_and_goes_on), T(reset_waits_for_the_host), T(frame_arrives),
		T(merges_buffers), T(finishes_checksums), T(leaves_offloads_to_who_wants_them),
		T(segments), T(learns), T(moderates), T(moderates_but_itself), T(console_speaks_and_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
