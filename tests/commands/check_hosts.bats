#!/usr/bin/env bats
# tapctl check: hosts as other programs set them up, with traffic, of which nothing is said.
# shellcheck disable=SC2086 # names and addresses are one word each
load ../tools/helpers
load check
load healthy

@test "check is silent: firewalld, with libvirt's zone" {
	add_bridge virbr0
	ip addr add 192.0.2.1/24 dev virbr0
	guest_on --bridge virbr0
	routed
	masquerade
	inside nft -f - <<-'END'
		table inet firewalld {
			chain filter_FORWARD {
				type filter hook forward priority filter + 10; policy accept;
				ct state { established, related } accept
				ct status dnat accept
				iifname "lo" accept
				ct state invalid drop
				ip6 daddr { ::/96, 2002::/24 } reject with icmpv6 addr-unreachable
				jump filter_FORWARD_ZONES
				reject with icmpx admin-prohibited
			}
			chain filter_FORWARD_ZONES {
				iifname "virbr0" goto filter_FWD_libvirt
				goto filter_FWD_public
			}
			chain filter_FWD_libvirt {
				jump filter_FWD_libvirt_pre
				accept
			}
			chain filter_FWD_libvirt_pre { }
			chain filter_FWD_public {
				reject with icmpx admin-prohibited
			}
			chain filter_INPUT {
				type filter hook input priority filter + 10; policy accept;
				ct state { established, related } accept
				iifname "lo" accept
				iifname "virbr0" udp dport { 53, 67 } accept
				iifname "virbr0" meta l4proto icmp accept
				reject with icmpx admin-prohibited
			}
		}
	END
	sound reaches
}

@test "check is silent: ufw, which lets the guests out" {
	host_bridge
	guest_on --bridge br0
	routed
	masquerade
	inside nft -f - <<-'END'
		table ip filter {
			chain ufw-before-forward {
				ct state related,established counter accept
				icmp type echo-request counter accept
				counter jump ufw-user-forward
			}
			chain ufw-user-forward {
				iifname "br0" oifname "wan" counter accept
			}
			chain ufw-reject-forward { }
			chain ufw-logging-deny {
				ct state invalid limit rate 3/minute burst 10 packets counter return
				limit rate 3/minute burst 10 packets counter log prefix "[UFW BLOCK] "
			}
			chain FORWARD {
				type filter hook forward priority filter; policy drop;
				counter jump ufw-before-forward
				counter jump ufw-logging-deny
				counter jump ufw-reject-forward
			}
		}
	END
	sound reaches
}

@test "check is silent: rules by sets, maps and concatenations, which accept" {
	host_bridge
	guest_on --bridge br0
	routed
	masquerade
	local rule
	for rule in 'iifname @inner accept' 'iifname { "br0", "br1" } accept' 'iifname vmap { "br0" : accept, "br1" : drop }' \
		'iifname . oifname { "br0" . "wan" } accept' 'iif "br0" accept' 'oif "wan" accept' 'iifname "br*" accept' \
		'meta iifgroup 0 accept' 'ip saddr 192.0.2.0/24 accept' 'iifname != "wan" accept' 'iiftype ether oifname "wan" accept'; do
		inside nft -f - <<-END
			flush ruleset
			table ip n {
				chain p {
					type nat hook postrouting priority srcnat
					ip saddr 192.0.2.0/24 masquerade
				}
			}
			table inet f {
				set inner {
					type ifname
					elements = { "br0" }
				}
				chain forward {
					type filter hook forward priority filter; policy drop;
					ct state vmap { established : accept, related : accept, invalid : drop }
					$rule
				}
			}
		END
		sound reaches
	done
}

@test "check is silent: incus, its bridge, its rules and a container beside the guest" {
	add_bridge incusbr0
	ip addr add 192.0.2.1/24 dev incusbr0
	ip -6 addr add fd42::1/64 dev incusbr0 nodad
	guest_on --bridge incusbr0
	routed
	inside sysctl -qw net.ipv6.conf.all.forwarding=1
	command ip netns add "box$NS"
	ip link add veth1 type veth peer name eth0 netns "box$NS"
	ip link set veth1 master incusbr0 up
	command ip -n "box$NS" addr add 192.0.2.3/24 dev eth0
	command ip -n "box$NS" link set eth0 up
	inside nft -f - <<-END
		table inet incus {
			chain pstrt.incusbr0 {
				type nat hook postrouting priority srcnat; policy accept;
				ip saddr 192.0.2.0/24 ip daddr != 192.0.2.0/24 masquerade
				ip6 saddr fd42::/64 ip6 daddr != fd42::/64 masquerade
			}
			chain fwd.incusbr0 {
				type filter hook forward priority filter; policy accept;
				ip version 4 oifname "incusbr0" accept
				ip version 4 iifname "incusbr0" accept
				ip6 version 6 oifname "incusbr0" accept
				ip6 version 6 iifname "incusbr0" accept
			}
			chain in.incusbr0 {
				type filter hook input priority filter; policy accept;
				iifname "incusbr0" tcp dport 53 accept
				iifname "incusbr0" udp dport { 53, 67 } accept
			}
		}
		table bridge incus {
			chain in.guest.eth0 {
				type filter hook input priority filter; policy accept;
				iifname "$TAP" ether saddr != $A drop
				iifname "$TAP" arp saddr ether != $A drop
				iifname "$TAP" arp saddr ip != 192.0.2.2 drop
				iifname "$TAP" ip saddr != 192.0.2.2 drop
				iifname "$TAP" ether type != { arp, ip, ip6 } drop
			}
			chain fwd.guest.eth0 {
				type filter hook forward priority filter; policy accept;
				iifname "$TAP" ether saddr != $A drop
				iifname "$TAP" arp saddr ether != $A drop
				iifname "$TAP" ip saddr != 192.0.2.2 drop
				iifname "$TAP" icmpv6 type { nd-router-advert } drop
			}
		}
	END
	sound reaches
	sound reaches 192.0.2.3
}

@test "check is silent: Proxmox, with a firewall bridge for the guest" {
	inside test -e /proc/sys/net/bridge && inside sysctl -qw net.bridge.bridge-nf-call-iptables=1
	ip link add vmbr0 type bridge
	add_cable eno1 far "far$NS"
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far
	ip link set eno1 master vmbr0
	ip link set vmbr0 up
	ip addr add 192.0.2.9/24 dev vmbr0
	ip link add fwbr100i0 type bridge
	ip link set fwbr100i0 up
	add_cable fwln100i0 fwpr100p0
	ip link set fwln100i0 master fwbr100i0
	ip link set fwpr100p0 master vmbr0
	guest_on --bridge fwbr100i0
	inside nft -f - <<-'END'
		table ip filter {
			chain PVEFW-FWBR-IN { }
			chain PVEFW-FWBR-OUT { }
			chain PVEFW-FORWARD {
				ct state invalid counter drop
				ct state related,established counter accept
				counter jump PVEFW-FWBR-IN
				counter jump PVEFW-FWBR-OUT
			}
			chain FORWARD {
				type filter hook forward priority filter; policy accept;
				counter jump PVEFW-FORWARD
			}
		}
	END
	sound
	sound inside ping -c 1 -W 5 192.0.2.2
}

@test "check is silent: docker, whose rules bridged frames pass, and one that lets all that is bridged through" {
	inside test -e /proc/sys/net/bridge || skip "this kernel has no bridge netfilter"
	command -v iptables-nft >/dev/null || skip "no iptables-nft here"
	inside sysctl -qw net.bridge.bridge-nf-call-iptables=1
	answering_bridge
	guest_on --bridge br0
	ip link add docker0 type bridge
	ip addr add 172.17.0.1/16 dev docker0
	ip link set docker0 up
	inside iptables-nft-restore <<-'END'
		*filter
		:FORWARD DROP [0:0]
		:DOCKER - [0:0]
		:DOCKER-USER - [0:0]
		:DOCKER-ISOLATION-STAGE-1 - [0:0]
		-A FORWARD -j DOCKER-USER
		-A FORWARD -j DOCKER-ISOLATION-STAGE-1
		-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A FORWARD -o docker0 -j DOCKER
		-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
		-A FORWARD -i docker0 -o docker0 -j ACCEPT
		-A DOCKER-ISOLATION-STAGE-1 -j RETURN
		-A DOCKER-USER -m physdev --physdev-is-bridged -j ACCEPT
		-A DOCKER-USER -j RETURN
		COMMIT
	END
	sound
}

@test "check is silent: as Calico routes to a guest" {
	guest_on --unattached
	command ip -n "guest$NS" addr flush dev g0
	command ip -n "guest$NS" addr add 192.0.2.2/32 dev g0
	command ip -n "guest$NS" route add 169.254.1.1 dev g0 scope link
	ip route add 192.0.2.2/32 dev $TAP
	inside sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=1 "net.ipv4.conf.$TAP.proxy_arp=1" \
		"net.ipv4.neigh.$TAP.proxy_delay=0"
	add_cable wan far "far$NS"
	ip addr add 203.0.113.1/24 dev wan
	command ip -n "far$NS" addr add 203.0.113.2/24 dev far
	command ip -n "far$NS" route add 192.0.2.2/32 via 203.0.113.1
	ip route add default via 203.0.113.2
	command ip -n "guest$NS" route add default via 169.254.1.1 dev g0
	inside nft -f - <<-END
		table ip filter {
			chain cali-fw-guest {
				ct state established,related accept
				ct state invalid drop
				meta mark set meta mark & 0xfffeffff
				ip saddr 192.0.2.0/24 meta mark set meta mark | 0x10000
				meta mark & 0x10000 == 0x10000 return
				drop
			}
			chain cali-from-wl-dispatch {
				iifname "$TAP" goto cali-fw-guest
				drop
			}
			chain cali-FORWARD {
				iifname "tap*" jump cali-from-wl-dispatch
			}
			chain FORWARD {
				type filter hook forward priority filter; policy drop;
				jump cali-FORWARD
				meta mark & 0x10000 == 0x10000 accept
				ct state established,related accept
			}
		}
	END
	sound reaches
}

@test "check is silent: a guest of a container's own interface, on the bridge of the host's guests" {
	requires_macvtap
	answering_bridge
	guest_on --bridge br0
	add_cable host0 eth0 "box$NS"
	ip link set host0 master br0
	sound
	NS=box$NS GUEST_MAC=$B GUEST_IP=192.0.2.3 stand_in --link eth0 --mac $B
	sound inside_of "far$NS" ping -c 1 -W 5 192.0.2.3
	NS=box$NS sound true
	inside_of "box$NS" "$TAPCTL" list | grep -q mvt
}

@test "check is silent: networkd's bridge with an address by the uplink's, IPv6 and LLDP on its ports, and ifupdown's leftovers" {
	answering_bridge
	ip link set br0 type bridge stp_state 0 mcast_snooping 1 mcast_querier 0
	ip link set br0 address 02:00:00:00:00:02
	ip addr add 192.0.2.9/24 dev br0
	ip -6 addr add 2001:db8::9/64 dev br0 nodad
	# Link-local addresses on ports are harmless.
	ip -6 addr add fe80::2/64 dev uplink nodad
	ip addr add 169.254.3.4/16 dev uplink scope link
	ip link set br0 type bridge group_fwd_mask 0x4000
	bridge link set dev uplink cost 100 priority 8
	ip link set uplink promisc on
	guest_on --bridge br0
	sound
}

@test "check is silent: docker on a host with a network for itself, and guests whose gateway is beyond their bridge" {
	guest_on_bridge
	# Where the module is loaded, docker's rules meet what is bridged, too.
	if inside test -e /proc/sys/net/bridge; then inside sysctl -qw net.bridge.bridge-nf-call-iptables=0; fi
	inside sysctl -qw net.ipv4.ip_forward=1
	ip addr add 192.0.2.9/24 dev br0
	ip -6 addr add 2001:db8:1::9/64 dev br0 nodad
	add_cable eno2 out "out$NS"
	ip addr add 203.0.113.1/24 dev eno2
	ip -6 addr add 2001:db8:2::1/64 dev eno2 nodad
	ip route add default via 203.0.113.2
	ip link add docker0 type bridge
	ip addr add 172.17.0.1/16 dev docker0
	inside nft -f - <<-'END'
		table ip nat {
			chain POSTROUTING {
				type nat hook postrouting priority srcnat; policy accept;
				ip saddr 172.17.0.0/16 oifname != "docker0" counter masquerade
			}
		}
		table ip filter {
			chain FORWARD {
				type filter hook forward priority filter; policy drop;
				oifname "docker0" ct state related,established accept
				iifname "docker0" oifname != "docker0" accept
			}
		}
	END
	sound
	# Nor without docker.
	inside nft flush table ip filter
	inside sysctl -qw net.ipv4.ip_forward=0
	sound
}

@test "check is silent: EVPN, which has just moved the guest here, or expects it" {
	answering_bridge
	ip addr add 192.0.2.9/24 dev br0
	tapctl add --bridge br0 --mac $A --no-vnet-hdr >/dev/null
	bridge fdb replace $A dev uplink master extern_learn
	sound true
	GUEST_IP=192.0.2.2 stand_in --reuse --bridge br0
	sound true
	# As soon as the guest talks, it is here.
	inside ping -c 1 -W 5 192.0.2.2 >/dev/null
	sound
	bridge fdb replace $A dev uplink master static
	sound true
	ip neigh flush dev br0
	inside ping -c 1 -W 5 192.0.2.2 >/dev/null
	sound
	# One that talks with another address, as a router does: nothing is heard at the uplink.
	kill "$HOLDER"
	tapctl del $TAP
	bridge fdb replace $A dev uplink master static
	stand_in --bridge br0 -- announce from=$B
	sound true
	bridge fdb del $A dev uplink master
	bridge fdb add $A dev uplink master extern_learn
	sound true
}
