#!/usr/bin/env bats
# tapctl trace: guests of which something takes the frames, see trace.bash.
# shellcheck disable=SC2086,SC2317 # words are lists of words; row calls the functions
# bats file_tags=once
load ../tools/helpers
load trace

# --- what is broken: broken_NAME, and what trace has to say: the verdict's id, the first hop without
# the frames (or the last one with them), the finding of check's that explains it (null: none) ---

broken_silent() { sound; guest --bridge br0 -- $A 192.0.2.2 mute; }
broken_no_holder() { sound; tapctl add --bridge br0 --mac $A; }
broken_wrong_source() { sound; guest --bridge br0 -- $A 192.0.2.2 arp=192.0.2.1 from=$B; }
broken_own_tap() { sound; guest --bridge br0 -- $A 192.0.2.2 arp=192.0.2.1 from=fe${A#52}; }
broken_tc_ingress() { asking; tc_drop $TAP ingress; }
broken_ip() { asking --ip 192.0.2.3; }
broken_ip_ping() { sound; guest --bridge br0 --ip 192.0.2.3 -- $A 192.0.2.2 ping=192.0.2.1 to="$(far_mac)"; }
broken_ip_unattached() { routed_guest --ip 198.51.100.3; }
broken_ip_macvtap() { macvtap --ip 192.0.2.3; }
broken_ip_earlier() {
	sound
	tapctl add --bridge br0 --ip 192.0.2.3 --mac $A --no-vnet-hdr
	guest --reuse --bridge br0 --ip 192.0.2.3 -- $A 192.0.2.2 announce
	command ip netns pids "$NS" | xargs kill
	wait
	tapctl check $TAP | grep -q 'frames that --ip forbids' || return
	netdev_rule $TAP ether saddr $A drop
	guest --reuse --bridge br0 --ip 192.0.2.3 -- $A 192.0.2.3 announce
}
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
broken_peer_elsewhere() { pinging; elsewhere "$(far_mac)"; }
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
broken_macvtap_filter() {
	macvtap
	far ip neighbour replace 192.0.2.2 lladdr $A dev far nud permanent # nobody asks
	tc_drop $MVT egress
}
broken_macvtap_address() { macvtap; ip link set $MVT address $B; }

has_vlan_filtering() {
	ip link add vlanprobe type bridge vlan_filtering 1 2>/dev/null
	[ "$(link_field vlanprobe .linkinfo.info_data.vlan_filtering)" = 1 ] && ip link del vlanprobe
}

@test "trace: broken: the guest sends nothing" { broken silent guest-silent "$TAP" null; }
@test "trace: broken: nobody has the tap open" { broken no_holder guest-silent "$TAP" no-holder; }
@test "trace: broken: another address than its NIC's" { broken wrong_source wrong-source "sends as $B"; }
@test "trace: broken: its tap's own address" { broken own_tap wrong-source "sends as fe${A#52}"; }
@test "trace: broken: a tc filter on the tap" { broken tc_ingress stops-at-port "not at br0"; }
@test "trace: broken: --ip forbids the guest's address" { broken ip stops-at-port "not at br0" source-dropped; }
@test "trace: broken: --ip forbids it, and only IPv4 shows that" { broken ip_ping stops-before-uplink "not at uplink" source-dropped; }
@test "trace: broken: --ip forbids it on no bridge" { broken ip_unattached no-answer "as far as $TAP" source-dropped; }
@test "trace: broken: macvtap: --ip forbids it" { broken ip_macvtap guest-silent "$MVT" source-dropped; }
@test "trace: broken: --ip dropped frames before, and now something else does" { broken ip_earlier stops-at-port "not at br0" null; }
@test "trace: broken: nftables at the tap's ingress" { broken netdev_ingress stops-at-port "not at br0"; }
@test "trace: broken: nftables before the bridge" { broken prerouting stops-at-port "not at br0"; }
@test "trace: broken: a locked port without its entry" { broken locked stops-at-port "not at br0" locked-out; }
@test "trace: broken: a port that is switched off" { broken port_state stops-at-port "not at br0" port-blocked; }
@test "trace: broken: nftables in the bridge" { broken forward stops-before-uplink "not at uplink" firewall-drops; }
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
