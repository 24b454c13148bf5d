#!/usr/bin/env bats
# The errors that people meet: one line each, in words, and nothing left.
load ../tools/helpers

A=52:54:00:84:e3:62 TAP=tap52540084e362 MVT=mvt52540084e362

# fails STATUS TEXT WORDS...: tapctl WORDS ends with STATUS, and with one line that holds TEXT.
fails() {
	local before want=$1 text=$2
	shift 2
	before=$(links)
	run_tapctl "$@"
	says "$want" "$text"
	[ "$(links)" = "$before" ]
}
says() {
	[ "$status" = "$1" ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ "$stderr" == "tapctl: "* ]]
	[[ "$stderr" == *"$2"* ]]
}

# The same with the directory $1 covered by an empty one, in which $2 is done first.
fails_with_dir() {
	local dir=$1 first=$2 want=$3 text=$4
	shift 4
	run --separate-stderr inside unshare --mount bash -c '
		mount -t tmpfs tmpfs "$0" && cd "$0" && eval "$1" && cd / && shift && exec "$TAPCTL" "$@"
	' "$dir" "$first" "$@"
	echo "$status: $output: $stderr"
	says "$want" "$text"
}

@test "errors: no /dev/net/tun" {
	requires_root
	fails_with_dir /dev/net : 1 "/dev/net/tun: there is no such device here: a container needs --device" \
		add --unattached --mac $A
	fails_with_dir /dev/net : 125 "/dev/net/tun" exec --unattached --mac $A -- true
}

@test "errors: /dev/net/tun without its driver names the running kernel" {
	requires_root
	fails_with_dir /dev/net "mknod tun c 4095 7" 1 "the running kernel $(uname -r) has no driver tun" \
		add --unattached --mac $A
}

@test "errors: /dev/net/tun that may not be opened" {
	requires_root
	run --separate-stderr inside unshare --mount bash -c '
		mount -t tmpfs tmpfs /dev/net && mknod -m 600 /dev/net/tun c 10 200 &&
		exec setpriv --reuid 65534 --regid 65534 --clear-groups "$TAPCTL" add --unattached --mac '$A
	says 1 "/dev/net/tun: opening it is forbidden by its mode"
}

@test "errors: without CAP_NET_ADMIN" {
	requires_root
	chmod go+x "$WORK"
	cp "$TAPCTL" "$WORK/tapctl"
	add_bridge br0
	add_cable v0 v1
	mkdir "$WORK/net"
	for words in "add --unattached --mac $A" "add --link v0 --mac $A" "pin br0" "exec --bridge br0 --mac $A -- true"; do
		# shellcheck disable=SC2086 # they are words
		run --separate-stderr inside unshare --mount bash -c '
			mount -t tmpfs tmpfs /dev/net && mknod -m 666 /dev/net/tun c 10 200 &&
			exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all "$0" "$@"
		' "$TAPCTL" $words
		echo "$words: $status: $stderr"
		[ "$status" = 1 ] || [[ $status = 125 && $words = exec* ]]
		[ "${#stderr_lines[@]}" = 1 ]
		case $words in
		add*) [[ "$stderr" == *"needs CAP_NET_ADMIN over this network namespace: run it with sudo (other ways: "* ]] ;;
		exec*) [[ "$stderr" == *": run it with sudo and --user \$USER (other ways: "* ]] ;;
		*) [[ "$stderr" == *"Operation not permitted: run it with sudo" ]] ;;
		esac
	done
	no_link $TAP
}

@test "errors: a tap of another user" {
	requires_root
	local owner
	# Who has its uid has to be in its group, too.
	for owner in "uid 1234 --owner 1234" "uid 1234 --owner 1234 --group 65534" "gid 4711 --group 4711" \
		"gid 4711 --owner 65534 --group 4711"; do
		# shellcheck disable=SC2086 # words
		tapctl add --unattached --mac $A ${owner#* * }
		run --separate-stderr inside unshare --mount bash -c '
			mount -t tmpfs tmpfs /dev/net && mknod -m 666 /dev/net/tun c 10 200 &&
			exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all "$0" "$@"
		' "$TAPCTL" exec --reuse --unattached --mac $A -- true
		says 125 "$TAP: belongs to ${owner%% --*}, and another user needs CAP_NET_ADMIN to open it: run it with sudo and --user \$USER (other ways: tapctl(8), ACCESS)"
		tapctl del $A
	done
}

@test "errors: an owner that the user namespace does not have" {
	unshare -Ur true || skip "user namespaces are forbidden here"
	for owner in --owner --group; do
		run --separate-stderr unshare -Urn "$TAPCTL" add --unattached --mac $A $owner 1000 3>&- 4>&-
		says 1 "$TAP: cannot give it to its owner: this user namespace has no such user or group: /proc/self/uid_map and gid_map show which it has"
	done
}

@test "errors: a macvtap of one's own, without CAP_NET_ADMIN" {
	requires_macvtap
	add_cable v0 v1
	local node as=(setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all)
	run --separate-stderr inside "${as[@]}" "$TAPCTL" exec --link v0 --mac $A -- true
	says 125 "--link: the lease of a macvtap needs CAP_NET_ADMIN over this network namespace: run it with sudo and --user \$USER ("
	tapctl add --link v0 --owner 65534 --mac $A
	node=/dev/tap$(link_field "mvt${TAP#tap}" .ifindex)
	run --separate-stderr inside unshare --mount sh -c 'mount -t sysfs sysfs /sys && exec "$@"' sh \
		"${as[@]}" "$TAPCTL" exec --reuse --link v0 --mac $A -- true
	says 125 "--link: the lease of a macvtap needs CAP_NET_ADMIN over this network namespace: run it with sudo; the owner of $node may open that without tapctl"
	inside "${as[@]}" sh -c "exec 3<>$node"
}

@test "errors: a macvtap by an ordinary user with the capabilities of a tap, and with those that it needs" {
	requires_root
	requires_macvtap
	add_cable v0 v1
	with() {
		run --separate-stderr inside unshare --mount sh -c 'mount -t sysfs sysfs /sys && exec "$@"' sh \
			setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps "$1" --ambient-caps "$1" "$TAPCTL" "${@:2}"
	}
	with +net_admin exec --link v0 --mac $A -- true
	says 125 "a missing CAP_MKNOD: run it with sudo and --user \$USER (other ways: tapctl(8), ACCESS)"
	with +net_admin add --link v0 --mac $A
	says 1 "cannot give it to its owner: Operation not permitted: run it with sudo (other ways: tapctl(8), ACCESS)"
	with +net_admin,+dac_override,+sys_admin exec --link v0 --mac $A -- true
	[ "$status" = 0 ]
	with +net_admin,+chown,+fowner add --link v0 --mac $A
	[ "$status" = 0 ]
}

@test "errors: no such bridge, no such device" {
	fails 1 "br9: there is no such bridge in this network namespace: ip link add" add --bridge br9 --mac $A
	fails 1 "eth9: there is no such device" add --link eth9 --mac $A
	fails 125 "br9: there is no such bridge" exec --bridge br9 --mac $A -- true
}

@test "errors: what is not a bridge is called what it is" {
	add_cable v0 v1
	fails 1 "v0: is not a bridge but a veth" add --bridge v0 --mac $A
	fails 1 "lo: is not a bridge but a loopback device" add --bridge lo --mac $A
	[[ "$stderr" == *"a loopback device" ]] # and could carry no macvtap either
	fails 1 "lo: is not a bridge but a loopback device" pin lo
}

@test "errors: the name is taken, by whom and held by which process" {
	add_bridge br0
	ip link add $TAP type veth peer name peer
	fails 1 "$TAP: already exists, a veth that tapctl did not make" add --bridge br0 --mac $A
	ip link del $TAP
	mkfifo "$WORK/pid" "$WORK/end"
	tapctl exec --bridge br0 --mac $A -- sh -c "echo \$\$ >'$WORK/pid'; read -r x <'$WORK/end'" \
		>/dev/null 2>&1 &
	read -rt 20 pid <>"$WORK/pid"
	fails 1 "$TAP: already exists, and its guest $A runs already (sh, pid $pid)" add --bridge br0 --mac $A
	fails 125 "$TAP: in use, held by sh (pid $pid)" exec --reuse --bridge br0 --mac $A -- true
	echo >"$WORK/end"
	wait
}

@test "errors: --reuse of something else" {
	add_bridge br0
	add_bridge br1
	tapctl add --bridge br0 --mac $A --queues 2
	fails 125 "$TAP: is not a port of br1: tapctl attach --bridge br1 $TAP moves it" exec --reuse --bridge br1 --mac $A -- true
	fails 125 "$TAP: was made for several queues" exec --reuse --bridge br0 --mac $A -- true
	fails 125 "$TAP: --reuse: was made for the guest $A" \
		exec --reuse --bridge br0 --name $TAP --mac 52:54:00:00:00:01 -- true
	fails 125 "$TAP: is a port of another link, and --unattached was given" exec --reuse --unattached --mac $A -- true
	for flag in lock-mac isolated hairpin; do
		fails 125 "$TAP: --reuse: exists without --$flag: leave that out, or make it anew: tapctl del $TAP" \
			exec --reuse --bridge br0 --queues 2 --mac $A --$flag -- true
	done
	ip tuntap add foreign mode tap
	ip link set foreign address fe:54:00:00:00:01 master br0 up
	fails 125 "leave that out, or make it anew: tapctl del --force foreign" \
		exec --reuse --bridge br0 --name foreign --mac 52:54:00:00:00:01 --isolated -- true
}

@test "errors: lower devices that cannot carry a macvtap say what to use" {
	requires_macvtap
	add_bridge br0
	add_cable v0 v1
	fails 1 "lo: a loopback device cannot carry a macvtap" add --link lo --mac $A
	fails 1 "br0: a bridge cannot carry a macvtap: use --bridge" add --link br0 --mac $A
	tapctl add --link v0 --mac $A
	fails 1 "$MVT: is itself a macvtap of v0: use --link v0" add --link $MVT --mac 52:54:00:00:00:01
	tapctl del $MVT
	ip link set v0 master br0
	fails 1 "v0: is a port of br0: use --bridge br0" add --link v0 --mac $A
}

@test "errors: a macvtap's address is in use, by which device and process" {
	requires_macvtap
	add_cable v0 v1
	fails 1 "the address is that of v0 itself" add --link v0 --mac "$(link_field v0 .address)"
	# On another device it does not matter.
	ip link add link v1 name elsewhere address $A type macvtap
	tapctl add --link v0 --mac $A
	fails 1 "$A: the address is in use on v0 by $MVT" add --link v0 --name other --mac $A
	ip link add link v0 name lan address 52:54:00:00:00:01 up type macvlan
	fails 1 "52:54:00:00:00:01: the address is in use on v0 by lan" add --link v0 --mac 52:54:00:00:00:01
	fails 1 "$MVT: already exists" add --link v0 --mac $A
	mkfifo "$WORK/pid" "$WORK/end"
	tapctl exec --reuse --link v0 --mac $A -- sh -c "echo \$\$ >'$WORK/pid'; read -r x <'$WORK/end'" \
		>/dev/null 2>&1 &
	read -rt 20 pid <>"$WORK/pid"
	fails 1 "by $MVT, held by sh (pid $pid)" add --link v0 --name other --mac $A
	fails 125 "$MVT: in use, held by sh (pid $pid)" exec --reuse --link v0 --mac $A -- true
	echo >"$WORK/end"
	wait
}

@test "errors: passthru wants the lower device for itself" {
	requires_macvtap
	add_cable v0 v1
	tapctl add --link v0 --mac $A
	fails 1 "--mode passthru wants v0 for itself" add --link v0 --mode passthru --mac 52:54:00:00:00:01
	tapctl del $A
	tapctl add --link v0 --mode passthru --mac $A
	fails 1 "v0 is used exclusively by $MVT, in mode passthru" add --link v0 --mac 52:54:00:00:00:01
}

@test "errors: an MTU out of the device's range" {
	requires_macvtap
	add_cable v0 v1
	fails 1 "--mtu 9000: is larger than the 1500 of v0" add --link v0 --mtu 9000 --mac $A
	tapctl add --link v0 --mtu 1500 --mac $A
	tapctl del $MVT
	fails 2 "--mtu 65535: a tap's is 68 to 65521" add --unattached --mtu 65535 --mac $A
}

@test "errors: the kernel's own words are shown" {
	add_bridge br0
	ip link set br0 mtu 65535
	fails 1 "$TAP: cannot make it a port of br0: mtu greater than device maximum" add --bridge br0 --mac $A
}

@test "errors: a full bridge takes no more, and then none of the call" {
	add_bridge br0
	local macs=()
	for n in {1..1023}; do macs+=(--mac "52:54:01:00:$(printf '%02x:%02x' $((n / 256)) $((n % 256)))"); done
	tapctl add --bridge br0 "${macs[@]}" >/dev/null
	[ "$(links | wc -l)" = 1025 ]
	fails 1 "br0: the bridge is full, it takes 1023 ports" add --bridge br0 --mac $A
	fails 125 "br0: the bridge is full" exec --bridge br0 --mac $A -- true
	tapctl del 52:54:01:00:00:01
	fails 1 "br0: the bridge is full" add --bridge br0 --mac $A --mac 52:54:00:00:00:01
}

@test "errors: a wrong command line ends with 2, of exec with 125" {
	fails 2 "give a command"
	fails 2 "'nosuch': there is no such command" nosuch
	fails 2 "-j: is before the command: give the command first" -j list
	fails 2 "--nosuch: unknown option: see tapctl add --help" add --nosuch
	fails 125 "--nosuch: unknown option" exec --nosuch -- true
	fails 2 "no guest address: give --mac MAC" add --bridge br0
	fails 2 "no place for the device: give --bridge BRIDGE, --link IFNAME, --ovs BRIDGE or --unattached" add --mac $A
	# Without --, whatever else would be said of COMMAND's words.
	fails 125 "'qemu': COMMAND stands behind --: tapctl exec ... -- qemu ..." exec --bridge br0 qemu -device x
	fails 125 "'true': COMMAND stands behind --" exec --bridge br0 --mac $A true
	fails 125 "exec: an option after --: tapctl exec [OPTION...] -- COMMAND" exec -- --bridge br0 --mac $A true
}
