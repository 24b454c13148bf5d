/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "inspect/inventory.h"
#include "kernel/address.h"
#include "kernel/qdisc.h"
#include "kernel/route.h"
#include "lib/array.h"
#include "lib/report.h"
#include "nic/record.h"

static int parent_of(const struct link *link)
{
	if (link->master)
		return link->master;
	if (link->kind != LINK_MACVTAP && link->kind != LINK_MACVLAN)
		return 0;
	return link->lower_elsewhere ? 0 : link->lower;
}

static void keep_record(struct inventory_link *link)
{
	link->ours = record_read(&link->record, &link->link) && !link->record.host;
	memcpy(link->guest, link->record.guest, MAC_LEN);
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
	keep_record(&links[inventory->count++]);
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
	return strcmp(left->link.name, right->link.name);
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

static int compare_links(const void *a, const void *b)
{
	const struct inventory_link *left = a, *right = b;

	return compare_numbers(left->link.ifindex, right->link.ifindex);
}

/* A repeated dump has seen most of them twice. */
static void drop_repetitions(struct inventory *inventory)
{
	struct inventory_link *links = inventory->links;
	size_t kept = 0;

	qsort(links, inventory->count, sizeof(*links), compare_links);
	for (size_t i = 0; i < inventory->count; i++)
		if (i == 0 || compare_links(&links[kept - 1], &links[i]) != 0)
			links[kept++] = links[i];
	inventory->count = kept;
}

static int sort_links(struct inventory *inventory)
{
	struct inventory_link *links = inventory->links;

	if (!inventory->count)
		return 0;
	drop_repetitions(inventory);
	qsort(links, inventory->count, sizeof(*links), compare_parents);
	inventory->by_index = calloc(2 * inventory->count, sizeof(*inventory->by_index));
	if (!inventory->by_index)
		return -ENOMEM;
	inventory->by_guest = inventory->by_index + inventory->count;
	for (size_t i = 0; i < inventory->count; i++) {
		inventory->by_index[i] = &links[i];
		if (links[i].ours)
			inventory->by_guest[inventory->ours++] = &links[i];
	}
	qsort(inventory->by_index, inventory->count, sizeof(*inventory->by_index), compare_indexes);
	qsort(inventory->by_guest, inventory->ours, sizeof(*inventory->by_guest), compare_guests);
	return 0;
}

/* A macvtap is a guest's and does not count. A veth's IFLA_LINK is its other end. */
static void mark_uppers(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->count; i++) {
		const struct link *link = &inventory->links[i].link;
		struct inventory_link *lower = inventory_find_lower(inventory, link);

		if (lower && link->kind != LINK_MACVTAP)
			lower->has_upper = true;
	}
}

int inventory_read(struct inventory *inventory, struct nl *nl)
{
	int err;

	*inventory = (struct inventory){ .count = 0 };
	err = nl_link_dump_whole(nl, LINK_OTHER, keep_link, inventory);
	if (!err)
		err = sort_links(inventory);
	if (!err)
		mark_uppers(inventory);
	return err ? report_error(err, "cannot look at the links: %s", nl_strerror(err)) : 0;
}

void inventory_free(struct inventory *inventory)
{
	free(inventory->links);
	free(inventory->by_index);
	free(inventory->vlans.list);
	holders_free(&inventory->holders);
	*inventory = (struct inventory){ .count = 0 };
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

struct inventory_link *inventory_find_lower(const struct inventory *inventory,
					    const struct link *link)
{
	return link->lower_elsewhere ? NULL : inventory_find(inventory, link->lower);
}

const struct inventory_link *inventory_find_name(const struct inventory *inventory,
						 const char *name)
{
	for (size_t i = 0; i < inventory->count; i++)
		if (strcmp(inventory->links[i].link.name, name) == 0)
			return &inventory->links[i];
	return NULL;
}

size_t inventory_find_guest(const struct inventory *inventory, const uint8_t guest[static MAC_LEN])
{
	struct inventory_link wanted, *key = &wanted;

	memcpy(wanted.guest, guest, MAC_LEN);
	return array_find(inventory->by_guest, inventory->ours, sizeof(*inventory->by_guest), &key,
			  compare_guests);
}

const struct inventory_link *inventory_find_duplicate(const struct inventory *inventory,
						      const struct inventory_link *device)
{
	for (size_t i = inventory_find_guest(inventory, device->guest);
	     i < inventory->ours && mac_equal(inventory->by_guest[i]->guest, device->guest); i++)
		if (inventory->by_guest[i] != device)
			return inventory->by_guest[i];
	return NULL;
}

const struct inventory_link *inventory_find_guest_on(const struct inventory *inventory,
						     const uint8_t guest[static MAC_LEN],
						     const struct inventory_link *beside)
{
	for (size_t i = inventory_find_guest(inventory, guest);
	     i < inventory->ours && mac_equal(inventory->by_guest[i]->guest, guest); i++)
		if (inventory->by_guest[i] != beside &&
		    inventory->by_guest[i]->link.master == beside->link.master)
			return inventory->by_guest[i];
	return NULL;
}

bool inventory_next(const struct inventory *inventory, struct siblings *siblings)
{
	const struct inventory_link *end = inventory->links + inventory->count;
	const struct inventory_link *first = siblings->list ? siblings->list + siblings->count :
							      inventory->links;

	if (first == end)
		return false;
	siblings->list = first;
	siblings->count = 1;
	while (first + siblings->count != end && first[siblings->count].parent == first->parent &&
	       first[siblings->count].is_port == first->is_port)
		siblings->count++;
	siblings->parent = inventory_find(inventory, first->parent);
	return true;
}

/* --- around the links --- */

static int keep_address(const struct address *address, void *data)
{
	struct inventory_link *link = inventory_find(data, address->ifindex);

	if (!link || !address->wide)
		return 0;
	if (!link->has_ip)
		ip_format(link->ip, &address->ip);
	link->has_ip = true;
	if (address->ip.family == AF_INET) {
		link->has_ipv4 = true;
		link->has_network |= address->ip.length < 32;
	} else {
		link->has_ipv6 = true;
	}
	return 0;
}

/* In another VLAN the same address is another guest's. */
static void keep_elsewhere(struct inventory_link *device, const struct fdb_entry *entry)
{
	if (device->link.master != entry->bridge || device->link.ifindex == entry->port ||
	    (entry->vlan && device->pvid && entry->vlan != device->pvid))
		return;
	if (device->elsewhere && device->elsewhere_how >= entry->how)
		return;
	device->elsewhere = entry->port;
	device->elsewhere_how = entry->how;
	device->elsewhere_vlan = entry->vlan;
}

static int keep_fdb_entry(const struct fdb_entry *entry, void *data)
{
	const struct inventory *inventory = data;
	struct inventory_link *port = inventory_find(inventory, entry->port);
	bool learned = entry->how == FDB_LEARNED;

	if (port) {
		port->sends |= learned;
		port->entries |= entry->how != FDB_OWN;
	}
	if (port && port->ours && mac_equal(entry->mac, port->guest)) {
		port->heard = true;
		port->port.has_entry |= !learned;
	} else if (port && learned) {
		port->has_foreign = true;
		memcpy(port->foreign, entry->mac, MAC_LEN);
	}
	for (size_t i = inventory_find_guest(inventory, entry->mac);
	     i < inventory->ours && mac_equal(inventory->by_guest[i]->guest, entry->mac); i++)
		keep_elsewhere(inventory->by_guest[i], entry);
	return 0;
}

static int keep_filters(const struct filter_counts *counts, void *data)
{
	struct inventory_link *link = inventory_find(data, counts->ifindex);

	if (link) {
		link->tc_seen = counts->seen;
		link->tc_dropped = counts->dropped;
	}
	return 0;
}

static int append_vlan(const struct port_vlan *vlan, void *data)
{
	struct vlans *vlans = data;
	struct port_vlan *list = array_grow(vlans->list, vlans->count, sizeof(*list));

	if (!list)
		return -ENOMEM;
	vlans->list = list;
	vlans->list[vlans->count++] = *vlan;
	return 0;
}

static int keep_vlan(const struct port_vlan *vlan, void *data)
{
	struct inventory *inventory = data;
	struct inventory_link *port = inventory_find(inventory, vlan->ifindex);

	if (port && vlan->pvid)
		port->pvid = vlan->first;
	if (port && port->ours && port->record.policy.vlan_count)
		compare_vlan(&port->port, &port->record, vlan);
	if (!port || (link_is_tap(&port->link) && (vlan->untagged || vlan->pvid)))
		return 0;
	return append_vlan(vlan, &inventory->vlans);
}

/* A bridge hands the frames for a port's own address to the host, also those for a neighbour. */
static int keep_neighbour(int ifindex, int family, const uint8_t mac[static MAC_LEN], void *data)
{
	const struct inventory *inventory = data;
	const struct inventory_link *on = inventory_find(inventory, ifindex);
	int bridge = on && on->link.kind != LINK_BRIDGE ? on->link.lower : ifindex;

	for (size_t i = 0; i < inventory->count; i++) {
		struct inventory_link *port = &inventory->links[i];

		if (port->link.master == bridge && mac_equal(port->link.address, mac))
			port->is_neighbour = true;
	}
	for (size_t i = inventory_find_guest(inventory, mac);
	     family == AF_INET6 && i < inventory->ours &&
	     mac_equal(inventory->by_guest[i]->guest, mac);
	     i++)
		inventory->by_guest[i]->speaks_ipv6 = true;
	return 0;
}

static int read_device_traffic(struct nl *nl, const struct link *link, const struct record *record,
			       struct traffic_state *traffic, uint64_t *filtered)
{
	struct compared compared = { .link = link, .record = record };
	int err = compare_read_traffic(nl, &compared);

	*traffic = compared.traffic;
	if (!err && record->traffic.ip.count)
		err = traffic_count_drops(nl, link->ifindex, traffic, filtered);
	return err;
}

uint64_t inventory_count_filtered(struct nl *nl, const struct link *link)
{
	struct traffic_state traffic;
	uint64_t filtered = 0;
	struct record record;

	if (!record_read(&record, link) ||
	    read_device_traffic(nl, link, &record, &traffic, &filtered))
		return 0;
	return filtered;
}

/* One that disappears meanwhile is not an error. */
static int read_traffic(struct inventory *inventory, struct nl *nl)
{
	int err = 0;

	for (size_t i = 0; i < inventory->count && (!err || link_disappeared(err)); i++) {
		struct inventory_link *device = &inventory->links[i];

		if (device->ours && device->chosen)
			err = read_device_traffic(nl, &device->link, &device->record,
						  &device->traffic, &device->filtered);
	}
	return link_disappeared(err) ? 0 : err;
}

static int keep_group(int ifindex, void *data)
{
	struct inventory_link *port = inventory_find(data, ifindex);

	if (port)
		port->has_group = true;
	return 0;
}

static int keep_route(int ifindex, void *data)
{
	struct inventory_link *link = inventory_find(data, ifindex);

	if (link)
		link->has_route = true;
	return 0;
}

/* Groups are of use where a bridge forwards by them, and routes (there may be a million) where the
 * host routes for a guest that its address does not lead to. */
static int read_further(struct inventory *inventory, struct nl *nl)
{
	bool groups = false, routes = false;
	int err = 0;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct inventory_link *link = &inventory->links[i];

		groups |= link->link.bridge.snoops && link->link.bridge.querier[0];
		routes |= link->chosen && link->link.kind == LINK_TUN && !link->link.master &&
			  !link->has_network;
	}
	if (groups)
		err = bridge_dump_groups(nl, keep_group, inventory);
	if (err >= 0 && routes)
		err = route_dump(nl, keep_route, inventory);
	return err;
}

int inventory_read_around(struct inventory *inventory, struct nl *nl)
{
	int err = address_dump(nl, keep_address, inventory);

	if (err >= 0)
		err = neighbour_dump(nl, keep_neighbour, inventory);
	if (err >= 0)
		err = bridge_dump_vlans(nl, keep_vlan, inventory);
	if (err >= 0)
		err = bridge_dump_fdb(nl, keep_fdb_entry, inventory);
	if (err >= 0)
		err = read_traffic(inventory, nl);
	if (err >= 0)
		err = qdisc_dump_filters(nl, keep_filters, inventory);
	/* A kernel without traffic control has no filters. */
	if (err == -EOPNOTSUPP)
		err = 0;
	if (err >= 0)
		err = read_further(inventory, nl);
	if (err < 0)
		return report_error(err, "cannot look at the links: %s", nl_strerror(err));
	err = holders_read(&inventory->holders);
	if (err && err != -ENOMEM) {
		report_forget();
		inventory->holders.incomplete = true;
		err = 0;
	}
	return err;
}

/* --- one device --- */

/* The link with that index, or NULL. */
static const struct link *find_parent(struct lookups *lookups, int ifindex)
{
	struct link *parent = &lookups->parents[(unsigned)ifindex % LOOKUP_PARENTS];
	int err = 0;

	if (ifindex && parent->ifindex != ifindex)
		err = nl_link_get(lookups->nl, NULL, ifindex, parent);
	if (err)
		parent->ifindex = 0;
	/* A parent that just disappeared is not a failure: the device is then on nothing. */
	if (err && err != -ENODEV && !lookups->err)
		lookups->err = err;
	return ifindex && !err ? parent : NULL;
}

static int compare_vlans(const void *a, const void *b)
{
	const struct port_vlan *left = a, *right = b;

	return left->ifindex != right->ifindex ? compare_numbers(left->ifindex, right->ifindex) :
						 left->first - right->first;
}

/* The kernel dumps the VLANs of all ports only. */
static void find_vlans(struct lookups *lookups, struct device *device)
{
	const struct port_vlan key = { .ifindex = device->link->ifindex };
	struct vlans *vlans = &lookups->vlans;
	size_t first, end;
	int err;

	if (!lookups->vlans_known) {
		lookups->vlans_known = true;
		report_tell(REPORT_STEP, "VLANs: read those of all ports");
		err = bridge_dump_vlans(lookups->nl, append_vlan, vlans);
		if (err < 0 && !lookups->err)
			lookups->err = err;
		if (vlans->count)
			qsort(vlans->list, vlans->count, sizeof(key), compare_vlans);
	}
	first = end = array_find(vlans->list, vlans->count, sizeof(key), &key, compare_vlans);
	while (end < vlans->count && vlans->list[end].ifindex == key.ifindex)
		end++;
	device->vlans = vlans->list + first;
	device->vlan_count = end - first;
}

int addresses_keep_wide(const struct address *address, void *data)
{
	struct addresses *addresses = data;
	struct address *list;

	if (!address->wide)
		return 0;
	list = array_grow(addresses->list, addresses->count, sizeof(*list));
	if (!list)
		return -ENOMEM;
	addresses->list = list;
	list[addresses->count++] = *address;
	return 0;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct address *left = a, *right = b;

	if (left->ifindex != right->ifindex)
		return compare_numbers(left->ifindex, right->ifindex);
	if (left->ip.family != right->ip.family)
		return left->ip.family - right->ip.family;
	return memcmp(left->ip.bytes, right->ip.bytes, sizeof(left->ip.bytes));
}

static void find_addresses(struct lookups *lookups, struct device *device)
{
	const struct address key = { .ifindex = device->link->ifindex };
	struct addresses *all = &lookups->addresses;
	size_t first, end;
	int err;

	if (!lookups->addresses_known) {
		lookups->addresses_known = true;
		err = address_dump(lookups->nl, addresses_keep_wide, all);
		if (err < 0 && !lookups->err)
			lookups->err = err;
		if (all->count)
			qsort(all->list, all->count, sizeof(key), compare_addresses);
	}
	first = end = array_find(all->list, all->count, sizeof(key), &key, compare_addresses);
	while (end < all->count && all->list[end].ifindex == key.ifindex)
		end++;
	device->addresses = end > first ? all->list + first : NULL;
	device->address_count = end - first;
}

int lookups_read_holders(struct lookups *lookups)
{
	int err = lookups->holders_known ? 0 : holders_read(&lookups->holders);

	if (!err && !lookups->holders_known)
		report_tell(REPORT_STEP, "/proc: read who has what open: %zu queues%s",
			    lookups->holders.count,
			    lookups->holders.incomplete ? ", not of all processes" : "");
	lookups->holders_known |= !err;
	return err;
}

enum use lookups_find_use(struct lookups *lookups, const struct link *link)
{
	const struct holders *holders = lookups->holders_known ? &lookups->holders : NULL;
	enum use use = lease_find_use(lookups->nl, link, holders);

	if (use != USE_UNKNOWN || holders)
		return use;
	if (lookups_read_holders(lookups) == 0)
		return lease_find_use(lookups->nl, link, &lookups->holders);
	report_forget();
	return use;
}

void lookups_forget_holders(struct lookups *lookups)
{
	holders_free(&lookups->holders);
	lookups->holders_known = false;
}

void device_look_up(struct lookups *lookups, const struct link *link, struct device *device)
{
	int parent = link->kind == LINK_TUN ? link->master : link->lower;

	*device = (struct device){ .link = link };
	if (!link->lower_elsewhere)
		device->parent = find_parent(lookups, parent);
	device->use = lookups_find_use(lookups, link);
	if (!lookups->whole)
		return;
	if (link->master && device->parent && device->parent->bridge.filters)
		find_vlans(lookups, device);
	find_addresses(lookups, device);
	device->rdev = macvtap_rdev(link);
	device->has_owner = device->rdev &&
			    macvtap_node_is(link->ifindex, device->rdev, &device->owner);
}

void lookups_free(struct lookups *lookups)
{
	free(lookups->vlans.list);
	free(lookups->addresses.list);
	lookups_forget_holders(lookups);
	lookups->vlans = (struct vlans){ .count = 0 };
	lookups->addresses = (struct addresses){ .count = 0 };
}
