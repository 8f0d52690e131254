/* SPDX-License-Identifier: GPL-2.0 */
/* The driver's side of virtio devices, for tests: one VM, of 2 vCPUs on pCPU 0. */
#ifndef FAKE_DRIVER_H
#define FAKE_DRIVER_H

#include "fake_arch.h"
#include "virtio/devices.h"

#define STATUS		0x70
#define NOTIFY		0x50
#define ISR		0x60
#define ACK		0x64
#define ALL_FEATURES	(~0ULL)

extern struct vm *vm;
extern struct vcpu *vcpu;		/* the one that runs */
extern u64 next_free;			/* in the VM's RAM */

/* A driver's side of one queue. */
struct drv {
	u32 dev, index;
	u16 size, avail_idx, next_desc;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
};

int setup(void **state);		/* of a cmocka test */
u64 alloc(u64 size);
void *at(u64 ipa);
u32 rd(u32 dev, u32 reg);
void wr(u32 dev, u32 reg, u32 value);
void start_device(u32 dev, u64 features);
struct drv queue(u32 dev, u32 index, u16 size);
void go(u32 dev);
u16 add(struct drv *q, u64 ipa, u32 len, u16 flags);
void publish(struct drv *q, u16 head);
void kick(struct drv *q);
u16 blk_add(struct drv *q, u32 type, u64 sector, u64 data, u32 len);
u8 blk_status(struct drv *q, u16 head);
void ram_disk(u32 sectors);

#endif
