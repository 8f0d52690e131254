// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that does what it must not: random calls, known calls with random
 * arguments, HVC immediates, every EL1 system register encoding, MMIO outside
 * the map and of wrong size. Each must end in an error value or in an
 * exception in this guest. Prints KTAP.
 */
#include "bare.h"

#define CALLS 100000
#define RAM 0x40000000UL

static unsigned int test;

static void report(int ok, const char *name)
{
	put(ok ? "ok " : "not ok ");
	put_number(++test);
	put(" ");
	put(name);
	put("\n");
}

static u64 spare_page[512] __attribute__((aligned(4096)));

/* x0-x3 in, x0 out; fails if x4-x17 or the callee-saved registers changed. */
static int call_keeps_registers(u64 regs[4])
{
	u64 bad;

	asm volatile(
		"ldp x0, x1, [%1]\n ldp x2, x3, [%1, #16]\n"
		"stp %1, x29, [sp, #-16]!\n"
		"mov x4, #0x1004\n mov x5, #0x1005\n mov x6, #0x1006\n mov x7, #0x1007\n"
		"mov x8, #0x1008\n mov x9, #0x1009\n mov x10, #0x100a\n mov x11, #0x100b\n"
		"mov x12, #0x100c\n mov x13, #0x100d\n mov x14, #0x100e\n mov x15, #0x100f\n"
		"mov x16, #0x1010\n mov x17, #0x1011\n"
		"hvc #0\n"
		"mov x18, #0\n"
		".macro same r, v\n sub \\r, \\r, #0x1000\n sub \\r, \\r, #\\v\n orr x18, x18, \\r\n .endm\n"
		"same x4, 4\n same x5, 5\n same x6, 6\n same x7, 7\n same x8, 8\n same x9, 9\n"
		"same x10, 10\n same x11, 11\n same x12, 12\n same x13, 13\n same x14, 14\n"
		"same x15, 15\n same x16, 16\n same x17, 17\n"
		".purgem same\n"
		"ldp %1, x29, [sp], #16\n"
		"stp x0, x1, [%1]\n stp x2, x3, [%1, #16]\n"
		"mov %0, x18\n"
		: "=&r"(bad), "+r"(regs) : :
		"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
		"x13", "x14", "x15", "x16", "x17", "x18", "memory");
	return !bad;
}

/* Calls that end or pause this vCPU, or that exist. */
static int is_known(u32 fn)
{
	return (fn & 0xbfffffe0) == 0x84000000 || fn == 0x80000000 || fn == 0x80000001 ||
		fn == PV_FN_UID || (fn >= PV_FN_FEATURES && fn <= PV_FN_IO_IRQ) ||
		fn == 0xC5000020 || fn == 0xC5000021 || (fn & 0xbfffffff) == 0x84000053 ||
		(fn >= 0x84000050 && fn <= 0x84000053);
}

static void random_calls(void)
{
	int kept = 1, unknown = 1;

	for (int i = 0; i < CALLS; i++) {
		u64 r[4] = { random(), random(), random(), random() };
		u32 fn = (u32)r[0];

		if (i & 1)	/* near the real ranges */
			fn = (fn & 0xff) | (u32[]){ 0x84000000, 0xC4000000, 0xC6000000, 0x86000000,
				0x80000000, 0xC5000000, 0x8600FF00, 0xC6000100 }[fn >> 29];
		if (is_known(fn))
			continue;
		r[0] = fn;
		kept &= call_keeps_registers(r);
		unknown &= r[0] == (u64)PV_ENOTSUPP;
	}
	report(kept, "100000 random calls keep x4-x17");
	report(unknown, "unknown calls return NOT_SUPPORTED");
}

static void known_calls(void)
{
	static const u32 fns[] = {
		PV_FN_UID, PV_FN_FEATURES, PV_FN_PAGE_REGISTER, PV_FN_PAGE_UNREGISTER, PV_FN_YIELD,
		PV_FN_YIELD_TO, PV_FN_KICK, PV_FN_NOTIFY, PV_FN_MULTICALL, PV_FN_STATS,
		PV_FN_IO_REGISTER, PV_FN_IO_WRITE, PV_FN_IO_POLL, PV_FN_IO_IRQ, 0xC5000020, 0xC5000021,
		0x84000050, 0x84000051, 0x84000052, 0x84000053, 0xC4000053, 0x84000000, 0x8400000a,
		0x84000004, 0xC4000004, 0xC4000003, 0x84000003, 0x80000000, 0x80000001,
	};
	int kept = 1;

	for (int i = 0; i < CALLS; i++) {
		u64 r[4] = { fns[random() % (sizeof(fns) / 4)], random(), random(), random() };

		for (int a = 1; a < 4; a++) {
			switch (random() & 3) {
			case 0: r[a] &= 0xff; break;
			case 1: r[a] = (u64)spare_page + (r[a] & 0x1f); break;
			case 2: r[a] = RAM + (r[a] & 0x1ffffff); break;	/* in and past the end */
			}
		}
		/* Do not let it write over this program, nor start a second one in it. */
		if ((u32)r[0] == PV_FN_PAGE_REGISTER || (u32)r[0] == PV_FN_MULTICALL)
			if (r[1] >= RAM && r[1] < RAM + 0x1000000)
				r[1] = (u64)spare_page + (r[1] & 0xff8);
		if (((u32)r[0] & 0xbfffffff) == 0x84000003)
			r[1] |= 0x100;
		kept &= call_keeps_registers(r);
	}
	report(kept, "known calls with random arguments keep x4-x17");
}

static u64 call(u64 fn, u64 a, u64 b)
{
	struct call c = { fn, a, b, 0 };

	hvc(&c);
	return c.x0;
}

static void shared_page(void)
{
	hvc1(PV_FN_PAGE_UNREGISTER, 0);
	report(hvc1(PV_FN_PAGE_UNREGISTER, 0) == (u64)PV_EDENIED, "unregistering nothing is denied");
	report(hvc1(PV_FN_PAGE_REGISTER, (u64)spare_page + 8) == (u64)PV_EINVAL, "unaligned page");
	report(hvc1(PV_FN_PAGE_REGISTER, 0x09000000) == (u64)PV_EINVAL, "page in a device");
	report(hvc1(PV_FN_PAGE_REGISTER, 0x090a0000) == (u64)PV_EINVAL, "page in the stolen time page");
	report(hvc1(PV_FN_PAGE_REGISTER, RAM - 4096) == (u64)PV_EINVAL, "page below RAM");
	report(hvc1(PV_FN_PAGE_REGISTER, RAM + 0x1000000) == (u64)PV_EINVAL, "page above RAM");
	report(hvc1(PV_FN_PAGE_REGISTER, ~0xfffULL) == (u64)PV_EINVAL, "page at the end of addresses");
	report(hvc1(PV_FN_PAGE_REGISTER, (u64)spare_page) == 0, "a good page");
	report(hvc1(PV_FN_PAGE_REGISTER, (u64)spare_page) == 0, "registered twice");
	report(hvc1(PV_FN_PAGE_UNREGISTER, 0) == 0, "unregistered");
	report(call(PV_FN_YIELD_TO, 99, 0) == (u64)PV_EINVAL, "YIELD_TO no vCPU");
	report(call(PV_FN_YIELD_TO, 1, 0) == (u64)PV_EDENIED, "YIELD_TO a vCPU that is off");
	report(call(PV_FN_KICK, ~0ULL, 0) == (u64)PV_EINVAL, "KICK no vCPU");
	report(call(PV_FN_STATS, 0, PV_EXIT_NR) == (u64)PV_EINVAL, "STATS past the end");
	report(call(PV_FN_MULTICALL, (u64)spare_page, 65) == (u64)PV_EINVAL, "MULTICALL too long");
	report(call(PV_FN_MULTICALL, RAM + 0x1000000 - 40, 2) == (u64)PV_EINVAL,
	       "MULTICALL across the end of RAM");
}

static void multicall(void)
{
	struct pv_multicall *m = (struct pv_multicall *)spare_page;

	memset(m, 0, 4096);
	m[0] = (struct pv_multicall){ PV_FN_KICK, 0, { 0 }, 1 };
	m[1] = (struct pv_multicall){ PV_FN_YIELD, 0, { 0 }, 1 };
	m[2] = (struct pv_multicall){ 0x84000008, 0, { 0 }, 1 };
	m[3] = (struct pv_multicall){ PV_FN_KICK, 0, { 77 }, 1 };
	report(call(PV_FN_MULTICALL, (u64)m, 4) == 0 && m[0].ret == 0 &&
	       m[1].ret == (u64)PV_ENOTSUPP && m[2].ret == (u64)PV_ENOTSUPP &&
	       m[3].ret == (u64)PV_EINVAL, "MULTICALL results, one by one");
}

static u64 hvc_imm(void)
{
	register u64 x0 asm("x0") = 0x84000008;		/* would be SYSTEM_OFF */

	asm volatile("hvc #1" : "+r"(x0));
	if (x0 != (u64)PV_ENOTSUPP)
		return 0;
	x0 = 0x84000008;
	asm volatile("hvc #0xffff" : "+r"(x0));
	return x0 == (u64)PV_ENOTSUPP;
}

/* Run one instruction, from a place that can be written. */
static u64 run_code(u32 insn)
{
	static u32 code[2] __attribute__((aligned(64)));
	u64 faults = nr_faults;

	code[0] = insn;
	code[1] = 0xd65f03c0;		/* ret */
	asm volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" : : "r"(code) : "memory");
	asm volatile("mov x1, xzr\n blr %0" : : "r"(code) :
		     "x0", "x1", "x2", "x3", "x30", "memory", "cc");
	return nr_faults - faults;
}

/*
 * Every MRS encoding, op0 2 and 3. Writes only where they cannot switch this
 * program itself off: not to SCTLR, VBAR, TTBR, TCR, the stack pointer, ...
 */
static void system_registers(void)
{
	u64 reads = 0, undefined = 0, other = 0;

	for (u32 enc = 0; enc < 0x10000; enc++) {
		u32 op0 = 2 + (enc >> 15), op1 = enc >> 12 & 7, crn = enc >> 8 & 15;
		u32 crm = enc >> 4 & 15, op2 = enc & 7 ;
		u32 insn = 0xd5200000 | (op0 & 3) << 19 | op1 << 16 | crn << 12 | crm << 8 |
			(op2 & 7) << 5;

		if (op0 > 3)
			break;
		if (crn == 12 && (crm == 12 || crm == 8) && !op1)
			continue;	/* acknowledging interrupts has side effects */
		reads++;
		if (run_code(insn)) {
			u32 ec = last_esr >> 26;

			/*
			 * FEAT_IDST reports undefined ID registers as a trap, and
			 * this guest's own CPACR disables SVE and SME (0x19, 0x1d).
			 */
			if (ec == 0 || (ec == 0x18 && crn == 0) || ec == 0x19 || ec == 0x1d)
				undefined++;
			else if (other++ < 5) {
				put("# ");
				put_hex(insn);
				put(" esr ");
				put_hex(last_esr);
				put("\n");
			}
		}
		if (op0 == 2 && op1 == 0 && run_code((insn & ~0x200000U) | 31))
			other += last_esr >> 26 != 0;	/* debug registers: writes too */
	}
	put("# reads ");
	put_number(reads);
	put(", undefined ");
	put_number(undefined);
	put("\n");
	report(reads > 30000 && undefined > 1000 && !other,
	       "system registers: a value or undefined, nothing else");
}

static u64 fault_at(u64 addr, int size, int write)
{
	u64 before = nr_faults;

	switch (size) {
	case 1:
		if (write)
			asm volatile("strb wzr, [%0]" : : "r"(addr) : "memory");
		else
			asm volatile("ldrb w1, [%0]" : : "r"(addr) : "x1", "memory");
		break;
	case 2:
		asm volatile("ldrh w1, [%0]" : : "r"(addr) : "x1", "memory");
		break;
	case 8:
		asm volatile("ldr x1, [%0]" : : "r"(addr) : "x1", "memory");
		break;
	case 16:
		asm volatile("ldp x1, x2, [%0]" : : "r"(addr) : "x1", "x2", "memory");
		break;
	default:
		if (write)
			asm volatile("str wzr, [%0]" : : "r"(addr) : "memory");
		else
			asm volatile("ldr w1, [%0]" : : "r"(addr) : "x1", "memory");
	}
	return nr_faults - before;
}

static void mmio(void)
{
	int outside = 1;

	for (int i = 0; i < 2000; i++) {
		u64 a = random() & 0x3fffffff & ~3ULL;

		if ((a >= GICD && a < GICD + 0x200000) || (a >= UART && a < UART + 0x100000))
			continue;
		outside &= fault_at(a, 4, i & 1) == 1;
	}
	report(outside, "MMIO outside the map aborts");
	report(fault_at(RAM + 0x1000000, 4, 0) == 1, "reading past the end of RAM aborts");
	report(fault_at(0x4000000000UL, 4, 1) == 1, "writing far above RAM aborts");
	report(fault_at(GICD + 4, 16, 0) == 1, "a pair of registers aborts");
	report(fault_at(GICD + 4, 2, 0) == 1, "a 16-bit access to the distributor aborts");
	report(fault_at(GICD + 8, 8, 0) == 1, "a 64-bit access to a 32-bit register aborts");
	report(fault_at(GICR + 0x20000 * 16, 4, 0) == 1, "a redistributor of no vCPU aborts");
	report(fault_at(GICD + 0x400, 1, 1) == 0, "a byte of the priorities is fine");
	report(fault_at(0x090a0000, 4, 1) == 1, "writing stolen time aborts");
	report(fault_at(0x090a0000, 4, 0) == 0, "reading stolen time is fine");
}

/* Every register of the interrupt controller and the UART, with random values. */
static void devices(void)
{
	for (int i = 0; i < 50000; i++) {
		u64 a = (random() & 1 ? GICD : GICR) + (random() & 0x1fffc);
		u64 r = random();

		if (a == GICD || r & 2)
			fault_at(a, 4, 0);
		else
			mmio_write(a, (u32)(r >> 32));
	}
	for (int i = 0; i < 5000; i++) {
		u64 a = UART + (random() & 0xffc);

		if (a == UART)
			continue;
		if (random() & 1)
			mmio_write(a, (u32)random());
		else
			fault_at(a, 4, 0);
	}
	report(1, "devices survive random accesses");
}

void bare_main(void)
{
	put("KTAP version 1\n1..33\n");
	shared_page();
	multicall();
	report(hvc_imm() != 0, "HVC with an immediate returns NOT_SUPPORTED");
	system_registers();
	mmio();
	devices();
	random_calls();
	known_calls();
	put("# faults taken ");
	put_number(nr_faults);
	put("\n");
}
