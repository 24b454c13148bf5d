/* SPDX-License-Identifier: MIT */
/*
 * All links of the network namespace, read at once, with their addresses, forwarding entries, VLANs
 * and holders; and single devices with what they refer to, looked up one by one.
 *
 * It changes nothing. Of links that come or go meanwhile a part may be missing. Functions return 0
 * or a negative errno with a line of error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/address.h"
#include "kernel/bridge.h"
#include "kernel/holders.h"
#include "kernel/macvtap.h"
#include "netlink.h"
#include "nic/compare.h"
#include "nic/lease.h"

/* --- all links --- */

struct inventory_link {
	struct link link;
	bool ours; /* tapctl's, for a guest: */
	struct record record;
	uint8_t guest[MAC_LEN];
	int parent; /* the master or, of a macvtap or macvlan, the lower device; 0: none here */
	bool is_port; /* the parent is its master */
	bool chosen; /* the caller's to set */
	/* read by inventory_read_around() */
	bool has_ip, has_ipv4, has_ipv6; /* an address that is not link-local */
	char ip[IP_STRLEN]; /* the first of them, with its prefix */
	bool has_network; /* an IPv4 one of more than itself */
	unsigned tc_seen, tc_dropped; /* frames, by all filters of tc */
	bool has_route; /* of a tap on no bridge: an IPv4 route leads there */
	bool has_upper; /* the host has a device on it, like one for a VLAN */
	/* of a bridge port */
	struct port_state port;
	struct traffic_state traffic; /* of a chosen one: */
	uint64_t filtered; /* frames that its filter has dropped */
	uint16_t pvid; /* 0: none */
	bool sends; /* the bridge has learned an address here */
	bool entries; /* it has any here that is not the port's own */
	bool heard; /* the bridge has the guest's address at this port */
	bool has_foreign; /* the bridge has learned another address here: */
	uint8_t foreign[MAC_LEN];
	bool speaks_ipv6; /* the guest is an IPv6 neighbour of the host's */
	bool has_group; /* it has asked for an IPv6 multicast group, where the bridge forwards by
			   that */
	bool is_neighbour; /* its own address is that of a neighbour of the host's there */
	int elsewhere; /* the ifindex of another port where it has the guest's address, or 0: */
	enum fdb_how elsewhere_how;
	uint16_t elsewhere_vlan;
};

struct vlans {
	struct port_vlan *list;
	size_t count;
};

/* The host's own, of wider use than the link. */
struct addresses {
	struct address *list;
	size_t count;
};

/* For address_dump(): keep it in the struct addresses @addresses, if it is one. */
int addresses_keep_wide(const struct address *address, void *addresses);

struct inventory {
	struct inventory_link *links; /* those of one parent stand together, sorted by name */
	size_t count;
	struct inventory_link **by_index, **by_guest; /* the second: only ours */
	size_t ours;
	struct vlans vlans; /* of a tap only those with a tag: those of thousands are not needed */
	struct holders holders;
};

/* Read all links. Free with inventory_free(), also when it failed. */
int inventory_read(struct inventory *inventory, struct nl *nl);
void inventory_free(struct inventory *inventory);

/*
 * Read also addresses, forwarding entries, VLANs and holders (incomplete ones, where /proc cannot
 * be read).
 */
int inventory_read_around(struct inventory *inventory, struct nl *nl);

/* The link with that index, or of that name; or NULL. */
struct inventory_link *inventory_find(const struct inventory *inventory, int ifindex);

const struct inventory_link *inventory_find_name(const struct inventory *inventory,
						 const char *name);

/* What the link is on or, of a veth, its other end; NULL: nothing, or it is not here. */
struct inventory_link *inventory_find_lower(const struct inventory *inventory,
					    const struct link *link);

/* Where ours for @guest begin in by_guest, or the end of it. */
size_t inventory_find_guest(const struct inventory *inventory, const uint8_t guest[static MAC_LEN]);

/* Another device of ours for the guest of @device, or NULL. */
const struct inventory_link *inventory_find_duplicate(const struct inventory *inventory,
						      const struct inventory_link *device);

/* The device of ours for @guest on the bridge of the port @beside, other than that; or NULL. */
const struct inventory_link *inventory_find_guest_on(const struct inventory *inventory,
						     const uint8_t guest[static MAC_LEN],
						     const struct inventory_link *beside);

/* What has one parent: the ports of a bridge, or the devices on a lower device. */
struct siblings {
	const struct inventory_link *parent; /* NULL: none, or it is not in this namespace */
	const struct inventory_link *list;
	size_t count;
};

/* The siblings after @siblings (all zeros: the first ones). False: no more. */
bool inventory_next(const struct inventory *inventory, struct siblings *siblings);

/* --- one device --- */

struct device {
	const struct link *link;
	const struct link *parent; /* the bridge or lower device, or NULL */
	const struct port_vlan *vlans; /* of a port, where its bridge filters */
	size_t vlan_count;
	const struct address *addresses; /* the host's own there, of wider use than the link */
	size_t address_count;
	dev_t rdev; /* of a macvtap; 0: not known */
	bool has_owner; /* the public node of a macvtap is the device: */
	struct node_owner owner;
	enum use use;
};

/* What was looked up so far: devices of a few bridges come in any order. */
#define LOOKUP_PARENTS 16
struct lookups {
	struct nl *nl;
	bool whole; /* also what a table for people does not show */
	struct link parents[LOOKUP_PARENTS]; /* each at its ifindex modulo LOOKUP_PARENTS */
	struct vlans vlans; /* of all ports, sorted */
	bool vlans_known;
	struct addresses addresses; /* of all links, sorted */
	bool addresses_known;
	struct holders holders; /* what /proc tells: of a macvtap of add's, whether it is in use */
	bool holders_known;
	int err; /* the first look-up that failed: what was seen lacks something */
};

/* Look up what @link refers to. @device is valid until the next call. */
void device_look_up(struct lookups *lookups, const struct link *link, struct device *device);
void lookups_free(struct lookups *lookups);

/* How many frames the filter of --ip has dropped of a device of ours; 0 also when it is not known.
 */
uint64_t inventory_count_filtered(struct nl *nl, const struct link *link);

/* Read /proc, once, until it is forgotten. */
int lookups_read_holders(struct lookups *lookups);
void lookups_forget_holders(struct lookups *lookups);

/* Whether a device is in use. /proc is read only for what the kernel does not tell. */
enum use lookups_find_use(struct lookups *lookups, const struct link *link);
