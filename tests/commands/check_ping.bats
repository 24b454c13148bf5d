#!/usr/bin/env bats
# tapctl check: what is found is felt. Before each finding somebody does not answer a ping, and when its remedy was
# run, he does. The other check_*.bats do the same (docs.bats looks for that), but for what is not about it:
#
#   address-changed     others lose the host only when the tap goes: see low-address
#   bridge-full         the next guest gets no port
#   filter-checksums    a note: what a hostile guest can do
#   host-apart          a note: by design; the host's macvlan, which it names, pings in check_healthy.bats
#   macvtap-ip          the host's own packets leave with the guest's address
#   macvtap-ipv6        the same
#   no-holder           there is no guest to ask
#   no-owner            who may pose as the guest
#   node-no-device      a VMM that opens the node by its name does not begin
#   node-of-other       the same, with another guest's frames
#   node-open-to-all    who may pose as the guest
#   not-filtered        what was to be dropped passes
#   not-isolated        the same
#   not-limited-in      it is faster than it should be
#   not-limited-out     the same
#   not-locked          what was to be dropped passes
#   not-looked-at       a note: what is not known
#   port-left           a leftover in the database
#   same-address        a note: nothing is lost, which check.bats shows by ping
#   same-guest          known beforehand: guest-elsewhere is where it is felt
#   wireless            no card here can be an access point's
#   wrong-source        a note: a guest may be a router
#
# shellcheck disable=SC2086 # names and addresses are one word each
load ../tools/helpers
load check

# Frames of 1478 bytes, and of 8028.
large() { inside_of "far$NS" ping -c 1 -W "$1" -M "do" -s 1450 192.0.2.2 >/dev/null; }
jumbo() { inside ping -c 1 -W "$1" -M "do" -s 8000 192.0.2.1 >/dev/null; }
# The bridge's MTU is set, and no longer that of its least port.
fixed_mtu() {
	ip link set br0 mtu 1400
	ip link set br0 mtu 1500
}
in_far() { command ip -n "far$NS" "$@"; }

@test "check device-down, no-queue, carrier-off, port-dormant, host-is-guest, off-bridge, bridge-down, uplink-down, no-uplink, mtu-below-bridge, stp-delay: by ping" {
	answering_bridge
	tapctl pin br0
	stand_in --bridge br0
	answers
	notes
	dead $TAP:device-down ip link set $TAP down
	dead $TAP:no-queue ip link set $TAP txqueuelen 0
	dead $TAP:carrier-off ip link set $TAP carrier off
	dead $TAP:port-dormant ip link set $TAP mode dormant state dormant
	dead $TAP:host-is-guest ip link set $TAP address $A
	dead $TAP:off-bridge ip link set $TAP nomaster
	dead br0:bridge-down ip link set br0 down
	dead br0:uplink-down ip link set uplink down
	CURE="in_far link set far up" dead br0:uplink-down in_far link set far down
	UPLINK=uplink dead br0:no-uplink ip link set uplink nomaster
	fixed_mtu
	PING=large dead $TAP:mtu-below-bridge ip link set $TAP mtu 1400
	starts_stp() {
		ip link set br0 type bridge stp_state 1
		ip link set $TAP down
		ip link set $TAP up
	}
	dead $TAP:stp-delay starts_stp
	# Not tapctl's.
	ip link set $TAP alias ""
	WORDS=$TAP dead $TAP:device-down ip link set $TAP down
}

@test "check device-down, no-queue, not-guest-address, lower-down, lower-no-carrier: a macvtap, by ping" {
	requires_macvtap
	add_cable wire far "far$NS"
	in_far addr add 192.0.2.1/24 dev far
	stand_in --link wire
	answers
	notes
	dead $MVT:device-down ip link set $MVT down
	dead $MVT:no-queue ip link set $MVT txqueuelen 0
	dead $MVT:not-guest-address ip link set $MVT address $B
	dead wire:lower-down ip link set wire down
	CURE="in_far link set far up" dead wire:lower-no-carrier in_far link set far down
	# Another namespace has it.
	command ip netns add "away$NS"
	CURE="command ip -n away$NS link set wire up" dead $MVT:lower-no-carrier ip link set wire netns "away$NS"
}

@test "check no-allmulti: IPv6 finds no neighbours" {
	requires_macvtap
	add_cable wire far "far$NS"
	in_far -6 addr add 2001:db8::1/64 dev far nodad
	guest_on --link wire
	command ip -n "guest$NS" -6 addr add 2001:db8::2/64 dev g0 nodad
	found() { in_far -6 neigh flush all && inside_of "far$NS" ping -6 -c 1 -W "$1" 2001:db8::2 >/dev/null; }
	wait_until 10 found 1
	PING=found dead $MVT:no-allmulti ip link set $MVT allmulticast off
	# Not tapctl's.
	ip link set $MVT alias ""
	WORDS=$MVT
	PING=found dead $MVT:no-allmulti ip link set $MVT allmulticast off
}

@test "check mtu-changed, mtu-pulls-bridge: large frames" {
	answering_bridge
	fixed_mtu
	stand_in --bridge br0 --mtu 1500
	large 5
	PING=large dead $TAP:mtu-changed ip link set $TAP mtu 1400
	release $TAP
	ip link del br0
	answering_bridge_again
	stand_in --bridge br0
	jumbo 5
	ip link set $TAP mtu 1500
	notes $TAP:mtu-pulls-bridge
	run ! jumbo 0.3
	mend
	notes
	jumbo 5
	# Somebody wants it so.
	ip link set $TAP mtu 1500
	ip link set br0 mtu 1500
	silent
}
# One of 9000 bytes, with the host on it.
answering_bridge_again() {
	ip link add br0 type bridge
	in_far link set far mtu 9000
	ip link set uplink mtu 9000 master br0
	ip link set br0 up
	ip addr add 192.0.2.9/24 dev br0
}

@test "check bridge-follows-tap, low-address: others know the bridge by an address that goes with a tap" {
	answering_bridge
	ip addr add 192.0.2.9/24 dev br0
	host_answers() { inside_of "far$NS" ping -c 1 -W "$1" 192.0.2.9 >/dev/null; }
	guest_comes_and_goes() { # [REMEDY]
		stand_in --bridge br0
		[ -z "$tap" ] || ip link set $TAP address "$tap"
		in_far neigh flush all
		host_answers 5
		if [ "${1-}" ]; then
			only br0:bridge-follows-tap $others
			"$@"
			notes
			in_far neigh flush all
			host_answers 5
		fi
		release $TAP
	}
	local tap=02:00:00:00:00:01 others="$TAP:low-address $TAP:address-changed"
	guest_comes_and_goes
	run ! host_answers 0.3
	guest_comes_and_goes tapctl attach $TAP
	host_answers 5
	# Every other port is higher.
	ip link set uplink address fe:ff:00:00:00:02
	tap='' others=''
	guest_comes_and_goes
	run ! host_answers 0.3
	guest_comes_and_goes mend
	host_answers 5
}

@test "check packet-info: a VMM is given four bytes more" {
	answering_bridge
	inside python3 -c '
import fcntl, os, struct, sys
os.dup2(os.open("/dev/net/tun", os.O_RDWR), 3)
fcntl.ioctl(3, 0x400454ca, struct.pack("16sH22x", b"old", 2))
fcntl.ioctl(3, 0x400454cc, 0)
fcntl.ioctl(3, 0x400454cb, 1)
os.write(int(sys.argv[1]), b"0\n")
os.execvp("python3", ["python3"] + sys.argv[2:])' "$held" "$TESTS/tools/guest.py" $A 192.0.2.2 >"$WORK/log" 2>&1 &
	read -rt 20 <&"$held"
	ip link set old master br0 up
	WORDS=old only old:packet-info
	no_answer
	tapctl del --force old
	tapctl add --bridge br0 --mac $A --no-vnet-hdr >/dev/null
	stand_in --reuse --bridge br0
	notes
	answers
}

@test "check queues-differ: some of the frames come with ten bytes more" {
	requires_macvtap
	add_cable wire far "far$NS"
	# Which queue a frame goes to depends on its addresses.
	local ips k
	ips=$(seq -f 192.0.2.%g 10 40)
	for k in $ips; do in_far addr add "$k/24" dev far; done
	all() {
		for k in $ips; do
			inside_of "far$NS" ping -c 1 -W "$1" -I "$k" 192.0.2.2 >/dev/null || return
		done
	}
	two_queues() { # [SCRIPT]
		hold --link wire --mac $A --queues 2 --no-vnet-hdr -- "for fd in 3 4; do
			setpriv --pdeathsig KILL python3 '$TESTS/tools/guest.py' $A 192.0.2.2 3<&\$fd 4>&- &
		done; ${1:-:}"
	}
	two_queues "python3 -c 'import fcntl, struct
fcntl.ioctl(4, 0x400454ca, struct.pack(\"16sH22x\", b\"\", 0x5102))'"
	only $MVT:queues-differ
	run ! all 0.3
	release $MVT
	two_queues
	notes
	all 5
}

# A guest who asks another one until he answers: asks MAC IP THE-OTHER-IP NIC-OPTION...
asks() {
	hold "${@:4}" --no-vnet-hdr --mac $1 -- "${BEFORE:-:}
		(setpriv --pdeathsig KILL python3 '$TESTS/tools/guest.py' $1 $2 ping=$3 once; touch '$WORK/answered') & :"
}
answered() { wait_until "${1%.*}" test -e "$WORK/answered" >/dev/null; }

@test "check not-hairpin: what is behind the guest finds itself" {
	answering_bridge
	BEFORE="bridge link set dev $TAP hairpin off" asks $A 192.0.2.2 192.0.2.2 --bridge br0 --hairpin
	PING=answered dead $TAP:not-hairpin true
}

@test "check vepa-no-reflection: guests of one lower device" {
	requires_macvtap
	add_cable wire switch
	host_bridge
	ip link set switch master br0
	stand_in --link wire --mode vepa
	silent
	asks $B 192.0.2.3 192.0.2.2 --link wire --mode vepa
	PING=answered dead wire:vepa-no-reflection true
}

@test "check isolated-all: the guest, and the tap of somebody else's that leads out" {
	add_bridge br0
	stand_in --bridge br0 --isolated
	asks $B 192.0.2.3 192.0.2.2 --bridge br0 --isolated --name vpn
	ip link set vpn alias ""
	UPLINK=vpn PING=answered dead $TAP:isolated-all true
}

# Another guest on $TAPB, who tells all the time that it is at MAC, so that the bridge mostly takes it to be there.
tells() { GUEST_MAC=$2 GUEST_IP=192.0.2.3 stand_in --bridge br0 --mac "$1" -- announce often; }

@test "check qemu-default: a second guest with the address takes the frames" {
	local default=52:54:00:12:34:56 first second
	answering_bridge
	GUEST_MAC=$default stand_in --bridge br0 --mac $default
	first=$HOLDER
	answers
	only tap525400123456:qemu-default
	tells $B $default
	wait_until 10 only tap525400123456:qemu-default $TAPB:qemu-default >/dev/null
	no_answer
	# Each gets its own.
	release $TAPB
	second=$(tapctl mac --random)
	tells "$second" "$second"
	answers
	HOLDER=$first release tap525400123456
	first=$(tapctl mac --random)
	GUEST_MAC=$first stand_in --bridge br0 --mac "$first"
	notes
	in_far neigh flush all
	answers
}

@test "check guest-elsewhere: two guests with one address, who both talk" {
	answering_bridge
	always() { inside_of "far$NS" ping -c 20 -i 0.05 -W 0.3 192.0.2.2 | grep -q ' 0% packet loss'; }
	stand_in --bridge br0 -- announce
	always
	tells $B $A
	wait_until 20 only $TAP:guest-elsewhere >/dev/null
	run ! always
	release $TAPB
	tells $B $B
	notes
	always
}
