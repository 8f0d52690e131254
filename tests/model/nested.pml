/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvlock's queue with nested contexts: on each of NV vCPUs a task takes lock A,
 * and an interrupt, which comes at any time when interrupts are on, takes lock
 * B. While it runs, the task of that vCPU stands still (provided). Each context
 * has a queue node of its own, but there is one kick for each vCPU: an
 * interrupt's WAIT can consume the one that was for the task.
 *
 * This is stage 3 and 4 of pvlock/spinlock.c and pvl_halt() of pvlock/kick.c;
 * pvlock.pml has the other stages, and the native path. Each interrupt comes
 * once: afterwards nothing ends a WAIT by chance, so a lost wake-up is a task
 * that waits for ever (invalid end state).
 *
 * WAIT returns for a kick, and for an interrupt that is pending, masked or not.
 *
 * Broken variants: LATE (WAIT with interrupts on, without looking at the node
 * again), IRQS_ON (looks, but with interrupts on), NO_LOOK (interrupts off, but
 * does not look).
 */
#ifndef NV
#define NV 2
#endif
#define NONE 255
#define WAITS 0
#define GO 1
#define HALTED 2
#define NODE(cpu, level) (2 * (cpu) + (level))
#define CPU_OF(node) ((node) / 2)

bool locked[2], kicked[NV];
byte tail[2] = NONE, holders[2];
byte next[2 * NV] = NONE, node_state[2 * NV];
bool irqs_off[NV], in_irq[NV], irq_done[NV];

/* An interrupt that has not come yet may be pending at any time. */
#define MAY_INTERRUPT(cpu) (!irq_done[cpu] && !in_irq[cpu])

inline wait(cpu)
{
	if
	:: atomic { kicked[cpu] -> kicked[cpu] = false }
	:: MAY_INTERRUPT(cpu) -> skip
	fi
}

inline halt(cpu, node, was_off)
{
#if !defined(LATE) && !defined(IRQS_ON)
	was_off = irqs_off[cpu];
	irqs_off[cpu] = true;
#endif
#if defined(LATE) || defined(NO_LOOK)
	wait(cpu);
#else
	if
	:: node_state[node] == HALTED -> wait(cpu)
	:: else
	fi;
#endif
#if !defined(LATE) && !defined(IRQS_ON)
	irqs_off[cpu] = was_off
#endif
}

inline lock_and_unlock(cpu, node, l)
{
	node_state[node] = WAITS;
	next[node] = NONE;
	atomic { prev = tail[l]; tail[l] = node };
	if
	:: prev != NONE ->
		next[prev] = node;
		do
		:: node_state[node] == GO -> break
		:: else ->
			atomic {	/* cmpxchg */
				if
				:: node_state[node] == WAITS -> node_state[node] = HALTED
				:: else
				fi
			};
			halt(cpu, node, was_off)
		od
	:: else
	fi;
	!locked[l];			/* the head yields, and never halts */
	atomic {
		got = (tail[l] == node);
		if
		:: got -> tail[l] = NONE
		:: else
		fi;
		assert(!locked[l]);
		locked[l] = true
	};
	if
	:: got
	:: else ->
		next[node] != NONE;
		n = next[node];
		atomic { old = node_state[n]; node_state[n] = GO };
		if
		:: old == HALTED -> kicked[CPU_OF(n)] = true
		:: else
		fi
	fi;
	holders[l]++;
	assert(holders[l] == 1);
	holders[l]--;
	locked[l] = false
}

proctype task(byte cpu) provided (!in_irq[cpu])
{
	byte prev, old, n;
	bool got, was_off;

	lock_and_unlock(cpu, NODE(cpu, 0), 0)
}

proctype interrupt(byte cpu)
{
	byte prev, old, n;
	bool got, was_off;

	atomic { !irqs_off[cpu] -> in_irq[cpu] = true; irqs_off[cpu] = true };
	lock_and_unlock(cpu, NODE(cpu, 1), 1);
	atomic { in_irq[cpu] = false; irq_done[cpu] = true; irqs_off[cpu] = false }
}

init {
	byte i;

	atomic {
		for (i : 0 .. 2 * NV - 1) { next[i] = NONE }
		i = 0;
		do
		:: i < NV -> run task(i); run interrupt(i); i++
		:: else -> break
		od
	}
}
