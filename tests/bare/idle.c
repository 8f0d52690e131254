// SPDX-License-Identifier: GPL-2.0
/*
 * Is a vCPU that waits in WFI ever woken late? Runs without a hypervisor, under QEMU
 * -icount, where time stands still until the timer that it waits for (tests/suites/icount.sh).
 * Interrupts stay masked: WFI ends all the same, and no handler's time is in the result.
 * Prints: RESULT name value
 */
#include "bare.h"

#define SLEEPS 300000
#define TICKS 1000

void bare_main(void)
{
	u64 late = 0, most = 0;

	asm volatile("msr daifset, #15");
	gic_setup();
	for (u64 n = 0; n < SLEEPS; n++) {
		u64 at = now() + TICKS, woken, intid;

		write_sysreg(at, cntv_cval_el0);
		write_sysreg(1, cntv_ctl_el0);
		/* What QEMU has not accounted when WFI is executed; less than TICKS. */
		for (volatile u64 i = 0; i < 500 + n % 700; i++)
			;
		asm volatile("wfi");
		woken = now();
		if (woken > at + 1) {
			late++;
			most = woken - at > most ? woken - at : most;
		}
		write_sysreg(2, cntv_ctl_el0);	/* mask */
		isb();
		intid = read_sysreg(S3_0_C12_C12_0);	/* ICC_IAR1_EL1 */
		if (intid < 1020)
			write_sysreg(intid, S3_0_C12_C12_1);	/* ICC_EOIR1_EL1 */
	}
	put_result("sleeps", SLEEPS);
	put_result("late", late);
	put_result("most", most);
	put_result("now", now());
}
