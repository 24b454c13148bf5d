#!/usr/bin/env bats
# help, version and what is said to a command line that is nearly right.
load ../tools/helpers

A=52:54:00:84:e3:62

# says STATUS LINE WORD...: that is the line of error.
says() {
	run_tapctl "${@:3}"
	[ "$status" = "$1" ]
	[ -z "$output" ]
	[ "$stderr" = "tapctl: $2" ] || { echo "wanted: tapctl: $2"; return 1; }
}

@test "help: of all commands, and of one" {
	local word all
	all=$("$TAPCTL" --help)
	for word in help -h '-?' "help help" "help version"; do
		# shellcheck disable=SC2086 # words
		run_quiet $word
		[ "$output" = "$all" ]
	done
	local words
	mapfile -t words < <(sed -n 's/^  tapctl \([a-z-]*\).*/\1/p' <<<"$all")
	[ "${#words[@]}" -ge 10 ]
	for word in "${words[@]}"; do
		run_quiet help "$word"
		[ "$output" = "$("$TAPCTL" "$word" --help)" ]
		[ "$output" = "$("$TAPCTL" "$word" -h)" ]
		[ "$output" = "$("$TAPCTL" "$word" '-?')" ]
	done
	says 2 "'nosuch': there is no such command: see tapctl --help" help nosuch
	says 2 "'add': this word is not expected here" help list add
	run_quiet version
	[[ "$output" = "tapctl "* ]]
	[ "$output" = "$("$TAPCTL" --version)" ]
	run bash -c '"$TAPCTL" help exec >/dev/full'
	[ "$status" = 1 ]
	# It wins over what is missing, but not over what was wrong before.
	run_quiet exec --help --nosuch
	run_tapctl exec --nosuch --help
	[ "$status" = 125 ]
}

@test "help: within 80 columns, no sentence cut or wrapped, what everybody needs first" {
	local command text
	[ "$("$TAPCTL" help | wc -L)" -le 80 ]
	for command in mac add exec list check trace del attach pin bridge-helper; do
		text=$("$TAPCTL" help $command)
		# What it does, as in the list of all commands.
		grep -qiE "^  tapctl $command .* $(sed -n '2s/\.$//p' <<<"$text")\$" <("$TAPCTL" help)
		[ "$(wc -L <<<"$text")" -le 80 ]
		# Beside an option, and not below it.
		! grep -nE '^ {12,}' <<<"$text" || { echo "$command"; return 1; }
		[[ "$text" != *" "$'\n'* ]]
	done
	for command in add exec; do
		text=$("$TAPCTL" help $command)
		[[ "$(sed -n 3,5p <<<"$text" | grep -o -- '--[a-z]*' | xargs)" = "--mac --bridge --link"* ]]
		[[ "$text" = *"The device:"*"The port of a bridge:"*"General options:"*"Help options:"* ]]
		[[ "$text" = *$'\n\n'"  tapctl $command --bridge br0 "* ]]
	done
}

@test "help: the examples of --help work" {
	local example
	add_bridge br0
	mkdir "$WORK/bin"
	ln -s "$TAPCTL" "$WORK/bin/tapctl"
	printf '#!/bin/sh\necho "$TAPCTL_IFNAME"\n' >"$WORK/bin/qemu-system-x86_64"
	chmod +x "$WORK/bin/qemu-system-x86_64"
	for command in exec add; do
		example=$("$TAPCTL" help $command | sed -n '/^  tapctl/,$p' | sed 's/alice/root/')
		run inside env PATH="$WORK/bin:$PATH" sh -c "$example"
		echo "$output"
		[ "$status" = 0 ]
		[ "$output" = tap52540084e362 ]
	done
}

@test "help: a command that is not known, and what was probably meant" {
	local pair
	for pair in ls:list show:list delete:del rm:del remove:del create:add run:exec lsit:list ad:add exce:exec hlep:help; do
		says 2 "'${pair%:*}': there is no such command: did you mean ${pair#*:}? see tapctl --help" "${pair%:*}"
	done
	for pair in frob x '' tapctl; do
		says 2 "'$pair': there is no such command: see tapctl --help" "$pair"
	done
}

@test "help: an option that is not known, and what was probably meant" {
	says 2 "--brdige: unknown option: did you mean --bridge? see tapctl add --help" add --brdige br0
	says 2 "--own: unknown option: did you mean --owner? see tapctl add --help" add --own root
	says 2 "--holder: unknown option: did you mean --holders? see tapctl list --help" list --holder
	says 2 "--bridge: unknown option: see tapctl list --help" list --bridge br0
	says 2 "-Z: unknown option: see tapctl list --help" list -Z
}

@test "help: a word without its option" {
	says 125 "'br0': this word is not expected before --: give --bridge br0 for a bridge, or write -- before the whole COMMAND" exec br0 -- qemu
	says 125 "'$A': this word is not expected here: give --mac $A" exec --bridge br0 $A -- qemu
	says 2 "'$A': this word is not expected here: give --mac $A" add --bridge br0 --mac $A $A
	says 2 "'tap1': this word is not expected here: give --bridge tap1 for a bridge, --link tap1 for a lower device, or --name tap1 for the device's name" add tap1 -b br0 -m $A
	says 2 "--ip: given twice: write it once, as --ip ADDR,..." add -b br0 -m $A --ip 10.0.1.2 --ip 10.0.1.3
	says 2 "--vlan: given twice: write it once, as --vlan VID,..." add -b br0 -m $A --vlan 1 --vlan 2
	says 2 "--mtu: given twice" add -b br0 -m $A --mtu 1400 --mtu 1400
	says 2 "--ip '10.0.1.2/24': has bits behind its length: write 10.0.1.2 for that address, or 10.0.1.0/24 for its network" add -b br0 -m $A --ip 10.0.1.2/24
	says 2 "--ip 'fd00::1,fd00::2/64': has bits behind its length: write fd00::2 for that address, or fd00::/64 for its network" add -b br0 -m $A --ip fd00::1,fd00::2/64
}

@test "help: exec without -- says so, whatever COMMAND's own options are" {
	local words
	for words in "qemu-system-x86_64 -m 1G -netdev tap,id=n0,fd=3" "qemu-system-x86_64 --help"; do
		# shellcheck disable=SC2086 # words
		says 125 "'${words%% *}': COMMAND stands behind --: tapctl exec ... -- ${words%% *} ..." exec --bridge br0 $words
	done
	says 125 "'sleep': this word is not expected before --: give --bridge sleep for a bridge, or write -- before the whole COMMAND" exec --bridge br0 sleep -- 1
	says 125 "exec: no COMMAND after --: tapctl exec [OPTION...] -- COMMAND [ARG...]" exec --bridge br0 --mac $A
	says 125 "exec: an option after --: tapctl exec [OPTION...] -- COMMAND [ARG...]" exec --bridge br0 --mac $A -- -m 1G
}

@test "help: a bridge that is not there, or a port of one" {
	says 1 "br9: there is no such bridge in this network namespace: ip link add name br9 up type bridge" add --bridge br9 --mac $A
	local remedy=${stderr##*namespace: }
	inside sh -c "$remedy"
	tapctl add --bridge br9 --mac $A
	ip link del br9
	tapctl del $A
	add_bridge br0
	add_bridge br1
	says 1 "br9: there is no such bridge in this network namespace, only br0, br1: ip link add name br9 up type bridge" \
		add --bridge br9 --mac $A
	add_bridge br2 && add_bridge br3 && add_bridge br4
	says 1 "br9: there is no such bridge in this network namespace, only br0, br1, br2, br3 ...: ip link add name br9 up type bridge" \
		add --bridge br9 --mac $A
	add_cable eth0 far
	ip link set eth0 master br0
	says 1 "eth0: is a port of br0: use --bridge br0" add --bridge eth0 --mac $A
	requires_macvtap
	says 1 "eth0: is a port of br0: use --bridge br0" add --link eth0 --mac $A
}
