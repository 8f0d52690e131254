# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# KTAP tests of pvhyp and pvlock inside an overcommitted guest.
. "${KTAP:-}/lib.sh"
D=/sys/kernel/debug
T=/sys/kernel/tracing
P=/sys/module/pvlock/parameters
all_cpus
CPUS=$(nproc)
RELOADS=$(by_level 2 20 100)	# 5 s each, on a quiet machine: six functions of the kernel's are patched
HOTPLUGS=$(by_level 2 4 20)
TRACES=$(by_level 1 2 10)
SWITCHES=$(by_level 50 100 1000)
# So many of each CPU, within LIMIT ms, which is far more than they ever take.
OPERATIONS=200		# covers all kinds of locks: locktorture_pv.c
SECTIONS=300
LIMIT=300000
# With PREEMPT_RT most locks sleep: only raw spinlocks are ours.
case $(uname -v) in *PREEMPT_RT*) RT=yes ;; *) RT='' ;; esac

stat_of() { sed -n "s/^$1 //p" $D/pvlock/stats; }
# judged N: nobody was let in beside another, and all got their N
# shellcheck disable=SC2154
judged() { [ "$violations" = 0 ] && [ "$fewest" -ge "$1" ]; }
bench() {	# THREADS [SECTIONS]: sets sections, longest_wait_ns, violations, fewest
	echo "$1 600 600 60000 ${2:-$SECTIONS}" >$D/lockbench/run || return 1
	eval "$(tr ' ' '\n' <$D/lockbench/run)"
	judged "${2:-$SECTIONS}"
}
# torture [COMMAND]: for as long as it takes, and until each CPU has done its OPERATIONS;
# sets operations, violations, longest_ms, fewest
# shellcheck disable=SC2120	# check passes it
torture() {
	echo $LIMIT >$D/locktorture_pv/start || return 1
	t_status=0
	[ -z "$1" ] || "$1" || t_status=1
	echo "stop $OPERATIONS" >$D/locktorture_pv/start
	eval "$(tr ' ' '\n' <$D/locktorture_pv/result)"
	note "$operations operations, $fewest of the slowest CPU, the longest $longest_ms ms"
	[ $t_status = 0 ] && judged $OPERATIONS
}

stolen() { [ "$(awk '/^cpu / { print $9 }' /proc/stat)" -gt 0 ]; }
all_busy() { stolen || { bench "$CPUS" && false; }; }
steal_seen() { until_or 60 all_busy; }

hyp_states() {
	# whoever reads this runs
	grep -q "^cpu[0-9]* vcpu=[0-9]* state=running" $D/pvhyp/vcpus &&
		[ "$(grep -c '^cpu' $D/pvhyp/vcpus)" = "$CPUS" ] &&
		awk '$1 == "wfi" && $2 > 0 { f = 1 } END { exit !f }' $D/pvhyp/exits
}

refuses_without_pvhyp() {
	! insmod "$KTAP/modules/pvlock.ko" 2>/dev/null
}

hooks_all() {
	if [ -n "$RT" ]; then
		grep -q "queued_spin_lock_slowpath redirected" $D/pvlock/hooks
	else
		! grep -q "left alone" $D/pvlock/hooks
	fi
}

exclusion() { bench "$CPUS"; }

parameters() {
	echo 3000 >$P/spin_ns && [ "$(cat $P/spin_ns)" = 3000 ] && echo 5000 >$P/spin_ns &&
		! echo 2000000 2>/dev/null >$P/spin_ns && ! echo sideways 2>/dev/null >$P/policy &&
		[ "$(cat $P/policy)" = directed ] && [ "$(cat $P/steal_us)" = 10000 ]
}

# Without stealing, waiters queue, halt and are kicked all the time. Of the hand-overs with
# a kick, some end a halt; how many do not, as an interrupt was first, is a matter of chance.
# Where no kick arrives, none does, but for those that are under way while the two are read.
kicked() {
	k=$(stat_of kick)
	echo $((k - $(stat_of wait_unkicked)))
}
arrived() { [ $(($(kicked) - kicked_before)) -gt $((4 * CPUS)) ]; }
# shellcheck disable=SC2119
some_arrived() { ! torture || arrived; }
kicks_arrive() {
	kicked_before=$(kicked)
	echo 0 >$P/steal_us
	until_or 60 some_arrived
	echo 10000 >$P/steal_us
	note "hand-overs with a kick $(stat_of kick), of them the waiter saw none $(stat_of wait_unkicked)"
	judged $OPERATIONS && arrived
}

switching() {
	i=0
	while [ $i -lt "$SWITCHES" ]; do
		echo $((i % 2)) >$P/enabled || return 1
		i=$((i + 1))
	done
	echo 1 >$P/enabled
}

ftrace_users() {
	! echo 0 2>/dev/null >/proc/sys/kernel/ftrace_enabled || return 1
	i=0
	while [ $i -lt "$TRACES" ]; do
		echo "queued_spin_lock_slowpath osq_lock" >$T/set_ftrace_filter
		echo function >$T/current_tracer
		soon traced || return 1
		echo nop >$T/current_tracer
		i=$((i + 1))
	done
	echo >$T/set_ftrace_filter
}
# It sees calls of what is redirected.
traced() { cat $T/per_cpu/cpu*/stats | awk '/^entries/ && $2 > 0 { f = 1 } END { exit !f }'; }

spin_event() { ! bench "$CPUS" 30 || grep -q "contention_begin.*SPIN" $T/trace; }
contention_events() {
	[ -e $T/events/lock/contention_begin ] || { note "no contention tracepoints"; return 1; }
	echo 1 >$T/events/lock/contention_begin/enable
	echo >$T/trace
	echo 0 >$P/steal_us		# who steals a lock has no contention
	until_or 60 spin_event
	seen=$?
	echo 10000 >$P/steal_us
	echo 0 >$T/events/lock/contention_begin/enable
	[ $seen = 0 ] && judged 30
}

hotplug() {
	i=0
	last=$((CPUS - 1))
	while [ $i -lt "$HOTPLUGS" ]; do
		echo 0 >/sys/devices/system/cpu/cpu$last/online || return 1
		grep -q "^cpu$last .*state=off" $D/pvhyp/vcpus || return 1
		bench $((CPUS - 1)) 50 || return 1
		echo 1 >/sys/devices/system/cpu/cpu$last/online || return 1
		grep -q "^cpu$last .*state=off" $D/pvhyp/vcpus && return 1
		i=$((i + 1))
	done
	return 0
}

reloading() {
	i=0
	while [ $i -lt "$RELOADS" ]; do
		rmmod pvlock || return 1
		insmod "$KTAP/modules/pvlock.ko" || return 1
		i=$((i + 1))
	done
}
negative_busted() {
	until_or 60 violated
	seen=$?
	note "busted: $violations violations in $operations operations"
	return $seen
}
violated() {
	echo "busted 60000 $OPERATIONS" >$D/locktorture_pv/start
	eval "$(tr ' ' '\n' <$D/locktorture_pv/result)"
	[ "$violations" -gt 0 ]
}

# Where no kick is sent, none arrives, however many hand-overs there are.
negative_nokick() {
	rmmod pvlock
	insmod "$KTAP/modules/pvlock_nokick.ko" || return 1
	P=/sys/module/pvlock_nokick/parameters
	kicked_before=0
	echo 0 >$P/steal_us
	until_or 60 many_kicks
	note "hand-overs with a kick $(stat_of kick), of them the waiter saw none $(stat_of wait_unkicked)"
	judged $OPERATIONS && ! arrived && many
	caught=$?
	rmmod pvlock_nokick
	return $caught
}
many() { [ "$(stat_of kick)" -gt $((16 * CPUS)) ]; }
# shellcheck disable=SC2119
many_kicks() { ! torture || many; }

unloaded() {
	rmmod lockbench && rmmod locktorture_pv && rmmod pvhyp && ! lsmod | grep -q pv &&
		! dmesg | grep -E "BUG|WARNING|Oops|lockup|rcu:.*stall"
}

plan 17
check "pvlock without pvhyp is refused" refuses_without_pvhyp
load pvhyp && load lockbench && load locktorture_pv && load pvlock
check "stolen time is in /proc/stat" steal_seen
check "pvhyp shows vCPU states and exits" hyp_states
check "all hooks are in place" hooks_all
check "parameters are checked" parameters
check "mutual exclusion under overcommit" exclusion
check "torture of all kinds of locks" torture
check "kicks arrive" kicks_arrive
check "switching on and off under load" torture switching
check "other tracers and the ftrace sysctl under load" torture ftrace_users
check "contention tracepoints still fire" contention_events
check "CPU offline and online while loaded" hotplug
check "$RELOADS times rmmod and insmod under load" torture reloading
check "negative control: a lock that does not lock" negative_busted
check "negative control: a hand-over without kick" negative_nokick
check "modules unload, and the kernel has nothing to complain about" unloaded
check "enough cases ran" [ "$ktap_n" -ge 16 ]
