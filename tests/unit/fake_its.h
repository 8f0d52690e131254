/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A GICv4 for unit tests: an ITS that carries out commands when CWRITER is
 * written, and redistributors with their VPENDBASER. Guests that run take what
 * is pending when the test says so.
 */
#ifndef FAKE_ITS_H
#define FAKE_ITS_H

#include "fake_arch.h"

#define FAKE_ITS	0x8080000ULL
#define FAKE_GICR	0x80a0000ULL
#define FAKE_VPES	(MAX_VMS * MAX_VCPUS)

struct fake_its {
	u64 typer, gicr_typer;		/* what the registers say */
	bool lazy;			/* commands wait until CREADR is read for the second time */
	u32 pending[FAKE_VPES];		/* bit per event */
	u32 where[FAKE_VPES];		/* pCPU */
	u64 table[FAKE_VPES];		/* VPT */
	u32 vpe[16];			/* of event */
	u64 resident[MAX_PCPUS];	/* VPT, 0: none */
	u32 syncs, commands;
	bool bad;			/* a command made no sense */
};
extern struct fake_its fake_its;

/* The guest on @pcpu takes its vLPIs; how many there were. */
u32 fake_its_take(u32 pcpu);
/* Plug it in, for the pCPUs of fake_reset(). */
void fake_its_plug(void);

#endif
