/* SPDX-License-Identifier: GPL-2.0 */
/*
 * irq/: interrupts. The host's GICv3 (gic.c), the guests' (vgic.c for the
 * state machine, vgic_mmio.c for its registers), and their timers.
 */
#ifndef IRQ_IRQ_H
#define IRQ_IRQ_H

#include "arch/arch.h"
#include "lib/lib.h"

struct vm;
struct vcpu;
struct mmio;
struct virtio_dev;

/* Interrupt numbers of the platform and of QEMU virt's guests. */
#define INTID_SGI_RESCHED	0	/* our own: another pCPU wants this one */
#define INTID_MAINT		25
#define INTID_HYP_TIMER		26
#define INTID_VTIMER		27
#define INTID_PTIMER		30
#define INTID_GUEST_UART	33
#define INTID_GUEST_VIRTIO	48	/* and on: one per device */
#define INTID_SPURIOUS		1020	/* and above */

#define VGIC_NR_PRIVATE		32
#define VGIC_NR_IRQS		128	/* SGIs, PPIs, 96 SPIs */

/* One interrupt as the guest sees it. */
struct virq {
	u8 priority;
	bool enabled : 1;
	bool group1 : 1;
	bool edge : 1;		/* configuration; SGIs always */
	bool pending : 1;	/* latched: edge, or set by software */
	bool line : 1;		/* level input */
	bool active : 1;	/* while not in a list register */
	bool in_lr : 1;
	u8 lr_cpu;		/* in_lr: of which vCPU */
	u64 route;		/* SPI: GICD_IROUTER */
};

struct vgic_cpu {
	struct virq irqs[VGIC_NR_PRIVATE];
	u64 candidates[VGIC_NR_IRQS / 64];	/* deliverable, not in a list register */
	u32 lr_used;				/* bit per list register */
	u16 lr_irq[ARCH_MAX_LRS];
	u32 lr_level;				/* bit per list register: emulated level */
	bool retract;				/* one in a list register was disabled */
	bool resident;				/* list registers are in the hardware */
	bool vtimer_active;			/* physical PPI is active on our behalf */
	u32 rd_waker;
	u8 *vlpi_pending;			/* table, if its VM has vLPIs */
	u32 vlpi_pcpu;				/* whose redistributor it is mapped to */
	u32 vlpi_raised;			/* one was sent: see vlpi.c */
	struct arch_vgic hw;			/* while not resident */
};

struct vgic {
	spinlock_t lock;
	u32 ctlr;
	struct virq spis[VGIC_NR_IRQS - VGIC_NR_PRIVATE];
};

/* EL1 physical timer, emulated in software. */
struct ptimer {
	u64 ctl, cval;
};

/* --- gic.c: the host's --- */
void gic_init(void);
void gic_cpu_init(void);
void gic_enable_spi(u32 intid, u64 mpidr, bool edge);
void gic_set_private_active(u32 intid, bool active);
void gic_raise_spi(u32 intid, u64 mpidr);
void gic_clear_spi(u32 intid);
void gic_give_private(void);
void gic_insist(u32 id);
u64 gic_private_frame(u32 id);

/* --- direct.c: partitioned VMs --- */
/* The one that @v has to itself. */
struct pcpu *direct_pcpu(const struct vcpu *v);
/* An SPI that no host device has, 0: none is left. Only while VMs are created. */
u32 direct_alloc_spi(void);
void direct_deliver(struct vm *vm, u32 intid, struct virq *q);
void direct_send_sgi(struct vcpu *target, u32 intid);
void direct_stop(struct vm *vm);

/* --- vlpi.c --- */
/* Before VMs are created. */
void vlpi_init(void);
/* For a VM that has its vCPUs; false: memory is short. */
bool vlpi_vm_init(struct vm *vm);
/* For vCPUs of VMs that have vLPIs. */
void vlpi_load(struct vcpu *v);
bool vlpi_save(struct vcpu *v);		/* true: one is pending */
void vlpi_raise(struct virtio_dev *dev);
s64 vlpi_call(struct vcpu *v, struct virtio_dev *dev);
void vlpi_off(struct virtio_dev *dev);

/* --- vgic.c --- */
void vgic_vm_init(struct vm *vm);
void vgic_vcpu_reset(struct vcpu *v);
/* Pend an edge interrupt, or an SGI. */
void vgic_pend(struct vm *vm, struct vcpu *v, u32 intid, bool from_vcpu);
/* Drive a level input. */
void vgic_set_line(struct vm *vm, struct vcpu *v, u32 intid, bool level);
void vgic_vtimer_fired(struct vcpu *v);
bool vgic_has_pending(struct vcpu *v);
void vgic_refill(struct vcpu *v);	/* before resuming a vCPU that is vgic_dirty */
void vgic_load(struct vcpu *v);
bool vgic_save(struct vcpu *v);	/* true: a vLPI is pending */

/* For vgic_mmio.c; with the vgic lock held. */
#define VGIC_CTLR_GRP0		BIT(0)
#define VGIC_CTLR_GRP1		BIT(1)
#define VGIC_ROUTE_ANY		BIT(31)
#define VGIC_ROUTE_AFFINITY	0xff00ffffffULL
#define VGIC_WAKER_ASLEEP	(BIT(1) | BIT(2))
#define VGIC_GICR_STRIDE	0x20000
struct virq *vgic_irq(struct vm *vm, struct vcpu *v, u32 intid);
struct vcpu *vgic_target(struct vm *vm, struct vcpu *v, u32 intid);
struct vcpu *vgic_update(struct vm *vm, struct vcpu *v, u32 intid);
u64 vgic_read_lr(const struct vcpu *v, unsigned int i);
void vgic_write_lr(struct vcpu *v, unsigned int i, u64 lr);
unsigned int vgic_lr_of(const struct vcpu *v, u32 intid);

/* --- vgic_mmio.c --- */
bool vgic_mmio_distributor(struct vcpu *v, struct mmio *m, u32 offset);
bool vgic_mmio_redistributor(struct vcpu *v, struct mmio *m, u64 offset);
void vgic_send_sgi(struct vcpu *v, u64 sgir, bool group1);

/* --- timer.c --- */
u64 timers_deadline(const struct vcpu *v);	/* of a saved vCPU, in host counter */
u64 ptimer_deadline(const struct vcpu *v);
u64 ptimer_read(struct vcpu *v, u32 reg);
void ptimer_write(struct vcpu *v, u32 reg, u64 value);
void ptimer_check(struct vcpu *v);	/* pend or unpend its interrupt */
/* @v is on this pCPU: let its virtual timer fire now, if it may (abi.h: timer_early). */
void vtimer_take_along(struct vcpu *v);
enum { PTIMER_TVAL, PTIMER_CTL, PTIMER_CVAL };
#define TIMER_ENABLE	BIT(0)
#define TIMER_IMASK	BIT(1)
#define TIMER_ISTATUS	BIT(2)

#endif
