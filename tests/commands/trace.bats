#!/usr/bin/env bats
# tapctl trace: guests who get through, see trace.bash; and the command itself.
# shellcheck disable=SC2086,SC2317 # words are lists of words; row calls the functions
load ../tools/helpers
load trace

# --- who gets through: sound_NAME ---

sound_arp() { asking; }
sound_ping() { pinging; }
sound_from_outside() { sound; guest --bridge br0 -- $A 192.0.2.2 announce; far_pings; }
sound_protected() { pinging --lock-mac --isolated; }
sound_host_only() {
	add_bridge br0
	ip address add 192.0.2.1/24 dev br0
	guest --bridge br0 -- $A 192.0.2.2 ping=192.0.2.1
}
sound_host_beside_uplink() { sound; ip address add 192.0.2.3/24 dev br0; guest --bridge br0 -- $A 192.0.2.2 ping=192.0.2.3; }
sound_other_guest() {
	sound
	guest --bridge br0 -- $B 192.0.2.5
	guest --bridge br0 -- $A 192.0.2.2 ping=192.0.2.5
}
sound_neighbours() {
	sound
	far ip address add 2001:db8::1/64 dev far nodad
	guest --bridge br0 -- $A 192.0.2.2 solicit=2001:db8::1
	far ip route add fe80::/64 dev far 2>/dev/null || :
}
sound_stacked() { stacked; }
sound_bond() { bonded; }
sound_vlan_bond() { bonded vlan; }
sound_routed() { routed; }
sound_masqueraded() {
	routed
	far ip route del 198.51.100.0/24
	inside nft 'add table ip t; add chain ip t c { type nat hook postrouting priority 100; }; add rule ip t c oif uplink masquerade'
}
sound_macvtap() { macvtap; }
sound_macvtap_pair() {
	has_macvtap || skip_row "this kernel has no macvtap"
	add_far wire
	guest --link wire -- $B 192.0.2.5
	guest --link wire -- $A 192.0.2.2 ping=192.0.2.5
}
sound_foreign_tap() {
	sound
	ip link set br0 up
	guest --bridge br0 -- $A 192.0.2.2 ping=192.0.2.1
	ip link set $TAP alias ''
}
sound_two_uplinks() { sound; add_cable second there "$FAR"; ip link set second master br0; guest --bridge br0 -- $A 192.0.2.2 ping=192.0.2.1; }

@test "trace: sound: ARP" { flows arp; }
@test "trace: sound: ping" { flows ping; }
@test "trace: sound: pinged from outside" { flows from_outside; }
@test "trace: sound: locked and isolated" { flows protected; }
@test "trace: sound: the host alone" { flows host_only; }
@test "trace: sound: the host, beside an uplink" { flows host_beside_uplink; }
@test "trace: sound: another guest" { flows other_guest; }
@test "trace: sound: IPv6 neighbours" { flows neighbours; }
@test "trace: sound: an uplink on another device" { flows stacked; }
@test "trace: sound: an uplink that is a bond" { flows bond; }
@test "trace: sound: an uplink that is a VLAN on a bond" { flows vlan_bond; }
@test "trace: sound: routed" { flows routed; }
@test "trace: sound: masqueraded" { flows masqueraded; }
@test "trace: sound: macvtap" { flows macvtap; }
@test "trace: sound: two macvtaps" { flows macvtap_pair; }
@test "trace: sound: a tap without a record" { flows foreign_tap; }
@test "trace: sound: two uplinks" { flows two_uplinks; }

# --- the command itself ---

@test "trace: a table that grows on a terminal, and only its end in a pipe" {
	setup_namespace
	pinging
	run_quiet trace --seconds 1 $TAP
	[ "$(grep -c '^ *from the guest' <<<"$output")" = 1 ]
	grep -qE "^uplink +([0-9]+|-) +- +[0-9]+ " <<<"$output"
	[ "${lines[-2]}" = "$TAP: frames go from the guest and to it" ]
	inside script -qec "'$TAPCTL' trace --seconds 1 $TAP" /dev/null >"$WORK/terminal"
	[ "$(grep -c 'from the guest   ' "$WORK/terminal")" -ge 3 ]
}

@test "trace: Ctrl-C ends it early, with the verdict" {
	setup_namespace
	pinging
	local start=$SECONDS
	nsenter --net="/run/netns/$NS" -- "$TAPCTL" trace -v --seconds 600 --json $TAP >"$WORK/out" 2>"$WORK/err" 3>&- 4>&- &
	pid=$!
	wait_until 10 grep -q 'uplink: listening' "$WORK/err"
	sleep 0.5
	kill -INT $pid
	wait $pid
	[ $((SECONDS - start)) -lt 60 ]
	holds '.verdict == "flows"' <"$WORK/out"
}

# It has opened all sockets, and Ctrl-C no longer kills it.
listens() { [ -n "$(find "/proc/$1/fd" -lname '*signalfd*')" ]; }
@test "trace: of a device that disappears meanwhile nothing is claimed" {
	local gone
	setup_namespace
	sound
	for gone in $TAP uplink br0; do
		tapctl add --may-exist --bridge br0 --mac $A
		nsenter --net="/run/netns/$NS" -- "$TAPCTL" trace --seconds 600 --json $TAP >"$WORK/out" 2>"$WORK/err" 3>&- 4>&- &
		pid=$!
		wait_until 10 listens $pid
		ip link del "$gone"
		kill -INT $pid
		status=0
		wait $pid || status=$?
		cat "$WORK/err"
		[[ $status = 1 && ! -s "$WORK/out" ]]
		tail -n 1 "$WORK/err" | holds '.error == "disappeared" and .subject == $gone' --arg gone "$gone"
	done
}

@test "trace: it changes nothing on the host" {
	setup_namespace
	pinging
	state() {
		ip -d -j link show | jq '.[] | .ifname, .flags, .promiscuity, .allmulti, .address, .qdisc'
		ip -4 -j addr show
		bridge -d -j link show
		inside nft list ruleset
		tc qdisc show
	}
	state >"$WORK/before"
	nsenter --net="/run/netns/$NS" -- "$TAPCTL" trace -v --seconds 2 $TAP >"$WORK/out" 2>"$WORK/err" 3>&- 4>&- &
	pid=$!
	wait_until 10 grep -q 'uplink: listening' "$WORK/err"
	state | diff - "$WORK/before"
	wait $pid
	state | diff - "$WORK/before"
}

@test "trace: what came too fast to be counted is said" {
	setup_namespace
	sound
	nsenter --net="/run/netns/$NS" -- "$TAPCTL" exec --bridge br0 --no-vnet-hdr --mac $A -- python3 -c '
import os, sys
open(sys.argv[1], "w").close()
while not os.path.exists(sys.argv[2]): pass
for i in range(40000): os.write(3, bytes.fromhex("ffffffffffff52540084e36288b5") + bytes(46))
open(sys.argv[3], "w").close()
while True: os.read(3, 2000)' "$WORK/begun" "$WORK/go" "$WORK/gone" >"$WORK/log" 2>&1 3>&- 4>&- &
	wait_until 10 test -e "$WORK/begun"
	nsenter --net="/run/netns/$NS" -- "$TAPCTL" trace -v --seconds 600 $TAP >"$WORK/out" 2>"$WORK/err" 3>&- 4>&- &
	pid=$!
	wait_until 10 grep -q 'uplink: listening' "$WORK/err"
	kill -STOP $pid
	touch "$WORK/go"
	wait_until 20 test -e "$WORK/gone"
	kill -INT $pid
	kill -CONT $pid
	wait $pid || [ $? = 1 ]
	cat "$WORK/out"
	grep -qE "^$TAP: [0-9]+ frames came too fast and were not counted$" "$WORK/out"
}

@test "trace: without CAP_NET_RAW, one line of error" {
	setup_namespace
	tapctl add --unattached --mac $A
	run --separate-stderr inside setpriv --bounding-set -net_raw "$TAPCTL" trace $TAP
	[[ $status = 1 && -z "$output" && "${#stderr_lines[@]}" = 1 ]]
	[[ "$stderr" == "tapctl: $TAP: listening on it is not permitted: it needs CAP_NET_RAW: "* ]]
}

@test "trace: a caller with the file's capabilities is refused" {
	setup_namespace
	requires_plain_build
	tapctl add --unattached --mac $A
	make_caller cap_net_admin,cap_net_raw=ep
	run --separate-stderr as_caller "$PUBLIC/tapctl" trace $TAP
	echo "$status $stderr"
	[[ $status = 1 && "$stderr" == "tapctl: trace: not permitted for an unprivileged caller of a tapctl with file capabilities: "* ]]
}

@test "trace: a wrong command line, and what is not a guest's device" {
	setup_namespace
	add_bridge br0
	local words
	for words in "" "$TAP $MVT" "--seconds 0 $TAP" "--seconds x $TAP" "--all $TAP"; do
		run_tapctl trace $words
		[[ $status = 2 && -z "$output" && -n "$stderr" ]]
	done
	for words in nosuch br0 $A; do
		run_tapctl trace $words
		[[ $status = 1 && -z "$output" && "${#stderr_lines[@]}" = 1 ]]
	done
	tapctl add --bridge br0 --mac $A
	tapctl add --unattached --mac $A --name second
	run_tapctl trace $A
	[[ $status = 1 && "$stderr" == *": name one" ]]
	# Nothing is known of a tap that another program has made.
	ip tuntap add foreign mode tap user root
	run_tapctl trace foreign
	[[ $status = 1 && "$stderr" == "tapctl: foreign: its guest's address is not known: "* ]]
}

@test "trace: by the guest's address, in another namespace, as a table and as JSON" {
	setup_namespace
	pinging
	run --separate-stderr "$TAPCTL" trace --json --seconds 1 --netns "$NS" 5254.0084.e362 3>&- 4>&-
	[[ $status = 0 && -z "$stderr" ]]
	got '.name == $tap and .guest_mac == $mac and .flows and .finding == null' --arg tap $TAP --arg mac $A
	got '[.hops[] | .name + ":" + .role] == [$tap + ":device", "br0:bridge", "uplink:uplink"]' --arg tap $TAP
	got 'all(.hops[]; .missed == 0 and (.from_guest | keys) == ["arp", "dhcp", "ipv4", "ipv6_neighbours", "other"])'
	got '.hops[0].from_guest.ipv4 > 0 and .hops[2].to_guest.ipv4 > 0'
}

@test "trace: on a switch of another kind, the device alone" {
	setup_namespace
	ip link add vrf0 type vrf table 10 2>/dev/null || ip link add vrf0 type team 2>/dev/null || ip link add vrf0 type bond 2>/dev/null ||
		skip "this kernel has no VRF, team or bond"
	guest --unattached -- $A 192.0.2.2 arp=192.0.2.1
	ip link set $TAP master vrf0
	run_tapctl trace --json --seconds 1 $TAP
	[ "$status" = 1 ]
	got '.verdict == "no-answer" and (.hops | length) == 1 and (.remedy | contains("ofproto/trace"))'
}

@test "trace: of a bridge with many ports, some are left out, and that is said" {
	setup_namespace
	sound
	for i in {1..20}; do
		echo "link add port$i type veth peer name end$i"
		echo "link set port$i master br0"
	done >"$WORK/batch"
	ip -batch "$WORK/batch"
	tapctl add --bridge br0 --mac $A
	run_tapctl trace --json --seconds 1 $TAP
	got '(.hops | length) == 16 and .ports_left_out == 7'
	run_tapctl trace --seconds 1 $TAP
	grep -qx '7 more ports of the bridge were not listened to' <<<"$output"
}
