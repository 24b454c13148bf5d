#!/usr/bin/env bats
# tapctl check: set-ups that are sound, with traffic, of which nothing is said.
# shellcheck disable=SC2086 # names and addresses are one word each
load ../tools/helpers
load check
load healthy

on_bridge() {
	answering_bridge
	guest_on --bridge br0 "$@"
}

@test "check is silent: one guest on a bridge with a card" {
	on_bridge
	sound
}

@test "check is silent: all that can be asked of a port" {
	on_bridge --lock-mac --isolated --hairpin
	sound
}

@test "check is silent: a bridge behind NAT, whose rules accept, with DHCP for the guests" {
	host_bridge
	guest_on --bridge br0
	routed
	masquerade
	inside nft 'add table ip f; add chain ip f i { type filter hook input priority 0; policy drop; }
		add rule ip f i iifname br0 udp dport { 53, 67 } accept; add rule ip f i icmp type echo-request accept
		add rule ip f i ct state established,related accept
		add chain ip f w { type filter hook forward priority 0; policy drop; }
		add rule ip f w ct state established,related accept; add rule ip f w iifname "br0" accept'
	sound reaches
}

@test "check is silent: docker beside it, whose FORWARD drops, and a rule of the user's" {
	host_bridge
	guest_on --bridge br0
	routed
	masquerade
	inside nft 'add table ip filter; add chain ip filter DOCKER-USER; add chain ip filter DOCKER
		add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }
		add rule ip filter FORWARD counter jump DOCKER-USER
		add rule ip filter FORWARD oifname "docker0" ct state related,established counter accept
		add rule ip filter FORWARD oifname "docker0" counter jump DOCKER
		add rule ip filter FORWARD iifname "docker0" oifname != "docker0" counter accept
		add rule ip filter DOCKER-USER iifname "br0" counter accept
		add rule ip filter DOCKER-USER oifname "br0" ct state related,established accept'
	ip link add docker0 type bridge
	ip addr add 172.17.0.1/16 dev docker0
	ip link set docker0 up
	sound reaches
}

@test "check is silent: as libvirt makes a network, with STP and its rules" {
	ip link add virbr0 type bridge stp_state 1 forward_delay 200
	ip link set virbr0 address 52:54:00:01:02:03 up
	ip addr add 192.0.2.1/24 dev virbr0
	guest_on --bridge virbr0
	routed
	masquerade
	inside nft 'add table ip l; add chain ip l forward { type filter hook forward priority 0; policy accept; }
		add chain ip l in; add chain ip l out; add rule ip l forward jump in; add rule ip l forward jump out
		add rule ip l in oif "virbr0" ip daddr 192.0.2.0/24 ct state established,related accept
		add rule ip l in oif "virbr0" reject
		add rule ip l out ip saddr 192.0.2.0/24 iif "virbr0" accept; add rule ip l out iif "virbr0" reject'
	wait_until 20 reaches
	sound reaches
}

@test "check is silent: VXLAN, with the MTU that is left" {
	add_cable wire under "far$NS"
	ip addr add 198.51.100.1/24 dev wire
	command ip -n "far$NS" addr add 198.51.100.2/24 dev under
	ip link add br0 type bridge
	ip link add uplink type vxlan id 7 local 198.51.100.1 remote 198.51.100.2 dstport 4789 dev wire
	ip link set uplink address 02:00:00:00:00:02
	ip link set uplink master br0 up
	ip link set br0 up
	command ip -n "far$NS" link add far type vxlan id 7 local 198.51.100.2 remote 198.51.100.1 dstport 4789 dev under
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far
	command ip -n "far$NS" link set far up
	guest_on --bridge br0
	[ "$(link_field $TAP .mtu)" = 1450 ]
	sound
}

@test "check is silent: EVPN: what others learned, static entries, suppressed ARP" {
	on_bridge
	bridge link set dev uplink learning off neigh_suppress on
	bridge fdb replace "$(command ip -n "far$NS" -j link show far | jq -r '.[0].address')" dev uplink master extern_learn
	bridge fdb replace 52:54:00:00:00:99 dev uplink master sticky static
	sound
}

@test "check is silent: two bridges, joined by a veth" {
	on_bridge
	add_bridge br1
	add_cable join0 join1
	ip link set join0 master br0
	ip link set join1 master br1
	hold --bridge br1 --mac $B
	sound
}

@test "check is silent: a routed guest with its own /32, the gateway's address, and proxy_arp" {
	guest_on --unattached
	ip addr add 192.0.2.1/32 dev $TAP
	ip route add 192.0.2.2/32 dev $TAP
	routed
	inside sysctl -qw "net.ipv4.conf.$TAP.proxy_arp=1" net.ipv4.conf.wan.proxy_arp=1 net.ipv4.conf.all.rp_filter=1
	command ip -n "far$NS" route add 192.0.2.2/32 via 203.0.113.1
	sound reaches
}

@test "check is silent: a routed guest without an address of the host's there" {
	guest_on --unattached
	ip route add 192.0.2.2/32 dev $TAP
	routed
	inside sysctl -qw "net.ipv4.conf.$TAP.proxy_arp=1" net.ipv4.conf.all.arp_ignore=1
	command ip -n "guest$NS" route replace default via 192.0.2.77
	command ip -n "far$NS" route add 192.0.2.2/32 via 203.0.113.1
	sound reaches
}

@test "check is silent: a guest for the host alone, on a tap and on a bridge" {
	guest_on --unattached
	ip addr add 192.0.2.1/24 dev $TAP
	add_cable wan far "far$NS"
	ip addr add 203.0.113.1/24 dev wan
	add_bridge br1
	ip addr add 198.51.100.1/24 dev br1
	hold --bridge br1 --mac $B
	sound inside ping -c 1 -W 5 192.0.2.2
}

@test "check is silent: IPv6 alone" {
	add_bridge br0
	ip -6 addr add 2001:db8:1::1/64 dev br0 nodad
	guest_on --bridge br0
	command ip -n "guest$NS" addr flush dev g0
	command ip -n "guest$NS" -6 addr add 2001:db8:1::2/64 dev g0 nodad
	command ip -n "guest$NS" -6 route add default via 2001:db8:1::1
	inside sysctl -qw net.ipv6.conf.all.forwarding=1
	add_cable wan far "far$NS"
	ip -6 addr add 2001:db8:2::1/64 dev wan nodad
	command ip -n "far$NS" -6 addr add 2001:db8:2::2/64 dev far nodad
	command ip -n "far$NS" -6 route add default via 2001:db8:2::1
	sound reaches 2001:db8:2::2
}

@test "check is silent: multicast by snooping, with a querier, and a guest that answers it" {
	host_bridge 2001:db8::1/64
	ip link set br0 type bridge mcast_querier 1 mcast_query_response_interval 100 mcast_startup_query_interval 100
	guest_on --bridge br0
	command ip -n "guest$NS" -6 addr add 2001:db8::2/64 dev g0 nodad
	asks() { ip -6 -j addr show br0 scope link -tentative | holds '[.[].addr_info[]?] | length > 0'; }
	wait_until 10 asks >/dev/null
	ip link set br0 type bridge mcast_querier 0
	ip link set br0 type bridge mcast_querier 1
	joined() { bridge mdb show dev br0 | grep -q "port $TAP grp ff02::1:ff00:2"; }
	wait_until 20 joined >/dev/null
	wait_until 20 inside ping -6 -c 1 -W 1 2001:db8::2 >/dev/null
	sound inside ping -6 -c 1 -W 5 2001:db8::2
	# What it asked for comes without flooding, too.
	bridge link set dev $TAP mcast_flood off
	sound inside ping -6 -c 1 -W 5 2001:db8::2
}

@test "check is silent: a guest that is a bridge for others, also when its own address was forgotten" {
	on_bridge
	local k
	for k in 1 2 3; do
		command ip -n "guest$NS" link add "v$k" type veth peer name "w$k"
		command ip -n "guest$NS" link set "v$k" up
		command ip -n "guest$NS" link set "w$k" up
	done
	command ip -n "guest$NS" link add gb type bridge
	command ip -n "guest$NS" link set gb address $A up
	command ip -n "guest$NS" addr flush dev g0
	command ip -n "guest$NS" link set g0 master gb
	command ip -n "guest$NS" addr add 192.0.2.2/24 dev gb
	for k in 1 2 3; do command ip -n "guest$NS" link set "v$k" master gb; done
	command ip netns add "inner$NS"
	command ip -n "guest$NS" link set w1 netns "inner$NS"
	command ip -n "inner$NS" addr add 192.0.2.3/24 dev w1
	command ip -n "inner$NS" link set w1 up
	inner() { inside_of "inner$NS" ping -c 1 -W 5 192.0.2.1 >/dev/null; }
	answers
	sound inner
	bridge fdb del $A dev $TAP master
	inner
	sound inner
}

@test "check is silent: a guest that bonds two devices, one address of which is used" {
	answering_bridge
	hold --bridge br0 --mac $B
	guest_on --bridge br0
	command ip -n "guest$NS" link set g0 address $B
	answers
	sound
}

@test "check is silent: devices that wait for their guests" {
	on_bridge
	tapctl add --bridge br0 --mac $B >/dev/null
	tapctl add --unattached --mac 52:54:00:00:00:09 >/dev/null
	sound
}

@test "check is silent: a container's veth beside it, running and stopped, and a smaller one" {
	host_bridge
	guest_on --bridge br0
	command ip netns add "box$NS"
	ip link add c0 type veth peer name eth0 netns "box$NS"
	ip link set c0 mtu 1400 master br0 up
	ip link add c1 type veth peer name c2
	ip link set c1 master br0 up
	sound inside ping -c 1 -W 5 192.0.2.2
	command ip -n "box$NS" link set eth0 up
	ip link set br0 mtu 1400
	ip link set $TAP mtu 1400
	sound inside ping -c 1 -W 5 192.0.2.2
}

@test "check is silent: macvtaps whose host keeps its address on the lower device" {
	requires_macvtap
	add_cable wire far "far$NS"
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far
	ip addr add 192.0.2.9/24 dev wire
	guest_on --link wire
	sound
}

@test "check is silent: a macvtap beside a macvlan of the host's" {
	requires_macvtap
	add_cable wire far "far$NS"
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far
	tapctl add --link wire --host --name host0 >/dev/null
	ip addr add 192.0.2.9/24 dev host0
	guest_on --link wire
	sound inside ping -c 1 -W 5 192.0.2.2
}

@test "check is silent: a macvtap in mode passthru" {
	requires_macvtap
	add_cable wire far "far$NS"
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far
	guest_on --link wire --mode passthru
	sound
}

@test "check is silent: a firewall in the bridge that drops some, and one that lets the guests through" {
	on_bridge
	inside nft "add table bridge f; add chain bridge f c { type filter hook forward priority 0; policy drop; }
		add rule bridge f c ether type ip6 drop; add rule bridge f c iifname { $TAP, uplink } accept
		add table netdev d; add chain netdev d i { type filter hook ingress device $TAP priority 0; policy accept; }
		add rule netdev d i ether saddr != $A drop"
	sound
}

@test "check is silent: a guest that keeps to its addresses" {
	# Else the stand-in speaks IPv6 before it has its address.
	SILENT_GUEST=1
	answering_bridge
	guest_on --bridge br0 --ip 192.0.2.2
	sound
}
