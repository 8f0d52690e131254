// SPDX-License-Identifier: GPL-2.0
/*
 * The life cycle of the guest's kernel, for all our modules: from when on, and
 * until when, the hypervisor may write to our memory, and whether it is still
 * the one that was found. Documentation/life-cycle.md has the same table with
 * the reasons. In the order of a kernel's life:
 *
 * event (context)		what is done
 * module loaded (task)		pvhyp: hooks of this file, then the pages of all
 *				online CPUs. Others: pvhyp_client_add() when ready.
 * CPU online, offline (task	pvhyp: the page of this CPU. It comes first and goes
 *   on that CPU, may sleep)	last: states of cpuhp that modules add later are inside.
 * suspend to idle (task)	virtio_pv: device PM resets its devices and sets them
 *				up again. Pages stay.
 * hibernation, in this order:
 *   device PM (task)		virtio_pv: devices reset. blk-noop: queues stopped.
 *   CPU offline		all but the boot CPU
 *   syscore suspend (boot CPU	pvhyp: the boot CPU's page. The image has none that is
 *     alone, interrupts off)	registered; neither has a kernel that restores one.
 *   syscore resume (likewise,	pvhyp: asks again what is offered, as this may be another
 *     here or on another host)	hypervisor, or none; the page; then PVHYP_RESUME.
 *				pvlock: on or off, pvclock: slack, by what is offered
 *   CPU online, device PM	as above. virtio_pv: devices that are gone get errors.
 * reboot, power-off, kexec, in this order:
 *   reboot notifier (task)	pvhyp: no page is registered, no client added any more
 *   device shutdown (task)	virtio_pv: queues marked broken, devices reset
 *   syscore shutdown (task)	pvhyp: pages of all CPUs
 *   CPU offline (kexec only)	nothing is left to do
 *   machine_kexec()		as in a crash; nothing is left to do
 * crash:
 *   other CPUs (interrupt)	the kernel stops them, for kdump by CPU_OFF, which drops the page
 *   panic notifier (any	if a crash kernel is loaded: PVHYP_CRASH, then this CPU's
 *     context, NMI included)	page. Only called with crash_kexec_post_notifiers.
 *   machine_kexec() (any)	the same, called by ftrace (kexec.c).
 *				virtio_pv: devices reset. pvlock: off.
 * module removed (task)	pvhyp_client_remove() first. pvhyp: pages, then hooks.
 *
 * A client's mutex is never taken here. @mutex is taken alone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/kexec.h>
#include <linux/mutex.h>
#include <linux/panic_notifier.h>
#include <linux/rculist.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/syscore_ops.h>

#include "pvhyp_internal.h"

static LIST_HEAD(clients);		/* RCU */
static DEFINE_MUTEX(mutex);		/* changes of @clients, and @leaving */
static bool leaving;			/* reboot, power-off or kexec has begun */
static enum cpuhp_state hp_state;
static bool kexec_hooked;

int pvhyp_client_add(struct pvhyp_client *client)
{
	int ret = 0;

	mutex_lock(&mutex);
	if (leaving)
		ret = -ESHUTDOWN;
	else
		list_add_tail_rcu(&client->node, &clients);
	mutex_unlock(&mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(pvhyp_client_add);

void pvhyp_client_remove(struct pvhyp_client *client)
{
	mutex_lock(&mutex);
	list_del_rcu(&client->node);
	mutex_unlock(&mutex);
	synchronize_rcu();	/* events run with interrupts off, or for the last time */
}
EXPORT_SYMBOL_GPL(pvhyp_client_remove);

static void notrace tell_clients(enum pvhyp_event event)
{
	struct pvhyp_client *client;

	list_for_each_entry_rcu(client, &clients, node, true)
		client->event(event);
}

/* --- CPUs --- */

/*
 * A CPU without a page works, it is not seen as preempted and rings no
 * doorbells. So this is no reason to keep it off.
 *
 * online()				syscore_shut_down()
 *   interrupts off			  @leaving was set before
 *   if !leaving: register		  interrupt all CPUs: unregister
 *   interrupts on
 */
static int online(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	if (!READ_ONCE(leaving) && pvhyp_features())
		pvhyp_page_register();
	local_irq_restore(flags);
	return 0;
}

static void drop_page(void *unused)
{
	pvhyp_page_unregister();
}

static int offline(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	drop_page(NULL);
	local_irq_restore(flags);
	return 0;
}

static bool all_have_pages(void)
{
	bool all = true;
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		all &= READ_ONCE(per_cpu_ptr(&pvhyp_cpus, cpu)->registered);
	cpus_read_unlock();
	return all;
}

/* --- the system's core: one CPU; when it shuts down, the others still run --- */

static int syscore_sleep(void)
{
	drop_page(NULL);
	return 0;
}

static void syscore_wake(void)
{
	u32 before = pvhyp_features();

	pvhyp_discover();
	if (pvhyp_features() != before)
		pr_warn("resumed on another hypervisor: features 0x%x, before 0x%x\n",
			pvhyp_features(), before);
	if (pvhyp_features())
		pvhyp_page_register();
	tell_clients(PVHYP_RESUME);
}

static void syscore_shut_down(void)
{
	on_each_cpu(drop_page, NULL, 1);
}

/* Both kinds have the same members, one kind gets a pointer (see Kbuild). */
#ifdef PVK_REGISTER_SYSCORE
static int syscore_suspend_data(void *data) { return syscore_sleep(); }
static void syscore_resume_data(void *data) { syscore_wake(); }
static void syscore_shutdown_data(void *data) { syscore_shut_down(); }

static const struct syscore_ops syscore_ops = {
	.suspend = syscore_suspend_data,
	.resume = syscore_resume_data,
	.shutdown = syscore_shutdown_data,
};
static struct syscore syscore = { .ops = &syscore_ops };

static void syscore_add(void) { register_syscore(&syscore); }
static void syscore_remove(void) { unregister_syscore(&syscore); }
#else
static struct syscore_ops syscore_ops = {
	.suspend = syscore_sleep,
	.resume = syscore_wake,
	.shutdown = syscore_shut_down,
};

static void syscore_add(void) { register_syscore_ops(&syscore_ops); }
static void syscore_remove(void) { unregister_syscore_ops(&syscore_ops); }
#endif

/* --- the end --- */

static int on_reboot(struct notifier_block *nb, unsigned long how, void *command)
{
	mutex_lock(&mutex);
	WRITE_ONCE(leaving, true);
	mutex_unlock(&mutex);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_nb = { .notifier_call = on_reboot, .priority = INT_MAX };

void notrace pvhyp_life_crash(void)
{
	tell_clients(PVHYP_CRASH);
	pvhyp_page_unregister();
}

/*
 * Without a crash kernel nothing follows but a reset, which drops the pages; and
 * a console of virtio_pv is to show the rest of the messages.
 */
static int on_panic(struct notifier_block *nb, unsigned long unused, void *message)
{
	if (kexec_crash_loaded())
		pvhyp_life_crash();
	return NOTIFY_DONE;
}

static struct notifier_block panic_nb = { .notifier_call = on_panic, .priority = INT_MIN };

int pvhyp_life_start(void)
{
	int ret;

	syscore_add();
	register_reboot_notifier(&reboot_nb);
	atomic_notifier_chain_register(&panic_notifier_list, &panic_nb);
	ret = pvhyp_kexec_hook();
	kexec_hooked = !ret;
	if (ret)
		pr_info("machine_kexec() cannot be traced (%d): a crash kernel starts with pages registered\n", ret);
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "pvkit/pvhyp:online", online, offline);
	if (ret < 0)
		goto hooks;
	hp_state = ret;
	if (all_have_pages())
		return 0;
	ret = READ_ONCE(leaving) ? -ESHUTDOWN : -EIO;
	cpuhp_remove_state(hp_state);
hooks:
	hp_state = 0;
	pvhyp_life_stop();
	return ret;
}

void pvhyp_life_stop(void)
{
	if (hp_state)
		cpuhp_remove_state(hp_state);
	if (kexec_hooked)
		pvhyp_kexec_unhook();
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_nb);
	unregister_reboot_notifier(&reboot_nb);
	syscore_remove();
}
