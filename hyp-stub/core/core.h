/* SPDX-License-Identifier: GPL-2.0 */
/*
 * core/: VMs, vCPUs, their scheduling, stage 2, and what each exit means.
 * Portable: reaches the processor only through arch/arch.h, so that all of it
 * also runs as host unit tests (tests/unit).
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include <pvkit/abi.h>

#include "arch/arch.h"
#include "irq/irq.h"
#include "lib/lib.h"

#define MAX_VMS		8
#define MAX_VCPUS	16		/* per VM */
#ifndef HEAP_SIZE			/* the unit tests never reboot */
#define HEAP_SIZE	KiB(512)
#endif

/* The virtual platform: QEMU virt's memory map. */
#define GUEST_GICD_BASE		0x08000000UL
#define GUEST_GICD_SIZE		0x10000UL
#define GUEST_GICR_BASE		0x080a0000UL
#define GUEST_UART_BASE		0x09000000UL
#define GUEST_PVTIME_BASE	0x090a0000UL
#define GUEST_VIRTIO_BASE	0x0a000000UL
#define GUEST_VIRTIO_STRIDE	0x200
#define VIRTIO_BUS_SLOTS	16
#define GUEST_RAM_BASE		0x40000000UL
#define GUEST_RAM_MAX		GiB(64)

#define SLICE_US_DEFAULT	10000
#define SLICE_US_MIN		100
#define SLICE_US_MAX		1000000

enum vcpu_state {
	VCPU_OFF,
	VCPU_READY,			/* on the run queue */
	VCPU_RUNNING,			/* on a pCPU */
	VCPU_BLOCKED,			/* WFI, WAIT, CPU_SUSPEND */
};

/**
 * struct vcpu - one virtual CPU.
 *
 * Owned by the pCPU that runs it; @state, @link, @slice_left and @pcpu belong
 * to the scheduler (sched lock), @vgic to its VM's vgic lock.
 */
struct vcpu {
	struct arch_regs regs;		/* first: the vectors store here */
	struct vm *vm;
	u32 id;
	u32 state;			/* enum vcpu_state */
	u32 kicked;			/* a KICK that WAIT has not consumed */
	u32 turning_on;			/* a CPU_ON is setting it up */
	u32 waiting;			/* blocked in WAIT, not in WFI */
	u32 vgic_dirty;			/* list registers need a refill */
	u32 work;			/* devices with unfinished queues: virtio_continue() */
	u64 mpidr;
	struct list link;		/* run queue, or a pCPU's blocked list */
	struct pcpu *pcpu;		/* running here, or ran here last */
	u32 affinity;			/* bit per pCPU */
	int last_pcpu;
	u64 turn;			/* place in the run queue */
	s64 slice_left;			/* counter ticks of this turn */
	bool borrows;			/* runs on lent time, ahead of its turn */
	u64 lent;			/* counter ticks got by YIELD_TO or with an IPI */
	u64 run_start;
	u64 ready_since;
	u64 steal;			/* counter ticks spent READY */
	u64 wake_at;			/* while BLOCKED: virtual timer, or ~0 */
	u64 yields_received;
	struct pv_vcpu_page *page;	/* registered by the guest, or NULL */
	const u32 *doorbells;		/* its, or a 0 */
	u64 check_at, check_ticks;	/* look at them then, ~0: never; and again after */
	bool rung;			/* ...since the last look */
	u64 exits[PV_EXIT_SLOTS];
	u64 exits_base[PV_EXIT_SLOTS];	/* at registration of the page */
	struct arch_vtimer timer;	/* virtual timer, while not on a pCPU */
	struct ptimer ptimer;
	struct vgic_cpu vgic;
	struct arch_context ctx;
};

/* Emulated PL011 of a VM. */
struct vuart {
	spinlock_t lock;
	u32 cr, lcr_h, imsc, ris, ibrd, fbrd, ifls;
	u8 rx[64];
	u32 rx_head, rx_count;
};

/* Output of a VM not yet shown, a buffer for each of its consoles. */
struct console_line {
	spinlock_t lock;
	u32 len;
	char text[128];
};

struct vm_image {
	u64 pa, size;			/* where the loader left it; size 0: none */
};

/* What the vCPU on this pCPU asks of the scheduler at the end of its exit. */
enum sched_request { SCHED_NONE, SCHED_BLOCK, SCHED_YIELD, SCHED_LEND, SCHED_OFF };

enum vm_state { VM_RUNNING, VM_OFF, VM_CRASHED };

struct vm {
	struct vcpu *vcpus[MAX_VCPUS];	/* the vectors index this */
	u32 nr_vcpus;
	u32 id;
	char name[32];
	u32 state;			/* enum vm_state */
	u32 stopping;			/* its vCPUs are to leave their pCPUs */
	u32 resetting;			/* ...and then to start again */
	u64 ram_ipa, ram_pa, ram_size;
	u64 vttbr;
	u64 *s2_root, *s2_saved;
	bool s2_withdrawn;
	u64 cntvoff;
	struct vm_image kernel, initrd, dtb;
	u64 entry_ipa, dtb_ipa, initrd_ipa;
	bool partitioned;		/* each vCPU has a pCPU to itself: direct.c */
	bool identity;			/* RAM at the same place as on the host */
	u32 uart_intid;
	u64 pass_base;			/* of a host device that is its own, or 0 */
	u32 pass_intid;
	bool stop_on_reset;
	char bootargs[1024];
	u8 *pvtime;			/* stolen time structures, one page */
	u64 pvtime_ipa;
	struct vgic vgic;
	bool vlpi;			/* its devices may have vLPIs: vlpi.c */
	u8 *vlpi_properties;		/* table: priority, enabled */
	struct vuart uart;
	struct console_line uart_line, vconsole_line;
	struct virtio_dev *virtio[VIRTIO_BUS_SLOTS];
	u8 *virtio_regs;		/* the bus, as it reads */
	u32 nr_virtio;
	struct virtio_dev *vconsole;	/* one of them, or NULL */
};

struct pcpu {
	struct vcpu *current;		/* the vectors read this */
	u64 stack_top;
	u32 id;
	u64 mpidr;
	u32 online;
	u32 idle;			/* in arch_wait_for_interrupt() */
	u32 resched;			/* look at the run queue before resuming */
	u32 preempt;			/* ...and give way to an earlier turn */
	enum sched_request request;
	struct vcpu *lend_to;
	bool vtimer_active;		/* physical state of the virtual timer's PPI */
	u64 picked_at;			/* when the current vCPU got this pCPU */
	u64 slice_end;			/* ~0: nobody waits, no slice is running */
	struct list blocked;		/* vCPUs whose timers this pCPU keeps */
	spinlock_t timers_lock;
	struct list timers;		/* timer.h */
};

extern struct pcpu pcpus[MAX_PCPUS];
extern struct vm vms[MAX_VMS];
extern u32 nr_vms;
extern u32 partitioned_pcpus;		/* bit per pCPU that one VM has to itself */
extern u32 polling_pcpus;		/* ...that runs no vCPUs: virtio/poll.c */

#define vm_printf(vm, fmt, ...) hyp_printf("vm %s: " fmt, (vm)->name, ##__VA_ARGS__)
#define vcpu_printf(v, fmt, ...) \
	hyp_printf("vm %s vcpu %u: " fmt, (v)->vm->name, (v)->id, ##__VA_ARGS__)

/* --- main.c, called by the boot assembly --- */
void hyp_main(const void *fdt);
void hyp_secondary_main(void);

/* --- heap.c: hypervisor memory, zeroed, given out at boot and never returned --- */
void *heap_alloc(u64 size, u64 align);
/* From the machine's RAM: what only some configurations need, or is large. */
void *heap_alloc_ram(u64 size, u64 align);
u64 heap_used(void);

/* --- config.c --- */
/**
 * vms_create - make the VMs that the description asks for.
 * @config: a checked device tree. What is wrong in a node is printed, and that
 * VM is left out.
 */
void vms_create(const void *config);

/* --- vm.c --- */
/* Decide where kernel, initrd and device tree go; false if they do not fit. */
bool vm_lay_out(struct vm *vm);
/* @refused VMs of the description could not be made; the rest can start. */
void vms_created(u32 refused);
void vm_start(struct vm *vm);
void vm_vcpu_reset(struct vcpu *v, u64 pc, u64 x0);
/* From one of its vCPUs: stop for good, reset, or stop with a reason. */
void vm_stop(struct vm *vm, enum vm_state how);
void vm_reset(struct vm *vm);
__attribute__((format(printf, 2, 3))) void vm_crash(struct vcpu *v, const char *fmt, ...);
/* Host pointer to [ipa, ipa + size) of a VM's RAM, NULL if any of it is not. */
void *vm_ram(const struct vm *vm, ipa_t ipa, u64 size);
struct vcpu *vm_vcpu_by_mpidr(struct vm *vm, u64 mpidr);
/* All vCPUs of a VM are off: finish its stop or reset. */
void vm_all_off(struct vm *vm);

/* --- guest_dt.c --- */
u64 vm_build_dtb(struct vm *vm, void *buf, u64 size);

/* --- stage2.c; false: out of memory, or beyond the IPA space --- */
bool stage2_init(struct vm *vm);
bool stage2_map(struct vm *vm, ipa_t ipa, pa_t pa, u64 size, u32 flags);
/* Let every access fault, until it is restored; on all pCPUs when it returns. */
void stage2_withdraw(struct vm *vm);
void stage2_restore(struct vm *vm);
bool stage2_lookup(const struct vm *vm, ipa_t ipa, pa_t *pa, unsigned int *level);

/* --- sched.c --- */
void sched_init(u64 slice_us);
u64 sched_slice_ns(void);
struct vcpu *sched_first(void);
/* The vCPU to resume after an exit of @v: usually @v. */
struct vcpu *sched_exit(struct vcpu *v);
/* Requests of the vCPU on this pCPU, carried out by sched_exit(). */
void sched_block(struct vcpu *v);	/* WFI */
void sched_wait(struct vcpu *v);	/* WAIT: x1 = a kick was consumed */
void sched_yield(void);
int sched_yield_to(struct vcpu *target);
void sched_cpu_off(void);
void sched_kick(struct vcpu *v);
/* An interrupt became deliverable: see that the vCPU notices. */
void sched_interrupt(struct vcpu *v, bool from_vcpu);
/* Wake it if it is blocked: a vLPI was raised, which the GIC delivers. */
void sched_wake(struct vcpu *v);
void sched_refresh(struct vcpu *v);	/* look at its list registers soon; any lock held */
bool sched_cpu_on(struct vcpu *v);	/* false: not off */
void sched_stop_vm(struct vm *vm);
void sched_timer_expired(void);
void sched_timer_changed(void);		/* of the running vCPU's ptimer */
enum vcpu_state sched_state(struct vcpu *v);
u64 ticks_to_ns(u64 ticks);
u64 ns_to_ticks(u64 ns);

/* --- exit.c, reached from the vectors through arch/arm64/trap.c --- */
struct mmio {
	u64 addr;			/* IPA */
	u32 size;			/* bytes: 1, 2, 4, 8 */
	bool write;
	u64 value;
};
/* True if a device took it. */
bool mmio_dispatch(struct vcpu *v, struct mmio *m);
void exit_hypercall(struct vcpu *v);
void exit_interrupt(struct vcpu *v);	/* @v NULL: from idle */
/* Let @handler have a device's interrupts; only while VMs are created. */
void host_irq(u32 intid, bool edge, void (*handler)(void *arg), void *arg);

/* --- hypercall.c, psci.c, smccc.c: calls; true: it was one of these --- */
#define SMCCC_VERSION	0x80000000U
void hypercall_dispatch(struct vcpu *v);
bool psci_call(struct vcpu *v, u32 fn);
bool smccc_service(struct vcpu *v, u32 fn);
void pvtime_update(struct vcpu *v);

/* --- pvpage.c --- */
s64 pvpage_register(struct vcpu *v);
s64 pvpage_unregister(struct vcpu *v);
void pvpage_drop(struct vcpu *v);
void pvpage_stopped(struct vcpu *v);
void pvpage_ready(struct vcpu *v);
void pvpage_running(struct vcpu *v);
void pvpage_refresh(struct vcpu *v);

/* --- vuart.c --- */
bool vuart_mmio(struct vcpu *v, struct mmio *m);
void vuart_input(struct vm *vm, char c);

/* --- console_mux.c: the VMs' consoles share the host's --- */
/* Show @n characters, whole lines at a time; @line: of this console. */
void console_output(struct vm *vm, struct console_line *line, const char *text, size_t n);
void console_flush(struct vm *vm);
void console_input(void);

#endif
