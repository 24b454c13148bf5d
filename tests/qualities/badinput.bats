#!/usr/bin/env bats
# Wrong command lines, by the hundred: each gets one clear line and touches nothing.
load ../tools/helpers

A=52:54:00:84:e3:62

setup() {
	setup_namespace
	add_bridge br0
	add_cable v0 v1
	before=$(state)
	# Every link that comes here is seen; the last one is the test's own.
	inside ip -o monitor link >"$WORK/events" 2>&1 &
	wait_until 5 monitor_listens
	count=0 bad=0
}
state() { ip -j link show | jq -c 'map([.ifname, .address, .mtu, .master, .ifalias])'; }
monitor_listens() {
	ip link set lo txqueuelen $((1000 + RANDOM % 100))
	[ -s "$WORK/events" ]
}

# refused STATUS WORDS...: one line on stderr, that status, nothing on stdout, no raw control bytes.
refused() {
	local want=$1 error status=0 output
	shift
	count=$((count + 1))
	output=$(LC_ALL=C inside "$TAPCTL" "$@" 2>"$WORK/stderr" </dev/null) || status=$?
	error=$(<"$WORK/stderr")
	if [ "$status" != "$want" ] || [ -n "$output" ] || [ "$(wc -l <"$WORK/stderr")" != 1 ] ||
		[[ "$error" != "tapctl: "?* ]] || LC_ALL=C grep -q '[^ -~]' "$WORK/stderr"; then
		bad=$((bad + 1))
		printf '%q ' tapctl "$@"
		echo "=> status $status (not $want), stdout '$output', stderr '$error'"
	fi
}

# The same for add, which ends with 2, and for exec, which ends with 125.
refused_nic() {
	refused 2 add "$@"
	refused 125 exec "$@" -- true
}

# Nothing was touched from the first to the last.
finish() {
	echo "$count command lines, $bad badly refused"
	[ "$bad" = 0 ]
	[ "$count" -ge "$1" ]
	[ "$(state)" = "$before" ]
	ip link add marker type veth peer name rekram
	grep -q -m 1 marker <(timeout 10 tail -n +1 -F "$WORK/events" 2>/dev/null)
	run grep -vE ' (lo|br0|v[01]@v[01]|marker@\w+|rekram@\w+):' "$WORK/events"
	echo "$output"
	[ -z "$output" ]
}

@test "bad input: names" {
	for name in '' . .. a/b 'a b' a:b 1234567890123456 'abcdefghijklmnopqrstuvwxyz' '%s' '%d%d' 'a%d%d' '%' \
		'a%' '%5d' '%%d' $'a\tb' $'a\nb' $'a\e[31m' $'\x01' $'a\x7f' $'b\xa0' 'à' '/dev/null' ' a'; do
		refused_nic --bridge br0 --mac $A --name "$name"
		refused_nic --mac $A --bridge "$name"
		refused_nic --mac $A --link "$name"
		refused 2 pin "$name"
		refused 1 bridge-helper --fd=0 --br="$name"
	done
	for name in '%d' 'br%d'; do
		refused_nic --mac $A --bridge "$name"
		refused 2 pin "$name"
	done
	finish 140
}

@test "bad input: addresses" {
	for mac in '' x 52 52:54:00:84:e3 52:54:00:84:e3:62: 52:54:00:84:e3:6 52:54:00:84:e3:6g 52:54:00-84:e3:62 \
		5254:0084:e362 52.54.00.84.e3.62 5254.0084-e362 52540084e36 52540084e3622 ' 52540084e362' \
		'52540084e362 ' $'52:54:00:84:e3:62\n' 0x540084e362 -2:54:00:84:e3:62 52:54:0:84:e3:62 randomx \
		RANDOM 01:00:5e:00:00:01 ff:ff:ff:ff:ff:ff 00:00:00:00:00:00 53:54:00:84:e3:62 $'\e[2J' %n%n%n \
		52:54:00:84:e3:62,52:54:00:84:e3:63; do
		refused_nic --bridge br0 --mac="$mac"
		refused 1 bridge-helper --fd=0 --br=br0 --mac="$mac"
		[ "$mac" = -2:54:00:84:e3:62 ] || refused 2 mac "$mac"
	done
	refused 2 add --bridge br0 --mac $A --mac $A
	refused 2 add --bridge br0 --mac $A --mac 5254.0084.E362
	finish 80
}

@test "bad input: numbers" {
	for n in '' 0 -1 67 65536 99999999999999999999 ' 1500' '1500 ' 1500x 1e3 0x5dc +1500 1,500 $'1500\n'; do
		refused_nic --bridge br0 --mac $A --mtu="$n"
	done
	for n in '' 0 257 -1 x 4294967297 1.5 ' 2'; do
		refused_nic --bridge br0 --mac $A --queues="$n"
	done
	for n in '' -1 x 3x ' 3' 99999999999 1048577 18446744073709551619 0x3; do
		refused 125 exec --bridge br0 --mac $A --fd="$n" -- true
		refused 1 bridge-helper --br=br0 --fd="$n"
	done
	for n in '' 0 4095 x '1,' ,1 1,,2 10,10 -1 '1 2' 1-3 65537; do
		refused_nic --bridge br0 --mac $A --vlan="$n"
	done
	refused 125 exec --bridge br0 --mac $A --fd 1 -- true
	refused 125 exec --bridge br0 --mac $A --fd 0 --queues 2 -- true
	finish 75
}

@test "bad input: words" {
	for mode in '' bridg BRIDGE vepa,private source; do
		refused_nic --link v0 --mac $A --mode="$mode"
	done
	for vhost in maybe off ''; do
		refused_nic --bridge br0 --mac $A --vhost="$vhost"
	done
	for user in nosuchuser '' -1 99999999999 'a b'; do
		refused 2 add --bridge br0 --mac $A --owner="$user"
		refused 2 add --bridge br0 --mac $A --group="$user"
		refused 125 exec --bridge br0 --mac $A --user="$user" -- true
	done
	for user in : root: :root root:nosuch 'root:root:root' 54321; do
		refused 125 exec --bridge br0 --mac $A --user="$user" -- true
	done
	for words in "add --bridge br0 --mac $A" list "pin br0" "del x"; do
		# shellcheck disable=SC2086 # they are words
		refused 2 $words --netns=
	done
	finish 40
}

@test "bad input: options that do not go together" {
	refused_nic --mac $A
	refused_nic --bridge br0 --link v0 --mac $A
	refused_nic --bridge br0 --unattached --mac $A
	refused_nic --mac $A --bridge br0 --bridge br0
	refused_nic --bridge br0 --mode vepa --mac $A
	refused_nic --unattached --mode vepa --mac $A
	for flag in --lock-mac --isolated --hairpin --vlan=10; do
		refused_nic --link v0 --mac $A $flag
		refused_nic --unattached --mac $A $flag
	done
	for twice in --mtu=1500 --queues=1 --name=x --isolated --no-vnet-hdr --vhost; do
		refused_nic --bridge br0 --mac $A $twice $twice
	done
	for twice in --may-exist --verbose --netns=x --owner=root; do
		refused 2 add --bridge br0 --mac $A $twice $twice
	done
	refused_nic --bridge br0 --mac $A --name x --mac 52:54:00:00:00:01 --name x
	refused_nic --bridge br0 --name x --mac $A --mac 52:54:00:00:00:01
	refused 125 exec --bridge br0 --mac $A --owner root -- true
	refused 125 exec --bridge br0 --mac $A --may-exist -- true
	refused 2 add --bridge br0 --mac $A --fd 3
	refused 2 add --bridge br0 --mac $A --reuse
	finish 45
}

@test "bad input: commands and words too many or too few" {
	refused 2
	refused 2 ''
	refused 2 ad
	refused 2 addd
	refused 2 --nosuch
	refused 2 -x
	for command in mac add list del pin; do
		refused 2 $command --nosuch
		refused 2 $command -Z
	done
	refused 125 exec --nosuch -- true
	refused 125 exec
	refused 125 exec --
	refused 125 exec --bridge br0 --mac $A
	refused 125 exec --bridge br0 --mac $A --
	refused 125 exec --bridge br0 --mac $A true
	refused 125 exec --bridge br0 --mac $A true -- true
	refused 2 add
	refused 2 add --bridge br0
	refused 2 add --bridge br0 --mac $A word
	refused 2 add --bridge br0 --mac
	refused 2 add --mac
	refused 2 del
	refused 2 del --stale x
	refused 2 pin
	refused 2 pin br0 br0
	refused 2 mac
	refused 2 mac --random x
	refused 1 bridge-helper
	refused 1 bridge-helper --br=br0
	refused 1 bridge-helper --fd=0
	refused 1 bridge-helper --br=br0 --fd=0 --nosuch
	refused 1 bridge-helper --br=br0 --fd=0 --bridge=br0
	refused 1 bridge-helper --br=br0 --fd=0 word
	refused 1 bridge-helper --br=br0 --fd=0 --mac $A --mac 52:54:00:00:00:01
	finish 40
}

@test "bad input: what only the kernel can tell" {
	for bridge in v0 lo nosuch; do
		refused 1 add --bridge $bridge --mac $A
		refused 125 exec --bridge $bridge --mac $A -- true
	done
	for link in br0 lo nosuch; do
		refused 1 add --link $link --mac $A
		refused 125 exec --link $link --mac $A -- true
	done
	for word in nosuch br0 lo v0 $'a\e[2J' 52:54:00:84:e3:62 '' 'a b' a/b 12345678901234567; do
		refused 1 del "$word"
		# What is on a device of another kind is nothing.
		case $word in br0 | lo | v0) ;; *) refused 1 list "$word" ;; esac
	done
	refused 1 del --force br0
	refused 1 add --link v0 --mtu 1501 --mac $A
	finish 30
}

@test "bad input: a subject of any length leaves room for the reason" {
	local long line words
	long=$(printf 'x%.0s' {1..2000})
	for line in "pin $long" "list $long" "add --netns /$long --unattached --mac $A" "exec --bridge br0 --mac $A -- $long"; do
		read -ra words <<<"$line"
		run --separate-stderr inside "$TAPCTL" "${words[@]}"
		echo "$stderr"
		[ "$status" != 0 ]
		[ "${#stderr}" -lt 600 ]
		[[ "$stderr" = "tapctl: "*"x...: "?* || "$stderr" = "tapctl: "*"x...': "?* ]]
	done
}

# Nothing in it is a control of the second set or turns the direction of what is read.
acts_not() { ! LC_ALL=C grep -P '\xc2[\x80-\x9f]|\xe2\x80\xae' <<<"$1"; }

@test "bad input: names outside ASCII are names, and what the kernel refuses is told for its reason" {
	export LC_ALL=C.UTF-8
	ip link add brücke type bridge
	ip link set brücke address 02:00:00:00:00:01
	run_quiet add --bridge brücke --name gäst --mac $A
	[ "$output" = gäst ]
	run_quiet list --json gäst
	got '.[0].name == "gäst" and .[0].bridge == "brücke"'
	[ "$(link_field gäst .ifalias)" = "tapctl guest $A by=add on=brücke" ]
	run_quiet list
	[[ "$output" = *gäst*brücke* ]]
	LC_ALL=C run_quiet list
	[[ "$output" = *g??st*br??cke* ]]
	run_tapctl del gäst
	[ "$status" = 0 ]
	run_tapctl pin voilà
	[ "$status" = 2 ]
	[[ "$stderr" = "tapctl: 'voilà': a device name contains no byte 0xa0"* ]]
	# Nothing that a name holds acts on a terminal, or turns what is read there.
	ip link add $'a\u202eb\u0085' type bridge
	run_tapctl add --bridge $'a\u202eb\u0085' --mac $A --json
	[ "$status" = 0 ]
	acts_not "$output"
	got '.[0].bridge == "a\u202eb\u0085"'
	run_tapctl list
	acts_not "$output"
}
