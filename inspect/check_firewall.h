/* SPDX-License-Identifier: MIT */
/*
 * Where a packet filter of the host's drops what guests send, or what is for them.
 */
#pragma once

#include "inspect/finding.h"

/* What a bridge forwards between its ports, if it has @several, and what the host forwards for it.
 */
void check_bridge_firewall(struct check *check, const struct inventory_link *bridge, bool several);

/* What a port passes on. */
void check_port_firewall(struct check *check, const struct inventory_link *port);

/* What any device or lower device lets in and out. */
void check_link_firewall(struct check *check, const struct inventory_link *link);

/* What the host forwards from a device or bridge that it has an address on; @beyond: see
 * check_route.h. */
void check_forward_firewall(struct check *check, const struct inventory_link *link, bool beyond);
