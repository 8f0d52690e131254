// SPDX-License-Identifier: GPL-2.0
/* From the boot assembly to the first guest. */
#include "core/core.h"
#include "platform/platform.h"
#include "virtio/virtio.h"

#define STACK_SIZE KiB(16)

static u32 go;

static void set_up_pcpu(struct pcpu *p)
{
	p->current = NULL;
	list_init(&p->blocked);
	list_init(&p->timers);
	arch_traps_init();
	gic_cpu_init();
	WRITE_ONCE(p->online, 1);
}

static void start_secondaries(void)
{
	for (u32 i = 1; i < platform.nr_pcpus; i++) {
		struct pcpu *p = &pcpus[i];
		void *stack = heap_alloc(STACK_SIZE, 16);

		p->id = i;
		p->mpidr = platform.pcpu_mpidr[i];
		p->stack_top = (u64)stack + STACK_SIZE;
		if (!stack || !arch_start_pcpu(p->mpidr, p)) {
			hyp_printf("pCPU %u does not start", i);
			continue;
		}
		while (!READ_ONCE(p->online))
			arch_relax();
	}
}

static void uart_interrupt(void *arg)
{
	(void)arg;
	console_input();
}

void hyp_main(const void *fdt)
{
	pcpus[0].id = 0;
	platform_init(fdt);
	pcpus[0].mpidr = platform.pcpu_mpidr[0];
	gic_init();
	set_up_pcpu(&pcpus[0]);
	start_secondaries();
	vms_create(platform.config);
	if (platform.uart_intid) {
		host_irq(platform.uart_intid, false, uart_interrupt, NULL);
		console_enable_input();
	}
	hyp_printf("pvkit: %u VMs on %u pCPUs, slice %llu us, %llu KiB of heap used", nr_vms,
		   platform.nr_pcpus, (unsigned long long)sched_slice_ns() / 1000,
		   (unsigned long long)heap_used() >> 10);
	for (u32 i = 0; i < nr_vms; i++)
		vm_start(&vms[i]);
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	enter_guest(sched_first());
}

void hyp_secondary_main(void)
{
	set_up_pcpu(this_pcpu());
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		arch_relax();
	if (polling_pcpus & BIT(this_pcpu()->id))
		poll_on();
	enter_guest(sched_first());
}
