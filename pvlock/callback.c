// SPDX-License-Identifier: GPL-2.0
/*
 * An ftrace callback that changes the program counter, as live patching does: for
 * kernels without direct calls.
 */
#include <linux/ftrace.h>

#include <pvkit/compat.h>

#include "pvlock.h"

/* One for all functions: ftrace walks every registered ops on every call. */
static struct ftrace_ops ops;
static struct pvl_hook *redirected[8];
static int nr_redirected;

/* What the trampoline does. ip is the call in the function's first instructions. */
static void notrace pvl_go_to_ours(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *unused, struct ftrace_regs *fregs)
{
	int i;

	if (!READ_ONCE(pvl_on))
		return;
	for (i = 0; i < READ_ONCE(nr_redirected); i++) {
		struct pvl_hook *h = redirected[i];

		if (ip - h->addr > 4 * AARCH64_INSN_SIZE)
			continue;
		if (!(h->native_if_x2 && pvk_ftrace_argument(fregs, 2)))
			pvk_ftrace_go_to(fregs, (unsigned long)h->target);
		return;
	}
}

int pvl_register(struct pvl_hook *h)
{
	int ret;

	if (nr_redirected == ARRAY_SIZE(redirected))
		return -ENOSPC;
	ret = ftrace_set_filter_ip(&ops, h->addr, 0, 0);
	if (!ret && !nr_redirected) {
		ops.func = pvl_go_to_ours;
		ops.flags = PVK_FTRACE_IPMODIFY;
		ret = register_ftrace_function(&ops);
		if (ret)
			ftrace_free_filter(&ops);
		else
			ops.flags |= FTRACE_OPS_FL_PERMANENT;	/* see direct.c */
	}
	if (ret)
		return ret;
	redirected[nr_redirected] = h;
	smp_store_release(&nr_redirected, nr_redirected + 1);
	return 0;
}

void pvl_put_back(struct pvl_hook *h)
{
	WRITE_ONCE(nr_redirected, nr_redirected - 1);
	if (nr_redirected) {
		ftrace_set_filter_ip(&ops, h->addr, 1, 0);
		return;
	}
	/* Unregister first: an empty filter matches every function. */
	ops.flags &= ~FTRACE_OPS_FL_PERMANENT;
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}
