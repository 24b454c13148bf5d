#!/usr/bin/env bats
# The lease of a macvtap: who has it open is known to the kernel, and only one can have it.
load ../tools/helpers

MAC=52:54:00:00:00:0a MVT=mvt52540000000a

setup_file() { build_probe; }
setup() {
	setup_namespace
	requires_macvtap
	add_cable wire far
	mkfifo "$WORK/started" "$WORK/hold"
}

# COMMAND in the background, $pid, which has the device open until something is written to $hold.
begin() { # [OPTION...]
	exec {hold}<>"$WORK/hold"
	spawn "$TAPCTL" exec --link wire --mac $MAC "$@" -- \
		sh -c 'echo >"$0/started"; read -r _ <"$0/hold"' "$WORK"
	read -rt 20 _ <>"$WORK/started"
}

in_use() { tapctl list --json $MVT | holds ".[0].in_use == $1"; }

# bats test_tags=once
@test "lease: the same guest again and again, at once, while namespaces come and go" {
	(
		while [ ! -e "$WORK/done" ]; do
			unshare --net true
		done
	) 3>&- 4>&- &
	local k
	for k in {1..100}; do
		tapctl exec --link wire --mac $MAC -- true || { echo "run $k"; touch "$WORK/done"; return 1; }
	done
	touch "$WORK/done"
	wait
	wait_until 10 no_link $MVT
	wait_until 10 no_watchers
}

# bats test_tags=once
@test "lease: of two exec --reuse at once one gets the device, each time" {
	tapctl add --link wire --mac $MAC
	local k first second statuses
	for k in {1..20}; do
		spawn "$TAPCTL" exec --reuse --link wire --mac $MAC -- sh -c 'echo one; sleep 0.2'
		first=$pid
		nsenter --net="/run/netns/$NS" "$TAPCTL" exec --reuse --link wire --mac $MAC -- \
			sh -c 'echo one; sleep 0.2' >"$WORK/second" 2>&1 </dev/null 3>&- 4>&- &
		second=$!
		statuses=
		wait "$first" || statuses+=$?
		wait "$second" || statuses+=$?
		cat "$WORK/log" "$WORK/second"
		[ "$statuses" = 125 ]
		[ "$(cat "$WORK/log" "$WORK/second" | grep -c '^one$')" = 1 ]
		cat "$WORK/log" "$WORK/second" | grep -q "^tapctl: $MVT: in use"
	done
}

@test "lease: the same guest a second time is told that it runs" {
	begin
	run_tapctl exec --link wire --mac $MAC -- true
	[ "$status" = 125 ]
	[ "$stderr" = "tapctl: $MVT: already exists, and its guest $MAC runs already (sh, pid $pid)" ]
	# Also to those who cannot see who has it.
	run --separate-stderr inside unshare --pid --fork --mount-proc "$TAPCTL" exec --link wire --mac $MAC -- true
	[ "$stderr" = "tapctl: $MVT: already exists, and its guest $MAC runs already" ]
	echo >"$WORK/hold"
	wait_until 10 no_link $MVT
}

@test "lease: it is known without /proc, and ends with the last queue" {
	begin --queues 2
	in_use true
	inside unshare --pid --fork --mount-proc "$TAPCTL" list --json | holds '.[0].in_use == true'
	echo >"$WORK/hold"
	wait_until 10 no_link $MVT
}

@test "lease: exec --reuse of one whose watcher was killed has a watcher again" {
	begin
	kill -KILL "$(watchers)"
	wait_until 10 no_watchers
	echo >"$WORK/hold"
	wait "$pid"
	wait_until 10 in_use false
	run_quiet exec --reuse --link wire --mac $MAC -- "$PROBE"
	got '.fds["3"].device == $name' --arg name $MVT
	wait_until 10 no_link $MVT
}

@test "lease: a leftover does not keep its guest from starting" {
	begin
	kill -KILL "$(watchers)" "$pid"
	wait_until 10 no_watchers
	# But another guest does not get its name.
	run_tapctl exec --link wire --mac 52:54:00:00:00:0b --name $MVT -- "$PROBE"
	[ "$status" = 125 ]
	stderr_holds "$MVT: already exists, made for the guest $MAC"
	run_quiet exec --link wire --mac $MAC -- "$PROBE"
	got '.fds["3"].device == $name' --arg name $MVT
	wait_until 10 no_link $MVT
}

@test "lease: without CAP_SYS_ADMIN a user namespace does" {
	inside unshare --user true || skip "no user namespaces here"
	run --separate-stderr inside unshare --mount sh -ec 'mount -t sysfs sysfs /sys
		exec setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$@"' sh \
		"$TAPCTL" exec --queues 2 --link wire --mac $MAC -- "$PROBE"
	echo "$stderr"
	[ "$status" = 0 ]
	got '[.fds["3", "4"].device] == [$name, $name]' --arg name $MVT
	wait_until 10 no_link $MVT
	wait_until 10 no_watchers
}

@test "lease: where no namespace is to be had, exec is refused before anything is made" {
	# unshare and clone as seccomp forbids them; the first clone is the watcher's.
	run --separate-stderr inside strace -f -o "$WORK/log" -e trace=unshare,clone,sendto \
		-e inject=unshare:error=EPERM -e inject=clone:error=EPERM:when=2 \
		"$TAPCTL" exec --link wire --mac $MAC -- "$PROBE"
	[ "$status" = 125 ]
	[[ "$stderr" = *"tapctl: --link: no network namespace for the lease of a macvtap: Operation not permitted: it needs CAP_SYS_ADMIN, or user namespaces"* ]]
	[ "$(grep -c RTM_NEWLINK "$WORK/log")" = 0 ]
	run --separate-stderr inside strace -o /dev/null -e inject=unshare:error=ENOSPC -e inject=clone:error=ENOSPC:when=2 \
		"$TAPCTL" exec --link wire --mac $MAC -- "$PROBE"
	[ "$status" = 125 ]
	[[ "$stderr" = *"user.max_net_namespaces"* ]]
	# What has nothing to do with rights does not send anybody to look for them.
	run --separate-stderr inside strace -o /dev/null -e inject=unshare:error=ENOMEM -e inject=clone:error=ENOMEM:when=2 \
		"$TAPCTL" exec --link wire --mac $MAC -- "$PROBE"
	[ "$status" = 125 ]
	[ "$stderr" = "tapctl: --link: no network namespace for the lease of a macvtap: Cannot allocate memory" ]
	no_link $MVT
}

@test "lease: a macvtap that was moved to another namespace with its guest is not stale there" {
	begin
	command ip netns add "$NS-2"
	ip link set $MVT netns "$NS-2"
	inside_of "$NS-2" "$TAPCTL" del --stale
	command ip -n "$NS-2" link show $MVT
	inside_of "$NS-2" "$TAPCTL" list --json | holds '.[0].in_use == true'
	# Its lower device works there.
	command ip -n "$NS-2" link set $MVT up
	[ "$(inside_of "$NS-2" "$TAPCTL" check --json | jq 'map(select(.id == "lower-no-carrier")) | length')" = 0 ]
	echo >"$WORK/hold"
}

@test "lease: the number of another namespace is not taken for the lease of a small index" {
	ip link add link wire name $MVT index 77 address $MAC type macvtap mode bridge
	ip link set $MVT alias "tapctl guest $MAC by=exec on=wire" up
	command ip netns add "$NS-2"
	ip netns set "$NS-2" 77
	in_use false
	tapctl del --stale
	no_link $MVT
}

@test "lease: a macvtap on a macvlan, as a container's NIC is one" {
	ip link add link wire name lan type macvlan mode bridge
	ip link set lan up
	run_quiet exec --link lan --mac $MAC -- "$PROBE"
	got '.fds["3"].device == $name' --arg name $MVT
	wait_until 10 no_link $MVT
	# Its own lower device is in another namespace.
	command ip netns add "$NS-2"
	ip link set lan netns "$NS-2"
	command ip -n "$NS-2" link set lan up
	run --separate-stderr inside_of "$NS-2" "$TAPCTL" exec --link lan --mac $MAC -- "$PROBE"
	[ "$status" = 0 ]
	got '.fds["3"].device == $name' --arg name $MVT
	vanished() { ! command ip -n "$NS-2" link show $MVT >/dev/null 2>&1; }
	wait_until 10 vanished
}

@test "lease: 100 at once, and none is left" {
	exec_at_once 100 --link wire
	wait_until 20 no_watchers
	[ "$(ip -j link show type macvtap | jq 'map(select(.ifname)) | length')" = 0 ]
}

# A tap of MAC's on br0 for several queues: what add makes has one.
make_multi_queue() {
	add_bridge br0
	inside python3 -c '
import fcntl, os, struct, sys
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH14x", b"tap52540000000a", 0x5102)) # IFF_TAP, NO_PI, VNET_HDR, MULTI_QUEUE
fcntl.ioctl(fd, 0x400454cb, 1)'
	ip link set tap52540000000a address fe:54:00:00:00:0a master br0 up
}

@test "lease: who is too late for a tap of several queues leaves them to who has them" {
	make_multi_queue
	nsenter --net="/run/netns/$NS" -- strace -o "$WORK/opened" -P /dev/net/tun -e trace=openat \
		-e inject=openat:signal=STOP:when=1 "$TAPCTL" exec --reuse --queues 2 --bridge br0 --mac $MAC -- true \
		>"$WORK/late" 2>&1 </dev/null 3>&- 4>&- &
	local late=$!
	wait_until 20 grep -qs "stopped by SIGSTOP" "$WORK/opened"
	exec {hold}<>"$WORK/hold"
	spawn "$TAPCTL" exec --reuse --queues 2 --bridge br0 --mac $MAC -- \
		sh -c 'echo >"$0/started"; read -r _ <"$0/hold"' "$WORK"
	read -rt 20 _ <>"$WORK/started"
	pkill -CONT -P "$late"
	wait "$late" || :
	grep -q "^tapctl: tap52540000000a: in use" "$WORK/late"
	[ "$(grep -c openat "$WORK/opened")" = 2 ]
	echo >"$WORK/hold"
}

# bats test_tags=once
@test "lease: of two exec --reuse at once on a tap of several queues one gets it, each time" {
	make_multi_queue
	local k first statuses
	# Who has it keeps it until the other one has ended.
	local keep='echo one; for try in $(seq 500); do [ ! -e "$0" ] || exit 0; sleep 0.01; done'
	for k in {1..20}; do
		rm -f "$WORK/ended"
		spawn "$TAPCTL" exec --reuse --queues 2 --bridge br0 --mac $MAC -- sh -c "$keep" "$WORK/ended"
		first=$pid
		nsenter --net="/run/netns/$NS" "$TAPCTL" exec --reuse --queues 2 --bridge br0 --mac $MAC -- \
			sh -c "$keep" "$WORK/ended" >"$WORK/second" 2>&1 </dev/null 3>&- 4>&- &
		statuses=
		wait -n "$first" $! || statuses+=$?
		touch "$WORK/ended"
		wait "$first" || [ -n "$statuses" ] || statuses+=$?
		wait $! || [ -n "$statuses" ] || statuses+=$?
		cat "$WORK/log" "$WORK/second"
		[ "$statuses" = 125 ]
		[ "$(cat "$WORK/log" "$WORK/second" | grep -c '^one$')" = 1 ]
		cat "$WORK/log" "$WORK/second" | grep -q "^tapctl: tap52540000000a: in use"
	done
}

# bats test_tags=once
@test "lease: who looks at a device does not keep its guest from starting again" {
	add_bridge br0
	(
		while [ ! -e "$WORK/done" ]; do
			inside "$TAPCTL" list --all --json --holders >/dev/null
		done
	) 3>&- 4>&- &
	local k
	for k in {1..60}; do
		tapctl exec --bridge br0 --mac $MAC -- true || { touch "$WORK/done"; return 1; }
		tapctl exec --link wire --mac $MAC -- true || { touch "$WORK/done"; return 1; }
	done
	touch "$WORK/done"
	wait
}

@test "lease: who has a macvtap of add's open is seen, in whatever table of descriptors it is" {
	requires_root
	tapctl add --link wire --mac $MAC
	in_use false
	cat >"$WORK/thread" <<-'END'
		import ctypes, os, sys, threading
		libc = ctypes.CDLL(None)
		def hold():
		    libc.unshare(0x400) # CLONE_FILES
		    os.open(sys.argv[1], os.O_RDWR)
		    print(os.getpid(), flush=True)
		    threading.Event().wait()
		threading.Thread(target=hold).start()
		if sys.argv[2] == "ended":
		    libc.syscall(60, 0) # exit(2): of the first thread alone
		threading.Event().wait()
	END
	local first holder
	for first in running ended; do
		rm -f "$WORK/open"
		mkfifo "$WORK/open"
		inside python3 "$WORK/thread" "/dev/tap$(link_field $MVT .ifindex)" $first >"$WORK/open" 2>&1 &
		read -rt 20 holder <>"$WORK/open"
		in_use true
		tapctl list --holders $MVT | grep -qF "python3[$holder]"
		kill -KILL "$holder"
		wait_until 10 in_use false
	done
	# Where /proc is of a PID namespace that the asker is not in, nothing is known.
	run inside unshare --pid --fork sh -c '"$1" list --json "$2"' sh "$TAPCTL" $MVT
	got '.[0].in_use == null'
}
