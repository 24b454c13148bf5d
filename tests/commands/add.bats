#!/usr/bin/env bats
# add: persistent taps and macvtaps, complete or not at all, and their owners.
load ../tools/helpers

A=52:54:00:84:e3:62 HOST=fe:54:00:84:e3:62 TAP=tap52540084e362 MVT=mvt52540084e362
B=52:54:00:84:e3:63 TAP_B=tap52540084e363

@test "add: a tap on a bridge, complete" {
	add_bridge br0
	run_tapctl add --bridge br0 --mac $A
	[ "$status" = 0 ]
	[ "$output" = $TAP ]
	[ -z "$stderr" ]
	ip -d -j link show $TAP | holds '.[0] | .address == "fe:54:00:84:e3:62" and .master == "br0"
		and .mtu == 1500 and (.flags | index("UP")) and .qdisc == "noqueue"
		and .ifalias == "tapctl guest 52:54:00:84:e3:62 by=add on=br0" and .inet6_addr_gen_mode == "none"
		and .linkinfo.info_data.persist and .linkinfo.info_data.vnet_hdr
		and (.linkinfo.info_data.pi | not) and (.linkinfo.info_data.multi_queue | not)'
	[ "$(ip -j addr show $TAP | jq '.[0].addr_info | length')" = 0 ]
}

@test "add: address, MTU, alias and master are in one message, right after the tap is made" {
	add_bridge br0
	inside strace -o "$WORK/log" -e trace=ioctl,sendto,openat "$TAPCTL" add --bridge br0 --mac $A
	# after TUNSETIFF: only the index is asked for, then one sendto has it all
	run awk '/TUNSETIFF/ { on = 1; next } on { print $1 }' "$WORK/log"
	echo "$output"
	[[ "${lines[0]}" == ioctl\(* ]]
	[[ "${lines[1]}" == sendto\(* ]]
	[ "$(grep -c '^sendto' "$WORK/log")" = 2 ]
}

@test "add: the bridge's MTU is taken over and the bridge keeps it" {
	ip link add br0 type bridge
	ip link add dummy0 type veth peer name dummy1
	ip link set dummy0 mtu 9000 master br0
	ip link set br0 up
	[ "$(link_field br0 .mtu)" = 9000 ]
	run_tapctl add --bridge br0 --mac $A
	[ "$(link_field $TAP .mtu)" = 9000 ]
	[ "$(link_field br0 .mtu)" = 9000 ]
}

@test "add: --mtu, and the warning when it lowers the bridge's" {
	ip link add br0 type bridge
	ip link set br0 up
	run_tapctl add --bridge br0 --mtu 1400 --mac $A
	[ "$status" = 0 ]
	[ "$(link_field $TAP .mtu)" = 1400 ]
	[[ "$stderr" == *"MTU went from 1500 down to 1400"* ]]
	# Unless the bridge's was set.
	ip link set br0 mtu 1500
	run_tapctl add --bridge br0 --mtu 1400 --mac 52:54:00:00:00:01
	[ "$status" = 0 ]
	[[ "$stderr" != *MTU* ]]
	# It is told of the device that does it, and of no other one.
	tapctl del $TAP
	ip link add br1 type bridge
	run_tapctl add --bridge br1 --mtu 1300 --mac $A --mac $B --mtu 1400
	[ "$status" = 0 ]
	[ "$(grep -c 'MTU went from 1500 down to 1300' <<<"$stderr")" = 1 ]
	[ "$(grep -c 'MTU' <<<"$stderr")" = 1 ]
}

@test "add: an unattached tap" {
	run_tapctl add --unattached --mac $A
	[ "$status" = 0 ]
	[ "$(link_field $TAP .master)" = null ]
	[ "$(link_field $TAP .address)" = fe:54:00:84:e3:62 ]
}

@test "add: a macvtap in each of its modes carries the guest's address" {
	requires_macvtap
	add_cable v0 v1
	for mode in bridge vepa private passthru; do
		run_tapctl add --link v0 --mode $mode --mac $A
		[ "$status" = 0 ]
		[ "$output" = $MVT ]
		ip -d -j link show $MVT | holds '.[0] | .linkinfo.info_kind == "macvtap"
			and .linkinfo.info_data.mode == $mode and .address == "52:54:00:84:e3:62"
			and .link == "v0" and (.flags | index("UP")) and (.flags | index("ALLMULTI"))
			and .qdisc == "noqueue" and .inet6_addr_gen_mode == "none"
			and .ifalias == "tapctl guest 52:54:00:84:e3:62 by=add on=v0" and .ifindex >= 1073741824' --arg mode $mode
		run_tapctl del $MVT
		[ "$status" = 0 ]
	done
}

@test "add: mode passthru restores the lower device's own address in the end" {
	requires_macvtap
	add_cable v0 v1
	local own
	own=$(link_field v0 .address)
	run_tapctl add --link v0 --mode passthru --mac $A
	[ "$(link_field v0 .address)" = $A ]
	tapctl del $MVT
	[ "$(link_field v0 .address)" = "$own" ]
}

@test "add: a macvtap has the lower device's MTU" {
	requires_macvtap
	add_cable v0 v1
	ip link set v1 mtu 4000
	ip link set v0 mtu 4000
	run_tapctl add --link v0 --mac $A
	[ "$(link_field $MVT .mtu)" = 4000 ]
}

@test "add: options before the first --mac hold for all NICs, later ones for their own" {
	add_bridge br0
	add_bridge br1
	run_tapctl add --bridge br0 --mtu 1400 --mac $A --mac $B --bridge br1 --mtu 1300 --name second
	[ "$status" = 0 ]
	[ "$output" = "$TAP"$'\n'second ]
	[ "$(link_field $TAP .master)" = br0 ]
	[ "$(link_field $TAP .mtu)" = 1400 ]
	[ "$(link_field second .master)" = br1 ]
	[ "$(link_field second .mtu)" = 1300 ]
}

@test "add: all NICs are made or none" {
	requires_macvtap
	add_bridge br0
	add_cable v0 v1
	ip tuntap add third mode tap
	run_tapctl add --mac $A --bridge br0 --mac $B --link v0 --mac 52:54:00:00:00:01 --unattached --name third
	[ "$status" = 1 ]
	[ -z "$output" ]
	[[ "$stderr" == "tapctl: third: already exists"* ]]
	no_link $TAP
	no_link mvt52540084e363
}

@test "add: what was made is unmade in one deletion, however many there are" {
	local macs=(52:54:00:00:00:0{0..9})
	ip tuntap add tap525400000009 mode tap
	run inside strace -o "$WORK/log" -e trace=sendto,ioctl "$TAPCTL" add --unattached "${macs[@]/#/--mac=}"
	[ "$status" = 1 ]
	[ "$(links)" = lo$'\n'tap525400000009 ]
	[ "$(grep -c RTM_DELLINK "$WORK/log")" = 1 ]
}

@test "add: more devices than files may be open at first" {
	local macs=()
	for n in {10..89}; do macs+=(--mac "52:54:00:00:00:$n"); done
	run --separate-stderr inside bash -c 'ulimit -Sn 64; exec "$0" "$@"' "$TAPCTL" add --unattached "${macs[@]}"
	echo "$status: $stderr"
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 80 ]
}

@test "add: the kernel fills the %d of a name" {
	add_bridge br0
	run_tapctl add --bridge br0 --name 'vm%d' --mac $A --mac $B
	[ "$status" = 0 ]
	[ "$output" = $'vm0\nvm1' ]
	requires_macvtap
	add_cable v0 v1
	run_tapctl add --link v0 --name 'mv%d' --mac $A --mac $B
	[ "$output" = $'mv0\nmv1' ]
	[ "$(link_field mv1 .address)" = $B ]
}

@test "add: --queues makes a device for several, --no-vnet-hdr one without the header" {
	run_tapctl add --unattached --queues 4 --no-vnet-hdr --mac $A
	ip -d -j link show $TAP | holds '.[0].linkinfo.info_data | .multi_queue and (.vnet_hdr | not)'
}

@test "add: a tap is never without an owner" {
	run_tapctl add --unattached --mac $A
	run_tapctl list --json $TAP
	got '.[0] | .owner == $me and .group == null' --argjson me "$(id -u)"
	# Nor would it be one if tapctl were killed in the middle.
	inside strace -o "$WORK/log" -e trace=ioctl "$TAPCTL" add --unattached --mac $B
	[ "$(grep -oE 'TUNSET(OWNER|PERSIST)' "$WORK/log" | xargs)" = "TUNSETOWNER TUNSETPERSIST" ]
}

@test "add: the owner is the user who ran sudo, or the one given" {
	requires_root
	SUDO_UID=1234 run_tapctl add --unattached --mac $A
	[ "$(tapctl list --json $TAP | jq '.[0].owner')" = 1234 ]
	run_tapctl add --unattached --owner nobody --group daemon --mac $B
	tapctl list --json $TAP_B | holds '.[0] | .owner == $u and .group == 1' --argjson u "$(id -u nobody)"
	run_tapctl add --unattached --group 7 --mac 52:54:00:00:00:01
	tapctl list --json tap525400000001 | holds '.[0] | .owner == null and .group == 7'
}

@test "add: a macvtap's character device has its owner and the mode 0600, or 0660 with a group" {
	requires_macvtap
	add_cable v0 v1
	run_tapctl add --link v0 --owner nobody --mac $A
	local node
	node=/dev/tap$(link_field $MVT .ifindex)
	[ "$(stat -c '%U %a' "$node")" = "nobody 600" ]
	run_tapctl add --link v0 --group daemon --mac $B
	node=/dev/tap$(link_field mvt52540084e363 .ifindex)
	[ "$(stat -c '%U %G %a' "$node")" = "root daemon 660" ]
}

@test "add: --json prints what list prints" {
	add_bridge br0
	run_tapctl add --json --bridge br0 --mac $A --mac $B
	[ "$status" = 0 ]
	local made=$output
	holds 'length == 2 and all(.persistent) and all(.owner != null)' <<<"$made"
	run_tapctl list --json $TAP $TAP_B
	diff <(jq -S . <<<"$made") <(jq -S . <<<"$output")
	holds 'all(.carrier == false and .queues == 0)' <<<"$made"
	# In the order given, whatever their kind; those that exist, too.
	requires_macvtap
	add_cable v0 v1
	run_tapctl add --json --may-exist --mac 52:54:00:84:e3:70 --link v0 --mac $B --bridge br0 --mac $A --bridge br0
	[ "$(jq -c 'map(.guest_mac)' <<<"$output")" = "[\"52:54:00:84:e3:70\",\"$B\",\"$A\"]" ]
}

@test "add: --json prints nothing of devices that it had to unmake" {
	add_bridge br0
	# behind the bridge and two taps made, either of them read back
	for lost in 4 5; do
		run --separate-stderr inside strace -qq -o /dev/null -e trace=recvmsg \
			-e inject=recvmsg:error=EAGAIN:when=$lost "$TAPCTL" add --json --bridge br0 --mac $A --mac $B
		[ "$status" = 1 ]
		[ -z "$output" ]
		holds '(.subject | startswith("tap52540084e36")) and (.message | startswith("cannot read it back: "))' <<<"$stderr"
		[ "$(links)" = $'br0\nlo' ]
	done
}

@test "add: a second device for the same guest is refused as existing" {
	add_bridge br0
	run_tapctl add --bridge br0 --mac $A
	run_tapctl add --bridge br0 --mac $A
	[ "$status" = 1 ]
	[[ "$stderr" == "tapctl: $TAP: already exists, made for the guest $A"* ]]
	# under another name the bridge gives it away
	run_tapctl add --bridge br0 --name other --mac $A
	[ "$status" = 1 ]
	[[ "$stderr" == "tapctl: other: another port of br0, $TAP, has the address fe:"* ]]
	no_link other
	[ "$(link_field $TAP .master)" = br0 ]
}

@test "add: nothing is left when its output cannot be written" {
	add_bridge br0
	run bash -c 'nsenter --net=/run/netns/$0 "$TAPCTL" add --bridge br0 --mac 52:54:00:84:e3:62 >/dev/full' "$NS"
	echo "$output"
	[ "$status" = 1 ]
	no_link $TAP
	run inside sh -c 'ulimit -f 0; exec "$@" >"$0"' "$WORK/out" "$TAPCTL" add --bridge br0 --mac $A
	echo "$output"
	[ "$status" = 1 ]
	no_link $TAP
	# No device and no socket gets the number of a stream that is closed, and then what is printed there.
	for closed in '>&-' '<&- >&-' '<&- >&- 2>&-'; do
		run bash -c "nsenter --net=/run/netns/$NS -- \"\$TAPCTL\" add --bridge br0 --mac 52:54:00:84:e3:62 $closed"
		echo "$closed: $status $output"
		[ "$status" = 1 ]
		no_link $TAP
	done
	# Some file systems tell only at the end.
	for place in "--bridge br0" --unattached; do
		# shellcheck disable=SC2086 # options
		run inside strace -qq -o /dev/null -P "$WORK/out" -e trace=close -e inject=close:error=EDQUOT \
			sh -c 'exec "$@" >"$0"' "$WORK/out" "$TAPCTL" add $place --mac 52:54:00:84:e3:62
		echo "$output"
		[ "$status" = 1 ]
		[[ "$output" == "tapctl: standard output: cannot write to it: "* ]]
		no_link $TAP
	done
}

@test "add: without IPv6 there is nothing to switch off" {
	add_bridge br0
	ip link set br0 mtu 1000
	run_tapctl add --bridge br0 --mac $A
	[ "$status" = 0 ]
	ip -j link show $TAP | holds '.[0] | .mtu == 1000 and .master == "br0" and (.flags | index("UP"))'
}

@test "add: the bridge that follows the tap draws a warning with the remedy, a pinned one none" {
	ip link add br0 type bridge
	ip link set br0 up
	run_tapctl add --bridge br0 --mac $A
	[ "$status" = 0 ]
	[[ "$stderr" == "tapctl: warning: br0: "*"tapctl pin br0" ]]
	[ "$(link_field br0 .address)" = fe:54:00:84:e3:62 ]
	add_bridge br1
	run_tapctl add --bridge br1 --mac $B
	[ -z "$stderr" ]
}

@test "add: the flags of the bridge port" {
	requires_locked_ports
	add_bridge br0
	run_tapctl add --bridge br0 --isolated --hairpin --lock-mac --mac $A
	[ "$status" = 0 ]
	ip -d -j link show $TAP | holds '.[0].linkinfo.info_slave_data
		| .isolated and .hairpin and .locked and (.learning | not)'
	bridge -j fdb show dev $TAP | holds 'any(.mac == "52:54:00:84:e3:62" and .state == "static")'
	tapctl list --json $TAP | holds '.[0] | .isolated and .hairpin and .locked'
	# All of it before the first frame can pass.
	tapctl del $TAP
	inside strace -o "$WORK/log" -e trace=sendto "$TAPCTL" add --bridge br0 --isolated --lock-mac --mac $A
	[ "$(grep -oE 'IFLA_INFO_SLAVE_DATA|RTM_NEWNEIGH|ifi_flags=IFF_UP' "$WORK/log" | xargs)" = \
		"IFLA_INFO_SLAVE_DATA RTM_NEWNEIGH ifi_flags=IFF_UP" ]
	run_tapctl add --bridge br0 --mac $B
	tapctl list --json $TAP_B | holds '.[0] | [.isolated, .hairpin, .locked] == [false, false, false]'
}

# Kernels before 5.18 say yes to --lock-mac and do nothing.
@test "add: a flag that did not take effect is an error, and nothing is left" {
	requires_locked_ports
	add_bridge br0
	is_locked() { [ "$(link_field $TAP .linkinfo.info_slave_data.locked 2>/dev/null)" = true ]; }
	# It stands still behind the set-up, until the flag was taken away.
	spawn strace -o /dev/null -e trace=sendto -e inject=sendto:signal=STOP:when=2 \
		"$TAPCTL" add --bridge br0 --lock-mac --mac $A
	wait_until 20 is_locked
	bridge link set dev $TAP locked off
	while pkill -CONT -P "$pid"; do :; done
	local status=0
	wait "$pid" || status=$?
	cat "$WORK/log"
	[ "$status" = 1 ]
	[[ "$(cat "$WORK/log")" == "tapctl: $TAP: --lock-mac did not take effect"* ]]
	no_link $TAP
}

# As udev does it with MACAddressPolicy=, once; and as something that is wrong does it.
@test "add: an address that somebody changed is set once more, and changed again it is an error" {
	add_bridge br0
	stop_behind sendto 2 add --mac $A --bridge br0
	[ "$(link_field $TAP '.flags | index("UP") != null')" = true ]
	ip link set $TAP address 02:11:22:33:44:55
	go_on
	[ "$status" = 0 ]
	[ "$(link_field $TAP .address)" = $HOST ]
	tapctl del $A
	while sleep 0.05 && [ -e "/run/netns/$NS" ]; do ip link set $TAP address 02:11:22:33:44:55 || :; done >/dev/null 2>&1 3>&- 4>&- &
	changer=$!
	local kind
	for kind in "--bridge br0" "--bridge br0 --isolated" --unattached; do
		# shellcheck disable=SC2086 # they are words
		run --separate-stderr inside strace -o /dev/null -e trace=sendto \
			-e inject=sendto:delay_exit=300000:when=1+ "$TAPCTL" add --mac $A $kind
		echo "$status: $stderr"
		[ "$status" = 1 ]
		[[ "$stderr" == "tapctl: $TAP: its address is 02:11:22:33:44:55 and not $HOST: something on this host (udev, "* ]]
		no_link $TAP
	done
	kill $changer
}

@test "add: beside a loop that sets another address as soon as the name is there, it says what is so" {
	add_bridge br0
	inside python3 -c '
import fcntl, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
request = struct.pack("16sH6s8x", sys.argv[1].encode(), 1, bytes.fromhex("021122334455"))
while True:
    try:
        fcntl.ioctl(s, 0x8924, request)
    except OSError:
        pass' $TAP >/dev/null 2>&1 &
	changer=$!
	local i
	for i in {1..40}; do
		run_tapctl add --bridge br0 --mac $A
		if [ "$status" = 0 ]; then
			[ -z "$stderr" ]
			tapctl del $A
		else
			[[ "$stderr" == "tapctl: $TAP: its address "* ]]
			no_link $TAP
		fi
	done
	kill $changer
}

@test "add: VLANs" {
	requires_vlan_filtering
	ip link add br0 type bridge vlan_filtering 1
	ip link set br0 address 02:00:00:00:00:01 up
	run_tapctl add --bridge br0 --vlan 10,20,30 --mac $A
	[ "$status" = 0 ]
	bridge -j vlan show dev $TAP | holds '.[0].vlans | map(.vlan) == [10, 20, 30]
		and (.[0].flags | index("PVID") and index("Egress Untagged")) and .[1].flags == null'
	tapctl list --json $TAP | holds '.[0].vlans == [10, 20, 30]'
}

# The default VLAN is there as soon as the port is: it may be asked for, in either place, or not exist.
@test "add: VLANs, and the bridge's default one in each place" {
	requires_vlan_filtering
	ip link add br0 type bridge vlan_filtering 1
	ip link set br0 address 02:00:00:00:00:01 up
	local default vlans
	for default in 1 10 0; do
		ip link set br0 type bridge vlan_default_pvid $default
		for vlans in 10 1,10 10,1 10,11,12,20; do
			run_tapctl add --bridge br0 --vlan $vlans --mac $A
			[ "$status" = 0 ]
			bridge -j vlan show dev $TAP | holds '.[0].vlans
				| ([.[] | range(.vlan; (.vlanEnd // .vlan) + 1)] | sort) == ($want | sort)
				and [.[] | select(.flags) | [.vlan, .flags]] == [[$want[0], ["PVID", "Egress Untagged"]]]' \
				--argjson want "[$vlans]"
			tapctl list --json $TAP | holds '.[0].vlans | sort == ($want | sort)' --argjson want "[$vlans]"
			tapctl del $TAP
		done
	done
}

@test "add: VLANs on a bridge that does not filter are refused" {
	add_bridge br0
	run_tapctl add --bridge br0 --vlan 10 --mac $A
	[ "$status" = 1 ]
	# Only a kernel that could filter has a default VLAN.
	case $(link_field br0 .linkinfo.info_data.vlan_default_pvid) in
	1) [ "$stderr" = "tapctl: br0: --vlan: VLAN filtering is off there: ip link set br0 type bridge vlan_filtering 1" ] ;;
	*) [ "$stderr" = "tapctl: br0: --vlan: the bridges of this kernel have no VLAN filtering" ] ;;
	esac
	no_link $TAP
}
