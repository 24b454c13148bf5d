#!/usr/bin/env bats
# The kernel's audit log: what exec and bridge-helper write there, and that nothing depends on it.
# shellcheck disable=SC2016,SC2030,SC2031 # scripts for other shells; each test is a subshell
load ../tools/helpers

# Audit is switched on for the whole machine while a test runs: others may write meanwhile, so that each
# test has an address of its own.
setup() {
	requires_root
	setup_namespace
	cat >"$WORK/auditor" <<-'END'
		# auditor get | set N | run COMMAND...: the setting; or what is written while COMMAND runs with audit on.
		import ctypes, os, socket, struct, subprocess, sys
		GET, SET, VIRT_RESOURCE = 1000, 1001, 2501
		here = os.open("/proc/self/ns/net", os.O_RDONLY)
		# The kernel tells only those in the first network namespace, where its own threads are.
		libc = ctypes.CDLL(None)
		libc.setns(os.open("/proc/2/ns/net", os.O_RDONLY), 0)
		log, control = (socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9) for _ in "12")
		log.setsockopt(socket.SOL_SOCKET, 33, 1 << 23)  # SO_RCVBUFFORCE: others write, too
		log.bind((0, 1))  # the group AUDIT_NLGRP_READLOG
		libc.setns(here, 0)
		for end in log, control:
		    end.settimeout(10)

		def ask(kind, payload=b""):
		    control.send(struct.pack("IHHII", 16 + len(payload), kind, 5, 1, 0) + payload)
		    while True:
		        answer = control.recv(9000)
		        length, what, _, _, _ = struct.unpack("IHHII", answer[:16])
		        if what == 2 and struct.unpack("i", answer[16:20])[0]:
		            raise OSError(-struct.unpack("i", answer[16:20])[0], "audit")
		        if kind == what == GET:
		            return struct.unpack("II", answer[16:24])[1]
		        if kind != GET and what == 2:
		            return None

		def turn(enabled):
		    ask(SET, struct.pack("10I", 1, enabled, *[0] * 8))

		if sys.argv[1] == "get":
		    print(ask(GET))
		elif sys.argv[1] == "set":
		    turn(int(sys.argv[2]))
		else:
		    turn(1)
		    status = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL).returncode
		    mark = f"end of {os.getpid()}"
		    ask(VIRT_RESOURCE, mark.encode() + b"\0")
		    while mark not in (record := log.recv(9000)[16:].decode(errors="replace")):
		        if "resrc=net" in record:
		            print(record.rstrip("\0\n"))
		    sys.exit(status)
	END
	was=$(python3 "$WORK/auditor" get) || skip "this kernel has no audit, or not for this user"
	[ "$was" != 2 ] || skip "the audit settings of this machine are locked"
	MAC=$("$TAPCTL" mac --random) TAP=tap${MAC//:/}
	add_bridge br0
}
teardown() {
	[ -z "${was:-}" ] || python3 "$WORK/auditor" set "$was"
	teardown_namespace
}

# Run it with audit on: $status, and what was written of this test's address in $output, without what the
# kernel puts before it.
audited() {
	run inside python3 "$WORK/auditor" run "$@"
	echo "$output"
	output=$(grep -F "$MAC" <<<"$output" | sed "s/.* msg='//; s/'\$//" || :)
	exe="exe=\"$TAPCTL\" hostname=? addr=? terminal=?"
}
opened() { echo "virt=? resrc=net reason=open vm=? uuid=? net=$MAC path=\"$1\" rdev=$2 $exe res=$3"; }
handed() { echo "virt=? resrc=net reason=start vm=? uuid=? old-net=\"?\" new-net=\"$MAC\" $exe res=$1"; }
# What was written is the lines.
wrote() { diff <(printf '%s\n' "$@") <(printf '%s\n' "$output"); }

@test "audit: exec of a tap writes what was opened and that it was handed on" {
	audited "$TAPCTL" exec --bridge br0 --mac "$MAC" -- true
	[ "$status" = 0 ]
	wrote "$(opened /dev/net/tun 0A:C8 success)" "$(handed success)"
}

@test "audit: the kernel adds the process and user" {
	run inside python3 "$WORK/auditor" run "$TAPCTL" exec --bridge br0 --mac "$MAC" --user nobody -- sh -c 'echo "it is $$"'
	[ "$status" = 0 ]
	pid=$(sed -n 's/^it is //p' <<<"$output")
	[ "$(grep -cF "pid=$pid uid=0 " <<<"$output")" = 2 ]
}

@test "audit: exec of a macvtap names its device" {
	requires_macvtap
	add_cable wire far
	audited "$TAPCTL" exec --link wire --mac "$MAC" -- sh -c '
		echo "$0 $(ip -j link show "$TAPCTL_IFNAME" | jq ".[0].ifindex") $(stat -L -c %t:%T /proc/self/fd/3) " >"$1"
	' "$MAC" "$WORK/device"
	read -r _ index rdev <"$WORK/device"
	wrote "$(opened "/dev/tap$index" "$(printf '%02X:%02X' "0x${rdev%:*}" "0x${rdev#*:}")" success)" "$(handed success)"
}

@test "audit: vhost is a device, too" {
	local node rdev result
	while read -r node rdev result; do
		with_vhost_node audited "$node" "$TAPCTL" exec --bridge br0 --mac "$MAC" --vhost=on -- true
		wrote "$(opened /dev/net/tun 0A:C8 success)" "$(opened /dev/vhost-net "$rdev" "$result")" \
			"$(handed "$result")"
	done <<<$'some 01:05 success\nnone ? failed'
}

@test "audit: each NIC has its own records" {
	local other
	other=$("$TAPCTL" mac --random)
	audited "$TAPCTL" exec --bridge br0 --mac "$other" --mac "$MAC" --queues 2 -- true
	wrote "$(opened /dev/net/tun 0A:C8 success)" "$(handed success)"
	MAC=$other
	audited "$TAPCTL" exec --bridge br0 --mac "$other" --mac 52:54:00:00:00:01 -- true
	wrote "$(opened /dev/net/tun 0A:C8 success)" "$(handed success)"
}

@test "audit: more records than one message holds" {
	local macs=() n
	for n in {10..79}; do macs+=(--mac "52:54:00:00:00:$n"); done
	audited "$TAPCTL" exec --bridge br0 --mac "$MAC" "${macs[@]}" -- true
	[ "$status" = 0 ]
	wrote "$(opened /dev/net/tun 0A:C8 success)" "$(handed success)"
	audited "$TAPCTL" exec --bridge br0 "${macs[@]}" --mac "$MAC" -- true
	wrote "$(opened /dev/net/tun 0A:C8 success)" "$(handed success)"
}

@test "audit: what failed is written, and what was not tried is not" {
	# The device cannot be opened.
	audited unshare --mount sh -c 'mount -t tmpfs tmpfs /dev/net && exec "$0" exec --bridge br0 --mac "$1" -- true' \
		"$TAPCTL" "$MAC"
	[ "$status" = 125 ]
	wrote "$(opened /dev/net/tun '?' failed)" "$(handed failed)"
	# It is opened, and its name is taken.
	ip link add "$TAP" type bridge
	audited "$TAPCTL" exec --bridge br0 --mac "$MAC" -- true
	[ "$status" = 125 ]
	wrote "$(opened /dev/net/tun 0A:C8 success)" "$(handed failed)"
	# The one before it fails; nothing can be tried.
	audited "$TAPCTL" exec --bridge br0 --mac 52:54:00:00:00:01 --name lo --mac "$MAC" -- true
	[ "$status" = 125 ]
	[ -z "$output" ]
	audited "$TAPCTL" exec --bridge nosuch --mac "$MAC" -- true
	[ "$status" = 125 ]
	[ -z "$output" ]
}

@test "audit: add, list and del write nothing" {
	audited sh -c '"$0" add --bridge br0 --mac "$1" >/dev/null && "$0" list "$1" >/dev/null && "$0" del "$1"' \
		"$TAPCTL" "$MAC"
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "audit: --no-audit writes nothing" {
	audited "$TAPCTL" exec --bridge br0 --mac "$MAC" --no-audit -- true
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "audit: a program whose path could end its field too early is written in hexadecimal" {
	local directory
	for directory in 'a b' 'a"b' $'a\x7fb' 'aüb'; do
		mkdir "$WORK/$directory"
		cp "$TAPCTL" "$WORK/$directory/tapctl"
		audited "$WORK/$directory/tapctl" exec --bridge br0 --mac "$MAC" -- true
		exe="exe=$(printf %s "$WORK/$directory/tapctl" | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F)"
		exe+=" hostname=? addr=? terminal=?"
		wrote "$(opened /dev/net/tun 0A:C8 success)" "$(handed success)"
	done
}

# qemu's part of bridge-helper, whose words are the caller's.
ASK='import socket, subprocess, sys
mine, its = socket.socketpair()
sys.exit(subprocess.run([*sys.argv[1:], f"--fd={its.fileno()}"], pass_fds=[its.fileno()]).returncode)'

@test "audit: bridge-helper, and callers without privilege if the program carries cap_audit_write" {
	make_caller
	echo 'allow br0' >"$ETC/tapctl/bridge.conf"
	local ask=(python3 -c "$ASK" "$PUBLIC/tapctl" bridge-helper "--mac=$MAC" --br=br0)
	audited "${IN_PLACE[@]}" "${ask[@]}"
	exe="exe=\"$PUBLIC/tapctl\" hostname=? addr=? terminal=?"
	wrote "$(opened /dev/net/tun 0A:C8 success)" "$(handed success)"
	audited "${IN_PLACE[@]}" "${ask[@]}" --no-audit
	[ "$status" = 0 ]
	[ -z "$output" ]
	# It cannot be written, and that is all.
	audited "${IN_PLACE[@]}" "${BECOME_CALLER[@]}" "${ask[@]}"
	[ "$status" = 0 ]
	[ -z "$output" ]
	setcap cap_net_admin,cap_audit_write=ep "$PUBLIC/tapctl"
	audited "${IN_PLACE[@]}" "${BECOME_CALLER[@]}" "${ask[@]}"
	exe="exe=\"$PUBLIC/tapctl\" hostname=? addr=? terminal=?"
	wrote "$(opened /dev/net/tun 0A:C8 success)" "$(handed success)"
	audited "${IN_PLACE[@]}" "${BECOME_CALLER[@]}" "$PUBLIC/tapctl" exec --bridge br0 --mac "$MAC" -- true
	exe="exe=\"$PUBLIC/tapctl\" hostname=? addr=? terminal=?"
	wrote "$(opened /dev/net/tun 0A:C8 success)" "$(handed success)"
}

@test "audit: it costs one message, with or without a listener, and no wait for an answer" {
	inside strace -f -o "$WORK/log" -e trace=network "$TAPCTL" exec --bridge br0 --mac "$MAC" --mac random -- true
	fd=$(sed -n 's/.*socket(AF_NETLINK, .*NETLINK_AUDIT) = //p' "$WORK/log")
	[ "$(grep -c "sendto($fd, " "$WORK/log")" = 1 ]
	[ "$(grep -o 'nlmsg_type=0x9c5' "$WORK/log" | wc -l)" = 4 ] # AUDIT_VIRT_RESOURCE
	[ "$(sed -n '/NETLINK_AUDIT/,$p' "$WORK/log" | grep -c recv)" = 0 ]
	inside strace -f -o "$WORK/log" -e trace=network "$TAPCTL" exec --no-audit --bridge br0 --mac "$MAC" -- true
	[ "$(grep -c NETLINK_AUDIT "$WORK/log")" = 0 ]
}

@test "audit: without it in the kernel, or in a user namespace, exec goes on silently" {
	run_tapctl exec --bridge br0 --mac "$MAC" -- echo ran
	[ "$output$stderr" = ran ]
	for error in EPROTONOSUPPORT EMFILE; do
		run --separate-stderr inside strace -o "$WORK/log" -e trace=socket -e inject=socket:error=$error:when=2 \
			"$TAPCTL" exec --bridge br0 --mac "$MAC" -- echo ran
		grep -q "NETLINK_AUDIT) = -1 $error" "$WORK/log"
		[ "$output$stderr" = ran ]
	done
	unshare -Ur true || skip "user namespaces are forbidden here"
	run --separate-stderr unshare -Urn "$TAPCTL" exec --unattached --mac "$MAC" -- echo ran 3>&- 4>&-
	[ "$output$stderr" = ran ]
}
