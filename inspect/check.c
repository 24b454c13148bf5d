/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>

#include <linux/if_bridge.h>

#include "lib/array.h"
#include "inspect/check.h"
#include "nic/record.h"
#include "kernel/sysfs.h"
#include "inspect/inventory.h"

#define PORTS_MAX 1023 /* BR_MAX_PORTS of net/bridge/br_private.h, less port 0 */
#define PORTS_MANY 1000

enum severity { WARNING, ERROR };

/* What was found at a first look, and of which link. */
struct seen {
	int ifindex;
	const char *id;
};

struct check {
	const struct inventory *inventory;
	finding_fn *tell; /* NULL: at the first look */
	void *data;
	struct seen *seen;
	size_t count;
	size_t next; /* of seen: most is found again in the same order */
	int err;
};

static void keep_seen(struct check *check, int ifindex, const char *id)
{
	struct seen *seen = array_grow(check->seen, check->count, sizeof(*seen));

	if (!seen) {
		check->err = -ENOMEM;
		return;
	}
	check->seen = seen;
	check->seen[check->count++] = (struct seen){ .ifindex = ifindex, .id = id };
}

static bool was_seen(struct check *check, int ifindex, const char *id)
{
	for (size_t i = 0; i < check->count; i++) {
		size_t k = (check->next + i) % check->count;

		if (check->seen[k].ifindex != ifindex || strcmp(check->seen[k].id, id) != 0)
			continue;
		check->next = k + 1;
		return true;
	}
	return false;
}

/* The problem and the remedy are the two lines of @fmt. */
static void find(struct check *check, const struct link *link, enum severity severity,
		 const char *id, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void find(struct check *check, const struct link *link, enum severity severity,
		 const char *id, const char *fmt, ...)
{
	struct finding finding = { .name = link->name, .id = id, .error = severity == ERROR };
	char text[512], *end;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!check->tell) {
		keep_seen(check, link->ifindex, id);
		return;
	}
	if (!was_seen(check, link->ifindex, id))
		return;
	end = strchrnul(text, '\n');
	finding.problem = text;
	finding.remedy = *end ? end + 1 : end;
	*end = '\0';
	check->tell(&finding, check->data);
}

/* A setting of /proc/sys/net, which shows the namespace of whoever reads it. */
static bool is_set(const char *setting)
{
	char path[128];
	unsigned value = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", setting);
	return sysfs_read_numbers(AT_FDCWD, path, &value, NULL) == 1 && value;
}

static bool is_tap(const struct inventory_link *device)
{
	return link_is_tap(&device->link);
}

static bool works(const struct link *link)
{
	return link->flags & IFF_UP && link->carrier;
}

/* --- a device by itself --- */

/* A tap's carrier is there while it has an open queue, unless its holder switched that off. */
static void check_tap_holder(struct check *check, const struct inventory_link *device)
{
	const struct link *link = &device->link;
	const struct holder *holder;

	if (link->carrier || !(link->flags & IFF_UP))
		return;
	holder = holders_next(&check->inventory->holders, NULL, link->name, 0);
	/* `add` is at work on it: what it makes has no carrier until somebody opens it. */
	if (holder && !link->tun.persistent && strcmp(holder->command, "tapctl") == 0)
		return;
	/* One that does not stay is gone when nobody has it. */
	if (!holder && !link->tun.persistent)
		find(check, link, ERROR, "carrier-off",
		     "a process of another user or container has it open and has switched its "
		     "carrier off\nlet that program switch it on again, or start it anew");
	else if (holder)
		find(check, link, ERROR, "carrier-off",
		     "%s (pid %d) has it open and has switched its carrier off\n"
		     "let that program switch it on again, or start it anew",
		     holder->command, (int)holder->pid);
	else
		find(check, link, ERROR, "no-holder",
		     "no process has it open\nstart its guest with it (tapctl exec --reuse, or "
		     "qemu -netdev tap,ifname=%s,script=no,downscript=no), or: tapctl del %s",
		     link->name, link->name);
}

static void check_tap(struct check *check, const struct inventory_link *device)
{
	const struct link *link = &device->link;
	char is[MAC_STRLEN], wanted[MAC_STRLEN];
	uint8_t host[MAC_LEN];

	check_tap_holder(check, device);
	if (link->tun.packet_info)
		find(check, link, ERROR, "packet-info",
		     "it puts four bytes before every frame, which no VMM expects\n"
		     "make it anew without them: tapctl del --force %s, then tapctl add",
		     link->name);
	if (link->tun.persistent && !link->tun.has_owner && !link->tun.has_group)
		find(check, link, WARNING, "no-owner",
		     "it belongs to nobody, and so every user of this host may open it\n"
		     "tapctl del --force %s, and make it anew: tapctl add --owner USER",
		     link->name);
	if (!device->ours)
		return;
	mac_derive_host(host, device->guest);
	mac_format(is, link->address);
	mac_format(wanted, host);
	if (mac_equal(link->address, device->guest))
		find(check, link, ERROR, "host-is-guest",
		     "it has its guest's own address %s, and so the bridge keeps every frame for "
		     "the guest\nip link set %s address %s",
		     is, link->name, wanted);
	else if (!mac_equal(link->address, host))
		find(check, link, WARNING, "address-changed",
		     "its address is %s and not %s: udev or somebody else has changed it\n"
		     "ip link set %s address %s (and for udev MACAddressPolicy=none in a .link "
		     "file)",
		     is, wanted, link->name, wanted);
	if (!link->master && link->no_ipv6 && !device->has_ip &&
	    !is_set("ipv6/conf/default/addr_gen_mode"))
		find(check, link, ERROR, "off-bridge",
		     "it was made for a bridge and is on none: NetworkManager and systemd-networkd "
		     "take off what they do not know\nip link set %s master BRIDGE (and "
		     "unmanaged-devices=interface-name:tap* for NetworkManager, Unmanaged=yes for "
		     "systemd-networkd)",
		     link->name);
}

/* The public node: others open that one by its name, and get what it is. */
static void check_node(struct check *check, const struct link *link, dev_t rdev)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/tap%d", link->ifindex);
	if (stat(path, &st) < 0)
		return;
	if (!S_ISCHR(st.st_mode))
		find(check, link, WARNING, "node-no-device",
		     "%s is no device: a shell that opened it before there was one made a file\n"
		     "rm %s",
		     path, path);
	else if (st.st_rdev != rdev)
		find(check, link, WARNING, "node-of-other",
		     "%s is the device of another network namespace's macvtap: who opens it is on "
		     "another guest's wire\nopen it with tapctl exec --reuse, which finds its own",
		     path);
	else if (st.st_mode & (S_IROTH | S_IWOTH))
		find(check, link, WARNING, "node-open-to-all",
		     "every user of this host may open %s and be this guest\nchmod 0600 %s", path,
		     path);
}

static void check_macvtap(struct check *check, const struct inventory_link *device)
{
	const struct link *link = &device->link;
	char is[MAC_STRLEN], wanted[MAC_STRLEN];
	dev_t rdev = macvtap_rdev(link);

	if (rdev && !check->inventory->holders.incomplete &&
	    !holders_next(&check->inventory->holders, NULL, "", rdev))
		find(check, link, ERROR, "no-holder",
		     "no process%s has it open\n"
		     "start its guest with it (tapctl exec --reuse), or: tapctl del %s",
		     check->inventory->holders.nested ? " that this container sees" : "",
		     link->name);
	if (rdev)
		check_node(check, link, rdev);
	if (rdev && holders_disagree(&check->inventory->holders, rdev))
		find(check, link, ERROR, "queues-differ",
		     "some of its queues have vnet headers and some have none, and frames get to "
		     "any of them\nopen all of them alike (tapctl exec --queues N)");
	if (!(link->flags & IFF_ALLMULTI))
		find(check, link, WARNING, "no-allmulti",
		     "it drops multicast that the host did not ask for, so the guest's IPv6 finds "
		     "no neighbours\nip link set %s allmulticast on",
		     link->name);
	if (device->ours && !mac_equal(link->address, device->guest))
		find(check, link, ERROR, "not-guest-address",
		     "its address is %s and not the guest's %s, for which it takes no frames\n"
		     "ip link set %s address %s",
		     mac_format(is, link->address), mac_format(wanted, device->guest), link->name,
		     wanted);
}

static void check_device(struct check *check, const struct inventory_link *device)
{
	const struct link *link = &device->link;
	const struct inventory_link *duplicate;
	char mac[MAC_STRLEN];

	if (!(link->flags & IFF_UP))
		find(check, link, ERROR, "device-down", "it is down\nip link set %s up",
		     link->name);
	if (link->kind == LINK_MACVTAP)
		check_macvtap(check, device);
	else
		check_tap(check, device);
	if (!device->ours)
		return;
	mac_format(mac, device->guest);
	if (mac_equal(device->guest, mac_qemu_default))
		find(check, link, WARNING, "qemu-default",
		     "%s is the address that qemu gives to every guest without mac=\n"
		     "give each guest its own: tapctl mac --random",
		     mac);
	duplicate = inventory_find_duplicate(check->inventory, device);
	if (duplicate)
		find(check, link, WARNING, "same-guest",
		     "%s was made for the same guest %s\nremove one: tapctl del %s",
		     duplicate->link.name, mac, duplicate->link.name);
}

/* --- a tap on no bridge --- */

/* The host is this guest's router, if it has a second leg. */
static void check_unattached(struct check *check, const struct inventory_link *device)
{
	const struct inventory *inventory = check->inventory;
	char forwarding[64];

	snprintf(forwarding, sizeof(forwarding), "ipv4/conf/%s/forwarding", device->link.name);
	if (!device->has_ipv4 || is_set(forwarding))
		return;
	for (size_t i = 0; i < inventory->count; i++) {
		const struct inventory_link *other = &inventory->links[i];

		if (!other->has_ipv4 || is_tap(other) || other->link.flags & IFF_LOOPBACK)
			continue;
		find(check, &device->link, WARNING, "no-forwarding",
		     "the host does not forward between it and %s: the guest reaches the host "
		     "alone\nsysctl net.ipv4.ip_forward=1",
		     other->link.name);
		return;
	}
}

/* --- a bridge and its ports --- */

/* What the ports of a bridge are together. An uplink is a port that is no guest's. */
struct bridge {
	const struct inventory_link *bridge;
	const struct group *group;
	const struct inventory_link *uplink; /* any of them, or NULL */
	const struct inventory_link *steady; /* the port with the least address that is no tap */
	const struct inventory_link *lowest; /* the port with the least address of all */
	const struct inventory_link *open; /* a port that is not isolated, or NULL */
	uint32_t uplink_mtu; /* the least; 0: no uplink */
	bool uplink_works;
	bool has_foreign; /* a tap that may be no guest's but a VPN's, and so an uplink */
	bool follows; /* it takes its address from its ports */
};

/* The host itself is behind the bridge. */
static bool has_host(const struct inventory_link *bridge)
{
	return bridge->has_ip || bridge->has_upper;
}

/* A dummy leads nowhere; and beside the host an idle veth is some container's that does not run. */
static bool is_uplink(const struct inventory_link *port, const struct inventory_link *bridge)
{
	const char *kind = port->link.kind_name;

	return !is_tap(port) && strcmp(kind, "dummy") != 0 &&
	       (strcmp(kind, "veth") != 0 || works(&port->link) || !has_host(bridge));
}

static bool is_lower(const struct inventory_link *port, const struct inventory_link *than)
{
	return !than || memcmp(port->link.address, than->link.address, MAC_LEN) < 0;
}

static void look_at_bridge(struct bridge *bridge, const struct group *group)
{
	const struct link *link = &group->parent->link;
	unsigned type = 0;
	int dir;

	*bridge = (struct bridge){ .bridge = group->parent, .group = group };
	for (size_t i = 0; i < group->count; i++) {
		const struct inventory_link *port = &group->members[i];

		if (is_lower(port, bridge->lowest))
			bridge->lowest = port;
		if (!is_tap(port) && is_lower(port, bridge->steady))
			bridge->steady = port;
		if (!port->link.port.isolated)
			bridge->open = port;
		bridge->has_foreign |= is_tap(port) && !port->ours && !port->chosen;
		if (!is_uplink(port, group->parent))
			continue;
		bridge->uplink = port;
		if (!bridge->uplink_mtu || port->link.mtu < bridge->uplink_mtu)
			bridge->uplink_mtu = port->link.mtu;
		bridge->uplink_works |= works(&port->link);
	}
	dir = sysfs_open_link(link->name, link->ifindex);
	if (dir < 0)
		return;
	/* NET_ADDR_SET, which the ports do not change (net/bridge/br_stp_if.c). */
	bridge->follows = sysfs_read_numbers(dir, "addr_assign_type", &type, NULL) == 1 &&
			  type != 3;
	close(dir);
}

static bool is_wireless(const struct link *link)
{
	int dir = sysfs_open_link(link->name, link->ifindex);
	bool wireless;

	if (dir < 0)
		return false;
	wireless = faccessat(dir, "phy80211", F_OK, 0) == 0;
	close(dir);
	return wireless;
}

/* The bridge's own setting does nothing without the module that the sysctl comes with. */
static void check_bridge_filter(struct check *check, const struct bridge *bridge)
{
	const struct link *link = &bridge->bridge->link;
	bool all = is_set("bridge/bridge-nf-call-iptables"), drops;

	if (bridge->group->count < 2 ||
	    !(all || (link->bridge.calls_iptables && access("/proc/sys/net/bridge", F_OK) == 0)) ||
	    nl_forward_drops(&drops) < 0 || !drops)
		return;
	find(check, link, WARNING, "bridge-nf-drops",
	     "frames that it forwards pass the FORWARD chain (bridge-nf-call-iptables), which "
	     "drops what no rule accepts\n%s%s%s%s%s",
	     all ? "sysctl net.bridge.bridge-nf-call-iptables=0" : "",
	     all && link->bridge.calls_iptables ? " && " : "",
	     link->bridge.calls_iptables ? "ip link set " : "",
	     link->bridge.calls_iptables ? link->name : "",
	     link->bridge.calls_iptables ? " type bridge nf_call_iptables 0" : "");
}

static void check_bridge(struct check *check, const struct bridge *bridge)
{
	const struct link *link = &bridge->bridge->link;
	const struct inventory_link *uplink = bridge->uplink;

	if (!(link->flags & IFF_UP))
		find(check, link, ERROR, "bridge-down", "the bridge is down\nip link set %s up",
		     link->name);
	if (bridge->group->count >= PORTS_MANY)
		find(check, link, WARNING, "bridge-full",
		     "it has %zu ports, and %d are the most that it takes\n"
		     "use a second bridge, and look for leftovers: tapctl list",
		     bridge->group->count, PORTS_MAX);
	if (bridge->follows && is_tap(bridge->lowest) &&
	    mac_equal(bridge->lowest->link.address, link->address))
		find(check, link, WARNING, "bridge-follows-tap",
		     "it has its address from %s and changes it when that goes\ntapctl pin %s",
		     bridge->lowest->link.name, link->name);
	if (!uplink && !bridge->has_foreign && !has_host(bridge->bridge))
		find(check, link, WARNING, "no-uplink",
		     "it has neither an uplink nor an address of the host's: its guests have "
		     "nobody but each other\nip link set DEVICE master %s",
		     link->name);
	else if (uplink && !bridge->uplink_works && uplink->link.flags & IFF_UP)
		find(check, link, ERROR, "uplink-down",
		     "none of its uplinks, like %s, has a carrier\n"
		     "look at its cable, or at the other end of it",
		     uplink->link.name);
	else if (uplink && !bridge->uplink_works)
		find(check, link, ERROR, "uplink-down",
		     "none of its uplinks, like %s, is up and has a carrier\nip link set %s up",
		     uplink->link.name, uplink->link.name);
	check_bridge_filter(check, bridge);
}

static void check_port_address(struct check *check, const struct bridge *bridge,
			       const struct inventory_link *port)
{
	const struct link *link = &port->link;
	char mac[MAC_STRLEN], host[MAC_STRLEN] = "fe:...";
	uint8_t address[MAC_LEN];

	mac_format(mac, link->address);
	for (size_t i = 0; i < bridge->group->count; i++) {
		const struct link *other = &bridge->group->members[i].link;

		if (other == link || !mac_equal(other->address, link->address))
			continue;
		find(check, link, ERROR, "same-address",
		     "%s, another port of %s, has the same address %s\nremove the one that nobody "
		     "needs: tapctl del %s, or ip link set %s address ...",
		     other->name, bridge->bridge->link.name, mac, other->name, other->name);
		break;
	}
	/* It has the bridge's address, or would have it if other taps went. */
	if (!bridge->follows || link->address[0] >= 0xfa ||
	    (bridge->steady && is_lower(bridge->steady, port)))
		return;
	if (port->ours) {
		mac_derive_host(address, port->guest);
		mac_format(host, address);
	}
	find(check, link, WARNING, "low-address",
	     "its address %s is a low one, and %s takes the lowest of its ports for its own\n"
	     "ip link set %s address %s",
	     mac, bridge->bridge->link.name, link->name, host);
}

/* Whom the bridge has heard on this port and on others. */
static void check_port_guest(struct check *check, const struct bridge *bridge,
			     const struct inventory_link *port)
{
	const struct inventory_link *elsewhere = inventory_find(check->inventory, port->elsewhere);
	const char *name = bridge->bridge->link.name;
	char guest[MAC_STRLEN], foreign[MAC_STRLEN];

	mac_format(foreign, port->foreign);
	if (port->has_foreign && mac_equal(port->foreign, mac_qemu_default) &&
	    !(port->ours && mac_equal(port->guest, mac_qemu_default)))
		find(check, &port->link, WARNING, "qemu-default",
		     "its guest sends as %s, as every guest of qemu's without mac= does\n"
		     "give each guest its own: tapctl mac --random",
		     foreign);
	if (!port->ours)
		return;
	mac_format(guest, port->guest);
	if (elsewhere)
		find(check, &port->link, ERROR, "guest-elsewhere",
		     "%s has its guest's address %s at %s: a second guest with it, or a loop\n"
		     "give each guest its own: tapctl mac --random",
		     name, guest, elsewhere->link.name);
	else if (port->has_foreign && !port->heard)
		find(check, &port->link, WARNING, "wrong-source",
		     "its guest sends as %s and not as %s, for which it was made\n"
		     "tell the VMM: mac=%s",
		     foreign, guest, guest);
	if (port->link.port.locked && !port->heard)
		find(check, &port->link, ERROR, "locked-out",
		     "the port is locked, and not for its guest's address %s: it lets nothing in\n"
		     "bridge fdb add %s dev %s master static",
		     guest, guest, port->link.name);
}

static void check_port_mtu(struct check *check, const struct bridge *bridge,
			   const struct inventory_link *port)
{
	const struct link *link = &port->link, *above = &bridge->bridge->link;

	if (link->mtu < above->mtu)
		find(check, link, WARNING, "mtu-below-bridge",
		     "its MTU is %u and that of %s is %u: it drops larger frames for the guest\n"
		     "ip link set %s mtu %u",
		     link->mtu, above->name, above->mtu, link->name, above->mtu);
	else if (link->mtu == above->mtu && bridge->uplink_mtu > link->mtu)
		find(check, link, WARNING, "mtu-pulls-bridge",
		     "its MTU %u keeps %s down to that, where the uplink has %u\n"
		     "ip link set %s mtu %u",
		     link->mtu, above->name, bridge->uplink_mtu, link->name, bridge->uplink_mtu);
}

static void check_port_state(struct check *check, const struct bridge *bridge,
			     const struct inventory_link *port)
{
	const struct link *link = &port->link, *above = &bridge->bridge->link;
	unsigned delay = link->port.delay;

	/* IFF_RUNNING comes with the event that the bridge acts on, up to a second after carrier.
	 */
	if (!(link->flags & IFF_RUNNING) || !(above->flags & IFF_UP))
		return;
	if (link->port.state == BR_STATE_LISTENING)
		delay += above->bridge.forward_delay;
	if (link->port.state == BR_STATE_LISTENING || link->port.state == BR_STATE_LEARNING)
		find(check, link, WARNING, "stp-delay",
		     "STP lets nothing through yet, for %u s more\n"
		     "ip link set %s type bridge stp_state 0 && bridge link set dev %s state 3 "
		     "(where no loop can be), or wait",
		     (delay + 99) / 100, above->name, link->name);
	else if (link->port.state != BR_STATE_FORWARDING)
		find(check, link, ERROR, "port-blocked",
		     "%s blocks this port: STP has heard itself here or a better way elsewhere\n"
		     "look for what joins two ports: bridge link show master %s",
		     above->name, above->name);
	if (link->port.isolated && bridge->group->count > 1 && !bridge->open &&
	    !has_host(bridge->bridge))
		find(check, link, WARNING, "isolated-all",
		     "it is isolated, and so is every other port of %s\n"
		     "bridge link set dev UPLINK isolated off",
		     above->name);
}

/* Whether the VLAN @vid leads to an uplink of the bridge, if there is any, or to the host. */
static bool vlan_goes_out(struct check *check, const struct bridge *bridge, uint16_t vid)
{
	for (size_t i = 0; i < check->inventory->vlan_count; i++) {
		const struct port_vlan *vlan = &check->inventory->vlans[i];
		const struct inventory_link *port;

		if (vid < vlan->first || vid > vlan->last)
			continue;
		port = inventory_find(check->inventory, vlan->ifindex);
		if (port == bridge->bridge ? has_host(port) :
					     port->link.master == bridge->bridge->link.ifindex)
			return true;
	}
	return !bridge->uplink;
}

static void check_port_vlan(struct check *check, const struct bridge *bridge,
			    const struct inventory_link *port)
{
	const struct link *link = &port->link;

	if (!bridge->bridge->link.bridge.filters)
		return;
	/* A guest that tags its frames needs none. */
	if (!port->pvid && !port->sends)
		find(check, link, WARNING, "vlan-no-pvid",
		     "the port has no PVID: what its guest sends without a tag is dropped\n"
		     "bridge vlan add dev %s vid VID pvid untagged",
		     link->name);
	if (port->pvid && !vlan_goes_out(check, bridge, port->pvid))
		find(check, link, ERROR, "vlan-not-on-uplink",
		     "it is in VLAN %u, and no uplink of %s is\nbridge vlan add dev %s vid %u",
		     port->pvid, bridge->bridge->link.name, bridge->uplink->link.name, port->pvid);
}

static void check_ports(struct check *check, const struct group *group)
{
	struct bridge bridge;

	look_at_bridge(&bridge, group);
	check_bridge(check, &bridge);
	for (size_t i = 0; i < group->count; i++) {
		const struct inventory_link *port = &group->members[i];

		if (!port->chosen)
			continue;
		check_device(check, port);
		check_port_address(check, &bridge, port);
		check_port_guest(check, &bridge, port);
		check_port_mtu(check, &bridge, port);
		check_port_state(check, &bridge, port);
		check_port_vlan(check, &bridge, port);
	}
}

/* --- a lower device and its macvtaps --- */

/* A veth's other end on a bridge of this host: the one switch that can be looked into. */
static void check_reflection(struct check *check, const struct group *group)
{
	const struct link *lower = &group->parent->link;
	const struct inventory_link *peer;
	size_t vepa = 0;

	for (size_t i = 0; i < group->count; i++)
		vepa += group->members[i].link.mode == MODE_VEPA;
	if (vepa < 2 || strcmp(lower->kind_name, "veth") != 0 || lower->lower_elsewhere)
		return;
	peer = inventory_find(check->inventory, lower->lower);
	if (peer && peer->link.port.of_bridge && !peer->link.port.hairpin)
		find(check, lower, WARNING, "vepa-no-reflection",
		     "its guests in mode vepa reach each other only if the switch sends frames "
		     "back, and the port %s does not\nbridge link set dev %s hairpin on",
		     peer->link.name, peer->link.name);
}

static void check_lower(struct check *check, const struct group *group)
{
	const struct link *lower = &group->parent->link;
	bool host_macvlan = false, wants_host = false;

	for (size_t i = 0; i < group->count; i++) {
		const struct inventory_link *member = &group->members[i];

		if (member->link.mode != MODE_BRIDGE)
			continue;
		host_macvlan |= member->link.kind == LINK_MACVLAN && member->has_ip;
		wants_host |= member->chosen;
	}
	if (!(lower->flags & IFF_UP))
		find(check, lower, ERROR, "lower-down",
		     "it is down, and so are the macvtaps on it\nip link set %s up", lower->name);
	else if (!lower->carrier)
		find(check, lower, ERROR, "lower-no-carrier",
		     "it has no carrier, and so have the macvtaps on it\n"
		     "look at its cable, or at the other end of it");
	if (is_wireless(lower))
		find(check, lower, ERROR, "wireless",
		     "a wireless network takes frames from no address but the card's own\n"
		     "route instead: tapctl add --unattached");
	if (group->parent->has_ip && wants_host && !host_macvlan)
		find(check, lower, WARNING, "host-apart",
		     "it has an address of the host's, and the host and the guests on it cannot "
		     "talk to each other\ntapctl add --link %s --host, and move the address there",
		     lower->name);
	check_reflection(check, group);
}

/* --- all of it --- */

static void check_group(struct check *check, const struct group *group)
{
	bool chosen = false;

	for (size_t i = 0; i < group->count; i++)
		chosen |= group->members[i].chosen;
	if (!chosen)
		return;
	if (group->members->link.port.of_bridge && group->parent) {
		check_ports(check, group);
		return;
	}
	/* Of another master, like Open vSwitch's, nothing is known. */
	if (group->parent && !group->members->is_port)
		check_lower(check, group);
	for (size_t i = 0; i < group->count; i++) {
		if (!group->members[i].chosen)
			continue;
		check_device(check, &group->members[i]);
		if (group->members[i].link.kind == LINK_TUN)
			check_unattached(check, &group->members[i]);
	}
}

static int look(struct check *check, struct inventory *inventory, struct nl *nl,
		const struct selection *selection)
{
	struct group group = { .count = 0 };
	int err = inventory_read(inventory, nl, selection);

	while (!err && inventory_next(inventory, &group))
		check_group(check, &group);
	inventory_free(inventory);
	if (!err && check->err)
		err = report_error(check->err, "out of memory");
	return err;
}

/*
 * A look takes its time, and a device that is being made or removed just then looks broken: what
 * is wrong is so a moment later, too, when that is over.
 */
int check_devices(struct nl *nl, const struct selection *selection, finding_fn *tell, void *data)
{
	const struct timespec moment = { .tv_nsec = 100000000 };
	struct inventory inventory;
	struct check check = { .inventory = &inventory, .data = data };
	int err = look(&check, &inventory, nl, selection);

	if (!err && check.count) {
		nanosleep(&moment, NULL);
		check.tell = tell;
		err = look(&check, &inventory, nl, selection);
	}
	free(check.seen);
	return err;
}
