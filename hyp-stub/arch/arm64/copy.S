/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memcpy and memset on general registers: guests' FP registers are live. They
 * move guests' disk and network data, so the long run counts: 128 bytes in 18
 * instructions. Addresses need no alignment, all memory here is Normal.
 */
	.text
	.global memcpy
memcpy:
	mov	x3, x0
	subs	x2, x2, #128
	b.lo	2f
1:	ldp	x4, x5, [x1]
	ldp	x6, x7, [x1, #16]
	ldp	x8, x9, [x1, #32]
	ldp	x10, x11, [x1, #48]
	stp	x4, x5, [x3]
	stp	x6, x7, [x3, #16]
	stp	x8, x9, [x3, #32]
	stp	x10, x11, [x3, #48]
	ldp	x4, x5, [x1, #64]
	ldp	x6, x7, [x1, #80]
	ldp	x8, x9, [x1, #96]
	ldp	x10, x11, [x1, #112]
	add	x1, x1, #128
	stp	x4, x5, [x3, #64]
	stp	x6, x7, [x3, #80]
	stp	x8, x9, [x3, #96]
	stp	x10, x11, [x3, #112]
	add	x3, x3, #128
	subs	x2, x2, #128
	b.hs	1b
2:	add	x2, x2, #128
	cmp	x2, #16
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
