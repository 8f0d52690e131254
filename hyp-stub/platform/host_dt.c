// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the host's device tree: RAM, CPUs, GICv3, PL011, and where the boot
 * loader left the VM description: /chosen/bootargs "pvkit.config=<address>",
 * else the initrd of /chosen (boot as Image with the description as initrd).
 */
#include <libfdt.h>

#include "arch/arch.h"
#include "platform/platform.h"

#define QEMU_VIRT_DTB 0x40000000UL	/* where QEMU leaves it for an ELF */

struct platform platform;

static u64 cells(const fdt32_t *p, int n)
{
	u64 v = 0;

	while (n--)
		v = v << 32 | fdt32_to_cpu(*p++);
	return v;
}

/* The index-th (address, size) of a node's reg; false past its end. */
static bool get_reg(const void *fdt, int node, int index, u64 *base, u64 *size)
{
	int parent = fdt_parent_offset(fdt, node), len;
	int ac = fdt_address_cells(fdt, parent), sc = fdt_size_cells(fdt, parent);
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);

	if (!reg || ac < 1 || sc < 0 || len < (index + 1) * (ac + sc) * 4)
		return false;
	reg += index * (ac + sc);
	*base = cells(reg, ac);
	*size = cells(reg + ac, sc);
	return true;
}

static bool is_type(const void *fdt, int node, const char *type)
{
	const char *s = fdt_getprop(fdt, node, "device_type", NULL);

	return s && !strcmp(s, type);
}

static void find_ram_and_cpus(const void *fdt)
{
	u64 base, size;
	int node, i;

	for (node = fdt_next_node(fdt, -1, NULL); node >= 0; node = fdt_next_node(fdt, node, NULL)) {
		if (is_type(fdt, node, "memory")) {
			for (i = 0; get_reg(fdt, node, i, &base, &size); i++)
				if (platform.nr_ram < MAX_RAM_RANGES)
					platform.ram[platform.nr_ram++] = (struct range){ base, size };
		} else if (is_type(fdt, node, "cpu") && get_reg(fdt, node, 0, &base, &size)) {
			if (platform.nr_pcpus < MIN(ARRAY_SIZE(platform.pcpu_mpidr), MAX_PCPUS))
				platform.pcpu_mpidr[platform.nr_pcpus++] = base;
		}
	}
	if (!platform.nr_ram)
		panic("host device tree: no memory node");
	if (!platform.nr_pcpus)
		panic("host device tree: no cpu node");
}

static void find_devices(const void *fdt)
{
	int node, len;
	u64 size;
	const fdt32_t *irq;

	node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl011");
	if (node >= 0 && get_reg(fdt, node, 0, &platform.uart_base, &size)) {
		console_init(platform.uart_base);
		irq = fdt_getprop(fdt, node, "interrupts", &len);
		if (irq && len >= 12)
			platform.uart_intid = fdt32_to_cpu(irq[1]) + 32;
	}
	node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3");
	if (node < 0 || !get_reg(fdt, node, 0, &platform.gicd_base, &size) ||
	    !get_reg(fdt, node, 1, &platform.gicr_base, &platform.gicr_size))
		panic("host device tree: no arm,gic-v3 with distributor and redistributors");
	node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3-its");
	if (node < 0 || !get_reg(fdt, node, 0, &platform.its_base, &size))
		platform.its_base = 0;
}

bool platform_device(const char *path, struct platform_device *d)
{
	int node = fdt_path_offset(platform.fdt, path), len = 0;
	const fdt32_t *irq = node < 0 ? NULL : fdt_getprop(platform.fdt, node, "interrupts", &len);

	if (!irq || len < 12 || fdt32_to_cpu(irq[0]) || !get_reg(platform.fdt, node, 0, &d->base, &d->size))
		return false;
	d->intid = fdt32_to_cpu(irq[1]) + 32;
	d->edge = fdt32_to_cpu(irq[2]) & 3;
	return true;
}

bool platform_spi_used(u32 intid)
{
	int node, len;

	for (node = fdt_next_node(platform.fdt, -1, NULL); node >= 0;
	     node = fdt_next_node(platform.fdt, node, NULL)) {
		const fdt32_t *irq = fdt_getprop(platform.fdt, node, "interrupts", &len);

		for (int i = 0; irq && i + 3 <= len / 4; i += 3)
			if (!fdt32_to_cpu(irq[i]) && fdt32_to_cpu(irq[i + 1]) + 32 == intid)
				return true;
	}
	return false;
}

static void find_config(const void *fdt)
{
	int chosen = fdt_path_offset(fdt, "/chosen"), len;
	const char *args = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, "bootargs", NULL);
	const char *s = args ? strstr(args, "pvkit.config=") : NULL;
	const fdt32_t *initrd = chosen < 0 ? NULL :
		fdt_getprop(fdt, chosen, "linux,initrd-start", &len);
	u64 at = 0;

	if (s)
		at = strtoul(s + strlen("pvkit.config="), NULL, 0);
	else if (initrd)
		at = cells(initrd, len / 4);
	if (!at)
		panic("no VM description: give pvkit.config=ADDRESS in bootargs, or an initrd");
	arch_map_ram(at, PAGE_SIZE);
	if (fdt_check_header((const void *)at))
		panic("VM description at 0x%llx is not a device tree", (unsigned long long)at);
	arch_map_ram(at, fdt_totalsize((const void *)at));
	platform.config = (const void *)at;
	platform_reserve(at, fdt_totalsize(platform.config));
}

static void reserve_host_regions(const void *fdt)
{
	extern char __image_start[], __image_end[];
	u64 base, size;
	int i, node, parent = fdt_path_offset(fdt, "/reserved-memory");

	platform_reserve((u64)__image_start, (u64)(__image_end - __image_start));
	platform_reserve((u64)fdt, fdt_totalsize(fdt));
	for (i = 0; i < fdt_num_mem_rsv(fdt); i++)
		if (!fdt_get_mem_rsv(fdt, i, &base, &size))
			platform_reserve(base, size);
	if (parent < 0)
		return;
	fdt_for_each_subnode(node, fdt, parent)
		for (i = 0; get_reg(fdt, node, i, &base, &size); i++)
			platform_reserve(base, size);
}

void platform_init(const void *fdt)
{
	if (!fdt)
		fdt = (const void *)QEMU_VIRT_DTB;
	arch_map_ram((u64)fdt, PAGE_SIZE);
	if (fdt_check_header(fdt))
		fdt = (const void *)QEMU_VIRT_DTB;
	arch_map_ram((u64)fdt, PAGE_SIZE);
	if (fdt_check_header(fdt))
		platform_off();		/* no console known: nothing to say it on */
	platform.fdt = fdt;
	find_devices(fdt);
	find_ram_and_cpus(fdt);
	for (unsigned int i = 0; i < platform.nr_ram; i++)
		arch_map_ram(platform.ram[i].base, platform.ram[i].size);
	reserve_host_regions(fdt);
	find_config(fdt);
}

/* The host's own PSCI (Arm DEN0022 5.9, 5.10), conduit SMC. */
void platform_off(void)
{
	arch_smc(0x84000008, 0, 0, 0);
	for (;;)
		arch_relax();
}

void platform_reset(void)
{
	arch_smc(0x84000009, 0, 0, 0);
	for (;;)
		arch_relax();
}
