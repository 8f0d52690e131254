# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# KTAP tests of pvhyp and pvlock inside an overcommitted guest.
. "${KTAP:-}/lib.sh"
D=/sys/kernel/debug
P=/sys/module/pvlock/parameters
CPUS=$(nproc)
has_kasan && RELOADS=20 || RELOADS=100		# each takes 10 s there
# With PREEMPT_RT most locks sleep: only raw spinlocks are ours, and locktorture_pv does less.
case $(uname -v) in *PREEMPT_RT*) RT=yes OPERATIONS=300 ;; *) RT='' OPERATIONS=1000 ;; esac

stat_of() { sed -n "s/^$1 //p" $D/pvlock/stats; }
bench() {	# THREADS MS: sets sections, longest_wait_ns, violations
	echo "$1 600 600 $2" >$D/lockbench/run
	eval "$(tr ' ' '\n' <$D/lockbench/run)"
}
torture() {	# "MS" or "busted MS" [COMMAND]: sets operations, violations, longest_ms
	echo "$1" >$D/locktorture_pv/start
	if [ -n "$2" ]; then	# for as long as the command takes
		"$2"
		echo stop >$D/locktorture_pv/start
	fi
	eval "$(tr ' ' '\n' <$D/locktorture_pv/result)"
}

steal_seen() {
	[ "$(awk '/^cpu / { print $9 }' /proc/stat)" -gt 0 ]
}

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

exclusion() {
	bench "$CPUS" 500
	[ "$violations" = 0 ] && [ "$sections" -gt 1000 ]
}

parameters() {
	echo 3000 >$P/spin_ns && [ "$(cat $P/spin_ns)" = 3000 ] && echo 5000 >$P/spin_ns &&
		! echo 2000000 2>/dev/null >$P/spin_ns && ! echo sideways 2>/dev/null >$P/policy &&
		[ "$(cat $P/policy)" = directed ] && [ "$(cat $P/steal_us)" = 10000 ]
}

all_kinds() {
	torture 3000 ''
	echo "# $operations operations, longest $longest_ms ms"
	[ "$violations" = 0 ] && [ "$operations" -gt "$OPERATIONS" ]
}

# Without stealing, waiters queue, halt and are kicked all the time.
kicks_arrive() {
	echo 0 >$P/steal_us
	torture 1500 ''
	echo 10000 >$P/steal_us
	k=$(stat_of kick) u=$(stat_of wait_unkicked)
	echo "# hand-overs with a kick $k, of them the waiter saw none $u"
	[ "$violations" = 0 ] && [ "$k" -gt 10 ] && [ $((u * 4)) -le "$k" ]
}

switching() {
	i=0
	while [ $i -lt 100 ]; do
		echo $((i % 2)) >$P/enabled
		i=$((i + 1))
	done
	echo 1 >$P/enabled
}
switch_under_load() {
	torture 60000 switching
	[ "$violations" = 0 ] && [ "$operations" -gt 100 ]
}

ftrace_users() {
	! echo 0 2>/dev/null >/proc/sys/kernel/ftrace_enabled || return 1
	T=/sys/kernel/tracing
	i=0
	while [ $i -lt 5 ]; do
		echo "queued_spin_lock_slowpath osq_lock" >$T/set_ftrace_filter
		echo function >$T/current_tracer
		sleep 0.1
		echo nop >$T/current_tracer
		i=$((i + 1))
	done
	echo >$T/set_ftrace_filter
}
tracer_under_load() {
	torture 60000 ftrace_users
	[ "$violations" = 0 ] && [ "$operations" -gt 100 ]
}

contention_events() {
	T=/sys/kernel/tracing
	[ -e $T/events/lock/contention_begin ] || { echo "# no contention tracepoints"; return 1; }
	echo 1 >$T/events/lock/contention_begin/enable
	echo >$T/trace
	echo 0 >$P/steal_us		# who steals a lock has no contention
	bench "$CPUS" 500
	echo 10000 >$P/steal_us
	echo 0 >$T/events/lock/contention_begin/enable
	grep -q "contention_begin.*SPIN" $T/trace
}

hotplug() {
	i=0
	last=$((CPUS - 1))
	while [ $i -lt 8 ]; do
		echo 0 >/sys/devices/system/cpu/cpu$last/online || return 1
		grep -q "^cpu$last .*state=off" $D/pvhyp/vcpus || return 1
		bench $((CPUS - 1)) 50
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
reload_under_load() {
	reloaded=yes
	torture 600000 reload_once
	echo "# $operations operations, longest $longest_ms ms"
	[ $reloaded = yes ] && [ "$violations" = 0 ]
}
reload_once() { reloading || reloaded=no; }

negative_busted() {
	torture "busted 2000" ''
	echo "# busted: $violations violations"
	[ "$violations" -gt 0 ]
}

# A hand-over that does not kick: waits then end without one.
negative_nokick() {
	rmmod pvlock
	insmod "$KTAP/modules/pvlock_nokick.ko" || return 1
	caught=1
	P=/sys/module/pvlock_nokick/parameters
	kicks_arrive || caught=0
	rmmod pvlock_nokick
	return $caught
}

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
check "torture of all kinds of locks" all_kinds
check "kicks arrive" kicks_arrive
check "switching on and off under load" switch_under_load
check "other tracers and the ftrace sysctl under load" tracer_under_load
check "contention tracepoints still fire" contention_events
check "CPU offline and online while loaded" hotplug
check "$RELOADS times rmmod and insmod under load" reload_under_load
check "negative control: a lock that does not lock" negative_busted
check "negative control: a hand-over without kick" negative_nokick
check "modules unload, and the kernel has nothing to complain about" unloaded
check "enough cases ran" [ "$ktap_n" -ge 16 ]
