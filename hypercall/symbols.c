// SPDX-License-Identifier: GPL-2.0
/* What the running kernel has and does not export: our modules' hooks into it. */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/tracepoint.h>

#include <pvkit/pvhyp.h>

/*
 * kallsyms_lookup_name() is not exported, but a kprobe on it knows where it is.
 * One that is not armed: arming patches text, for which all CPUs are stopped.
 */
unsigned long pvhyp_look_up(const char *symbol)
{
	static unsigned long (*kallsyms)(const char *name);
	struct kprobe kp = { .symbol_name = "kallsyms_lookup_name", .flags = KPROBE_FLAG_DISABLED };

	if (!kallsyms) {
		if (register_kprobe(&kp))
			return 0;
		kallsyms = (void *)kp.addr;
		unregister_kprobe(&kp);
	}
	return kallsyms(symbol);
}
EXPORT_SYMBOL_GPL(pvhyp_look_up);

struct wanted {
	const char *name;
	struct tracepoint *tp;
};

static void compare(struct tracepoint *tp, void *data)
{
	struct wanted *w = data;

	if (!strcmp(tp->name, w->name))
		w->tp = tp;
}

struct tracepoint *pvhyp_tracepoint(const char *name)
{
	struct wanted w = { .name = name };

	for_each_kernel_tracepoint(compare, &w);
	return w.tp;
}
EXPORT_SYMBOL_GPL(pvhyp_tracepoint);
