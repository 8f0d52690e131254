// SPDX-License-Identifier: GPL-2.0
/* Compiled to assembly; the build turns its DEFINE lines into offsets.h. */
#include "core/core.h"

#define DEFINE(sym, val) asm volatile("\n#define " #sym " %0" : : "i"((u64)(val)))

void offsets(void)
{
	DEFINE(PCPU_CURRENT, offsetof(struct pcpu, current));
	DEFINE(PCPU_STACK, offsetof(struct pcpu, stack_top));
	DEFINE(VCPU_X0, offsetof(struct vcpu, regs.x));
	DEFINE(VCPU_PC, offsetof(struct vcpu, regs.pc));
	DEFINE(VCPU_VM, offsetof(struct vcpu, vm));
	DEFINE(VCPU_STATE, offsetof(struct vcpu, state));
	DEFINE(VCPU_DOORBELLS, offsetof(struct vcpu, doorbells));
	DEFINE(VCPU_KICKED, offsetof(struct vcpu, kicked));
	DEFINE(VCPU_EXITS_FAST, offsetof(struct vcpu, exits[PV_EXIT_HVC_FAST]));
	DEFINE(VM_VCPUS, offsetof(struct vm, vcpus));
	DEFINE(MAX_VCPUS, MAX_VCPUS);
	DEFINE(VCPU_RUNNING, VCPU_RUNNING);
}
