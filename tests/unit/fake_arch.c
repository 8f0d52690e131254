// SPDX-License-Identifier: GPL-2.0
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_arch.h"

struct fake_pcpu fake[MAX_PCPUS];
u64 fake_now;
char fake_console[65536];
jmp_buf fake_stop;
struct platform platform;
u64 fake_mmio_addr;
u32 fake_mmio_value;
static unsigned int current;
static void *ram;
static size_t console_len;

/* --- arch --- */
struct pcpu *this_pcpu(void) { return &pcpus[current]; }
void (*fake_relax)(void) = abort;	/* one thread: whoever waits, waits for ever */
void arch_relax(void) { fake_relax(); }
u64 arch_counter(void) { return fake_now; }
u64 arch_counter_hz(void) { return FAKE_HZ; }
void arch_set_deadline(u64 at) { fake[current].deadline = at; }
void arch_gic_eoi(u32 i) { (void)i; }
void arch_gic_deactivate(u32 i) { (void)i; }
u32 arch_mmio_read32(u64 a) { (void)a; return 0; }
void arch_mmio_write32(u64 a, u32 v) { fake_mmio_addr = a; fake_mmio_value = v; }
void arch_clean(void *p, u64 size) { (void)p; (void)size; }
u64 (*fake_mmio_read64)(u64 addr);
void (*fake_mmio_write64)(u64 addr, u64 value);
u64 arch_mmio_read64(u64 a) { return fake_mmio_read64 ? fake_mmio_read64(a) : 0; }
void arch_mmio_write64(u64 a, u64 v) { if (fake_mmio_write64) fake_mmio_write64(a, v); }
bool arch_interrupt_pending(void) { return fake[current].pending; }
void arch_io_barrier(void) { }
u32 arch_instructions(bool hypervisor) { return hypervisor ? 7 : 11; }
void arch_map_ram(u64 b, u64 s) { (void)b; (void)s; }
void arch_sync_image(void *p, u64 s) { (void)p; (void)s; }
void arch_zero_ram(void *p, u64 s) { memset(p, 0, s); }
void arch_gic_cpu_init(void) { }
bool arch_random(u64 *v) { *v = 4; return true; }
unsigned int arch_ipa_bits(void) { return 39; }
u64 arch_s2_leaf(u64 pa, unsigned int level, u32 f) { (void)f; return pa | 1 | (level == 3 ? 2 : 0); }
u64 arch_s2_table(u64 pa) { return pa | 3; }
u64 arch_vttbr(u64 root, unsigned int vmid) { return root | (u64)vmid << 48; }
void arch_s2_flush(u64 v) { (void)v; }
bool arch_in_kernel(const struct vcpu *v) { return v->regs.pstate & 0xc; }

void arch_wait_for_interrupt(void)
{
	if (fake[current].deadline == ~0ULL)
		longjmp(fake_stop, 1);
	fake_now = MAX(fake_now, fake[current].deadline);
	fake[current].ack = INTID_HYP_TIMER;
}

u32 arch_gic_ack(void)
{
	u32 intid = fake[current].ack;

	fake[current].ack = INTID_SPURIOUS;
	return intid;
}

void arch_gic_send_sgi(u64 mpidr, u32 intid)
{
	assert_int_equal(intid, INTID_SGI_RESCHED);
	fake[mpidr].sgis++;
}

void arch_vcpu_reset(struct vcpu *v, u64 pc, u64 x0)
{
	memset(&v->regs, 0, sizeof(v->regs));
	memset(&v->timer, 0, sizeof(v->timer));
	v->regs.pc = pc;
	v->regs.x[0] = x0;
	v->regs.pstate = 5;
	v->ctx.cntvoff = v->vm->cntvoff;
}

void arch_context_save(struct vcpu *v) { v->ctx.tpidr_el1++; }
void arch_context_load(struct vcpu *v) { v->last_pcpu = (int)current; }
void arch_vtimer_read(struct arch_vtimer *t)
{
	*t = fake[current].vtimer;
	if (t->ctl & TIMER_ENABLE && fake_now >= t->cval)
		t->ctl |= TIMER_ISTATUS;
}
void arch_vtimer_save(struct arch_vtimer *t) { arch_vtimer_read(t); fake[current].vtimer.ctl = 0; }
void arch_vtimer_load(const struct arch_vtimer *t) { fake[current].vtimer = *t; }

unsigned int arch_vgic_nr_lrs(void) { return 4; }
u64 arch_vgic_read_lr(unsigned int i) { return fake[current].lr[i]; }
void arch_vgic_write_lr(unsigned int i, u64 v) { fake[current].lr[i] = v; }
void arch_vgic_set_hcr(u32 v) { fake[current].hcr = v; }
void arch_vgic_save(struct arch_vgic *g) { (void)g; fake[current].hcr = 0; }
void arch_vgic_load(const struct arch_vgic *g) { fake[current].hcr = g->hcr; }

u32 arch_vgic_empty_lrs(void)
{
	u32 empty = 0;

	for (unsigned int i = 0; i < 4; i++)
		if (!(fake[current].lr[i] >> 62) && !(fake[current].lr[i] & BIT(41)))
			empty |= 1U << i;
	return empty;
}

/* --- platform --- */
bool platform_spi_used(u32 intid) { return intid == 80; }
void platform_off(void) { longjmp(fake_stop, 2); }
void platform_reset(void) { longjmp(fake_stop, 3); }

static void write_console(const char *s, size_t n)
{
	n = MIN(n, sizeof(fake_console) - 1 - console_len);
	memcpy(fake_console + console_len, s, n);
	console_len += n;
	fake_console[console_len] = 0;
}

void console_write_hyp(const char *line)
{
	write_console("hyp: ", 5);
	write_console(line, strlen(line));
	write_console("\n", 1);
}
void console_panic(const char *line) { console_write_hyp(line); }
void console_write_raw(const char *s, size_t n) { write_console(s, n); }
int console_getc(void) { return -1; }

/* --- the test's hands --- */
void fake_quiet(void) { console_len = 0; fake_console[0] = 0; }
void on(unsigned int pcpu) { current = pcpu; }

void fake_reset(unsigned int n)
{
	if (!ram)
		ram = aligned_alloc(MiB(2), FAKE_RAM);
	memset(fake, 0, sizeof(fake));
	memset(pcpus, 0, sizeof(pcpus[0]) * MAX_PCPUS);
	memset(&platform, 0, sizeof(platform));
	console_len = 0;
	fake_console[0] = 0;
	fake_now = 1000 * MS;
	nr_vms = 0;
	platform.ram[0] = (struct range){ (u64)ram, FAKE_RAM };
	platform.nr_ram = 1;
	platform.nr_pcpus = n;
	for (unsigned int i = 0; i < n; i++) {
		fake[i].deadline = ~0ULL;
		fake[i].ack = INTID_SPURIOUS;
		pcpus[i].id = i;
		pcpus[i].mpidr = i;
		pcpus[i].online = 1;
		list_init(&pcpus[i].blocked);
		list_init(&pcpus[i].timers);
	}
	current = 0;
	sched_init(10000);
}

struct vm *fake_vm(unsigned int n, u64 mem)
{
	struct vm *vm = &vms[nr_vms];

	memset(vm, 0, sizeof(*vm));
	vm->id = nr_vms++;
	hyp_snprintf(vm->name, sizeof(vm->name), "vm%u", vm->id);
	vm->ram_ipa = GUEST_RAM_BASE;
	vm->ram_size = mem;
	vm->ram_pa = (u64)aligned_alloc(PAGE_SIZE, mem);
	vm->pvtime = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	vm->nr_vcpus = n;
	for (unsigned int i = 0; i < n; i++) {
		struct vcpu *v = aligned_alloc(64, ALIGN_UP(sizeof(*v), 64));

		memset(v, 0, sizeof(*v));
		v->vm = vm;
		v->id = i;
		v->mpidr = i;
		v->affinity = ~0U;
		list_init(&v->link);
		vm->vcpus[i] = v;
		vm_vcpu_reset(v, vm->ram_ipa, 0);
	}
	vgic_vm_init(vm);
	return vm;
}

struct vcpu *take_irq(struct vcpu *v, u32 intid)
{
	fake[current].ack = intid;
	exit_interrupt(v);
	return sched_exit(v);
}

struct vcpu *run_for(struct vcpu *v, u64 ticks)
{
	u64 end = fake_now + ticks;

	while (fake_now < end) {
		fake_now = MIN(end, MAX(fake_now, fake[current].deadline));
		if (fake_now >= fake[current].deadline)
			v = take_irq(v, INTID_HYP_TIMER);
	}
	return v;
}

struct vcpu *hvc(struct vcpu *v, u64 fn, u64 a, u64 b)
{
	v->regs.x[0] = fn;
	v->regs.x[1] = a;
	v->regs.x[2] = b;
	hypercall_dispatch(v);
	return sched_exit(v);
}
