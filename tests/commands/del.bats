#!/usr/bin/env bats
# del: which devices it removes, which it refuses, and how many at once.
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362 MVT=mvt52540084e362

@test "del: by name and by guest address" {
	tapctl add --unattached --mac $A --mac 52:54:00:84:e3:63
	run_tapctl del $TAP
	[ "$status" = 0 ]
	[ -z "$output$stderr" ]
	no_link $TAP
	run_tapctl del 52-54-00-84-e3-63
	[ "$status" = 0 ]
	no_link tap52540084e363
}

@test "del: a device that is another guest's when it is looked at again stays" {
	tapctl add --unattached --mac $A
	stop_behind sendto 1 del $A
	ip link set $TAP alias "tapctl guest 52:54:00:84:e3:63"
	go_on
	[ "$status" = 1 ]
	stderr_holds "$A: there is no device of tapctl's for this guest here"
	link_field $TAP .ifindex
}

@test "del: a device's name that could be an address means that device, not the guest's" {
	tapctl add --unattached --mac $A --mac 52:54:00:84:e3:63 --name 52540084e362
	[ "$(tapctl list --json 52540084e362 | jq -r '.[].guest_mac')" = 52:54:00:84:e3:63 ]
	tapctl del 52540084e362
	[ "$(tapctl list --json | jq -r '.[].name')" = $TAP ]
	tapctl del 52540084e362
	no_link $TAP
}

@test "del: all devices of a guest, whatever their names" {
	requires_macvtap
	add_cable v0 v1
	tapctl add --mac $A --unattached --name one
	tapctl add --mac $A --link v0 --name two
	run_tapctl del $A
	[ "$status" = 0 ]
	no_link one
	no_link two
}

@test "del: many at once, in one deletion by group" {
	tapctl add --unattached --mac $A --mac 52:54:00:00:00:01 --mac 52:54:00:00:00:02 >"$WORK/names"
	mapfile -t names <"$WORK/names"
	inside strace -o "$WORK/log" -e trace=sendto "$TAPCTL" del "${names[@]}" $TAP
	[ "$(links)" = lo ]
	# three look-ups, one more for the word said twice, the dump, and all the rest
	[ "$(grep -c sendto "$WORK/log")" = 6 ]
}

@test "del: many guest addresses are looked for in one dump" {
	local macs=(52:54:00:00:00:0{0..9})
	tapctl add --unattached "${macs[@]/#/--mac=}"
	inside strace -o "$WORK/log" -e trace=sendto "$TAPCTL" del "${macs[@]}"
	[ "$(links)" = lo ]
	# all links, a look-up of each device, the dump for the group, and all the rest
	[ "$(grep -c sendto "$WORK/log")" = 13 ]
}

@test "del: where links come and go all the time it does not wait for them to stop" {
	local macs=()
	for n in {100..199}; do macs+=(--mac "5254.0000.0$n"); done
	tapctl add --unattached "${macs[@]}" >/dev/null
	(
		while [ ! -e "$WORK/done" ]; do
			ip tuntap add passing mode tap
			ip link del passing
		done
	) &
	wait_until 10 ip link show passing >/dev/null 2>&1
	# slow enough that something happens within each dump
	run inside strace -o "$WORK/log" -e trace=sendto,recvmsg -e inject=recvmsg:delay_enter=20000 \
		"$TAPCTL" del 52:54:00:00:01:00 52:54:00:00:01:01
	touch "$WORK/done"
	wait
	[ "$status" = 0 ]
	no_link tap525400000100
	# three dumps, five times each, two look-ups and the rest
	[ "$(grep -c sendto "$WORK/log")" -le 18 ]
}

@test "del: 300 devices are removed, and nothing else" {
	local macs=()
	for n in {1..300}; do macs+=(--mac "52:54:01:00:$(printf '%02x:%02x' $((n / 256)) $((n % 256)))"); done
	tapctl add --unattached "${macs[@]}" >"$WORK/names"
	tapctl add --unattached --mac $A
	ip tuntap add foreign mode tap
	mapfile -t names <"$WORK/names"
	run_tapctl del "${names[@]}"
	[ "$status" = 0 ]
	[ "$(links)" = foreign$'\n'lo$'\n'$TAP ]
	[ "$(link_field $TAP .group)" = default ]
}

# Devices for so many guests, in $names.
several() { # COUNT
	local macs=() n
	for n in $(seq "$1"); do macs+=(--mac "52:54:01:00:00:$(printf %02x "$n")"); done
	tapctl add --unattached "${macs[@]}" >"$WORK/names"
	mapfile -t names <"$WORK/names"
}
@test "del: more than files may be open are held until they are removed, too" {
	several 100
	run --separate-stderr inside bash -c 'ulimit -Sn 64; exec "$0" "$@"' "$TAPCTL" del --verbose "${names[@]}"
	[ "$status" = 0 ]
	[ "$(grep -c ': open, so that nobody else opens it$' <<<"$stderr")" = 100 ]
	[ "$(links)" = lo ]
}

# del of all $names, which stands still when it has sent as many messages.
late_del() { # MESSAGES
	stop_behind sendto "$1" del "${names[@]}"
}

@test "del: what another process removes meanwhile is not an error" {
	several 1
	late_del 1
	ip link del "${names[0]}"
	go_on
	[ "$status" = 0 ]
	several 2
	late_del 3
	ip link del "${names[0]}"
	ip link del "${names[1]}"
	go_on
	[ "$status" = 0 ]
	# More than one transaction holds: 127 links and what ends it.
	several 130
	late_del 131
	for n in 0 126 129; do ip link del "${names[n]}"; done
	go_on
	[ "$status" = 0 ]
	[ "$(links)" = lo ]
}

@test "del: all or none, also of more than one transaction takes" {
	several 130
	ip link set "${names[0]}" group 7
	run --separate-stderr inside strace -o /dev/null -e trace=sendto -e inject=sendto:error=ENOBUFS:when=133 \
		"$TAPCTL" del "${names[@]}"
	echo "$status: $stderr"
	[ "$status" = 1 ]
	[[ "$stderr" == "tapctl: ${names[0]} and 129 more: cannot remove them: "* ]]
	[ "$(links | wc -l)" = 131 ]
	ip -j link show | holds 'map(select(.group != "default") | [.ifname, .group]) == [[$first, "7"]]' \
		--arg first "${names[0]}"
}

@test "del: what tapctl did not make is refused without --force, with all of the call" {
	tapctl add --unattached --mac $A
	ip tuntap add foreign mode tap
	run_tapctl del $TAP foreign
	[ "$status" = 1 ]
	[[ "$stderr" == "tapctl: foreign: tapctl did not make it: --force"* ]]
	[ "$(link_field $TAP .group)" = default ]
	run_tapctl del --force $TAP foreign
	[ "$status" = 0 ]
	[ "$(links)" = lo ]
}

@test "del: a device that is not a tap, macvtap or macvlan is always refused" {
	tapctl add --unattached --mac $A
	add_bridge br0
	add_cable v0 v1
	ip link set v0 alias "tapctl guest $A"
	for name in br0 v0; do
		run_tapctl del --force $TAP $name
		[ "$status" = 1 ]
		[[ "$stderr" == "tapctl: $name: is not a tap"* ]]
	done
	[ "$(link_field $TAP .ifname)" = $TAP ]
	requires_macvtap
	ip link add link v0 name mv type macvlan
	run_tapctl del --force mv
	[ "$status" = 0 ]
	no_link mv
}

@test "del: what does not exist is an error" {
	run_tapctl del nosuch
	[ "$status" = 1 ]
	[[ "$stderr" == "tapctl: 'nosuch': there is no such device"* ]]
	run_tapctl del $A
	[ "$status" = 1 ]
	tapctl add --unattached --mac $A
	run_tapctl del $A 52:54:00:00:00:01
	[ "$status" = 1 ]
	[[ "$stderr" == "tapctl: 52:54:00:00:00:01: there is no device of tapctl's"* ]]
	[ "$(link_field $TAP .ifname)" = $TAP ]
	run_tapctl del
	[ "$status" = 2 ]
}

@test "del: --stale is the same where processes cannot be inspected" {
	requires_macvtap
	add_cable v0 v1
	tapctl add --link v0 --mac $A
	mkfifo "$WORK/ready" "$WORK/end"
	inside "$TAPCTL" exec --link v0 --mac 52:54:00:84:e3:63 -- \
		sh -c "echo ready >'$WORK/ready'; read -r x <'$WORK/end'" >/dev/null 2>&1 &
	read -rt 20 _ <>"$WORK/ready"
	run --separate-stderr inside unshare --pid --fork --mount-proc "$TAPCTL" del --stale
	[ "$status" = 0 ]
	link_field $MVT .ifname
	link_field mvt52540084e363 .ifname
	echo >"$WORK/end"
	wait $!
	wait_until 10 no_link mvt52540084e363
}

@test "del: what is in use is waited for, and then refused, naming who has it" {
	add_bridge br0
	mkfifo "$WORK/ready" "$WORK/end"
	inside "$TAPCTL" exec --bridge br0 --mac $A -- \
		sh -c "echo \$\$ >'$WORK/ready'; read -r x <'$WORK/end'" >/dev/null 2>&1 &
	read -rt 20 pid <>"$WORK/ready"
	run_tapctl del $A
	[ "$status" = 1 ]
	[[ "$stderr" = "tapctl: $TAP: in use by sh (pid $pid): end its guest first, or remove it all the same with --force" ]]
	link_field $TAP .ifname
	# It goes on when the guest ends meanwhile.
	inside strace -o "$WORK/trace" -e trace=?poll,ppoll "$TAPCTL" del $A >"$WORK/del" 2>&1 &
	local del=$!
	wait_until 10 grep -qs "poll(NULL" "$WORK/trace"
	echo >"$WORK/end"
	wait "$del"
	[ ! -s "$WORK/del" ]
	no_link $TAP
	inside "$TAPCTL" exec --bridge br0 --mac $A -- \
		sh -c "echo \$\$ >'$WORK/ready'; read -r x <'$WORK/end'" >/dev/null 2>&1 &
	read -rt 20 pid <>"$WORK/ready"
	tapctl del --force $A
	no_link $TAP
	echo >"$WORK/end"
}

@test "del: a macvtap of add's whose holders cannot be known is refused without --force" {
	requires_macvtap
	add_cable v0 v1
	tapctl add --link v0 --mac $A
	run --separate-stderr inside unshare --pid --fork --mount-proc "$TAPCTL" del $A
	[ "$status" = 1 ]
	[[ "$stderr" = "tapctl: $MVT: whether it is in use is not known"*"--force" ]]
	run --separate-stderr inside unshare --pid --fork --mount-proc "$TAPCTL" list --json
	got '.[0].in_use == null'
	tapctl del $A
	no_link $MVT
}
