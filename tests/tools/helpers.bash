# What the bats files share. Each test has a network namespace of its own, $NS; ip, bridge, tc and tapctl
# work in it, and everything in it is gone afterwards.
# shellcheck shell=bash disable=SC2034,SC2154 # used by the files that load this, set by run

bats_require_minimum_version 1.8.0

setup_namespace() {
	[ -w /dev/net/tun ] || skip "/dev/net/tun is not for this user"
	NS=t$BASHPID
	command ip netns add "$NS" || return
	ip -n "$NS" link set lo up
	WORK=$BATS_TEST_TMPDIR
	# Where docker is, what bridges forward meets its rules, and fragments become whole packets again.
	[ ! -e /proc/sys/net/bridge ] ||
		inside sysctl -qw net.bridge.bridge-nf-call-{ip,ip6,arp}tables=0
}

# Whatever the test started in its namespaces goes with them.
teardown_namespace() {
	local ns
	for ns in /run/netns/*; do
		[ -e "$ns" ] || continue
		command ip netns pids "${ns##*/}" | xargs -r kill -KILL 2>/dev/null
		command ip netns del "${ns##*/}"
	done
	[ -z "${PUBLIC:-}" ] || rm -rf "$PUBLIC"
}

setup() { setup_namespace; }
teardown() { teardown_namespace; }

# A stand-in for a VMM: $PROBE. For setup_file.
build_probe() {
	export PROBE=$BATS_FILE_TMPDIR/probe
	${CC:-cc} -D_GNU_SOURCE -o "$PROBE" "$TESTS/tools/probe.c"
}

# Run a program in the test's namespace. bats has fd 3 for itself: commands do not get it.
inside() { nsenter --net="/run/netns/$NS" -- "$@" 3>&- 4>&-; }
# with_vhost_node RUN some|none COMMAND...: RUN, as inside, with a /dev of its own. tapctl only opens
# /dev/vhost-net and passes it on: for its place any node of that name will do.
with_vhost_node() {
	"$1" unshare --mount sh -euc '
		mount -t tmpfs tmpfs /mnt
		mkdir /mnt/net
		mknod /mnt/null c 1 3
		mknod /mnt/net/tun c 10 200
		[ "$1" = none ] || mknod /mnt/vhost-net c 1 5
		mount --bind /mnt /dev
		shift
		exec "$@"
	' sh "${@:2}"
}
ip() { command ip -n "$NS" "$@" 3>&- 4>&-; }
bridge() { command bridge -n "$NS" "$@" 3>&- 4>&-; }
tc() { inside tc "$@"; }
tapctl() { inside "$TAPCTL" "$@"; }
# The same in another namespace.
inside_of() { nsenter --net="/run/netns/$1" -- "${@:2}" 3>&- 4>&-; }
# A process in the background, $pid, in the test's namespace.
spawn() {
	nsenter --net="/run/netns/$NS" -- "$@" >"$WORK/log" 2>&1 </dev/null 3>&- 4>&- &
	pid=$!
}

# COUNT guests at once, each of which ends well and says nothing: exec_at_once COUNT OPTION...
exec_at_once() {
	local k pids=()
	for ((k = 0; k < $1; k++)); do
		nsenter --net="/run/netns/$NS" "$TAPCTL" exec "${@:2}" --mac "$(printf '52:54:00:00:01:%02x' "$k")" -- \
			true >"$WORK/log.$k" 2>&1 </dev/null 3>&- 4>&- &
		pids+=($!)
	done
	for k in "${pids[@]}"; do
		wait "$k" || echo "exec ended with $?" >>"$WORK/log.failed"
	done
	cat "$WORK"/log.*
	[ -z "$(cat "$WORK"/log.*)" ]
}

# Two programs in $WORK, where the test is then: keeper has the fd 3 that giver sends it until a line,
# or the end, comes in. It says "listening", and "have 1".
make_keeper() {
	cd "$WORK" || return
	cat >keeper <<-'END'
		import socket, sys
		listener = socket.socket(socket.AF_UNIX)
		listener.bind("socket")
		listener.listen()
		print("listening", flush=True)
		connection = listener.accept()[0]
		fds = socket.recv_fds(connection, 1, 1)[1]
		print("have", len(fds), flush=True)
		connection.send(b".")
		sys.stdin.readline()
	END
	cat >giver <<-'END'
		import socket
		connection = socket.socket(socket.AF_UNIX)
		connection.connect("socket")
		socket.send_fds(connection, [b"x"], [3])
		connection.recv(1)
	END
}

# run, with standard error apart: $output, $stderr, $status. All are shown when the test fails.
run_tapctl() {
	echo "\$ tapctl $*"
	run --separate-stderr tapctl "$@"
	printf '%s\n' "status $status" "stdout: $output" "stderr: $stderr"
}
# The same, which has to succeed and to say nothing.
run_quiet() {
	run_tapctl "$@"
	[ "$status" = 0 ]
	[ -z "$stderr" ]
}
stderr_holds() { # WORD...
	local word
	for word; do
		[[ $stderr = *"$word"* ]] || { echo "no '$word' in the error"; return 1; }
	done
}

# Skip with a reason; under STRICT=1 that is counted as a failure by tests/tools/run.
requires_root() {
	[ -z "$TAPCTL_TESTS_UNPRIVILEGED" ] || skip "needs root outside a user namespace"
}
requires_macvtap() {
	requires_root
	inside ip link add link lo name probe type macvtap 2>&1 | grep -q 'not supported\|Unknown' &&
		skip "this kernel has no macvtap"
	return 0
}
# The search for leaks, which a program with capabilities of its own cannot be told to leave out, fails where
# the program is traced or does not see its own /proc.
requires_plain_build() { [ -z "${SANITIZED_RUN:-}" ] || skip "the search for leaks stands in the way: done by the plain build"; }
requires_vhost() { [ -c /dev/vhost-net ] || skip "no /dev/vhost-net here"; }
requires_vlan_filtering() {
	ip link add vlanprobe type bridge vlan_filtering 1 2>/dev/null || :
	[ "$(link_field vlanprobe .linkinfo.info_data.vlan_filtering)" = 1 ] ||
		skip "the bridges of this kernel have no VLAN filtering"
	ip link del vlanprobe
}
# What kernels before 5.18 do not know they ignore.
has_locked_ports() {
	ip link add lockbridge type bridge
	ip tuntap add lockport mode tap
	ip link set lockport master lockbridge
	local locked
	locked=$(link_field lockport .linkinfo.info_slave_data.locked)
	ip link del lockport
	ip link del lockbridge
	[ "$locked" = false ]
}
requires_locked_ports() { has_locked_ports || skip "the bridges of this kernel cannot lock a port"; }
requires_guest() {
	[ -z "${TAPCTL_TESTS_VM-}" ] || skip "a guest in a guest, both emulated, takes minutes to boot"
	[ -e "$GUEST/guest.cpio" ] || skip "no guest could be built: see build/check/guest.log"
}

# A bridge that is up, pinned to an address that is lower than any fe one.
add_bridge() {
	ip link add "$1" type bridge
	ip link set "$1" address 02:00:00:00:00:01 up
}

# The address of a link of that name, lower than any fe one: a bridge takes it from the lowest of its ports.
address_of() { md5sum <<<"$1" | sed 's/\(..\)\(..\)\(..\).*/02:00:00:\1:\2:\3/'; }

# A cable: veth @1 here and @2 in the namespace @3 (made if it is not there; default: here).
add_cable() {
	local near far
	near=$(address_of "$1 $2 ${3-}")
	far=$(address_of "$2 $1 ${3-}")
	if [ $# = 3 ]; then
		[ -e "/run/netns/$3" ] || command ip netns add "$3"
		ip link add "$1" address "$near" type veth peer name "$2" address "$far" netns "$3"
		command ip -n "$3" link set "$2" up
	else
		ip link add "$1" address "$near" type veth peer name "$2" address "$far"
		ip link set "$2" up
	fi
	ip link set "$1" up
}

# One field of one link, as ip(8) sees it: link_field NAME .mtu
link_field() { ip -d -j link show "$1" | jq -r ".[0]$2"; }
links() { ip -j link show | jq -r '.[].ifname' | sort; }
# Fails when the link is there.
no_link() { ! ip link show "$1" >/dev/null 2>&1 || { echo "$1 is there"; return 1; }; }
# The processes that remove macvtaps of the test's namespace.
watchers() {
	local process
	for process in $(pgrep -x tapctl-watcher); do
		[ ! "/proc/$process/ns/net" -ef "/run/netns/$NS" ] || echo "$process"
	done
}
no_watchers() { [ -z "$(watchers)" ]; }

# Whether jq's filter holds for the JSON on standard input: holds FILTER [JQ OPTION...]. False and null
# fail, and so does no input at all, with which jq 1.6 -e succeeds.
holds() {
	local input
	input=$(cat)
	jq -n -e "${@:2}" "input | ($1)" <<<"$input" >/dev/null || { echo "not so: $*: $input"; return 1; }
}
# The same for $output.
got() { holds "$@" <<<"$output"; }

# Wait until a command succeeds: for what no event tells. wait_until SECONDS COMMAND...
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		if [ $SECONDS -ge $end ]; then
			echo "waited in vain for: $*"
			return 1
		fi
		read -rt 0.02 <> <(:) || :
	done
}

# tapctl WORDS, which stands still behind its Nth CALL until go_on.
stop_behind() { # CALL N WORD...
	nsenter --net="/run/netns/$NS" -- strace -o "$WORK/trace" -e "trace=$1" -e "inject=$1:signal=STOP:when=$2" \
		"$TAPCTL" "${@:3}" >"$WORK/stdout" 2>"$WORK/stderr" </dev/null 3>&- 4>&- &
	stopped=$!
	wait_until 20 grep -qs "stopped by SIGSTOP" "$WORK/trace"
}
go_on() {
	pkill -CONT -P "$stopped"
	status=0
	wait "$stopped" || status=$?
	output=$(<"$WORK/stdout") stderr=$(<"$WORK/stderr")
	printf '%s\n' "status $status" "stdout: $output" "stderr: $stderr"
	rm "$WORK/trace"
}

# A caller without privilege: $PUBLIC is a place that every user may see, with a copy of tapctl that
# carries CAPABILITIES, and $ETC is what the caller will find as /etc.
make_caller() { # [CAPABILITIES]
	requires_root
	PUBLIC=$(mktemp -d /run/public.XXXXXX) ETC=$PUBLIC/etc
	chmod 755 "$PUBLIC"
	mkdir -p "$ETC/tapctl" "$ETC/qemu" "$PUBLIC/dev"
	cp /etc/passwd /etc/group "$ETC"
	mknod -m 666 "$PUBLIC/dev/tun" c 10 200
	cp "$TAPCTL" "$PUBLIC/tapctl"
	setcap "${1:-cap_net_admin=ep}" "$PUBLIC/tapctl" || skip "no file capabilities here"
	IN_PLACE=(nsenter --net="/run/netns/$NS" -- unshare --mount --propagation private bash -c '
		mount --bind "$0/etc" /etc && mount --bind "$0/dev" /dev/net && exec "$@"' "$PUBLIC")
	# Not with the PATH of root, which may lead where others may not go.
	BECOME_CALLER=(setpriv --reuid nobody --regid nogroup --groups 65534 -- env
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
}
# Run a program as nobody, in $GROUPS_OF_CALLER too, or as root; both find $ETC and everybody's /dev/net/tun.
# The arrays are for what has to be one process.
as_caller() { as_root "${BECOME_CALLER[@]/65534/${GROUPS_OF_CALLER:-65534}}" "$@"; }
as_root() { "${IN_PLACE[@]}" "$@" 3>&- 4>&-; }
