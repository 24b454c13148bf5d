"""A stand-in for a guest, on a tap or macvtap that is open as fd 3 without a vnet header:

    guest.py MAC IP [WORD...]

It answers who asks for its IP address, and pings. The words are what it does besides, ten times a
second: arp=IP asks for IP, ping=IP pings it as soon as IP has answered, announce tells its own
address, dhcp asks for one, solicit=IPV6 asks for IPV6, from=MAC is what it really sends as, tag=VID
tags what it sends, often: a hundred times a second, mute: it answers nothing, idle: it never reads,
once: it ends when its ping is answered. via=IP is the router for ping, to=MAC its address. The file
$BEGUN is made as soon as it has done so once.
"""
import contextlib, os, random, select, socket, struct, sys, time

mac, ip = (bytes.fromhex(sys.argv[1].replace(":", "")), socket.inet_aton(sys.argv[2]))
words = dict((word.split("=", 1) + [""])[:2] for word in sys.argv[3:])
source = bytes.fromhex(words["from"].replace(":", "")) if "from" in words else mac
everybody = b"\xff" * 6
known = {}


def send(to, kind, payload):
    tag = struct.pack("!HH", 0x8100, int(words["tag"])) if "tag" in words else b""
    os.write(3, (to + source + tag + struct.pack("!H", kind) + payload).ljust(60, b"\0"))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def arp(op, to, target_mac, target):
    send(to, 0x0806, struct.pack("!HHBBH", 1, 0x0800, 6, 4, op) + source + ip + target_mac + target)


def ipv4(to, protocol, sender, target, payload):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, sender, target)
    send(to, 0x0800, head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload)


def icmp(to, kind, target, rest):
    head = struct.pack("!BBH", kind, 0, 0)
    ipv4(to, 1, ip, target, head[:2] + struct.pack("!H", checksum(head + rest)) + rest)


def dhcp():
    bootp = struct.pack("!BBBBI", 1, 1, 6, 0, 7) + bytes(20) + source + bytes(202) + b"\x63\x82\x53\x63\x35\x01\x01\xff"
    ipv4(everybody, 17, bytes(4), b"\xff" * 4, struct.pack("!HHHH", 68, 67, 8 + len(bootp), 0) + bootp)


def solicit(target):
    own = b"\xfe\x80" + bytes(6) + bytes([source[0] ^ 2]) + source[1:3] + b"\xff\xfe" + source[3:]
    group = b"\xff\x02" + bytes(9) + b"\x01\xff" + target[13:]
    body = struct.pack("!BBHI", 135, 0, 0, 0) + target + b"\x01\x01" + source
    pseudo = own + group + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    send(b"\x33\x33\xff" + target[13:], 0x86DD, struct.pack("!IHBB", 0x60000000, len(body), 58, 255) + own + group + body)


def act():
    if "arp" in words:
        arp(1, everybody, bytes(6), socket.inet_aton(words["arp"]))
    if "announce" in words:
        arp(1, everybody, bytes(6), ip)
    if "dhcp" in words:
        dhcp()
    if "solicit" in words:
        solicit(socket.inet_pton(socket.AF_INET6, words["solicit"]))
    if "ping" in words:
        target = socket.inet_aton(words["ping"])
        via = socket.inet_aton(words.get("via", words["ping"]))
        if "to" in words:
            known[via] = bytes.fromhex(words["to"].replace(":", ""))
        if via in known:
            icmp(known[via], 8, target, bytes(36))
        else:
            arp(1, everybody, bytes(6), via)


def react(frame):
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == 0x0806 and frame[38:42] == ip:
        known[frame[28:32]] = frame[22:28]
        if frame[21] == 1 and "mute" not in words:
            arp(2, frame[6:12], frame[22:28], frame[28:32])
    elif kind == 0x0800 and frame[23] == 1 and frame[34] == 8 and frame[30:34] == ip and "mute" not in words:
        icmp(frame[6:12], 0, frame[26:30], frame[38:])
    elif kind == 0x0800 and frame[23] == 1 and frame[34] == 0 and frame[30:34] == ip and "once" in words:
        sys.exit()


begun = os.environ.get("BEGUN")
turn = time.monotonic()
while True:
    if time.monotonic() >= turn:
        turn = time.monotonic() + random.uniform(0.05, 0.15) * (0.1 if "often" in words else 1)  # none keep in step
        with contextlib.suppress(OSError):  # the device is down just now
            act()
        if begun:
            begun = open(begun, "w").close()
    if "idle" not in words and select.select([3], [], [], max(0, turn - time.monotonic()))[0]:
        frame = os.read(3, 65536)
        with contextlib.suppress(OSError):
            react(frame)
    elif "idle" in words:
        time.sleep(0.1)
