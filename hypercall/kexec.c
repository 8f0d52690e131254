// SPDX-License-Identifier: GPL-2.0
/*
 * The last moment before another kernel runs: machine_kexec(), which both kexec
 * and kdump end in, with all other CPUs stopped. A crash comes there without
 * calling any notifier, unless crash_kexec_post_notifiers is set: so ftrace
 * calls us. In kernels that do not let it be traced, or with
 * kernel.ftrace_enabled=0, pages are unregistered in all cases but that one.
 */
#include <linux/ftrace.h>

#include "pvhyp_internal.h"

static void notrace on_machine_kexec(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	pvhyp_life_crash();
}

static struct ftrace_ops ops = { .func = on_machine_kexec };

int pvhyp_kexec_hook(void)
{
	unsigned long addr = pvhyp_look_up("machine_kexec");
	int ret = addr ? ftrace_set_filter_ip(&ops, addr, 0, 0) : -ENOENT;

	if (ret)
		return ret;
	/* PERMANENT: an error while ftrace is switched off. It may be switched off later. */
	ops.flags |= FTRACE_OPS_FL_PERMANENT;
	ret = register_ftrace_function(&ops);
	ops.flags &= ~FTRACE_OPS_FL_PERMANENT;
	if (ret)
		ftrace_free_filter(&ops);
	return ret;
}

void pvhyp_kexec_unhook(void)
{
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}
