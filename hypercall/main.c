// SPDX-License-Identifier: GPL-2.0
/*
 * pvhyp: the guest side of the pvkit ABI. Finds the hypervisor, registers one
 * shared page per online vCPU, and gives other modules the vCPUs' states and
 * the calls. page.c has the pages, life.c says when they are registered.
 *
 * On another hypervisor, or on bare hardware, it loads with no features, so
 * that modules which need none of them still work.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <pvkit/module.h>

#include "pvhyp_internal.h"

static u32 features;
static u64 slice_ns;
static bool loaded;			/* there was a hypervisor */
static struct dentry *debugfs;

u32 pvhyp_features(void)
{
	return READ_ONCE(features);
}
EXPORT_SYMBOL_GPL(pvhyp_features);

u64 pvhyp_slice_ns(void)
{
	return READ_ONCE(slice_ns);
}
EXPORT_SYMBOL_GPL(pvhyp_slice_ns);

static bool is_ours(void)
{
	struct arm_smccc_res res;

	if (arm_smccc_1_1_get_conduit() != SMCCC_CONDUIT_HVC)
		return false;
	arm_smccc_1_1_hvc(PV_FN_UID, &res);
	return (u32)res.a0 == PV_UID_0 && (u32)res.a1 == PV_UID_1 &&
	       (u32)res.a2 == PV_UID_2 && (u32)res.a3 == PV_UID_3;
}

void pvhyp_discover(void)
{
	struct arm_smccc_res res = {};
	bool found = is_ours();

	if (found) {
		arm_smccc_1_1_hvc(PV_FN_FEATURES, &res);
		found = (long)res.a0 == PV_SUCCESS && res.a2 >= PV_ABI_VERSION;
	}
	/* Nothing of ours does without the pages. */
	WRITE_ONCE(slice_ns, found ? res.a3 : 0);
	WRITE_ONCE(features, found && res.a1 & PV_FEAT_PAGE ? (u32)res.a1 : 0);
}

static const char * const exit_names[] = {
#define X(id, name) name,
	PV_EXIT_REASONS(X)
#undef X
};

static const char * const state_names[] = {
	[PV_VCPU_RUNNING] = "running",
	[PV_VCPU_PREEMPTED_KERNEL] = "preempted-kernel",
	[PV_VCPU_PREEMPTED_USER] = "preempted-user",
	[PV_VCPU_BLOCKED] = "blocked",
	[PV_VCPU_OFF] = "off",
};

/* "exits": one line per reason, one column per online CPU. */
static int exits_show(struct seq_file *m, void *unused)
{
	unsigned long (*exits)[PV_EXIT_NR + 2];	/* STATS gives three at a time */
	int cpu, i;

	exits = kcalloc(nr_cpu_ids, sizeof(*exits), GFP_KERNEL);
	if (!exits)
		return -ENOMEM;
	for_each_online_cpu(cpu) {
		u32 vcpu = per_cpu_ptr(&pvhyp_cpus, cpu)->vcpu;

		for (i = 0; i < PV_EXIT_NR; i += 3) {
			struct arm_smccc_res res;

			/* Exact, where the page is as old as its last refresh. */
			arm_smccc_1_1_hvc(PV_FN_STATS, vcpu, i, 0, &res);
			if ((long)res.a0 == PV_SUCCESS) {
				exits[cpu][i] = res.a1;
				exits[cpu][i + 1] = res.a2;
				exits[cpu][i + 2] = res.a3;
			}
		}
	}

	seq_printf(m, "%-14s", "reason");
	for_each_online_cpu(cpu)
		seq_printf(m, " %12s%d", "cpu", cpu);
	seq_putc(m, '\n');
	for (i = 0; i < PV_EXIT_NR; i++) {
		seq_printf(m, "%-14s", exit_names[i]);
		for_each_online_cpu(cpu)
			seq_printf(m, " %13lu", exits[cpu][i]);
		seq_putc(m, '\n');
	}
	kfree(exits);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(exits);

/* "instructions": of the pCPU under the reader, modulo 2^32 */
static int instructions_show(struct seq_file *m, void *unused)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(PV_FN_STATS, PV_STATS_INSTRUCTIONS, 0, 0, &res);
	seq_printf(m, "hypervisor=%lu\nguest=%lu\n", res.a1, res.a2);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(instructions);

/* "vcpus": one line per CPU: vCPU number, state, times run, directed yields got. */
static int vcpus_show(struct seq_file *m, void *unused)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct pvhyp_cpu *c = per_cpu_ptr(&pvhyp_cpus, cpu);
		u32 state = pvhyp_state(cpu);

		seq_printf(m, "cpu%d vcpu=%u state=%s run_seq=%u yields=%llu\n", cpu, c->vcpu,
			   state < ARRAY_SIZE(state_names) ? state_names[state] : "?",
			   READ_ONCE(c->page->run_seq), READ_ONCE(c->page->yields));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vcpus);

static int __init pvhyp_init(void)
{
	int ret;

	BUILD_BUG_ON(sizeof(struct pv_vcpu_page) != SZ_4K || PAGE_SIZE % SZ_4K);
	pvhyp_discover();
	if (!features) {
		pr_info("no pvkit hypervisor here: no features\n");
		return 0;
	}
	ret = pvhyp_pages_alloc();
	if (ret)
		return ret;
	ret = pvhyp_life_start();
	if (ret) {
		pvhyp_pages_free();
		return ret;
	}
	loaded = true;
	debugfs = debugfs_create_dir("pvhyp", NULL);
	debugfs_create_file("exits", 0444, debugfs, NULL, &exits_fops);
	debugfs_create_file("instructions", 0444, debugfs, NULL, &instructions_fops);
	debugfs_create_file("vcpus", 0444, debugfs, NULL, &vcpus_fops);
	pr_info("pvkit hypervisor, features 0x%x, slice %llu us\n", features,
		div_u64(slice_ns, 1000));
	return 0;
}

static void __exit pvhyp_exit(void)
{
	if (!loaded)
		return;
	debugfs_remove_recursive(debugfs);
	pvhyp_life_stop();
	pvhyp_pages_free();
}

module_init(pvhyp_init);
module_exit(pvhyp_exit);
PVKIT_MODULE("hypervisor discovery, per-vCPU shared pages, hypercalls");
