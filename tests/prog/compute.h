/* SPDX-License-Identifier: GPL-2.0 */
/* Work of a known number of instructions, for programs and modules of guests. */
#ifndef COMPUTE_H
#define COMPUTE_H

#define COMPUTE_STEP 100

/*
 * @instructions: rounded down to a multiple of COMPUTE_STEP. Long runs without a branch:
 * under -icount QEMU counts down at each block, and a loop of two instructions
 * takes it ten times as long. Not of NOPs, which cost it nothing, so that in real
 * time this is work.
 */
static inline __attribute__((always_inline)) void compute(unsigned long instructions)
{
	unsigned long n = instructions / COMPUTE_STEP, sum = 0;

	if (n)
		asm volatile("1: .rept %c2\n"
			     "   add %1, %1, #1\n"
			     "   .endr\n"
			     "   subs %0, %0, #1\n"
			     "   b.ne 1b"
			     : "+r"(n), "+r"(sum)
			     : "i"(COMPUTE_STEP - 2)
			     : "cc");
}

#endif
