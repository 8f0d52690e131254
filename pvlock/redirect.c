// SPDX-License-Identifier: GPL-2.0
/*
 * How a function of the running kernel is redirected to one of ours: by an ftrace
 * direct call to a trampoline (15 instructions), or, where arm64 kernels do not
 * have these, before 6.4, by an ftrace callback that changes the program counter
 * (155 instructions).
 */
#include <linux/ftrace.h>

#include <pvkit/compat.h>

#include "pvlock.h"

#ifdef PVK_FTRACE_DIRECT
int pvl_redirect(struct pvl_hook *h, unsigned long addr)
{
	int ret = ftrace_set_filter_ip(&h->ops, addr, 0, 0);

	return ret ? ret : register_ftrace_direct(&h->ops, (unsigned long)h->trampoline);
}

void pvl_put_back(struct pvl_hook *h)
{
	unregister_ftrace_direct(&h->ops, (unsigned long)h->trampoline, true);
}
#else
/* What the trampoline does. */
static void notrace go_to_ours(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			       struct ftrace_regs *fregs)
{
	struct pvl_hook *h = container_of(ops, struct pvl_hook, ops);
	struct pt_regs *regs = ftrace_get_regs(fregs);

	if (regs && READ_ONCE(pvl_on) && !(h->native_if_x2 && regs->regs[2]))
		regs->pc = (unsigned long)h->target;
}

int pvl_redirect(struct pvl_hook *h, unsigned long addr)
{
	int ret;

	h->ops.func = go_to_ours;
	h->ops.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY;
	ret = ftrace_set_filter_ip(&h->ops, addr, 0, 0);
	return ret ? ret : register_ftrace_function(&h->ops);
}

void pvl_put_back(struct pvl_hook *h)
{
	unregister_ftrace_function(&h->ops);
	ftrace_free_filter(&h->ops);
}
#endif
