#!/usr/bin/env bats
# Taps behind logical ports of OVN, on two hosts that are namespaces.
# bats file_tags=once
# shellcheck disable=SC2016 # scripts for other shells
load ../tools/helpers
load ../guest/boot
load ovs

A=52:54:00:00:00:0a TAP=tap52540000000a
B=52:54:00:00:00:0b TAP_B=tap52540000000b

setup() {
	setup_namespace
	requires_switch
	add_cable wire0 wire1 other
	start_central
	logical_port lp1 $A
	logical_port lp2 $B
	start_chassis other 192.0.2.2 wire1
	start_chassis "$NS" 192.0.2.1 wire0
}

# A guest in a namespace, in the background: begin_guest NAMESPACE IFACE-ID MAC IP
begin_guest() {
	OVS_RUNDIR=$WORK/ovs.$1 nsenter --net="/run/netns/$1" -- env BEGUN="$WORK/begun" "$TAPCTL" exec --ovs br-int \
		--iface-id "$2" --wait-installed --no-vnet-hdr --mtu 1442 --mac "$3" -- \
		python3 "$TESTS/tools/guest.py" "$3" "$4" >>"$WORK/log" 2>&1 </dev/null 3>&- 4>&- &
	wait_until 10 test -e "$WORK/begun"
	rm "$WORK/begun"
}
# Another one, on lp1, which ends when 10.0.0.2 has answered: ping_guest SECONDS [WORD...]
ping_guest() {
	inside timeout "$1" "$TAPCTL" exec --ovs br-int --iface-id lp1 --wait-installed --no-vnet-hdr --mac $A -- \
		python3 "$TESTS/tools/guest.py" $A 10.0.0.1 ping=10.0.0.2 once "${@:2}"
}

@test "ovn: two guests on two hosts reach each other, and port security drops a foreign address" {
	begin_guest other lp2 $B 10.0.0.2
	ping_guest 10
	wait_until 10 no_taps
	run ping_guest 2 from=52:54:00:00:00:99
	[ "$status" = 124 ]
}

@test "ovn: a real guest is reached from another host, and its port goes with it" {
	requires_guest
	local qemu=()
	guest_args "$GUEST" ip0=10.0.0.2/24
	guest_nic $B 3
	OVS_RUNDIR=$WORK/ovs.other guest_start "$WORK/console" nsenter --net=/run/netns/other "$TAPCTL" exec --ovs br-int \
		--iface-id lp2 --wait-installed --mtu 1442 -- "${qemu[@]}"
	guest_wait "$WORK/console" 'guest: ready' 60 "$guest_pid"
	ping_guest 20
	[ "$(switch_program other ovs-vsctl list-ports br-int | grep ^tap)" = $TAP_B ]
	guest_stop
	wait_until 10 no_port_there
}
no_port_there() { ! switch_program other ovs-vsctl list-ports br-int | grep ^tap; }

@test "ovn: a logical port that is not wired fails after the seconds given, or is warned of" {
	run_tapctl exec --ovs br-int --iface-id lp9 --wait-installed=1 --mac $A -- true
	[ "$status" = 125 ]
	stderr_holds "tapctl: $TAP: OVN did not wire the logical port lp9 within 1 s"
	no_link $TAP
	wait_until 10 no_taps
	run_tapctl add --ovs br-int --iface-id lp9 --mac $A
	[ "$status" = 0 ]
	stderr_holds "tapctl: warning: $TAP: OVN has not wired the logical port lp9 within 1 s: tapctl check $TAP"
	[ "$(column Interface $TAP external_ids:iface-id)" = lp9 ]
	tapctl list --json | holds '.[0].iface_id == "lp9"'
	run_tapctl exec --reuse --ovs br-int --iface-id lp1 --mac $A -- true
	[ "$status" = 125 ]
	stderr_holds "$TAP: --reuse: exists without this --iface-id"
	run_quiet del $TAP
	run_tapctl add --ovs br-int --wait-installed --mac $A
	[ "$status" = 2 ]
	stderr_holds "--wait-installed: is for a logical port of OVN: give --iface-id ID"
	run_tapctl add --ovs br-int --iface-id lp1 --mac $A --mac $B
	[ "$status" = 2 ]
	stderr_holds "--iface-id lp1: a logical port is one NIC's"
}

@test "ovn: the examples of README and of the manual page" {
	local example examples=0
	vsctl add-br br0 -- set bridge br0 datapath_type=netdev
	mkdir "$WORK/bin"
	ln -s /bin/true "$WORK/bin/qemu-system-x86_64"
	ln -s "$TAPCTL" "$WORK/bin/tapctl"
	logical_port vm1-eth0 52:54:00:84:e3:62
	while IFS= read -r example; do
		echo "$example"
		inside env PATH="$WORK/bin:$PATH" sh -ec "$example"
		examples=$((examples + 1))
		wait_until 10 no_taps
	done < <(sed 's/\\e$/\\/' "$TESTS/../README" "$TESTS/../man/tapctl.8" | sed -e ':a' -e '/\\$/N; s/\\\n *//; ta' |
		grep '^ *tapctl exec --ovs')
	[ "$examples" = 4 ]
}
