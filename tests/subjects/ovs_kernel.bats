#!/usr/bin/env bats
# Taps on a bridge of Open vSwitch whose datapath is the kernel's, as on most hosts; ovs.bats and ovn.bats have the rest, with
# the userspace one, which every kernel has.
# bats file_tags=once
load ../tools/helpers
load ovs

A=52:54:00:00:00:0a TAP=tap52540000000a
B=52:54:00:00:00:0b TAP_B=tap52540000000b

setup() {
	setup_namespace
	requires_switch
	[ -e /sys/module/openvswitch ] || skip "the kernel's datapath (the module openvswitch) is not loaded here"
	start_switch "$NS" system
}
# Its bridges are links, which outlive it in a namespace that does.
teardown() {
	[ -z "${OVS_RUNDIR-}" ] || vsctl --if-exists del-br br-int || :
	teardown_namespace
}

# A guest that answers at 10.0.0.2, with the command line's options: guest [OPTION...]
guest() {
	spawn env BEGUN="$WORK/begun" "$TAPCTL" exec --ovs br-int --mac $A --no-vnet-hdr "$@" -- \
		python3 "$TESTS/tools/guest.py" $A 10.0.0.2 announce
	wait_until 30 test -e "$WORK/begun"
	rm "$WORK/begun"
}
# Another one, which ends when 10.0.0.2 has answered: ping_guest SECONDS [OPTION...]
ping_guest() {
	inside timeout "$1" "$TAPCTL" exec --ovs br-int --mac $B --no-vnet-hdr "${@:2}" -- \
		python3 "$TESTS/tools/guest.py" $B 10.0.0.1 ping=10.0.0.2 once
}
# The ports that the kernel has, without its own.
kernel_ports() { switch_program "$NS" ovs-appctl dpctl/show | sed -n 's/.*port [0-9]*: \(tap[^ ]*\).*/\1/p'; }

@test "ovs kernel: guests reach each other in their VLAN, and their ports go with them" {
	guest --vlan 7
	[ "$(kernel_ports)" = $TAP ]
	[ "$(link_field $TAP .master)" = ovs-system ]
	ping_guest 30 --vlan 7
	wait_until 10 one_tap $TAP
	run ping_guest 3 --vlan 8
	[ "$status" = 124 ]
	kill "$pid"
	wait_until 10 no_taps
	wait_until 10 no_watchers
	[ -z "$(kernel_ports)" ]
}

@test "ovs kernel: a tap of add is reused, checked and removed; a stale port is not in the next guest's way" {
	run_quiet add --ovs br-int --mac $A --no-vnet-hdr
	[ "$(kernel_ports)" = $TAP ]
	guest --reuse
	run_tapctl check
	[ "$status" = 0 ]
	ping_guest 30
	kill "$pid"
	wait "$pid" || :
	run_quiet del $TAP
	wait_until 10 no_taps
	no_link $TAP

	guest
	watchers | xargs kill -KILL
	kill -KILL "$pid"
	wait_until 10 no_link $TAP
	one_tap $TAP
	guest
	ping_guest 30
	kill "$pid"
	wait_until 10 no_taps
}
