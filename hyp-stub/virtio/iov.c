// SPDX-License-Identifier: GPL-2.0
/* Copying to, from and between lists of buffers. */
#include "virtio/virtio.h"

/* What is left of the current buffer, at most @n; steps over finished ones. */
static u64 run(struct iov_pos *p, u64 n, u8 **at)
{
	while (p->off == p->iov->len) {
		p->iov++;
		p->off = 0;
	}
	n = MIN(n, p->iov->len - p->off);
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
	u8 *at;

	for (u64 k; n; n -= k) {
		k = run(src, n, &at);
		iov_write(dst, at, k);
	}
}
