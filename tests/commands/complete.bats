#!/usr/bin/env bats
# The completion of shells, which is tapctl's own.
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362
B=52:54:00:84:e3:63 TAP_B=tap52540084e363

setup() {
	setup_namespace
	add_bridge br0
	add_bridge br1
	add_cable eth0 far
	ip link set far master br1
	tapctl add --bridge br0 --mac $A --mac $B
}

# offers "WORDS" WORD...: what the last of them may become.
offers() {
	run tapctl complete -- tapctl "${@:2}"
	echo "tapctl ${*:2} => ${lines[*]}"
	[ "$status" = 0 ]
	[ "${lines[*]}" = "$1" ]
}

# completes "WORDS" LINE: the same of a shell's line, as readline puts them behind its last colon or "=".
completes() {
	run inside env PATH="$(dirname "$TAPCTL"):$PATH" bash -c '
		compopt() { :; }
		. "$0/../dist/tapctl.bash"
		COMP_LINE=$1 COMP_POINT=${#1}
		_tapctl tapctl
		echo "${COMPREPLY[*]}"' "$TESTS" "$2"
	echo "$2 => $output"
	[ "$output" = "$1" ]
}

# typed SETUP SHELL...: what a person does in a real shell, on a terminal, after the line SETUP.
typed() {
	cat >"$WORK/type.py" <<-'END'
		import os, pty, re, select, sys
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp(sys.argv[2], sys.argv[2:])
		def answer(until):
		    said = b""
		    while not re.search(until, said) and select.select([fd], [], [], 20)[0]:
		        said += os.read(fd, 4096)
		    print(said.decode(errors="replace"))
		    return re.search(until, said)
		os.write(fd, sys.argv[1].encode() + b"; PS1='rea''dy> '\n")
		ok = answer(b"\nready> ")
		for keys, word, end in ((b"tapctl at\t --b\t br1 52:54:00:84:e3:62\n", b"\nready> ", b""),
		                        (b"tapctl list --json --netn\t", b"--netns", b"\x15"),
		                        (b"tapctl del 52:54:00:84:e3:6\t\t", rb"62  \S*63", b"\x15")):
		    os.write(fd, keys)
		    ok = answer(word) and ok
		    os.write(fd, end)
		os.write(fd, b"\x15exit\n")
		sys.exit(not ok)
	END
	run inside env PATH="$(dirname "$TAPCTL"):$PATH" DIST="$TESTS/../dist" TERM=dumb \
		timeout 90 python3 "$WORK/type.py" "$@"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(link_field $TAP .master)" = br1 ]
}

@test "complete: commands, and the options of each" {
	offers "mac add exec list check trace del attach pin bridge-helper help" ""
	offers "add attach" a
	offers "" nosuch ""
	local command options
	for command in mac add exec list check trace del attach pin bridge-helper; do
		options=$("$TAPCTL" $command --help | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p' | grep -v -- --usage | sort | xargs)
		run tapctl complete -- tapctl $command -
		[ "$(grep -vx -- -- <<<"$output" | sort | xargs)" = "$options" ]
	done
}

@test "complete: values of options, behind a blank or =" {
	offers "br0 br1" add --bridge ""
	offers "br0 br1" exec -b b
	offers "--bridge=br0 --bridge=br1" add --bridge=
	offers "br0 br1" attach --bridge ""
	offers "eth0" add --link ""
	offers "vepa" add --mode v
	offers "--vhost=on --vhost=auto" exec --vhost=
	offers "random" add --mac ""
	offers "root" exec --user roo
	offers "--owner=root" add --owner=roo
	offers "root" add -g roo
	offers "$NS" list --netns "$NS"
	offers "" add --mtu ""
}

@test "complete: devices by name and by guest, bridges where they are meant" {
	offers "$TAP $TAP_B" del ""
	offers "$TAP $TAP_B br0 br1 eth0" list ""
	offers "$A $B" trace 52:5
	offers "br0 br1" pin ""
	offers "add attach" help a
	offers "" mac ""
	# What stands behind -- is COMMAND's.
	offers "" exec --bridge br0 -- ""
	offers "" exec -- --bri
}

@test "complete: in bash" {
	completes "add attach" "tapctl a"
	completes "--bridge" "tapctl add --br"
	completes "br0 br1" "tapctl add --bridge "
	completes "br0 br1" "tapctl add --bridge=b"
	completes "54:00:84:e3:62 54:00:84:e3:63" "tapctl del 52:"
	completes "62 63" "sudo tapctl del 52:54:00:84:e3:"
	completes "br0 br1" "FOO=1 /usr/local/sbin/tapctl pin "
	completes "tapctl" "tapctl exec --bridge br0 -- tapct"
}

@test "complete: in a real bash" {
	typed '. "$DIST/tapctl.bash"; bind "set show-all-if-ambiguous on"' bash --norc --noprofile -i
}

@test "complete: in a real zsh" {
	command -v zsh >/dev/null || skip "no zsh here"
	typed 'unsetopt prompt_sp prompt_cr; fpath=("$DIST" $fpath); autoload -U compinit; compinit -D -u' zsh -f -i
}

@test "complete: where links cannot be read the rest is offered" {
	run inside strace -qq -o /dev/null -e trace=socket -e inject=socket:error=EPERM "$TAPCTL" complete -- tapctl add --br
	[ "$output" = --bridge ]
}
