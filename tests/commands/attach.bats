#!/usr/bin/env bats
# tapctl attach: devices are what their records say again, while their guests run on.
# shellcheck disable=SC2086 # names and addresses are one word each
load ../tools/helpers
load check

# br0 is made anew, as ifup and others do it.
make_anew() {
	ip link del br0
	ip link add br0 type bridge
	ip link set uplink master br0
	ip link set br0 up
}
# They are on br0 with their protections: protected TAP MAC
protected() {
	tapctl list --json "$1" | holds '.[0] | .bridge == "br0" and .isolated and .locked and .up'
	bridge -j fdb show dev "$1" | holds 'any(.mac == $mac and .state == "static")' --arg mac "$2"
}
# Nothing is changed, and nothing said: unchanged ATTACH-ARGUMENT...
unchanged() {
	inside strace -f -qq -o "$WORK/calls" -e trace=sendto,sendmsg,ioctl "$TAPCTL" attach "$@" >"$WORK/said" 2>&1
	cat "$WORK/said"
	[ ! -s "$WORK/said" ]
	! grep -E 'RTM_(NEW|SET|DEL)|SIOCS' "$WORK/calls"
}

@test "attach: what is right is left alone, however it is named" {
	answering_bridge
	hold --bridge br0 --mac $A --isolated --lock-mac --mac $B
	unchanged
	unchanged br0
	unchanged $TAP $B
	# What is not there is a mistake, unless it is a bridge that was.
	run_tapctl attach nosuch
	[[ $status = 1 && "$stderr" = "tapctl: 'nosuch': there is no such device"* ]]
}

@test "attach: a bridge made anew gets its guests back, with all that they had" {
	answering_bridge
	guest_on --bridge br0 --isolated --lock-mac --mtu 1400
	hold --bridge br0 --mac $B --isolated --lock-mac
	answers
	make_anew
	run_tapctl attach br0
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[ "$output" = "$TAP: mended: it is on no bridge and was made for br0
$TAPB: mended: it is on no bridge and was made for br0" ]
	protected $TAP $A
	protected $TAPB $B
	[ "$(link_field $TAP .mtu)" = 1400 ]
	answers
	unchanged
	make_anew
	run_tapctl attach --json
	[ "$status" = 0 ]
	got 'map([.name, .id, .severity]) == [[$a, "off-bridge", "error"], [$b, "off-bridge", "error"]]
		and all(.problem and .remedy)' --arg a $TAP --arg b $TAPB
	answers
	run_tapctl attach --json
	[[ $status = 0 && $output = "[]" ]]
}

@test "attach: a tap that nobody has open, and its VLANs" {
	requires_vlan_filtering
	answering_bridge
	ip link set br0 type bridge vlan_filtering 1
	tapctl add --bridge br0 --mac $A --vlan 10,20,21,22 --lock-mac
	make_anew
	# Without filtering it would be in every VLAN.
	run_tapctl attach
	[[ $status = 1 && "$stderr" = "tapctl: $TAP: it was made for VLANs, and br0 does not filter any, so it stays off: "* ]]
	[ "$(link_field $TAP .master)" = null ]
	ip link set br0 type bridge vlan_filtering 1
	run_quiet attach
	tapctl list --json $TAP | holds '.[0].vlans == [10, 20, 21, 22] and .[0].locked'
}

@test "attach: a bridge with a larger MTU is not pulled down, and one with a smaller does not pull" {
	answering_bridge
	command ip -n "far$NS" link set far mtu 9000
	hold --bridge br0 --mac $A
	ip link del br0
	ip link set uplink mtu 9000
	ip link add br0 type bridge
	ip link set uplink master br0
	run_quiet attach
	[ "$(link_field $TAP .mtu)" = 9000 ]
	[ "$(link_field br0 .mtu)" = 9000 ]
	ip link set $TAP nomaster
	ip link set uplink mtu 1500
	run_quiet attach
	[ "$(link_field $TAP .mtu)" = 9000 ]
}

@test "attach: by name all is put back at once" {
	answering_bridge
	guest_on --bridge br0 --isolated --lock-mac --mtu 1400
	add_bridge br1
	ip link set $TAP address fe:00:00:00:00:01 mtu 1300
	bridge link set dev $TAP isolated off locked off learning on
	unchanged
	run_tapctl attach --json $A
	[ "$status" = 0 ]
	got 'map(.id) | sort == ["address-changed", "locked-out", "mtu-changed", "not-isolated", "not-locked"] or
		sort == ["address-changed", "mtu-changed", "not-isolated", "not-locked"]'
	protected $TAP $A
	answers
	unchanged $TAP
}

@test "attach: a locked port forgets what it had learned" {
	requires_locked_ports
	answering_bridge
	hold --bridge br0 --mac $A --lock-mac --no-vnet-hdr -- "$(frame_from $B)"
	bridge link set dev $TAP locked off learning on
	bridge fdb add $B dev $TAP master dynamic
	run_quiet attach $TAP
	[ "$(bridge fdb show dev $TAP | grep -c $B)" = 0 ]
}

@test "attach: what somebody took down, or elsewhere, stays so until it is named" {
	answering_bridge
	hold --bridge br0 --mac $A
	hold --bridge br0 --mac $B
	add_bridge br1
	ip link set $TAP down
	ip link set $TAP nomaster
	ip link set $TAPB master br1
	local words
	for words in "" br0; do
		run_tapctl attach $words
		[ "$status" = 1 ]
		[ -z "$output" ]
		stderr_holds "$TAP: it is down, and stays off br0 until it is named: tapctl attach $TAP" \
			"$TAPB: it is on br1 and was made for br0: it stays there until it is named: tapctl attach $TAPB"
		[ "$(link_field $TAP .master)" = null ]
		[ "$(link_field $TAPB .master)" = br1 ]
	done
	unchanged br1
	run_quiet attach $TAP $TAPB
	tapctl list --json | holds 'all(.bridge == "br0" and .up)'
	# Named is named, also behind its bridge.
	ip link set $TAP down
	ip link set $TAP nomaster
	run_quiet attach br0 $TAP
	tapctl list --json | holds 'all(.bridge == "br0" and .up)'
	# A tap that is down, and where it was made for, is nobody's business.
	ip link set $TAP down
	unchanged
}

@test "attach: a hook for a bridge that other devices miss is quiet, and so is one that comes too late" {
	answering_bridge
	hold --bridge br0 --mac $A
	add_bridge br1
	ip link set $TAP nomaster
	unchanged br1
	ip link del br0
	unchanged
	unchanged br0
	run_tapctl attach $TAP
	[[ $status = 1 && "$stderr" = "tapctl: $TAP: it is on no bridge and was made for br0, which is not here: "* ]]
}

@test "attach: a hook has nothing to say of a guest that ends meanwhile" {
	add_bridge br0
	local call
	for call in 2 3; do
		tapctl add --bridge br0 --mac $A
		ip link set $TAP nomaster
		stop_behind sendto $call attach
		ip link del $TAP
		go_on
		[[ $status = 0 && -z "$output$stderr" ]]
	done
}

@test "attach --bridge: a guest moves to another bridge with its protections, and its record says so" {
	answering_bridge
	guest_on --bridge br0 --isolated --lock-mac
	add_bridge br1
	answers
	run_quiet attach --bridge br1 $TAP
	no_answer
	tapctl list --json $TAP | holds '.[0] | .bridge == "br1" and .isolated and .locked'
	[ "$(link_field $TAP .ifalias)" = "tapctl guest $A by=exec on=br1 isolated locked" ]
	unchanged
	unchanged --bridge br1 $TAP
	run_quiet attach --bridge br0 $A
	protected $TAP $A
	answers
	# One that was moved there by hand has its record set right.
	ip link set $TAP master br1
	run_quiet attach --bridge br1 $TAP
	tapctl list --json $TAP | holds '.[0] | .bridge == "br1" and .isolated and .locked'
	# One that was made for none is on one then.
	hold --unattached --mac $B
	run_quiet attach --bridge br0 $TAPB
	[ "$(link_field $TAPB .ifalias)" = "tapctl guest $B by=exec on=br0" ]
}

@test "attach --bridge: what cannot be moved" {
	answering_bridge
	hold --bridge br0 --mac $A
	run_tapctl attach --bridge br0
	[ "$status" = 2 ]
	add_bridge br1
	run_tapctl attach --bridge br1 br0
	[[ $status = 1 && "$stderr" = "tapctl: br0: --bridge: is a bridge, and taps are moved by their names: tapctl list br0 "* ]]
	ip link set $TAP nomaster
	ip link del br0
	run_tapctl attach --bridge br1 br0
	[[ $status = 1 && "$stderr" = "tapctl: 'br0': there is no such device here: "* ]]
	run_tapctl attach --json $TAP
	holds '.error == "no-such-bridge" and (.remedy | startswith("make br0 anew"))' <<<"$stderr"
	add_bridge br0
	ip link set $TAP master br0
	run_tapctl attach --bridge nosuch $TAP
	[[ $status = 1 && "$stderr" = "tapctl: nosuch: there is no such bridge in this network namespace" ]]
	run_tapctl attach --bridge uplink $TAP
	[[ $status = 1 && "$stderr" = "tapctl: uplink: is not a bridge but a veth" ]]
	run_tapctl attach uplink
	[[ $status = 1 && "$stderr" = "tapctl: uplink: is a veth that tapctl did not make: "* ]]
	ip link set $TAP alias "tapctl guest $A"
	run_tapctl attach --bridge br0 $TAP
	[[ $status = 1 && "$stderr" = "tapctl: $TAP: --bridge: an older tapctl made it"* ]]
	requires_macvtap
	add_cable wire there
	tapctl add --link wire --mac $B
	run_tapctl attach --bridge br0 $B
	[[ $status = 1 && "$stderr" = "tapctl: mvt52540084e363: --bridge: is not a tap but a macvtap" ]]
}

@test "attach: no link but a tap or macvtap is a guest's, whatever its alias" {
	local link before
	add_bridge br0
	add_cable v0 v1
	ip tuntap add tun0 mode tun
	for link in br0 v0 tun0 lo; do
		ip link set $link alias "tapctl guest $A by=add on=br0 mtu=1400"
	done
	before=$(ip -j link show | jq 'map({ifname, address, mtu, master, up: (.flags | index("UP") != null)})')
	tapctl add --bridge br0 --mac $A
	for link in v0 tun0 lo; do
		run_tapctl attach $link
		[[ $status = 1 && "$stderr" = "tapctl: $link: is a "*" that tapctl did not make: "* ]]
	done
	unchanged $A
	unchanged br0
	run_tapctl check --json
	got 'map(select(.id == "same-guest")) == []'
	run_quiet del $A
	[ "$(ip -j link show | jq 'map({ifname, address, mtu, master, up: (.flags | index("UP") != null)})')" = "$before" ]
}

@test "attach: macvtaps, and the host's macvlan beside them" {
	requires_macvtap
	add_cable wire far "far$NS"
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far
	guest_on --link wire --mtu 1400
	tapctl add --link wire --host --name host0 --mtu 1300
	ip link set $MVT allmulticast off mtu 1300 addrgenmode eui64
	ip link set $MVT address $B
	ip link set host0 down mtu 1200
	unchanged
	run_tapctl attach --json $MVT host0
	[ "$status" = 0 ]
	got 'map(.name + ":" + .id) | sort == ["host0:device-down", "host0:mtu-changed", $m + ":macvtap-ipv6",
		$m + ":mtu-changed", $m + ":no-allmulti", $m + ":not-guest-address"]' --arg m $MVT
	[ "$(link_field $MVT .address)" = $A ]
	[ "$(link_field host0 .mtu)" = 1300 ]
	answers
	unchanged $MVT host0
}

@test "attach: an old record is followed as far as it says" {
	answering_bridge
	guest_on --bridge br0
	ip link set $TAP alias "tapctl guest $A"
	ip link set $TAP address fe:00:00:00:00:01
	unchanged
	run_quiet attach $TAP
	[ "$(link_field $TAP .address)" = $HOST ]
	ip link set $TAP nomaster
	unchanged $TAP
}

@test "attach: killed at any moment it leaves no open port, and the next one mends it" {
	answering_bridge
	hold --bridge br0 --mac $A --isolated --lock-mac
	local at
	for at in 3 4 5 6; do
		make_anew
		inside strace -qq -o /dev/null -e trace=sendto -e inject=sendto:signal=KILL:when=$at "$TAPCTL" attach || :
		if [ "$(link_field $TAP .master)" = br0 ] && [ "$(link_field $TAP .linkinfo.info_slave_data.isolated)" = false ]; then
			[ "$(link_field $TAP .linkinfo.info_slave_data.state)" = disabled ]
		fi
		run_quiet attach $TAP
		protected $TAP $A
		[ "$(link_field $TAP .linkmode)" = DEFAULT ]
		[ "$(link_field $TAP .linkinfo.info_slave_data.state)" = forwarding ]
	done
}

@test "attach: one that cannot be mended keeps none from being mended" {
	answering_bridge
	hold --bridge br0 --mac $A
	add_bridge br1
	hold --bridge br1 --mac $B
	ip link set $TAP nomaster
	ip link set $TAPB nomaster
	ip link del br1
	ip link add br1 type dummy 2>/dev/null || ip link add br1 type veth peer name br1peer
	run_tapctl attach
	[ "$status" = 1 ]
	stderr_holds "$TAPB: br1, which it was made for, is not a bridge"
	[ "$(link_field $TAP .master)" = br0 ]
}

@test "attach: a port that the bridge refuses is as it was before" {
	answering_bridge
	hold --bridge br0 --mac $A
	ip link set $TAP nomaster
	# More than a tap may have.
	ip link set $TAP alias "tapctl guest $A by=exec on=br0 mtu=65535"
	run_tapctl attach $TAP
	[ "$status" = 1 ]
	stderr_holds "$TAP: cannot set it right: "
	[ "$(link_field $TAP .linkmode)" = DEFAULT ]
	[ "$(link_field $TAP .operstate)" != DORMANT ]
	[ "$(link_field $TAP .master)" = null ]
}

@test "attach: nobody who reads what is mended, and no room for it, keep none from being mended" {
	local k guests=()
	for ((k = 0; k < 150; k++)); do
		guests+=(--mac "$(printf 52:54:00:00:01:%02x "$k")")
	done
	add_bridge br0
	cd "$WORK"
	tapctl add --bridge br0 "${guests[@]}" >/dev/null
	# A pipe whose reader has ended, and two files.
	for to in 'exec 5> >(:); wait $!' 'exec 5>/dev/full' 'exec 5>said; ulimit -f 0'; do
		ip link del br0
		add_bridge br0
		run inside bash -c "$to; \$TAPCTL attach >&5"
		echo "$to: $status"
		[ "$status" = 1 ]
		[ "$(ip -j link show master br0 | jq length)" = 150 ]
	done
}

@test "attach: without privilege it says what it needs" {
	make_caller
	cp "$TAPCTL" "$PUBLIC/plain"
	answering_bridge
	hold --bridge br0 --mac $A
	ip link set $TAP nomaster
	run --separate-stderr as_caller "$PUBLIC/plain" attach $TAP
	echo "$status $stderr"
	[ "$status" = 1 ]
	[[ $stderr = *"$TAP: cannot set it right: "*": run it with sudo" ]]
}

# A guest that sends as somebody else at full speed, and in its own name, and counts what it cannot write
# (EIO: the tap is down): its frames' type is 88b5.
flood() {
	cat >"$WORK/flood.py" <<-'P'
		import os, signal, sys
		own, errors, end = bytes.fromhex(sys.argv[1]), 0, []
		signal.signal(signal.SIGTERM, lambda *_: end.append(1))
		os.set_blocking(3, False)
		frames = [b"\xff" * 6 + source + b"\x88\xb5" + source + bytes(40) for source in (b"\x52\x54\0\0\xba\xd1", own)]
		while not end:
		    for frame in frames:
		        try:
		            os.write(3, frame)
		        except OSError:
		            errors += 1
		    try:
		        while True:
		            if os.read(3, 2000)[12:14] == b"\x88\xb5":
		                print("heard", file=sys.stderr)
		                errors += 1
		    except BlockingIOError:
		        pass
		    except OSError:
		        errors += 1
		print(errors)
	P
	local guest
	for guest in $A $B; do
		nsenter --net="/run/netns/$NS" -- "$TAPCTL" exec --bridge br0 --isolated --lock-mac --no-vnet-hdr --mac $guest -- \
			python3 "$WORK/flood.py" "${guest//:/}" >"$WORK/errors.$guest" 2>"$WORK/heard.$guest" 3>&- 4>&- {held}>&- &
		floods+=($!)
	done
	# What comes out of the uplink: whose it is, and how many.
	nsenter --net="/run/netns/far$NS" python3 -u -c '
import signal, socket, sys
heard, end = {}, []
signal.signal(signal.SIGTERM, lambda *_: end.append(1))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5))
s.bind(("far", 0x88b5))
s.settimeout(0.1)
while not end:
    try:
        source = s.recv(2000)[6:12].hex(":")
        heard[source] = heard.get(source, 0) + 1
        if heard[source] == 1:
            print(source, file=sys.stderr)
    except TimeoutError:
        pass
print(heard)' >"$WORK/far" 2>"$WORK/sources" 3>&- 4>&- {held}>&- &
	far=$!
	wait_until 20 eval '[ "$(sort -u "$WORK/sources" | wc -l)" = 2 ]'
}
end_flood() {
	kill "${floods[@]}"
	wait "${floods[@]}"
	kill $far
	wait $far
	cat "$WORK/far" "$WORK"/errors.*
}

# bats test_tags=once
@test "attach: nothing passes two guests who spoof at full speed, while their bridge is made anew" {
	requires_locked_ports
	answering_bridge
	floods=()
	flood
	local i
	for i in {1..10}; do
		make_anew
		run_quiet attach br0
		protected $TAP $A
		protected $TAPB $B
	done
	end_flood
	grep -q "$A" "$WORK/far"
	[ "$(grep -c 52:54:00:00:ba:d1 "$WORK/far")" = 0 ]
	# Neither heard the other, and neither got EIO.
	[ "$(cat "$WORK/errors.$A" "$WORK/errors.$B")" = $'0\n0' ]
}

@test "attach: the flood of these tests would be heard if the port were open for a moment" {
	requires_locked_ports
	answering_bridge
	floods=()
	flood
	make_anew
	ip link set $TAP master br0
	wait_until 20 grep -q 52:54:00:00:ba:d1 "$WORK/sources"
	end_flood
}

@test "attach: 200 exec at once beside a hook that calls it all the time" {
	requires_locked_ports
	answering_bridge
	export NS
	(
		while [ ! -e "$WORK/done" ]; do
			inside "$TAPCTL" attach br0 || echo "hook $?"
			inside "$TAPCTL" attach || echo "hook $?"
		done
	) >"$WORK/hook" 2>&1 3>&- 4>&- {held}>&- &
	hook=$!
	seq 200 | xargs -P 20 -I{} sh -c 'nsenter --net=/run/netns/$NS -- "$TAPCTL" exec --bridge br0 --isolated --lock-mac \
		--mac "52:54:00:00:01:$(printf %02x {})" -- true || echo "exec $?"' >"$WORK/execs" 2>&1 3>&- 4>&-
	touch "$WORK/done"
	wait $hook
	cat "$WORK/execs" "$WORK/hook"
	[ ! -s "$WORK/execs" ]
	[ ! -s "$WORK/hook" ]
}
