#!/usr/bin/env bats
# Real guests on the devices that tapctl makes.
# shellcheck disable=SC2016,SC2030,SC2031 # scripts for the guest; each test is a subshell
# bats file_tags=once
load ../tools/helpers
load ../guest/boot

MAC=52:54:00:00:00:0a
TAP=tap52540000000a
MVT=mvt52540000000a

# A wire to another host, the namespace peer, as if to a network card: wire0 here, far0 there.
setup() {
	setup_namespace
	requires_guest
	command ip netns add peer
	make_wire 0
	qemu=() uml=()
}

make_wire() { # NUMBER
	add_cable "wire$1" "far$1" peer
	command ip -n peer addr add "10.0.$1.1/24" dev "far$1"
	command ip -n peer addr add "fd00:$1::1/64" dev "far$1" nodad
}

# The bridge br0 with wire0 in it.
make_bridge() {
	add_bridge br0
	ip link set wire0 master br0
}

# Boot the guest of $qemu or $uml and wait until it is ready: boot TAPCTL-OPTION... -- COMMAND...
boot() {
	guest_start "$WORK/console" nsenter --net="/run/netns/$NS" "$TAPCTL" exec "$@"
	guest_wait "$WORK/console" 'guest: ready' 60 "$guest_pid"
}

# The other host reaches the guest.
answers() { # ADDRESS [PING OPTION...]
	inside_of peer ping -n -c 3 -i 0.2 -W 5 "${@:2}" "$1"
}

# guest_stop, and what tapctl made is removed: a tap at once, a macvtap as soon as the watcher saw it.
stop() { # NAME
	guest_stop
	case $1 in
	tap*) no_link "$1" ;;
	*) wait_until 10 no_link "$1" ;;
	esac
}

@test "guest: on a bridge it is reached by IPv4, IPv6 and its own link-local address" {
	make_bridge
	guest_args "$GUEST" ip0=10.0.0.2/24 ip60=fd00::2/64
	guest_nic $MAC 3
	boot --bridge br0 -- "${qemu[@]}"
	grep -q "guest: eth0 $MAC mtu 1500" "$WORK/console"
	answers 10.0.0.2
	answers fd00::2
	answers fe80::5054:ff:fe00:a%far0
	run_tapctl check
	[[ $status = 0 && -z "$output" ]]
	# tapctl had nothing to say.
	[ "$(grep -ac '^tapctl:' "$WORK/console")" = 0 ]
	# What the other host sees is the guest's address and not the tap's.
	[ "$(command ip -n peer -j neigh show 10.0.0.2 | jq -r '.[0].lladdr')" = $MAC ]
	stop $TAP
}

@test "guest: the console, the process and its exit status are qemu's own" {
	make_bridge
	guest_args "$GUEST" off
	guest_nic $MAC 3
	boot --bridge br0 -- "${qemu[@]}"
	status=0
	wait "$guest_pid" || status=$?
	guest_pid=
	[ "$status" = 0 ]
	no_link $TAP
}

@test "guest: an MTU of 9000 reaches from the bridge into the guest" {
	make_bridge
	ip link set wire0 mtu 9000
	command ip -n peer link set far0 mtu 9000
	ip link set br0 mtu 9000
	guest_args "$GUEST" ip0=10.0.0.2/24
	guest_nic $MAC 3
	# shellcheck disable=SC2016 # for that shell
	boot --bridge br0 -- sh -c 'exec "$@,host_mtu=$TAPCTL_MTU"' sh "${qemu[@]}"
	grep -q "guest: eth0 $MAC mtu 9000" "$WORK/console"
	answers 10.0.0.2 -M 'do' -s 8972
	stop $TAP
}

@test "guest: on a macvtap it is reached by IPv4, IPv6 and its own link-local address" {
	requires_macvtap
	guest_args "$GUEST" ip0=10.0.0.2/24 ip60=fd00::2/64
	guest_nic $MAC 3
	boot --link wire0 -- "${qemu[@]}"
	answers 10.0.0.2
	# Neighbour discovery is multicast that the host's side did not join.
	answers fd00::2
	answers fe80::5054:ff:fe00:a%far0
	[ "$(command ip -n peer -j neigh show 10.0.0.2 | jq -r '.[0].lladdr')" = $MAC ]
	stop $MVT
}

@test "guest: the host and a guest on a macvtap talk through the host's macvlan only" {
	ip addr add 10.0.0.3/24 dev wire0
	guest_args "$GUEST" ip0=10.0.0.2/24
	guest_nic $MAC 3
	boot --link wire0 -- "${qemu[@]}"
	answers 10.0.0.2
	run ! inside ping -n -c 1 -W 1 10.0.0.2
	run_tapctl check
	[[ $status = 0 && -z "$output" ]]
	run_tapctl check wire0
	[[ $status = 0 && "$output" == "wire0: note: "*"tapctl add --link wire0 --host"* && "${#lines[@]}" = 2 ]]
	tapctl add --link wire0 --host --name host0
	ip addr del 10.0.0.3/24 dev wire0
	ip addr add 10.0.0.3/24 dev host0
	inside ping -n -c 3 -i 0.2 -W 5 10.0.0.2
	# And the other host still reaches both.
	answers 10.0.0.2
	answers 10.0.0.3
	run_tapctl check
	[[ $status = 0 && -z "$output" ]]
	stop $MVT
}

@test "guest: the host sends nothing with the guest's address on a macvtap" {
	requires_macvtap
	nsenter --net=/run/netns/peer tcpdump -l -n -e -i far0 ether src $MAC and ip6 \
		>"$WORK/frames" 2>"$WORK/frames.log" </dev/null 3>&- 4>&- &
	wait_until 10 grep -q 'listening on' "$WORK/frames.log"
	guest_args "$GUEST"
	# A guest without IPv6 of its own: each such frame would be the host's.
	qemu[-1]+=" ipv6.disable=1 ip0=10.0.0.2/24"
	guest_nic $MAC 3
	boot --link wire0 -- "${qemu[@]}"
	answers 10.0.0.2
	[ ! -s "$WORK/frames" ] || { cat "$WORK/frames"; return 1; }
	stop $MVT
}

@test "guest: with two NICs, one a tap and one a macvtap, each on its own network" {
	requires_macvtap
	make_bridge
	make_wire 1
	guest_args "$GUEST" ip0=10.0.0.2/24 ip1=10.0.1.2/24
	guest_nic $MAC 3
	guest_nic 52:54:00:00:00:0b 4
	boot --mac $MAC --bridge br0 --mac 52:54:00:00:00:0b --link wire1 -- "${qemu[@]}"
	answers 10.0.0.2
	answers 10.0.1.2
	[ "$(command ip -n peer -j neigh show 10.0.1.2 | jq -r '.[0] | .dev + " " + .lladdr')" = \
		"far1 52:54:00:00:00:0b" ]
	stop mvt52540000000b
	no_link $TAP
}

@test "guest: chained, two tapctl and one guest" {
	make_bridge
	make_wire 1
	add_bridge br1
	ip link set wire1 master br1
	guest_args "$GUEST" ip0=10.0.0.2/24 ip1=10.0.1.2/24
	guest_nic $MAC 3
	guest_nic 52:54:00:00:00:0b 4
	boot --mac $MAC --bridge br0 -- "$TAPCTL" exec --mac 52:54:00:00:00:0b --bridge br1 --fd 4 \
		-- "${qemu[@]}"
	answers 10.0.0.2
	answers 10.0.1.2
	stop $TAP
	no_link tap52540000000b
}

# A guest with two processors uses both queues.
two_queues() { # TAPCTL-OPTION...
	guest_args "$GUEST" ip0=10.0.0.2/24 \
		"$(guest_cmd 'echo "guest: $(ls -d /sys/class/net/eth0/queues/rx-* | wc -l) queues"')"
	guest_nic $MAC 3:4
	qemu+=(-smp 2)
	boot "$@" --queues 2 -- "${qemu[@]}"
	guest_wait "$WORK/console" 'guest: 2 queues' 20 "$guest_pid"
	answers 10.0.0.2
	# Many flows, so that both queues get some.
	local k
	for k in 1 2 3 4 5 6 7 8; do
		command ip -n peer addr add "10.0.0.1$k/24" dev far0
		answers 10.0.0.2 -I "10.0.0.1$k" -c 1
	done
}

@test "guest: with two queues on a bridge" {
	make_bridge
	two_queues --bridge br0
	stop $TAP
}

@test "guest: with two queues on a macvtap" {
	requires_macvtap
	two_queues --link wire0
	stop $MVT
}

no_process() { [ -z "$(command ip netns pids "$NS")" ]; }

# qemu in the background: its parent, COMMAND, ends and the guest runs on.
daemonized() { # TAPCTL-OPTION...
	local k
	guest_args "$GUEST" ip0=10.0.0.2/24
	for k in "${!qemu[@]}"; do
		[ "${qemu[k]}" != stdio ] || qemu[k]=file:$WORK/console
	done
	guest_nic $MAC 3
	qemu+=(-daemonize -pidfile "$WORK/pid")
	tapctl exec "$@" -- "${qemu[@]}" </dev/null >"$WORK/log" 2>&1
	guest_wait "$WORK/console" 'guest: ready' 60 "$(cat "$WORK/pid")"
	answers 10.0.0.2
	kill "$(cat "$WORK/pid")"
}

@test "guest: qemu -daemonize keeps its macvtap as long as it runs" {
	requires_macvtap
	daemonized --link wire0
	wait_until 10 no_link $MVT
	wait_until 10 no_process
}

@test "guest: qemu -daemonize keeps its tap as long as it runs" {
	make_bridge
	daemonized --bridge br0
	wait_until 10 no_link $TAP
}

# More than a few segments arrive at the guest, by TCP from the other host.
takes_tcp() {
	head -c 1000000 /dev/zero | inside_of peer timeout 20 socat -u - TCP:10.0.0.2:7,retry=50,interval=0.2
	guest_wait "$WORK/console" 'guest: got 1000000 bytes' 20 "$guest_pid"
}
TAKE='n=$(nc -l -p 7 | wc -c); echo "guest: got $n bytes"'

@test "guest: add, then exec --reuse again and again, also without the vnet header" {
	make_bridge
	tapctl add --bridge br0 --mac $MAC
	guest_args "$GUEST" ip0=10.0.0.2/24 "$(guest_cmd "$TAKE")"
	guest_nic $MAC 3
	boot --bridge br0 --reuse -- "${qemu[@]}"
	answers 10.0.0.2
	takes_tcp
	guest_stop
	[ "$(link_field $TAP .master)" = br0 ]
	# The first guest's offloads are not this one's: else it answers to ping, and its TCP is dead.
	rm "$WORK/console"
	boot --bridge br0 --reuse --no-vnet-hdr -- "${qemu[@]}"
	answers 10.0.0.2
	takes_tcp
	guest_stop
	[ "$(link_field $TAP .master)" = br0 ]
	tapctl del $TAP
	no_link $TAP
}

@test "guest: a persistent macvtap, by add and exec --reuse" {
	requires_macvtap
	tapctl add --link wire0 --mac $MAC
	guest_args "$GUEST" ip0=10.0.0.2/24
	guest_nic $MAC 3
	boot --link wire0 --reuse -- "${qemu[@]}"
	answers 10.0.0.2
	guest_stop
	[ "$(link_field $MVT .link)" = wire0 ]
}

# qemu as another user, which has no capability and no way back to one.
as_nobody() { # TAPCTL-OPTION...
	guest_args "$GUEST" ip0=10.0.0.2/24
	# Neither this tree nor /dev/kvm need be open to that user.
	PUBLIC=$(mktemp -d /tmp/tapctl-guest.XXXXXX)
	chmod 755 "$PUBLIC"
	cp "$GUEST/vmlinux" "$GUEST/guest.cpio" "$PUBLIC"
	chmod 644 "$PUBLIC"/*
	qemu=("${qemu[@]/#"$GUEST"/"$PUBLIC"}")
	qemu=("${qemu[@]/#kvm/tcg}")
	qemu=("${qemu[@]/#host/max}")
	guest_nic $MAC 3
	boot "$@" --user nobody -- "${qemu[@]}"
	answers 10.0.0.2
	[ "$(ps -o comm=,user= -p "$guest_pid" | xargs)" = "qemu-system-x86 nobody" ]
	[ "$(awk '$1 == "CapEff:" || $1 == "CapPrm:" || $1 == "CapBnd:" || $1 == "NoNewPrivs:" { print $2 }' \
		"/proc/$guest_pid/status" | xargs)" = "0000000000000000 0000000000000000 0000000000000000 1" ]
}

@test "guest: qemu of another user, on a bridge" {
	make_bridge
	as_nobody --bridge br0
	stop $TAP
}

@test "guest: qemu of another user, on a macvtap" {
	requires_macvtap
	as_nobody --link wire0
	stop $MVT
}

@test "guest: without the vnet header" {
	make_bridge
	guest_args "$GUEST" ip0=10.0.0.2/24 "$(guest_cmd "$TAKE")"
	guest_nic $MAC 3
	boot --bridge br0 --no-vnet-hdr -- "${qemu[@]}"
	answers 10.0.0.2
	takes_tcp
	stop $TAP
}

@test "guest: without the vnet header on a macvtap" {
	requires_macvtap
	guest_args "$GUEST" ip0=10.0.0.2/24 "$(guest_cmd "$TAKE")"
	guest_nic $MAC 3
	boot --link wire0 --no-vnet-hdr -- "${qemu[@]}"
	answers 10.0.0.2
	takes_tcp
	stop $MVT
}

@test "guest: --lock-mac lets through only what the guest sends from its own address" {
	requires_locked_ports
	make_bridge
	# It answers, then changes its address and asks in vain.
	guest_args "$GUEST" ip0=10.0.0.2/24 "$(guest_cmd '
		ping -c 1 -W 5 10.0.0.1 >/dev/null && echo "guest: honest"
		ip link set eth0 down
		ip link set eth0 address 52:54:00:00:00:ff
		ip link set eth0 up
		ping -c 2 -W 1 10.0.0.1 >/dev/null || echo "guest: unheard"
		ip link set eth0 down
		ip link set eth0 address 52:54:00:00:00:0a
		ip link set eth0 up
		ping -c 2 -W 5 10.0.0.1 >/dev/null && echo "guest: honest again"')"
	guest_nic $MAC 3
	boot --bridge br0 --lock-mac -- "${qemu[@]}"
	guest_wait "$WORK/console" 'guest: honest again' 40 "$guest_pid"
	[ "$(grep -ac 'guest: honest' "$WORK/console")" = 2 ]
	[ "$(grep -ac 'guest: unheard' "$WORK/console")" = 1 ]
	stop $TAP
}

@test "guest: user-mode Linux on a bridge" {
	guest_uml_runs "$GUEST" || skip "user-mode Linux does not run on this machine"
	make_bridge
	guest_uml "$GUEST" 3 mac0=$MAC ip0=10.0.0.2/24 "$(guest_cmd "$TAKE")"
	boot --bridge br0 --mac $MAC --no-vnet-hdr -- "${uml[@]}"
	answers 10.0.0.2
	takes_tcp
	guest_stop
	# Its processes end one after the other.
	wait_until 10 no_link $TAP
}

@test "guest: user-mode Linux and qemu on one bridge" {
	guest_uml_runs "$GUEST" || skip "user-mode Linux does not run on this machine"
	make_bridge
	guest_uml "$GUEST" 3 mac0=52:54:00:00:00:0b ip0=10.0.0.3/24
	boot --bridge br0 --mac 52:54:00:00:00:0b --no-vnet-hdr -- "${uml[@]}"
	mv "$WORK/console" "$WORK/uml"
	guest_args "$GUEST" ip0=10.0.0.2/24 "$(guest_cmd 'ping -c 3 -W 5 10.0.0.3 && echo "guest: heard"')"
	guest_nic $MAC 3
	boot --bridge br0 -- "${qemu[@]}"
	guest_wait "$WORK/console" 'guest: heard' 20 "$guest_pid"
	answers 10.0.0.3
}
