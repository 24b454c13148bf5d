/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <linux/if_bonding.h>

#include "inspect/check_firewall.h"
#include "inspect/check_uplink.h"

static bool is_kind(const struct link *link, const char *kind)
{
	return strcmp(link->kind_name, kind) == 0;
}

static bool is_tunnel(const struct link *link)
{
	return is_kind(link, "vxlan") || is_kind(link, "gretap") || is_kind(link, "ip6gretap");
}

/* A tunnel has a carrier without what it is on, which may even be itself (ip6gretap). */
static bool works(const struct inventory *inventory, const struct link *link)
{
	for (int depth = 0; depth < 8; depth++) {
		const struct inventory_link *lower = inventory_find_lower(inventory, link);

		if (!(link->flags & IFF_UP) || !link->carrier)
			return false;
		if (!is_tunnel(link) || !lower)
			return true;
		link = &lower->link;
	}
	return true;
}

/* A card, or what stands for cards, is likelier to lead out than a veth or a tunnel. */
static bool is_card(const struct link *link)
{
	return is_kind(link, "") || is_kind(link, "bond") || is_kind(link, "vlan") ||
	       is_kind(link, "team");
}

/* A dummy leads nowhere, and on a bridge with the host an idle veth is a stopped container's. */
void look_at_uplink(const struct inventory *inventory, struct bridge *bridge,
		    const struct inventory_link *port)
{
	const struct link *link = &port->link;

	if (link_is_tap(link) || is_kind(link, "dummy"))
		return;
	if (is_kind(link, "veth") && !works(inventory, link) && bridge_has_host(bridge->bridge)) {
		bridge->idle = port;
		return;
	}
	if (!bridge->uplink || is_card(link) > is_card(&bridge->uplink->link))
		bridge->uplink = port;
	if (!bridge->mtu_least || link->mtu < bridge->mtu_least)
		bridge->mtu_least = link->mtu;
	if (link->mtu > bridge->mtu_most)
		bridge->mtu_most = link->mtu;
	bridge->uplink_works |= works(inventory, link);
	bridge->uplink_open |= !link->port.isolated;
}

/* The link to take up so that @port works; NULL: that is not known. */
static const struct link *find_down(const struct inventory *inventory,
				    const struct inventory_link *port)
{
	const struct link *down = NULL;

	/* The other end of a veth, or what a VLAN is on, whose state it shares. */
	for (int depth = 0; port && depth < 8; depth++) {
		const struct link *link = &port->link;

		if (!(link->flags & IFF_UP))
			down = link;
		if (depth && is_kind(link, "veth"))
			break;
		port = inventory_find_lower(inventory, link);
	}
	return down;
}

static void tell_down(struct check *check, const struct bridge *bridge,
		      const struct inventory_link *uplink, enum severity severity)
{
	const struct link *down = find_down(&check->inventory, uplink);

	if (down)
		find(check, &bridge->bridge->link, severity, "uplink-down",
		     "none of its uplinks works: of %s, %s is down\nip link set %s up",
		     uplink->link.name, down->name, down->name);
	else
		find(check, &bridge->bridge->link, severity, "uplink-down",
		     "none of its uplinks works: %s, or what it is on, has no carrier\n"
		     "check its cable, and the other end of it",
		     uplink->link.name);
}

/* The other end of a veth may be a stopped container's, unless it is a port of a bridge here. */
static void check_idle(struct check *check, const struct bridge *bridge)
{
	const struct inventory_link *peer = inventory_find_lower(&check->inventory,
								 &bridge->idle->link);

	tell_down(check, bridge, bridge->idle, peer && peer->is_port ? WARNING : NOTE);
}

static void check_mtu(struct check *check, const struct bridge *bridge)
{
	const struct link *link = &bridge->bridge->link, *uplink = &bridge->uplink->link;
	bool raise = is_card(uplink) || is_kind(uplink, "veth");

	/* Where one uplink is as large, the others may lead to hosts that know their own. */
	if (bridge->mtu_most >= link->mtu)
		return;
	find(check, uplink, WARNING, "uplink-mtu",
	     "its MTU is %u and that of %s is %u: it drops larger frames of the guests\n"
	     "%s %s mtu %u%s",
	     uplink->mtu, link->name, link->mtu,
	     raise ? "ip link set" : "the same for the taps, and in the guests: ip link set",
	     raise ? uplink->name : link->name, raise ? link->mtu : uplink->mtu,
	     raise ? " (where the network beyond has that, too)" : "");
}

static void check_kind(struct check *check, const struct bridge *bridge,
		       const struct inventory_link *uplink)
{
	const struct link *link = &uplink->link;
	const struct inventory_link *lower = inventory_find_lower(&check->inventory, link);

	if (link->kind == LINK_MACVLAN && link->mode != MODE_PASSTHRU)
		find(check, link, ERROR, "uplink-macvlan",
		     "a macvlan receives what is for its own address only, and nothing for guests\n"
		     "ip link del %s && ip link set %s master %s",
		     link->name, lower ? lower->link.name : "DEVICE", bridge->bridge->link.name);
	if (is_kind(link, "bond") &&
	    (link->bond_mode == BOND_MODE_TLB || link->bond_mode == BOND_MODE_ALB))
		find(check, link, WARNING, "uplink-bond",
		     "a bond in mode %s puts its own addresses in place of the guests'\n"
		     "make it anew in mode active-backup or 802.3ad",
		     link->bond_mode == BOND_MODE_TLB ? "balance-tlb" : "balance-alb");
	if (link->port.locked && !uplink->entries)
		find(check, link, ERROR, "uplink-locked",
		     "the port is locked: nothing from beyond comes in\n"
		     "bridge link set dev %s locked off",
		     link->name);
}

void check_uplink(struct check *check, const struct bridge *bridge)
{
	const struct link *link = &bridge->bridge->link;
	const struct inventory_link *uplink = bridge->uplink;

	if (!uplink && bridge->idle)
		check_idle(check, bridge);
	else if (!uplink && !bridge->has_foreign && !bridge_has_host(bridge->bridge))
		find(check, link, WARNING, "no-uplink",
		     "it has neither an uplink nor an address of the host's: its guests reach "
		     "only each other\nip link set DEVICE master %s (DEVICE: a card of this host's "
		     "that has no address; or, where guests need the host alone: ip address add "
		     "ADDRESS/LENGTH dev %s)",
		     link->name, link->name);
	if (!uplink)
		return;
	if (!bridge->uplink_works)
		tell_down(check, bridge, uplink, ERROR);
	check_mtu(check, bridge);
	for (size_t i = 0; i < bridge->ports->count; i++) {
		const struct inventory_link *port = &bridge->ports->list[i];

		/* Those that are chosen are looked at as guests. */
		if (port->chosen || is_kind(&port->link, "dummy"))
			continue;
		if (!link_is_tap(&port->link)) {
			check_kind(check, bridge, port);
			check_port_firewall(check, port);
		}
		if (port == uplink)
			check_port_flags(check, bridge, port);
	}
}
