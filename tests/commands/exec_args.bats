#!/usr/bin/env bats
# exec: what COMMAND's words mean, held against a real qemu and real programs that run programs. The table of
# command lines is in tests/unit/args.c.
# shellcheck disable=SC2016,SC2030,SC2031 # scripts for other shells; each test is a subshell
# shellcheck disable=SC2154 # of bats
load ../tools/helpers

M1=52:54:00:84:e3:62
M2=52:54:00:84:e3:63
TAP=tap52540084e362
D="-device virtio-net-pci,romfile=,netdev"

setup_file() { build_probe; }

setup() {
	setup_namespace
	add_bridge br0
	command -v qemu-system-x86_64 >/dev/null || skip "no qemu here"
	# It says what exec took for the guest's address, and is the real one then.
	mkdir "$WORK/bin"
	cat >"$WORK/bin/qemu-system-x86_64" <<-S
		#!/bin/sh
		echo "guest \$TAPCTL_GUEST_MAC"
		exec $(command -v qemu-system-x86_64) -M pc -accel tcg -m 64 -nodefaults -display none -S \
			-monitor stdio "\$@"
	S
	chmod +x "$WORK/bin/qemu-system-x86_64"
	ln -s "$PROBE" "$WORK/bin/P"
	PATH=$WORK/bin:$PATH
}

# exec with these words; what a real qemu's monitor says of its network comes to $output.
in_qemu() {
	echo "\$ tapctl exec $*"
	run --separate-stderr inside timeout 30 "$TAPCTL" exec --bridge br0 "$@" < <(echo 'info network'; echo quit)
	output=$(tr -d '\r' <<<"$output")
	printf '%s\n' "status $status" "stdout: $output" "stderr: $stderr"
}

# The address of the card that is on fd 3 by $output. On a hub the two may stand in either order.
card_on_fd_3() {
	awk -F macaddr= '/macaddr=/ { mac = $2 }
		/type=tap,fd=3/ && !/hub/ { print mac }
		/hub/ && /type=tap,fd=3/ { hub = 1 }
		END { if (hub) print mac }' <<<"$output"
}

@test "args: without --mac the address is that of the card which a real qemu has on fd 3" {
	local words
	while read -r words; do
		# shellcheck disable=SC2086 # words
		in_qemu -- qemu-system-x86_64 $words
		[ "$status" = 0 ]
		[ -z "$stderr" ]
		[[ $output = *"guest $M1"* ]]
		[ "$(card_on_fd_3)" = $M1 ]
	done <<-END
		-netdev tap,id=n0,fd=3 $D=n0,mac=$M1
		--netdev tap,id=n0,fd=3 --device e1000,romfile=,mac=$M1,netdev=n0
		$D=n0,mac=$M1 -netdev type=tap,fds=3:,id=n0
		-netdev tap,id=n0,fd=9,fd=3 $D=n0,mac=$M2,mac=$M1
		-netdev {"type":"tap","id":"n0","fd":"3"} -device {"driver":"virtio-net-pci","romfile":"","netdev":"n0","mac":"$M1"}
		-netdev {"type":"tap","id":"n0","fd":"3"} $D=n0,id=c0,mac=$M2 -set device.c0.mac=$M1
		-netdev tap,id=n0,fd=9 $D=n0,mac=$M1 -set netdev.n0.fd=3
		-nic tap,fd=3,model=virtio-net-pci,mac=$M1
		-net nic,model=virtio,macaddr=$M1 -net tap,fd=3
		-netdev tap,id=n0,fd=3 -net nic,model=virtio,netdev=n0,macaddr=$M1
		-netdev user,id=u $D=u,mac=$M2 -netdev tap,id=n0,fd=3 $D=n0,mac=$M1
		-nic user,model=e1000,mac=$M2 -nic tap,model=e1000,fd=3,mac=$M1
	END
}

# Write @1, an option with its value, in the place of the one of @words that it is to replace: the same option with
# the same id or netdev, else with the same descriptor, else of the same type, else any; or behind all.
follow() {
	local option=${1%% *} value=${1#* } key keys i
	keys=$(grep -o '\(id\|netdev\)=[^,]*' <<<"$value" | head -n 1) || :
	[ -n "$keys" ] || keys="$(grep -o '\<fd=[0-9]*' <<<"$value" || :) ${value%%,*} ="
	for key in $keys; do
		for ((i = 0; i < ${#words[@]}; i++)); do
			[ "${words[i]}" = "$option" ] || continue
			[[ ,${words[i + 1]}, = *",$key,"* || ${words[i + 1]} = *"\"${key#*=}\""* || $key = = ]] || continue
			words[i + 1]=$value
			return
		done
	done
	words+=("$option" "$value")
}

@test "args: what a warning says to write makes a real guest right" {
	local words options count line advice
	while IFS='|' read -r options count line; do
		read -ra words <<<"$line"
		# shellcheck disable=SC2086 # options
		in_qemu --mac $M1 $options -- qemu-system-x86_64 "${words[@]}"
		[ "$(grep -c ': write \|, or write ' <<<"$stderr")" = "$count" ]
		while read -r advice; do
			[[ $advice = "tapctl: warning: "* ]] || continue
			advice=${advice##*write } advice=${advice//=ID/=new}
			# Two options in one.
			follow "${advice%% -device*}"
			[[ $advice != *" -device"* ]] || follow "-device${advice##* -device}"
		done <<<"$stderr"
		# shellcheck disable=SC2086 # options
		in_qemu --mac $M1 $options -- qemu-system-x86_64 "${words[@]}"
		[ "$status" = 0 ]
		[ -z "$stderr" ]
		[ "$(card_on_fd_3)" = $M1 ]
		[[ $options != *-q* || $output = *fd=4* ]]
		[[ $options != *$M2* || $output = *$M2*fd=4* ]]
	done <<-END
		-q 2|1|-netdev tap,id=n0,fd=3 $D=n0,mac=$M1
		-q 2|1|-netdev tap,id=n0,script=no $D=n0,mac=$M1
		-q 2|1|-nic tap,fd=3,model=virtio-net-pci,mac=$M1
		|1|-netdev tap,id=n0,fd=3 $D=n0
		|1|-netdev tap,id=n0,fd=3 $D=n0,mac=$M2
		|1|-netdev {"type":"tap","id":"n0","fd":"3"} -device {"driver":"virtio-net-pci","netdev":"n0"}
		|1|-netdev {"type":"tap","id":"n0"} $D=n0,mac=$M1
		|2|-net nic,model=virtio -net tap,script=no
		|1|-net nic,model=virtio -net tap,fd=3
		|1|--nic tap,script=no,model=virtio-net-pci,mac=$M1
		|1|-nic tap
		|1|-nic tap,fd=3
		|1|-nic user,model=e1000,mac=$M1,hostname=x
		|1|-netdev user,id=n0,hostname=x $D=n0,mac=$M1
		|1|-netdev tap,id=n0,fd=13 $D=n0,mac=$M1
		|1|-netdev tap,id=n0,ifname=$TAP,script=no,downscript=no,sndbuf=0 $D=n0,mac=$M1
		|1|-nic none
		--mac $M2|1|-netdev tap,id=n0,fd=3 $D=n0,mac=$M1 -netdev tap,id=n1,fd=3 $D=n1,mac=$M2
		--mac $M2|1|-netdev tap,id=n0,fd=3 $D=n0,mac=$M1 -netdev tap,id=n1,script=no $D=n1,mac=$M2
		--mac $M2|2|-netdev tap,id=n0,fd=3 $D=n0,mac=$M2 -netdev tap,id=n1,fd=4 $D=n1,mac=$M1
		--mac $M2|2|-nic tap,fd=3 -nic tap,fd=4
	END
}

@test "args: JSON without the library that reads it is not understood, and nothing is said" {
	local library words=(-netdev '{"type":"tap","id":"n0","fd":"3"}' -device)
	ln -s "$PROBE" "$WORK/bin/kvm"
	run_tapctl exec --bridge br0 --mac $M2 -- kvm "${words[@]}" '{"driver":"e1000","netdev":"n0","mac":"'$M1'"}'
	[[ $stderr = *"has $M1 instead"* ]]
	library=$(ldconfig -p | awk '/libjansson.so.4 / { print $NF; exit }')
	hidden() {
		run --separate-stderr inside unshare --mount sh -c 'mount --bind /dev/null "$1" && shift && exec "$@"' \
			sh "$(realpath "$library")" "$TAPCTL" exec --bridge br0 "$@"
		[ "$status" = 0 ]
		[ -z "$stderr" ]
	}
	hidden --mac $M2 -- kvm "${words[@]}" '{"driver":"e1000","netdev":"n0","mac":"'$M1'"}'
	hidden -- kvm "${words[@]}" '{"driver":"e1000","netdev":"n0","mac":"'$M1'"}'
	got '.env | contains(["TAPCTL_GUEST_MAC='$M1'"])'
	# Nor is it loaded where there is none.
	inside strace -o "$WORK/log" "$TAPCTL" exec --bridge br0 -- kvm -netdev tap,id=n0,fd=3 -device nic,netdev=n0,mac=$M1
	run ! grep jansson "$WORK/log"
}

@test "args: descriptors of vhost's that there are, or are not" {
	requires_root
	local device="-device virtio-net-pci,netdev=n0,mac=$M1"
	ln -s "$PROBE" "$WORK/bin/kvm"
	# shellcheck disable=SC2086 # words
	run --separate-stderr with_vhost_node inside some "$TAPCTL" exec --bridge br0 --vhost -- \
		kvm -netdev tap,id=n0,fd=3 $device
	[[ $stderr = "tapctl: warning: kvm: "*"says vhostfd=4, "*": write -netdev tap,id=n0,fd=3,vhost=on,vhostfd=4" ]]
	# shellcheck disable=SC2086 # words
	run --separate-stderr with_vhost_node inside some "$TAPCTL" exec --bridge br0 --vhost -- \
		kvm -netdev tap,id=n0,fd=3,vhost=on,vhostfd=4 $device
	[ -z "$stderr" ]
	# shellcheck disable=SC2086 # words
	run --separate-stderr with_vhost_node inside none "$TAPCTL" exec --bridge br0 --vhost -- \
		kvm -netdev tap,id=n0,fd=3,vhost=on,vhostfd=4 $device
	[ "${#stderr_lines[@]}" = 2 ]
	[[ ${stderr_lines[1]} = "tapctl: warning: fd 4: "*"not open: leave vhost=on and vhostfd= out there" ]]
}

# Whether the tap is still fd 3 of the program behind these words, and whether exec has warned of it.
survives() { # yes|no WORD...
	rm -f "$WORK/seen"
	# A program that was left in the background may still have it.
	wait_until 10 no_link $TAP
	# script(1) writes where it stands.
	cd "$WORK" || return
	inside timeout 20 "$TAPCTL" exec --bridge br0 --mac $M1 -- "${@:2}" "$WORK/look" \
		>/dev/null 2>"$WORK/err" </dev/null || :
	wait_until 5 [ -s "$WORK/seen" ] || { cat "$WORK/err"; return 1; }
	echo "$*: $(cat "$WORK/seen"): $(cat "$WORK/err")"
	[ "$(cat "$WORK/seen")" = "$1" ]
	case $1 in
	yes) ! grep 'closes all fds' "$WORK/err" ;;
	no) grep 'closes all fds' "$WORK/err" ;;
	esac
}

@test "args: of programs that run a program, those draw a warning behind which fd 3 is closed" {
	local answer words
	cat >"$WORK/look" <<-S
		#!/bin/sh
		"$PROBE" >"$WORK/probe.json"
		jq -r 'if .fds["3"].iff == "$TAP" then "yes" else "no" end' "$WORK/probe.json" >"$WORK/seen.new"
		mv "$WORK/seen.new" "$WORK/seen"
	S
	chmod +x "$WORK/look"
	while read -r answer words; do
		command -v "${words%% *}" >/dev/null || { echo "# no ${words%% *} here"; continue; }
		# shellcheck disable=SC2086 # words
		survives "$answer" $words
	done <<-'END'
		yes env A=1
		yes nice -n 1
		yes timeout 9
		yes setsid -w
		yes setpriv --reuid 0
		yes unshare -m
		yes strace -o /dev/null
		yes stdbuf -oL
		yes taskset 1
		yes chrt -o 0
		yes ionice -c 3
		yes prlimit -n=100
		yes choom -n 0 --
		yes flock /dev/null
		yes linux64
		yes chroot /
		yes numactl -l
		yes runuser -u root
		yes su root -c
		yes script -qc
		yes sh -c
		yes start-stop-daemon --start --exec
		yes start-stop-daemon --start --background --no-close --exec
		yes firejail --noprofile --keep-fd=all
		no sudo -n
		no nice sudo -n
		no screen -d -m
		no tmux new-session -d
		no unbuffer
		no firejail --noprofile
		no start-stop-daemon --start --background --exec
	END
}

@test "args: the advice for a program that closes its descriptors" {
	local script='id -u; readlink /proc/self/fd/3'
	run_tapctl exec --bridge br0 --mac $M1 -- sudo -n -u nobody sh -c "$script"
	[[ $stderr = *"say tapctl exec --user nobody ... -- COMMAND instead"* ]]
	[[ $output != *tun* ]]
	run_quiet exec --bridge br0 --mac $M1 --user nobody -- sh -c "$script"
	[[ $output = "$(id -u nobody)"*/dev/net/tun ]]
	run_tapctl exec --bridge br0 --mac $M1 -- sudo -n sh -c "$script"
	[[ $stderr = *"put it in front: sudo ... tapctl exec ... -- COMMAND"* ]]
	run --separate-stderr inside sudo -n "$TAPCTL" exec --bridge br0 --mac $M1 -- sh -c "$script"
	[[ $output = *0*/dev/net/tun && -z $stderr ]]
}

@test "args: programs that are no qemu, and what they are told" {
	local name
	for name in lkvm crosvm solo5-hvt other; do ln -s "$PROBE" "$WORK/bin/$name"; done
	run_quiet exec --bridge br0 -- lkvm run --network mode=tap,fd=3,guest_mac=$M1
	run_quiet exec --bridge br0 -- crosvm run --tap-fd 3 --mac $M1
	run_quiet exec --bridge br0 --no-vnet-hdr -- solo5-hvt --net:service=@3 --net-mac:service=$M1
	run_tapctl exec --bridge br0 -- other --mac $M1
	[ "$status" = 125 ]
	[[ $stderr = *"it has $M1 in --mac"*"say --mac $M1" ]]
	run_quiet exec --bridge br0 --mac $M1 -- other --mac $M1
}
