#!/usr/bin/env bats
# tapctl check: every finding provoked for real, and nothing said of what is sound. Where there is a
# remedy that a test can follow, it is followed, and then there is silence again.
# shellcheck disable=SC2086 # WORDS is a list of words
load ../tools/helpers
load check

@test "check: an empty host is sound" {
	silent
	add_bridge br0
	add_cable v0 v1
	silent
}

@test "check: a guest on a bridge is sound, and so is one on a macvtap" {
	sound_bridge
	silent
	requires_macvtap
	add_cable wire there "far$NS"
	hold --link wire --mac $B
	silent
}

@test "check: a set-up as libvirt makes it is sound" {
	ip link add virbr0 type bridge stp_state 1 forward_delay 0
	ip link set virbr0 address 52:54:00:01:02:03 up
	ip addr add 192.168.122.1/24 dev virbr0
	ip tuntap add vnet0 mode tap vnet_hdr user root
	ip link set vnet0 address $HOST master virbr0 up
	inside python3 -c '
import fcntl, os, struct, sys, time
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", b"vnet0", 0x5002))
os.write(int(sys.argv[1]), b"0\n")
time.sleep(1000)' "$held" >"$WORK/log" 2>&1 &
	read -rt 20 <&"$held"
	# With STP the kernel waits for two seconds at least, whatever the delay.
	WORDS=vnet0 wait_until 10 silent >/dev/null
}

@test "check: protections that were asked for are sound" {
	sound_bridge --lock-mac --isolated --hairpin
	silent
}


@test "check: guests who are isolated from each other, on a bridge with the host alone, are sound" {
	host_bridge 2001:db8::1/64
	hold --bridge br0 --isolated --mac $A --mac $B
	silent
}

@test "check: beside the host, a stopped container and an idle dummy are not a broken uplink" {
	host_bridge
	ip link add idle type veth peer name stopped
	ip link set idle master br0 up
	if ip link add parked type dummy 2>/dev/null; then ip link set parked master br0; fi
	hold --bridge br0 --mac $A
	silent
	ip addr del 192.0.2.1/24 dev br0
	only br0:uplink-down
}

@test "check: a device on a bridge is not a port of it, and leads to the host" {
	add_bridge br0
	ip link add link br0 name lan type macvlan mode bridge
	ip link set lan address 00:00:00:00:00:01
	hold --bridge br0 --mac $A
	silent
	ip link del lan
	only br0:no-uplink
	requires_macvtap
	ip link add link br0 name direct address $B type macvtap mode bridge
	ip link set direct allmulticast on up
	# It is another guest's.
	only br0:no-uplink
	ip addr add 192.0.2.1/24 dev br0
	WORDS=direct notes br0:host-apart direct:no-holder
}

@test "check: a tap that is not a guest's may be the uplink, a VPN's" {
	add_bridge br0
	ip tuntap add vpn mode tap user root
	ip link set vpn master br0 up
	hold --bridge br0 --mac $A
	silent
	WORDS="vpn $TAP" only br0:no-uplink
}

@test "check: a master that is not a bridge is left alone" {
	ip link add vrf0 type vrf table 10 2>/dev/null || skip "this kernel has no VRF"
	hold --unattached --mac $A
	ip link set $TAP master vrf0
	silent
}

@test "check: devices that come and go meanwhile are sound" {
	host_bridge
	requires_macvtap
	add_cable wire far "far$NS"
	local turns="for i in {1..30}; do \"\$0\" exec \"\$@\" -- true; done"
	inside bash -c "$turns" "$TAPCTL" --bridge br0 --mac $A 2>/dev/null &
	inside bash -c "$turns" "$TAPCTL" --link wire --mac $B 2>/dev/null &
	while [ -n "$(jobs -pr)" ]; do silent >"$WORK/said" || { cat "$WORK/said"; return 1; }; done
}

@test "check: a routed guest is sound" {
	inside sysctl -qw net.ipv4.ip_forward=1
	add_cable uplink far "far$NS"
	ip addr add 192.0.2.1/24 dev uplink
	hold --unattached --mac $A
	ip addr add 198.51.100.1/32 dev $TAP
	ip route add 198.51.100.2/32 dev $TAP
	notes
}

@test "check: only named devices are looked at, also those that tapctl did not make" {
	sound_bridge
	ip tuntap add foreign mode tap user root
	silent
	WORDS=foreign only foreign:device-down
	WORDS=$A silent
	WORDS="foreign $TAP" only foreign:device-down
	run_tapctl check nosuch
	[[ $status = 1 && "$stderr" == "tapctl: 'nosuch': there is no such device"* ]]
}

@test "check: of one device in which nothing is found, trace is next" {
	sound_bridge
	tapctl add --bridge br0 --mac $B --owner root
	for words in "$TAP" $A; do
		run_quiet check $words
		[ "$output" = "$TAP: nothing found; to see where its frames end: tapctl trace $TAP" ]
	done
	# Not when more were asked for, nor for a program.
	for words in "" br0 "--json $TAP"; do
		run_tapctl check $words
		[[ "$output" != *trace* ]]
	done
}

@test "check: a bridge or a lower device stands for what is on it" {
	sound_bridge
	ip tuntap add foreign mode tap user root
	ip link set foreign master br0
	silent
	WORDS=br0 only foreign:device-down
	WORDS="br0 foreign $TAP" only foreign:device-down
	add_cable v0 v1
	run_tapctl check v0
	[[ $status = 1 && "$stderr" == "tapctl: v0: is not a tap or macvtap, and none is on it: "* ]]
	requires_macvtap
	tapctl add --link v0 --mac $B
	WORDS=v0 notes mvt52540084e363:no-holder
}

@test "check: it changes nothing" {
	sound_bridge
	ip link set $TAP down
	# Duplicate address detection ends by itself.
	state() { ip -j link show; ip -j addr show | sed 's/"tentative":true,//g'; bridge -j link show; }
	state >"$WORK/before"
	run_tapctl check
	[ "$status" = 1 ]
	state | diff - "$WORK/before"
}

@test "check no-holder: a tap" {
	sound_bridge
	tapctl add --bridge br0 --mac $B
	notes $TAPB:no-holder
	run_tapctl check -v
	[[ $status = 0 && "$output" = "$TAPB: note: no process has it open"* ]]
	run_tapctl check $B
	[[ $status = 0 && "$output" = "$TAPB: note: no process has it open"* ]]
	tapctl del $B
	notes
}

@test "check no-holder: what it says to start a guest with is so, for every kind of device" {
	local queues words netdev qemu
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu here"
	sound_bridge
	for queues in 1 2; do
		words=() && [ $queues = 1 ] || words=(--queues "$queues")
		tapctl add --bridge br0 --mac $B "${words[@]}"
		WORDS=$B notes $TAPB:no-holder
		# shellcheck disable=SC2001 # a pattern
		netdev=$(sed 's/.*qemu \(-netdev [^)]*\)).*/\1/' <<<"$output")
		[[ $output = *"exec --reuse"*"${words[*]}"* ]]
		nsenter --net="/run/netns/$NS" -- qemu-system-x86_64 -M pc -accel tcg -m 64 -nodefaults -display none -S $netdev \
			-device virtio-net-pci,romfile=,netdev=n0 >"$WORK/log" 2>&1 3>&- 4>&- {held}>&- &
		qemu=$!
		wait_until 20 notes || { cat "$WORK/log"; return 1; }
		kill "$qemu"
		wait_until 10 notes $TAPB:no-holder
		hold --reuse --bridge br0 --mac $B "${words[@]}"
		notes
		kill "$HOLDER"
		wait_until 10 notes $TAPB:no-holder
		tapctl del $TAPB
	done
	requires_macvtap
	add_cable wire there "far$NS"
	tapctl add --link wire --mac $B
	notes mvt52540084e363:no-holder
	hold --reuse --link wire --mac $B
	notes
}

@test "check no-holder: what it says of a device with a name of its own, and of one that tapctl did not make" {
	sound_bridge
	tapctl add --bridge br0 --mac $B --name own0
	inside ip tuntap add foreign0 mode tap user 0
	ip link set foreign0 up
	run_tapctl check own0
	[[ $output = *"(tapctl exec --reuse --name own0, or qemu "* && $output = *"or: tapctl del own0" ]]
	hold --reuse --name own0 --bridge br0 --mac $B
	kill "$HOLDER"
	run_tapctl check foreign0
	[[ $output = *"(qemu -netdev tap,id=n0,ifname=foreign0,"* && $output = *"or: tapctl del --force foreign0" ]]
	tapctl del --force foreign0
}

@test "check no-holder: a macvtap, whose carrier does not show it" {
	sound_macvtap
	tapctl add --link wire --mac $B
	notes mvt52540084e363:no-holder
	# One of another PID namespace cannot be seen, and then nothing else is said.
	inside unshare --pid --fork --mount-proc "$TAPCTL" check -v >"$WORK/nested"
	[ "$(grep -c 'no process that this container sees has it open' "$WORK/nested")" = 1 ]
	tapctl del $B
	notes
}

@test "check no-holder: a macvtap of exec's that nothing else removes" {
	sound_macvtap
	pkill -KILL --ns $HOLDER --nslist net tapctl-watcher
	kill -KILL "$HOLDER"
	wait_until 10 only $MVT:no-holder
	mend
	notes
}

@test "check: without seeing all processes it does not say that none has a macvtap open" {
	requires_plain_build
	make_caller
	add_cable wire far "far$NS"
	tapctl add --link wire --mac $A
	notes $MVT:no-holder
	# Which device it is shows in this namespace's sysfs, which a caller cannot mount.
	local hide with_proc='mount -t sysfs sysfs /sys && mount -t proc -o hidepid=$0 proc /proc && exec "$@"'
	for hide in 0 2; do
		as_root unshare --mount bash -c "$with_proc" $hide "${BECOME_CALLER[@]}" "$PUBLIC/tapctl" check >"$WORK/caller"
		[ "$(cat "$WORK/caller")" = "tapctl check: note: not looked at: some processes; the rules of nftables
    to see that, run it as root, on the host" ]
	done
}

@test "check carrier-off" {
	sound_bridge
	silent
	release $TAP
	hold --bridge br0 --mac $A -- 'python3 -c "
import fcntl, struct
fcntl.ioctl(3, 0x400454e2, struct.pack(\"i\", 0))"'
	only $TAP:carrier-off
	tapctl check | grep -qF "sleep (pid $HOLDER)"
	# By a process that is not seen: a tap that none had open would not exist.
	requires_root
	inside unshare --pid --fork --mount-proc "$TAPCTL" check >"$WORK/nested" || :
	grep -q "^$TAP: error: a process of another user or container has it open" "$WORK/nested"
}

@test "check: there is nothing to tell of a tap that add is still making" {
	add_bridge br0
	# it waits before its tap gets an owner, longer than this test takes
	inside strace -qq -o /dev/null -e trace=ioctl -e inject=ioctl:delay_enter=30000000:when=4 \
		"$TAPCTL" add --bridge br0 --mac $A &
	up() { [ "$(link_field $TAP '.flags | index("UP") != null' 2>/dev/null)" = true ]; }
	wait_until 10 up
	run_tapctl check --json $TAP
	tapctl list --json $TAP | holds '.[0] | .persistent == false and .carrier == false'
	got 'all(.name != $tap)' --arg tap $TAP
}

@test "check no-owner" {
	ip tuntap add old mode tap
	ip link set old up
	WORDS=old only old:no-owner
	ip link del old
	ip tuntap add old mode tap group 7
	ip link set old up
	WORDS=old notes old:no-holder
}

@test "check address-changed" {
	sound_bridge
	ip link set $TAP address fe:00:00:00:00:01
	only $TAP:address-changed
	mend
	silent
}

@test "check node-no-device, node-open-to-all" {
	sound_macvtap
	local node
	node=/dev/tap$(link_field $MVT .ifindex)
	[ -c "$node" ] || skip "no /dev/tapN here: /dev is no devtmpfs"
	local mode
	for mode in 0666 0604; do
		chmod $mode "$node"
		only $MVT:node-open-to-all
		mend
		silent
	done
	touch "$WORK/file"
	mount --bind "$WORK/file" "$node"
	only $MVT:node-no-device
	umount "$node"
	silent
}

@test "check node-of-other: two macvtaps of one index in two namespaces" {
	requires_macvtap
	add_cable wire far "far$NS"
	command ip -n "far$NS" link add link far name first index 31337 type macvtap mode bridge
	ip link add link wire name second index 31337 address $A type macvtap mode bridge
	ip link set second allmulticast on up
	WORDS=second only second:node-of-other
	command ip -n "far$NS" link del first
}

@test "check wrong-source: the guest does not use the address that it was given" {
	sound_bridge -- "$(frame_from $B)"
	wait_until 10 notes $TAP:wrong-source >/dev/null
	tapctl check -v | grep -qF "$B"
}

@test "check wrong-source: a guest with further addresses behind its own is sound" {
	sound_bridge -- "$(frame_from $B); $(WORK=$WORK/.. frame_from $A)"
	wait_until 10 notes >/dev/null
}

@test "check same-guest" {
	sound_bridge
	ip link add br1 type bridge
	ip link set br1 address 02:00:00:00:00:11 up
	ip addr add 192.0.2.1/24 dev br1
	hold --bridge br1 --mac $A --name second
	only $TAP:same-guest second:same-guest
}

@test "check no-forwarding" {
	inside sysctl -qw net.ipv4.ip_forward=0
	add_cable uplink far "far$NS"
	hold --unattached --mac $A
	hold --unattached --mac $B
	ip addr add 198.51.100.1/24 dev $TAP
	# There is nothing to forward to.
	ip addr add 198.51.101.1/24 dev $TAPB
	ip addr add 203.0.113.1/32 dev lo
	notes
	ip addr del 198.51.101.1/24 dev $TAPB
	ip addr add 192.0.2.1/24 dev uplink
	notes $TAP:no-forwarding
	inside sysctl -qw net.ipv4.ip_forward=1
	notes
}

@test "check bridge-full" {
	sound_bridge
	local i
	for ((i = 2; i < 1000; i++)); do
		echo "link add ifb$i type ifb"
		echo "link set ifb$i master br0"
	done >"$WORK/batch"
	ip -batch "$WORK/batch"
	only br0:bridge-full
	ip link del ifb2
	silent
}

@test "check bridge-nf-drops" {
	inside test -e /proc/sys/net/bridge || skip "this kernel has no bridge netfilter"
	inside sysctl -qw net.bridge.bridge-nf-call-iptables=1
	sound_bridge
	silent
	inside nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
	only br0:bridge-nf-drops
	mend
	silent
	ip link set br0 type bridge nf_call_iptables 1
	only br0:bridge-nf-drops
	mend
	silent
	# Both of them.
	ip link set br0 type bridge nf_call_iptables 1
	inside sysctl -qw net.bridge.bridge-nf-call-iptables=1
	mend
	silent
	# Nothing is forwarded by a bridge of one port.
	inside sysctl -qw net.bridge.bridge-nf-call-iptables=1
	ip addr add 192.0.2.1/24 dev br0
	ip link set uplink nomaster
	tapctl pin br0
	silent
	ip link set uplink master br0
	only br0:bridge-nf-drops
	inside nft 'add chain ip filter FORWARD { policy accept; }'
	silent
	# What the host itself gets is another matter.
	inside nft 'add chain ip filter INPUT { type filter hook input priority 0; policy drop; }'
	silent
	inside nft 'add table inet both; add chain inet both any { type filter hook forward priority 0; policy drop; }'
	only br0:bridge-nf-drops
}

@test "check same-address: nothing is lost, nor when one goes" {
	answering_bridge
	stand_in --bridge br0
	add_cable v0 v1
	ip link set v0 address $HOST
	ip link set v0 master br0
	notes $TAP:same-address
	answers
	# It was the first one's, and is now the other's.
	ip link del v0
	notes
	answers
}

@test "check neighbour-address: a holder gave the helper's tap the address of a gateway" {
	sound_bridge
	ip tuntap add odd mode tap user root
	ip link set odd address fe:54:00:11:22:33 master br0 up
	ip neigh add 192.0.2.254 lladdr 72:00:00:00:00:fe dev br0
	WORDS=odd notes odd:no-holder
	ip link set odd address 72:00:00:00:00:fe
	WORDS=odd only odd:neighbour-address
	WORDS=br0 only odd:neighbour-address
	ip link set odd address fe:54:00:11:22:33
	WORDS=odd notes odd:no-holder
}

@test "check low-address" {
	sound_bridge
	ip link set uplink address 72:00:00:00:00:02
	ip link set $TAP address 62:00:00:00:00:01
	only br0:bridge-follows-tap $TAP:low-address $TAP:address-changed
	ip link set $TAP address $HOST
	silent
	# One that is not the lowest, and would be if another was removed.
	ip tuntap add low mode tap user root
	ip tuntap add lower mode tap user root
	ip link set low address 62:00:00:00:00:01 master br0 up
	ip link set lower address 52:00:00:00:00:01 master br0 up
	WORDS=low only br0:bridge-follows-tap low:low-address
	tapctl pin br0
	WORDS=low notes low:no-holder
}

@test "check guest-elsewhere" {
	sound_bridge
	# On another bridge the address is another guest's.
	add_bridge br1
	ip tuntap add other mode tap
	ip link set other master br1
	bridge fdb add $A dev other master static
	notes
	# It moved, or a guest bonds the two.
	hold --bridge br0 --mac $B --no-vnet-hdr -- "$(frame_from $A)"
	wait_until 10 notes $TAP:guest-elsewhere $TAPB:wrong-source >/dev/null
	tapctl check -v | grep -q "^$TAP: note: .* at $TAPB: it moved"
}

@test "check guest-elsewhere: the address is another link's own, or somebody told the bridge" {
	answering_bridge
	guest_on --bridge br0
	local address
	for address in uplink br0; do
		ip link set $address address $A
		only $TAP:guest-elsewhere
		tapctl check | grep -q "that of $address itself"
		no_answer
		ip link set $address address 02:00:00:00:00:02
		silent
	done
	for address in "sticky static" permanent; do
		bridge fdb replace $A dev uplink master $address
		only $TAP:guest-elsewhere
		tapctl check | grep -q "somebody told br0"
		no_answer
		mend
		answers
		silent
	done
}

@test "check locked-out" {
	sound_bridge --lock-mac
	silent
	bridge fdb del $A dev $TAP master static
	only $TAP:locked-out
	mend
	silent
}

@test "check stp-delay" {
	sound_bridge
	ip link set br0 type bridge stp_state 1
	ip link set $TAP down
	ip link set $TAP up
	wait_until 10 only $TAP:stp-delay >/dev/null
	tapctl check --json | jq -r '.[0].problem' | grep -oE '[0-9]+ s' >"$WORK/delay"
	# Listening and learning take 15 s each.
	[ "$(cut -d ' ' -f 1 "$WORK/delay")" -gt 15 ]
	mend
	wait_until 10 silent >/dev/null
}

@test "check port-blocked: a loop that STP has seen" {
	ip link add br0 type bridge stp_state 1
	ip link set br0 address 02:00:00:00:00:01 up
	ip addr add 192.0.2.1/24 dev br0
	inside sysctl -qw net.ipv6.conf.br0.disable_ipv6=1
	# What leaves by one tap comes back by the other.
	hold --bridge br0 --no-vnet-hdr --mac $A --mac $B -- 'socat FD:3 FD:4 & :'
	wait_until 20 eval 'tapctl check --json | grep -q blocked' >/dev/null
	tapctl check | grep -E "^($TAP|$TAPB): error: br0 blocks this port"
}

@test "check isolated-all" {
	sound_bridge --isolated
	silent
	bridge link set dev uplink isolated on
	only $TAP:isolated-all
	bridge link set dev uplink isolated off
	silent
	# A guest alone is not kept from anybody.
	tapctl pin br0
	ip link set uplink nomaster
	only br0:no-uplink
}

@test "check wireless" {
	requires_macvtap
	modprobe mac80211_hwsim radios=1 2>/dev/null || skip "this kernel has no simulated wireless card"
	local card
	card=$(basename /sys/class/ieee80211/*)
	inside sleep infinity &
	iw phy "$card" set netns $!
	ip link set wlan0 up
	tapctl add --link wlan0 --mac $A
	tapctl check | grep -q '^wlan0: error: a wireless network'
	modprobe -r mac80211_hwsim
}

@test "check host-apart" {
	sound_macvtap
	ip addr add 192.0.2.1/24 dev wire
	notes wire:host-apart
	WORDS=wire notes wire:host-apart
	ip link add link wire name host type macvlan mode bridge
	ip link set host up
	notes wire:host-apart
	ip addr add 198.51.100.1/24 dev host
	notes
	# It would not help a guest of another mode.
	ip link set host type macvlan mode private
	notes wire:host-apart
	ip link set $MVT type macvtap mode vepa
	notes
}

@test "check: untrusted words in a finding neither break the JSON nor reach a terminal raw" {
	sound_bridge
	release $TAP
	hold --bridge br0 --mac $A -- 'python3 -c "
import fcntl, struct
fcntl.ioctl(3, 0x400454e2, struct.pack(\"i\", 0))"; printf "\033[31m\"x" >/proc/$$/comm; sleep infinity 3>&- & echo 0 >"$0"; wait'
	run_tapctl check --json
	jq -n -e 'input | .[0].problem | startswith("\u001b[31m\"x (pid")' <<<"$output"
	run_tapctl check
	[[ "$output" == *'?[31m"x (pid'* ]]
}

@test "check -v: what was looked at, in order" {
	sound_bridge --isolated
	run_tapctl check -v
	[[ $status = 0 && -z "$output" ]]
	[ "$(cut -d ' ' -f 3 <<<"$stderr" | tr -d '\n')" = "bridge:uplink:state:address:policy:filter:forwarding:" ]
	stderr_holds "$TAP: bridge: br0 is up" "uplink: uplink is up" "open in sleep (pid $HOLDER)" "$HOST, guest $A, MTU 1500" \
		"policy: forwarding, isolated" "IPv4 forwarding is"
	release $TAP
	requires_macvtap
	add_cable wire other "far$NS"
	hold --link wire --mac $A
	run_tapctl check -v
	[[ $status = 0 && -z "$output" ]]
	stderr_holds "$MVT: lower device: wire is up"
	run_tapctl check
	[[ $status = 0 && -z "$output$stderr" ]]
}

@test "check -v: where all devices are of others, or there is none, it says so" {
	run_tapctl check -v
	[[ $status = 0 && "$output" = "no device of a guest that tapctl made is here" ]]
	add_bridge br0
	ip tuntap add others mode tap
	ip link set others master br0
	ip tuntap add alone mode tap
	run_tapctl check -v
	[ $status = 0 ]
	[ "${lines[0]}" = "no device of a guest that tapctl made is here" ]
	[ "$(printf '%s\n' "${lines[@]:1}" | sort)" = "br0: 1 tap or macvtap that tapctl did not make: tapctl check br0
on no bridge: 1 tap or macvtap that tapctl did not make: tapctl list --all" ]
	# For a program, nothing is wrong.
	run_tapctl check
	[[ $status = 0 && -z "$output$stderr" ]]
	inside script -qec "'$TAPCTL' check" /dev/null >"$WORK/terminal"
	[ "$(tr -d '\r' <"$WORK/terminal" | wc -l)" = 3 ]
	tapctl add --unattached --mac $A
	run_tapctl check -v
	[[ "$output" != *"did not make"* ]]
}

@test "check -v: what is not there is said in words" {
	add_bridge br0
	tapctl add --bridge br0 --mac $A
	run_tapctl check -v
	stderr_holds "$TAP: bridge: br0 is up, no carrier, with 1 port" "uplink: none; the host is not on the bridge" \
		"state: up, no carrier; not open in any process that is seen" "filter: no rules of nftables; tc has dropped nothing"
	# No one way is the right one.
	[[ "$output" = *"ip link set DEVICE master br0 (DEVICE: "*"ip address add ADDRESS/LENGTH dev br0)"* ]]
}
