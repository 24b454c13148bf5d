#!/usr/bin/env bats
# exec: what COMMAND gets, and what it does not get: descriptors, environment, words, privileges.
# shellcheck disable=SC2016,SC2030,SC2031,SC2054 # scripts for other shells; each test is a subshell; commas of setpriv's
# shellcheck disable=SC2154 # of bats
load ../tools/helpers
load exec

MAC=52:54:00:00:00:0a
TAP=tap52540000000a
OTHER=52:54:00:00:00:0b

# --- file descriptors ---

@test "exec: fd 3 is the tap and the only fd that is new" {
	inside "$PROBE" >"$WORK/bare"
	run_quiet exec --bridge br0 --mac $MAC -- "$PROBE"
	got '.fds["3"].iff == $tap and .fds["3"].device == $tap' --arg tap $TAP
	got '.fds["3"].mac == "fe:54:00:00:00:0a"'
	got '[.fds | keys[] | select(. != "3")] == ($bare[0].fds | keys)' --slurpfile bare "$WORK/bare"
	got '.env | contains(["TAPCTL_FD=3", "TAPCTL_FDS=3"])'
	run_quiet exec --bridge br0 --mac $MAC -- ip -j link show $TAP
	got '.[0].flags | index("LOWER_UP") != null'
}

@test "exec: --fd begins at another number" {
	run_quiet exec --bridge br0 --mac $MAC --fd 19 -- "$PROBE"
	got '.fds["19"].iff == $tap and .fds["3"] == null' --arg tap $TAP
	got '.env | contains(["TAPCTL_FD=19", "TAPCTL_FDS=19"])'
	run_quiet exec --bridge br0 --mac $MAC -f 3 -- "$PROBE"
	got '.fds["3"].iff == $tap' --arg tap $TAP
}

@test "exec: each queue is an fd of the same tap" {
	run_quiet exec --bridge br0 --mac $MAC --queues 3 -- "$PROBE"
	got '[.fds[] | select(.iff)] | length == 3'
	got 'all(.fds["3", "4", "5"]; .iff == $tap and .multi_queue)' --arg tap $TAP
	got '.env | contains(["TAPCTL_FD=3", "TAPCTL_FDS=3:4:5"])'
	run_quiet exec --bridge br0 --mac $MAC -- "$PROBE"
	got '.fds["3"].multi_queue == false'
}

# Open one more queue of a tap, by the /dev/net/tun that is standard input, and hold it for a while.
WITH_TUN=(sh -c 'exec "$@" <>/dev/net/tun' sh)
NOBODY=(setpriv --reuid nobody --regid nogroup --clear-groups -- env PATH=/usr/bin:/bin)
JOIN='
import fcntl, struct, sys, time
tap, patience = sys.argv[1].encode(), float(sys.argv[2])
print("trying", flush=True)
end = time.monotonic() + patience
while True:
    try:
        fcntl.ioctl(0, 0x400454CA, struct.pack("16sH22x", tap, 0x5102))  # IFF_MULTI_QUEUE and what tapctl has
        break
    except OSError as error:
        if time.monotonic() > end:
            sys.exit(str(error))
print("joined", flush=True)
time.sleep(patience)
'

@test "exec: without privilege no user gets one more queue of a tap for several" {
	requires_root
	run_tapctl exec --bridge br0 --mac $MAC --queues 2 -- "${WITH_TUN[@]}" python3 -c "$JOIN" $TAP 0
	[ "$status" = 0 ]
	[ "${lines[*]}" = "trying joined" ]
	run_tapctl exec --bridge br0 --mac $MAC --queues 2 -- "${WITH_TUN[@]}" "${NOBODY[@]}" python3 -c "$JOIN" $TAP 0
	[ "$status" = 1 ]
	[ "$output" = trying ]
	[[ $stderr = *"Operation not permitted"* ]]
}

@test "exec: a process that was fast enough to get one more queue gets no guest" {
	requires_root
	local line joiner words
	for words in "exec --bridge br0 --mac $MAC --queues 2 -- true" "add --bridge br0 --mac $MAC --queues 2"; do
		exec {joiner}< <(inside "${WITH_TUN[@]}" "${NOBODY[@]}" python3 -c "$JOIN" $TAP 60)
		read -rt 20 line <&"$joiner"
		# shellcheck disable=SC2086 # they are words
		stop_behind ioctl 1 $words
		read -rt 20 line <&"$joiner"
		[ "$line" = joined ]
		go_on
		[[ $stderr = "tapctl: $TAP: another process has opened a queue of it"* ]]
		no_link $TAP
	done
}

@test "exec: all queues of a NIC agree on the vnet header" {
	run_quiet exec --bridge br0 --mac $MAC --queues 2 -- "$PROBE"
	got 'all(.fds["3", "4"]; .vnet_hdr == true)'
	run_quiet exec --bridge br0 --mac $MAC --queues 2 --no-vnet-hdr -- "$PROBE"
	got 'all(.fds["3", "4"]; .vnet_hdr == false)'
}

@test "exec: several NICs follow each other, in the order given" {
	run_quiet exec --bridge br0 --mac $OTHER --queues 2 --mac $MAC \
		--mac 52:54:00:00:00:01 --queues 2 --name third -- "$PROBE"
	got '[.fds["3", "4", "5", "6", "7"].iff] ==
		["tap52540000000b", "tap52540000000b", $tap, "third", "third"]' --arg tap $TAP
	got '.env | contains(["TAPCTL_FDS=3:4", "TAPCTL_FD_2=5", "TAPCTL_FDS_2=5",
		"TAPCTL_FD_3=6", "TAPCTL_FDS_3=6:7"])'
}

@test "exec: vhost fds stand behind the queues of their NIC" {
	requires_root
	run --separate-stderr with_vhost_node inside some "$TAPCTL" exec --bridge br0 --vhost \
		--mac $MAC --queues 2 --mac $OTHER -- "$PROBE"
	[ -z "$stderr" ]
	got '[.fds["3", "4", "5", "6", "7", "8"] | .iff // .file] == [$tap, $tap, "/dev/vhost-net",
		"/dev/vhost-net", "tap52540000000b", "/dev/vhost-net"]' --arg tap $TAP
	got '.env | contains(["TAPCTL_FDS=3:4", "TAPCTL_VHOSTFDS=5:6", "TAPCTL_FDS_2=7",
		"TAPCTL_VHOSTFDS_2=8"])'
}

@test "exec: --vhost=on passes the real vhost-net" {
	requires_vhost
	run_quiet exec --bridge br0 --mac $MAC --vhost=on -- "$PROBE"
	got '.fds["4"].file == "/dev/vhost-net" and (.env | contains(["TAPCTL_VHOSTFDS=4"]))'
}

@test "exec: without vhost-net --vhost=on fails and --vhost goes on" {
	requires_root
	run --separate-stderr with_vhost_node inside none "$TAPCTL" exec --bridge br0 --mac $MAC --vhost=on \
		-- "$PROBE"
	failed_with 125 /dev/vhost-net
	for auto in --vhost --vhost=auto; do
		run --separate-stderr with_vhost_node inside none "$TAPCTL" exec --bridge br0 --mac $MAC $auto \
			--queues 2 -- "$PROBE"
		[ "$status" = 0 ]
		[[ $stderr = "tapctl: warning: "*vhost* ]]
		got '[.fds[] | select(.iff)] | length == 2'
		got '.fds["5"] == null and all(.env[]; startswith("TAPCTL_VHOSTFDS") | not)'
	done
	# All queues have one or none has.
	run --separate-stderr with_vhost_node inside some strace -o "$WORK/log" -P /dev/vhost-net \
		-e inject=openat:error=ENOMEM:when=2 "$TAPCTL" exec --bridge br0 --mac $MAC --vhost --queues 2 -- "$PROBE"
	[ "$status" = 0 ]
	got '.fds["5"] == null and all(.env[]; startswith("TAPCTL_VHOSTFDS") | not)'
}

@test "exec: an fd that is taken is an error, also in the middle of the range" {
	local open='exec 3>&- 4>&- 6</dev/null; exec "$@"'
	run --separate-stderr inside sh -c 'exec "$@" 3</etc/passwd' sh "$TAPCTL" exec --bridge br0 \
		--mac $MAC -- "$PROBE"
	failed_with 125 "fd 3" /etc/passwd
	run --separate-stderr inside sh -c "$open" sh "$TAPCTL" exec --bridge br0 --mac $MAC \
		--queues 4 -- "$PROBE"
	failed_with 125 "fd 6"
	run --separate-stderr inside sh -c "$open" sh "$TAPCTL" exec --bridge br0 --mac $MAC \
		--fd 6 -- "$PROBE"
	failed_with 125 "fd 6"
	run --separate-stderr inside sh -c "$open" sh "$TAPCTL" exec --bridge br0 --mac $MAC \
		--queues 2 --vhost -- "$PROBE"
	failed_with 125 "fd 6"
	# Up to the limit it works.
	run --separate-stderr inside sh -c "$open" sh "$TAPCTL" exec --bridge br0 --mac $MAC \
		--queues 3 -- "$PROBE"
	got '.fds["6"].file == "/dev/null" and .fds["5"].iff == $tap' --arg tap $TAP
}

@test "exec: standard output is an fd that is taken" {
	run_tapctl exec --bridge br0 --mac $MAC --fd 0 -- "$PROBE"
	failed_with 125 "fd 0"
	run_tapctl exec --bridge br0 --mac $MAC --fd 1 -- "$PROBE"
	failed_with 125 "fd 1"
}

@test "exec: closed standard fds stay closed, and no device gets their numbers" {
	# Reported in a file, as there is no standard output.
	run inside sh -c '"$@" <&- 2>&-' sh "$TAPCTL" exec --bridge br0 --mac $MAC --fd 9 -- "$PROBE"
	[ "$status" = 0 ]
	got '.fds["9"].iff == $tap and .fds["0"] == null and .fds["2"] == null' --arg tap $TAP
	# tapctl's own messages reach no file, and least of all the guest.
	run inside sh -c '"$@" 2>&-' sh strace -o "$WORK/log" -e trace=write "$TAPCTL" exec --verbose --bridge br0 \
		--mac $MAC --fd 9 -- true
	[ "$status" = 0 ]
	grep -q '^write(2, "tapctl: ' "$WORK/log"
	[ "$(grep '^write(2, ' "$WORK/log" | grep -vc ' = -1 EBADF ')" = 0 ]
}

@test "exec: beyond the limit of open files is an error" {
	run --separate-stderr inside sh -c 'ulimit -n 64; exec "$@"' sh "$TAPCTL" exec --bridge br0 \
		--mac $MAC --fd 64 -- "$PROBE"
	failed_with 125 "fd 64" limit
}

@test "exec: chained, the inner one keeps the outer one's device" {
	run_quiet exec --bridge br0 --mac $MAC -- "$TAPCTL" exec --bridge br0 --mac $OTHER --fd 4 -- "$PROBE"
	got '.fds["3"].iff == $tap and .fds["4"].iff == "tap52540000000b"' --arg tap $TAP
	got '.env | contains(["TAPCTL_FD=4", "TAPCTL_GUEST_MAC=52:54:00:00:00:0b"])'
	# What the outer one said of its second device would be taken for the inner one's.
	run_quiet exec --bridge br0 --mac $MAC --mac 52:54:00:00:00:0c -- \
		"$TAPCTL" exec --bridge br0 --mac $OTHER --fd 5 -- "$PROBE"
	got '[.env[] | select(startswith("TAPCTL_")) | select(contains("_2="))] == []'
	got '.env | contains(["TAPCTL_FD=5"])'
	# One that forgets --fd takes nothing away.
	run_tapctl exec --bridge br0 --mac $MAC -- "$TAPCTL" exec --bridge br0 --mac $OTHER -- "$PROBE"
	failed_with 125 "fd 3" --fd
}

# --- environment, words, process ---

@test "exec: the environment holds the facts of each NIC" {
	ip link set br0 mtu 4000
	run --separate-stderr inside env -i "$TAPCTL" exec --bridge br0 --mac $MAC --mac FE:00:00:00:00:01 \
		--name vm --mtu 1400 --queues 2 -- "$PROBE"
	[ -z "$stderr" ]
	got '.env | sort == ([
		"TAPCTL_FD=3", "TAPCTL_FDS=3", "TAPCTL_IFNAME=tap52540000000a",
		"TAPCTL_GUEST_MAC=52:54:00:00:00:0a", "TAPCTL_HOST_MAC=fe:54:00:00:00:0a", "TAPCTL_MTU=4000",
		"TAPCTL_FD_2=4", "TAPCTL_FDS_2=4:5", "TAPCTL_IFNAME_2=vm",
		"TAPCTL_GUEST_MAC_2=fe:00:00:00:00:01", "TAPCTL_HOST_MAC_2=fa:00:00:00:00:01",
		"TAPCTL_MTU_2=1400"] | sort)'
}

@test "exec: a name with %d is told as the kernel filled it" {
	ip link add vm0 type bridge
	run_quiet exec --bridge br0 --mac $MAC --name vm%d -- "$PROBE"
	got '.fds["3"].iff == "vm1"'
	got '.env | contains(["TAPCTL_IFNAME=vm1"])'
}

@test "exec: the rest of the environment is unchanged, without an outer tapctl's vhost" {
	run --separate-stderr inside env -i PATH="$PATH" A= B='x = y' TAPCTLX=1 TAPCTL_VHOSTFDS=7 \
		TAPCTL_MTU=1 "$TAPCTL" exec --bridge br0 --mac $MAC -- "$PROBE"
	got '[.env[] | select(startswith("TAPCTL_") | not)] | sort ==
		(["A=", "B=x = y", "TAPCTLX=1", "PATH=" + $path] | sort)' --arg path "$PATH"
	got '[.env[] | select(startswith("TAPCTL_VHOSTFDS"))] == []'
	got '[.env[] | select(startswith("TAPCTL_MTU"))] == ["TAPCTL_MTU=1500"]'
}

@test "exec: what follows the first -- is COMMAND's own, word for word" {
	run_quiet exec --bridge br0 --mac $MAC -- "$PROBE" -m "$OTHER" --help -- --bridge nosuch --fd 99 \
		'' -x --usage -?
	got '.argv[1:] == ["-m", "52:54:00:00:00:0b", "--help", "--", "--bridge", "nosuch", "--fd", "99",
		"", "-x", "--usage", "-?"]'
	got '.fds["3"].iff == $tap' --arg tap $TAP
	run --separate-stderr inside env POSIXLY_CORRECT=1 "$TAPCTL" exec --bridge br0 --mac $MAC \
		-- "$PROBE" -v --
	got '.argv[1:] == ["-v", "--"]'
}

@test "exec: COMMAND is looked up in PATH and keeps the name that it was called by" {
	stand_in my-vmm
	PATH=$WORK/bin:$PATH run_quiet exec --bridge br0 --mac $MAC -- my-vmm
	got '.argv[0] == "my-vmm"'
}

@test "exec: words without -- before them are refused" {
	run_tapctl exec --bridge br0 --mac $MAC "$PROBE"
	failed_with 125 --
	run_tapctl exec --bridge br0 --mac $MAC
	failed_with 125
	run_tapctl exec --bridge br0 --mac $MAC --
	failed_with 125
}

@test "exec: it is the same process" {
	for place in "--bridge br0" "--link wire"; do
		[ "$place" = "--bridge br0" ] || { requires_macvtap; add_cable wire far; }
		# shellcheck disable=SC2086 # two words
		run --separate-stderr inside sh -c 'echo $$ >"$0"; exec "$@"' "$WORK/pid" \
			"$TAPCTL" exec $place --mac $MAC -- "$PROBE"
		got '.pid == $pid' --argjson pid "$(cat "$WORK/pid")"
	done
}

# Python's sees an end by signal, where a shell has a number.
returncode() {
	python3 -c 'import subprocess, sys; print(subprocess.run(sys.argv[1:]).returncode)' \
		nsenter --net="/run/netns/$NS" "$TAPCTL" exec --bridge br0 --mac $MAC -- "$@" 3>&- 4>&-
}

@test "exec: the exit status, and death by a signal, are COMMAND's own" {
	for code in 0 1 7 125 126 127 255; do
		[ "$(returncode sh -c "exit $code")" = $code ]
	done
	for signal in 1 2 9 15 31; do
		[ "$(returncode sh -c "kill -$signal \$\$")" = -$signal ]
	done
	no_link $TAP
}

@test "exec: signals, umask, directory and the caller's fds arrive as they were" {
	add_cable wire far
	mkdir "$WORK/here"
	echo hello >"$WORK/file"
	cat >"$WORK/odd" <<-'END'
		import os, signal, sys
		signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM, signal.SIGCHLD, 40])
		for number in signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR2, signal.SIGCHLD:
		    signal.signal(number, signal.SIG_IGN)
		os.umask(0o027)
		os.chdir("here")
		os.dup2(os.open("../file", os.O_RDWR | os.O_APPEND), 7)
		os.execvp(sys.argv[1], sys.argv[1:])
	END
	odd() { (cd "$WORK" && inside python3 odd "$@" 2>"$WORK/stderr"); }
	# What may differ: the environment, fd 3, and who it is.
	local same='del(.pid, .env, .fds["3"]) | .fds[].file |= sub("pipe:.*"; "pipe")'
	odd "$PROBE" </dev/null | jq -S "$same" >"$WORK/bare"
	holds '.SigBlk != "0000000000000000" and .SigIgn != "0000000000000000" and .Umask == "0027" and
		(.cwd | endswith("/here")) and .fds["7"].flags >= 1024' <"$WORK/bare"
	for place in "--bridge br0" "--link wire"; do
		[ "$place" = "--bridge br0" ] || requires_macvtap
		# shellcheck disable=SC2086 # two words
		odd "$TAPCTL" exec $place --mac $MAC -- "$PROBE" </dev/null | jq -S "$same" >"$WORK/through"
		diff "$WORK/bare" "$WORK/through"
	done
}

@test "exec: standard input, output and error are COMMAND's" {
	run --separate-stderr inside sh -c 'printf "a\nb" | "$@"' sh "$TAPCTL" exec --bridge br0 \
		--mac $MAC -- sh -c 'cat; echo loud >&2'
	[ "$status" = 0 ]
	[ "$output" = $'a\nb' ]
	[ "$stderr" = loud ]
}

@test "exec: with --netns the device is there and COMMAND is here" {
	requires_root
	command ip netns add there
	command ip -n there link add br1 type bridge
	command ip -n there link set br1 address 02:00:00:00:00:02 up
	inside "$PROBE" >"$WORK/bare"
	run_quiet exec --netns there --bridge br1 --mac $MAC -- "$PROBE"
	got '.netns == $bare[0].netns and .cwd == $bare[0].cwd' --slurpfile bare "$WORK/bare"
	got '.fds["3"].iff == $tap' --arg tap $TAP
	run_quiet exec --netns there --bridge br1 --mac $MAC -- ip -n there -j link show $TAP
	got '.[0].master == "br1"'
	run_quiet exec --netns there --bridge br1 --mac $MAC -- ip -j link show
	got 'length > 0 and all(.[]; .ifname != "tap52540000000a")'
}

@test "exec: with sudo in front" {
	requires_root
	run --separate-stderr inside sudo -n true
	[ "$status" = 0 ] || skip "sudo does not work here: $stderr"
	run --separate-stderr inside sudo -n "$TAPCTL" exec --bridge br0 -- "$PROBE" -device nic,mac=$MAC
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	got '.fds["3"].iff == $tap' --arg tap $TAP
	got '.env | contains(["SUDO_UID=0", "TAPCTL_FD=3"])'
	no_link $TAP
}

# --- capabilities ---

@test "exec: inheritable and ambient capabilities do not reach COMMAND" {
	requires_root
	local as=(setpriv --reuid 65534 --regid 65534 --clear-groups
		--inh-caps +net_admin,+dac_override --ambient-caps +net_admin,+dac_override)
	# bats's directory is closed to others, and /dev/net/tun may be, hence DAC_OVERRIDE.
	run --separate-stderr inside "${as[@]}" "$PROBE"
	got '.CapAmb == "0000000000001002" and .CapInh == "0000000000001002"'
	run --separate-stderr inside "${as[@]}" "$TAPCTL" exec --bridge br0 --mac $MAC -- "$PROBE"
	got '.fds["3"].iff == $tap and .Uid == "65534\t65534\t65534\t65534"' --arg tap $TAP
	got 'all(.CapInh, .CapAmb, .CapPrm, .CapEff; . == "0000000000000000")'
}

@test "exec: root's inheritable capabilities are cleared as well" {
	requires_root
	run --separate-stderr inside setpriv --inh-caps +net_admin,+sys_ptrace "$TAPCTL" exec --bridge br0 \
		--mac $MAC -- "$PROBE"
	got '.CapInh == "0000000000000000" and .CapAmb == "0000000000000000"'
}

# --- --user ---

# Nothing of root is left to this process, which is of the user $1 and the group $2.
got_unprivileged() {
	got '.Uid == "\($u)\t\($u)\t\($u)\t\($u)" and .Gid == "\($g)\t\($g)\t\($g)\t\($g)"' \
		--arg u "$1" --arg g "$2"
	got 'all(.CapInh, .CapPrm, .CapEff, .CapBnd, .CapAmb; . == "0000000000000000")'
	got '.NoNewPrivs == "1"'
	got '.fds["3"].iff == $tap' --arg tap $TAP
}

# The probe as $PUBLIC/probe, where every user may run it: bats's directory is closed to them.
public_probe() {
	PUBLIC=$(mktemp -d /tmp/tapctl-probe.XXXXXX)
	chmod 755 "$PUBLIC"
	cp "$PROBE" "$PUBLIC/probe"
}

@test "exec: --user gives up user, groups and every capability, and for good" {
	requires_root
	public_probe
	run_quiet exec --bridge br0 --mac $MAC --user nobody -- "$PUBLIC/probe"
	got_unprivileged "$(id -u nobody)" "$(id -g nobody)"
	got '.Groups == ($g + " ") or .Groups == $g' --arg g "$(id -G nobody)"
	run_quiet exec --bridge br0 --mac $MAC --user nobody:daemon -- "$PUBLIC/probe"
	got_unprivileged "$(id -u nobody)" "$(id -g daemon)"
	# Numbers that no user has: no groups but the one.
	run_quiet exec --bridge br0 --mac $MAC -u 54321:54322 -- "$PUBLIC/probe"
	got_unprivileged 54321 54322
	got '.Groups == ""'
}

@test "exec: --user leaves nothing of the caller's ambient capabilities either" {
	requires_root
	public_probe
	run --separate-stderr inside setpriv --inh-caps +net_admin --ambient-caps +net_admin \
		"$TAPCTL" exec --bridge br0 --mac $MAC --user nobody -- "$PUBLIC/probe"
	got_unprivileged "$(id -u nobody)" "$(id -g nobody)"
}

@test "exec: --user of a caller that is not root, but may change its user" {
	requires_root
	public_probe
	local caps=+setuid,+setgid,+setpcap,+net_admin,+dac_override
	run --separate-stderr inside setpriv --reuid nobody --regid nogroup --clear-groups --inh-caps "$caps" \
		--ambient-caps "$caps" "$TAPCTL" exec --bridge br0 --mac $MAC --user 54321:54322 -- "$PUBLIC/probe"
	got_unprivileged 54321 54322
}

@test "exec: with --user COMMAND does not run when something was not given up after all" {
	requires_root
	local call
	for call in setresuid setresgid; do
		run --separate-stderr inside strace -o /dev/null -e inject=$call:retval=0 \
			"$TAPCTL" exec --bridge br0 --mac $MAC --user 54321:54322 -- "$PROBE"
		failed_with 125 "privileges are left"
	done
}

@test "exec: with --user COMMAND can use its fd and change no link" {
	requires_root
	run_tapctl exec --bridge br0 --mac $MAC --user nobody -- ip link set $TAP down
	[ "$status" = 2 ]
	[[ $stderr = *"Operation not permitted"* ]]
	# The same as root works, so the refusal is not about something else.
	run_quiet exec --bridge br0 --mac $MAC -- ip link set $TAP down
	run_quiet exec --bridge br0 --mac $MAC --user nobody -- \
		python3 -c 'import os; os.write(3, bytes(10) + b"\xff" * 12 + bytes(50))'
}

@test "exec: --user with a user that does not exist is an error, and nothing is made" {
	run_tapctl exec --bridge br0 --mac $MAC --user no-such-user -- "$PROBE"
	failed_with 125 no-such-user
	run_tapctl exec --bridge br0 --mac $MAC --user 0:no-such-group -- "$PROBE"
	failed_with 125 no-such-group
	run_tapctl exec --bridge br0 --mac $MAC --user 54321 -- "$PROBE"
	failed_with 125 54321
}

@test "exec: 126 when the user may not run COMMAND, and nothing is left" {
	requires_root
	cp "$PROBE" "$WORK/mine"
	chmod 700 "$WORK/mine"
	run_tapctl exec --bridge br0 --mac $MAC --user nobody -- "$WORK/mine"
	failed_with 126 "$WORK/mine"
}

@test "exec: nothing that is told gets into a device that takes the place of standard error" {
	inside python3 - "$TAPCTL" $MAC <<-'END' >"$WORK/frames" 3>&- 4>&-
		import socket, subprocess, sys
		wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
		wire.settimeout(0.5)
		for words in (["true"], ["no-such-program"]):
		    subprocess.run(["sh", "-c", 'exec 2>&-; exec "$@"', "sh", sys.argv[1], "exec", "-v", "--fd", "2",
		                    "--bridge", "br0", "--mac", sys.argv[2], "--"] + words)
		try:
		    while True:
		        frame = wire.recv(2048)
		        if b"tapctl" in frame or b"program" in frame:
		            print(frame)
		except socket.timeout:
		    print("quiet")
	END
	cat "$WORK/frames"
	[ "$(<"$WORK/frames")" = quiet ]
}

@test "exec: 30,000 variables of an outer tapctl's take no time" {
	run timeout 5 python3 -c '
import os, sys
env = dict(os.environ, **{"TAPCTL_FD_%d" % k: "3" for k in range(2, 30000)})
os.execve(sys.argv[1], sys.argv[1:], env)' "$(command -v nsenter)" --net="/run/netns/$NS" "$TAPCTL" exec --bridge br0 --mac $MAC -- env 3>&- 4>&-
	[ "$status" = 0 ]
	[ "$(grep -c '^TAPCTL_[^T]' <<<"$output")" = 6 ]
}
