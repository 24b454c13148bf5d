#!/usr/bin/env bats
# The sweep in its short form; all of it: make sweep.
# bats file_tags=once
load ../tools/helpers

setup() { requires_root; }
teardown() { :; }

# The numbers are shown, too, when all survived.
sweep() {
	run "$TESTS/tools/sweep.py" --quick "$@"
	echo "$output"
	[ "$status" = 0 ]
	[[ "${lines[-1]}" == "# "*" injections, "* ]]
	echo "${lines[-1]}" >&3
}

@test "faults: add survives every one" { sweep add; }
@test "faults: exec survives every one" { sweep exec; }
@test "faults: the watcher survives every one" { sweep watcher; }
@test "faults: del survives every one" { sweep del; }
@test "faults: list and pin survive every one" { sweep list pin; }
@test "faults: taps on Open vSwitch survive every one" {
	[ -e "$SWITCHES/complete" ] || skip "Open vSwitch could not be fetched: see build/check/switches.log"
	sweep ovs
}
@test "faults: bridge-helper survives every one" { sweep bridge-helper; }
