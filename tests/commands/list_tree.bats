#!/usr/bin/env bats
# list --tree: the wiring as a picture.
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362 MVT=mvt52540084e362

# The picture without a locale, in $lines; what is called qemu in it reads its standard input.
tree() {
	echo "\$ tapctl list --tree $*"
	run --separate-stderr inside env LC_ALL=C "$TAPCTL" list --tree "$@"
	printf '%s\n' "$output" "$stderr"
	[ "$status" = 0 ]
	[ -z "$stderr" ]
}

# A bridge br0 with an uplink that has no carrier, a dummy, and a guest that waits.
wire() {
	add_bridge br0
	ip addr add 10.9.0.2/24 dev br0
	ip addr add fd00::2/64 dev br0
	ip link add eth0 type veth peer name far
	ip link set eth0 master br0 up
	tapctl add --bridge br0 --mac $A >/dev/null
}

@test "list --tree: a bridge with its addresses, its uplinks and its guests" {
	wire
	ip link add down0 type veth peer name down1
	ip link set down0 master br0
	add_cable up0 up1
	ip link set up0 master br0
	ip tuntap add foreign mode tap
	ip link set foreign master br0
	ip tuntap add alone mode tap
	tree
	[ "$output" = "br0 02:00:00:00:00:01 10.9.0.2/24 fd00::2/64
|- down0           uplink, down
|- eth0            uplink, no carrier
|- up0             uplink
|- foreign         -                 down
\`- tap52540084e362 $A waits for its guest" ]
	# What others made on no bridge, by name or --all.
	local whole=$output
	tree br0
	[ "$output" = "$whole" ]
	tree --all
	[ "$output" = "$whole
on no bridge
\`- alone -                 down" ]
}

@test "list --tree: a macvtap of others, and the host's macvlan where its lower device has no other, or is not here" {
	requires_macvtap
	add_cable v0 v1
	ip link set v0 address 02:00:00:00:00:07
	ip link set v1 address 02:00:00:00:00:08
	tapctl add --link v0 --host --name host0
	ip link add link v1 name others type macvtap mode bridge
	tree
	[[ "$output" = *"v0 02:00:00:00:00:07
\`- host0 this host"* ]]
	[[ "$output" = *"v1 02:00:00:00:00:08
\`- others -  "* ]]
	[ "${#lines[@]}" = 4 ]
	command ip netns add "far$NS"
	ip link set host0 netns "far$NS"
	run command ip netns exec "far$NS" env LC_ALL=C "$TAPCTL" list --tree
	command ip netns del "far$NS"
	[ "${lines[0]}" = "on no bridge" ]
	[[ "${lines[1]}" = "\`- host0 this host"* ]]
}

@test "list: what is on a device of another namespace is on none of the same index here" {
	requires_macvtap
	command ip netns add "far$NS"
	command ip -n "far$NS" link add v0 index 4242 type veth peer name v1
	command ip -n "far$NS" link add link v0 name others type macvtap mode bridge
	command ip -n "far$NS" link add link v0 name lan type macvlan mode bridge
	command ip -n "far$NS" link set others netns "/run/netns/$NS"
	command ip -n "far$NS" link set lan netns "/run/netns/$NS"
	ip link add here index 4242 type veth peer name there
	[ "$(tapctl list --json here)" = "[]" ]
	run_quiet list --tree here
	[[ "$output" != *others* && "$output" != *lan* ]]
}

@test "list --tree: the example of the manual page" {
	wire
	ip link set br0 address 9a:bb:c9:a8:ef:35
	ip addr del fd00::2/64 dev br0
	mkdir "$WORK/bin"
	printf '#include <unistd.h>\nint main(void) { char c; return read(0, &c, 1) < 0; }\n' >"$WORK/vmm.c"
	${CC:-cc} -o "$WORK/bin/qemu-system-x86_64" "$WORK/vmm.c"
	mkfifo "$WORK/end"
	exec {hold}<>"$WORK/end"
	nsenter --net="/run/netns/$NS" "$TAPCTL" exec --reuse --bridge br0 -- "$WORK/bin/qemu-system-x86_64" -name web \
		-netdev tap,id=n0,fd=3 -device e1000,netdev=n0,mac=$A <"$WORK/end" >"$WORK/log" 2>&1 3>&- 4>&- &
	pid=$!
	has_started() { [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") = "$WORK/bin/qemu"* ]]; }
	wait_until 10 has_started
	tapctl add --bridge br0 --mac 52:54:00:84:e3:64
	tree
	kill "$pid"
	diff - <(sed -n '/^# tapctl list --tree/,/^\.Ed/{/^br0/,/^`-/p}' "$TESTS/../man/tapctl.8") <<<"${output//$pid/28366}"
}

@test "list --tree: a lower device with the host's macvlan, and the devices on no bridge" {
	requires_macvtap
	add_cable v0 v1
	ip link set v0 address 02:00:00:00:00:07
	tapctl add --link v0 --mac $A
	tapctl add --link v0 --host --name host0
	ip addr add 192.0.2.1/24 dev host0
	tapctl add --unattached --address 192.0.2.9/32 --mac $A
	tree
	[ "$output" = "v0 02:00:00:00:00:07
|- host0           this host 192.0.2.1/24
\`- mvt52540084e362 $A waits for its guest
on no bridge
\`- tap52540084e362 $A 192.0.2.9/32 waits for its guest" ]
	run inside env LC_ALL=C "$TAPCTL" exec --reuse --link v0 --mac $A -- "$TAPCTL" list --tree v0
	[[ "${lines[2]}" = "\`- mvt52540084e362 $A tapctl["*"]" ]]
	ip link set v1 down
	tree $MVT
	[ "${lines[0]}" = "v0 02:00:00:00:00:07, no carrier" ]
}

@test "list --tree: what this host has on a bridge, and a device that is off its bridge" {
	wire
	ip link set $TAP nomaster
	tree
	[ "${lines[2]}" = "on no bridge" ]
	[ "${lines[3]}" = "\`- $TAP $A off its bridge br0" ]
	ip link add link br0 name br0.10 type vlan id 10 2>/dev/null || skip "this kernel has no VLAN devices"
	ip link set br0.10 up
	tree br0
	[ "${lines[2]}" = "\`- br0.10 this host, no carrier" ]
}

@test "list --tree: of nothing, of one device, and of what does not exist" {
	tree
	[ -z "$output" ]
	wire
	tapctl add --bridge br0 --mac 52:54:00:84:e3:63
	# No guest runs on it, and nothing else works: that is no fault of a bridge's.
	ip link add idle type bridge
	ip link set idle address 02:00:00:00:00:05 up
	tree idle
	[ "$output" = "idle 02:00:00:00:00:05" ]
	tree $A
	[ "${#lines[@]}" = 3 ]
	tree eth0
	[ "${#lines[@]}" = 1 ]
	run_tapctl list --tree nosuch
	[ "$status" = 1 ]
	run_tapctl list --tree --json
	[ "$status" = 2 ]
	run bash -c 'nsenter --net=/run/netns/$0 "$TAPCTL" list --tree >/dev/full' "$NS"
	[ "$status" = 1 ]
}

@test "list --tree: 200 devices within 80 columns, drawn where the locale can" {
	wire
	local macs=()
	for n in {200..1}; do macs+=(--mac "52:54:01:00:00:$(printf '%02x' "$n")"); done
	tapctl add --bridge br0 "${macs[@]}" >"$WORK/made"
	LC_ALL=C.UTF-8 inside "$TAPCTL" list --tree >"$WORK/tree"
	[ "$(wc -l <"$WORK/tree")" = 203 ]
	[ "$(LC_ALL=C.UTF-8 wc -L <"$WORK/tree")" -le 80 ]
	[[ "$(sed -n 2p "$WORK/tree")" = "├─ eth0 "* ]]
	[[ "$(tail -n 1 "$WORK/tree")" = "└─ tap"* ]]
	sed -n '3,$s/.* tap/tap/p' "$WORK/tree" | LC_ALL=C sort -c
	tree
	[ "$(LC_ALL=C tr -d '\n -~' <<<"$output" | wc -c)" = 0 ]
}

@test "list --tree: nothing of what others chose acts on a terminal" {
	ip link add $'b\e[1m' type bridge
	ip tuntap add $'t\e[1m' mode tap
	ip link set $'t\e[1m' master $'b\e[1m'
	tree --all
	[[ "$output" != *$'\e'* ]]
	[ "${#lines[@]}" = 2 ]
}
