/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bare test guest: runs at EL1 without an operating system, MMU off, as a
 * raw binary under the hypervisor, or under KVM or Xen for comparison. start.S
 * and lib.c are shared; each test is one C file with a bare_main().
 */
#ifndef BARE_H
#define BARE_H

#include <stdbool.h>

#include <pvkit/abi.h>

typedef uint64_t u64;
typedef uint32_t u32;

#ifdef GUEST_XEN			/* xen/include/public/arch-arm.h */
#define GICD		0x03001000UL
#define GICR		0x03020000UL
#define UART		0x22000000UL
#else					/* ours, and QEMU's virt */
#define GICD		0x08000000UL
#define GICR		0x080a0000UL
#define UART		0x09000000UL
#endif
#define UART_FR		0x18
#define PSCI_VERSION	0x84000000
#define PSCI_CPU_ON	0xC4000003
#define PSCI_CPU_OFF	0x84000002
#define PSCI_SYSTEM_OFF	0x84000008
#define VTIMER_INTID	27

#define read_sysreg(r) ({ u64 __v; asm volatile("mrs %0, " #r : "=r"(__v)); __v; })
#define write_sysreg(v, r) asm volatile("msr " #r ", %0" : : "r"((u64)(v)))
#define isb() asm volatile("isb" : : : "memory")

/* x0-x3 in and out; the rest is preserved by the callee (SMCCC 1.1). */
struct call { u64 x0, x1, x2, x3; };

static inline void hvc(struct call *c)
{
	register u64 x0 asm("x0") = c->x0;
	register u64 x1 asm("x1") = c->x1;
	register u64 x2 asm("x2") = c->x2;
	register u64 x3 asm("x3") = c->x3;

	asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
	*c = (struct call){ x0, x1, x2, x3 };
}

static inline u64 hvc1(u64 fn, u64 arg)
{
	struct call c = { fn, arg, 0, 0 };

	hvc(&c);
	return c.x0;
}

static inline u32 mmio_read(u64 a)
{
	u32 v;

	asm volatile("ldr %w0, [%1]" : "=r"(v) : "r"(a) : "memory");
	return v;
}

static inline void mmio_write(u64 a, u32 v)
{
	asm volatile("str %w0, [%1]" : : "r"(v), "r"(a) : "memory");
}

static inline u64 now(void)
{
	isb();
	return read_sysreg(cntvct_el0);
}

/* lib.c */
void *memcpy(void *dst, const void *src, u64 n);
void *memset(void *dst, int c, u64 n);
void put(const char *s);
void put_number(u64 v);
void put_hex(u64 v);
void put_result(const char *name, u64 value);	/* RESULT name value */
void power_off(void) __attribute__((noreturn));
u64 random(void);
void gic_setup(void);			/* this vCPU: group 1 on, SGI 1 and the timer enabled */
bool start_vcpu(unsigned int id, void (*fn)(void));	/* false: there is none of that number */

/* Set by the tests; called by the vectors. */
extern void (*volatile on_irq)(u32 intid);
/*
 * A synchronous exception skips the instruction and is counted, so that a
 * test can do what must fault.
 */
extern volatile u64 nr_faults, last_esr, last_far;

void bare_main(void);

#endif
