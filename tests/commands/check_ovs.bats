#!/usr/bin/env bats
# tapctl check and attach on Open vSwitch. Each remedy is run, and then a ping works.
# shellcheck disable=SC2086 # names and addresses are one word each
load ../tools/helpers
load check
load ../subjects/ovs

# check.bash has the names and the FIFO.
eval "$(declare -f setup | sed 's/^setup/setup_check/')"
setup() {
	setup_check
	requires_switch
}

# The far end of check.bash, beyond a port of br-int, and a guest that answers: guest_on_ovs [OPTION...]
guest_on_ovs() {
	start_switch
	add_cable uplink far "far$NS"
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far
	vsctl add-port br-int uplink ${UPLINK_TAG:+tag=$UPLINK_TAG}
	guest_on --ovs br-int "$@"
	answers
	silent
}

@test "check off-bridge: a port of Open vSwitch that is lost, for one device, for a bridge and for all" {
	guest_on_ovs
	local words
	for words in $TAP br-int ""; do
		vsctl del-port $TAP
		WORDS=$words only $TAP:off-bridge
		no_answer
		run_tapctl attach $words
		[ "$status" = 0 ]
		[ "$output" = "$TAP: mended: it is on no bridge and was made for br-int of Open vSwitch" ]
		silent
		answers
		run_quiet attach $words
		[ -z "$output" ]
	done
	vsctl del-port $TAP
	mended
	# It was not the watcher's own, and goes with the guest all the same.
	command ip netns pids "guest$NS" | xargs kill
	release $TAP
	wait_until 10 no_taps
	wait_until 10 no_watchers
}

@test "check other-bridge, vlans-changed, mtu-changed: on Open vSwitch" {
	UPLINK_TAG=10 guest_on_ovs --vlan 10,20,21 --mtu 1400
	local change
	for change in "set port $TAP tag=11" "remove port $TAP trunks 21" "set port $TAP trunks=20,22" \
		"clear port $TAP trunks"; do
		vsctl $change
		only $TAP:vlans-changed
		mended
	done
	vsctl add-br br1 -- set bridge br1 datapath_type=netdev
	vsctl del-port $TAP -- add-port br1 $TAP -- set port $TAP tag=10 trunks=20,21
	run_tapctl attach br-int
	[ "$status" = 1 ]
	stderr_holds "$TAP: it is on br1 and was made for br-int: it stays there until it is named: tapctl attach $TAP"
	only $TAP:other-bridge
	# What tapctl did not make it does not remove.
	run_tapctl attach $TAP
	[ "$status" = 1 ]
	stderr_holds "$TAP: Open vSwitch has a port of that name on br1, which tapctl did not make: ovs-vsctl del-port $TAP"
	vsctl del-port $TAP
	mended
	ip link set $TAP mtu 1450
	only $TAP:mtu-changed
	mended
	run_tapctl attach --bridge br-int $TAP
	[ "$status" = 1 ]
	vsctl del-port $TAP
	add_bridge br9
	ip link set $TAP master br9
	run_tapctl attach br-int
	[ "$status" = 1 ]
	stderr_holds "$TAP: it is on br9 and was made for br-int: it stays there until it is named"
	[ "$(link_field $TAP .master)" = br9 ]
}

@test "check port-left" {
	start_switch
	run_quiet add --ovs br-int --mac $A
	# While that of add is there it removes the port.
	wait_until 10 no_watchers
	ip link del $TAP
	wait_until 10 only $TAP:port-left
	mend
	silent
	no_taps
}

@test "check no-ovs, port-refused" {
	guest_on_ovs
	# An ordinary user may not look there, and is told.
	make_caller
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$WORK" 2>/dev/null || :
	cp "$TAPCTL" "$PUBLIC/plain"
	run as_caller env OVS_RUNDIR="$OVS_RUNDIR" "$PUBLIC/plain" check $TAP
	[[ $output = *"warning: $OVS_RUNDIR/db.sock: cannot connect to the database of Open vSwitch: Permission denied"* ]]
	stop ovs-vswitchd.pid
	# In another network namespace it finds no tap.
	command ip netns add elsewhere
	nsenter --net=/run/netns/elsewhere -- env PATH="$PATH:$SWITCHES/tree/usr/lib/openvswitch-switch" \
		LD_LIBRARY_PATH="$(echo "$SWITCHES"/tree/usr/lib/*-linux-gnu)" OVS_LOGDIR="$OVS_RUNDIR" ovs-vswitchd \
		--pidfile="$OVS_RUNDIR/ovs-vswitchd.pid" --detach 2>/dev/null 3>&- 4>&-
	wait_until 10 only $TAP:port-refused
	no_answer
	stop ovs-vswitchd.pid
	start_vswitchd
	wait_until 10 silent
	answers
	stop ovs-vswitchd.pid ovsdb.pid
	only $TAP:no-ovs
	no_answer
	run_tapctl attach $TAP
	[ "$status" = 1 ]
	stderr_holds "Open vSwitch does not run here"
	# A hook comes also before it is there.
	run_quiet attach
	start_database
	start_vswitchd
	tapctl attach $TAP
	wait_until 10 silent
	answers
}

@test "check not-installed, iface-id-changed, same-iface-id, mtu-above-tunnel" {
	add_cable wire0 wire1 other
	start_central
	start_chassis "$NS" 192.0.2.1 wire0
	logical_port lp2 $B
	GUEST_IP=10.0.0.2 stand_in --ovs br-int --iface-id lp1 --mtu 1442
	# Another guest asks it.
	reached() {
		inside timeout "$((1 + ${1%.*}))" "$TAPCTL" exec --ovs br-int --iface-id lp2 --wait-installed --no-vnet-hdr --mtu 1442 \
			--mac $B -- python3 "$TESTS/tools/guest.py" $B 10.0.0.3 ping=10.0.0.2 once >/dev/null
	}
	PING=reached CURE="logical_port lp1 $A" dead $TAP:not-installed true
	vsctl set interface $TAP external_ids:iface-id=lp3
	wait_until 10 only $TAP:iface-id-changed $TAP:not-installed
	run ! reached 0.3
	tapctl attach $TAP
	wait_until 10 notes
	reached 5
	ip link add other0 type veth peer name other1
	vsctl add-port br-int other0 -- set interface other0 external_ids:iface-id=lp1
	wait_until 10 only $TAP:same-iface-id
	vsctl del-port other0
	wait_until 10 notes
	release $TAP
	run_tapctl add --ovs br-int --iface-id lp1 --wait-installed --mtu 1500 --mac $A
	# No guest has it open.
	WORDS=$TAP
	only $TAP:mtu-above-tunnel
	tapctl check --json $TAP | holds '.[1].problem | contains("geneve over br-phy (MTU 1500) leaves 1442")'
	ip link set wire0 mtu 1558
	ip link set br-phy mtu 1558
	wait_until 10 notes $TAP:no-holder
	# Over IPv6 it is 20 bytes less.
	ip -6 addr add fd00::1/64 dev br-phy nodad
	vsctl set open . external_ids:ovn-encap-ip=fd00::1
	wait_until 10 only $TAP:mtu-above-tunnel
	tapctl check --json $TAP | holds '.[1].problem | contains("(MTU 1558) leaves 1480")'
}
