#!/usr/bin/env bats
# --dry-run: what it prints makes the same device, and itself it makes none.
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362 MVT=mvt52540084e362
B=52:54:00:84:e3:63

# What ip, bridge and tc show of a device, but for its number and what its user is.
shown() {
	ip -d -j link show "$1" | jq -S '.[] | del(.ifindex, .operstate, .flags, .linkmode, .group, .link_index)
		+ {up: (.flags | index("UP") != null), allmulti: (.flags | index("ALLMULTI") != null)}
		| del(.linkinfo.info_slave_data | .designated_port?, .port_id?, .no?, .id?, .state?, .hold_timer?, .message_age_timer?,
			.forward_delay_timer?)'
	bridge -j fdb show dev "$1" 2>/dev/null | jq -S 'map(select(.state == "static") | del(.ifindex))'
	bridge -j vlan show dev "$1" 2>/dev/null | jq -S .
	ip -j addr show "$1" | jq -S '.[].addr_info | map(select(.scope == "global") | {local, prefixlen})'
	tc -j qdisc show dev "$1" | jq -S 'map(.kind)'
}

# same NAME OPTION...: by hand and by add, the device is the same.
same() {
	local name=$1 before
	shift
	before=$(links)
	run_quiet add --dry-run "$@"
	[ "$(links)" = "$before" ]
	# A node of that number may be another test's device.
	printf '%s\n' "$output" | grep -v '/dev/tap' >"$WORK/script"
	inside sh -ec ". $WORK/script"
	shown "$name" >"$WORK/by-hand"
	[ -s "$WORK/by-hand" ]
	ip link del "$name"
	tapctl add "$@"
	shown "$name" >"$WORK/by-tapctl"
	diff "$WORK/by-hand" "$WORK/by-tapctl"
	tapctl del "$name"
}

# refused WORD...: as without --dry-run, with the same status.
refused() {
	local said
	run_tapctl "$@"
	[ "$status" != 0 ]
	said="$status $stderr"
	run_tapctl "$1" --dry-run "${@:2}"
	[ -z "$output" ]
	[ "$status $stderr" = "$said" ]
}

@test "dry run: the commands make the same tap" {
	add_bridge br0
	same $TAP --bridge br0 --mac $A
	same $TAP --bridge br0 --mac $A --mtu 1400 --queues 4 --no-vnet-hdr --isolated --hairpin --owner 1234 --group 7
	same $TAP --unattached --mac $A --address 192.0.2.1/24,fd00::1/64
	same "it's" --bridge br0 --mac $A --name "it's"
	ip link set br0 mtu 9000
	same $TAP --bridge br0 --mac $A
}

@test "dry run: the commands make the same locked port" {
	requires_locked_ports
	add_bridge br0
	same $TAP --bridge br0 --mac $A --lock-mac
}

@test "dry run: the commands make the same port with VLANs" {
	requires_vlan_filtering
	ip link add br0 type bridge vlan_filtering 1
	ip link set br0 address 02:00:00:00:00:01 up
	same $TAP --bridge br0 --mac $A --vlan 10,20,21
	same $TAP --bridge br0 --mac $A --vlan 10,1
}

@test "dry run: the commands make the same filter and limits" {
	traffic_of() {
		tc qdisc show dev $TAP
		tc -j filter show dev $TAP ingress | jq -S 'del(.[].options.actions[]?.index)'
	}
	local options=(--unattached --mac "$A" --ip "10.0.1.2,fd00::2" --limit-in 10mbit)
	run_tapctl add --mac $B --unattached --limit-out 1mbit
	[[ "$stderr" = *act_police* ]] || options+=(--limit-out 5mbit)
	run_quiet add --dry-run "${options[@]}"
	printf '%s\n' "$output" >"$WORK/script"
	inside sh -ec ". $WORK/script"
	traffic_of >"$WORK/by-hand"
	ip link del $TAP
	tapctl add "${options[@]}"
	traffic_of >"$WORK/by-tapctl"
	cat "$WORK/by-tapctl"
	grep -q 'tbf.* rate 10Mbit' "$WORK/by-tapctl"
	grep -q bytecode "$WORK/by-tapctl"
	diff <(sed 's/tbf [0-9a-f]*:/tbf/' "$WORK/by-hand") <(sed 's/tbf [0-9a-f]*:/tbf/' "$WORK/by-tapctl")
}

@test "dry run: the commands make the same macvtap and macvlan" {
	requires_macvtap
	add_cable v0 v1
	same $MVT --link v0 --mac $A --mode vepa --mtu 1400
	same host0 --link v0 --host --name host0
	# The node's owner, where the node is this one.
	run_quiet add --dry-run --link v0 --mac $A --owner 1234 --group 7
	[[ "$output" = *"sh -c 'chown 1234:7 /dev/tap\$(ip -o link show dev $MVT | cut -d: -f1)'"*"chmod 660"* ]]
}

@test "dry run: in another namespace" {
	run "$TAPCTL" add --dry-run --netns "$NS" --unattached --mac $A
	[ "$status" = 0 ]
	[[ "${lines[0]}" = "ip netns exec $NS ip tuntap add dev $TAP "* ]]
	run tapctl add --dry-run --netns $$ --unattached --mac $A
	[[ "${lines[0]}" = "nsenter --net=/proc/$$/ns/net ip tuntap add dev $TAP "* ]]
	run "$TAPCTL" add --dry-run --netns "/run/netns/$NS" --unattached --mac $A
	[[ "${lines[0]}" = "nsenter --net=/run/netns/$NS ip tuntap add dev $TAP "* ]]
	no_link $TAP
}

@test "dry run: what would fail fails, in the same words" {
	add_bridge br0
	add_cable v0 v1
	tapctl add --bridge br0 --mac $A
	refused add --bridge br0 --mac $A
	refused add --bridge br0 --mac $A --name other
	refused add --bridge br9 --mac $A
	refused add --bridge v0 --mac $A
	refused add --bridge br0 --mac 52
	refused add --may-exist --bridge br0 --isolated --mac $A
	refused exec --bridge br0 --mac $A -- true
	refused exec --reuse --bridge br0 --isolated --mac $A -- true
	run -127 tapctl exec --dry-run --bridge br0 --mac 52:54:00:00:00:01 -- nosuch
	refused exec --bridge br0 --mac 52:54:00:00:00:01 -- /etc/passwd
	refused exec --bridge br0 -- qemu-system-x86_64
	run --separate-stderr inside unshare --mount sh -c 'mount -t tmpfs tmpfs /dev/net && exec "$@"' sh \
		"$TAPCTL" add --dry-run --unattached --mac 52:54:00:00:00:01
	[[ "$stderr" = "tapctl: /dev/net/tun: there is no such device here"* ]]
	requires_macvtap
	tapctl add --link v0 --mac $A
	refused add --link v0 --mac $A
	refused add --link v0 --mac $A --name other
	refused add --link v0 --mac "$(link_field v0 .address)"
	[ "$(links | xargs)" = "br0 lo $MVT $TAP v0 v1" ]
}

@test "dry run: exec runs nothing, warns of COMMAND, and leaves out what exists" {
	add_bridge br0
	run_quiet exec --dry-run --bridge br0 --mac $A -- touch "$WORK/ran"
	[ ! -e "$WORK/ran" ]
	[[ "${lines[0]}" = "ip tuntap add dev $TAP mode tap user "* ]]
	[[ "$output" = *"alias 'tapctl guest $A by=exec on=br0'"* ]]
	mkdir "$WORK/bin"
	printf '#!/bin/sh\n' >"$WORK/bin/qemu-system-x86_64"
	chmod +x "$WORK/bin/qemu-system-x86_64"
	run_tapctl exec --dry-run --bridge br0 --mac $A -- "$WORK/bin/qemu-system-x86_64" -netdev tap,id=n0,fd=4 \
		-device e1000,netdev=n0,mac=$A
	stderr_holds "warning: " "fd=3"
	tapctl add --bridge br0 --mac $A
	run_quiet add --dry-run --may-exist --bridge br0 --mac $A
	[ -z "$output" ]
	run_quiet exec --dry-run --reuse --bridge br0 --mac $A -- true
	[ -z "$output" ]
}

# How exec of WORD ends with this PATH, and what it says: ends PATH WORD [OPTION]
ends() {
	local status=0
	inside env PATH="$1" "$TAPCTL" exec ${3+"$3"} --bridge br0 --mac $A -- "$2" >/dev/null 2>"$WORK/said" ||
		status=$?
	cat "$WORK/said"
	echo "status $status"
}

@test "dry run: COMMAND is found where exec finds it, and nowhere else" {
	local path word said
	add_bridge br0
	mkdir -p "$WORK/dir/program" "$WORK/bin"
	cd "$WORK/bin"
	printf '#!/bin/sh\nexit 7\n' >program
	chmod +x program
	for path in "" ":/nowhere" "/nowhere:" "/nowhere::/tmp" "$WORK/dir:$WORK/bin"; do
		echo "PATH=$path"
		[ "$(ends "$path" program)" = "status 7" ]
		[ "$(ends "$path" program --dry-run)" = "status 0" ]
	done
	for path in /nowhere "$WORK/dir" "$WORK/bin/program" "$WORK/dir:/nowhere" "$WORK/dir:$WORK/bin/program"; do
		for word in program "" "$WORK/dir" "$WORK/bin/program/x"; do
			said=$(ends "$path" "$word")
			echo "PATH=$path: $said"
			[[ "$said" = "tapctl: "*"status 12"[67] ]]
			[ "$(ends "$path" "$word" --dry-run)" = "$said" ]
		done
	done
}

@test "dry run: without standard output it fails, and nothing else gets the lines" {
	add_bridge br0
	run --separate-stderr inside sh -c '"$@" >&-' sh strace -o "$WORK/log" -e trace=write \
		"$TAPCTL" exec --dry-run --bridge br0 --mac $A -- true
	[ "$status" = 125 ]
	[ "$stderr" = "tapctl: standard output: cannot write to it: Bad file descriptor" ]
	[ "$(grep -c '^write(1, .* = [0-9]' "$WORK/log")" = 0 ]
}
