#!/usr/bin/env bats
# tapctl check: bridges, their uplinks and ports. What is found is shown by a ping that gets no answer; then the
# remedy is run, check is silent and the ping is answered.
# shellcheck disable=SC2086 # names and addresses are one word each
load ../tools/helpers
load check

# Neighbours are forgotten on both sides, so that ARP has to work.
forget() {
	command ip -n "far$NS" neigh flush all
	command ip -n "guest$NS" neigh flush all
}

@test "check uplink-macvlan" {
	ip link add br0 type bridge
	ip link set br0 address 02:00:00:00:00:02 up
	add_cable wire far "far$NS"
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far
	ip link add link wire name uplink type macvlan mode bridge
	ip link set uplink master br0 up
	guest_on --bridge br0
	only uplink:uplink-macvlan
	no_answer
	mended
	# One that receives everything is sound.
	ip link set wire nomaster
	ip link add link wire name uplink type macvlan mode passthru
	ip link set uplink master br0 up
	notes
	answers
}

@test "check uplink-mtu" {
	guest_on_bridge
	# Somebody set the bridge's, which no longer follows.
	ip link set br0 mtu 1400
	ip link set br0 mtu 1500
	ip link set uplink mtu 1400
	only uplink:uplink-mtu
	large() { inside_of "guest$NS" ping -c 1 -W "$1" -M "do" -s 1450 192.0.2.1 >/dev/null; }
	answers
	run ! large 0.3
	mended
	large 5
	# Beside one that is as large, another may lead to a host that knows its own.
	add_cable small other "far$NS"
	ip link set small mtu 1400
	ip link set small master br0
	ip link set br0 mtu 1500
	notes
}

@test "check uplink-mtu: a tunnel's cannot be raised" {
	guest_on_bridge
	ip link set uplink nomaster
	ip addr add 198.51.100.1/24 dev uplink
	ip link add vxlan0 type vxlan id 1 local 198.51.100.1 remote 198.51.100.2 dstport 4789 dev uplink
	ip link set vxlan0 address 02:00:00:00:00:03
	ip link set br0 mtu 1400
	ip link set br0 mtu 1500
	ip link set vxlan0 mtu 1450 master br0 up
	only vxlan0:uplink-mtu
	tapctl check | grep -q 'in the guests: ip link set br0 mtu 1450'
	ip link set br0 mtu 1450
	ip link set $TAP mtu 1450
	notes
}

@test "check uplink-locked" {
	requires_locked_ports
	guest_on_bridge
	# What it has learned may still come in.
	bridge link set dev uplink learning off
	bridge fdb flush dev br0 2>/dev/null || skip "this iproute2 cannot make a bridge forget"
	bridge link set dev uplink locked on
	only uplink:uplink-locked
	no_answer
	mended
	# Who has an entry comes in.
	bridge fdb replace "$(command ip -n "far$NS" -j link show far | jq -r '.[0].address')" dev uplink master static
	bridge link set dev uplink locked on
	notes
	answers
}

@test "check no-broadcast" {
	guest_on_bridge
	local port
	for port in uplink $TAP; do
		bridge link set dev $port bcast_flood off
		only $port:no-broadcast
		# Who is asked knows the other one by that.
		forget
		[ $port = $TAP ] || run ! inside_of "guest$NS" ping -c 1 -W 0.3 192.0.2.1 >/dev/null
		[ $port = uplink ] || no_answer
		mended
	done
	# A bridge that answers ARP itself needs none.
	bridge link set dev $TAP bcast_flood off neigh_suppress on
	notes
}

@test "check no-unicast" {
	guest_on_bridge
	local port address
	for port in uplink $TAP; do
		address=$A
		[ $port = $TAP ] || address=$(command ip -n "far$NS" -j link show far | jq -r '.[0].address')
		bridge link set dev $port learning off flood off
		bridge fdb del "$address" dev $port master
		only $port:no-unicast
		no_answer
		mended
	done
	# An entry for another address does not help its guest.
	bridge link set dev $TAP learning off flood off
	bridge fdb del $A dev $TAP master
	bridge fdb replace $B dev $TAP master static
	only $TAP:no-unicast
	no_answer
	# As libvirt's macTableManager has it.
	bridge link set dev $TAP learning off flood off
	bridge fdb replace $A dev $TAP master static
	notes
	answers
}

@test "check port-ip: the host's address left on the uplink" {
	guest_on_bridge
	ip addr add 192.0.2.9/24 dev uplink
	host_answers() { inside_of "guest$NS" ping -c 1 -W "$1" 192.0.2.9 >/dev/null; }
	only uplink:port-ip
	run ! host_answers 0.3
	mended
	host_answers 5
}

@test "check port-blocked: somebody set the state of the port" {
	guest_on_bridge
	local port
	for port in uplink $TAP; do
		bridge link set dev $port state 0
		only $port:port-blocked
		no_answer
		mended
	done
}

@test "check port-blocked: the BPDU guard" {
	ip link add br0 type bridge stp_state 1 forward_delay 200
	ip link set br0 address 02:00:00:00:00:01 up
	ip addr add 192.0.2.1/24 dev br0
	guest_on --bridge br0
	reached() { inside ping -c 1 -W "$1" 192.0.2.2 >/dev/null; }
	wait_until 10 notes >/dev/null
	reached 5
	bridge link set dev $TAP guard on
	speaks_stp() {
		inside_of "guest$NS" python3 -c '
import socket
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("g0", 0))
wire.send(bytes.fromhex("0180c2000000" "52540084e362" "0026" "424203" "0000000000").ljust(60, b"\0"))'
	}
	PING=reached dead $TAP:port-blocked speaks_stp
}

@test "check isolated-all: the guest and the only uplink, although the host is there" {
	guest_on_bridge --isolated
	ip addr add 192.0.2.9/24 dev br0
	bridge link set dev uplink isolated on
	only $TAP:isolated-all
	no_answer
	mended
}

@test "check uplink-down: the remedy names the end that is down" {
	guest_on_bridge
	add_bridge br1
	ip addr add 192.0.2.9/24 dev br1
	ip link del uplink
	add_cable uplink middle
	add_cable out far "far$NS"
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far
	ip link set uplink master br0
	ip link set middle master br1
	ip link set out master br1
	notes
	answers
	local down
	for down in uplink middle; do
		ip link set $down down
		only br0:uplink-down
		tapctl check | grep -qx "    ip link set $down up"
		no_answer
		mended
	done
	# Also where the bridge has an address of the host's.
	ip addr add 198.51.100.1/24 dev br0
	ip addr del 192.0.2.9/24 dev br1
	ip link set middle down
	only br0:uplink-down
	mended
}

@test "check uplink-down: what a tunnel is on" {
	add_cable wire under "far$NS"
	ip addr add 198.51.100.1/24 dev wire
	command ip -n "far$NS" addr add 198.51.100.2/24 dev under
	add_bridge br0
	ip link add uplink type vxlan id 7 local 198.51.100.1 remote 198.51.100.2 dstport 4789 dev wire
	ip link set uplink master br0 up
	command ip -n "far$NS" link add far type vxlan id 7 local 198.51.100.2 remote 198.51.100.1 dstport 4789 dev under
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far
	command ip -n "far$NS" link set far up
	stand_in --bridge br0
	answers
	notes
	dead br0:uplink-down ip link set wire down
	command ip -n "far$NS" link set under down
	wait_until 5 only br0:uplink-down
	tapctl check | grep -q "none of its uplinks works: uplink, or what it is on, has no carrier"
}

@test "check guest-is-tap: a guest that uses its tap's own address" {
	guest_on_bridge
	ip addr add 192.0.2.9/24 dev br0
	tapctl pin br0
	# It talks to the host, who remembers it: that works.
	uses() {
		command ip -n "guest$NS" link set g0 address "$1"
		command ip -n "guest$NS" neigh flush all
		inside_of "guest$NS" ping -c 1 -W 5 192.0.2.9 >/dev/null
	}
	uses $HOST
	only $TAP:guest-is-tap
	no_answer
	tapctl check | grep -q "error: .*$HOST"
	tapctl check | grep -q "tell the VMM: mac=$A"
	# Nobody else is there.
	ip link set uplink nomaster
	tapctl check | grep -q "warning: .*$HOST"
	ip link set uplink master br0
	uses $A
	notes
	command ip -n "far$NS" neigh flush all
	answers
}

@test "check neighbour-address: a holder gave its tap the address of another guest or of a neighbour" {
	guest_on_bridge
	hold --bridge br0 --mac $B
	ip link set $TAPB address $A
	only $TAP:guest-elsewhere $TAPB:address-changed $TAPB:neighbour-address
	tapctl check --json | holds 'all(.remedy | startswith("tapctl attach " + $tap))' --arg tap $TAPB
	tapctl check | grep -q "$TAPB: error: .* that of $TAP, .* open in sleep (pid $HOLDER)"
	no_answer
	tapctl attach $TAPB
	answers
	notes
	ip addr add 192.0.2.9/24 dev br0
	inside ping -c 1 -W 5 192.0.2.1 >/dev/null
	ip link set $TAPB address "$(command ip -n "far$NS" -j link show far | jq -r '.[0].address')"
	only $TAPB:address-changed $TAPB:neighbour-address
	run ! inside_of "guest$NS" ping -c 1 -W 0.3 192.0.2.1 >/dev/null
	tapctl attach $TAPB
	notes
	# Where ARP is off the kernel puts the link's own address for a neighbour's.
	ip link set br0 address "$(link_field $TAPB .address)" arp off
	inside ping -c 1 -W 0.1 192.0.2.77 >/dev/null || :
	ip neigh show nud noarp | grep 192.0.2.77
	run_tapctl check --json
	got 'map(.id) | contains(["no-arp"]) and all(. != "guest-is-tap")'
	ip link set br0 address 02:00:00:00:00:01 arp on
	inside_of "guest$NS" ping -c 1 -W 5 192.0.2.1 >/dev/null
}
