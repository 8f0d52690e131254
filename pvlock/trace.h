/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contention tracepoints, for perf lock contention: our waits are in them as
 * the kernel's would be. Modules cannot name them on older kernels, but call them.
 */
#ifndef PVLOCK_TRACE_H
#define PVLOCK_TRACE_H

#include <trace/events/lock.h>

#include <pvkit/compat.h>

#ifdef PVK_CONTENTION_EXPORTED
static inline void pvl_trace_init(void) { }
static inline void pvl_trace_begin(void *lock, unsigned int flags) { trace_contention_begin(lock, flags); }
static inline void pvl_trace_end(void *lock) { trace_contention_end(lock, 0); }
#else
extern struct tracepoint *pvl_tp_begin, *pvl_tp_end;	/* NULL: the kernel has none */
void pvl_trace_init(void);

/* Preemption is off, as tracepoints want it. */
static inline void pvl_trace_begin(void *lock, unsigned int flags)
{
	int (*call)(void *data, void *lock, unsigned int flags);

	if (!pvl_tp_begin || !static_key_enabled(&pvl_tp_begin->key))
		return;
	call = pvl_tp_begin->iterator;
	call(NULL, lock, flags);
}

static inline void pvl_trace_end(void *lock)
{
	int (*call)(void *data, void *lock, int ret);

	if (!pvl_tp_end || !static_key_enabled(&pvl_tp_end->key))
		return;
	call = pvl_tp_end->iterator;
	call(NULL, lock, 0);
}
#endif

#endif
