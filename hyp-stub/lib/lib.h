/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lib/: what a freestanding C program lacks. Strings, printing, the spinlock,
 * an intrusive list, and the bit helpers that everything else uses.
 */
#ifndef LIB_LIB_H
#define LIB_LIB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

/* Guest-physical and host-physical addresses cannot be mixed by accident. */
typedef struct { u64 v; } ipa_t;
typedef struct { u64 v; } pa_t;

#define KiB(n)			((u64)(n) << 10)
#define MiB(n)			((u64)(n) << 20)
#define GiB(n)			((u64)(n) << 30)
#define PAGE_SIZE		KiB(4)
#define BIT(n)			(1ULL << (n))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(x, a)		(((x) + (a) - 1) & ~((u64)(a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((u64)(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((u64)(a) - 1)) == 0)
#define MIN(a, b)		((a) < (b) ? (a) : (b))
#define MAX(a, b)		((a) > (b) ? (a) : (b))
#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define container_of(p, t, m)	((t *)((char *)(p) - offsetof(t, m)))

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
/* Let the compiler copy and clear what is small and of known size in place. */
#define memcpy __builtin_memcpy
#define memset __builtin_memset
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
void *memchr(const void *s, int c, size_t n);
size_t strnlen(const char *s, size_t max);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *hay, const char *needle);
unsigned long strtoul(const char *s, char **end, int base);

/**
 * hyp_printf - one message of the hypervisor on the host console.
 * Knows %s %c %d %u %x %lx %lu %llx %llu %p, width and zero padding.
 * Takes the console lock; may be called with any other lock held.
 */
__attribute__((format(printf, 1, 2))) void hyp_printf(const char *fmt, ...);
int hyp_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
__attribute__((format(printf, 3, 4))) int hyp_snprintf(char *buf, size_t size, const char *fmt, ...);

/**
 * panic - our own state is corrupt: say so and stop the machine. Nothing that
 * a guest does may lead here.
 */
__attribute__((noreturn, format(printf, 1, 2))) void panic(const char *fmt, ...);
#define ASSERT(cond) do { \
	if (!(cond)) \
		panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond); \
} while (0)

/*
 * Ticket spinlock. Interrupts are always masked at EL2, so a holder is never
 * interrupted. Lock order: virtio device -> transmit queue -> receive queue ->
 * host disk or NIC -> sched -> timers, vgic (of one VM) -> console.
 */
typedef struct { u32 next, owner; } spinlock_t;
void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);

struct list { struct list *next, *prev; };

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_insert(struct list *node, struct list *after)
{
	node->next = after->next;
	node->prev = after;
	after->next->prev = node;
	after->next = node;
}

static inline void list_add_front(struct list *head, struct list *node)
{
	list_insert(node, head);
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	list_insert(node, head->prev);
}

static inline void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define list_for_each(pos, head) \
	for (pos = (head)->next; pos != (head); pos = pos->next)
#define list_for_each_safe(pos, tmp, head) \
	for (pos = (head)->next, tmp = pos->next; pos != (head); pos = tmp, tmp = pos->next)

#endif
