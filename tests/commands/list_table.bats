#!/usr/bin/env bats
# list: the table for people: states, names of VMs, what is on a bridge, and how wide it is.
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362 MVT=mvt52540084e362
B=52:54:00:84:e3:63 TAP_B=tap52540084e363

# The state of a device, as the table has it.
state_of() {
	local header rest
	header=$(tapctl list "$1" | head -n 1)
	rest=${header%%STATE*}
	tapctl list "$1" | sed -n 2p | cut -c $((${#rest} + 1))- | sed 's/   *.*//'
}

# A stand-in for a VMM that has a name of its own, on fd 3 until its standard input ends.
named_vmm() {
	mkdir "$WORK/bin"
	printf '#include <unistd.h>\nint main(void) { char c; return read(0, &c, 1) < 0; }\n' >"$WORK/vmm.c"
	${CC:-cc} -o "$WORK/bin/qemu-system-x86_64" "$WORK/vmm.c"
	QEMU=$WORK/bin/qemu-system-x86_64
}

# start_vmm WORD...: qemu's stand-in with these words; its standard input ends with the file "end".
start_vmm() {
	[ -e "$WORK/end" ] || mkfifo "$WORK/end"
	exec {hold}<>"$WORK/end"
	nsenter --net="/run/netns/$NS" "$TAPCTL" exec "${options[@]}" -- "$QEMU" "$@" \
		>"$WORK/log" 2>&1 <"$WORK/end" 3>&- 4>&- &
	pid=$!
	wait_until 10 has_started
}
has_started() { [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") = "$QEMU "* ]]; }

@test "list: the states of a tap" {
	add_bridge br0
	tapctl add --bridge br0 --mac $A
	[ "$(state_of $TAP)" = waiting ]
	run tapctl exec --reuse --bridge br0 --mac $A -- "$TAPCTL" list $TAP
	[[ "${lines[1]}" == *"  br0  running" ]]
	# TUNSETCARRIER, as a VMM says that the cable is out.
	local pull='
import fcntl, struct, subprocess, sys
fcntl.ioctl(3, 0x400454e2, struct.pack("i", 0))
subprocess.run(sys.argv[1:])'
	run tapctl exec --bridge br0 --mac $B -- python3 -c "$pull" "$TAPCTL" list $TAP_B
	[[ "${lines[1]}" == *"  br0  no carrier" ]]
	# Of a persistent one the kernel does not tell that it is open.
	run tapctl exec --reuse --bridge br0 --mac $A -- python3 -c "$pull" "$TAPCTL" list -H $TAP
	[[ "${lines[1]}" == *"  br0  no carrier  python3["* ]]
	ip link set $TAP nomaster
	[ "$(state_of $TAP)" = "off its bridge" ]
	add_bridge br1
	ip link set $TAP master br1
	[ "$(state_of $TAP)" = "off its bridge" ]
	ip link set $TAP down
	[ "$(state_of $TAP)" = down ]
	# Nothing is known of what others made.
	ip tuntap add foreign mode tap
	ip link set foreign up
	[ "$(state_of foreign)" = waiting ]
}

@test "list: the states of a macvtap and of the host's macvlan" {
	requires_macvtap
	add_cable v0 v1
	tapctl add --link v0 --mac $A
	tapctl add --link v0 --host --name host0
	[ "$(state_of $MVT)" = waiting ]
	[ "$(state_of host0)" = up ]
	run tapctl exec --reuse --link v0 --mac $A -- "$TAPCTL" list v0
	[[ "$output" == *"$MVT "*"  v0  running"* ]]
	ip link set v1 down
	[ "$(state_of host0)" = "no carrier" ]
	run tapctl exec --reuse --link v0 --mac $A -- "$TAPCTL" list v0
	[[ "$output" == *"$MVT "*"  v0  no carrier"* ]]
}

@test "list: what is on a bridge or lower device, also what others made" {
	add_bridge br0
	run_quiet list br0
	[ "${#lines[@]}" = 1 ]
	tapctl add --bridge br0 --mac $A
	tapctl add --unattached --mac $B
	ip tuntap add foreign mode tap
	ip link set foreign master br0
	add_cable port far
	ip link set port master br0
	run_quiet list --json br0
	got '(map(.name) | sort) == ["foreign", "tap52540084e362"]'
	# Each once.
	run_quiet list --json br0 $TAP $B
	got '(map(.name) | sort) == ["foreign", "tap52540084e362", "tap52540084e363"]'
	requires_macvtap
	add_cable v0 v1
	tapctl add --link v0 --mac $A
	tapctl add --link v0 --host --name host0
	run_quiet list --json v0
	got 'map(.name) == ["mvt52540084e362", "host0"]'
	# The other end has the index of no lower device of its own.
	run_quiet list --json v1
	[ "$output" = "[]" ]
}

@test "list: --holders names the VM, as it was told its name" {
	named_vmm
	options=(--unattached)
	local words=(-netdev "tap,id=n0,fd=3" -device "e1000,netdev=n0,mac=$A")
	start_vmm -name guest=web,debug-threads=on "${words[@]}"
	run_quiet list --holders
	[[ "${lines[0]}" == *"  HOLDERS" ]]
	[[ "${lines[1]}" == *"  web[$pid]" ]]
	run_quiet list --holders --json
	got '.[0].holders == [{"pid": $pid, "command": "qemu-system-x86", "vm": "web"}]' --argjson pid "$pid"
	kill "$pid"
	wait_until 5 no_link $TAP
	start_vmm "${words[@]}" -uuid 123e4567-e89b-12d3-a456-426614174000
	run_quiet list --holders
	[[ "${lines[1]}" == *"  123e4567-e89b-12d3-a456-426614174000[$pid]" ]]
	kill "$pid"
	wait_until 5 no_link $TAP
	# It has none, or one that a terminal would act on.
	start_vmm "${words[@]}"
	run_quiet list --holders
	[[ "${lines[1]}" == *"  qemu-system-x86[$pid]" ]]
	kill "$pid"
	wait_until 5 no_link $TAP
	start_vmm -name $'a\e[31m\nb' "${words[@]}"
	run_quiet list --holders
	[ "${#lines[@]}" = 2 ]
	[[ "${lines[1]}" == *"  a?[31m?b[$pid]" ]]
	run_quiet list --holders --json
	got '.[0].holders[0].vm == "a\u001b[31m\nb"'
	kill "$pid"
}

@test "list: MTU and host address only where they are not as usual" {
	add_bridge br0
	tapctl add --bridge br0 --mac $A --mac fe:54:00:84:e3:63
	run_quiet list
	[ "${lines[0]}" = "NAME             KIND  GUEST              ON   STATE" ]
	ip link set $TAP address 02:00:00:00:00:77
	ip link set $TAP mtu 9000
	run_quiet list
	[ "${lines[0]}" = "NAME             KIND  GUEST              ON   STATE    MTU   HOST" ]
	[ "${lines[1]}" = "$TAP  tap   $A  br0  waiting  9000  02:00:00:00:00:77" ]
	[ "${lines[2]}" = "tapfe540084e363  tap   fe:54:00:84:e3:63  br0  waiting  1500  -" ]
}

@test "list: within 80 columns and sorted by name, with holders and 200 devices" {
	add_bridge br0
	named_vmm
	local macs=()
	for n in {200..1}; do macs+=(--mac "52:54:01:00:00:$(printf '%02x' "$n")"); done
	tapctl add --bridge br0 "${macs[@]}" >"$WORK/made"
	options=(--bridge br0)
	start_vmm -netdev tap,id=n0,fd=3 -device e1000,netdev=n0,mac=$A
	tapctl list --holders >"$WORK/table"
	[ "$(wc -l <"$WORK/table")" = 202 ]
	[ "$(wc -L <"$WORK/table")" -le 80 ]
	tail -n +2 "$WORK/table" | LC_ALL=C sort -c
	# The columns stand below each other: what is between them is blank everywhere.
	ip link add brücke type bridge
	tapctl add --bridge brücke --mac $B
	LC_ALL=C.UTF-8 tapctl list brücke br0 | sed 's/ü/u/' >"$WORK/wide"
	[ "$(awk 'NR == 1 { at = index($0, "STATE") } NR > 1 { print substr($0, at - 2, 2) }' "$WORK/wide" | sort -u)" = "  " ]
	[ "$(cut -c 16-17 "$WORK/table" | sort -u)" = "  " ]
	kill "$pid"
}

@test "list: a colour for the state, on a terminal only, and not with NO_COLOR" {
	tapctl add --unattached --mac $A
	on_terminal() { inside env TERM=xterm "$@" script -qec "'$TAPCTL' list" /dev/null; }
	run on_terminal
	[[ "$output" == *"  "$'\e[33mwaiting\e[0m'* ]]
	run on_terminal NO_COLOR=
	[[ "$output" == *$'\e'* ]]
	run on_terminal NO_COLOR=1
	[[ "$output" != *$'\e'* ]]
	run on_terminal TERM=dumb
	[[ "$output" != *$'\e'* ]]
	run inside env TERM=xterm "$TAPCTL" list
	[[ "$output" != *$'\e'* ]]
}
