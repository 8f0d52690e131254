// SPDX-License-Identifier: GPL-2.0
/* core/vm.c, stage2.c, guest_dt.c, platform/ram.c: descriptions and memory. */
#include <libfdt.h>
#include <stdio.h>

#include "fake_arch.h"
#include "fake_host.h"

static char config[8192];
static void *kernel;

/* Start a description; each test adds to it and calls create(). */
static void begin(void)
{
	fake_reset(2);
	kernel = (void *)platform.ram[0].base;
	memset(kernel, 0, KiB(64));
	assert_int_equal(fdt_create(config, sizeof(config)), 0);
	fdt_finish_reservemap(config);
	fdt_begin_node(config, "");
}

static void u64_prop(const char *name, u64 v)
{
	fdt_property_u64(config, name, v);
}

static void vm_node(const char *name, u32 vcpus, u64 mem)
{
	fdt64_t image[2] = { cpu_to_fdt64((u64)kernel), cpu_to_fdt64(KiB(64)) };

	fdt_begin_node(config, name);
	fdt_property_string(config, "compatible", "pvkit,vm");
	fdt_property_u32(config, "vcpus", vcpus);
	u64_prop("memory", mem);
	fdt_property(config, "kernel", image, sizeof(image));
}

static bool create(void)
{
	fdt_end_node(config);
	fdt_finish(config);
	if (setjmp(fake_stop))
		return false;		/* no VM left: the machine is off */
	vms_create(config);
	return true;
}

static void good_vm(void **state)
{
	(void)state;
	begin();
	vm_node("a", 2, MiB(32));
	fdt_property_string(config, "label", "first");
	fdt_property_string(config, "bootargs", "quiet x=\"y\"");
	fdt_end_node(config);
	assert_true(create());
	assert_int_equal(nr_vms, 1);
	assert_string_equal(vms[0].name, "first");
	assert_int_equal(vms[0].nr_vcpus, 2);
	assert_true(vms[0].entry_ipa == GUEST_RAM_BASE + 0x80000);	/* raw */
	/* images are out of the way of guest RAM */
	assert_true(vms[0].ram_pa >= (u64)kernel + KiB(64));
}

static void image_header(void **state)
{
	u64 *h;

	(void)state;
	begin();
	h = kernel;
	h[1] = 0x200000;		/* text_offset */
	h[2] = MiB(4);			/* image_size */
	memcpy((u8 *)kernel + 0x38, "ARM\x64", 4);
	vm_node("a", 1, MiB(32));
	fdt_end_node(config);
	assert_true(create());
	assert_true(vms[0].entry_ipa == GUEST_RAM_BASE + 0x200000);
}

static void expect_refused(const char *message)
{
	fdt_end_node(config);
	assert_false(create());
	if (!strstr(fake_console, message))
		print_message("# console: %s\n", fake_console);
	assert_non_null(strstr(fake_console, message));
	assert_non_null(strstr(fake_console, "node a"));
	assert_int_equal(nr_vms, 0);
}

#define REFUSED(name, message, ...) \
static void name(void **state) \
{ \
	(void)state; \
	begin(); \
	__VA_ARGS__; \
	expect_refused(message); \
}
REFUSED(no_vcpus, "vcpus must be 1 to 16", vm_node("a", 0, MiB(32)))
REFUSED(too_many_vcpus, "vcpus must be 1 to 16", vm_node("a", 17, MiB(32)))
REFUSED(odd_memory, "memory must be a multiple of 2 MiB", vm_node("a", 1, MiB(3)))
REFUSED(no_memory, "memory must be", vm_node("a", 1, 0))
REFUSED(kernel_too_big, "do not fit", vm_node("a", 1, MiB(2)))
REFUSED(too_much_memory, "no 1024M of contiguous memory", vm_node("a", 1, GiB(1)))
REFUSED(bad_affinity, "names none of the 2 pCPUs",
	vm_node("a", 1, MiB(32)); fdt_property_u32(config, "affinity", 4))
REFUSED(crowded_partition, "property partitioned: 3 vcpus, but only 2 free pCPUs",
	vm_node("a", 3, MiB(32)); fdt_property(config, "partitioned", NULL, 0))
REFUSED(image_outside, "initrd must be an address and size in host RAM",
	vm_node("a", 1, MiB(32)); u64 wild[2] = { ~0ULL, ~0ULL };
	fdt_property(config, "initrd", wild, sizeof(wild)))

REFUSED(all_partitioned, "no pCPU is left for the host's devices",
	vm_node("a", 2, MiB(32)); fdt_property(config, "partitioned", NULL, 0))
REFUSED(misspelt, "there is no property vcpu",
	vm_node("a", 1, MiB(32)); fdt_property_u32(config, "vcpu", 1))
REFUSED(kernel_missing, "property kernel is missing",
	fdt_begin_node(config, "a"); fdt_property_string(config, "compatible", "pvkit,vm");
	fdt_property_u32(config, "vcpus", 1); u64_prop("memory", MiB(32)))
REFUSED(name_too_long, "property label is longer than 31 characters",
	vm_node("a", 1, MiB(32)); fdt_property_string(config, "label", "12345678901234567890123456789012"))

/* Devices: the message names their node, and the VM is not made. */
static void device(const char *compatible)
{
	vm_node("vm", 1, MiB(8));
	fdt_begin_node(config, "a");
	fdt_property_string(config, "compatible", compatible);
}
#define DEVICE(name, compatible, message, ...) \
	REFUSED(name, message, device(compatible); __VA_ARGS__; fdt_end_node(config))
DEVICE(disk_on_nothing, "pvkit,disk", "one of the properties host-device, image and size", (void)0)
DEVICE(disk_on_two, "pvkit,disk", "one of the properties host-device, image and size",
       u64_prop("size", 512); fdt_property_string(config, "host-device", "/disk"))
DEVICE(disk_odd, "pvkit,disk", "property size must be a multiple of 512", u64_prop("size", 513))
DEVICE(disk_huge, "pvkit,disk", "property size", u64_prop("size", GiB(4)))
DEVICE(disk_absent, "pvkit,disk", "property host-device names no disk",
       fdt_property_string(config, "host-device", "/none"))
DEVICE(disk_queues, "pvkit,disk", "property queues must be 1 to 8",
       u64_prop("size", 512); fdt_property_u32(config, "queues", 9))
DEVICE(disk_serial, "pvkit,disk", "property serial is longer than 20",
       u64_prop("size", 512); fdt_property_string(config, "serial", "123456789012345678901"))
DEVICE(disk_misspelt, "pvkit,disk", "there is no property readonly", fdt_property(config, "readonly", "", 0))
DEVICE(nic_mac, "pvkit,nic", "property mac-address must be 6 bytes", fdt_property(config, "mac-address", "12345", 5))
DEVICE(nic_multicast, "pvkit,nic", "not a multicast address", fdt_property(config, "mac-address", "\1" "2345", 6))
DEVICE(nic_network, "pvkit,nic", "property network is longer",
       fdt_property_string(config, "network", "a-network-of-long-name"))
DEVICE(no_such_device, "pvkit,gpu", "property compatible is not", (void)0)

static void one_bad_among_good(void **state)
{
	(void)state;
	begin();
	vm_node("a", 1, MiB(16));
	fdt_end_node(config);
	vm_node("b", 99, MiB(16));
	fdt_end_node(config);
	vm_node("c", 1, MiB(16));
	fdt_end_node(config);
	assert_true(create());
	assert_int_equal(nr_vms, 2);
	assert_string_equal(vms[1].name, "c");
	assert_non_null(strstr(fake_console, "node b: property vcpus"));
}

/* The last pCPU is for the devices: no VM runs there, and it gets the host's interrupts. */
static void polling_pcpu(void **state)
{
	(void)state;
	begin();
	fdt_property(config, "polling", NULL, 0);
	vm_node("a", 2, MiB(16));
	fdt_end_node(config);
	vm_node("b", 1, MiB(16));
	fdt_property(config, "partitioned", NULL, 0);
	fdt_end_node(config);
	vm_node("c", 1, MiB(16));
	fdt_property_u32(config, "affinity", 2);
	fdt_end_node(config);
	assert_true(create());
	assert_int_equal(nr_vms, 1);		/* the partitioned one comes first, and gets the other */
	assert_string_equal(vms[0].name, "b");
	assert_int_equal(vms[0].vcpus[0]->affinity, 1);
	assert_non_null(strstr(fake_console, "node a: property affinity names only pCPUs"));
	assert_non_null(strstr(fake_console, "node c: property affinity names only pCPUs"));
	polling_pcpus = 0;
}

static void polling_alone(void **state)
{
	(void)state;
	begin();
	fake_reset(1);
	fdt_property(config, "polling", NULL, 0);
	vm_node("a", 1, MiB(16));
	fdt_end_node(config);
	assert_true(create());
	assert_int_equal(polling_pcpus, 0);
	assert_non_null(strstr(fake_console, "property polling needs more than one pCPU"));
}

/* Registers can be read without us, and not written. */
static void bus_is_mapped(void **state)
{
	pa_t pa;
	unsigned int level;

	(void)state;
	begin();
	vm_node("a", 1, MiB(16));
	fdt_begin_node(config, "disk");
	fdt_property_string(config, "compatible", "pvkit,disk");
	u64_prop("size", MiB(1));
	fdt_end_node(config);
	fdt_end_node(config);
	assert_true(create());
	assert_true(stage2_lookup(&vms[0], (ipa_t){ GUEST_VIRTIO_BASE + 4096 }, &pa, &level));
	assert_true(pa.v == (u64)vms[0].virtio_regs + 4096);
	assert_int_equal(*(u32 *)vms[0].virtio_regs, 0x74726976);
	assert_int_equal(((u32 *)vms[0].virtio_regs)[2], 2);		/* a disk */
	assert_true(*(u64 *)(vms[0].virtio_regs + 0x100) == MiB(1) / 512);
	assert_false(stage2_lookup(&vms[0], (ipa_t){ GUEST_VIRTIO_BASE + KiB(8) }, &pa, &level));
}

static void memories_are_apart(void **state)
{
	pa_t pa;
	unsigned int level;

	(void)state;
	begin();
	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "v%d", i);
		vm_node(name, 1, MiB(32));
		fdt_end_node(config);
	}
	assert_true(create());
	for (u32 i = 0; i < 3; i++) {
		for (u64 ipa = GUEST_RAM_BASE; ipa < GUEST_RAM_BASE + MiB(32); ipa += PAGE_SIZE) {
			assert_true(stage2_lookup(&vms[i], (ipa_t){ ipa }, &pa, &level));
			assert_true(pa.v == vms[i].ram_pa + ipa - GUEST_RAM_BASE);
			assert_int_equal(level, 2);		/* 2 MiB blocks */
		}
		assert_false(stage2_lookup(&vms[i], (ipa_t){ GUEST_RAM_BASE + MiB(32) }, &pa, &level));
		assert_false(stage2_lookup(&vms[i], (ipa_t){ GUEST_RAM_BASE - 1 }, &pa, &level));
		assert_false(stage2_lookup(&vms[i], (ipa_t){ GUEST_GICD_BASE }, &pa, &level));
		assert_false(stage2_lookup(&vms[i], (ipa_t){ GUEST_UART_BASE }, &pa, &level));
		for (u32 j = 0; j < i; j++)
			assert_true(vms[i].ram_pa >= vms[j].ram_pa + MiB(32) ||
				    vms[j].ram_pa >= vms[i].ram_pa + MiB(32));
	}
}

static void largest_blocks(void **state)
{
	struct vm vm = { .id = 3 };
	unsigned int level;
	pa_t pa;

	(void)state;
	assert_true(stage2_init(&vm));
	assert_true(stage2_map(&vm, (ipa_t){ GiB(1) - MiB(2) - KiB(4) }, (pa_t){ GiB(5) - MiB(2) - KiB(4) },
			       GiB(1) + MiB(4) + KiB(8), 0));
	stage2_lookup(&vm, (ipa_t){ GiB(1) - MiB(2) - 1 }, &pa, &level);
	assert_int_equal(level, 3);
	stage2_lookup(&vm, (ipa_t){ GiB(1) - 1 }, &pa, &level);
	assert_int_equal(level, 2);
	stage2_lookup(&vm, (ipa_t){ GiB(1) + 12345 }, &pa, &level);
	assert_int_equal(level, 1);
	assert_true(pa.v == GiB(5) + 12345);
	stage2_lookup(&vm, (ipa_t){ GiB(2) + MiB(2) }, &pa, &level);
	assert_int_equal(level, 3);
	assert_false(stage2_map(&vm, (ipa_t){ BIT(39) - PAGE_SIZE }, (pa_t){ 0 }, 2 * PAGE_SIZE, 0));
}

static void withdrawn_and_restored(void **state)
{
	struct vm vm = { .id = 4 };
	unsigned int level;
	pa_t pa;

	(void)state;
	assert_true(stage2_init(&vm));
	assert_true(stage2_map(&vm, (ipa_t){ GiB(1) }, (pa_t){ GiB(5) }, GiB(1), 0));
	stage2_withdraw(&vm);
	assert_false(stage2_lookup(&vm, (ipa_t){ GiB(1) }, &pa, &level));
	stage2_withdraw(&vm);			/* twice is once */
	stage2_restore(&vm);
	assert_true(stage2_lookup(&vm, (ipa_t){ GiB(1) + 5 }, &pa, &level));
	assert_true(pa.v == GiB(5) + 5);
	stage2_restore(&vm);
	assert_true(stage2_lookup(&vm, (ipa_t){ GiB(1) }, &pa, &level));
}

static void guest_ram_bounds(void **state)
{
	struct vm vm = { .ram_ipa = GUEST_RAM_BASE, .ram_size = MiB(2), .ram_pa = GiB(8) };
	const u64 end = GUEST_RAM_BASE + MiB(2);

	(void)state;
	assert_true((u64)vm_ram(&vm, (ipa_t){ GUEST_RAM_BASE + 8 }, 8) == GiB(8) + 8);
	assert_non_null(vm_ram(&vm, (ipa_t){ end - 8 }, 8));
	assert_null(vm_ram(&vm, (ipa_t){ end - 8 }, 9));
	assert_null(vm_ram(&vm, (ipa_t){ GUEST_RAM_BASE - 1 }, 1));
	assert_null(vm_ram(&vm, (ipa_t){ ~0ULL }, 8));
	assert_null(vm_ram(&vm, (ipa_t){ GUEST_RAM_BASE }, ~0ULL));
	assert_null(vm_ram(&vm, (ipa_t){ GUEST_RAM_BASE + 8 }, 0ULL - 4));
}

static void device_tree(void **state)
{
	static char dtb[65536];
	const fdt32_t *reg;
	int len, node;

	(void)state;
	begin();
	vm_node("a", 3, MiB(32));
	fdt_property_string(config, "bootargs", "console=ttyAMA0");
	fdt_end_node(config);
	assert_true(create());
	assert_true(vm_build_dtb(&vms[0], dtb, sizeof(dtb)) > 0);
	assert_int_equal(fdt_check_full(dtb, sizeof(dtb)), 0);
	node = fdt_path_offset(dtb, "/chosen");
	assert_string_equal(fdt_getprop(dtb, node, "bootargs", &len), "console=ttyAMA0");
	reg = fdt_getprop(dtb, fdt_path_offset(dtb, "/memory@40000000"), "reg", &len);
	assert_int_equal(fdt32_to_cpu(reg[3]), MiB(32));
	assert_true(fdt_path_offset(dtb, "/cpus/cpu@2") > 0);
	assert_true(fdt_path_offset(dtb, "/cpus/cpu@3") < 0);
	assert_int_equal(vm_build_dtb(&vms[0], dtb, 256), 0);	/* does not fit: says so */
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
	const struct CMUnitTest tests[] = {
		T(good_vm), T(image_header), T(no_vcpus), T(too_many_vcpus), T(odd_memory),
		T(no_memory), T(kernel_too_big), T(too_much_memory), T(bad_affinity),
		T(crowded_partition), T(all_partitioned), T(misspelt), T(kernel_missing),
		T(name_too_long), T(disk_on_nothing), T(disk_on_two), T(disk_odd), T(disk_huge),
		T(disk_absent), T(disk_queues), T(disk_serial), T(disk_misspelt), T(nic_mac),
		T(nic_multicast), T(nic_network), T(no_such_device), T(image_outside), T(one_bad_among_good),
		T(polling_pcpu), T(polling_alone), T(bus_is_mapped),
		T(memories_are_apart), T(largest_blocks), T(withdrawn_and_restored), T(guest_ram_bounds), T(device_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
