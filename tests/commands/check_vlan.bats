#!/usr/bin/env bats
# tapctl check: VLANs and bonds, which not every kernel has, and a setting that is the machine's; vm.bats runs these on
# one that has them.
# shellcheck disable=SC2086 # names and addresses are one word each
load ../tools/helpers
load check

# Nothing is printed, and the guest answers.
sound() {
	run_tapctl check
	[[ $status = 0 && -z "$output$stderr" ]] && answers
}

# The far end is in VLAN 10 from now on.
far_vlan() {
	command ip -n "far$NS" link add link far name far.10 type vlan id 10
	command ip -n "far$NS" link set far.10 up
	command ip -n "far$NS" addr flush dev far
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far.10
}

@test "check vlans-changed, vlan-filtering-off" {
	requires_vlan_filtering
	answering_bridge
	ip link set br0 type bridge vlan_filtering 1
	far_vlan
	bridge vlan add dev uplink vid 10
	stand_in --bridge br0 --vlan 10,20,21 --lock-mac
	answers
	notes
	dead $TAP:vlans-changed bridge vlan del dev $TAP vid 10
	local change
	for change in "del dev $TAP vid 21" "add dev $TAP vid 30" "add dev $TAP vid 20 untagged"; do
		bridge vlan $change
		only $TAP:vlans-changed
		mended
		tapctl list --json $TAP | holds '.[0].vlans == [10, 20, 21]'
	done
	# What is for its VLAN comes with the tag, and so to nobody.
	dead $TAP:vlan-filtering-off ip link set br0 type bridge vlan_filtering 0
}

@test "check vlan-no-pvid, vlan-not-on-uplink" {
	requires_vlan_filtering
	answering_bridge
	ip link set br0 type bridge vlan_filtering 1
	stand_in --bridge br0
	answers
	notes
	VID=1 dead $TAP:vlan-no-pvid bridge vlan del dev $TAP vid 1
	far_vlan
	dead $TAP:vlan-not-on-uplink bridge vlan add dev $TAP vid 10 pvid untagged
	# The host itself may be in it instead.
	bridge vlan del dev uplink vid 10
	only $TAP:vlan-not-on-uplink
	tapctl check | grep -q "$TAP: error: .*VLAN 10"
	# Those of another bridge are no neighbours, whatever VLANs they have.
	add_bridge br1
	ip link set br1 type bridge vlan_filtering 1
	hold --bridge br1 --mac $B --vlan 20,10
	WORDS=br0 only $TAP:vlan-not-on-uplink
	tapctl check br0 | grep -q "$TAP: error: .*VLAN 10"
	release $TAPB
	# Guests who have it to themselves; and one of them is a router.
	hold --bridge br0 --mac $B --vlan 10
	only $TAP:vlan-not-on-uplink $TAPB:vlan-not-on-uplink
	tapctl check | grep -q "$TAP: warning: .*VLAN 10"
	release $TAPB
	bridge vlan add dev uplink vid 20
	hold --bridge br0 --mac $B --vlan 20,10
	notes $TAP:vlan-not-on-uplink
	release $TAPB
	bridge vlan add dev br0 vid 10 self
	only $TAP:vlan-not-on-uplink
	ip link add link br0 name host10 type vlan id 10
	silent
}

@test "check vlan-no-pvid: a guest that tags its frames needs none" {
	requires_vlan_filtering
	sound_bridge
	ip link set br0 type bridge vlan_filtering 1
	hold --bridge br0 --mac $B --no-vnet-hdr -- "bridge vlan del dev $TAPB vid 1; bridge vlan add dev $TAPB vid 10"
	only $TAPB:vlan-no-pvid
	release $TAPB
	hold --bridge br0 --mac $B --no-vnet-hdr -- "bridge vlan del dev $TAPB vid 1; bridge vlan add dev $TAPB vid 10
		$(frame_from $B '\x81\x00\x00\x0a')"
	wait_until 10 silent >/dev/null
}

@test "check uplink-down: what a VLAN is on" {
	ip link add br0 type bridge
	add_cable wire far "far$NS"
	ip link add link wire name uplink type vlan id 5 2>/dev/null || skip "this kernel has no VLANs"
	command ip -n "far$NS" link add link far name far.5 type vlan id 5
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far.5
	command ip -n "far$NS" link set far.5 up
	ip link set uplink address 02:00:00:00:00:02
	ip link set uplink master br0 up
	ip link set br0 up
	guest_on --bridge br0
	notes
	answers
	ip link set wire down
	only br0:uplink-down
	tapctl check | grep -qx "    ip link set wire up"
	no_answer
	mended
}

# Two cards of the host's on one network, the far end's.
two_cards() {
	add_cable card0 far "far$NS"
	add_cable card1 farb "far$NS"
	command ip -n "far$NS" link add lan type bridge
	command ip -n "far$NS" link set far master lan
	command ip -n "far$NS" link set farb master lan
	command ip -n "far$NS" link set lan up
	command ip -n "far$NS" addr add 192.0.2.1/24 dev lan
	ip link add br0 type bridge
	ip link set br0 address 02:00:00:00:00:01 up
}
# br0's uplink is a bond of them: bond MODE [OPTION...]
bond() {
	local card
	ip link del bond0 2>/dev/null || :
	ip link add bond0 type bond miimon 100 mode "$@" 2>/dev/null || skip "this kernel has no bonds"
	ip link set bond0 address 02:00:00:00:00:02
	for card in card0 card1; do
		ip link set $card down
		ip link set $card master bond0
	done
	ip link set bond0 master br0 up
}

@test "check uplink-bond: modes that replace addresses" {
	two_cards
	bond active-backup
	stand_in --bridge br0
	wait_until 10 answers
	notes
	# A network that lets each address speak for itself only. The card depends on who is spoken to.
	inside_of "far$NS" nft "add table bridge f; add chain bridge f c { type filter hook input priority 0; }
		add rule bridge f c ip saddr 192.0.2.2 ether saddr != $A drop"
	local ips k mode
	ips=$(seq -f 192.0.2.%g 10 13)
	for k in $ips; do command ip -n "far$NS" addr add "$k/24" dev lan; done
	all() {
		for k in $ips; do
			inside_of "far$NS" ping -c 1 -W "$1" -I "$k" 192.0.2.2 >/dev/null || return
		done
	}
	for mode in balance-tlb balance-alb; do
		CURE="bond active-backup" PING=all dead bond0:uplink-bond bond $mode tlb_dynamic_lb 0 xmit_hash_policy layer2+3
	done
}

@test "check is silent: a bond as the uplink" {
	two_cards
	bond active-backup
	stand_in --bridge br0
	wait_until 10 answers
	sound
	# The other card takes over.
	ip link set card0 down
	wait_until 10 answers
	sound
	# One of several, with a switch that knows of it or without.
	bond 802.3ad
	wait_until 10 answers
	sound
}

@test "check is silent: a bridge of VLANs, with a trunk, an access port, and the same address in two of them" {
	requires_vlan_filtering
	answering_bridge
	ip link set br0 type bridge vlan_filtering 1
	bridge vlan add dev uplink vid 10 pvid untagged
	bridge vlan add dev uplink vid 20
	guest_on --bridge br0 --vlan 10
	hold --bridge br0 --vlan 20 --mac $B --no-vnet-hdr -- "python3 '$TESTS/tools/guest.py' $B 192.0.2.3 announce from=$A & :"
	heard() { bridge fdb show br br0 | grep -q "$A dev $TAPB vlan 20"; }
	wait_until 10 heard
	answers
	sound
}

@test "check conntrack-full: a firewall that takes no further connection" {
	[ -n "${TAPCTL_TESTS_VM-}" ] || skip "the limit is that of the whole machine"
	on_machine() { nsenter --net=/proc/1/ns/net -- "$@"; }
	inside sysctl -qw net.ipv4.ip_forward=1
	host_bridge
	guest_on --bridge br0
	command ip -n "guest$NS" route add default via 192.0.2.1
	add_cable wan far "far$NS"
	ip addr add 203.0.113.1/24 dev wan
	command ip -n "far$NS" addr add 203.0.113.2/24 dev far
	inside nft 'add table ip n; add chain ip n p { type nat hook postrouting priority 100; }; add rule ip n p masquerade'
	# One that is kept, as those are not whom nobody has answered.
	inside_of "far$NS" socat TCP-LISTEN:7 PIPE >"$WORK/log" 2>&1 &
	connected() {
		inside_of "guest$NS" timeout 30 socat -d -d TCP:203.0.113.2:7 EXEC:"sleep 30" >"$WORK/guest" 2>&1 &
		wait_until 3 grep -q 'starting data transfer' "$WORK/guest" >/dev/null
	}
	wait_until 10 connected
	reaches() { inside_of "guest$NS" ping -c 1 -W "$1" 203.0.113.2 >/dev/null; }
	reaches 5
	notes
	fills() { on_machine sysctl -qw "net.netfilter.nf_conntrack_max=$(inside cat /proc/sys/net/netfilter/nf_conntrack_count)"; }
	mends() { on_machine sh -c "$(tapctl check --json | jq -r '.[0].remedy')" >/dev/null; }
	PING=reaches CURE=mends dead br0:conntrack-full fills
}
