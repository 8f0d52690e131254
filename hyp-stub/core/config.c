// SPDX-License-Identifier: GPL-2.0
/*
 * The VM description, a device tree (binding: Documentation/bindings/). A VM
 * is either made completely or not at all: the first thing that is wrong with
 * it is reported, by node and property, and the VM is left out.
 */
#include <libfdt.h>

#include "core/core.h"
#include "host/disk.h"
#include "host/nic.h"
#include "host/virtio.h"
#include "platform/platform.h"
#include "virtio/devices.h"
#include "virtio/vswitch.h"

#define SECTOR 512

u32 partitioned_pcpus;

struct node {
	const void *fdt;
	int offset;
	const char *name;
};

#define BAD(n, fmt, ...) ({ \
	hyp_printf("VM description: node %s: " fmt, (n)->name, ##__VA_ARGS__); \
	false; \
})

static bool has(const struct node *n, const char *prop)
{
	return fdt_getprop(n->fdt, n->offset, prop, NULL) != NULL;
}

static bool check_number(struct node *n, const char *prop, u64 value, u64 min, u64 max)
{
	if (value >= min && value <= max)
		return true;
	return BAD(n, "property %s must be %llu to %llu, not %llu", prop, (unsigned long long)min,
		   (unsigned long long)max, (unsigned long long)value);
}

/*
 * @words cells as one number. Absent: @value stays as it is. False: malformed
 * or out of its range, and said so.
 */
static bool get_number(struct node *n, const char *prop, int words, u64 *value, u64 min, u64 max)
{
	int len;
	const fdt32_t *p = fdt_getprop(n->fdt, n->offset, prop, &len);

	if (!p)
		return check_number(n, prop, *value, min, max);
	if (len != words * 4)
		return BAD(n, "property %s has %d bytes, not %d", prop, len, words * 4);
	*value = fdt32_to_cpu(p[0]);
	if (words == 2)
		*value = *value << 32 | fdt32_to_cpu(p[1]);
	return check_number(n, prop, *value, min, max);
}

/* A string shorter than @size. Absent: "". */
static bool get_string(struct node *n, const char *prop, u64 size, const char **value)
{
	int len;
	const char *s = fdt_getprop(n->fdt, n->offset, prop, &len);

	*value = "";
	if (!s)
		return true;
	if (len < 1 || strnlen(s, (size_t)len) + 1 != (size_t)len)
		return BAD(n, "property %s is not one string", prop);
	if ((u64)len > size)
		return BAD(n, "property %s is longer than %llu characters", prop,
			   (unsigned long long)size - 1);
	*value = s;
	return true;
}

/* What the loader put into host RAM. Absent: size 0. */
static bool get_image(struct node *n, const char *prop, struct vm_image *image)
{
	int len;
	const fdt64_t *p = fdt_getprop(n->fdt, n->offset, prop, &len);

	image->pa = image->size = 0;
	if (!p)
		return true;
	if (len == 16) {
		image->pa = fdt64_ld(&p[0]);
		image->size = fdt64_ld(&p[1]);
		for (unsigned int i = 0; i < platform.nr_ram; i++)
			if (image->pa >= platform.ram[i].base && image->size &&
			    image->size <= platform.ram[i].size &&
			    image->pa - platform.ram[i].base <= platform.ram[i].size - image->size)
				return true;
	}
	return BAD(n, "property %s must be an address and size in host RAM", prop);
}

/* Names are checked, so that a misspelt one does not count as absent. */
static bool check_names(struct node *n, const char *const *known)
{
	int p;

	fdt_for_each_property_offset(p, n->fdt, n->offset) {
		const char *name, *const *k = known;

		fdt_getprop_by_offset(n->fdt, p, &name, NULL);
		while (*k && strcmp(*k, name))
			k++;
		if (!*k)
			return BAD(n, "there is no property %s", name);
	}
	return true;
}

static const char *const root_names[] = {
	"compatible", "slice-us", "polling", "model", "#address-cells", "#size-cells", NULL
};
static const char *const vm_names[] = {
	"compatible", "label", "vcpus", "memory", "kernel", "initrd", "bootargs", "affinity",
	"partitioned", "pass-through", "stop-on-reset", "virtio-console", "virtio-rng", NULL
};
static const char *const disk_names[] = {
	"compatible", "host-device", "image", "size", "read-only", "serial", "queues", NULL
};

static const char *const nic_names[] = { "compatible", "mac-address", "network", "queues", NULL };
static const char *const uplink_names[] = { "compatible", "host-device", "network", NULL };

static u64 count_bits(u64 mask)
{
	u64 n = 0;

	for (; mask; mask &= mask - 1)
		n++;
	return n;
}

/* Numbers of a VM on the way to it. */
struct vm_shape {
	u64 vcpus, affinity;
};

/*
 * All partitioned VMs are made before the others, which get what is left. One
 * pCPU has to be left, to take the interrupts of the host's devices.
 */
static bool take_pcpus(struct node *n, struct vm_shape *s)
{
	u32 all = (u32)BIT(platform.nr_pcpus) - 1, take = 0;
	u64 free = s->affinity & ~(u64)(partitioned_pcpus | polling_pcpus);

	/* From 1 on, and 0 last: leave that to the host's devices if there is a choice. */
	for (u32 i = 1; i <= platform.nr_pcpus && count_bits(take) < s->vcpus; i++)
		take |= (u32)(free & BIT(i % platform.nr_pcpus));
	if (count_bits(take) < s->vcpus)
		return BAD(n, "property partitioned: %llu vcpus, but only %llu free pCPUs in affinity",
			   (unsigned long long)s->vcpus, (unsigned long long)count_bits(take));
	if ((partitioned_pcpus | take) == all)
		return BAD(n, "property partitioned: no pCPU is left for the host's devices");
	s->affinity = take;
	return true;
}

static bool share_pcpus(struct node *n, struct vm_shape *s)
{
	s->affinity &= ~(u64)(partitioned_pcpus | polling_pcpus);
	if (!s->affinity)
		return BAD(n, "property affinity names only pCPUs of partitioned VMs, or the one that polls");
	return true;
}

static bool read_vm(struct node *n, struct vm *vm, struct vm_shape *s)
{
	u64 pcpus_mask = BIT(platform.nr_pcpus) - 1;
	const char *label, *args;

	if (!check_names(n, vm_names) || !get_string(n, "label", sizeof(vm->name), &label) ||
	    !get_string(n, "bootargs", sizeof(vm->bootargs), &args))
		return false;
	hyp_snprintf(vm->name, sizeof(vm->name), "%s", *label ? label : n->name);
	hyp_snprintf(vm->bootargs, sizeof(vm->bootargs), "%s", args);
	s->vcpus = 0;
	if (!get_number(n, "vcpus", 1, &s->vcpus, 1, MAX_VCPUS))
		return false;
	if (!get_number(n, "memory", 2, &vm->ram_size, MiB(2), GUEST_RAM_MAX))
		return false;
	if (!IS_ALIGNED(vm->ram_size, MiB(2)))
		return BAD(n, "property memory must be a multiple of 2 MiB");
	if (!get_image(n, "kernel", &vm->kernel) || !get_image(n, "initrd", &vm->initrd))
		return false;
	if (!vm->kernel.size)
		return BAD(n, "property kernel is missing");
	s->affinity = pcpus_mask;
	if (!get_number(n, "affinity", 1, &s->affinity, 1, ~0U))
		return false;
	s->affinity &= pcpus_mask;
	if (!s->affinity)
		return BAD(n, "property affinity names none of the %u pCPUs", platform.nr_pcpus);
	vm->partitioned = has(n, "partitioned");
	vm->stop_on_reset = has(n, "stop-on-reset");
	return vm->partitioned ? take_pcpus(n, s) : share_pcpus(n, s);
}

/* The n-th set bit of @mask, counted round and round. */
static u32 pin_to(u64 mask, u32 n)
{
	u32 bit;

	for (bit = 0;; bit = (bit + 1) % MAX_PCPUS)
		if (mask & BIT(bit) && n-- == 0)
			return (u32)BIT(bit);
}

static bool create_vcpus(struct node *n, struct vm *vm, const struct vm_shape *s)
{
	for (u32 i = 0; i < s->vcpus; i++) {
		struct vcpu *v = heap_alloc(sizeof(*v), 64);

		if (!v)
			return BAD(n, "no hypervisor memory left for vCPU %u", i);
		v->vm = vm;
		v->id = i;
		v->mpidr = i;
		v->state = VCPU_OFF;
		v->last_pcpu = -1;
		v->affinity = vm->partitioned ? pin_to(s->affinity, i) : (u32)s->affinity;
		list_init(&v->link);
		vm->vcpus[i] = v;
	}
	vm->nr_vcpus = (u32)s->vcpus;
	if (vm->partitioned)
		partitioned_pcpus |= (u32)s->affinity;
	return true;
}

static bool map_memory(struct node *n, struct vm *vm)
{
	vm->ram_pa = platform_alloc_ram(vm->ram_size);
	if (!vm->ram_pa)
		return BAD(n, "property memory: the host has no %lluM of contiguous memory left",
			   (unsigned long long)vm->ram_size >> 20);
	vm->ram_ipa = vm->identity ? vm->ram_pa : GUEST_RAM_BASE;
	if (!vm_lay_out(vm))
		return BAD(n, "property memory: kernel and initrd do not fit in %lluM",
			   (unsigned long long)vm->ram_size >> 20);
	vm->pvtime = heap_alloc(PAGE_SIZE, PAGE_SIZE);
	vm->pvtime_ipa = GUEST_PVTIME_BASE;
	if (!vm->pvtime || !stage2_init(vm) ||
	    !stage2_map(vm, (ipa_t){ vm->ram_ipa }, (pa_t){ vm->ram_pa }, vm->ram_size, 0) ||
	    !stage2_map(vm, (ipa_t){ vm->pvtime_ipa }, (pa_t){ (u64)vm->pvtime }, PAGE_SIZE,
			ARCH_S2_RO))
		return BAD(n, "no hypervisor memory left for its page tables");
	return true;
}

/* A partitioned VM's own part of the interrupt controller. */
static bool map_private_interrupts(struct node *n, struct vm *vm)
{
	vm->uart_intid = vm->partitioned ? direct_alloc_spi() : INTID_GUEST_UART;
	if (!vm->uart_intid)
		return BAD(n, "property partitioned: no interrupts are left for its devices");
	for (u32 i = 0; vm->partitioned && i < vm->nr_vcpus; i++)
		if (!stage2_map(vm, (ipa_t){ GUEST_GICR_BASE + i * VGIC_GICR_STRIDE + KiB(64) },
				(pa_t){ gic_private_frame(direct_pcpu(vm->vcpus[i])->id) },
				KiB(64), ARCH_S2_DEVICE))
			return BAD(n, "no hypervisor memory left for its page tables");
	return true;
}

static void pass_interrupt(void *arg)
{
	struct vm *vm = arg;

	vgic_pend(vm, vm->vcpus[0], vm->pass_intid, false);
}

/*
 * The device does DMA with the addresses that the guest gives it, so its RAM
 * is where the host has it. Nothing keeps the device to that RAM: a VM with
 * pass-through is trusted. Whatever else is in the device's page is its, too.
 */
static bool pass_through(struct node *n, struct vm *vm, const char *path)
{
	struct host_virtio h;
	u64 page;

	if (!host_virtio_claim(&h, path, vm->name))
		return BAD(n, "property pass-through names no device that can be used");
	page = ALIGN_DOWN(h.regs, PAGE_SIZE);
	if (!host_virtio_claim_page(page, h.regs) || !h.edge || h.intid >= VGIC_NR_IRQS)
		return BAD(n, "property pass-through: %s shares its page with another device in use, or its interrupt is not an edge below %d",
			   path, VGIC_NR_IRQS);
	if (page < GUEST_VIRTIO_BASE + PAGE_SIZE * 2 && page + PAGE_SIZE > GUEST_VIRTIO_BASE)
		return BAD(n, "property pass-through: %s is where the VM's own devices are", path);
	if (!stage2_map(vm, (ipa_t){ page }, (pa_t){ page }, PAGE_SIZE, ARCH_S2_DEVICE))
		return BAD(n, "no hypervisor memory left for its page tables");
	vm->pass_base = h.regs;
	vm->pass_intid = h.intid;
	if (vm->partitioned)
		gic_enable_spi(h.intid, direct_pcpu(vm->vcpus[0])->mpidr, true);
	else
		host_irq(h.intid, true, pass_interrupt, vm);
	return true;
}

static bool add_disk(struct node *n, struct vm *vm)
{
	struct blk_options o = { .index = vm->nr_virtio };
	struct vm_image image;
	const char *path;
	u64 queues = 1, size = 0;

	if (!check_names(n, disk_names) || !get_number(n, "queues", 1, &queues, 1, BLK_QUEUES_MAX) ||
	    !get_string(n, "serial", 21, &o.serial) || !get_string(n, "host-device", 128, &path) ||
	    !get_image(n, "image", &image) || !get_number(n, "size", 2, &size, 0, GiB(64)))
		return false;
	if ((*path != 0) + (image.size != 0) + (size != 0) != 1)
		return BAD(n, "one of the properties host-device, image and size must say what it is on");
	if (image.size % SECTOR || size % SECTOR)
		return BAD(n, "property %s must be a multiple of 512 bytes", size ? "size" : "image");
	o.queues = (u32)queues;
	o.read_only = has(n, "read-only");
	if (*path) {
		o.disk = disk_open(path, o.queues, n->name);
		if (!o.disk)
			return BAD(n, "property host-device names no disk that can be used");
	} else {
		o.ram_size = size ? size : image.size;
		o.ram = size ? heap_alloc_ram(size, PAGE_SIZE) : (u8 *)image.pa;
		if (!o.ram)
			return BAD(n, "property size: the host has not that much memory left");
	}
	if (!blk_create(vm, &o))
		return BAD(n, "no hypervisor memory left, or more than %d devices", VIRTIO_BUS_SLOTS);
	return true;
}

/* Its address if none is given: locally administered, by VM and device. */
static bool get_mac(struct node *n, const struct vm *vm, u8 *mac)
{
	int len;
	const u8 *p = fdt_getprop(n->fdt, n->offset, "mac-address", &len);
	const u8 own[6] = { 0x52, 0x50, 0x56, 0, (u8)vm->id, (u8)vm->nr_virtio };

	memcpy(mac, p && len == 6 ? p : own, 6);
	if (p && (len != 6 || mac[0] & 1))
		return BAD(n, "property mac-address must be 6 bytes, and not a multicast address");
	return true;
}

static bool add_nic(struct node *n, struct vm *vm)
{
	struct net_options o = { .index = vm->nr_virtio };
	u64 queues = 1;
	const char *wrong;
	u8 mac[6];

	if (!check_names(n, nic_names) || !get_number(n, "queues", 1, &queues, 1, NET_PAIRS_MAX) ||
	    !get_string(n, "network", NETWORK_NAME, &o.network) || !get_mac(n, vm, mac))
		return false;
	o.pairs = (u32)queues;
	o.mac = mac;
	wrong = net_create(vm, &o);
	return wrong ? BAD(n, "%s", wrong) : true;
}

static bool add_uplink(struct node *n)
{
	const char *path, *network;

	if (!check_names(n, uplink_names) || !get_string(n, "host-device", 128, &path) ||
	    !get_string(n, "network", NETWORK_NAME, &network))
		return false;
	if (!*path || !nic_open(path, network, n->name))
		return BAD(n, "property host-device names no NIC that can be used");
	return true;
}

static bool add_devices(struct node *vm_node, struct vm *vm)
{
	u64 word;
	int node;

	if (has(vm_node, "virtio-rng") && !arch_random(&word))
		return BAD(vm_node, "property virtio-rng: the processor has no random numbers (FEAT_RNG)");
	if ((has(vm_node, "virtio-console") && !vconsole_create(vm)) ||
	    (has(vm_node, "virtio-rng") && !rng_create(vm)))
		return BAD(vm_node, "no hypervisor memory left for its devices");
	fdt_for_each_subnode(node, vm_node->fdt, vm_node->offset) {
		struct node n = { vm_node->fdt, node, fdt_get_name(vm_node->fdt, node, NULL) };

		if (!fdt_node_check_compatible(n.fdt, node, "pvkit,disk")) {
			if (!add_disk(&n, vm))
				return false;
		} else if (!fdt_node_check_compatible(n.fdt, node, "pvkit,nic")) {
			if (!add_nic(&n, vm))
				return false;
		} else {
			return BAD(&n, "property compatible is not pvkit,disk or pvkit,nic");
		}
	}
	if (!virtio_map(vm) || !vlpi_vm_init(vm))
		return BAD(vm_node, "no memory left for its page and interrupt tables");
	return true;
}

/* The last pCPU is for the devices. */
static void set_polling(struct node *root)
{
	polling_pcpus = 0;
	if (has(root, "polling")) {
		if (platform.nr_pcpus > 1)
			polling_pcpus = (u32)BIT(platform.nr_pcpus - 1);
		else
			(void)BAD(root, "property polling needs more than one pCPU");
	}
	poll_init();
}

static bool create_vm(struct node *n)
{
	struct vm *vm = &vms[nr_vms];
	struct vm_shape shape;
	const char *pass;

	if (nr_vms == MAX_VMS)
		return BAD(n, "more than %d VMs", MAX_VMS);
	memset(vm, 0, sizeof(*vm));
	vm->id = nr_vms;
	if (!get_string(n, "pass-through", 128, &pass))
		return false;
	vm->identity = *pass;
	if (!read_vm(n, vm, &shape) || !map_memory(n, vm) || !create_vcpus(n, vm, &shape) ||
	    !map_private_interrupts(n, vm) || (*pass && !pass_through(n, vm, pass)) || !add_devices(n, vm))
		return false;
	nr_vms++;
	return true;
}

/* All images must be known before RAM is given out. */
static void reserve_images(const void *config, int node)
{
	static const char *const props[] = { "kernel", "initrd", "image" };
	int len, child;

	for (unsigned int i = 0; i < ARRAY_SIZE(props); i++) {
		const fdt64_t *p = fdt_getprop(config, node, props[i], &len);

		if (p && len == 16)
			platform_reserve(fdt64_ld(&p[0]), fdt64_ld(&p[1]));
	}
	fdt_for_each_subnode(child, config, node)
		reserve_images(config, child);
}

void vms_create(const void *config)
{
	struct node root = { config, 0, "/" };
	u64 slice_us = SLICE_US_DEFAULT;
	u32 refused = 0;
	int node;

	if (!check_names(&root, root_names) ||
	    !get_number(&root, "slice-us", 1, &slice_us, SLICE_US_MIN, SLICE_US_MAX))
		slice_us = SLICE_US_DEFAULT;
	sched_init(slice_us);
	reserve_images(config, 0);
	partitioned_pcpus = 0;
	set_polling(&root);
	vlpi_init();
	for (int partitioned = 1; partitioned >= 0; partitioned--) {
		fdt_for_each_subnode(node, config, 0) {
			struct node n = { config, node, fdt_get_name(config, node, NULL) };

			if (!fdt_node_check_compatible(config, node, "pvkit,vm") &&
			    has(&n, "partitioned") == partitioned)
				refused += !create_vm(&n);
		}
	}
	fdt_for_each_subnode(node, config, 0) {
		struct node n = { config, node, fdt_get_name(config, node, NULL) };

		if (!fdt_node_check_compatible(config, node, "pvkit,vm"))
			continue;
		if (!fdt_node_check_compatible(config, node, "pvkit,uplink"))
			add_uplink(&n);
		else
			refused += !BAD(&n, "property compatible is not pvkit,vm or pvkit,uplink");
	}
	vms_created(refused);
}
