/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio/: the devices that a VM gets (virtio 1.2), and the parts they share:
 * the virtio-mmio transport (mmio.c) and the device side of a split virtqueue
 * (queue.c). A device's process() takes one chain off a queue; what calls it,
 * the exit of the vCPU that kicked, a completion or another VM's transmission,
 * is no concern of the device. virtqueue_run() is the one place that loops.
 *
 * Locking: dev->lock for set-up, taken before a queue's; q->lock for all that
 * is in struct virtqueue. A transmit queue's lock may be held while a receive
 * queue's of another device is taken, never the other way round. The vGIC,
 * scheduler and console locks nest inside.
 */
#ifndef VIRTIO_VIRTIO_H
#define VIRTIO_VIRTIO_H

#include "core/core.h"
#include "virtio/mmio_regs.h"

#define VIRTIO_ID_NET		1
#define VIRTIO_ID_BLOCK		2
#define VIRTIO_ID_CONSOLE	3
#define VIRTIO_ID_RNG		4

/* Feature bits of every device, 6 */
#define VIRTIO_F_INDIRECT_DESC	BIT(28)
#define VIRTIO_F_EVENT_IDX	BIT(29)
#define VIRTIO_F_VERSION_1	BIT(32)
#define VIRTIO_F_ALL		(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)

/* Device status, 2.1 */
#define VIRTIO_ACKNOWLEDGE	BIT(0)
#define VIRTIO_DRIVER		BIT(1)
#define VIRTIO_DRIVER_OK	BIT(2)
#define VIRTIO_FEATURES_OK	BIT(3)
#define VIRTIO_NEEDS_RESET	BIT(6)
#define VIRTIO_FAILED		BIT(7)

/* Interrupt status, 4.2.2 */
#define VIRTIO_ISR_QUEUE	BIT(0)
#define VIRTIO_ISR_CONFIG	BIT(1)

/* Split virtqueue, 2.7 */
#define VRING_DESC_NEXT		BIT(0)
#define VRING_DESC_WRITE	BIT(1)
#define VRING_DESC_INDIRECT	BIT(2)
#define VRING_NO_INTERRUPT	BIT(0)		/* avail->flags */
#define VRING_NO_NOTIFY		BIT(0)		/* used->flags */
struct vring_desc { u64 addr; u32 len; u16 flags, next; };
struct vring_avail { u16 flags, idx, ring[]; };
struct vring_used_elem { u32 id, len; };
struct vring_used { u16 flags, idx; struct vring_used_elem ring[]; };

#define VQ_SIZE_MAX	1024		/* of any queue */
#define VQ_CHAIN_MAX	128		/* buffers in a chain; drivers use at most 66 */

struct iov {
	u8 *base;
	u64 len;
};

/**
 * struct vq_chain - one descriptor chain, copied once and checked.
 * @iov: all in the VM's RAM; the @nr_out that the device reads come first,
 *	then the @nr_in that it writes.
 */
struct vq_chain {
	u16 head;
	u16 nr_out, nr_in;
	u64 out_len, in_len;
	struct iov iov[VQ_CHAIN_MAX];
};

struct virtio_dev;

struct virtqueue {
	spinlock_t lock;
	struct virtio_dev *dev;
	u16 index;
	u16 size_max;
	u16 size;			/* a power of two once @ready */
	bool ready;
	bool stalled;			/* process() waits for something of its own */
	bool input;			/* its buffers wait in the ring until there is something for the driver */
	u64 desc_ipa, avail_ipa, used_ipa;
	const struct vring_desc *desc;
	const struct vring_avail *avail;
	struct vring_used *used;
	u16 last_avail;			/* next available entry to take */
	u16 used_idx;			/* next used entry to fill */
	u16 signalled;			/* used_idx when an interrupt was last considered */
	u32 in_flight;			/* taken, not pushed yet */
	u32 events;			/* interrupts, as counted in dev->io */
};

enum vq_progress {
	VQ_DONE,			/* took one chain; there may be more */
	VQ_EMPTY,
	VQ_STALLED,			/* cannot take more until virtqueue_run() is called again */
};

struct virtio_ops {
	u32 id;
	/* With q->lock held. */
	enum vq_progress (*process)(struct virtqueue *q);
	/* Forget what the driver set up; wait for what is in flight. dev->lock held. */
	void (*reset)(struct virtio_dev *dev);
	/* The driver wrote DRIVER_OK. dev->lock held. May be NULL. */
	void (*driver_ok)(struct virtio_dev *dev);
	/* Interrupts may be put off: true if @q's is now to be. q->lock held. May be NULL. */
	bool (*moderate)(struct virtqueue *q);
};

struct virtio_dev {
	const struct virtio_ops *ops;
	struct vm *vm;
	char name[16];			/* "disk0", for messages */
	u32 index;			/* slot on the VM's bus */
	u32 intid;
	spinlock_t lock;
	u8 *regs;			/* as the driver reads them: GUEST_VIRTIO_STRIDE bytes */
	u32 device_features_sel, driver_features_sel, queue_sel;
	u64 features;			/* offered */
	u64 driver_features;		/* accepted, final at FEATURES_OK */
	const void *config;
	u32 config_size;		/* up to GUEST_VIRTIO_STRIDE - MMIO_CONFIG */
	u32 nr_queues;
	struct virtqueue *queues;
	struct pv_io_page *io;		/* shared with the driver, or NULL */
	bool polled;			/* the polling pCPU looks after it */
	bool lpi;			/* its interrupt is a vLPI: irq/vlpi.c */
	u32 lpi_vcpu;			/* ...of this vCPU */
};

static inline bool virtio_has(const struct virtio_dev *dev, u64 feature)
{
	return dev->driver_features & feature;
}

static inline u32 *virtio_reg(const struct virtio_dev *dev, u32 reg)
{
	return (u32 *)(dev->regs + reg);
}

static inline u32 virtio_status(const struct virtio_dev *dev)
{
	return READ_ONCE(*virtio_reg(dev, MMIO_STATUS));
}

/* The driver has finished its set-up and nothing has broken since. */
static inline bool virtio_live(const struct virtio_dev *dev)
{
	return (virtio_status(dev) & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) == VIRTIO_DRIVER_OK;
}

/* --- mmio.c --- */
/**
 * virtio_add - put a device on its VM's bus; only while the VM is created.
 * @sizes: the largest size of each of the dev->nr_queues queues.
 * Returns false when the bus is full or memory is short.
 */
bool virtio_add(struct vm *vm, struct virtio_dev *dev, const u16 *sizes);
/* Give the VM its bus, once all devices are on it; false: memory is short. */
bool virtio_map(struct vm *vm);
bool virtio_mmio(struct vcpu *v, struct mmio *m);
/*
 * The writes of every request, without a struct mmio around them.
 * @offset: on the bus. False: it is none of them.
 */
bool virtio_mmio_hot(struct vcpu *v, u32 offset, u32 value);
/* The driver writes @value to the register at @reg. */
void virtio_write(struct vcpu *v, struct virtio_dev *dev, u32 reg, u32 value);
void virtio_interrupt(struct virtio_dev *dev, u32 isr);
void virtio_config_changed(struct virtio_dev *dev);
/* The driver broke the rules: say how, once, and stop until it resets. */
__attribute__((format(printf, 2, 3))) void virtio_break(struct virtio_dev *dev, const char *fmt, ...);
/* As at power-on; the VM's vCPUs are off. */
void virtio_vm_reset(struct vm *vm);
/* What an interrupt kept virtqueue_run() from finishing. */
void virtio_continue(struct vcpu *v);

/* --- doorbell.c --- */
/* @v has no page. */
void doorbells_off(struct vcpu *v);
/* Look at the queues that @v, which has just exited, rang for. */
void doorbells_drain(struct vcpu *v);
/* From the pCPU's timer: was it time to look? sched_exit() then does. */
bool doorbells_check(struct vcpu *v);
/* Calls, see abi.h. */
s64 io_notify(struct vcpu *v);
s64 io_register(struct vcpu *v);
s64 io_write(struct vcpu *v);
s64 io_poll(struct vcpu *v);
s64 io_irq(struct vcpu *v);

/* --- poll.c --- */
void poll_init(void);			/* polling_pcpus is known */
__attribute__((noreturn)) void poll_on(void);
/* Have @dev polled, or not; false: there is no pCPU for it. */
bool poll_device(struct virtio_dev *dev, bool on);
/* @dev needs no kicks now. q->lock of the queue in question held. */
bool poll_quiet(const struct virtio_dev *dev);
void poll_wake(void);

/* --- queue.c; all with q->lock held, but those of the first group --- */
#define POLL_BUDGET	64		/* chains */
/* Handle what the driver has made available. Any context. */
void virtqueue_run(struct virtqueue *q);
/* The driver says that there is something. */
void virtqueue_kick(struct virtqueue *q);
/* Up to POLL_BUDGET chains, by the polling pCPU; false: there was none. */
bool virtqueue_poll(struct virtqueue *q);
/* Chains that have not been taken; a guess, without lock. */
u16 virtqueue_pending(const struct virtqueue *q);
/* Ask for a kick at the next chain; true: it has come already. */
bool virtqueue_ask(struct virtqueue *q);
/* Take the next chain; VQ_STALLED if the queue has just broken. */
enum vq_progress vq_pop(struct virtqueue *q, struct vq_chain *c);
/* Give back the @n chains taken last, unused. */
void vq_unpop(struct virtqueue *q, u16 n);
/* Return a chain with @len bytes written. The driver sees it after vq_flush(). */
void vq_push(struct virtqueue *q, u16 head, u32 len);
void vq_flush(struct virtqueue *q);
/* Interrupt if the driver wants one for what was pushed since the last time. */
void vq_signal(struct virtqueue *q);
bool vq_set_ready(struct virtqueue *q);
void vq_reset(struct virtqueue *q);
#define vq_break(q, fmt, ...) \
	virtio_break((q)->dev, "queue %u: " fmt, (q)->index, ##__VA_ARGS__)

/* --- iov.c --- */
/* A place in a list of buffers. */
struct iov_pos {
	const struct iov *iov;
	u64 off;			/* in iov[0] */
};
/* Copy @n bytes on from @p, which must have them. */
void iov_read_parts(struct iov_pos *p, void *dst, u64 n);
static inline void iov_read(struct iov_pos *p, void *dst, u64 n)
{
	if (n <= p->iov->len - p->off) {	/* a header is hardly ever in parts */
		memcpy(dst, p->iov->base + p->off, n);
		p->off += n;
	} else {
		iov_read_parts(p, dst, n);
	}
}
void iov_write(struct iov_pos *p, const void *src, u64 n);
void iov_zero(struct iov_pos *p, u64 n);
void iov_copy(struct iov_pos *dst, struct iov_pos *src, u64 n);

static inline struct iov_pos vq_out(const struct vq_chain *c)
{
	return (struct iov_pos){ c->iov, 0 };
}

/* The last byte that the device writes: status or acknowledgement. @c has one. */
static inline u8 *vq_last_byte(const struct vq_chain *c)
{
	const struct iov *last = &c->iov[c->nr_out + c->nr_in - 1];

	return &last->base[last->len - 1];
}

static inline struct iov_pos vq_in(const struct vq_chain *c)
{
	return (struct iov_pos){ c->iov + c->nr_out, 0 };
}

#endif
