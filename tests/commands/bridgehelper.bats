#!/usr/bin/env bats
# bridge-helper: qemu's helper protocol, word for word, and real qemus that run it.
# shellcheck disable=SC2016,SC2030,SC2031,SC2054 # scripts for other shells; each test is a subshell; qemu's commas
load ../tools/helpers
load ../guest/boot

MAC=52:54:00:00:00:0a
TAP=tap52540000000a

setup() {
	setup_namespace
	make_caller
	ln -s tapctl "$PUBLIC/qemu-bridge-helper"
	add_bridge br0
	echo 'allow br0' >"$ETC/qemu/bridge.conf"
	before=$(links)
	cat >"$PUBLIC/qemu" <<-'END'
		# What qemu does with a helper: a socketpair, the helper's words with @ for one end's number, and one
		# recvmsg. Prints what came of it as JSON, with the links of that moment.
		import fcntl, json, os, socket, struct, subprocess, sys
		mine, its = socket.socketpair()
		words = [word.replace("@", str(its.fileno())) for word in sys.argv[1:]]
		helper = subprocess.run(words, pass_fds=[its.fileno()], stdout=subprocess.PIPE)
		its.close()
		data, fds, flags, _ = socket.recv_fds(mine, 16, 8)
		came = {"status": helper.returncode, "stdout": helper.stdout.decode(), "data": data.hex(), "fds": len(fds),
		        "truncated": bool(flags & socket.MSG_CTRUNC), "rest": len(mine.recv(16))}
		if fds:
		    name, bits = struct.unpack("16sH22x", fcntl.ioctl(fds[0], 0x800454d2, bytes(40)))
		    came |= {"name": name.rstrip(b"\0").decode(), "vnet_hdr": bool(bits & 0x4000),
		             "multi_queue": bool(bits & 0x100)}
		came["links"] = json.loads(subprocess.run(["ip", "-d", "-j", "link"], stdout=subprocess.PIPE).stdout)
		print(json.dumps(came))
	END
}

# Run a helper as qemu does, as root or as the caller; then there is no link that was not there before.
ask() { # WHO HELPER WORD...
	echo "\$ ${*:2}"
	run --separate-stderr "as_$1" python3 "$PUBLIC/qemu" "${@:2}"
	echo "$output"
	echo "$stderr"
	[ "$(links)" = "$before" ]
}
# It was given one fd, of a tap of that name, as is told; its link is in $link.
served() { # NAME
	[ -z "$stderr" ]
	got '.status == 0 and .stdout == "" and .data == "00" and .fds == 1 and .rest == 0 and (.truncated | not)'
	got '.name == $name and (.multi_queue | not)' --arg name "$1"
	got '.links[] | select(.ifname == $name) | .master == "br0" and (.flags | contains(["UP"])) and
		.linkinfo.info_data.persist == false and .qdisc == "noqueue" and (.address | startswith("fe:54:00:"))' \
		--arg name "$1"
}
# It failed with 1 and one line, and qemu was given nothing.
failed_with() { # WORD...
	got '.status == 1 and .stdout == "" and .data == "" and .fds == 0'
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr = "tapctl: "* ]]
	stderr_holds "$@"
}

@test "bridge-helper: one byte and one fd come through the socket, under both names" {
	for who in root caller; do
		ask $who "$PUBLIC/tapctl" bridge-helper --use-vnet --fd=@ --br=br0
		served tap0
		got '.links[] | select(.ifname == "tap0") | .ifalias == null'
		ask $who "$PUBLIC/qemu-bridge-helper" --use-vnet --fd=@ --br=br0
		served tap0
		got .vnet_hdr
	done
	# Each has an address of its own.
	ip link add tap0 type bridge
	before=$(links)
	ask root "$PUBLIC/qemu-bridge-helper" --fd=@ --br=br0
	served tap1
}

@test "bridge-helper: the words in any order and in both spellings, --use-vnet again and again" {
	local words
	while read -r words; do
		# shellcheck disable=SC2086 # they are words
		ask caller "$PUBLIC/qemu-bridge-helper" $words
		served tap0
	done <<-'END'
		--br=br0 --fd=@
		--br br0 --fd @
		--fd @ --use-vnet --br br0
		--use-vnet --br=br0 --use-vnet --fd=@
	END
}

@test "bridge-helper: the vnet header only when it is asked for" {
	ask caller "$PUBLIC/qemu-bridge-helper" --br=br0 --fd=@
	served tap0
	got '.vnet_hdr == false'
	ask caller "$PUBLIC/qemu-bridge-helper" --br=br0 --fd=@ --use-vnet
	got .vnet_hdr
}

@test "bridge-helper: with --mac the tap has the derived name and address, and is tapctl's" {
	ask caller "$PUBLIC/tapctl" bridge-helper --mac $MAC --use-vnet --fd=@ --br=br0
	served $TAP
	got '.links[] | select(.ifname == $tap) | .address == "fe:54:00:00:00:0a" and .ifalias == "tapctl guest " + $mac + " by=exec on=br0"' \
		--arg tap $TAP --arg mac $MAC
	ask caller "$PUBLIC/qemu-bridge-helper" --br=br0 --mac=$MAC --fd=@
	served $TAP
	tapctl exec --bridge br0 --mac $MAC -- true
	tapctl add --bridge br0 --mac $MAC >/dev/null
	before=$(links)
	ask caller "$PUBLIC/tapctl" bridge-helper --mac $MAC --use-vnet --fd=@ --br=br0
	failed_with "$TAP: already exists"
}

@test "bridge-helper: the tap has the bridge's MTU and does not change that" {
	ip link set br0 mtu 4000
	ask caller "$PUBLIC/qemu-bridge-helper" --br=br0 --fd=@
	served tap0
	got 'all(.links[] | select(.ifname == "tap0" or .ifname == "br0"); .mtu == 4000)'
}

@test "bridge-helper: with --netns the tap is there, and its fd is qemu's all the same" {
	command ip netns add there
	command ip -n there link add br0 type bridge
	ask root "$PUBLIC/tapctl" bridge-helper --netns=there --verbose --fd=@ --br=br0
	got '.status == 0 and .fds == 1 and .name == "tap0" and all(.links[]; .ifname != "tap0")'
	[[ $stderr = *"tapctl: tap0: made"* ]]
}

@test "bridge-helper: the access file holds for root, too, as with qemu's" {
	add_bridge br1
	before=$(links)
	for who in root caller; do
		ask $who "$PUBLIC/qemu-bridge-helper" --br=br1 --fd=@
		failed_with "br1: access denied by acl file /etc/qemu/bridge.conf"
		ask $who "$PUBLIC/qemu-bridge-helper" --br=nosuch --fd=@
		failed_with "nosuch: there is no such bridge"
	done
	ask root "$TAPCTL" bridge-helper --br=br1 --fd=@
	failed_with "br1: access denied by acl file"
	rm "$ETC/qemu/bridge.conf"
	ask root "$TAPCTL" bridge-helper --br=br0 --fd=@
	failed_with "br0: access denied: there is no access file"
	echo nonsense >"$ETC/qemu/bridge.conf"
	ask root "$TAPCTL" bridge-helper --br=br0 --fd=@
	failed_with "/etc/qemu/bridge.conf line 1"
}

@test "bridge-helper: a wrong command line ends with 1, as with qemu's" {
	local words
	while read -r words; do
		# shellcheck disable=SC2086 # they are words
		ask caller "$PUBLIC/qemu-bridge-helper" $words
		failed_with
	done <<-'END'

		--br=br0
		--fd=@
		--br=br0 --fd=
		--br=br0 --fd=x
		--br=br0 --fd=-1
		--br= --fd=@
		--br=a/b --fd=@
		--br=br0 --fd=@ word
		--br=br0 --fd=@ --nosuch
		--br=br0 --fd=@ --name=x
		--br=br0 --fd=@ --mac=x
		--br=br0 --fd=@ --mac=01:00:5e:00:00:01
		--br=br0 --fd=@ --mac=52:54:00:00:00:01 --mac=52:54:00:00:00:02
		--br=br0 --br=br1 --fd=@
		--link=br0 --fd=@
	END
	ask caller "$PUBLIC/qemu-bridge-helper"
	failed_with "bridge-helper: lacks an option: give --br=BRIDGE and --fd=N, as qemu does"
}

@test "bridge-helper: an fd that is not a Unix socket is refused before anything is made" {
	local words
	for words in "--fd=99:Bad file descriptor" "--fd=1:not a socket"; do
		ask caller "$PUBLIC/qemu-bridge-helper" --br=br0 "${words%%:*}"
		failed_with "${words#*:}"
	done
	run --separate-stderr as_caller python3 -c '
import socket, subprocess, sys
s = socket.socket(socket.AF_INET)
sys.exit(subprocess.run([sys.argv[1], "--br=br0", f"--fd={s.fileno()}"], pass_fds=[s.fileno()]).returncode)
' "$PUBLIC/qemu-bridge-helper"
	[ "$status" = 1 ]
	[[ $stderr = *"is not a Unix socket"* ]]
}

@test "bridge-helper: when no process receives the fd it fails, and the tap is removed" {
	run --separate-stderr as_caller python3 -c '
import socket, subprocess, sys
mine, its = socket.socketpair()
mine.close()
sys.exit(subprocess.run([sys.argv[1], "--br=br0", f"--fd={its.fileno()}"], pass_fds=[its.fileno()]).returncode)
' "$PUBLIC/qemu-bridge-helper"
	[ "$status" = 1 ]
	[[ $stderr = *"failed to write fd to unix socket: Broken pipe"* ]]
	[ "$(links)" = "$before" ]
}

# --- real qemus ---

# The bridge leads to another host; every user may read the guest's files.
with_guest() {
	requires_guest
	add_cable wire0 far0 peer
	command ip -n peer addr add 10.0.0.1/24 dev far0
	ip link set wire0 master br0
	cp "$GUEST/vmlinux" "$GUEST/guest.cpio" "$PUBLIC"
	guest_args "$GUEST" ip0=10.0.0.2/24
	qemu=("${qemu[@]/#"$GUEST"/"$PUBLIC"}")
	qemu=("${qemu[@]/#kvm/tcg}")
	qemu=("${qemu[@]/#host/max}")
}
# Boot with that -netdev as root or as the caller, ping the guest, and see the tap come and go.
boot() { # WHO NETDEV TAP
	local become=()
	[ "$1" = root ] || become=("${BECOME_CALLER[@]}")
	guest_start "$WORK/console" "${IN_PLACE[@]}" "${become[@]}" "${qemu[@]}" -netdev "$2" \
		-device "virtio-net-pci,netdev=n0,mac=$MAC,romfile="
	guest_wait "$WORK/console" 'guest: ready' 60 "$guest_pid"
	inside_of peer ping -n -c 3 -i 0.2 -W 5 10.0.0.2
	[ "$(link_field "$3" .master)" = br0 ]
	[[ "$(link_field "$3" .address)" = fe:54:00:* ]]
	[ "$(link_field "$3" .linkinfo.info_data.vnet_hdr)" = true ]
	[ "$(grep -ac '^tapctl:' "$WORK/console")" = 0 ]
	guest_stop
	no_link "$3"
}

# bats test_tags=once
@test "bridge-helper: -netdev bridge of a real qemu, by qemu's own helper's name" {
	with_guest
	boot root "bridge,id=n0,br=br0,helper=$PUBLIC/qemu-bridge-helper" tap0
}

# bats test_tags=once
@test "bridge-helper: -netdev bridge of a real qemu that an ordinary user runs" {
	with_guest
	boot caller "bridge,id=n0,br=br0,helper=$PUBLIC/qemu-bridge-helper" tap0
}

# bats test_tags=once
@test "bridge-helper: -netdev tap of a real qemu, with words of its own" {
	with_guest
	boot root "tap,id=n0,br=br0,helper=$PUBLIC/tapctl bridge-helper --mac $MAC" $TAP
}

# bats test_tags=once
@test "bridge-helper: -netdev tap of a real qemu that an ordinary user runs" {
	with_guest
	boot caller "tap,id=n0,br=br0,helper=$PUBLIC/tapctl bridge-helper --mac $MAC" $TAP
}

@test "bridge-helper: a real qemu that is denied shows why, and ends" {
	add_bridge br1
	run as_caller timeout 20 qemu-system-x86_64 -nodefaults -display none \
		-netdev "bridge,id=n0,br=br1,helper=$PUBLIC/qemu-bridge-helper" -device virtio-net-pci,netdev=n0,romfile=
	echo "$output"
	[ "$status" = 1 ]
	[[ $output = *"tapctl: br1: access denied by acl file /etc/qemu/bridge.conf"*"bridge helper failed"* ]]
}
