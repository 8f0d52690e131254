// SPDX-License-Identifier: GPL-2.0
/*
 * The device tree that a guest gets: the part of QEMU virt that we provide.
 * libfdt keeps the first error, so it is looked at once, at the end.
 */
#include <libfdt.h>

#include "core/core.h"
#include "virtio/virtio.h"

#define PHANDLE_GIC	1
#define PHANDLE_CLOCK	2
#define GIC_SPI		0
#define GIC_PPI		1
#define IRQ_EDGE_RISING	1
#define IRQ_LEVEL_HIGH	4

static int cells(void *fdt, const char *name, unsigned int n, const u32 *v)
{
	fdt32_t be[16];

	for (unsigned int i = 0; i < n; i++)
		be[i] = cpu_to_fdt32(v[i]);
	return fdt_property(fdt, name, be, (int)(n * 4));
}

#define CELLS(fdt, name, ...) ({ \
	const u32 v[] = { __VA_ARGS__ }; \
	cells(fdt, name, ARRAY_SIZE(v), v); \
})
#define HI(x) (u32)((u64)(x) >> 32)
#define LO(x) (u32)(x)

static int cpu_nodes(void *fdt, const struct vm *vm)
{
	int err = fdt_begin_node(fdt, "cpus");

	err |= fdt_property_u32(fdt, "#address-cells", 1);
	err |= fdt_property_u32(fdt, "#size-cells", 0);
	for (u32 i = 0; i < vm->nr_vcpus; i++) {
		char name[16];

		hyp_snprintf(name, sizeof(name), "cpu@%x", i);
		err |= fdt_begin_node(fdt, name);
		err |= fdt_property_string(fdt, "device_type", "cpu");
		err |= fdt_property_string(fdt, "compatible", "arm,armv8");
		err |= fdt_property_string(fdt, "enable-method", "psci");
		err |= fdt_property_u32(fdt, "reg", (u32)vm->vcpus[i]->mpidr);
		err |= fdt_end_node(fdt);
	}
	return err | fdt_end_node(fdt);
}

static int irq_nodes(void *fdt, const struct vm *vm)
{
	u64 gicr_size = (u64)vm->nr_vcpus * VGIC_GICR_STRIDE;
	int err = fdt_begin_node(fdt, "intc@8000000");

	err |= fdt_property_string(fdt, "compatible", "arm,gic-v3");
	err |= CELLS(fdt, "reg", 0, GUEST_GICD_BASE, 0, GUEST_GICD_SIZE,
		     0, GUEST_GICR_BASE, HI(gicr_size), LO(gicr_size));
	err |= fdt_property_u32(fdt, "#interrupt-cells", 3);
	err |= fdt_property(fdt, "interrupt-controller", NULL, 0);
	err |= fdt_property_u32(fdt, "phandle", PHANDLE_GIC);
	err |= fdt_end_node(fdt);

	err |= fdt_begin_node(fdt, "timer");
	err |= fdt_property_string(fdt, "compatible", "arm,armv8-timer");
	err |= CELLS(fdt, "interrupts", GIC_PPI, 13, IRQ_LEVEL_HIGH,	/* secure: unused */
		     GIC_PPI, INTID_PTIMER - 16, IRQ_LEVEL_HIGH,
		     GIC_PPI, INTID_VTIMER - 16, IRQ_LEVEL_HIGH,
		     GIC_PPI, 10, IRQ_LEVEL_HIGH);			/* hypervisor: unused */
	err |= fdt_property(fdt, "always-on", NULL, 0);
	return err | fdt_end_node(fdt);
}

static int uart_node(void *fdt, const struct vm *vm)
{
	static const char compatible[] = "arm,pl011\0arm,primecell";
	static const char names[] = "uartclk\0apb_pclk";
	int err = fdt_begin_node(fdt, "apb-pclk");

	err |= fdt_property_string(fdt, "compatible", "fixed-clock");
	err |= fdt_property_u32(fdt, "#clock-cells", 0);
	err |= fdt_property_u32(fdt, "clock-frequency", 24000000);
	err |= fdt_property_u32(fdt, "phandle", PHANDLE_CLOCK);
	err |= fdt_end_node(fdt);

	err |= fdt_begin_node(fdt, "pl011@9000000");
	err |= fdt_property(fdt, "compatible", compatible, sizeof(compatible));
	err |= CELLS(fdt, "reg", 0, GUEST_UART_BASE, 0, 0x1000);
	err |= CELLS(fdt, "interrupts", GIC_SPI, vm->uart_intid - 32,
		     vm->partitioned ? IRQ_EDGE_RISING : IRQ_LEVEL_HIGH);
	err |= CELLS(fdt, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
	err |= fdt_property(fdt, "clock-names", names, sizeof(names));
	return err | fdt_end_node(fdt);
}

/* As on QEMU virt: 32 bits of address say which, "pvkit,virtio" that it is ours. */
static int virtio_nodes(void *fdt, const struct vm *vm)
{
	static const char compatible[] = "pvkit,virtio\0virtio,mmio";
	int err = 0;

	for (u32 i = 0; i < vm->nr_virtio; i++) {
		u64 base = GUEST_VIRTIO_BASE + i * GUEST_VIRTIO_STRIDE;
		char name[32];

		hyp_snprintf(name, sizeof(name), "virtio_mmio@%x", (u32)base);
		err |= fdt_begin_node(fdt, name);
		err |= fdt_property(fdt, "compatible", compatible, sizeof(compatible));
		err |= CELLS(fdt, "reg", 0, LO(base), 0, GUEST_VIRTIO_STRIDE);
		err |= CELLS(fdt, "interrupts", GIC_SPI, vm->virtio[i]->intid - 32, IRQ_EDGE_RISING);
		err |= fdt_property_u32(fdt, "pvkit,slot", i);
		err |= fdt_property(fdt, "dma-coherent", NULL, 0);
		err |= fdt_end_node(fdt);
	}
	if (vm->pass_base) {
		char name[32];

		hyp_snprintf(name, sizeof(name), "virtio_mmio@%llx", (unsigned long long)vm->pass_base);
		err |= fdt_begin_node(fdt, name);
		err |= fdt_property_string(fdt, "compatible", "virtio,mmio");
		err |= CELLS(fdt, "reg", HI(vm->pass_base), LO(vm->pass_base), 0, GUEST_VIRTIO_STRIDE);
		err |= CELLS(fdt, "interrupts", GIC_SPI, vm->pass_intid - 32, IRQ_EDGE_RISING);
		err |= fdt_property(fdt, "dma-coherent", NULL, 0);
		err |= fdt_end_node(fdt);
	}
	return err;
}

static int chosen_node(void *fdt, const struct vm *vm)
{
	u64 seed[4];
	int err = fdt_begin_node(fdt, "chosen");

	err |= fdt_property_string(fdt, "bootargs", vm->bootargs);
	err |= fdt_property_string(fdt, "stdout-path", "/pl011@9000000");
	if (vm->initrd.size) {
		err |= fdt_property_u64(fdt, "linux,initrd-start", vm->initrd_ipa);
		err |= fdt_property_u64(fdt, "linux,initrd-end", vm->initrd_ipa + vm->initrd.size);
	}
	if (arch_random(&seed[0]) && arch_random(&seed[1]) && arch_random(&seed[2]) &&
	    arch_random(&seed[3])) {
		err |= fdt_property(fdt, "rng-seed", seed, sizeof(seed));
		err |= fdt_property(fdt, "kaslr-seed", seed, 8);
	}
	return err | fdt_end_node(fdt);
}

/* Build the tree in @buf. Returns its size, 0 if it does not fit. */
u64 vm_build_dtb(struct vm *vm, void *buf, u64 size)
{
	int err = fdt_create(buf, (int)size);
	char memory[32];

	err |= fdt_finish_reservemap(buf);
	err |= fdt_begin_node(buf, "");
	err |= fdt_property_string(buf, "compatible", "linux,dummy-virt");
	err |= fdt_property_string(buf, "model", "pvkit virtual machine");
	err |= fdt_property_u32(buf, "#address-cells", 2);
	err |= fdt_property_u32(buf, "#size-cells", 2);
	err |= fdt_property_u32(buf, "interrupt-parent", PHANDLE_GIC);
	err |= chosen_node(buf, vm);
	hyp_snprintf(memory, sizeof(memory), "memory@%llx", (unsigned long long)vm->ram_ipa);
	err |= fdt_begin_node(buf, memory);
	err |= fdt_property_string(buf, "device_type", "memory");
	err |= CELLS(buf, "reg", HI(vm->ram_ipa), LO(vm->ram_ipa), HI(vm->ram_size), LO(vm->ram_size));
	err |= fdt_end_node(buf);
	err |= cpu_nodes(buf, vm);
	err |= fdt_begin_node(buf, "psci");
	err |= fdt_property(buf, "compatible", "arm,psci-1.0\0arm,psci-0.2", 26);
	err |= fdt_property_string(buf, "method", "hvc");
	err |= fdt_end_node(buf);
	err |= irq_nodes(buf, vm);
	err |= uart_node(buf, vm);
	err |= virtio_nodes(buf, vm);
	err |= fdt_end_node(buf);
	err |= fdt_finish(buf);
	return err ? 0 : fdt_totalsize(buf);
}
