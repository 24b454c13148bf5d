# What the files about trace share: a guest, a bridge, something beyond it, what takes frames; and a table of
# set-ups, broken_NAME and sound_NAME. They are all made and traced, some at a time, before a file's first
# test: a test in one line then looks at what was said of one.
# shellcheck shell=bash disable=SC2034,SC2086,SC2119,SC2120,SC2154,SC2317 # set and used by the files that load this; lists of words

A=52:54:00:84:e3:62 TAP=tap52540084e362 MVT=mvt52540084e362
B=52:54:00:84:e3:63

# br0 with an uplink to another namespace, where 192.0.2.1 answers.
sound() {
	ip link add br0 type bridge
	add_far uplink
	ip link set uplink address 02:00:00:00:00:02
	ip link set uplink master br0
	ip link set br0 up
	far ip address add 192.0.2.1/24 dev far
}
# A cable to there: @1 here, and far there.
add_far() {
	FAR=${FAR:-far$NS}
	add_cable "$1" far "$FAR"
}
far() { inside_of "$FAR" "$@"; }
far_mac() { far ip -j link show far | jq -r '.[0].address'; }

# guest NIC-OPTION... -- MAC IP WORD...: a guest that is running (see guest.py).
guest() {
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	BEGUN=$WORK/begun nsenter --net="/run/netns/$NS" -- "$TAPCTL" exec --no-vnet-hdr --mac "$1" "${options[@]}" -- \
		python3 "$TESTS/tools/guest.py" "$@" >>"$WORK/log" 2>&1 </dev/null 3>&- 4>&- &
	wait_until 20 test -e "$WORK/begun" || { cat "$WORK/log"; return 1; }
	rm "$WORK/begun"
}
asking() { sound; guest --bridge br0 "$@" -- $A 192.0.2.2 arp=192.0.2.1; }
pinging() { sound; guest --bridge br0 "$@" -- $A 192.0.2.2 ping=192.0.2.1; }
# A guest behind the host, which has no address on its tap yet.
routed_guest() {
	add_far uplink
	ip address add 192.0.2.1/24 dev uplink
	far ip address add 192.0.2.9/24 dev far
	far ip route add 198.51.100.0/24 via 192.0.2.1
	inside sysctl -qw net.ipv4.ip_forward=1
	guest --unattached "$@" -- $A 198.51.100.2 ping=192.0.2.9 via=198.51.100.1
}
routed() {
	routed_guest
	ip address add 198.51.100.1/24 dev $TAP
	inside ping -c 1 -w 5 192.0.2.9 >/dev/null
}
# At the priority of filters there: at 0, br_netfilter may have taken the packet out.
bridge_rule() { inside nft "add table bridge t; add chain bridge t c { type filter hook $1 priority -200; }; add rule bridge t c ${*:2}"; }
netdev_rule() { inside nft "add table netdev t; add chain netdev t c { type filter hook ingress device $1 priority 0; }; add rule netdev t c ${*:2}"; }
tc_drop() { # DEVICE ingress|egress
	tc qdisc replace dev "$1" clsact
	tc filter add dev "$1" "$2" protocol all bpf da bytecode '1,6 0 0 2'
}
far_asks() { far bash -c 'while :; do ip neigh flush dev far; ping -c 1 -W 1 192.0.2.2; done' >/dev/null 2>&1 & }
far_pings() { far bash -c 'while :; do ping -c 1 -W 1 192.0.2.2; sleep 0.1; done' >/dev/null 2>&1 & }

# The uplink stands on another device: a VLAN or, where the kernel has none, a macvlan.
stacked() {
	sound
	ip link set uplink nomaster
	if ip link add link uplink name upper type vlan id 10 2>/dev/null; then
		far_vlan "${1:-10}"
	else
		[ -z "${1-}" ] || skip_row "this kernel has no VLANs"
		ip link add link uplink name upper type macvlan mode passthru || skip_row "this kernel has no macvlan"
	fi
	ip link set upper master br0 up
	guest --bridge br0 -- $A 192.0.2.2 arp=192.0.2.1
}
far_vlan() { # VID
	far ip address del 192.0.2.1/24 dev far
	far ip link add link far name far10 type vlan id "$1"
	far ip address add 192.0.2.1/24 dev far10
	far ip link set far10 up
}
# A bond, or a VLAN on one.
bonded() { # [vlan]
	local port=bond0
	sound
	ip link set uplink nomaster
	ip link add bond0 type bond mode active-backup 2>/dev/null || skip_row "this kernel has no bonding"
	ip link set uplink down
	ip link set uplink master bond0
	ip link set bond0 up
	if [ "${1-}" = vlan ]; then
		ip link add link bond0 name upper type vlan id 10 || skip_row "this kernel has no VLANs"
		far_vlan 10
		port=upper
	fi
	ip link set "$port" master br0 up
	guest --bridge br0 -- $A 192.0.2.2 arp=192.0.2.1
}
macvtap() {
	has_macvtap || skip_row "this kernel has no macvtap"
	add_far wire
	far ip address add 192.0.2.1/24 dev far
	guest --link wire "$@" -- $A 192.0.2.2 ping=192.0.2.1
}
has_macvtap() { [ -z "$TAPCTL_TESTS_UNPRIVILEGED" ] && ip link add link lo name probe type macvtap 2>&1 | grep -vq 'not supported\|Unknown'; }

# --- run them: those whose test is run ---

wanted() {
	sed -nE 's/^@test "([^"]*)" \{ (broken|flows) ([a-z0-9_]+).*/\1\t\2_\3/p' "$BATS_TEST_FILENAME" |
		FILTER=${FILTER:-.} awk -F '\t' '$1 ~ ENVIRON["FILTER"] { sub("^flows", "sound", $2); print $2 }'
}

skip_row() { echo "$1" >"$DIR/$ROW.skip"; exit 0; }

row() { # NAME: in a namespace of its own
	ROW=$1 NS=r$BASHPID WORK=$DIR/$1
	mkdir "$WORK"
	command ip netns add "$NS"
	ip link set lo up
	if "$1"; then
		run_trace
	else
		echo "the set-up failed"
	fi
	for ns in "$NS" "far$NS"; do
		[ -e "/run/netns/$ns" ] || continue
		command ip netns pids "$ns" | xargs -r kill -KILL 2>/dev/null
		command ip netns del "$ns"
	done
}
run_trace() {
	local device=$TAP status=0
	ip link show $MVT >/dev/null 2>&1 && device=$MVT
	wait_until 5 device_up $device
	inside "$TAPCTL" trace --json --seconds 2 $device >"$DIR/$ROW.json" || status=$?
	echo $status >"$DIR/$ROW.status"
}
device_up() { ip link show "$1" | grep -q '[<,]UP[,>]'; }

setup_file() {
	[ -w /dev/net/tun ] || return 0
	export DIR=$BATS_FILE_TMPDIR
	local name at_once=10
	# An emulated processor has enough with the programs of two.
	[ -z "${TAPCTL_TESTS_VM-}" ] || at_once=2
	for name in $(wanted); do
		while [ "$(jobs -pr | wc -l)" -ge $at_once ]; do wait -n || :; done
		(row "$name") >"$DIR/$name.log" 2>&1 3>&- 4>&- &
	done
	wait
}
# The tests that look at what was said have no namespace; those at the end make one.
setup() { [ -w /dev/net/tun ] || skip "/dev/net/tun is not for this user"; }
teardown() { [ -z "${NS-}" ] || teardown_namespace; }

# said NAME STATUS VERDICT WHERE FINDING: of what has that name.
said() {
	[ ! -e "$DIR/$1.skip" ] || skip "$(cat "$DIR/$1.skip")"
	cat "$DIR/$1.log"
	cat "$DIR/$1/log" "$DIR/$1.json" || :
	[ "$(cat "$DIR/$1.status")" = "$2" ]
	output=$(cat "$DIR/$1.json")
	got '.verdict == $v' --arg v "$3"
	[ -z "${4-}" ] || got '.where | contains($w)' --arg w "$4"
	[ -z "${5-}" ] || got '(.finding | tostring) == $f' --arg f "$5"
}
broken() { said "broken_$1" 1 "${@:2}"; }
flows() { said "sound_$1" 0 flows; }
