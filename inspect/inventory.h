/* SPDX-License-Identifier: MIT */
/*
 * What is there: one reading of all links of the network namespace with all that lies around them;
 * and one device with what it refers to, looked up as it is asked for.
 *
 * It only reads. Links that come or go meanwhile may be seen half; whoever judges by this tells
 * the user what was, not what is. Functions return 0 or a negative errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/bridge.h"
#include "kernel/holders.h"
#include "kernel/macvtap.h"
#include "netlink.h"
#include "nic/compare.h"

/* --- all links --- */

struct inventory_link {
	struct link link;
	bool ours; /* a guest's device with a record: */
	struct record record;
	uint8_t guest[MAC_LEN];
	int parent; /* the master or, of a macvtap or macvlan, the lower device; 0: none here */
	bool is_port; /* the parent is its master */
	bool chosen; /* for the caller: false at first */
	/* read by inventory_read_around() */
	bool has_ip, has_ipv4; /* an address that is not for its own link only */
	bool has_upper; /* the host has another device on it, like one for a VLAN */
	/* of a bridge port */
	struct port_state port;
	uint16_t pvid; /* 0: none */
	bool sends; /* the bridge has learned an address here */
	bool heard; /* the bridge knows the guest's address at this port */
	bool has_foreign; /* and has learned another one here: */
	uint8_t foreign[MAC_LEN];
	int elsewhere; /* where the bridge has the guest's address instead: an ifindex, or 0 */
};

struct vlans {
	struct port_vlan *list;
	size_t count;
};

struct inventory {
	struct inventory_link *links; /* those of one parent stand together */
	size_t count;
	struct inventory_link **by_index, **by_guest; /* the second: only ours */
	size_t ours;
	struct vlans vlans; /* of the links that are no taps */
	struct holders holders;
};

/* Read all links. Free with inventory_free(), also when it failed. */
int inventory_read(struct inventory *inventory, struct nl *nl);
void inventory_free(struct inventory *inventory);

/* Read what lies around them, too: addresses, what the bridges heard, VLANs, holders. Leaves a line
 * of error. */
int inventory_read_around(struct inventory *inventory, struct nl *nl);

/* The link with that index, or NULL. */
struct inventory_link *inventory_find(const struct inventory *inventory, int ifindex);

/* Where ours for @guest begin in by_guest, or the end of it. */
size_t inventory_find_guest(const struct inventory *inventory, const uint8_t guest[static MAC_LEN]);

/* Another device of ours for the guest of @device, or NULL. */
const struct inventory_link *inventory_find_duplicate(const struct inventory *inventory,
						      const struct inventory_link *device);

/* What has one parent: the ports of a bridge, or what stands on a lower device. */
struct siblings {
	const struct inventory_link *parent; /* NULL: none, or it is not in this namespace */
	const struct inventory_link *list;
	size_t count;
};

/* The siblings behind @siblings (the first ones for one of zeros). False: no more. */
bool inventory_next(const struct inventory *inventory, struct siblings *siblings);

/* --- one device --- */

struct device {
	const struct link *link;
	const struct link *parent; /* the bridge or lower device, or NULL */
	const struct port_vlan *vlans; /* of a port, where its bridge filters */
	size_t vlan_count;
	dev_t rdev; /* of a macvtap; 0: not known */
	bool has_owner; /* the public node of a macvtap is the device: */
	struct node_owner owner;
};

/* What was looked up so far: devices of a few bridges come in any order. */
#define LOOKUP_PARENTS 16
struct lookups {
	struct nl *nl;
	bool whole; /* also what a table for people does not show */
	struct link parents[LOOKUP_PARENTS]; /* each in the place that its index gives */
	struct vlans vlans; /* of all ports, sorted */
	bool vlans_known;
	int err; /* the first look-up that failed: what was seen lacks something */
};

/* Look up what @link refers to. What is in @device stays as it is until the next call. */
void device_look_up(struct lookups *lookups, const struct link *link, struct device *device);
void lookups_free(struct lookups *lookups);
