#!/usr/bin/env bats
# Taps on a bridge of Open vSwitch: the port comes and goes with its tap.
# shellcheck disable=SC2016 # scripts for other shells
load ../tools/helpers
load ovs

A=52:54:00:00:00:0a TAP=tap52540000000a
B=52:54:00:00:00:0b TAP_B=tap52540000000b

setup() {
	setup_namespace
	requires_switch
	start_switch
}

# Nothing is left: no port, no tap, no watcher.
gone() {
	wait_until 10 no_taps
	no_link $TAP
	no_link $TAP_B
	wait_until 10 no_watchers
}

# A guest that answers at 10.0.0.2, with the command line's options: guest [OPTION...]
guest() {
	spawn env BEGUN="$WORK/begun" "$TAPCTL" exec --ovs br-int --mac $A --no-vnet-hdr "$@" -- \
		python3 "$TESTS/tools/guest.py" $A 10.0.0.2 announce
	wait_until 10 test -e "$WORK/begun"
	rm "$WORK/begun"
}
# A host at 10.0.0.1 beyond another port of the bridge: an address on the bridge would not do, as the host's
# stack answers on the tap itself.
add_far() {
	add_cable wire far0 far
	command ip -n far addr add 10.0.0.1/24 dev far0
	# The userspace datapath does no checksums.
	vsctl add-port br-int wire
}
ping_far() { inside_of far ping -c 1 -W "$1" 10.0.0.2 >/dev/null; }

@test "ovs: exec makes the port, add one that stays, and del removes it" {
	run --separate-stderr tapctl exec --ovs br-int --mac $A -- sh -c '
		ip -j -d link show "$TAPCTL_IFNAME"; grep iff: /proc/self/fdinfo/3'
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	holds '.[0] | .address == "fe:54:00:00:00:0a" and (.flags | index("UP")) and .inet6_addr_gen_mode == "none"
		and .ifalias == "tapctl guest '$A' by=exec ovs=br-int"' <<<"${lines[0]}"
	[[ ${lines[1]} = *$TAP ]]
	gone
	run_quiet add --ovs br-int --mac $A
	[ "$output" = $TAP ]
	one_tap $TAP
	[ "$(column Port $TAP other_config:transient)" = true ]
	[ "$(column Interface $TAP external_ids:attached-mac)" = $A ]
	[ "$(column Interface $TAP external_ids:iface-status)" = active ]
	[ "$(column Interface $TAP external_ids:tapctl)" = "$(column Port $TAP external_ids:tapctl)" ]
	# Its watcher ends with add.
	wait_until 10 no_watchers
	tapctl list --json | holds '.[0] | .ovs == "br-int" and .bridge == null and .iface_id == null and .vlans == []'
	[[ $(tapctl list) = *" br-int "* ]]
	diff <(LC_ALL=C tapctl list --tree | grep -A1 Open) <(printf '%s\n' 'br-int Open vSwitch' "\`- $TAP $A waits for its guest")
	run_quiet exec --reuse --ovs br-int --mac $A -- true
	one_tap $TAP
	run_quiet del $TAP
	gone
	# A port that others made in its place is theirs.
	run_quiet add --ovs br-int --mac $A
	vsctl del-port $TAP -- add-port br-int $TAP
	run_quiet del $TAP
	one_tap $TAP
}

@test "ovs: a port in VLANs, two NICs with two queues, and another MTU" {
	vsctl add-br br1 -- set bridge br1 datapath_type=netdev
	run_quiet add --ovs br-int --mtu 1400 --mac $A --vlan 10,20,30 --mac $B --ovs br1 --vlan 7 --queues 2
	[ "$(column Port $TAP tag) $(column Port $TAP trunks) $(column Port $TAP vlan_mode)" = "10 [20, 30] native-untagged" ]
	[ "$(column Port $TAP_B tag) $(column Port $TAP_B trunks) $(column Port $TAP_B vlan_mode)" = "7 [] []" ]
	[ "$(vsctl port-to-br $TAP_B)" = br1 ]
	[ "$(link_field $TAP .mtu)" = 1400 ]
	[ "$(column Interface $TAP mtu_request)" = "[]" ]
	tapctl list --json | holds '.[0].vlans == [10, 20, 30] and .[1].vlans == [7] and .[1].ovs == "br1"'
	run_tapctl exec --reuse --ovs br-int --mac $A --mtu 1400 --vlan 10,20 -- true
	[ "$status" = 125 ]
	stderr_holds "$TAP: --reuse: exists without this --vlan"
	run_quiet exec --reuse --ovs br1 --mac $B --vlan 7 --queues 2 --mtu 1400 -- true
	run_quiet del $A $B
	gone
}

@test "ovs: add --may-exist leaves a port that is as asked for, and makes what is not there" {
	rows() { vsctl list Port $TAP; column Interface $TAP _uuid; column Interface $TAP external_ids; }
	refused() { # WORD OPTION...
		run_tapctl add --may-exist "${@:2}"
		[ "$status" = 1 ]
		[ -z "$output" ]
		stderr_holds "$TAP: $1"
		[ "$(rows)" = "$before" ]
	}
	local before index
	vsctl add-br br1 -- set bridge br1 datapath_type=netdev
	run_quiet add --may-exist --ovs br-int --vlan 10,20 --mac $A
	before=$(rows)
	index=$(link_field $TAP .ifindex)
	run_quiet add --may-exist --ovs br-int --vlan 10,20 --mac $A --mac $B
	[ "$output" = $TAP$'\n'$TAP_B ]
	[ "$(link_field $TAP .ifindex)" = "$index" ]
	[ "$(rows)" = "$before" ]
	one_tap $TAP$'\n'$TAP_B
	refused "already exists, and was made with vlan=10,20 and without vlan=10" --ovs br-int --vlan 10 --mac $A
	refused "already exists, and was made without iface-id=lp1" --ovs br-int --vlan 10,20 --iface-id lp1 --mac $A
	refused "already exists" --ovs br1 --vlan 10,20 --mac $A
	refused "already exists" --unattached --mac $A
	# Its tap alone is not all of it.
	vsctl del-port $TAP
	run_tapctl add --may-exist --ovs br-int --vlan 10,20 --mac $A
	[ "$status" = 1 ]
	stderr_holds "$TAP: --may-exist: it is on no bridge and was made for br-int of Open vSwitch: tapctl attach $TAP"
	no_port $TAP
	run_quiet del $A $B
	gone
	# Several at once: one makes it, for the others it is there.
	local k pids=()
	for k in 1 2 3 4 5; do
		tapctl add --may-exist --ovs br-int --mac $A >>"$WORK/names" &
		pids+=($!)
	done
	for k in "${pids[@]}"; do wait "$k"; done
	[ "$(sort "$WORK/names" | uniq -c | xargs)" = "5 $TAP" ]
	one_tap $TAP
	run_quiet del $A
	gone
}
no_port() { ! ports | grep -x "$1"; }

@test "ovs: --dry-run makes nothing, and its commands the same tap and port" {
	shown() {
		ip -d -j link show $TAP | jq -S '.[] | {address, mtu, ifalias, inet6_addr_gen_mode, linkinfo, up: (.flags | index("UP"))}'
		vsctl --columns=tag,trunks,vlan_mode,other_config list Port $TAP
		vsctl --format=json --columns=external_ids list Interface $TAP | jq -S '.data[0][0][1] | map(select(.[0] != "tapctl"))'
	}
	same() { # OPTION...
		run_quiet add --dry-run --ovs br-int --mac $A "$@"
		no_link $TAP
		no_taps
		switch_program "$NS" sh -ec "$output"
		shown >"$WORK/by-hand"
		vsctl del-port $TAP
		ip link del $TAP
		run_quiet add --ovs br-int --mac $A "$@"
		shown | diff "$WORK/by-hand" -
		run_quiet del $TAP
		gone
	}
	same
	same --vlan 7 --mtu 1400
	same --vlan 10,20,30 --queues 2
	run_tapctl add --dry-run --ovs br-x --mac $A
	[ "$status" = 1 ]
	[ -z "$output" ]
	stderr_holds "br-x: Open vSwitch has no such bridge: it has br-int"
	run_tapctl exec --dry-run --ovs br-int --iface-id lp1 --mac $A -- true
	[ "$status" = 0 ]
	[[ $output = *"ovs-vsctl add-port br-int $TAP "*" external_ids:iface-id=lp1"* ]]
	gone
}

@test "ovs: what fails leaves neither port nor tap, and says what to do" {
	check_failure() { # STATUS WORD...; all but the port foo is as it was
		[ "$status" = "$1" ]
		stderr_holds "${@:2}"
		[ "$(grep -c '^tapctl: ' <<<"$stderr")" = 1 ]
		no_link $TAP
		wait_until 10 no_taps
		[ "$(ports)" = foo ]
		wait_until 10 no_watchers
	}
	ip link add foo type veth peer name foo1
	vsctl add-port br-int foo -- set interface foo external_ids:iface-id=lp7
	run_tapctl add --ovs br-x --mac $A
	check_failure 1 "br-x: Open vSwitch has no such bridge: it has br-int"
	ip link del foo
	run_tapctl add --ovs br-int --mac $A --name foo
	check_failure 1 "foo: Open vSwitch has a port of that name on br-int, which tapctl did not make, for iface-id lp7"
	# The second NIC fails: the first one's port goes too.
	run_tapctl exec --ovs br-int --mac $A --mac $B --name foo -- true
	check_failure 125 "foo: Open vSwitch has a port"
	for words in "--lock-mac:lsp-set-port-security" "--isolated:protected=true" "--hairpin:in_port" \
		"--ip=10.0.0.2:lsp-set-port-security" "--limit-in=1mbit:qos=" "--limit-out=1mbit:ingress_policing_rate"; do
		run_tapctl add --ovs br-int --mac $A "${words%:*}"
		words=${words/=1*:/:}
		check_failure 2 "${words%%:*}: is for a" "with --ovs" "${words#*:}"
	done
	run_tapctl exec --ovs br-int --mac $A -- "$WORK"
	check_failure 126 "cannot run it"
	OVS_RUNDIR=$WORK run_tapctl exec --ovs br-int --mac $A -- true
	check_failure 125 "$WORK/db.sock: Open vSwitch does not run here"
	# ovs-vswitchd is in another network namespace: its own words are shown.
	command ip netns add far
	run_tapctl add --netns far --ovs br-int --mac $A
	check_failure 1 "$TAP: ovs-vswitchd did not take it for br-int: could not open network device $TAP (No such device)"
	# It is dead.
	stop ovs-vswitchd.pid
	run_tapctl exec --ovs br-int --mac $A -- true
	check_failure 125 "$TAP: ovs-vswitchd did nothing for br-int within 5 s"
	stop ovsdb.pid
	run_tapctl exec --ovs br-int --mac $A -- true
	[ "$status" = 125 ]
	stderr_holds "db.sock: Open vSwitch does not run here"
	no_link $TAP
}

@test "ovs: a guest that is killed with its watcher starts again, and is heard beyond another port" {
	add_far
	# By hand the next tap of that name is deaf: what tapctl has to do is no superstition.
	ip tuntap add dev $TAP mode tap
	vsctl add-port br-int $TAP
	ip link del $TAP
	spawn "$TAPCTL" exec --unattached --mac $A --no-vnet-hdr -- python3 "$TESTS/tools/guest.py" $A 10.0.0.2 announce
	wait_until 10 link_field $TAP .ifindex >/dev/null
	run ping_far 2
	[ "$status" != 0 ]
	kill "$pid"
	wait_until 10 no_link $TAP
	vsctl del-port $TAP

	for round in 1 2; do
		guest
		ping_far 10
		watchers | xargs kill -KILL
		kill -KILL "$pid"
		wait_until 10 no_link $TAP
		one_tap $TAP
	done
	guest --vlan 7
	vsctl set port wire tag=7
	ping_far 10
	kill -KILL "$pid"
	gone
}

@test "ovs: a watcher that is late leaves the port of the next guest alone" {
	guest
	local watcher key=external_ids:tapctl=0123456789abcdef
	watcher=$(watchers)
	# So nobody says of which device the next port is.
	kill -STOP "$watcher" "$(cat "$OVS_RUNDIR/ovs-vswitchd.pid")"
	kill -KILL "$pid"
	wait_until 10 no_link $TAP
	ip tuntap add $TAP mode tap
	vsctl --no-wait del-port $TAP -- add-port br-int $TAP -- set port $TAP $key -- set interface $TAP $key
	kill -CONT "$watcher"
	wait_until 10 no_watchers
	one_tap $TAP
}

@test "ovs: what ovs-vswitchd has not seen disappear is waited for, also when it disappears just then" {
	# Else it would have the old tap still, for a port of the same name.
	add_far
	local when delay
	for when in before between; do
		delay=()
		run_quiet add --ovs br-int --mac $A --no-vnet-hdr
		wait_until 10 no_watchers
		kill -STOP "$(cat "$OVS_RUNDIR/ovs-vswitchd.pid")"
		if [ $when = before ]; then
			run_quiet del $TAP
		else
			delay=(strace -qq -o /dev/null -e trace=ioctl -e inject=ioctl:delay_enter=2000000:when=1)
		fi
		spawn env BEGUN="$WORK/begun" "${delay[@]}" "$TAPCTL" exec --ovs br-int --mac $A --no-vnet-hdr -- \
			python3 "$TESTS/tools/guest.py" $A 10.0.0.2 announce
		if [ $when = between ]; then
			# By now it has read what there is.
			wait_until 10 has_tun_open
			run_quiet del $TAP
		fi
		wait_until 10 has_watcher
		no_taps
		kill -CONT "$(cat "$OVS_RUNDIR/ovs-vswitchd.pid")"
		wait_until 10 test -e "$WORK/begun"
		ping_far 10
		rm "$WORK/begun"
		kill "$(pgrep -P "$pid" || echo "$pid")"
		gone
	done
}
has_watcher() { [ -n "$(watchers)" ]; }
has_tun_open() { find /proc/"$(pgrep -P "$pid" -x tapctl)"/fd -lname /dev/net/tun | grep -q .; }

@test "ovs: guests on a tap of add are heard, one after the other, and their port stays" {
	add_far
	run_quiet add --ovs br-int --mac $A
	for round in 1 2; do
		guest --reuse
		ping_far 10
		kill "$pid"
		wait_until 10 has_no_carrier
		one_tap $TAP
	done
	run_quiet del $A
	gone
}
has_no_carrier() { [[ $(link_field $TAP .flags) = *NO-CARRIER* ]]; }

@test "ovs: del --stale removes the ports of ours whose tap is gone, and no others" {
	run_quiet add --ovs br-int --mac $A --mac $B
	ip link add foo type veth peer name foo1
	vsctl add-port br-int foo
	ip link del foo
	# While those of add are there they remove the ports.
	wait_until 10 no_watchers
	ip link del $TAP
	wait_until 10 has_no_ifindex
	run_tapctl del --stale -v
	[ "$status" = 0 ]
	stderr_holds "$TAP: removed its port on br-int"
	[ "$(ports)" = $'foo\n'$TAP_B ]
	OVS_RUNDIR=/nowhere run_quiet del --stale
	OVS_RUNDIR=/nowhere run_tapctl del $TAP_B
	[ "$status" = 1 ]
	stderr_holds "/nowhere/db.sock"
	OVS_RUNDIR=/nowhere run_tapctl del --force $TAP_B
	[ "$status" = 0 ]
	stderr_holds "tapctl: warning: $TAP_B: its port on br-int may be left: /nowhere/db.sock"
	no_link $TAP_B
}
has_no_ifindex() { [ "$(column Interface $TAP ifindex)" = 0 ]; }

@test "ovs: a tap that is moved to another namespace loses its port" {
	guest
	ip link set $TAP netns "$(command ip netns add far; echo far)"
	gone
	kill "$pid"
}

@test "ovs: the port of a guest that runs in another namespace is left alone" {
	add_far
	guest
	# Not with an index that is the same by chance.
	command ip -n far link add other0 type veth peer name other1
	command ip -n far link add other2 type veth peer name other3
	[ "$(link_field $TAP .ifindex)" != "$(command ip -n far -j link show | jq 'map(.ifindex) | max + 1')" ]
	run inside_of far "$TAPCTL" exec --ovs br-int --mac $A -- true
	echo "$output"
	[ "$status" = 125 ]
	[[ $output = "tapctl: $TAP: Open vSwitch has a port of that name on br-int, and another device for it"* ]]
	one_tap $TAP
	ping_far 10
	kill "$pid"
	gone
}

@test "ovs: a guest that ends while the database restarts leaves no port" {
	guest
	stop ovsdb.pid
	kill "$pid"
	wait_until 10 no_link $TAP
	start_database
	gone
}

@test "ovs: trace sees the tap, and names what shows the rest" {
	spawn env BEGUN="$WORK/begun" "$TAPCTL" exec --ovs br-int --mac $A --no-vnet-hdr -- \
		python3 "$TESTS/tools/guest.py" $A 10.0.0.2 arp=10.0.0.1
	wait_until 10 test -e "$WORK/begun"
	run_tapctl trace --json --seconds 1 $A
	[ "$status" = 1 ]
	got '.verdict == "no-answer" and (.hops | length) == 1'
	local remedy
	remedy=$(jq -r .remedy <<<"$output")
	[ "$remedy" = "ask the switch: ovs-appctl ofproto/trace br-int in_port=$TAP,dl_src=$A" ]
	# shellcheck disable=SC2086 # a command
	switch_program "$NS" ${remedy#*: } | grep -q 'Datapath actions'
	kill "$pid"
}

@test "ovs: --netns and --user are as with a bridge, and lent capabilities are refused" {
	# From elsewhere, to where the switch is.
	command ip netns add far
	run inside_of far "$TAPCTL" exec --netns "$NS" --ovs br-int --mac $A --user nobody -- sh -c '
		id -u; grep iff: /proc/self/fdinfo/3; ls -l /proc/self/fd | grep -c socket: || :'
	echo "$output"
	[ "$status" = 0 ]
	[[ "${lines[0]} ${lines[1]} ${lines[2]}" = "65534 iff:"*"$TAP 0" ]]
	gone
	make_caller
	echo "allow all" >"$ETC/tapctl/bridge.conf"
	run as_caller "$PUBLIC/tapctl" exec --ovs br-int --mac $A -- true
	echo "$output"
	[ "$status" = 125 ]
	[[ $output = "tapctl: --ovs: not permitted for an unprivileged caller"* ]]
}

@test "ovs: a library that is missing is named, and a bridge needs none" {
	local library
	library=$(ldconfig -p | awk '/libjansson.so.4 / { print $NF; exit }')
	add_bridge br0
	run inside unshare --mount sh -euc 'mount --bind /dev/null "$0"; "$1" add --bridge br0 --mac $2 && exec "$1" add --ovs br-int --mac $3' \
		"$(realpath "$library")" "$TAPCTL" $A $B
	[ "$status" = 1 ]
	[[ $output = *"libjansson.so.4 is not installed"* ]]
	# Nothing of what del --stale removes has to be a port.
	run inside unshare --mount sh -euc 'mount --bind /dev/null "$0"; "$1" del --stale' "$(realpath "$library")" "$TAPCTL"
	[[ "$status" = 0 && -z "$output" ]]
	inside strace -f -e trace=openat,connect "$TAPCTL" exec --bridge br0 --mac $B -- true 2>&1 | { ! grep -E 'jansson|db.sock'; }
}
