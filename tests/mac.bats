#!/usr/bin/env bats
load helpers

setup() { :; }
teardown() { :; }
tapctl() { "$TAPCTL" "$@"; }

@test "mac: the host side is the guest's address with fe in front" {
	run_tapctl mac 52:54:00:84:e3:62
	[ "$status" = 0 ]
	[ "$output" = fe:54:00:84:e3:62 ]
}
