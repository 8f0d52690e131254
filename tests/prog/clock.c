// SPDX-License-Identifier: GPL-2.0
/*
 * Guest programs that measure clocks, timers and CPU time:
 *	clock hog SECONDS		computes; how much time it lost
 *	clock duty PERCENT SECONDS	computes and sleeps by turns of random length
 *	clock sleep US COUNT		sleeps; how long it took
 *	clock wheel MS COUNT		the same, by a timer of the kernel's timer wheel
 *	clock leap COUNT		sets the clock (as root) so that leap seconds come
 * Prints name=value words, times in microseconds. The random numbers are the
 * same each time.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

#include "compute.h"

static int64_t now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void print_cpu_time(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	printf("cpu=%lld user=%lld system=%lld switches=%ld\n",
	       (long long)now(CLOCK_PROCESS_CPUTIME_ID) / 1000,
	       (long long)r.ru_utime.tv_sec * 1000000 + r.ru_utime.tv_usec,
	       (long long)r.ru_stime.tv_sec * 1000000 + r.ru_stime.tv_usec, r.ru_nvcsw + r.ru_nivcsw);
}

static void hog(double seconds)
{
	int64_t begin = now(CLOCK_MONOTONIC), end = begin + (int64_t)(seconds * 1e9);
	int64_t least = INT64_MAX, n = 0, before = begin, t;

	while ((t = now(CLOCK_MONOTONIC)) < end) {
		if (n++ && t - before < least)
			least = t - before;
		before = t;
		compute(100000);
	}
	/* What the turns took beyond the shortest of them: others' time. */
	printf("turns=%lld lost=%lld ", (long long)n, (long long)(t - begin - n * least) / 1000);
	print_cpu_time();
}

static void pause_until(int64_t ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/*
 * Begins with a jiffy, and goes by the clock, so that it computes at the same
 * moments of the same jiffies in each run: who counts jiffies gets the same.
 */
static void duty(double percent, double seconds)
{
	int64_t t = now(CLOCK_MONOTONIC) / 100000000 * 100000000 + 200000000;
	int64_t end = t + (int64_t)(seconds * 1e9);

	srandom(1);
	pause_until(t);
	while (t < end) {
		double ms = 2 + random() % 16384 / 1024.0;	/* of a period, 10 in the mean */

		while (now(CLOCK_MONOTONIC) < t + (int64_t)(ms * percent * 1e4))
			compute(2000);
		t += (int64_t)(ms * 1e6);
		pause_until(t);
	}
	print_cpu_time();
}

static int compare(const void *a, const void *b)
{
	int64_t d = *(const int64_t *)a - *(const int64_t *)b;

	return (d > 0) - (d < 0);
}

static void print_times(int64_t *t, int n)
{
	qsort(t, n, sizeof(*t), compare);
	printf("least=%.3f median=%.3f p99=%.3f worst=%.3f\n", t[0] / 1e3, t[n / 2] / 1e3,
	       t[(int64_t)n * 99 / 100] / 1e3, t[n - 1] / 1e3);
}

static void wait_ns(int64_t ns, int wheel, const int *sock)
{
	char c;

	if (wheel)
		recv(sock[0], &c, 1, 0);
	else
		pause_until(now(CLOCK_MONOTONIC) + ns);
}

static void sleeps(int64_t ns, int n, int wheel)
{
	struct sched_param param = { .sched_priority = 90 };
	struct timeval tv = { ns / 1000000000, ns % 1000000000 / 1000 };
	int64_t *t = calloc(n, sizeof(*t)), begin;
	int sock[2];

	prctl(PR_SET_TIMERSLACK, 1);
	if (!t || socketpair(AF_UNIX, SOCK_STREAM, 0, sock) || sched_setscheduler(0, SCHED_FIFO, &param) ||
	    setsockopt(sock[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv))) {
		perror("clock");
		exit(1);
	}
	/*
	 * The first one does not count: the CPU has just computed, starting this program, and
	 * a coarse tick leaves jiffies behind meanwhile, from which the timer wheel reckons.
	 */
	for (int i = -1; i < n; i++) {
		begin = now(CLOCK_MONOTONIC);
		wait_ns(ns, wheel, sock);
		t[i < 0 ? 0 : i] = now(CLOCK_MONOTONIC) - begin;
	}
	print_times(t, n);
}

static void set_ntp_status(int status)
{
	struct timex x = { .modes = ADJ_STATUS, .status = status };

	if (adjtimex(&x) < 0) {
		perror("clock");
		exit(1);
	}
}

/* Sets the clock to 1.8 s before the end of 2026 in UTC, and inserts a second. */
static void leaps(int n)
{
	const struct timespec before = { 1798761598, 200000000 };
	const int64_t set = before.tv_sec * 1000000000LL + before.tv_nsec;
	int inserted = 0;

	for (int i = 0; i < n; i++) {
		int64_t begin;

		set_ntp_status(STA_PLL);	/* leaving this state forgets the last leap second */
		set_ntp_status(0);
		if (clock_settime(CLOCK_REALTIME, &before)) {
			perror("clock");
			exit(1);
		}
		begin = now(CLOCK_MONOTONIC);
		set_ntp_status(STA_INS);
		pause_until(begin + 3300000000LL);
		/* A second less has passed than by the monotonic clock. */
		inserted += now(CLOCK_MONOTONIC) - begin - (now(CLOCK_REALTIME) - set) > 900000000LL;
	}
	set_ntp_status(0);
	printf("leaps=%d\n", inserted);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "hog"))
		hog(atof(argv[2]));
	else if (argc == 4 && !strcmp(argv[1], "duty"))
		duty(atof(argv[2]), atof(argv[3]));
	else if (argc == 4 && !strcmp(argv[1], "sleep"))
		sleeps(atoll(argv[2]) * 1000, atoi(argv[3]), 0);
	else if (argc == 4 && !strcmp(argv[1], "wheel"))
		sleeps(atoll(argv[2]) * 1000000, atoi(argv[3]), 1);
	else if (argc == 3 && !strcmp(argv[1], "leap"))
		leaps(atoi(argv[2]));
	else
		return fprintf(stderr, "usage: clock hog SECONDS | duty PERCENT SECONDS | sleep US COUNT | wheel MS COUNT | leap COUNT\n"), 2;
	return 0;
}
