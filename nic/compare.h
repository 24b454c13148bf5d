/* SPDX-License-Identifier: MIT */
/*
 * How a device differs from its record, and nowhere else: verify, check, attach, --reuse and
 * --may-exist ask.
 *
 * It compares what the caller has read, and asks the kernel for traffic control alone. Of an old
 * record nothing but the guest's address is known.
 */
#pragma once

#include <stdbool.h>

#include "kernel/bridge.h"
#include "kernel/ovs.h"
#include "netlink.h"
#include "nic/record.h"

enum difference {
	DIFFERS_PARENT, /* on another bridge, or on none */
	DIFFERS_HOST_IS_GUEST, /* a tap with its guest's own address */
	DIFFERS_ADDRESS,
	DIFFERS_MTU,
	/* of the port, while it is on the right bridge */
	DIFFERS_LOCKED,
	DIFFERS_ENTRY, /* the static one of a locked port */
	DIFFERS_ISOLATED,
	DIFFERS_HAIRPIN,
	DIFFERS_FILTERING, /* it has VLANs, and the bridge does not look at them */
	DIFFERS_VLANS,
	/* of a guest's device, with what is in its way */
	DIFFERS_IP,
	DIFFERS_LIMIT_IN,
	DIFFERS_LIMIT_OUT,
	DIFFERS_IFACE_ID, /* the logical port of one of Open vSwitch */
	DIFFERS_DORMANT, /* an attach that was killed has left it so */
	/* of a macvtap */
	DIFFERS_ALLMULTI,
	DIFFERS_IPV6,
	/* of any */
	DIFFERS_UP,
	DIFFERENCES,
};

/* What the link of a port does not tell: counted while VLANs and entries are dumped. */
struct port_state {
	bool known; /* they were */
	bool has_entry; /* the guest's address, as a static one */
	unsigned vlans; /* that are as in the record */
	bool other_vlan;
};

/* A device as it is, and as it should be. */
struct compared {
	const struct link *link;
	const struct record *record;
	const struct link *parent; /* which the record names; NULL: it is not here, or none */
	const struct link *master; /* what it is on now; NULL: nothing, or that is not known */
	struct port_state port;
	struct traffic_state traffic;
	bool row_known; /* the database of Open vSwitch was asked: */
	const struct ovs_port *row; /* NULL: it has no such port */
};

/* Add one range of VLANs of the port to what is known of it. */
void compare_vlan(struct port_state *port, const struct record *record,
		  const struct port_vlan *vlan);

/* Ask the kernel what of the record's traffic is so. 0 or a negative errno. */
int compare_read_traffic(struct nl *nl, struct compared *compared);

/* All differences: bits of 1U << enum difference. */
unsigned record_compare(const struct compared *compared);

/* The address that the record wants for the device. False: it does not say. */
bool record_address(uint8_t address[static MAC_LEN], const struct compared *compared);

/* A sentence without a full stop that says what is so and what should be: "it is ...". */
#define DIFFERENCE_TEXT 160
const char *difference_words(char text[static DIFFERENCE_TEXT], const struct compared *compared,
			     enum difference difference);

/* The option that asks for what is missing, as "--isolated"; NULL: for none. */
const char *difference_option(enum difference difference);

/* Whether that option has a value, which may be another one. */
bool difference_has_value(enum difference difference);
