/* SPDX-License-Identifier: MIT */
/*
 * Bridges by rtnetlink: what a port lets through, its VLANs, and the forwarding tables.
 *
 * Functions return 0 or a negative errno.
 */
#pragma once

#include "netlink.h"

#define VLAN_MAX 4094

/* What the port of a bridge lets through. */
struct port_policy {
	bool locked; /* only the address of its static entry may be a source */
	bool isolated, hairpin;
	unsigned vlan_count;
	uint16_t vlans[64]; /* the first one is untagged and the PVID, the others are tagged */
};

/* Whether any of it is set. */
bool port_policy_is_set(const struct port_policy *policy);

/*
 * Put the messages for the policy of the port @ifindex into the transaction: after the one that
 * makes it a port and before the one that brings it up. A locked port gets @guest as its one static
 * entry; with VLANs, the bridge's @default_pvid (0: none) is removed, unless it is among them.
 */
void bridge_put_policy(struct nl *nl, int ifindex, const struct port_policy *policy,
		       const uint8_t guest[static MAC_LEN], uint16_t default_pvid);

/*
 * The same for a port that is in use: its @flags, without what it has learned when it is locked;
 * all its @vlans, and no others; and, with either or alone, the entry of a locked one.
 */
void bridge_put_policy_again(struct nl *nl, int ifindex, const struct port_policy *policy,
			     const uint8_t guest[static MAC_LEN], bool flags, bool vlans);

/*
 * Ask, as part of a transaction, which port of @bridge has @mac in its forwarding table: the answer
 * is for bridge_read_fdb(), which keeps the port's ifindex in the int @data.
 */
void bridge_put_fdb_request(struct nl *nl, enum nl_step step, int bridge,
			    const uint8_t mac[static MAC_LEN]);
int bridge_read_fdb(const struct nlmsghdr *m, void *data);

/* The same at once. -ENOENT: none has it. */
int bridge_find_port(struct nl *nl, int bridge, const uint8_t mac[static MAC_LEN], int *ifindex);

/* Call @each for every entry in the forwarding tables of all bridges, as nl_dump() does. */
struct fdb_entry {
	int bridge, port; /* ifindexes; for an address of the bridge itself both are the bridge */
	uint16_t vlan; /* 0: any */
	uint8_t mac[MAC_LEN];
	/* OWN: of the port or bridge itself; STICKY: it stays, wherever it is heard */
	enum fdb_how { FDB_LEARNED, FDB_SET, FDB_STICKY, FDB_OWN } how;
};
typedef int bridge_fdb_fn(const struct fdb_entry *entry, void *data);
int bridge_dump_fdb(struct nl *nl, bridge_fdb_fn *each, void *data);

/* Call @each with the port for every IPv6 multicast group that somebody at a port has asked for. */
typedef int bridge_group_fn(int port, void *data);
int bridge_dump_groups(struct nl *nl, bridge_group_fn *each, void *data);

/* Call @each for every VLAN range of every port of every bridge. */
struct port_vlan {
	int ifindex;
	uint16_t first, last;
	bool pvid, untagged;
};
typedef int bridge_vlan_fn(const struct port_vlan *vlan, void *data);
int bridge_dump_vlans(struct nl *nl, bridge_vlan_fn *each, void *data);
