/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memcpy and memset: they move guests' disk and network data. Guests' FP
 * registers are live, so a long run saves the sixteen that it uses first, and
 * then takes 18 instructions for 256 bytes. Addresses need no alignment, all
 * memory here is Normal.
 */
#define LONG_RUN 512
	.arch_extension fp

	/* Sixteen registers at [base], which moves on by step at the end. */
	.macro	each_pair op, base, step
	\op	q2, q3, [\base, #32]
	\op	q4, q5, [\base, #64]
	\op	q6, q7, [\base, #96]
	\op	q16, q17, [\base, #128]
	\op	q18, q19, [\base, #160]
	\op	q20, q21, [\base, #192]
	\op	q22, q23, [\base, #224]
	\op	q0, q1, [\base], #\step
	.endm

	.text
	.global memcpy
memcpy:
	mov	x3, x0
	cmp	x2, #LONG_RUN
	b.lo	2f
	sub	sp, sp, #256
	each_pair stp, sp, 0
	sub	x2, x2, #256
1:	each_pair ldp, x1, 256
	each_pair stp, x3, 256
	subs	x2, x2, #256
	b.hs	1b
	add	x2, x2, #256
	each_pair ldp, sp, 256
2:	cmp	x2, #16
	b.lo	4f
3:	ldp	x4, x5, [x1], #16
	stp	x4, x5, [x3], #16
	sub	x2, x2, #16
	cmp	x2, #16
	b.hs	3b
4:	tbz	w2, #3, 5f
	ldr	x4, [x1], #8
	str	x4, [x3], #8
5:	tbz	w2, #2, 6f
	ldr	w4, [x1], #4
	str	w4, [x3], #4
6:	tbz	w2, #1, 7f
	ldrh	w4, [x1], #2
	strh	w4, [x3], #2
7:	tbz	w2, #0, 8f
	ldrb	w4, [x1]
	strb	w4, [x3]
8:	ret

	.global memset
memset:
	mov	x3, x0
	and	x1, x1, #0xff
	orr	x1, x1, x1, lsl #8
	orr	x1, x1, x1, lsl #16
	orr	x1, x1, x1, lsl #32
	subs	x2, x2, #64
	b.lo	2f
1:	stp	x1, x1, [x3]
	stp	x1, x1, [x3, #16]
	stp	x1, x1, [x3, #32]
	stp	x1, x1, [x3, #48]
	add	x3, x3, #64
	subs	x2, x2, #64
	b.hs	1b
2:	adds	x2, x2, #64
	b.eq	4f
3:	strb	w1, [x3], #1
	subs	x2, x2, #1
	b.ne	3b
4:	ret
