// SPDX-License-Identifier: GPL-2.0
/* core/sched.c: turns, slices, lending, blocking, waking. */
#include <stdlib.h>

#include "fake_arch.h"

static struct vm *vm;
static struct vcpu *a, *b, *c;

static void start(unsigned int pcpu_count, unsigned int n)
{
	fake_reset(pcpu_count);
	vm = fake_vm(n, MiB(2));
	for (unsigned int i = 0; i < n; i++)
		assert_true(sched_cpu_on(vm->vcpus[i]));
	a = vm->vcpus[0];
	b = n > 1 ? vm->vcpus[1] : NULL;
	c = n > 2 ? vm->vcpus[2] : NULL;
}

/* Forget the run queue: the next test starts anew. */
static int tear_down(void **state)
{
	(void)state;
	sched_stop_vm(vm);
	return 0;
}

static void slices_go_round(void **state)
{
	struct vcpu *v;

	(void)state;
	start(1, 3);
	v = sched_first();
	assert_ptr_equal(v, a);
	v = run_for(v, 9 * MS);
	assert_ptr_equal(v, a);
	v = run_for(v, 2 * MS);
	assert_ptr_equal(v, b);
	v = run_for(v, 10 * MS);
	assert_ptr_equal(v, c);
	v = run_for(v, 10 * MS);
	assert_ptr_equal(v, a);
	assert_in_range(a->steal, 18 * MS, 21 * MS);
}

static void alone_needs_no_timer(void **state)
{
	(void)state;
	start(1, 1);
	assert_ptr_equal(sched_first(), a);
	assert_true(fake[0].deadline == ~0ULL);
}

static void a_second_one_ends_the_first_ones_run(void **state)
{
	struct vcpu *v;

	(void)state;
	start(1, 2);
	hvc(sched_first(), 0x84000000, 0, 0);
	sched_stop_vm(vm);		/* b leaves the queue */
	vm->stopping = 0;
	v = sched_exit(a);
	v = run_for(v, 100 * MS);
	assert_ptr_equal(v, a);
	b->state = VCPU_OFF;
	sched_cpu_on(b);
	assert_ptr_equal(sched_exit(a), b);	/* a has used up its slice long ago */
}

static void wfi_blocks_until_timer(void **state)
{
	struct vcpu *v;
	u64 then;

	(void)state;
	start(1, 1);
	v = sched_first();
	a->vgic.irqs[INTID_VTIMER].enabled = true;
	vm->vgic.ctlr = 3;
	fake[0].vtimer = (struct arch_vtimer){ TIMER_ENABLE, fake_now + 7 * MS };
	then = fake_now;
	sched_block(v);
	v = sched_exit(v);
	assert_ptr_equal(v, a);
	assert_true(fake_now == then + 7 * MS);
}

static void wfi_without_timer_idles_for_ever(void **state)
{
	(void)state;
	start(1, 1);
	sched_first();
	if (!setjmp(fake_stop)) {
		sched_block(a);
		sched_exit(a);
		fail();
	}
	assert_int_equal(a->state, VCPU_BLOCKED);
}

static void kick_is_remembered(void **state)
{
	struct vcpu *v;

	(void)state;
	start(1, 2);
	v = sched_first();
	v = hvc(v, PV_FN_KICK, 0, 0);		/* itself, before it waits */
	assert_ptr_equal(v, a);
	v = hvc(v, PV_FN_WAIT, 0, 0);
	assert_ptr_equal(v, a);
	assert_true(v->regs.x[1] == 1);
	v = hvc(v, PV_FN_WAIT, 0, 0);		/* nothing remembered now */
	assert_ptr_equal(v, b);
	assert_int_equal(a->state, VCPU_BLOCKED);
	v = hvc(v, PV_FN_KICK, 0, 0);
	assert_ptr_equal(v, b);			/* a kick does not preempt */
	assert_int_equal(a->state, VCPU_READY);
	v = hvc(v, PV_FN_YIELD, 0, 0);
	assert_ptr_equal(v, a);
	assert_true(a->regs.x[1] == 1);
}

static void kick_does_not_end_wfi(void **state)
{
	struct vcpu *v;

	(void)state;
	start(1, 2);
	v = sched_first();
	sched_block(v);
	v = sched_exit(v);
	assert_ptr_equal(v, b);
	hvc(v, PV_FN_KICK, 0, 0);
	assert_int_equal(a->state, VCPU_BLOCKED);
}

static void interrupt_wakes_and_preempts(void **state)
{
	struct vcpu *v;

	(void)state;
	start(1, 2);
	vm->vgic.ctlr = 3;
	a->vgic.irqs[3].enabled = true;
	v = sched_first();
	sched_block(v);
	v = sched_exit(v);
	assert_ptr_equal(v, b);
	v = run_for(v, 5 * MS);
	vgic_pend(vm, a, 3, false);
	v = sched_exit(v);
	assert_ptr_equal(v, a);		/* it had its turn, and b has run a moment */
	assert_true(a->vgic.irqs[3].in_lr);
}

static void a_wake_up_leaves_a_moment(void **state)
{
	struct vcpu *v;

	(void)state;
	start(1, 2);
	vm->vgic.ctlr = 3;
	a->vgic.irqs[3].enabled = true;
	v = sched_first();
	sched_block(v);
	v = sched_exit(v);
	vgic_pend(vm, a, 3, false);
	v = sched_exit(v);
	assert_ptr_equal(v, b);
	v = run_for(v, MS / 2);
	assert_ptr_equal(v, a);
}

static void yield_to_lends(void **state)
{
	struct vcpu *v;
	u64 c_slice;

	(void)state;
	start(1, 3);
	v = sched_first();
	c_slice = (u64)c->slice_left;
	v = hvc(v, PV_FN_YIELD_TO, 2, 0);
	assert_ptr_equal(v, c);
	assert_true(a->regs.x[0] == PV_SUCCESS);
	assert_int_equal(c->yields_received, 1);
	v = run_for(v, 2 * MS);			/* an eighth of a slice is over: back to a */
	assert_ptr_equal(v, a);
	assert_true((u64)c->slice_left == c_slice);	/* c has paid nothing */
	assert_in_range(a->slice_left, 80 * MS / 10, 88 * MS / 10);
}

static void lending_ends(void **state)
{
	struct vcpu *v;
	unsigned int n = 0;

	(void)state;
	start(1, 3);
	v = sched_first();
	/* a gives all it has to c, again and again: b's turn comes all the same. */
	while (v != b && n++ < 100)
		v = v == a ? hvc(v, PV_FN_YIELD_TO, 2, 0) : run_for(v, MS);
	assert_ptr_equal(v, b);
	assert_true(n < 30);
}

static void interrupts_do_not_starve_others(void **state)
{
	struct vm *other;
	struct vcpu *v, *victim;
	u64 ran = 0, start_time;

	(void)state;
	start(1, 2);
	other = fake_vm(1, MiB(2));
	victim = other->vcpus[0];
	sched_cpu_on(victim);
	vm->vgic.ctlr = 3;
	a->vgic.irqs[1].enabled = b->vgic.irqs[1].enabled = true;
	v = sched_first();
	start_time = fake_now;
	while (fake_now < start_time + 300 * MS) {
		u64 t = fake_now;

		if (v == victim) {
			v = run_for(v, MS / 4);
			ran += fake_now - t;
		} else {	/* the two of vm send each other interrupts all the time */
			vgic_send_sgi(v, 1ULL << 24 | (v == a ? 2 : 1), true);
			v = sched_exit(v);
			v = run_for(v, MS / 4);
		}
	}
	assert_in_range(ran, 80 * MS, 120 * MS);	/* a third */
	sched_stop_vm(other);
}

static void yield_to_refuses(void **state)
{
	(void)state;
	start(1, 3);
	sched_first();
	b->affinity = 2;		/* not this pCPU */
	hvc(a, PV_FN_YIELD_TO, 1, 0);
	assert_true(a->regs.x[0] == (u64)PV_EDENIED);
	hvc(a, PV_FN_YIELD_TO, 3, 0);
	assert_true(a->regs.x[0] == (u64)PV_EINVAL);
	hvc(a, PV_FN_YIELD_TO, 0, 0);	/* itself: it runs already */
	assert_true(a->regs.x[0] == PV_SUCCESS);
}

static void an_idle_pcpu_is_told(void **state)
{
	(void)state;
	start(2, 1);
	sched_first();
	pcpus[1].idle = 1;
	fake_vm(1, MiB(2));
	sched_cpu_on(vms[1].vcpus[0]);
	assert_int_equal(fake[1].sgis, 1);
	on(1);
	assert_ptr_equal(sched_first(), vms[1].vcpus[0]);
	assert_int_equal(vms[1].vcpus[0]->last_pcpu, 1);
	sched_stop_vm(&vms[1]);
	on(0);
}

static void affinity_is_kept(void **state)
{
	struct vcpu *v;

	(void)state;
	start(2, 2);
	a->affinity = 2;
	v = sched_first();
	assert_ptr_equal(v, b);
	v = run_for(v, 100 * MS);
	assert_ptr_equal(v, b);
	on(1);
	assert_ptr_equal(sched_first(), a);
	on(0);
}

static void shared_page_follows(void **state)
{
	struct pv_vcpu_page *page;
	struct vcpu *v;

	(void)state;
	start(1, 2);
	v = sched_first();
	v = hvc(v, PV_FN_PAGE_REGISTER, GUEST_RAM_BASE + PAGE_SIZE, 0);
	assert_true(v->regs.x[0] == PV_SUCCESS);
	page = vm_ram(vm, (ipa_t){ GUEST_RAM_BASE + PAGE_SIZE }, PAGE_SIZE);
	assert_int_equal(page->state, PV_VCPU_RUNNING);
	v = hvc(v, PV_FN_YIELD, 0, 0);
	assert_int_equal(page->state, PV_VCPU_PREEMPTED_KERNEL);
	assert_int_equal(page->exits[PV_EXIT_YIELD], 1);
	v = hvc(v, PV_FN_YIELD, 0, 0);
	assert_ptr_equal(v, a);
	assert_int_equal(page->state, PV_VCPU_RUNNING);
	assert_int_equal(page->run_seq, 2);
	a->regs.pstate = 0;		/* now at EL0 */
	v = run_for(v, 11 * MS);
	assert_int_equal(page->state, PV_VCPU_PREEMPTED_USER);
	v = run_for(v, 11 * MS);
	a->regs.pstate = 5;
	hvc(v, PV_FN_WAIT, 0, 0);
	assert_int_equal(page->state, PV_VCPU_BLOCKED);
	hvc(b, PV_FN_KICK, 0, 0);	/* runnable again, but not yet running */
	assert_int_equal(page->state, PV_VCPU_PREEMPTED_KERNEL);
}

static struct pv_vcpu_page *page_at(u64 n)
{
	return vm_ram(vm, (ipa_t){ GUEST_RAM_BASE + n * PAGE_SIZE }, PAGE_SIZE);
}

static struct vcpu *share(struct vcpu *v, u64 n)
{
	v = hvc(v, PV_FN_PAGE_REGISTER, GUEST_RAM_BASE + n * PAGE_SIZE, 0);
	assert_true(v->regs.x[0] == PV_SUCCESS);
	return v;
}

/* Nothing is written to page @n while its vCPU runs, yields, blocks and wakes. */
static void assert_left_alone(struct vcpu *v, u64 n)
{
	static u8 canary[PAGE_SIZE];

	memset(canary, 0xa5, sizeof(canary));
	memcpy(page_at(n), canary, sizeof(canary));
	v = hvc(v, PV_FN_YIELD, 0, 0);
	v = run_for(v, 11 * MS);
	v = run_for(v, 11 * MS);
	v = hvc(v, PV_FN_YIELD, 0, 0);
	run_for(v, 11 * MS);
	assert_memory_equal(page_at(n), canary, sizeof(canary));
}

/* A kernel after a kexec registers its own: the one before it gets no store, not even "off". */
static void shared_page_moves(void **state)
{
	static u8 canary[PAGE_SIZE];
	struct vcpu *v;

	(void)state;
	start(1, 2);
	v = share(sched_first(), 1);
	page_at(1)->max_delay_us = 100;
	page_at(1)->doorbells = 1;
	hvc(v, PV_FN_NOTIFY, 0, 0);
	memset(canary, 0xa5, sizeof(canary));
	memcpy(page_at(1), canary, sizeof(canary));
	share(v, 2);
	assert_memory_equal(page_at(1), canary, sizeof(canary));
	assert_int_equal(page_at(2)->state, PV_VCPU_RUNNING);
	assert_ptr_equal(v->doorbells, &page_at(2)->doorbells);
	assert_true(v->check_at == ~0ULL);
	assert_left_alone(v, 1);
	assert_in_range(page_at(2)->run_seq, 2, 10);
}

static void shared_page_ends_with_cpu_off(void **state)
{
	struct vcpu *v;

	(void)state;
	start(1, 2);
	v = share(sched_first(), 1);
	v = hvc(v, 0x84000002, 0, 0);
	assert_ptr_equal(v, b);
	assert_int_equal(page_at(1)->state, PV_VCPU_OFF);
	assert_null(a->page);
	hvc(v, 0xC4000003, 0, GUEST_RAM_BASE);	/* CPU_ON */
	assert_left_alone(v, 1);
}

static void shared_pages_end_with_a_reset(void **state)
{
	static u8 image[64];
	struct vcpu *v;

	(void)state;
	start(1, 2);
	vm->kernel = (struct vm_image){ (u64)image, sizeof(image) };
	vm->entry_ipa = GUEST_RAM_BASE + MiB(1) / 2;
	vm->dtb_ipa = GUEST_RAM_BASE + MiB(1);
	v = share(sched_first(), 1);
	v = hvc(v, PV_FN_YIELD, 0, 0);
	assert_ptr_equal(v, b);
	v = share(v, 2);
	v = hvc(v, 0x84000009, 0, 0);		/* SYSTEM_RESET */
	assert_ptr_equal(v, a);
	assert_null(a->page);
	assert_null(b->page);
	hvc(v, 0xC4000003, 1, GUEST_RAM_BASE);
	assert_left_alone(v, 1);
	assert_left_alone(pcpus[0].current, 2);
}

/* Random requests by random vCPUs: states stay consistent, nobody starves. */
static void random_schedule(void **state)
{
	u64 last_run[8] = { 0 };
	struct vcpu *running[2];

	(void)state;
	start(2, 8);
	vm->vgic.ctlr = 3;
	srand(1);
	for (int p = 0; p < 2; p++) {
		on((unsigned int)p);
		running[p] = sched_first();
	}
	for (int i = 0; i < 8; i++) {
		vm->vcpus[i]->vgic.irqs[1].enabled = true;
		last_run[i] = fake_now;
	}
	for (int step = 0; step < 200000; step++) {
		int p = rand() % 2, r = rand() % 8, others = 0;
		struct vcpu *v = running[p], *t = vm->vcpus[rand() % 8];

		on((unsigned int)p);
		for (int i = 0; i < 8; i++)
			others += vm->vcpus[i]->state == VCPU_READY;
		fake_now += (u64)rand() % (MS / 8);
		if (fake_now >= fake[p].deadline)
			v = take_irq(v, INTID_HYP_TIMER);
		else if (r == 0)
			v = hvc(v, PV_FN_YIELD, 0, 0);
		else if (r == 1)
			v = hvc(v, PV_FN_YIELD_TO, t->id, 0);
		else if (r == 2 && others > 1)
			v = hvc(v, PV_FN_WAIT, 0, 0);
		else if (r < 5)
			v = hvc(v, PV_FN_KICK, t->id, 0);
		else if (r == 5)
			vgic_pend(vm, t, 1, true);
		v = take_irq(v, INTID_SGI_RESCHED);
		memset(fake[p].lr, 0, sizeof(fake[p].lr));	/* the guest completes all */
		running[p] = v;
		last_run[v->id] = fake_now;
		assert_ptr_not_equal(running[0], running[1]);
		for (int i = 0; i < 8; i++) {
			struct vcpu *x = vm->vcpus[i];

			assert_true((x->state == VCPU_RUNNING) ==
				    (x == running[0] || x == running[1]));
			if (x->state == VCPU_READY)
				assert_true(fake_now - last_run[i] < 400 * MS);
			else
				last_run[i] = fake_now;
		}
	}
	on(0);
	sched_stop_vm(vm);
	list_init(&pcpus[0].blocked);
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, tear_down)
	const struct CMUnitTest tests[] = {
		T(slices_go_round), T(alone_needs_no_timer),
		T(a_second_one_ends_the_first_ones_run), T(wfi_blocks_until_timer),
		T(wfi_without_timer_idles_for_ever), T(kick_is_remembered), T(kick_does_not_end_wfi),
		T(interrupt_wakes_and_preempts), T(a_wake_up_leaves_a_moment), T(yield_to_lends),
		T(lending_ends), T(interrupts_do_not_starve_others), T(yield_to_refuses),
		T(an_idle_pcpu_is_told), T(affinity_is_kept), T(shared_page_follows),
		T(shared_page_moves), T(shared_page_ends_with_cpu_off), T(shared_pages_end_with_a_reset),
		T(random_schedule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
