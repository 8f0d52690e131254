/* SPDX-License-Identifier: GPL-2.0 */
/*
 * platform/: what differs between boards. The host device tree, the console
 * UART, power control, and the memory that is left for guests.
 */
#ifndef PLATFORM_PLATFORM_H
#define PLATFORM_PLATFORM_H

#include "lib/lib.h"

#define MAX_RAM_RANGES 16

struct range {
	u64 base, size;
};

/* What the host device tree says. Filled by platform_init(), then constant. */
struct platform {
	struct range ram[MAX_RAM_RANGES];
	unsigned int nr_ram;
	u64 pcpu_mpidr[16];
	unsigned int nr_pcpus;
	u64 gicd_base, gicr_base, gicr_size;
	u64 its_base;		/* 0: it has none */
	u64 uart_base;
	u32 uart_intid;
	const void *config;	/* VM description (a device tree) */
	const void *fdt;	/* the host's own */
};
extern struct platform platform;

struct platform_device {
	u64 base, size;
	u32 intid;
	bool edge;
};
/* What the host device tree says of the node at @path; false: not all of it. */
bool platform_device(const char *path, struct platform_device *d);

/**
 * platform_init - read the host device tree and find the VM description.
 * @fdt: the tree as handed over at boot; NULL: where the board puts it.
 * Panics with what is missing.
 */
void platform_init(const void *fdt);

/* True if a device of the host device tree has shared interrupt @intid. */
bool platform_spi_used(u32 intid);

/* Keep [base, base + size) out of what platform_alloc_ram() gives away. */
void platform_reserve(u64 base, u64 size);

/**
 * platform_alloc_ram - contiguous RAM for a guest.
 * Aligned to 1 GiB where the size allows and such a place is free, so that
 * stage 2 can use the largest blocks, else to 2 MiB.
 * Returns 0 if there is no room.
 */
u64 platform_alloc_ram(u64 size);

__attribute__((noreturn)) void platform_off(void);
__attribute__((noreturn)) void platform_reset(void);

/* Console: whole lines of the hypervisor, single characters of guests. */
void console_init(u64 uart_base);
void console_enable_input(void);
void console_write_hyp(const char *line);
void console_panic(const char *line);
void console_write_raw(const char *s, size_t n);
int console_getc(void);		/* -1: nothing there */

#endif
