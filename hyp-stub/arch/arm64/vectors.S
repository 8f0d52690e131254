/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exception vectors. An exit saves x0-x30, PC and PSTATE into the vCPU and
 * calls exit_sync() or exit_irq(), which return the vCPU to resume: the same
 * one, or another whose EL1 state they have loaded. The pCPU's stack is empty
 * whenever a guest runs.
 *
 * The hot hypercalls end here, in hvc_fast, clobbering only x0: KICK and
 * YIELD_TO of a vCPU that is running have nothing to schedule, unless the
 * caller has rung doorbells: every exit drains them.
 */
#define __ASSEMBLY__
#include "offsets.h"
#include "sysreg.h"
#include <pvkit/abi.h>

	/* Guest x0, x1 go on the stack, x2, x3 into the vCPU; x1 = vCPU. */
	.macro	begin_exit
	stp	x0, x1, [sp, #-16]!
	mrs	x1, tpidr_el2
	ldr	x1, [x1, #PCPU_CURRENT]
	stp	x2, x3, [x1, #VCPU_X0 + 8 * 2]
	.endm

	/* After begin_exit: the rest. Out: x0 = vCPU. */
	.macro	save_regs
	stp	x4, x5, [x1, #VCPU_X0 + 8 * 4]
	stp	x6, x7, [x1, #VCPU_X0 + 8 * 6]
	stp	x8, x9, [x1, #VCPU_X0 + 8 * 8]
	stp	x10, x11, [x1, #VCPU_X0 + 8 * 10]
	stp	x12, x13, [x1, #VCPU_X0 + 8 * 12]
	stp	x14, x15, [x1, #VCPU_X0 + 8 * 14]
	stp	x16, x17, [x1, #VCPU_X0 + 8 * 16]
	stp	x18, x19, [x1, #VCPU_X0 + 8 * 18]
	stp	x20, x21, [x1, #VCPU_X0 + 8 * 20]
	stp	x22, x23, [x1, #VCPU_X0 + 8 * 22]
	stp	x24, x25, [x1, #VCPU_X0 + 8 * 24]
	stp	x26, x27, [x1, #VCPU_X0 + 8 * 26]
	stp	x28, x29, [x1, #VCPU_X0 + 8 * 28]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x1, #VCPU_X0 + 8 * 0]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	str	x30, [x1, #VCPU_X0 + 8 * 30]
	stp	x2, x3, [x1, #VCPU_PC]
	mov	x0, x1
	.endm

	.macro	ventry target
	.balign	128
	b	\target
	.endm

	.macro	vbad code
	.balign	128
	mov	x0, #\code
	b	hyp_fault
	.endm

	.text
	.balign	2048
	.global vectors
vectors:
	vbad	0
	vbad	1
	vbad	2
	vbad	3
	vbad	4
	vbad	5
	vbad	6
	vbad	7
	.balign	128
	/* Lower EL, synchronous: an HVC with immediate 0 may be a hot call. */
	begin_exit
	mrs	x0, esr_el2
	mov	w2, #ESR_HVC64_IMM0
	cmp	w0, w2
	b.eq	hvc_fast
sync_slow:
	save_regs
	bl	exit_sync
	b	guest_resume
	ventry	irq_entry
	ventry	irq_entry			/* FIQ: group 0 is not used */
	ventry	serror_entry
	.balign	128
	b	bad_el
	.balign	128
	b	bad_el
	.balign	128
	b	bad_el
	.balign	128
	b	bad_el

irq_entry:
	begin_exit
	save_regs
	bl	exit_irq
	b	guest_resume

serror_entry:
	begin_exit
	save_regs
	bl	exit_serror
	b	guest_resume

bad_el:
	mov	x0, #16
	b	hyp_fault

	/*
	 * KICK or YIELD_TO: x1 = vCPU, guest x0 and x1 on the stack, x2 and x3
	 * in the vCPU. Anything that is not a plain success goes the long way,
	 * which does all of it again.
	 */
hvc_fast:
	ldr	w0, [sp]			/* function ID */
	mov	w2, #(PV_FN_YIELD_TO & 0xffff)
	movk	w2, #(PV_FN_YIELD_TO >> 16), lsl #16
	sub	w0, w0, w2			/* 0: YIELD_TO, 2: KICK */
	tst	w0, #~(PV_FN_KICK - PV_FN_YIELD_TO)
	b.ne	sync_slow
	ldr	x3, [x1, #VCPU_DOORBELLS]
	ldr	w3, [x3]
	cbnz	w3, sync_slow
	ldr	x3, [sp, #8]			/* target */
	cmp	x3, #MAX_VCPUS
	b.hs	sync_slow
	ldr	x2, [x1, #VCPU_VM]
	add	x2, x2, x3, lsl #3
	ldr	x2, [x2, #VM_VCPUS]
	cbz	x2, sync_slow
	cbz	w0, 1f
	mov	w3, #1
	str	w3, [x2, #VCPU_KICKED]
	dmb	ish				/* pairs with the barrier in sched_wait() */
1:	ldr	w3, [x2, #VCPU_STATE]
	cmp	w3, #VCPU_RUNNING
	b.ne	sync_slow
	ldr	x3, [x1, #VCPU_EXITS_FAST]
	add	x3, x3, #1
	str	x3, [x1, #VCPU_EXITS_FAST]
	ldp	x2, x3, [x1, #VCPU_X0 + 8 * 2]	/* leak nothing of ours */
	ldp	x0, x1, [sp], #16
	mov	x0, #PV_SUCCESS
	eret

	.global guest_resume
guest_resume:
	/* x0 = vCPU to run */
	ldp	x2, x3, [x0, #VCPU_PC]
	msr	elr_el2, x2
	msr	spsr_el2, x3
	ldp	x2, x3, [x0, #VCPU_X0 + 8 * 2]
	ldp	x4, x5, [x0, #VCPU_X0 + 8 * 4]
	ldp	x6, x7, [x0, #VCPU_X0 + 8 * 6]
	ldp	x8, x9, [x0, #VCPU_X0 + 8 * 8]
	ldp	x10, x11, [x0, #VCPU_X0 + 8 * 10]
	ldp	x12, x13, [x0, #VCPU_X0 + 8 * 12]
	ldp	x14, x15, [x0, #VCPU_X0 + 8 * 14]
	ldp	x16, x17, [x0, #VCPU_X0 + 8 * 16]
	ldp	x18, x19, [x0, #VCPU_X0 + 8 * 18]
	ldp	x20, x21, [x0, #VCPU_X0 + 8 * 20]
	ldp	x22, x23, [x0, #VCPU_X0 + 8 * 22]
	ldp	x24, x25, [x0, #VCPU_X0 + 8 * 24]
	ldp	x26, x27, [x0, #VCPU_X0 + 8 * 26]
	ldp	x28, x29, [x0, #VCPU_X0 + 8 * 28]
	ldr	x30, [x0, #VCPU_X0 + 8 * 30]
	ldp	x0, x1, [x0, #VCPU_X0 + 8 * 0]
	eret
