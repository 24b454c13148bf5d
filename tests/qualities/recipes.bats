#!/usr/bin/env bats
# The recipes of the manual page: each is taken from there and done.
# bats file_tags=once
load ../tools/helpers

MAN=$TESTS/../man/tapctl.8
A=52:54:00:84:e3:62 TAP=tap52540084e362

# The blocks under that heading, as a shell reads them; @2: only the one of that number.
recipe() {
	awk -v title="$1" -v which="${2:-0}" '
		/^\.S[sh]/ { on = $0 == ".Ss " title }
		on && /^\.Bd/ { block++; inside = 1; next }
		/^\.Ed/ { inside = 0 }
		on && inside && (!which || block == which)' "$MAN" | sed 's/\\e/\\/g' >"$WORK/recipe"
	[ -s "$WORK/recipe" ] || { echo "no such recipe: $1"; return 1; }
}
# run, in the test's namespace, with what stands in for a VMM in front.
run_recipe() { # [NAME=VALUE...]
	run inside env PATH="$WORK/bin:$PATH" "$@" bash -e "$WORK/recipe"
	echo "status $status: $output"
	[ "$status" = 0 ]
}

setup() {
	setup_namespace
	mkdir "$WORK/bin"
	ln -s "$TAPCTL" "$WORK/bin/tapctl"
	# Says what it was given, and on which device its fd 3 is.
	cat >"$WORK/bin/qemu-system-x86_64" <<-'S'
		#!/bin/bash
		echo "fd 3: $(sed -n 's/iff:[[:space:]]*//p' "/proc/$$/fdinfo/3") uid $(id -u) caps $(sed -n 's/CapEff:[[:space:]]*//p' /proc/$$/status)"
		echo "words: $*"
	S
	cp "$WORK/bin/qemu-system-x86_64" "$WORK/bin/PROGRAM"
	chmod -R +x "$WORK/bin"
	chmod go+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$WORK" 2>/dev/null || :
}

@test "recipes: each has a test" {
	local title titles
	mapfile -t titles < <(sed -n '/^\.Sh RECIPES/,/^\.Sh DIAGNOSTICS/s/^\.Ss //p' "$MAN")
	[ "${#titles[@]}" -ge 9 ]
	for title in "${titles[@]}"; do
		grep -qF "	recipe \"$title\"" "$BATS_TEST_FILENAME" || { echo "no test: $title"; return 1; }
	done
}

@test "recipes: a bridge with an address and NAT" {
	recipe "A bridge of one's own, and NAT"
	command -v nft >/dev/null || skip "no nft here"
	inside nft add table ip probe || skip "no nftables here"
	inside nft 'add chain ip probe out { type nat hook postrouting priority 100; }' || skip "this kernel has no NAT"
	run_recipe
	run_tapctl add --bridge br0 --mac $A
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[ "$(link_field br0 .address)" = 52:54:00:00:00:01 ]
	[ "$(inside cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
	inside nft list table ip guests | grep -q masquerade
}

@test "recipes: one address per guest" {
	recipe "One address per guest, for ever"
	add_bridge br0
	mkdir "$WORK/vm"
	sed -i "s|/etc/vm|$WORK/vm|g" "$WORK/recipe"
	run_recipe
	local first=$output
	[[ "${lines[1]}" == *"mac=$(cat "$WORK/vm/web.mac")" ]]
	run_recipe
	[ "${lines[1]}" = "$(sed -n 2p <<<"$first")" ]
}

@test "recipes: a step between the device and the guest" {
	recipe "A step between the device and the guest" 1
	sed -i 's/exec "$@"/ip route show; &/' "$WORK/recipe"
	run_recipe
	[[ "${lines[0]}" == "192.0.2.7 dev $TAP scope link"* ]]
	[[ "${lines[1]}" == "fd 3: $TAP uid $(id -u) "* ]]
	requires_root
	recipe "A step between the device and the guest" 2
	run_recipe
	[ "${lines[0]}" = "fd 3: $TAP uid $(id -u nobody) caps 0000000000000000" ]
}

@test "recipes: a unit for all guests" {
	recipe "A unit for all guests"
	requires_root
	add_bridge br0
	printf '%s\n' "MAC=$A" BRIDGE=br0 MEMORY=1G DISK=disk.img >"$WORK/web"
	if command -v systemd-analyze >/dev/null; then
		sed "s|EnvironmentFile=.*|EnvironmentFile=-$WORK/web|; s|=tapctl|=/bin/true|; s|=-tapctl|=-/bin/true|" "$WORK/recipe" >"$WORK/vm@web.service"
		systemd-analyze verify "$WORK/vm@web.service" 2>&1 | grep -i 'vm@web' && return 1
	fi
	# As systemd reads it.
	sed -n '/^ExecStart=/,/[^\\]$/p' "$WORK/recipe" | sed 's/^ExecStart=//; s/%i/web/g' >"$WORK/start"
	grep -qx 'ExecStopPost=-tapctl del --stale' "$WORK/recipe"
	{ sed 's/^/export /' "$WORK/web"; cat "$WORK/start"; } >"$WORK/recipe"
	run_recipe
	[ "${lines[0]}" = "fd 3: $TAP uid $(id -u nobody) caps 0000000000000000" ]
	[ "${lines[1]}" = "words: -name web -m 1G disk.img -netdev tap,id=n0,fd=3 -device virtio-net-pci,netdev=n0,mac=$A" ]
}

@test "recipes: another NIC, with a real qemu and its monitor" {
	recipe "Another NIC for a guest that runs"
	command -v socat >/dev/null || skip "no socat here"
	rm "$WORK/bin/qemu-system-x86_64"
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu here"
	add_bridge br0
	spawn qemu-system-x86_64 -accel tcg -M pc -m 16 -S -nodefaults -display none -monitor "unix:$WORK/monitor,server=on,wait=off"
	wait_until 30 test -S "$WORK/monitor"
	sed -i "s|/run/web.monitor|$WORK/monitor|" "$WORK/recipe"
	echo "echo info network | socat -t 2 - UNIX-CONNECT:$WORK/monitor" >>"$WORK/recipe"
	run_recipe USER="$(id -un)"
	[[ "$output" == *"d1: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:84:e3:64"* ]]
	tapctl list --json --holders 52:54:00:84:e3:64 | holds '.[0].holders | map(.pid) == [$pid]' --argjson pid "$pid"
	kill "$pid"
}

@test "recipes: a program that wants a name and a script, with a real qemu" {
	recipe "A program that wants a name and a script"
	rm "$WORK/bin/qemu-system-x86_64"
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu here"
	add_bridge br0
	# It has no disk, and ends at once.
	sed -i 's/qemu-system-x86_64 disk.img/echo quit | timeout 60 qemu-system-x86_64 -accel tcg -S -nodefaults -display none -monitor stdio/' "$WORK/recipe"
	run_recipe
	run_recipe
	[ "$(tapctl list --json | jq -r '.[].name')" = vnet0 ]
}

@test "recipes: a VMM without descriptors" {
	recipe "A virtual machine monitor without descriptors"
	run_recipe USER="$(id -un)"
	[ "${lines[0]}" = tap0600ac100002 ]
	[[ "${lines[2]}" == "tap0600ac100002  tap   06:00:ac:10:00:02  "* ]]
	[ "$(ip -j addr show tap0600ac100002 | jq -r '.[0].addr_info[0].local')" = 172.16.0.1 ]
	# By its name, without privilege.
	run inside python3 -c '
import fcntl, os, struct
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", b"tap0600ac100002", 0x5002))'
	[ "$status" = 0 ]
}

@test "recipes: waiting for STP" {
	recipe "Waiting for STP"
	ip link add br0 type bridge stp_state 1 forward_delay 200
	ip link set br0 address 02:00:00:00:00:01 up
	[ "$(link_field br0 .linkinfo.info_data.stp_state)" = 1 ] || skip "no STP here"
	sed -i 's/exec "$@"/bridge link show dev $TAPCTL_IFNAME; &/' "$WORK/recipe"
	run_recipe
	[[ "${lines[0]}" == *"state forwarding"* ]]
	[[ "${lines[1]}" == "fd 3: $TAP "* ]]
}

@test "recipes: descriptors as systemd passes them" {
	recipe "Descriptors as systemd passes them"
	add_bridge br0
	printf '#!/usr/bin/env python3\nimport os, sys\nprint(os.environ["LISTEN_FDS"], int(os.environ["LISTEN_PID"]) == os.getpid(), os.readlink("/proc/self/fd/3"))\n' >"$WORK/bin/PROGRAM"
	run_recipe
	[ "$output" = "1 True /dev/net/tun" ]
}
