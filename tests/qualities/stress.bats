#!/usr/bin/env bats
# Random calls of many workers, and a model of what must be there, for a short while; longer: make stress.
load ../tools/helpers

@test "stress: many workers at random, and all is as the model says" {
	requires_macvtap
	run "$TESTS/tools/stress.py" --seconds 10 --workers 6 --patience 6
	# The seed, and what was found.
	echo "$output"
	[ "$status" = 0 ]
	[[ "${lines[-1]}" == "# "[1-9]*" calls, "* ]]
	echo "${lines[-1]}" >&3
}
