#!/usr/bin/env bats
# pin: a bridge keeps the address that it has.
load ../tools/helpers

# addr_assign_type of br0, from the sysfs of the test's namespace.
assign_type() {
	inside unshare --mount sh -c 'mount -t sysfs sysfs /sys && cat /sys/class/net/br0/addr_assign_type'
}

setup() {
	setup_namespace
	ip link add br0 type bridge
	ip link set br0 up
}

@test "pin: the bridge keeps its address when a lower port joins and when its own is removed" {
	tapctl add --bridge br0 --mac 52:54:00:84:e3:62
	local address
	address=$(link_field br0 .address)
	run_tapctl pin br0
	[ "$status" = 0 ]
	[ -z "$output$stderr" ]
	[ "$(link_field br0 .address)" = "$address" ]
	ip link add low type veth peer name peer
	ip link set low address 02:00:00:00:00:01 master br0
	[ "$(link_field br0 .address)" = "$address" ]
	tapctl del 52:54:00:84:e3:62
	[ "$(link_field br0 .address)" = "$address" ]
}

@test "pin: without it the bridge follows the lowest port" {
	tapctl add --bridge br0 --mac 52:54:00:84:e3:62
	ip link add low type veth peer name peer
	ip link set low address 02:00:00:00:00:01 master br0
	[ "$(link_field br0 .address)" = 02:00:00:00:00:01 ]
}

@test "pin: addr_assign_type becomes 3" {
	requires_root
	[ "$(assign_type)" != 3 ]
	tapctl pin br0
	[ "$(assign_type)" = 3 ]
}

@test "pin: a pinned bridge that has its guest's address draws no warning when the guest is back" {
	tapctl add --bridge br0 --mac 52:54:00:84:e3:62
	tapctl pin br0
	tapctl del 52:54:00:84:e3:62
	run_quiet add --bridge br0 --mac 52:54:00:84:e3:62
}

@test "pin: what is not a bridge, or does not exist, is an error" {
	run_tapctl pin lo
	[ "$status" = 1 ]
	[[ "$stderr" == "tapctl: lo: is not a bridge"* ]]
	run_tapctl pin nosuch
	[ "$status" = 1 ]
	run_tapctl pin
	[ "$status" = 2 ]
	run_tapctl pin br0 br1
	[ "$status" = 2 ]
}
