# What the files about trace share: a guest, a bridge, something beyond it, and what takes frames.
# shellcheck shell=bash disable=SC2034,SC2154 # set and used by the files that load this

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
	guest --unattached -- $A 198.51.100.2 ping=192.0.2.9 via=198.51.100.1
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
