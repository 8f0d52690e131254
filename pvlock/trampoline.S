/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ftrace direct-call trampolines. On entry, as the patched function prologue
 * leaves it: x0-x7 arguments, x9 the return address into the caller, x30 the
 * body of the traced function. On: go to ours as if the caller had called it.
 * Off: go on in the body with x30 as the caller set it. x10, x16 and x17 are
 * nobody's at a function's entry.
 */
#include <linux/linkage.h>
#include <asm/assembler.h>

	.macro	trampoline name, target, native_if=
SYM_CODE_START(\name)
	bti	c
	.ifnb	\native_if
	cbnz	\native_if, 1f
	.endif
	adrp	x16, pvl_on
	ldr	w16, [x16, #:lo12:pvl_on]
	cbz	w16, 1f
	mov	x30, x9
	b	\target
1:	mov	x10, x30
	mov	x30, x9
	ret	x10
SYM_CODE_END(\name)
	.endm

	.text
trampoline pvl_tramp_spin, pvl_spin_lock_slowpath
trampoline pvl_tramp_read, pvl_read_lock_slowpath
trampoline pvl_tramp_write, pvl_write_lock_slowpath
#ifndef CONFIG_PREEMPT_RT
trampoline pvl_tramp_osq, pvl_osq_lock
/* A wound/wait mutex (x2, ww_ctx) has rules of its own: left to the kernel. */
trampoline pvl_tramp_mutex, pvl_mutex_spin_on_owner, x2
trampoline pvl_tramp_rwsem, pvl_rwsem_spin_on_owner
#endif

	.section .bss
	.balign	4
	.global	pvl_on
pvl_on:	.skip	4

	.section .note.GNU-stack, "", %progbits
