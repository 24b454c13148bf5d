#!/usr/bin/env bats
# exec: the device: for which guest, unmade after a failure, read back, removed with COMMAND, and --reuse.
# shellcheck disable=SC2016,SC2030,SC2031,SC2054 # scripts for other shells; each test is a subshell; commas of setpriv's
# shellcheck disable=SC2154 # of bats
load ../tools/helpers
load exec

MAC=52:54:00:00:00:0a
TAP=tap52540000000a
OTHER=52:54:00:00:00:0b

# run_tapctl for a COMMAND that is not found, which bats wants to be told.
run_missing() {
	run -127 --separate-stderr tapctl "$@"
	printf '%s\n' "status $status" "stdout: $output" "stderr: $stderr"
}

# --- the guest's address ---

@test "exec: the guest's address is read from COMMAND's arguments" {
	local words
	while read -r words; do
		run_quiet exec --bridge br0 -- "$PROBE" -netdev tap,id=n0,fd=3 "$words"
		got '.fds["3"].iff == $tap' --arg tap $TAP
		got '.env | contains(["TAPCTL_GUEST_MAC=52:54:00:00:00:0a"])'
	done <<-'END'
		virtio-net-pci,netdev=n0,mac=52:54:00:00:00:0a
		virtio-net-pci,mac=52:54:00:00:00:0a,netdev=n0
		mac=52:54:00:00:00:0A
		nic,macaddr=52:54:00:00:00:0a,model=e1000
		mac=52-54-00-00-00-0a
		mac=5254.0000.000a
		mac=52540000000a
		{"driver":"virtio-net-pci","netdev":"n0","mac":"52:54:00:00:00:0a"}
		{"driver" : "virtio-net-pci", "mac" : "52:54:00:00:00:0a" , "netdev":"n0"}
		exec qemu-system-x86_64 -device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:0a -m 1G
		qemu -device 'virtio-net-pci,mac=52:54:00:00:00:0a' >log
		mac="52:54:00:00:00:0a"
	END
}

@test "exec: the same address twice is one address" {
	run_quiet exec --bridge br0 -- "$PROBE" mac=$MAC nic,macaddr=52-54-00-00-00-0A '{"mac":"52540000000a"}'
	got '.fds["3"].iff == $tap' --arg tap $TAP
}

@test "exec: no address to be found is an error that names qemu's default" {
	local words
	while read -r words; do
		run_tapctl exec --bridge br0 -- "$PROBE" "$words"
		failed_with 125 52:54:00:12:34:56
	done <<-'END'
		-netdev tap,id=n0,fd=3
		hostmac=52:54:00:00:00:0a
		machine=q35
	END
	run_tapctl exec --bridge br0 -- "$PROBE"
	failed_with 125 52:54:00:12:34:56
}

@test "exec: a value of mac= that is not an address is shown" {
	local value
	# shellcheck disable=SC2016 # as a shell that runs later has it
	for value in 52:54:00:00:00 52:54:00:00:00:0a:0b '$MAC'; do
		run_tapctl exec --bridge br0 -- "$PROBE" nic,mac="$value",netdev=n0
		failed_with 125 "mac=$value: is not a MAC address" --mac
	done
}

@test "exec: two addresses are an error that names both" {
	run_tapctl exec --bridge br0 -- "$PROBE" nic,mac=$MAC nic,mac=$OTHER
	failed_with 125 $MAC $OTHER
	run_tapctl exec --bridge br0 -- sh -c "qemu -nic user,mac=$OTHER -device '{\"netdev\":\"n0\",\"mac\":\"$MAC\"}'"
	failed_with 125 $MAC $OTHER
}

@test "exec: an address that no guest can have is refused" {
	run_tapctl exec --bridge br0 -- "$PROBE" mac=01:00:5e:00:00:01
	failed_with 125 01:00:5e:00:00:01
	run_tapctl exec --bridge br0 -- "$PROBE" mac=00:00:00:00:00:00
	failed_with 125 00:00:00:00:00:00
}

@test "exec: a guest that is given another address than --mac draws a warning" {
	run_tapctl exec --bridge br0 --mac $MAC -- "$PROBE" nic,mac=$OTHER
	[ "$status" = 0 ]
	[[ $stderr = "tapctl: warning: $MAC: "* ]]
	[ "${#stderr_lines[@]}" = 1 ]
	run_tapctl exec --bridge br0 --mac $MAC -- "$PROBE" "{\"mac\": \"$OTHER\"}"
	[[ $stderr = "tapctl: warning: $MAC: "* ]]
	# Of two NICs, the one that is missing.
	run_tapctl exec --bridge br0 --mac $MAC --mac $OTHER -- "$PROBE" nic,mac=$OTHER
	[[ $stderr = "tapctl: warning: $MAC: "* ]]
	[ "${#stderr_lines[@]}" = 1 ]
}

@test "exec: a qemu that is given no address at all draws a warning" {
	ln -s "$PROBE" "$WORK/qemu-system-x86_64"
	run --separate-stderr inside "$TAPCTL" exec --bridge br0 --mac $MAC -- \
		"$WORK/qemu-system-x86_64" -netdev tap,id=n0,fd=3 -device virtio-net-pci,netdev=n0
	[ "$status" = 0 ]
	[[ "$stderr" == "tapctl: warning: "*"write -device virtio-net-pci,netdev=n0,mac=$MAC" ]]
	run_tapctl exec --bridge br0 --mac $MAC --mac $OTHER -- "$WORK/qemu-system-x86_64" \
		-nic tap,fd=3 -nic tap,fd=4
	[ "$status" = 0 ]
	[ "${#stderr_lines[@]}" = 2 ]
	[[ "${stderr_lines[1]}" == "tapctl: warning: "*"write -nic tap,fd=4,mac=$OTHER" ]]
}

@test "exec: a qemu that is not given the fd draws a warning" {
	ln -s "$PROBE" "$WORK/qemu-system-x86_64"
	run_tapctl exec --bridge br0 --fd 11 -- \
		"$WORK/qemu-system-x86_64" -netdev tap,id=n0 -device virtio-net-pci,netdev=n0,mac=$MAC
	[ "$status" = 0 ]
	[[ "$stderr" == "tapctl: warning: "*"none of its arguments says fd="*"fd=11" ]]
	run_quiet exec --bridge br0 -- \
		"$WORK/qemu-system-x86_64" -netdev tap,id=n0,fd=3 -device virtio-net-pci,netdev=n0,mac=$MAC
}

@test "exec: no warning when the address is there, or when no other one is" {
	run_quiet exec --bridge br0 --mac $MAC -- "$PROBE"
	run_quiet exec --bridge br0 --mac $MAC -- "$PROBE" nic,mac=$MAC
	run_quiet exec --bridge br0 --mac $MAC -- "$PROBE" nic,mac=52-54-00-00-00-0A
	run_quiet exec --bridge br0 --mac $MAC -- "$PROBE" nic,mac=$OTHER nic,mac=$MAC
	# However it is spelt there, and for a program with words of its own.
	run_quiet exec --bridge br0 --mac $MAC -- "$PROBE" nic,mac=$OTHER address:$MAC/24
	run_quiet exec --bridge br0 --mac $MAC -- "$PROBE" --net $OTHER
	run_quiet exec --bridge br0 --mac $MAC -- sh -c ": -device nic,mac=$MAC"
}

@test "exec: a COMMAND that closes its fds draws a warning" {
	stand_in sudo doas ssh systemd-run docker podman env
	for closing in sudo doas ssh systemd-run docker podman; do
		for command in $closing "$WORK/bin/$closing"; do
			PATH=$WORK/bin:$PATH run_tapctl exec --bridge br0 --mac $MAC -- "$command" qemu
			[ "$status" = 0 ]
			[[ $stderr = "tapctl: warning: $closing "*"tapctl exec"* ]]
			[ "${#stderr_lines[@]}" = 1 ]
			got '.fds["3"].iff == $tap' --arg tap $TAP
		done
	done
}

@test "exec: no such warning for podman --preserve-fds or for a name in another place" {
	stand_in podman env sudoku
	PATH=$WORK/bin:$PATH run_quiet exec --bridge br0 --mac $MAC -- podman run --preserve-fds=1 image
	PATH=$WORK/bin:$PATH run_quiet exec --bridge br0 --mac $MAC -- env echo sudo
	PATH=$WORK/bin:$PATH run_quiet exec --bridge br0 --mac $MAC -- sudoku
}

# --- failures ---

@test "exec: 127 when COMMAND is not found, and nothing is left" {
	run_missing exec --bridge br0 --mac $MAC -- no-such-program
	failed_with 127 no-such-program
	run_missing exec --bridge br0 --mac $MAC --queues 2 --mac $OTHER -- /nonexistent/program
	failed_with 127 /nonexistent/program
	run_missing exec --bridge br0 --mac $MAC -- ''
	failed_with 127 "'': cannot run it: "
}

@test "exec: 126 when COMMAND cannot be run, and nothing is left" {
	run_tapctl exec --bridge br0 --mac $MAC -- /
	failed_with 126 /
	touch "$WORK/file"
	run_tapctl exec --bridge br0 --mac $MAC -- "$WORK/file"
	failed_with 126 "$WORK/file"
}

@test "exec: 125 when tapctl itself fails, and nothing is left" {
	run_tapctl exec --bridge nosuch --mac $MAC -- "$PROBE"
	failed_with 125 nosuch
	run_tapctl exec --bridge br0 --mac $MAC --no-such-option -- "$PROBE"
	failed_with 125 no-such-option
	run_tapctl exec --mac $MAC -- "$PROBE"
	failed_with 125 --bridge
	run_tapctl exec --bridge br0 --mac nonsense -- "$PROBE"
	failed_with 125 nonsense
	run_tapctl exec --bridge br0 --mac $MAC --fd x -- "$PROBE"
	failed_with 125 --fd
	run_tapctl exec --bridge lo --mac $MAC -- "$PROBE"
	failed_with 125 lo
	# The second NIC's failure takes the first one with it.
	run_tapctl exec --bridge br0 --mac $MAC --mac $OTHER --name lo -- "$PROBE"
	failed_with 125 lo
	run_tapctl exec --bridge br0 --mac $MAC --netns nosuch -- "$PROBE"
	failed_with 125 nosuch
}

@test "exec: a failure at one queue leaves none of the others" {
	# The leak sanitizer cannot work beside strace.
	ASAN_OPTIONS=detect_leaks=0 run --separate-stderr inside strace -o "$WORK/log" -P /dev/net/tun \
		-e inject=openat:error=ENOMEM:when=3 "$TAPCTL" exec --bridge br0 --mac $MAC --queues 4 -- "$PROBE"
	failed_with 125 /dev/net/tun
	[ "$(grep -c ^openat "$WORK/log")" = 3 ]
}

# --- read back ---

# Start tapctl with a standard error that takes nothing more, so that it stands still at its first
# word, with the device complete; then change the device.
stalled() { # OPTION...
	mkfifo "$WORK/full"
	exec {full}<>"$WORK/full"
	# Whole pages, then single bytes, until it is full.
	dd if=/dev/zero of="$WORK/full" bs=4096 oflag=nonblock 2>"$WORK/log" || :
	dd if=/dev/zero of="$WORK/full" bs=1 oflag=nonblock 2>>"$WORK/log" || :
	tapctl exec --verbose --mac $MAC "$@" -- touch "$WORK/ran" >"$WORK/stdout" 2>"$WORK/full" {full}>&- &
	stalled=$!
	wait_until 10 is_up "${TAPNAME:-$TAP}"
	cat "$WORK/log" # for when it did not stand still
	[ ! -e "$WORK/ran" ]
}
is_up() {
	[ "$(ip -j link show "$1" 2>/dev/null | jq '.[0].flags | index("UP") != null')" = true ]
}
# And let it go on: its exit status and words.
released() {
	local reader words
	# There is always a reader, or the writer gets SIGPIPE.
	exec {words}<"$WORK/full" {full}>&-
	timeout 20 cat <&"$words" >"$WORK/words" 3>&- 4>&- &
	reader=$!
	exec {words}<&-
	status=0
	wait $stalled || status=$?
	wait $reader || :
	stderr=$(tr -d '\0' <"$WORK/words" | grep -v ': made for\|: tap for\|: macvtap for' || :)
	output=$(cat "$WORK/stdout")
	echo "status $status: $stderr"
}

@test "exec: a tap that was not touched is read back as it should be" {
	stalled --bridge br0
	released
	[ "$status" = 0 ]
	[ -e "$WORK/ran" ]
}

@test "exec: a tap that was taken off the bridge meanwhile is noticed" {
	stalled --bridge br0
	ip link set $TAP nomaster
	released
	[ ! -e "$WORK/ran" ]
	[ "$status" = 125 ]
	[[ $stderr = *"tapctl: $TAP: "*br0* ]]
	[ "$(links)" = $'br0\nlo' ]
}

@test "exec: a tap that was moved to another bridge meanwhile is noticed" {
	add_bridge br1
	stalled --bridge br0
	ip link set $TAP master br1
	released
	[ ! -e "$WORK/ran" ]
	[ "$status" = 125 ]
	[[ $stderr = *"tapctl: $TAP: "*br0* ]]
	no_link $TAP
}

@test "exec: the address of a tap that somebody changed meanwhile is set once more" {
	stalled --bridge br0
	ip link set $TAP address 02:11:22:33:44:55
	released
	[ "$status" = 0 ]
	[ -e "$WORK/ran" ]
	[[ $stderr = *"tapctl: $TAP: its address was changed by another program: set once more"* ]]
}

@test "exec: an address that is changed again and again is an error" {
	# Each answer of the kernel is late, and by then somebody has changed it.
	while sleep 0.05 && [ -e "/run/netns/$NS" ]; do ip link set $TAP address 02:11:22:33:44:55 || :; done >/dev/null 2>&1 3>&- 4>&- &
	changer=$!
	run --separate-stderr inside strace -o /dev/null -e trace=sendto -e inject=sendto:delay_exit=300000:when=2+ \
		"$TAPCTL" exec --bridge br0 --mac $MAC -- touch "$WORK/ran"
	kill $changer
	echo "$status: $stderr"
	[ ! -e "$WORK/ran" ]
	[ "$status" = 125 ]
	[[ $stderr = "tapctl: $TAP: its address is 02:11:22:33:44:55 and not fe:54:00:00:00:0a: something on this host (udev, "* ]]
	no_link $TAP
}

@test "exec: a tap that was taken down or removed meanwhile is noticed" {
	stalled --bridge br0
	ip link set $TAP down
	released
	[ ! -e "$WORK/ran" ]
	[ "$status" = 125 ]
	[[ $stderr = *"tapctl: $TAP: "*down* ]]
	no_link $TAP
	rm "$WORK/full"
	stalled --unattached
	ip link del $TAP
	released
	[ ! -e "$WORK/ran" ]
	[ "$status" = 125 ]
	[[ $stderr = *"tapctl: $TAP: "* ]]
}

@test "exec: protections that were taken away meanwhile are noticed" {
	local options=("isolated isolated off" "hairpin hairpin off")
	! has_locked_ports || options+=("lock-mac locked off" "lock-mac learning on")
	for option in "${options[@]}"; do
		local change=${option#* }
		option=${option%% *}
		rm -f "$WORK/full"
		stalled --bridge br0 "--$option"
		# shellcheck disable=SC2086 # they are words
		bridge link set dev $TAP $change
		released
		[ ! -e "$WORK/ran" ]
		[ "$status" = 125 ]
		[[ $stderr = *"--$option"* ]]
		no_link $TAP
	done
}

@test "exec: a locked address that was removed from the table meanwhile is noticed" {
	requires_locked_ports
	ip tuntap add other mode tap
	ip link set other master br0
	local change
	for change in "del $MAC dev $TAP" "replace $MAC dev other"; do
		rm -f "$WORK/full"
		stalled --bridge br0 --lock-mac
		# shellcheck disable=SC2086 # they are words
		bridge fdb $change master
		released
		[ ! -e "$WORK/ran" ]
		[ "$status" = 125 ]
		[[ $stderr = *"--lock-mac"* ]]
		no_link $TAP
	done
}

@test "exec: a VLAN that was removed or added meanwhile is noticed" {
	requires_vlan_filtering
	ip link set br0 type bridge vlan_filtering 1
	for change in del add; do
		rm -f "$WORK/full"
		stalled --bridge br0 --vlan 10,20
		case $change in
		del) bridge vlan del dev $TAP vid 20 ;;
		add) bridge vlan add dev $TAP vid 30 ;;
		esac
		released
		[ ! -e "$WORK/ran" ]
		[ "$status" = 125 ]
		[[ $stderr = *"tapctl: $TAP: --vlan did not take effect: "* ]]
		no_link $TAP
	done
}

@test "exec: a macvtap that was changed meanwhile is noticed" {
	requires_macvtap
	add_cable wire far
	TAPNAME=mvt52540000000a stalled --link wire
	ip link set mvt52540000000a down
	released
	[ ! -e "$WORK/ran" ]
	[ "$status" = 125 ]
	[[ $stderr = *"tapctl: mvt52540000000a: "*down* ]]
	no_link mvt52540000000a
}

# --- the end ---

# COMMAND runs in the background as process $pid and its tap is there.
begin() {
	mkfifo "$WORK/started"
	spawn "$TAPCTL" exec --bridge br0 --mac $MAC -- sh -c "echo >$WORK/started; exec sleep 300"
	read -rt 20 _ <>"$WORK/started"
	[ "$(link_field $TAP .master)" = br0 ]
}

@test "exec: the tap is removed with COMMAND, however that ends" {
	tapctl exec --bridge br0 --mac $MAC -- sh -c "ip link show $TAP >/dev/null"
	no_link $TAP
	for signal in TERM HUP KILL; do
		rm -f "$WORK/started"
		begin
		kill -$signal "$pid"
		status=0
		wait "$pid" || status=$?
		[ "$status" -gt 128 ]
		no_link $TAP
	done
}

@test "exec: the tap lasts while another process has its fd, and no longer" {
	make_keeper
	mkfifo hold said
	exec {said}<>said
	nsenter --net="/run/netns/$NS" python3 keeper <hold >said 2>log 3>&- 4>&- {said}>&- &
	local keeper=$!
	exec {hold}>hold
	read -rt 20 line <&"$said"
	tapctl exec --bridge br0 --mac $MAC -- python3 giver
	read -rt 20 line <&"$said"
	[ "$line" = "have 1" ]
	[ "$(link_field $TAP .master)" = br0 ]
	exec {hold}>&-
	wait $keeper
	no_link $TAP
}

# --- --reuse ---

# A persistent tap of tapctl's: existing [OPTION...]
existing() { tapctl add --bridge br0 --mac $MAC "$@" >/dev/null; }

# The whole of a link but what runs by itself, or follows the carrier, which may take the kernel a second.
state_of() {
	ip -d -j link show "$1" |
		jq -S 'walk(if type == "object" then with_entries(select(.key | endswith("_timer") | not)) else . end)
			| .[0] | del(.operstate, .linkinfo.info_slave_data.state) | .flags -= ["NO-CARRIER", "LOWER_UP"]'
}

@test "exec: without --reuse an existing device is refused, and not changed" {
	existing
	state_of $TAP >"$WORK/before"
	run_tapctl exec --bridge br0 --mac $MAC -- "$PROBE"
	[ "$status" = 125 ]
	[[ $stderr = "tapctl: $TAP: "*exists*--reuse* ]]
	state_of $TAP | diff "$WORK/before" -
}

@test "exec: --reuse opens an idle persistent tap, which persists" {
	existing
	state_of $TAP >"$WORK/before"
	run_quiet exec --bridge br0 --mac $MAC --reuse -- "$PROBE"
	got '.fds["3"].iff == $tap' --arg tap $TAP
	got '.env | contains(["TAPCTL_IFNAME=tap52540000000a", "TAPCTL_HOST_MAC=fe:54:00:00:00:0a"])'
	state_of $TAP | diff "$WORK/before" -
	# Again, and also when COMMAND cannot be run.
	run_missing exec --bridge br0 --mac $MAC --reuse -- no-such-program
	state_of $TAP | diff "$WORK/before" -
}

@test "exec: --reuse opens all queues of a tap that was made for several" {
	existing --queues 2
	run_quiet exec --bridge br0 --mac $MAC --reuse --queues 2 -- "$PROBE"
	got 'all(.fds["3", "4"]; .iff == $tap and .multi_queue)' --arg tap $TAP
	link_field $TAP .ifname
}

@test "exec: --reuse refuses a tap for several queues of which one is open" {
	existing --queues 2
	mkfifo "$WORK/started"
	spawn "$TAPCTL" exec --reuse --bridge br0 --mac $MAC --queues 2 -- sh -c "echo >$WORK/started; exec sleep 300"
	read -rt 20 _ <>"$WORK/started"
	state_of $TAP >"$WORK/before"
	reuse_refused $TAP "sleep (pid $pid)" --bridge br0 --mac $MAC --queues 2
	kill "$pid"
	wait "$pid" || :
}

@test "exec: --reuse makes a missing device, which is removed as usual" {
	run_quiet exec --bridge br0 --mac $MAC --reuse -- "$PROBE"
	got '.fds["3"].iff == $tap' --arg tap $TAP
	no_link $TAP
}

# --reuse is refused with these words, and the device is what it was.
reuse_refused() { # NAME WORD OPTION...
	state_of "$1" >"$WORK/before"
	run_tapctl exec --reuse "${@:3}" -- "$PROBE"
	[ "$status" = 125 ]
	[[ $stderr = "tapctl: $1: "*"$2"* ]]
	[ "${#stderr_lines[@]}" = 1 ]
	state_of "$1" | diff "$WORK/before" -
}

@test "exec: --reuse refuses a tap that is on another bridge, or on none" {
	add_bridge br1
	existing
	reuse_refused $TAP br1 --bridge br1 --mac $MAC
	reuse_refused $TAP unattached --unattached --mac $MAC
	ip link set $TAP nomaster
	reuse_refused $TAP br0 --bridge br0 --mac $MAC
	# Its record, where it has one, may not say where it belongs.
	for alias in "tapctl guest $MAC" ""; do
		ip link set $TAP alias "$alias"
		reuse_refused $TAP br0 --bridge br0 --mac $MAC
	done
}

@test "exec: --reuse refuses a tap that was made for another guest" {
	tapctl add --bridge br0 --mac $OTHER --name vm
	reuse_refused vm $OTHER --bridge br0 --mac $MAC --name vm
}

@test "exec: --reuse refuses a tap with another address, that is down, or of another MTU" {
	existing
	ip link set $TAP address 02:11:22:33:44:55
	reuse_refused $TAP 02:11:22:33:44:55 --bridge br0 --mac $MAC
	ip link set $TAP address fe:54:00:00:00:0a
	ip link set $TAP down
	reuse_refused $TAP down --bridge br0 --mac $MAC
	ip link set $TAP up
	reuse_refused $TAP MTU --bridge br0 --mac $MAC --mtu 1400
}

@test "exec: --reuse refuses a device of another kind" {
	ip link add vm type bridge
	reuse_refused vm bridge --bridge br0 --mac $MAC --name vm
	ip tuntap add layer3 mode tun
	reuse_refused layer3 "" --bridge br0 --mac $MAC --name layer3
	add_cable wire far
	existing
	reuse_refused $TAP "" --link wire --mac $MAC --name $TAP
	requires_macvtap
	tapctl add --link wire --mac $OTHER
	reuse_refused mvt52540000000b macvtap --bridge br0 --mac $OTHER --name mvt52540000000b
}

@test "exec: --reuse refuses a tap whose queues differ" {
	existing
	reuse_refused $TAP "without several queues" --bridge br0 --mac $MAC --queues 2
	tapctl add --bridge br0 --mac $OTHER --queues 2
	reuse_refused tap52540000000b "for several queues" --bridge br0 --mac $OTHER
}

@test "exec: --reuse refuses a tap that another process has, and names it" {
	existing
	mkfifo "$WORK/started"
	spawn "$TAPCTL" exec --reuse --bridge br0 --mac $MAC -- sh -c "echo >$WORK/started; exec sleep 300"
	read -rt 20 _ <>"$WORK/started"
	reuse_refused $TAP "sleep (pid $pid)" --bridge br0 --mac $MAC
	kill "$pid"
	wait "$pid" || :
	run_quiet exec --reuse --bridge br0 --mac $MAC -- "$PROBE"
}

@test "exec: --reuse refuses a tap that lacks a protection asked for" {
	existing
	reuse_refused $TAP --isolated --bridge br0 --mac $MAC --isolated
}

@test "exec: --reuse does not leave a tap with the offloads of its last user" {
	existing
	# As a VMM does for a guest that takes large and unsummed packets: TUNSETIFF, TUNSETOFFLOAD.
	inside python3 -c '
import fcntl, os, struct, sys
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", sys.argv[1].encode(), 0x5002))
fcntl.ioctl(fd, 0x400454d0, 7)
' $TAP
	offloads() { inside ethtool -k $TAP | grep -E '^(tx-checksumming|tcp-segmentation-offload): '; }
	[ "$(offloads)" = $'tx-checksumming: on\ntcp-segmentation-offload: on' ]
	run_quiet exec --reuse --bridge br0 --mac $MAC --no-vnet-hdr -- "$PROBE"
	[ "$(offloads)" = $'tx-checksumming: off\ntcp-segmentation-offload: off' ]
}
