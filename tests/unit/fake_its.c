// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "fake_its.h"

#define STRIDE	0x40000

struct fake_its fake_its;
static u64 regs[0x100 / 8 + 8], last[MAX_PCPUS], queue, reader, writer;
static u32 reads;

u32 fake_its_take(u32 pcpu)
{
	u32 taken = 0;

	for (u32 vpe = 0; vpe < FAKE_VPES; vpe++) {
		if (!fake_its.table[vpe] || fake_its.resident[pcpu] != fake_its.table[vpe])
			continue;
		taken = (u32)__builtin_popcount(fake_its.pending[vpe]);
		fake_its.pending[vpe] = 0;
	}
	return taken;
}

static void carry_out(const u64 *w)
{
	u32 vpe = (w[1] >> 32) % FAKE_VPES, event = w[1] & 15;

	fake_its.commands++;
	switch (w[0] & 0xff) {
	case 0x03:	/* INT */
		fake_its.pending[fake_its.vpe[event]] |= (u32)BIT(event);
		break;
	case 0x04:	/* CLEAR */
		fake_its.pending[fake_its.vpe[event]] &= ~(u32)BIT(event);
		break;
	case 0x08:	/* MAPD */
		fake_its.bad |= !(w[2] & BIT(63)) || (w[1] & 0x1f) != 3;
		break;
	case 0x21:	/* VMOVI */
		if (fake_its.pending[fake_its.vpe[event]] & BIT(event)) {
			fake_its.pending[fake_its.vpe[event]] &= ~(u32)BIT(event);
			fake_its.pending[vpe] |= (u32)BIT(event);
		}
		fake_its.vpe[event] = vpe;
		break;
	case 0x22:	/* VMOVP: it must not be resident */
		fake_its.bad |= fake_its.resident[fake_its.where[vpe]] == fake_its.table[vpe];
		fake_its.where[vpe] = (u32)(w[2] >> 16);
		break;
	case 0x25:	/* VSYNC */
		fake_its.syncs++;
		break;
	case 0x29:	/* VMAPP */
		fake_its.table[vpe] = w[3] & ~0xffffULL;
		fake_its.where[vpe] = (u32)(w[2] >> 16 & 0xffff);
		fake_its.bad |= (w[3] & 0x1f) != 13;
		break;
	case 0x2a:	/* VMAPTI */
		fake_its.vpe[event] = vpe;
		fake_its.bad |= (u32)w[2] != 8192 + event;
		break;
	default:
		fake_its.bad = true;
	}
}

static void catch_up(void)
{
	for (; reader != writer; reader = (reader + 32) % 4096)
		carry_out((const u64 *)(queue + reader));
}

static u64 read_its(u64 offset)
{
	switch (offset) {
	case 0x08:
		return fake_its.typer;
	case 0x90:
		if (!fake_its.lazy || ++reads % 2 == 0)
			catch_up();
		return reader;
	case 0x100:
		return regs[0x100 / 8] ? regs[0x100 / 8] : 1ULL << 56;
	case 0x108:
		return regs[0x108 / 8] ? regs[0x108 / 8] : 2ULL << 56;
	}
	return offset / 8 < ARRAY_SIZE(regs) ? regs[offset / 8] : 0;
}

static void write_its(u64 offset, u64 value)
{
	if (offset == 0x80)
		queue = value & 0xffffffff0000ULL;
	if (offset == 0x88) {
		writer = value;
		if (!fake_its.lazy)
			catch_up();
	}
	if (offset / 8 < ARRAY_SIZE(regs))
		regs[offset / 8] = value;
}

static u64 fake_read(u64 a)
{
	u32 cpu = (u32)((a - FAKE_GICR) / STRIDE);

	if (a >= FAKE_ITS && a < FAKE_ITS + 0x20000)
		return read_its(a - FAKE_ITS);
	if (a < FAKE_GICR || cpu >= MAX_PCPUS)
		return 0;
	switch ((a - FAKE_GICR) % STRIDE) {
	case 0x08:
		return fake_its.gicr_typer | (u64)cpu << 32 | (u64)cpu << 8;
	case 0x20078:
		return last[cpu];
	}
	return 0;
}

static void fake_write(u64 a, u64 value)
{
	u32 cpu = (u32)((a - FAKE_GICR) / STRIDE), vpe;

	if (a >= FAKE_ITS && a < FAKE_ITS + 0x20000) {
		write_its(a - FAKE_ITS, value);
		return;
	}
	if (a < FAKE_GICR || cpu >= MAX_PCPUS || (a - FAKE_GICR) % STRIDE != 0x20078)
		return;
	last[cpu] = 0;
	if (value & BIT(63)) {
		fake_its.bad |= fake_its.resident[cpu] != 0;
		fake_its.resident[cpu] = value & 0xffffffff0000ULL;
	}
	for (vpe = 0; vpe < FAKE_VPES; vpe++) {
		if (!fake_its.table[vpe] || fake_its.table[vpe] != fake_its.resident[cpu])
			continue;
		if (value & BIT(63)) {
			fake_its.bad |= fake_its.where[vpe] != cpu;
			} else if (fake_its.pending[vpe]) {
			last[cpu] |= BIT(61);
		}
	}
	if (!(value & BIT(63)))
		fake_its.resident[cpu] = 0;
}

void fake_its_plug(void)
{
	memset(&fake_its, 0, sizeof(fake_its));
	memset(regs, 0, sizeof(regs));
	memset(last, 0, sizeof(last));
	reader = writer = 0;
	fake_its.typer = BIT(0) | BIT(1) | BIT(37) | 7 << 4;
	fake_its.gicr_typer = BIT(0) | BIT(1);
	platform.its_base = FAKE_ITS;
	platform.gicr_base = FAKE_GICR;
	platform.gicr_size = MAX_PCPUS * STRIDE;
	fake_mmio_read64 = fake_read;
	fake_mmio_write64 = fake_write;
	for (unsigned int i = 0; i < platform.nr_pcpus; i++) {
		on(i);
		gic_cpu_init();
	}
	on(0);
}
