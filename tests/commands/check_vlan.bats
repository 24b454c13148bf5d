#!/usr/bin/env bats
# tapctl check: VLANs and bonds, which not every kernel has; vm.bats runs these on one that has them.
# shellcheck disable=SC2086 # names and addresses are one word each
load ../tools/helpers
load check

# Nothing is printed, and the guest answers.
sound() {
	run_tapctl check
	[[ $status = 0 && -z "$output$stderr" ]] && answers
}

@test "check vlan-no-pvid, vlan-not-on-uplink" {
	requires_vlan_filtering
	sound_bridge
	ip link set br0 type bridge vlan_filtering 1
	silent
	bridge vlan del dev $TAP vid 1
	only $TAP:vlan-no-pvid
	bridge vlan add dev $TAP vid 10 pvid untagged
	only $TAP:vlan-not-on-uplink
	mend
	silent
	# The host itself may be in it instead.
	bridge vlan del dev uplink vid 10
	only $TAP:vlan-not-on-uplink
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

@test "check uplink-bond: modes that replace addresses" {
	ip link add bond0 type bond mode 802.3ad 2>/dev/null || skip "this kernel has no bonds"
	ip link add br0 type bridge
	ip link set bond0 address 02:00:00:00:00:02 master br0 up
	ip link set br0 up
	ip addr add 192.0.2.1/24 dev br0
	add_cable wire far "far$NS"
	ip link set wire down
	ip link set wire master bond0
	hold --bridge br0 --mac $A
	local mode
	for mode in balance-tlb balance-alb; do
		ip link set bond0 nomaster down
		ip link set wire nomaster down
		ip link set bond0 type bond mode $mode
		ip link set wire master bond0
		ip link set bond0 master br0 up
		wait_until 10 only bond0:uplink-bond >/dev/null
	done
	ip link set bond0 nomaster down
	ip link set wire nomaster down
	ip link set bond0 type bond mode active-backup
	ip link set wire master bond0
	ip link set bond0 master br0 up
	wait_until 10 notes >/dev/null
}

@test "check is silent: a bond as the uplink" {
	ip link add bond0 type bond mode active-backup miimon 100 2>/dev/null || skip "this kernel has no bonds"
	ip link add br0 type bridge
	add_cable card0 far "far$NS"
	add_cable card1 farb "far$NS"
	command ip -n "far$NS" link add lan type bridge
	command ip -n "far$NS" link set far master lan
	command ip -n "far$NS" link set farb master lan
	command ip -n "far$NS" link set lan up
	command ip -n "far$NS" addr add 192.0.2.1/24 dev lan
	ip link set card0 down
	ip link set card1 down
	ip link set bond0 address 02:00:00:00:00:02
	ip link set card0 master bond0
	ip link set card1 master bond0
	ip link set bond0 master br0 up
	ip link set br0 up
	guest_on --bridge br0
	wait_until 10 answers
	sound
	# The other card takes over.
	ip link set card0 down
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
