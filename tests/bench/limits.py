"""How much passes a limit: limits.py in|out FAR MAC, with the guest's device as fd 3, without a vnet header.

Frames of 1,514 bytes are sent as fast as the device takes them, to the guest from the link FAR or the other
way. What arrives in three seconds is counted once the burst is through, and told in bits a second.
"""
import os, select, socket, sys, threading, time

way, far, mac = sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3].replace(":", ""))
there = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
there.bind((far, 3))
other = b"\x02" + bytes(4) + b"\x0f"
frame = (mac + other if way == "in" else other + mac) + b"\x88\xb5" + bytes(1500)
# A write that blocks is never woken on a macvtap (drivers/net/tap.c): VMMs poll.
os.set_blocking(3, way == "in")
send, receive = ((there.send, lambda: os.read(3, 2048)) if way == "in" else
                 (lambda data: os.write(3, data), lambda: there.recv(2048)))


def flood():
    while True:
        try:
            send(frame)
        except OSError:
            select.select([], [3], [], 0.1)  # its queue is full


threading.Thread(target=flood, daemon=True).start()
begin, end, size = time.monotonic() + 2, time.monotonic() + 5, 0
while (now := time.monotonic()) < end:
    got = len(receive())
    size += got if now > begin and got == len(frame) else 0
print(size * 8 / 3)
