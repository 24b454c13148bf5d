#!/usr/bin/env bats
# The process that removes a macvtap with its last open file description, under attack.
# shellcheck disable=SC2016 # scripts for other shells
# shellcheck disable=SC2034 # an fd is held open by being there
load ../tools/helpers

MAC=52:54:00:00:00:0a
MVT=mvt52540000000a

setup() {
	setup_namespace
	requires_macvtap
	add_cable wire far
	mkfifo "$WORK/orders" "$WORK/answers"
	# Both ends, so that neither waits for the other to open it.
	exec {orders}<>"$WORK/orders" {answers}<>"$WORK/answers"
}
teardown() {
	local jobs
	# Also those in a namespace whose name was deleted; the device follows.
	jobs=$(jobs -p)
	[ -z "$jobs" ] || xargs kill -KILL <<<"$jobs" 2>/dev/null || :
	teardown_namespace
	if [ -n "${cgroup:-}" ]; then
		wait_until 10 rmdir "$cgroup"
	fi
}

# COMMAND is a shell that does what it is told: begin [OPTION...]
begin() {
	nsenter --net="/run/netns/$NS" -- setsid "$TAPCTL" exec --link wire --mac $MAC "$@" -- \
		bash -c 'exec {orders}<"$0/orders"; echo begun >"$0/answers"
			while read -r -u "$orders" order; do eval "$order"; echo $? >"$0/answers"; done' "$WORK" \
		>"$WORK/log" 2>&1 </dev/null 3>&- 4>&- {orders}>&- {answers}>&- &
	pid=$!
	expect begun
	watcher=$(watchers)
	[ "$(wc -w <<<"$watcher")" = 1 ]
	[ "$(link_field $MVT .link)" = wire ]
}
expect() {
	local line=nothing
	read -rt 20 line <&"$answers" || :
	[ "$line" = "$1" ] || { echo "not $1 but $line"; cat "$WORK/log"; return 1; }
}
order() {
	echo "$1" >&"$orders"
	expect 0
}

no_process() { [ ! -e "/proc/$1/exe" ]; }
in_state() { [[ "$(ps -o stat= -p "$1")" = "$2"* ]]; }

gone() { wait_until 10 no_link $MVT >/dev/null || no_link $MVT; wait_until 10 no_watchers; }
# The watcher has looked at all that has happened when it sleeps in poll again, with nothing to read.
settled() {
	wait_until 10 in_state "$watcher" S
	[ "$(link_field $MVT .link)" = wire ]
}

@test "watcher: COMMAND stopped and continued keeps its device" {
	begin
	kill -STOP "$pid"
	wait_until 10 in_state "$pid" T
	settled
	kill -CONT "$pid"
	order true
	settled
	kill "$pid"
	gone
}

@test "watcher: COMMAND that closes its fds loses the device though it still runs" {
	begin --queues 3
	order 'exec 3>&- 5>&-'
	settled
	order 'exec 4>&-'
	gone
	order true
}

@test "watcher: an fd in a socket's queue keeps the device, as long as the socket" {
	begin
	cat >"$WORK/post" <<-'END'
		import os, socket, sys
		here, there = socket.socketpair()
		socket.send_fds(here, [b"x"], [3])
		here.close()
		os.close(3)
		# Only the message in the socket has the device open, and then not even that.
		open(sys.argv[1] + "/answers", "w").write("sent\n")
		sys.stdin.readline()
	END
	mkfifo "$WORK/post.orders"
	exec {post}<>"$WORK/post.orders"
	order 'python3 "$0/post" "$0" <"$0/post.orders" >>"$0/log" 2>&1 &'
	expect sent
	order 'exec 3>&-'
	[ -z "$(find /proc/[0-9]*/fd -lname "/dev/tap$(link_field $MVT .ifindex)" 2>/dev/null)" ]
	settled
	echo >&"$post"
	gone
	order true
}

@test "watcher: an fd passed to another process keeps the device when COMMAND has ended" {
	begin
	cat >"$WORK/keep" <<-'END'
		import socket, sys
		listener = socket.socket(socket.AF_UNIX)
		listener.bind(sys.argv[1] + "/s")
		listener.listen()
		print("listening", flush=True)
		connection = listener.accept()[0]
		fds = socket.recv_fds(connection, 1, 1)[1]
		print("have", len(fds), flush=True)
		sys.stdin.readline()
	END
	mkfifo "$WORK/keep.orders"
	exec {keep}<>"$WORK/keep.orders"
	python3 "$WORK/keep" "$WORK" <"$WORK/keep.orders" >"$WORK/answers" 2>"$WORK/keep.log" 3>&- 4>&- &
	expect listening
	echo "exec python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1] + \"/s\"); socket.send_fds(s, [b\"x\"], [3])' \"\$0\"" |
		tr '\n' ';' >&"$orders"
	echo >&"$orders"
	expect 'have 1'
	wait "$pid"
	settled
	echo >&"$keep"
	gone
}

@test "watcher: the end of COMMAND's process group ends the device, not the watcher" {
	begin
	order 'sleep 300 &'
	kill -TERM -- "-$pid"
	gone
	begin
	kill -KILL -- "-$pid"
	gone
}

@test "watcher: who looks for COMMAND by its arguments does not find the watcher" {
	begin
	[ "$(tr '\0' ' ' <"/proc/$watcher/cmdline" | sed 's/ *$//')" = "tapctl-watcher ifindex $(link_field $MVT .ifindex)" ]
	[ "$(pgrep -f "$WORK")" = "$pid" ]
	grep -zqx "$WORK" "/proc/$pid/cmdline"
	pkill -f "$WORK"
	gone
}

@test "watcher: a killed cgroup ends COMMAND, and then the device" {
	local root=/sys/fs/cgroup
	[ -e $root/cgroup.procs ] || root=/sys/fs/cgroup/unified
	[ -e $root/cgroup.procs ] || skip "no cgroup2 is mounted in /sys/fs/cgroup"
	mkdir "$root/$NS" 2>/dev/null || skip "no cgroup can be made in $root"
	cgroup=$root/$NS
	begin
	# As systemd does it with the unit's processes: those of the cgroup, SIGTERM first.
	for process in "$pid" "$watcher"; do
		echo "$process" 2>/dev/null >"$cgroup/cgroup.procs" || skip "no process can be moved to $cgroup"
	done
	order 'trap "" TERM'
	xargs kill -TERM <"$cgroup/cgroup.procs"
	order true
	settled
	kill -KILL "$pid"
	gone
	# A process that ends stands there for a moment more.
	empty() { [ -z "$(cat "$cgroup/cgroup.procs")" ]; }
	wait_until 10 empty
}

@test "watcher: a deleted name of the namespace does not keep the device from ending with COMMAND" {
	local net
	exec {net}<"/run/netns/$NS"
	there() { nsenter --net="/proc/$BASHPID/fd/$net" -- "$@" 3>&- 4>&-; }
	begin
	command ip netns del "$NS"
	there ip link show $MVT
	order true
	kill "$pid"
	vanished() { ! there ip link show $MVT >/dev/null 2>&1; }
	wait_until 10 vanished
	there ip link show wire
	wait_until 10 no_process "$watcher"
}

# The index of the device is taken by @1...: an ip-link-add(8) line.
take_index() {
	local index
	index=$(link_field $MVT .ifindex)
	ip link del $MVT
	ip link add "$@" index "$index" 2>/dev/null || ip link add index "$index" "$@"
	[ "$(ip -j link | jq -r ".[] | select(.ifindex == $index) | .ifname")" = "$2" ]
}

@test "watcher: a device of another kind that took the index is left alone" {
	begin
	take_index name $MVT type bridge
	ip link set $MVT alias "tapctl guest $MAC"
	kill "$pid"
	wait_until 10 no_watchers
	ip link show $MVT
}

@test "watcher: when it is killed, the leftover is shown, and del --stale removes only that" {
	tapctl add --link wire --mac 52:54:00:00:00:0b
	begin
	kill -KILL "$watcher"
	wait_until 10 no_process "$watcher"
	# It is still open: --stale leaves it, with or without a watcher.
	run_tapctl list --json --holders
	got 'map(select(.name == $name)) | length == 1 and .[0].in_use and .[0].made_by == "exec" and
		(.[0].holders | map(.pid) == [$pid])' --arg name $MVT --argjson pid "$pid"
	run_tapctl del --stale --verbose
	[ "$status" = 0 ]
	[ "$(link_field $MVT .link)" = wire ]
	kill "$pid"
	wait "$pid" || :
	unused() { tapctl list --json $MVT | holds '.[0].in_use == false'; }
	wait_until 10 unused
	ip link add other link wire type macvtap
	# Nothing of it is asked of /proc.
	run inside strace -f -o "$WORK/log" -e trace=%file "$TAPCTL" del --stale
	[ "$status" = 0 ]
	[ "$(grep -c '"/proc"' "$WORK/log")" = 0 ]
	no_link $MVT
	# What add made is not stale, whoever has it open, and what others made is not tapctl's.
	ip link show mvt52540000000b
	ip link show other
	ip link show wire
}

@test "watcher: 32 queues closed while it is stopped end the device only together" {
	begin --queues 32 --fd 100
	kill -STOP "$watcher"
	wait_until 10 in_state "$watcher" T
	order 'for fd in {100..130}; do exec {fd}>&-; done'
	# One is left, opened and closed again and again meanwhile.
	order "for i in {1..20}; do : <>/dev/tap$(link_field $MVT .ifindex); done"
	kill -CONT "$watcher"
	settled
	order true
	settled
	kill -STOP "$watcher"
	wait_until 10 in_state "$watcher" T
	order 'exec 131>&-'
	[ "$(link_field $MVT .link)" = wire ]
	kill -CONT "$watcher"
	gone
	order true
}
