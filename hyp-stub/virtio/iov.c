// SPDX-License-Identifier: GPL-2.0
/* Copying to, from and between lists of buffers. */
#include "virtio/virtio.h"

/* Bytes up to the end of the current buffer; steps over finished ones. */
static u64 left(struct iov_pos *p)
{
	while (p->off == p->iov->len) {
		p->iov++;
		p->off = 0;
	}
	return p->iov->len - p->off;
}

/* The next run of bytes, at most @n of them. */
static u64 run(struct iov_pos *p, u64 n, u8 **at)
{
	n = MIN(n, left(p));
	*at = p->iov->base + p->off;
	p->off += n;
	return n;
}

void iov_read_parts(struct iov_pos *p, void *dst, u64 n)
{
	u8 *d = dst, *at;

	for (u64 k; n; n -= k, d += k) {
		k = run(p, n, &at);
		memcpy(d, at, k);
	}
}

void iov_write(struct iov_pos *p, const void *src, u64 n)
{
	const u8 *s = src;
	u8 *at;

	for (u64 k; n; n -= k, s += k) {
		k = run(p, n, &at);
		memcpy(at, s, k);
	}
}

void iov_zero(struct iov_pos *p, u64 n)
{
	u8 *at;

	for (u64 k; n; n -= k) {
		k = run(p, n, &at);
		memset(at, 0, k);
	}
}

void iov_copy(struct iov_pos *dst, struct iov_pos *src, u64 n)
{
	u8 *from, *to;

	for (u64 k; n; n -= k) {
		k = run(dst, MIN(n, left(src)), &to);
		run(src, k, &from);
		memmove(to, from, k);	/* a VM may send from where it receives */
	}
}
