/* SPDX-License-Identifier: MIT */
/*
 * One look at everything around the devices: all links of the network namespace, what they are
 * attached to, what the bridges heard on them, and who holds them.
 *
 * It only reads. Links that come or go meanwhile may be seen half; whoever judges by this tells
 * the user what was, not what is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/holders.h"
#include "netlink.h"
#include "lib/report.h"
#include "inspect/select.h"

struct inventory_link {
	struct link link;
	bool chosen; /* the question is about this one */
	bool ours;
	uint8_t guest[MAC_LEN]; /* when it is ours */
	int parent; /* the master or, of a macvtap or macvlan, the lower device; 0: none here */
	bool is_port; /* the place is its master */
	bool has_ip, has_ipv4; /* an address that is not for its own link only */
	bool has_upper; /* the host has another device on it, like one for a VLAN */
	/* of a bridge port */
	uint16_t pvid; /* 0: none */
	bool sends; /* the bridge has learned an address here */
	bool heard; /* the bridge knows the guest's address at this port */
	bool has_foreign; /* and has learned here another one: */
	uint8_t foreign[MAC_LEN];
	int elsewhere; /* where the bridge has the guest's address instead: an ifindex, or 0 */
};

struct inventory {
	struct inventory_link *links; /* those of one place stand together */
	size_t count;
	struct inventory_link **by_index, **by_guest; /* the second: only ours */
	size_t ours;
	struct holders holders;
	struct port_vlan *vlans; /* of the links that are no taps */
	size_t vlan_count;
};

/* The devices of one place: its ports, or what stands on it. */
struct group {
	const struct inventory_link
		*parent; /* NULL: on nothing, or on what is not in this namespace */
	const struct inventory_link *members;
	size_t count;
};

/*
 * Read it all. Chosen are the links of @selection, where a bridge or lower device stands for what
 * is on it, or, when that is NULL, the taps and macvtaps of tapctl's. Returns 0 or a negative errno
 * with a line of error. Free with inventory_free().
 */
int inventory_read(struct inventory *inventory, struct nl *nl, const struct selection *selection);
void inventory_free(struct inventory *inventory);

/* The link with that index, or NULL. */
struct inventory_link *inventory_find(const struct inventory *inventory, int ifindex);

/* Another device of ours for the guest of @device, or NULL. */
const struct inventory_link *inventory_find_duplicate(const struct inventory *inventory,
						      const struct inventory_link *device);

/* The group that begins at @group's end (at the beginning for one of zeros). False: no more. */
bool inventory_next(const struct inventory *inventory, struct group *group);
