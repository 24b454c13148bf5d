/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a bridge, and with the chosen devices as its ports.
 */
#pragma once

#include "inspect/finding.h"

/* What all ports of a bridge tell. An uplink is a port that is not a guest's. */
struct bridge {
	const struct inventory_link *bridge;
	const struct siblings *ports;
	const struct inventory_link *uplink; /* the likeliest one, or NULL */
	const struct inventory_link *idle; /* a veth that may be one, if its other end was up */
	const struct inventory_link *steady; /* the lowest address among ports that are not taps */
	const struct inventory_link *lowest; /* the lowest address among all ports */
	const struct inventory_link *open; /* a port that is not isolated, or NULL */
	uint32_t mtu_least, mtu_most; /* of the uplinks; 0: no uplink */
	bool uplink_works, uplink_open; /* any of them */
	bool has_foreign; /* a tap that may not be a guest's but a VPN's, and so an uplink */
	bool follows; /* it takes its address from its ports */
};

void check_bridge_ports(struct check *check, const struct siblings *ports);

/* Whether the host itself uses the bridge. */
bool bridge_has_host(const struct inventory_link *bridge);

/* What keeps any port, the guest's or an uplink, from passing frames on. */
void check_port_flags(struct check *check, const struct bridge *bridge,
		      const struct inventory_link *port);
