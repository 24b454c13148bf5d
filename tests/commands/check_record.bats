#!/usr/bin/env bats
# tapctl check: how a device differs from its record. Each remedy is run, and then a ping works.
# shellcheck disable=SC2086 # names and addresses are one word each
load ../tools/helpers
load check

@test "check off-bridge" {
	guest_on_bridge --isolated --lock-mac
	ip link set $TAP nomaster
	only $TAP:off-bridge
	no_answer
	# Nothing else on it makes it less so.
	ip addr add 198.51.100.1/24 dev $TAP
	only $TAP:off-bridge
	ip addr del 198.51.100.1/24 dev $TAP
	mended
	# One that is not the record's is no cure.
	ip link set $TAP nomaster
	add_bridge br1
	ip link set uplink nomaster
	ip link set uplink master br1
	WORDS=$TAP only $TAP:off-bridge
}

@test "check off-bridge: the bridge is not here, or was made anew" {
	guest_on_bridge
	ip link del br0
	only $TAP:off-bridge
	tapctl check | grep -qF "it is on no bridge and was made for br0, which is not here"
	tapctl check | grep -qxF "    make br0 anew, then: tapctl attach $TAP"
	ip link add br0 type bridge
	ip link set uplink master br0
	ip link set br0 up
	only $TAP:off-bridge
	mended
}

@test "check off-bridge: where no device makes itself an IPv6 address it is told as well" {
	inside sysctl -qw net.ipv6.conf.default.addr_gen_mode=1
	guest_on_bridge
	ip link set $TAP nomaster
	only $TAP:off-bridge
}

@test "check: a tap that was made for no bridge is on none" {
	hold --unattached --mac $A
	silent
}

@test "check other-bridge" {
	guest_on_bridge
	add_bridge br1
	ip addr add 198.51.100.1/24 dev br1
	ip link set $TAP nomaster
	ip link set $TAP master br1
	only $TAP:other-bridge
	no_answer
	mended
	hold --unattached --mac $B
	ip link set $TAPB master br1
	only $TAPB:other-bridge
	mend
	silent
	[ "$(link_field $TAPB .master)" = null ]
}

@test "check host-is-guest, address-changed: on a locked port, too" {
	guest_on_bridge --lock-mac
	ip link set $TAP address $A
	only $TAP:host-is-guest
	no_answer
	mended
	ip link set $TAP address fe:00:00:00:00:01
	only $TAP:address-changed
	mended
}

@test "check not-locked: also when it learns" {
	requires_locked_ports
	guest_on_bridge --lock-mac
	bridge link set dev $TAP locked off
	only $TAP:not-locked
	mended
	bridge link set dev $TAP learning on
	only $TAP:not-locked
	mended
}

@test "check locked-out: the record's entry" {
	requires_locked_ports
	guest_on_bridge --lock-mac
	bridge fdb del $A dev $TAP master static
	only $TAP:locked-out
	no_answer
	mended
}

@test "check not-isolated, not-hairpin" {
	guest_on_bridge --isolated --hairpin
	bridge link set dev $TAP isolated off
	only $TAP:not-isolated
	mended
	bridge link set dev $TAP hairpin off
	only $TAP:not-hairpin
	mended
	# What was not asked for is somebody else's.
	bridge link set dev $TAP mcast_flood off
	silent
}

@test "check mtu-changed" {
	answering_bridge
	# A bridge whose MTU somebody set does not follow its ports: one that is smaller is so by design.
	ip link set br0 mtu 1400
	ip link set br0 mtu 1500
	guest_on --bridge br0 --mtu 1400
	answers
	silent
	ip link set $TAP mtu 1450
	only $TAP:mtu-changed
	mended
	[ "$(link_field $TAP .mtu)" = 1400 ]
	[ "$(link_field br0 .mtu)" = 1500 ]
}

@test "check mtu-pulls-bridge: one that was asked for stays" {
	sound_bridge --mtu 1400
	notes $TAP:mtu-pulls-bridge
	mend
	silent
	[ "$(link_field $TAP .mtu)" = 1400 ]
}

@test "check macvtap-ip, macvtap-ipv6" {
	sound_macvtap
	silent
	ip addr add 192.0.2.1/24 dev $MVT
	only $MVT:macvtap-ip
	mend
	silent
	ip link set $MVT addrgenmode eui64
	only $MVT:macvtap-ipv6
	mend
	silent
	[ "$(ip -j addr show $MVT | jq '.[0].addr_info | length')" = 0 ]
}

# Of a device of an older tapctl nothing is known but the guest's address.
old_record() { ip link set $TAP alias "tapctl guest $A"; }

@test "check: an old record is compared as far as it says, and nothing is guessed" {
	guest_on_bridge --isolated --mtu 1500
	old_record
	bridge link set dev $TAP isolated off
	silent
	ip link set $TAP mtu 1600
	silent
	ip link set $TAP address fe:00:00:00:00:01
	only $TAP:address-changed
	mended
	ip link set $TAP down
	only $TAP:device-down
	mend
	silent
	ip link set $TAP nomaster
	silent
}

@test "check locked-out: of an old record" {
	requires_locked_ports
	guest_on_bridge --lock-mac
	old_record
	bridge fdb del $A dev $TAP master static
	only $TAP:locked-out
	no_answer
	mended
}

@test "check: a word that is not known is told with -v, and the others count" {
	guest_on_bridge --isolated
	ip link set $TAP alias "tapctl guest $A by=exec colour=blue on=br0 isolated"
	silent
	run_tapctl check -v
	[ "$status" = 0 ]
	[ "$(grep -c "^tapctl: $TAP: its record has a word that this tapctl does not know.*colour=blue" <<<"$stderr")" = 1 ]
	bridge link set dev $TAP isolated off
	only $TAP:not-isolated
	mended
}

@test "check not-filtered" {
	SILENT_GUEST=1
	guest_on_bridge --ip 192.0.2.2
	tc filter del dev $TAP ingress
	only $TAP:not-filtered
	mended
	tc qdisc del dev $TAP clsact
	only $TAP:not-filtered
	mended
	# One that lets everything pass.
	tc filter replace dev $TAP ingress pref 1 handle 1 protocol all bpf da bytecode '1,6 0 0 4294967295'
	only $TAP:not-filtered
	mended
	# The same program, whose result decides nothing.
	local code
	code=$(tc filter show dev $TAP ingress | sed -n "s/.*bytecode '\(.*\)'.*/\1/p")
	tc filter del dev $TAP ingress pref 1
	tc filter add dev $TAP ingress pref 1 handle 1 protocol all bpf bytecode "$code"
	only $TAP:not-filtered
	mended
}

@test "check not-filtered: of a macvtap" {
	requires_macvtap
	add_cable wire far "far$NS"
	ip link set wire up
	hold --link wire --mac $A --ip 192.0.2.2
	tc filter del dev $MVT egress
	WORDS=$MVT
	only $MVT:not-filtered
	mend
	silent
}

@test "check not-limited-in" {
	guest_on_bridge --limit-in 10mbit
	tc qdisc replace dev $TAP root tbf rate 20mbit burst 131072 latency 50ms
	only $TAP:not-limited-in
	mended
	tc qdisc del dev $TAP root
	only $TAP:not-limited-in
	mended
}

@test "check not-limited-out" {
	requires_macvtap
	add_cable wire far "far$NS"
	ip link set wire up
	hold --link wire --mac $A --limit-out 10mbit
	tc qdisc del dev $MVT root
	WORDS=$MVT
	only $MVT:not-limited-out
	mend
	silent
}

@test "check source-dropped" {
	SILENT_GUEST=1
	answering_bridge
	guest_on --bridge br0 --ip 203.0.113.77
	no_answer
	only $TAP:source-dropped
	tapctl check | grep -E "$TAP: warning: its guest has sent frames that --ip forbids, [1-9][0-9]* so far$"
	# Made anew with its own.
	command ip netns pids "guest$NS" | xargs kill
	release $TAP
	command ip netns del "guest$NS"
	# Who is still asked for would answer before it has its address.
	command ip -n "far$NS" neigh flush all
	guest_on --bridge br0 --ip 192.0.2.2
	answers
	silent
}

@test "check filter-checksums" {
	answering_bridge
	run_quiet add --bridge br0 --mac $A --ip 192.0.2.2 --mac $B --ip 192.0.2.3 --no-vnet-hdr
	WORDS=$TAP notes $TAP:filter-checksums $TAP:no-holder
	WORDS=$TAPB notes $TAPB:no-holder
}
