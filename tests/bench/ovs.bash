# The part of tests/bench/run about Open vSwitch.
# shellcheck shell=bash disable=SC2154 # run has the functions and the variables

# Until the port's number is known, which ovs-vsctl waits for, too. It has a tap that was made before.
part_ovs() {
	local words i taps ip4 clean
	"$here/../tools/switches" start "$BUILD/switches" /run/ovs
	mapfile -t words < <("$here/../tools/switches" env "$BUILD/switches" /run/ovs)
	export "${words[@]}"
	find_libraries
	for i in {0..19}; do taps+=" $(printf %02x "$i")"; done
	clean="for i in $taps; do
			echo -- --if-exists del-port own\$i -- --if-exists del-port tap5254000000\$i
		done | xargs ovs-vsctl
		for i in $taps; do
			for tap in own\$i tap5254000000\$i; do ip link del \$tap 2>/dev/null || :; done
		done"
	ip4=$(script ovs4 <<-'END'
		set -e
		ip tuntap add dev tap5254000000$1 mode tap vnet_hdr
		ip link set tap5254000000$1 address fe:54:00:00:00:$1 up
		ovs-vsctl add-port br-int tap5254000000$1
	END
	)
	add_bridge br0
	heading "Open vSwitch: one add, the whole process"
	timer -n 51 -b 'ip tuntap add dev own00 mode tap; ip link set own00 up' -a "${clean//$taps/ 00}" \
		"ovs-vsctl add-port" "ovs-vsctl add-port br-int own00" \
		"floor, of a tap that is there" "floor br-int 00 row" \
		"ip tuntap add, ip link set, ovs-vsctl" "$ip4 00" \
		"floor" "floor br-int 00 ovs" \
		"tapctl add --ovs" "tapctl add --ovs br-int --mac 52:54:00:00:00:00" \
		"tapctl exec --ovs" "tapctl exec --ovs br-int --mac 52:54:00:00:00:00 -- timer stamp" \
		"tapctl exec --bridge" "tapctl exec --bridge br0 --mac 52:54:00:00:00:00 -- timer stamp" >"$work/ovs.tsv"
	compare_ovs "$work/ovs.tsv"
	heading "Open vSwitch: 20 at once"
	timer -n 11 -p 20 -b "for i in $taps; do ip tuntap add dev own\$i mode tap; ip link set own\$i up; done" -a "$clean" \
		"ovs-vsctl add-port" "ovs-vsctl add-port br-int own@" \
		"ip tuntap add, ip link set, ovs-vsctl" "$ip4 @" \
		"floor" "floor br-int @ ovs" \
		"tapctl add --ovs" "tapctl add --ovs br-int --mac 52:54:00:00:00:@" \
		"tapctl exec --ovs" "tapctl exec --ovs br-int --mac 52:54:00:00:00:@ -- timer stamp" >"$work/ovs20.tsv"
	compare_ovs "$work/ovs20.tsv"
	echo
	note "floor is tests/bench/floor.c: the tap by the bare system calls, its port by two requests in one message," \
		"and nothing else. But for the start of a process, its time is the kernel's, the database's and" \
		"ovs-vswitchd's own. ovs-vsctl alone has a tap that is there, tapctl and the floor make theirs."
}

# As where Open vSwitch is installed: by the loader's cache. LD_LIBRARY_PATH would be searched for all that is loaded.
find_libraries() {
	printf '%s\n' "$LD_LIBRARY_PATH" "include /etc/ld.so.conf" >/run/ld.so.conf
	unset LD_LIBRARY_PATH
	ldconfig -X -f /run/ld.so.conf -C /run/ld.so.cache
	mount --bind /run/ld.so.cache /etc/ld.so.cache
}

compare_ovs() { # FILE
	table "ovs-vsctl" <"$1"
	echo
	quotient "$1" "ip tuntap add, ip link set, ovs-vsctl" "tapctl add --ovs" "the same work; wanted: 3 or more"
	quotient "$1" "ip tuntap add, ip link set, ovs-vsctl" "tapctl exec --ovs" "the same work; wanted: 3 or more"
	quotient "$1" "ovs-vsctl add-port" "tapctl add --ovs" "which makes the tap as well"
	quotient "$1" "ovs-vsctl add-port" "floor" "what is left where tapctl takes no time of its own"
}
