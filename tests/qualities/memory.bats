#!/usr/bin/env bats
# Valgrind on every command: no error, no leak of memory, no fd that is forgotten open.
# bats file_tags=once
load ../tools/helpers
load ../subjects/ovs

A=52:54:00:00:00:01
B=52:54:00:00:00:02
TAP=tap525400000001

setup() {
	requires_root
	command -v valgrind >/dev/null || skip "no valgrind here"
	setup_namespace
	add_bridge br0
	add_cable v0 v1
	# Valgrind does not know fsopen(2), by which tapctl has a sysfs of this namespace.
	inside mount -t sysfs sysfs /sys
}

teardown() {
	umount /sys || :
	teardown_namespace
}

complete() { grep -q 'ERROR SUMMARY' "$1"; }

# Errors and leaks that a log tells of; fds that were not there at the start, but for the places that
# exec takes beforehand.
faults() {
	awk '/Invalid|ninitialised|ERROR SUMMARY: [1-9]|lost: [1-9]/
	     open && open !~ /dev.null/ && !/inherited from parent/ { print open; print }
	     { open = /Open file descriptor/ ? $0 : "" }' "$@"
}

# clean STATUS WORD...: tapctl ends with that status, and valgrind finds nothing, in the watcher neither.
clean() {
	local expected=$1 main log
	shift
	rm -f "$WORK"/log.*
	echo "\$ tapctl $*"
	run inside sh -c 'echo $$ >"$0" && exec "$@"' "$WORK/pid" valgrind --log-file="$WORK/log.%p" \
		--leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
		--track-fds=yes "$TAPCTL" "$@"
	printf '%s\n' "status $status" "$output"
	[ "$status" = "$expected" ] || return 1
	main=$WORK/log.$(cat "$WORK/pid")
	for log in "$WORK"/log.*; do
		# Who became COMMAND has no summary. The watcher ends a moment later, with the fds that it needs.
		[ "$1 $status $log" = "exec 0 $main" ] || wait_until 10 complete "$log" || return 1
		[ "$log" = "$main" ] || sed -i '/FILE DESC/,/HEAP SUMMARY/d' "$log"
		[ -z "$(faults "$log")" ] || { cat "$log"; return 1; }
	done
}

@test "memory: on Open vSwitch" {
	requires_switch
	start_switch
	clean 0 add --ovs br-int --mac $A --vlan 10,20 --mac $B
	clean 0 exec --fd 20 --reuse --ovs br-int --mac $B -- true
	clean 1 add --ovs br-x --mac 52:54:00:00:00:03
	clean 1 add --ovs br-int --mac 52:54:00:00:00:03 --name br-int
	clean 0 list --json
	clean 0 check
	vsctl del-port $TAP
	clean 1 check $TAP
	clean 0 attach
	clean 0 del $A $B
	clean 0 exec --fd 20 --ovs br-int --mac $A -- true
	clean 0 del --stale
	clean 126 exec --fd 20 --ovs br-int --mac $A -- "$WORK"
}

@test "memory: mac and wrong command lines" {
	clean 0 mac $A
	clean 0 mac --json --random
	clean 2 mac 52
	clean 2 add --bridge br0 --mac $A --mac $A
	clean 125 exec --bridge br0 -- true
}

@test "memory: add, list and del of taps" {
	clean 0 add --bridge br0 --mac $A --mac $B
	clean 1 add --bridge br0 --mac $A
	clean 0 add --json --unattached --mac 525400000003 --name 'n%d' --mtu 1400 --owner root --verbose
	clean 0 list
	clean 0 list --json --all --holders
	clean 1 list $TAP none
	clean 0 del $TAP $B
	clean 1 del $TAP
	clean 0 del n0
}

@test "memory: add, list and del of macvtaps" {
	requires_macvtap
	clean 0 add --link v0 --mac $A --mac $B --mode vepa
	clean 1 add --link v0 --mac $A
	clean 0 list --holders
	clean 0 list --json $A
	clean 0 del $A
	clean 0 del --stale
	clean 0 del 52:54:00:00:00:02
	no_link mvt525400000002
}

@test "memory: pin" {
	clean 0 pin br0
	clean 1 pin none
	clean 1 pin v0
}

@test "memory: exec" {
	clean 0 exec --fd 20 --bridge br0 --mac $A -- true
	clean 126 exec --fd 20 --bridge br0 --queues 2 --mac $A -- /
	clean 0 add --bridge br0 --mac $A
	clean 0 exec --fd 20 --reuse --bridge br0 --mac $A -- true
	clean 125 exec --fd 20 --bridge br0 --mac $A -- true
}

@test "memory: exec on a macvtap, and its watcher" {
	requires_macvtap
	clean 0 exec --fd 20 --link v0 --mac $A --mac $B -- true
	clean 126 exec --fd 20 --link v0 --queues 2 --mac $A -- /
	no_link mvt525400000001
}

# The instructions of what tapctl does with so many NICs, by callgrind.
instructions() { # COUNT WORD-OF-EACH...
	local k words=() count=$1
	shift
	for ((k = 0; k < count; k++)); do
		words+=(--mac "$(printf '52:54:00:01:%02x:%02x' $((k / 256)) $((k % 256)))" "${@//@/$k}")
	done
	inside valgrind --tool=callgrind --callgrind-out-file=/dev/null "$TAPCTL" add --dry-run "${words[@]}" 2>&1 >/dev/null |
		sed -n 's/,//g; s/.*refs: *//p'
}

@test "memory: four times the NICs are four times the work" {
	local few many words
	for words in "--unattached" "--unattached --name guest@" "--bridge br0" "--bridge br0 --ip 10.0.1.2"; do
		# shellcheck disable=SC2086 # words
		few=$(instructions 200 $words) many=$(instructions 800 $words)
		echo "$words: $few, $many"
		[ "$few" -gt 1000000 ]
		[ $((2 * many)) -lt $((9 * few)) ]
	done
}
