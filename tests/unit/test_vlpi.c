// SPDX-License-Identifier: GPL-2.0
/* irq/vlpi.c: interrupts that the GIC delivers itself, on a GICv4 that is a model. */
#include <stdlib.h>

#include "fake_driver.h"
#include "fake_its.h"

static struct drv q;
static u64 io_ipa, data;
static struct vcpu *first, *second;

static u64 call(struct vcpu *v, u64 fn, u64 x1, u64 x2)
{
	hvc(v, fn, x1, x2);
	return v->regs.x[0];
}

/* A disk that runs, its VM's vCPU 0 on pCPU 0, of 2. */
static int set_up(void **state)
{
	setup(state);
	platform.nr_pcpus = 2;
	pcpus[1].mpidr = pcpus[1].id = 1;
	pcpus[1].online = 1;
	list_init(&pcpus[1].blocked);
	list_init(&pcpus[1].timers);
	fake[1].ack = INTID_SPURIOUS;
	fake[1].deadline = ~0ULL;
	fake_its_plug();
	vlpi_init();
	assert_true(vlpi_vm_init(vm));
	first = vm->vcpus[0];
	second = vm->vcpus[1];
	for (unsigned int i = 0; i < 2; i++)
		vm->vcpus[i]->state = VCPU_OFF;
	pcpus[0].current = NULL;
	sched_cpu_on(first);
	vcpu = sched_first();
	assert_ptr_equal(vcpu, first);
	ram_disk(64);
	io_ipa = ALIGN_UP(alloc(2 * PAGE_SIZE), PAGE_SIZE);
	data = alloc(512);
	start_device(0, ALL_FEATURES);
	assert_true(call(vcpu, PV_FN_IO_REGISTER, 0, io_ipa) == PV_SUCCESS);
	q = queue(0, 0, 256);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_false(fake_its.bad);
	sched_stop_vm(vm);
	platform.its_base = 0;
	vlpi_init();
	fake_mmio_read64 = NULL;
	fake_mmio_write64 = NULL;
	fake_relax = abort;
	return 0;
}

static void direct(u32 to)
{
	assert_true(call(first, PV_FN_IO_IRQ, 0, to) == PV_SUCCESS);
	assert_int_equal(first->regs.x[1], 8192);
}

/* A request, handled by pCPU 1. */
static void completes_elsewhere(void)
{
	blk_add(&q, 0, 0, data, 512);
	on(1);
	kick(&q);
	on(0);
}

static void to_one_that_runs(void **state)
{
	(void)state;
	go(0);
	direct(0);
	completes_elsewhere();
	assert_int_equal(q.used->idx, 1);
	assert_int_equal(fake_its_take(0), 1);
	assert_int_equal(fake[0].sgis, 0);	/* nobody was interrupted for it */
	assert_false(first->vgic_dirty);
}

static void to_one_that_sleeps(void **state)
{
	struct vcpu *v;

	(void)state;
	go(0);
	direct(0);
	first->vgic.vlpi_raised = 0;
	sched_block(first);
	if (!setjmp(fake_stop))
		sched_exit(first);
	assert_int_equal(first->state, VCPU_BLOCKED);
	pcpus[0].idle = 0;
	completes_elsewhere();
	assert_int_equal(first->state, VCPU_READY);
	assert_int_equal(fake_its_take(0), 0);
	on(1);				/* the other pCPU takes it, with what is pending */
	v = sched_first();
	assert_ptr_equal(v, first);
	assert_int_equal(fake_its_take(1), 1);
	on(0);
}

static void idle_while(void)
{
}

/* It comes while the vCPU is on its way to sleep, by an ITS that takes its time. */
static void while_it_goes_to_sleep(void **state)
{
	(void)state;
	go(0);
	direct(0);
	fake_relax = idle_while;
	fake_its.lazy = true;
	completes_elsewhere();
	assert_int_equal(fake_its_take(0), 0);
	sched_block(first);
	assert_ptr_equal(sched_exit(first), first);	/* it does not sleep */
	assert_int_equal(first->state, VCPU_RUNNING);
	assert_int_equal(fake_its_take(0), 1);
}

/* A vCPU that has taken it may sleep, and asks the ITS but once. */
static void then_it_may_sleep(void **state)
{
	u32 syncs;

	(void)state;
	go(0);
	direct(0);
	completes_elsewhere();
	assert_int_equal(fake_its_take(0), 1);
	for (int i = 0; i < 2; i++) {
		syncs = fake_its.syncs;
		sched_block(first);
		if (!setjmp(fake_stop))
			sched_exit(first);
		assert_int_equal(first->state, VCPU_BLOCKED);
		assert_int_equal(fake_its.syncs - syncs, i ? 0 : 1);
		pcpus[0].idle = 0;
		sched_wake(first);
		assert_ptr_equal(sched_first(), first);
	}
}

static void to_another_vcpu(void **state)
{
	struct vcpu *v;

	(void)state;
	go(0);
	sched_cpu_on(second);
	on(1);
	v = sched_first();
	assert_ptr_equal(v, second);
	on(0);
	direct(1);
	blk_add(&q, 0, 0, data, 512);
	kick(&q);			/* by vCPU 0 itself: vCPU 1 gets it without an exit */
	assert_int_equal(fake_its_take(1), 1);
	assert_int_equal(fake[1].sgis, 0);
	assert_true(call(first, PV_FN_IO_IRQ, 0, 2) == (u64)PV_EINVAL);
	assert_true(call(first, PV_FN_IO_IRQ, 0, ~0ULL) == (u64)PV_EINVAL);
	assert_true(call(first, PV_FN_IO_IRQ, 1, 0) == (u64)PV_EINVAL);
	assert_true(call(first, PV_FN_IO_IRQ, ~0ULL, 0) == (u64)PV_EINVAL);
}

static void reset_ends_it(void **state)
{
	(void)state;
	go(0);
	sched_cpu_on(second);		/* never on a pCPU: what it gets stays pending */
	direct(1);
	completes_elsewhere();
	assert_true(fake_its.pending[1] == 1);
	wr(0, STATUS, 0);
	assert_true(fake_its.pending[1] == 0);
	assert_true(call(first, PV_FN_IO_IRQ, 0, 0) == (u64)PV_EDENIED);	/* no page */
	start_device(0, ALL_FEATURES);
	q = queue(0, 0, 256);
	go(0);
	completes_elsewhere();
	assert_int_equal(fake_its.pending[0] | fake_its.pending[1], 0);	/* wired again */
	assert_true(vm->vgic.spis[INTID_GUEST_VIRTIO - 32].pending);
}

/* A driver that cannot use the LPI goes back without a reset: queues and page stay. */
static void back_to_the_wire(void **state)
{
	(void)state;
	go(0);
	sched_cpu_on(second);
	direct(1);
	completes_elsewhere();
	assert_true(fake_its.pending[1] == 1);
	assert_true(call(first, PV_FN_IO_IRQ, 0, PV_IO_IRQ_WIRE) == PV_SUCCESS);
	assert_true(fake_its.pending[1] == 0);
	q.avail->ring[256] = q.used->idx;	/* used_event: it has been seen */
	completes_elsewhere();
	assert_int_equal(fake_its.pending[0] | fake_its.pending[1], 0);
	assert_true(vm->vgic.spis[INTID_GUEST_VIRTIO - 32].pending);
	direct(0);			/* and it may come again */
	assert_true(call(first, PV_FN_IO_IRQ, 1, PV_IO_IRQ_WIRE) == (u64)PV_EINVAL);
}

/* The same machine with less: it says why, and devices keep their wires. */
static void not_everywhere(void **state)
{
	static const struct { u64 typer, gicr; const char *says; } less[] = {
		{ BIT(0) | BIT(1) | BIT(37), BIT(0), "" },
		{ BIT(0) | BIT(37), BIT(0) | BIT(1), "does not map vLPIs" },
		{ BIT(0) | BIT(1), BIT(0) | BIT(1), "does not map vLPIs" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(less); i++) {
		fake_quiet();
		fake_its.typer = less[i].typer;
		fake_its.gicr_typer = less[i].gicr;
		vlpi_init();
		assert_non_null(strstr(fake_console, less[i].says));
		assert_true(*less[i].says || !*fake_console);	/* a GICv3 is nothing to complain of */
		vm->vlpi = false;
		assert_true(vlpi_vm_init(vm));
		assert_false(vm->vlpi);
		assert_true(call(first, PV_FN_IO_IRQ, 0, 0) == (u64)PV_ENOTSUPP);
		call(first, PV_FN_FEATURES, 0, 0);
		assert_false(first->regs.x[1] & PV_FEAT_LPI);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(to_one_that_runs), T(to_one_that_sleeps), T(while_it_goes_to_sleep), T(then_it_may_sleep),
		T(to_another_vcpu), T(reset_ends_it), T(back_to_the_wire), T(not_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
