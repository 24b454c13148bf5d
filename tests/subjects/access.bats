#!/usr/bin/env bats
# Who may use it: callers without privilege of their own, by a tapctl with file capabilities, and the
# access file.
# shellcheck disable=SC2016,SC2030,SC2031 # scripts for other shells; each test is a subshell
load ../tools/helpers

MAC=52:54:00:00:00:0a
TAP=tap52540000000a
MVT=mvt52540000000a

setup_file() { build_probe; }

setup() {
	setup_namespace
	make_caller
	add_bridge br0
	add_bridge br1
	cp "$PROBE" "$PUBLIC/probe"
	PROBE=$PUBLIC/probe
	CONF=$ETC/tapctl/bridge.conf
	before=$(links)
}

# tapctl of the caller: $output, $stderr, $status.
run_caller() {
	echo "\$ tapctl $*"
	run --separate-stderr as_caller "$PUBLIC/tapctl" "$@"
	printf '%s\n' "status $status" "stdout: $output" "stderr: $stderr"
}
try() { run_caller exec --bridge "${1:-br0}" --mac $MAC -- "$PROBE"; }
allowed() { # [BRIDGE]
	try "$@"
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	got '.fds["3"].iff == $tap' --arg tap $TAP
}
# One line that holds the words, and nothing was made.
refused_with() { # STATUS WORD...
	[ "$status" = "$1" ]
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr = "tapctl: "* ]]
	stderr_holds "${@:2}"
	[ "$(links)" = "$before" ]
}
denied() { # BRIDGE WORD...
	try "$1"
	refused_with 125 "${@:2}"
}
# The access file has these lines: conf LINE...
conf() { printf '%s\n' "$@" >"$CONF"; }

# --- what the file says ---

@test "access: an allowed bridge works, and COMMAND has the caller's rights and no capability" {
	conf 'allow br0'
	allowed
	got '.Uid == "65534\t65534\t65534\t65534" and .Groups == "65534 "'
	got 'all(.CapInh, .CapPrm, .CapEff, .CapAmb; . == "0000000000000000")'
	no_link $TAP
}

@test "access: a bridge that no line allows is denied" {
	conf 'allow br0'
	denied br1 "br1: access denied by acl file /etc/tapctl/bridge.conf: no line says allow br1"
	conf '# nothing'
	denied br0 "br0: access denied"
	: >"$CONF"
	denied br0 "br0: access denied"
	# Names are compared whole.
	conf 'allow br' 'allow br00' 'allow BR0'
	denied br0 "br0: access denied"
}

@test "access: a denial wins, in any order" {
	local lines
	for lines in 'allow br0\ndeny br0' 'deny br0\nallow br0' 'allow all\ndeny br0' 'deny br0\nallow all' \
		'deny all\nallow br0' 'allow br0\nallow all\ndeny all'; do
		printf '%b\n' "$lines" >"$CONF"
		denied br0 "br0: access denied by acl file /etc/tapctl/bridge.conf"
	done
	conf 'deny br0' 'allow all'
	allowed br1
}

@test "access: blanks, comments, empty lines and no newline at the end" {
	printf '# allow br1\n\n   \t\n\t # deny br0\n \tallow \t br0 \t\r\n#' >"$CONF"
	allowed br0
	denied br1 "access denied"
	printf 'allow br0' >"$CONF"
	allowed br0
}

@test "access: without a file nothing is allowed" {
	denied br0 "br0: access denied: there is no access file, neither /etc/tapctl/bridge.conf nor /etc/qemu/bridge.conf"
	rmdir "$ETC/tapctl" "$ETC/qemu"
	denied br0 "there is no access file"
}

@test "access: qemu's file counts when tapctl's does not exist" {
	echo 'allow br0' >"$ETC/qemu/bridge.conf"
	allowed br0
	denied br1 "access denied by acl file /etc/qemu/bridge.conf"
	conf 'allow br1'
	allowed br1
	denied br0 "access denied by acl file /etc/tapctl/bridge.conf"
}

@test "access: a file that the caller may not read allows nothing, and the other one does not count" {
	conf 'allow br0'
	echo 'allow br0' >"$ETC/qemu/bridge.conf"
	chmod 600 "$CONF"
	denied br0 "br0: access denied: cannot read the access file /etc/tapctl/bridge.conf: Permission denied"
	chmod 644 "$CONF"
	chmod 700 "$ETC/tapctl"
	denied br0 "br0: access denied: cannot read the access file"
}

@test "access: an included file that a group may read lets in its members only" {
	conf 'include /etc/tapctl/staff.conf'
	echo 'allow br0' >"$ETC/tapctl/staff.conf"
	chgrp daemon "$ETC/tapctl/staff.conf"
	chmod 640 "$ETC/tapctl/staff.conf"
	denied br0 "br0: access denied by acl file"
	GROUPS_OF_CALLER=65534,$(id -g daemon) allowed br0
	GROUPS_OF_CALLER=$(id -g daemon) allowed br0
}

@test "access: the lines of an included file count as the file's own" {
	mkdir "$ETC/tapctl/a b"
	conf 'include /etc/tapctl/a b/1' 'include /nonexistent' 'include /etc/passwd/x' 'allow br1'
	printf 'allow br0\ninclude /etc/tapctl/2\n' >"$ETC/tapctl/a b/1"
	echo 'deny br1' >"$ETC/tapctl/2"
	allowed br0
	denied br1 "access denied"
}

@test "access: endless includes are refused" {
	conf 'allow br0' 'include /etc/tapctl/bridge.conf'
	denied br0 "/etc/tapctl/bridge.conf: includes are nested more than 8 deep"
	local n
	for n in 1 2 3 4 5 6 7; do echo "include /etc/tapctl/$((n + 1))" >"$ETC/tapctl/$n"; done
	echo 'allow br0' >"$ETC/tapctl/8"
	conf 'include /etc/tapctl/1'
	allowed br0
	echo 'include /etc/tapctl/9' >>"$ETC/tapctl/8"
	: >"$ETC/tapctl/9"
	denied br0 "/etc/tapctl/9: includes are nested more than 8 deep"
}

@test "access: a malformed line refuses everything, and is named" {
	local line
	while IFS= read -r line; do
		printf 'allow br0\n# two\n%b\n' "$line" >"$CONF"
		denied br0 "/etc/tapctl/bridge.conf line 3: "
	done <<-'END'
		allow
		deny
		include
		allow br0 # a bridge
		allow br0 br1
		permit br1
		Allow br1
		denybr1
		deny-all br1
		allow-links br1
		allow a/b
		allow 1234567890123456
		deny \xc3\xa0
		include bridge.conf
		include ./x
		allow br1\x00
		\x00
		=
	END
	echo 'include /etc/tapctl/other' >"$CONF"
	printf 'allow br0\nnonsense\n' >"$ETC/tapctl/other"
	denied br0 "/etc/tapctl/other line 2: 'nonsense' is not allow, deny, allow-link, deny-link or include"
}

@test "access: a file that every user may write is refused, included or not" {
	conf 'allow br0'
	chmod o+w "$CONF"
	denied br0 "/etc/tapctl/bridge.conf: is writable by everybody"
	chmod o-w "$CONF"
	conf 'allow br0' 'include /etc/tapctl/other'
	: >"$ETC/tapctl/other"
	allowed br0
	chmod o+w "$ETC/tapctl/other"
	denied br0 "/etc/tapctl/other: is writable by everybody"
}

@test "access: a file that is not root's is refused, though one that it includes may be any user's" {
	conf 'allow br0'
	chown nobody "$CONF"
	denied br0 "/etc/tapctl/bridge.conf: does not belong to root"
	chown root "$CONF"
	conf 'include /etc/tapctl/other'
	echo 'allow br0' >"$ETC/tapctl/other"
	chown daemon "$ETC/tapctl/other"
	allowed br0
}

@test "access: what is not a regular file is refused, without waiting for a pipe" {
	mkdir "$CONF"
	denied br0 "/etc/tapctl/bridge.conf: is not a regular file"
	rmdir "$CONF"
	mkfifo "$CONF"
	denied br0 "/etc/tapctl/bridge.conf: is not a regular file"
	rm "$CONF"
	ln -s bridge.conf "$CONF"
	denied br0 "/etc/tapctl/bridge.conf: cannot open it"
}

@test "access: a caller who is short of files on purpose does not lose the denials of an included one" {
	conf 'allow br0' 'include /etc/tapctl/denials'
	echo 'deny br0' >"$ETC/tapctl/denials"
	local n short=0
	for n in {4..12}; do
		run --separate-stderr as_caller sh -c 'ulimit -n "$0"; exec "$@"' "$n" \
			"$PUBLIC/tapctl" exec --bridge br0 --mac $MAC -- "$PROBE"
		echo "$n: $status: $stderr"
		[ "$status" != 0 ]
		[ "$(links)" = "$before" ]
		[[ $stderr != *"/etc/tapctl/denials: cannot open it: Too many open files"* ]] || short=1
	done
	[ $short = 1 ]
}

@test "access: a file that is read only in part allows nothing, as it may lack denials" {
	requires_plain_build
	conf 'allow br0'
	run --separate-stderr as_root strace -u nobody -o /dev/null -P /etc/tapctl/bridge.conf \
		-e inject=read:error=EIO:when=2 "$PUBLIC/tapctl" exec --bridge br0 --mac $MAC -- "$PROBE"
	refused_with 125 "/etc/tapctl/bridge.conf: cannot read it: Input/output error"
}

@test "access: a bridge's alternative name works like its own, and is no way around a denial" {
	ip link property add dev br0 altname lan
	conf 'allow br0'
	allowed lan
	conf 'allow all' 'deny br0'
	denied lan "br0: access denied"
}

@test "access: of two NICs both have to be allowed" {
	conf 'allow br0'
	run_caller exec --mac $MAC --bridge br0 --mac 52:54:00:00:00:0b --bridge br1 -- "$PROBE"
	refused_with 125 "br1: access denied"
	conf 'allow all'
	run_caller exec --mac $MAC --bridge br0 --mac 52:54:00:00:00:0b --bridge br1 -- "$PROBE"
	[ "$status" = 0 ]
	got '.fds["4"].iff == "tap52540000000b"'
}

# --- macvtaps ---

# The caller's tapctl with what a macvtap needs, and a wire for it.
setup_macvtap() {
	requires_macvtap
	add_cable wire far
	before=$(links)
	setcap cap_net_admin,cap_dac_override,cap_sys_admin=ep "$PUBLIC/tapctl"
}
# exec --link of the caller, who finds the namespace's sysfs; $BARE: without device nodes
on_wire() { # [OPTION...] -- COMMAND...
	run --separate-stderr as_root sh -c 'mount -t sysfs sysfs /sys && eval "$BARE" && exec "$@"' sh \
		"${BECOME_CALLER[@]}" "$PUBLIC/tapctl" exec --link wire --mac $MAC "$@"
	printf '%s\n' "status $status" "stdout: $output" "stderr: $stderr"
}

@test "access: a macvtap's lower device is allowed by allow-link" {
	setup_macvtap
	conf 'allow wire' 'allow all'
	on_wire -- "$PROBE"
	refused_with 125 "wire: access denied" "no line says allow-link wire"
	conf 'allow-link all' 'deny-link wire'
	on_wire -- "$PROBE"
	refused_with 125 "wire: access denied"
	conf 'allow-link wire' 'deny wire'
	on_wire --mode passthru -- "$PROBE"
	refused_with 125 "--mode passthru: not permitted"
	on_wire --mode vepa -- "$PROBE"
	[ "$status" = 0 ]
	got '.fds["3"].device == $mvt' --arg mvt $MVT
	got 'all(.CapInh, .CapPrm, .CapEff, .CapAmb; . == "0000000000000000")'
	wait_until 10 no_link $MVT
	conf 'allow-link wire'
	denied br0 "access denied"
	# The capabilities for a macvtap's device open nothing else.
	conf 'allow-link wire' 'allow br0'
	chmod 600 "$PUBLIC/dev/tun"
	denied br0 "/dev/net/tun: opening it is forbidden"
	chmod 600 "$CONF"
	denied br0 "cannot read the access file"
	on_wire -- "$PROBE"
	refused_with 125 "cannot read the access file"
}

@test "access: the caller gets no device node of a macvtap, to open another guest's device later" {
	setup_macvtap
	conf 'allow-link wire'
	on_wire -- sh -c 'stat -L -c %u:%a /proc/self/fd/3; : <>/proc/self/fd/3'
	[ "$output" = 0:600 ]
	[[ $stderr = *"Permission denied"* ]]
	wait_until 10 no_link $MVT
	on_wire --queues 2 -- "$PROBE"
	got '[.fds["3", "4"].device] == [$mvt, $mvt]' --arg mvt $MVT
	wait_until 10 no_link $MVT
	# Not even with the capability to make nodes.
	setcap cap_net_admin,cap_dac_override,cap_mknod,cap_sys_admin=ep "$PUBLIC/tapctl"
	BARE='mount -t tmpfs tmpfs /dev && mknod -m 666 /dev/null c 1 3' on_wire -- "$PROBE"
	[ "$status" = 125 ]
	[[ $stderr = "tapctl: $MVT: it has no device node /dev/tap"*", and only root may make one" ]]
	wait_until 10 no_link $MVT
}

@test "access: a macvtap needs one more capability, and says so before it is made" {
	requires_macvtap
	add_cable wire far
	before=$(links)
	conf 'allow-link wire'
	run_caller exec --link wire --mac $MAC -- "$PROBE"
	refused_with 125 "--link: " "needs cap_dac_override and cap_sys_admin"
}

# --- what such a caller may say ---

@test "access: commands that no file allows are refused" {
	conf 'allow all' 'allow-link all'
	local words
	for words in "add --bridge br0 --mac $MAC" "del br0" "del --force $TAP" "del --stale" "pin br1"; do
		# shellcheck disable=SC2086 # they are words
		run_caller $words
		refused_with 1 "${words%% *}: not permitted for an unprivileged caller"
	done
}

@test "access: mac, list, --help and --version are for every caller" {
	for words in "mac $MAC" "mac --random" "list --all --holders --json" --help "exec --help" --version; do
		# shellcheck disable=SC2086 # they are words
		run_caller $words
		[ "$status" = 0 ]
		[ -n "$output" ]
	done
}

@test "access: each option that affects more than the caller's device is refused" {
	conf 'allow all' 'allow-link all'
	ip link set br1 type bridge vlan_filtering 1 || :
	tapctl add --bridge br0 --mac $MAC >/dev/null
	before=$(links)
	for option in --netns=1 --netns=/proc/self/ns/net --name=x --mtu=1400 --lock-mac --hairpin --vlan=10 --reuse \
		--user=nobody --user=root --no-audit; do
		run_caller exec --bridge br0 --mac $MAC $option -- "$PROBE"
		refused_with 125 "${option%%=*}: not permitted for an unprivileged caller"
		# Also when it stands alone as the next word.
		[ "$option" = "${option#*=}" ] || {
			run_caller exec --bridge br0 --mac $MAC "${option%%=*}" "${option#*=}" -- "$PROBE"
			refused_with 125 "${option%%=*}: not permitted for an unprivileged caller"
		}
	done
	run_caller exec --unattached --mac 52:54:00:00:00:0b -- "$PROBE"
	refused_with 125 "--unattached: "
	run_caller list --netns=/proc/self/ns/net
	refused_with 1 "--netns: "
	for option in --netns=1 --no-audit; do
		run_caller bridge-helper --br=br0 --fd=0 $option
		refused_with 1 "${option%%=*}: "
	done
}

@test "access: the other options are permitted" {
	conf 'allow br0'
	run_caller exec --bridge br0 --mac $MAC --queues 2 --isolated --no-vnet-hdr --vhost --fd 5 -v -- "$PROBE"
	[ "$status" = 0 ]
	got 'all(.fds["5", "6"]; .iff == $tap and .vnet_hdr == false)' --arg tap $TAP
	[[ $stderr = *"$TAP: made"* ]]
	run_caller exec --bridge br0 --isolated -- sh -c ": nic,mac=$MAC; cat /sys/class/net/$TAP/brport/isolated; exec ip -d -j link show $TAP"
	got '.[0].linkinfo.info_slave_data.isolated'
	# These only restrict the caller's own guest.
	run_caller exec --bridge br0 --ip 10.0.1.2 --limit-in 10mbit -- sh -c ": nic,mac=$MAC; tc -j filter show dev $TAP ingress; tc qdisc show dev $TAP root >&2"
	got 'any(.kind == "bpf")'
	[[ $stderr = *"qdisc tbf "*"rate 10Mbit"* ]]
}

@test "access: root needs no access file" {
	[ "$(as_root "$TAPCTL" exec --bridge br0 --mac $MAC -- echo ran)" = ran ]
	[ "$(as_root "$PUBLIC/tapctl" exec --bridge br0 --mac $MAC --name x -- echo ran)" = ran ]
}

@test "access: list and check use no capability" {
	requires_plain_build
	for words in "list --all --holders" check; do
		# shellcheck disable=SC2086 # they are words
		effective_at $words >"$WORK/calls"
		cat "$WORK/calls"
		grep -q '^0: socket(AF_NETLINK' "$WORK/calls"
		[ "$(grep -c '^1<<' "$WORK/calls")" = 0 ]
	done
}

@test "access: a holder can make its tap persistent and change its address; check tells, del removes" {
	conf 'allow br0'
	run_caller exec --bridge br0 --mac $MAC -- /usr/bin/python3 -c '
import fcntl, os, struct
fcntl.ioctl(3, 0x400454CB, 1)  # TUNSETPERSIST
name = os.environ["TAPCTL_IFNAME"].encode()
fcntl.ioctl(3, 0x8924, struct.pack("16sH6s16x", name, 1, bytes.fromhex("020000000099")))  # SIOCSIFHWADDR
'
	[ "$status" = 0 ]
	[ "$(link_field $TAP .address)" = 02:00:00:00:00:99 ]
	run_caller check --json $TAP
	[ "$status" = 1 ]
	got 'any(.[]; .id == "address-changed")'
	tapctl del $TAP
	no_link $TAP
}

# --- the program itself ---

@test "access: tapctl with a setuid or setgid bit refuses to run" {
	conf 'allow br0'
	for bits in u+s g+s ug+s; do
		setcap -r "$PUBLIC/tapctl" 2>/dev/null || :
		chmod "a-s,$bits" "$PUBLIC/tapctl"
		for words in "exec --bridge br0 --mac $MAC -- $PROBE" "list" "mac $MAC" "exec --user nosuch -- true"; do
			# shellcheck disable=SC2086 # they are words
			run_caller $words
			# The sanitizers have words of their own here.
			[ "$status" != 0 ]
			[[ ${stderr_lines[0]} = "tapctl: tapctl must not be setuid or setgid"* ]]
			[ "$(links)" = "$before" ]
		done
	done
}

@test "access: the caller's environment, locale and popt files change nothing" {
	conf 'allow br0'
	mkdir "$PUBLIC/home"
	printf 'tapctl alias --evil --bridge br0\ntapctl exec --run sh\n' >"$PUBLIC/home/.popt"
	printf 'tapctl alias --evil --bridge br0\n' >"$ETC/popt"
	run --separate-stderr as_caller env HOME="$PUBLIC/home" "$PUBLIC/tapctl" exec --evil --mac $MAC -- "$PROBE"
	refused_with 125 "--evil: unknown option"
	run --separate-stderr as_caller env -i HOME="$PUBLIC/home" LANG=xx LC_ALL=de_DE.UTF-8 LANGUAGE=de:fr NLSPATH=/x/%N \
		POSIXLY_CORRECT=1 LD_PRELOAD=/nonexistent.so LD_DEBUG=all SUDO_UID=0 PATH="$PATH" \
		"$PUBLIC/tapctl" exec --bridge br0 --mac $MAC -- "$PROBE"
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	got '.fds["3"].iff == $tap' --arg tap $TAP
	run --separate-stderr as_caller env LC_ALL=de_DE.UTF-8 LANGUAGE=de "$PUBLIC/tapctl" exec --mac -- "$PROBE"
	refused_with 125 "--mac: missing argument"
}

# What tapctl does in the order of it, a line a call, with the capabilities that were effective then.
effective_at() { # TAPCTL-WORDS...
	as_root strace -f -u nobody -o "$WORK/log" -e trace=capset,openat,ioctl,sendto,execve,socket "$PUBLIC/tapctl" "$@" \
		>/dev/null
	awk '{ sub(/^[0-9]+ +/, "") }
		/^capset/ { match($0, /effective=[^,]*/); now = substr($0, RSTART + 10, RLENGTH - 10); next }
		now != "" { print now ": " $0 }' "$WORK/log"
}

@test "access: the capability is effective where it is needed, and nowhere else" {
	requires_plain_build
	conf 'allow br0'
	effective_at exec --bridge br0 --mac $MAC -- "$PROBE" >"$WORK/calls"
	cat "$WORK/calls"
	grep -q '^1<<CAP_NET_ADMIN: ioctl(.*TUNSETIFF' "$WORK/calls"
	grep -q '^1<<CAP_NET_ADMIN: socket(AF_NETLINK.*NETLINK_ROUTE' "$WORK/calls"
	grep -q '^0: openat(.*"/etc/tapctl/bridge.conf"' "$WORK/calls"
	grep -q "^0: execve(\"$PROBE\"" "$WORK/calls"
	[ "$(grep -c '^1<<' "$WORK/calls")" -le 8 ]
	[ "$(grep '^1<<' "$WORK/calls" | grep -cvE 'TUNSETIFF|TUNSETOWNER|NETLINK_ROUTE|sendto|/dev/net/tun|SIOCGIF(INDEX|HWADDR)|socket\(')" = 0 ]
}

@test "access: COMMAND does not run when the capabilities were not dropped" {
	requires_plain_build
	conf 'allow br0'
	effective_at exec --bridge br0 --mac $MAC -- "$PROBE" >/dev/null
	last=$(grep -c 'capset(' "$WORK/log")
	for fault in error=EPERM retval=0; do
		run --separate-stderr as_root strace -u nobody -o /dev/null -e inject=capset:$fault:when="$last" \
			"$PUBLIC/tapctl" exec --bridge br0 --mac $MAC -- "$PROBE"
		refused_with 125 "cannot clear the capabilities for COMMAND"
		[ -z "$output" ]
	done
}

@test "access: without file capabilities the caller's are its own, whatever a security module says" {
	requires_plain_build
	for error in ENODATA EOPNOTSUPP; do
		run --separate-stderr as_root strace -u nobody -o /dev/null -e inject=getxattr:error=$error \
			"$PUBLIC/tapctl" exec --bridge br0 --mac $MAC --name x -- "$PROBE"
		[ "$status" = 0 ]
		got '.fds["3"].iff == "x"'
	done
	for error in EACCES ENOENT; do
		run --separate-stderr as_root strace -u nobody -o /dev/null -e inject=getxattr:error=$error \
			"$PUBLIC/tapctl" exec --bridge br0 --mac $MAC --name x -- "$PROBE"
		refused_with 125 "--name: not permitted"
	done
}

@test "access: a caller who kills tapctl at any moment leaves nothing" {
	conf 'allow br0'
	for signal in INT TERM HUP KILL; do
		for call in ioctl:when=1 ioctl:when=2 sendto:when=1 sendto:when=2 sendto:when=3 capset:when=6; do
			as_root strace -f -u nobody -o /dev/null -e trace="${call%%:*}" \
				-e inject="${call%%:*}:signal=$signal:${call#*:}" \
				"$PUBLIC/tapctl" exec --bridge br0 --mac $MAC -- "$PROBE" >/dev/null 2>&1 || :
			[ "$(links)" = "$before" ]
		done
	done
}

@test "access: a file's capabilities take the place of the caller's ambient ones, and the refusal says so" {
	requires_plain_build
	cp "$PUBLIC/tapctl" "$PUBLIC/plain"
	with_ambient() {
		run --separate-stderr as_root setpriv --reuid nobody --regid nogroup --clear-groups \
			--inh-caps +net_admin --ambient-caps +net_admin "$@"
		printf '%s\n' "status $status" "stderr: $stderr"
	}
	with_ambient "$PUBLIC/tapctl" exec --bridge br0 --mac $MAC --name x -- "$PROBE"
	refused_with 125 "--name: not permitted for an unprivileged caller of a tapctl with file capabilities: run it with sudo (other ways: tapctl(8), ACCESS)"
	with_ambient "$PUBLIC/plain" exec --bridge br0 --mac $MAC --name x -- "$PROBE"
	[ "$status" = 0 ]
	got '.fds["3"].iff == "x"'
}
