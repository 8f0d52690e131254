// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that does what it must not, on every device of its VM. A case
 * spoils one step of an otherwise good request; the table says how it must
 * end. After each the device is reset, and a good request must work. All is
 * done twice: with virtio-mmio's registers alone, and with doorbells and a page
 * shared with the device. Prints KTAP.
 */
#include "bare.h"

#define BUS		0x0a000000UL
#define STRIDE		0x200
#define SLOTS		16
#define RAM		0x40000000UL
#define RAM_SIZE	0x1000000UL
#define SIZE		64		/* of the queue */

#define MAGIC		0x000
#define VERSION		0x004
#define DEVICE_ID	0x008
#define DEV_FEATURES	0x010
#define DEV_SEL		0x014
#define DRV_FEATURES	0x020
#define DRV_SEL		0x024
#define QUEUE_SEL	0x030
#define QUEUE_NUM_MAX	0x034
#define QUEUE_NUM	0x038
#define QUEUE_READY	0x044
#define QUEUE_NOTIFY	0x050
#define INT_STATUS	0x060
#define INT_ACK		0x064
#define STATUS		0x070
#define QUEUE_DESC	0x080
#define QUEUE_DRIVER	0x090
#define QUEUE_DEVICE	0x0a0
#define CONFIG		0x100

#define FEATURES_OK	8
#define DRIVER_OK	4
#define NEEDS_RESET	0x40
#define F_INDIRECT	(1ULL << 28)
#define F_EVENT_IDX	(1ULL << 29)
#define F_VERSION_1	(1ULL << 32)
#define NEXT		1
#define WRITE		2
#define INDIRECT	4

typedef uint16_t u16;
typedef uint8_t u8;
struct desc { u64 addr; u32 len; u16 flags, next; };

static struct {
	struct desc desc[SIZE] __attribute__((aligned(16)));
	struct { u16 flags, idx, ring[SIZE], event; } avail;
	struct { u16 flags, idx; struct { u32 id, len; } ring[SIZE]; u16 event; } used __attribute__((aligned(4)));
	struct desc table[256] __attribute__((aligned(16)));
	u8 out[65536 + 64] __attribute__((aligned(16)));
	u8 in[8192] __attribute__((aligned(16)));
	u8 status;
} r __attribute__((aligned(4096)));

static struct pv_vcpu_page page __attribute__((aligned(4096)));
static struct pv_io_page io __attribute__((aligned(4096)));
static int doorbells;		/* this time */

static u64 base;		/* of the device under test */
static u32 slot;
static u32 id, queue;
static u32 last;		/* descriptor that ends the good chain */
static u64 ring_desc, ring_avail, ring_used;
static u32 ring_size;
static int said;		/* what a case has found by itself */
static unsigned int test;

static u32 get(u32 reg) { return mmio_read(base + reg); }
static void set(u32 reg, u32 v) { mmio_write(base + reg, v); }
static void set64(u32 reg, u64 v) { set(reg, (u32)v); set(reg + 4, (u32)(v >> 32)); }
static u64 call(u64 fn, u64 x1, u64 x2, u64 x3)
{
	struct call c = { fn, x1, x2, x3 };

	hvc(&c);
	return c.x0;
}
static void ring(u32 slots, u32 queues)
{
	page.kicks[slot] = queues;
	io.queue[queue].rung_at = now();
	asm volatile("dmb ish" : : : "memory");
	page.doorbells = slots;
}
static void kick(void)
{
	if (doorbells) {
		ring(1U << slot, 1U << queue);
		call(PV_FN_FEATURES, 0, 0, 0);		/* any exit */
	} else {
		set(QUEUE_NOTIFY, queue);
	}
}
static void features_set(u64 f)
{
	set(DRV_SEL, 0);
	set(DRV_FEATURES, (u32)f);
	set(DRV_SEL, 1);
	set(DRV_FEATURES, (u32)(f >> 32));
}

static void buffer(u32 i, const volatile void *p, u32 len, u16 flags)
{
	r.desc[i] = (struct desc){ (u64)p, len, flags, (u16)(i + 1) };
	last = i;
}

/* --- good requests --- */
enum { NET = 1, BLK, CONSOLE, RNG };

static void blk_request(u32 type, u64 sector, u32 len)
{
	((u32 *)r.out)[0] = type;
	((u64 *)r.out)[1] = sector;
	buffer(0, r.out, 16, NEXT);
	buffer(1, r.in, len, NEXT | WRITE);
	buffer(2, &r.status, 1, WRITE);
	r.status = 0xff;
}

static void good_request(void)
{
	memset(&r.desc, 0, sizeof(r.desc));
	memset(&r.out, 0, 128);
	switch (id) {
	case BLK:
		blk_request(0, 0, 512);
		break;
	case NET:
		buffer(0, r.out, 12, NEXT);
		memset(r.out + 12, 0xff, 6);
		buffer(1, r.out + 12, 60, 0);
		break;
	case CONSOLE:
		r.out[0] = '#';
		r.out[1] = '\n';
		buffer(0, r.out, 1, NEXT);
		buffer(1, r.out + 1, 1, 0);
		break;
	case RNG:
		buffer(0, r.in, 8, NEXT | WRITE);
		buffer(1, r.in + 8, 8, WRITE);
		break;
	}
	r.avail.ring[0] = 0;
	r.avail.idx = 1;
}

/* Descriptor 0 becomes an indirect one for the whole chain. */
static void make_indirect(void)
{
	for (u32 i = 0; i <= last; i++)
		r.table[i] = r.desc[i];
	r.desc[0] = (struct desc){ (u64)r.table, (last + 1) * 16, INDIRECT, 0 };
}

/* --- cases --- */
enum outcome {
	RESETS,			/* the device needs a reset */
	COMPLETES,		/* all requests come back */
	IGNORED,		/* nothing comes back, nothing breaks */
	SAYS,			/* the case looks itself: said */
};
enum step { FEATURES, QUEUE, REQUEST, AFTER };

#define CASE(name, ...) static void name(void) { __VA_ARGS__; }
CASE(head_outside, r.avail.ring[0] = SIZE)
CASE(head_huge, r.avail.ring[0] = 0xffff)
CASE(next_outside, r.desc[0].next = SIZE)
CASE(next_huge, r.desc[0].next = 0xffff)
CASE(loop_self, r.desc[0].next = 0)
CASE(loop_two, r.desc[last].flags |= NEXT; r.desc[last].next = 0)
CASE(addr_zero, r.desc[last].addr = 0)
CASE(addr_below, r.desc[last].addr = RAM - 1)
CASE(addr_end, r.desc[last].addr = RAM + RAM_SIZE - 4; r.desc[last].len = 8)
CASE(addr_last, r.desc[last].addr = RAM + RAM_SIZE - r.desc[last].len)
CASE(addr_above, r.desc[last].addr = RAM + RAM_SIZE)
CASE(addr_wraps, r.desc[last].addr = ~0ULL - 2; r.desc[last].len = 64)
CASE(addr_top, r.desc[last].addr = 1ULL << 63)
CASE(addr_gic, r.desc[last].addr = GICD)
CASE(addr_bus, r.desc[last].addr = BUS)
CASE(addr_stolen_time, r.desc[last].addr = 0x090a0000)
CASE(len_zero, r.desc[last].len = 0)
CASE(len_max, r.desc[last].len = ~0U)
CASE(len_ram, r.desc[last].len = RAM_SIZE)
CASE(first_bad, r.desc[0].addr = RAM - 4096)
CASE(first_zero, r.desc[0].len = 0)
CASE(order, r.desc[0].flags = NEXT | WRITE; r.desc[1].flags = 0)
CASE(idx_over, r.avail.idx = SIZE + 1)
CASE(idx_far, r.avail.idx = 0x8000)
CASE(idx_back, r.avail.idx = 0xffff)
CASE(ind_unasked, make_indirect())
CASE(ind_good, make_indirect())
CASE(ind_next, make_indirect(); r.desc[0].flags |= NEXT; r.desc[0].next = 5)
CASE(ind_nested, make_indirect(); r.table[0].flags |= INDIRECT)
CASE(ind_len_zero, make_indirect(); r.desc[0].len = 0)
CASE(ind_len_odd, make_indirect(); r.desc[0].len = 24)
CASE(ind_len_huge, make_indirect(); r.desc[0].len = 0xfffffff0)
CASE(ind_outside, make_indirect(); r.desc[0].addr = RAM - 4096)
CASE(ind_is_ring, r.desc[0] = (struct desc){ (u64)r.desc, sizeof(r.desc), INDIRECT, 0 })
CASE(ind_end, make_indirect(); r.desc[0].addr = RAM + RAM_SIZE - 16)
CASE(ind_misaligned, make_indirect(); r.desc[0].addr += 2)
CASE(ind_next_outside, make_indirect(); r.table[0].next = 200)
CASE(ind_loop, make_indirect(); r.table[last].flags |= NEXT; r.table[last].next = 0)
CASE(ind_after_direct, r.desc[1] = (struct desc){ (u64)r.table, 32, INDIRECT, 0 })
CASE(ind_write_flag, make_indirect(); r.desc[0].flags |= WRITE)
static void ind_long(void)
{
	make_indirect();
	for (u32 i = 0; i < 200; i++)
		r.table[i] = (struct desc){ (u64)r.out, 1, NEXT, (u16)(i + 1) };
	r.table[200].flags = 0;
	r.desc[0].len = 201 * 16;
}
CASE(same_twice, r.avail.ring[1] = 0; r.avail.idx = 2)
CASE(ring_full, for (int i = 0; i < SIZE; i++) r.avail.ring[i] = 0; r.avail.idx = SIZE)
CASE(flags_unknown, r.desc[last].flags |= 0xfff8)
CASE(chain_in_itself, if (r.desc[last].flags & WRITE) { r.desc[last].addr = (u64)r.desc; r.desc[last].len = 1; })
CASE(used_in_buffer, if (r.desc[last].flags & WRITE) r.desc[last].addr = (u64)&r.used.ring[8])
CASE(event_garbage, r.avail.event = 0x1234)
CASE(no_interrupt_flag, r.avail.flags = 0xffff)
CASE(size_zero, ring_size = 0)
CASE(size_odd, ring_size = 3)
CASE(size_over, ring_size = 4096)
CASE(size_huge, ring_size = ~0U)
CASE(desc_outside, ring_desc = RAM - 4096)
CASE(avail_outside, ring_avail = RAM + RAM_SIZE)
CASE(used_outside, ring_used = 1ULL << 40)
CASE(desc_end, ring_desc = RAM + RAM_SIZE - 16)
CASE(avail_end, ring_avail = RAM + RAM_SIZE - 2)
CASE(used_end, ring_used = RAM + RAM_SIZE - 4)
CASE(desc_misaligned, ring_desc += 8)
CASE(avail_misaligned, ring_avail += 1)
CASE(used_misaligned, ring_used += 2)
CASE(rings_in_gic, ring_desc = ring_avail = ring_used = GICD)
CASE(feature_unknown, features_set(1ULL << 63 | F_VERSION_1); set(STATUS, 3 | FEATURES_OK);
     said = !(get(STATUS) & FEATURES_OK))
CASE(no_version_1, features_set(0); set(STATUS, 3 | FEATURES_OK); said = !(get(STATUS) & FEATURES_OK))
CASE(feature_select, set(DRV_SEL, 7); set(DRV_FEATURES, ~0U); features_set(F_VERSION_1);
     set(DEV_SEL, 7); said = get(DEV_FEATURES) == 0)
CASE(ok_without_features, features_set(0); set(STATUS, 3 | DRIVER_OK); said = !(get(STATUS) & DRIVER_OK))
CASE(features_late, features_set(1ULL << 63); kick(); said = !(get(STATUS) & NEEDS_RESET))
CASE(ready_early, set(QUEUE_SEL, queue); set(QUEUE_NUM, SIZE); set(QUEUE_READY, 1); said = !get(QUEUE_READY))
CASE(select_outside, set(QUEUE_SEL, 99); set(QUEUE_NUM, 8); set(QUEUE_READY, 1);
     said = !get(QUEUE_NUM_MAX) && !get(QUEUE_READY))
CASE(notify_early, kick(); said = !(get(STATUS) & NEEDS_RESET))
CASE(notify_outside, set(QUEUE_NOTIFY, 99); set(QUEUE_NOTIFY, ~0U); said = !(get(STATUS) & NEEDS_RESET))
CASE(notify_again, for (int i = 0; i < 100; i++) kick())
CASE(status_cleared, set(STATUS, 1); said = (get(STATUS) & DRIVER_OK) != 0)
CASE(status_failed, set(STATUS, 0x8f); said = (get(STATUS) & 0x80) != 0)
CASE(read_only, set(MAGIC, 0); set(VERSION, 9); set(DEVICE_ID, 9);
     said = get(MAGIC) == 0x74726976 && get(VERSION) == 2 && get(DEVICE_ID) == id)
CASE(narrow, u32 v; asm volatile("ldrb %w0, [%1]" : "=r"(v) : "r"(base + STATUS) : "memory");
     said = v == (get(STATUS) & 0xff);
     asm volatile("strb wzr, [%0]" : : "r"(base + STATUS) : "memory"); said &= get(STATUS) != 0)
CASE(wide, u64 v; asm volatile("ldr %0, [%1]" : "=r"(v) : "r"(base + STATUS) : "memory"); said = v == get(STATUS);
     asm volatile("str xzr, [%0]" : : "r"(base + STATUS) : "memory"); said &= get(STATUS) != 0)
CASE(holes, u32 v = 0; for (u32 i = 0xc0; i < 0xfc; i += 4) { set(i, ~0U); v |= get(i); } said = v == 0)
CASE(config_beyond, said = get(0x1fc) == 0)
CASE(config_written, u32 v = get(CONFIG); for (u32 i = CONFIG; i < 0x200; i += 4) set(i, ~0U);
     said = get(CONFIG) == v)
CASE(addresses_late, set(QUEUE_SEL, queue); set64(QUEUE_DESC, 0); set(QUEUE_NUM, 3); kick())
CASE(unready, set(QUEUE_SEL, queue); set(QUEUE_READY, 0); kick())
CASE(ack_everything, set(INT_ACK, ~0U); kick(); said = !(get(STATUS) & NEEDS_RESET))
CASE(reset_in_flight, kick(); set(STATUS, 0); said = get(STATUS) == 0 && get(INT_STATUS) == 0)
CASE(reset_storm, for (int i = 0; i < 50; i++) { kick(); set(STATUS, 0); } said = get(STATUS) == 0)

/* doorbells and calls */
CASE(bell_all_queues, ring(1U << slot, ~0U))
CASE(bell_all_slots, for (u32 i = 0; i < PV_IO_SLOTS; i++) page.kicks[i] = ~0U; ring(~0U, ~0U))
CASE(bell_no_queue, ring(~0U, 0))
CASE(bell_storm, for (int i = 0; i < 200; i++) { ring(1U << slot, ~0U); call(PV_FN_NOTIFY, slot, ~0U, 0); })
CASE(bell_in_the_past, io.queue[queue].rung_at = 0; page.doorbells = 1U << slot; page.kicks[slot] = 1U << queue)
CASE(bell_in_the_future, io.queue[queue].rung_at = ~0ULL; page.doorbells = 1U << slot; page.kicks[slot] = 1U << queue)
CASE(delay_endless, page.max_delay_us = ~0U; ring(1U << slot, 1U << queue); call(PV_FN_NOTIFY, slot, 0, 0))
CASE(delay_tiny, page.max_delay_us = 1; ring(1U << slot, 1U << queue); call(PV_FN_NOTIFY, slot, 0, 0))
CASE(notify_good, said = call(PV_FN_NOTIFY, slot, 1U << queue, 0) == 0 && r.used.idx == 1)
CASE(notify_no_slot, said = call(PV_FN_NOTIFY, SLOTS, 1, 0) == (u64)PV_EINVAL && call(PV_FN_NOTIFY, ~0ULL, 1, 0) == (u64)PV_EINVAL)
CASE(io_page_late, said = call(PV_FN_IO_REGISTER, slot, (u64)&io, 0) == (u64)PV_EDENIED)
CASE(io_page_twice, call(PV_FN_IO_REGISTER, slot, (u64)&io, 0);
     said = call(PV_FN_IO_REGISTER, slot, (u64)&io, 0) == (u64)PV_EEXIST)
CASE(io_page_misaligned, said = call(PV_FN_IO_REGISTER, slot, (u64)&io + 64, 0) == (u64)PV_EINVAL)
CASE(io_page_outside, said = call(PV_FN_IO_REGISTER, slot, RAM + RAM_SIZE, 0) == (u64)PV_EINVAL &&
     call(PV_FN_IO_REGISTER, slot, RAM - 4096, 0) == (u64)PV_EINVAL && call(PV_FN_IO_REGISTER, slot, BUS, 0) == (u64)PV_EINVAL &&
     call(PV_FN_IO_REGISTER, slot, ~0xfffULL, 0) == (u64)PV_EINVAL && call(PV_FN_IO_REGISTER, 99, (u64)&io, 0) == (u64)PV_EINVAL)
CASE(io_page_garbage, memset(&io, 0xff, sizeof(io)))
CASE(io_write_reset, call(PV_FN_IO_WRITE, slot, STATUS, 0); said = get(STATUS) == 0)
CASE(io_write_notify, said = call(PV_FN_IO_WRITE, slot, QUEUE_NOTIFY, queue) == 0 && r.used.idx == 1)
CASE(io_write_config, said = call(PV_FN_IO_WRITE, slot, CONFIG, 0) == (u64)PV_EINVAL)
CASE(io_write_odd, said = call(PV_FN_IO_WRITE, slot, STATUS + 1, 0) == (u64)PV_EINVAL && call(PV_FN_IO_WRITE, SLOTS, STATUS, 0) == (u64)PV_EINVAL)
CASE(io_write_slot, said = call(PV_FN_IO_WRITE, ~0ULL, STATUS, 0) == (u64)PV_EINVAL && get(STATUS) & DRIVER_OK)
CASE(poll_nobody, said = call(PV_FN_IO_POLL, slot, 1, 0) == (u64)PV_ENOTSUPP && call(PV_FN_IO_POLL, slot, 2, 0) == (u64)PV_EINVAL)
CASE(irq_nobody, said = call(PV_FN_IO_IRQ, slot, 0, 0) == (u64)PV_ENOTSUPP)

/* block */
static int blk_status(u8 status) { kick(); return r.status == status && r.used.idx == 1; }
CASE(blk_type, blk_request(99, 0, 512); said = blk_status(2))
CASE(blk_beyond, blk_request(0, 1ULL << 40, 512); said = blk_status(1))
CASE(blk_wraps, blk_request(0, ~0ULL, 512); said = blk_status(1))
CASE(blk_write_beyond, blk_request(1, 1 << 20, 512); r.desc[1].flags = NEXT; said = blk_status(1))
CASE(blk_odd, blk_request(0, 0, 100); said = blk_status(1))
CASE(blk_no_data, blk_request(0, 0, 512); r.desc[0].next = 2; said = blk_status(1))
CASE(blk_segment, blk_request(0, 0, 512); r.desc[1].len = 0x11000; r.desc[1].addr = RAM + 0x800000; said = blk_status(1))
CASE(blk_id_short, blk_request(8, 0, 19); said = blk_status(1))
CASE(blk_id, blk_request(8, 0, 20); said = blk_status(0))
CASE(blk_split, blk_request(0, 0, 512); r.desc[0].len = 3; r.desc[0].next = 5;
     r.desc[5] = (struct desc){ (u64)r.out + 3, 13, NEXT, 1 }; said = blk_status(0))
CASE(blk_shared, blk_request(0, 0, 513); r.desc[1].flags = WRITE; r.in[512] = 9; kick(); said = r.in[512] == 0)
static void blk_range(u32 type, u64 sector, u32 n, u32 flags)
{
	blk_request(type, 0, 512);
	*(u64 *)(r.out + 16) = sector;
	((u32 *)(r.out + 24))[0] = n;
	((u32 *)(r.out + 24))[1] = flags;
	r.desc[0].len = 32;
	r.desc[0].next = 2;
}
CASE(blk_discard, blk_range(11, 0, 8, 0); said = blk_status(0))
CASE(blk_discard_flag, blk_range(11, 0, 8, 1); said = blk_status(2))
CASE(blk_discard_much, blk_range(11, 0, ~0U, 0); said = blk_status(1))
CASE(blk_discard_wraps, blk_range(11, ~0ULL, 8, 0); said = blk_status(1))
CASE(blk_zero_flags, blk_range(13, 0, 8, 0xff); said = blk_status(2))
CASE(blk_zero_two, blk_range(13, 0, 8, 0); r.desc[0].len = 48; said = blk_status(1))
CASE(blk_short_header, r.desc[0].len = 15)
CASE(blk_no_status, r.desc[0].flags = 0)

/* network */
static void net_header(u8 flags, u8 gso, u16 size, u16 start, u16 offset, u32 len)
{
	r.out[0] = flags;
	r.out[1] = gso;
	*(u16 *)(r.out + 4) = size;
	*(u16 *)(r.out + 6) = start;
	*(u16 *)(r.out + 8) = offset;
	r.desc[1].len = len;
}
CASE(net_short, r.desc[0].len = 11; r.desc[0].flags = 0)
CASE(net_writable, r.desc[1].flags = WRITE)
CASE(net_runt, net_header(0, 0, 0, 0, 0, 5))
CASE(net_giant, net_header(0, 0, 0, 0, 0, 65536 + 40))
CASE(net_flags, net_header(0xff, 0, 0, 0, 0, 60))
CASE(net_csum_outside, net_header(1, 0, 0, 60, 0, 60))
CASE(net_csum_far, net_header(1, 0, 0, 0xffff, 0xffff, 60))
CASE(net_gso_unknown, net_header(1, 7, 1000, 34, 16, 60))
CASE(net_gso_no_csum, net_header(0, 1, 1000, 34, 16, 60))
CASE(net_gso_zero, net_header(1, 1, 0, 34, 16, 60))
CASE(net_gso_one, net_header(1, 1, 1, 34, 16, 60000))
CASE(net_gso_not_ip, net_header(1, 1, 1000, 34, 16, 60000))
CASE(net_gso_doff, r.out[12 + 12] = 8; r.out[12 + 13] = 0; r.out[12 + 46] = 0xf0; net_header(1, 1, 1000, 34, 16, 60))
CASE(net_gso_start, r.out[12 + 12] = 8; r.out[12 + 13] = 0; net_header(1, 1, 1000, 59, 0, 60))
CASE(net_ipv6, r.out[12 + 12] = 0x86; r.out[12 + 13] = 0xdd; net_header(1, 4, 1000, 34, 16, 60000))

/* rng and console */
CASE(rng_readable, r.desc[0].flags = NEXT)
CASE(rng_large, r.desc[0].len = 8192; r.desc[0].flags = WRITE; kick(); said = r.used.idx == 1 && r.used.ring[0].len <= 512)
CASE(console_writable, r.desc[1].flags = WRITE)

static const struct {
	const char *name;
	u32 device;			/* 0: all */
	enum step step;
	void (*spoil)(void);
	enum outcome outcome;
	u64 features;
} cases[] = {
#define X(fn, device, step, outcome, ...) { #fn, device, step, fn, outcome, 0 __VA_OPT__(+ (__VA_ARGS__)) }
	X(head_outside, 0, REQUEST, RESETS), X(head_huge, 0, REQUEST, RESETS),
	X(next_outside, 0, REQUEST, RESETS), X(next_huge, 0, REQUEST, RESETS),
	X(loop_self, 0, REQUEST, RESETS), X(loop_two, 0, REQUEST, RESETS),
	X(addr_zero, 0, REQUEST, RESETS), X(addr_below, 0, REQUEST, RESETS),
	X(addr_end, 0, REQUEST, RESETS), X(addr_last, 0, REQUEST, COMPLETES),
	X(addr_above, 0, REQUEST, RESETS), X(addr_wraps, 0, REQUEST, RESETS),
	X(addr_top, 0, REQUEST, RESETS), X(addr_gic, 0, REQUEST, RESETS),
	X(addr_bus, 0, REQUEST, RESETS), X(addr_stolen_time, 0, REQUEST, RESETS),
	X(len_zero, 0, REQUEST, RESETS), X(len_max, 0, REQUEST, RESETS),
	X(len_ram, 0, REQUEST, RESETS), X(first_bad, 0, REQUEST, RESETS),
	X(first_zero, 0, REQUEST, RESETS), X(order, 0, REQUEST, RESETS),
	X(idx_over, 0, REQUEST, RESETS), X(idx_far, 0, REQUEST, RESETS),
	X(idx_back, 0, REQUEST, RESETS),
	X(ind_unasked, 0, REQUEST, RESETS), X(ind_good, 0, REQUEST, COMPLETES, F_INDIRECT),
	X(ind_next, 0, REQUEST, RESETS, F_INDIRECT), X(ind_nested, 0, REQUEST, RESETS, F_INDIRECT),
	X(ind_len_zero, 0, REQUEST, RESETS, F_INDIRECT), X(ind_len_odd, 0, REQUEST, RESETS, F_INDIRECT),
	X(ind_len_huge, 0, REQUEST, RESETS, F_INDIRECT), X(ind_outside, 0, REQUEST, RESETS, F_INDIRECT),
	X(ind_is_ring, 0, REQUEST, RESETS, F_INDIRECT),
	X(ind_end, 0, REQUEST, RESETS, F_INDIRECT), X(ind_misaligned, 0, REQUEST, RESETS, F_INDIRECT),
	X(ind_next_outside, 0, REQUEST, RESETS, F_INDIRECT), X(ind_loop, 0, REQUEST, RESETS, F_INDIRECT),
	X(ind_after_direct, 0, REQUEST, RESETS, F_INDIRECT),
	X(ind_write_flag, 0, REQUEST, COMPLETES, F_INDIRECT), X(ind_long, 0, REQUEST, RESETS, F_INDIRECT),
	X(same_twice, 0, REQUEST, COMPLETES), X(ring_full, 0, REQUEST, COMPLETES),
	X(flags_unknown, 0, REQUEST, COMPLETES), X(chain_in_itself, 0, REQUEST, COMPLETES),
	X(used_in_buffer, 0, REQUEST, COMPLETES), X(event_garbage, 0, REQUEST, COMPLETES, F_EVENT_IDX),
	X(no_interrupt_flag, 0, REQUEST, COMPLETES),
	X(size_zero, 0, QUEUE, RESETS), X(size_odd, 0, QUEUE, RESETS), X(size_over, 0, QUEUE, RESETS),
	X(size_huge, 0, QUEUE, RESETS), X(desc_outside, 0, QUEUE, RESETS),
	X(avail_outside, 0, QUEUE, RESETS), X(used_outside, 0, QUEUE, RESETS),
	X(desc_end, 0, QUEUE, RESETS), X(avail_end, 0, QUEUE, RESETS), X(used_end, 0, QUEUE, RESETS),
	X(desc_misaligned, 0, QUEUE, RESETS), X(avail_misaligned, 0, QUEUE, RESETS),
	X(used_misaligned, 0, QUEUE, RESETS), X(rings_in_gic, 0, QUEUE, RESETS),
	X(feature_unknown, 0, FEATURES, SAYS), X(no_version_1, 0, FEATURES, SAYS),
	X(feature_select, 0, FEATURES, SAYS), X(ok_without_features, 0, FEATURES, SAYS),
	X(features_late, 0, REQUEST, SAYS), X(ready_early, 0, FEATURES, SAYS),
	X(select_outside, 0, QUEUE, SAYS), X(notify_early, 0, QUEUE, SAYS),
	X(notify_outside, 0, REQUEST, SAYS), X(notify_again, 0, AFTER, COMPLETES),
	X(status_cleared, 0, REQUEST, SAYS), X(status_failed, 0, REQUEST, SAYS),
	X(read_only, 0, REQUEST, SAYS), X(narrow, 0, REQUEST, SAYS), X(wide, 0, REQUEST, SAYS),
	X(holes, 0, REQUEST, SAYS), X(config_beyond, 0, REQUEST, SAYS),
	X(config_written, 0, REQUEST, SAYS), X(addresses_late, 0, REQUEST, COMPLETES),
	X(unready, 0, REQUEST, IGNORED), X(ack_everything, 0, REQUEST, SAYS),
	X(reset_in_flight, 0, REQUEST, SAYS), X(reset_storm, 0, REQUEST, SAYS),
	X(bell_all_queues, 0, REQUEST, COMPLETES), X(bell_all_slots, 0, REQUEST, COMPLETES),
	X(bell_no_queue, 0, REQUEST, COMPLETES), X(bell_storm, 0, REQUEST, COMPLETES),
	X(bell_in_the_past, 0, REQUEST, COMPLETES), X(bell_in_the_future, 0, REQUEST, COMPLETES),
	X(delay_endless, 0, REQUEST, COMPLETES), X(delay_tiny, 0, REQUEST, COMPLETES),
	X(notify_good, 0, REQUEST, SAYS), X(notify_no_slot, 0, REQUEST, SAYS),
	X(io_page_late, 0, REQUEST, SAYS), X(io_page_twice, 0, QUEUE, SAYS),
	X(io_page_misaligned, 0, QUEUE, SAYS), X(io_page_outside, 0, QUEUE, SAYS),
	X(io_page_garbage, 0, QUEUE, COMPLETES), X(io_write_reset, 0, REQUEST, SAYS),
	X(io_write_notify, 0, REQUEST, SAYS), X(io_write_config, 0, REQUEST, SAYS),
	X(io_write_odd, 0, REQUEST, SAYS), X(io_write_slot, 0, REQUEST, SAYS),
	X(poll_nobody, 0, REQUEST, SAYS),
	X(irq_nobody, 0, REQUEST, SAYS),
	X(blk_type, BLK, REQUEST, SAYS), X(blk_beyond, BLK, REQUEST, SAYS),
	X(blk_wraps, BLK, REQUEST, SAYS), X(blk_write_beyond, BLK, REQUEST, SAYS),
	X(blk_odd, BLK, REQUEST, SAYS), X(blk_no_data, BLK, REQUEST, SAYS),
	X(blk_segment, BLK, REQUEST, SAYS), X(blk_id_short, BLK, REQUEST, SAYS),
	X(blk_id, BLK, REQUEST, SAYS), X(blk_split, BLK, REQUEST, SAYS),
	X(blk_shared, BLK, REQUEST, SAYS), X(blk_discard, BLK, REQUEST, SAYS, 1 << 13),
	X(blk_discard_flag, BLK, REQUEST, SAYS, 1 << 13), X(blk_discard_much, BLK, REQUEST, SAYS, 1 << 13),
	X(blk_discard_wraps, BLK, REQUEST, SAYS, 1 << 13), X(blk_zero_flags, BLK, REQUEST, SAYS, 1 << 14),
	X(blk_zero_two, BLK, REQUEST, SAYS, 1 << 14), X(blk_short_header, BLK, REQUEST, RESETS),
	X(blk_no_status, BLK, REQUEST, RESETS),
#define OFFLOADS (1 << 0 | 1 << 11 | 1 << 12)
	X(net_short, NET, REQUEST, RESETS), X(net_writable, NET, REQUEST, RESETS),
	X(net_runt, NET, REQUEST, COMPLETES), X(net_giant, NET, REQUEST, COMPLETES),
	X(net_flags, NET, REQUEST, COMPLETES, OFFLOADS), X(net_csum_outside, NET, REQUEST, COMPLETES, OFFLOADS),
	X(net_csum_far, NET, REQUEST, COMPLETES, OFFLOADS), X(net_gso_unknown, NET, REQUEST, COMPLETES, OFFLOADS),
	X(net_gso_no_csum, NET, REQUEST, COMPLETES, OFFLOADS), X(net_gso_zero, NET, REQUEST, COMPLETES, OFFLOADS),
	X(net_gso_one, NET, REQUEST, COMPLETES, OFFLOADS), X(net_gso_not_ip, NET, REQUEST, COMPLETES, OFFLOADS),
	X(net_gso_doff, NET, REQUEST, COMPLETES, OFFLOADS), X(net_gso_start, NET, REQUEST, COMPLETES, OFFLOADS),
	X(net_ipv6, NET, REQUEST, COMPLETES, OFFLOADS), X(net_gso_no_csum, NET, REQUEST, COMPLETES),
	X(rng_readable, RNG, REQUEST, RESETS), X(rng_large, RNG, REQUEST, SAYS),
	X(console_writable, CONSOLE, REQUEST, RESETS),
};

/* --- one run --- */
static void begin(void)
{
	set(STATUS, 0);
	if (doorbells)
		call(PV_FN_IO_REGISTER, slot, (u64)&io, 0);
	page.max_delay_us = 200;
	set(STATUS, 1);
	set(STATUS, 3);
	memset(&r.avail, 0, sizeof(r.avail));
	memset(&r.used, 0, sizeof(r.used));
	ring_desc = (u64)r.desc;
	ring_avail = (u64)&r.avail;
	ring_used = (u64)&r.used;
	ring_size = SIZE < get(QUEUE_NUM_MAX) ? SIZE : 64;
	said = 0;
}

static void set_queue(void)
{
	set(QUEUE_SEL, queue);
	if (ring_size == SIZE && get(QUEUE_NUM_MAX) < SIZE)
		ring_size = get(QUEUE_NUM_MAX);
	set(QUEUE_NUM, ring_size);
	set64(QUEUE_DESC, ring_desc);
	set64(QUEUE_DRIVER, ring_avail);
	set64(QUEUE_DEVICE, ring_used);
	set(QUEUE_READY, 1);
}

static void run(enum step step, void (*spoil)(void), u64 more)
{
	begin();
	if (step == FEATURES) {
		spoil();
		return;
	}
	features_set(F_VERSION_1 | more);
	set(STATUS, 3 | FEATURES_OK);
	if (step == QUEUE)
		spoil();
	set_queue();
	set(STATUS, 3 | FEATURES_OK | DRIVER_OK);
	good_request();
	if (step == REQUEST)
		spoil();
	kick();
	if (step == AFTER)
		spoil();
}

static int as_expected(enum outcome outcome)
{
	u32 status = get(STATUS);

	switch (outcome) {
	case RESETS:
		return status & NEEDS_RESET && r.used.idx == 0;
	case COMPLETES:
		return !(status & NEEDS_RESET) && r.used.idx == r.avail.idx && get(INT_STATUS) <= 1;
	case IGNORED:
		return !(status & NEEDS_RESET) && r.used.idx == 0;
	case SAYS:
		return said;
	}
	return 0;
}

static void report(int ok, const char *device, const char *name)
{
	put(ok ? "ok " : "not ok ");
	put_number(++test);
	put(doorbells ? " doorbells, " : " ");
	put(device);
	put(": ");
	put(name);
	put("\n");
}

static void nothing(void) { }

static void test_device(const char *name)
{
	for (u32 i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ok, recovers;

		if (cases[i].device && cases[i].device != id)
			continue;
		run(cases[i].step, cases[i].spoil, cases[i].features);
		ok = as_expected(cases[i].outcome);
		run(REQUEST, nothing, F_INDIRECT | F_EVENT_IDX);
		recovers = as_expected(COMPLETES);
		if (!recovers)
			put("# does not recover\n");
		report(ok && recovers, name, cases[i].name);
	}
}

void bare_main(void)
{
	static const char *const names[] = { "", "net", "blk", "console", "rng" };
	u32 plan = 0;

	hvc1(PV_FN_PAGE_REGISTER, (u64)&page);
	for (int pass = 0; pass < 3; pass++) {	/* count, and test twice */
		doorbells = pass == 2;
		for (slot = 0; slot < SLOTS; slot++) {
			u64 faults = nr_faults;

			base = BUS + slot * STRIDE;
			if (get(MAGIC) != 0x74726976 || nr_faults != faults)
				continue;
			id = get(DEVICE_ID);
			queue = id == NET || id == CONSOLE;
			for (u32 i = 0; !pass && i < sizeof(cases) / sizeof(cases[0]); i++)
				plan += (!cases[i].device || cases[i].device == id) * 2;
			if (pass)
				test_device(names[id]);
		}
		if (!pass) {
			put("KTAP version 1\n1..");
			put_number(plan);
			put("\n");
		}
	}
}
