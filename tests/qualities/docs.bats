#!/usr/bin/env bats
# What README, the manual page and --help say is so: options on both sides, and every example is run.
# bats file_tags=once
load ../tools/helpers

MAN=$TESTS/../man/tapctl.8
README=$TESTS/../README
A=52:54:00:84:e3:62 TAP=tap52540084e362
COMMANDS="mac add exec list check trace del attach pin bridge-helper"

# A VMM that takes the fds that its arguments name, and writes down what it was given.
stub_qemu() {
	mkdir "$WORK/bin"
	cat >"$WORK/bin/qemu-system-x86_64" <<-'S'
		#!/bin/bash
		for word in "$@"; do
			case $word in
			tap,*) ;;
			bridge,*,helper=*) python3 "$0.py" "${word##*helper=}" && continue ;;
			*) continue ;;
			esac
			fds=${word##*fd=} fds=${fds##*fds=}
			for fd in ${fds//:/ }; do
				case $(readlink "/proc/$$/fd/$fd") in
				/dev/net/tun) name=$(sed -n 's/iff:[[:space:]]*//p' "/proc/$$/fdinfo/$fd") ;;
				/dev/tap*) name=macvtap ;;
				*) name=none ;;
				esac
				echo "fd $fd is $name, uid $(id -u)"
			done
		done
	S
	cat >"$WORK/bin/qemu-system-x86_64.py" <<-'S'
		import fcntl, os, socket, subprocess, sys
		mine, its = socket.socketpair()
		subprocess.run([sys.argv[1], "--use-vnet", f"--fd={its.fileno()}", "--br=br0"],
		               pass_fds=[its.fileno()], check=True)
		name = fcntl.ioctl(socket.recv_fds(mine, 1, 1)[1][0], 0x800454d2, bytes(40))[:16].rstrip(b"\0")
		print(f"helper's fd is {name.decode()}, uid {os.getuid()}")
	S
	chmod -R go+rx "$WORK/bin"
	ln -s "$TAPCTL" "$WORK/bin/tapctl"
	chmod go+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$WORK" 2>/dev/null || :
}

# The place that the examples are about: br0 and eth0, of the test's own.
example_namespace() {
	requires_macvtap
	add_bridge br0
	add_cable eth0 far
	stub_qemu
}

# The manual page as text: what mandoc strikes over comes once.
man_text() { mandoc -T ascii -O width=200 "$MAN" | sed 's/.\x08//g'; }

# The literal displays of the manual page, and the indented blocks of README, one a line; a backslash
# goes on. Blank lines and prose end a block.
man_examples() {
	man_text |
		awk '/^EXAMPLES/ { on = 1 } /^RECIPES/ { on = 0 } on && /^           / { sub(/^ +/, ""); print }'
}
readme_examples() { sed -n 's/^    //p' "$README"; }
joined() { sed -e ':a' -e '/\\$/N; s/\\\n *//; ta'; }

# Runs the commands of one example as a shell would, in the namespace.
run_example() {
	echo "\$ $1"
	run inside env PATH="$WORK/bin:$PATH" bash -ec "$1"
	echo "status $status: $output"
	# There is no guest to follow.
	case $1 in "tapctl trace"*) [[ $status = 1 && $output == *"there is no device"* ]]; return ;; esac
	[ "$status" = 0 ]
	[[ "$output" != *none* ]]
	# No example is warned of, but for a host without vhost-net, or a bridge without an uplink.
	if grep 'warning: ' <<<"$output" | grep -v 'going on without vhost\|follows its lowest port'; then return 1; fi
	case $1 in *qemu*) [[ "$output" == *"fd 3 is tap525"* || "$output" == *"fd 3 is macvtap"* ]] ;; esac
}

run_all() {
	local line count=0
	while IFS= read -r line; do
		# Those with Open vSwitch: subjects/ovn.bats.
		case $line in *--ovs*) continue ;; tapctl\ *) ;; *) continue ;; esac
		run_example "$line"
		count=$((count + 1))
		# A macvtap's end takes a moment.
		wait_until 5 no_link mvt52540084e362
	done
	[ "$count" -ge "$1" ]
}

@test "docs: the manual page is well-formed" {
	run mandoc -T lint -W warning "$MAN"
	echo "$output"
	[ "$status" = 0 ]
	# A macro for each page, or the second one has no parentheses.
	run ! grep -nE '^\.Xr [^ ]+ [0-9] ,? ?[a-z].* [0-9]' "$MAN"
}

@test "docs: the manual page is found by what it is about, and says what system it is of" {
	local word
	for word in tap macvtap bridge "virtual machine"; do
		sed -n 's/^\.Nd //p' "$MAN" | grep -qw "$word"
	done
	command -v groff >/dev/null || skip "no groff here"
	run bash -c 'groff -mandoc -Tascii "$1" | sed "s/.\x08//g" | sed -n "1p; \$p"' bash "$MAN"
	echo "$output"
	[[ "${lines[0]}" = "TAPCTL(8) "*"System Manager's Manual"* ]]
	[[ "$output" != *BSD* ]]
}

@test "docs: README and the manual page fit a terminal" {
	awk 'length > 80 { print; wide = 1 } END { exit wide }' "$README"
	# But for the table of trace, which is that wide itself.
	mandoc -T ascii -O width=80 "$MAN" | sed 's/.\x08//g' |
		awk 'length > 80 && !/ (other|-)$/ { print; wide = 1 } END { exit wide }'
}

@test "docs: every finding of check is in the manual page and has a test" {
	local id ids
	ids=$(grep -rhoE '(WARNING|ERROR), "[a-z-]+"' "$TESTS/../inspect" | cut -d '"' -f 2 | sort -u)
	[ "$(wc -l <<<"$ids")" -ge 39 ]
	for id in $ids; do
		grep -qxF ".It Li $id" "$MAN" || { echo "not in the manual page: $id"; return 1; }
		grep -qE "@test \"check .*$id" "$TESTS"/commands/check*.bats || { echo "no test: $id"; return 1; }
	done
	[ "$(grep -cE '^\.It Li [a-z]+(-[a-z]+)*$' "$MAN")" -ge 39 ]
}

@test "docs: every finding of check in the manual page is felt by a ping in a test, or is none of that kind" {
	# The tests in which somebody does not answer.
	awk '/^@test/ { body = "" }
		{ body = body "\n" $0 }
		/^}/ && body ~ /no_answer|run ! |dead |lost/ {
			while (match(body, /:[a-z0-9]+(-[a-z0-9]+)+/)) {
				print substr(body, RSTART + 1, RLENGTH - 1)
				body = substr(body, RSTART + RLENGTH)
			}
		}' "$TESTS"/commands/check*.bats >"$WORK/felt"
	sed -n 's/^#   \([a-z0-9-]*\)  .*/\1/p' "$TESTS/commands/check_ping.bats" >>"$WORK/felt"
	sed -n '/^\.Ss check/,/^\.Ss trace/s/^\.It Li \([a-z0-9-]*\)$/\1/p' "$MAN" | sort >"$WORK/ids"
	[ "$(wc -l <"$WORK/ids")" -ge 78 ]
	[ -z "$(sort -u "$WORK/felt" | comm -13 - "$WORK/ids")" ]
}

@test "docs: every option of --help is in the manual page" {
	local page option
	page=$(man_text)
	for command in $COMMANDS; do
		for option in $("$TAPCTL" "$command" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
			grep -qE -- "$option([^a-z-]|\$)" <<<"$page" || { echo "$command $option"; return 1; }
		done
	done
}

@test "docs: every option of the manual page is in some --help" {
	local help option
	help=$("$TAPCTL" --help; for command in $COMMANDS; do "$TAPCTL" "$command" --help; done)
	"$TAPCTL" --version | grep -q '^tapctl '
	# The recipes have options of other programs.
	for option in $(man_text | sed '/^RECIPES/,/^DIAGNOSTICS/d' | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
		[ "$option" = --version ] || grep -qF -- "$option" <<<"$help" || { echo "$option"; return 1; }
	done
}

@test "docs: the synopsis of each command shows what its --help does" {
	local page nic
	page=$(man_text | sed '/^DESCRIPTION/,$d')
	# Those that the synopsis calls NIC-options.
	nic=$(sed -n '/^\.Ss NIC options/,/^\.Sh COMMANDS/s/^\.It Fl \(. , \)\{0,1\}-\([a-z-]*\).*/\2/p' "$MAN" | paste -sd'|')
	for command in $COMMANDS; do
		diff <(grep -E "^ +tapctl $command" <<<"$page" | grep -oE -- '[ []--?[a-zA-Z][a-zA-Z-]*' | tr -d ' [' |
			sed '/^--/!s/-//; /^--/!s/./-&\n/g' | sed '/^$/d' | sort) \
			<("$TAPCTL" "$command" --help | sed '/^Help options/,$d' |
				case $command in add | exec) grep -vE -- "^ +(-., )?--($nic)\>" ;; *) cat ;; esac |
				sed -n 's/^  \(-[a-zA-Z]\|    --[a-z-]*\).*/\1/p' | tr -d ' ' | sort) || { echo "$command"; return 1; }
		# And its words.
		[[ "$(grep -E "^ +tapctl $command" <<<"$page" | tr -d ' []')" = \
			*"$("$TAPCTL" "$command" --help | sed -n '1s/.*OPTION\.\.\.\]//p' | tr -d ' []')" ]] || { echo "$command"; return 1; }
	done
}

@test "docs: every command of --help is in the manual page, with --help and --usage of its own" {
	for command in $("$TAPCTL" --help | sed -n 's/^  tapctl \([a-z-]*\).*/\1/p'); do
		grep -q "^.Ss $command$" "$MAN"
		"$TAPCTL" "$command" --help | grep -q "^Usage: tapctl $command"
		"$TAPCTL" "$command" --usage | grep -q "^Usage: tapctl $command"
		[[ " $COMMANDS " == *" $command "* ]]
	done
}

@test "docs: the environment variables of the manual page are those that COMMAND gets" {
	run tapctl exec --unattached --mac 52:54:00:84:e3:62 -- sh -c 'env | sed -n "s/^\(TAPCTL_[A-Z_]*\)=.*/\1/p" | sort'
	diff <(grep -v '^TAPCTL_TESTS' <<<"$output" | grep -v '^TAPCTL$') \
		<(sed -n 's/^\.It Ev \(TAPCTL_[A-Z_]*\).*/\1/p' "$MAN" | grep -v VHOST | sort)
}

@test "docs: the JSON keys of the manual page are those of list" {
	requires_macvtap
	add_cable v0 v1
	tapctl add --mac 52:54:00:84:e3:62 --unattached --mac 52:54:00:84:e3:63 --link v0
	diff <(tapctl list --json --holders | jq -r '.[] | keys[]' | sort -u) \
		<(sed -n '/^\.Ss list/,/^\.Ss check/s/^\.Li \([a-z_]*\).*/\1/p' "$MAN" |
			grep -vx 'pid\|command\|vm' | sort -u)
}

@test "docs: the columns of list are in the manual page" {
	local column columns
	columns=$(sed -n '/^static const struct table_column/,/^};/p' "$TESTS/../inspect/show.c" | grep -oE '"[A-Z]+"' | tr -d '"')
	[ "$(wc -l <<<"$columns")" = 8 ]
	for column in $columns; do
		sed -n '/^\.Ss list/,/^\.Ss check/p' "$MAN" | grep -w "$column" || { echo "$column"; return 1; }
	done
}

@test "docs: the JSON keys of the manual page are those of check" {
	tapctl add --mac 52:54:00:84:e3:62 --unattached
	diff <(inside "$TAPCTL" check --json | jq -r '.[] | keys[]' | sort -u) \
		<(sed -n '/^\.Ss check/,/^The identifiers/s/^\.Li \([a-z]*\) *[.,]*$/\1/p' "$MAN" | sort -u)
}

@test "docs: the JSON keys of the manual page are those of trace" {
	tapctl add --mac 52:54:00:84:e3:62 --unattached
	diff <(inside "$TAPCTL" trace --json --seconds 1 tap52540084e362 |
		jq -r 'keys[], (.hops[] | keys[]), (.hops[].from_guest | keys[])' | sort -u) \
		<(sed -n '/^\.Ss trace/,/^The verdicts/s/^\.Li \([a-z_0-9]*\).*/\1/p' "$MAN" | sort -u)
}

@test "docs: every verdict of trace is in the manual page and has a test" {
	local id ids
	ids=$(grep -hoE '(verdict->id = |\{ )"[a-z-]+"' "$TESTS/../inspect/verdict.c" | cut -d '"' -f 2 | sort -u)
	[ "$(wc -l <<<"$ids")" = 12 ]
	diff - <(sed -n '/^The verdicts/,/^\.Ss del/s/^\.It Li //p' "$MAN" | sort) <<<"$ids"
	for id in $ids; do
		grep -qE "\b$id\b" "$TESTS"/commands/trace*.bats "$TESTS/unit/trace.c" || { echo "no test: $id"; return 1; }
	done
}

@test "docs: the examples of the manual page" {
	example_namespace
	man_examples | joined >"$WORK/lines"
	run_all 9 <"$WORK/lines"
}

@test "docs: the examples of README" {
	example_namespace
	# systemd begins in /, and nothing of it is the user's whom the unit names.
	readme_examples | joined | grep '^ExecStart=.* --user vm -- qemu[^ ]* -m 1G /[^ ]*\.img '
	readme_examples | joined | sed 's/^ExecStart=//; s/--user vm /--user nobody /' >"$WORK/lines"
	run_all 7 <"$WORK/lines"
}

@test "docs: the four ways of README without root, as an ordinary user" {
	example_namespace
	make_caller
	cp -a /etc/. "$ETC"
	rm -rf "$ETC/tapctl" "$ETC/qemu"
	echo 'nobody ALL=(ALL) NOPASSWD: ALL' >"$ETC/sudoers.d/nobody"
	# What is installed in /usr/local/sbin.
	mkdir "$PUBLIC/sbin"
	cp "$WORK"/bin/qemu* "$TAPCTL" "$PUBLIC/sbin"
	IN_PLACE+=(bash -c 'mount --bind "$0" /usr/local/sbin && exec "$@"' "$PUBLIC/sbin")
	sed -n '/^Without root/,/^How it compares/s/^    //p' "$README" >"$PUBLIC/ways"
	grep -q 'setcap cap_net_admin=ep /usr/local/sbin/tapctl' "$PUBLIC/ways"
	run as_caller sudo -n true
	[ "$status" = 0 ] || skip "sudo does not work here: $output"
	as_caller unshare --user true || skip "user namespaces are forbidden here"
	# With the PATH of an ordinary user (login.defs).
	run as_caller env USER=nobody PATH=/usr/local/bin:/usr/bin:/bin bash -ec ". $PUBLIC/ways"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep "fd " <<<"$output")" = "fd 3 is tap52540084e362, uid 65534
fd 3 is tap52540084e362, uid 65534
fd 3 is tap52540084e362, uid 65534
helper's fd is tap0, uid 65534
fd 3 is tap52540084e362, uid 0" ]
}


@test "docs: the session that README begins with" {
	stub_qemu
	mkfifo "$WORK/end" && exec {hold}<>"$WORK/end"
	printf '#include <unistd.h>\nint main(void) { char c; return read(0, &c, 1) < 0; }\n' >"$WORK/vmm.c"
	${CC:-cc} -o "$WORK/bin/qemu-system-x86_64" "$WORK/vmm.c"
	sed -n '1,/^From a guest/s/^    //p' "$README" >"$WORK/session"
	[ "$(grep -c '^# ' "$WORK/session")" = 5 ]
	sed -n 's/^# //p; /^      -/p' "$WORK/session" | sed "s|&\$|<'$WORK/end' \& while [ \"\$(cat /proc/\$!/comm)\" != qemu-system-x86 ]; do :; done|" >"$WORK/typed"
	# The last look is for what is left when the kernel has removed it.
	run inside env PATH="$WORK/bin:$PATH" LC_ALL=C bash -mc ". $WORK/typed" 3>&- 4>&-
	echo "$output"
	[ "$status" = 0 ]
	diff <(grep -v '^# \|^      -' "$WORK/session" | sed 's/\[[0-9]*\]/[PID]/') \
		<(grep '^br0\|^`-' <<<"$output" | sed 's/\[[0-9]*\]/[PID]/')
}

@test "docs: the error of README" {
	local said
	add_bridge br0
	said=$(sed -n '/^    # tapctl add --json/,/^    }/s/^    \([ {}]\)/\1/p' "$README")
	run_tapctl add --json --bridge br9 --mac 52:54:00:84:e3:62
	[ "$status" = 1 ]
	[ "$(jq . <<<"$stderr")" = "$said" ]
	# Behind a warning; 125 of exec, 127 where COMMAND is not found.
	run -127 --separate-stderr tapctl exec --json --bridge br0 --mac $A -- /nosuch/qemu-system-x86_64
	[[ ${stderr_lines[0]} = "tapctl: warning: "* ]]
	holds '.error == "command-not-found"' <<<"${stderr_lines[-1]}"
	run -125 --separate-stderr tapctl exec --json --bridge br9 --mac $A -- true
	holds '.error == "no-such-bridge"' <<<"${stderr_lines[-1]}"
}

@test "docs: what --json prints where there are no devices to print" {
	local command
	add_bridge br0
	tapctl add --bridge br0 --mac $A >/dev/null
	for command in "pin -j br0" "del -j --if-exists nosuch"; do
		# shellcheck disable=SC2086 # words
		run_quiet $command
		[ -z "$output" ]
	done
	[[ $(tapctl add -j --dry-run --unattached --mac 52:54:00:00:00:01) = "ip tuntap add "* ]]
	[[ $(tapctl exec -j --dry-run --unattached --mac 52:54:00:00:00:01 -- true fd=3) = "ip tuntap add "* ]]
	# A finding is no error; what is asked for and cannot be is one.
	ip link del br0
	for command in "check -j" "trace -j --seconds 1 $TAP"; do
		# shellcheck disable=SC2086 # words
		run_tapctl $command
		[ "$status" = 1 ]
		[ -z "$stderr" ]
		holds 'tostring | contains("off-bridge")' <<<"$output"
	done
	run_tapctl attach -j $TAP
	[ "$status" = 1 ]
	[ "$output" = "[]" ]
	holds '.remedy | contains("tapctl attach")' <<<"$stderr"
}

@test "docs: the Python example of README" {
	example_namespace
	readme_examples | sed -n '/^import json/,/^subprocess.run/p' >"$WORK/example.py"
	run inside env PATH="$WORK/bin:$PATH" python3 "$WORK/example.py"
	echo "$output"
	[ "$status" = 0 ]
	[[ "$output" =~ ^tap5254[0-9a-f]{8}\ 52:54:00:.*\ fe:54:00: ]]
	[ "$(tapctl list --json)" = "[]" ]
}
