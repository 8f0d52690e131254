// SPDX-License-Identifier: GPL-2.0
/* irq/: list registers, distributor and redistributor registers, timers. */
#include <stdlib.h>

#include "fake_arch.h"

#define LR_PENDING	BIT(62)
#define LR_ACTIVE	BIT(63)

static struct vm *vm;
static struct vcpu *a, *b;

static int set_up(void **state)
{
	(void)state;
	fake_reset(2);
	vm = fake_vm(2, MiB(2));
	a = vm->vcpus[0];
	b = vm->vcpus[1];
	vm->vgic.ctlr = 3;
	fake_mmio_addr = 0;
	sched_cpu_on(a);
	sched_first();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sched_stop_vm(vm);
	return 0;
}

static void enable(struct vcpu *v, u32 intid, u8 priority)
{
	struct virq *q = vgic_irq(vm, v, intid);

	q->enabled = true;
	q->priority = priority;
}

/* The list register that holds @intid, or -1. */
static int lr_of(u32 intid)
{
	for (int i = 0; i < 4; i++)
		if (fake[0].lr[i] >> 62 && (u32)fake[0].lr[i] == intid)
			return i;
	return -1;
}

static void pend(u32 intid)
{
	vgic_pend(vm, a, intid, false);
	sched_exit(a);
}

static void pending_goes_to_a_list_register(void **state)
{
	(void)state;
	enable(a, 5, 0xa0);
	pend(5);
	assert_true(fake[0].lr[0] == (LR_PENDING | BIT(60) | 0xa0ULL << 48 | 5));
	assert_false(a->vgic.irqs[5].pending);
}

static void disabled_waits(void **state)
{
	struct mmio m = { .size = 4, .write = true, .value = BIT(5) };

	(void)state;
	pend(5);
	assert_int_equal(lr_of(5), -1);
	vgic_mmio_redistributor(a, &m, 0x10100);	/* ISENABLER0 */
	sched_exit(a);
	assert_int_equal(lr_of(5), 0);
	vgic_mmio_redistributor(a, &m, 0x10180);	/* ICENABLER0: taken back */
	sched_exit(a);
	assert_int_equal(lr_of(5), -1);
	assert_true(a->vgic.irqs[5].pending);
}

static void pended_again_while_active(void **state)
{
	(void)state;
	enable(a, 5, 0xa0);
	pend(5);
	fake[0].lr[0] ^= LR_PENDING | LR_ACTIVE;	/* acknowledged */
	pend(5);
	assert_true(fake[0].lr[0] >> 62 == 3);		/* active and pending */
	fake[0].lr[0] &= ~(LR_PENDING | LR_ACTIVE);	/* both completed */
	pend(5);
	assert_int_equal(lr_of(5), 0);
	assert_true(fake[0].lr[0] >> 62 == 1);
}

static void more_than_list_registers(void **state)
{
	int seen = 0;

	(void)state;
	for (u32 i = 1; i <= 6; i++)
		enable(a, i, 0xa0);
	for (u32 i = 1; i <= 6; i++)
		pend(i);
	assert_int_equal(fake[0].hcr, 3);		/* underflow interrupt wanted */
	for (int i = 0; i < 4; i++)
		fake[0].lr[i] &= ~LR_PENDING;		/* completed */
	take_irq(a, INTID_MAINT);
	for (u32 i = 1; i <= 6; i++)
		seen += lr_of(i) >= 0;
	assert_int_equal(seen, 2);
	assert_int_equal(fake[0].hcr, 1);
}

static void urgent_one_takes_a_place(void **state)
{
	(void)state;
	for (u32 i = 1; i <= 4; i++) {
		enable(a, i, 0xa0);
		pend(i);
	}
	enable(a, 7, 0x20);
	pend(7);
	assert_true(lr_of(7) >= 0);
	assert_true(a->vgic.irqs[1].pending + a->vgic.irqs[2].pending +
		    a->vgic.irqs[3].pending + a->vgic.irqs[4].pending == 1);
}

static void level_until_lowered(void **state)
{
	(void)state;
	enable(a, INTID_GUEST_UART, 0xa0);
	vgic_set_line(vm, a, INTID_GUEST_UART, true);
	sched_exit(a);
	assert_true(fake[0].lr[0] & BIT(41));		/* tell us at its end */
	fake[0].lr[0] &= ~LR_PENDING;
	take_irq(a, INTID_MAINT);			/* still high: again */
	assert_true(fake[0].lr[0] & LR_PENDING);
	vgic_set_line(vm, a, INTID_GUEST_UART, false);
	fake[0].lr[0] &= ~LR_PENDING;
	take_irq(a, INTID_MAINT);
	assert_int_equal(lr_of(INTID_GUEST_UART), -1);
	assert_int_equal(fake[0].lr[0], 0);		/* or its end would storm */
}

static void virtual_timer(void **state)
{
	(void)state;
	enable(a, INTID_VTIMER, 0xa0);
	fake[0].vtimer = (struct arch_vtimer){ TIMER_ENABLE, fake_now };
	take_irq(a, INTID_VTIMER);
	assert_true(fake[0].lr[0] == (LR_PENDING | BIT(61) | BIT(60) | 0xa0ULL << 48 |
				      27ULL << 32 | 27));
	assert_true(pcpus[0].vtimer_active);
	fake[0].lr[0] = 0;				/* completed, deactivated */
	fake_now += MS;
	take_irq(a, INTID_VTIMER);			/* and again */
	assert_int_equal(lr_of(INTID_VTIMER), 0);
}

static void stopped_timer_is_silent(void **state)
{
	(void)state;
	fake[0].vtimer = (struct arch_vtimer){ TIMER_ENABLE, fake_now };
	take_irq(a, INTID_VTIMER);			/* not enabled at the vGIC */
	assert_int_equal(lr_of(INTID_VTIMER), -1);
	fake[0].vtimer.ctl = 0;
	enable(a, INTID_VTIMER, 0xa0);
	vgic_update(vm, a, INTID_VTIMER);
	a->vgic_dirty = 1;
	sched_exit(a);
	assert_int_equal(lr_of(INTID_VTIMER), -1);
	assert_false(pcpus[0].vtimer_active);
}

static void sgi_targets(void **state)
{
	(void)state;
	enable(a, 1, 0xa0);
	enable(b, 1, 0xa0);
	vgic_send_sgi(a, 1ULL << 24 | 2, true);
	assert_true(b->vgic.irqs[1].pending && !a->vgic.irqs[1].pending);
	b->vgic.irqs[1].pending = false;
	vgic_send_sgi(a, 1ULL << 24 | BIT(40), true);	/* all but self */
	assert_true(b->vgic.irqs[1].pending && !a->vgic.irqs[1].pending);
	b->vgic.irqs[1].pending = false;
	vgic_send_sgi(a, 1ULL << 24 | 0xffff | 5ULL << 16, true);	/* no such cluster */
	vgic_send_sgi(a, 1ULL << 24 | 0xffff | 3ULL << 48, true);
	vgic_send_sgi(a, 1ULL << 24 | 0xffff | 1ULL << 44, true);	/* 16-31 */
	assert_true(!b->vgic.irqs[1].pending && !a->vgic.irqs[1].pending);
	vgic_send_sgi(a, 1ULL << 24 | 3, false);	/* group 0: these are group 1 */
	assert_true(!b->vgic.irqs[1].pending && !a->vgic.irqs[1].pending);
}

static void spi_routing(void **state)
{
	struct mmio m = { .size = 8, .write = true, .value = 1 };

	(void)state;
	enable(a, 40, 0xa0);
	assert_true(vgic_mmio_distributor(a, &m, 0x6000 + 8 * 40));
	vgic_pend(vm, a, 40, false);
	assert_true(b->vgic.candidates[0] & BIT(40));
	m.value = 0;
	vgic_mmio_distributor(a, &m, 0x6000 + 8 * 40);	/* moves a pending one */
	assert_false(b->vgic.candidates[0] & BIT(40));
	assert_true(a->vgic.candidates[0] & BIT(40));
	m.value = 77;					/* to nobody */
	vgic_mmio_distributor(a, &m, 0x6000 + 8 * 40);
	assert_false(a->vgic.candidates[0] & BIT(40));
	sched_exit(a);
	assert_int_equal(lr_of(40), -1);
}

static void moves_with_its_vcpu(void **state)
{
	(void)state;
	enable(a, 5, 0xa0);
	pend(5);
	sched_cpu_on(b);
	hvc(a, PV_FN_YIELD, 0, 0);
	assert_int_equal(lr_of(5), -1);			/* b has it not */
	on(1);
	assert_ptr_equal(sched_first(), a);
	assert_true((u32)fake[1].lr[0] == 5);
	on(0);
}

static void physical_timer(void **state)
{
	(void)state;
	enable(a, INTID_PTIMER, 0xa0);
	ptimer_write(a, PTIMER_TVAL, 5 * MS);
	ptimer_write(a, PTIMER_CTL, TIMER_ENABLE);
	assert_true(ptimer_read(a, PTIMER_CTL) == TIMER_ENABLE);
	assert_true(fake[0].deadline == fake_now + 5 * MS);
	run_for(a, 6 * MS);
	assert_true(lr_of(INTID_PTIMER) >= 0);
	assert_true(ptimer_read(a, PTIMER_CTL) == (TIMER_ENABLE | TIMER_ISTATUS));
	ptimer_write(a, PTIMER_CTL, 0);
	assert_false(a->vgic.irqs[INTID_PTIMER].line);
}

static void identification(void **state)
{
	struct mmio m = { .size = 4 };

	(void)state;
	vgic_mmio_distributor(a, &m, 0xffe8);
	assert_int_equal(m.value >> 4 & 15, 3);		/* GICv3 */
	m.size = 8;
	vgic_mmio_redistributor(b, &m, VGIC_GICR_STRIDE + 8);
	assert_true(m.value == (1ULL << 32 | 1 << 8 | BIT(4)));	/* vCPU 1, the last */
	m.size = 2;
	assert_false(vgic_mmio_distributor(a, &m, 0));
	m.size = 4;
	assert_false(vgic_mmio_distributor(a, &m, 2));
	assert_false(vgic_mmio_redistributor(a, &m, 2 * VGIC_GICR_STRIDE));
}

/* What must hold after anything a guest does. */
static void check_invariants(struct vcpu *v)
{
	u32 in_lrs = 0, marked = 0;

	assert_int_equal(v->vgic.lr_used & ~0xfU, 0);
	assert_int_equal(v->vgic.lr_level & ~v->vgic.lr_used, 0);
	for (u32 i = 0; i < 4; i++) {
		if (!(v->vgic.lr_used & BIT(i)))
			continue;
		in_lrs++;
		assert_true(vgic_irq(vm, v, v->vgic.lr_irq[i])->in_lr);
	}
	for (u32 i = 0; i < VGIC_NR_IRQS; i++) {
		struct virq *q = vgic_irq(vm, v, i);

		marked += q->in_lr && (i < VGIC_NR_PRIVATE || q->lr_cpu == v->id);
	}
	assert_int_equal(in_lrs, marked);
}

static void random_guest(void **state)
{
	(void)state;
	srand(7);
	for (int step = 0; step < 300000; step++) {
		struct mmio m = { .size = 1U << rand() % 4, .write = rand() % 2,
			.value = (u64)rand() << 33 ^ (u64)rand() << 8 };
		u32 offset = (u32)rand() % 0x20000 & (rand() % 8 ? ~3U : ~0U);
		int i = rand() % 4;

		if (rand() % 2)
			offset = 0x80 + offset % 0xc80;
		switch (rand() % 6) {
		case 0:
			vgic_mmio_distributor(a, &m, offset % GUEST_GICD_SIZE);
			break;
		case 1:
			vgic_mmio_redistributor(a, &m, offset + (rand() % 2 ? 0x10000 : 0));
			break;
		case 2:
			vgic_send_sgi(a, m.value ^ (u64)rand() << 24, rand() % 2);
			break;
		case 3:
			vgic_set_line(vm, a, INTID_GUEST_UART, rand() % 2);
			break;
		case 4:		/* the guest acknowledges or completes */
			if (fake[0].lr[i] & LR_PENDING)
				fake[0].lr[i] ^= LR_PENDING | LR_ACTIVE;
			else
				fake[0].lr[i] &= ~(LR_PENDING | LR_ACTIVE);
			a->vgic_dirty = 1;
			break;
		case 5:
			vgic_pend(vm, rand() % 2 ? a : b, (u32)rand() % VGIC_NR_IRQS, false);
			break;
		}
		assert_ptr_equal(sched_exit(a), a);
		check_invariants(a);
		check_invariants(b);
	}
}

/* A partitioned VM's devices raise the host's own SPIs, its SGIs are real ones. */
static void partitioned_is_direct(void **state)
{
	(void)state;
	vm->partitioned = true;
	a->affinity = BIT(0);
	b->affinity = BIT(1);
	vgic_pend(vm, a, 81, false);		/* not enabled: waits */
	assert_int_equal(fake_mmio_addr, 0);
	enable(a, 81, 0xa0);
	vgic_pend(vm, a, 81, false);
	assert_true(fake_mmio_addr == 0x0200 + 4 * (81 / 32));	/* GICD_ISPENDR */
	assert_int_equal(fake_mmio_value, BIT(81 % 32));
	assert_false(vgic_has_pending(a));
	fake[1].sgis = 0;
	vgic_send_sgi(a, BIT(1), true);		/* SGI 0 to affinity 0.0.0.1 */
	assert_int_equal(fake[1].sgis, 1);
	vm->partitioned = false;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(pending_goes_to_a_list_register), T(disabled_waits), T(pended_again_while_active),
		T(more_than_list_registers), T(urgent_one_takes_a_place), T(level_until_lowered),
		T(virtual_timer), T(stopped_timer_is_silent), T(sgi_targets), T(spi_routing),
		T(moves_with_its_vcpu), T(physical_timer), T(identification), T(random_guest),
		T(partitioned_is_direct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
