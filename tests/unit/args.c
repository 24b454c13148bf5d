/* SPDX-License-Identifier: MIT */
/* Unit tests of what COMMAND's words mean, in TAP: command lines and what has to be said of them.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vmm/args.h"
#include "tests/unit/unit.h"

enum { WORDS_MAX = 64, NICS_MAX = 3, LINE_MAX_LEN = 4096 };

#define Q "qemu-system-x86_64 -m 64 "
#define N0 "-netdev tap,id=n0,fd=3 "
#define D0 "-device virtio-net-pci,netdev=n0,mac=M1 "
#define BARE "-device virtio-net-pci,netdev=n0 "

/*
 * M1 and M2 are addresses, and M3 is qemu's default. Words are cut at spaces outside of single
 * quotes.
 *
 * @nics: what exec hands over: a digit is a NIC with that address, behind it qN for queues, v for
 * vhost; @N at the beginning is --fd N.
 * @guest: what the words say for the descriptors of the first NIC: its address, "none", "several",
 * "invalid TEXT", "mentioned TEXT".
 * @warnings: a part of each, with | between; "" means silence.
 */
struct row {
	const char *command, *nics, *guest, *warnings;
};

/* Right ones, of which nothing is said. */
static const struct row silent[] = {
	{ Q N0 D0, "1", "M1", "" },
	{ "/usr/bin/qemu-system-aarch64 " N0 D0, "1", "M1", "" },
	{ "qemu-kvm " N0 D0, "1", "M1", "" },
	{ "/usr/libexec/qemu-kvm " N0 D0, "1", "M1", "" },
	{ "kvm " N0 D0, "1", "M1", "" },
	{ Q "--netdev tap,id=n0,fd=3 --device virtio-net-pci,netdev=n0,mac=M1", "1", "M1", "" },
	{ Q "-device e1000,mac=M1,netdev=n0 -netdev id=n0,type=tap,fd=3", "1", "M1", "" },
	{ Q N0 "-device driver=virtio-net-pci,netdev=n0,mac=52-54-00-84-E3-62", "1", "M1", "" },
	{ Q "-netdev {\"type\":\"tap\",\"id\":\"n0\",\"fd\":\"3\"} -device "
	    "{\"driver\":\"virtio-net-pci\",\"netdev\":\"n0\",\"mac\":\"M1\"}",
	  "1", "M1", "" },
	{ Q "-netdev '{ \"id\": \"n0\", \"fds\": \"3:4\", \"type\": \"tap\", \"vhost\": false }' "
	    "-device '{ \"netdev\": \"n0\", \"mac\": \"M1\", \"mq\": true, \"vectors\": 6 }'",
	  "1q2", "M1", "" },
	{ Q "-netdev tap,id=n0,fds=3:4 -device virtio-net-pci,netdev=n0,mq=on,mac=M1", "1q2", "M1",
	  "" },
	{ Q "-netdev tap,id=n0,fd=3,vhost=on,vhostfd=4 " D0, "1v", "M1", "" },
	{ Q "-netdev tap,id=n0,fds=3:4,vhost=on,vhostfds=5:6 " D0, "1q2v", "M1", "" },
	{ Q "-netdev tap,id=n0,fd=3,vhost=on " D0, "1", "M1", "" },
	{ Q "-netdev tap,id=n0,fd=24 " D0, "@24 1", "M1", "" },
	{ Q N0 D0 "-netdev tap,id=n1,fd=4 -device e1000,netdev=n1,mac=M2", "1 2", "M1", "" },
	{ Q N0 D0 "-netdev user,id=u -device e1000,netdev=u,mac=M2", "1", "M1", "" },
	{ Q "-netdev user,id=u -device e1000,netdev=u,mac=M2 " N0 D0, "1", "M1", "" },
	{ Q N0 D0 "-netdev user,id=u -device e1000,netdev=u", "1", "M1", "" },
	{ Q N0 D0 "-netdev tap,id=n1,ifname=other,script=no -device e1000,netdev=n1,mac=M2", "1",
	  "M1", "" },
	{ Q N0 D0 "-netdev tap,id=n1,fd=9 -device e1000,netdev=n1,mac=M2", "1", "M1", "" },
	{ Q "-nic tap,fd=3,model=virtio-net-pci,mac=M1", "1", "M1", "" },
	{ Q "-nic none " N0 D0, "1", "M1", "" },
	{ Q "-nic user,mac=M2 -nic tap,fd=3,mac=M1", "1", "M1", "" },
	{ Q "-net nic,model=virtio,macaddr=M1 -net tap,fd=3", "1", "M1", "" },
	{ Q N0 "-net nic,netdev=n0,macaddr=M1", "1", "M1", "" },
	{ Q N0 "-device e1000,id=c0,netdev=n0 -set device.c0.mac=M1", "1", "M1", "" },
	{ Q "-netdev tap,id=n0 -set netdev.n0.fd=3 " D0, "1", "M1", "" },
	{ Q N0 BARE "-global virtio-net-pci.mac=M1", "1", "M1", "" },
	{ Q N0 "-device e1000,netdev=n0,mac=M2,mac=M1", "1", "M1", "" },
	{ Q "-netdev tap,id=n0,fd=9,fd=3 " D0, "1", "M1", "" },
	{ Q N0 D0 "-append 'ip=dhcp mac=M2'", "1", "M1", "" },
	{ Q N0 D0 "-append -nic", "1", "M1", "" },
	{ Q N0 D0 "-name guest=-web,,1,process=sudo", "1", "M1", "" },
	{ Q N0 D0 "-object filter-dump,id=f0,netdev=n0,file=/tmp/x", "1", "M1", "" },
	{ Q N0 D0 "-add-fd set=1,fd=9", "1", "M1", "" },
	{ Q N0 D0 "-netdev stream,id=s,addr.type=fd,addr.str=9 -device e1000,netdev=s", "1", "M1",
	  "" },
	{ Q N0, "1", "none", "" },
	{ Q "-readconfig vm.cfg", "1", "none", "" },
	{ Q "-readconfig vm.cfg -device virtio-net-pci,netdev=n0", "1", "none", "" },
	{ Q "-readconfig vm.cfg -nic user,mac=M2 -device virtio-net-pci,netdev=n0,mac=M1", "1",
	  "several", "" },
	{ Q "-netdev {broken} -device {\"netdev\":\"n0\",\"mac\":\"M1\"}", "1", "M1", "" },
	{ Q N0 "-device {broken,\"mac\":\"M1\"}", "1", "M1", "" },
	{ Q "-S -qmp unix:/run/vm,server", "1", "none", "" },
	{ Q "-version", "1", "none", "" },
	{ Q N0 "-device virtio-net-pci,netdev=n0,mac=$MAC", "1", "invalid $MAC", "" },
	{ "env A=1 -u B " Q N0 D0, "1", "M1", "" },
	{ "nice -n 10 ionice -c 2 taskset -c 0-3 " Q N0 D0, "1", "M1", "" },
	{ "timeout -k 5 60 strace -f -o log " Q N0 D0, "1", "M1", "" },
	{ "numactl --membind 0 chrt -f 10 setpriv --reuid 1000 --clear-groups " Q N0 D0, "1", "M1",
	  "" },
	{ "unshare -m --propagation private -- " Q N0 D0, "1", "M1", "" },
	{ "ip netns exec blue " Q N0 D0, "1", "M1", "" },
	{ "sh -c 'exec " Q N0 D0 "'", "1", "M1", "" },
	{ "env VMM=/usr/bin/kvm P -nic user", "1", "none", "" },
	{ "bash -ec 'cd /srv; " Q N0 D0 " >log 2>&1 &'", "1", "M1", "" },
	{ "sh -c '" Q "-netdev tap,id=n0,fds=$TAPCTL_FDS -device "
	  "virtio-net-pci,netdev=n0,mac=$TAPCTL_GUEST_MAC'",
	  "1", "invalid $TAPCTL_GUEST_MAC", "" },
	{ "sh -c '" Q "-netdev tap,id=n0,fd=${TAPCTL_FD} " D0 "'", "1", "M1", "" },
	{ "sh -c '" Q "$NET'", "1", "none", "" },
	{ "sh -c '" Q "-netdev tap,id=n0,$FD " D0 "'", "1", "M1", "" },
	{ "sh -c '" Q "-netdev tap,id=$ID,fd=3 -device e1000,netdev=$ID,mac=M1'", "1", "M1", "" },
	{ "sh -c 'for i in 3 4; do " Q "-nic tap,fd=$i,mac=52:54:00:84:e3:$i & done'", "1",
	  "invalid 52:54:00:84:e3:$i", "" },
	{ "sh -c 'qemu-img create x; command -v kvm && exec kvm -nic tap'", "1", "none", "" },
	{ "./kvm disk.img", "1", "none", "" },
	{ "lkvm run -k bzImage", "1", "none", "" },
	{ "sh -c 'if true; then " Q N0 D0 "; fi'", "1", "M1", "" },
	{ "sh -c 'sudo modprobe tun; " Q N0 D0 "'", "1", "M1", "" },
	{ "sh -c 'a=$(x); " Q BARE "'", "1", "none", "" },
	{ "sh -c 'case $1 in a) " Q N0 BARE ";; b) " Q N0 BARE ";; esac'", "1", "none", "" },
	{ "tapctl exec --fd 4 -b br1 -m M2 -- " Q N0 D0
	  "-netdev tap,id=n1,fd=4 -device e1000,netdev=n1,mac=M2",
	  "1", "M1", "" },
	{ "su root -c '" Q N0 D0 "'", "1", "M1", "" },
	{ "su root -c P", "1", "none", "" },
	{ "systemd-run --scope -p CPUQuota=50% " Q N0 D0, "1", "M1", "" },
	{ "systemd-run --user --scope P", "1", "none", "" },
	{ "podman run --preserve-fds=1 image", "1", "none", "" },
	{ "podman run --preserve-fd=3 image", "1", "none", "" },
	{ "podman --log-level info run -it --preserve-fds 1 image", "1", "none", "" },
	{ "firejail --keep-fd=3 " Q N0 D0, "1", "M1", "" },
	{ "sudo -C 4 " Q N0 D0, "1", "M1", "" },
	{ "start-stop-daemon --start --exec /bin/x", "1", "none", "" },
	{ "start-stop-daemon -S -b --no-close -x /bin/x", "1", "none", "" },
	{ "sudoku", "1", "none", "" },
	{ "echo sudo", "1", "none", "" },
	{ Q "-name sudo " N0 D0, "1", "M1", "" },
	{ "crosvm run --net tap-fd=3,mac=M1 k", "1", "M1", "" },
	{ "crosvm run --tap-fd 3 --mac M1 k", "1", "M1", "" },
	{ "crosvm run --tap-fd=3 --mac=M1 k", "1", "M1", "" },
	{ "cloud-hypervisor --net fd=3,mac=M1 --memory size=1G", "1", "M1", "" },
	{ "cloud-hypervisor --net fd=[3,4],mac=M1,num_queues=4 fd=5,mac=M2", "1q2 2", "M1", "" },
	{ "cloud-hypervisor --api-socket /run/x", "1", "none", "" },
	{ Q "-qmp stdio -device virtio-rng-pci", "1", "none", "" },
	{ Q N0 BARE, "3", "none", "" },
	{ "sh -c '" Q N0 "-device e1000,netdev=n0,id=a#b,mac=M1'", "1", "M1", "" },
	{ "lkvm run --network mode=tap,fd=3,guest_mac=M1,host_mac=M2", "1", "M1", "" },
	{ "lkvm run -n fd=3,mode=tap,guest_mac=M1 -p mac=M2", "1", "M1", "" },
	{ "firecracker --config-file vm.json --id web", "1", "none", "" },
	{ "solo5-hvt --net:service=@3 --net-mac:service=M1 -- unikernel", "1", "M1", "" },
	{ "linux.uml mem=96M vec0:transport=fd,fd=3,vec=0 eth0=x", "1", "none", "" },
	{ "linux.uml vec0:transport=fd,fd=3,vec=0,mac=M1", "1", "M1", "" },
	{ "P", "1", "none", "" },
	{ "P mac=M1", "1", "M1", "" },
	{ "P nic,mac=M2 nic,mac=M1", "1", "several", "" },
	{ "P nic,mac=M2 address:M1/24", "1", "M2", "" },
	{ "P --net M2", "1", "mentioned --net", "" },
	{ "start-vm nic,mac=M2 $TAPCTL_GUEST_MAC", "1", "M2", "" },
	{ "P --mac M2", "1", "mentioned --mac", "" },
	{ "P --net-mac:service=M2", "1", "mentioned --net-mac:service=M2", "" },
	{ "P hostmac=M1", "1", "none", "" },
	{ "P --host-mac M1", "1", "none", "" },
};

#define LOST "says fd=3, so its guest is not on this device: write "
#define LOST4 "says fd=4, so its guest is not on this device: write "
#define FD0 "-netdev tap,id=n0,fd=3"
#define DEFAULT "so its guest gets qemu's default address and no frame: write "
#define MAC0 DEFAULT "-device virtio-net-pci,netdev=n0,mac=M1"
#define INSTEAD "M1: the card on fd 3 has M2 instead, and gets no frame: say --mac M2, or write "
#define CLOSES " closes all fds from 3 upwards: "
#define FRONT "put it in front: "

/* Wrong ones. */
static const struct row wrong[] = {
	{ Q N0 D0, "1q2", "M1", "says fd=4, so the frames of +write -netdev tap,id=n0,fds=3:4" },
	{ "env a=1 " Q N0 BARE, "1", "none", MAC0 },
	{ "nice " Q N0 BARE, "1", "none", MAC0 },
	{ "nice -n5 taskset 3 " Q N0 BARE, "1", "none", MAC0 },
	{ "timeout 5 strace -e trace=none " Q N0 BARE, "1", "none", MAC0 },
	{ "unshare -n " Q N0 BARE, "1", "none", MAC0 },
	{ "sh -c '" Q N0 BARE "'", "1", "none", MAC0 },
	{ "bash -c 'A=1 exec nice " Q N0 BARE " 2>&1 | tee log'", "1", "none", MAC0 },
	{ "sh -c \"" Q "\"", "1", "none", "" },
	{ "su -c '" Q N0 BARE "' root", "1", "none", MAC0 },
	{ "kvm " N0 BARE, "1", "none", MAC0 },
	{ "sh -c '" Q "-netdev tap,id=$ID,fd=3 -device e1000,netdev=$ID'", "1", "none",
	  DEFAULT "-device e1000,netdev=$ID,mac=M1" },
	{ "qemu-kvm " N0 BARE, "1", "none", MAC0 },
	{ "/nix/qemu " N0 BARE, "1", "none", MAC0 },
	{ Q "-netdev {\"type\":\"tap\",\"id\":\"n0\",\"fd\":\"3\"} -device "
	    "{\"driver\":\"virtio-net-pci\",\"netdev\":\"n0\"}",
	  "1", "none", MAC0 },
	{ Q "-netdev {\"type\":\"tap\",\"id\":\"n0\"} " D0, "1", "M1", LOST FD0 },
	{ Q "-net nic,model=virtio -net tap,script=no", "1", "none",
	  LOST "-net tap,fd=3|" DEFAULT "-net nic,model=virtio,macaddr=M1" },
	{ Q "-net nic -net tap,fd=3", "1", "none", "says macaddr= +write -net nic,macaddr=M1" },
	{ Q "-net tap,fd=3 -net nic,model=e1000,macaddr=M2", "1", "M2",
	  INSTEAD "-net nic,model=e1000,macaddr=M1" },
	{ Q "--nic tap,script=no,model=virtio-net-pci,mac=M1", "1", "M1",
	  LOST "--nic tap,model=virtio-net-pci,fd=3,mac=M1" },
	{ Q "-nic tap", "1", "none", LOST "-nic tap,fd=3,mac=M1" },
	{ Q "-nic tap,fd=3 -nic tap,fd=4", "1 2", "none",
	  DEFAULT "-nic tap,fd=3,mac=M1|" DEFAULT "-nic tap,fd=4,mac=M2" },
	{ Q "-netdev user,id=u0 -device e1000,netdev=u0,mac=M2 " N0 BARE, "1", "none", MAC0 },
	{ Q "-netdev user,id=u0 -device e1000,netdev=u0,mac=M1", "1", "M1",
	  LOST "-netdev tap,id=u0,fd=3" },
	{ Q "-nic user,model=e1000,mac=M1,hostfwd=tcp::22-:22", "1", "M1",
	  LOST "-nic tap,model=e1000,fd=3,mac=M1" },
	{ Q "-nic none", "1", "none",
	  LOST "-netdev tap,id=ID,fd=3 -device virtio-net-pci,netdev=ID,mac=M1" },
	{ Q "", "1", "none", LOST "-netdev tap,id=ID,fd=3 -device" },
	{ Q "", "1q2v", "none", "write -netdev tap,id=ID,fds=3:4,vhost=on,vhostfds=5:6 -device" },
	{ Q "-add-fd set=1,fd=9 -netdev tap,id=n0,script=no " D0, "1", "M1", LOST FD0 },
	{ Q N0 D0 "-netdev tap,id=n1,fd=3 -device e1000,netdev=n1,mac=M2", "1 2", "several",
	  LOST4 "-netdev tap,id=n1,fd=4" },
	{ Q N0 D0 "-netdev tap,id=n1,fd=3 -device e1000,netdev=n1,mac=M2", "1", "several",
	  "fd 3: +it twice" },
	{ Q "-netdev tap,id=n0,fds=3:3 " D0, "1", "M1", "fd 3: +it twice" },
	{ Q N0 D0 "-netdev tap,id=n1,script=no -device e1000,netdev=n1,mac=M2", "1 2", "M1",
	  LOST4 "-netdev tap,id=n1,fd=4" },
	{ Q "-netdev tap,id=n0,fd=13 " D0, "1", "M1", LOST FD0 },
	{ Q N0 D0 "-netdev tap,id=n1,fd=13 -device e1000,netdev=n1,mac=M2", "1", "M1",
	  "fd 13: +a device, and it is not open: name one of those that tapctl opens, 3" },
	{ Q N0 D0, "@24 1", "M1", "says fd=24, +write -netdev tap,id=n0,fd=24" },
	{ "sh -c '" Q "-netdev tap,id=n0,fd=5 " D0 "5<>/dev/tap7' sh", "1", "M1", LOST FD0 },
	{ Q N0 BARE "-netdev tap,id=n1,fd=4 -device e1000,netdev=n1,mac=M1", "1 2", "none",
	  MAC0 "|M2: the card on fd 4 has M1 instead+-device e1000,netdev=n1,mac=M2" },
	{ Q N0 "-device e1000,netdev=n0,mac=M2", "1", "M2",
	  INSTEAD "-device e1000,netdev=n0,mac=M1" },
	{ Q N0 "-device {\"driver\":\"e1000\",\"netdev\":\"n0\",\"mac\":\"M2\"}", "1", "M2",
	  INSTEAD "-device e1000,netdev=n0,mac=M1" },
	{ Q N0 "-device e1000,netdev=n0,mac=M1,mac=M2", "1", "M2",
	  INSTEAD "-device e1000,netdev=n0,mac=M1" },
	{ Q N0 D0 "-append mac=M2 -netdev tap,id=n1,fd=4 -device e1000,netdev=n1", "1 2", "M1",
	  DEFAULT "-device e1000,netdev=n1,mac=M2" },
	{ Q N0 "-device e1000,netdev=n0,id=c0,mac=M1 -set device.c0.mac=M2", "1", "M2",
	  INSTEAD "-device e1000,netdev=n0,id=c0,mac=M1, and leave out what -set says of it" },
	{ Q "-netdev tap,id=n0,fd=3 -device {\"netdev\":\"n0\"}", "1", "none",
	  "write -device DRIVER,netdev=n0,mac=M1" },
	{ Q "-netdev tap,id=n0,ifname=tapM1,script=no " D0, "1", "M1",
	  "ifname=tapM1: it is open already, as fd 3: write " FD0 },
	{ Q
	  "-netdev tap,id=n0,ifname=a,,b,script=no,sndbuf=0 -device e1000,id=x,,y,netdev=n0,mac=M1",
	  "1", "M1", LOST "-netdev tap,id=n0,sndbuf=0,fd=3" },
	{ Q N0 "-device e1000,id=x,,y,netdev=n0", "1", "none",
	  DEFAULT "-device e1000,id=x,,y,netdev=n0,mac=M1" },
	{ Q "-netdev tap,id=n0,vhost,vhostfd=9 " D0, "1", "M1", LOST FD0 },
	{ Q "-netdev tap,sndbuf,id=n0 " D0, "1", "M1", LOST "-netdev tap,sndbuf=on,id=n0,fd=3" },
	{ Q N0 D0, "1v", "M1",
	  "says vhostfd=4, so vhost's +write -netdev tap,id=n0,fd=3,vhost=on,vhostfd=4" },
	{ Q "-netdev tap,id=n0,fd=3,vhost=on,vhostfd=4 " D0, "1", "M1",
	  "fd 4: +for vhost's, and it is not open: leave vhost" },
	{ Q "-netdev tap,id=n0,fd=3,vhost=on,vhostfd=4 " D0
	    "-netdev tap,id=n1,fd=5 -device e1000,netdev=n1,mac=M2",
	  "1 2", "M1", LOST4 "-netdev tap,id=n1,fd=4" },
	{ "lkvm run --network mode=tap,fd=3,guest_mac=M2", "1", "M2",
	  INSTEAD "--network mode=tap,fd=3,guest_mac=M1" },
	{ "lkvm run --network mode=tap,fd=3", "1", "none",
	  "says guest_mac= +write --network mode=tap,fd=3,guest_mac=M1" },
	{ "crosvm run --tap-fd 3 --mac M2", "1", "M2", INSTEAD "--net tap-fd=3,mac=M1" },
	{ "crosvm run --net tap-name=x,mac=M1", "1", "M1",
	  "says tap-fd=3, +write --net tap-fd=3,mac=M1" },
	{ "cloud-hypervisor --net fd=3", "3", "none",
	  "gets a random one +write --net fd=3,mac=M3" },
	{ "cloud-hypervisor --net fd=3,mac=M1", "1q2", "M1", "write --net fd=[3,4],mac=M1" },
	{ "cloud-hypervisor --net tap=,mac=M1 fd=4,mac=M2", "1 2", "several",
	  "says fd=3, +write --net fd=3,mac=M1" },
	{ "solo5-hvt --net:s=@3 --net-mac:s=M2 k", "1", "M2", INSTEAD "--net:NAME=@3 --net-mac:" },
	{ "linux.uml vec0:transport=tap,ifname=tapM1", "1", "none",
	  "ifname=tapM1: it is open already, as fd 3: write vec0:transport=fd,fd=3,vec=0" },
	{ "P mac=M2", "1", "M2", "M1: the guest's address is not among" },
	{ "P '{\"mac\": \"M2\"}'", "1", "M2", "M1: the guest's address is not among" },
	{ "P mac=M2", "1 2", "M2", "M1: " },
	{ "/bin/sh start.sh --net=mac=M2", "1", "M2", "M1: the guest's" },
	{ "sudo P", "1", "none", "sudo" CLOSES FRONT "sudo ... tapctl exec ... -- COMMAND" },
	{ "sudo -u nobody P", "1", "none", "sudo" CLOSES "say tapctl exec --user nobody ..." },
	{ "sudo -nHu nobody P", "1", "none", "say tapctl exec --user nobody" },
	{ "sudo --user=nobody " Q N0 D0, "1", "M1", "say tapctl exec --user nobody" },
	{ "nice sudo -u #99 P", "1", "none", "sudo" CLOSES FRONT },
	{ "sudo -u root P", "1", "none", "sudo" CLOSES FRONT },
	{ "timeout 5 sudo P", "1", "none", "sudo" CLOSES FRONT },
	{ "sh -c 'sudo P'", "1", "none", "sudo" CLOSES FRONT },
	{ "sh -c 'exec sudo -u nobody " Q N0 D0 "'", "1", "M1", "--user nobody" },
	{ "env doas P", "1", "none", "doas" CLOSES FRONT },
	{ "doas -u nobody P", "1", "none", "--user nobody" },
	{ "pkexec --user nobody P", "1", "none", "--user nobody" },
	{ "run0 P", "1", "none", "run0" CLOSES FRONT },
	{ "ssh host P", "1", "none", "ssh" CLOSES FRONT },
	{ "docker run -it image", "1", "none", "docker" CLOSES "say tapctl add --owner and let" },
	{ "podman run image", "1", "none", "podman" CLOSES "say podman run --preserve-fds=N" },
	{ "systemd-run P", "1", "none", "systemd-run" CLOSES "say systemd-run --scope, or put it" },
	{ "systemd-run --uid nobody P", "1", "none", "--user nobody" },
	{ "firejail P", "1", "none", "firejail" CLOSES "say firejail --keep-fd=all" },
	{ "tmux new-session -d P", "1", "none", "tmux" CLOSES FRONT },
	{ "screen -d -m P", "1", "none", "screen" CLOSES FRONT },
	{ "screen -dmS web " Q N0 D0, "1", "M1", "screen" CLOSES FRONT },
	{ "expect script", "1", "none", "expect" CLOSES FRONT },
	{ "unbuffer P", "1", "none", "unbuffer" CLOSES FRONT },
	{ "daemon -- P", "1", "none", "daemon" CLOSES FRONT },
	{ "start-stop-daemon --start --background --exec /bin/x", "1", "none",
	  "start-stop-daemon" CLOSES "say start-stop-daemon --no-close" },
	{ "start-stop-daemon -Sbx /bin/x", "1", "none", "--no-close" },
};

static const char *const addresses[] = { "52:54:00:84:e3:62", "52:54:00:84:e3:63",
					 "52:54:00:12:34:56" };

/* @text with the addresses in. The caller frees it. */
static char *fill(const char *text)
{
	char *result = calloc(1, LINE_MAX_LEN), *out = result;

	if (!result)
		abort();
	while (*text) {
		if (text[0] == 'M' && text[1] >= '1' && text[1] <= '3') {
			out = stpcpy(out, addresses[text[1] - '1']);
			text += 2;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
	return result;
}

/* Cut @line, which is written on, into words. */
static void cut(char *words[WORDS_MAX], char *line)
{
	size_t count = 0;

	while (*line) {
		char *out = line;
		bool quoted = false;

		words[count++] = line;
		for (; *line && (quoted || *line != ' '); line++) {
			if (*line == '\'')
				quoted = !quoted;
			else
				*out++ = *line;
		}
		line += *line == ' ';
		while (*line == ' ')
			line++;
		*out = '\0';
	}
	words[count] = NULL;
}

struct set {
	struct args_nic nics[NICS_MAX];
	char names[NICS_MAX][32];
	size_t count;
	int first;
};

/* The NICs of row->nics. */
static void hand_over(struct set *set, const char *text)
{
	int next = set->first = *text == '@' ? (int)strtol(text + 1, (char **)&text, 10) : 3;

	for (set->count = 0; *text; set->count++) {
		struct args_nic *nic = &set->nics[set->count];
		bool vhost = false;
		int which;

		text += *text == ' ';
		which = *text++ - '1';
		*nic = (struct args_nic){ .queues = 1 };
		mac_parse(nic->guest, addresses[which]);
		for (; *text && *text != ' '; text++) {
			if (*text >= '0' && *text <= '9')
				nic->queues = (unsigned)(*text - '0');
			vhost |= *text == 'v';
		}
		snprintf(set->names[set->count], 32, "tap%s", addresses[which]);
		nic->name = set->names[set->count];
		nic->fd = next;
		next += (int)nic->queues;
		nic->vhost_fd = vhost ? next : -1;
		next += vhost ? (int)nic->queues : 0;
	}
}

static bool is_open(int fd)
{
	return fd < 3 || fd == 9;
}

struct heard {
	char text[LINE_MAX_LEN];
};

static void hear(void *context, const char *line)
{
	struct heard *heard = context;

	snprintf(heard->text + strlen(heard->text), sizeof(heard->text) - strlen(heard->text),
		 "%s\n", line);
}

/* Whether the lines of @heard are as many as the parts of @want, and each holds its own; a + in one
 * stands for anything. */
static bool match(char *heard, char *want)
{
	char *part, *line;

	while ((part = strsep(&want, "|")) && *part) {
		line = strsep(&heard, "\n");
		for (char *piece; (piece = strsep(&part, "+"));) {
			line = line ? strstr(line, piece) : NULL;
			if (!line)
				return false;
		}
	}
	return !heard || !*heard;
}

static void describe(char text[static 256], const struct args_guest *guest)
{
	switch (guest->answer) {
	case ARGS_ONE:
		mac_format(text, guest->macs[0]);
		break;
	case ARGS_NONE:
		snprintf(text, 256, "none");
		break;
	case ARGS_SEVERAL:
		snprintf(text, 256, "several");
		break;
	case ARGS_INVALID:
		snprintf(text, 256, "invalid %.*s", guest->length, guest->text);
		break;
	case ARGS_MENTIONED:
		snprintf(text, 256, "mentioned %s", guest->text);
		break;
	}
}

static void test_row(const struct row *row)
{
	char *line = fill(row->command), *want = fill(row->guest), *warnings = fill(row->warnings);
	char *words[WORDS_MAX], said[256] = "";
	struct heard heard = { "" };
	struct args_guest guest;
	struct args *args;
	struct set set = { 0 };

	cut(words, line);
	hand_over(&set, row->nics);
	args = args_read(words);
	args_find_guest(args, set.first, set.nics[0].queues, &guest);
	describe(said, &guest);
	ok(strcmp(said, want) == 0, "%s: %s", row->command, row->guest);
	if (strcmp(said, want) != 0)
		printf("# %s\n", said);
	ok(args_check(args, set.nics, set.count, is_open, hear, &heard) == 0, "it is checked");
	printf("# %s\n", heard.text);
	ok(match(heard.text, warnings), "%s: %s", row->nics, row->warnings);
	args_free(args);
	free(line);
	free(want);
	free(warnings);
}

static void test_names(void)
{
	static const struct {
		const char *command, *name;
	} names[] = {
		{ "qemu-system-x86_64 -name web -m 1G", "web" },
		{ "qemu-system-x86_64 -name guest=web,debug-threads=on", "web" },
		{ "/usr/bin/kvm -name debug-threads=on,guest=a,,b", "a,b" },
		{ "qemu-system-x86_64 -uuid 123e4567-e89b-12d3-a456-426614174000",
		  "123e4567-e89b-12d3-a456-426614174000" },
		{ "qemu-system-x86_64 -uuid 1 -name web", "web" },
		{ "qemu-system-x86_64 -name web -uuid 1", "web" },
		{ "qemu-system-x86_64 -m 1G", NULL },
		{ "qemu-system-x86_64 -append -name", NULL },
		{ "firecracker --id web", "web" },
		{ "lkvm run --name web", "web" },
		{ "linux.uml umid=web", "web" },
		{ "P -name web", NULL },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *line = fill(names[i].command), *words[WORDS_MAX];
		struct args *args;
		const char *name;

		cut(words, line);
		args = args_read(words);
		name = args_vm_name(args);
		ok(name ? names[i].name && strcmp(name, names[i].name) == 0 : !names[i].name,
		   "%s: %s", names[i].command, names[i].name ? names[i].name : "no name");
		args_free(args);
		free(line);
	}
}

/* What 8,000 words take has to be far below a second, also where each names the same. */
static void test_speed(void)
{
	static const char *const shapes[][2] = {
		{ "P", "mac=52:54:00:84:e3:%02x" },
		{ "qemu", "mac=52:54:00:84:e3:%02x" },
		{ "qemu", "-device\ne1000,netdev=n%u,mac=52:54:00:84:e3:63" },
		{ "qemu", "-netdev\ntap,id=n%u,fd=3" },
		{ "qemu", "-netdev\ntap,id=n%u" },
		{ "qemu", "-set\ndevice.c%u.mac=52:54:00:84:e3:63" },
		{ "qemu", "-net\nnic,model=e1000" },
		{ "qemu", "-device\n{\"netdev\":\"n%u\",\"mac\":\"52:54:00:84:e3:63\"}" },
		{ "crosvm", "--mac\n52:54:00:84:e3:63" },
		{ "sh", "-c\nqemu -net nic" },
	};
	enum { COUNT = 8000 };
	static char *words[2 * COUNT + 2];
	struct set set = { 0 };

	hand_over(&set, "1");
	for (size_t s = 0; s < sizeof(shapes) / sizeof(*shapes); s++) {
		struct heard heard = { "" };
		struct args_guest guest;
		struct args *args;
		clock_t start;
		size_t count = 0;

		words[count++] = strdup(shapes[s][0]);
		for (unsigned i = 0; i < COUNT; i++) {
			char text[128], *at = text, *word;

			snprintf(text, sizeof(text), shapes[s][1], i % 256);
			while ((word = strsep(&at, "\n")))
				words[count++] = strdup(word);
		}
		words[count] = NULL;
		start = clock();
		args = args_read(words);
		args_find_guest(args, 3, 1, &guest);
		args_check(args, set.nics, 1, is_open, hear, &heard);
		args_free(args);
		ok(clock() - start < CLOCKS_PER_SEC / 2, "%u of %s: %ld ms", COUNT, shapes[s][0],
		   (long)((clock() - start) / (CLOCKS_PER_SEC / 1000)));
		while (count > 0)
			free(words[--count]);
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof(silent) / sizeof(*silent); i++)
		test_row(&silent[i]);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		test_row(&wrong[i]);
	test_names();
	test_speed();
	return finish();
}
