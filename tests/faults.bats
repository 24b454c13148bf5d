#!/usr/bin/env bats
# The sweep in its short form; all of it: tests/sweep without --quick.
load helpers

sweep() {
	requires_root
	run inside unshare --mount "$TESTS/sweep" --quick "$@"
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" == *" injections, "* ]]
}

@test "faults: add survives every one" { sweep add; }
@test "faults: exec survives every one" { sweep exec; }
@test "faults: del survives every one" { sweep del; }
@test "faults: list and pin survive every one" { sweep list pin; }
@test "faults: bridge-helper survives every one" { sweep bridge-helper; }
