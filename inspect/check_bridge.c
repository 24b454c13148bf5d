/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include <linux/if_bridge.h>

#include "inspect/check_bridge.h"
#include "inspect/check_device.h"
#include "inspect/check_firewall.h"
#include "inspect/check_route.h"
#include "inspect/check_steps.h"
#include "inspect/check_uplink.h"
#include "kernel/sysfs.h"

#define PORTS_MAX 1023 /* BR_MAX_PORTS of net/bridge/br_private.h, less port 0 */
#define PORTS_MANY 1000

bool bridge_has_host(const struct inventory_link *bridge)
{
	return bridge->has_ip || bridge->has_upper;
}

static bool is_lower(const struct inventory_link *port, const struct inventory_link *than)
{
	return !than || memcmp(port->link.address, than->link.address, MAC_LEN) < 0;
}

static void look_at_port(const struct inventory *inventory, struct bridge *bridge,
			 const struct inventory_link *port)
{
	if (is_lower(port, bridge->lowest))
		bridge->lowest = port;
	if (!link_is_tap(&port->link) && is_lower(port, bridge->steady))
		bridge->steady = port;
	if (!port->link.port.isolated)
		bridge->open = port;
	bridge->has_foreign |= link_is_tap(&port->link) && !port->ours && !port->chosen;
	look_at_uplink(inventory, bridge, port);
}

static void look_at_bridge(struct check *check, struct bridge *bridge, const struct siblings *ports)
{
	const struct link *link = &ports->parent->link;
	unsigned type = 0;
	int dir;

	*bridge = (struct bridge){ .bridge = ports->parent, .ports = ports };
	for (size_t i = 0; i < ports->count; i++)
		look_at_port(&check->inventory, bridge, &ports->list[i]);
	dir = sysfs_open_link(link->name, link->ifindex);
	if (dir < 0) {
		miss(check, UNSEEN_ADDRESSES);
		return;
	}
	/* NET_ADDR_SET, which the ports do not change (net/bridge/br_stp_if.c). */
	bridge->follows = sysfs_read_numbers(dir, "addr_assign_type", &type, NULL) == 1 &&
			  type != 3;
	close(dir);
}

static void check_bridge(struct check *check, const struct bridge *bridge)
{
	const struct link *link = &bridge->bridge->link;

	if (!(link->flags & IFF_UP))
		find(check, link, ERROR, "bridge-down", "the bridge is down\nip link set %s up",
		     link->name);
	if (bridge->ports->count >= PORTS_MANY)
		find(check, link, WARNING, "bridge-full",
		     "it has %zu ports, and takes %d at most\n"
		     "use a second bridge, and look for leftovers: tapctl list",
		     bridge->ports->count, PORTS_MAX);
	if (bridge->follows && link_is_tap(&bridge->lowest->link))
		find(check, link, WARNING, "bridge-follows-tap",
		     "it has its address from %s and will change it when that is removed\n"
		     "tapctl pin %s",
		     bridge->lowest->link.name, link->name);
	check_uplink(check, bridge);
	check_routing(check, bridge->bridge, bridge->uplink && bridge->uplink_works);
	check_bridge_firewall(check, bridge->bridge, bridge->ports->count > 1);
}

/*
 * A holder may give its tap any address, and a bridge hands what is for it to the host: frames for
 * a neighbour of the host's, or for another guest, are lost.
 */
static void check_foreign_address(struct check *check, const struct bridge *bridge,
				  const struct inventory_link *port)
{
	const struct inventory *inventory = &check->inventory;
	const struct link *link = &port->link;
	const struct inventory_link *other = inventory_find_guest_on(inventory, link->address,
								     port);
	char mac[MAC_STRLEN], remedy[64], who[HOLDER_TEXT];
	uint8_t own[MAC_LEN];

	if (!port->is_neighbour && !other)
		return;
	mac_format(mac, link->address);
	mac_derive_host(own, port->guest);
	if (!other && port->ours && mac_equal(link->address, own)) {
		/* Between it and the host alone, frames do pass. */
		find(check, link, bridge->ports->count > 1 ? ERROR : WARNING, "guest-is-tap",
		     "its guest uses the tap's own address %s, and %s hands frames for that to "
		     "the host\ntell the VMM: mac=%s",
		     mac, bridge->bridge->link.name, mac_format(remedy, port->guest));
		return;
	}
	snprintf(remedy, sizeof(remedy), "%s%s%s", port->ours ? "tapctl attach " : "ip link set ",
		 link->name, port->ours ? "" : " address fe:...");
	find(check, link, ERROR, "neighbour-address",
	     "its address %s is that of %s, whose frames %s hands to the host; it is %s\n"
	     "%s",
	     mac, other ? other->link.name : "a neighbour of this host's",
	     bridge->bridge->link.name, holder_words(who, check, link), remedy);
}

static void check_port_address(struct check *check, const struct bridge *bridge,
			       const struct inventory_link *port)
{
	const struct link *link = &port->link;
	char mac[MAC_STRLEN];

	mac_format(mac, link->address);
	for (size_t i = 0; i < bridge->ports->count; i++) {
		const struct link *other = &bridge->ports->list[i].link;

		if (other == link || !mac_equal(other->address, link->address))
			continue;
		/* The bridge hands what is for it to the host, by whichever port it came in. */
		find(check, link, NOTE, "same-address",
		     "%s, another port of %s, has the same address %s; nothing is lost by that\n"
		     "one may be a leftover: tapctl list",
		     other->name, bridge->bridge->link.name, mac);
		break;
	}
	check_foreign_address(check, bridge, port);
	/* The bridge has its address, or would take it if other taps were removed. */
	if (!bridge->follows || link->address[0] >= 0xfa ||
	    (bridge->steady && is_lower(bridge->steady, port)))
		return;
	find(check, link, WARNING, "low-address",
	     "its address %s is a low one, and %s takes the lowest of its ports for its own\n"
	     "%s%s%s",
	     mac, bridge->bridge->link.name, port->ours ? "tapctl attach " : "ip link set ",
	     link->name, port->ours ? "" : " address fe:...");
}

/* What guests send is counted by their taps. */
static bool talks(struct check *check, const struct link *link)
{
	int dir = sysfs_open_link(link->name, link->ifindex);
	unsigned frames = 0;

	if (dir < 0)
		return false;
	sysfs_read_numbers(dir, "statistics/rx_packets", &frames, NULL);
	close(dir);
	return grew(check, link, "frames", frames);
}

/* The bridge has the guest's address where the guest is not. */
static void check_elsewhere(struct check *check, const struct bridge *bridge,
			    const struct inventory_link *port)
{
	const struct inventory_link *at = inventory_find(&check->inventory, port->elsewhere);
	const struct link *link = &port->link;
	const char *name = bridge->bridge->link.name;
	char guest[MAC_STRLEN], vlan[16] = "";

	if (!at)
		return;
	mac_format(guest, port->guest);
	if (port->elsewhere_vlan && at != bridge->bridge)
		snprintf(vlan, sizeof(vlan), " vlan %u", port->elsewhere_vlan);
	if (port->elsewhere_how == FDB_OWN && mac_equal(at->link.address, port->guest))
		find(check, link, ERROR, "guest-elsewhere",
		     "its guest's address %s is that of %s itself, and %s hands frames for it to "
		     "the host\n%s%s",
		     guest, at->link.name, name,
		     at->ours ? "tapctl attach " : "give the guest its own: tapctl mac --random",
		     at->ours ? at->link.name : "");
	/* What is only set moves to where the address is heard. */
	else if (port->elsewhere_how == FDB_STICKY || port->elsewhere_how == FDB_OWN ||
		 (port->elsewhere_how == FDB_SET && !link->port.learning))
		find(check, link, ERROR, "guest-elsewhere",
		     "somebody told %s that its guest's address %s is at %s (a static entry, or "
		     "EVPN)\nbridge fdb del %s dev %s%s master",
		     name, guest, at->link.name, guest, at->link.name, vlan);
	else if (port->elsewhere_how == FDB_LEARNED && talks(check, link))
		find(check, link, ERROR, "guest-elsewhere",
		     "its guest talks, and %s hears its address %s at %s as well: a second guest "
		     "with it, or a loop\ngive each guest its own: tapctl mac --random",
		     name, guest, at->link.name);
	else
		find(check, link, NOTE, "guest-elsewhere",
		     "%s has its guest's address %s at %s: it moved, or a guest has both\n"
		     "tapctl trace %s",
		     name, guest, at->link.name, link->name);
}

/* Which addresses the bridge has learned at this port, and where it has the guest's. */
static void check_port_guest(struct check *check, const struct bridge *bridge,
			     const struct inventory_link *port)
{
	char guest[MAC_STRLEN], foreign[MAC_STRLEN];

	mac_format(foreign, port->foreign);
	if (port->has_foreign && mac_equal(port->foreign, mac_qemu_default) &&
	    !(port->ours && mac_equal(port->guest, mac_qemu_default)))
		find(check, &port->link, WARNING, "qemu-default",
		     "its guest sends as %s, like every guest of qemu's without mac=\n"
		     "give each guest its own: tapctl mac --random",
		     foreign);
	if (!port->ours)
		return;
	mac_format(guest, port->guest);
	check_elsewhere(check, bridge, port);
	/* Its guest may be a bridge or a router, and its own address forgotten meanwhile. */
	if (!port->elsewhere && port->has_foreign && !port->heard)
		find(check, &port->link, NOTE, "wrong-source",
		     "its guest sends as %s, and has not been heard as %s lately\n"
		     "if it is not a bridge or a router, tell the VMM: mac=%s",
		     foreign, guest, guest);
	/* One whose record says so is compared with that. */
	if (port->link.port.locked && !port->record.policy.locked && !port->heard)
		find(check, &port->link, ERROR, "locked-out",
		     "the port is locked, without an entry for its guest's address %s: it lets "
		     "nothing in\n"
		     "bridge fdb add %s dev %s master static",
		     guest, guest, port->link.name);
}

static void check_port_mtu(struct check *check, const struct bridge *bridge,
			   const struct inventory_link *port)
{
	const struct link *link = &port->link, *above = &bridge->bridge->link;

	/* What was asked for is by design. */
	if (link->mtu < above->mtu && !port->record.mtu)
		find(check, link, WARNING, "mtu-below-bridge",
		     "its MTU is %u and that of %s is %u: it drops larger frames for the guest\n"
		     "ip link set %s mtu %u",
		     link->mtu, above->name, above->mtu, link->name, above->mtu);
	else if (link->mtu == above->mtu && bridge->mtu_least > link->mtu)
		/* Whether somebody set the bridge's, the kernel does not tell. */
		find(check, link, NOTE, "mtu-pulls-bridge",
		     "its MTU is %u, and so is that of %s, which follows its least port unless "
		     "it was set; the uplink's is %u\n"
		     "ip link set %s mtu %u",
		     link->mtu, above->name, bridge->mtu_least,
		     port->record.mtu ? above->name : link->name, bridge->mtu_least);
}

/* The states of linux/if_bridge.h. */
static const char *const states[] = { "disabled", "listening", "learning", "forwarding",
				      "blocking" };

/* The port lets nothing through, and STP may not be the cause. */
static void check_blocked(struct check *check, const struct link *above, const struct link *link)
{
	unsigned state = link->port.state;

	if (link->port.guarded && above->bridge.stp && state == BR_STATE_DISABLED)
		find(check, link, ERROR, "port-blocked",
		     "its BPDU guard has switched the port off: the guest speaks STP, like a "
		     "bridge\n"
		     "ip link set %s carrier off && ip link set %s carrier on (when the guest has "
		     "stopped that; or: bridge link set dev %s guard off)",
		     link->name, link->name, link->name);
	else if (!above->bridge.stp)
		find(check, link, ERROR, "port-blocked",
		     "somebody has set the port's state to %s\nbridge link set dev %s state 3",
		     state < sizeof(states) / sizeof(*states) ? states[state] : "unknown",
		     link->name);
	else
		find(check, link, ERROR, "port-blocked",
		     "%s blocks this port: STP sees a loop here, or a better path elsewhere\n"
		     "look for what joins two ports: bridge link show master %s",
		     above->name, above->name);
}

static void check_port_state(struct check *check, const struct bridge *bridge,
			     const struct inventory_link *port)
{
	const struct link *link = &port->link, *above = &bridge->bridge->link;
	unsigned delay = (unsigned)link->port.delay;

	/* The bridge acts on the event that sets IFF_RUNNING, up to a second after the carrier. */
	if (!(link->flags & IFF_RUNNING) || !(above->flags & IFF_UP))
		return;
	if (link->port.state == BR_STATE_LISTENING)
		delay += above->bridge.forward_delay;
	if (above->bridge.stp &&
	    (link->port.state == BR_STATE_LISTENING || link->port.state == BR_STATE_LEARNING))
		find(check, link, WARNING, "stp-delay",
		     "STP lets nothing through yet, for %u s more\n"
		     "ip link set %s type bridge stp_state 0 && bridge link set dev %s state 3 "
		     "(where no loop can be), or wait",
		     (delay + 99) / 100, above->name, link->name);
	else if (link->port.state != BR_STATE_FORWARDING)
		check_blocked(check, above, link);
}

void check_port_flags(struct check *check, const struct bridge *bridge,
		      const struct inventory_link *port)
{
	const struct link *link = &port->link, *above = &bridge->bridge->link;

	check_port_state(check, bridge, port);
	/* With suppression, the bridge answers ARP in the place of who is there. */
	if (!link->port.broadcasts && !link->port.suppresses)
		find(check, link, ERROR, "no-broadcast",
		     "what is for everybody, like ARP, is not sent there (bcast_flood off)\n"
		     "bridge link set dev %s bcast_flood on",
		     link->name);
	if (!link->port.floods && !link->port.learning &&
	    !(port->ours ? port->heard : port->entries))
		find(check, link, ERROR, "no-unicast",
		     "%s learns no address there and sends nothing to unknown ones\n"
		     "bridge link set dev %s learning on flood on",
		     above->name, link->name);
	if (port->has_ip)
		find(check, link, WARNING, "port-ip",
		     "it has an IP address of the host's, which as a port of %s it cannot use "
		     "fully\nip address del %s dev %s && ip address add %s dev %s (and its routes)",
		     above->name, port->ip, link->name, port->ip, above->name);
}

/* A bridge that forwards groups by what was asked for sends the guest no neighbour solicitations.
 */
static void check_multicast(struct check *check, const struct bridge *bridge,
			    const struct inventory_link *port)
{
	const struct link *link = &port->link, *above = &bridge->bridge->link;
	bool asked = above->bridge.snoops && above->bridge.querier[0] && port->has_group;

	/* With suppression, the bridge answers neighbour solicitations in the guest's place. */
	if (!link->port.multicasts && !link->port.suppresses && !asked)
		find(check, link, port->speaks_ipv6 ? WARNING : NOTE, "no-multicast",
		     "multicast from other ports is not sent there (mcast_flood off): over IPv6 "
		     "they do not find the guest\nbridge link set dev %s mcast_flood on",
		     link->name);
	if (!above->bridge.snoops || !above->bridge.querier[0] || port->has_group || !port->heard)
		return;
	find(check, link, port->speaks_ipv6 ? WARNING : NOTE, "no-multicast-group",
	     "%s forwards multicast to who asks for it, and its guest asks for nothing: over IPv6 "
	     "nobody finds it\nip link set %s type bridge mcast_snooping 0",
	     above->name, above->name);
}

static void check_isolated(struct check *check, const struct bridge *bridge,
			   const struct inventory_link *port)
{
	const struct link *above = &bridge->bridge->link;

	if (!port->link.port.isolated)
		return;
	if (bridge->uplink && !bridge->uplink_open)
		find(check, &port->link, WARNING, "isolated-all",
		     "it is isolated, and so is %s: they do not reach each other\n"
		     "bridge link set dev %s isolated off",
		     bridge->uplink->link.name, bridge->uplink->link.name);
	/* A foreign tap may be the uplink, a VPN's; where none is, no-uplink says so. */
	else if (!bridge->uplink && bridge->has_foreign && !bridge->open &&
		 !bridge_has_host(bridge->bridge))
		find(check, &port->link, WARNING, "isolated-all",
		     "it is isolated, and so is every other port of %s\n"
		     "bridge link set dev DEVICE isolated off (of the one that leads out)",
		     above->name);
}

/* Whether the VLAN @vid leads to an uplink or, with @tap, to a tap with a tag, or to the host. */
static bool vlan_leads_to(struct check *check, const struct bridge *bridge, uint16_t vid, bool tap)
{
	for (size_t i = 0; i < check->inventory.vlans.count; i++) {
		const struct port_vlan *vlan = &check->inventory.vlans.list[i];
		const struct inventory_link *port;

		if (vid < vlan->first || vid > vlan->last)
			continue;
		port = inventory_find(&check->inventory, vlan->ifindex);
		if (port == bridge->bridge ? bridge_has_host(port) :
					     port->link.master == bridge->bridge->link.ifindex &&
						     link_is_tap(&port->link) == tap)
			return true;
	}
	return false;
}

/* Guests may have a VLAN to themselves, and a guest with a tag may be their router. */
static enum severity severity_of_vlan(struct check *check, const struct bridge *bridge,
				      uint16_t vid)
{
	size_t taps = 0;

	for (size_t i = 0; i < bridge->ports->count; i++)
		taps += link_is_tap(&bridge->ports->list[i].link) &&
			bridge->ports->list[i].pvid == vid;
	return vlan_leads_to(check, bridge, vid, true) ? NOTE : taps > 1 ? WARNING : ERROR;
}

static void check_port_vlan(struct check *check, const struct bridge *bridge,
			    const struct inventory_link *port)
{
	const struct link *link = &port->link;

	if (!bridge->bridge->link.bridge.filters)
		return;
	/* A guest that tags its frames needs none. */
	if (!port->pvid && !port->sends && !port->record.policy.vlan_count)
		find(check, link, WARNING, "vlan-no-pvid",
		     "the port has no PVID: what its guest sends without a tag is dropped\n"
		     "bridge vlan add dev %s vid VID pvid untagged",
		     link->name);
	if (port->pvid && bridge->uplink && !vlan_leads_to(check, bridge, port->pvid, false))
		find(check, link, severity_of_vlan(check, bridge, port->pvid), "vlan-not-on-uplink",
		     "it is in VLAN %u, and no uplink of %s is\nbridge vlan add dev %s vid %u",
		     port->pvid, bridge->bridge->link.name, bridge->uplink->link.name, port->pvid);
}

void check_bridge_ports(struct check *check, const struct siblings *ports)
{
	struct bridge bridge;

	look_at_bridge(check, &bridge, ports);
	check_bridge(check, &bridge);
	for (size_t i = 0; i < ports->count; i++) {
		const struct inventory_link *port = &ports->list[i];

		if (!port->chosen)
			continue;
		tell_steps(check, port, &bridge);
		check_device(check, port);
		check_port_address(check, &bridge, port);
		check_port_guest(check, &bridge, port);
		check_port_mtu(check, &bridge, port);
		check_port_flags(check, &bridge, port);
		check_isolated(check, &bridge, port);
		check_multicast(check, &bridge, port);
		check_port_vlan(check, &bridge, port);
		check_port_firewall(check, port);
	}
}
