// SPDX-License-Identifier: GPL-2.0
/* Makes a function of the kernel fail: function=NAME, ret=VALUE; calls: how often it did. */
#include <linux/kprobes.h>
#include <linux/module.h>

static char *function = "";
module_param(function, charp, 0444);
static long ret = -ENOMEM;
module_param(ret, long, 0444);
static unsigned int calls;
module_param(calls, uint, 0444);

static int instead(struct kprobe *kp, struct pt_regs *regs)
{
	calls++;
	regs->regs[0] = ret;
	instruction_pointer_set(regs, regs->regs[30]);
	return 1;		/* nothing to be stepped over */
}

static struct kprobe probe = { .pre_handler = instead };

static int __init fail_call_init(void)
{
	probe.symbol_name = function;
	return register_kprobe(&probe);
}

static void __exit fail_call_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(fail_call_init);
module_exit(fail_call_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("makes a function of the kernel fail");
