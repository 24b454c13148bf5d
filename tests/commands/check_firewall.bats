#!/usr/bin/env bats
# tapctl check: where a packet filter drops what guests send, seen by a ping without answer, and cured by the
# remedy. What a rule that cannot be followed may accept is a note.
# shellcheck disable=SC2086 # names and addresses are one word each
load ../tools/helpers
load check

cured() {
	mended
	inside nft flush ruleset
}
nft() { inside nft "$@"; }
# A chain c of table f: chain FAMILY HOOK POLICY [DEVICE]
chain() {
	nft "add table $1 f; add chain $1 f c { type filter hook $2 ${4:+device $4} priority 0; policy $3; }"
}

@test "check firewall-drops: the family bridge, what all ports forward" {
	guest_on_bridge
	local rule
	chain bridge forward drop
	only br0:firewall-drops
	no_answer
	cured
	for rule in drop "counter drop" "log counter drop"; do
		chain bridge forward accept
		nft "add rule bridge f c $rule"
		only br0:firewall-drops
		no_answer
		cured
	done
	# In a chain that is jumped to.
	chain bridge forward accept
	nft 'add chain bridge f deep; add rule bridge f c jump deep; add rule bridge f deep drop'
	only br0:firewall-drops
	no_answer
	cured
}

@test "check firewall-drops: the family bridge, one port" {
	guest_on_bridge
	chain bridge forward accept
	nft "add rule bridge f c iifname $TAP drop"
	only $TAP:firewall-drops
	no_answer
	cured
	chain bridge forward accept
	nft "add rule bridge f c oifname \"tap*\" drop"
	only $TAP:firewall-drops
	no_answer
	cured
	# Whatever the others may, this one may not.
	chain bridge forward drop
	nft 'add rule bridge f c iifname "x*" accept'
	only $TAP:firewall-drops uplink:firewall-drops
	no_answer
	nft flush ruleset
	chain bridge prerouting accept
	nft "add rule bridge f c iifname $TAP counter drop"
	only $TAP:firewall-drops
	no_answer
	cured
	# What lets this guest through, although all else is dropped.
	chain bridge forward drop
	nft "add rule bridge f c iifname $TAP accept; add rule bridge f c oifname $TAP accept"
	silent
	answers
}

@test "check firewall-drops: a device's own ingress and egress" {
	guest_on_bridge
	local device
	for device in $TAP uplink; do
		chain netdev ingress drop $device
		only $device:firewall-drops
		no_answer
		cured
	done
	chain inet ingress accept $TAP
	nft 'add rule inet f c drop'
	only $TAP:firewall-drops
	no_answer
	cured
	chain netdev egress drop $TAP || skip "this kernel has no egress hook"
	only $TAP:firewall-drops
	no_answer
	cured
}

@test "check firewall-drops: a macvtap, and what it is on" {
	requires_macvtap
	add_cable wire far "far$NS"
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far
	stand_in --link wire
	answers
	notes
	dead wire:firewall-drops chain netdev ingress drop wire
	nft flush ruleset
	# What its guest sends leaves by the lower device, and what is for it does not come in there.
	chain netdev ingress drop $MVT
	only $MVT:firewall-drops
	no_answer
	cured
}

@test "check firewall-drops: ARP for the host" {
	host_bridge
	guest_on --bridge br0
	host_answers() { inside_of "guest$NS" ping -c 1 -W "$1" 192.0.2.1 >/dev/null; }
	host_answers 5
	notes
	chain arp input drop
	only br0:firewall-drops
	command ip -n "guest$NS" neigh flush all
	run ! host_answers 0.3
	mend
	notes
	host_answers 5
}

@test "check firewall-drops: what cannot be followed is a note" {
	guest_on_bridge
	chain bridge forward drop
	nft "add rule bridge f c ether saddr $A accept; add rule bridge f c ether daddr $A accept"
	notes br0:firewall-drops
	answers
	# A policy that drops some is nobody's fault.
	nft flush ruleset
	chain bridge forward accept
	nft 'add rule bridge f c ether type ip6 drop; add rule bridge f c iifname "other" drop'
	notes
}

@test "check bridge-nf-drops: the rules are followed" {
	inside test -e /proc/sys/net/bridge || skip "this kernel has no bridge netfilter"
	inside sysctl -qw net.bridge.bridge-nf-call-iptables=1
	guest_on_bridge
	# As docker sets it.
	nft 'add table ip filter; add chain ip filter USER; add chain ip filter DOCKER
		add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }
		add rule ip filter FORWARD counter jump USER
		add rule ip filter FORWARD counter jump DOCKER
		add rule ip filter DOCKER oifname "docker0" ct state related,established counter accept
		add rule ip filter DOCKER iifname "docker0" oifname != "docker0" counter accept
		add rule ip filter USER counter return'
	only br0:bridge-nf-drops
	no_answer
	nft 'insert rule ip filter USER iifname "br0" oifname "br0" accept'
	notes
	answers
	nft 'flush chain ip filter USER; add rule ip filter USER ip saddr 192.0.2.0/24 accept'
	notes br0:bridge-nf-drops
	answers
	nft 'flush chain ip filter USER'
	only br0:bridge-nf-drops
	mend
	notes
	answers
	# A last rule that rejects, and a policy that accepts.
	inside sysctl -qw net.bridge.bridge-nf-call-iptables=1
	nft 'flush chain ip filter FORWARD; add chain ip filter FORWARD { policy accept; }'
	nft 'add rule ip filter FORWARD ct state established,related accept; add rule ip filter FORWARD counter reject'
	only br0:bridge-nf-drops
	no_answer
	cured
}

# br0 with the guest and the host, which forwards to far, 203.0.113.2.
routed_bridge() {
	inside sysctl -qw net.ipv4.ip_forward=1
	host_bridge
	add_cable uplink far "far$NS"
	ip addr add 203.0.113.1/24 dev uplink
	command ip -n "far$NS" addr add 203.0.113.2/24 dev far
	command ip -n "far$NS" route add default via 203.0.113.1
	ip route add default via 203.0.113.2
	guest_on --bridge br0
	command ip -n "guest$NS" route add default via 192.0.2.1
}
reaches() { inside_of "guest$NS" ping -c 1 -W "$1" 203.0.113.2 >/dev/null; }

@test "check forward-drops: a bridge whose guests the host routes, with docker beside it" {
	routed_bridge
	reaches 5
	notes
	nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }
		add rule ip filter FORWARD ct state established,related accept
		add rule ip filter FORWARD iifname "docker0" accept'
	only br0:forward-drops
	run ! reaches 0.3
	mend
	notes
	reaches 5
	# Somebody wants it so, as libvirt does for an isolated network.
	nft 'flush chain ip filter FORWARD; add rule ip filter FORWARD iifname "br0" reject'
	notes br0:forward-drops
	# What a network of libvirt's adds; what it accepts cannot be told.
	nft 'flush chain ip filter FORWARD; add rule ip filter FORWARD iifname "br0" ip saddr 192.0.2.0/24 accept
		add rule ip filter FORWARD ct state established,related accept; add rule ip filter FORWARD iifname "br0" reject'
	notes br0:forward-drops
	reaches 5
}

@test "check tc-drops" {
	guest_on_bridge
	tc qdisc add dev $TAP clsact || skip "this kernel has no clsact"
	# The program that drops everything.
	tc filter add dev $TAP ingress bpf da bytecode '1,6 0 0 2' || skip "this kernel has no cls_bpf"
	no_answer
	only $TAP:tc-drops
	tc qdisc del dev $TAP clsact
	notes
	answers
	# One that drops little.
	tc qdisc add dev $TAP clsact
	tc filter add dev $TAP ingress bpf da bytecode '1,6 0 0 0'
	inside_of "far$NS" ping -c 10 -i 0.002 192.0.2.2 >/dev/null
	tc filter add dev $TAP egress bpf da bytecode '1,6 0 0 2'
	no_answer
	tc filter del dev $TAP egress
	answers
	notes $TAP:tc-drops
}

@test "check: the legacy tables of iptables and arptables are told of, and not read" {
	local where
	# The kernel makes the table in the namespace that asks for it, by IPT_SO_GET_INFO and the like.
	for where in "AF_INET 0 64 84" "AF_INET6 41 64 84" "AF_INET 0 96 68"; do
		command ip netns add "legacy$NS"
		inside_of "legacy$NS" "$TAPCTL" add --unattached --mac $A >/dev/null
		[ -z "$(inside_of "legacy$NS" "$TAPCTL" check)" ]
		inside_of "legacy$NS" python3 -c '
import ctypes, socket, sys
level, option, size = map(int, sys.argv[2:])
asked = ctypes.create_string_buffer(b"filter", size)
raw = socket.socket(getattr(socket, sys.argv[1]), socket.SOCK_RAW, 255)
sys.exit(ctypes.CDLL(None).getsockopt(raw.fileno(), level, option, asked, ctypes.byref(ctypes.c_uint(size))) != 0)' $where ||
			skip "this kernel has no legacy tables"
		inside_of "legacy$NS" "$TAPCTL" check >"$WORK/legacy"
		grep -qx "tapctl check: note: not looked at: the legacy rules of .*" "$WORK/legacy"
		grep -qx "    look at them: iptables-legacy-save.*" "$WORK/legacy"
		command ip netns del "legacy$NS"
	done
}

@test "check: the legacy tables of ebtables are told of, and not read" {
	requires_root
	[ -e /sys/module/ebtable_filter ] || modprobe ebtable_filter 2>/dev/null || skip "this kernel has no ebtable_filter, or not as a module"
	tapctl add --unattached --mac $A >/dev/null
	tapctl check | grep -q "not looked at: the legacy rules of .*ebtables"
}

@test "check: who may not read the rules is told so" {
	requires_plain_build
	make_caller
	sound_bridge
	as_caller "$PUBLIC/tapctl" check >"$WORK/caller"
	grep -qx "tapctl check: note: not looked at: the rules of nftables.*" "$WORK/caller"
	as_caller "$PUBLIC/tapctl" check --json >"$WORK/caller"
	jq -e 'length == 1 and .[0].name == "" and .[0].id == "not-looked-at" and .[0].severity == "note"' "$WORK/caller"
}
