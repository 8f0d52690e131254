// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual machines: started, stopped and reset. config.c creates them.
 *
 * The loaded kernel and initrd stay where they are, so that a reset can copy
 * them again.
 *
 * Stopping: vm->stopping makes every vCPU leave its pCPU. The last one calls
 * vm_all_off(), which ends the VM or starts it again; when no VM is left the
 * machine is switched off.
 */
#include "core/core.h"
#include "platform/platform.h"
#include "virtio/virtio.h"

#define RAW_OFFSET	0x80000		/* where a raw binary is put */
#define DTB_SIZE	KiB(64)		/* room for the guest's device tree */
#define IMAGE_MAGIC	0x644d5241	/* "ARM\x64" at 0x38 of an arm64 Image */

struct vm vms[MAX_VMS];
u32 nr_vms;
static u32 vms_alive, vms_refused;
static spinlock_t alive_lock;

void *vm_ram(const struct vm *vm, ipa_t ipa, u64 size)
{
	u64 offset = ipa.v - vm->ram_ipa;	/* huge if it is below */

	if (size > vm->ram_size || offset > vm->ram_size - size)
		return NULL;
	return (void *)(vm->ram_pa + offset);
}

struct vcpu *vm_vcpu_by_mpidr(struct vm *vm, u64 mpidr)
{
	mpidr &= 0xff00ffffffULL;
	return mpidr < vm->nr_vcpus ? vm->vcpus[mpidr] : NULL;	/* config.c makes them so */
}

void vm_vcpu_reset(struct vcpu *v, u64 pc, u64 x0)
{
	arch_vcpu_reset(v, pc, x0);
	vgic_vcpu_reset(v);
	memset(&v->ptimer, 0, sizeof(v->ptimer));
	v->page = NULL;
	doorbells_off(v);
	v->work = 0;
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

bool vm_lay_out(struct vm *vm)
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
	stage2_restore(vm);
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

	virtio_vm_reset(vm);
	console_flush(vm);
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

void vms_created(u32 refused)
{
	vms_refused = refused;
	vms_alive = nr_vms;
	if (!nr_vms)
		all_vms_off();
}
