// SPDX-License-Identifier: GPL-2.0
/* platform/console.c: input from a PL011 that is a model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch/arch.h"
#include "platform/platform.h"

#define DR	0x00
#define FR	0x18
#define FR_RXFE	BIT(4)
#define ICR	0x44
#define INT_RX	BIT(4)

static char fifo[16];
static u32 count, interrupts;
static const char *typed;	/* what comes, a character at each turn: */
static u32 turn, late;		/* the accesses from number late on */

void arch_relax(void) { }
void spin_lock(spinlock_t *l) { (void)l; }
void spin_unlock(spinlock_t *l) { (void)l; }

/* QEMU's says that something came only when there was nothing. */
static void receive(char c)
{
	assert_true(count < sizeof(fifo));
	fifo[count++] = c;
	if (count == 1)
		interrupts |= INT_RX;
}

static void tick(void)
{
	if (turn++ >= late && *typed)
		receive(*typed++);
}

u32 arch_mmio_read32(u64 addr)
{
	u32 v = 0;

	if (addr == FR) {
		v = count ? 0 : FR_RXFE;
	} else if (addr == DR && count) {
		v = (u32)fifo[0];
		count--;
		for (u32 i = 0; i < count; i++)
			fifo[i] = fifo[i + 1];
		if (!count)
			interrupts &= ~INT_RX;
	}
	tick();
	return v;
}

void arch_mmio_write32(u64 addr, u32 v)
{
	if (addr == ICR)
		interrupts &= ~v;
	tick();
}

/* Whenever the second and further characters come, the interrupt is not lost. */
static void nothing_is_lost(void **state)
{
	(void)state;
	for (late = 0; late < 12; late++) {
		char got[8];
		u32 n = 0;
		int c;

		count = interrupts = turn = 0;
		typed = "lpha";
		receive('a');
		while (interrupts || *typed) {
			if (!interrupts) {
				tick();		/* the guest runs */
				continue;
			}
			while ((c = console_getc()) >= 0)
				got[n++] = (char)c;
		}
		assert_int_equal(n, 5);
		assert_memory_equal(got, "alpha", 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
