// SPDX-License-Identifier: GPL-2.0
#include "bare.h"

void (*volatile on_irq)(u32 intid);
volatile u64 nr_faults, last_esr, last_far;
void handle_sync(void);
void handle_irq(void);

void *memcpy(void *dst, const void *src, u64 n)
{
	for (u64 i = 0; i < n; i++)
		((char *)dst)[i] = ((const char *)src)[i];
	return dst;
}

void *memset(void *dst, int c, u64 n)
{
	for (u64 i = 0; i < n; i++)
		((volatile char *)dst)[i] = (char)c;
	return dst;
}

void put(const char *s)
{
	for (; *s; s++)
		mmio_write(UART, (u32)*s);
}

void put_number(u64 v)
{
	char buf[24], *p = buf + sizeof(buf) - 1;

	*p = 0;
	do {
		*--p = (char)('0' + v % 10);
	} while (v /= 10);
	put(p);
}

void put_hex(u64 v)
{
	static const char digits[] = "0123456789abcdef";
	char buf[19] = "0x";

	for (int i = 0; i < 16; i++)
		buf[2 + i] = digits[v >> (60 - 4 * i) & 15];
	buf[18] = 0;
	put(buf);
}

void put_result(const char *name, u64 value)
{
	put("RESULT ");
	put(name);
	put(" ");
	put_number(value);
	put("\n");
}

void power_off(void)
{
	hvc1(PSCI_SYSTEM_OFF, 0);
	for (;;)
		;
}

/* xorshift64: the same sequence in every run. */
u64 random(void)
{
	static u64 x = 0x9e3779b97f4a7c15;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

void handle_sync(void)
{
	last_esr = read_sysreg(esr_el1);
	last_far = read_sysreg(far_el1);
	nr_faults++;
	write_sysreg(read_sysreg(elr_el1) + 4, elr_el1);
}

void handle_irq(void)
{
	u32 intid = (u32)read_sysreg(S3_0_C12_C12_0);	/* ICC_IAR1_EL1 */

	if (intid >= 1020)
		return;
	if (on_irq)
		on_irq(intid);
	write_sysreg(intid, S3_0_C12_C12_1);		/* ICC_EOIR1_EL1 */
}

void gic_setup(void)
{
	u64 id = read_sysreg(mpidr_el1) & 0xff, sgi = GICR + id * 0x20000 + 0x10000;

	mmio_write(GICD, 0x12);				/* ARE, group 1 */
	mmio_write(GICR + id * 0x20000 + 0x14, 0);	/* wake */
	mmio_write(sgi + 0x80, ~0U);			/* group 1 */
	for (u32 i = 0; i < 32; i += 4)
		mmio_write(sgi + 0x400 + i, 0xa0a0a0a0);
	mmio_write(sgi + 0x100, 1U << VTIMER_INTID | 0xffff);
	write_sysreg(7, S3_0_C12_C12_5);		/* ICC_SRE_EL1 */
	isb();
	write_sysreg(0xf0, S3_0_C4_C6_0);		/* ICC_PMR_EL1 */
	write_sysreg(1, S3_0_C12_C12_7);		/* ICC_IGRPEN1_EL1 */
	isb();
}

bool start_vcpu(unsigned int id, void (*fn)(void))
{
	extern char secondary_start[];
	static u64 stacks[16][1024] __attribute__((aligned(16)));
	static u64 args[16][2];
	struct call c = { PSCI_CPU_ON, id, (u64)secondary_start, (u64)args[id] };

	args[id][0] = (u64)(stacks[id] + 1024);
	args[id][1] = (u64)fn;
	asm volatile("dsb sy" : : : "memory");
	hvc(&c);
	return !c.x0;
}
