/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "nic/compare.h"

/* --- VLANs --- */

void compare_vlan(struct port_state *port, const struct record *record,
		  const struct port_vlan *vlan)
{
	const struct port_policy *policy = &record->policy;

	for (unsigned vid = vlan->first; vid <= vlan->last; vid++) {
		unsigned i = 0;

		while (i < policy->vlan_count && policy->vlans[i] != vid)
			i++;
		if (i == policy->vlan_count || vlan->pvid != (i == 0) || vlan->untagged != (i == 0))
			port->other_vlan = true;
		else
			port->vlans++;
	}
}

/* --- all of it --- */

static unsigned bit(enum difference difference, bool differs)
{
	return differs ? 1U << difference : 0;
}

bool record_address(uint8_t address[static MAC_LEN], const struct compared *compared)
{
	const struct record *record = compared->record;

	/* That of the host's macvlan is not written. */
	if (mac_is_zero(record->guest))
		return false;
	if (compared->link->kind == LINK_TUN)
		mac_derive_host(address, record->guest);
	else
		memcpy(address, record->guest, MAC_LEN);
	return true;
}

static unsigned compare_address(const struct compared *compared)
{
	const struct link *link = compared->link;
	uint8_t address[MAC_LEN];

	if (!record_address(address, compared) || mac_equal(link->address, address))
		return 0;
	if (link->kind == LINK_TUN && mac_equal(link->address, compared->record->guest))
		return bit(DIFFERS_HOST_IS_GUEST, true);
	return bit(DIFFERS_ADDRESS, true);
}

/* Only a tap can be moved. One that was made for no bridge may be on a switch of another kind. */
static bool is_elsewhere(const struct compared *compared)
{
	const struct link *link = compared->link;

	if (link->kind != LINK_TUN)
		return false;
	if (!compared->record->parent[0])
		return link->port.of_bridge;
	return !link->master || !compared->parent || link->master != compared->parent->ifindex;
}

static unsigned compare_port(const struct compared *compared)
{
	const struct port_policy *want = &compared->record->policy;
	const struct port_state *port = &compared->port;
	const struct link *link = compared->link;
	bool filters = compared->parent->bridge.filters;

	return bit(DIFFERS_LOCKED, want->locked && (!link->port.locked || link->port.learning)) |
	       bit(DIFFERS_ENTRY, want->locked && port->known && !port->has_entry) |
	       bit(DIFFERS_ISOLATED, want->isolated && !link->port.isolated) |
	       bit(DIFFERS_HAIRPIN, want->hairpin && !link->port.hairpin) |
	       bit(DIFFERS_FILTERING, want->vlan_count && !filters) |
	       bit(DIFFERS_VLANS, want->vlan_count && filters && port->known &&
					  (port->other_vlan || port->vlans != want->vlan_count)) |
	       bit(DIFFERS_DORMANT, link->dormant);
}

int compare_read_traffic(struct nl *nl, struct compared *compared)
{
	const struct record *record = compared->record;

	if (!traffic_is_set(&record->traffic))
		return 0;
	return traffic_read(nl, &compared->traffic, compared->link->ifindex,
			    compared->link->kind == LINK_MACVTAP, record->guest, &record->traffic);
}

static unsigned compare_traffic(const struct compared *compared)
{
	const struct traffic *want = &compared->record->traffic;
	const struct traffic_state *is = &compared->traffic;

	if (!is->known)
		return 0;
	return bit(DIFFERS_IP, want->ip.count && !is->filters) |
	       bit(DIFFERS_LIMIT_IN, want->in.bytes && !is->limits_in) |
	       bit(DIFFERS_LIMIT_OUT, want->out.bytes && !is->limits_out);
}

/* The trunks of a port are a set. */
static bool has_vlan(const struct ovs_port *row, uint16_t vlan)
{
	for (unsigned i = 1; i < row->vlan_count; i++)
		if (row->vlans[i] == vlan)
			return true;
	return false;
}

static bool has_vlans(const struct ovs_port *row, const struct port_policy *policy)
{
	if (row->vlan_count != policy->vlan_count)
		return false;
	if (policy->vlan_count && row->vlans[0] != policy->vlans[0])
		return false;
	for (unsigned i = 1; i < policy->vlan_count; i++)
		if (!has_vlan(row, policy->vlans[i]))
			return false;
	return true;
}

static unsigned compare_row(const struct compared *compared)
{
	const struct record *record = compared->record;
	const struct ovs_port *row = compared->row;

	if (!record->ovs[0] || !compared->row_known)
		return 0;
	if (!row || strcmp(row->bridge, record->ovs) != 0)
		return bit(DIFFERS_PARENT, true);
	return bit(DIFFERS_VLANS, !has_vlans(row, &record->policy)) |
	       bit(DIFFERS_IFACE_ID, strcmp(row->iface_id, record->iface_id) != 0);
}

unsigned record_compare(const struct compared *compared)
{
	const struct record *record = compared->record;
	const struct link *link = compared->link;
	bool macvtap = link->kind == LINK_MACVTAP;
	unsigned differences;

	differences = compare_address(compared) | bit(DIFFERS_UP, !(link->flags & IFF_UP)) |
		      bit(DIFFERS_ALLMULTI, macvtap && !(link->flags & IFF_ALLMULTI)) |
		      bit(DIFFERS_IPV6, macvtap && link->makes_ipv6);
	if (record->by == RECORD_OLD)
		return differences;
	differences |= bit(DIFFERS_MTU, record->mtu && link->mtu != record->mtu) |
		       compare_traffic(compared);
	if (is_elsewhere(compared))
		return differences | bit(DIFFERS_PARENT, true);
	if (link->kind == LINK_TUN && record->parent[0])
		differences |= compare_port(compared);
	return differences | compare_row(compared);
}

/* --- in words --- */

static void parent_words(char *text, const struct compared *compared)
{
	const char *wanted = compared->record->parent;
	const char *is;

	if (compared->record->ovs[0] && !compared->link->port.of_bridge) {
		snprintf(text, DIFFERENCE_TEXT, "it is %s%s and was made for %s of Open vSwitch",
			 compared->row ? "a port of " : "on no bridge",
			 compared->row ? compared->row->bridge : "", compared->record->ovs);
		return;
	}
	if (compared->record->ovs[0])
		wanted = compared->record->ovs;
	is = !compared->link->master ? "no bridge" :
	     compared->master	     ? compared->master->name :
				       "another bridge";

	snprintf(text, DIFFERENCE_TEXT, "it is on %s and was made for %s%s", is,
		 wanted[0] ? wanted : "no bridge",
		 compared->record->parent[0] && !compared->parent ? ", which is not here" : "");
}

static void address_words(char *text, const struct compared *compared, bool is_guest)
{
	char is[MAC_STRLEN], wanted[MAC_STRLEN];
	uint8_t address[MAC_LEN] = { 0 };

	record_address(address, compared);
	mac_format(is, compared->link->address);
	mac_format(wanted, address);
	if (is_guest)
		snprintf(text, DIFFERENCE_TEXT,
			 "it has its guest's own address %s and not %s, and so the bridge keeps "
			 "every frame for the guest",
			 is, wanted);
	else
		snprintf(text, DIFFERENCE_TEXT, "its address is %s and not %s%s", is, wanted,
			 compared->link->kind == LINK_TUN ?
				 "" :
				 ", its guest's, for which it takes no frames");
}

static const struct {
	const char *words, *option;
} rows[DIFFERENCES] = {
	[DIFFERS_LOCKED] = { "its port is not locked, or learns: its guest may send from other "
			     "addresses",
			     "--lock-mac" },
	[DIFFERS_ENTRY] = { "its port is locked and has no entry for its guest: it lets nothing in",
			    "--lock-mac" },
	[DIFFERS_ISOLATED] = { "its port is not isolated: it reaches other isolated ports",
			       "--isolated" },
	[DIFFERS_HAIRPIN] = { "its port is not in hairpin mode", "--hairpin" },
	[DIFFERS_FILTERING] = { "it was made for VLANs, and its bridge does not filter any",
				"--vlan" },
	[DIFFERS_VLANS] = { "its port is not in the VLANs that it was made for", "--vlan" },
	[DIFFERS_IP] = { "it has lost the filter that it was made with: its guest may send from "
			 "any address",
			 "--ip" },
	[DIFFERS_LIMIT_IN] = { "the bandwidth to its guest is not limited as it was",
			       "--limit-in" },
	[DIFFERS_LIMIT_OUT] = { "the bandwidth from its guest is not limited as it was",
				"--limit-out" },
	[DIFFERS_IFACE_ID] = { "its port has not the iface-id that it was made for", "--iface-id" },
	[DIFFERS_DORMANT] = { "its link mode is dormant, and so its bridge keeps the port shut",
			      NULL },
	[DIFFERS_ALLMULTI] = { "it drops multicast that the host did not ask for, so its guest's "
			       "IPv6 finds no neighbours",
			       NULL },
	[DIFFERS_IPV6] = { "the host makes itself IPv6 addresses on it, with the guest's address",
			   NULL },
	[DIFFERS_UP] = { "it is down", NULL },
};

const char *difference_words(char text[static DIFFERENCE_TEXT], const struct compared *compared,
			     enum difference difference)
{
	switch (difference) {
	case DIFFERS_PARENT:
		parent_words(text, compared);
		break;
	case DIFFERS_HOST_IS_GUEST:
	case DIFFERS_ADDRESS:
		address_words(text, compared, difference == DIFFERS_HOST_IS_GUEST);
		break;
	case DIFFERS_MTU:
		snprintf(text, DIFFERENCE_TEXT, "its MTU is %u and not %u", compared->link->mtu,
			 compared->record->mtu);
		break;
	default:
		snprintf(text, DIFFERENCE_TEXT, "%s", rows[difference].words);
	}
	return text;
}

const char *difference_option(enum difference difference)
{
	return rows[difference].option;
}

bool difference_has_value(enum difference difference)
{
	return difference == DIFFERS_VLANS || difference == DIFFERS_IFACE_ID ||
	       difference == DIFFERS_IP || difference == DIFFERS_LIMIT_IN ||
	       difference == DIFFERS_LIMIT_OUT;
}
