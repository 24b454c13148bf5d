#!/usr/bin/env bats
# add --host: the host's macvlan beside its guests' macvtaps. guest.bats has a guest to talk to.
# shellcheck disable=SC2086 # lists of options
load ../tools/helpers

setup() {
	setup_namespace
	requires_macvtap
	add_cable eth0 far
	ip link set eth0 address 02:00:00:00:00:01
}

MVL=mvlfe0000000001

@test "host: a macvlan in mode bridge, with an address derived from the card's, so always the same" {
	run_tapctl add --link eth0 --host
	[[ $status = 0 && "$output" = "$MVL" ]]
	[ "$(link_field $MVL .linkinfo.info_kind)" = macvlan ]
	[ "$(link_field $MVL .linkinfo.info_data.mode)" = bridge ]
	[ "$(link_field $MVL .address)" = fe:00:00:00:00:01 ]
	[ "$(link_field $MVL .link)" = eth0 ]
	[ "$(link_field $MVL .operstate)" = UP ]
	[ "$(link_field $MVL .ifalias)" = "tapctl host by=add on=eth0" ]
	tapctl del $MVL
	tapctl add --link eth0 --host
	[ "$(link_field $MVL .address)" = fe:00:00:00:00:01 ]
}

@test "host: unlike a guest's device it has the host's IPv6, and takes only multicast that was joined" {
	[ -e /proc/sys/net/ipv6 ] || skip "this kernel has no IPv6"
	tapctl add --link eth0 --host
	[ "$(link_field $MVL .inet6_addr_gen_mode)" = eui64 ]
	[ "$(link_field $MVL .allmulti)" = 0 ]
	ip -j addr show $MVL | jq -n -e 'input | .[0].addr_info | map(select(.family == "inet6")) | length == 1'
}

@test "host: its own address, name and MTU, and its guests in the same call" {
	run_tapctl add --link eth0 --mtu 1400 --mac 52:54:00:00:00:0a --mac 52:54:00:00:00:0b --host --name host0
	[[ $status = 0 && "$output" = $'mvt52540000000a\nhost0' ]]
	[ "$(link_field host0 .address)" = 52:54:00:00:00:0b ]
	[ "$(link_field host0 .mtu)" = 1400 ]
	[ "$(link_field host0 .linkinfo.info_kind)" = macvlan ]
	[ "$(link_field mvt52540000000a .linkinfo.info_kind)" = macvtap ]
}

@test "host: list shows it, del removes it without --force, check is silent about it" {
	tapctl add --link eth0 --host
	run_tapctl list --json
	jq -n -e 'input | length == 1 and (.[0] | .name == "'$MVL'" and .kind == "macvlan" and .guest_mac == null
		and .host_mac == "fe:00:00:00:00:01" and .link == "eth0" and .mode == "bridge")' <<<"$output"
	run_tapctl list $MVL
	[[ $status = 0 && "${lines[1]}" == $MVL*macvlan* ]]
	run_tapctl check
	[[ $status = 0 && -z "$output" ]]
	ip link add link eth0 name foreign type macvlan
	run_tapctl list --all --json
	jq -n -e 'input | map(.name) == ["'$MVL'"]' <<<"$output"
	run_tapctl del $MVL
	[ "$status" = 0 ]
	no_link $MVL
}

@test "host: a second one of the same name is refused in words" {
	tapctl add --link eth0 --host
	run_tapctl add --link eth0 --host
	[ "$status" = 1 ]
	[ "$stderr" = "tapctl: $MVL: already exists, as this host's macvlan: tapctl del removes it" ]
}

@test "host: options that do not go with it are refused before anything is made" {
	links >"$WORK/before"
	local options
	for options in "--bridge eth0" "--unattached" "--link eth0 --mode vepa" "--link eth0 --mode passthru"; do
		run_tapctl add $options --host
		[[ $status = 2 && "$stderr" == "tapctl: --host: is a macvlan in mode bridge on a lower device: give --link"* ]]
	done
	for options in "--queues 2" --vhost --no-vnet-hdr "--owner root" "--group root"; do
		run_tapctl add --link eth0 --host $options
		[[ $status = 2 && "$stderr" == "tapctl: ${options%% *}: is for a guest's device, not with --host" ]]
	done
	run_tapctl exec --link eth0 --host -- true
	[[ $status = 125 && "$stderr" == "tapctl: --host: unknown option"* ]]
	links | diff - "$WORK/before"
}

@test "host: the example of the manual page moves the host's address over" {
	command ip netns add "there$NS"
	ip link set far netns "there$NS"
	command ip -n "there$NS" addr add 192.0.2.1/24 dev far
	command ip -n "there$NS" link set far up
	ip addr add 192.0.2.10/24 dev eth0
	ip route add default via 192.0.2.1
	mandoc -T ascii -O width=200 "$TESTS/../man/tapctl.8" | sed 's/.\x08//g' |
		sed -n '/^ *tapctl add --link eth0 --host/,/^$/p' >"$WORK/example"
	[ "$(wc -l <"$WORK/example")" = 5 ]
	PATH=$(dirname "$TAPCTL"):$PATH inside bash -exc "$(cat "$WORK/example")"
	inside ping -n -c 1 -W 5 192.0.2.1
	[ "$(ip -j route get 192.0.2.1 | jq -r '.[0].dev')" = host0 ]
	[ "$(ip -j route show default | jq -r '.[0].dev')" = host0 ]
	ip -j addr show eth0 | jq -n -e 'input | .[0].addr_info | map(select(.family == "inet")) == []'
}
