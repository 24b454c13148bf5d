#!/usr/bin/env bats
# --netns: the devices are in another network namespace, and only they.
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362

setup() {
	setup_namespace
	command ip netns add far
	command ip -n far link add br0 type bridge
	command ip -n far link set br0 address 02:00:00:00:00:01 up
}

@test "netns: every command works in a namespace by name, by path and by PID" {
	mkfifo "$WORK/pid" "$WORK/end"
	inside_of far sh -c "echo \$\$ >'$WORK/pid'; read -r x <'$WORK/end'" >/dev/null 2>&1 &
	local pid
	read -rt 20 pid <>"$WORK/pid"
	for which in far /run/netns/far "$pid"; do
		run_tapctl add --netns "$which" --bridge br0 --mac $A
		[ "$status" = 0 ]
		no_link $TAP
		[ "$(tapctl list --json -N "$which" | jq -r '.[0].bridge')" = br0 ]
		run_tapctl pin -N "$which" br0
		[ "$status" = 0 ]
		run_tapctl del --netns "$which" $A
		[ "$status" = 0 ]
		! command ip -n far link show $TAP 2>/dev/null || false
	done
	echo >"$WORK/end"
}

@test "netns: exec makes the device there and runs the command here" {
	run tapctl exec --netns far --bridge br0 --mac $A -- sh -c '
		readlink /proc/self/ns/net; grep iff: /proc/self/fdinfo/3; ip -n far -j link show tap52540084e362'
	echo "$output"
	[ "$status" = 0 ]
	[ "${lines[0]}" = "$(inside readlink /proc/self/ns/net)" ]
	[[ "${lines[1]}" == *$TAP ]]
	holds '.[0].master == "br0"' <<<"${lines[2]}"
	! command ip -n far link show $TAP 2>/dev/null || false
}

@test "netns: check looks there, and its remedies work there" {
	tapctl add -N far --unattached --mac $A
	command ip -n far link set $TAP down
	run_tapctl check -N far
	[ "$status" = 1 ]
	[ "$output" = "$TAP: error: it is down"$'\n'"    tapctl attach $TAP" ]
	run_tapctl check
	[ "$status" = 0 ]
	[ -z "$output$stderr" ]
}

@test "netns: exec of a macvtap there, which is removed with its last fd" {
	requires_macvtap
	command ip -n far link add v0 type veth peer name v1
	command ip -n far link set v0 up
	run tapctl exec --netns far --link v0 --mac $A -- ip -n far -j link show mvt52540084e362
	got '.[0].address == $a' --arg a $A
	gone() { ! command ip -n far link show mvt52540084e362 2>/dev/null; }
	wait_until 5 gone
}

@test "netns: what is not a namespace is one clear error" {
	for which in nosuch 999999999 /etc/passwd /nonexistent; do
		run_tapctl add --netns $which --unattached --mac $A
		[ "$status" = 1 ]
		[ "${#stderr_lines[@]}" = 1 ]
		[[ "$stderr" == "tapctl: --netns $which: "* ]]
	done
	run_tapctl exec --netns nosuch --unattached --mac $A -- true
	[ "$status" = 125 ]
}

@test "netns: whatever its name leads to, it is not waited for" {
	local which
	mkfifo "$WORK/fifo"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$WORK/socket"
	for which in "$WORK/fifo" "$WORK/socket" "$WORK" /dev/zero /dev/tty /dev/net/tun; do
		run --separate-stderr inside timeout 5 "$TAPCTL" list --netns "$which"
		echo "$which: $status: $stderr"
		[ "$status" = 1 ]
		[[ "$stderr" == "tapctl: --netns $which: "* ]]
	done
}
