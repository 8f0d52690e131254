/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvlock/spinlock.c as a model: NV vCPUs on one lock, each taking it ROUNDS
 * times by either the native slow path or ours, as the switch happens to be
 * when it enters; the switch changes at any time. Each vCPU may be preempted
 * anywhere (Spin's interleaving), so yielding needs no model: it is fairness.
 *
 * The lock word is locked, pending, tail, each access one step, as the byte
 * and half-word accesses of the code are. A CPU has one queue node (nested.pml has
 * nested interrupts). WAIT blocks until a kick; a kick is remembered.
 *
 * Checked: mutual exclusion (assert), no deadlock (a vCPU in WAIT that nobody
 * kicks, or in a queue that lost it: invalid end state).
 *
 * Broken variants: NO_KICK (the hand-over does not kick), NO_BARRIER (the
 * hand-over looks for a halted waiter before it stores, as a CPU might reorder
 * an exchange without barrier), NO_LOCK (the head does not wait for the
 * holder), HALT_BEHIND_NATIVE (a waiter halts though its predecessor is
 * native), HEAD_HALTS (the head waits for a kick from an unlock).
 */
#ifndef NV
#define NV 3
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#define NONE 255
#define WAITS 0
#define GO 1
#define HALTED 2

bool locked, pending;
byte tail = NONE;
byte next[NV] = NONE, node_state[NV];
bool ours[NV], kicked[NV];
bool pv_on = true;
byte holders;

/* hand the head of the queue to n */
inline hand_over(n)
{
	if
	:: mine ->
#ifdef NO_BARRIER
		old = node_state[n];
		node_state[n] = GO;
#else
		atomic { old = node_state[n]; node_state[n] = GO }
#endif
#ifndef NO_KICK
		if
		:: old == HALTED -> kicked[n] = true
		:: else
		fi
#endif
	:: else -> node_state[n] = GO		/* native: a plain store */
	fi
}

proctype vcpu(byte me)
{
	byte round = 0, prev, old, n;
	bool mine, was_locked, got;

again:
	if
	:: round == ROUNDS -> goto done
	:: else -> round++
	fi;
	mine = pv_on;
	got = false;

	/* fast path, or stealing: the whole word is 0 */
	atomic {
		if
		:: !locked && !pending && tail == NONE -> locked = true; got = true
		:: else
		fi
	};
	if
	:: got -> goto critical
	:: else
	fi;

	/* pending: fetch_or */
	if
	:: true ->
		atomic {
			was_locked = locked;
			got = !pending && tail == NONE;
			old = pending;
			pending = true
		};
		if
		:: got ->
			if
			:: atomic { !locked -> locked = true; pending = false }	/* one 16-bit store */
				goto critical
			:: mine -> pending = false; got = false		/* gives up */
			fi
		:: else ->
			if
			:: !old -> pending = false
			:: else
			fi
		fi
	:: true		/* arrived when it was contended */
	fi;

	/* stealing for a while, before queueing */
	if
	:: mine ->
		atomic {
			if
			:: !locked && !pending && tail == NONE -> locked = true; got = true
			:: else -> got = false
			fi
		};
		if
		:: got -> goto critical
		:: else
		fi
	:: else
	fi;

	/* queue */
	atomic {
		node_state[me] = WAITS;
		next[me] = NONE;
		ours[me] = mine
	};
	atomic { prev = tail; tail = me };
	if
	:: prev != NONE ->
		next[prev] = me;
		do
		:: node_state[me] == GO -> break
#ifdef HALT_BEHIND_NATIVE
		:: mine && node_state[me] != GO ->
#else
		:: mine && node_state[me] != GO && ours[prev] ->
#endif
			atomic {	/* cmpxchg */
				if
				:: node_state[me] == WAITS -> node_state[me] = HALTED
				:: else
				fi
			};
			if
			:: node_state[me] != GO || kicked[me] ->
				atomic { kicked[me] -> kicked[me] = false }	/* WAIT */
			:: node_state[me] == GO -> break
			fi
		od
	:: else
	fi;

	/* head */
#ifndef NO_LOCK
#ifdef HEAD_HALTS
	if
	:: locked || pending -> atomic { kicked[me] -> kicked[me] = false }
	:: else
	fi;
#endif
	!locked && !pending;
#endif
	atomic {
		got = false;
		if
		:: tail == me && !pending && !locked -> tail = NONE; locked = true; got = true
		:: else
		fi
	};
	if
	:: got -> goto left
	:: else
	fi;
#ifndef NO_LOCK
	/*
	 * With a tail that is not ours, only the head may set locked: a plain
	 * store. A new pending bit cannot have come: the tail keeps it out, but
	 * for one that is set and undone.
	 */
	assert(!locked);
#endif
	locked = true;
	next[me] != NONE;
	n = next[me];
	hand_over(n);
left:
	ours[me] = false;

critical:
	holders++;
	assert(holders == 1);
	holders--;
	locked = false;			/* store-release of the locked byte */
	goto again;
done:
	skip
}

/* rmmod, insmod, the `enabled` switch */
proctype switcher()
{
	pv_on = false;
	pv_on = true;
	pv_on = false
}

init {
	byte i;

	atomic {
		for (i : 0 .. NV - 1) { next[i] = NONE }
		i = 0;
		do
		:: i < NV -> run vcpu(i); i++
		:: else -> break
		od;
		run switcher()
	}
}
