#!/usr/bin/env python3
"""Every system call of every command fails once, and the process is killed there once.

tests/tools/sweep.py [--quick] [SCENARIO...]

One traced run tells which calls a command makes. Then each of them gets one run per errno that it
can have, one in which its answer is lost, and one in which the process is killed at it
(strace --inject). After each run the links, the nodes in /dev, the processes and the bridge must be
as they were, or, for `add`, hold complete devices only; a watcher that was killed may leave what
`list` shows and `del --stale` removes. The calls of the dynamic loader come before the first one of
tapctl's own and are left out. --quick: one errno each, and no kill where nothing has changed since
the last one. Prints TAP.

Each scenario has network, mount and process namespaces of its own; JOBS of them run at once.
"""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TAPCTL = os.path.realpath(os.environ["TAPCTL"])
# A static program, which has no calls of a loader for a late injection to hit.
BUSYBOX = os.path.realpath(shutil.which("busybox") or "busybox")
COMMAND = ["--", BUSYBOX, "true"]
TRAFFIC = ["--ip", "10.0.1.2,fd00::2", "--limit-in", "10mbit"]
ERRNOS = {
    "openat": ["EMFILE", "ENOMEM", "EACCES", "EINTR"],
    "socket": ["EMFILE", "ENOMEM", "EAFNOSUPPORT"],
    "socketpair": ["EMFILE", "ENOMEM"],
    "ioctl": ["ENOMEM", "EPERM", "EBUSY", "EINTR", "EBADFD"],
    "sendto": ["ENOBUFS", "ENOMEM", "EINTR"],
    "recvmsg": ["ENOBUFS", "ENOMEM", "EINTR", "EAGAIN"],
    "recvfrom": ["EINTR", "ECONNRESET"],
    "read": ["EINTR", "EIO"],
    "write": ["EIO", "ENOSPC"],
    "clone": ["EAGAIN", "ENOMEM"],
    "wait4": ["EINTR", "ECHILD"],
    "pipe2": ["EMFILE", "ENFILE"],
    "unshare": ["EPERM", "ENOSPC"],
    "dup2": ["EBUSY", "EINTR"],
    "dup3": ["EBUSY", "EMFILE"],
    "getrandom": ["ENOSYS"],
    "setns": ["EPERM", "ENOMEM"],
    "mknodat": ["EPERM", "ENOSPC"],
    "fsopen": ["EPERM", "ENOSYS"],
    "fsmount": ["EPERM"],
    "chmod": ["EPERM", "EROFS"],
    "fchownat": ["EPERM", "EROFS"],
    "capget": ["EPERM"],
    "getdents64": ["ENOMEM"],
    "close(1)": ["EIO", "EDQUOT"],
    "execve": ["ENOMEM", "EACCES"],
    "fcntl": ["EMFILE"],
    "poll": ["ENOMEM", "EINTR"],
    "chdir": ["EACCES"],
    "setsid": ["EPERM"],
    "close_range": ["ENOSYS"],
}
# They cannot fail, or their failure is nobody's business.
NEVER_FAIL = {"close", "exit_group", "geteuid", "getuid", "brk", "mmap", "munmap", "mprotect", "newfstatat",
              "rt_sigprocmask", "setsockopt", "shutdown", "getpid", "gettid", "rt_sigaction",
              "prlimit64", "fstat", "set_robust_list", "access", "statx", "lseek",
              "restart_syscall", "rt_sigreturn"}
# What others can see. To be killed at another call is to be killed at the next of these.
SEEN = {"ioctl", "sendto", "clone", "write", "close(1)", "openat", "inotify_add_watch", "mknodat", "unlinkat",
        "chmod", "fchownat", "dup2", "execve", "exit_group"}
# Open vSwitch, if it was fetched: tests/tools/switches.
SWITCHES = os.environ.get("SWITCHES") or os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../build/switches")
MACS = [f"52:54:00:00:00:0{n}" for n in (1, 2, 3)]


def run(*words, **options):
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)


def ip(*words):
    result = run("ip", *words)
    if result.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {result.stderr}")


def links():
    """What there is, without what the kernel counts by itself."""
    shown = json.loads(run("ip", "-d", "-j", "link", "show").stdout)
    return {link["ifname"]: link for link in shown}


def nodes():
    """What only tapctl can leave in /dev: the nodes of devices, of anybody's, come and go with them."""
    return sorted(name for name in os.listdir("/dev") if name.startswith(".tapctl") or
                  name.startswith("tap") and os.path.isfile(f"/dev/{name}"))


def program(pid):
    """What a process runs; "" when it disappeared."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def processes():
    """Living tapctls, which are the watchers."""
    return [pid for pid in filter(str.isdigit, os.listdir("/proc")) if program(pid) == TAPCTL]


def wait_for(condition, seconds=10):
    """What no event tells."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def same_as(before):
    """A complaint, or None once everything is as it was; the watcher may take a moment for it."""
    end = time.monotonic() + 5
    while True:
        now = links()
        left = [f"link {n}" for n in now if n not in before["links"]]
        left += [f"link {n} is missing" for n in before["links"] if n not in now]
        left += [f"/dev/{n}" for n in nodes() if n not in before["nodes"]]
        left += [f"process {p}" for p in processes()]
        if not left or time.monotonic() > end:
            break
        time.sleep(0.01)  # only while something is left, which no event tells
    if not left and now["br0"]["address"] != before["links"]["br0"]["address"]:
        left.append("another address on br0")
    return ", ".join(left) or None


def incomplete(name, link):
    """What a device of `add` lacks, or None."""
    mac = ":".join(re.findall("..", name[3:]))
    data = link.get("linkinfo", {}).get("info_data", {})
    checks = {"alias": link.get("ifalias", "").startswith(f"tapctl guest {mac} by=add on="), "up": "UP" in link["flags"]}
    if name.startswith("tap"):
        checks |= {"address": link["address"] == "fe" + mac[2:], "master": link.get("master") == "br0",
                   "persist": data.get("persist") is True, "owner": data.get("user") is not None}
    else:
        checks |= {"address": link["address"] == mac, "mode": data.get("mode") == "bridge",
                   "allmulti": "ALLMULTI" in link["flags"]}
    missing = [what for what, there in checks.items() if not there]
    return ", ".join(missing) or None


class Scenario:
    """A command, what has to be there before it, and what may be there after it."""
    own_calls = True

    def __init__(self, name, words, before=(), statuses=(1,)):
        self.name, self.words, self.before, self.statuses = name, list(words), before, statuses

    def prepare(self):
        for words in self.before:
            result = run(TAPCTL, *words)
            if result.returncode:
                raise RuntimeError(f"{words}: {result.stderr}")

    def clean(self):
        names = [name for name in links() if name.startswith(("tap", "mvt"))]
        if names:
            # As a group: the kernel waits as long for all of them as for one.
            batch = "".join(f"link set dev {name} group 77\n" for name in names) + "link del group 77\n"
            # A watcher may be faster.
            subprocess.run(["ip", "-force", "-batch", "-"], input=batch, text=True, check=False,
                           stderr=subprocess.DEVNULL)
        for pid in processes():
            os.kill(int(pid), signal.SIGKILL)
        if self.name.startswith("ovs"):
            wait_for(lambda: not processes())
            vsctl(*(word for port in ports() for word in ("--", "del-port", port)))

    def run(self, *trace, log="/dev/null"):
        """Its exit status and output, or None when it hangs."""
        try:
            return run("strace", "-qq", "-o", log, *trace, TAPCTL, *self.words, timeout=20)
        except subprocess.TimeoutExpired:
            return None

    def is_error(self, line):
        if "--json" not in self.words:
            return re.match(r"tapctl: ([0-9a-f:]{17}|[^:]+): .", line)
        return line.startswith("{") and set(json.loads(line)) == {"error", "subject", "message", "remedy"}

    def complain(self, before, result, killed):
        """What is wrong with a run, or None."""
        if result is None:
            return "it hangs"
        if killed and result.returncode == -signal.SIGKILL:
            return self.judge(before, result, killed)
        if result.returncode not in (0, *self.statuses):
            return f"exit status {result.returncode}"
        lines = [line for line in result.stderr.splitlines() if not line.startswith("tapctl: warning: ")]
        if result.returncode and not (len(lines) == 1 and self.is_error(lines[0])):
            return f"no one line of error: {lines}"
        return self.judge(before, result, killed)

    def judge(self, before, result, killed):
        """What is wrong with what a run has left behind, or None."""
        return same_as(before)


def vsctl(*words):
    return run("ovs-vsctl", "--timeout=20", *words).stdout


def ports():
    """Those of taps on Open vSwitch."""
    return [port for port in vsctl("list-ports", "br-int").split() if port.startswith("tap")]


def start_switch():
    """Open vSwitch with a bridge, for which all of this namespace is."""
    switches, data = f"{os.path.dirname(os.path.realpath(__file__))}/switches", tempfile.mkdtemp(dir="/run")
    subprocess.run([switches, "start", SWITCHES, data], check=True, stdin=subprocess.DEVNULL)
    os.environ.update(line.split("=", 1) for line in run(switches, "env", SWITCHES, data).stdout.splitlines())


class Exec(Scenario):
    """exec on Open vSwitch: the watcher removes the port."""

    def judge(self, before, result, killed):
        wait_for(lambda: not ports())
        return same_as(before) or (f"port {ports()}" if ports() else None)


class Add(Scenario):
    def judge(self, before, result, killed):
        if result.returncode and not killed:
            return same_as(before)
        made = {n: l for n, l in links().items() if n not in before["links"]}
        for name, link in made.items():
            missing = incomplete(name, link)
            if missing:
                return f"{name} is there without its {missing}"
        if not killed and len(made) != self.words.count("--mac"):
            return f"success with {len(made)} devices"
        return f"process {processes()}" if processes() else None


class AddPort(Scenario):
    """add on Open vSwitch: each port with its tap, which stays, and none without."""

    def judge(self, before, result, killed):
        wait_for(lambda: not processes())
        made = {n: l for n, l in links().items() if n not in before["links"]}
        if sorted(made) != sorted(ports()):
            return f"taps {sorted(made)} and ports {sorted(ports())}"
        if result.returncode and not killed and made:
            return f"failed, and left {', '.join(made)}"
        if result.returncode == 0 and len(made) != self.words.count("--mac"):
            return f"success with {len(made)} devices"
        for name, link in made.items():
            if "by=add ovs=br-int" not in link.get("ifalias", "") or not link["linkinfo"]["info_data"].get("persist"):
                return f"{name} is incomplete"
        return f"process {processes()}" if processes() else None


class DelPort(Scenario):
    """del on Open vSwitch: no port without its tap."""

    def judge(self, before, result, killed):
        left = [name for name in links() if name.startswith("tap")]
        if not set(ports()) <= set(left):
            return f"taps {left} and ports {ports()}"
        return f"success, and there is {left}" if result.returncode == 0 and left else None


class AttachPort(DelPort):
    """attach on Open vSwitch: the tap stays whatever happens, and after success it has its port."""

    def prepare(self):
        super().prepare()
        vsctl(*(word for port in ports() for word in ("--", "del-port", port)))

    def judge(self, before, result, killed):
        # What a run that was killed has sent may still be on its way.
        wait_for(lambda: ports() or result.returncode, 1)
        if result.returncode == 0 and len(ports()) != 1:
            return f"success, and the ports are {ports()}"
        return same_as(before)


class Del(Scenario):
    def judge(self, before, result, killed):
        left = {n: l for n, l in links().items() if n.startswith(("tap", "mvt"))}
        count = sum(words.count("--mac") for words in self.before)
        if result.returncode == 0 and left:
            return f"success, and there is {', '.join(left)}"
        if left and len(left) != count:
            return f"only {', '.join(left)} left of {count}"
        groups = [n for n, l in left.items() if l["group"] != "default"]
        return f"another group: {', '.join(groups)}" if groups else None


class Stale(Del):
    """del --stale: what exec leaves when its watcher is killed."""

    def prepare(self):
        super().prepare()
        for name in links():
            if name.startswith("mvt"):
                mac = ":".join(re.findall("..", name[3:]))
                ip("link", "set", name, "alias", f"tapctl guest {mac} by=exec on=v0")


class Pin(Scenario):
    """A bridge br1 that has the address of its lowest port."""

    def clean(self):
        super().clean()
        run("ip", "link", "del", "br1")

    def prepare(self):
        ip("link", "add", "br1", "type", "bridge")
        super().prepare()

    def judge(self, before, result, killed):
        was, bridge = before["links"]["br1"], links()["br1"]
        with open("/sys/class/net/br1/addr_assign_type") as file:
            pinned = file.read().strip() == "3"
        if bridge["address"] != was["address"]:
            return "another address on br1"
        return "success, and br1 is not pinned" if result.returncode == 0 and not pinned else same_as(before)


class Attach(Scenario):
    """A tap that was taken off its bridge, which joins as a dormant port and is opened with its protections."""

    def prepare(self):
        super().prepare()
        for name in links():
            if name.startswith("tap"):
                ip("link", "set", name, "nomaster")

    def judge(self, before, result, killed):
        for name, link in links().items():
            if not name.startswith("tap"):
                continue
            port = link["linkinfo"].get("info_slave_data", {})
            protected = port.get("isolated") and port.get("locked")
            dormant = link["linkmode"] == "DORMANT"
            if port and not protected and not dormant:
                return f"{name} is an open port without its protections"
            if result.returncode == 0 and (not port or dormant):
                return f"success, and {name} is {'dormant' if dormant else 'off'}"
            if result.returncode and not killed and dormant:
                return f"{name} is left dormant"
        return same_as(before)


class Watcher(Scenario):
    """exec on a macvtap; the faults are those of the watcher, and of its parent, which forks it."""
    own_calls = False
    prefix = "mvt"

    def __init__(self, name, words):
        super().__init__(name, [*words, "--", BUSYBOX, "cat"], statuses=(125,))

    def run(self, *trace, log="/dev/null"):
        # The parent stops as soon as it has left tapctl's session: from there on it alone is traced.
        with tempfile.NamedTemporaryFile("r") as stops:
            main = subprocess.Popen(["strace", "-D", "-I1", "-qq", "-f", "-o", stops.name, "-e", "trace=setsid", "-e",
                                     "inject=setsid:signal=STOP", TAPCTL, *self.words], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            wait_for(lambda: "stopped by SIGSTOP" in stops.read())
            stops.seek(0)
            parent = stops.read().split()[0]
        os.kill(int(status(parent, "TracerPid")), signal.SIGTERM)
        wait_for(lambda: status(parent, "TracerPid") == "0")
        tracer = subprocess.Popen(["strace", "-qq", "-f", "-o", log, *trace, "-p", parent], stderr=subprocess.DEVNULL)
        wait_for(lambda: status(parent, "TracerPid") == str(tracer.pid))
        os.kill(int(parent), signal.SIGCONT)
        # COMMAND reads its input until the watcher has nothing more to do, as a guest would run for a while.
        wait_for(lambda: program(main.pid) in ("", BUSYBOX))
        wait_for(lambda: all(status(pid, "State")[:1] == "S" for pid in processes()))
        self.robbed = program(main.pid) == BUSYBOX and \
            sum(name.startswith(self.prefix) for name in links()) < self.words.count("--mac")
        try:
            stdout, stderr = main.communicate(timeout=20)
            tracer.wait(timeout=20)
        except subprocess.TimeoutExpired:
            main.kill()
            tracer.kill()
            return None
        return subprocess.CompletedProcess(self.words, main.returncode, stdout, stderr)

    def judge(self, before, result, killed):
        if self.robbed:
            return "COMMAND lost its device"
        if not killed or result.returncode:
            return same_as(before)
        wait_for(lambda: not processes(), 1)
        orphans = sorted(name for name in links() if name not in before["links"])
        shown = sorted(link["name"] for link in json.loads(run(TAPCTL, "list", "--json").stdout))
        if orphans != shown:
            return f"list shows {shown} where {orphans} are left"
        stale = run(TAPCTL, "del", "--stale")
        return f"del --stale: {stale.stderr}" if stale.returncode else same_as(before)


class PortWatcher(Watcher):
    """exec on Open vSwitch, too."""
    prefix = "tap"

    def judge(self, before, result, killed):
        if self.robbed:
            return "COMMAND lost its device"
        wait_for(lambda: not processes())
        if killed and result.returncode == 0:
            # ovs-vswitchd takes a moment to see that a tap is gone.
            wait_for(lambda: run(TAPCTL, "del", "--stale").returncode or not ports())
        wait_for(lambda: not ports())
        return same_as(before) or (f"port {ports()}" if ports() else None)


class Helper(Scenario):
    """bridge-helper: the tap goes with its fd, which lies in a socket."""

    def prepare(self):
        if os.path.exists("/etc/qemu/bridge.conf"):
            return
        with tempfile.TemporaryDirectory() as etc:
            shutil.copy("/etc/ld.so.cache", etc)
            os.mkdir(f"{etc}/qemu")
            with open(f"{etc}/qemu/bridge.conf", "w", encoding="ascii") as conf:
                conf.write("include /etc/qemu/none\nallow br0\n")
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/etc"], check=True)
            subprocess.run(["cp", "-a", f"{etc}/.", "/etc"], check=True)

    def run(self, *trace, log="/dev/null"):
        near, far = socket.socketpair()
        with near, far:
            try:
                return subprocess.run(["strace", "-qq", "-o", log, *trace, TAPCTL, *self.words], stdin=far,
                                      capture_output=True, text=True, timeout=20)
            except subprocess.TimeoutExpired:
                return None


def status(pid, key):
    """A field of /proc/PID/status; "" when there is no such process."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return next(line.split(":\t")[1].strip() for line in file if line.startswith(f"{key}:"))
    except (OSError, StopIteration):
        return ""


def macs_words(macs):
    return [word for mac in macs for word in ("--mac", mac)]


def scenarios():
    for kind, place in (("tap", ("--bridge", "br0")), ("macvtap", ("--link", "v0"))):
        first = macs_words(MACS[:1])
        for macs in (MACS[:1], MACS):
            count = len(macs)
            add = ["add", *place, *macs_words(macs)]
            yield Add(f"add {kind} {count}", add)
            yield Scenario(f"exec {kind} {count}", ["exec", *place, *macs_words(macs), *COMMAND],
                           statuses=(125, 126))
            # Here /proc shows not all, and so not who may have a macvtap open by its name.
            force = ["--force"] if kind == "macvtap" else []
            yield Del(f"del {kind} {count}", ["del", *force, *macs], [add])
            if kind == "macvtap":
                yield Stale(f"del stale {count}", ["del", "--stale"], [add])
                yield Watcher(f"watcher {count}", ["exec", *place, *macs_words(macs)])
            else:
                yield Pin(f"pin {count}", ["pin", "br1"], [["add", "--bridge", "br1", *macs_words(macs)]])
        yield Add(f"add {kind} json", ["add", "--json", *place, *first])
        yield Scenario(f"exec {kind} queues", ["exec", *place, "--queues", "2", *first, *COMMAND], statuses=(125, 126))
        yield Scenario(f"exec {kind} reuse", ["exec", "--reuse", *place, *first, *COMMAND], [["add", *place, *first]],
                       statuses=(125, 126))
        yield Scenario(f"list {kind}", ["list", "--json", "--holders"], [["add", *place, *macs_words(MACS)]])
    yield Watcher("watcher queues", ["exec", "--link", "v0", "--queues", "2", *first])
    yield Add("add locked", ["add", "--bridge", "br0", "--lock-mac", "--isolated", *first])
    yield Add("add traffic", ["add", "--bridge", "br0", *TRAFFIC, *first])
    yield Add("add macvtap traffic", ["add", "--link", "v0", "--ip", "10.0.1.2", "--limit-out", "10mbit", *first])
    yield Scenario("exec traffic reuse", ["exec", "--reuse", "--bridge", "br0", *TRAFFIC, *first, *COMMAND],
                   [["add", "--bridge", "br0", *TRAFFIC, *first]], statuses=(125, 126))
    yield Attach("attach", ["attach"], [["add", "--bridge", "br0", "--lock-mac", "--isolated", *TRAFFIC, *first]])
    yield Scenario("exec netns", ["exec", "--netns", "/proc/self/ns/net", "--bridge", "br0", *first, *COMMAND],
                   statuses=(125, 126))
    if os.path.exists(f"{SWITCHES}/complete"):
        two = macs_words(MACS[:2])
        yield AddPort("ovs add", ["add", "--ovs", "br-int", *two])
        yield Exec("ovs exec", ["exec", "--ovs", "br-int", *two, *COMMAND], statuses=(125, 126))
        yield DelPort("ovs del", ["del", *MACS[:2]], [["add", "--ovs", "br-int", *two]])
        yield AttachPort("ovs attach", ["attach"], [["add", "--ovs", "br-int", *macs_words(MACS[:1])]])
        yield PortWatcher("ovs watcher", ["exec", "--ovs", "br-int", *macs_words(MACS[:1])])
    yield Helper("bridge-helper", ["bridge-helper", "--br=br0", "--fd=0", "--mac", MACS[0]])


def calls_of(scenario):
    """(call, its number among the calls of that name), of tapctl's own calls in order."""
    counts, calls, loading = {}, [], scenario.own_calls
    with tempfile.NamedTemporaryFile("r") as log:
        scenario.run(log=log.name)
        for line in log:
            # With the process's number, if more than one was traced: each counts for itself.
            match = re.match(r"((?:\d+ +)?)(\w+)\((\d*)", line)
            if not match:
                continue
            process, name, first = match.groups()
            number = counts[process, name] = counts.get((process, name), 0) + 1
            if loading:
                # The loader's last act is to let go of ld.so.cache.
                loading = name != "munmap"
            elif "EBADF" not in line:
                calls.append(("close(1)" if name == "close" and first == "1" else name, number))
            if name == "execve" and number > 1:
                break  # COMMAND runs from here on
    return calls


def faults(calls, quick):
    """(what happens, its injection, whether it kills)."""
    seen = set()
    for call, number in calls:
        name = call.partition("(")[0]
        if (call, number) in seen:
            continue
        seen.add((call, number))
        # A walk through /proc repeats itself for every process.
        if number > 40 and number % (97 if quick else 13):
            continue
        if call not in NEVER_FAIL:
            errnos = ERRNOS.get(call, ["EPERM"])
            for errno in [errnos[number % len(errnos)]] if quick else errnos:
                yield f"{call} {number} {errno}", f"{name}:error={errno}:when={number}", False
        if call in ("sendto", "recvmsg"):
            yield f"{call} {number} lost", f"{name}:retval=0:when={number}", False
        if not quick or call in SEEN:
            yield f"{call} {number} KILL", f"{name}:signal=KILL:when={number}", True


def sweep(scenario, quick):
    """Returns how many faults were injected, and the complaints."""
    done, felt, complaints = 0, 0, []
    scenario.clean()
    scenario.prepare()
    calls = calls_of(scenario)
    # Of three devices the second is like the first: every other fault is enough for a short form.
    step = 2 if quick and scenario.name.endswith("3") else 1
    for name, inject, killed in list(faults(calls, quick))[::step]:
        scenario.clean()
        scenario.prepare()
        before = {"links": links(), "nodes": nodes()}
        result = scenario.run("-e", f"trace={inject.partition(':')[0]}", "-e", f"inject={inject}")
        complaint = scenario.complain(before, result, killed)
        done += 1
        felt += result is None or result.returncode != 0
        if complaint:
            complaints.append(f"{name}: {complaint}")
    scenario.clean()
    # A sweep that the command never feels tests nothing. A watcher tries again, and COMMAND runs anyway.
    if felt < done / 4:
        complaints.append(f"only {felt} of {done} injections were felt")
    return done, complaints


def sweep_here(name, quick):
    """One scenario in namespaces that were made for it; prints what main() reads."""
    if set(links()) != {"lo"}:
        sys.exit("tests/tools/sweep.py: this is no empty network namespace")
    subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)
    ip("link", "add", "br0", "type", "bridge")
    ip("link", "set", "br0", "address", "02:00:00:00:00:99", "up")
    ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    ip("link", "set", "v0", "up")
    ip("link", "set", "v1", "up")
    if name.startswith("ovs"):
        start_switch()
    print(json.dumps(sweep(next(s for s in scenarios() if s.name == name), quick)))


def sweep_apart(name, quick):
    """The same in new namespaces. The shell waits for the watchers, which become its children there."""
    words = [sys.argv[0], "--here", name] + ["--quick"] * quick
    result = run("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", '"$@"; exit $?',
                 "sh", *words)
    if result.returncode:
        return 1, [f"the sweep failed: {result.stderr.splitlines()[-1:]}"]
    return json.loads(result.stdout)


def main():
    words = [word for word in sys.argv[1:] if word != "--quick"]
    quick = "--quick" in sys.argv
    if words[:1] == ["--here"]:
        return sweep_here(words[1], quick)
    names = [s.name for s in scenarios() if not words or s.name.startswith(tuple(words))]
    total = bad = 0
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", os.cpu_count()))) as pool:
        results = pool.map(lambda name: sweep_apart(name, quick), names)
        for number, (name, (done, complaints)) in enumerate(zip(names, results), 1):
            total, bad = total + done, bad + len(complaints)
            print(f"{'not ' if complaints else ''}ok {number} sweep: {name}: {done} injections, "
                  f"{done - len(complaints)} survived")
            for complaint in complaints:
                print(f"# {complaint}")
            sys.stdout.flush()
    print(f"1..{len(names)}")
    print(f"# {total} injections, {total - bad} survived")
    return bad != 0 or not total


sys.exit(main())
