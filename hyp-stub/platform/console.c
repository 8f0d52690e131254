// SPDX-License-Identifier: GPL-2.0
/* The host's PL011 (Arm DDI 0183): polled output, interrupt-driven input. */
#include "arch/arch.h"
#include "platform/platform.h"

#define UARTDR		0x00
#define UARTFR		0x18
#define UARTFR_RXFE	BIT(4)
#define UARTFR_TXFF	BIT(5)
#define UARTLCR_H	0x2c
#define UARTLCR_H_FEN	BIT(4)
#define UARTLCR_H_WLEN8	(3 << 5)
#define UARTCR		0x30
#define UARTCR_EN	(BIT(0) | BIT(8) | BIT(9))	/* UARTEN, TXE, RXE */
#define UARTIMSC	0x38
#define UARTICR		0x44
#define UART_INT_RX	BIT(4)
#define UART_INT_RT	BIT(6)

static spinlock_t console_lock;
static u64 uart;
static bool mid_line;	/* a guest's unfinished line is on the screen */

static void put(char c)
{
	while (arch_mmio_read32(uart + UARTFR) & UARTFR_TXFF)
		arch_relax();
	arch_mmio_write32(uart + UARTDR, (u8)c);
}

static void put_hyp_line(const char *line)
{
	if (mid_line)
		put('\n');
	for (const char *s = "hyp: "; *s; s++)
		put(*s);
	for (; *line; line++)
		put(*line);
	put('\n');
	mid_line = false;
}

void console_init(u64 uart_base)
{
	uart = uart_base;
	arch_mmio_write32(uart + UARTLCR_H, UARTLCR_H_FEN | UARTLCR_H_WLEN8);
	arch_mmio_write32(uart + UARTCR, UARTCR_EN);
}

void console_enable_input(void)
{
	arch_mmio_write32(uart + UARTIMSC, UART_INT_RX | UART_INT_RT);
}

void console_write_hyp(const char *line)
{
	if (!uart)
		return;
	spin_lock(&console_lock);
	put_hyp_line(line);
	spin_unlock(&console_lock);
}

/* The lock may be held by a pCPU that is dead: write without it. */
void console_panic(const char *line)
{
	if (uart) {
		put_hyp_line("PANIC");
		put_hyp_line(line);
	}
}

void console_write_raw(const char *s, size_t n)
{
	spin_lock(&console_lock);
	for (; n; n--, s++) {
		put(*s);
		mid_line = *s != '\n' && (*s != '\r' || mid_line);
	}
	spin_unlock(&console_lock);
}

int console_getc(void)
{
	if (arch_mmio_read32(uart + UARTFR) & UARTFR_RXFE) {
		arch_mmio_write32(uart + UARTICR, UART_INT_RX | UART_INT_RT);
		/*
		 * What has come meanwhile is not said any more, nor what follows it:
		 * QEMU's interrupts when a first character comes.
		 */
		if (arch_mmio_read32(uart + UARTFR) & UARTFR_RXFE)
			return -1;
	}
	return (int)(arch_mmio_read32(uart + UARTDR) & 0xff);
}
