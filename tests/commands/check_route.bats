#!/usr/bin/env bats
# tapctl check: the host as the guests' router. What is found is seen by a ping without answer, and cured by the
# remedy.
# shellcheck disable=SC2086 # names and addresses are one word each
load ../tools/helpers
load check

# far, 203.0.113.2, beyond the host, which forwards; a guest, 192.0.2.2, whose gateway is 192.0.2.1.
beyond() {
	inside sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	add_cable uplink far "far$NS"
	ip addr add 203.0.113.1/24 dev uplink
	command ip -n "far$NS" addr add 203.0.113.2/24 dev far
	command ip -n "far$NS" route add default via 203.0.113.1
	ip -6 addr add 2001:db8:2::1/64 dev uplink nodad
	command ip -n "far$NS" -6 addr add 2001:db8:2::2/64 dev far nodad
	command ip -n "far$NS" -6 route add default via 2001:db8:2::1
}
routed_guest() {
	beyond
	guest_on --unattached
	ip addr add 192.0.2.1/32 dev $TAP
	ip route add 192.0.2.2/32 dev $TAP
	command ip -n "guest$NS" route add default via 192.0.2.1
}
reaches() { inside_of "guest$NS" ping -c 1 -W "${1:-5}" "${2:-203.0.113.2}" >/dev/null; }
lost() { ! reaches 0.3 "$@" || { echo "it gets through"; return 1; }; }

@test "check no-route" {
	routed_guest
	reaches
	notes
	ip route del 192.0.2.2/32 dev $TAP
	only $TAP:no-route
	lost
	tapctl check | grep -qx "    ip route add GUEST-IP dev $TAP"
	ip route add 192.0.2.2/32 dev $TAP
	notes
	reaches
	# Also one of another table, by several ways, or to a peer.
	ip route del 192.0.2.2/32 dev $TAP
	ip route add 192.0.2.2/32 dev $TAP table 7
	notes
	ip route flush table 7
	ip route add 192.0.2.2/32 nexthop dev $TAP nexthop dev uplink
	notes
	ip route del 192.0.2.2/32
	ip addr flush dev $TAP
	ip addr add 192.0.2.1 peer 192.0.2.2/32 dev $TAP
	notes
	reaches
}

@test "check no-arp: arp_ignore keeps the gateway silent" {
	routed_guest
	# The gateway's address is on another link, which arp_ignore forbids to tell.
	ip addr del 192.0.2.1/32 dev $TAP
	ip addr add 192.0.2.1/32 dev lo
	ip route replace 192.0.2.2/32 dev $TAP
	command ip -n "guest$NS" neigh flush all
	notes
	reaches
	inside sysctl -qw net.ipv4.conf.all.arp_ignore=1
	command ip -n "guest$NS" neigh flush all
	only $TAP:no-arp
	lost
	mend
	notes
	reaches
	inside sysctl -qw net.ipv4.conf.all.arp_ignore=8
	command ip -n "guest$NS" neigh flush all
	only $TAP:no-arp
	lost
	mend
	notes
	reaches
	# Where the link has the address, 1 hinders nobody, and 8 does.
	ip addr del 192.0.2.1/32 dev lo
	ip addr add 192.0.2.1/32 dev $TAP
	inside sysctl -qw net.ipv4.conf.all.arp_ignore=1
	notes
	inside sysctl -qw net.ipv4.conf.all.arp_ignore=8
	only $TAP:no-arp
}

@test "check no-arp: it is switched off on the link" {
	host_bridge
	stand_in --bridge br0
	reached() { inside ping -c 1 -W "$1" 192.0.2.2 >/dev/null; }
	reached 5
	notes
	PING=reached dead br0:no-arp ip link set br0 arp off
}

@test "check no-route: to the guest whose address the record has" {
	beyond
	stand_in --unattached --ip 192.0.2.2
	ip route add 192.0.2.2/32 dev $TAP
	inside sysctl -qw "net.ipv4.conf.$TAP.proxy_arp=1"
	command ip -n "far$NS" route replace default via 203.0.113.1
	answers
	notes
	dead $TAP:no-route ip route del 192.0.2.2/32 dev $TAP
}

@test "check no-forwarding: what comes back, and a link that forwards for itself" {
	routed_guest
	ip route add default via 203.0.113.2
	reaches
	notes
	PING=reaches dead $TAP:no-forwarding inside sysctl -qw net.ipv4.conf.uplink.forwarding=0
	# The switch for all is on, and turning it on once more would change nothing.
	inside sysctl -qw "net.ipv4.conf.$TAP.forwarding=0"
	notes $TAP:no-forwarding
	run ! reaches 0.3
	tapctl check -v --json | jq -r '.[] | select(.id == "no-forwarding").remedy' >"$WORK/remedy"
	inside sh "$WORK/remedy"
	notes
	reaches
	# A rule of the host's own may send what is forwarded by another link.
	ip rule add iif $TAP lookup 100
	inside sysctl -qw net.ipv4.conf.uplink.forwarding=0
	notes
	inside sysctl -qw net.ipv4.conf.uplink.forwarding=1
	ip rule del iif $TAP lookup 100
	# As networkd sets it for each link, and not for all.
	as_networkd() { inside sysctl -qw net.ipv4.ip_forward=0 "net.ipv4.conf.$TAP.forwarding=1"; }
	PING=reaches dead $TAP:no-forwarding as_networkd
	# IPv6 has a switch for that since Linux 6.17.
	ip -6 addr add 2001:db8:1::1/64 dev $TAP nodad
	inside sysctl -qw net.ipv6.conf.all.forwarding=0
	only $TAP:no-forwarding
	inside sysctl -qw "net.ipv6.conf.$TAP.force_forwarding=1" net.ipv6.conf.uplink.force_forwarding=1 ||
		skip "this kernel forwards IPv6 for all links or none"
	notes
	command ip -n "guest$NS" -6 addr add 2001:db8:1::2/64 dev g0 nodad
	command ip -n "guest$NS" -6 route add default via 2001:db8:1::1
	reaches 5 2001:db8:2::2
}

@test "check no-forwarding: a guest that the host alone is for, or more" {
	host_bridge
	guest_on --bridge br0
	command ip -n "guest$NS" route add default via 192.0.2.1
	beyond
	reaches
	notes
	inside sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
	lost
	notes br0:no-forwarding
	# Addresses are translated, so it is meant to be.
	inside nft 'add table ip n; add chain ip n p { type nat hook postrouting priority 100; }; add rule ip n p ip saddr 192.0.2.0/24 masquerade'
	only br0:no-forwarding
	mend
	notes
	reaches
}

@test "check no-forwarding: only one family" {
	host_bridge
	ip -6 addr add 2001:db8:1::1/64 dev br0 nodad
	guest_on --bridge br0
	command ip -n "guest$NS" route add default via 192.0.2.1
	command ip -n "guest$NS" -6 addr add 2001:db8:1::2/64 dev g0 nodad
	command ip -n "guest$NS" -6 route add default via 2001:db8:1::1
	beyond
	reaches
	reaches 5 2001:db8:2::2
	notes
	inside sysctl -qw net.ipv6.conf.all.forwarding=0
	only br0:no-forwarding
	tapctl check | grep -q IPv6
	lost 2001:db8:2::2
	mend
	notes
	inside sysctl -qw net.ipv4.ip_forward=0
	only br0:no-forwarding
	tapctl check | grep -q IPv4
	lost
	mend
	notes
	reaches
}

@test "check no-multicast: a guest whom others do not find over IPv6" {
	answering_bridge
	command ip -n "far$NS" -6 addr add 2001:db8::1/64 dev far nodad
	ip -6 addr add 2001:db8::9/64 dev br0 nodad
	guest_on --bridge br0
	command ip -n "guest$NS" -6 addr add 2001:db8::2/64 dev g0 nodad
	reached() { command ip -n "far$NS" -6 neigh flush all && inside_of "far$NS" ping -6 -c 1 -W "$1" 2001:db8::2 >/dev/null; }
	wait_until 10 reached 1
	bridge link set dev $TAP mcast_flood off
	notes $TAP:no-multicast
	bridge link set dev $TAP mcast_flood on
	# The host hears it.
	inside ping -6 -c 1 -W 5 2001:db8::2 >/dev/null
	notes
	PING=reached dead $TAP:no-multicast bridge link set dev $TAP mcast_flood off
	# The bridge answers for the guest.
	bridge link set dev $TAP mcast_flood off
	bridge link set dev $TAP neigh_suppress on
	notes
}

@test "check no-multicast-group: a guest that answers no query" {
	host_bridge 2001:db8::1/64
	ip link set br0 type bridge mcast_query_response_interval 100 mcast_startup_query_interval 100
	guest_on --bridge br0
	command ip -n "guest$NS" -6 addr add 2001:db8::2/64 dev g0 nodad
	inside_of "guest$NS" nft 'add table ip6 f; add chain ip6 f o { type filter hook output priority 0; }
		add rule ip6 f o icmpv6 type { 131, 143 } drop'
	# It asks from its own link-local address, once that is known to be its own.
	asks() { ip -6 -j addr show br0 scope link -tentative | holds '[.[].addr_info[]?] | length > 0'; }
	wait_until 10 asks >/dev/null
	# The groups that it has told of so far.
	ip link set br0 type bridge mcast_snooping 0
	ip link set br0 type bridge mcast_snooping 1 mcast_querier 1
	inside_of "guest$NS" ping -6 -c 1 -W 5 2001:db8::1 >/dev/null
	# A group of IPv4 finds no neighbour.
	bridge mdb add dev br0 port $TAP grp 239.1.1.1 permanent
	wait_until 20 only $TAP:no-multicast-group >/dev/null
	local remedy
	remedy=$(tapctl check --json | jq -r '.[0].remedy')
	found() { ip -6 neigh flush dev br0 && inside ping -6 -c 1 -W 0.3 2001:db8::2 >/dev/null; }
	lost() { ! found; }
	wait_until 10 lost
	# shellcheck disable=SC2086 # words
	inside $remedy
	notes
	found
}
