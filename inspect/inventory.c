/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "nic/record.h"
#include "inspect/inventory.h"

static int parent_of(const struct link *link)
{
	if (link->master)
		return link->master;
	if (link->kind != LINK_MACVTAP && link->kind != LINK_MACVLAN)
		return 0;
	return link->lower_elsewhere ? 0 : link->lower;
}

static int keep_link(const struct link *link, void *data)
{
	struct inventory *inventory = data;
	struct inventory_link *links = array_grow(inventory->links, inventory->count,
						  sizeof(*links));

	if (!links)
		return -ENOMEM;
	inventory->links = links;
	links[inventory->count] = (struct inventory_link){
		.link = *link,
		.parent = parent_of(link),
		.is_port = link->master,
	};
	links[inventory->count].ours = record_guest(links[inventory->count].guest, link);
	inventory->count++;
	return 0;
}

/* --- order --- */

static int compare_numbers(int a, int b)
{
	return (a > b) - (a < b);
}

static int compare_parents(const void *a, const void *b)
{
	const struct inventory_link *left = a, *right = b;

	if (left->parent != right->parent)
		return compare_numbers(left->parent, right->parent);
	if (left->is_port != right->is_port)
		return compare_numbers(left->is_port, right->is_port);
	return compare_numbers(left->link.ifindex, right->link.ifindex);
}

static int compare_indexes(const void *a, const void *b)
{
	const struct inventory_link *const *left = a, *const *right = b;

	return compare_numbers((*left)->link.ifindex, (*right)->link.ifindex);
}

static int compare_guests(const void *a, const void *b)
{
	const struct inventory_link *const *left = a, *const *right = b;

	return memcmp((*left)->guest, (*right)->guest, MAC_LEN);
}

static int sort_links(struct inventory *inventory)
{
	if (!inventory->count)
		return 0;
	qsort(inventory->links, inventory->count, sizeof(*inventory->links), compare_parents);
	inventory->by_index = calloc(2 * inventory->count, sizeof(*inventory->by_index));
	if (!inventory->by_index)
		return -ENOMEM;
	inventory->by_guest = inventory->by_index + inventory->count;
	for (size_t i = 0; i < inventory->count; i++) {
		inventory->by_index[i] = &inventory->links[i];
		if (inventory->links[i].ours)
			inventory->by_guest[inventory->ours++] = &inventory->links[i];
	}
	qsort(inventory->by_index, inventory->count, sizeof(*inventory->by_index), compare_indexes);
	qsort(inventory->by_guest, inventory->ours, sizeof(*inventory->by_guest), compare_guests);
	return 0;
}

struct inventory_link *inventory_find(const struct inventory *inventory, int ifindex)
{
	const struct inventory_link wanted = { .link.ifindex = ifindex }, *key = &wanted;
	struct inventory_link **found = NULL;

	if (inventory->count)
		found = bsearch(&key, inventory->by_index, inventory->count,
				sizeof(*inventory->by_index), compare_indexes);
	return found ? *found : NULL;
}

/* The first of ours for @guest in by_guest, or the end of it. */
static size_t find_guest(const struct inventory *inventory, const uint8_t *guest)
{
	size_t low = 0, high = inventory->ours;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(inventory->by_guest[middle]->guest, guest, MAC_LEN) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct inventory_link *inventory_find_duplicate(const struct inventory *inventory,
						      const struct inventory_link *device)
{
	for (size_t i = find_guest(inventory, device->guest);
	     i < inventory->ours && mac_equal(inventory->by_guest[i]->guest, device->guest); i++)
		if (inventory->by_guest[i] != device)
			return inventory->by_guest[i];
	return NULL;
}

bool inventory_next(const struct inventory *inventory, struct group *group)
{
	const struct inventory_link *end = inventory->links + inventory->count;

	group->members = group->members ? group->members + group->count : inventory->links;
	if (group->members == end)
		return false;
	group->count = 1;
	while (group->members + group->count != end &&
	       group->members[group->count].parent == group->members->parent &&
	       group->members[group->count].is_port == group->members->is_port)
		group->count++;
	group->parent = inventory_find(inventory, group->members->parent);
	return true;
}

/* Taps have no lower device, and a macvtap is a guest's. A veth calls its other end so. */
static void mark_uppers(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->count; i++) {
		const struct link *link = &inventory->links[i].link;
		struct inventory_link *lower = NULL;

		if (link->lower && !link->lower_elsewhere && link->kind != LINK_MACVTAP)
			lower = inventory_find(inventory, link->lower);
		if (lower)
			lower->has_upper = true;
	}
}

static int read_links(struct inventory *inventory, struct nl *nl)
{
	int err = nl_link_dump(nl, LINK_OTHER, keep_link, inventory);

	if (err >= 0)
		err = sort_links(inventory);
	if (!err)
		mark_uppers(inventory);
	return err;
}

/* --- what is known about the links elsewhere --- */

static int keep_address(int ifindex, int family, void *data)
{
	struct inventory_link *link = inventory_find(data, ifindex);

	if (link) {
		link->has_ip = true;
		link->has_ipv4 |= family == AF_INET;
	}
	return 0;
}

static int keep_fdb_entry(const struct fdb_entry *entry, void *data)
{
	const struct inventory *inventory = data;
	struct inventory_link *port = inventory_find(inventory, entry->port);

	if (port)
		port->sends |= entry->learned;
	if (port && port->ours && mac_equal(entry->mac, port->guest)) {
		port->heard = true;
	} else if (port && entry->learned) {
		port->has_foreign = true;
		memcpy(port->foreign, entry->mac, MAC_LEN);
	}
	for (size_t i = find_guest(inventory, entry->mac);
	     i < inventory->ours && mac_equal(inventory->by_guest[i]->guest, entry->mac); i++)
		if (inventory->by_guest[i]->link.master == entry->bridge &&
		    inventory->by_guest[i] != port)
			inventory->by_guest[i]->elsewhere = entry->port;
	return 0;
}

static int keep_vlan(const struct port_vlan *vlan, void *data)
{
	struct inventory *inventory = data;
	struct inventory_link *port = inventory_find(inventory, vlan->ifindex);
	struct port_vlan *vlans;

	if (port && vlan->pvid)
		port->pvid = vlan->first;
	/* Thousands of guests have a VLAN each, and nobody asks for it again. */
	if (!port || link_is_tap(&port->link))
		return 0;
	vlans = array_grow(inventory->vlans, inventory->vlan_count, sizeof(*vlans));
	if (!vlans)
		return -ENOMEM;
	inventory->vlans = vlans;
	inventory->vlans[inventory->vlan_count++] = *vlan;
	return 0;
}

/* Choose a device, or all devices that are on a bridge or lower device. False: there is none. */
static bool choose(struct inventory *inventory, const struct link *link)
{
	bool device = link_is_tap(link), any = false;

	for (size_t i = 0; i < inventory->count; i++) {
		struct inventory_link *other = &inventory->links[i];

		if (device ? other->link.ifindex != link->ifindex :
			     other->parent != link->ifindex || !link_is_tap(&other->link))
			continue;
		other->chosen = any = true;
	}
	return any || device;
}

static int choose_all(struct inventory *inventory, const struct selection *selection)
{
	for (size_t i = 0; i < inventory->count && !selection; i++)
		inventory->links[i].chosen = inventory->links[i].ours &&
					     link_is_tap(&inventory->links[i].link);
	for (size_t i = 0; selection && i < selection->count; i++)
		if (!choose(inventory, &selection->links[i]))
			return report_error(-ENODEV,
					    "%s: it is no tap and no macvtap, and none is on it: "
					    "tapctl list --all shows all of them",
					    selection->links[i].name);
	return 0;
}

int inventory_read(struct inventory *inventory, struct nl *nl, const struct selection *selection)
{
	int err;

	*inventory = (struct inventory){ .count = 0 };
	err = read_links(inventory, nl);
	if (err >= 0)
		err = nl_address_dump(nl, keep_address, inventory);
	if (err >= 0)
		err = nl_fdb_dump(nl, keep_fdb_entry, inventory);
	if (err >= 0)
		err = nl_vlan_dump(nl, keep_vlan, inventory);
	if (err < 0)
		return report_error(err, "cannot look at the links: %s", nl_strerror(nl, err));
	err = choose_all(inventory, selection);
	return err ? err : holders_read(&inventory->holders);
}

void inventory_free(struct inventory *inventory)
{
	free(inventory->links);
	free(inventory->by_index);
	free(inventory->vlans);
	holders_free(&inventory->holders);
	*inventory = (struct inventory){ .count = 0 };
}
