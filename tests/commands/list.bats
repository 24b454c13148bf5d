#!/usr/bin/env bats
# list: the table and the JSON, and which devices are in them.
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362 MVT=mvt52540084e362

@test "list: a table with a header, its columns aligned" {
	add_bridge br0
	tapctl add --bridge br0 --mac $A
	run_tapctl list
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 2 ]
	local header=${lines[0]} row=${lines[1]} column
	for column in KIND:tap GUEST:$A ON:br0 STATE:waiting; do
		local before=${header%%"${column%%:*}"*}
		[[ "${row:${#before}}" == "${column#*:}"* ]]
	done
}

@test "list: nothing is a header alone, and an empty array" {
	run_tapctl list
	[ "${#lines[@]}" = 1 ]
	run_tapctl list --json
	[ "$output" = "[]" ]
}

@test "list: the fields of a tap and their types" {
	add_bridge br0
	tapctl add --bridge br0 --mac $A
	run_tapctl list --json
	got '.[0] | .name == "tap52540084e362" and (.ifindex | type == "number") and .kind == "tap"
		and .guest_mac == "52:54:00:84:e3:62" and .host_mac == "fe:54:00:84:e3:62"
		and .bridge == "br0" and .mtu == 1500 and .up == true and .carrier == false
		and .queues == 0 and .persistent == true and (.owner | type == "number")
		and .group == null and .isolated == false and .hairpin == false and .locked == false
		and .vlans == [] and .multi_queue == false'
	got '.[0] | has("holders") | not'
}

@test "list: the host's own addresses on a device, and what --ip allows" {
	tapctl add --unattached --address 192.0.2.9/30,fd00::9/64,192.0.2.1/32 --ip 192.0.2.10 --mac $A
	tapctl add --unattached --mac 52:54:00:84:e3:63
	run_tapctl list --json
	got 'map({name, host_ip, ip}) | sort_by(.name) == [
		{name: "tap52540084e362", host_ip: ["192.0.2.1/32", "192.0.2.9/30", "fd00::9/64"], ip: ["192.0.2.10"]},
		{name: "tap52540084e363", host_ip: [], ip: []}]'
	# Of a pair, the host has the first.
	ip addr add 192.0.2.5 peer 192.0.2.6/32 dev tap52540084e363
	tapctl list --json tap52540084e363 | holds '.[0].host_ip == ["192.0.2.5/32"]'
}

@test "list: a queue that its guest does not use counts" {
	# TUNSETQUEUE with IFF_DETACH_QUEUE, as a VMM does until its guest wants it.
	run_tapctl exec --unattached --queues 2 --mac $A -- python3 -c '
import fcntl, struct, subprocess, sys
fcntl.ioctl(4, 0x400454d9, struct.pack("16xH22x", 0x0400))
subprocess.run([sys.argv[1], "list", "--json", "--holders"])' "$TAPCTL"
	got '.[0].queues == 2'
	# And who has both of them is one process.
	got '.[0].holders | map(.command) == ["python3"]'
}

@test "list: a part of the answer that the kernel had no memory for is asked for again" {
	tapctl add --unattached --mac $A
	run inside strace -o /dev/null -e inject=recvmsg:error=ENOBUFS:when=1 "$TAPCTL" list --json
	[ "$status" = 0 ]
	got '.[0].name == "tap52540084e362"'
}

@test "list: the fields of a macvtap" {
	requires_macvtap
	add_cable v0 v1
	tapctl add --link v0 --mode vepa --mac $A
	run_tapctl list --json
	got '.[0] | .name == "mvt52540084e362" and .kind == "macvtap" and .link == "v0" and .mode == "vepa"
		and .guest_mac == .host_mac and .up and .carrier and .queues == null and .persistent
		and .owner == 0 and .group == null'
}

@test "list: by name and by guest address, whatever its spelling" {
	tapctl add --unattached --mac $A --mac 52:54:00:84:e3:63
	run_tapctl list --json $TAP 5254.0084.E362
	got 'map(.name) == ["tap52540084e362"]'
	run_tapctl list --json 52:54:00:84:e3:63
	got 'map(.name) == ["tap52540084e363"]'
}

@test "list: what does not exist is an error" {
	for word in nosuch 52:54:00:00:00:99; do
		run_tapctl list $word
		[ "$status" = 1 ]
		[ "${#stderr_lines[@]}" = 1 ]
	done
	run_tapctl list nosuch
	[ "$stderr" = "tapctl: 'nosuch': there is no such device here: tapctl list --all shows all" ]
}

@test "list: --all shows also what tapctl did not make" {
	tapctl add --unattached --mac $A
	ip tuntap add foreign mode tap
	ip tuntap add notap mode tun
	run_tapctl list --json
	got 'map(.name) == ["tap52540084e362"]'
	run_tapctl list --json --all
	got '(map(.name) | sort) == ["foreign", "tap52540084e362"]
		and (.[] | select(.name == "foreign") | .guest_mac == null)'
}

@test "list: --holders names process and command, of a tap and of a macvtap" {
	add_bridge br0
	run tapctl exec --bridge br0 --mac $A -- sh -c 'echo $$; "$TAPCTL" list --json --holders'
	holds '.[0].holders | any(.pid == $pid and .command == "sh")' --argjson pid "${lines[0]}" \
		<<<"${lines[*]:1}"
	requires_macvtap
	add_cable v0 v1
	run tapctl exec --link v0 --mac $A -- sh -c 'echo $$; "$TAPCTL" list --json --holders; "$TAPCTL" list -H'
	holds '.[0].holders | any(.pid == $pid and .command == "sh")' --argjson pid "${lines[0]}" \
		<<<"${lines[1]}"
	[[ "${lines[3]}" == *"  sh[${lines[0]}]"* ]]
}

@test "list: the holder of a tap of the same name in another namespace is not shown" {
	tapctl add --unattached --mac $A
	command ip netns add other
	mkfifo "$WORK/ready" "$WORK/end"
	inside_of other "$TAPCTL" exec --unattached --mac $A -- \
		sh -c "echo ready >'$WORK/ready'; read -r x <'$WORK/end'" >/dev/null 2>&1 &
	read -rt 20 _ <>"$WORK/ready"
	run_tapctl list --json --holders $TAP
	echo >"$WORK/end"
	got '.[0].holders == []'
	# No more so when it has several threads.
	inside_of other "$TAPCTL" exec --unattached --mac $A -- python3 -c '
import sys, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
open(sys.argv[1], "w").write("ready\n")
open(sys.argv[2]).read()' "$WORK/ready" "$WORK/end" >/dev/null 2>&1 &
	read -rt 20 _ <>"$WORK/ready"
	run_tapctl list --json --holders $TAP
	echo >"$WORK/end"
	got '.[0].holders == []'
}

@test "list: hostile names of processes and aliases break nothing" {
	tapctl add --unattached --mac $A
	ip link set $TAP alias $'tapctl guest 52:54:00:84:e3:62\e[31m"\xff'
	# Older kernels rename no device that is up.
	ip link set $TAP down
	ip link set $TAP name $'t"\\\xc3\e[1m'
	# The alias is no longer one of tapctl's.
	run_tapctl list --json
	[ "$output" = "[]" ]
	run_tapctl list --json --all
	got 'length == 1 and .[0].name == "t\"\\\ufffd\u001b[1m"'
	run_tapctl list --all
	[[ "$output" != *$'\e'* ]]
	LC_ALL=C grep -q 't"\\??\[1m' <<<"$output"
}

@test "list: a full disk is a failure" {
	tapctl add --unattached --mac $A
	run bash -c 'nsenter --net=/run/netns/$0 "$TAPCTL" list >/dev/full' "$NS"
	[ "$status" = 1 ]
}

@test "list: a look-up that fails is not taken for a missing bridge" {
	add_bridge br0
	tapctl add --bridge br0 --mac $A >"$WORK/made"
	run --separate-stderr inside strace -qq -o /dev/null \
		-e inject=recvmsg:error=ENOBUFS:when=2 "$TAPCTL" list "$(<"$WORK/made")"
	[ "$status" = 1 ]
	[ "$stderr" = "tapctl: cannot look up what the devices are on: No buffer space available" ]
}

@test "list: 500 devices are all there, each once" {
	local macs=()
	for n in {1..500}; do macs+=(--mac "52:54:01:00:$(printf '%02x:%02x' $((n / 256)) $((n % 256)))"); done
	tapctl add --unattached "${macs[@]}" >"$WORK/made"
	tapctl list --json >"$WORK/listed"
	diff <(sort "$WORK/made") <(jq -r '.[].name' "$WORK/listed" | sort)
}
