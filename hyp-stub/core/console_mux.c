// SPDX-License-Identifier: GPL-2.0
/*
 * The VMs' consoles on the host's one UART. With one VM its output goes
 * straight through; with several it is collected into lines marked with the
 * VM's name. Input goes to one VM: three times Ctrl-A chooses the next, as on
 * Xen.
 */
#include "core/core.h"
#include "platform/platform.h"
#include "virtio/devices.h"

#define SWITCH_KEY	1	/* Ctrl-A */
#define SWITCH_TIMES	3

/* line->lock held, or nobody writes any more. */
static void show(struct vm *vm, struct console_line *l)
{
	char text[sizeof(l->text) + sizeof(vm->name) + 8];
	int n;

	if (!l->len)
		return;
	n = hyp_snprintf(text, sizeof(text), "[%s] ", vm->name);
	memcpy(text + n, l->text, l->len);
	n += (int)l->len;
	if (text[n - 1] != '\n')
		text[n++] = '\n';
	l->len = 0;
	console_write_raw(text, (size_t)n);
}

void console_output(struct vm *vm, struct console_line *l, const char *text, size_t n)
{
	if (nr_vms == 1) {
		console_write_raw(text, n);
		return;
	}
	spin_lock(&l->lock);
	for (; n; n--, text++) {
		if (*text == '\r')
			continue;
		l->text[l->len++] = *text;
		if (*text == '\n' || l->len == sizeof(l->text))
			show(vm, l);
	}
	spin_unlock(&l->lock);
}

void console_flush(struct vm *vm)
{
	show(vm, &vm->uart_line);
	show(vm, &vm->vconsole_line);
}

/* One pCPU gets the UART's interrupt, so this runs on one at a time. */
void console_input(void)
{
	static u32 focus, pressed;
	int c;

	while ((c = console_getc()) >= 0) {
		if (c != SWITCH_KEY) {
			pressed = 0;
		} else if (++pressed == SWITCH_TIMES) {
			pressed = 0;
			focus = (focus + 1) % nr_vms;
			vm_printf(&vms[focus], "has the console input");
			continue;
		}
		if (!vconsole_input(&vms[focus], (char)c))
			vuart_input(&vms[focus], (char)c);
	}
}
