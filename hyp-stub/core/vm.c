// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual machines: created at boot from the VM description, started, stopped
 * and reset.
 *
 * A VM is either set up completely or not at all: vm_create() checks all that
 * the description asks for and reports the first thing that is wrong. The
 * loaded kernel and initrd stay where they are, so that a reset can copy them
 * again.
 *
 * Stopping: vm->stopping makes every vCPU leave its pCPU. The last one calls
 * vm_all_off(), which ends the VM or starts it again; when no VM is left the
 * machine is switched off.
 */
#include <libfdt.h>

#include "core/core.h"
#include "platform/platform.h"

#define RAW_OFFSET	0x80000		/* where a raw binary is put */
#define DTB_SIZE	KiB(64)		/* room for the guest's device tree */
#define IMAGE_MAGIC	0x644d5241	/* "ARM\x64" at 0x38 of an arm64 Image */

struct vm vms[MAX_VMS];
u32 nr_vms;
static u32 vms_alive, vms_refused;
static spinlock_t alive_lock;

void *vm_ram(const struct vm *vm, ipa_t ipa, u64 size)
{
	if (ipa.v < vm->ram_ipa || size > vm->ram_size ||
	    ipa.v - vm->ram_ipa > vm->ram_size - size)
		return NULL;
	return (void *)(vm->ram_pa + (ipa.v - vm->ram_ipa));
}

struct vcpu *vm_vcpu_by_mpidr(struct vm *vm, u64 mpidr)
{
	for (u32 i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i]->mpidr == (mpidr & 0xff00ffffffULL))
			return vm->vcpus[i];
	return NULL;
}

void vm_vcpu_reset(struct vcpu *v, u64 pc, u64 x0)
{
	arch_vcpu_reset(v, pc, x0);
	vgic_vcpu_reset(v);
	memset(&v->ptimer, 0, sizeof(v->ptimer));
	v->page = NULL;
}

/* Where the kernel image goes and starts, as its header says. */
static u64 kernel_offset(const struct vm *vm, u64 *memory_size)
{
	const u8 *image = (const u8 *)vm->kernel.pa;
	u32 magic;

	*memory_size = vm->kernel.size;
	if (vm->kernel.size < 64)
		return RAW_OFFSET;
	memcpy(&magic, image + 0x38, 4);
	if (magic != IMAGE_MAGIC)
		return RAW_OFFSET;
	if (((const u64 *)image)[2])	/* image_size includes the kernel's BSS */
		*memory_size = MAX(*memory_size, ((const u64 *)image)[2]);
	return ((const u64 *)image)[1];
}

/* Decide where kernel, initrd and device tree go; false if they do not fit. */
static bool lay_out(struct vm *vm)
{
	u64 size, at = kernel_offset(vm, &size), end;

	vm->dtb.size = DTB_SIZE;
	if (at > vm->ram_size || size > vm->ram_size - at ||
	    vm->ram_size - at - size < DTB_SIZE + vm->initrd.size + MiB(2) * 2)
		return false;
	vm->entry_ipa = vm->ram_ipa + at;
	end = ALIGN_DOWN(vm->ram_ipa + vm->ram_size - DTB_SIZE, MiB(2));
	vm->dtb_ipa = end;
	vm->initrd_ipa = ALIGN_DOWN(end - vm->initrd.size, PAGE_SIZE);
	return true;
}

static void load_images(struct vm *vm)
{
	void *kernel = vm_ram(vm, (ipa_t){ vm->entry_ipa }, vm->kernel.size);

	arch_zero_ram((void *)vm->ram_pa, vm->ram_size);
	memcpy(kernel, (void *)vm->kernel.pa, vm->kernel.size);
	arch_sync_image(kernel, vm->kernel.size);
	if (vm->initrd.size)
		memcpy(vm_ram(vm, (ipa_t){ vm->initrd_ipa }, vm->initrd.size),
		       (void *)vm->initrd.pa, vm->initrd.size);
	if (!vm_build_dtb(vm, vm_ram(vm, (ipa_t){ vm->dtb_ipa }, DTB_SIZE), DTB_SIZE))
		panic("vm %s: its device tree does not fit", vm->name);
}

void vm_start(struct vm *vm)
{
	load_images(vm);
	vgic_vm_init(vm);
	memset(&vm->uart, 0, sizeof(vm->uart));
	arch_s2_flush(vm->vttbr);
	vm->cntvoff = arch_counter();
	vm->state = VM_RUNNING;
	vm->stopping = vm->resetting = 0;
	for (u32 i = 0; i < vm->nr_vcpus; i++)
		vm_vcpu_reset(vm->vcpus[i], vm->entry_ipa, vm->dtb_ipa);
	sched_cpu_on(vm->vcpus[0]);
}

void vm_stop(struct vm *vm, enum vm_state how)
{
	vm->state = how;
	sched_stop_vm(vm);
}

void vm_reset(struct vm *vm)
{
	WRITE_ONCE(vm->resetting, 1);
	sched_stop_vm(vm);
}

void vm_crash(struct vcpu *v, const char *fmt, ...)
{
	char reason[160];
	va_list ap;

	va_start(ap, fmt);
	hyp_vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	vcpu_printf(v, "crashed at pc 0x%llx: %s", (unsigned long long)v->regs.pc, reason);
	vm_stop(v->vm, VM_CRASHED);
}

static void all_vms_off(void)
{
	u32 off = 0, crashed = vms_refused;

	for (u32 i = 0; i < nr_vms; i++) {
		if (vms[i].state == VM_CRASHED)
			crashed++;
		else
			off++;
	}
	hyp_printf("all VMs off: %u in order, %u crashed", off, crashed);
	platform_off();
}

void vm_all_off(struct vm *vm)
{
	bool last;

	vuart_flush(vm);
	if (vm->state == VM_RUNNING && vm->resetting && !vm->stop_on_reset) {
		vm_printf(vm, "reset");
		vm_start(vm);
		return;
	}
	if (vm->state == VM_RUNNING)	/* all CPU_OFF, or a reset that is not wanted */
		vm->state = VM_CRASHED;
	vm_printf(vm, "%s", vm->state == VM_OFF ? "powered off" : vm->resetting ?
		  "stopped: it asked for a reset" : "stopped");
	spin_lock(&alive_lock);
	last = --vms_alive == 0;
	spin_unlock(&alive_lock);
	if (last)
		all_vms_off();
}

/* --- the VM description --- */

struct node {
	const void *fdt;
	int offset;
	const char *name;
};

/* A property of @cells 32-bit cells as one number; false: absent or malformed. */
static bool get_number(struct node *n, const char *prop, int words, u64 *value)
{
	int len;
	const fdt32_t *p = fdt_getprop(n->fdt, n->offset, prop, &len);

	if (!p)
		return false;
	if (len != words * 4) {
		hyp_printf("VM description: node %s: property %s has %d bytes, not %d",
			   n->name, prop, len, words * 4);
		return false;
	}
	*value = fdt32_to_cpu(p[0]);
	if (words == 2)
		*value = *value << 32 | fdt32_to_cpu(p[1]);
	return true;
}

static bool get_image(struct node *n, const char *prop, struct vm_image *image)
{
	int len;
	const fdt64_t *p = fdt_getprop(n->fdt, n->offset, prop, &len);

	if (!p || len != 16)
		return false;
	image->pa = fdt64_ld(&p[0]);
	image->size = fdt64_ld(&p[1]);
	for (unsigned int i = 0; i < platform.nr_ram; i++)
		if (image->pa >= platform.ram[i].base && image->size <= platform.ram[i].size &&
		    image->pa - platform.ram[i].base <= platform.ram[i].size - image->size)
			return true;
	return false;
}

#define BAD(n, fmt, ...) ({ \
	hyp_printf("VM description: node %s: " fmt, (n)->name, ##__VA_ARGS__); \
	false; \
})

static u64 count_bits(u64 mask)
{
	u64 n = 0;

	for (; mask; mask &= mask - 1)
		n++;
	return n;
}

static bool read_node(struct node *n, struct vm *vm, u64 *vcpus, u64 *affinity)
{
	const char *label = fdt_getprop(n->fdt, n->offset, "label", NULL);
	const char *args = fdt_getprop(n->fdt, n->offset, "bootargs", NULL);
	u64 pcpu_mask = BIT(platform.nr_pcpus) - 1;

	hyp_snprintf(vm->name, sizeof(vm->name), "%s", label ? label : n->name);
	if (args && strlen(args) >= sizeof(vm->bootargs))
		return BAD(n, "bootargs is longer than %d bytes", (int)sizeof(vm->bootargs) - 1);
	hyp_snprintf(vm->bootargs, sizeof(vm->bootargs), "%s", args ? args : "");
	if (!get_number(n, "vcpus", 1, vcpus) || *vcpus < 1 || *vcpus > MAX_VCPUS)
		return BAD(n, "property vcpus must be 1 to %d", MAX_VCPUS);
	if (!get_number(n, "memory", 2, &vm->ram_size) || !vm->ram_size ||
	    !IS_ALIGNED(vm->ram_size, MiB(2)) || vm->ram_size > GUEST_RAM_MAX)
		return BAD(n, "property memory must be a multiple of 2 MiB, up to %lluG",
			   (unsigned long long)GUEST_RAM_MAX >> 30);
	if (!get_image(n, "kernel", &vm->kernel) || !vm->kernel.size)
		return BAD(n, "property kernel must be an address and size in host RAM");
	if (fdt_getprop(n->fdt, n->offset, "initrd", NULL) && !get_image(n, "initrd", &vm->initrd))
		return BAD(n, "property initrd must be an address and size in host RAM");
	*affinity = pcpu_mask;
	if (fdt_getprop(n->fdt, n->offset, "affinity", NULL) &&
	    (!get_number(n, "affinity", 1, affinity) || !(*affinity & pcpu_mask)))
		return BAD(n, "property affinity names none of the %u pCPUs", platform.nr_pcpus);
	vm->partitioned = fdt_getprop(n->fdt, n->offset, "partitioned", NULL);
	vm->stop_on_reset = fdt_getprop(n->fdt, n->offset, "stop-on-reset", NULL);
	if (vm->partitioned && *vcpus > count_bits(*affinity & pcpu_mask))
		return BAD(n, "partitioned, but fewer pCPUs in affinity than vcpus");
	return true;
}

/* The n-th set bit of @mask, counted round and round. */
static u32 pin_to(u64 mask, u32 n)
{
	u32 bit;

	for (bit = 0;; bit = (bit + 1) % MAX_PCPUS)
		if (mask & BIT(bit) && n-- == 0)
			return (u32)BIT(bit);
}

static bool create_vcpus(struct node *n, struct vm *vm, u64 count, u64 affinity)
{
	for (u32 i = 0; i < count; i++) {
		struct vcpu *v = heap_alloc(sizeof(*v), 64);

		if (!v)
			return BAD(n, "no hypervisor memory left for vCPU %u", i);
		v->vm = vm;
		v->id = i;
		v->mpidr = i;
		v->state = VCPU_OFF;
		v->last_pcpu = -1;
		v->affinity = vm->partitioned ? pin_to(affinity, i) : (u32)affinity;
		v->untrapped_wfx = vm->partitioned;
		list_init(&v->link);
		vm->vcpus[i] = v;
	}
	vm->nr_vcpus = (u32)count;
	return true;
}

static bool map_memory(struct node *n, struct vm *vm)
{
	vm->ram_ipa = GUEST_RAM_BASE;
	if (!lay_out(vm))
		return BAD(n, "kernel and initrd do not fit in %lluM of memory",
			   (unsigned long long)vm->ram_size >> 20);
	vm->ram_pa = platform_alloc_ram(vm->ram_size);
	if (!vm->ram_pa)
		return BAD(n, "the host has no %lluM of contiguous memory left",
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

static bool vm_create(struct node *n)
{
	struct vm *vm = &vms[nr_vms];
	u64 vcpus, affinity;

	if (nr_vms == MAX_VMS)
		return BAD(n, "more than %d VMs", MAX_VMS);
	memset(vm, 0, sizeof(*vm));
	vm->id = nr_vms;
	if (!read_node(n, vm, &vcpus, &affinity) || !map_memory(n, vm) ||
	    !create_vcpus(n, vm, vcpus, affinity))
		return false;
	nr_vms++;
	return true;
}

/* All images must be known before guest RAM is given out. */
static void reserve_images(const void *config, int node)
{
	struct node n = { config, node, fdt_get_name(config, node, NULL) };
	struct vm_image image;

	if (get_image(&n, "kernel", &image))
		platform_reserve(image.pa, image.size);
	if (get_image(&n, "initrd", &image))
		platform_reserve(image.pa, image.size);
}

void vms_create(const void *config)
{
	struct node root = { config, 0, "/" };
	u64 slice_us = SLICE_US_DEFAULT;
	int node;

	get_number(&root, "slice-us", 1, &slice_us);
	if (slice_us < SLICE_US_MIN || slice_us > SLICE_US_MAX) {
		hyp_printf("VM description: property slice-us must be %d to %d",
			   SLICE_US_MIN, SLICE_US_MAX);
		slice_us = SLICE_US_DEFAULT;
	}
	sched_init(slice_us);
	fdt_for_each_subnode(node, config, 0)
		reserve_images(config, node);
	fdt_for_each_subnode(node, config, 0) {
		struct node n = { config, node, fdt_get_name(config, node, NULL) };

		if (!fdt_node_check_compatible(config, node, "pvkit,vm"))
			if (!vm_create(&n))
				vms_refused++;
	}
	vms_alive = nr_vms;
	if (!nr_vms)
		all_vms_off();
}
