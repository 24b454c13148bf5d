#!/usr/bin/env bats
# Devices that tapctl made, in the hands of programs that others wrote.
# shellcheck disable=SC2016,SC2030,SC2031 # scripts for other shells; each test is a subshell
# bats file_tags=once
load ../tools/helpers
load ../guest/boot

MAC=52:54:00:00:00:0a
TAP=tap52540000000a

# The bridge br0, and on it another host, the namespace peer.
setup() {
	setup_namespace
	add_bridge br0
	add_cable wire far peer
	ip link set wire master br0
	command ip -n peer addr add 10.0.0.1/24 dev far
	command ip netns add guest
}

teardown() {
	teardown_namespace
	[ -z "${PUBLIC:-}" ] || rm -rf "$PUBLIC"
}

requires_program() { command -v "$1" >/dev/null || skip "there is no $1 here"; }

# A process in the background, in namespace $1, its output in $WORK/log.
start() { # NAMESPACE COMMAND...
	inside_of "$1" "${@:2}" </dev/null >>"$WORK/log" 2>&1 &
}

# Into the place of tapctl's caller, a user without any privilege, who may open /dev/net/tun as usual.
unprivileged=(env PATH=/usr/sbin:/usr/bin:/sbin:/bin unshare --mount sh -euc 'mount -t tmpfs tmpfs /dev/net; mknod -m 666 /dev/net/tun c 10 200
	exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all "$@"' sh)

# The guest's side of a client: what it passes on arrives at 10.0.0.2.
answers() {
	wait_until 20 inside_of peer ping -q -n -c 1 -W 1 10.0.0.2 >"$WORK/ping" || {
		cat "$WORK/log"
		tail -n 4 "$WORK/ping"
		return 1
	}
}

@test "clients: socat, with the fd" {
	start "$NS" "$TAPCTL" exec --bridge br0 --no-vnet-hdr --mac $MAC -- nsenter --net=/run/netns/guest \
		socat FD:3 TUN:10.0.0.2/24,tun-type=tap,iff-no-pi,iff-up
	answers
}

@test "clients: socat, with the name" {
	tapctl add --bridge br0 --mac $MAC
	# A socket of packets, so that frames stay frames.
	start guest socat "UNIX-LISTEN:$WORK/wire,socktype=5" TUN:10.0.0.2/24,tun-type=tap,iff-no-pi,iff-up
	wait_until 10 [ -S "$WORK/wire" ]
	start "$NS" socat "TUN,tun-name=$TAP,tun-type=tap,iff-no-pi" "UNIX-CONNECT:$WORK/wire,socktype=5"
	answers
}

# A program that knows no more than the name: it answers to ARP.
cat_arp() {
	cat <<-'P'
		import fcntl, os, struct, sys
		IFF_TAP, IFF_NO_PI, IFF_VNET_HDR, TUNSETIFF = 2, 0x1000, 0x4000, 0x400454CA
		own = bytes.fromhex(sys.argv[2].replace(":", ""))
		tap = os.open("/dev/net/tun", os.O_RDWR)
		fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", sys.argv[1].encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
		while True:
		    header, frame = (got := os.read(tap, 2000))[:10], got[10:]
		    if frame[12:14] == b"\x08\x06" and frame[38:42] == bytes([10, 0, 0, 2]):
		        os.write(tap, bytes(10) + frame[6:12] + own + frame[12:20] + b"\0\2" + own + frame[38:42] + frame[22:32])
	P
}

@test "clients: a Python program of an ordinary user, with the name" {
	requires_root
	tapctl add --bridge br0 --mac $MAC --owner 65534
	start "$NS" "${unprivileged[@]}" python3 -c "$(cat_arp)" $TAP $MAC
	known() {
		inside_of peer ping -n -c 1 -W 1 10.0.0.2 >/dev/null || :
		[ "$(command ip -n peer -j neigh show 10.0.0.2 | jq -r '.[0].lladdr')" = $MAC ]
	}
	wait_until 20 known || cat "$WORK/log"
	known
}

@test "clients: vde_switch -tap and vde_plug2tap of an ordinary user, a guest behind them" {
	requires_root
	requires_program vde_switch
	requires_program vde_plug2tap
	PUBLIC=$(mktemp -d)
	chown 65534:65534 "$PUBLIC"
	tapctl add --bridge br0 --mac $MAC --owner 65534
	# The other end of the switch, which the guest has for a network card.
	tapctl add --netns guest --unattached --name card --mac 52:54:00:00:00:0b --owner 65534
	command ip -n guest addr add 10.0.0.2/24 dev card
	start "$NS" "${unprivileged[@]}" vde_switch --daemon --sock "$PUBLIC/switch" --tap $TAP
	wait_until 10 [ -S "$PUBLIC/switch/ctl" ]
	start guest "${unprivileged[@]}" vde_plug2tap --daemon --sock "$PUBLIC/switch" card
	answers
	[ "$(link_field $TAP .operstate)" = UP ]
}

@test "clients: user-mode Linux, with the name" {
	guest_uml_runs "$GUEST" || skip "user-mode Linux does not run on this machine"
	tapctl add --bridge br0 --mac $MAC
	guest_uml "$GUEST" 3 mac0=$MAC ip0=10.0.0.2/24
	start "$NS" "${uml[@]/#vec0:*/vec0:transport=tap,ifname=$TAP,gro=1}"
	answers
}

# As far as a guest's driver is not needed: qemu opens its network, with the kernel's half of virtio.
@test "clients: qemu takes the tap and vhost-net by their numbers" {
	requires_vhost
	run_tapctl exec --bridge br0 --mac $MAC --queues 2 --vhost=on -- sh -c '
		echo quit | qemu-system-x86_64 -S -M q35 -nodefaults -display none -monitor stdio \
			-netdev "tap,id=n0,fds=$TAPCTL_FDS,vhost=on,vhostfds=$TAPCTL_VHOSTFDS" \
			-device virtio-net-pci,mq=on,netdev=n0,romfile=,mac='$MAC
	[ "$status" = 0 ]
	[ -z "$stderr" ]
}

# libvirt's daemon in the test's namespaces, with nothing of the machine's own libvirt.
start_libvirt() {
	requires_root
	requires_guest
	requires_program libvirtd
	requires_program virsh
	# Its drivers are packages of their own.
	[ -n "$(find /usr/lib -name libvirt_driver_qemu.so)" ] || skip "libvirt has no driver for qemu here"
	cat >"$WORK/qemu.conf" <<-'END'
		user = "root"
		group = "root"
		security_driver = "none"
		namespaces = []
		cgroup_controllers = []
		remember_owner = 0
		stdio_handler = "file"
	END
	# Before it reads this it looks for the user of its package, which need not have been set up.
	{ cat /etc/passwd && echo libvirt-qemu:x:64055:64055::/:/bin/false; } >"$WORK/passwd"
	{ cat /etc/group && echo libvirt-qemu:x:64055:; } >"$WORK/group"
	inside unshare --mount sh -euc '
		for dir in /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt; do
			mkdir -p $dir
			mount -t tmpfs tmpfs $dir
		done
		cp "$1/qemu.conf" /etc/libvirt/
		mount --bind "$1/passwd" /etc/passwd
		mount --bind "$1/group" /etc/group
		exec libvirtd --daemon --pid-file "$1/libvirtd.pid"
	' sh "$WORK" || skip "libvirtd does not start here"
}

virsh() { inside virsh -q "$@"; }

# Starts the domain guest, with an interface of TYPE, of which the rest is on stdin.
start_domain() { # TYPE
	cat >"$WORK/domain" - <<-END
		<domain type='qemu'>
			<name>guest</name>
			<memory unit='MiB'>256</memory>
			<os>
				<type arch='x86_64' machine='q35'>hvm</type>
				<kernel>$GUEST/vmlinux</kernel>
				<initrd>$GUEST/guest.cpio</initrd>
				<cmdline>console=ttyS0 quiet panic=-1 cryptomgr.notests ip0=10.0.0.2/24</cmdline>
			</os>
			<cpu mode='maximum'/>
			<devices>
				<controller type='usb' model='none'/>
				<memballoon model='none'/>
				<serial type='file'><source path='$WORK/console'/></serial>
				<interface type='$1'>
					<mac address='$MAC'/>
					<model type='virtio'/>
					$(cat)
				</interface>
			</devices>
		</domain>
	END
	virsh create "$WORK/domain"
}

@test "clients: libvirt starts a guest on an existing tap, and does not change it" {
	start_libvirt
	tapctl add --bridge br0 --mac $MAC
	state() { tapctl list --json $TAP | jq 'map(del(.carrier))'; }
	local before
	before=$(state)
	start_domain ethernet <<<"<target dev='$TAP' managed='no'/>"
	guest_wait "$WORK/console" 'guest: ready' 60
	answers
	virsh destroy guest
	diff <(echo "$before") <(state)
}

# What ip(8) says of a link on stdin, a field a line, but for what changes by itself.
fields() {
	jq -r '.[0] | del(.ifindex, .linkinfo.info_slave_data.forward_delay_timer) | .flags |= join(",")
		| paths(type != "object" and type != "array") as $path
		| "\($path | map(tostring) | join(".")) \(getpath($path))"' | sort
}

# The fields in which a device of libvirt's and one of tapctl's are not the same:
# differences NAME 'TAPCTL-OPTION...' TYPE, with the rest of libvirt's interface on stdin
differences() {
	start_domain "$3"
	ip -d -j link show "$1" | fields >"$WORK/libvirt"
	virsh destroy guest
	no_link "$1"
	# shellcheck disable=SC2086 # words
	tapctl exec $2 --mac $MAC -- ip -n "$NS" -d -j link show "$1" | fields >"$WORK/tapctl"
	wait_until 10 no_link "$1"
	# Both are whole.
	grep -q '^ifname' "$WORK/libvirt"
	diff "$WORK/libvirt" "$WORK/tapctl" >"$WORK/diff" || cat "$WORK/diff" >&2
	different=$(sed -n 's/^[<>] \([^ ]*\) .*/\1/p' "$WORK/diff" | sort -u | xargs)
}

# What is meant to differ:
# - user: it belongs to its caller from the start, so that no holder can open it to every user;
# - ifalias: by it tapctl knows its devices again, without files of its own;
# - inet6_addr_gen_mode: the host needs no address on the device, and the guest no noise of it;
# - allmulti and its flag, on a macvtap: without, the guest's IPv6 neighbours do not find it.
@test "clients: a tap of libvirt's and one of tapctl's are the same, but for known differences" {
	start_libvirt
	differences $TAP '--bridge br0' bridge <<<"<source bridge='br0'/><target dev='$TAP'/>"
	[ "$different" = "ifalias inet6_addr_gen_mode linkinfo.info_data.user" ]
}

@test "clients: a macvtap of libvirt's and one of tapctl's are the same, but for known differences" {
	requires_macvtap
	start_libvirt
	add_cable wire1 far1 peer
	differences mvt52540000000a '--link wire1' direct <<<"<source dev='wire1' mode='bridge'/><target dev='mvt52540000000a'/>"
	[ "$different" = "allmulti flags ifalias inet6_addr_gen_mode" ]
}
