#!/usr/bin/env bats
# mac: from the guest's address to the host side's, and a random one.
load ../tools/helpers

setup() { :; }
teardown() { :; }
tapctl() { "$TAPCTL" "$@" 3>&- 4>&-; }

@test "mac: the host side is the guest's address with fe in front" {
	run_tapctl mac 52:54:00:84:e3:62
	[ "$status" = 0 ]
	[ "$output" = fe:54:00:84:e3:62 ]
}

@test "mac: every spelling in either case" {
	run_tapctl mac 52:54:00:84:e3:62 52-54-00-84-e3-62 5254.0084.e362 52540084e362 52:54:00:84:E3:62
	[ "$status" = 0 ]
	[ "$(sort -u <<<"$output")" = fe:54:00:84:e3:62 ]
	[ "${#lines[@]}" = 5 ]
}

@test "mac: an fe guest gets fa" {
	run_tapctl mac fe:54:00:84:e3:62
	[ "$output" = fa:54:00:84:e3:62 ]
}

@test "mac: group and zero addresses are refused, and nothing is printed" {
	for mac in 01:00:5e:00:00:01 ff:ff:ff:ff:ff:ff 00:00:00:00:00:00; do
		run_tapctl mac 52:54:00:84:e3:62 "$mac"
		[ "$status" = 2 ]
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" = 1 ]
		[[ "$stderr" == "tapctl: $mac: is "* ]]
	done
}

@test "mac: --random draws addresses with qemu's prefix, a new one each time" {
	local drawn
	drawn=$(for _ in {1..20}; do tapctl mac --random; done)
	[ "$(sort -u <<<"$drawn" | grep -cE '^52:54:00(:[0-9a-f]{2}){3}$')" -ge 19 ]
}

@test "mac: --json has both addresses and both names" {
	run_tapctl mac --json 52540084e362 fe:00:00:00:00:02
	[ "$status" = 0 ]
	got '. == [
		{guest_mac: "52:54:00:84:e3:62", host_mac: "fe:54:00:84:e3:62",
		 tap: "tap52540084e362", macvtap: "mvt52540084e362"},
		{guest_mac: "fe:00:00:00:00:02", host_mac: "fa:00:00:00:00:02",
		 tap: "tapfe0000000002", macvtap: "mvtfe0000000002"}]'
}

@test "mac: --random --json is one object of the same kind" {
	run_tapctl mac --random --json
	got 'length == 1 and (.[0].guest_mac | startswith("52:54:00:"))
		and .[0].host_mac == ("fe" + .[0].guest_mac[2:])'
}

@test "mac: nothing, or both an address and --random, is a wrong command line" {
	run_tapctl mac
	[ "$status" = 2 ]
	run_tapctl mac --random 52:54:00:84:e3:62
	[ "$status" = 2 ]
}

@test "mac: a full disk is a failure" {
	run bash -c '"$TAPCTL" mac 52:54:00:84:e3:62 >/dev/full'
	[ "$status" = 1 ]
}
