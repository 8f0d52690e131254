// SPDX-License-Identifier: GPL-2.0
/*
 * Cost of exits in instructions, under QEMU -icount shift=0 (1 instruction =
 * 1 ns; CNTVCT ticks are 16 ns): each operation many times in a loop, minus
 * the same loop without it. Runs under other hypervisors too; on 2 vCPUs on 2
 * pCPUs for the IPI.
 * Prints: RESULT name value-in-thousandths
 */
#include "bare.h"

#define LOOPS 50000ULL
#define NS_PER_TICK (1000000000ULL / read_sysreg(cntfrq_el0))

static u64 empty;	/* ns of the empty loop */
static volatile u64 seen;

static void result(const char *name, u64 ns, u64 loops)
{
	put_result(name, (ns - empty * loops / LOOPS) * 1000 / loops);
}

#define MEASURE(loops, body) ({ \
	u64 __t = now(); \
	for (u64 __i = 0; __i < (loops); __i++) { \
		asm volatile("" : : : "memory"); \
		body; \
	} \
	(now() - __t) * NS_PER_TICK; \
})

/* What body costs, by doing it @loops times */
#define RESULT(name, loops, body) result(name, MEASURE(loops, body), loops)

static u64 exit_count(u64 vcpu, u64 reason)
{
	struct call c = { PV_FN_STATS, vcpu, reason, 0 };

	hvc(&c);
	return c.x1;
}

static u64 all_exits(void)
{
	u64 n = 0;

	for (u64 r = 0; r < PV_EXIT_NR; r++)
		n += r == PV_EXIT_HVC ? 0 : exit_count(0, r);
	return n;
}

static void count_irq(u32 intid)
{
	if (intid == VTIMER_INTID)
		write_sysreg(2, cntv_ctl_el0);	/* mask */
	seen++;
}

static void timer_loop(void)
{
	u64 before = seen;

	write_sysreg(read_sysreg(cntvct_el0), cntv_cval_el0);
	write_sysreg(1, cntv_ctl_el0);
	isb();
	while (seen == before)
		;
}

static void self_sgi(void)
{
	u64 before = seen;

	write_sysreg(1ULL << 24 | 1, S3_0_C12_C11_5);	/* ICC_SGI1R_EL1: SGI 1 to 0 */
	isb();
	while (seen == before)
		;
}

static volatile u64 pong;

static void echo_irq(u32 intid)
{
	(void)intid;
	pong++;
}

static void secondary(void)
{
	gic_setup();
	pong = 1;
	asm volatile("msr daifclr, #2");
	for (;;)
		asm volatile("yield");
}

/* To a vCPU that spins with interrupts on, on the other pCPU; both summed. */
static void ipi(void)
{
	u64 before = pong;

	write_sysreg(1ULL << 24 | 2, S3_0_C12_C11_5);
	isb();
	while (pong == before)
		asm volatile("yield");
}

/* Completion: what 1000 self-SGIs cost in exits, minus one for sending each. */
static void completion_exits(void)
{
	u64 n = all_exits();

	for (int i = 0; i < 1000; i++)
		self_sgi();
	n = all_exits() - n;
	put_result("exits.eoi_exits", n - 1000);	/* per interrupt, in thousandths */
}

void bare_main(void)
{
	/* Others do not know the call: SMCCC's NOT_SUPPORTED, -1. */
	bool ours = (int)hvc1(PV_FN_FEATURES, 0) >= 0;

	gic_setup();
	on_irq = count_irq;
	empty = MEASURE(LOOPS, );
	if (ours) {
		RESULT("exits.hypercall", LOOPS, hvc1(PV_FN_FEATURES, 0));
		RESULT("exits.hypercall_fast", LOOPS, hvc1(PV_FN_YIELD_TO, 0));
	}
	RESULT("exits.psci_version", LOOPS, hvc1(PSCI_VERSION, 0));
	RESULT("exits.mmio_gicd", LOOPS, mmio_read(GICD + 8));
	RESULT("exits.mmio_device", LOOPS / 10, mmio_read(UART + UART_FR));
	RESULT("exits.sysreg_id", LOOPS, read_sysreg(id_aa64pfr0_el1));

	asm volatile("msr daifclr, #2");
	RESULT("exits.timer", LOOPS / 10, timer_loop());
	RESULT("exits.self_sgi", LOOPS / 10, self_sgi());

	if (ours)
		completion_exits();
	asm volatile("msr daifset, #2");
	RESULT("exits.eoi", LOOPS, write_sysreg(1023, S3_0_C12_C12_1));

	on_irq = echo_irq;
	if (start_vcpu(1, secondary)) {
		while (!pong)
			asm volatile("yield");
		/* So many, as KVM's host once does something else for 1 ms. */
		RESULT("exits.ipi", LOOPS / 5 * 2, ipi());
	}
	put("DONE\n");
}
