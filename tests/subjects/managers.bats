#!/usr/bin/env bats
# What make install puts beside tapctl for other programs that manage the host's network.
# bats file_tags=once,alone
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362
TREE=$TESTS/..

install_to() { make -s -C "$TREE" "$2" DESTDIR="$1" PREFIX=/usr/local SBINDIR="$(dirname "$TAPCTL")" 3>&- 4>&-; }
# Run a hook as a manager does, with this namespace's /sys: hook [NAME=VALUE...] FILE [ARG...]
hook() { inside unshare --mount sh -euc 'mount -t sysfs sysfs /sys; exec env "$@"' sh "$@"; }

# With the real ones, above this machine's files: with_managers SCRIPT. Where they are not to be had the reason
# is in build/check/managers.log.
with_managers() {
	requires_root
	[ -e "$MANAGERS/complete" ] || skip "no managers could be fetched: see build/check/managers.log"
	run "$TESTS/tools/managers" enter "$MANAGERS" true 3>&- 4>&-
	[ "$status" = 0 ] || skip "this machine cannot run them: $output"
	printf '%s\n' 'set -eu; cp "$TAPCTL_OF_TEST" /usr/local/sbin/tapctl; cd "$TREE_OF_TEST"' "$1" >"$WORK/script"
	cp "$TAPCTL" "$WORK/tapctl"
	run env TAPCTL_OF_TEST="/run/old$WORK/tapctl" TREE_OF_TEST="/run/old$TREE" \
		"$TESTS/tools/managers" enter "$MANAGERS" bash "/run/old$WORK/script" 3>&- 4>&-
	echo "$output"
	[ "$status" = 0 ]
}

# Without the file udev may still set its own after ours was read back, as the man page says: 1 of some 20,000, 1 or 2 of
# these 300 on a busy machine, and 10 to 20 where tapctl does not wait for a udev that can have seen the first one.
@test "managers: 150 exec and 150 add at once keep their addresses beside udev, also without the file for it" {
	with_managers '
		/usr/lib/systemd/systemd-udevd --daemon --children-max=20
		ip link add br0 type bridge
		ip link set br0 address 02:00:00:00:00:01 up
		# It is there, and gives addresses to those that have none of their own.
		ip link add probe type dummy 2>/dev/null || ip link add probe type veth
		udevadm settle
		[ -e "/run/udev/data/n$(cat /sys/class/net/probe/ifindex)" ]
		one() {
			tapctl exec --bridge br0 --mac "52:54:00:00:02:$(printf %02x "$1")" -- sh -c "
				sleep 2
				ip -br link show \$TAPCTL_IFNAME | grep -q fe:54:00 || echo wrong"
		}
		export -f one
		for file in none ours; do
			[ $file = none ] || { cp dist/05-tapctl.link /etc/systemd/network && udevadm control --reload; }
			seq 150 | xargs -P 150 -I{} bash -c "one {}" >/run/wrong
			seq 150 | xargs -P 30 -I{} sh -c "tapctl add --bridge br0 --mac 52:54:00:00:03:\$(printf %02x {}) >/dev/null"
			udevadm settle
			tapctl list --json | jq -r ".[].host_mac" | grep -v ^fe:54:00 >>/run/wrong || :
			cat /run/wrong
			[ "$(wc -l </run/wrong)" -le $([ $file = none ] && echo 4 || echo 0) ]
			[ "$(tapctl list --json | jq length)" = 150 ]
			tapctl del $(tapctl list --json | jq -r ".[].name")
		done'
}

@test "managers: NetworkManager makes its bridge anew, and two guests are back within a second" {
	with_managers '
		mkdir -p /run/dbus /etc/NetworkManager/conf.d /etc/NetworkManager/dispatcher.d
		cat >/run/bus.conf <<-X
			<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
			 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
			<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
			<auth>EXTERNAL</auth><policy context="default"><allow send_destination="*" eavesdrop="true"/>
			<allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>
		X
		dbus-daemon --config-file=/run/bus.conf --fork --nopidfile
		/usr/lib/systemd/systemd-udevd --daemon
		printf "[main]\nplugins=keyfile\nauth-polkit=false\n" >/etc/NetworkManager/NetworkManager.conf
		cp dist/NetworkManager.conf /etc/NetworkManager/conf.d/tapctl.conf
		cp dist/hook /etc/NetworkManager/dispatcher.d/50-tapctl
		chown root:root /etc/NetworkManager/dispatcher.d/50-tapctl
		NetworkManager --no-daemon >/run/nm.log 2>&1 &
		/usr/lib/NetworkManager/nm-dispatcher --persist >/run/dispatcher.log 2>&1 &
		for i in $(seq 100); do ! nmcli general status >/dev/null 2>&1 || break; sleep 0.1; done
		nmcli con add type bridge ifname br0 con-name br0 ipv4.method manual ipv4.addresses 192.0.2.1/24 \
			ipv6.method disabled bridge.stp no
		nmcli con up br0
		tapctl exec --bridge br0 --isolated --lock-mac --mac 52:54:00:00:00:01 --mac 52:54:00:00:00:02 -- \
			sh -c "echo >/run/started; exec sleep 300" &
		until [ -e /run/started ]; do sleep 0.05; done
		right() { tapctl list --json | jq -e "map(.bridge == \"br0\" and .isolated and .locked) == [true, true]" >/dev/null; }
		right
		[ "$(nmcli -g DEVICE,STATE dev | grep -c "^tap.*:unmanaged")" = 2 ]
		ip monitor link >/run/monitor &
		nmcli con up br0
		sleep 1
		right
		# They were off.
		grep -q "^Deleted.*tap525400000001" /run/monitor
		tapctl check --json | jq -e "map(select(.id != \"bridge-follows-tap\" and .severity != \"note\")) == []"
		# Made anew by hand, beside it.
		nmcli con delete br0
		for i in $(seq 100); do [ -e /sys/class/net/br0 ] || break; sleep 0.1; done
		ip link add br0 type bridge
		ip link set br0 address 02:00:00:00:00:01 up
		tapctl attach br0
		right
		sleep 1
		right'
}

@test "managers: networkd leaves guests alone with the file for it, and takes them without it" {
	with_managers '
		printf "[Match]\nName=*\n[Network]\nDHCP=yes\n" >/etc/systemd/network/99-all.network
		mkdir -p /run/systemd/netif /run/dbus
		/usr/lib/systemd/systemd-udevd --daemon
		ip link add br0 type bridge
		ip link set br0 address 02:00:00:00:00:01 up
		ip addr add 192.0.2.1/24 dev br0
		tapctl exec --bridge br0 --isolated --mac 52:54:00:00:00:01 -- sh -c "echo >/run/started; exec sleep 300" &
		until [ -e /run/started ]; do sleep 0.05; done
		run_networkd() {
			SYSTEMD_LOG_LEVEL=info timeout 4 /usr/lib/systemd/systemd-networkd >/run/networkd.log 2>&1 || :
			tapctl list --json | jq -c "[.[0].bridge, .[0].isolated]"
		}
		echo "without: $(run_networkd)"
		tapctl attach
		cp dist/05-tapctl.network /etc/systemd/network
		echo "with: $(run_networkd)"
		echo "again: $(run_networkd)"
		cat /run/networkd.log'
	[[ $output = *'with: ["br0",true]'* && $output = *'again: ["br0",true]'* ]]
	[[ $output = *'without: [null,false]'* ]] || skip "this networkd takes nothing off"
}

@test "managers: what is installed is removed again, and goes where it is told" {
	requires_plain_build
	make -s -C "$TREE" install DESTDIR="$WORK/root" PREFIX=/usr NMDIR=/usr/lib/NetworkManager IFUPDIR=/if-up 3>&-
	[ -x "$WORK/root/usr/sbin/tapctl" ]
	[ -e "$WORK/root/usr/lib/NetworkManager/conf.d/tapctl.conf" ]
	[ -e "$WORK/root/usr/lib/systemd/network/05-tapctl.link" ]
	grep -qx 'tapctl=/usr/sbin/tapctl' "$WORK/root/if-up/tapctl"
	[ "$(find "$WORK/root" -type f | wc -l)" = 12 ]
	# Who may write a hook is root, or NetworkManager does not run it.
	[ -z "$(find "$WORK/root" -type f -perm /022)" ]
	make -s -C "$TREE" uninstall DESTDIR="$WORK/root" PREFIX=/usr NMDIR=/usr/lib/NetworkManager IFUPDIR=/if-up 3>&-
	[ -z "$(find "$WORK/root" -type f)" ]
}

@test "managers: the manual page shows the files as they are" {
	local line
	for file in NetworkManager.conf 05-tapctl.network 05-tapctl.link; do
		while read -r line; do
			mandoc -T ascii -O width=200 "$TREE/man/tapctl.8" | sed 's/.\x08//g; s/\\$//' | tr -d ' \n' |
				grep -qF "$(tr -d ' ' <<<"$line")" || { echo "not in the page: $line"; return 1; }
		done < <(grep -v '^#\|^$' "$TREE/dist/$file")
	done
}

@test "managers: the globs are for default names, of taps, macvtaps and the host's macvlan, and for no others" {
	local glob globs
	globs=$(sed -n 's/^unmanaged-devices=//p' "$TREE/dist/NetworkManager.conf" | sed 's/interface-name://g; s/;/ /g')
	for file in network link; do
		[ "$(sed -n 's/^\(Original\)\?Name=//p' "$TREE/dist/05-tapctl.$file")" = "$globs" ]
	done
	matches() {
		for glob in $globs; do
			# shellcheck disable=SC2053 # it is a pattern
			[[ $1 != $glob ]] || return 0
		done
		return 1
	}
	set -f
	local name
	for name in $("$TAPCTL" mac --json $A | jq -r '.[0] | .tap, .macvtap') mvl52540084e362; do matches "$name"; done
	for name in tap0 tap tapvpn mvt0 vnet0 eth0; do [ "$(matches $name && echo yes)" != yes ]; done
}

@test "managers: each hook brings guests back when their bridge comes up, as its manager calls it" {
	requires_plain_build
	install_to "$WORK/root" install
	add_bridge br0
	tapctl add --bridge br0 --isolated --mac $A
	local etc=$WORK/root/etc way
	for way in "$etc/NetworkManager/dispatcher.d/50-tapctl br0 up" \
		"IFACE=br0 $etc/networkd-dispatcher/carrier.d/50-tapctl" "IFACE=br0 $etc/networkd-dispatcher/degraded.d/50-tapctl" \
		"IFACE=br0 $etc/networkd-dispatcher/routable.d/50-tapctl" "IFACE=br0 MODE=start $etc/network/if-up.d/tapctl"; do
		ip link del br0
		add_bridge br0
		# shellcheck disable=SC2086 # they are words
		run hook $way
		echo "$way: $status $output"
		[[ $status = 0 && $output = "$TAP: mended: "* ]]
		tapctl list --json | holds '.[0].bridge == "br0" and .[0].isolated'
		# shellcheck disable=SC2086
		run hook $way
		[[ $status = 0 && -z $output ]]
	done
	# What is left alone is told, and is no failure of the hook's.
	ip link set $TAP down
	ip link set $TAP nomaster
	# shellcheck disable=SC2086
	run hook $way
	[[ $status = 0 && $output = "tapctl: warning: $TAP: it is down, and stays off br0"* ]]
}

@test "managers: a hook for what is no bridge, or another event, starts no process" {
	requires_plain_build
	install_to "$WORK/root" install
	add_bridge br0
	add_cable v0 v1
	local nm=$WORK/root/etc/NetworkManager/dispatcher.d/50-tapctl args
	for args in "v0 up" "br0 pre-down" "nosuch up" " hostname" "--all"; do
		# shellcheck disable=SC2086 # they are words
		hook strace -f -qq -o "$WORK/calls" -e trace=execve,clone,clone3,vfork "$nm" $args
		[ "$(grep -c . "$WORK/calls")" = 1 ]
	done
}
