// SPDX-License-Identifier: GPL-2.0
/*
 * vLPIs: interrupts of a scheduled VM's devices that the GIC delivers itself
 * (GICv4.0 direct injection, Arm IHI 0069 chapters 5 and 6). To raise one is a
 * command to the ITS, from any pCPU: a vCPU that runs takes it without an
 * exit, for one that does not the GIC notes it in the vCPU's pending table and
 * delivers when the vCPU is on a pCPU again.
 *
 * Each VM is one device of the ITS, whose events are the slots of its virtio
 * bus. No doorbell interrupts are used: whoever raises a vLPI knows whether its
 * vCPU is blocked, and wakes it. Only the ITS knows when a command takes
 * effect; so a raiser leaves a note, @raised, and a vCPU that is about to block
 * and finds one waits for the ITS, and then asks the GIC what is pending:
 *
 *	block()				vlpi_raise()
 *	  state = BLOCKED		  raised = 1, INT command
 *	  barrier			  barrier
 *	  raised? wait for the ITS	  state == BLOCKED? wake it
 *	  not resident: PendingLast
 */
#include "core/core.h"
#include "platform/platform.h"
#include "virtio/virtio.h"

#define GITS_CTLR		0x0000
#define GITS_CTLR_ENABLED	BIT(0)
#define GITS_TYPER		0x0008
#define GITS_TYPER_VIRTUAL	BIT(1)
#define GITS_TYPER_ITT_SIZE(t)	(((t) >> 4 & 0xf) + 1)
#define GITS_TYPER_PTA		BIT(19)		/* targets are addresses, not numbers */
#define GITS_TYPER_VMOVP	BIT(37)		/* one command does for all ITSs */
#define GITS_CBASER		0x0080
#define GITS_CWRITER		0x0088
#define GITS_CREADR		0x0090
#define GITS_CREADR_STALLED	BIT(0)
#define GITS_BASER(n)		(0x0100 + 8 * (n))
#define GITS_NR_BASER		8
#define GITS_BASER_TYPE(b)	((b) >> 56 & 7)
#define GITS_BASER_RO		(7ULL << 56 | 0x1fULL << 48)
#define GITS_BASER_64K		(2ULL << 8)
enum { TABLE_NONE, TABLE_DEVICES, TABLE_VPES };
#define GITS_VALID		BIT(63)
#define GITS_WB			(7ULL << 59)	/* inner cacheability: write-back */
#define GIC_WB			(7ULL << 7)	/* the same in redistributors */
#define GIC_INNER_SHAREABLE	(1ULL << 10)

#define GICR_CTLR_LPIS		BIT(0)
#define GICR_PROPBASER		0x0070
#define GICR_PENDBASER		0x0078
#define GICR_PENDBASER_PTZ	BIT(62)		/* the table is zero */
#define GICR_TYPER		0x0008
#define GICR_TYPER_VLPIS	BIT(1)
#define GICR_TYPER_NUMBER(t)	((t) >> 8 & 0xffff)
#define GICR_VPROPBASER		0x20070
#define GICR_VPENDBASER		0x20078
#define VPENDBASER_DIRTY	BIT(60)
#define VPENDBASER_PENDING_LAST	BIT(61)
#define VPENDBASER_IDAI		BIT(62)		/* no cached copy is for this table */

/* Commands: opcode in bits 7-0 of word 0 */
#define CMD_INT			0x03
#define CMD_CLEAR		0x04
#define CMD_MAPD		0x08
#define CMD_VMOVI		0x21
#define CMD_VMOVP		0x22
#define CMD_VSYNC		0x25
#define CMD_VMAPP		0x29
#define CMD_VMAPTI		0x2a
#define CMD_SIZE		32
#define CMD_DEVICE(vm)		((u64)(vm)->id << 32)	/* word 0 */
#define CMD_VPE(v)		((u64)((v)->vm->id * MAX_VCPUS + (v)->id) << 32)	/* word 1 */
#define NO_DOORBELL		1023ULL

#define ID_BITS			14		/* 8192 LPIs */
#define FIRST_LPI		8192
#define LPI_ENABLED		BIT(0)
#define LPI_PRIORITY		0xa0
#define TABLE_SIZE		KiB(64)		/* and alignment */
#define QUEUE_SIZE		KiB(4)

static struct {
	spinlock_t lock;		/* the command queue */
	u64 base;			/* 0: there are no vLPIs */
	u64 typer;
	u8 *queue;
	u64 write;			/* offset of the next command */
} its;

static u64 redistributor(u32 pcpu)
{
	return gic_private_frame(pcpu) - 0x10000;
}

static u64 target(u32 pcpu)		/* word 2 */
{
	u64 r = redistributor(pcpu);

	return its.typer & GITS_TYPER_PTA ? r : GICR_TYPER_NUMBER(arch_mmio_read64(r + GICR_TYPER)) << 16;
}

/* its.lock held. */
static void wait_for(u64 offset)
{
	u64 at;

	while ((at = arch_mmio_read64(its.base + GITS_CREADR)) != offset) {
		if (at & GITS_CREADR_STALLED)
			panic("the ITS has stalled at its command 0x%llx", (unsigned long long)at);
		arch_relax();
	}
}

static void command(u64 w0, u64 w1, u64 w2, u64 w3)
{
	u64 next, words[] = { w0, w1, w2, w3 };

	spin_lock(&its.lock);
	next = (its.write + CMD_SIZE) % QUEUE_SIZE;
	while (arch_mmio_read64(its.base + GITS_CREADR) == next)
		arch_relax();
	memcpy(its.queue + its.write, words, CMD_SIZE);
	arch_io_barrier();
	arch_mmio_write64(its.base + GITS_CWRITER, next);
	its.write = next;
	spin_unlock(&its.lock);
}

/* Until all commands so far have taken effect on @v. */
static void sync(const struct vcpu *v)
{
	command(CMD_VSYNC, CMD_VPE(v), 0, 0);
	spin_lock(&its.lock);
	wait_for(its.write);
	spin_unlock(&its.lock);
}

/* --- set-up, while VMs are created --- */

static bool set_table(u32 n)
{
	u64 reg = its.base + GITS_BASER(n), was = arch_mmio_read64(reg), value;
	void *table;

	if (GITS_BASER_TYPE(was) != TABLE_DEVICES && GITS_BASER_TYPE(was) != TABLE_VPES)
		return true;
	table = heap_alloc_ram(TABLE_SIZE, TABLE_SIZE);	/* flat: more than we have of either */
	if (!table)
		return false;
	value = (was & GITS_BASER_RO) | GITS_VALID | GITS_WB | GIC_INNER_SHAREABLE | GITS_BASER_64K | (u64)table;
	arch_mmio_write64(reg, value);
	return arch_mmio_read64(reg) == value;
}

static bool set_redistributor(u32 pcpu, u64 properties)
{
	u64 r = redistributor(pcpu);
	void *pending = heap_alloc_ram(TABLE_SIZE, TABLE_SIZE);

	if (!pending)
		return false;
	arch_mmio_write64(r + GICR_PROPBASER, properties | GIC_INNER_SHAREABLE | GIC_WB | (ID_BITS - 1));
	arch_mmio_write64(r + GICR_PENDBASER, (u64)pending | GICR_PENDBASER_PTZ | GIC_INNER_SHAREABLE | GIC_WB);
	arch_mmio_write32(r, arch_mmio_read32(r) | (u32)GICR_CTLR_LPIS);
	return true;
}

static bool is_gicv4(void)
{
	for (u32 i = 0; i < platform.nr_pcpus; i++)
		if (!(arch_mmio_read64(redistributor(i) + GICR_TYPER) & GICR_TYPER_VLPIS))
			return false;
	return true;
}

/* NULL: set up; else why not. */
static const char *set_up(void)
{
	u64 cbaser;
	void *properties;

	its.typer = arch_mmio_read64(its.base + GITS_TYPER);
	if ((its.typer & (GITS_TYPER_VIRTUAL | GITS_TYPER_VMOVP)) != (GITS_TYPER_VIRTUAL | GITS_TYPER_VMOVP))
		return "the ITS does not map vLPIs by single commands";
	its.queue = heap_alloc_ram(QUEUE_SIZE, TABLE_SIZE);
	properties = heap_alloc_ram(TABLE_SIZE, TABLE_SIZE);	/* physical LPIs: all disabled */
	if (!its.queue || !properties)
		return "no memory";
	for (u32 i = 0; i < platform.nr_pcpus; i++)
		if (!set_redistributor(i, (u64)properties))
			return "no memory";
	for (u32 n = 0; n < GITS_NR_BASER; n++)
		if (!set_table(n))
			return "the ITS takes no coherent tables of 64 KiB";
	cbaser = GITS_VALID | GITS_WB | GIC_INNER_SHAREABLE | (u64)its.queue | (QUEUE_SIZE / PAGE_SIZE - 1);
	arch_mmio_write64(its.base + GITS_CBASER, cbaser);
	if (arch_mmio_read64(its.base + GITS_CBASER) != cbaser)
		return "the ITS does not read its queue through caches";
	arch_mmio_write64(its.base + GITS_CWRITER, 0);
	arch_mmio_write32(its.base + GITS_CTLR, (u32)GITS_CTLR_ENABLED);
	return NULL;
}

void vlpi_init(void)
{
	const char *why;

	its.base = platform.its_base;
	its.write = 0;
	if (!its.base || !is_gicv4()) {
		its.base = 0;
		return;
	}
	why = set_up();
	if (why) {
		hyp_printf("devices have no vLPIs: %s", why);
		its.base = 0;
	}
}

bool vlpi_vm_init(struct vm *vm)
{
	u64 itt_size = ALIGN_UP(VIRTIO_BUS_SLOTS * GITS_TYPER_ITT_SIZE(its.typer), 256);
	u8 *itt;

	if (!its.base || vm->partitioned)
		return true;
	vm->vlpi_properties = heap_alloc_ram(BIT(ID_BITS) - FIRST_LPI, PAGE_SIZE);
	itt = heap_alloc_ram(itt_size, 256);
	if (!vm->vlpi_properties || !itt)
		return false;
	memset(vm->vlpi_properties, LPI_PRIORITY | (int)LPI_ENABLED, VIRTIO_BUS_SLOTS);
	command(CMD_MAPD | CMD_DEVICE(vm), 3, (u64)itt | GITS_VALID, 0);	/* 2^(3+1) events */
	_Static_assert(VIRTIO_BUS_SLOTS == 16, "events of a device");
	for (u32 i = 0; i < vm->nr_vcpus; i++) {
		struct vcpu *v = vm->vcpus[i];

		v->vgic.vlpi_pending = heap_alloc_ram(TABLE_SIZE, TABLE_SIZE);
		if (!v->vgic.vlpi_pending)
			return false;
		command(CMD_VMAPP, CMD_VPE(v), target(0) | GITS_VALID, (u64)v->vgic.vlpi_pending | (ID_BITS - 1));
	}
	for (u64 slot = 0; slot < VIRTIO_BUS_SLOTS; slot++)
		command(CMD_VMAPTI | CMD_DEVICE(vm), CMD_VPE(vm->vcpus[0]) | slot,
			NO_DOORBELL << 32 | (FIRST_LPI + slot), 0);
	vm->vlpi = true;
	return true;
}

/* --- vCPUs come and go; sched lock held --- */

void vlpi_load(struct vcpu *v)
{
	u32 here = this_pcpu()->id;
	u64 r = redistributor(here);

	if (v->vgic.vlpi_pcpu != here) {
		command(CMD_VMOVP, CMD_VPE(v), target(here), 0);
		sync(v);
		v->vgic.vlpi_pcpu = here;
	}
	arch_mmio_write64(r + GICR_VPROPBASER,
			  (u64)v->vm->vlpi_properties | GIC_INNER_SHAREABLE | GIC_WB | (ID_BITS - 1));
	arch_mmio_write64(r + GICR_VPENDBASER, (u64)v->vgic.vlpi_pending | GITS_VALID | VPENDBASER_IDAI |
			  VPENDBASER_PENDING_LAST | GIC_INNER_SHAREABLE | GIC_WB);
}

bool vlpi_save(struct vcpu *v)
{
	u64 reg = redistributor(this_pcpu()->id) + GICR_VPENDBASER, value;

	if (__atomic_exchange_n(&v->vgic.vlpi_raised, 0, __ATOMIC_ACQ_REL))
		sync(v);
	arch_mmio_write64(reg, 0);
	while ((value = arch_mmio_read64(reg)) & VPENDBASER_DIRTY)
		arch_relax();
	return value & VPENDBASER_PENDING_LAST;
}

/* --- devices --- */

void vlpi_raise(struct virtio_dev *dev)
{
	struct vcpu *v = dev->vm->vcpus[READ_ONCE(dev->lpi_vcpu)];

	__atomic_store_n(&v->vgic.vlpi_raised, 1, __ATOMIC_RELEASE);
	command(CMD_INT | CMD_DEVICE(dev->vm), dev->index, 0, 0);
	sched_wake(v);
}

/* Call IO_IRQ, see abi.h. */
s64 vlpi_call(struct vcpu *v, struct virtio_dev *dev)
{
	u64 to = v->regs.x[2];
	struct vcpu *t;

	if (!v->vm->vlpi)
		return PV_ENOTSUPP;
	if (dev && to == PV_IO_IRQ_WIRE) {
		spin_lock(&dev->lock);
		vlpi_off(dev);
		spin_unlock(&dev->lock);
		return PV_SUCCESS;
	}
	if (!dev || to >= v->vm->nr_vcpus)
		return PV_EINVAL;
	t = v->vm->vcpus[to];
	spin_lock(&dev->lock);
	if (!dev->io) {
		spin_unlock(&dev->lock);
		return PV_EDENIED;
	}
	/* What is pending moves along; so its new vCPU must not sleep over it. */
	WRITE_ONCE(dev->lpi_vcpu, (u32)to);
	command(CMD_VMOVI | CMD_DEVICE(v->vm), CMD_VPE(t) | dev->index, 0, 0);
	sync(t);
	WRITE_ONCE(dev->lpi, true);
	spin_unlock(&dev->lock);
	__atomic_store_n(&t->vgic.vlpi_raised, 1, __ATOMIC_RELEASE);
	sched_wake(t);
	v->regs.x[1] = FIRST_LPI + dev->index;
	return PV_SUCCESS;
}

/* Back to the wired interrupt, nothing pending. dev->lock held. */
void vlpi_off(struct virtio_dev *dev)
{
	if (!dev->lpi)
		return;
	WRITE_ONCE(dev->lpi, false);
	command(CMD_CLEAR | CMD_DEVICE(dev->vm), dev->index, 0, 0);
	sync(dev->vm->vcpus[dev->lpi_vcpu]);
}
