/* SPDX-License-Identifier: GPL-2.0 */
/* Entry of a bare test guest at its first byte, and its vectors. */
	.section .head, "ax"
	.global _start
_start:
#ifdef GUEST_XEN
	/* Xen takes Images only (Documentation/arch/arm64/booting.rst in Linux). */
	b	0f
	.long	0
	.quad	0x80000			/* text_offset: as in bare.lds */
	.quad	0x40000			/* image_size, stacks and all */
	.quad	2			/* 4 KiB pages */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
0:
#endif
	adr	x1, stack_top
	mov	sp, x1
	bl	set_up
	bl	bare_main
	bl	power_off

	/* CPU_ON: x0 = { stack, function } */
	.global secondary_start
secondary_start:
	ldp	x1, x19, [x0]
	mov	sp, x1
	bl	set_up
	blr	x19
	ldr	w0, =0x84000002			/* PSCI CPU_OFF */
	hvc	#0
	b	.

set_up:
	adr	x1, vectors
	msr	vbar_el1, x1
	mov	x1, #(3 << 20)
	msr	cpacr_el1, x1
	isb
	ret

	.macro	entry target
	.balign	128
	b	\target
	.endm

	.text
	.balign	2048
vectors:
	.rept	4
	entry	sync
	.endr
	entry	sync
	entry	irq
	entry	irq
	entry	sync
	.rept	8
	entry	sync
	.endr

	.macro	save
	sub	sp, sp, #176
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x30, [sp, #144]
	.endm

	.macro	restore
	ldp	x0, x1, [sp]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x30, [sp, #144]
	add	sp, sp, #176
	eret
	.endm

sync:
	save
	bl	handle_sync
	restore

	/* The interrupt path that is measured: acknowledge, handle, complete. */
irq:
	save
	bl	handle_irq
	restore

	.bss
	.balign	16
	.skip	16384
stack_top:
