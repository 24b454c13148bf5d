#!/usr/bin/env bats
# Many at once on one bridge.
load ../tools/helpers

# Every status in the file is one of those that the words name.
only_statuses() {
	local file=$1
	shift
	sort "$file" | uniq -c
	! grep -vxE "$(IFS='|'; echo "$*")" "$file" || return 1
}

@test "race: 200 exec at once, each with its device, and nothing is left" {
	add_bridge br0
	export NS
	run_one() {
		mac=52:54:02:00:00:$(printf %02x "$1")
		name=$(nsenter --net="/run/netns/$NS" -- "$TAPCTL" exec --bridge br0 --mac "$mac" -- \
			sh -c 'sed -n "s/iff:[[:space:]]*//p" /proc/self/fdinfo/3' 3>&- 4>&-) || return
		[ "$name" = "tap5254020000${mac##*:}" ]
	}
	export -f run_one
	seq 200 | xargs -P 200 -I{} bash -c 'run_one {}; echo $?' >"$WORK/statuses" 2>"$WORK/errors"
	cat "$WORK/errors"
	[ "$(wc -l <"$WORK/statuses")" = 200 ]
	only_statuses "$WORK/statuses" 0
	[ "$(links)" = $'br0\nlo' ]
	[ "$(link_field br0 .address)" = 02:00:00:00:00:01 ]
}

@test "race: 100 add and del of one address, with list and check all the time" {
	add_bridge br0
	export NS
	run_one() {
		local status=0
		nsenter --net="/run/netns/$NS" -- "$TAPCTL" "$@" 3>&- 4>&- || status=$?
		echo "$status" >&2
	}
	export -f run_one
	# Meanwhile list and check print valid JSON.
	(
		while [ ! -e "$WORK/done" ]; do
			inside "$TAPCTL" list --json --holders | holds 'length <= 1' >/dev/null || echo bad
			inside "$TAPCTL" check --json | holds 'all(.id and .remedy)' >/dev/null || echo bad
		done
	) >"$WORK/lists" 2>&1 &
	seq 100 | xargs -P 16 -I{} bash -c '
		run_one add --bridge br0 --mac 52:54:00:84:e3:62; run_one del 52:54:00:84:e3:62
	' >/dev/null 2>"$WORK/told"
	touch "$WORK/done"
	wait
	[ ! -s "$WORK/lists" ]
	# A loser is told that it exists, or that there is none, or that it just disappeared.
	only_statuses <(grep -xE '[0-9]+' "$WORK/told") 0 1
	run grep -vE '^[01]$|already exists|there is no (such )?device|already exists|disappeared|another port of br0' \
		"$WORK/told"
	echo "$output"
	[ -z "$output" ]
	grep -q 'exists' "$WORK/told"
	tapctl del 52:54:00:84:e3:62 || :
	[ "$(links)" = $'br0\nlo' ]
}

called() { [ "$(grep -cs "^$1(" "$WORK/trace")" -ge "$2" ]; }

# run_delayed CALL ACTION... -- WORDS...: tapctl WORDS, and ACTION while it waits before CALL, an
# expression of strace.
run_delayed() {
	local call=$1 action=()
	shift
	while [ "$1" != -- ]; do
		action+=("$1")
		shift
	done
	shift
	rm -f "$WORK/trace"
	inside strace -o "$WORK/trace" -e "trace=${call%%:*}" -e "inject=$call:delay_enter=700000" \
		"$TAPCTL" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null &
	local delayed=$!
	wait_until 10 called "${call%%:*}" "${call##*=}"
	"${action[@]}"
	wait "$delayed" || status=$?
	stderr=$(<"$WORK/err")
	echo "$status: $stderr"
}

@test "race: what exec --reuse opens after del's look stays, and what del has opens nobody" {
	add_bridge br0
	add_cable nic0 nic1
	kinds=("--bridge br0" "--bridge br0 --queues 2")
	[ "$(id -u)" != 0 ] || [ -n "$TAPCTL_TESTS_UNPRIVILEGED" ] || kinds+=("--link nic0")
	mkfifo "$WORK/ready" "$WORK/end"
	hold() {
		# shellcheck disable=SC2086 # words
		inside "$TAPCTL" exec --reuse $kind --mac 52:54:00:84:e3:62 -- sh -c "echo >'$WORK/ready'; read -r x <'$WORK/end'" &
		read -rt 20 _ <>"$WORK/ready"
	}
	for kind in "${kinds[@]}"; do
		# shellcheck disable=SC2086
		name=$(tapctl add $kind --mac 52:54:00:84:e3:62)
		call=ioctl:when=1
		[[ $kind != --link* ]] || call=unshare:when=1
		status=0
		run_delayed "$call" hold -- del 52:54:00:84:e3:62
		[ "$status" = 1 ]
		[[ "$stderr" = "tapctl: $name: in use by sh (pid "* ]]
		link_field "$name" .ifname
		echo >"$WORK/end"
		wait
		# Whoever is faster: what COMMAND has is there until it ends.
		for ((round = 0; round < 25; round++)); do
			# shellcheck disable=SC2086
			inside "$TAPCTL" exec --reuse $kind --mac 52:54:00:84:e3:62 -- sh -c "
				for i in 1 2 3 4; do ip -br link show '$name' >/dev/null || echo 'lost $kind'; done" >>"$WORK/lost" 2>&1 &
			tapctl del 52:54:00:84:e3:62
			wait
			# shellcheck disable=SC2086
			tapctl add $kind --mac 52:54:00:84:e3:62
		done
		tapctl del 52:54:00:84:e3:62
	done
	cat "$WORK/lost"
	[[ "$(<"$WORK/lost")" != *lost* ]]
}

@test "race: a bridge or lower device that disappears meanwhile is said to have disappeared" {
	local status=0
	add_bridge br0
	run_delayed ioctl:when=1 ip link del br0 -- exec --bridge br0 --mac 52:54:00:84:e3:62 -- true
	[ "$status" = 125 ]
	[ "$stderr" = "tapctl: br0: it disappeared: something removed it in the meantime" ]
	requires_macvtap
	add_cable v0 v1
	run_delayed sendto:when=3 ip link del v0 -- add --link v0 --mac 52:54:00:84:e3:62
	[ "$status" = 1 ]
	[ "$stderr" = "tapctl: v0: it disappeared: something removed it in the meantime" ]
	[ "$(links)" = lo ]
}

@test "race: a macvtap that disappears while it is opened is said to have disappeared" {
	requires_macvtap
	local status=0
	add_cable v0 v1
	# Its own is opened in a namespace that it enters then; another one is looked for in sysfs first.
	for call in setns:when=3 fsopen:when=1; do
		run_delayed $call ip link del mvt52540084e362 -- exec --reuse --link v0 --mac 52:54:00:84:e3:62 -- true
		[ "$status" = 125 ]
		[ "$stderr" = "tapctl: mvt52540084e362: it disappeared: something removed it in the meantime" ]
		tapctl add --link v0 --mac 52:54:00:84:e3:62
	done
}
