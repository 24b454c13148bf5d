#!/usr/bin/env bats
# add --may-exist, and del --if-exists: what a script may run once more, or several times at once.
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362 MVT=mvt52540084e362
B=52:54:00:84:e3:63 TAP_B=tap52540084e363
BATCH=(52:54:00:00:00:{10..29})

# Twenty taps on br0, each once and whole.
is_batch_complete() {
	[ "$(tapctl list --json "${BATCH[@]}" | jq '[.[] | select(.bridge == "br0" and .persistent and .up)] | length')" = 20 ]
}

# refused REASON OPTION...: add --may-exist is, and the device stays as it is.
refused() {
	local before
	before=$(ip -d -j link show "${DEVICE:-$TAP}")
	run_tapctl add --may-exist "${@:2}"
	[ "$status" = 1 ]
	[ -z "$output" ]
	[[ "$stderr" == "tapctl: "*"$1"* ]]
	[ "${#stderr_lines[@]}" = 1 ]
	[ "$(ip -d -j link show "${DEVICE:-$TAP}")" = "$before" ]
}

@test "add --may-exist: a tap that is what was asked for is left as it is, new ones are made" {
	add_bridge br0
	tapctl add --bridge br0 --mtu 1400 --isolated --mac $A
	local index
	index=$(link_field $TAP .ifindex)
	run_quiet add --may-exist --bridge br0 --mtu 1400 --isolated --mac $A --mac $B
	[ "$output" = $TAP$'\n'$TAP_B ]
	[ "$(link_field $TAP .ifindex)" = "$index" ]
	run_quiet add --may-exist --json --bridge br0 --mtu 1400 --isolated --mac $A --mac $B
	got 'map(.name) == ["tap52540084e362", "tap52540084e363"]'
}

@test "add --may-exist: no matter whether it is in use" {
	add_bridge br0
	tapctl add --bridge br0 --mac $A
	run tapctl exec --reuse --bridge br0 --mac $A -- \
		"$TAPCTL" add --may-exist --json --bridge br0 --mac $A
	[ "$status" = 0 ]
	got '.[0] | .in_use and .carrier and .queues == 1'
}

@test "add --may-exist: a macvtap and the host's macvlan" {
	requires_macvtap
	add_cable v0 v1
	local i name
	for i in 1 2; do
		run_quiet add --may-exist --link v0 --mode vepa --mac $A
		[ "$output" = $MVT ]
		run_quiet add --may-exist --link v0 --host
		name=${name:-$output}
		[ "$output" = "$name" ]
	done
	DEVICE=$MVT refused "is not a macvtap of v0 in mode bridge" --link v0 --mac $A
	DEVICE=$name refused "without mtu=1000" --link v0 --host --mtu 1000
	tapctl del $MVT
	for i in 1 2; do
		run_quiet add --may-exist --link v0 --group 4711 --mac $A
	done
}

@test "add --may-exist: one that differs is an error that says in what" {
	add_bridge br0
	add_bridge br1
	tapctl add --bridge br0 --mac $A
	refused "made without isolated" --bridge br0 --isolated --mac $A
	refused "made with on=br0 and without on=br1" --bridge br1 --mac $A
	refused "made with on=br0" --unattached --mac $A
	refused "made without mtu=1400" --bridge br0 --mtu 1400 --mac $A
	refused "belongs to uid" --bridge br0 --owner 4711 --mac $A
	refused "not with this owner and group" --bridge br0 --owner "$(id -u)" --group 4711 --mac $A
	refused "made without several queues" --bridge br0 --queues 2 --mac $A
	refused "made with IFF_VNET_HDR" --bridge br0 --no-vnet-hdr --mac $A
	refused "made for the guest $A" --bridge br0 --mac $B --name $TAP
	refused "the kernel chooses this name" --bridge br0 --mac $A --name 'vm%d'
	tapctl del $A
	tapctl add --bridge br0 --group 4711 --mac $A
	refused "belongs to gid 4711: say --group 4711" --bridge br0 --group 4712 --mac $A
	# It has more than was asked for.
	tapctl del $A
	tapctl add --bridge br0 --isolated --mac $A
	refused "made with isolated" --bridge br0 --mac $A
	# It has lost what it was made with.
	bridge link set dev $TAP isolated off
	refused "its port is not isolated: it reaches other isolated ports: tapctl attach $TAP" --bridge br0 --isolated --mac $A
	ip link set $TAP nomaster
	refused "tapctl attach $TAP" --bridge br0 --isolated --mac $A
	tapctl attach $TAP
	run_quiet add --may-exist --bridge br0 --isolated --mac $A
	# It is another's, or goes with its guest.
	ip tuntap add foreign mode tap
	DEVICE=foreign refused "that tapctl did not make" --bridge br0 --mac $B --name foreign
	run tapctl exec --bridge br0 --mac $B -- "$TAPCTL" add --may-exist --bridge br0 --mac $B
	[ "$status" = 1 ]
	[[ "$output" == *"made with by=exec and without by=add"* ]]
}

@test "add --may-exist: one that another add is still making is waited for" {
	add_bridge br0
	stop_behind ioctl 1 add --bridge br0 --mac $A
	spawn strace -o "$WORK/second" -e trace=?poll,ppoll "$TAPCTL" add --may-exist --bridge br0 --mac $A
	wait_until 10 grep -qs "poll(NULL" "$WORK/second"
	go_on
	[ "$status" = 0 ]
	wait "$pid"
	[ "$(cat "$WORK/log")" = $TAP ]
}

@test "add --may-exist: what was made beside an existing one is unmade, the other stays" {
	add_bridge br0
	tapctl add --bridge br0 --mac $A
	ip tuntap add third mode tap
	run_tapctl add --may-exist --bridge br0 --mac $A --mac $B --mac 52:54:00:00:00:01 --name third
	[ "$status" = 1 ]
	no_link $TAP_B
	[ "$(link_field $TAP .master)" = br0 ]
}

@test "add --may-exist: a macvtap that a killed add left to root is given to its owner" {
	requires_macvtap
	add_cable v0 v1
	run inside strace -o /dev/null -e trace=fchownat,fchown,chown,lchown \
		-e inject=fchownat,fchown,chown,lchown:signal=KILL "$TAPCTL" add --link v0 --owner nobody --mac $A
	[ "$(tapctl list --json $MVT | jq '.[0].owner')" = 0 ]
	run_quiet add --may-exist --link v0 --owner nobody --mac $A
	[ "$(tapctl list --json $MVT | jq '.[0].owner')" = "$(id -u nobody)" ]
	DEVICE=$MVT refused "belongs to uid" --link v0 --mac $A
}

@test "add --may-exist: a batch that crashed is run again and ends complete, in sh and in Python" {
	add_bridge br0
	cat >"$WORK/batch.sh" <<-'S'
		n=0
		for mac; do
			n=$((n + 1))
			[ $n != "$CRASH" ] || kill -KILL $$
			"$TAPCTL" add --may-exist --bridge br0 --mac "$mac"
		done
	S
	CRASH=11 run inside sh -e "$WORK/batch.sh" "${BATCH[@]}"
	[ "$status" = 137 ]
	[ "${#lines[@]}" = 10 ]
	CRASH=0 run inside sh -e "$WORK/batch.sh" "${BATCH[@]}"
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 20 ]
	is_batch_complete
	cat >"$WORK/batch.py" <<-'S'
		import os, subprocess, sys
		subprocess.run([os.environ["TAPCTL"], "del", "--if-exists", *sys.argv[12:]], check=True)
		for mac in sys.argv[1:]:
		    subprocess.run([os.environ["TAPCTL"], "add", "--may-exist", "--bridge", "br0", "--mac", mac], check=True)
	S
	run inside python3 "$WORK/batch.py" "${BATCH[@]}"
	[ "$status" = 0 ]
	is_batch_complete
}

@test "add --may-exist: one add of twenty that was killed while it made them persistent" {
	add_bridge br0
	inside strace -o "$WORK/log" -e trace=ioctl "$TAPCTL" add --bridge br0 "${BATCH[@]/#/--mac=}"
	tapctl del "${BATCH[@]}"
	local call
	call=$(grep -n TUNSETPERSIST "$WORK/log" | sed -n '11s/:.*//p')
	run inside strace -o /dev/null -e trace=ioctl -e inject=ioctl:signal=KILL:when="$call" \
		"$TAPCTL" add --bridge br0 "${BATCH[@]/#/--mac=}"
	[ "$(tapctl list --json | jq length)" = 10 ]
	run_quiet add --may-exist --bridge br0 "${BATCH[@]/#/--mac=}"
	is_batch_complete
}

@test "add --may-exist: eight at once, each device by several of them" {
	add_bridge br0
	local i
	for i in 1 2 3 4; do printf '%s\n' "${BATCH[@]}"; done | shuf >"$WORK/macs"
	run inside xargs -a "$WORK/macs" -P 8 -n 1 "$TAPCTL" add --may-exist --bridge br0 --mac
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 80 ]
	is_batch_complete
	requires_macvtap
	add_cable v0 v1
	run inside xargs -a "$WORK/macs" -P 8 -n 1 "$TAPCTL" add --may-exist --link v0 --owner nobody --mac
	[ "$status" = 0 ]
	[ "$(tapctl list --json | jq '[.[] | select(.kind == "macvtap" and .owner == $nobody)] | length' \
		--argjson nobody "$(id -u nobody)")" = 20 ]
}

@test "del --if-exists: what does not exist is no error, the rest is removed" {
	tapctl add --unattached --mac $A
	run_quiet del --if-exists nosuch 52:54:00:00:00:99 $A
	[ -z "$output" ]
	no_link $TAP
	run_quiet del --if-exists $TAP
	# What is refused is refused.
	add_bridge br0
	run_tapctl del --if-exists nosuch br0
	[ "$status" = 1 ]
	run_tapctl del --if-exists 52:54:00:84:e3:6g/
	[ "$status" = 1 ]
	# As a script has it whose list is empty.
	run_quiet del --if-exists
	run_tapctl del --if-exists --stale $A
	[ "$status" = 2 ]
}
