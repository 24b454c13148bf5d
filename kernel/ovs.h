/* SPDX-License-Identifier: MIT */
/*
 * Open vSwitch: ports of its bridges, by its database (OVSDB, RFC 7047; the tables are those of
 * ovs-vswitchd.conf.db(5)).
 *
 * A port is a row, which outlives its device, and is then a trap: the next device of that name gets
 * no frames, while all columns look right. ovs-vswitchd has to see the row disappear before there
 * is another one. Functions return 0 or a negative errno with a line of error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/if.h>

#include "macutil.h"

#define OVS_KEY "tapctl" /* in external_ids of what tapctl made, with its nonce */
#define OVS_ID 128
#define OVS_VLANS 64

struct ovs; /* a connection to the database */

/* Connect to db.sock in $OVS_RUNDIR, or in /run/openvswitch. -ENOENT, -ECONNREFUSED: nobody listens
 * there. ovs_close() takes NULL, too. */
int ovs_open(struct ovs **ovs);
void ovs_close(struct ovs *ovs);

/* A port as it is wanted, and as the database has it. */
struct ovs_port {
	char name[IFNAMSIZ], bridge[IFNAMSIZ];
	char iface_id[OVS_ID]; /* the logical port of OVN; "": none */
	unsigned vlan_count;
	uint16_t vlans[OVS_VLANS]; /* the first one untagged (0: none is), the others tagged */
	char nonce[17]; /* whose row it is; "": tapctl did not make it */
	/* read only */
	char uuid[37];
	int ofport; /* 0: not known yet; -1: ovs-vswitchd could not take it */
	int ifindex; /* of its device; 0: there is none */
	bool installed; /* OVN has wired it */
	char error[128]; /* of ovs-vswitchd */
};

/* Whether tapctl made it and ovs-vswitchd sees no device: where this namespace has none either, it
 * is left over. */
bool ovs_is_stale(const struct ovs_port *port);

/* Check that there is such a bridge; the error names those that there are. */
int ovs_check_bridge(struct ovs *ovs, const char *bridge);

/*
 * Make the row of @port, whose device is there, for the guest @mac, and wait until ovs-vswitchd has
 * taken it. After a failure there is no row, unless removing it failed, too.
 *
 * @looked: since the device is there, its name was looked for by ovs_find_port(), and is free, or
 * the row was removed; what ovs-vswitchd has to do is waited for first. Else nothing may have
 * changed since anything was read: -EAGAIN, without a line of error, says that something may have.
 */
int ovs_add_port(struct ovs *ovs, struct ovs_port *port, const uint8_t mac[static MAC_LEN],
		 bool looked);

/* Remove exactly the row that was read as @port. That it is not there any more is no error. */
int ovs_remove_port(struct ovs *ovs, const struct ovs_port *port);

/* Wait @seconds at most until OVN has wired the port @name. -ETIMEDOUT without a line of error. */
int ovs_wait_installed(struct ovs *ovs, const char *name, int seconds);

/* All ports, or that of one @name (unless it is ""), whoever made them. free() the list, also when
 * this failed. */
struct ovs_ports {
	struct ovs_port *list;
	size_t count;
	char encap_ip[48]; /* of this host, by which OVN's geneve tunnels go; "": none */
};
int ovs_read_ports(struct ovs *ovs, const char *name, struct ovs_ports *ports);

/* The port @name in @ports, or NULL. */
const struct ovs_port *ovs_get_port(const struct ovs_ports *ports, const char *name);

/* Read one port. -ENOENT, without a line of error: there is none. */
int ovs_find_port(struct ovs *ovs, const char *name, struct ovs_port *port);
