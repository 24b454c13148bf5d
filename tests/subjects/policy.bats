#!/usr/bin/env bats
# What a bridge port lets through, shown by frames: between guests, and to another host, far, on the wire.
load ../tools/helpers

A=52540000000a
B=52540000000b
C=52540000000c
D=52540000000d
FAR=02000000000f
EVIL=52540000bad1
ALL=ffffffffffff

setup() {
	setup_namespace
	cat >"$BATS_TEST_TMPDIR/frames" <<-'P'
		# Sends FRAMEs, FROM[.VID]/SOURCE/DESTINATION, and says of each who got it: frames LINK... -- FRAME...
		# FROM is the number of a guest, whose tap tapctl left open, or a LINK of this host's.
		import os, socket, sys

		TYPE = 0x88B5
		cut = sys.argv.index("--")
		frames = sys.argv[cut + 1 :]
		ports = {}
		for link in sys.argv[1:cut]:
		    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(TYPE))
		    port.bind((link, TYPE))
		    ports[link] = port.detach()
		guests = {}
		while (variable := "TAPCTL_FD" + (f"_{len(guests) + 1}" if guests else "")) in os.environ:
		    own = os.environ[variable.replace("FD", "GUEST_MAC")].replace(":", "")
		    guests[str(len(guests) + 1)] = own
		    ports[str(len(guests))] = int(os.environ[variable])

		def send(sender, source, destination, text):
		    name, _, vid = sender.partition(".")
		    if name in guests and vid:
		        source += "8100" + format(int(vid), "04x")
		    else:
		        name = sender
		    head = bytes.fromhex(destination + source + format(TYPE, "04x"))
		    os.write(ports[name], head + text.encode().ljust(60, b"\0"))

		# On one processor frames stay in their order.
		os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
		heard = [[] for frame in frames]
		for number, frame in enumerate(frames):
		    send(*frame.split("/"), f"frame {number}")
		# What reaches everybody, last: who got it has got all else before.
		for name in ports:
		    send(name, guests.get(name, "0200000000ee"), "ffffffffffff", "end")
		for name, port in ports.items():
		    os.set_blocking(port, True)
		    while True:
		        got = os.read(port, 2000)
		        tag = f".{int.from_bytes(got[14:16], 'big') & 4095}" if got[12:14] == b"\x81\0" else ""
		        got = got[18 if tag else 14 :].rstrip(b"\0").decode(errors="replace")
		        if got.startswith("frame "):
		            heard[int(got.split()[1])].append(name + tag)
		        elif got == "end":
		            break
		for frame, names in zip(frames, heard):
		    print(f"{frame}: {' '.join(names) or 'nobody'}")
	P
}

# A bridge with a port to the host far.
make_bridge() { # [IP-LINK-ARGUMENT...]
	ip link add br0 type bridge mcast_snooping 0 "$@"
	ip link set br0 address 02:00:00:00:00:01 up
	add_cable up0 far
	ip link set up0 master br0
}

# Who gets what, when the guests are those of the OPTIONs: reach OPTION... -- [LINK...] -- FRAME...
reach() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	run_tapctl exec --bridge br0 --no-vnet-hdr "${options[@]}" -- \
		timeout 60 python3 "$BATS_TEST_TMPDIR/frames" "$@"
	[ "$status" = 0 ]
	diff -u --label expected - --label reached <(echo "$output")
}

@test "policy: without any, all reach all, from any address" {
	make_bridge
	reach --mac $A --mac $B -- far -- \
		1/$A/$ALL 1/$EVIL/$ALL 1/$A/$B 1/$A/$FAR far/$FAR/$A far/$FAR/$B 1/$B/$ALL far/$FAR/$B <<-END
		1/$A/$ALL: far 2
		1/$EVIL/$ALL: far 2
		1/$A/$B: far 2
		1/$A/$FAR: far 2
		far/$FAR/$A: 1
		far/$FAR/$B: 1 2
		1/$B/$ALL: far 2
		far/$FAR/$B: 1
	END
}

@test "policy: --lock-mac lets a guest send from its own address only, so it cannot take others' frames" {
	make_bridge
	if ! has_locked_ports; then
		run_tapctl add --bridge br0 --lock-mac --mac $A
		[ "$status" = 1 ]
		[[ $stderr = "tapctl: tap$A: --lock-mac did not take effect: "*"Linux 5.18"* ]]
		no_link tap$A
		requires_locked_ports
	fi
	reach --mac $A --lock-mac --mac $B -- far -- \
		1/$A/$ALL 1/$EVIL/$ALL 1/$EVIL/$B 1/$EVIL/$FAR 2/$B/$ALL 1/$B/$ALL far/$FAR/$B far/$FAR/$A <<-END
		1/$A/$ALL: far 2
		1/$EVIL/$ALL: nobody
		1/$EVIL/$B: nobody
		1/$EVIL/$FAR: nobody
		2/$B/$ALL: far 1
		1/$B/$ALL: nobody
		far/$FAR/$B: 2
		far/$FAR/$A: 1
	END
}

@test "policy: --isolated guests reach the uplink and those that are not, and not each other" {
	make_bridge
	reach --mac $A --isolated --mac $B --isolated --mac $C -- far -- \
		1/$A/$ALL 2/$B/$ALL 3/$C/$ALL 1/$A/$B 2/$B/$A far/$FAR/$A far/$FAR/$B 1/$A/$FAR 3/$C/$A <<-END
		1/$A/$ALL: far 3
		2/$B/$ALL: far 3
		3/$C/$ALL: far 1 2
		1/$A/$B: nobody
		2/$B/$A: nobody
		far/$FAR/$A: 1
		far/$FAR/$B: 2
		1/$A/$FAR: far
		3/$C/$A: 1
	END
}

@test "policy: --hairpin sends a guest's frames back to it, as for those behind it" {
	make_bridge
	reach --mac $A --hairpin --mac $B -- far -- 1/$A/$ALL 2/$B/$ALL 1/$EVIL/$A <<-END
		1/$A/$ALL: far 1 2
		2/$B/$ALL: far 1
		1/$EVIL/$A: 1
	END
}

# A VLAN-filtering bridge, with the VLANs 10 and 20 on the wire as well.
make_vlan_bridge() {
	requires_vlan_filtering
	make_bridge vlan_filtering 1
	local vid
	for vid in 10 20; do
		bridge vlan add dev up0 vid $vid
		ip link add link far name far.$vid up type vlan id $vid
	done
}

# Guest 1 is in VLAN 10, 2 in 20, 3 in 10 and, tagged, in 20; 4 is in the bridge's default VLAN. Far hears the
# whole wire, far.10 and far.20 what comes in their VLAN.
@test "policy: a --vlan guest reaches its VLAN and no other, also with a tag of its own making" {
	make_vlan_bridge
	reach --mac $A --vlan 10 --mac $B --vlan 20 --mac $C --vlan 10,20 --mac $D -- far far.10 far.20 -- \
		1/$A/$ALL 2/$B/$ALL 3/$C/$ALL 3.20/$C/$ALL 4/$D/$ALL 1.20/$A/$ALL 1.10/$A/$ALL \
		far.10/$FAR/$ALL far.20/$FAR/$ALL far.10/$FAR/$A far.20/$FAR/$B 1/$A/$B 2/$B/$A <<-END
		1/$A/$ALL: far far.10 3
		2/$B/$ALL: far far.20 3.20
		3/$C/$ALL: far far.10 1
		3.20/$C/$ALL: far far.20 2
		4/$D/$ALL: far
		1.20/$A/$ALL: nobody
		1.10/$A/$ALL: far far.10 3
		far.10/$FAR/$ALL: 1 3
		far.20/$FAR/$ALL: 2 3.20
		far.10/$FAR/$A: 1
		far.20/$FAR/$B: 2
		1/$A/$B: far far.10 3
		2/$B/$A: far far.20 3.20
	END
}

@test "policy: --lock-mac holds in each of the guest's VLANs" {
	make_vlan_bridge
	requires_locked_ports
	reach --mac $A --lock-mac --vlan 10,20 --mac $B --vlan 20 -- far.10 far.20 -- \
		1/$A/$ALL 1.20/$A/$ALL 1/$EVIL/$ALL 1.20/$EVIL/$ALL 1.20/$B/$ALL far.10/$FAR/$A far.20/$FAR/$A \
		2/$B/$A <<-END
		1/$A/$ALL: far.10
		1.20/$A/$ALL: far.20 2
		1/$EVIL/$ALL: nobody
		1.20/$EVIL/$ALL: nobody
		1.20/$B/$ALL: nobody
		far.10/$FAR/$A: 1
		far.20/$FAR/$A: 1.20
		2/$B/$A: 1.20
	END
}
