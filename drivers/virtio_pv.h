/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio_pv: a virtio transport over pvkit's doorbells. transport.c is what
 * the virtio core asks of any transport, life.c what happens when the guest sleeps
 * or ends, lpi.c interrupts without exits where the
 * hypervisor has them, doorbell.c makes kicks exits, or not,
 * adapt.c decides which if nobody else has, stats.c shows what came of it.
 */
#ifndef VIRTIO_PV_H
#define VIRTIO_PV_H

#include <linux/platform_device.h>
#include <linux/virtio.h>
#include <linux/workqueue.h>
#include <uapi/linux/virtio_ring.h>

#include <pvkit/abi.h>

/* Without these of the hypervisor's features nothing here works. */
#define PV_NEEDED	(PV_FEAT_PAGE | PV_FEAT_MULTICALL | PV_FEAT_DOORBELL)
#define PV_REGS		0x200	/* of a device, the part of its configuration that drivers read included */

/* When a kick becomes an exit, see Documentation/virtio_pv.md. */
enum policy {
	POLICY_IMMEDIATE,	/* at once: one NOTIFY */
	POLICY_PIGGYBACK,	/* with the next exit, whatever it is for */
	POLICY_POLL,		/* never: a pCPU of the hypervisor's polls */
	POLICY_ADAPTIVE,	/* by what each does, measured while it runs */
	NR_POLICIES
};

/* Of one queue on one CPU. */
struct pv_vq_cpu {
	u64 asked;		/* kicks that the driver wanted */
	u64 sent;		/* of these: NOTIFY called */
	/* POLICY_ADAPTIVE: */
	bool defer;
	u32 left;		/* rings if @defer, else kicks, to the next decision */
	u32 window;		/* rings that it is about */
	u32 chains;		/* in that window */
};

struct pv_vq {
	struct virtqueue *vq;
	struct pv_dev *dev;
	u32 events;		/* as last seen in dev->io */
	const struct vring_avail *avail;
	u16 avail_idx;		/* when it was kicked last */
	u16 counted;		/* ...when a window ended, see adapt.c */
	struct pv_vq_cpu __percpu *cpu;
};

/* Whether to poll a device, see adapt.c. */
struct pv_adapt {
	struct delayed_work work;
	bool counting;		/* @work runs */
	bool fresh;		/* its first window */
	bool trying;		/* a change, in this window */
	u32 kicks;
	u32 hold, last_hold;	/* windows to the next try */
	u64 since, rate;	/* of the window before */
};

struct pv_dev {
	struct virtio_device vdev;
	struct platform_device *pdev;
	void __iomem *base;
	bool lost;		/* gone since the guest slept, see life.c */
	bool ended;		/* shut down: its policy does not change any more */
	u32 copy[PV_REGS / 4];	/* of its registers, from before it slept */
	u32 slot;
	int irq;		/* in use: that of its node, or an LPI */
	int wired_irq;
	u32 lpi_intid;
	u32 config_events;	/* as last seen in @io */
	enum policy policy;
	bool polled;		/* we have asked for it */
	struct pv_adapt adapt;
	struct pv_io_page *io;
	u32 nr_vqs;
	struct pv_vq *vqs[PV_IO_QUEUES];	/* the first nr_vqs */
	struct dentry *debugfs;
};

/* --- transport.c --- */
void pv_reset(struct virtio_device *vdev);
u64 pv_get_features(struct virtio_device *vdev);

/* --- life.c --- */
int pv_life_init(void);
void pv_life_exit(void);
/* The device may write to dev->io from now on, or has been reset. */
void pv_life_shares(const struct pv_dev *dev, bool on);
u32 pv_reg_get(const struct pv_dev *dev, u32 reg);
void pv_reg_set(struct pv_dev *dev, u32 reg, u32 value);
int pv_freeze(struct device *d);
int pv_restore(struct device *d);
void pv_shutdown(struct platform_device *pdev);

/* --- doorbell.c --- */
extern enum policy pv_default_policy;
extern const char * const pv_policy_names[NR_POLICIES];
/* virtqueue_notify(): any context. */
bool pv_notify(struct virtqueue *vq);
/* The queues are ready, or about to go. */
void pv_policy_start(struct pv_dev *dev);
bool pv_poll(struct pv_dev *dev, bool on);
int pv_policy_set(struct pv_dev *dev, enum policy policy);
/* It does not change any more, and nothing adapts it. */
void pv_policy_end(struct pv_dev *dev);
int pv_doorbell_init(void);
void pv_doorbell_exit(void);

/* --- lpi.c --- */
/*
 * Sets dev->irq, once @dev has its page, to an interrupt that comes without an exit,
 * or to that of its node. An error: nobody knows which of them the device uses.
 */
int pv_lpi_get(struct pv_dev *dev);
/* It is freed, and @dev was reset or will be. */
void pv_lpi_put(struct pv_dev *dev);
void pv_lpi_exit(void);

/* --- adapt.c --- */
void pv_adapt_init(struct pv_dev *dev);
/* @q was kicked on this CPU; @rang: and its doorbell was not rung before. */
void pv_adapt_kicked(struct pv_vq *q, struct pv_vq_cpu *c, bool rang);
void pv_adapt_stop(struct pv_dev *dev);

/* --- stats.c --- */
void pv_stats_init(void);
void pv_stats_exit(void);
void pv_stats_add(struct pv_dev *dev);
void pv_stats_remove(struct pv_dev *dev);

#endif
