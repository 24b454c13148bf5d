# The part of tests/bench/run about Open vSwitch.
# shellcheck shell=bash disable=SC2154 # run has the functions and the variables

# Until the port's number is known, which ovs-vsctl waits for, too. It has a tap that was made before.
part_ovs() {
	local words i taps ip4
	"$here/../tools/switches" start "$BUILD/switches" /run/ovs
	mapfile -t words < <("$here/../tools/switches" env "$BUILD/switches" /run/ovs)
	export "${words[@]}"
	for i in {0..19}; do taps+=" $(printf %02x "$i")"; done
	ip4=$(script ovs4 <<-END
		set -e
		ip tuntap add dev hand mode tap vnet_hdr
		ip link set hand address fe:54:00:00:00:99 up
		ovs-vsctl add-port br-int hand
	END
	)
	add_bridge br0
	heading "Open vSwitch: one add, the whole process"
	timer -n 51 -b 'ip tuntap add dev own mode tap; ip link set own up' \
		-a 'ovs-vsctl --if-exists del-port own -- --if-exists del-port hand -- --if-exists del-port tap525400000001
			for tap in own hand tap525400000001; do ip link del $tap 2>/dev/null || :; done' \
		"ovs-vsctl add-port" "ovs-vsctl add-port br-int own" \
		"ip tuntap add, ip link set, ovs-vsctl" "$ip4" \
		"tapctl add --ovs" "tapctl add --ovs br-int --mac 52:54:00:00:00:01" \
		"tapctl exec --ovs" "tapctl exec --ovs br-int --mac 52:54:00:00:00:01 -- true" \
		"tapctl exec --bridge" "tapctl exec --bridge br0 --mac 52:54:00:00:00:01 -- true" >"$work/ovs.tsv" 2>/dev/null
	table "ovs-vsctl" <"$work/ovs.tsv"
	echo
	quotient "$work/ovs.tsv" "ovs-vsctl add-port" "tapctl add --ovs" "wanted: 3 or more"
	heading "Open vSwitch: 20 at once"
	timer -n 11 -p 20 -b "for i in $taps; do ip tuntap add dev own\$i mode tap; ip link set own\$i up; done" \
		-a "for i in $taps; do
			ovs-vsctl --if-exists del-port own\$i -- --if-exists del-port tap5254000000\$i
			for tap in own\$i tap5254000000\$i; do ip link del \$tap 2>/dev/null || :; done
		done" \
		"ovs-vsctl add-port" "ovs-vsctl add-port br-int own@" \
		"tapctl add --ovs" "tapctl add --ovs br-int --mac 52:54:00:00:00:@" >"$work/ovs20.tsv" 2>/dev/null
	table "ovs-vsctl" <"$work/ovs20.tsv"
	echo
	quotient "$work/ovs20.tsv" "ovs-vsctl add-port" "tapctl add --ovs" "wanted: 3 or more"
}
