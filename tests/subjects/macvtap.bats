#!/usr/bin/env bats
# Macvtaps: which character device, and the watcher that removes the link with its last open queue.
# shellcheck disable=SC2016,SC2030,SC2031 # scripts for other shells; each test is a subshell
# shellcheck disable=SC2034 # an fd is held open by being there
load ../tools/helpers

MAC=52:54:00:00:00:0a
MVT=mvt52540000000a

setup_file() { build_probe; }

setup() {
	setup_namespace
	requires_macvtap
	add_cable wire far
	mkfifo "$WORK/started" "$WORK/hold"
}

# exec a shell script in the background; comes back when it writes to $WORK/started.
begin() { # SCRIPT [OPTION...]
	# shellcheck disable=SC2086 # there may be words in front
	spawn $TAPCTL exec --link wire --mac $MAC "${@:2}" -- sh -c "$1" "$WORK"
	read -rt 20 _ <>"$WORK/started"
	[ "$(link_field $MVT .link)" = wire ]
}

# Follow what happens to links, from now on.
watch_links() {
	local line
	exec {events}< <(exec nsenter --net="/run/netns/$NS" ip -o monitor link 3>&- 4>&- 2>/dev/null)
	# It listens when it tells of something.
	until read -rt 0.1 line <&"$events"; do
		ip link set lo alias "seen $((++seen))"
	done
}
# Wait for the event that tells of a link's end; fails when it does not come.
await_gone() { # NAME [SECONDS]
	local line
	while read -rt "${2:-10}" line <&"$events"; do
		[[ $line != Deleted*" $1@"* ]] || return 0
	done
	echo "$1 was not removed"
	return 1
}

# Our processes that run: the machine may not reap, so the dead do not count.
processes() { command ip netns pids "$NS"; }

# --- the device ---

@test "macvtap: fd 3 is the device, with the guest's own address" {
	inside "$PROBE" >"$WORK/bare"
	run_quiet exec --link wire --mac $MAC -- "$PROBE"
	got '.fds["3"] | .device == $name and .mac == $mac and .vnet_hdr and (.multi_queue | not)' \
		--arg name $MVT --arg mac $MAC
	got '[.fds | keys[] | select(. != "3")] == ($bare[0].fds | keys)' --slurpfile bare "$WORK/bare"
	got '.env | contains(["TAPCTL_FD=3", "TAPCTL_FDS=3", "TAPCTL_IFNAME=" + $name, "TAPCTL_HOST_MAC=" + $mac,
		"TAPCTL_GUEST_MAC=" + $mac, "TAPCTL_MTU=1500"])' --arg name $MVT --arg mac $MAC
}

@test "macvtap: the link is up, complete, and of the mode asked for" {
	for mode in bridge vepa private passthru; do
		run_quiet exec --link wire --mac $MAC --mode $mode -- ip -d -j link show $MVT
		got '.[0] | .link == "wire" and .linkinfo.info_kind == "macvtap" and .address == $mac and
			.linkinfo.info_data.mode == $mode and .ifalias == "tapctl guest " + $mac + " by=exec on=wire" and
			.inet6_addr_gen_mode == "none" and .qdisc == "noqueue" and
			(.flags | contains(["UP", "ALLMULTI"]))' --arg mac $MAC --arg mode $mode
		wait_until 10 no_link $MVT
	done
}

@test "macvtap: --no-vnet-hdr clears the flag, on every queue" {
	run_quiet exec --link wire --mac $MAC --no-vnet-hdr -- "$PROBE"
	got '.fds["3"] | .device == $name and .vnet_hdr == false' --arg name $MVT
	wait_until 10 no_link $MVT
	run_quiet exec --link wire --mac $MAC --no-vnet-hdr --queues 2 -- "$PROBE"
	got 'all(.fds["3", "4"]; .device == $name and .vnet_hdr == false and .multi_queue)' --arg name $MVT
}

@test "macvtap: each queue is an fd of the same device" {
	run_quiet exec --link wire --mac $MAC --queues 3 -- "$PROBE"
	got 'all(.fds["3", "4", "5"]; .device == $name and .vnet_hdr and .multi_queue)' --arg name $MVT
	got '.fds["6"] == null'
	got '.env | contains(["TAPCTL_FDS=3:4:5"])'
}

@test "macvtap: a macvtap and a tap beside each other" {
	add_bridge br0
	run_quiet exec --mac $MAC --link wire --queues 2 --mac 52:54:00:00:00:0b --bridge br0 -- "$PROBE"
	got '[.fds["3", "4", "5"].device] == [$name, $name, "tap52540000000b"]' --arg name $MVT
}

@test "macvtap: in a namespace with its own /sys, and with --netns" {
	watch_links
	run --separate-stderr command ip netns exec "$NS" "$TAPCTL" exec --link wire --mac $MAC \
		-- "$PROBE" 3>&- 4>&-
	[ "$status" = 0 ]
	got '.fds["3"].device == $name' --arg name $MVT
	await_gone $MVT
	# From outside: /sys and COMMAND's namespace are another's. The watcher's is the device's.
	run --separate-stderr "$TAPCTL" exec --netns "$NS" --link wire --mac $MAC -- "$PROBE" 3>&- 4>&-
	[ "$status" = 0 ]
	got '.fds["3"].device == $name and .netns != $ns' --arg name $MVT \
		--arg ns "net:[$(stat -L -c %i "/run/netns/$NS")]"
	await_gone $MVT
}

# A mount namespace whose /dev has only what everybody needs.
with_bare_dev() {
	inside unshare --mount sh -euc '
		mount -t tmpfs tmpfs /mnt
		mknod /mnt/null c 1 3
		mount --bind /mnt /dev
		"$@"
		ls /dev >&2
	' sh "$@"
}

@test "macvtap: without a node in /dev, and nothing is left there" {
	watch_links
	run --separate-stderr with_bare_dev "$TAPCTL" exec --link wire --mac $MAC --queues 2 -- "$PROBE"
	[ "$status" = 0 ]
	got 'all(.fds["3", "4"]; .device == $name)' --arg name $MVT
	[ "$stderr" = null ]
	await_gone $MVT
}

@test "macvtap: a node of that name that is another device is not opened" {
	# The index is known beforehand when the device is.
	ip link add link wire name $MVT index 777 address $MAC type macvtap mode bridge
	ip link set $MVT alias "tapctl guest $MAC" up
	for other in "mknod /dev/tap777 c 1 5" "touch /dev/tap777" "ln -s null /dev/tap777" "mkdir /dev/tap777"; do
		run --separate-stderr with_bare_dev sh -euc "$other"'; exec "$@"' sh \
			"$TAPCTL" exec --reuse --link wire --mac $MAC -- "$PROBE"
		[ "$status" = 0 ]
		got '.fds["3"].device == $name and .fds["3"].mac == $mac' --arg name $MVT --arg mac $MAC
		[ "$stderr" = $'null\ntap777' ]
	done
}

@test "macvtap: nothing is left in /dev" {
	local before index
	before=$(compgen -G '/dev/.tapctl-*') || :
	watch_links
	run_quiet exec --link wire --mac $MAC --queues 2 -- sh -c 'ip -j link show dev "$TAPCTL_IFNAME"'
	index=$(jq '.[0].ifindex' <<<"$output")
	await_gone $MVT
	[ ! -e "/dev/tap$index" ]
	[ "$(compgen -G '/dev/.tapctl-*')" = "$before" ]
}

# The numbers of a macvtap's device, for mknod(1).
numbers_of() { # NAMESPACE NAME
	inside_of "$1" unshare --mount sh -ec 'mount -t sysfs sysfs /sys; cat /sys/class/net/"$0"/tap*/dev | tr : " "' "$2"
}

@test "macvtap: a node that becomes another device's while it is opened is not passed on" {
	export WORK
	# Another name with the same address, and the same name with another address.
	command ip netns add "$NS-2"
	ip link add link wire name $MVT index 777 address $MAC type macvtap mode bridge
	ip link set $MVT alias "tapctl guest $MAC" up
	ip link add link far name other address $MAC type macvtap mode bridge
	ip link add link far name moved address 52:54:00:00:00:0b type macvtap mode bridge
	ip link set moved netns "$NS-2" name $MVT
	local numbers
	for numbers in "$(numbers_of "$NS" other)" "$(numbers_of "$NS-2" $MVT)"; do
		# It is looked at, and swapped before it is opened.
		rm -f "$WORK/log"
		run --separate-stderr with_bare_dev bash -euc 'mknod /dev/tap777 c '"$(numbers_of "$NS" $MVT)"'
			strace -o "$WORK/log" -P /dev/tap777 -e inject=openat:delay_enter=500000 "$@" &
			until grep -q "S_IFCHR" "$WORK/log" 2>/dev/null; do :; done
			rm /dev/tap777; mknod /dev/tap777 c '"$numbers"'
			wait $!' bash "$TAPCTL" exec --reuse --link wire --mac $MAC -- "$PROBE"
		echo "$status: $output: $stderr"
		[ "$status" = 125 ]
		[ -z "$output" ]
		[[ "$stderr" == "tapctl: "* ]]
	done
}

@test "macvtap: where nothing may be mounted, the other queues' nodes are in /dev for a moment only" {
	run --separate-stderr with_bare_dev strace -o "$WORK/log" -e trace=fsopen,mkdir \
		-e inject=fsopen:error=EPERM:when=2 "$TAPCTL" exec --link wire --mac $MAC --queues 2 -- "$PROBE"
	[ "$status" = 0 ]
	got 'all(.fds["3", "4"]; .device == $name)' --arg name $MVT
	grep -q '^mkdir("/dev/\.tapctl-' "$WORK/log"
	[ "$stderr" = null ]
}

# --- equal indexes in two namespaces ---

# A namespace with a cable, and on it a macvtap with the index 4242.
same_index() { # NAMESPACE MAC
	command ip netns add "$1"
	(
		NS=$1
		add_cable wire far
		ip link add link wire name "mvt${2//:/}" index 4242 address "$2" type macvtap mode bridge
		ip link set "mvt${2//:/}" alias "tapctl guest $2" up
	)
}

@test "macvtap: add gives no other namespace's node to an owner" {
	same_index one 52:54:00:00:00:01
	same_index two 52:54:00:00:00:02
	local before
	before=$(stat -c '%u %a' /dev/tap4242)
	run --separate-stderr inside_of two "$TAPCTL" add --may-exist --link wire --owner nobody --mac 52:54:00:00:00:02
	[ "$status" = 1 ]
	stderr_holds "/dev/tap4242: this is not the device just made, but another one of that name"
	[ "$(stat -c '%u %a' /dev/tap4242)" = "$before" ]
}

# Send a frame, of the type 0x88b5 and with a word in it, through fd 3.
send_frame() { # NAMESPACE MAC WORD
	inside_of "$1" "$TAPCTL" exec --reuse --no-vnet-hdr --link wire --mac "$2" -- python3 -c '
import os, sys
mac = bytes.fromhex(sys.argv[1].replace(":", ""))
os.write(3, b"\xff" * 6 + mac + b"\x88\xb5" + sys.argv[2].encode().ljust(46, b"."))
' "$2" "$3"
}

@test "macvtap: two of equal index in two namespaces each get their own frames" {
	same_index one 52:54:00:00:00:01
	same_index two 52:54:00:00:00:02
	[ "$(command ip -n one -j link show mvt525400000001 | jq '.[0].ifindex')" = \
		"$(command ip -n two -j link show mvt525400000002 | jq '.[0].ifindex')" ]
	for ns in one two; do
		nsenter --net=/run/netns/$ns tcpdump -l -n -A -i far ether proto 0x88b5 \
			>"$WORK/$ns" 2>"$WORK/$ns.log" </dev/null 3>&- 4>&- &
		wait_until 10 grep -q 'listening on' "$WORK/$ns.log"
	done
	send_frame two 52:54:00:00:00:02 second
	send_frame one 52:54:00:00:00:01 first
	# The last of each wire's frames, so that whatever went astray before it is there too.
	wait_until 10 grep -q first "$WORK/one"
	wait_until 10 grep -q second "$WORK/two"
	send_frame one 52:54:00:00:00:01 end
	send_frame two 52:54:00:00:00:02 end
	wait_until 10 grep -q end "$WORK/one"
	wait_until 10 grep -q end "$WORK/two"
	[ "$(grep -oE '^(first|second|end)' "$WORK/one" | xargs)" = "first end" ]
	[ "$(grep -oE '^(first|second|end)' "$WORK/two" | xargs)" = "second end" ]
	[ "$(grep -c 52:54:00:00:00:02 "$WORK/one")" = 0 ]
}

@test "macvtap: the index of a new one is high, and different each time" {
	local index last=0 k
	watch_links
	for k in 1 2 3; do
		run_quiet exec --link wire --mac $MAC -- ip -j link show $MVT
		index=$(jq '.[0].ifindex' <<<"$output")
		[ "$index" -gt 100000 ]
		[ "$index" != "$last" ]
		last=$index
		await_gone $MVT
	done
}

# --- the watcher ---

@test "macvtap: the device is removed when COMMAND ends" {
	watch_links
	run_quiet exec --link wire --mac $MAC -- ip link show $MVT
	await_gone $MVT
	wait_until 10 no_watchers
}

@test "macvtap: the device is removed whatever name the kernel gave it" {
	watch_links
	run_quiet exec --link wire --mac $MAC --name 'vm%d' -- sh -c 'echo "$TAPCTL_IFNAME"'
	[ "$output" = vm0 ]
	await_gone vm0
}

@test "macvtap: another process that opens and closes its node does not remove it" {
	watch_links
	begin 'echo >"$0/started"; exec sleep 300'
	local node
	node=/dev/tap$(link_field $MVT .ifindex)
	for _ in 1 2 3 4 5; do
		: <>"$node"
	done
	run await_gone $MVT 0.5
	[ "$status" = 1 ]
	[ "$(link_field $MVT .link)" = wire ]
	# Nor does one that has it open keep it.
	exec {queue}<>"$node"
	kill "$pid"
	await_gone $MVT
}

@test "macvtap: the device lasts as long as a background process of COMMAND's" {
	watch_links
	spawn "$TAPCTL" exec --link wire --mac $MAC -- sh -c \
		'(read -r _ <"$0/hold") & echo >"$0/started"; exit 5' "$WORK"
	exec {hold}<>"$WORK/hold"
	read -rt 20 _ <>"$WORK/started"
	status=0
	wait "$pid" || status=$?
	[ "$status" = 5 ]
	# COMMAND has ended, and the device is still there.
	[ "$(link_field $MVT .link)" = wire ]
	run await_gone $MVT 0.5
	[ "$status" = 1 ]
	[ "$(link_field $MVT .link)" = wire ]
	echo >"$WORK/hold"
	await_gone $MVT
}

@test "macvtap: the device is removed when a signal ends COMMAND" {
	watch_links
	for signal in TERM KILL HUP; do
		begin 'echo >"$0/started"; exec sleep 300'
		kill -$signal "$pid"
		wait "$pid" || :
		await_gone $MVT
	done
}

@test "macvtap: the device is removed when its process group ends, and not before COMMAND" {
	watch_links
	# A session of its own: signals to its group must neither end nor spare the watcher.
	for signal in TERM INT QUIT HUP KILL; do
		spawn setsid "$TAPCTL" exec --link wire --mac $MAC -- \
			sh -c 'trap "" TERM; echo >"$0/started"; exec sleep 300' "$WORK"
		read -rt 20 _ <>"$WORK/started"
		kill -TERM -- "-$pid"
		[ -n "$(watchers)" ]
		[ "$(link_field $MVT .link)" = wire ]
		kill -$signal -- "-$pid"
		# TERM it ignores, as it does INT and QUIT, being in the background.
		kill -KILL -- "-$pid" 2>/dev/null || :
		wait "$pid" || :
		await_gone $MVT
	done
}

@test "macvtap: the device is removed by Ctrl-C on the terminal, and with the terminal" {
	watch_links
	cat >"$WORK/terminal" <<-'END'
		import os, pty, sys
		pid, master = pty.fork()
		if pid == 0:
		    os.execvp(sys.argv[2], sys.argv[2:])
		with open(os.environ["WORK"] + "/started", "r") as started:
		    started.readline()
		if sys.argv[1] == "hangup":
		    os.close(master)
		else:
		    os.write(master, b"\x03")
		print(os.WTERMSIG(os.waitpid(pid, 0)[1]))
	END
	export WORK
	local how
	for how in interrupt:2 hangup:1; do
		run inside timeout -k 1 20 python3 "$WORK/terminal" "${how%:*}" "$TAPCTL" exec --link wire --mac $MAC -- \
			sh -c 'echo >"$WORK/started"; exec sleep 300'
		[ "$output" = "${how#*:}" ]
		await_gone $MVT
	done
}

@test "macvtap: the watcher is detached, and has only its own files" {
	cd "$WORK"
	begin 'echo >"$0/started"; exec sleep 300'
	watcher=$(watchers)
	[ "$(wc -w <<<"$watcher")" = 1 ]
	# The terminal, the session, the directory.
	[ "$(readlink "/proc/$watcher/cwd")" = / ]
	read -r parent session terminal < <(ps -o ppid=,sid=,tty= -p "$watcher")
	[ "$parent" != "$pid" ]
	[ "$session" != "$(ps -o sid= -p "$pid" | tr -d ' ')" ]
	[ "$terminal" = '?' ]
	[ -z "$(pgrep -P "$pid")" ]
	# Its files: two sockets and /dev/null, and none is the device's.
	[ "$(readlink /proc/"$watcher"/fd/{0,1,2} | sort -u)" = /dev/null ]
	local file
	for file in /proc/"$watcher"/fd/*; do
		file=$(readlink "$file")
		[[ $file = /dev/null || $file = socket:* ]] ||
			{ echo "$file"; return 1; }
	done
	[ "$(compgen -G "/proc/$watcher/fd/*" | wc -l)" = 5 ]
	# Of the capabilities, CAP_NET_ADMIN.
	[ "$(awk '$1 ~ /^Cap(Inh|Prm|Eff|Amb):/ { print $2 }' "/proc/$watcher/status" | xargs)" = \
		"0000000000000000 0000000000001000 0000000000001000 0000000000000000" ]
	kill "$pid"
}

@test "macvtap: signals that end other processes do not end the watcher" {
	# What runs behind a shell has SIGINT and SIGQUIT ignored already.
	TAPCTL="env --default-signal $TAPCTL" begin 'echo >"$0/started"; exec sleep 300'
	watch_links
	watcher=$(watchers)
	for signal in TERM HUP INT QUIT PIPE USR1 USR2 TSTP TTIN TTOU ALRM; do
		kill -$signal "$watcher"
	done
	kill "$pid"
	await_gone $MVT
}

@test "macvtap: a pipe from COMMAND ends with COMMAND, not with the watcher" {
	# A watcher that kept standard output would keep its reader.
	run timeout 10 bash -c '"$@" | cat' bash nsenter --net="/run/netns/$NS" "$TAPCTL" exec --link wire \
		--mac $MAC -- sh -c "exec 3>&- 4>&-; echo done" 3>&- 4>&-
	[ "$status" = 0 ]
	[ "$output" = "done" ]
	exec {hold}<>"$WORK/hold"
	wait_until 10 no_link $MVT
	run timeout 10 bash -c '"$@" | cat' bash nsenter --net="/run/netns/$NS" "$TAPCTL" exec --link wire \
		--mac $MAC -- sh -c '(exec >/dev/null 2>&1; read -r _ <"$0/hold") & echo done' "$WORK" 3>&- 4>&-
	[ "$status" = 0 ]
	[ "$output" = "done" ]
	[ -n "$(watchers)" ]
	echo >"$WORK/hold"
}

@test "macvtap: COMMAND has no child to wait for" {
	run_quiet exec --link wire --mac $MAC -- python3 -c '
import os
try:
    print(os.wait())
except ChildProcessError:
    print("none")'
	[ "$output" = none ]
}

@test "macvtap: a failed exec leaves no link when it returns, and no process" {
	local k
	ended() { [ -z "$(processes)" ]; }
	for k in 1 2 3 4 5; do
		run -127 --separate-stderr tapctl exec --link wire --mac $MAC --queues 2 -- no-such-program
		[ -z "$(ip -j link show type macvtap | jq -r '.[].ifname // empty')" ]
		wait_until 10 ended
		run_tapctl exec --link wire --mac $MAC -- /
		[ "$status" = 126 ]
		no_link $MVT
		wait_until 10 ended
		# The second NIC's failure takes the first one with it.
		run_tapctl exec --link wire --mac $MAC --mac 52:54:00:00:00:0b --name lo -- "$PROBE"
		[ "$status" = 125 ]
		no_link $MVT
		wait_until 10 ended
	done
}

@test "macvtap: tapctl killed before COMMAND runs leaves nothing" {
	watch_links
	# At the call that opens the device, which is there then.
	ASAN_OPTIONS=detect_leaks=0 run inside strace -qq -o /dev/null -e trace=ioctl \
		-e inject=ioctl:signal=KILL:when=4 "$TAPCTL" exec --link wire --mac $MAC -- touch "$WORK/ran"
	[ "$status" -gt 128 ]
	[ ! -e "$WORK/ran" ]
	await_gone $MVT
	wait_until 10 no_watchers
}

@test "macvtap: two queues: the device lasts until both are closed" {
	watch_links
	exec {hold}<>"$WORK/hold"
	begin 'echo >"$0/started"
		read -r _ <"$0/hold"
		exec 4>&-
		echo >"$0/started"
		read -r _ <"$0/hold"
		exec 3>&-
		echo >"$0/started"
		read -r _ <"$0/hold"' --queues 2
	echo >"$WORK/hold"
	read -rt 20 _ <>"$WORK/started"
	run await_gone $MVT 0.5
	[ "$status" = 1 ]
	[ "$(link_field $MVT .link)" = wire ]
	echo >"$WORK/hold"
	read -rt 20 _ <>"$WORK/started"
	# COMMAND itself is still there.
	await_gone $MVT
	kill -0 "$pid"
	echo >"$WORK/hold"
}

@test "macvtap: the queue that was closed last may be the first" {
	watch_links
	exec {hold}<>"$WORK/hold"
	begin 'exec 3>&-; echo >"$0/started"; read -r _ <"$0/hold"' --queues 2
	run await_gone $MVT 0.5
	[ "$status" = 1 ]
	[ "$(link_field $MVT .link)" = wire ]
	echo >"$WORK/hold"
	await_gone $MVT
}

@test "macvtap: the device lasts while another process has its fd, and no longer" {
	make_keeper
	watch_links
	exec {hold}<>hold {said}<>started
	nsenter --net="/run/netns/$NS" python3 keeper <hold >started 2>log 3>&- 4>&- &
	read -rt 20 line <&"$said"
	tapctl exec --link wire --mac $MAC -- python3 giver
	read -rt 20 line <&"$said"
	[ "$line" = "have 1" ]
	run await_gone $MVT 0.5
	[ "$status" = 1 ]
	[ "$(link_field $MVT .link)" = wire ]
	echo >hold
	await_gone $MVT
}

@test "macvtap: each of two NICs has a watcher of its own" {
	watch_links
	exec {hold}<>"$WORK/hold"
	spawn "$TAPCTL" exec --link wire --mac $MAC --mac 52:54:00:00:00:0b -- \
		sh -c 'exec 3>&-; echo >"$0/started"; read -r _ <"$0/hold"' "$WORK"
	read -rt 20 _ <>"$WORK/started"
	await_gone $MVT
	[ "$(link_field mvt52540000000b .link)" = wire ]
	echo >"$WORK/hold"
	await_gone mvt52540000000b
}

@test "macvtap: a device that was renamed, or has another alias, is removed all the same" {
	local alias
	exec {hold}<>"$WORK/hold"
	for alias in "" "somebody else's" "tapctl guest 52:54:00:00:00:0b"; do
		begin 'echo >"$0/started"; read -r _ <"$0/hold"'
		ip link set $MVT alias "$alias"
		ip link set $MVT down
		ip link set $MVT name renamed
		echo >"$WORK/hold"
		wait "$pid" || :
		wait_until 10 no_watchers
		no_link renamed
	done
}

@test "macvtap: add makes a persistent one, exec --reuse opens it, and no watcher removes it" {
	tapctl add --link wire --mac $MAC
	run_quiet exec --reuse --link wire --mac $MAC -- "$PROBE"
	got '.fds["3"].device == $name' --arg name $MVT
	no_watchers
	[ "$(link_field $MVT .link)" = wire ]
	# A process has it open already: a second one, which would steal half of the frames, is refused.
	spawn "$TAPCTL" exec --reuse --link wire --mac $MAC -- sh -c 'echo >"$0/started"; exec sleep 300' "$WORK"
	read -rt 20 _ <>"$WORK/started"
	run_tapctl exec --reuse --link wire --mac $MAC -- "$PROBE"
	[ "$status" = 125 ]
	[[ $stderr = "tapctl: $MVT: "*"sleep (pid $pid)"* ]]
	kill "$pid"
	wait "$pid" || :
	run_quiet exec --reuse --link wire --mac $MAC -- "$PROBE"
}

# The kernel makes it with all of them.
@test "macvtap: --reuse does not leave one with the offloads of its last user" {
	tapctl add --link wire --mac $MAC
	ip addr add 192.0.2.1/24 dev far
	ip neigh add 192.0.2.2 lladdr $MAC dev far
	# The flags of the vnet header: VIRTIO_NET_HDR_F_NEEDS_CSUM would be 1.
	run_quiet exec --reuse --link wire --mac $MAC -- timeout 20 python3 -c '
import os, socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"word", ("192.0.2.2", 9))
while True:
    frame = os.read(3, 65536)
    if frame.endswith(b"word"):
        print(frame[0])
        break'
	[ "$output" = 0 ]
}

@test "macvtap: the holder of a removed one does not hold the next of its device number" {
	exec {hold}<>"$WORK/hold"
	begin 'echo >"$0/started"; read -r _ <"$0/hold"'
	ip link del $MVT
	tapctl add --link wire --mac 52:54:00:00:00:0b
	run_tapctl list --json --holders
	got '.[0].name == "mvt52540000000b" and .[0].holders == []'
	# Nor does one that ends, or closes it, while it is looked at.
	local error
	for error in ESRCH EBADF; do
		inside strace -f -o /dev/null -e inject=pidfd_getfd:error=$error "$TAPCTL" list --json --holders |
			holds '.[0].holders == []'
	done
	run_quiet exec --reuse --link wire --mac 52:54:00:00:00:0b -- "$PROBE"
	tapctl del mvt52540000000b
	no_link mvt52540000000b
	echo >"$WORK/hold"
}

@test "macvtap: --reuse refuses one of another mode or on another device, and makes a missing one" {
	tapctl add --link wire --mac $MAC
	add_cable wire2 far2
	run_tapctl exec --reuse --link wire2 --mac $MAC -- "$PROBE"
	[ "$status" = 125 ]
	[[ $stderr = "tapctl: $MVT: "*wire2* ]]
	run_tapctl exec --reuse --link wire --mode vepa --mac $MAC -- "$PROBE"
	[ "$status" = 125 ]
	[[ $stderr = "tapctl: $MVT: "*vepa* ]]
	[ "$(link_field $MVT .linkinfo.info_data.mode)" = bridge ]
	watch_links
	run_quiet exec --reuse --link wire --mac 52:54:00:00:00:0b -- "$PROBE"
	got '.fds["3"].device == "mvt52540000000b"'
	await_gone mvt52540000000b
}

@test "macvtap: --reuse opens one that others made, without what tapctl's have" {
	# Of an index that no other test has: /dev is everybody's.
	ip link add link wire name $MVT index 7777 address $MAC type macvtap mode bridge
	ip link set $MVT up
	run_quiet exec --reuse --link wire --mac $MAC -- "$PROBE"
	got '.fds["3"].device == $name' --arg name $MVT
	[ "$(link_field $MVT .ifalias)" = null ]
}
