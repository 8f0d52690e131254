/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvhyp: main.c finds the hypervisor and shows what it counts, page.c has the
 * pages that are shared with it, life.c decides when they are, symbols.c finds
 * what the kernel does not export. kexec.c is life.c's last resort.
 */
#ifndef PVHYP_INTERNAL_H
#define PVHYP_INTERNAL_H

#include <pvkit/pvhyp.h>

/* --- main.c --- */
/* Ask the hypervisor, if there is one, what it offers. Any context. */
void pvhyp_discover(void);

/* --- page.c --- */
/* One page for each possible CPU, none registered. */
int pvhyp_pages_alloc(void);
void pvhyp_pages_free(void);
/* Register this CPU's page; interrupts are off. */
int pvhyp_page_register(void);
/* The hypervisor writes to it no more. Any context; does nothing if there is none. */
void pvhyp_page_unregister(void);

/* --- life.c --- */
int pvhyp_life_start(void);
void pvhyp_life_stop(void);
/* This kernel ends now: any context, no locks. */
void pvhyp_life_crash(void);

/* --- kexec.c --- */
#ifdef CONFIG_DYNAMIC_FTRACE
int pvhyp_kexec_hook(void);
void pvhyp_kexec_unhook(void);
#else
static inline int pvhyp_kexec_hook(void) { return -EOPNOTSUPP; }
static inline void pvhyp_kexec_unhook(void) { }
#endif

#endif
