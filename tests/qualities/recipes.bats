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

# Podman without what asks this machine for more than the recipe does, and with an image that holds
# nothing but a VMM: it says on which tap it is, and what it may.
setup_podman() {
	command -v podman >/dev/null || skip "no podman here"
	make_caller
	cp -a /etc/. "$ETC"
	mkdir "$PUBLIC"/{bin,image,root,nobody}
	# Without a capability, which would forbid --reuse.
	cp "$TAPCTL" "$PUBLIC/bin/tapctl"
	cat >"$WORK/vmm.c" <<-'END'
		#include <fcntl.h>
		#include <linux/if_tun.h>
		#include <net/if.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/ioctl.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			char line[100], *name = argc > 3 ? strstr(argv[3], "ifname=") : NULL;
			struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
			FILE *status = fopen("/proc/self/status", "r");
			if (argc == 1)
				return 0;
			if (name) {
				snprintf(ifr.ifr_name, IFNAMSIZ, "%.*s", (int)strcspn(name + 7, ","), name + 7);
				if (ioctl(open("/dev/net/tun", O_RDWR), TUNSETIFF, &ifr))
					return perror("TUNSETIFF"), 1;
			}
			for (char *fd = name ? "" : strrchr(argv[3], '='); *fd; strtol(fd + 1, &fd, 10))
				if (ioctl(atoi(fd + 1), TUNGETIFF, &ifr))
					return perror(fd), 1;
			while (fgets(line, sizeof(line), status))
				if (sscanf(line, "CapEff: %s", line) == 1)
					printf("%s uid %d caps %s\n", ifr.ifr_name, getuid(), line);
			while (!strcmp(argv[argc - 1], "-S"))
				pause();
		}
	END
	mkdir -p "$PUBLIC/image/bin"
	${CC:-cc} -static -o "$PUBLIC/image/bin/qemu-system-x86_64" "$WORK/vmm.c"
	tar -C "$PUBLIC/image" -cf "$PUBLIC/image.tar" bin
	chown nobody "$PUBLIC/nobody"
	cat >"$PUBLIC/containers.conf" <<-'END'
		[containers]
		cgroups = "disabled"
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "none"
	END
	# Its runtime refuses cgroups of both kinds.
	IN_PLACE+=(bash -c '! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified; exec "$@"' bash)
}
# with_podman as_root|as_caller root|nobody COMMAND...: with podman's files for that user, apart from the machine's.
with_podman() {
	local home=$PUBLIC/$2
	printf '%s\n' [storage] 'driver = "vfs"' "graphroot = '$home/store'" "runroot = '$home/run'" >"$PUBLIC/$2.conf"
	(cd / && "$1" env HOME="$home" XDG_RUNTIME_DIR="$home" CONTAINERS_CONF="$PUBLIC/containers.conf" \
		CONTAINERS_STORAGE_CONF="$PUBLIC/$2.conf" PATH="$PUBLIC/bin:$PATH" USER="$2" "${@:3}")
}
# contained as_root|as_caller root|nobody LINE: what the recipe says, with that image; its last line is LINE.
contained() {
	run with_podman "$1" "$2" podman import "$PUBLIC/image.tar" guest
	echo "$output"
	[ "$status" = 0 ]
	run with_podman "$1" "$2" podman run --rm --network none localhost/guest qemu-system-x86_64
	[ "$status" = 0 ] || skip "podman runs no container here: $output"
	sed -i 's| IMAGE| localhost/guest|' "$WORK/recipe"
	cp "$WORK/recipe" "$PUBLIC/recipe"
	run with_podman "$1" "$2" bash -e "$PUBLIC/recipe"
	echo "status $status: $output"
	[ "$status" = 0 ]
	[ "${lines[-1]}" = "$3" ]
	[[ "$output" != *tapctl:* ]]
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

@test "recipes: what libvirt's XML says" {
	recipe "What libvirt's XML says"
	add_bridge br0
	sed -i "s/-- .\$/-- sh -c '\$TAPCTL list -j >\$LISTED; exec \"\$@\"' sh \\\\/" "$WORK/recipe"
	run_tapctl exec --unattached --mac $A --limit-out 500kbps -- true
	# This kernel may have no act_police: then without.
	[[ $stderr != *act_police* ]] || sed -i 's/ --limit-out 500kbps//' "$WORK/recipe"
	run_recipe LISTED="$WORK/listed"
	holds '.[0] | .mtu == 1442 and .isolated and .ip == ["10.0.1.2"] and .limit_in == "8mbit:262144" and
		(.limit_out == "4mbit") == $police' --argjson police "$(grep -q limit-out "$WORK/recipe" && echo true || echo false)" <"$WORK/listed"
}

@test "recipes: vhost-net, where there is one" {
	recipe "Vhost-net, where there is one"
	add_bridge br0
	run with_vhost_node inside some env PATH="$WORK/bin:$PATH" bash -e "$WORK/recipe"
	echo "$output"
	[ "${lines[1]}" = "words: disk.img -netdev tap,id=n0,fds=3,vhostfds=4 -device virtio-net-pci,netdev=n0,mac=$A" ]
	[ "${#lines[@]}" = 2 ]
	run --separate-stderr with_vhost_node inside none env PATH="$WORK/bin:$PATH" bash -e "$WORK/recipe"
	[ "${lines[1]}" = "words: disk.img -netdev tap,id=n0,fds=3 -device virtio-net-pci,netdev=n0,mac=$A" ]
	[[ ${#stderr_lines[@]} = 1 && $stderr = *"going on without vhost"* ]]
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
	printf '%s\n' "MAC=$A" BRIDGE=br0 MEMORY=1G DISK=/var/lib/vm/disk.img >"$WORK/web"
	if command -v systemd-analyze >/dev/null; then
		sed "s|EnvironmentFile=.*|EnvironmentFile=-$WORK/web|; s|=tapctl|=/bin/true|; s|=-tapctl|=-/bin/true|" "$WORK/recipe" >"$WORK/vm@web.service"
		systemd-analyze verify "$WORK/vm@web.service" 2>&1 | grep -i 'vm@web' && return 1
	fi
	# As systemd reads it.
	sed -n '/^ExecStart=/,/[^\\]$/p' "$WORK/recipe" | sed 's/^ExecStart=//; s/%i/web/g' >"$WORK/start"
	grep -qx 'ExecStopPost=-tapctl del --stale' "$WORK/recipe"
	{ sed 's/^/export /' "$WORK/web"; sed 's/--user vm /--user nobody /' "$WORK/start"; } >"$WORK/recipe"
	run_recipe
	[ "${lines[0]}" = "fd 3: $TAP uid $(id -u nobody) caps 0000000000000000" ]
	[ "${lines[1]}" = "words: -name web -m 1G /var/lib/vm/disk.img -netdev tap,id=n0,fd=3 -device virtio-net-pci,netdev=n0,mac=$A" ]
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

@test "recipes: a guest in a container of podman's" {
	recipe "A guest in a container" 1
	setup_podman
	add_bridge br0
	contained as_root root "$TAP uid 0 caps 0000000000000000"
	no_link $TAP
	sed -i 's/--bridge/--queues=2 &/; s/--preserve-fds 1/--preserve-fds 2/; s/fd=3/fds=3:4/' "$WORK/recipe"
	contained as_root root "$TAP uid 0 caps 0000000000000000"
	# In the background.
	sed -i 's/run --rm/run --rm -d/; $s/$/ -S/' "$PUBLIC/recipe"
	with_podman as_root root bash -e "$PUBLIC/recipe"
	tapctl list --json $TAP | holds '.[0].in_use'
	with_podman as_root root podman kill --all
	wait_until 5 no_link $TAP
}

@test "recipes: a guest in a container of podman's, without root" {
	recipe "A guest in a container" 2
	setup_podman
	as_caller unshare --user true || skip "user namespaces are forbidden here"
	add_bridge br0
	# What root does of it.
	sed -n 's/^sudo //p' "$WORK/recipe" >"$PUBLIC/as-root"
	as_root env USER=nobody PATH="$PUBLIC/bin:$PATH" bash -e "$PUBLIC/as-root"
	sed -i '/^sudo /d' "$WORK/recipe"
	if command -v newuidmap >/dev/null; then
		echo nobody:200000:65536 | tee "$ETC/subuid" >"$ETC/subgid"
		run with_podman as_root nobody tapctl exec --bridge br0 --mac random --user nobody -- podman info
		[[ "$output" == *newuidmap* ]]
	fi
	contained as_caller nobody "$TAP uid 0 caps 0000000000000000"
	[ "$(tapctl list --json | jq -r '.[].in_use')" = false ]
}

# Its command line is podman's, too. Docker itself (20.10 of Debian) was tried by hand.
@test "recipes: a guest in a container of docker's, which podman runs" {
	recipe "A guest in a container" 3
	setup_podman
	add_bridge br0
	ln -s "$(command -v podman)" "$PUBLIC/bin/docker"
	contained as_root root "$TAP uid 1000 caps 0000000000000000"
	# It is the owner's alone.
	sed -i '/^tapctl/d; s/--user 1000/--user 1001/' "$PUBLIC/recipe"
	run with_podman as_root root bash -e "$PUBLIC/recipe"
	[ "$output" = "TUNSETIFF: Operation not permitted" ]
}
