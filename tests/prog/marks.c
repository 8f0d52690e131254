// SPDX-License-Identifier: GPL-2.0
/*
 * For a host under measurement (bench --peers): passes its standard input on, each
 * line with [NAME] in front, and after a line "MARK name" says what has been counted:
 *	[NAME] MARKED name instructions=N FILE=N...
 * instructions are those of all CPUs, at all exception levels, guests' too; each FILE
 * has one number, and is named without its directory. Usage: marks NAME FILE...
 */
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_CPUS 16

static int counters[MAX_CPUS], nr_counters;

static void open_counters(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.pinned = 1,
	};

	while (nr_counters < MAX_CPUS && nr_counters < sysconf(_SC_NPROCESSORS_ONLN)) {
		int fd = (int)syscall(SYS_perf_event_open, &attr, -1, nr_counters, -1, 0);

		if (fd < 0) {
			perror("marks: perf_event_open");
			exit(1);
		}
		counters[nr_counters++] = fd;
	}
}

static uint64_t instructions(void)
{
	uint64_t sum = 0, n;

	for (int i = 0; i < nr_counters; i++) {
		if (read(counters[i], &n, sizeof(n)) != sizeof(n)) {
			fprintf(stderr, "marks: a counter cannot be read\n");
			exit(1);
		}
		sum += n;
	}
	return sum;
}

static void print_file(const char *path)
{
	const char *slash = strrchr(path, '/');
	unsigned long long n;
	FILE *f = fopen(path, "r");

	if (!f || fscanf(f, "%llu", &n) != 1) {
		fprintf(stderr, "marks: %s has no number\n", path);
		exit(1);
	}
	fclose(f);
	printf(" %s=%llu", slash ? slash + 1 : path, n);
}

int main(int argc, char **argv)
{
	char line[4096], name[64];

	if (argc < 2)
		return 2;
	open_counters();
	while (fgets(line, sizeof(line), stdin)) {
		printf("[%s] %s", argv[1], line);
		if (sscanf(line, "MARK %63s", name) == 1) {
			printf("[%s] MARKED %s instructions=%llu", argv[1], name, (unsigned long long)instructions());
			for (int i = 2; i < argc; i++)
				print_file(argv[i]);
			printf("\n");
		}
		fflush(stdout);
	}
	return 0;
}
