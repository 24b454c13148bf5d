#!/usr/bin/env bats
# Each fuzzer over its seeds and a short while more; longer: make fuzz.
# bats file_tags=once
load ../tools/helpers

setup() { WORK=$BATS_TEST_TMPDIR; }
teardown() { :; }

fuzz() {
	local fuzzer=$BUILD/fuzz/tests/fuzz/$1
	[ -x "$fuzzer" ] || skip "no fuzzers here: make FUZZ=1 (it needs clang and its runtime)"
	mkdir "$WORK/new"
	# What made it fail is shown, in base64.
	"$fuzzer" -max_total_time=3 -timeout=10 -artifact_prefix="$WORK/" "$WORK/new" "$TESTS/fuzz/$1.seeds" \
		>"$WORK/log" 2>&1 || { tail -n 40 "$WORK/log"; return 1; }
	grep 'Done [1-9][0-9]* runs' "$WORK/log"
}

@test "fuzz: MAC addresses" { fuzz macutil; }
@test "fuzz: the values of options" { fuzz values; }
@test "fuzz: whole command lines" { fuzz options; }
@test "fuzz: the words of COMMAND" { fuzz args; }
@test "fuzz: records in aliases" { fuzz record; }
@test "fuzz: answers of rtnetlink" { fuzz netlink; }
@test "fuzz: fdinfo" { fuzz holders; }
@test "fuzz: untrusted strings, printed" { fuzz json; }
@test "fuzz: frames of a trace" { fuzz trace; }
@test "fuzz: the program of --ip against its rules" { fuzz filter; }
@test "fuzz: answers of Open vSwitch's database" { fuzz ovs; }
@test "fuzz: every fuzzer is run here" {
	for source in "$TESTS"/fuzz/*.c; do
		grep -q " { fuzz $(basename "$source" .c); }" "$BATS_TEST_FILENAME" || { echo "$source"; return 1; }
		[ -n "$(ls -A "${source%.c}.seeds")" ] || { echo "no seeds: $source"; return 1; }
	done
}
