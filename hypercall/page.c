// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that are shared with the hypervisor: one per vCPU (struct pv_vcpu_page),
 * and those that other modules share with its devices.
 *
 * A vCPU's page is allocated once, for all possible CPUs, and stays while pvhyp
 * is loaded, so readers never meet a missing one: the page of a CPU that has
 * none registered reads PV_VCPU_OFF.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/smp.h>

#include "pvhyp_internal.h"

DEFINE_PER_CPU(struct pvhyp_cpu, pvhyp_cpus);
EXPORT_PER_CPU_SYMBOL_GPL(pvhyp_cpus);

void *pvhyp_alloc_shared(void)
{
	unsigned long page = get_zeroed_page(GFP_KERNEL);

	if (!page)
		return NULL;
	/*
	 * Where the guest's memory is encrypted, the hypervisor could not read it
	 * otherwise. If this fails, nobody knows in which state the page is.
	 */
	if (set_memory_decrypted(page, 1)) {
		pr_err("a page cannot be shared, it is lost\n");
		return NULL;
	}
	memset((void *)page, 0, PAGE_SIZE);
	return (void *)page;
}
EXPORT_SYMBOL_GPL(pvhyp_alloc_shared);

void pvhyp_free_shared(void *page)
{
	if (!page)
		return;
	if (set_memory_encrypted((unsigned long)page, 1)) {
		pr_err("a page stays shared, it is lost\n");
		return;
	}
	free_page((unsigned long)page);
}
EXPORT_SYMBOL_GPL(pvhyp_free_shared);

void pvhyp_pages_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		pvhyp_free_shared(per_cpu_ptr(&pvhyp_cpus, cpu)->page);
		per_cpu_ptr(&pvhyp_cpus, cpu)->page = NULL;
	}
}

int pvhyp_pages_alloc(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct pv_vcpu_page *page = pvhyp_alloc_shared();

		if (!page) {
			pvhyp_pages_free();
			return -ENOMEM;
		}
		page->state = PV_VCPU_OFF;
		per_cpu_ptr(&pvhyp_cpus, cpu)->page = page;
	}
	return 0;
}

/* Nobody but us writes to it, and it reads so. */
static void wipe(struct pv_vcpu_page *page)
{
	WRITE_ONCE(page->doorbells, 0);
	WRITE_ONCE(page->deferring, 0);
	WRITE_ONCE(page->timer_early, 0);
	WRITE_ONCE(page->state, PV_VCPU_OFF);
}

int pvhyp_page_register(void)
{
	struct pvhyp_cpu *c = this_cpu_ptr(&pvhyp_cpus);
	long ret;

	if (c->registered)
		return 0;
	wipe(c->page);
	/* vCPU n has affinity level 0 n, see abi.h */
	c->vcpu = read_cpuid_mpidr() & MPIDR_LEVEL_MASK;
	ret = pvhyp_call(PV_FN_PAGE_REGISTER, virt_to_phys(c->page), NULL);
	if (ret != PV_SUCCESS) {
		pr_err("CPU %u: cannot register its page (%ld)\n", smp_processor_id(), ret);
		return -EIO;
	}
	WRITE_ONCE(c->registered, true);
	return 0;
}

void pvhyp_page_unregister(void)
{
	struct pvhyp_cpu *c = this_cpu_ptr(&pvhyp_cpus);

	if (!READ_ONCE(c->registered))
		return;
	WRITE_ONCE(c->registered, false);
	pvhyp_call(PV_FN_PAGE_UNREGISTER, 0, NULL);
	wipe(c->page);
}
