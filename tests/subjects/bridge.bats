#!/usr/bin/env bats
# The bridge keeps its address and its MTU while guests come and go.
load ../tools/helpers

MAC=52:54:00:00:00:0a

# A bridge like a host's: its address was not set, and one port stands for the network card.
# That one's address is higher than nearly every random one and lower than every fe one.
CARD=fc:ff:00:00:00:01

setup() {
	setup_namespace
	ip link add br0 type bridge
	ip link add card address $CARD type veth peer name far
	ip link set far up
	ip link set card master br0 up
	ip link set br0 up
	[ "$(link_field br0 .address)" = $CARD ]
}

# Record what happens to the links, from now on, in $WORK/events.
watch_bridge() {
	[ -z "${monitor:-}" ] || kill "$monitor"
	: >"$WORK/events"
	nsenter --net="/run/netns/$NS" ip -o monitor link >"$WORK/events" 2>/dev/null </dev/null 3>&- 4>&- &
	monitor=$!
	# It listens when it tells of something.
	wait_until 10 hears_something
}
hears_something() {
	ip link set br0 alias "$RANDOM"
	[ -s "$WORK/events" ]
}

# How often a field of the bridge changed since watch_bridge: changes link/ether; changes mtu
changes() {
	# Events come in their order: with that of a new link all before it are there.
	ip link set br0 alias end
	ip link add end type bridge
	wait_until 10 grep -q '^[0-9]*: end: ' "$WORK/events"
	ip link del end
	awk -v key="$1" '
		$2 == "br0:" {
			for (i = 3; i < NF; i++)
				if ($i == key) {
					if (value != "" && $(i + 1) != value)
						changes++
					value = $(i + 1)
					seen++
				}
		}
		END { print seen ? changes + 0 : "never seen" }' "$WORK/events"
}

# What scripts do by hand: the tap joins with the address that the kernel drew.
naive() { # NAME
	ip tuntap add "$1" mode tap
	ip link set "$1" master br0 up
	ip tuntap del "$1" mode tap
}

@test "bridge: the naive order changes its address again and again, so this file can tell" {
	watch_bridge
	local k
	for k in {1..100}; do
		naive "naive$k"
	done
	# There and back, for all but the few whose address happens to be high.
	[ "$(changes link/ether)" -ge 90 ]
}

@test "bridge: 100 guests come and go one by one, and its address never changes" {
	watch_bridge
	local k
	for k in {100..199}; do
		tapctl exec --bridge br0 --mac "52:54:00:00:01:${k#1}" -- true
	done
	# They were really there.
	[ "$(grep -c 'tap5254000001.*master br0 ' "$WORK/events")" -ge 100 ]
	[ "$(changes link/ether)" = 0 ]
	[ "$(link_field br0 .address)" = $CARD ]
}

@test "bridge: 50 guests at once come and go, and its address never changes" {
	watch_bridge
	exec_at_once 50 --bridge br0
	[ "$(changes link/ether)" = 0 ]
}

@test "bridge: neither add nor del nor several NICs change its address" {
	watch_bridge
	local k
	for k in 1 2 3 4 5; do
		tapctl add --bridge br0 --mac $MAC --mac 52:54:00:00:00:0b
		tapctl exec --bridge br0 --reuse --mac $MAC -- true
		tapctl del $MAC 52:54:00:00:00:0b
		tapctl exec --bridge br0 --mac $MAC --queues 3 --mac 52:54:00:00:00:0c -- true
	done
	[ "$(changes link/ether)" = 0 ]
}

@test "bridge: a guest's own fe address does not change it either" {
	watch_bridge
	tapctl exec --bridge br0 --mac fe:54:00:00:00:01 -- true || :
	# fa is lower than this card's: it follows, and the user is told.
	[ "$(changes link/ether)" = 2 ]
	run_tapctl exec --bridge br0 --mac fe:54:00:00:00:01 -- true
	[[ $stderr = "tapctl: warning: br0: "*"tapctl pin br0" ]]
	# With a card like those that there are it does not.
	ip link set card address 3c:ec:ef:00:00:01
	watch_bridge
	run_quiet exec --bridge br0 --mac fe:54:00:00:00:01 -- true
	[ "$(changes link/ether)" = 0 ]
}

@test "bridge: one with taps alone follows them, which draws a warning, until it is pinned" {
	ip link del card
	watch_bridge
	run_tapctl exec --bridge br0 --mac $MAC -- true
	[ "$status" = 0 ]
	[[ $stderr = "tapctl: warning: br0: "*"tapctl pin br0" ]]
	[ "$(changes link/ether)" -ge 1 ]
	# It has no address without a port; with one, that is kept.
	tapctl add --bridge br0 --mac $MAC 2>/dev/null
	local address
	address=$(link_field br0 .address)
	tapctl pin br0
	[ "$(command ip netns exec "$NS" cat /sys/class/net/br0/addr_assign_type 3>&- 4>&-)" = 3 ]
	watch_bridge
	tapctl del $MAC
	for k in 1 2 3; do
		run_tapctl exec --bridge br0 --mac 52:54:00:00:00:0$k -- true
		[ "$status" = 0 ]
		[ -z "$stderr" ]
	done
	[ "$(changes link/ether)" = 0 ]
	[ "$(link_field br0 .address)" = "$address" ]
}

@test "bridge: an MTU of 9000 that was not set explicitly is kept, and the tap gets it" {
	ip link set far mtu 9000
	ip link set card mtu 9000
	[ "$(link_field br0 .mtu)" = 9000 ]
	watch_bridge
	naive naive
	[ "$(changes mtu)" -ge 1 ]
	[ "$(link_field br0 .mtu)" = 9000 ]
	watch_bridge
	run_tapctl exec --bridge br0 --mac $MAC -- ip -n "$NS" -j link show tap52540000000a
	[ "$(jq '.[0].mtu' <<<"$output")" = 9000 ]
	[ -z "$stderr" ]
	[ "$(changes mtu)" = 0 ]
}

@test "bridge: a lower --mtu lowers its own, which draws a warning" {
	run_tapctl exec --bridge br0 --mac $MAC --mtu 1400 -- ip -n "$NS" -j link show br0
	[ "$status" = 0 ]
	[ "$(jq '.[0].mtu' <<<"$output")" = 1400 ]
	[[ $stderr = "tapctl: warning: br0: "*1500*1400* ]]
	# Not when it was set. Setting it to what it is would be nothing.
	ip link set br0 mtu 1600
	ip link set br0 mtu 1500
	run_tapctl exec --bridge br0 --mac $MAC --mtu 1400 -- ip -n "$NS" -j link show br0
	[ "$(jq '.[0].mtu' <<<"$output")" = 1500 ]
	[ -z "$stderr" ]
}

@test "bridge: frames between two guests' taps go through, as neither has its guest's address" {
	cat >"$WORK/pair" <<-'END'
		import os, select
		one, two = (bytes.fromhex("5254000000" + last) for last in ("0a", "0b"))
		frame = two + one + b"\x88\xb5" + b"from one to two".ljust(46, b".")
		os.write(3, frame)
		while select.select([4], [], [], 10)[0]:
		    got = os.read(4, 2000)
		    if got == frame:
		        print("arrived")
		        break
	END
	run_tapctl exec --bridge br0 --no-vnet-hdr --mac $MAC --mac 52:54:00:00:00:0b -- python3 "$WORK/pair"
	[ "$output" = arrived ]
}

# A device of add's has no carrier, and its port is shut, until somebody opens it: who?
comes_by() {
	case $1 in
	reuse) nsenter --net="/run/netns/$NS" "$TAPCTL" exec --reuse --bridge br0 --mac $MAC -- cat <&"$held" >/dev/null 2>&1 3>&- 4>&- & ;;
	# As qemu's ifname= and firecracker's host_dev_name do.
	name) nsenter --net="/run/netns/$NS" python3 -c '
import fcntl, struct, sys
tap = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", b"tap52540000000a", 0x5002))
sys.stdin.read()' <&"$held" >/dev/null 2>&1 3>&- 4>&- & ;;
	esac
	holder=$!
}
port_is() {
	[ "$(link_field tap52540000000a .linkinfo.info_slave_data.state)" = "$1" ] &&
		[ "$(link_field tap52540000000a .operstate)" = "$2" ]
}
opens_for() { # WHO PAUSE
	run_quiet add --mac $MAC --bridge br0
	! port_is forwarding UP
	# linkwatch runs once a second.
	[ "$2" = none ] || wait_until 5 port_is disabled DOWN >/dev/null
	comes_by "$1"
	wait_until 10 port_is forwarding UP
	kill $holder
	wait $holder || :
	run_quiet del --force $MAC
}

@test "bridge: a port of add's opens as soon as its guest comes, whoever that is, and shuts when it goes" {
	mkfifo "$WORK/held"
	exec {held}<>"$WORK/held"
	local stp who pause
	for stp in 0 1; do
		ip link set br0 type bridge stp_state $stp forward_delay 200
		for who in reuse name; do
			for pause in none some; do
				# STP makes it wait by itself.
				[ "$stp $pause" != '1 some' ] || continue
				echo "stp $stp, $who, $pause"
				opens_for $who $pause
			done
		done
	done
	run_quiet add --mac $MAC --bridge br0
	comes_by name
	wait_until 10 port_is forwarding UP
	kill $holder
	wait $holder || :
	wait_until 10 port_is disabled DOWN
}
