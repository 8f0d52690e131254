/* SPDX-License-Identifier: GPL-2.0 */
/*
 * host/virtio.h without a device: requests wait in a queue until the test lets
 * fake_host_finish() complete them. Disks have FAKE_DISK_SECTORS sectors.
 */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include "fake_arch.h"
#include "host/virtio.h"

#define FAKE_DISK_SECTORS 2048

extern u8 fake_disk[FAKE_DISK_SECTORS * 512];
extern u32 fake_disk_flushes;
extern u8 fake_disk_status;		/* what requests end with */
/* Complete up to @n requests of queue @q, oldest first, and interrupt. */
void fake_host_finish(u32 n);
/* Requests that the hypervisor has queued and nobody has completed. */
u32 fake_host_waiting(void);

#endif
