#!/usr/bin/env bats
# Why the kernel drops a guest's frames, as tapctl trace has it of the drop monitor, which is one switch for the
# whole machine and in its first network namespace alone: on a virtual machine, and there in that namespace.
# shellcheck disable=SC2046,SC2086 # words are lists of words
# bats file_tags=once
load ../tools/helpers
load ../commands/trace

setup() {
	[ -n "${TAPCTL_TESTS_VM-}" ] || skip "it is one switch for the whole machine: tried on a virtual one, by make check-vm"
	requires_root
	[ -e /sys/module/drop_monitor ] || skip "this kernel has no drop monitor"
	# ip-netns(8) and nsenter(1) find it by this name, and nothing in it is killed.
	NS=../../proc/1/ns/net FAR=far WORK=$BATS_TEST_TMPDIR
	is_off
	monitor settings 0 99
}
teardown() {
	[ -n "${NS-}" ] || return 0
	kill $(jobs -p) 2>/dev/null || :
	is_off || monitor stop || :
	inside nft flush ruleset
	for link in br0 uplink $TAP tap52540084e363; do ip link del "$link" 2>/dev/null || :; done
	teardown_namespace
}

# In use means that it is on.
is_on() { [ "$(cat /sys/module/drop_monitor/refcnt)" = 1 ]; }
is_off() { [ "$(cat /sys/module/drop_monitor/refcnt)" = 0 ]; }
as_before() { is_off && [ "$(monitor show)" = "0 99" ]; }

# What dropwatch(1) would do: monitor start|stop|show|settings MODE BYTES (MODE 1: each frame is told)
monitor() {
	inside python3 - "$@" <<-'END'
		import socket, struct, sys
		kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
		kernel.bind((0, 0))
		def ask(family, command, attrs=b"", flags=1):
		    kernel.send(struct.pack("IHHIIBBH", 20 + len(attrs), family, flags, 1, 0, command, 2, 0) + attrs)
		    answer = kernel.recv(65536)
		    assert answer[4:6] != b"\2\0" or answer[16:20] == bytes(4), answer
		    attrs, answer = {}, answer[20:]
		    while flags == 1 and answer:
		        size, kind = struct.unpack("HH", answer[:4])
		        attrs[kind] = int.from_bytes(answer[4:size], "little")
		        answer = answer[size + 3 & ~3:]
		    return attrs
		net_dm = ask(16, 3, struct.pack("HH8s", 11, 2, b"NET_DM"))[1]
		words = sys.argv[1:]
		if words[0] == "show":
		    answer = ask(net_dm, 6)
		    print(answer[1], answer[9])
		elif words[0] == "settings":
		    ask(net_dm, 2, struct.pack("HHBxxxHHI", 5, 1, int(words[1]), 8, 9, int(words[2])), 5)
		else:
		    ask(net_dm, {"start": 3, "stop": 4}[words[0]], b"", 5)
	END
}

# told STATUS VERDICT REASON [FUNCTION]: what trace finds of the guest, and what it says of the kernel's drops.
told() {
	run_tapctl trace --json --seconds 2 "$TAP"
	[ "$status" = "$1" ]
	got '.verdict == $v' --arg v "$2"
	if tells_reasons; then
		got '(.drop_reason | tostring) == $r' --arg r "$3"
	fi
	got '(.drop_function | tostring) | test($f)' --arg f "^${4-[a-z_]{8,\}}\$"
}
tells_reasons() { [ "$(printf '%s\n' 5.18 "$(uname -r)" | sort -V | head -n 1)" = 5.18 ]; }

@test "drops: nftables at the tap, in words; and all is as before" {
	asking
	netdev_rule "$TAP" drop
	run_tapctl trace --seconds 2 "$TAP"
	grep -qE '^the kernel dropped [0-9]+ of them in [a-z_]+'"$(tells_reasons && echo ': NETFILTER_DROP')"'$' <<<"$output"
	as_before
}

@test "drops: traffic control, from the guest and to it" {
	asking
	tc_drop uplink egress
	told 1 stops-before-uplink TC_EGRESS
	tc filter del dev uplink egress
	tc_drop "$TAP" egress
	told 1 stops-before-guest TC_EGRESS
}

@test "drops: a locked port, of which the kernel tells the place alone" {
	requires_locked_ports
	asking --lock-mac
	bridge fdb del $A dev "$TAP" master static
	told 1 stops-at-port null br_handle_frame_finish
	got '.finding == "locked-out"'
}

@test "drops: the host does not let it in" {
	add_bridge br0
	ip address add 192.0.2.1/24 dev br0
	guest --bridge br0 -- $A 192.0.2.2 ping=192.0.2.1
	inside nft 'add table ip t; add chain ip t c { type filter hook input priority 0; policy drop; }'
	told 1 no-answer NETFILTER_DROP
}

@test "drops: routed answers" {
	routed
	inside nft 'add table ip t; add chain ip t c { type filter hook forward priority 0; }; add rule ip t c iif uplink drop'
	told 1 stops-before-guest NETFILTER_DROP
}

@test "drops: a guest that does not read" {
	sound
	guest --bridge br0 -- $A 192.0.2.2 announce idle
	ip link set "$TAP" txqueuelen 2
	far_pings
	told 1 guest-ignores FULL_RING tun_net_xmit
}

@test "drops: nothing, when nothing of this guest's is dropped" {
	# The guest beside it is another, whose frames are dropped, and so are all that are for the host.
	asking
	guest --bridge br0 -- $B 192.0.2.3 arp=192.0.2.1 dhcp
	netdev_rule tap52540084e363 drop
	inside nft 'add table arp t; add chain arp t c { type filter hook input priority 0; policy drop; }'
	told 0 flows null null
	# Isolated ports are passed over, and nothing is dropped.
	bridge link set dev "$TAP" isolated on
	bridge link set dev uplink isolated on
	told 1 stops-before-uplink null null
}

@test "drops: it is switched off, however trace ends" {
	asking
	for signal in INT TERM HUP KILL; do
		nsenter --net="/run/netns/$NS" -- setsid "$TAPCTL" trace --seconds 600 "$TAP" >"$WORK/out" 2>&1 3>&- 4>&- &
		pid=$!
		wait_until 20 is_on
		kill -$signal $pid
		wait $pid || :
		wait_until 20 as_before
	done
	# With all of its group, too.
	nsenter --net="/run/netns/$NS" -- setsid "$TAPCTL" trace --seconds 600 "$TAP" >"$WORK/out" 2>&1 3>&- 4>&- &
	pid=$!
	wait_until 20 is_on
	kill -KILL -- -$pid
	wait_until 20 as_before
}

@test "drops: what is on for somebody else stays on, and tells what it tells" {
	asking
	netdev_rule "$TAP" drop
	monitor settings 1 0
	monitor start
	told 1 stops-at-port NETFILTER_DROP
	is_on
	[ "$(monitor show)" = "1 0" ]
	monitor stop
	# A summary has no frames.
	monitor settings 0 99
	monitor start
	told 1 stops-at-port null null
	is_on
	monitor stop
	as_before
}
