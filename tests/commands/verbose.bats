#!/usr/bin/env bats
# -v tells each step on standard error, and nothing else changes.
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362

# steps PATTERN WORD...: with -v these lines come, in this order, and the rest is as it is without.
steps() {
	local pattern=$1 line
	shift
	run_tapctl "$@" -v
	[ "$status" = 0 ]
	for line in "${stderr_lines[@]}"; do
		[[ "$line" = "tapctl: "* ]]
		# shellcheck disable=SC2053 # a pattern
		if [ -n "$pattern" ] && [[ "$line" = "tapctl: "${pattern%%|*}* ]]; then
			[[ "$pattern" = *'|'* ]] && pattern=${pattern#*|} || pattern=
		fi
	done
	[ -z "$pattern" ] || { echo "not told: $pattern"; return 1; }
}

@test "verbose: list tells what it reads, and of words that it does not know" {
	add_bridge br0
	tapctl add --bridge br0 --mac $A
	steps 'devices read from the kernel: 1' list
	steps '/proc: read who has what open: |devices read from the kernel: 1' list --holders
	local said=$output
	run_quiet list --holders
	[ "$output" = "$said" ]
	steps 'links read from the kernel: ' list --tree
	ip link set $TAP alias "$(link_field $TAP .ifalias) colour=blue"
	steps "$TAP: its record has a word that this tapctl does not know|devices read" list
	requires_vlan_filtering
	ip link set br0 type bridge vlan_filtering 1
	steps 'VLANs: read|devices read' list --json
}

@test "verbose: del tells what it finds, waits for, holds and removes" {
	tapctl add --unattached --mac $A
	mkfifo "$WORK/begun"
	nsenter --net="/run/netns/$NS" "$TAPCTL" exec --reuse --unattached --mac $A -- \
		sh -c 'echo >"$0"; sleep 0.5' "$WORK/begun" >"$WORK/log" 2>&1 </dev/null 3>&- 4>&- &
	read -rt 20 _ <"$WORK/begun"
	steps "devices found: 1|$TAP: in use: waiting|$TAP: open, so that nobody|$TAP: removed" del $A
	[ -z "$output" ]
	steps 'devices found: 0' del --if-exists $A
	steps 'devices found: 0' del --stale
}

@test "verbose: add, exec, attach and pin tell what they do" {
	add_bridge br0
	steps "$TAP: made for the guest $A, address fe:54:00:84:e3:62, on br0, MTU 1500" add --bridge br0 --mac $A
	steps "$TAP: exists for the guest $A" add --may-exist --bridge br0 --mac $A
	run_tapctl exec -v --reuse --bridge br0 --mac $A -- true
	[ "${stderr_lines[0]%% for *}" = "tapctl: $TAP: opened" ]
	[ "${stderr_lines[1]}" = "tapctl: true: running it" ]
	ip link set $TAP nomaster
	steps "$TAP: is not as its record says" attach
	ip link set $TAP down
	steps "$TAP: is passed over: it is on its bridge, and is not named" attach
	run_tapctl attach $TAP
	steps "$TAP: is as its record says" attach $TAP
	steps 'br0: ' pin br0
	ip link del br0
	steps "$TAP: is passed over: its bridge is not there" attach
}
