#!/usr/bin/env bats
# Errors for programs: --json makes the line of error an object, with a word that stays what it is.
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362

# fails_as WORD STATUS WORD...: the same failure as a line and as an object, with nothing on standard output.
fails_as() {
	local word=$1 expected=$2 line options=(--json)
	shift 2
	run_tapctl "$@"
	[ "$status" = "$expected" ]
	line=$stderr
	[ -z "$output" ]
	run_tapctl "$1" "${options[@]}" "${@:2}"
	[ "$status" = "$expected" ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	holds 'keys == ["error", "message", "remedy", "subject"] and .error == $word and (.message | type == "string")' \
		--arg word "$word" <<<"$stderr"
	# Together they are the line.
	[ "${line//\'/}" = "tapctl: $(jq -r '[.subject, .message, .remedy] | map(select(.)) | join(": ")' <<<"$stderr" | tr -d \')" ]
}

@test "errors --json: the command line" {
	local words
	fails_as usage 2 list --nosuch
	fails_as usage 2 nosuch
	fails_as usage 2 add --bridge br0 --mac 52
	fails_as usage 2 add --mac $A
	fails_as usage 2 del
	fails_as usage 2 trace
	fails_as usage 125 exec --bridge br0 --mac $A
	fails_as usage 2 mac $A 52
	fails_as usage 2 list --mtu 7 'a b' $'\e[1m'
	run_tapctl list -Hj nosuch
	holds '.error == "no-such-device" and .subject == "nosuch" and .remedy == "tapctl list --all shows all"' <<<"$stderr"
	# Letters in one word, of which the last may take a value.
	for words in 'del -fj br9' 'del -jf br9' 'add -jb br9 -m random' 'attach -jvbbr9 br9'; do
		# shellcheck disable=SC2086 # words
		run_tapctl $words
		holds '.subject == "br9"' <<<"${stderr_lines[-1]}"
	done
	run_tapctl add -bj -m $A
	[[ "$stderr" = "tapctl: j: there is no such bridge"* ]]
	run_tapctl exec --unattached --mac $A -- sh -c 'exit 7' --json
	[ "$status" = 7 ]
}

@test "errors --json: what to do is a remedy, and not a part of the message, in all errors" {
	cd "$TESTS/.."
	# The literals of each call joined, up to the end of the message.
	grep -hPzo 'report_(error|failure)\((?:[^;"]|"(?:[^"\\]|\\.)*")*;' ./*.c {commands,inspect,vmm,nic,kernel,lib}/*.c |
		tr '\n\0' ' \n' | sed -E 's/"[[:space:]]+"//g' >"$WORK/errors"
	[ "$(wc -l <"$WORK/errors")" -gt 150 ]
	sed 's/\\n.*//' "$WORK/errors" >"$WORK/messages"
	run ! grep -E ': (give|make|run|see|use|write) ' "$WORK/messages"
	# Nor is it a question.
	run ! grep '?"' "$WORK/errors"
	# One that there is not in every case.
	run_tapctl list --json --netns nosuch
	holds '.message == "there is no /run/netns/nosuch" and .remedy == "ip netns list shows the names"' <<<"$stderr"
	run_tapctl list --json --netns /nosuch
	holds '.message == "there is no /nosuch" and .remedy == null' <<<"$stderr"
	run_tapctl list --netns /nosuch
	[ "$stderr" = "tapctl: --netns /nosuch: there is no /nosuch" ]
	run_tapctl trace --json --seconds 0 x
	holds '.message == "is not valid" and (.remedy | startswith("write a number from 1 to "))' <<<"$stderr"
}

@test "errors --json: what does not exist" {
	add_bridge br0
	fails_as no-such-device 1 list nosuch
	fails_as no-such-device 1 del $A
	fails_as no-such-device 1 add --link nosuch --mac $A
	fails_as no-such-bridge 1 add --bridge br9 --mac $A
	fails_as no-such-bridge 125 exec --bridge br9 --mac $A -- true
	fails_as no-such-bridge 1 pin br9
	fails_as no-such-netns 1 list --netns nosuch
	run -127 --separate-stderr tapctl exec --json --bridge br0 --mac $A -- nosuch
	holds '.error == "command-not-found" and .subject == "nosuch"' <<<"$stderr"
	fails_as cannot-run 126 exec --bridge br0 --mac $A -- /etc/passwd
}

@test "errors --json: what is there, in use or different" {
	add_bridge br0
	tapctl add --bridge br0 --mac $A
	fails_as exists 1 add --bridge br0 --mac $A
	fails_as differs 1 add --may-exist --bridge br0 --isolated --mac $A
	fails_as differs 1 add --may-exist --bridge br0 --owner nobody --mac $A
	fails_as differs 1 add --may-exist --bridge br0 --queues 2 --mac $A
	fails_as address-in-use 1 add --bridge br0 --mac $A --name other
	fails_as not-a-bridge 1 add --bridge lo --mac $A
	fails_as not-a-bridge 1 add --bridge $TAP --mac $A
	fails_as not-supported 1 del br0
	fails_as differs 125 exec --reuse --bridge br0 --isolated --mac $A -- true
	ip link set $TAP nomaster
	fails_as differs 1 add --may-exist --bridge br0 --mac $A
	run tapctl exec --reuse --unattached --name $TAP --mac $A -- "$TAPCTL" del --json $TAP
	holds '.error == "in-use"' <<<"${lines[0]}"
}

@test "errors --json: rights and devices" {
	run --separate-stderr inside unshare --mount sh -c 'mount -t tmpfs tmpfs /dev/net && exec "$@"' sh \
		"$TAPCTL" add --json --unattached --mac $A
	holds '.error == "no-tun" and .subject == "/dev/net/tun" and (.remedy | startswith("a container needs"))' <<<"$stderr"
	run --separate-stderr with_vhost_node inside none "$TAPCTL" exec --json --unattached --vhost=on --mac $A -- true
	holds '.error == "no-vhost"' <<<"$stderr"
	run --separate-stderr inside strace -qq -o /dev/null -e trace=ioctl -e inject=ioctl:error=EPERM:when=1 \
		"$TAPCTL" add --json --unattached --mac $A
	holds '.error == "not-permitted" and .subject == "tap52540084e362"' <<<"$stderr"
	run bash -c 'nsenter --net=/run/netns/$0 "$TAPCTL" add --json --unattached --mac '$A' 2>&1 >/dev/full' "$NS"
	holds '.error == "cannot-write"' <<<"$output"
	run --separate-stderr bash -c 'nsenter --net=/run/netns/$0 "$TAPCTL" exec --json --unattached --mac '$A' -- true 3</dev/null' "$NS"
	holds '.error == "fd-in-use" and .subject == "fd 3"' <<<"$stderr"
}

@test "errors --json: no half of an answer is on standard output" {
	local macs=()
	for n in {10..99}; do macs+=(--mac "52:54:00:00:00:$n"); done
	tapctl add --unattached "${macs[@]}" >"$WORK/made"
	run --separate-stderr inside strace -qq -o /dev/null -e trace=recvmsg -e inject=recvmsg:error=ENOMEM:when=3 \
		"$TAPCTL" list --json
	[ "$status" = 1 ]
	[ -z "$output" ]
	holds '.error == "no-memory"' <<<"$stderr"
}

@test "errors --json: bytes that are not UTF-8, and subjects that are too long" {
	run_tapctl list --json $'\xff\e"\\'
	holds '.subject == "\ufffd\u001b\"\\"' <<<"$stderr"
	run_tapctl list --json "$(printf '%0600d' 7)"
	holds '.message == "there is no such device here" and (.subject | length < 150)' <<<"$stderr"
}

@test "errors --json: each word is in the manual page, and none else" {
	local words
	words=$(
		cd "$TESTS/.." || exit
		{
			sed -n '/words\[\] = {/,/};/p' lib/report.c
			grep -o 'return "failed"\|word = "usage"' lib/report.c
			cat {commands,inspect,vmm,nic,kernel,lib}/*.c | tr '\n' ' ' |
				grep -oE 'report_failure\([^;%]*"|refuse_lower\([^;]*;|"no-(tun|vhost)"'
		} | grep -oE '"[a-z]+(-[a-z]+)*"' | tr -d '"' | sort -u
	)
	[ "$(wc -l <<<"$words")" -ge 20 ]
	diff - <(sed -n '/^which is one of/,/^\.El/s/^\.It Li //p' "$TESTS/../man/tapctl.8" |
		sed 's/ , Li /\n/' | sort) <<<"$words"
}
