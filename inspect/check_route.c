/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <sys/socket.h>

#include "inspect/check_firewall.h"
#include "inspect/check_route.h"

/* A setting that is on where it is for all links or for this one. The larger one counts. */
static int setting_of(struct check *check, const struct link *link, const char *setting)
{
	int all = setting_read(check, "ipv4/conf/all/%s", setting);
	int one = setting_read(check, "ipv4/conf/%s/%s", link->name, setting);

	return one > all ? one : all;
}

/* Another network of the host's, to which it could forward; NULL: none. */
static const struct link *find_network(const struct inventory *inventory,
				       const struct inventory_link *beside, bool ipv6)
{
	for (size_t i = 0; i < inventory->count; i++) {
		const struct inventory_link *other = &inventory->links[i];

		if (other != beside && (ipv6 ? other->has_ipv6 : other->has_ipv4) &&
		    !link_is_tap(&other->link) && !(other->link.flags & IFF_LOOPBACK))
			return &other->link;
	}
	return NULL;
}

/*
 * A guest may be for the host alone, or have another gateway: that is a note. Something else tells
 * that it is to be forwarded: the other family is, addresses are translated, or the host answers
 * ARP for others.
 */
static void check_forwarding(struct check *check, const struct inventory_link *device, bool beyond,
			     bool ipv4)
{
	const struct link *link = &device->link, *other[2] = { NULL };
	char remedy[64] = "net.ipv4.ip_forward=1";
	bool on[2] = { ipv4 };

	/* Written once more, it changes no link. */
	if (setting_read(check, "ipv4/ip_forward") > 0)
		snprintf(remedy, sizeof(remedy), "net/ipv4/conf/%s/forwarding=1", link->name);
	if (device->has_ipv4)
		other[0] = find_network(&check->inventory, device, false);
	if (device->has_ipv6)
		other[1] = find_network(&check->inventory, device, true);
	on[1] = setting_read(check, "ipv6/conf/all/forwarding") != 0 ||
		setting_read(check, "ipv6/conf/%s/force_forwarding", link->name) > 0;
	for (int v6 = 0; v6 < 2; v6++) {
		bool meant = other[!v6] && on[!v6];

		if (!v6)
			meant |= check->rules.translates ||
				 setting_of(check, link, "proxy_arp") > 0;
		if (!other[v6] || on[v6])
			continue;
		find(check, link, meant && !beyond ? WARNING : NOTE, "no-forwarding",
		     "the host does not forward IPv%c between it and %s%s\nsysctl %s%s",
		     v6 ? '6' : '4', other[v6]->name,
		     meant || beyond ? "" : ": guests reach only the host",
		     v6 ? "net.ipv6.conf.all.forwarding=1" : remedy,
		     v6 ? " (with accept_ra=2 where the host has its own by router "
			  "advertisements)" :
			  "");
	}
}

/* What the host forwards for the guests, and back. */
static void check_connections(struct check *check, const struct inventory_link *device, bool beyond)
{
	const struct link *link = &device->link, *outside = check->outside;

	if (!device->has_ipv4 && !device->has_route)
		return;
	if (check->outside_shut)
		find(check, link, beyond ? NOTE : WARNING, "no-forwarding",
		     "the host does not forward IPv4 that comes in at %s, and so no answers\n"
		     "sysctl net/ipv4/conf/%s/forwarding=1",
		     outside->name, outside->name);
	if (check->connections_max > 0 && check->connections >= check->connections_max)
		find(check, link, WARNING, "conntrack-full",
		     "the firewall keeps %d connections and no more, and may drop new ones\n"
		     "sysctl net.netfilter.nf_conntrack_max=%d",
		     check->connections_max, 2 * check->connections_max);
}

/* The host answers no ARP request that comes in there. */
static void check_arp(struct check *check, const struct inventory_link *device)
{
	const struct link *link = &device->link;
	int ignore = setting_of(check, link, "arp_ignore");

	if (link->flags & IFF_NOARP)
		find(check, link, ERROR, "no-arp",
		     "ARP is switched off on it: the host neither asks nor answers there\n"
		     "ip link set %s arp on",
		     link->name);
	if (link->flags & IFF_NOARP)
		return;
	if (ignore < 8 &&
	    (ignore < 1 || device->has_ipv4 || setting_of(check, link, "proxy_arp") > 0))
		return;
	find(check, link, ERROR, "no-arp",
	     "arp_ignore is %d: the host answers no ARP there%s, and its guests find no gateway\n"
	     "sysctl net/ipv4/conf/all/arp_ignore=0 net/ipv4/conf/%s/arp_ignore=0",
	     ignore, ignore < 8 ? " without an address on it" : "", link->name);
}

/* An address of /32 brings no route to the guest. One that the host need not reach may be wired by
 * tc. */
static void check_route(struct check *check, const struct inventory_link *device)
{
	const struct prefixes *ip = &device->record.traffic.ip;
	char guest[IP_STRLEN] = "GUEST-IP";
	bool known = false;

	for (size_t i = 0; i < ip->count && !known; i++) {
		known = ip->list[i].family == AF_INET;
		if (known)
			ip_format(guest, &ip->list[i]);
	}
	if (device->has_network || device->has_route || !(known || device->has_ipv4))
		return;
	find(check, &device->link,
	     device->has_ipv4 || setting_of(check, &device->link, "proxy_arp") > 0 ? WARNING : NOTE,
	     "no-route", "the host has no route to its guest\nip route add %s dev %s", guest,
	     device->link.name);
}

void check_routing(struct check *check, const struct inventory_link *device, bool beyond)
{
	const struct link *link = &device->link;
	bool tap = link->kind == LINK_TUN;
	int forwards;

	/* One that was made for a bridge or a switch is that one's. */
	if (tap && (device->record.parent[0] || device->record.ovs[0]))
		return;
	if (device->has_ipv4 || (tap && device->has_route))
		check_arp(check, device);
	if (tap && link->carrier && !link->master)
		check_route(check, device);
	/* The kernel asks the link by which a packet comes in, and not the host as a whole. */
	forwards = setting_read(check, "ipv4/conf/%s/forwarding", link->name);
	check_forwarding(check, device, beyond, forwards != 0);
	if (forwards <= 0)
		return;
	check_connections(check, device, beyond);
	check_forward_firewall(check, device, beyond);
}
