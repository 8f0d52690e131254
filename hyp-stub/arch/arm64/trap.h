/* SPDX-License-Identifier: GPL-2.0 */
/* Private to arch/arm64: what trap.c hands to its neighbours. */
#ifndef ARCH_ARM64_TRAP_H
#define ARCH_ARM64_TRAP_H

#include "core/core.h"

/* Called by the assembly. The exits return the vCPU to resume. */
struct vcpu *exit_sync(struct vcpu *v);
struct vcpu *exit_irq(struct vcpu *v);
struct vcpu *exit_serror(struct vcpu *v);
__attribute__((noreturn)) void hyp_fault(u64 vector);
void mmu_enable(void);
u64 pmu_init(void);

/* A trapped MRS or MSR; false: undefined. */
bool sysreg_emulate(struct vcpu *v, u64 esr);
/* ID register S3_0_C0_C<crm>_<op2> as guests see it. */
u64 idreg_read(unsigned int crm, unsigned int op2);

#endif
