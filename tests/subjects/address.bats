#!/usr/bin/env bats
# --address: the host's IP addresses on a tap that is on no bridge.
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362
B=52:54:00:84:e3:63 TAP_B=tap52540084e363

addresses_of() { ip -j addr show "$1" | jq -r '.[0].addr_info[] | "\(.local)/\(.prefixlen)"' | sort | xargs; }

@test "address: IPv4 and IPv6, which can be used at once, in the transaction that makes the tap" {
	inside strace -o "$WORK/log" -e trace=sendto "$TAPCTL" add --unattached --address 192.0.2.1/24,fd00::1/64,fe80::1/64 --mac $A
	[ "$(grep -c '^sendto' "$WORK/log")" = 1 ]
	[ "$(addresses_of $TAP)" = "192.0.2.1/24 fd00::1/64 fe80::1/64" ]
	ip -j addr show $TAP | holds '.[0].addr_info | all(.tentative | not)'
	ip -j route show | holds 'map(.dst) == ["192.0.2.0/24"]'
}

@test "address: each NIC has its own, or all have the same" {
	tapctl add --unattached --address 169.254.1.1/32 --mac $A --mac $B
	[ "$(addresses_of $TAP)" = 169.254.1.1/32 ]
	[ "$(addresses_of $TAP_B)" = 169.254.1.1/32 ]
	tapctl del $A $B
	tapctl add --unattached --mac $A --address 192.0.2.1/31 --mac $B --address 192.0.2.3/31
	[ "$(addresses_of $TAP)" = 192.0.2.1/31 ]
	[ "$(addresses_of $TAP_B)" = 192.0.2.3/31 ]
}

@test "address: the host talks to a guest with it" {
	run tapctl exec --unattached --no-vnet-hdr --address 192.0.2.1/24 --mac $A -- sh -c '
		python3 "$TESTS/tools/guest.py" $TAPCTL_GUEST_MAC 192.0.2.2 >/dev/null 2>&1 &
		ping -c 1 -w 10 192.0.2.2; kill $!'
	echo "$output"
	[[ "$output" == *" 0% packet loss"* ]]
}

@test "address: it is not in the record, and an existing tap is asked for it" {
	tapctl add --unattached --address 192.0.2.1/24 --mac $A
	[ "$(link_field $TAP .ifalias)" = "tapctl guest $A by=add" ]
	run_quiet add --may-exist --unattached --address 192.0.2.1/24 --mac $A
	run_quiet exec --reuse --unattached --address 192.0.2.1/24 --mac $A -- true
	local command
	for command in "add --may-exist" "exec --reuse"; do
		# shellcheck disable=SC2046,SC2086 # words
		run_tapctl $command --unattached --address 192.0.2.1/25 --mac $A $([ "${command% *}" = add ] || echo -- true)
		[ "$status" != 0 ]
		[ "$stderr" = "tapctl: $TAP: ${command#* }: it does not have the address 192.0.2.1/25: ip address add 192.0.2.1/25 dev $TAP" ]
	done
}

@test "address: one that somebody removed before COMMAND runs is an error" {
	stop_behind sendto 1 exec --unattached --address 192.0.2.1/24 --mac $A -- echo run
	addresses_of $TAP
	ip addr flush dev $TAP
	go_on
	[ "$status" = 125 ]
	[[ "$stderr" = "tapctl: $TAP: the address 192.0.2.1/24 is no longer there: "* ]]
	no_link $TAP
}

@test "address: what the kernel does not take is an error, and nothing is left" {
	[ -e /proc/sys/net/ipv6 ] || skip "this kernel has no IPv6"
	inside sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	run_tapctl add --unattached --address 192.0.2.1/24,fd00::1/64 --mac $A
	[ "$status" = 1 ]
	[[ "$stderr" = "tapctl: $TAP: --address: IPv6 is off here"* ]]
	inside sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	run_tapctl add --unattached --mtu 1000 --address fd00::1/64 --mac $A
	[ "$status" = 1 ]
	[[ "$stderr" = "tapctl: $TAP: cannot give it the addresses of --address: "* ]]
	no_link $TAP
}

@test "address: what is no address of a host's is a wrong command line" {
	local text
	for text in "" 192.0.2.1 192.0.2.1/33 '192.0.2.1/24,' ,192.0.2.1/24 192.0.2.1/24,192.0.2.1/24 0.0.0.0/0 \
		224.0.0.1/24 fd00::1 ::/64 ff02::1/64 gg::1/64 172.16.0.0/30 172.16.0.3/30 "$(seq -s, -f 192.0.2.%g/24 9)"; do
		run_tapctl add --unattached --address "$text" --mac $A
		[ "$status" = 2 ]
		stderr_holds "tapctl: --address '$text': " ": write up to 8 addresses of this host's"
	done
	for text in "--bridge br0" "--link v0"; do
		# shellcheck disable=SC2086 # words
		run_tapctl add $text --address 192.0.2.1/24 --mac $A
		[ "$status" = 2 ]
		[ "$stderr" = "tapctl: --address: is for a tap on no bridge, with --unattached" ]
	done
}
