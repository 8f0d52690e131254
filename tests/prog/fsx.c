// SPDX-License-Identifier: GPL-2.0
/*
 * fsx: random operations on one file, each checked against a copy in memory, in
 * the manner of the file system exerciser of NeXT and xfstests.
 *	fsx FILE SEED OPERATIONS
 * Exits 0, or 1 and says which operation found what.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX (1 << 20)		/* bytes of the file */
#define PART (96 << 10)		/* of one operation */

static unsigned char copy[MAX], buf[PART] __attribute__((aligned(4096)));
static long size;		/* of the file */
static unsigned long seed, op;
static const char *file;

static unsigned long rnd(unsigned long n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (seed >> 33) % n;
}

static void fail(const char *what, long off, long len)
{
	printf("fsx: operation %lu: %s, %ld bytes at %ld of %ld: %s\n", op, what, len, off, size,
	       errno ? strerror(errno) : "wrong data");
	exit(1);
}

/* Random data, to the file and the copy. */
static void put(int fd, const char *what, long off, long len)
{
	for (long i = 0; i < len; i++)
		copy[off + i] = buf[i] = rnd(256);
	if (pwrite(fd, buf, len, off) != len)
		fail(what, off, len);
	if (off + len > size)
		size = off + len;
}

static int open_file(int flags)
{
	int fd = open(file, O_RDWR | O_CREAT | flags, 0644);

	if (fd < 0)
		fail("open", 0, 0);
	return fd;
}

static void check(int fd, long off, long len)
{
	errno = 0;
	if (pread(fd, buf, len, off) != len || memcmp(buf, copy + off, len))
		fail("read", off, len);
}

int main(int argc, char **argv)
{
	unsigned long n;
	int fd, direct;

	if (argc != 4)
		return 2;
	file = argv[1];
	seed = strtoul(argv[2], NULL, 0);
	n = strtoul(argv[3], NULL, 0);
	unlink(file);
	fd = open_file(0);
	direct = open_file(O_DIRECT);
	for (op = 0; op < n; op++) {
		long off = rnd(MAX - 4096), len = 1 + rnd(PART), aligned, i;

		if (off + len > MAX)
			len = MAX - off;
		errno = 0;
		switch (rnd(10)) {
		case 0: case 1:					/* write */
			put(fd, "write", off, len);
			break;
		case 2:						/* write, direct */
			off &= ~4095L;
			aligned = (len + 4095) & ~4095L;
			if (off + aligned <= MAX && aligned <= PART)
				put(direct, "direct write", off, aligned);
			break;
		case 3: case 4:					/* read */
			if (off < size)
				check(fd, off, off + len > size ? size - off : len);
			break;
		case 5:						/* read, direct */
			off &= ~4095L;
			aligned = len & ~4095L;
			if (aligned && off + aligned <= size)
				check(direct, off, aligned);
			break;
		case 6:						/* truncate */
			if (ftruncate(fd, off))
				fail("truncate", off, 0);
			if (off < size)
				memset(copy + off, 0, size - off);
			size = off;
			break;
		case 7:						/* mapped write */
			if (off >= size)
				break;
			if (off + len > size)
				len = size - off;
			aligned = off & -sysconf(_SC_PAGESIZE);
			{
				unsigned char *m = mmap(NULL, off - aligned + len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, aligned);

				if (m == MAP_FAILED)
					fail("mmap", off, len);
				for (i = 0; i < len; i++)
					copy[off + i] = m[off - aligned + i] = rnd(256);
				if (rnd(2) && msync(m, off - aligned + len, MS_SYNC))
					fail("msync", off, len);
				munmap(m, off - aligned + len);
			}
			break;
		case 8:						/* punch a hole, or zero */
			if (off >= size)
				break;
			if (off + len > size)
				len = size - off;
			if (fallocate(fd, FALLOC_FL_KEEP_SIZE | (rnd(2) ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE), off, len) &&
			    errno != EOPNOTSUPP)
				fail("fallocate", off, len);
			if (errno != EOPNOTSUPP)
				memset(copy + off, 0, len);
			break;
		case 9:
			if (rnd(8))
				break;
			if (fsync(fd))
				fail("fsync", 0, 0);
			break;
		}
	}
	/* All of it, and past the page cache. */
	if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		fail("fsync", 0, 0);
	for (long off = 0; off < size; off += PART)
		check(fd, off, size - off < PART ? size - off : PART);
	return 0;
}
