"""What --ip lets through, as a table of frames: the guest 52:54:00:84:e3:62 may send from 10.0.1.2,
10.0.2.0/28, fd00::2 and fd00:1::/64.

    frames.py FAR           send each on fd 3, which has no vnet header, and look at the link FAR, where
                            frames come out, which of them do
    frames.py send          send each once
    frames.py ask           send what a guest at 10.0.1.2 may
    frames.py beside FD     send each on fd 3 with FD, a guest beside it, as its destination, and look there
    frames.py flood         send those that do not pass on fd 3, as fast as it takes them
    frames.py hunt          the same on every macvtap that appears, as soon as it is there
    frames.py listen FAR    say "listening", and then which of those that do not pass come out of FAR
    frames.py advertise FAR PREFIX  be a router for SLAAC there
    frames.py sums FD       on an fd 3 with vnet headers: leave a checksum to the host, so that it writes two
                            bytes, at every place in some frames; FD is a tap's without offloads, where
                            they come out

The first prints what is not as the table says, and then how many frames should have been dropped; the last
which addresses that the filter had looked at came out changed.
"""
import fcntl, os, select, socket, struct, sys, time

MAC, OTHER, ALL = bytes.fromhex("52540084e362"), bytes.fromhex("525400000099"), b"\xff" * 6
OWN, FOREIGN = socket.inet_aton("10.0.1.2"), socket.inet_aton("10.0.1.3")
IN_PREFIX, BEHIND_PREFIX = socket.inet_aton("10.0.2.15"), socket.inet_aton("10.0.2.16")
GATEWAY, NOBODY, EVERYBODY = socket.inet_aton("10.0.1.1"), bytes(4), b"\xff" * 4


def in6(text):
    return socket.inet_pton(socket.AF_INET6, text)


OWN6, PREFIX6, FOREIGN6, NONE6 = in6("fd00::2"), in6("fd00:1::77"), in6("fd00::3"), bytes(16)
LOCAL6, OTHER_LOCAL6, NODES6 = in6("fe80::5054:ff:fe84:e362"), in6("fe80::1"), in6("ff02::1")


def total(data):
    value = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while value > 0xFFFF:
        value = (value >> 16) + (value & 0xFFFF)
    return value


def ether(kind, payload, source=MAC, to=ALL):
    return (to + source + struct.pack("!H", kind) + payload).ljust(60, b"\0")


def arp(op, ip, target=GATEWAY, mac=MAC, source=MAC, head=(1, 0x0800, 6, 4), to_mac=bytes(6), kind=0x0806):
    return ether(kind, struct.pack("!HHBB", *head) + struct.pack("!H", op) + mac + ip + to_mac + target, source)


def ipv4(source, payload=b"x" * 20, protocol=1, to=GATEWAY, fragment=0, options=b"", sum_ok=True, mac=MAC, length=None, version=4, words=None):
    size = 20 + len(options)
    head = struct.pack("!BBHHHBBH", version << 4 | (words or size // 4), 0, length if length is not None else size + len(payload), 7, fragment, 64, protocol, 0)
    head += source + to + options
    head = head[:10] + struct.pack("!H", ~total(head) & 0xFFFF if sum_ok else 0x1234) + head[12:]
    return ether(0x0800, head + payload, mac)


def udp(source_port, port, payload=b"x" * 12):
    return struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload


def ipv6(source, payload, protocol=58, to=NODES6, mac=MAC, length=None, to_mac=ALL):
    head = struct.pack("!IHBB", 0x60000000, len(payload) if length is None else length, protocol, 255)
    return ether(0x86DD, head + source + to + payload, mac, to_mac)


def icmp6(kind, body, source=OWN6, to=NODES6, sum_ok=True):
    message = struct.pack("!BBH", kind, 0, 0) + body
    pseudo = source + to + struct.pack("!II", len(message), 58)
    value = ~total(pseudo + message) & 0xFFFF if sum_ok else 0x1234
    return message[:2] + struct.pack("!H", value) + message[4:]


def nd(kind, target, source=OWN6, option=b"\x01\x01" + MAC, sum_ok=True):
    return icmp6(kind, bytes(4) + target + option, source, sum_ok=sum_ok)


def extension(then, body=bytes(6), units=0):
    return struct.pack("!BB", then, units) + body


def fragment(then, offset, more):
    return struct.pack("!BBHI", then, 0, offset << 3 | more, 9)


ADVERTISEMENT = icmp6(134, bytes(12))
ECHO = icmp6(128, b"ping")
ROUTER_ALERT = extension(58, b"\x05\x02\x00\x00\x01\x00")
TCP = struct.pack("!HHIIBBHHH", 1000, 80, 0, 0, 0x50, 2, 100, 0, 0)
TAG = struct.pack("!HH", 0x8100, 5)


def tagged(frame, tag=TAG):
    return frame[:12] + tag + frame[12:]


# What it is, the frame, whether it passes. What a bridge never forwards cannot be seen behind one.
TABLE = [
    ("ARP request", arp(1, OWN), True),
    ("ARP request from the prefix", arp(1, IN_PREFIX), True),
    ("ARP reply", arp(2, OWN, to_mac=OTHER), True),
    ("ARP announcement", arp(1, OWN, OWN), True),
    ("gratuitous ARP reply", arp(2, OWN, OWN), True),
    ("ARP probe", arp(1, NOBODY, OWN), True),
    ("ARP probe for somebody else's address", arp(1, NOBODY, FOREIGN), False),
    ("ARP reply from nobody", arp(2, NOBODY, OWN), False),
    ("ARP request with another IP address", arp(1, FOREIGN), False),
    ("ARP request from behind the prefix", arp(1, BEHIND_PREFIX), False),
    ("ARP reply for the gateway", arp(2, GATEWAY, FOREIGN), False),
    ("gratuitous ARP for another address", arp(2, FOREIGN, FOREIGN), False),
    ("ARP with another sender MAC", arp(1, OWN, mac=OTHER), False),
    ("ARP from another source", arp(1, OWN, source=OTHER), False),
    ("ARP of another hardware type", arp(1, OWN, head=(6, 0x0800, 6, 4)), False),
    ("ARP of another protocol type", arp(1, OWN, head=(1, 0x86DD, 6, 4)), False),
    ("ARP of other lengths", arp(1, OWN, head=(1, 0x0800, 6, 16)), False),
    ("ARP of an unknown operation", arp(3, OWN), False),
    ("ARP of no operation", arp(0, OWN), False),
    ("ARP that is cut", arp(1, OWN)[:41], False),
    ("RARP announcement", arp(3, NOBODY, NOBODY, to_mac=MAC, kind=0x8035), True),
    ("RARP announcement of another", arp(3, NOBODY, NOBODY, mac=OTHER, to_mac=OTHER, kind=0x8035), False),
    ("RARP announcement for another", arp(3, NOBODY, NOBODY, to_mac=OTHER, kind=0x8035), False),
    ("RARP reply", arp(4, NOBODY, NOBODY, to_mac=MAC, kind=0x8035), False),
    ("RARP with an address", arp(3, FOREIGN, NOBODY, to_mac=MAC, kind=0x8035), False),
    ("IPv4", ipv4(OWN), True),
    ("IPv4 from the prefix", ipv4(IN_PREFIX), True),
    ("IPv4 with options", ipv4(OWN, options=b"\x94\x04\0\0" * 5), True),
    ("IPv4 with all options", ipv4(OWN, options=b"\x01" * 40), True),
    ("IPv4 spoofed", ipv4(FOREIGN), False),
    ("IPv4 spoofed, with options", ipv4(FOREIGN, options=b"\x94\x04\0\0"), False),
    ("IPv4 from behind the prefix", ipv4(BEHIND_PREFIX), False),
    ("IPv4 from nobody", ipv4(NOBODY), False),
    ("IPv4 from another MAC", ipv4(OWN, mac=OTHER), False),
    ("IPv4 with a wrong sum", ipv4(OWN, sum_ok=False), False),
    ("IPv4 with options and a wrong sum", ipv4(OWN, options=b"\x94\x04\0\0", sum_ok=False), False),
    ("IPv4 that is longer than its frame", ipv4(OWN, length=200), False),
    ("IPv4 that is shorter than its header", ipv4(OWN, length=19), False),
    ("IPv4 with a header of 16 bytes", ipv4(OWN, words=4), False),
    ("IPv4 of version 5", ipv4(OWN, version=5), False),
    ("IPv4 TCP", ipv4(OWN, TCP, 6), True),
    ("IPv4 UDP", ipv4(OWN, udp(1000, 53), 17), True),
    ("IPv4 first fragment", ipv4(OWN, udp(1000, 53, b"x" * 16), 17, fragment=0x2000), True),
    ("IPv4 later fragment", ipv4(OWN, b"\0\x43" * 12, 17, fragment=3), True),
    ("IPv4 fragment far behind", ipv4(OWN, b"\0\x43" * 12, 17, fragment=0x1000), True),
    ("IPv4 later fragment, spoofed", ipv4(FOREIGN, b"x" * 24, 17, fragment=3), False),
    ("DHCP request", ipv4(NOBODY, udp(68, 67, b"x" * 240), 17, EVERYBODY), True),
    ("DHCP request with an address", ipv4(OWN, udp(68, 67, b"x" * 240), 17, GATEWAY), True),
    ("DHCP request from another address", ipv4(FOREIGN, udp(68, 67, b"x" * 240), 17, GATEWAY), False),
    ("DHCP request from nobody to one", ipv4(NOBODY, udp(68, 67, b"x" * 240), 17, GATEWAY), False),
    ("DHCP request in fragments", ipv4(NOBODY, udp(68, 67, b"x" * 240), 17, EVERYBODY, 0x2000), False),
    ("UDP from nobody", ipv4(NOBODY, udp(1000, 67), 17, EVERYBODY), False),
    ("DHCP offer", ipv4(OWN, udp(67, 68, b"x" * 240), 17, EVERYBODY), False),
    ("DHCP offer in fragments", ipv4(OWN, udp(67, 68, b"x" * 240), 17, EVERYBODY, 0x2000), False),
    ("DHCP offer behind options", ipv4(OWN, udp(67, 68), 17, EVERYBODY, options=b"\x94\x04\0\0"), False),
    ("UDP whose header is cut", ipv4(OWN, b"\x03\xe8\0\x35", 17), False),
    ("IPv6", ipv6(OWN6, ECHO), True),
    ("IPv6 from the prefix", ipv6(PREFIX6, TCP, 6), True),
    ("IPv6 from its link-local address", ipv6(LOCAL6, TCP, 6), True),
    ("IPv6 spoofed", ipv6(FOREIGN6, TCP, 6), False),
    ("IPv6 from another link-local address", ipv6(OTHER_LOCAL6, TCP, 6), False),
    ("IPv6 from nobody", ipv6(NONE6, TCP, 6), False),
    ("IPv6 from another MAC", ipv6(OWN6, TCP, 6, mac=OTHER), False),
    ("IPv6 that is longer than its frame", ipv6(OWN6, TCP, 6, length=200), False),
    ("IPv6 TCP whose header is cut", ipv6(OWN6, TCP[:19], 6), False),
    ("IPv6 UDP", ipv6(OWN6, udp(1000, 53), 17), True),
    ("DHCPv6 request", ipv6(LOCAL6, udp(546, 547), 17), True),
    ("DHCPv6 server", ipv6(LOCAL6, udp(547, 546), 17), False),
    ("DHCPv6 server behind options", ipv6(LOCAL6, extension(17) + udp(547, 546), 60), False),
    ("neighbour solicitation", ipv6(OWN6, nd(135, FOREIGN6)), True),
    ("neighbour solicitation with a nonce", ipv6(OWN6, nd(135, FOREIGN6, option=b"\x01\x01" + MAC + b"\x0e\x01nonces")), True),
    ("neighbour solicitation of 48 bytes", ipv6(OWN6, nd(135, FOREIGN6, option=b"\x0e\x03" + bytes(22))), True),
    ("neighbour solicitation of 56 bytes", ipv6(OWN6, nd(135, FOREIGN6, option=b"\x0e\x04" + bytes(30))), False),
    ("neighbour solicitation with a wrong sum", ipv6(OWN6, nd(135, FOREIGN6, sum_ok=False)), False),
    ("neighbour solicitation, spoofed", ipv6(FOREIGN6, nd(135, OWN6, FOREIGN6)), False),
    ("duplicate address detection", ipv6(NONE6, nd(135, OWN6, NONE6, b"")), True),
    ("the same of its link-local address", ipv6(NONE6, nd(135, LOCAL6, NONE6, b"\x0e\x01nonces")), True),
    ("the same of another's address", ipv6(NONE6, nd(135, FOREIGN6, NONE6, b"")), False),
    ("router solicitation", ipv6(LOCAL6, icmp6(133, bytes(4) + b"\x01\x01" + MAC, LOCAL6)), True),
    ("router solicitation from nobody", ipv6(NONE6, icmp6(133, bytes(4), NONE6)), True),
    ("neighbour advertisement", ipv6(OWN6, nd(136, OWN6, option=b"\x02\x01" + MAC)), True),
    ("neighbour advertisement of its link-local address", ipv6(LOCAL6, nd(136, LOCAL6, LOCAL6)), True),
    ("neighbour advertisement with a foreign target", ipv6(OWN6, nd(136, FOREIGN6)), False),
    ("neighbour advertisement from nobody", ipv6(NONE6, nd(136, OWN6, NONE6)), False),
    ("neighbour advertisement with a wrong sum", ipv6(OWN6, nd(136, OWN6, sum_ok=False)), False),
    ("neighbour advertisement behind options", ipv6(OWN6, extension(58) + nd(136, OWN6), 60), False),
    ("neighbour advertisement that is too long", ipv6(OWN6, nd(136, OWN6, option=b"\x0e\x0a" + bytes(78))), False),
    ("router advertisement", ipv6(LOCAL6, icmp6(134, bytes(12), LOCAL6)), False),
    ("router advertisement behind options", ipv6(OWN6, extension(58) + ADVERTISEMENT, 60), False),
    ("router advertisement behind four headers", ipv6(OWN6, extension(43) + extension(60) + extension(51) + extension(58) + ADVERTISEMENT, 0), False),
    ("router advertisement in one fragment", ipv6(OWN6, fragment(58, 0, 0) + ADVERTISEMENT, 44), False),
    ("router advertisement in fragments", ipv6(OWN6, fragment(58, 0, 1) + ADVERTISEMENT, 44), False),
    ("router advertisement behind a long header", ipv6(OWN6, extension(58, bytes(62), 7) + ADVERTISEMENT, 60), False),
    *((f"router advertisement behind the header {kind}", ipv6(OWN6, extension(58) + ADVERTISEMENT, kind), False) for kind in (0, 43, 51, 60, 135, 139, 140)),
    ("redirect", ipv6(OWN6, icmp6(137, bytes(36))), False),
    ("echo behind four headers", ipv6(OWN6, extension(60) + extension(43) + extension(60) + extension(58) + ECHO, 0), True),
    ("echo behind five", ipv6(OWN6, (extension(60) * 4)[:-8] + extension(60) + extension(58) + ECHO, 0), False),
    ("IPv6 first fragment", ipv6(OWN6, fragment(17, 0, 1) + udp(1000, 53, b"x" * 16), 44), True),
    ("IPv6 later fragment", ipv6(OWN6, fragment(17, 2, 0) + b"x" * 16, 44), True),
    ("IPv6 later fragment from nobody", ipv6(NONE6, fragment(58, 2, 0) + b"x" * 16, 44), False),
    ("a first fragment without its protocol's header", ipv6(OWN6, fragment(60, 0, 1) + extension(58), 44), False),
    ("a first fragment whose header is in the padding", ipv6(OWN6, fragment(60, 0, 1) + extension(58) + ECHO, 44, length=16), False),
    ("an extension header that ends behind the packet", ipv6(OWN6, extension(58, units=9) + ECHO, 60), False),
    ("MLD report", ipv6(LOCAL6, ROUTER_ALERT + icmp6(143, bytes(24), LOCAL6), 0), True),
    ("MLD report from nobody", ipv6(NONE6, ROUTER_ALERT + icmp6(143, bytes(24), NONE6), 0), True),
    ("MLD report of version 1", ipv6(LOCAL6, ROUTER_ALERT + icmp6(131, bytes(20), LOCAL6), 0), True),
    ("MLD report, spoofed", ipv6(OTHER_LOCAL6, ROUTER_ALERT + icmp6(143, bytes(24), OTHER_LOCAL6), 0), False),
    ("echo from nobody", ipv6(NONE6, icmp6(128, b"ping", NONE6)), False),
    ("a frame with a VLAN tag", tagged(ipv4(OWN)), False),
    ("a frame with the tag of VLAN 0", tagged(ipv4(OWN), struct.pack("!HH", 0x8100, 0)), False),
    ("a frame with a service tag", tagged(ipv4(OWN), struct.pack("!HH", 0x88A8, 5)), False),
    ("a frame with two tags", tagged(tagged(ipv4(OWN)), struct.pack("!HH", 0x88A8, 6)), False),
    ("STP", ether(0x0026, b"\x42\x42\x03" + bytes(35), to=bytes.fromhex("0180c2000000")), False),
    ("LLDP", ether(0x88CC, bytes(46), to=bytes.fromhex("0180c200000e")), False),
    ("an unknown type", ether(0x88B5, bytes(46)), False),
    ("a header alone", (ALL + MAC + b"\x08\x00"), False),
    ("IPv4 that is cut", ipv4(OWN)[:30], False),
    ("IPv6 that is cut", ipv6(OWN6, ECHO)[:50], False),
]


def listen(far):
    with open(f"/proc/sys/net/ipv6/conf/{far}/disable_ipv6", "w") as switch:
        switch.write("1")
    listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    listener.bind((far, 0))
    listener.setsockopt(263, 1, struct.pack("iHH8s", socket.if_nametoindex(far), 1, 0, b""))  # promiscuous
    return listener


def seen_until(listener, marker):
    """The frames of the guest's before the marker, which comes out behind them."""
    seen = []
    while True:
        if not select.select([listener], [], [], 10)[0]:
            sys.exit("the marker did not come out")
        frame, address = listener.recvfrom(2048)
        if address[2] == socket.PACKET_OUTGOING or frame[6:12] not in (MAC, OTHER):
            continue
        if frame[: len(marker)] == marker:
            return seen
        seen.append(frame)


def run_table(listener):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # on one processor frames stay in their order
    forbidden = 0
    for number, (name, frame, passes) in enumerate(TABLE):
        marker = arp(1, OWN, struct.pack("!BBH", 10, 9, number))
        os.write(3, frame)
        os.write(3, marker)
        seen = seen_until(listener, marker)
        forbidden += not passes
        if bool(seen) != passes or len(seen) > 1:
            print(f"{name}: {'came out' if seen else 'was dropped'}")
    print(f"{forbidden} of {len(TABLE)} forbidden")


FORBIDDEN = [frame for name, frame, passes in TABLE if not passes and len(frame) >= 60]


def send(fd, frames):
    for frame in frames:
        try:
            os.write(fd, frame)
        except OSError:
            pass  # it is down, or not long enough for the kernel


def run_beside(beside):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.set_blocking(beside, False)
    forbidden = 0
    for name, frame, passes in TABLE:
        os.write(3, OTHER + frame[6:])
        seen = 0
        try:
            while True:
                seen += os.read(beside, 2048)[6:12] in (MAC, OTHER)
        except BlockingIOError:
            pass
        forbidden += not passes
        if bool(seen) != passes:
            print(f"{name}: {'came out' if seen else 'was dropped'}")
    print(f"{forbidden} of {len(TABLE)} forbidden")


def hunt():
    """Nodes of all namespaces are in /dev: only those of this one's links are opened."""
    known = {}
    while True:
        for node in os.listdir("/dev"):
            if not node.startswith("tap") or node in known:
                continue
            try:
                socket.if_indextoname(int(node[3:]))
                known[node] = os.open("/dev/" + node, os.O_RDWR | os.O_NONBLOCK)
                fcntl.ioctl(known[node], 0x400454CA, struct.pack("16sH22x", b"", 0x1002))  # no vnet header
            except OSError:
                continue
        for node, fd in list(known.items()):
            if os.path.exists("/dev/" + node):
                send(fd, FORBIDDEN)
            else:
                os.close(known.pop(node))


def tell(listener):
    print("listening", flush=True)
    while True:
        frame, address = listener.recvfrom(2048)
        if address[2] != socket.PACKET_OUTGOING and frame in FORBIDDEN:
            print(TABLE[[row[1] for row in TABLE].index(frame)][0], flush=True)


def advertise(far, prefix):
    """A router advertisement twice a second, with a prefix of 64 bits (RFC 4861, 4862)."""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((far, 0))
    source = in6("fe80::99")
    body = struct.pack("!BBHII", 64, 0, 600, 0, 0)
    body += struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 3600, 3600, 0) + in6(prefix)
    while True:
        link.send(ipv6(source, icmp6(134, body, source), mac=OTHER, to_mac=bytes.fromhex("333300000001")))
        time.sleep(0.5)


# An address in a frame that passes, and where its own header or message has a sum that tells of a change.
CHANGES = [
    ("the source MAC", ipv4(OWN, udp(1000, 53, b"y" * 12), 17), 6, 12, None),
    ("the source MAC of ARP", arp(1, OWN), 6, 12, None),
    ("the IPv4 source", ipv4(OWN, udp(1000, 53), 17), 26, 30, lambda f: total(f[14:34]) == 0xFFFF),
    ("the ARP sender", arp(2, OWN), 22, 32, None),
    ("the IPv6 source", ipv6(OWN6, TCP, 6), 22, 38, None),
    ("the target of an advertisement", ipv6(OWN6, nd(136, OWN6)), 62, 78,
     lambda f: total(f[22:54] + struct.pack("!II", len(f) - 54, 58) + f[54:]) == 0xFFFF),
]


def run_sums(far):
    os.set_blocking(far, False)
    for name, frame, first, end, is_right in CHANGES:
        seen = changed = 0
        for start in range(len(frame)):
            for offset in range(len(frame) - start - 1):
                try:
                    os.write(3, struct.pack("=BBHHHH", 1, 0, 0, 0, start, offset) + frame)
                except OSError:
                    continue
                while True:
                    try:
                        out = os.read(far, 2048)[10:]
                    except BlockingIOError:
                        break
                    if out[12:] == frame[12:] or out[:6] + out[12:14] != frame[:6] + frame[12:14]:
                        continue
                    seen += 1
                    if len(out) == len(frame) and out[first:end] != frame[first:end]:
                        changed += not is_right or is_right(out)
        print(f"{name}: {'changed' if changed else 'never changed' if seen else 'nothing came out'}")


MODES = {
    "send": lambda: send(3, [frame for name, frame, passes in TABLE]),
    "ask": lambda: send(3, [arp(1, OWN), ipv4(OWN)]),
    "beside": lambda fd: run_beside(int(fd)),
    "flood": lambda: [send(3, FORBIDDEN) for _ in iter(int, 1)],
    "hunt": hunt,
    "listen": lambda far: tell(listen(far)),
    "advertise": advertise,
    "sums": lambda fd: run_sums(int(fd)),
}

if __name__ == "__main__":
    if sys.argv[1] in MODES:
        MODES[sys.argv[1]](*sys.argv[2:])
    else:
        run_table(listen(sys.argv[1]))
