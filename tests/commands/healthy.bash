# What the files about set-ups of which check says nothing share; they load check.bash before.
# shellcheck shell=bash disable=SC2154 # set by the files that load this

# A guest behind the host: it reaches far, 203.0.113.2, by way of the host. routed ADDRESS-OF-THE-HOST DEVICE
routed() {
	inside sysctl -qw net.ipv4.ip_forward=1
	add_cable wan far "far$NS"
	ip addr add 203.0.113.1/24 dev wan
	command ip -n "far$NS" addr add 203.0.113.2/24 dev far
	ip route add default via 203.0.113.2
	command ip -n "guest$NS" route add default via 192.0.2.1
}
reaches() { inside_of "guest$NS" ping -c 1 -W 5 "${1:-203.0.113.2}" >/dev/null; }
masquerade() {
	inside nft 'add table ip n; add chain ip n p { type nat hook postrouting priority 100; }; add rule ip n p ip saddr 192.0.2.0/24 masquerade'
}
# Nothing is printed, whoever asks; and the guest answers, or what is given works.
sound() {
	run_tapctl check
	[[ $status = 0 && -z "$output$stderr" ]] || return
	run_tapctl check --json
	[[ $status = 0 && -z "$(findings '!= "note"')" ]] || return
	"${@:-answers}"
}
