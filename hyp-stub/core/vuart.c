// SPDX-License-Identifier: GPL-2.0
/*
 * A VM's console: as much of a PL011 (Arm DDI 0183) as a driver can see. The
 * transmit FIFO is always empty.
 */
#include "core/core.h"

#define UARTDR		0x000
#define UARTFR		0x018
#define FR_RXFE		BIT(4)
#define FR_RXFF		BIT(6)
#define FR_TXFE		BIT(7)
#define UARTIBRD	0x024
#define UARTFBRD	0x028
#define UARTLCR_H	0x02c
#define UARTCR		0x030
#define UARTIFLS	0x034
#define UARTIMSC	0x038
#define UARTRIS		0x03c
#define UARTMIS		0x040
#define UARTICR		0x044
#define UARTPERIPHID0	0xfe0
#define INT_RX		BIT(4)
#define INT_TX		BIT(5)
#define INT_RT		BIT(6)

static const u8 id[8] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

static void update_interrupt(struct vm *vm)
{
	struct vuart *u = &vm->uart;

	vgic_set_line(vm, vm->vcpus[0], vm->uart_intid, u->ris & u->imsc);
}

void vuart_input(struct vm *vm, char c)
{
	struct vuart *u = &vm->uart;

	spin_lock(&u->lock);
	if (u->rx_count < sizeof(u->rx)) {
		u->rx[(u->rx_head + u->rx_count++) % sizeof(u->rx)] = (u8)c;
		u->ris |= INT_RX | INT_RT;
	}
	spin_unlock(&u->lock);
	update_interrupt(vm);
}

static u32 receive(struct vuart *u)
{
	u32 c;

	if (!u->rx_count)
		return 0;
	c = u->rx[u->rx_head++ % sizeof(u->rx)];
	u->rx_head %= sizeof(u->rx);
	if (!--u->rx_count)
		u->ris &= ~(u32)(INT_RX | INT_RT);
	return c;
}

static u64 vuart_read(struct vuart *u, u32 reg)
{
	switch (reg) {
	case UARTDR:
		return receive(u);
	case UARTFR:
		return FR_TXFE | (u->rx_count ? 0 : FR_RXFE) |
			(u->rx_count == sizeof(u->rx) ? FR_RXFF : 0);
	case UARTIBRD:
		return u->ibrd;
	case UARTFBRD:
		return u->fbrd;
	case UARTLCR_H:
		return u->lcr_h;
	case UARTCR:
		return u->cr;
	case UARTIFLS:
		return u->ifls;
	case UARTIMSC:
		return u->imsc;
	case UARTRIS:
		return u->ris;
	case UARTMIS:
		return u->ris & u->imsc;
	}
	if (reg >= UARTPERIPHID0)
		return id[(reg - UARTPERIPHID0) / 4];
	return 0;
}

static void vuart_write(struct vm *vm, u32 reg, u32 value)
{
	struct vuart *u = &vm->uart;
	char ch;

	switch (reg) {
	case UARTDR:
		ch = (char)value;
		console_output(vm, &vm->uart_line, &ch, 1);
		u->ris |= INT_TX;
		break;
	case UARTIBRD:
		u->ibrd = value & 0xffff;
		break;
	case UARTFBRD:
		u->fbrd = value & 0x3f;
		break;
	case UARTLCR_H:
		u->lcr_h = value & 0xff;
		break;
	case UARTCR:
		u->cr = value & 0xffff;
		break;
	case UARTIFLS:
		u->ifls = value & 0x3f;
		break;
	case UARTIMSC:
		u->imsc = value & 0x7ff;
		break;
	case UARTICR:
		u->ris &= ~value;
		break;
	}
}

bool vuart_mmio(struct vcpu *v, struct mmio *m)
{
	struct vm *vm = v->vm;
	u32 reg = (u32)(m->addr - GUEST_UART_BASE);

	if (m->size > 4 || !IS_ALIGNED(reg, m->size))
		return false;
	reg &= ~3U;
	spin_lock(&vm->uart.lock);
	if (m->write)
		vuart_write(vm, reg, (u32)m->value);
	else
		m->value = vuart_read(&vm->uart, reg) >> (m->addr & 3) * 8;
	spin_unlock(&vm->uart.lock);
	update_interrupt(vm);
	return true;
}
