/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine of plain memory for unit tests: arch/arch.h and the platform with
 * a clock that the test turns. One thread plays all pCPUs: on(n) chooses.
 */
#ifndef FAKE_ARCH_H
#define FAKE_ARCH_H

/* before <cmocka.h>, which needs them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/core.h"
#include "platform/platform.h"

#define FAKE_HZ		1000000000ULL
#define MS		1000000ULL	/* ticks */
#define FAKE_RAM	MiB(512)

struct fake_pcpu {
	u64 lr[4];
	u32 hcr;
	u64 deadline;
	struct arch_vtimer vtimer;
	u32 sgis;			/* received */
	u32 ack;			/* next interrupt to acknowledge */
	u64 vbar;
	bool pending;			/* an interrupt waits, masked at EL2 */
};
extern struct fake_pcpu fake[MAX_PCPUS];
extern u64 fake_now;
extern u64 fake_mmio_addr;		/* of the last 32-bit write to a device */
extern u32 fake_mmio_value;
extern u64 (*fake_mmio_read64)(u64 addr);	/* NULL: reads 0 */
extern void (*fake_mmio_write64)(u64 addr, u64 value);
extern char fake_console[65536];	/* all output since fake_reset() */
extern jmp_buf fake_stop;		/* idle for ever (1), off (2), panic (3) */

/* A fresh machine with @pcpus pCPUs. */
void fake_reset(unsigned int pcpus);
/* One VM as the description would make it; no image of any use. */
struct vm *fake_vm(unsigned int vcpus, u64 mem);
extern void (*fake_relax)(void);	/* what happens while we wait */
void fake_quiet(void);			/* forget the console's output */
void on(unsigned int pcpu);
/* Let time pass on this pCPU, and its timer interrupt come; the vCPU after. */
struct vcpu *run_for(struct vcpu *v, u64 ticks);
struct vcpu *take_irq(struct vcpu *v, u32 intid);
/* A hypercall of the running vCPU; the vCPU after. */
struct vcpu *hvc(struct vcpu *v, u64 fn, u64 a, u64 b);

#endif
