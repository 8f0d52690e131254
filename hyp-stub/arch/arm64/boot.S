/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entry at EL2, from an ELF loader or as an arm64 Image (Linux
 * Documentation/arch/arm64/booting.rst): MMU off, x0 = device tree or junk.
 * The image may be loaded at any 2 MiB boundary: it relocates itself.
 */
#define __ASSEMBLY__
#include "offsets.h"
#include "sysreg.h"

#define R_AARCH64_RELATIVE 1027

	.section .head, "ax"
	.global _start
_start:
	b	primary_entry
	.long	0
	.quad	0				/* text_offset */
	.quad	__image_size			/* image_size */
	.quad	0xa				/* flags: 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	.text
primary_entry:
	mov	x20, x0
	msr	daifset, #0xf
	adrp	x1, __bss_start
	add	x1, x1, :lo12:__bss_start
	adrp	x2, __bss_end
	add	x2, x2, :lo12:__bss_end
1:	cmp	x1, x2
	b.hs	2f
	str	xzr, [x1], #8
	b	1b
2:	/* Apply R_AARCH64_RELATIVE: {offset, info, addend}, linked at 0. */
	adrp	x1, __rela_start
	add	x1, x1, :lo12:__rela_start
	adrp	x2, __rela_end
	add	x2, x2, :lo12:__rela_end
	adrp	x3, _start
3:	cmp	x1, x2
	b.hs	4f
	ldp	x4, x5, [x1]
	ldr	x6, [x1, #16]
	add	x1, x1, #24
	cmp	w5, #R_AARCH64_RELATIVE
	b.ne	3b
	add	x6, x6, x3
	str	x6, [x3, x4]
	b	3b
4:	adrp	x0, pcpus
	add	x0, x0, :lo12:pcpus
	bl	cpu_setup
	mov	x0, x20
	bl	hyp_main
	b	.

	/* PSCI CPU_ON entry: x0 = struct pcpu of this pCPU. */
	.global secondary_entry
secondary_entry:
	msr	daifset, #0xf
	bl	cpu_setup
	bl	hyp_secondary_main
	b	.

	/* x0 = struct pcpu. Stack, vectors, then the MMU with the boot map. */
cpu_setup:
	msr	tpidr_el2, x0
	ldr	x1, [x0, #PCPU_STACK]
	cbnz	x1, 1f
	adrp	x1, boot_stack_top
	add	x1, x1, :lo12:boot_stack_top
	str	x1, [x0, #PCPU_STACK]
1:	mov	sp, x1
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el2, x1
	mov	x1, #CPTR_RES1
	msr	cptr_el2, x1			/* FP allowed: libfdt uses it at boot */
	isb
	stp	x29, x30, [sp, #-16]!
	bl	mmu_enable
	ldp	x29, x30, [sp], #16
	ret

	/* x0 = vCPU to run: leave EL2 for the first time on this pCPU. */
	.global enter_guest
enter_guest:
	mrs	x1, tpidr_el2
	ldr	x1, [x1, #PCPU_STACK]
	mov	sp, x1
	b	guest_resume

	.bss
	.balign	16
	.skip	16384
boot_stack_top:
