/* SPDX-License-Identifier: MIT */
/*
 * The record: the alias of a link says that tapctl made it, and what was asked for.
 *
 * The kernel keeps it: there is no other database. It is words with a blank between, a value behind
 * the first `=` of each, as in
 *
 *	tapctl guest 52:54:00:84:e3:62 by=exec on=br0 isolated locked vlan=10,20-29 mtu=9000
 *	tapctl guest 52:54:00:84:e3:62 by=add ip=10.0.1.2,fd00::2 in=100mbit out=10mbit
 *	tapctl guest 52:54:00:84:e3:62 by=exec ovs=br-int iface-id=vm1
 *	tapctl host by=add on=eth0
 *
 * and is written in the message that brings the device up: a device that has it is complete.
 */
#pragma once

#include <stdbool.h>

#include "kernel/bridge.h"
#include "kernel/qdisc.h"
#include "kernel/ovs.h"
#include "macutil.h"
#include "netlink.h"

enum record_maker {
	RECORD_OLD, /* of a tapctl that wrote the address alone: nothing more is known */
	RECORD_BY_ADD, /* lives until it is removed */
	RECORD_BY_EXEC, /* lives as long as it is open */
};

struct record {
	bool host; /* the host's macvlan, and not a guest's device */
	uint8_t guest[MAC_LEN];
	enum record_maker by;
	char parent[IFNAMSIZ]; /* the bridge or lower device; "": none */
	char ovs[IFNAMSIZ]; /* the bridge of Open vSwitch; "": none */
	char iface_id[OVS_ID]; /* the logical port there; "": none */
	struct port_policy policy;
	struct traffic traffic;
	uint32_t mtu; /* 0: not asked for */
	bool has_unknown; /* it holds words that only a newer tapctl knows */
};

/* Write @alias. False: it does not fit, for the number of VLANs or addresses. */
bool record_write(char alias[static LINK_ALIAS], const struct record *record);

/* Read the record of @link. False: it has none, so tapctl did not make it. */
bool record_read(struct record *record, const struct link *link);

/*
 * The first words in which two records (aliases) differ: one that @is has, and one that @wanted
 * has; "" where it has none. False: they have the same words.
 */
bool record_differs(char is[static LINK_ALIAS], char wanted[static LINK_ALIAS]);

/* Tell as a step (-v) of words in the record of @link that are not known. */
void record_tell_unknown(const struct record *record, const struct link *link);

/* "add", "exec" or, when that is not known, NULL. */
const char *record_maker_name(enum record_maker by);

/* The guest's address in the record of a device of tapctl's. False: is not one, as no other link is
 * than a tap or macvtap, whatever its alias. */
bool record_guest(uint8_t guest[static MAC_LEN], const struct link *link);

/* A macvlan of tapctl's, by which this host talks to the guests on its lower device. */
bool record_is_host(const struct link *link);
