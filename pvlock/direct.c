// SPDX-License-Identifier: GPL-2.0
/* ftrace direct calls: arm64 has them since 6.4, but not with CFI_CLANG or when built for size. */
#include <linux/ftrace.h>

#include "pvlock.h"

/*
 * A registered ops is PERMANENT: kernel.ftrace_enabled=0, which would take the
 * redirection away, is refused with EBUSY.
 */
int pvl_register(struct pvl_hook *h)
{
	int ret = ftrace_set_filter_ip(&h->ops, h->addr, 0, 0);

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
