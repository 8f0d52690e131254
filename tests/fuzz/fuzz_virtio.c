// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer on the virtio devices: the input is a script of what a driver can
 * do to registers and memory. Addresses are mostly made to hit RAM, which is
 * allocated exactly, so that AddressSanitizer sees the first byte too far.
 * With PVKIT_SEEDS=DIRECTORY in the environment it writes seeds and ends.
 */
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/fake_host.h"
#include "core/timer.h"
#include "host/disk.h"
#include "virtio/devices.h"

#define RAM_SIZE	KiB(64)
#define DISK_SIZE	KiB(64)
#define RINGS		KiB(16)		/* of RAM, where the script writes most */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct vm *vm;
static const u8 *in, *end;

static u64 take(unsigned int bytes)
{
	u64 v = 0;

	for (unsigned int i = 0; i < bytes && in < end; i++)
		v |= (u64)*in++ << i * 8;
	return v;
}

/* 0x8000 and more: anywhere, else in RAM. */
static u64 address(void)
{
	u64 v = take(2);

	if (v == 0xffff)
		return take(8);
	return GUEST_RAM_BASE + v * 2;
}

static void mmio(bool write, u64 addr, u32 size, u64 value)
{
	struct mmio m = { .addr = addr, .size = size, .write = write, .value = value };

	mmio_dispatch(vm->vcpus[0], &m);
}

static void reg(u32 dev, u32 offset, u32 value)
{
	mmio(true, GUEST_VIRTIO_BASE + dev * GUEST_VIRTIO_STRIDE + offset, 4, value);
}

/* A device as a well-behaved driver sets it up, its queues at fixed places. */
static u64 ring_at(u32 queue)
{
	return GUEST_RAM_BASE + queue % 4 * KiB(4);
}

static void set_up(u32 dev, u64 features, u32 size)
{
	reg(dev, 0x70, 0);
	reg(dev, 0x70, 3);
	reg(dev, 0x24, 0);
	reg(dev, 0x20, (u32)(vm->virtio[dev]->features & features));
	reg(dev, 0x24, 1);
	reg(dev, 0x20, (u32)((vm->virtio[dev]->features & features) >> 32) | 1);
	reg(dev, 0x70, 11);
	for (u32 q = 0; q < vm->virtio[dev]->nr_queues; q++) {
		reg(dev, 0x30, q);
		reg(dev, 0x38, size);
		reg(dev, 0x80, (u32)ring_at(q));
		reg(dev, 0x90, (u32)ring_at(q) + 0x800);
		reg(dev, 0xa0, (u32)ring_at(q) + 0xc00);
		reg(dev, 0x44, 1);
	}
	reg(dev, 0x70, 15);
}

static u8 *ram(u64 ipa, u64 size)
{
	return vm_ram(vm, (ipa_t){ ipa }, size);
}

static void descriptor(u32 queue, u32 i, u64 addr, u32 len, u16 flags, u16 next)
{
	struct vring_desc d = { addr, len, flags, next };

	memcpy(ram(ring_at(queue) + i % 64 * 16, 16), &d, 16);
}

static u64 page_at(u64 v) { return v & 0x8000 ? address() : GUEST_RAM_BASE + v % (RAM_SIZE / PAGE_SIZE) * PAGE_SIZE; }

static void call(u32 fn, u64 x1, u64 x2, u64 x3)
{
	u64 *x = vm->vcpus[0]->regs.x;

	x[0] = fn;
	x[1] = x1;
	x[2] = x2;
	x[3] = x3;
	hypercall_dispatch(vm->vcpus[0]);
}

static void host_goes_on(void) { fake_host_finish(8); }

static void step(u32 nr)
{
	u32 dev = take(1) % nr, queue;
	u64 a;

	switch (take(1) % 14) {
	case 0:
		a = take(2);
		reg(dev, a & 0x1ff, (u32)take(4));
		break;
	case 1:
		a = take(2);
		mmio(a & 0x8000, GUEST_VIRTIO_BASE + dev * GUEST_VIRTIO_STRIDE + (a & 0x1ff),
		     1U << (a >> 9 & 3), take(4));
		break;
	case 2:
		a = take(2) % RAM_SIZE;
		for (u64 n = take(1) % 32; n && a < RAM_SIZE; n--, a++)
			*ram(GUEST_RAM_BASE + a, 1) = (u8)take(1);
		break;
	case 3:
		a = take(8);
		set_up(dev, a | (a & 1 ? VIRTIO_F_ALL : 0), 1U << take(1) % 7);
		break;
	case 4:
	case 5:
		queue = (u32)take(1);
		a = take(1);
		{
			u64 addr = address();
			u32 len = (u32)take(2);

			descriptor(queue, (u32)a, addr, len == 0xffff ? (u32)take(4) : len, take(1) & 15,
				   (u16)take(1));
		}
		break;
	case 6:
		queue = (u32)take(1);
		a = take(1);
		/* avail->ring[a] and the index after it */
		*(u16 *)ram(ring_at(queue) + 0x800 + 4 + a % 64 * 2, 2) = (u16)take(1);
		*(u16 *)ram(ring_at(queue) + 0x802, 2) = (u16)(a + 1);
		break;
	case 7:
	case 8:
		reg(dev, 0x50, (u32)take(1) % 8);
		break;
	case 9:
		fake_host_finish((u32)take(1) % 8);
		break;
	case 10:
		fake_now += take(2) * 1000;
		timers_run();
		fake[0].pending = take(1) & 1;
		virtio_continue(vm->vcpus[0]);
		break;
	case 11:
		vconsole_input(vm, (char)take(1));
		break;
	case 12:
		{
			static const u32 fns[] = { PV_FN_NOTIFY, PV_FN_IO_REGISTER, PV_FN_IO_WRITE, PV_FN_IO_POLL,
						   PV_FN_PAGE_REGISTER, PV_FN_PAGE_UNREGISTER, PV_FN_IO_IRQ };
			u32 fn = fns[take(1) % ARRAY_SIZE(fns)];

			a = take(2);
			call(fn, fn == PV_FN_PAGE_REGISTER ? page_at(a) : dev,
			     fn == PV_FN_IO_REGISTER ? page_at(a) : fn == PV_FN_IO_WRITE ? a & 0x1ff : a, take(4));
		}
		break;
	case 13:			/* the polling pCPU comes by */
		for (u32 d = 0; d < vm->nr_virtio; d++)
			for (u32 i = 0; i < vm->virtio[d]->nr_queues; i++)
				if (vm->virtio[d]->polled && !vm->virtio[d]->queues[i].input)
					virtqueue_poll(&vm->virtio[d]->queues[i]);
		break;
	}
	if (READ_ONCE(*vm->vcpus[0]->doorbells))	/* as at any exit */
		doorbells_drain(vm->vcpus[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in = data;
	end = data + size;
	memset((void *)vm->ram_pa, 0, RAM_SIZE);
	if (setjmp(fake_stop))
		abort();			/* panic(), or the machine went off */
	while (in < end)
		step(vm->nr_virtio);
	while (fake_host_waiting())
		fake_host_finish(1000);
	virtio_vm_reset(vm);
	pvpage_drop(vm->vcpus[0]);
	vm->vcpus[0]->work = 0;
	vgic_vcpu_reset(vm->vcpus[0]);
	vgic_vm_init(vm);
	fake[0].pending = false;
	fake_quiet();
	return 0;
}

/* A good request of each kind of device, as its stock driver lays it out. */
static const struct {
	const char *name;
	u8 script[120];
	u8 size;
} seeds[] = {
#define SETUP(dev)		dev, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 6
#define DESC(q, i, a, len, f, n) 0, 4, q, i, (a) & 255, (a) >> 8, (len) & 255, (len) >> 8, f, n
#define AVAIL(q, i, head)	0, 6, q, i, head
#define KICK(dev, q)		dev, 7, q
#define FINISH			0, 9, 7
#define SEED(n, ...) { n, { __VA_ARGS__ }, sizeof((u8[]){ __VA_ARGS__ }) }
	SEED("blk-read", SETUP(0), DESC(0, 0, 0x2000, 16, 1, 1), DESC(0, 1, 0x3000, 4096, 3, 2),
	     DESC(0, 2, 0x2010, 1, 2, 0), AVAIL(0, 0, 0), KICK(0, 0)),
	SEED("blk-write", SETUP(0), 0, 2, 0, 0x40, 1, 1, DESC(0, 0, 0x2000, 16, 1, 1),
	     DESC(0, 1, 0x3000, 512, 1, 2), DESC(0, 2, 0x2010, 1, 2, 0), AVAIL(0, 0, 0), KICK(0, 0)),
	SEED("disk-read", SETUP(1), DESC(0, 0, 0x2000, 16, 1, 1), DESC(0, 1, 0x3000, 4096, 3, 2),
	     DESC(0, 2, 0x2010, 1, 2, 0), AVAIL(0, 0, 0), KICK(1, 0), FINISH),
	SEED("net", SETUP(2), SETUP(3), DESC(0, 0, 0x3000, 2048, 2, 0), AVAIL(0, 0, 0),
	     DESC(1, 0, 0x2000, 12, 1, 1), DESC(1, 1, 0x2010, 60, 0, 0), AVAIL(1, 0, 0), KICK(3, 1)),
	SEED("net-ctrl", SETUP(2), 0, 2, 0, 0x40, 4, 4, 0, 1, 0, DESC(2, 0, 0x2000, 4, 1, 1),
	     DESC(2, 1, 0x2010, 1, 2, 0), AVAIL(2, 0, 0), KICK(2, 4)),
	SEED("console", SETUP(4), DESC(1, 0, 0x2000, 8, 0, 0), AVAIL(1, 0, 0), KICK(4, 1)),
	SEED("console-in", SETUP(4), DESC(0, 0, 0x2000, 8, 2, 0), AVAIL(0, 0, 0), KICK(4, 0), 0, 11, 65),
	SEED("doorbell", 0, 12, 4, 5, 0, 0, 0, 0, 0, 0, 12, 1, 6, 0, 0, 0, 0, 0, SETUP(0), DESC(0, 0, 0x2000, 16, 1, 1),
	     DESC(0, 1, 0x3000, 4096, 3, 2), DESC(0, 2, 0x2010, 1, 2, 0), AVAIL(0, 0, 0),
	     0, 2, 0x48, 0x51, 1, 1, 0, 2, 0x40, 0x51, 1, 1, 0, 12, 0, 1, 0, 0, 0, 0, 0),
	SEED("poll", SETUP(0), DESC(0, 0, 0x2000, 16, 1, 1), DESC(0, 1, 0x3000, 4096, 3, 2), DESC(0, 2, 0x2010, 1, 2, 0),
	     0, 12, 3, 1, 0, 0, 0, 0, 0, AVAIL(0, 0, 0), 0, 13),
	SEED("rng", SETUP(5), DESC(0, 0, 0x2000, 64, 2, 0), AVAIL(0, 0, 0), KICK(5, 0)),
};

static void write_seeds(const char *directory)
{
	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
		char path[512];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", directory, seeds[i].name);
		f = fopen(path, "w");
		if (!f || fwrite(seeds[i].script, 1, seeds[i].size, f) != seeds[i].size)
			abort();
		fclose(f);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *directory = getenv("PVKIT_SEEDS");
	static const u8 mac[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };
	struct disk *disk;
	bool made;

	(void)argc;
	(void)argv;
	if (directory) {
		write_seeds(directory);
		exit(0);
	}
	fake_reset(1);
	fake_relax = host_goes_on;
	polling_pcpus = 1;
	poll_init();
	vm = fake_vm(1, RAM_SIZE);
	vm->vcpus[0]->state = VCPU_RUNNING;
	pcpus[0].current = vm->vcpus[0];
	vm->vcpus[0]->pcpu = &pcpus[0];
	disk = disk_open("/disk", 2, "fuzz");
	made = disk && blk_create(vm, &(struct blk_options){ .queues = 2, .serial = "fuzz",
			  .ram = malloc(DISK_SIZE), .ram_size = DISK_SIZE }) &&
		blk_create(vm, &(struct blk_options){ .index = 1, .queues = 2, .serial = "host",
			   .disk = disk }) &&
		!net_create(vm, &(struct net_options){ .pairs = 2, .mac = mac[0], .network = "" }) &&
		!net_create(vm, &(struct net_options){ .index = 1, .pairs = 1, .mac = mac[1], .network = "" }) &&
		vconsole_create(vm) && rng_create(vm);
	if (!made)
		abort();
	return 0;
}
