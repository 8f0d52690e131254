// SPDX-License-Identifier: GPL-2.0
/* virtio/doorbell.c, virtio/poll.c: kicks without traps, pages shared with devices. */
#include <stdlib.h>

#include "fake_driver.h"

#define US	(MS / 1000)
#define SPI	(INTID_GUEST_VIRTIO - 32)

static struct pv_vcpu_page *page;
static struct pv_io_page *io;
static u64 io_ipa, data;
static struct drv q;

static u64 call(u64 fn, u64 x1, u64 x2)
{
	hvc(vcpu, fn, x1, x2);
	return vcpu->regs.x[0];
}

/* A disk that runs, with both pages. */
static int set_up(void **state)
{
	u64 page_ipa;

	setup(state);
	vcpu->state = VCPU_OFF;
	pcpus[0].current = NULL;
	sched_cpu_on(vcpu);
	vcpu = sched_first();
	polling_pcpus = 0;
	poll_init();
	ram_disk(64);
	page_ipa = ALIGN_UP(alloc(3 * PAGE_SIZE), PAGE_SIZE);
	io_ipa = page_ipa + PAGE_SIZE;
	page = at(page_ipa);
	io = at(io_ipa);
	data = alloc(512);
	assert_true(call(PV_FN_PAGE_REGISTER, page_ipa, 0) == PV_SUCCESS);
	start_device(0, ALL_FEATURES);
	assert_true(call(PV_FN_IO_REGISTER, 0, io_ipa) == PV_SUCCESS);
	q = queue(0, 0, 256);
	go(0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sched_stop_vm(vm);
	return 0;
}

static void request(void) { blk_add(&q, 0, 0, data, 512); }

static void ring(void)
{
	io->queue[0].rung_at = fake_now - vm->cntvoff;
	page->kicks[0] |= 1;
	page->doorbells |= 1;
}

static void any_exit_drains(void **state)
{
	(void)state;
	request();
	ring();
	assert_int_equal(q.used->idx, 0);
	call(PV_FN_FEATURES, 0, 0);
	assert_int_equal(q.used->idx, 1);
	assert_int_equal(page->doorbells | page->kicks[0], 0);
	assert_int_equal(io->queue[0].drains, 1);
	request();
	request();
	ring();
	fake_now += 3 * US;
	take_irq(vcpu, INTID_SGI_RESCHED);
	assert_int_equal(q.used->idx, 3);
	assert_int_equal(io->queue[0].chains, 3);
	assert_true(io->queue[0].delay_max_ns == 3000);
	assert_int_equal(io->queue[0].delays[2], 1);	/* less than 4 us */
}

static void going_to_sleep_drains(void **state)
{
	(void)state;
	request();
	ring();
	sched_block(vcpu);
	if (!setjmp(fake_stop))
		sched_exit(vcpu);
	assert_int_equal(q.used->idx, 1);
}

static void notify(void **state)
{
	(void)state;
	request();
	assert_true(call(PV_FN_NOTIFY, 0, 1) == PV_SUCCESS);
	assert_int_equal(q.used->idx, 1);
	request();
	assert_true(call(PV_FN_NOTIFY, 0, 0xfffffffe) == PV_SUCCESS);	/* queues that it lacks */
	assert_int_equal(q.used->idx, 1);
	assert_true(call(PV_FN_NOTIFY, 1, 1) == (u64)PV_EINVAL);
	assert_true(call(PV_FN_NOTIFY, ~0ULL, 1) == (u64)PV_EINVAL);
	assert_true(call(PV_FN_NOTIFY, 77, 0) == PV_SUCCESS);		/* doorbells only */
	assert_true(vcpu->exits[PV_EXIT_NOTIFY] == 5);
}

static void delay_is_bounded(void **state)
{
	u64 exits;

	(void)state;
	page->max_delay_us = 200;
	call(PV_FN_NOTIFY, 0, 1);			/* nothing is rung: no need to look */
	assert_int_equal(page->deferring, 0);
	request();
	ring();
	call(PV_FN_NOTIFY, 0, 0);
	assert_int_equal(page->deferring, 1);
	assert_int_equal(q.used->idx, 1);
	for (int i = 2; i < 20; i++) {
		run_for(vcpu, 150 * US);
		request();
		ring();
		run_for(vcpu, 200 * US);
		assert_int_equal(q.used->idx, i);
	}
	assert_in_range(io->queue[0].delay_max_ns, 1000, 200 * 1000);
	assert_int_equal(page->deferring, 1);
	run_for(vcpu, 400 * US);			/* one more look, and that is it */
	assert_int_equal(page->deferring, 0);
	exits = vcpu->exits[PV_EXIT_IRQ_DOORBELL];
	run_for(vcpu, 100 * MS);
	assert_int_equal(vcpu->exits[PV_EXIT_IRQ_DOORBELL], exits);
}

static void delay_can_be_anything(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		const u32 us[] = { 1, ~0U, 0, 20 };

		page->max_delay_us = us[i];
		request();
		ring();
		call(PV_FN_NOTIFY, 0, 0);
		assert_int_equal(page->deferring, us[i] != 0);
		ring();
		page->max_delay_us = 0;			/* it has changed its mind */
		run_for(vcpu, 11 * MS);
		assert_int_equal(page->deferring, 0);
	}
}

static void partitioned_never_defers(void **state)
{
	(void)state;
	vm->partitioned = true;
	page->max_delay_us = 200;
	ring();
	call(PV_FN_NOTIFY, 0, 0);
	assert_int_equal(page->deferring, 0);
	vm->partitioned = false;
}

static void no_page_no_doorbells(void **state)
{
	(void)state;
	request();
	ring();
	assert_true(call(PV_FN_PAGE_UNREGISTER, 0, 0) == PV_SUCCESS);
	assert_int_equal(q.used->idx, 1);		/* nothing is lost */
	request();
	ring();
	call(PV_FN_FEATURES, 0, 0);
	assert_int_equal(q.used->idx, 1);
	assert_true(call(PV_FN_NOTIFY, 0, 1) == PV_SUCCESS);
	assert_int_equal(q.used->idx, 2);
}

static void interrupts_are_counted(void **state)
{
	(void)state;
	for (u32 i = 1; i < 5; i++) {
		vm->vgic.spis[SPI].pending = false;
		q.avail->ring[256] = q.used->idx;	/* used_event */
		request();
		kick(&q);
		assert_int_equal(io->queue[0].events, i);
		assert_true(vm->vgic.spis[SPI].pending);
		assert_int_equal(rd(0, ISR), 0);
	}
	publish(&q, 999);				/* breaks it */
	kick(&q);
	assert_int_equal(io->config_events, 1);
	assert_true(rd(0, STATUS) & VIRTIO_NEEDS_RESET);
}

static void page_of_a_device(void **state)
{
	(void)state;
	assert_true(call(PV_FN_IO_REGISTER, 0, io_ipa) == (u64)PV_EDENIED);	/* it runs */
	wr(0, STATUS, 0);
	memset(io, 0xff, sizeof(*io));
	assert_true(call(PV_FN_IO_REGISTER, 1, io_ipa) == (u64)PV_EINVAL);
	assert_true(call(PV_FN_IO_REGISTER, 0, io_ipa + 8) == (u64)PV_EINVAL);
	assert_true(call(PV_FN_IO_REGISTER, 0, GUEST_RAM_BASE + MiB(8)) == (u64)PV_EINVAL);
	assert_true(call(PV_FN_IO_REGISTER, 0, 0) == (u64)PV_EINVAL);
	assert_true(call(PV_FN_IO_REGISTER, 0, ~0xfffULL) == (u64)PV_EINVAL);
	assert_true(call(PV_FN_IO_REGISTER, 0, io_ipa) == PV_SUCCESS);
	assert_int_equal(io->config_events, 0);
	assert_true(call(PV_FN_IO_REGISTER, 0, io_ipa) == (u64)PV_EEXIST);
	wr(0, STATUS, 0);				/* a reset forgets it */
	start_device(0, VIRTIO_F_VERSION_1);
	q = queue(0, 0, 16);
	go(0);
	request();
	kick(&q);
	assert_int_equal(io->queue[0].events, 0);
	assert_int_equal(rd(0, ISR), 1);
}

static void registers_by_call(void **state)
{
	struct pv_multicall *m = at(io_ipa + PAGE_SIZE);

	(void)state;
	vcpu->regs.x[3] = 0;
	assert_true(call(PV_FN_IO_WRITE, 0, STATUS) == PV_SUCCESS);
	assert_int_equal(rd(0, STATUS), 0);
	assert_true(call(PV_FN_IO_WRITE, 0, 0x100) == (u64)PV_EINVAL);
	assert_true(call(PV_FN_IO_WRITE, 0, 0x71) == (u64)PV_EINVAL);
	assert_true(call(PV_FN_IO_WRITE, 5, STATUS) == (u64)PV_EINVAL);
	start_device(0, VIRTIO_F_VERSION_1);
	m[0] = (struct pv_multicall){ .fn = PV_FN_IO_WRITE, .arg = { 0, 0x30, 0 } };
	m[1] = (struct pv_multicall){ .fn = PV_FN_IO_WRITE, .arg = { 0, 0x38, 32 } };
	m[2] = (struct pv_multicall){ .fn = PV_FN_IO_WRITE, .arg = { 0, 0x80, GUEST_RAM_BASE } };
	m[3] = (struct pv_multicall){ .fn = PV_FN_IO_WRITE, .arg = { 0, 0x90, GUEST_RAM_BASE + 1024 } };
	m[4] = (struct pv_multicall){ .fn = PV_FN_IO_WRITE, .arg = { 0, 0xa0, GUEST_RAM_BASE + 2048 } };
	m[5] = (struct pv_multicall){ .fn = PV_FN_IO_WRITE, .arg = { 0, 0x44, 1 } };
	assert_true(call(PV_FN_MULTICALL, io_ipa + PAGE_SIZE, 6) == PV_SUCCESS);
	assert_int_equal(vm->virtio[0]->queues[0].size, 32);
	assert_int_equal(rd(0, 0x44), 1);
}

/* Everything in the pages is the guest's to write. */
static void hostile_pages(void **state)
{
	(void)state;
	memset(&page->doorbells, 0xff, 4096 - offsetof(struct pv_vcpu_page, doorbells));
	memset(io, 0xff, sizeof(*io));
	for (int i = 0; i < 4; i++) {
		page->doorbells = page->kicks[0] = ~0U;
		call(PV_FN_NOTIFY, 0, ~0U);
		run_for(vcpu, 20 * MS);
	}
	request();
	kick(&q);
	assert_int_equal(q.used->idx, 1);
	for (u32 i = 1; i < PV_IO_DELAYS; i++)		/* rung in the future: no delay */
		assert_int_equal(io->queue[0].delays[i], ~0U);
}

static void polls_only_if_told(void **state)
{
	(void)state;
	assert_true(call(PV_FN_IO_POLL, 0, 1) == (u64)PV_ENOTSUPP);
	call(PV_FN_FEATURES, 0, 0);
	assert_false(vcpu->regs.x[1] & PV_FEAT_POLL);
	polling_pcpus = 2;
	poll_init();
	call(PV_FN_FEATURES, 0, 0);
	assert_true(vcpu->regs.x[1] & PV_FEAT_POLL);
	assert_true(call(PV_FN_IO_POLL, 0, 2) == (u64)PV_EINVAL);
	assert_true(call(PV_FN_IO_POLL, 9, 1) == (u64)PV_EINVAL);
	assert_true(call(PV_FN_IO_POLL, 0, 1) == PV_SUCCESS);
	wr(0, STATUS, 0);
	assert_false(vm->virtio[0]->polled);
}

static u32 passes, want_kick;

/* What the driver does while the polling pCPU looks. */
static void driver_goes_on(void)
{
	u16 event = *(u16 *)&q.used->ring[q.size], next = q.avail_idx;

	fake_now += MS;
	/* vring_need_event(): would adding one more be a kick? */
	want_kick += (u16)(next + 1 - event - 1) < 1;
	if (passes++ < 3)
		request();
}

static void poller_looks_and_sleeps(void **state)
{
	(void)state;
	polling_pcpus = 2;
	poll_init();
	assert_true(call(PV_FN_IO_POLL, 0, 1) == PV_SUCCESS);
	assert_int_equal(fake[1].sgis, 1);		/* it slept */
	assert_int_equal(io->polled, 0);
	passes = want_kick = 0;
	request();
	fake_relax = driver_goes_on;
	on(1);
	if (!setjmp(fake_stop))
		poll_on();
	fake_relax = abort;
	assert_int_equal(q.used->idx, 4);
	assert_int_equal(want_kick, 0);			/* none while it looked */
	assert_in_range(passes, 5, 12);
	assert_int_equal(*(u16 *)&q.used->ring[q.size], 4);	/* asleep: it asks for the next */
	assert_int_equal(io->polled, 0);
	on(0);
	request();
	kick(&q);					/* done at once, and it is woken */
	assert_int_equal(q.used->idx, 5);
	assert_int_equal(fake[1].sgis, 2);
}

static void poller_is_fair(void **state)
{
	(void)state;
	for (int i = 0; i < 80; i++)
		request();
	assert_true(virtqueue_poll(&vm->virtio[0]->queues[0]));
	assert_int_equal(q.used->idx, POLL_BUDGET);
	assert_true(virtqueue_poll(&vm->virtio[0]->queues[0]));
	assert_int_equal(q.used->idx, 80);
	assert_false(virtqueue_poll(&vm->virtio[0]->queues[0]));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(any_exit_drains), T(going_to_sleep_drains), T(notify), T(delay_is_bounded),
		T(delay_can_be_anything), T(partitioned_never_defers), T(no_page_no_doorbells),
		T(interrupts_are_counted), T(page_of_a_device), T(registers_by_call), T(hostile_pages),
		T(polls_only_if_told), T(poller_looks_and_sleeps), T(poller_is_fair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
