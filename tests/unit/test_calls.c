// SPDX-License-Identifier: GPL-2.0
/* Hypercalls, PSCI, SMCCC services, the UART and printing. */
#include <stdlib.h>

#include "fake_arch.h"

static struct vm *vm;
static struct vcpu *a, *b;

static int set_up(void **state)
{
	(void)state;
	fake_reset(1);
	vm = fake_vm(2, MiB(2));
	a = vm->vcpus[0];
	b = vm->vcpus[1];
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

static u64 call(u64 fn, u64 x, u64 y)
{
	hvc(a, fn, x, y);
	return a->regs.x[0];
}

static void discovery(void **state)
{
	(void)state;
	call(PV_FN_UID, 0, 0);
	assert_true(a->regs.x[0] == PV_UID_0 && a->regs.x[3] == PV_UID_3);
	assert_true(call(PV_FN_FEATURES, 0, 0) == 0);
	assert_true(a->regs.x[2] == PV_ABI_VERSION && a->regs.x[3] == 10000000);
	assert_true(call(0x80000000, 0, 0) == 0x10001);
}

static void psci(void **state)
{
	(void)state;
	assert_true(call(0x84000000, 0, 0) == 0x10001);
	assert_true(call(0x8400000a, 0xC4000003, 0) == 0);
	assert_true(call(0x8400000a, 0x84000020, 0) == (u64)-1);
	assert_true(call(0xC4000004, 1, 0) == 1);			/* off */
	assert_true(call(0xC4000003, 1, 0x1000) == (u64)-9);		/* bad entry */
	assert_true(call(0xC4000003, 1, GUEST_RAM_BASE + 2) == (u64)-9);
	assert_true(call(0xC4000003, 9, GUEST_RAM_BASE) == (u64)-2);	/* no such vCPU */
	assert_true(call(0xC4000003, 1, GUEST_RAM_BASE + 64) == 0);
	assert_true(b->regs.pc == GUEST_RAM_BASE + 64);
	assert_true(call(0xC4000003, 1, GUEST_RAM_BASE) == (u64)-4);	/* on already */
	assert_true(call(0xC4000004, 1, 0) == 0);
	assert_true(call(0xC4000004, 1, 1) == (u64)-2);
	hvc(a, 0x84000002, 0, 0);					/* CPU_OFF */
	assert_int_equal(a->state, VCPU_OFF);
	assert_int_equal(b->state, VCPU_RUNNING);
}

static void stolen_time(void **state)
{
	(void)state;
	assert_true(call(0xC5000020, 0xC5000021, 0) == 0);
	assert_true(call(0xC5000020, 0xC5000022, 0) == (u64)-1);
	vm->pvtime_ipa = GUEST_PVTIME_BASE;
	assert_true(call(0xC5000021, 0, 0) == GUEST_PVTIME_BASE);
}

static void trng(void **state)
{
	(void)state;
	assert_true(call(0x84000050, 0, 0) == 0x10000);
	assert_true(call(0xC4000053, 0, 0) == (u64)-2);
	assert_true(call(0xC4000053, 193, 0) == (u64)-2);
	assert_true(call(0xC4000053, 2, 0) == 0);
	assert_true(a->regs.x[3] == 0 && a->regs.x[2] == 0);	/* 4, cut to two bits */
	assert_true(call(0xC4000053, 3, 0) == 0 && a->regs.x[3] == 4);
	assert_true(call(0x84000053, 97, 0) == (u64)-2);
}

static void system_off(void **state)
{
	(void)state;
	if (!setjmp(fake_stop)) {
		hvc(a, 0x84000008, 0, 0);
		fail();
	}
	assert_int_equal(vm->state, VM_OFF);
	assert_int_equal(a->state, VCPU_OFF);
}

static void random_calls(void **state)
{
	u64 before[31];

	(void)state;
	srand(3);
	for (int i = 0; i < 300000; i++) {
		u32 fn = (u32)rand() << 16 ^ (u32)rand();
		u64 x = (u64)rand() << 32 ^ (u64)rand();

		switch (rand() % 4) {
		case 0: fn = PV_FN_FEATURES + (u32)rand() % 32; break;
		case 1: fn = (rand() % 2 ? 0x84000000 : 0xC4000000) + 1 + (u32)rand() % 0x60; break;
		}
		if ((fn & 0xbfffffff) == 0x84000008 || (fn & 0xbfffffff) == 0x84000009 ||
		    (fn & 0xbfffffff) == 0x84000012 || (fn & 0xbfffffff) == 0x84000002 ||
		    fn == PV_FN_WAIT || (fn & 0xbfffffff) == 0x84000001)
			continue;	/* those end or pause it */
		switch (rand() % 3) {
		case 0: x &= 0xff; break;
		case 1: x = GUEST_RAM_BASE + x % MiB(3); break;
		}
		for (int r = 4; r < 31; r++)
			before[r] = a->regs.x[r] = (u64)rand();
		if (hvc(a, fn, x, (u64)rand()) != a) {	/* b was turned on and got its turn */
			sched_cpu_off();
			assert_ptr_equal(sched_exit(b), a);
		}
		for (int r = 4; r < 31; r++)
			assert_true(a->regs.x[r] == before[r]);
	}
}

static void uart(void **state)
{
	struct mmio m = { .addr = GUEST_UART_BASE, .size = 4, .write = true };

	(void)state;
	for (const char *s = "hello\n"; *s; s++) {
		m.value = (u64)*s;
		assert_true(vuart_mmio(a, &m));
	}
	assert_non_null(strstr(fake_console, "hello\n"));
	for (int i = 0; i < 100; i++)
		vuart_input(vm, (char)('a' + i % 26));	/* more than fit: the rest is lost */
	m.write = false;
	for (int i = 0; i < 64; i++) {
		vuart_mmio(a, &m);
		assert_int_equal(m.value, 'a' + i % 26);
	}
	m.addr = GUEST_UART_BASE + 0x18;
	vuart_mmio(a, &m);
	assert_true(m.value & BIT(4));			/* empty */
	m.addr = GUEST_UART_BASE + 0xfe0;
	vuart_mmio(a, &m);
	assert_int_equal(m.value, 0x11);
	m.size = 8;
	assert_false(vuart_mmio(a, &m));
}

static void several_consoles(void **state)
{
	struct vm *other = fake_vm(1, MiB(2));
	struct mmio m = { .addr = GUEST_UART_BASE, .size = 1, .write = true };
	const char *x = "one\ntwo\n", *y = "ONE\nTWO\n";

	(void)state;
	for (int i = 0; x[i]; i++) {
		m.value = (u64)x[i];
		vuart_mmio(a, &m);
		m.value = (u64)y[i];
		vuart_mmio(other->vcpus[0], &m);
	}
	assert_non_null(strstr(fake_console, "[vm0] one\n[vm1] ONE\n[vm0] two\n[vm1] TWO\n"));
}

static void printing(void **state)
{
	char s[32];

	(void)state;
	hyp_snprintf(s, sizeof(s), "%s %d %u %x %5u|%05x %c%%", "a", -3, 7U, 255U, 42U, 0xabU, 'z');
	assert_string_equal(s, "a -3 7 ff    42|000ab z%");
	hyp_snprintf(s, 5, "%s", "too long");
	assert_string_equal(s, "too ");
	hyp_snprintf(s, sizeof(s), "%llx", 0xfedcba9876543210ULL);
	assert_string_equal(s, "fedcba9876543210");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(discovery), T(psci), T(stolen_time), T(trng), T(system_off), T(random_calls),
		T(uart), T(several_consoles), T(printing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
