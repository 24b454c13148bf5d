#!/usr/bin/env python3
"""Many workers do random things with tapctl, and a model says what must be there.

Each worker has guests of its own, of which it knows what there must be, and some that all of them
fight for. Meanwhile bridges and lower devices are removed, renamed and taken down (br1 and low1; br0
and low0 stay), and each worker makes and removes a network namespace. After every call: nothing of
exec's is left a second after its last holder has ended, nobody else's device was touched, no held
device was removed without --force, a failure is one line and has a documented status, JSON parses,
no call took over 5 seconds, no sanitizer complained.

The seed repeats what each worker does, not how the calls of several fall together: a finding shows
the last calls of its worker. All happens in network and mount namespaces made for it.
"""
import argparse
import collections
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

TAPCTL = os.path.realpath(os.environ.get("TAPCTL", "tapctl"))
REPORTS = "/run/sanitizer"  # where the sanitizers write: a watcher has no standard error
STABLE = ["br0", "low0", None]  # no bridge or lower device: --unattached
FIGHT = {"52:54:00:00:00:01": ["--unattached"], "52:54:00:00:00:02": ["--link", "low0"],
         "52:54:00:00:00:03": ["--unattached", "--queues", "2"]}
STRANGERS = ["alien0", "alien1", "alien2", "alien3", "alien4", "tap5254000000ff", "mvt5254000000ff"]
OTHERS = """
link set br0 address 02:00:00:00:00:01
tuntap add alien0 mode tap
tuntap add tap5254000000ff mode tap
link set alien0 master br0
link add alien3 type veth peer name alien4
"""
HOLD = "echo $$; exec >/dev/null 2>&1; exec sleep 7200"
DAEMON = "setsid sleep 7200 >/dev/null 2>&1 & echo $!"
QUICK = [(["true"], 0), (["false"], 1), (["sh", "-c", "exit 7"], 7), (["/"], 126), (["/nonexistent"], 127),
         (["sh", "-c", "kill -KILL $$"], -9), (["sh", "-c", "(sleep 0.02) & exit 3"], 3)]
WRONG = [["pin", "alien3"], ["pin", "nothere"], ["list", "nothere"], ["add"], ["del"], ["nothing"],
         ["add", "--bridge", "br0", "--mac", "01:00:00:00:00:00"], ["pin", "--netns", "nothere", "br0"],
         ["add", "--bridge", "alien3", "--mac", "random"], ["add", "--link", "br0", "--mac", "random"]]


class Finding(Exception):
    """What is not as the model says."""


def ip(*words, namespace=None):
    """Whether it worked."""
    words = ["ip", *(["-n", namespace] if namespace else []), *words]
    return subprocess.run(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def index_of(name):
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return 0


def read(path):
    """Of a file that is not there, why."""
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError as error:
        return error.strerror


def is_until(condition, seconds):
    """What no event tells."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.003)
    return True


def started(mark):
    """The processes that have this in their environment: pid, name."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if mark in read(f"/proc/{pid}/environ").split("\0"):
            yield int(pid), read(f"/proc/{pid}/comm")


def kill_holder(pid, call):
    """The command of a call, or its daemon, which is nobody's child here."""
    os.kill(pid, signal.SIGKILL)
    call.wait()
    is_until(lambda: not re.search(r"\) [^ZX] ", read(f"/proc/{pid}/stat")), 5)


class Device:
    """What a worker asks for, and then what must be there, by its index."""

    def __init__(self, world, mac, parent, words):
        self.world, self.mac, self.parent, self.words = world, mac, parent, words
        self.macvtap = parent in ("low0", "low1")
        self.name = ("mvt" if self.macvtap else "tap") + mac.replace(":", "")
        self.sure = parent in STABLE and mac not in FIGHT  # it has to work
        self.removals, self.index, self.rewritten = world.removals[parent], 0, False

    def may_vanish(self):
        """Macvtaps go with their lower device."""
        return self.macvtap and self.removals != self.world.removals[self.parent]

    def exists(self):
        try:
            return bool(socket.if_indextoname(self.index))
        except OSError:
            return False


class Guest:
    """A run of exec or bridge-helper, and what it holds."""

    def __init__(self, devices, mark, stays, call=None, pid=0, fd=None):
        self.devices, self.mark, self.stays, self.call, self.pid, self.fd = devices, mark, stays, call, pid, fd

    def end(self):
        for device in self.devices:
            device.world.held.discard(device.index)
        if self.fd is not None:
            os.close(self.fd)
        else:
            kill_holder(self.pid, self.call)


class World:
    """What all workers share."""

    def __init__(self, options):
        self.options, self.running, self.removals = options, {}, collections.Counter()
        self.held = set()  # the indexes of what all hold: each has one holder
        self.calls, self.findings, self.slowest, self.latest = collections.Counter(), [], 0, 0
        self.stop = threading.Event()
        made = [self.make(name) for name in ("br0", "br1", "low0", "low1")]
        made += [ip(*line.split()) for line in OTHERS.strip().splitlines()]
        for name, kind in (("alien1", "macvtap"), ("alien2", "macvlan"), ("mvt5254000000ff", "macvtap")):
            made.append(ip("link", "add", "link", "low0", "name", name, "type", kind, "mode", "bridge"))
        # Of an older tapctl, which did not write by=: nobody knows that exec made it.
        made.append(ip("link", "set", name, "alias", "tapctl guest 52:54:00:00:00:ff"))
        if not all(made):
            sys.exit("tests/tools/stress.py: cannot make the devices that are not tapctl's")
        self.before = self.look()

    @staticmethod
    def make(name):
        kind = ["bridge"] if name.startswith("br") else ["veth", "peer", "name", name + "p"]
        made = ip("link", "add", name, "type", *kind)
        ip("link", "set", name + "p", "up")
        return ip("link", "set", name, "up") and made

    @staticmethod
    def look():
        """What is nobody's to change."""
        return {(name, what): read(f"/sys/class/net/{name}/{what}")
                for name in STRANGERS for what in ("ifindex", "address", "ifalias", "mtu", "flags")}

    def disturb(self):
        """Now and then something happens to br1 or low1."""
        rng = random.Random(f"{self.options.seed} disturb")
        while not self.stop.wait(rng.uniform(0.01, 0.3)):
            name, what, pause = rng.choice(["br1", "low1"]), rng.randrange(4), rng.uniform(0, 0.05)
            if what == 0:
                self.removals[name] += 1
                ip("link", "del", name)
                self.stop.wait(pause)
                self.make(name)
            elif what == 1:
                ip("link", "set", name, "name", "moved")
                self.stop.wait(pause)
                ip("link", "set", "moved", "name", name)
            elif what == 2:
                ip("link", "set", name, "down")
                self.stop.wait(pause)
                ip("link", "set", name, "up")
            else:
                ip("link", "set", name, "mtu", str(rng.choice([1400, 1500, 1500])))


class Worker(threading.Thread):
    def __init__(self, world, number):
        super().__init__(daemon=True)
        self.world, self.number, self.rng = world, number, random.Random(f"{world.options.seed} {number}")
        self.own = [f"52:54:01:{number:02x}:00:0{k}" for k in range(4)]
        self.guests, self.added, self.log, self.count = [], [], collections.deque(maxlen=12), 0

    # --- one call of tapctl ---

    def call(self, *words, may=(0,), kill=None, hold=False, fds=(), own=None):
        """Its status, stdout and process: one that runs on with a device has no status. @own is COMMAND's."""
        words, world, begin = [str(word) for word in words], self.world, time.monotonic()
        self.count += 1
        self.mark = f"STRESS_CALL={self.number}.{self.count}"
        process = subprocess.Popen(
            [TAPCTL, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            pass_fds=fds, env=dict(os.environ, STRESS=str(os.getpid()), STRESS_CALL=self.mark.partition("=")[2]))
        world.running[process] = begin
        if kill is not None:
            time.sleep(kill)
            process.kill()
        with process.stdout, process.stderr:
            out, err = process.stdout.read(), process.stderr.read()
        status = None if hold and out.strip() else process.wait()
        took = time.monotonic() - begin
        del world.running[process]
        world.calls[words[0]] += 1
        world.slowest = max(world.slowest, took)
        self.log.append((words, status, out, err, took))
        if took > 5 * world.options.patience:
            raise Finding(f"it took {took:.1f} s")
        for report in os.listdir(REPORTS):
            raise Finding("a sanitizer complains: " + read(f"{REPORTS}/{report}"))
        if kill is None or status != -signal.SIGKILL:
            self.judge(words, status, out, err, may, own)
        return status, out, process

    @staticmethod
    def is_error(line, as_json):
        if not as_json:
            return re.match(r"tapctl: [^:]+.*: .", line)
        return line.startswith("{") and set(json.loads(line)) == {"error", "subject", "message", "remedy"}

    @staticmethod
    def judge(words, status, out, err, may, own):
        lines = [line for line in err.splitlines() if not line.startswith("tapctl: warning: ")]
        if status not in may and status != own:
            raise Finding(f"exit status {status}, may be {may}")
        if not status or status == own or words[0] == "check" and out:
            if lines and "-v" not in words:
                raise Finding(f"no failure and an error: {lines}")
        elif len(lines) != 1 or not Worker.is_error(lines[0], "--json" in words):
            raise Finding(f"not one line of error: {lines}")
        if "--json" in words and not status and not json.loads(out) and words[0] not in ("list", "check"):
            raise Finding("no JSON")

    # --- what is asked for ---

    def held(self):
        return [device for guest in self.guests for device in guest.devices]

    def choose(self, most):
        """Up to @most devices that this worker does not have yet."""
        rng, chosen, mtu = self.rng, [], [[], [], ["--mtu", 1400]]
        for _ in range(rng.choice([1, 1, most])):
            mac, parent = rng.choice(self.own + list(FIGHT)), rng.choice(STABLE * 2 + ["br1", "low1"])
            if mac in FIGHT:
                # The same for all, so that --reuse finds what another one added.
                words = FIGHT[mac]
                parent = "low0" if "--link" in words else None
            elif parent is None:
                words = ["--unattached"] + rng.choice(mtu)
            elif parent.startswith("br"):
                words = ["--bridge", parent] + rng.choice([[], [], ["--isolated"], ["--hairpin"], ["--lock-mac"],
                                                           ["--ip", "10.0.1.2,fd00::2"], ["--limit-in", "10mbit"]])
            elif parent == "low0":
                words = ["--link", parent] + rng.choice(mtu)
            else:
                words = ["--link", parent] + rng.choice([[], ["--mode", rng.choice(["vepa", "private", "passthru"])]])
            device = Device(self.world, mac, parent, ["--mac", mac, *words])
            if device.name not in [other.name for other in self.held() + self.added] and \
                    mac not in [other.mac for other in chosen]:
                chosen.append(device)
        return chosen

    def queues(self):
        return self.rng.choice([[], [], [], ["--queues", 2], ["--queues", 3, "--no-vnet-hdr"]])

    def expect_gone(self, devices):
        begin = time.monotonic()
        for device in devices:
            if not is_until(lambda: not (device.exists() if device.index else index_of(device.name)),
                            self.world.options.patience):
                raise Finding(f"{device.name} ({device.index}) is left behind")
        self.world.latest = max(self.world.latest, time.monotonic() - begin)

    def passing(self, devices):
        """Those that exec made, surely."""
        return [device for device in devices if device.mac in self.own and device not in self.added]

    def expect_made(self, devices):
        for device in devices:
            device.index = index_of(device.name)
            if not device.index and not device.may_vanish():
                raise Finding(f"{device.name} was made and is not there")
        return [device for device in devices if device.index]

    def exec_quick(self):
        """COMMAND ends at once, or tapctl is killed, perhaps again and again: nothing is left."""
        rng, devices = self.rng, self.choose(2)
        words = self.queues() + sum((device.words for device in devices), [])
        for again in rng.choice([[0], [0], [0], [2, 1, 0]]) if devices else []:
            # The last one, whose child holds it for a moment more, cannot be followed by another.
            command, ends = rng.choice(QUICK[:-1] if again else QUICK)
            options = rng.choice([[], ["--user", "nobody"], ["--reuse"], ["--no-audit"]])
            kill = rng.uniform(0, 0.02) if not again and rng.random() < 0.2 else None
            self.call("exec", *words, *options, "--", *command, kill=kill, own=None if ends > 125 else ends,
                      may=(ends,) if all(device.sure for device in devices) else (ends, 125))
        self.expect_gone(self.passing(devices))

    def run_guest(self, devices, words, options, stays):
        sure = all(device.sure for device in devices)
        status, out, call = self.call(
            "exec", *words, *options, *self.rng.choice([[], ["--user", "nobody"]]), "--", "sh", "-c",
            self.rng.choice([HOLD, DAEMON]), hold=True, may=(None,) if sure else (None, 125))
        if status is None:
            guest = Guest(self.expect_made(devices), self.mark, stays, call, int(out))
            for device in guest.devices:
                if device.index in self.world.held:
                    raise Finding(f"{device.name} has two holders")
                self.world.held.add(device.index)
            self.guests.append(guest)
        else:
            self.expect_gone(self.passing(devices))

    def exec_hold(self):
        devices = self.choose(2)
        if devices and len(self.guests) < 4:
            options = self.rng.choice([[], [], ["--reuse"]])
            # With --reuse it may be one that another worker's add made.
            self.run_guest(devices, self.queues() + sum((device.words for device in devices), []), options,
                           bool(options) and any(device.mac in FIGHT for device in devices))

    def exec_added(self):
        held = self.held()
        free = [device for device in self.added if device not in held and not device.may_vanish()]
        if free:
            device = self.rng.choice(free)
            self.run_guest([device], device.words, ["--reuse"], True)

    def exec_again(self):
        """A held one a second time is refused, and stays."""
        held = [device for device in self.held() if device.parent in STABLE and not device.rewritten]
        if held:
            device = self.rng.choice(held)
            self.call("exec", *device.words, *self.rng.choice([[], ["--reuse"]]), "--", "true", may=(125,))

    def end_guest(self):
        if self.guests:
            guest = self.guests.pop(self.rng.randrange(len(self.guests)))
            guest.end()
            self.expect_gone(self.passing(guest.devices) if guest.stays else guest.devices)

    def helper(self):
        device = Device(self.world, self.rng.choice(self.own), self.rng.choice(["br0", "br0", "br1", "br2"]), [])
        if len(self.guests) > 3 or device.name in [other.name for other in self.held() + self.added]:
            return
        device.words = ["--mac", device.mac, "--bridge", device.parent]
        ours, theirs = socket.socketpair()
        with ours, theirs:
            status, _, _ = self.call("bridge-helper", "--use-vnet", f"--br={device.parent}", f"--fd={theirs.fileno()}",
                                     "--mac", device.mac, fds=(theirs.fileno(),), may=(0,) if device.sure else (0, 1))
            if status == 0:
                fd = socket.recv_fds(ours, 1, 1)[1][0]
                self.guests.append(Guest(self.expect_made([device]), self.mark, False, fd=fd))
            else:
                self.expect_gone([device])

    def add(self):
        rng, devices = self.rng, self.choose(3)
        if not devices or len(self.added) > 4:
            return
        kill = rng.uniform(0, 0.01) if rng.random() < 0.2 else None
        for device in devices:
            device.words = device.words + rng.choice([[], [], ["--queues", 2]] if device.mac in self.own else [[]])
        status, _, _ = self.call(
            "add", *rng.choice([[], ["--owner", "nobody"], ["--json"]]), *sum((device.words for device in devices), []),
            kill=kill, may=(0,) if all(device.sure for device in devices) else (0, 1))
        own = [device for device in devices if device.mac in self.own]
        if status == 0:
            self.added += self.expect_made(own)
        elif status == 1:
            self.expect_gone(own)
        else:
            # What was killed may have made each device whole, or not at all.
            time.sleep(0.05)
            for device in own:
                device.index = index_of(device.name)
                alias = read(f"/sys/class/net/{device.name}/ifalias")
                if device.index and "by=add" not in alias and not device.may_vanish():
                    raise Finding(f"{device.name} has no record after add was killed")
                self.added += [device] * bool(device.index)

    def delete(self):
        """A set of one's own, perhaps with what must not be removed: all or none."""
        rng, held = self.rng, self.held()
        chosen = rng.sample(self.added, rng.randint(0, len(self.added)))
        wrong = rng.choice([[], [], [], [rng.choice(STRANGERS[:-1])],
                            [rng.choice(["nothere", "52:54:00:99:99:99", "a b"])],
                            [device.name for device in held[:1]] if rng.random() < 0.3 else []])
        force = ["--force"] if not wrong and rng.random() < 0.3 else []
        if not force and rng.random() < 0.7:
            chosen = [device for device in chosen if device not in held]
        words = [device.name for device in chosen] + wrong
        if not words:
            return
        rng.shuffle(words)
        refused = wrong or not force and any(device in held for device in chosen)
        vague = any(device.parent == "low1" for device in chosen + held)
        before = {device for device in chosen if device.exists()}
        status, _, _ = self.call("del", *force, *words, may=(0, 1) if vague else (1,) if refused else (0,))
        if status == 0:
            self.expect_gone(chosen)
            self.forget(chosen)
        elif any(not device.exists() and not device.may_vanish() for device in before):
            raise Finding("del removed some and not all")

    def forget(self, devices):
        """What was removed has no model any more; its guests end."""
        self.added = [device for device in self.added if device not in devices]
        for guest in list(self.guests):
            guest.devices = [device for device in guest.devices if device not in devices]
            if not guest.devices:
                self.guests.remove(guest)
                guest.end()

    def fight(self):
        """A device that another worker may be about to take."""
        words = self.rng.sample(list(FIGHT), self.rng.randint(1, 2))
        self.call(*self.rng.choice([["del", *words], ["add", "--mac", words[0], *FIGHT[words[0]]]]), may=(0, 1))

    def stale(self):
        self.call("del", "--stale")

    def kill_watcher(self):
        """What it watched stays, until del --stale removes it."""
        guests = [guest for guest in self.guests if guest.call and not guest.stays and not any(
            device.rewritten for device in guest.devices) and any(device.macvtap for device in guest.devices)]
        if guests:
            guest = self.rng.choice(guests)
            for pid, name in started(guest.mark):
                if name == "tapctl-watcher":
                    os.kill(pid, signal.SIGKILL)
            self.call("del", "--stale")
            self.check_model()
            if guest in self.guests:
                self.guests.remove(guest)
                guest.end()
                is_until(lambda: self.call("del", "--stale") and not any(d.exists() for d in guest.devices), 0.5)
                self.expect_gone(guest.devices)

    def change(self):
        """Somebody renames a held device, or rewrites its record: it goes in the end all the same."""
        own = [device for guest in self.guests if not guest.stays
               for device in guest.devices if device.mac in self.own]
        if own:
            device = self.rng.choice(own)
            if self.rng.random() < 0.5:
                device.rewritten = ip("link", "set", device.name, "alias", "mine")
            else:
                ip("link", "set", device.name, "name", "x" + device.name[3:])
                time.sleep(self.rng.uniform(0, 0.02))
                ip("link", "set", "x" + device.name[3:], "name", device.name)

    def list(self):
        words = self.rng.choice([[], ["--holders"]])
        _, out, _ = self.call("list", "--all", "--json", *words)
        shown, held = {device["ifindex"]: device for device in json.loads(out)}, self.held()
        for device in held + self.added:
            if not device.may_vanish() and device.index not in shown:
                raise Finding(f"list does not show {device.name}")
            if device in held and not device.may_vanish() and shown[device.index]["in_use"] is False:
                raise Finding(f"list shows {device.name} as free")
        self.call("list", *words)

    def small(self):
        _, out, _ = self.call("check", *self.rng.choice([[], ["-v"]]), "--json", may=(0, 1))
        if not all(finding["id"] for finding in json.loads(out)):
            raise Finding("check tells nothing")
        self.call("pin", self.rng.choice(["br0", "br1"]), may=(0, 1))
        self.call(*self.rng.choice(WRONG), may=(1, 2))
        self.call("mac", "--random", "--json")

    def apart(self):
        """A namespace is removed around devices that are held, added or just being made."""
        name, wire, rng, holders = f"ns{self.number}", f"wire{self.number}", self.rng, []
        made = ip("netns", "add", name)
        if not made or not ip("link", "add", wire, "type", "veth", "peer", "name", "up", "netns", name):
            raise Finding(f"namespace {name} cannot be made")
        ip("link", "set", "up", "up", namespace=name)
        ip("link", "add", "br0", "type", "bridge", namespace=name)
        for mac in self.own[:rng.randint(1, 3)]:
            words = rng.choice([["--bridge", "br0"], ["--link", "up"], ["--unattached"]])
            words = [*words, "--netns", name, "--mac", mac]
            if rng.random() < 0.3:
                self.call("add", *words)
            else:
                _, out, call = self.call("exec", *words, "--", "sh", "-c", rng.choice([HOLD, DAEMON]),
                                         hold=True, may=(None,))
                holders.append((int(out), call))
        removal = threading.Timer(rng.uniform(0, 0.02), ip, ["netns", "del", name])
        removal.start()
        if rng.random() < 0.5:
            self.call(*rng.choice([["list", "--json"], ["check"], ["del", "--stale"]]), "--netns", name, may=(0, 1))
        else:
            self.call("exec", "--netns", name, "--link", "up", "--mac", self.own[3], "--", "true", may=(0, 125))
        removal.join()
        for pid, call in holders:
            kill_holder(pid, call)
        # When nothing keeps the namespace any more, the other end of its cable goes as well.
        if not is_until(lambda: not index_of(wire), 5 * self.world.options.patience):
            raise Finding(f"something keeps the namespace: {wire} is there")

    # --- the model ---

    def check_model(self):
        changed = set(self.world.look().items()) ^ set(self.world.before.items())
        if changed:
            raise Finding(f"a stranger was touched: {changed}")
        gone = [device for device in self.held() + self.added if not device.exists()]
        for device in gone:
            if not device.may_vanish():
                raise Finding(f"{device.name} ({device.index}) is gone" + " and was held" * (device in self.held()))
        self.forget(gone)

    def run(self):
        steps = [self.exec_quick] * 8 + [self.exec_hold] * 6 + [self.end_guest] * 5 + [self.add] * 5 + \
            [self.delete] * 4 + [self.exec_added] * 3 + [self.helper, self.list] * 2 + [
                self.fight, self.fight, self.stale, self.exec_again, self.kill_watcher, self.change, self.small,
                self.apart]
        try:
            while not self.world.stop.is_set():
                self.step = self.rng.choice(steps).__name__
                getattr(self, self.step)()
                self.check_model()
            while self.guests:
                self.end_guest()
            if self.added:
                self.call("del", *(device.name for device in self.added), may=(0, 1))
        except Exception as error:  # a fault of the script itself is a finding as well
            self.world.findings.append((self, error))
            self.world.stop.set()

    def tell(self, error):
        print(f"finding: seed {self.world.options.seed}, worker {self.number}, call {self.count}, step {self.step}: "
              f"{type(error).__name__}: {error}")
        for words, status, out, err, took in self.log:
            print(f"$ tapctl {' '.join(words)}\n  status {status}, {took:.3f} s")
            for line in (out[:2000] + err).splitlines():
                print(f"  {line}")
        for what, devices in (("held", self.held()), ("added", self.added)):
            print(f"model: {what}:", *(f"{device.name} ({device.index}) on {device.parent}" +
                                       ", may be gone" * device.may_vanish() for device in devices), sep="\n  ")
        sys.stdout.flush()
        ip("-br", "link")


def leftovers(options):
    """What is there in the end and should not be, or None."""
    for mac in FIGHT:
        subprocess.run([TAPCTL, "del", mac], stderr=subprocess.DEVNULL)
    left = []

    def is_clean():
        left[:] = [f"process {pid} {name}" for pid, name in started(f"STRESS={os.getpid()}")]
        left.extend(name for name in os.listdir("/sys/class/net")
                    if name.startswith(("tap", "mvt", "x")) and name not in STRANGERS)
        return not left
    return None if is_until(is_clean, 5 * options.patience) else ", ".join(left)


def here(options):
    if os.listdir("/sys/class/net") != ["lo"] or os.listdir("/run/netns"):
        sys.exit("tests/tools/stress.py: this is no empty network namespace")
    os.mkdir(REPORTS)
    os.environ["ASAN_OPTIONS"] = f"log_path={REPORTS}/asan:detect_leaks=0"
    os.environ["UBSAN_OPTIONS"] = f"log_path={REPORTS}/ubsan"
    world = World(options)
    workers = [Worker(world, number) for number in range(options.workers)]
    disturbance = threading.Thread(target=world.disturb, daemon=True)
    for thread in [*workers, disturbance]:
        thread.start()
    end = time.monotonic() + options.seconds
    while any(worker.is_alive() for worker in workers):
        time.sleep(0.1)
        if time.monotonic() > end:
            world.stop.set()
        for process, begin in list(world.running.items()):
            if time.monotonic() - begin > 5 * options.patience + 1:
                process.kill()
        if time.monotonic() > end + 60 * options.patience:
            world.findings.append((next(filter(threading.Thread.is_alive, workers)), Finding("it hangs")))
            break
    disturbance.join()
    for worker, error in world.findings:
        worker.tell(error)
    left = None if world.findings else leftovers(options)
    if left:
        print(f"finding: seed {options.seed}: left in the end: {left}")
    for pid, _ in started(f"STRESS={os.getpid()}"):
        os.kill(pid, signal.SIGKILL)
    print(f"# {sum(world.calls.values())} calls, the slowest {world.slowest:.2f} s, the last device gone after "
          f"{world.latest:.2f} s: " + ", ".join(f"{count} {verb}" for verb, count in world.calls.most_common()))
    return bool(world.findings or left)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(10 ** 6)))
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--patience", type=float, default=1, help="multiplies what is waited for: for slow builds")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        return here(options)
    print(f"# seed {options.seed}", flush=True)
    # /etc is a copy with an access file for bridge-helper; the names of namespaces and sysfs are its own.
    return subprocess.run(["unshare", "--net", "--mount", "--propagation", "private", "sh", "-euc", """
        mount -t tmpfs tmpfs /mnt && mkdir -p /mnt/tapctl && cp /etc/passwd /etc/group /mnt
        printf 'allow br0\\nallow br1\\n' >/mnt/tapctl/bridge.conf
        mount --bind /mnt /etc && mount -t tmpfs tmpfs /run && mkdir /run/netns
        mount -t sysfs sysfs /sys && ip link set lo up && exec "$@" """, "sh",
                           sys.executable, os.path.realpath(__file__), *sys.argv[1:], "--here", "--seed", options.seed]
                          ).returncode


sys.exit(main())
