// SPDX-License-Identifier: GPL-2.0
/*
 * How a function of the running kernel is redirected to one of ours: by an ftrace
 * direct call to a trampoline (7 to 13 instructions), or, where arm64 kernels do not
 * have these, before 6.4, by an ftrace callback that changes the program counter
 * (171 instructions).
 */
#include <linux/ftrace.h>

#include <pvkit/compat.h>

#include "pvlock.h"

/*
 * A registered ops is PERMANENT: kernel.ftrace_enabled=0, which would take the
 * redirection away, is refused with EBUSY.
 */
#ifdef PVK_FTRACE_DIRECT
int pvl_redirect(struct pvl_hook *h, unsigned long addr)
{
	int ret = ftrace_set_filter_ip(&h->ops, addr, 0, 0);

	if (!ret)
		ret = register_ftrace_direct(&h->ops, (unsigned long)h->trampoline);
	if (ret)
		ftrace_free_filter(&h->ops);
	else
		h->ops.flags |= FTRACE_OPS_FL_PERMANENT;
	return ret;
}

void pvl_put_back(struct pvl_hook *h)
{
	h->ops.flags &= ~FTRACE_OPS_FL_PERMANENT;
	unregister_ftrace_direct(&h->ops, (unsigned long)h->trampoline, true);
}
#else
/* One for all functions: each one that is registered is looked at in each call. */
static struct ftrace_ops ops;
static struct pvl_hook *redirected[8];
static int nr_redirected;

/* What the trampoline does. ip is the call in the function's first instructions. */
static void notrace go_to_ours(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *unused,
			       struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);
	int i;

	if (!regs || !READ_ONCE(pvl_on))
		return;
	for (i = 0; i < READ_ONCE(nr_redirected); i++) {
		struct pvl_hook *h = redirected[i];

		if (ip - h->addr > 4 * AARCH64_INSN_SIZE)
			continue;
		if (!(h->native_if_x2 && regs->regs[2]))
			regs->pc = (unsigned long)h->target;
		return;
	}
}

/* Both are called by one task, the last that was redirected is put back first. */
int pvl_redirect(struct pvl_hook *h, unsigned long addr)
{
	int ret;

	if (nr_redirected == ARRAY_SIZE(redirected))
		return -ENOSPC;
	ret = ftrace_set_filter_ip(&ops, addr, 0, 0);
	if (!ret && !nr_redirected) {
		ops.func = go_to_ours;
		ops.flags |= FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY;
		ret = register_ftrace_function(&ops);
		if (ret)
			ftrace_free_filter(&ops);
		else
			ops.flags |= FTRACE_OPS_FL_PERMANENT;
	}
	if (ret)
		return ret;
	h->addr = addr;
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
	/* Not by the filter: an empty one is that of all functions. */
	ops.flags &= ~FTRACE_OPS_FL_PERMANENT;
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}
#endif
