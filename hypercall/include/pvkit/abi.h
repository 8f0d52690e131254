/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The pvkit paravirtual interface, version 1: the one contract between guest
 * modules, hypervisor, tests and tools.
 *
 * Calls follow the SMC Calling Convention 1.1 (Arm DEN0028) over HVC #0:
 * function ID in w0, arguments in x1-x3, results in x0-x3, x4-x17 preserved.
 * Unless said otherwise a call returns in x0 PV_SUCCESS or one of the
 * negative PV_E* values below; an unknown function ID returns
 * PV_ENOTSUPP. A vCPU is named by its index in the VM: the order of the
 * `cpu` nodes in the guest's device tree, which is also the affinity order.
 *
 * Discovery: PV_FN_UID returns PV_UID_0..3 in w0-w3; PV_FN_FEATURES then
 * returns what this hypervisor offers. Standard services keep their standard
 * numbers: PSCI 1.1 (DEN0022), stolen time (DEN0057A), TRNG (DEN0098).
 *
 * Shared page: each vCPU may register one 4 KiB page of its own RAM
 * (struct pv_vcpu_page). "H" fields are written by the hypervisor and "G"
 * fields by the guest; the other side only reads them. H fields are single
 * aligned stores, made before the vCPU stops running and before it runs
 * again, so a reader of another vCPU's page needs only READ_ONCE(); the
 * answer may be stale by the time it is used, and is a hint. A virtio device
 * may share one as well (struct pv_io_page).
 */
#ifndef PVKIT_ABI_H
#define PVKIT_ABI_H

#ifndef __ASSEMBLY__
#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/build_bug.h>
typedef __u8 pv_u8;
typedef __u32 pv_u32;
typedef __u64 pv_u64;
#else
#include <stddef.h>
#include <stdint.h>
typedef uint8_t pv_u8;
typedef uint32_t pv_u32;
typedef uint64_t pv_u64;
#endif
#endif /* __ASSEMBLY__ */

#define PV_ABI_VERSION		1

/* Return values (SMCCC 1.1 and PSCI share the first three). */
#define PV_SUCCESS		0
#define PV_ENOTSUPP		(-1)	/* unknown call, or feature absent */
#define PV_EINVAL		(-2)	/* an argument is out of its range */
#define PV_EDENIED		(-3)	/* valid, but not in this state */
#define PV_EEXIST		(-4)	/* already registered */

/**
 * PV_FN_UID - vendor-specific hypervisor service call UID (DEN0028 6.2).
 * Returns the UUID 3f1c9a52-70d5-4b7e-9d2b-706b76697470 in w0-w3.
 */
#define PV_FN_UID		0x8600FF01
#define PV_UID_0		0x529a1c3f
#define PV_UID_1		0x7e4bd570
#define PV_UID_2		0x6b702b9d
#define PV_UID_3		0x70746976

/**
 * PV_FN_FEATURES - what is offered.
 * Returns x0 = PV_SUCCESS, x1 = PV_FEAT_* bitmap, x2 = PV_ABI_VERSION,
 * x3 = length of a scheduling slice in ns.
 */
#define PV_FN_FEATURES		0xC6000000
#define PV_FEAT_PAGE		(1 << 0)	/* PAGE_REGISTER, PAGE_UNREGISTER */
#define PV_FEAT_YIELD		(1 << 1)	/* YIELD, YIELD_TO */
#define PV_FEAT_WAIT_KICK	(1 << 2)	/* WAIT, KICK */
#define PV_FEAT_MULTICALL	(1 << 3)	/* MULTICALL */
#define PV_FEAT_STATS		(1 << 4)	/* STATS */
#define PV_FEAT_DOORBELL	(1 << 5)	/* NOTIFY, doorbells, IO_REGISTER, IO_WRITE */
#define PV_FEAT_POLL		(1 << 6)	/* IO_POLL: the hypervisor has pCPUs that poll */
#define PV_FEAT_LPI		(1 << 7)	/* IO_IRQ: the GIC delivers devices' interrupts itself */
#define PV_FEAT_TIMER_SLACK	(1 << 8)	/* pv_vcpu_page.timer_early, timer_late */

/**
 * PV_FN_PAGE_REGISTER - register the calling vCPU's shared page.
 * @x1: IPA, 4 KiB aligned, inside the VM's RAM.
 * PV_EINVAL: not aligned or not RAM; a page registered before stays.
 * Cleared by the hypervisor at registration. If this vCPU has a page already,
 * the new one replaces it: the hypervisor neither reads nor writes the old one
 * any more, and does not drain its doorbells. PSCI CPU_OFF, CPU_ON and a VM
 * reset unregister it.
 */
#define PV_FN_PAGE_REGISTER	0xC6000001
/**
 * PV_FN_PAGE_UNREGISTER - the hypervisor stops writing the calling vCPU's
 * page before the call returns. PV_EDENIED: none was registered.
 */
#define PV_FN_PAGE_UNREGISTER	0xC6000002

/**
 * PV_FN_YIELD - let another runnable vCPU use this pCPU; returns when the
 * caller is scheduled again, at once if nothing else waits.
 */
#define PV_FN_YIELD		0xC6000010
/**
 * PV_FN_YIELD_TO - give this pCPU to vCPU @x1 if it is runnable and waits
 * for a pCPU, wherever it waits. x0 = PV_SUCCESS whether or not there was
 * anything to do (a target that is running needs no help).
 * PV_EINVAL: no such vCPU. PV_EDENIED: the target's affinity excludes this
 * pCPU, it is blocked or it is off: nothing was yielded.
 */
#define PV_FN_YIELD_TO		0xC6000011
/**
 * PV_FN_WAIT - block until KICKed or until an interrupt is pending, masked or
 * not. A KICK that came since the last WAIT returned is remembered: WAIT then
 * returns at once. x1 = 1 if it consumed a KICK, else 0. Callers must tolerate
 * returns for no reason.
 */
#define PV_FN_WAIT		0xC6000012
/**
 * PV_FN_KICK - wake vCPU @x1 from WAIT, now or at its next one. Kicks do not
 * count up. A kicked vCPU queues for a pCPU, it does not preempt.
 * PV_EINVAL: no such vCPU.
 */
#define PV_FN_KICK		0xC6000013
/**
 * PV_FN_NOTIFY - kick queues of a virtio device: QueueNotify (virtio 1.2,
 * 4.2.3.3) for several queues at once.
 * @x1: slot of the device on the virtio bus. @x2: bit per queue; those that
 * the device lacks are ignored, and if it is 0, x1 does not matter.
 * The caller's doorbells are drained before the call returns, as at every
 * exit; and if any is rung, and max_delay_us set, the hypervisor begins to
 * look after them (pv_vcpu_page.deferring).
 * PV_EINVAL: no device in that slot.
 */
#define PV_FN_NOTIFY		0xC6000014
/**
 * PV_FN_MULTICALL - several calls, one exit.
 * @x1: IPA of an array of struct pv_multicall in RAM, 8-byte aligned.
 * @x2: entries, 1 to PV_MULTICALL_MAX.
 * Each is carried out in order and its result stored. x1 = entries done.
 * Calls that may block or yield, MULTICALL itself and non-pvkit calls
 * get PV_ENOTSUPP in their entry. PV_EINVAL: bad array; nothing done.
 */
#define PV_FN_MULTICALL		0xC6000015
#define PV_MULTICALL_MAX	64
/**
 * PV_FN_STATS - exit counters of a vCPU of this VM.
 * @x1: vCPU, @x2: first counter index. x1-x3 = counters x2, x2+1, x2+2
 * (0 past the end). PV_EINVAL: no such vCPU or counter.
 * @x1: PV_STATS_INSTRUCTIONS. x1 = instructions that the caller's pCPU has
 * executed in the hypervisor, x2 = in guests, both 32 bits that wrap, and 0
 * where nothing counts them.
 */
#define PV_FN_STATS		0xC6000017
#define PV_STATS_INSTRUCTIONS	0xffffffff

/**
 * PV_FN_IO_REGISTER - share a page with a virtio device.
 * @x1: slot, @x2: IPA of a struct pv_io_page, 4 KiB aligned, in RAM.
 * From then on the device announces its interrupts there and not in
 * InterruptStatus, and none needs InterruptACK. A reset of the device ends it.
 * PV_EINVAL: no such device, not aligned or not RAM. PV_EDENIED: the device is
 * in use (DRIVER_OK). PV_EEXIST: it has one already.
 */
#define PV_FN_IO_REGISTER	0xC6000020
/**
 * PV_FN_IO_WRITE - write a virtio-mmio register, as a 32-bit store would.
 * @x1: slot, @x2: offset of the register (virtio 1.2, 4.2.2), @x3: value.
 * For MULTICALL: a queue is set up in one exit.
 * PV_EINVAL: no such device, or no offset of a register that can be written.
 */
#define PV_FN_IO_WRITE		0xC6000021
/**
 * PV_FN_IO_POLL - have a polling pCPU look after a device's queues, or stop it.
 * @x1: slot, @x2: 1 or 0. While it is on, the device asks for no kicks as long
 * as its pCPU is awake (avail_event, VRING_USED_F_NO_NOTIFY: virtio 1.2,
 * 2.7.10). A reset of the device ends it.
 * PV_EINVAL: no such device, or x2 is neither. PV_ENOTSUPP: no pCPU polls.
 */
#define PV_FN_IO_POLL		0xC6000022
/**
 * PV_FN_IO_IRQ - have a device's interrupt delivered by the GIC, without an
 * exit (GICv4 direct injection), in place of the one that its node names.
 * @x1: slot, @x2: vCPU that takes it; may be called again, for another vCPU.
 * x1 = its INTID, an LPI (8192 and above; IHI 0069, 5.1). It is always enabled,
 * in group 1 and edge-triggered: there is no register to mask it with. A reset
 * of the device ends it, and what is pending is gone then.
 * @x2: PV_IO_IRQ_WIRE. The device uses the interrupt of its node again, and
 * what is pending as an LPI is gone; x1 is unchanged.
 * PV_EINVAL: no such device or vCPU. PV_EDENIED: no page was registered for the
 * device. PV_ENOTSUPP: PV_FEAT_LPI is not set.
 */
#define PV_FN_IO_IRQ		0xC6000023
#define PV_IO_IRQ_WIRE		0xffffffff

/*
 * Exit reasons: PV_EXIT_<name>, with a name for people. One list for the
 * hypervisor's counters, the shared page, debugfs and tools. Only append.
 */
#define PV_EXIT_REASONS(X) \
	X(HVC_FAST,	"hvc_fast")	/* hypercall ended in the vector */ \
	X(HVC,		"hvc")		/* pvkit hypercall */ \
	X(YIELD,	"yield")	/* YIELD, YIELD_TO that left the fast path */ \
	X(WAIT,		"wait")		/* WAIT */ \
	X(KICK,		"kick")		/* KICK that left the fast path */ \
	X(SMCCC,	"smccc")	/* PSCI, stolen time, TRNG, unknown calls */ \
	X(WFI,		"wfi") \
	X(WFE,		"wfe") \
	X(SYSREG_ID,	"sysreg_id")	/* ID register read */ \
	X(SYSREG_SGI,	"sysreg_sgi")	/* ICC_SGI*R_EL1 write: sending an IPI */ \
	X(SYSREG,	"sysreg")	/* other trapped register */ \
	X(MMIO_GIC,	"mmio_gic")	/* distributor, redistributors */ \
	X(MMIO_UART,	"mmio_uart") \
	X(ABORT,	"abort")	/* access outside the map: abort injected */ \
	X(UNDEF,	"undef")	/* trapped instruction: undefined injected */ \
	X(IRQ_TIMER,	"irq_timer")	/* virtual timer expired */ \
	X(IRQ_SLICE,	"irq_slice")	/* hypervisor timer: slice end, wake-up */ \
	X(IRQ_IPI,	"irq_ipi")	/* another pCPU wants this one */ \
	X(IRQ_MAINT,	"irq_maint")	/* vGIC maintenance */ \
	X(IRQ_DEV,	"irq_dev")	/* a host device */ \
	X(MMIO_NOTIFY,	"mmio_notify")	/* virtio-mmio QueueNotify */ \
	X(MMIO_ISR,	"mmio_isr")	/* virtio-mmio InterruptStatus: reads exit no more */ \
	X(MMIO_ACK,	"mmio_ack")	/* virtio-mmio InterruptACK */ \
	X(MMIO_VIRTIO,	"mmio_virtio")	/* virtio-mmio set-up */ \
	X(NOTIFY,	"notify")	/* NOTIFY */ \
	X(IRQ_DOORBELL,	"irq_doorbell")	/* doorbells looked at, max_delay_us being over */

#ifndef __ASSEMBLY__
enum pv_exit_reason {
#define X(id, name) PV_EXIT_##id,
	PV_EXIT_REASONS(X)
#undef X
	PV_EXIT_NR
};

#define PV_EXIT_SLOTS		32	/* room in the page; PV_EXIT_NR <= this */

/* Values of pv_vcpu_page.state. */
enum pv_vcpu_state {
	PV_VCPU_RUNNING = 0,		/* on a pCPU */
	PV_VCPU_PREEMPTED_KERNEL = 1,	/* wants a pCPU; was at EL1 */
	PV_VCPU_PREEMPTED_USER = 2,	/* wants a pCPU; was at EL0 */
	PV_VCPU_BLOCKED = 3,		/* in WFI, WAIT or CPU_SUSPEND */
	PV_VCPU_OFF = 4,		/* off, or no page registered */
};

#define PV_IO_SLOTS		16	/* devices on the virtio bus */
#define PV_IO_QUEUES		32	/* queues of a device that have doorbells */
#define PV_IO_DELAYS		14	/* buckets of a histogram of delays */
#define PV_MAX_DELAY_US		10000

/**
 * struct pv_vcpu_page - the page that a vCPU shares with the hypervisor.
 * @state: H. enum pv_vcpu_state.
 * @run_seq: H. Incremented each time the vCPU is put on a pCPU.
 * @yields: H. Directed yields this vCPU received.
 * @deferring: H. 1: while this vCPU runs, the hypervisor looks at its doorbells
 *	at least every @max_delay_us. So a driver rings, and if it then reads 1
 *	here, it need not call NOTIFY. NOTIFY sets it; it goes back to 0 when
 *	no doorbell was rung for that long. Never set in a partitioned VM.
 * @exits: H. Exits by reason since the page was registered; refreshed when
 *	the vCPU stops running and at every slice end.
 * @doorbells: G. Bit per slot: @kicks of that slot is not 0.
 * @max_delay_us: G. Longest that a rung doorbell may wait, in us, up to
 *	PV_MAX_DELAY_US; 0: doorbells are not used.
 * @kicks: G. Per slot: bit per queue that has been kicked.
 * @timer_early, @timer_late: G. CNTVCT values: a virtual timer whose CVAL is
 *	between the two may fire at any exit from @timer_early on; the hypervisor
 *	then sets CVAL to the time of that exit. Both 0: no such timer. The guest
 *	makes @timer_early 0 before it changes them. Not in a partitioned VM.
 *
 * The vCPU sets a bit in @kicks before the one in @doorbells, with stores that
 * its own interrupts cannot split; at each of its exits the hypervisor takes
 * all and stores 0. Only while the vCPU stands still, so nothing is contended,
 * and no locked access of the hypervisor's to memory that a guest can keep
 * busy is needed.
 */
struct pv_vcpu_page {
	pv_u32 state;
	pv_u32 run_seq;
	pv_u64 yields;
	pv_u32 deferring;
	pv_u8 pad0[44];
	pv_u64 exits[PV_EXIT_SLOTS];
	pv_u32 doorbells;
	pv_u32 max_delay_us;
	pv_u32 kicks[PV_IO_SLOTS];
	pv_u64 timer_early;
	pv_u64 timer_late;
	pv_u8 pad1[4096 - 88 - 8 * PV_EXIT_SLOTS - 4 * PV_IO_SLOTS];
};

/**
 * struct pv_io_queue - one virtqueue's part of a struct pv_io_page.
 * @events: H. Incremented before each interrupt that is for this queue.
 * @drains: H. How often it was looked at because of a doorbell.
 * @chains: H. Descriptor chains found there on these occasions.
 * @rung_at: G. CNTVCT_EL0 when a doorbell was rung that was not rung before.
 * @delay_max_ns: H. Longest that a doorbell waited, from @rung_at.
 * @delays: H. How often it waited less than 1, 2, 4, ... us; the last: longer.
 */
struct pv_io_queue {
	pv_u32 events;
	pv_u32 drains;
	pv_u32 chains;
	pv_u32 pad;
	pv_u64 rung_at;
	pv_u64 delay_max_ns;
	pv_u32 delays[PV_IO_DELAYS];
};

/**
 * struct pv_io_page - the page that a virtio device shares with its driver.
 * @config_events: H. Incremented before each interrupt that is for a change of
 *	the configuration.
 * @polled: H. 1 while a polling pCPU looks after the device, and is awake.
 * @queue: by queue index.
 *
 * Counters instead of status bits: each word has one writer.
 */
struct pv_io_page {
	pv_u32 config_events;
	pv_u32 polled;
	pv_u8 pad0[56];
	struct pv_io_queue queue[PV_IO_QUEUES];
	pv_u8 pad1[4096 - 64 - PV_IO_QUEUES * 88];
};

/**
 * struct pv_multicall - one entry of MULTICALL.
 * @fn: G. Function ID.
 * @arg: G. Arguments x1-x3.
 * @ret: H. Result x0.
 * @pad: zero.
 */
struct pv_multicall {
	pv_u32 fn;
	pv_u32 pad;
	pv_u64 arg[3];
	pv_u64 ret;
};

_Static_assert(PV_EXIT_NR <= PV_EXIT_SLOTS, "exit counters fit the page");
_Static_assert(offsetof(struct pv_vcpu_page, run_seq) == 4, "ABI");
_Static_assert(offsetof(struct pv_vcpu_page, yields) == 8, "ABI");
_Static_assert(offsetof(struct pv_vcpu_page, deferring) == 16, "ABI");
_Static_assert(offsetof(struct pv_vcpu_page, exits) == 64, "ABI");
_Static_assert(offsetof(struct pv_vcpu_page, doorbells) == 320, "ABI");
_Static_assert(offsetof(struct pv_vcpu_page, kicks) == 328, "ABI");
_Static_assert(offsetof(struct pv_vcpu_page, timer_early) == 392, "ABI");
_Static_assert(sizeof(struct pv_vcpu_page) == 4096, "ABI");
_Static_assert(sizeof(struct pv_io_queue) == 88, "ABI");
_Static_assert(offsetof(struct pv_io_page, queue) == 64, "ABI");
_Static_assert(sizeof(struct pv_io_page) == 4096, "ABI");
_Static_assert(offsetof(struct pv_multicall, arg) == 8, "ABI");
_Static_assert(offsetof(struct pv_multicall, ret) == 32, "ABI");
_Static_assert(sizeof(struct pv_multicall) == 40, "ABI");
#endif /* __ASSEMBLY__ */
#endif /* PVKIT_ABI_H */
