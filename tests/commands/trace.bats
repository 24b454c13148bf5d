#!/usr/bin/env bats
# tapctl trace: guests of which something takes the frames, and guests who get through. All are set up and
# traced at once, some at a time, before the first test: each test then looks at what was said of one.
# shellcheck disable=SC2086,SC2317 # words are lists of words; row calls the functions
load ../tools/helpers
load trace

# --- the parts of a set-up ---

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
	guest --link wire -- $A 192.0.2.2 ping=192.0.2.1
}
has_macvtap() { [ -z "$TAPCTL_TESTS_UNPRIVILEGED" ] && ip link add link lo name probe type macvtap 2>&1 | grep -vq 'not supported\|Unknown'; }

# --- what is broken: broken_NAME, and what trace has to say: the verdict's id, the first hop without
# the frames (or the last one with them), the finding of check's that explains it (null: none) ---

broken_silent() { sound; guest --bridge br0 -- $A 192.0.2.2 mute; }
broken_no_holder() { sound; tapctl add --bridge br0 --mac $A; }
broken_wrong_source() { sound; guest --bridge br0 -- $A 192.0.2.2 arp=192.0.2.1 from=$B; }
broken_own_tap() { sound; guest --bridge br0 -- $A 192.0.2.2 arp=192.0.2.1 from=fe${A#52}; }
broken_tc_ingress() { asking; tc_drop $TAP ingress; }
broken_netdev_ingress() { asking; netdev_rule $TAP drop; }
broken_prerouting() { asking; bridge_rule prerouting ether saddr $A drop; }
broken_locked() { asking --lock-mac; bridge fdb del $A dev $TAP master static; }
broken_port_state() { asking; bridge link set dev $TAP state 0; }
broken_forward() { asking; bridge_rule forward iif $TAP drop; }
broken_isolated() { asking --isolated; bridge link set dev uplink isolated on; }
broken_flood() { asking; bridge link set dev uplink bcast_flood off; }
broken_uplink_egress() { asking; tc_drop uplink egress; }
broken_uplink_down() { asking; ip link set uplink down; }
broken_only_ipv4() { pinging; bridge_rule forward ether type ip drop; }
broken_not_there() { sound; far ip address del 192.0.2.1/24 dev far; guest --bridge br0 -- $A 192.0.2.2 arp=192.0.2.1; }
broken_no_dhcp() { sound; guest --bridge br0 -- $A 192.0.2.2 dhcp; }
broken_no_ping() { pinging; far sysctl -qw net.ipv4.icmp_echo_ignore_all=1; }
broken_no_neighbour() { sound; guest --bridge br0 -- $A 192.0.2.2 solicit=2001:db8::1; }
broken_answers_forward() { asking; bridge_rule forward iif uplink drop; }
broken_answers_netdev() { asking; netdev_rule uplink ether daddr $A drop; }
broken_tap_egress() { asking; tc_drop $TAP egress; }
elsewhere() { # MAC: the bridge has an entry for it at another port
	ip tuntap add other mode tap user root
	ip link set other master br0 up
	bridge fdb replace "$1" dev other master static sticky
}
broken_fdb_elsewhere() { asking; elsewhere $A; }
broken_peer_elsewhere() { pinging; elsewhere "$(far ip -j link show far | jq -r '.[0].address')"; }
broken_asks_not_flooded() {
	sound
	guest --bridge br0 -- $A 192.0.2.2 announce
	far_asks
	bridge link set dev $TAP bcast_flood off
}
broken_multicast_not_flooded() {
	sound
	guest --bridge br0 -- $A 192.0.2.2 mute
	ip link set br0 type bridge mcast_snooping 0
	bridge link set dev $TAP mcast_flood off
	far ip address add 2001:db8::1/64 dev far nodad
	far bash -c 'while :; do ping -c 1 -W 1 2001:db8::5054:ff:fe84:e362; sleep 0.1; done' >/dev/null 2>&1 &
}
# Nobody has told the bridge, which asks, that the guest listens to its own group.
broken_snooping() {
	sound
	guest --bridge br0 -- $A 192.0.2.2 mute
	ip address add fe80::1/64 dev br0 nodad
	ip link set br0 type bridge mcast_query_response_interval 10
	ip link set br0 type bridge mcast_querier 1
	far ip address add 2001:db8::1/64 dev far nodad
	far bash -c 'while :; do ping -c 1 -W 1 2001:db8::5054:ff:fe84:e362; sleep 0.1; done' >/dev/null 2>&1 &
}
broken_deaf() {
	sound
	guest --bridge br0 -- $A 192.0.2.2 mute
	bridge fdb replace $A dev $TAP master static
	far ip neighbour replace 192.0.2.2 lladdr $A dev far nud permanent
	far_pings
}
broken_idle() { sound; guest --bridge br0 -- $A 192.0.2.2 announce idle; far_pings; }
broken_host_output() {
	sound
	ip address add 192.0.2.3/24 dev br0
	guest --bridge br0 -- $A 192.0.2.2 arp=192.0.2.3
	tc_drop $TAP egress
}
broken_same_address() {
	sound
	far ip link set far address $A
	far ip link set far up
	far bash -c 'while :; do arping -c 1 -w 1 -I far 192.0.2.77; ping -c 1 -W 1 192.0.2.77; sleep 0.05; done' >/dev/null 2>&1 &
	guest --bridge br0 -- $A 192.0.2.2 arp=192.0.2.78
}
broken_below_egress() { stacked; tc_drop uplink egress; }
broken_below_ingress() { stacked; tc_drop uplink ingress; }
# A macvlan takes in what is for its own address.
broken_macvlan_uplink() {
	sound
	ip link set uplink nomaster
	ip link add link uplink name upper type macvlan mode bridge || skip_row "this kernel has no macvlan"
	ip link set upper master br0 up
	guest --bridge br0 -- $A 192.0.2.2 arp=192.0.2.1
}
broken_bond_egress() { bonded; tc_drop uplink egress; }
broken_vlan_bond_egress() { bonded vlan; tc_drop uplink egress; }
broken_vlan_other_tag() { stacked 11; }
broken_vlan_filtering() {
	has_vlan_filtering || skip_row "the bridges of this kernel have no VLAN filtering"
	asking
	ip link set br0 type bridge vlan_filtering 1
	bridge vlan del dev $TAP vid 1
	bridge vlan add dev $TAP vid 10 pvid untagged
}
broken_vlan_no_pvid() {
	has_vlan_filtering || skip_row "the bridges of this kernel have no VLAN filtering"
	sound
	ip link set br0 type bridge vlan_filtering 1 vlan_default_pvid 0
	bridge vlan add dev uplink vid 1 pvid untagged
	guest --bridge br0 -- $A 192.0.2.2 arp=192.0.2.1
}
broken_no_forwarding() { routed; inside sysctl -qw net.ipv4.ip_forward=0; }
broken_routed_no_way_back() { routed; far ip route del 198.51.100.0/24; }
broken_routed_drop() { routed; inside nft 'add table ip t; add chain ip t c { type filter hook forward priority 0; }; add rule ip t c iif uplink drop'; }
broken_routed_no_host() { routed_guest; }
broken_macvtap_not_there() { macvtap; far ip address del 192.0.2.1/24 dev far; }
broken_macvtap_ingress() { macvtap; tc_drop wire ingress; }
broken_macvtap_egress() { macvtap; tc_drop wire egress; }
broken_macvtap_filter() { macvtap; tc_drop $MVT egress; }
broken_macvtap_address() { macvtap; ip link set $MVT address $B; }

has_vlan_filtering() {
	ip link add vlanprobe type bridge vlan_filtering 1 2>/dev/null
	[ "$(link_field vlanprobe .linkinfo.info_data.vlan_filtering)" = 1 ] && ip link del vlanprobe
}

# --- who gets through: sound_NAME ---

sound_arp() { asking; }
sound_ping() { pinging; }
sound_from_outside() { sound; guest --bridge br0 -- $A 192.0.2.2 announce; far_pings; }
sound_protected() { pinging --lock-mac --isolated; }
sound_host_only() {
	add_bridge br0
	ip address add 192.0.2.1/24 dev br0
	guest --bridge br0 -- $A 192.0.2.2 ping=192.0.2.1
}
sound_host_beside_uplink() { sound; ip address add 192.0.2.3/24 dev br0; guest --bridge br0 -- $A 192.0.2.2 ping=192.0.2.3; }
sound_other_guest() {
	sound
	guest --bridge br0 -- $B 192.0.2.5
	guest --bridge br0 -- $A 192.0.2.2 ping=192.0.2.5
}
sound_neighbours() {
	sound
	far ip address add 2001:db8::1/64 dev far nodad
	guest --bridge br0 -- $A 192.0.2.2 solicit=2001:db8::1
	far ip route add fe80::/64 dev far 2>/dev/null || :
}
sound_stacked() { stacked; }
sound_bond() { bonded; }
sound_vlan_bond() { bonded vlan; }
sound_routed() { routed; }
sound_masqueraded() {
	routed
	far ip route del 198.51.100.0/24
	inside nft 'add table ip t; add chain ip t c { type nat hook postrouting priority 100; }; add rule ip t c oif uplink masquerade'
}
sound_macvtap() { macvtap; }
sound_macvtap_pair() {
	has_macvtap || skip_row "this kernel has no macvtap"
	add_far wire
	guest --link wire -- $B 192.0.2.5
	guest --link wire -- $A 192.0.2.2 ping=192.0.2.5
}
sound_foreign_tap() {
	sound
	ip link set br0 up
	guest --bridge br0 -- $A 192.0.2.2 ping=192.0.2.1
	ip link set $TAP alias ''
}
sound_two_uplinks() { sound; add_cable second there "$FAR"; ip link set second master br0; guest --bridge br0 -- $A 192.0.2.2 ping=192.0.2.1; }

# --- run them: those whose test is run ---

wanted() {
	grep -E "^@test \".*(${FILTER:-.})" "$BATS_TEST_FILENAME" |
		sed -nE 's/.*\{ (broken) ([a-z0-9_]+) .*/\1_\2/p; s/.*\{ flows ([a-z0-9_]+); .*/sound_\1/p'
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

@test "trace: broken: the guest sends nothing" { broken silent guest-silent "$TAP" null; }
@test "trace: broken: nobody has the tap open" { broken no_holder guest-silent "$TAP" no-holder; }
@test "trace: broken: another address than its NIC's" { broken wrong_source wrong-source "sends as $B"; }
@test "trace: broken: its tap's own address" { broken own_tap wrong-source "sends as fe${A#52}"; }
@test "trace: broken: a tc filter on the tap" { broken tc_ingress stops-at-port "not at br0"; }
@test "trace: broken: nftables at the tap's ingress" { broken netdev_ingress stops-at-port "not at br0"; }
@test "trace: broken: nftables before the bridge" { broken prerouting stops-at-port "not at br0"; }
@test "trace: broken: a locked port without its entry" { broken locked stops-at-port "not at br0" locked-out; }
@test "trace: broken: a port that is switched off" { broken port_state stops-at-port "not at br0" port-blocked; }
@test "trace: broken: nftables in the bridge" { broken forward stops-before-uplink "not at uplink" null; }
@test "trace: broken: port and uplink isolated" { broken isolated stops-before-uplink "not at uplink" null; }
@test "trace: broken: an uplink to which nothing is flooded" { broken flood stops-before-uplink "not at uplink"; }
@test "trace: broken: a tc filter on the uplink" { broken uplink_egress stops-before-uplink "not at uplink"; }
@test "trace: broken: an uplink that is down" { broken uplink_down stops-before-uplink "not at uplink" uplink-down; }
@test "trace: broken: IPv4 alone is dropped" { broken only_ipv4 stops-before-uplink "IPv4 from the guest: seen at $TAP, and not at uplink"; }
@test "trace: broken: an entry for the peer at another port" { broken peer_elsewhere stops-before-uplink "IPv4 from the guest: seen at $TAP, and not at uplink"; }
@test "trace: broken: nobody has the address" { broken not_there no-answer "as far as uplink, and not answered: who has 192.0.2.1"; }
@test "trace: broken: no DHCP server" { broken no_dhcp no-answer "DHCP from"; }
@test "trace: broken: ARP is answered, and IPv4 is not" { broken no_ping no-answer "IPv4 from"; }
@test "trace: broken: no IPv6 neighbour" { broken no_neighbour no-answer "IPv6 neighbours from"; }
@test "trace: broken: nftables drops the answers" { broken answers_forward stops-before-guest "seen at uplink, and not at $TAP"; }
@test "trace: broken: nftables drops them at the uplink" { broken answers_netdev stops-before-guest "seen at uplink, and not at $TAP"; }
@test "trace: broken: a tc filter to the guest" { broken tap_egress stops-before-guest "seen at uplink, and not at $TAP"; }
@test "trace: broken: an entry at another port" { broken fdb_elsewhere stops-before-guest "seen at uplink, and not at $TAP" guest-elsewhere; }
@test "trace: broken: broadcast is not flooded to the tap" { broken asks_not_flooded stops-before-guest "ARP to the guest"; }
@test "trace: broken: multicast is not flooded to the tap" { broken multicast_not_flooded stops-before-guest "IPv6 neighbours to the guest"; }
@test "trace: broken: multicast that the bridge snoops" { broken snooping stops-before-guest "IPv6 neighbours to the guest"; }
@test "trace: broken: the guest does not react" { broken deaf guest-ignores "IPv4 to the guest: seen at $TAP"; }
@test "trace: broken: the guest does not read" { broken idle guest-ignores "to the guest: seen at $TAP"; }
@test "trace: broken: the host's answers are dropped" { broken host_output stops-before-guest "seen at br0, and not at $TAP"; }
@test "trace: broken: another machine has the address" { broken same_address guest-elsewhere "uplink: frames from"; }
@test "trace: broken: below a VLAN" { broken below_egress stops-below-uplink "seen at upper, and not at uplink"; }
@test "trace: broken: answers below a VLAN" { broken below_ingress stops-at-uplink "seen at uplink, and not at upper"; }
@test "trace: broken: a macvlan as the uplink" { broken macvlan_uplink stops-at-uplink "seen at uplink, and not at upper"; }
@test "trace: broken: below a bond" { broken bond_egress stops-below-uplink "seen at bond0, and not at uplink"; }
@test "trace: broken: below a VLAN on a bond" { broken vlan_bond_egress stops-below-uplink "seen at upper, and not at uplink"; }
@test "trace: broken: beyond, another VLAN" { broken vlan_other_tag no-answer "as far as uplink"; }
@test "trace: broken: a VLAN that the uplink is not in" { broken vlan_filtering stops-before-uplink "not at uplink" vlan-not-on-uplink; }
@test "trace: broken: a port without PVID" { broken vlan_no_pvid stops-before-uplink "not at uplink" vlan-no-pvid; }
@test "trace: broken: the host does not route" { broken no_forwarding stops-before-uplink "seen at $TAP, and not at uplink" no-forwarding; }
@test "trace: broken: the way back is missing" { broken routed_no_way_back no-answer "as far as uplink"; }
@test "trace: broken: routed answers are dropped" { broken routed_drop stops-before-guest "seen at uplink, and not at $TAP"; }
@test "trace: broken: the host has no address there" { broken routed_no_host no-answer "who has 198.51.100.1"; }
@test "trace: broken: macvtap: nobody answers" { broken macvtap_not_there no-answer "as far as wire"; }
@test "trace: broken: macvtap: answers are dropped" { broken macvtap_ingress stops-before-guest "seen at wire, and not at $MVT"; }
@test "trace: broken: macvtap: dropped at the lower device" { broken macvtap_egress stops-before-uplink "seen at $MVT, and not at wire"; }
@test "trace: broken: macvtap: a filter takes all from the guest" { broken macvtap_filter guest-silent "$MVT"; }
@test "trace: broken: macvtap: it has another address" { broken macvtap_address stops-before-guest "seen at wire, and not at $MVT" not-guest-address; }

@test "trace: sound: ARP" { flows arp; }
@test "trace: sound: ping" { flows ping; }
@test "trace: sound: pinged from outside" { flows from_outside; }
@test "trace: sound: locked and isolated" { flows protected; }
@test "trace: sound: the host alone" { flows host_only; }
@test "trace: sound: the host, beside an uplink" { flows host_beside_uplink; }
@test "trace: sound: another guest" { flows other_guest; }
@test "trace: sound: IPv6 neighbours" { flows neighbours; }
@test "trace: sound: an uplink on another device" { flows stacked; }
@test "trace: sound: an uplink that is a bond" { flows bond; }
@test "trace: sound: an uplink that is a VLAN on a bond" { flows vlan_bond; }
@test "trace: sound: routed" { flows routed; }
@test "trace: sound: masqueraded" { flows masqueraded; }
@test "trace: sound: macvtap" { flows macvtap; }
@test "trace: sound: two macvtaps" { flows macvtap_pair; }
@test "trace: sound: a tap without a record" { flows foreign_tap; }
@test "trace: sound: two uplinks" { flows two_uplinks; }

# --- the command itself ---

@test "trace: a table that grows on a terminal, and only its end in a pipe" {
	setup_namespace
	pinging
	run_quiet trace --seconds 1 $TAP
	[ "$(grep -c '^ *from the guest' <<<"$output")" = 1 ]
	grep -qE "^uplink +([0-9]+|-) +- +[0-9]+ " <<<"$output"
	[ "${lines[-2]}" = "$TAP: frames go from the guest and to it" ]
	inside script -qec "'$TAPCTL' trace --seconds 1 $TAP" /dev/null >"$WORK/terminal"
	[ "$(grep -c 'from the guest   ' "$WORK/terminal")" -ge 3 ]
}

@test "trace: Ctrl-C ends it early, with the verdict" {
	setup_namespace
	pinging
	local start=$SECONDS
	nsenter --net="/run/netns/$NS" -- "$TAPCTL" trace -v --seconds 600 --json $TAP >"$WORK/out" 2>"$WORK/err" 3>&- 4>&- &
	pid=$!
	wait_until 10 grep -q 'uplink: listening' "$WORK/err"
	sleep 0.5
	kill -INT $pid
	wait $pid
	[ $((SECONDS - start)) -lt 60 ]
	holds '.verdict == "flows"' <"$WORK/out"
}

@test "trace: it changes nothing on the host" {
	setup_namespace
	pinging
	state() {
		ip -d -j link show | jq '.[] | .ifname, .flags, .promiscuity, .allmulti, .address, .qdisc'
		ip -4 -j addr show
		bridge -d -j link show
		inside nft list ruleset
		tc qdisc show
	}
	state >"$WORK/before"
	nsenter --net="/run/netns/$NS" -- "$TAPCTL" trace -v --seconds 2 $TAP >"$WORK/out" 2>"$WORK/err" 3>&- 4>&- &
	pid=$!
	wait_until 10 grep -q 'uplink: listening' "$WORK/err"
	state | diff - "$WORK/before"
	wait $pid
	state | diff - "$WORK/before"
}

@test "trace: what came too fast to be counted is said" {
	setup_namespace
	sound
	nsenter --net="/run/netns/$NS" -- "$TAPCTL" exec --bridge br0 --no-vnet-hdr --mac $A -- python3 -c '
import os, sys
open(sys.argv[1], "w").close()
while not os.path.exists(sys.argv[2]): pass
for i in range(40000): os.write(3, bytes.fromhex("ffffffffffff52540084e36288b5") + bytes(46))
open(sys.argv[3], "w").close()
while True: os.read(3, 2000)' "$WORK/begun" "$WORK/go" "$WORK/gone" >"$WORK/log" 2>&1 3>&- 4>&- &
	wait_until 10 test -e "$WORK/begun"
	nsenter --net="/run/netns/$NS" -- "$TAPCTL" trace -v --seconds 600 $TAP >"$WORK/out" 2>"$WORK/err" 3>&- 4>&- &
	pid=$!
	wait_until 10 grep -q 'uplink: listening' "$WORK/err"
	kill -STOP $pid
	touch "$WORK/go"
	wait_until 20 test -e "$WORK/gone"
	kill -INT $pid
	kill -CONT $pid
	wait $pid || [ $? = 1 ]
	cat "$WORK/out"
	grep -qE "^$TAP: [0-9]+ frames came too fast and were not counted$" "$WORK/out"
}

@test "trace: without CAP_NET_RAW, one line of error" {
	setup_namespace
	tapctl add --unattached --mac $A
	run --separate-stderr inside setpriv --bounding-set -net_raw "$TAPCTL" trace $TAP
	[[ $status = 1 && -z "$output" && "${#stderr_lines[@]}" = 1 ]]
	[[ "$stderr" == "tapctl: $TAP: listening on it is not permitted: it needs CAP_NET_RAW: "* ]]
}

@test "trace: a caller with the file's capabilities is refused" {
	setup_namespace
	requires_plain_build
	tapctl add --unattached --mac $A
	make_caller cap_net_admin,cap_net_raw=ep
	run --separate-stderr as_caller "$PUBLIC/tapctl" trace $TAP
	echo "$status $stderr"
	[[ $status = 1 && "$stderr" == "tapctl: trace: not permitted for an unprivileged caller: "* ]]
}

@test "trace: a wrong command line, and what is not a guest's device" {
	setup_namespace
	add_bridge br0
	local words
	for words in "" "$TAP $MVT" "--seconds 0 $TAP" "--seconds x $TAP" "--all $TAP"; do
		run_tapctl trace $words
		[[ $status = 2 && -z "$output" && -n "$stderr" ]]
	done
	for words in nosuch br0 $A; do
		run_tapctl trace $words
		[[ $status = 1 && -z "$output" && "${#stderr_lines[@]}" = 1 ]]
	done
	tapctl add --bridge br0 --mac $A
	tapctl add --unattached --mac $A --name second
	run_tapctl trace $A
	[[ $status = 1 && "$stderr" == *": name one" ]]
	# Nothing is known of a tap that another program has made.
	ip tuntap add foreign mode tap user root
	run_tapctl trace foreign
	[[ $status = 1 && "$stderr" == "tapctl: foreign: its guest's address is not known: "* ]]
}

@test "trace: by the guest's address, in another namespace, as a table and as JSON" {
	setup_namespace
	pinging
	run --separate-stderr "$TAPCTL" trace --json --seconds 1 --netns "$NS" 5254.0084.e362 3>&- 4>&-
	[[ $status = 0 && -z "$stderr" ]]
	got '.name == $tap and .guest_mac == $mac and .flows and .finding == null' --arg tap $TAP --arg mac $A
	got '[.hops[] | .name + ":" + .role] == [$tap + ":device", "br0:bridge", "uplink:uplink"]' --arg tap $TAP
	got 'all(.hops[]; .missed == 0 and (.from_guest | keys) == ["arp", "dhcp", "ipv4", "ipv6_neighbours", "other"])'
	got '.hops[0].from_guest.ipv4 > 0 and .hops[2].to_guest.ipv4 > 0'
}

@test "trace: on a switch of another kind, the device alone" {
	setup_namespace
	ip link add vrf0 type vrf table 10 2>/dev/null || ip link add vrf0 type team 2>/dev/null || ip link add vrf0 type bond 2>/dev/null ||
		skip "this kernel has no VRF, team or bond"
	guest --unattached -- $A 192.0.2.2 arp=192.0.2.1
	ip link set $TAP master vrf0
	run_tapctl trace --json --seconds 1 $TAP
	[ "$status" = 1 ]
	got '.verdict == "no-answer" and (.hops | length) == 1 and (.remedy | contains("ofproto/trace"))'
}

@test "trace: of a bridge with many ports, some are left out, and that is said" {
	setup_namespace
	sound
	for i in {1..20}; do
		echo "link add port$i type veth peer name end$i"
		echo "link set port$i master br0"
	done >"$WORK/batch"
	ip -batch "$WORK/batch"
	tapctl add --bridge br0 --mac $A
	run_tapctl trace --json --seconds 1 $TAP
	got '(.hops | length) == 16 and .ports_left_out == 7'
	run_tapctl trace --seconds 1 $TAP
	grep -qx '7 more ports of the bridge were not listened to' <<<"$output"
}
