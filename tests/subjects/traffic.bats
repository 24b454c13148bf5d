#!/usr/bin/env bats
# What a guest may send (--ip), and how much (--limit-in, --limit-out).
# shellcheck disable=SC2016,SC2030,SC2031 # scripts for other shells; each test is a subshell
load ../tools/helpers
load ../guest/boot

MAC=52:54:00:84:e3:62
TAP=tap52540084e362
MVT=mvt52540084e362
# Those of tests/tools/frames.py.
LIST=10.0.1.2,10.0.2.0/28,fd00::2,fd00:1::/64

setup() {
	setup_namespace
	add_bridge br0
	add_cable wire far
	ip link set wire up
	export FRAMES=$TESTS/tools/frames.py
}

requires_policing() {
	run_tapctl add --mac $MAC --unattached --limit-out 1mbit
	[[ $stderr != *act_police* ]] || skip "this kernel has no act_police: done in the virtual machine"
	tapctl del $TAP
}

# The frames of the table pass as it says, and the device counts what it dropped.
table_holds() { # TAPCTL-OPTION...
	inside "$TAPCTL" exec --mac $MAC --no-vnet-hdr --ip "$LIST" "$@" -- sh -c '
		python3 "$FRAMES" far
		tc -s qdisc show dev $TAPCTL_IFNAME clsact' >"$WORK/out"
	cat "$WORK/out"
	forbidden=$(sed -n 's/^\([0-9]*\) of [0-9]* forbidden$/\1/p' "$WORK/out")
	[ "$forbidden" -gt 60 ]
	[ "$(sed -n 1p "$WORK/out")" = "$forbidden of $(sed -n 's/.* of \([0-9]*\) forbidden/\1/p' "$WORK/out") forbidden" ]
	grep "(dropped $forbidden," "$WORK/out"
}

@test "traffic: --ip on a bridge lets through what the table says, and nothing else" {
	ip link set wire master br0
	table_holds --bridge br0
}

@test "traffic: --ip on a macvtap lets through the same" {
	requires_macvtap
	table_holds --link wire
}

@test "traffic: --ip and --lock-mac together" {
	requires_locked_ports
	ip link set wire master br0
	table_holds --bridge br0 --lock-mac
}

@test "traffic: without --ip all frames of the table come out" {
	requires_macvtap
	inside "$TAPCTL" exec --mac $MAC --no-vnet-hdr --link wire -- python3 "$FRAMES" far >"$WORK/out"
	cat "$WORK/out"
	forbidden=$(sed -n 's/^\([0-9]*\) of [0-9]* forbidden$/\1/p' "$WORK/out")
	[ "$(grep -c 'came out' "$WORK/out")" = "$forbidden" ]
}

@test "traffic: --ip on an unattached tap, where the host is what is reached" {
	cat >"$WORK/ask" <<-'P'
		# Ask for the host's address as the guest and as another, and say who was answered.
		import os, select, socket, sys
		mac, host = bytes.fromhex(sys.argv[1].replace(":", "")), socket.inet_aton("10.0.1.1")
		for own in sys.argv[2:]:
		    os.write(3, b"\xff" * 6 + mac + bytes.fromhex("08060001080006040001") + mac + socket.inet_aton(own) + bytes(6) + host)
		while select.select([3], [], [], 1)[0]:
		    frame = os.read(3, 2000)
		    if frame[12:14] == b"\x08\x06" and frame[21] == 2:
		        print(socket.inet_ntoa(frame[38:42]))
	P
	inside "$TAPCTL" exec --mac $MAC --no-vnet-hdr --unattached --ip 10.0.1.2 -- sh -c '
		ip address add 10.0.1.1/24 dev $TAPCTL_IFNAME
		exec python3 "$@"' sh "$WORK/ask" $MAC 10.0.1.3 10.0.1.2 >"$WORK/out"
	cat "$WORK/out"
	[ "$(cat "$WORK/out")" = 10.0.1.2 ]
}

@test "traffic: --ip keeps two macvtaps of one lower device apart" {
	requires_macvtap
	inside "$TAPCTL" exec --mac $MAC --no-vnet-hdr --link wire --ip "$LIST" -- \
		"$TAPCTL" exec --mac 52:54:00:00:00:99 --no-vnet-hdr --link wire --fd 4 -- \
		python3 "$FRAMES" beside 4 >"$WORK/out"
	cat "$WORK/out"
	grep -x '[0-9]* of [0-9]* forbidden' "$WORK/out"
	[ "$(wc -l <"$WORK/out")" = 1 ]
}

@test "traffic: what the host writes for a guest that leaves checksums to it" {
	inside "$TAPCTL" exec --mac $MAC --bridge br0 --ip "$LIST" -- \
		"$TAPCTL" exec --mac 52:54:00:00:00:99 --bridge br0 --fd 4 -- python3 "$FRAMES" sums 4 >"$WORK/out" 2>"$WORK/log"
	cat "$WORK/out"
	# As the man page says.
	diff "$WORK/out" - <<-'END'
		the source MAC: never changed
		the source MAC of ARP: never changed
		the IPv4 source: never changed
		the ARP sender: changed
		the IPv6 source: changed
		the target of an advertisement: never changed
	END
}

# Frames that do not pass, at full speed, and what comes out of the wire of them.
listen() {
	nsenter --net="/run/netns/$NS" python3 "$FRAMES" listen far >"$WORK/heard" 2>&1 3>&- 4>&- &
	listener=$!
	wait_until 10 grep -q listening "$WORK/heard"
}
nothing_heard() {
	kill $listener
	wait $listener || :
	cat "$WORK/heard"
	[ "$(cat "$WORK/heard")" = listening ]
}

@test "traffic: nothing passes a guest that spoofs at full speed, while its bridge is made anew" {
	ip link set wire master br0
	listen
	nsenter --net="/run/netns/$NS" "$TAPCTL" exec --mac $MAC --bridge br0 --no-vnet-hdr --ip "$LIST" -- \
		python3 "$FRAMES" flood >"$WORK/log" 2>&1 </dev/null 3>&- 4>&- &
	flood=$!
	wait_until 10 eval 'tc -s qdisc show dev $TAP clsact 2>/dev/null | grep -q "dropped [1-9]"'
	for _ in {1..10}; do
		ip link del br0
		add_bridge br0
		ip link set wire master br0
		# What was lost comes back before the port is open.
		tc qdisc del dev $TAP clsact
		run_quiet attach $TAP
		[[ $output = *"made for br0"* && $output = *"has lost the filter"* ]]
	done
	kill $flood
	wait $flood || :
	nothing_heard
}

@test "traffic: nothing passes a macvtap that is opened as soon as it is there" {
	requires_macvtap
	listen
	nsenter --net="/run/netns/$NS" python3 "$FRAMES" hunt >"$WORK/hunted" 2>&1 3>&- 4>&- &
	hunter=$!
	for _ in {1..20}; do
		run_quiet add --mac $MAC --link wire --ip "$LIST"
		wait_until 10 eval 'tc -s qdisc show dev $MVT clsact | grep -q "dropped [1-9]"'
		run_quiet del --force $MVT
	done
	kill $hunter
	wait $hunter || :
	nothing_heard
}

@test "traffic: list and the record have it, and tc shows it" {
	run_quiet add --mac $MAC --bridge br0 --ip FD00:0::2,10.0.1.2/32,10.0.2.0/28 --limit-in 12500kbps:200000
	tapctl list --json | holds '.[0] | .ip == ["fd00::2", "10.0.1.2", "10.0.2.0/28"] and .limit_in == "100mbit:200000" and .limit_out == null'
	[ "$(link_field $TAP .ifalias)" = "tapctl guest $MAC by=add on=br0 ip=fd00::2,10.0.1.2,10.0.2.0/28 in=100mbit:200000" ]
	tc -j qdisc show dev $TAP root | holds '.[0] | .kind == "tbf" and .options.rate == 12500000'
	tc filter show dev $TAP ingress | grep 'pref 1 bpf .* direct-action'
	# Its addresses are data behind a jump, for who reads the program: family, length and bits.
	tc filter show dev $TAP ingress | grep "bytecode '[0-9]*,5 0 0 6,0 6 128 4244635648,0 6 128 0,0 6 128 0,0 6 128 2,0 4 32 167772418,0 4 28 167772672,"
}

@test "traffic: a limit on the guest's side of a macvtap" {
	requires_macvtap
	run_quiet add --mac $MAC --link wire --limit-out 1.5mbit
	tapctl list --json | holds '.[0] | .limit_out == "1500kbit" and .limit_in == null'
	tc -j qdisc show dev $MVT root | holds '.[0] | .kind == "tbf" and .options.rate == 187500'
}

@test "traffic: without limits there is no queueing discipline" {
	run_quiet add --mac $MAC --bridge br0 --ip 10.0.1.2
	tc -j qdisc show dev $TAP root | holds '.[0].kind == "noqueue"'
}

@test "traffic: policing, on either kind of device" {
	requires_policing
	requires_macvtap
	run_quiet add --mac $MAC --bridge br0 --ip 10.0.1.2 --limit-out 10mbit
	tc filter show dev $TAP ingress | grep 'police .* rate 10Mbit burst 128Kb mtu 128Kb action drop'
	run_quiet add --mac $MAC --link wire --limit-in 10gbit --limit-out 1gbit
	tc filter show dev $MVT ingress | grep 'police .* rate 10Gbit'
	tc -j qdisc show dev $MVT root | holds '.[0].kind == "tbf"'
	tc filter del dev $TAP ingress pref 2
	run_tapctl check $TAP
	[[ $output = *"the bandwidth from its guest is not limited as it was"* ]]
	run_quiet attach $TAP $MVT
	[[ $output = "$TAP: mended: "* ]]
}

@test "traffic: a kernel that lacks a part makes no device, and is told which" {
	run_tapctl add --mac $MAC --bridge br0 --limit-out 1mbit
	[[ $stderr = *act_police* ]] || skip "this kernel has all parts"
	[ "$status" = 1 ]
	[ "$stderr" = "tapctl: $TAP: --limit-out: this kernel has no act_police: modprobe act_police" ]
	no_link $TAP
	requires_macvtap
	run_tapctl add --mac $MAC --link wire --limit-in 1mbit
	[ "$stderr" = "tapctl: $MVT: --limit-in: this kernel has no act_police: modprobe act_police" ]
	no_link $MVT
}

@test "traffic: what somebody else has on the device stays there" {
	run_quiet add --mac $MAC --bridge br0 --ip 10.0.1.2
	tc filter add dev $TAP ingress pref 7 protocol ip u32 match u32 0 0
	tc filter del dev $TAP ingress pref 1
	run_quiet attach $TAP
	tc filter show dev $TAP ingress | grep 'pref 7 u32'
	tc filter show dev $TAP ingress | grep 'pref 1 bpf'
}

@test "traffic: --reuse compares the filter and the limits" {
	run_quiet add --mac $MAC --bridge br0 --ip 10.0.1.2,fd00::2 --limit-in 10mbit
	run_quiet exec --mac $MAC --bridge br0 --reuse --ip 10.0.1.2/32,fd00:0::2 --limit-in 10000kbit -- true
	run_tapctl exec --mac $MAC --bridge br0 --reuse --ip 10.0.1.3 -- true
	[ "$status" = 125 ]
	stderr_holds "--reuse: exists without this --ip: leave that out, or make it anew: tapctl del $TAP"
	run_tapctl exec --mac $MAC --bridge br0 --reuse --limit-in 20mbit -- true
	stderr_holds "exists without this --limit-in"
	tc filter del dev $TAP ingress
	run_tapctl exec --mac $MAC --bridge br0 --reuse --ip 10.0.1.2,fd00::2 -- true
	stderr_holds "it has lost the filter" "tapctl attach $TAP"
}

@test "traffic: bad addresses and rates are told what to write" {
	local bad
	for bad in '' ',' 10.0.1 '10.0.1.2,' 10.0.1.2/33 10.0.1.2/ 10.0.1.2/24 10.0.1.2/x 010.0.1.2 1.2.3.4.5 \
		0.0.0.0 127.0.0.1 224.0.0.1 255.255.255.255 :: ::1 ff02::1 fd00::2/129 fd00::2/64 fd00:::2 fe80::1%eth0 \
		::ffff:10.0.1.2 10.0.1.2,10.0.1.2 '10.0.1.2 10.0.1.3' host; do
		run_tapctl add --mac $MAC --bridge br0 --ip "$bad"
		[ "$status" = 2 ]
		[[ $stderr = "tapctl: --ip '$bad': "* ]]
	done
	for bad in '' 10 10mbits -1mbit 1kbit 2tbit 0x10mbit nanmbit 1e9 10mbit: 10mbit:1000 10mbit:x 10mbit:99999999999 8kbit:300000 1..5mbit 50%; do
		run_tapctl add --mac $MAC --bridge br0 --limit-in "$bad"
		[ "$status" = 2 ]
		[[ $stderr = "tapctl: --limit-in '$bad': "* ]]
	done
	run_tapctl add --mac $MAC --bridge br0 --ip 10.0.1.2 --ip 10.0.1.3
	[[ $status = 2 && $stderr = *"--ip: given twice"* ]]
	run_tapctl add --mac $MAC --bridge br0 --ip 10.0.1.2 --vlan 5,6
	[[ $status = 2 && $stderr = *"give each VLAN a NIC of its own"* ]]
	run_tapctl add --link wire --host --ip 10.0.1.2
	[[ $status = 2 && $stderr = *"--ip: is for a guest's device"* ]]
	run_tapctl add --mac $MAC --bridge br0 --ip "$(printf '10.111.111.%d,' {101..120})10.0.0.1"
	[[ $status = 1 && $stderr = *"--ip: too many addresses: "*"write prefixes"* ]]
	run_tapctl add --mac $MAC --bridge br0 --ip "$(printf '1.1.1.%d,' {1..40})10.0.0.1"
	[[ $status = 2 && $stderr = *"too many addresses: write "* ]]
	no_link $TAP
}

@test "traffic: as many addresses as the record holds" {
	run_quiet add --mac $MAC --bridge br0 --ip "$(printf '10.111.111.%d,' {101..112})10.0.0.0/8,::/0"
	tapctl list --json | holds '.[0].ip | length == 14'
}

@test "traffic: a guest gets its address by DHCP through --ip, and one by SLAAC, and no other is heard" {
	requires_guest
	ip link set wire master br0
	ip address add 10.0.1.1/24 dev far
	ip -6 address add fd00:1::1/64 dev far nodad
	cat >"$WORK/udhcpd.conf" <<-END
		start 10.0.1.2
		end 10.0.1.2
		interface far
		lease_file $WORK/leases
		pidfile $WORK/udhcpd.pid
		option subnet 255.255.255.0
	END
	: >"$WORK/leases"
	nsenter --net="/run/netns/$NS" busybox udhcpd -f "$WORK/udhcpd.conf" >"$WORK/udhcpd" 2>&1 3>&- 4>&- &
	nsenter --net="/run/netns/$NS" python3 "$FRAMES" advertise far fd00:1:: >"$WORK/radvd" 2>&1 3>&- 4>&- &
	disown
	guest_args "$GUEST" "$(guest_cmd '
		printf "%s\n" "#!/bin/sh" "[ \"\$1\" != bound ] || ip address add \$ip/24 dev \$interface" >/tmp/bound
		chmod +x /tmp/bound
		udhcpc -n -q -f -i eth0 -s /tmp/bound -t 20 -T 1
		ping -c 1 -W 5 10.0.1.1 >/dev/null && echo "guest: heard by IPv4"
		for try in 1 2 3 4 5 6 7 8 9 10; do
			ip -6 address show dev eth0 | grep "fd00:1:" && break
			sleep 1
		done
		ping -c 1 -W 5 fd00:1::1 >/dev/null && echo "guest: heard by IPv6"
		ip address flush dev eth0
		ip address add 10.0.1.3/24 dev eth0
		ping -c 2 -W 1 10.0.1.1 >/dev/null || echo "guest: unheard"')"
	guest_nic $MAC 3
	guest_start "$WORK/console" nsenter --net="/run/netns/$NS" "$TAPCTL" exec --bridge br0 \
		--ip 10.0.1.2,fd00:1::5054:ff:fe84:e362 -- "${qemu[@]}"
	guest_wait "$WORK/console" 'guest: unheard' 90 "$guest_pid"
	grep -a 'guest: heard by IPv4' "$WORK/console"
	grep -a 'guest: heard by IPv6' "$WORK/console"
	guest_stop
}
